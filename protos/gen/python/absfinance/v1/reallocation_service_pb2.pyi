import datetime

from absfinance.v1 import cost_pb2 as _cost_pb2
from absfinance.v1 import optimization_pb2 as _optimization_pb2
from absfinance.v1 import panel_pb2 as _panel_pb2
from absfinance.v1 import portfolio_pb2 as _portfolio_pb2
from absfinance.v1 import reallocation_pb2 as _reallocation_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReallocateRequest(_message.Message):
    __slots__ = ("portfolio_name", "portfolio", "snapshot", "market_data", "target_weights", "target_optimize", "thresholds", "limits", "costs", "horizon_days", "request_id", "validate_only")
    PORTFOLIO_NAME_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    MARKET_DATA_FIELD_NUMBER: _ClassVar[int]
    TARGET_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    TARGET_OPTIMIZE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    COSTS_FIELD_NUMBER: _ClassVar[int]
    HORIZON_DAYS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    portfolio_name: str
    portfolio: _portfolio_pb2.Portfolio
    snapshot: _reallocation_pb2.MarketSnapshot
    market_data: _panel_pb2.MarketDataSelection
    target_weights: _portfolio_pb2.TargetWeights
    target_optimize: _optimization_pb2.OptimizeSpec
    thresholds: _portfolio_pb2.Thresholds
    limits: _reallocation_pb2.ReallocationLimits
    costs: _cost_pb2.CostModel
    horizon_days: int
    request_id: str
    validate_only: bool
    def __init__(self, portfolio_name: _Optional[str] = ..., portfolio: _Optional[_Union[_portfolio_pb2.Portfolio, _Mapping]] = ..., snapshot: _Optional[_Union[_reallocation_pb2.MarketSnapshot, _Mapping]] = ..., market_data: _Optional[_Union[_panel_pb2.MarketDataSelection, _Mapping]] = ..., target_weights: _Optional[_Union[_portfolio_pb2.TargetWeights, _Mapping]] = ..., target_optimize: _Optional[_Union[_optimization_pb2.OptimizeSpec, _Mapping]] = ..., thresholds: _Optional[_Union[_portfolio_pb2.Thresholds, _Mapping]] = ..., limits: _Optional[_Union[_reallocation_pb2.ReallocationLimits, _Mapping]] = ..., costs: _Optional[_Union[_cost_pb2.CostModel, _Mapping]] = ..., horizon_days: _Optional[int] = ..., request_id: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class GetReallocationRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteReallocationRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteReallocationResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListReallocationsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "portfolio")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    portfolio: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., portfolio: _Optional[str] = ...) -> None: ...

class ListReallocationsResponse(_message.Message):
    __slots__ = ("reallocations", "next_page_token")
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[ListReallocationsResponse.Outcome]
        OUTCOME_PLAN: _ClassVar[ListReallocationsResponse.Outcome]
        OUTCOME_UNCHANGED: _ClassVar[ListReallocationsResponse.Outcome]
        OUTCOME_FAILURE: _ClassVar[ListReallocationsResponse.Outcome]
    OUTCOME_UNSPECIFIED: ListReallocationsResponse.Outcome
    OUTCOME_PLAN: ListReallocationsResponse.Outcome
    OUTCOME_UNCHANGED: ListReallocationsResponse.Outcome
    OUTCOME_FAILURE: ListReallocationsResponse.Outcome
    class Summary(_message.Message):
        __slots__ = ("name", "create_time", "request_id", "outcome", "trade_count", "turnover_one_way", "cost", "residual_drift")
        NAME_FIELD_NUMBER: _ClassVar[int]
        CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
        REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
        OUTCOME_FIELD_NUMBER: _ClassVar[int]
        TRADE_COUNT_FIELD_NUMBER: _ClassVar[int]
        TURNOVER_ONE_WAY_FIELD_NUMBER: _ClassVar[int]
        COST_FIELD_NUMBER: _ClassVar[int]
        RESIDUAL_DRIFT_FIELD_NUMBER: _ClassVar[int]
        name: str
        create_time: _timestamp_pb2.Timestamp
        request_id: str
        outcome: ListReallocationsResponse.Outcome
        trade_count: int
        turnover_one_way: float
        cost: float
        residual_drift: float
        def __init__(self, name: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., outcome: _Optional[_Union[ListReallocationsResponse.Outcome, str]] = ..., trade_count: _Optional[int] = ..., turnover_one_way: _Optional[float] = ..., cost: _Optional[float] = ..., residual_drift: _Optional[float] = ...) -> None: ...
    REALLOCATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    reallocations: _containers.RepeatedCompositeFieldContainer[ListReallocationsResponse.Summary]
    next_page_token: str
    def __init__(self, reallocations: _Optional[_Iterable[_Union[ListReallocationsResponse.Summary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
