import datetime

from absfinance.v1 import constraint_pb2 as _constraint_pb2
from absfinance.v1 import cost_pb2 as _cost_pb2
from absfinance.v1 import estimation_pb2 as _estimation_pb2
from absfinance.v1 import objective_pb2 as _objective_pb2
from absfinance.v1 import panel_pb2 as _panel_pb2
from absfinance.v1 import risk_measure_pb2 as _risk_measure_pb2
from absfinance.v1 import warning_pb2 as _warning_pb2
from absfinance.v1 import weight_pb2 as _weight_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Engine(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENGINE_UNSPECIFIED: _ClassVar[Engine]
    ENGINE_AUTO: _ClassVar[Engine]
    ENGINE_FAST: _ClassVar[Engine]
    ENGINE_RISKFOLIO: _ClassVar[Engine]
    ENGINE_CLOSED_FORM: _ClassVar[Engine]

class BoundSide(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BOUND_SIDE_UNSPECIFIED: _ClassVar[BoundSide]
    BOUND_SIDE_LOWER: _ClassVar[BoundSide]
    BOUND_SIDE_UPPER: _ClassVar[BoundSide]
ENGINE_UNSPECIFIED: Engine
ENGINE_AUTO: Engine
ENGINE_FAST: Engine
ENGINE_RISKFOLIO: Engine
ENGINE_CLOSED_FORM: Engine
BOUND_SIDE_UNSPECIFIED: BoundSide
BOUND_SIDE_LOWER: BoundSide
BOUND_SIDE_UPPER: BoundSide

class SolverOptions(_message.Message):
    __slots__ = ("time_limit", "tolerance", "engine")
    TIME_LIMIT_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    time_limit: _duration_pb2.Duration
    tolerance: float
    engine: Engine
    def __init__(self, time_limit: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., tolerance: _Optional[float] = ..., engine: _Optional[_Union[Engine, str]] = ...) -> None: ...

class OptimizeSpec(_message.Message):
    __slots__ = ("objective", "risk_measure", "confidence_level", "estimation", "constraints", "costs", "solver", "missing_data", "groups", "lookback_periods")
    OBJECTIVE_FIELD_NUMBER: _ClassVar[int]
    RISK_MEASURE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    ESTIMATION_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    COSTS_FIELD_NUMBER: _ClassVar[int]
    SOLVER_FIELD_NUMBER: _ClassVar[int]
    MISSING_DATA_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOOKBACK_PERIODS_FIELD_NUMBER: _ClassVar[int]
    objective: _objective_pb2.Objective
    risk_measure: _risk_measure_pb2.RiskMeasure
    confidence_level: float
    estimation: _estimation_pb2.Estimation
    constraints: _containers.RepeatedCompositeFieldContainer[_constraint_pb2.Constraint]
    costs: _cost_pb2.CostModel
    solver: SolverOptions
    missing_data: _panel_pb2.MissingDataPolicy
    groups: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetGroup]
    lookback_periods: int
    def __init__(self, objective: _Optional[_Union[_objective_pb2.Objective, _Mapping]] = ..., risk_measure: _Optional[_Union[_risk_measure_pb2.RiskMeasure, str]] = ..., confidence_level: _Optional[float] = ..., estimation: _Optional[_Union[_estimation_pb2.Estimation, _Mapping]] = ..., constraints: _Optional[_Iterable[_Union[_constraint_pb2.Constraint, _Mapping]]] = ..., costs: _Optional[_Union[_cost_pb2.CostModel, _Mapping]] = ..., solver: _Optional[_Union[SolverOptions, _Mapping]] = ..., missing_data: _Optional[_Union[_panel_pb2.MissingDataPolicy, str]] = ..., groups: _Optional[_Iterable[_Union[_weight_pb2.AssetGroup, _Mapping]]] = ..., lookback_periods: _Optional[int] = ...) -> None: ...

class Certificate(_message.Message):
    __slots__ = ("engine", "solver", "solver_version", "iterations", "solve_duration", "dual_residual", "duality_gap", "max_constraint_violation")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    SOLVER_FIELD_NUMBER: _ClassVar[int]
    SOLVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    SOLVE_DURATION_FIELD_NUMBER: _ClassVar[int]
    DUAL_RESIDUAL_FIELD_NUMBER: _ClassVar[int]
    DUALITY_GAP_FIELD_NUMBER: _ClassVar[int]
    MAX_CONSTRAINT_VIOLATION_FIELD_NUMBER: _ClassVar[int]
    engine: Engine
    solver: str
    solver_version: str
    iterations: int
    solve_duration: _duration_pb2.Duration
    dual_residual: float
    duality_gap: float
    max_constraint_violation: float
    def __init__(self, engine: _Optional[_Union[Engine, str]] = ..., solver: _Optional[str] = ..., solver_version: _Optional[str] = ..., iterations: _Optional[int] = ..., solve_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., dual_residual: _Optional[float] = ..., duality_gap: _Optional[float] = ..., max_constraint_violation: _Optional[float] = ...) -> None: ...

class BindingConstraint(_message.Message):
    __slots__ = ("label", "symbol", "side", "shadow_price")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    SHADOW_PRICE_FIELD_NUMBER: _ClassVar[int]
    label: str
    symbol: str
    side: BoundSide
    shadow_price: float
    def __init__(self, label: _Optional[str] = ..., symbol: _Optional[str] = ..., side: _Optional[_Union[BoundSide, str]] = ..., shadow_price: _Optional[float] = ...) -> None: ...

class RiskContribution(_message.Message):
    __slots__ = ("symbol", "weight", "marginal", "contribution", "fraction")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    MARGINAL_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    weight: float
    marginal: float
    contribution: float
    fraction: float
    def __init__(self, symbol: _Optional[str] = ..., weight: _Optional[float] = ..., marginal: _Optional[float] = ..., contribution: _Optional[float] = ..., fraction: _Optional[float] = ...) -> None: ...

class CovarianceRepair(_message.Message):
    __slots__ = ("smallest_eigenvalue", "largest_change")
    SMALLEST_EIGENVALUE_FIELD_NUMBER: _ClassVar[int]
    LARGEST_CHANGE_FIELD_NUMBER: _ClassVar[int]
    smallest_eigenvalue: float
    largest_change: float
    def __init__(self, smallest_eigenvalue: _Optional[float] = ..., largest_change: _Optional[float] = ...) -> None: ...

class EstimationDiagnostics(_message.Message):
    __slots__ = ("observations", "effective_observations", "condition_number", "shrinkage_intensity")
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    CONDITION_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SHRINKAGE_INTENSITY_FIELD_NUMBER: _ClassVar[int]
    observations: int
    effective_observations: float
    condition_number: float
    shrinkage_intensity: float
    def __init__(self, observations: _Optional[int] = ..., effective_observations: _Optional[float] = ..., condition_number: _Optional[float] = ..., shrinkage_intensity: _Optional[float] = ...) -> None: ...

class Optimization(_message.Message):
    __slots__ = ("name", "weights", "expected_return_annual", "volatility_annual", "risk", "ratio", "diversification", "effective_number_of_assets", "risk_contributions", "turnover_one_way", "cost", "binding", "certificate", "input_fingerprint", "periods_per_year", "covariance_repair", "create_time", "estimation_diagnostics", "request_id", "warnings", "label", "stale_since")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_RETURN_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    RISK_FIELD_NUMBER: _ClassVar[int]
    RATIO_FIELD_NUMBER: _ClassVar[int]
    DIVERSIFICATION_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_NUMBER_OF_ASSETS_FIELD_NUMBER: _ClassVar[int]
    RISK_CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    TURNOVER_ONE_WAY_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    BINDING_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    INPUT_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    PERIODS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
    COVARIANCE_REPAIR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ESTIMATION_DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    STALE_SINCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    weights: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    expected_return_annual: float
    volatility_annual: float
    risk: float
    ratio: float
    diversification: float
    effective_number_of_assets: float
    risk_contributions: _containers.RepeatedCompositeFieldContainer[RiskContribution]
    turnover_one_way: float
    cost: float
    binding: _containers.RepeatedCompositeFieldContainer[BindingConstraint]
    certificate: Certificate
    input_fingerprint: str
    periods_per_year: float
    covariance_repair: CovarianceRepair
    create_time: _timestamp_pb2.Timestamp
    estimation_diagnostics: EstimationDiagnostics
    request_id: str
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    label: str
    stale_since: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., weights: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., expected_return_annual: _Optional[float] = ..., volatility_annual: _Optional[float] = ..., risk: _Optional[float] = ..., ratio: _Optional[float] = ..., diversification: _Optional[float] = ..., effective_number_of_assets: _Optional[float] = ..., risk_contributions: _Optional[_Iterable[_Union[RiskContribution, _Mapping]]] = ..., turnover_one_way: _Optional[float] = ..., cost: _Optional[float] = ..., binding: _Optional[_Iterable[_Union[BindingConstraint, _Mapping]]] = ..., certificate: _Optional[_Union[Certificate, _Mapping]] = ..., input_fingerprint: _Optional[str] = ..., periods_per_year: _Optional[float] = ..., covariance_repair: _Optional[_Union[CovarianceRepair, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., estimation_diagnostics: _Optional[_Union[EstimationDiagnostics, _Mapping]] = ..., request_id: _Optional[str] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ..., label: _Optional[str] = ..., stale_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class InfeasibilityReport(_message.Message):
    __slots__ = ("conflicts",)
    class Conflict(_message.Message):
        __slots__ = ("label", "smallest_relaxation", "joint_relaxation")
        LABEL_FIELD_NUMBER: _ClassVar[int]
        SMALLEST_RELAXATION_FIELD_NUMBER: _ClassVar[int]
        JOINT_RELAXATION_FIELD_NUMBER: _ClassVar[int]
        label: str
        smallest_relaxation: float
        joint_relaxation: float
        def __init__(self, label: _Optional[str] = ..., smallest_relaxation: _Optional[float] = ..., joint_relaxation: _Optional[float] = ...) -> None: ...
    CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    conflicts: _containers.RepeatedCompositeFieldContainer[InfeasibilityReport.Conflict]
    def __init__(self, conflicts: _Optional[_Iterable[_Union[InfeasibilityReport.Conflict, _Mapping]]] = ...) -> None: ...
