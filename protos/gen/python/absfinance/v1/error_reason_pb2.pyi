from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_INVALID_INPUT: _ClassVar[ErrorReason]
    ERROR_REASON_REQUEST_ID_REUSED: _ClassVar[ErrorReason]
    ERROR_REASON_PROBLEM_INFEASIBLE: _ClassVar[ErrorReason]
    ERROR_REASON_PROBLEM_UNBOUNDED: _ClassVar[ErrorReason]
    ERROR_REASON_NO_POSITIVE_EXCESS_RETURN: _ClassVar[ErrorReason]
    ERROR_REASON_MISSING_MARKET_DATA: _ClassVar[ErrorReason]
    ERROR_REASON_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_ALREADY_EXISTS: _ClassVar[ErrorReason]
    ERROR_REASON_ETAG_MISMATCH: _ClassVar[ErrorReason]
    ERROR_REASON_BACKTEST_RUNNING: _ClassVar[ErrorReason]
    ERROR_REASON_EPOCH_CHANGED: _ClassVar[ErrorReason]
    ERROR_REASON_EVENTS_COMPACTED: _ClassVar[ErrorReason]
    ERROR_REASON_NOT_SUPPORTED: _ClassVar[ErrorReason]
    ERROR_REASON_METHOD_NOT_BUILT: _ClassVar[ErrorReason]
    ERROR_REASON_SOLVER_TIMED_OUT: _ClassVar[ErrorReason]
    ERROR_REASON_CANCELLED: _ClassVar[ErrorReason]
    ERROR_REASON_OVERLOADED: _ClassVar[ErrorReason]
    ERROR_REASON_DRAINING: _ClassVar[ErrorReason]
    ERROR_REASON_SOLVER_FAILED: _ClassVar[ErrorReason]
    ERROR_REASON_NOTHING_TRADABLE: _ClassVar[ErrorReason]
    ERROR_REASON_INTERNAL: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_INVALID_INPUT: ErrorReason
ERROR_REASON_REQUEST_ID_REUSED: ErrorReason
ERROR_REASON_PROBLEM_INFEASIBLE: ErrorReason
ERROR_REASON_PROBLEM_UNBOUNDED: ErrorReason
ERROR_REASON_NO_POSITIVE_EXCESS_RETURN: ErrorReason
ERROR_REASON_MISSING_MARKET_DATA: ErrorReason
ERROR_REASON_NOT_FOUND: ErrorReason
ERROR_REASON_ALREADY_EXISTS: ErrorReason
ERROR_REASON_ETAG_MISMATCH: ErrorReason
ERROR_REASON_BACKTEST_RUNNING: ErrorReason
ERROR_REASON_EPOCH_CHANGED: ErrorReason
ERROR_REASON_EVENTS_COMPACTED: ErrorReason
ERROR_REASON_NOT_SUPPORTED: ErrorReason
ERROR_REASON_METHOD_NOT_BUILT: ErrorReason
ERROR_REASON_SOLVER_TIMED_OUT: ErrorReason
ERROR_REASON_CANCELLED: ErrorReason
ERROR_REASON_OVERLOADED: ErrorReason
ERROR_REASON_DRAINING: ErrorReason
ERROR_REASON_SOLVER_FAILED: ErrorReason
ERROR_REASON_NOTHING_TRADABLE: ErrorReason
ERROR_REASON_INTERNAL: ErrorReason
