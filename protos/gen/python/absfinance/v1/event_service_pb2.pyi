import datetime

from absfinance.v1 import portfolio_pb2 as _portfolio_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchEventsRequest(_message.Message):
    __slots__ = ("portfolios", "kinds", "after_sequence", "epoch", "heartbeat_interval", "min_severity")
    PORTFOLIOS_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MIN_SEVERITY_FIELD_NUMBER: _ClassVar[int]
    portfolios: _containers.RepeatedScalarFieldContainer[str]
    kinds: _containers.RepeatedScalarFieldContainer[_portfolio_pb2.EventKind]
    after_sequence: int
    epoch: str
    heartbeat_interval: _duration_pb2.Duration
    min_severity: _portfolio_pb2.Severity
    def __init__(self, portfolios: _Optional[_Iterable[str]] = ..., kinds: _Optional[_Iterable[_Union[_portfolio_pb2.EventKind, str]]] = ..., after_sequence: _Optional[int] = ..., epoch: _Optional[str] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., min_severity: _Optional[_Union[_portfolio_pb2.Severity, str]] = ...) -> None: ...

class WatchEventsResponse(_message.Message):
    __slots__ = ("sequence", "epoch", "event_time", "snapshot", "signal", "recomputation", "heartbeat", "notification")
    class Snapshot(_message.Message):
        __slots__ = ("oldest_sequence", "newest_sequence")
        OLDEST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
        NEWEST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
        oldest_sequence: int
        newest_sequence: int
        def __init__(self, oldest_sequence: _Optional[int] = ..., newest_sequence: _Optional[int] = ...) -> None: ...
    class Signal(_message.Message):
        __slots__ = ("kind", "portfolio", "symbol", "value", "threshold", "message", "severity", "group", "measure", "lot_id", "phase", "since_time", "dedupe_key", "result")
        class Phase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            PHASE_UNSPECIFIED: _ClassVar[WatchEventsResponse.Signal.Phase]
            PHASE_RAISED: _ClassVar[WatchEventsResponse.Signal.Phase]
            PHASE_CLEARED: _ClassVar[WatchEventsResponse.Signal.Phase]
        PHASE_UNSPECIFIED: WatchEventsResponse.Signal.Phase
        PHASE_RAISED: WatchEventsResponse.Signal.Phase
        PHASE_CLEARED: WatchEventsResponse.Signal.Phase
        KIND_FIELD_NUMBER: _ClassVar[int]
        PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        THRESHOLD_FIELD_NUMBER: _ClassVar[int]
        MESSAGE_FIELD_NUMBER: _ClassVar[int]
        SEVERITY_FIELD_NUMBER: _ClassVar[int]
        GROUP_FIELD_NUMBER: _ClassVar[int]
        MEASURE_FIELD_NUMBER: _ClassVar[int]
        LOT_ID_FIELD_NUMBER: _ClassVar[int]
        PHASE_FIELD_NUMBER: _ClassVar[int]
        SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
        DEDUPE_KEY_FIELD_NUMBER: _ClassVar[int]
        RESULT_FIELD_NUMBER: _ClassVar[int]
        kind: _portfolio_pb2.EventKind
        portfolio: str
        symbol: str
        value: float
        threshold: float
        message: str
        severity: _portfolio_pb2.Severity
        group: str
        measure: str
        lot_id: str
        phase: WatchEventsResponse.Signal.Phase
        since_time: _timestamp_pb2.Timestamp
        dedupe_key: str
        result: str
        def __init__(self, kind: _Optional[_Union[_portfolio_pb2.EventKind, str]] = ..., portfolio: _Optional[str] = ..., symbol: _Optional[str] = ..., value: _Optional[float] = ..., threshold: _Optional[float] = ..., message: _Optional[str] = ..., severity: _Optional[_Union[_portfolio_pb2.Severity, str]] = ..., group: _Optional[str] = ..., measure: _Optional[str] = ..., lot_id: _Optional[str] = ..., phase: _Optional[_Union[WatchEventsResponse.Signal.Phase, str]] = ..., since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., dedupe_key: _Optional[str] = ..., result: _Optional[str] = ...) -> None: ...
    class Recomputation(_message.Message):
        __slots__ = ("portfolio", "result", "error", "signal_sequence", "action", "causes")
        PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
        RESULT_FIELD_NUMBER: _ClassVar[int]
        ERROR_FIELD_NUMBER: _ClassVar[int]
        SIGNAL_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
        ACTION_FIELD_NUMBER: _ClassVar[int]
        CAUSES_FIELD_NUMBER: _ClassVar[int]
        portfolio: str
        result: str
        error: _status_pb2.Status
        signal_sequence: int
        action: _portfolio_pb2.Trigger.Action
        causes: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, portfolio: _Optional[str] = ..., result: _Optional[str] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., signal_sequence: _Optional[int] = ..., action: _Optional[_Union[_portfolio_pb2.Trigger.Action, str]] = ..., causes: _Optional[_Iterable[str]] = ...) -> None: ...
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
    NOTIFICATION_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    epoch: str
    event_time: _timestamp_pb2.Timestamp
    snapshot: WatchEventsResponse.Snapshot
    signal: WatchEventsResponse.Signal
    recomputation: WatchEventsResponse.Recomputation
    heartbeat: WatchEventsResponse.Heartbeat
    notification: Notification
    def __init__(self, sequence: _Optional[int] = ..., epoch: _Optional[str] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., snapshot: _Optional[_Union[WatchEventsResponse.Snapshot, _Mapping]] = ..., signal: _Optional[_Union[WatchEventsResponse.Signal, _Mapping]] = ..., recomputation: _Optional[_Union[WatchEventsResponse.Recomputation, _Mapping]] = ..., heartbeat: _Optional[_Union[WatchEventsResponse.Heartbeat, _Mapping]] = ..., notification: _Optional[_Union[Notification, _Mapping]] = ...) -> None: ...

class Notification(_message.Message):
    __slots__ = ("name", "kind", "severity", "portfolio", "symbol", "message", "state", "attempt_count", "last_error", "signal_sequence", "create_time", "acknowledge_time")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Notification.State]
        STATE_PENDING: _ClassVar[Notification.State]
        STATE_DELIVERED: _ClassVar[Notification.State]
        STATE_FAILED: _ClassVar[Notification.State]
        STATE_ACKNOWLEDGED: _ClassVar[Notification.State]
    STATE_UNSPECIFIED: Notification.State
    STATE_PENDING: Notification.State
    STATE_DELIVERED: Notification.State
    STATE_FAILED: Notification.State
    STATE_ACKNOWLEDGED: Notification.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: _portfolio_pb2.EventKind
    severity: _portfolio_pb2.Severity
    portfolio: str
    symbol: str
    message: str
    state: Notification.State
    attempt_count: int
    last_error: str
    signal_sequence: int
    create_time: _timestamp_pb2.Timestamp
    acknowledge_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[_portfolio_pb2.EventKind, str]] = ..., severity: _Optional[_Union[_portfolio_pb2.Severity, str]] = ..., portfolio: _Optional[str] = ..., symbol: _Optional[str] = ..., message: _Optional[str] = ..., state: _Optional[_Union[Notification.State, str]] = ..., attempt_count: _Optional[int] = ..., last_error: _Optional[str] = ..., signal_sequence: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledge_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListNotificationsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "portfolio", "state", "min_severity", "start_create_time", "end_create_time")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MIN_SEVERITY_FIELD_NUMBER: _ClassVar[int]
    START_CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    portfolio: str
    state: Notification.State
    min_severity: _portfolio_pb2.Severity
    start_create_time: _timestamp_pb2.Timestamp
    end_create_time: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., portfolio: _Optional[str] = ..., state: _Optional[_Union[Notification.State, str]] = ..., min_severity: _Optional[_Union[_portfolio_pb2.Severity, str]] = ..., start_create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListNotificationsResponse(_message.Message):
    __slots__ = ("notifications", "next_page_token")
    NOTIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    notifications: _containers.RepeatedCompositeFieldContainer[Notification]
    next_page_token: str
    def __init__(self, notifications: _Optional[_Iterable[_Union[Notification, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AcknowledgeNotificationRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class RedeliverNotificationRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...
