from absfinance.v1 import weight_pb2 as _weight_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Objective(_message.Message):
    __slots__ = ("min_risk", "max_return", "max_utility", "max_ratio", "max_diversification", "risk_budget", "relaxed_risk_budget", "hierarchical", "worst_case", "kelly", "tracking", "equal_weight", "inverse_volatility", "owa", "higher_moments")
    MIN_RISK_FIELD_NUMBER: _ClassVar[int]
    MAX_RETURN_FIELD_NUMBER: _ClassVar[int]
    MAX_UTILITY_FIELD_NUMBER: _ClassVar[int]
    MAX_RATIO_FIELD_NUMBER: _ClassVar[int]
    MAX_DIVERSIFICATION_FIELD_NUMBER: _ClassVar[int]
    RISK_BUDGET_FIELD_NUMBER: _ClassVar[int]
    RELAXED_RISK_BUDGET_FIELD_NUMBER: _ClassVar[int]
    HIERARCHICAL_FIELD_NUMBER: _ClassVar[int]
    WORST_CASE_FIELD_NUMBER: _ClassVar[int]
    KELLY_FIELD_NUMBER: _ClassVar[int]
    TRACKING_FIELD_NUMBER: _ClassVar[int]
    EQUAL_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    INVERSE_VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    OWA_FIELD_NUMBER: _ClassVar[int]
    HIGHER_MOMENTS_FIELD_NUMBER: _ClassVar[int]
    min_risk: MinRisk
    max_return: MaxReturn
    max_utility: MaxUtility
    max_ratio: MaxRatio
    max_diversification: MaxDiversification
    risk_budget: RiskBudget
    relaxed_risk_budget: RelaxedRiskBudget
    hierarchical: Hierarchical
    worst_case: WorstCase
    kelly: Kelly
    tracking: Tracking
    equal_weight: EqualWeight
    inverse_volatility: InverseVolatility
    owa: OrderedWeightedAverage
    higher_moments: HigherMoments
    def __init__(self, min_risk: _Optional[_Union[MinRisk, _Mapping]] = ..., max_return: _Optional[_Union[MaxReturn, _Mapping]] = ..., max_utility: _Optional[_Union[MaxUtility, _Mapping]] = ..., max_ratio: _Optional[_Union[MaxRatio, _Mapping]] = ..., max_diversification: _Optional[_Union[MaxDiversification, _Mapping]] = ..., risk_budget: _Optional[_Union[RiskBudget, _Mapping]] = ..., relaxed_risk_budget: _Optional[_Union[RelaxedRiskBudget, _Mapping]] = ..., hierarchical: _Optional[_Union[Hierarchical, _Mapping]] = ..., worst_case: _Optional[_Union[WorstCase, _Mapping]] = ..., kelly: _Optional[_Union[Kelly, _Mapping]] = ..., tracking: _Optional[_Union[Tracking, _Mapping]] = ..., equal_weight: _Optional[_Union[EqualWeight, _Mapping]] = ..., inverse_volatility: _Optional[_Union[InverseVolatility, _Mapping]] = ..., owa: _Optional[_Union[OrderedWeightedAverage, _Mapping]] = ..., higher_moments: _Optional[_Union[HigherMoments, _Mapping]] = ...) -> None: ...

class MinRisk(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MaxReturn(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MaxUtility(_message.Message):
    __slots__ = ("risk_aversion",)
    RISK_AVERSION_FIELD_NUMBER: _ClassVar[int]
    risk_aversion: float
    def __init__(self, risk_aversion: _Optional[float] = ...) -> None: ...

class MaxRatio(_message.Message):
    __slots__ = ("risk_free_rate_annual",)
    RISK_FREE_RATE_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    risk_free_rate_annual: float
    def __init__(self, risk_free_rate_annual: _Optional[float] = ...) -> None: ...

class MaxDiversification(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RiskBudget(_message.Message):
    __slots__ = ("budgets", "factor_budgets")
    class Budget(_message.Message):
        __slots__ = ("symbol", "budget")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        BUDGET_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        budget: float
        def __init__(self, symbol: _Optional[str] = ..., budget: _Optional[float] = ...) -> None: ...
    class FactorBudget(_message.Message):
        __slots__ = ("factor", "budget", "loadings")
        FACTOR_FIELD_NUMBER: _ClassVar[int]
        BUDGET_FIELD_NUMBER: _ClassVar[int]
        LOADINGS_FIELD_NUMBER: _ClassVar[int]
        factor: str
        budget: float
        loadings: _containers.RepeatedCompositeFieldContainer[AssetLoading]
        def __init__(self, factor: _Optional[str] = ..., budget: _Optional[float] = ..., loadings: _Optional[_Iterable[_Union[AssetLoading, _Mapping]]] = ...) -> None: ...
    BUDGETS_FIELD_NUMBER: _ClassVar[int]
    FACTOR_BUDGETS_FIELD_NUMBER: _ClassVar[int]
    budgets: _containers.RepeatedCompositeFieldContainer[RiskBudget.Budget]
    factor_budgets: _containers.RepeatedCompositeFieldContainer[RiskBudget.FactorBudget]
    def __init__(self, budgets: _Optional[_Iterable[_Union[RiskBudget.Budget, _Mapping]]] = ..., factor_budgets: _Optional[_Iterable[_Union[RiskBudget.FactorBudget, _Mapping]]] = ...) -> None: ...

class AssetLoading(_message.Message):
    __slots__ = ("symbol", "loading")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    LOADING_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    loading: float
    def __init__(self, symbol: _Optional[str] = ..., loading: _Optional[float] = ...) -> None: ...

class RelaxedRiskBudget(_message.Message):
    __slots__ = ("budgets", "penalty")
    BUDGETS_FIELD_NUMBER: _ClassVar[int]
    PENALTY_FIELD_NUMBER: _ClassVar[int]
    budgets: _containers.RepeatedCompositeFieldContainer[RiskBudget.Budget]
    penalty: float
    def __init__(self, budgets: _Optional[_Iterable[_Union[RiskBudget.Budget, _Mapping]]] = ..., penalty: _Optional[float] = ...) -> None: ...

class Hierarchical(_message.Message):
    __slots__ = ("method", "linkage", "codependence", "max_clusters", "between_columns", "unordered_leaves")
    class Method(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        METHOD_UNSPECIFIED: _ClassVar[Hierarchical.Method]
        METHOD_HRP: _ClassVar[Hierarchical.Method]
        METHOD_HERC: _ClassVar[Hierarchical.Method]
        METHOD_HERC2: _ClassVar[Hierarchical.Method]
        METHOD_NCO: _ClassVar[Hierarchical.Method]
    METHOD_UNSPECIFIED: Hierarchical.Method
    METHOD_HRP: Hierarchical.Method
    METHOD_HERC: Hierarchical.Method
    METHOD_HERC2: Hierarchical.Method
    METHOD_NCO: Hierarchical.Method
    class Linkage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        LINKAGE_UNSPECIFIED: _ClassVar[Hierarchical.Linkage]
        LINKAGE_SINGLE: _ClassVar[Hierarchical.Linkage]
        LINKAGE_COMPLETE: _ClassVar[Hierarchical.Linkage]
        LINKAGE_AVERAGE: _ClassVar[Hierarchical.Linkage]
        LINKAGE_WEIGHTED: _ClassVar[Hierarchical.Linkage]
        LINKAGE_CENTROID: _ClassVar[Hierarchical.Linkage]
        LINKAGE_MEDIAN: _ClassVar[Hierarchical.Linkage]
        LINKAGE_WARD: _ClassVar[Hierarchical.Linkage]
        LINKAGE_DBHT: _ClassVar[Hierarchical.Linkage]
    LINKAGE_UNSPECIFIED: Hierarchical.Linkage
    LINKAGE_SINGLE: Hierarchical.Linkage
    LINKAGE_COMPLETE: Hierarchical.Linkage
    LINKAGE_AVERAGE: Hierarchical.Linkage
    LINKAGE_WEIGHTED: Hierarchical.Linkage
    LINKAGE_CENTROID: Hierarchical.Linkage
    LINKAGE_MEDIAN: Hierarchical.Linkage
    LINKAGE_WARD: Hierarchical.Linkage
    LINKAGE_DBHT: Hierarchical.Linkage
    class Codependence(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CODEPENDENCE_UNSPECIFIED: _ClassVar[Hierarchical.Codependence]
        CODEPENDENCE_PEARSON: _ClassVar[Hierarchical.Codependence]
        CODEPENDENCE_SPEARMAN: _ClassVar[Hierarchical.Codependence]
        CODEPENDENCE_KENDALL: _ClassVar[Hierarchical.Codependence]
        CODEPENDENCE_GERBER1: _ClassVar[Hierarchical.Codependence]
        CODEPENDENCE_GERBER2: _ClassVar[Hierarchical.Codependence]
        CODEPENDENCE_ABSOLUTE_PEARSON: _ClassVar[Hierarchical.Codependence]
        CODEPENDENCE_ABSOLUTE_SPEARMAN: _ClassVar[Hierarchical.Codependence]
        CODEPENDENCE_ABSOLUTE_KENDALL: _ClassVar[Hierarchical.Codependence]
        CODEPENDENCE_DISTANCE: _ClassVar[Hierarchical.Codependence]
        CODEPENDENCE_MUTUAL_INFORMATION: _ClassVar[Hierarchical.Codependence]
        CODEPENDENCE_TAIL: _ClassVar[Hierarchical.Codependence]
        CODEPENDENCE_CUSTOM_COVARIANCE: _ClassVar[Hierarchical.Codependence]
    CODEPENDENCE_UNSPECIFIED: Hierarchical.Codependence
    CODEPENDENCE_PEARSON: Hierarchical.Codependence
    CODEPENDENCE_SPEARMAN: Hierarchical.Codependence
    CODEPENDENCE_KENDALL: Hierarchical.Codependence
    CODEPENDENCE_GERBER1: Hierarchical.Codependence
    CODEPENDENCE_GERBER2: Hierarchical.Codependence
    CODEPENDENCE_ABSOLUTE_PEARSON: Hierarchical.Codependence
    CODEPENDENCE_ABSOLUTE_SPEARMAN: Hierarchical.Codependence
    CODEPENDENCE_ABSOLUTE_KENDALL: Hierarchical.Codependence
    CODEPENDENCE_DISTANCE: Hierarchical.Codependence
    CODEPENDENCE_MUTUAL_INFORMATION: Hierarchical.Codependence
    CODEPENDENCE_TAIL: Hierarchical.Codependence
    CODEPENDENCE_CUSTOM_COVARIANCE: Hierarchical.Codependence
    METHOD_FIELD_NUMBER: _ClassVar[int]
    LINKAGE_FIELD_NUMBER: _ClassVar[int]
    CODEPENDENCE_FIELD_NUMBER: _ClassVar[int]
    MAX_CLUSTERS_FIELD_NUMBER: _ClassVar[int]
    BETWEEN_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    UNORDERED_LEAVES_FIELD_NUMBER: _ClassVar[int]
    method: Hierarchical.Method
    linkage: Hierarchical.Linkage
    codependence: Hierarchical.Codependence
    max_clusters: int
    between_columns: bool
    unordered_leaves: bool
    def __init__(self, method: _Optional[_Union[Hierarchical.Method, str]] = ..., linkage: _Optional[_Union[Hierarchical.Linkage, str]] = ..., codependence: _Optional[_Union[Hierarchical.Codependence, str]] = ..., max_clusters: _Optional[int] = ..., between_columns: _Optional[bool] = ..., unordered_leaves: _Optional[bool] = ...) -> None: ...

class WorstCase(_message.Message):
    __slots__ = ("expected_returns", "covariance", "confidence_level", "min_risk", "max_return", "max_utility", "max_ratio")
    class Uncertainty(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        UNCERTAINTY_UNSPECIFIED: _ClassVar[WorstCase.Uncertainty]
        UNCERTAINTY_NONE: _ClassVar[WorstCase.Uncertainty]
        UNCERTAINTY_BOX: _ClassVar[WorstCase.Uncertainty]
        UNCERTAINTY_ELLIPSOID: _ClassVar[WorstCase.Uncertainty]
    UNCERTAINTY_UNSPECIFIED: WorstCase.Uncertainty
    UNCERTAINTY_NONE: WorstCase.Uncertainty
    UNCERTAINTY_BOX: WorstCase.Uncertainty
    UNCERTAINTY_ELLIPSOID: WorstCase.Uncertainty
    EXPECTED_RETURNS_FIELD_NUMBER: _ClassVar[int]
    COVARIANCE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    MIN_RISK_FIELD_NUMBER: _ClassVar[int]
    MAX_RETURN_FIELD_NUMBER: _ClassVar[int]
    MAX_UTILITY_FIELD_NUMBER: _ClassVar[int]
    MAX_RATIO_FIELD_NUMBER: _ClassVar[int]
    expected_returns: WorstCase.Uncertainty
    covariance: WorstCase.Uncertainty
    confidence_level: float
    min_risk: MinRisk
    max_return: MaxReturn
    max_utility: MaxUtility
    max_ratio: MaxRatio
    def __init__(self, expected_returns: _Optional[_Union[WorstCase.Uncertainty, str]] = ..., covariance: _Optional[_Union[WorstCase.Uncertainty, str]] = ..., confidence_level: _Optional[float] = ..., min_risk: _Optional[_Union[MinRisk, _Mapping]] = ..., max_return: _Optional[_Union[MaxReturn, _Mapping]] = ..., max_utility: _Optional[_Union[MaxUtility, _Mapping]] = ..., max_ratio: _Optional[_Union[MaxRatio, _Mapping]] = ...) -> None: ...

class Kelly(_message.Message):
    __slots__ = ("method",)
    class Method(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        METHOD_UNSPECIFIED: _ClassVar[Kelly.Method]
        METHOD_EXACT: _ClassVar[Kelly.Method]
        METHOD_QUADRATIC: _ClassVar[Kelly.Method]
        METHOD_SECOND_MOMENT: _ClassVar[Kelly.Method]
    METHOD_UNSPECIFIED: Kelly.Method
    METHOD_EXACT: Kelly.Method
    METHOD_QUADRATIC: Kelly.Method
    METHOD_SECOND_MOMENT: Kelly.Method
    METHOD_FIELD_NUMBER: _ClassVar[int]
    method: Kelly.Method
    def __init__(self, method: _Optional[_Union[Kelly.Method, str]] = ...) -> None: ...

class Tracking(_message.Message):
    __slots__ = ("benchmark",)
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    benchmark: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    def __init__(self, benchmark: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ...) -> None: ...

class EqualWeight(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class InverseVolatility(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class OrderedWeightedAverage(_message.Message):
    __slots__ = ("weights", "min_risk", "max_utility", "max_ratio")
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    MIN_RISK_FIELD_NUMBER: _ClassVar[int]
    MAX_UTILITY_FIELD_NUMBER: _ClassVar[int]
    MAX_RATIO_FIELD_NUMBER: _ClassVar[int]
    weights: _containers.RepeatedScalarFieldContainer[float]
    min_risk: MinRisk
    max_utility: MaxUtility
    max_ratio: MaxRatio
    def __init__(self, weights: _Optional[_Iterable[float]] = ..., min_risk: _Optional[_Union[MinRisk, _Mapping]] = ..., max_utility: _Optional[_Union[MaxUtility, _Mapping]] = ..., max_ratio: _Optional[_Union[MaxRatio, _Mapping]] = ...) -> None: ...

class HigherMoments(_message.Message):
    __slots__ = ("variance", "skewness", "kurtosis", "ignore_mean")
    VARIANCE_FIELD_NUMBER: _ClassVar[int]
    SKEWNESS_FIELD_NUMBER: _ClassVar[int]
    KURTOSIS_FIELD_NUMBER: _ClassVar[int]
    IGNORE_MEAN_FIELD_NUMBER: _ClassVar[int]
    variance: float
    skewness: float
    kurtosis: float
    ignore_mean: bool
    def __init__(self, variance: _Optional[float] = ..., skewness: _Optional[float] = ..., kurtosis: _Optional[float] = ..., ignore_mean: _Optional[bool] = ...) -> None: ...
