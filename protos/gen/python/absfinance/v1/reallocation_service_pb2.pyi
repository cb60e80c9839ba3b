import datetime

from absfinance.v1 import cost_pb2 as _cost_pb2
from absfinance.v1 import liquidity_pb2 as _liquidity_pb2
from absfinance.v1 import optimization_pb2 as _optimization_pb2
from absfinance.v1 import panel_pb2 as _panel_pb2
from absfinance.v1 import portfolio_pb2 as _portfolio_pb2
from absfinance.v1 import reallocation_pb2 as _reallocation_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
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

class ReallocateResponse(_message.Message):
    __slots__ = ("name", "utilization", "liquidity", "plan", "unchanged", "failure", "impact", "shortfalls", "summary", "input_fingerprint")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UTILIZATION_FIELD_NUMBER: _ClassVar[int]
    LIQUIDITY_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    IMPACT_FIELD_NUMBER: _ClassVar[int]
    SHORTFALLS_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    INPUT_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    name: str
    utilization: _reallocation_pb2.UtilizationReport
    liquidity: _liquidity_pb2.LiquidityAssessment
    plan: _reallocation_pb2.ReallocationPlan
    unchanged: _reallocation_pb2.UnchangedPortfolio
    failure: _reallocation_pb2.ReallocationFailure
    impact: _reallocation_pb2.ImpactSimulation
    shortfalls: _containers.RepeatedCompositeFieldContainer[_reallocation_pb2.Shortfall]
    summary: _reallocation_pb2.ReallocationSummary
    input_fingerprint: str
    def __init__(self, name: _Optional[str] = ..., utilization: _Optional[_Union[_reallocation_pb2.UtilizationReport, _Mapping]] = ..., liquidity: _Optional[_Union[_liquidity_pb2.LiquidityAssessment, _Mapping]] = ..., plan: _Optional[_Union[_reallocation_pb2.ReallocationPlan, _Mapping]] = ..., unchanged: _Optional[_Union[_reallocation_pb2.UnchangedPortfolio, _Mapping]] = ..., failure: _Optional[_Union[_reallocation_pb2.ReallocationFailure, _Mapping]] = ..., impact: _Optional[_Union[_reallocation_pb2.ImpactSimulation, _Mapping]] = ..., shortfalls: _Optional[_Iterable[_Union[_reallocation_pb2.Shortfall, _Mapping]]] = ..., summary: _Optional[_Union[_reallocation_pb2.ReallocationSummary, _Mapping]] = ..., input_fingerprint: _Optional[str] = ...) -> None: ...

class GetReallocationRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetReallocationResponse(_message.Message):
    __slots__ = ("reallocation", "create_time")
    REALLOCATION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    reallocation: _reallocation_pb2.Reallocation
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, reallocation: _Optional[_Union[_reallocation_pb2.Reallocation, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

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
    REALLOCATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    reallocations: _containers.RepeatedCompositeFieldContainer[_reallocation_pb2.Reallocation]
    next_page_token: str
    def __init__(self, reallocations: _Optional[_Iterable[_Union[_reallocation_pb2.Reallocation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
