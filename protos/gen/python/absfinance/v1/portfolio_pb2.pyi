import datetime

from absfinance.v1 import constraint_pb2 as _constraint_pb2
from absfinance.v1 import frequency_pb2 as _frequency_pb2
from absfinance.v1 import optimization_pb2 as _optimization_pb2
from absfinance.v1 import weight_pb2 as _weight_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_KIND_UNSPECIFIED: _ClassVar[EventKind]
    EVENT_KIND_PRICES: _ClassVar[EventKind]
    EVENT_KIND_DRIFT: _ClassVar[EventKind]
    EVENT_KIND_LIMIT: _ClassVar[EventKind]
    EVENT_KIND_VOLATILITY: _ClassVar[EventKind]
    EVENT_KIND_DRAWDOWN: _ClassVar[EventKind]
    EVENT_KIND_LIQUIDITY: _ClassVar[EventKind]
    EVENT_KIND_PRICE_STALE: _ClassVar[EventKind]
    EVENT_KIND_PRICE_JUMP: _ClassVar[EventKind]
    EVENT_KIND_MANDATE_DUE: _ClassVar[EventKind]
    EVENT_KIND_LOT_LONG_TERM: _ClassVar[EventKind]
    EVENT_KIND_RESULT_STALE: _ClassVar[EventKind]

class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEVERITY_UNSPECIFIED: _ClassVar[Severity]
    SEVERITY_INFO: _ClassVar[Severity]
    SEVERITY_WARNING: _ClassVar[Severity]
    SEVERITY_CRITICAL: _ClassVar[Severity]
EVENT_KIND_UNSPECIFIED: EventKind
EVENT_KIND_PRICES: EventKind
EVENT_KIND_DRIFT: EventKind
EVENT_KIND_LIMIT: EventKind
EVENT_KIND_VOLATILITY: EventKind
EVENT_KIND_DRAWDOWN: EventKind
EVENT_KIND_LIQUIDITY: EventKind
EVENT_KIND_PRICE_STALE: EventKind
EVENT_KIND_PRICE_JUMP: EventKind
EVENT_KIND_MANDATE_DUE: EventKind
EVENT_KIND_LOT_LONG_TERM: EventKind
EVENT_KIND_RESULT_STALE: EventKind
SEVERITY_UNSPECIFIED: Severity
SEVERITY_INFO: Severity
SEVERITY_WARNING: Severity
SEVERITY_CRITICAL: Severity

class Holding(_message.Message):
    __slots__ = ("symbol", "quantity", "lots")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    quantity: float
    lots: _containers.RepeatedCompositeFieldContainer[TaxLot]
    def __init__(self, symbol: _Optional[str] = ..., quantity: _Optional[float] = ..., lots: _Optional[_Iterable[_Union[TaxLot, _Mapping]]] = ...) -> None: ...

class TaxLot(_message.Message):
    __slots__ = ("quantity", "unit_cost", "purchase_date", "lot_id", "holding_period_start")
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNIT_COST_FIELD_NUMBER: _ClassVar[int]
    PURCHASE_DATE_FIELD_NUMBER: _ClassVar[int]
    LOT_ID_FIELD_NUMBER: _ClassVar[int]
    HOLDING_PERIOD_START_FIELD_NUMBER: _ClassVar[int]
    quantity: float
    unit_cost: float
    purchase_date: _date_pb2.Date
    lot_id: str
    holding_period_start: _date_pb2.Date
    def __init__(self, quantity: _Optional[float] = ..., unit_cost: _Optional[float] = ..., purchase_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., lot_id: _Optional[str] = ..., holding_period_start: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class Portfolio(_message.Message):
    __slots__ = ("name", "display_name", "currency", "holdings", "cash", "mandate", "etag", "create_time", "update_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    HOLDINGS_FIELD_NUMBER: _ClassVar[int]
    CASH_FIELD_NUMBER: _ClassVar[int]
    MANDATE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    currency: str
    holdings: _containers.RepeatedCompositeFieldContainer[Holding]
    cash: float
    mandate: Mandate
    etag: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., currency: _Optional[str] = ..., holdings: _Optional[_Iterable[_Union[Holding, _Mapping]]] = ..., cash: _Optional[float] = ..., mandate: _Optional[_Union[Mandate, _Mapping]] = ..., etag: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Mandate(_message.Message):
    __slots__ = ("optimize", "weights", "thresholds", "constraints", "triggers", "reviews", "drift_bands", "backtest", "groups")
    OPTIMIZE_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    TRIGGERS_FIELD_NUMBER: _ClassVar[int]
    REVIEWS_FIELD_NUMBER: _ClassVar[int]
    DRIFT_BANDS_FIELD_NUMBER: _ClassVar[int]
    BACKTEST_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    optimize: _optimization_pb2.OptimizeSpec
    weights: TargetWeights
    thresholds: Thresholds
    constraints: _containers.RepeatedCompositeFieldContainer[_constraint_pb2.Constraint]
    triggers: _containers.RepeatedCompositeFieldContainer[Trigger]
    reviews: ReviewCalendar
    drift_bands: _containers.RepeatedCompositeFieldContainer[DriftBand]
    backtest: str
    groups: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetGroup]
    def __init__(self, optimize: _Optional[_Union[_optimization_pb2.OptimizeSpec, _Mapping]] = ..., weights: _Optional[_Union[TargetWeights, _Mapping]] = ..., thresholds: _Optional[_Union[Thresholds, _Mapping]] = ..., constraints: _Optional[_Iterable[_Union[_constraint_pb2.Constraint, _Mapping]]] = ..., triggers: _Optional[_Iterable[_Union[Trigger, _Mapping]]] = ..., reviews: _Optional[_Union[ReviewCalendar, _Mapping]] = ..., drift_bands: _Optional[_Iterable[_Union[DriftBand, _Mapping]]] = ..., backtest: _Optional[str] = ..., groups: _Optional[_Iterable[_Union[_weight_pb2.AssetGroup, _Mapping]]] = ...) -> None: ...

class ReviewCalendar(_message.Message):
    __slots__ = ("frequency", "dates")
    FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    DATES_FIELD_NUMBER: _ClassVar[int]
    frequency: _frequency_pb2.Frequency
    dates: _containers.RepeatedCompositeFieldContainer[_date_pb2.Date]
    def __init__(self, frequency: _Optional[_Union[_frequency_pb2.Frequency, str]] = ..., dates: _Optional[_Iterable[_Union[_date_pb2.Date, _Mapping]]] = ...) -> None: ...

class DriftBand(_message.Message):
    __slots__ = ("symbol", "group", "absolute", "relative")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    ABSOLUTE_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    group: str
    absolute: float
    relative: float
    def __init__(self, symbol: _Optional[str] = ..., group: _Optional[str] = ..., absolute: _Optional[float] = ..., relative: _Optional[float] = ...) -> None: ...

class TargetWeights(_message.Message):
    __slots__ = ("weights",)
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    weights: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    def __init__(self, weights: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ...) -> None: ...

class Thresholds(_message.Message):
    __slots__ = ("max_utilization", "drift_band", "relative_band", "max_tracking_error_annual", "cost_benefit")
    class CostBenefit(_message.Message):
        __slots__ = ("risk_aversion", "horizon_days")
        RISK_AVERSION_FIELD_NUMBER: _ClassVar[int]
        HORIZON_DAYS_FIELD_NUMBER: _ClassVar[int]
        risk_aversion: float
        horizon_days: int
        def __init__(self, risk_aversion: _Optional[float] = ..., horizon_days: _Optional[int] = ...) -> None: ...
    MAX_UTILIZATION_FIELD_NUMBER: _ClassVar[int]
    DRIFT_BAND_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_BAND_FIELD_NUMBER: _ClassVar[int]
    MAX_TRACKING_ERROR_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    COST_BENEFIT_FIELD_NUMBER: _ClassVar[int]
    max_utilization: float
    drift_band: float
    relative_band: float
    max_tracking_error_annual: float
    cost_benefit: Thresholds.CostBenefit
    def __init__(self, max_utilization: _Optional[float] = ..., drift_band: _Optional[float] = ..., relative_band: _Optional[float] = ..., max_tracking_error_annual: _Optional[float] = ..., cost_benefit: _Optional[_Union[Thresholds.CostBenefit, _Mapping]] = ...) -> None: ...

class Trigger(_message.Message):
    __slots__ = ("event", "threshold", "action", "clear_threshold", "cooldown", "hold_observations", "hold_duration")
    class Action(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ACTION_UNSPECIFIED: _ClassVar[Trigger.Action]
        ACTION_NOTIFY: _ClassVar[Trigger.Action]
        ACTION_OPTIMIZE: _ClassVar[Trigger.Action]
        ACTION_REALLOCATE: _ClassVar[Trigger.Action]
        ACTION_ANALYZE_RISK: _ClassVar[Trigger.Action]
        ACTION_EXTEND_BACKTEST: _ClassVar[Trigger.Action]
    ACTION_UNSPECIFIED: Trigger.Action
    ACTION_NOTIFY: Trigger.Action
    ACTION_OPTIMIZE: Trigger.Action
    ACTION_REALLOCATE: Trigger.Action
    ACTION_ANALYZE_RISK: Trigger.Action
    ACTION_EXTEND_BACKTEST: Trigger.Action
    EVENT_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    CLEAR_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    COOLDOWN_FIELD_NUMBER: _ClassVar[int]
    HOLD_OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    HOLD_DURATION_FIELD_NUMBER: _ClassVar[int]
    event: EventKind
    threshold: float
    action: Trigger.Action
    clear_threshold: float
    cooldown: _duration_pb2.Duration
    hold_observations: int
    hold_duration: _duration_pb2.Duration
    def __init__(self, event: _Optional[_Union[EventKind, str]] = ..., threshold: _Optional[float] = ..., action: _Optional[_Union[Trigger.Action, str]] = ..., clear_threshold: _Optional[float] = ..., cooldown: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., hold_observations: _Optional[int] = ..., hold_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
