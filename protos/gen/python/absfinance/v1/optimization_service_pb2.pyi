import datetime

from absfinance.v1 import chart_pb2 as _chart_pb2
from absfinance.v1 import constraint_pb2 as _constraint_pb2
from absfinance.v1 import cost_pb2 as _cost_pb2
from absfinance.v1 import estimation_pb2 as _estimation_pb2
from absfinance.v1 import objective_pb2 as _objective_pb2
from absfinance.v1 import optimization_pb2 as _optimization_pb2
from absfinance.v1 import panel_pb2 as _panel_pb2
from absfinance.v1 import risk_measure_pb2 as _risk_measure_pb2
from absfinance.v1 import warning_pb2 as _warning_pb2
from absfinance.v1 import weight_pb2 as _weight_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OptimizeRequest(_message.Message):
    __slots__ = ("prices", "returns", "moments", "scenarios", "market_data", "objective", "risk_measure", "confidence_level", "estimation", "constraints", "costs", "current_weights", "solver", "missing_data", "periods_per_year", "groups", "request_id", "validate_only", "check_feasibility", "diagnose_estimation", "label", "optimization_id")
    PRICES_FIELD_NUMBER: _ClassVar[int]
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    MOMENTS_FIELD_NUMBER: _ClassVar[int]
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    MARKET_DATA_FIELD_NUMBER: _ClassVar[int]
    OBJECTIVE_FIELD_NUMBER: _ClassVar[int]
    RISK_MEASURE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    ESTIMATION_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    COSTS_FIELD_NUMBER: _ClassVar[int]
    CURRENT_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    SOLVER_FIELD_NUMBER: _ClassVar[int]
    MISSING_DATA_FIELD_NUMBER: _ClassVar[int]
    PERIODS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    CHECK_FEASIBILITY_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSE_ESTIMATION_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    OPTIMIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    prices: _panel_pb2.Panel
    returns: _panel_pb2.Panel
    moments: _panel_pb2.Moments
    scenarios: _panel_pb2.Scenarios
    market_data: _panel_pb2.MarketDataSelection
    objective: _objective_pb2.Objective
    risk_measure: _risk_measure_pb2.RiskMeasure
    confidence_level: float
    estimation: _estimation_pb2.Estimation
    constraints: _containers.RepeatedCompositeFieldContainer[_constraint_pb2.Constraint]
    costs: _cost_pb2.CostModel
    current_weights: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    solver: _optimization_pb2.SolverOptions
    missing_data: _panel_pb2.MissingDataPolicy
    periods_per_year: float
    groups: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetGroup]
    request_id: str
    validate_only: bool
    check_feasibility: bool
    diagnose_estimation: bool
    label: str
    optimization_id: str
    def __init__(self, prices: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., returns: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., moments: _Optional[_Union[_panel_pb2.Moments, _Mapping]] = ..., scenarios: _Optional[_Union[_panel_pb2.Scenarios, _Mapping]] = ..., market_data: _Optional[_Union[_panel_pb2.MarketDataSelection, _Mapping]] = ..., objective: _Optional[_Union[_objective_pb2.Objective, _Mapping]] = ..., risk_measure: _Optional[_Union[_risk_measure_pb2.RiskMeasure, str]] = ..., confidence_level: _Optional[float] = ..., estimation: _Optional[_Union[_estimation_pb2.Estimation, _Mapping]] = ..., constraints: _Optional[_Iterable[_Union[_constraint_pb2.Constraint, _Mapping]]] = ..., costs: _Optional[_Union[_cost_pb2.CostModel, _Mapping]] = ..., current_weights: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., solver: _Optional[_Union[_optimization_pb2.SolverOptions, _Mapping]] = ..., missing_data: _Optional[_Union[_panel_pb2.MissingDataPolicy, str]] = ..., periods_per_year: _Optional[float] = ..., groups: _Optional[_Iterable[_Union[_weight_pb2.AssetGroup, _Mapping]]] = ..., request_id: _Optional[str] = ..., validate_only: _Optional[bool] = ..., check_feasibility: _Optional[bool] = ..., diagnose_estimation: _Optional[bool] = ..., label: _Optional[str] = ..., optimization_id: _Optional[str] = ...) -> None: ...

class GetOptimizationRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteOptimizationRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteOptimizationResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListOptimizationsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "label", "start_create_time", "end_create_time", "all")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    START_CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    label: str
    start_create_time: _timestamp_pb2.Timestamp
    end_create_time: _timestamp_pb2.Timestamp
    all: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., label: _Optional[str] = ..., start_create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., all: _Optional[bool] = ...) -> None: ...

class ListOptimizationsResponse(_message.Message):
    __slots__ = ("optimizations", "next_page_token")
    class Summary(_message.Message):
        __slots__ = ("name", "create_time", "request_id", "assets", "expected_return_annual", "volatility_annual", "solver", "label", "owner", "stale_since")
        NAME_FIELD_NUMBER: _ClassVar[int]
        CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
        REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
        ASSETS_FIELD_NUMBER: _ClassVar[int]
        EXPECTED_RETURN_ANNUAL_FIELD_NUMBER: _ClassVar[int]
        VOLATILITY_ANNUAL_FIELD_NUMBER: _ClassVar[int]
        SOLVER_FIELD_NUMBER: _ClassVar[int]
        LABEL_FIELD_NUMBER: _ClassVar[int]
        OWNER_FIELD_NUMBER: _ClassVar[int]
        STALE_SINCE_FIELD_NUMBER: _ClassVar[int]
        name: str
        create_time: _timestamp_pb2.Timestamp
        request_id: str
        assets: int
        expected_return_annual: float
        volatility_annual: float
        solver: str
        label: str
        owner: str
        stale_since: _timestamp_pb2.Timestamp
        def __init__(self, name: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., assets: _Optional[int] = ..., expected_return_annual: _Optional[float] = ..., volatility_annual: _Optional[float] = ..., solver: _Optional[str] = ..., label: _Optional[str] = ..., owner: _Optional[str] = ..., stale_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
    OPTIMIZATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    optimizations: _containers.RepeatedCompositeFieldContainer[ListOptimizationsResponse.Summary]
    next_page_token: str
    def __init__(self, optimizations: _Optional[_Iterable[_Union[ListOptimizationsResponse.Summary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class OptimizeBatchRequest(_message.Message):
    __slots__ = ("universe", "account")
    class Universe(_message.Message):
        __slots__ = ("prices", "returns", "moments", "scenarios", "market_data", "spec", "periods_per_year")
        PRICES_FIELD_NUMBER: _ClassVar[int]
        RETURNS_FIELD_NUMBER: _ClassVar[int]
        MOMENTS_FIELD_NUMBER: _ClassVar[int]
        SCENARIOS_FIELD_NUMBER: _ClassVar[int]
        MARKET_DATA_FIELD_NUMBER: _ClassVar[int]
        SPEC_FIELD_NUMBER: _ClassVar[int]
        PERIODS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
        prices: _panel_pb2.Panel
        returns: _panel_pb2.Panel
        moments: _panel_pb2.Moments
        scenarios: _panel_pb2.Scenarios
        market_data: _panel_pb2.MarketDataSelection
        spec: _optimization_pb2.OptimizeSpec
        periods_per_year: float
        def __init__(self, prices: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., returns: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., moments: _Optional[_Union[_panel_pb2.Moments, _Mapping]] = ..., scenarios: _Optional[_Union[_panel_pb2.Scenarios, _Mapping]] = ..., market_data: _Optional[_Union[_panel_pb2.MarketDataSelection, _Mapping]] = ..., spec: _Optional[_Union[_optimization_pb2.OptimizeSpec, _Mapping]] = ..., periods_per_year: _Optional[float] = ...) -> None: ...
    class Account(_message.Message):
        __slots__ = ("key", "current_weights", "constraints", "objective")
        KEY_FIELD_NUMBER: _ClassVar[int]
        CURRENT_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
        CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
        OBJECTIVE_FIELD_NUMBER: _ClassVar[int]
        key: str
        current_weights: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
        constraints: _containers.RepeatedCompositeFieldContainer[_constraint_pb2.Constraint]
        objective: _objective_pb2.Objective
        def __init__(self, key: _Optional[str] = ..., current_weights: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., constraints: _Optional[_Iterable[_Union[_constraint_pb2.Constraint, _Mapping]]] = ..., objective: _Optional[_Union[_objective_pb2.Objective, _Mapping]] = ...) -> None: ...
    UNIVERSE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    universe: OptimizeBatchRequest.Universe
    account: OptimizeBatchRequest.Account
    def __init__(self, universe: _Optional[_Union[OptimizeBatchRequest.Universe, _Mapping]] = ..., account: _Optional[_Union[OptimizeBatchRequest.Account, _Mapping]] = ...) -> None: ...

class OptimizeBatchResponse(_message.Message):
    __slots__ = ("key", "result", "error")
    KEY_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    key: str
    result: _optimization_pb2.Optimization
    error: _status_pb2.Status
    def __init__(self, key: _Optional[str] = ..., result: _Optional[_Union[_optimization_pb2.Optimization, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class TraceFrontierRequest(_message.Message):
    __slots__ = ("prices", "returns", "moments", "scenarios", "market_data", "risk_measure", "confidence_level", "estimation", "constraints", "points", "periods_per_year", "groups", "missing_data", "current_weights")
    PRICES_FIELD_NUMBER: _ClassVar[int]
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    MOMENTS_FIELD_NUMBER: _ClassVar[int]
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    MARKET_DATA_FIELD_NUMBER: _ClassVar[int]
    RISK_MEASURE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    ESTIMATION_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    PERIODS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    MISSING_DATA_FIELD_NUMBER: _ClassVar[int]
    CURRENT_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    prices: _panel_pb2.Panel
    returns: _panel_pb2.Panel
    moments: _panel_pb2.Moments
    scenarios: _panel_pb2.Scenarios
    market_data: _panel_pb2.MarketDataSelection
    risk_measure: _risk_measure_pb2.RiskMeasure
    confidence_level: float
    estimation: _estimation_pb2.Estimation
    constraints: _containers.RepeatedCompositeFieldContainer[_constraint_pb2.Constraint]
    points: int
    periods_per_year: float
    groups: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetGroup]
    missing_data: _panel_pb2.MissingDataPolicy
    current_weights: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    def __init__(self, prices: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., returns: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., moments: _Optional[_Union[_panel_pb2.Moments, _Mapping]] = ..., scenarios: _Optional[_Union[_panel_pb2.Scenarios, _Mapping]] = ..., market_data: _Optional[_Union[_panel_pb2.MarketDataSelection, _Mapping]] = ..., risk_measure: _Optional[_Union[_risk_measure_pb2.RiskMeasure, str]] = ..., confidence_level: _Optional[float] = ..., estimation: _Optional[_Union[_estimation_pb2.Estimation, _Mapping]] = ..., constraints: _Optional[_Iterable[_Union[_constraint_pb2.Constraint, _Mapping]]] = ..., points: _Optional[int] = ..., periods_per_year: _Optional[float] = ..., groups: _Optional[_Iterable[_Union[_weight_pb2.AssetGroup, _Mapping]]] = ..., missing_data: _Optional[_Union[_panel_pb2.MissingDataPolicy, str]] = ..., current_weights: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ...) -> None: ...

class TraceFrontierResponse(_message.Message):
    __slots__ = ("index", "expected_return_annual", "volatility_annual", "risk", "weights", "certificate", "warnings")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_RETURN_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    RISK_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    index: int
    expected_return_annual: float
    volatility_annual: float
    risk: float
    weights: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    certificate: _optimization_pb2.Certificate
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    def __init__(self, index: _Optional[int] = ..., expected_return_annual: _Optional[float] = ..., volatility_annual: _Optional[float] = ..., risk: _Optional[float] = ..., weights: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., certificate: _Optional[_Union[_optimization_pb2.Certificate, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ...) -> None: ...

class GetOptimizationChartsRequest(_message.Message):
    __slots__ = ("name", "charts", "frontier", "theme")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CHARTS_FIELD_NUMBER: _ClassVar[int]
    FRONTIER_FIELD_NUMBER: _ClassVar[int]
    THEME_FIELD_NUMBER: _ClassVar[int]
    name: str
    charts: _containers.RepeatedScalarFieldContainer[_chart_pb2.Chart]
    frontier: TraceFrontierRequest
    theme: _chart_pb2.ChartTheme
    def __init__(self, name: _Optional[str] = ..., charts: _Optional[_Iterable[_Union[_chart_pb2.Chart, str]]] = ..., frontier: _Optional[_Union[TraceFrontierRequest, _Mapping]] = ..., theme: _Optional[_Union[_chart_pb2.ChartTheme, str]] = ...) -> None: ...

class GetOptimizationChartsResponse(_message.Message):
    __slots__ = ("charts",)
    CHARTS_FIELD_NUMBER: _ClassVar[int]
    charts: _containers.RepeatedCompositeFieldContainer[_chart_pb2.ChartSpec]
    def __init__(self, charts: _Optional[_Iterable[_Union[_chart_pb2.ChartSpec, _Mapping]]] = ...) -> None: ...
