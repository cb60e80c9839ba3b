import datetime

from absfinance.v1 import portfolio_pb2 as _portfolio_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchEventsRequest(_message.Message):
    __slots__ = ("portfolios", "kinds", "after_sequence", "epoch", "heartbeat_interval")
    PORTFOLIOS_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    portfolios: _containers.RepeatedScalarFieldContainer[str]
    kinds: _containers.RepeatedScalarFieldContainer[_portfolio_pb2.EventKind]
    after_sequence: int
    epoch: str
    heartbeat_interval: _duration_pb2.Duration
    def __init__(self, portfolios: _Optional[_Iterable[str]] = ..., kinds: _Optional[_Iterable[_Union[_portfolio_pb2.EventKind, str]]] = ..., after_sequence: _Optional[int] = ..., epoch: _Optional[str] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class WatchEventsResponse(_message.Message):
    __slots__ = ("sequence", "epoch", "event_time", "snapshot", "signal", "recomputation", "heartbeat")
    class Snapshot(_message.Message):
        __slots__ = ("oldest_sequence", "newest_sequence")
        OLDEST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
        NEWEST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
        oldest_sequence: int
        newest_sequence: int
        def __init__(self, oldest_sequence: _Optional[int] = ..., newest_sequence: _Optional[int] = ...) -> None: ...
    class Signal(_message.Message):
        __slots__ = ("kind", "portfolio", "symbol", "value", "threshold", "message")
        KIND_FIELD_NUMBER: _ClassVar[int]
        PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        THRESHOLD_FIELD_NUMBER: _ClassVar[int]
        MESSAGE_FIELD_NUMBER: _ClassVar[int]
        kind: _portfolio_pb2.EventKind
        portfolio: str
        symbol: str
        value: float
        threshold: float
        message: str
        def __init__(self, kind: _Optional[_Union[_portfolio_pb2.EventKind, str]] = ..., portfolio: _Optional[str] = ..., symbol: _Optional[str] = ..., value: _Optional[float] = ..., threshold: _Optional[float] = ..., message: _Optional[str] = ...) -> None: ...
    class Recomputation(_message.Message):
        __slots__ = ("portfolio", "result", "signal_sequence")
        PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
        RESULT_FIELD_NUMBER: _ClassVar[int]
        SIGNAL_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
        portfolio: str
        result: str
        signal_sequence: int
        def __init__(self, portfolio: _Optional[str] = ..., result: _Optional[str] = ..., signal_sequence: _Optional[int] = ...) -> None: ...
    class Heartbeat(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    RECOMPUTATION_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    epoch: str
    event_time: _timestamp_pb2.Timestamp
    snapshot: WatchEventsResponse.Snapshot
    signal: WatchEventsResponse.Signal
    recomputation: WatchEventsResponse.Recomputation
    heartbeat: WatchEventsResponse.Heartbeat
    def __init__(self, sequence: _Optional[int] = ..., epoch: _Optional[str] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., snapshot: _Optional[_Union[WatchEventsResponse.Snapshot, _Mapping]] = ..., signal: _Optional[_Union[WatchEventsResponse.Signal, _Mapping]] = ..., recomputation: _Optional[_Union[WatchEventsResponse.Recomputation, _Mapping]] = ..., heartbeat: _Optional[_Union[WatchEventsResponse.Heartbeat, _Mapping]] = ...) -> None: ...
