from absfinance.v1 import objective_pb2 as _objective_pb2
from absfinance.v1 import risk_measure_pb2 as _risk_measure_pb2
from absfinance.v1 import weight_pb2 as _weight_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TurnoverKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TURNOVER_KIND_UNSPECIFIED: _ClassVar[TurnoverKind]
    TURNOVER_KIND_ONE_WAY: _ClassVar[TurnoverKind]
    TURNOVER_KIND_TWO_WAY: _ClassVar[TurnoverKind]
TURNOVER_KIND_UNSPECIFIED: TurnoverKind
TURNOVER_KIND_ONE_WAY: TurnoverKind
TURNOVER_KIND_TWO_WAY: TurnoverKind

class Constraint(_message.Message):
    __slots__ = ("label", "weight_bounds", "group_bounds", "linear", "leverage", "turnover", "tracking_error", "cardinality", "minimum_position", "return_floor", "risk_limit", "risk_contribution_bounds", "factor_exposure", "network", "clusters", "centrality")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_BOUNDS_FIELD_NUMBER: _ClassVar[int]
    GROUP_BOUNDS_FIELD_NUMBER: _ClassVar[int]
    LINEAR_FIELD_NUMBER: _ClassVar[int]
    LEVERAGE_FIELD_NUMBER: _ClassVar[int]
    TURNOVER_FIELD_NUMBER: _ClassVar[int]
    TRACKING_ERROR_FIELD_NUMBER: _ClassVar[int]
    CARDINALITY_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_POSITION_FIELD_NUMBER: _ClassVar[int]
    RETURN_FLOOR_FIELD_NUMBER: _ClassVar[int]
    RISK_LIMIT_FIELD_NUMBER: _ClassVar[int]
    RISK_CONTRIBUTION_BOUNDS_FIELD_NUMBER: _ClassVar[int]
    FACTOR_EXPOSURE_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    CLUSTERS_FIELD_NUMBER: _ClassVar[int]
    CENTRALITY_FIELD_NUMBER: _ClassVar[int]
    label: str
    weight_bounds: WeightBounds
    group_bounds: GroupBounds
    linear: LinearConstraint
    leverage: Leverage
    turnover: TurnoverLimit
    tracking_error: TrackingErrorLimit
    cardinality: Cardinality
    minimum_position: MinimumPosition
    return_floor: ReturnFloor
    risk_limit: RiskLimit
    risk_contribution_bounds: RiskContributionBounds
    factor_exposure: FactorExposure
    network: NetworkLimit
    clusters: ClusterLimit
    centrality: CentralityBounds
    def __init__(self, label: _Optional[str] = ..., weight_bounds: _Optional[_Union[WeightBounds, _Mapping]] = ..., group_bounds: _Optional[_Union[GroupBounds, _Mapping]] = ..., linear: _Optional[_Union[LinearConstraint, _Mapping]] = ..., leverage: _Optional[_Union[Leverage, _Mapping]] = ..., turnover: _Optional[_Union[TurnoverLimit, _Mapping]] = ..., tracking_error: _Optional[_Union[TrackingErrorLimit, _Mapping]] = ..., cardinality: _Optional[_Union[Cardinality, _Mapping]] = ..., minimum_position: _Optional[_Union[MinimumPosition, _Mapping]] = ..., return_floor: _Optional[_Union[ReturnFloor, _Mapping]] = ..., risk_limit: _Optional[_Union[RiskLimit, _Mapping]] = ..., risk_contribution_bounds: _Optional[_Union[RiskContributionBounds, _Mapping]] = ..., factor_exposure: _Optional[_Union[FactorExposure, _Mapping]] = ..., network: _Optional[_Union[NetworkLimit, _Mapping]] = ..., clusters: _Optional[_Union[ClusterLimit, _Mapping]] = ..., centrality: _Optional[_Union[CentralityBounds, _Mapping]] = ...) -> None: ...

class WeightBounds(_message.Message):
    __slots__ = ("lower", "upper", "symbols")
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    lower: float
    upper: float
    symbols: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, lower: _Optional[float] = ..., upper: _Optional[float] = ..., symbols: _Optional[_Iterable[str]] = ...) -> None: ...

class GroupBounds(_message.Message):
    __slots__ = ("group", "lower", "upper", "symbols")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    group: str
    lower: float
    upper: float
    symbols: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, group: _Optional[str] = ..., lower: _Optional[float] = ..., upper: _Optional[float] = ..., symbols: _Optional[_Iterable[str]] = ...) -> None: ...

class LinearConstraint(_message.Message):
    __slots__ = ("terms", "lower", "upper")
    class Term(_message.Message):
        __slots__ = ("symbol", "coefficient")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        COEFFICIENT_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        coefficient: float
        def __init__(self, symbol: _Optional[str] = ..., coefficient: _Optional[float] = ...) -> None: ...
    TERMS_FIELD_NUMBER: _ClassVar[int]
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    terms: _containers.RepeatedCompositeFieldContainer[LinearConstraint.Term]
    lower: float
    upper: float
    def __init__(self, terms: _Optional[_Iterable[_Union[LinearConstraint.Term, _Mapping]]] = ..., lower: _Optional[float] = ..., upper: _Optional[float] = ...) -> None: ...

class Leverage(_message.Message):
    __slots__ = ("max_short", "max_gross", "budget")
    MAX_SHORT_FIELD_NUMBER: _ClassVar[int]
    MAX_GROSS_FIELD_NUMBER: _ClassVar[int]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    max_short: float
    max_gross: float
    budget: float
    def __init__(self, max_short: _Optional[float] = ..., max_gross: _Optional[float] = ..., budget: _Optional[float] = ...) -> None: ...

class TurnoverLimit(_message.Message):
    __slots__ = ("max_turnover", "kind")
    MAX_TURNOVER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    max_turnover: float
    kind: TurnoverKind
    def __init__(self, max_turnover: _Optional[float] = ..., kind: _Optional[_Union[TurnoverKind, str]] = ...) -> None: ...

class TrackingErrorLimit(_message.Message):
    __slots__ = ("benchmark", "max_annual")
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    MAX_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    benchmark: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    max_annual: float
    def __init__(self, benchmark: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., max_annual: _Optional[float] = ...) -> None: ...

class Cardinality(_message.Message):
    __slots__ = ("max_assets", "symbols", "group")
    MAX_ASSETS_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    max_assets: int
    symbols: _containers.RepeatedScalarFieldContainer[str]
    group: str
    def __init__(self, max_assets: _Optional[int] = ..., symbols: _Optional[_Iterable[str]] = ..., group: _Optional[str] = ...) -> None: ...

class AssetNetwork(_message.Message):
    __slots__ = ("graph", "codependence")
    class Graph(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        GRAPH_UNSPECIFIED: _ClassVar[AssetNetwork.Graph]
        GRAPH_MINIMUM_SPANNING_TREE: _ClassVar[AssetNetwork.Graph]
        GRAPH_TRIANGULATED_MAXIMALLY_FILTERED: _ClassVar[AssetNetwork.Graph]
    GRAPH_UNSPECIFIED: AssetNetwork.Graph
    GRAPH_MINIMUM_SPANNING_TREE: AssetNetwork.Graph
    GRAPH_TRIANGULATED_MAXIMALLY_FILTERED: AssetNetwork.Graph
    GRAPH_FIELD_NUMBER: _ClassVar[int]
    CODEPENDENCE_FIELD_NUMBER: _ClassVar[int]
    graph: AssetNetwork.Graph
    codependence: _objective_pb2.Hierarchical.Codependence
    def __init__(self, graph: _Optional[_Union[AssetNetwork.Graph, str]] = ..., codependence: _Optional[_Union[_objective_pb2.Hierarchical.Codependence, str]] = ...) -> None: ...

class NetworkLimit(_message.Message):
    __slots__ = ("network", "steps")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    network: AssetNetwork
    steps: int
    def __init__(self, network: _Optional[_Union[AssetNetwork, _Mapping]] = ..., steps: _Optional[int] = ...) -> None: ...

class ClusterLimit(_message.Message):
    __slots__ = ("linkage", "codependence", "clusters", "max_clusters", "max_assets")
    LINKAGE_FIELD_NUMBER: _ClassVar[int]
    CODEPENDENCE_FIELD_NUMBER: _ClassVar[int]
    CLUSTERS_FIELD_NUMBER: _ClassVar[int]
    MAX_CLUSTERS_FIELD_NUMBER: _ClassVar[int]
    MAX_ASSETS_FIELD_NUMBER: _ClassVar[int]
    linkage: _objective_pb2.Hierarchical.Linkage
    codependence: _objective_pb2.Hierarchical.Codependence
    clusters: int
    max_clusters: int
    max_assets: int
    def __init__(self, linkage: _Optional[_Union[_objective_pb2.Hierarchical.Linkage, str]] = ..., codependence: _Optional[_Union[_objective_pb2.Hierarchical.Codependence, str]] = ..., clusters: _Optional[int] = ..., max_clusters: _Optional[int] = ..., max_assets: _Optional[int] = ...) -> None: ...

class CentralityBounds(_message.Message):
    __slots__ = ("network", "lower", "upper")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    network: AssetNetwork
    lower: float
    upper: float
    def __init__(self, network: _Optional[_Union[AssetNetwork, _Mapping]] = ..., lower: _Optional[float] = ..., upper: _Optional[float] = ...) -> None: ...

class MinimumPosition(_message.Message):
    __slots__ = ("min_weight",)
    MIN_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    min_weight: float
    def __init__(self, min_weight: _Optional[float] = ...) -> None: ...

class ReturnFloor(_message.Message):
    __slots__ = ("min_return_annual",)
    MIN_RETURN_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    min_return_annual: float
    def __init__(self, min_return_annual: _Optional[float] = ...) -> None: ...

class RiskLimit(_message.Message):
    __slots__ = ("risk_measure", "max")
    RISK_MEASURE_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    risk_measure: _risk_measure_pb2.RiskMeasure
    max: float
    def __init__(self, risk_measure: _Optional[_Union[_risk_measure_pb2.RiskMeasure, str]] = ..., max: _Optional[float] = ...) -> None: ...

class RiskContributionBounds(_message.Message):
    __slots__ = ("lower", "upper", "symbols")
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    lower: float
    upper: float
    symbols: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, lower: _Optional[float] = ..., upper: _Optional[float] = ..., symbols: _Optional[_Iterable[str]] = ...) -> None: ...

class FactorExposure(_message.Message):
    __slots__ = ("factor", "loadings", "lower", "upper")
    class Loading(_message.Message):
        __slots__ = ("symbol", "loading")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        LOADING_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        loading: float
        def __init__(self, symbol: _Optional[str] = ..., loading: _Optional[float] = ...) -> None: ...
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    LOADINGS_FIELD_NUMBER: _ClassVar[int]
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    factor: str
    loadings: _containers.RepeatedCompositeFieldContainer[FactorExposure.Loading]
    lower: float
    upper: float
    def __init__(self, factor: _Optional[str] = ..., loadings: _Optional[_Iterable[_Union[FactorExposure.Loading, _Mapping]]] = ..., lower: _Optional[float] = ..., upper: _Optional[float] = ...) -> None: ...
