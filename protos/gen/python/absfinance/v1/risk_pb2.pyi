from absfinance.v1 import objective_pb2 as _objective_pb2
from absfinance.v1 import optimization_pb2 as _optimization_pb2
from absfinance.v1 import panel_pb2 as _panel_pb2
from absfinance.v1 import risk_measure_pb2 as _risk_measure_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RollingFigure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLLING_FIGURE_UNSPECIFIED: _ClassVar[RollingFigure]
    ROLLING_FIGURE_MEAN_ANNUAL: _ClassVar[RollingFigure]
    ROLLING_FIGURE_VOLATILITY_ANNUAL: _ClassVar[RollingFigure]
    ROLLING_FIGURE_SHARPE: _ClassVar[RollingFigure]
    ROLLING_FIGURE_SORTINO: _ClassVar[RollingFigure]
    ROLLING_FIGURE_SKEWNESS: _ClassVar[RollingFigure]
    ROLLING_FIGURE_VALUE_AT_RISK: _ClassVar[RollingFigure]
    ROLLING_FIGURE_CONDITIONAL_VALUE_AT_RISK: _ClassVar[RollingFigure]
    ROLLING_FIGURE_MAX_DRAWDOWN: _ClassVar[RollingFigure]
    ROLLING_FIGURE_BETA: _ClassVar[RollingFigure]
    ROLLING_FIGURE_CORRELATION: _ClassVar[RollingFigure]
    ROLLING_FIGURE_TRACKING_ERROR_ANNUAL: _ClassVar[RollingFigure]
    ROLLING_FIGURE_INFORMATION_RATIO: _ClassVar[RollingFigure]
    ROLLING_FIGURE_SEMI_DEVIATION: _ClassVar[RollingFigure]
    ROLLING_FIGURE_EXCESS_KURTOSIS: _ClassVar[RollingFigure]
    ROLLING_FIGURE_OMEGA: _ClassVar[RollingFigure]
    ROLLING_FIGURE_ULCER_INDEX: _ClassVar[RollingFigure]
    ROLLING_FIGURE_ALPHA_ANNUAL: _ClassVar[RollingFigure]

class TrafficLight(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRAFFIC_LIGHT_UNSPECIFIED: _ClassVar[TrafficLight]
    TRAFFIC_LIGHT_GREEN: _ClassVar[TrafficLight]
    TRAFFIC_LIGHT_YELLOW: _ClassVar[TrafficLight]
    TRAFFIC_LIGHT_RED: _ClassVar[TrafficLight]
ROLLING_FIGURE_UNSPECIFIED: RollingFigure
ROLLING_FIGURE_MEAN_ANNUAL: RollingFigure
ROLLING_FIGURE_VOLATILITY_ANNUAL: RollingFigure
ROLLING_FIGURE_SHARPE: RollingFigure
ROLLING_FIGURE_SORTINO: RollingFigure
ROLLING_FIGURE_SKEWNESS: RollingFigure
ROLLING_FIGURE_VALUE_AT_RISK: RollingFigure
ROLLING_FIGURE_CONDITIONAL_VALUE_AT_RISK: RollingFigure
ROLLING_FIGURE_MAX_DRAWDOWN: RollingFigure
ROLLING_FIGURE_BETA: RollingFigure
ROLLING_FIGURE_CORRELATION: RollingFigure
ROLLING_FIGURE_TRACKING_ERROR_ANNUAL: RollingFigure
ROLLING_FIGURE_INFORMATION_RATIO: RollingFigure
ROLLING_FIGURE_SEMI_DEVIATION: RollingFigure
ROLLING_FIGURE_EXCESS_KURTOSIS: RollingFigure
ROLLING_FIGURE_OMEGA: RollingFigure
ROLLING_FIGURE_ULCER_INDEX: RollingFigure
ROLLING_FIGURE_ALPHA_ANNUAL: RollingFigure
TRAFFIC_LIGHT_UNSPECIFIED: TrafficLight
TRAFFIC_LIGHT_GREEN: TrafficLight
TRAFFIC_LIGHT_YELLOW: TrafficLight
TRAFFIC_LIGHT_RED: TrafficLight

class ValueAtRisk(_message.Message):
    __slots__ = ("historical", "gaussian", "cornish_fisher", "student_t", "filtered_historical")
    HISTORICAL_FIELD_NUMBER: _ClassVar[int]
    GAUSSIAN_FIELD_NUMBER: _ClassVar[int]
    CORNISH_FISHER_FIELD_NUMBER: _ClassVar[int]
    STUDENT_T_FIELD_NUMBER: _ClassVar[int]
    FILTERED_HISTORICAL_FIELD_NUMBER: _ClassVar[int]
    historical: float
    gaussian: float
    cornish_fisher: float
    student_t: float
    filtered_historical: float
    def __init__(self, historical: _Optional[float] = ..., gaussian: _Optional[float] = ..., cornish_fisher: _Optional[float] = ..., student_t: _Optional[float] = ..., filtered_historical: _Optional[float] = ...) -> None: ...

class ConditionalValueAtRisk(_message.Message):
    __slots__ = ("historical", "gaussian", "cornish_fisher", "student_t", "filtered_historical")
    HISTORICAL_FIELD_NUMBER: _ClassVar[int]
    GAUSSIAN_FIELD_NUMBER: _ClassVar[int]
    CORNISH_FISHER_FIELD_NUMBER: _ClassVar[int]
    STUDENT_T_FIELD_NUMBER: _ClassVar[int]
    FILTERED_HISTORICAL_FIELD_NUMBER: _ClassVar[int]
    historical: float
    gaussian: float
    cornish_fisher: float
    student_t: float
    filtered_historical: float
    def __init__(self, historical: _Optional[float] = ..., gaussian: _Optional[float] = ..., cornish_fisher: _Optional[float] = ..., student_t: _Optional[float] = ..., filtered_historical: _Optional[float] = ...) -> None: ...

class DrawdownPeriod(_message.Message):
    __slots__ = ("peak_date", "trough_date", "recovery_date", "depth", "periods", "periods_to_trough", "periods_to_recovery", "open")
    PEAK_DATE_FIELD_NUMBER: _ClassVar[int]
    TROUGH_DATE_FIELD_NUMBER: _ClassVar[int]
    RECOVERY_DATE_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    PERIODS_TO_TROUGH_FIELD_NUMBER: _ClassVar[int]
    PERIODS_TO_RECOVERY_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    peak_date: _date_pb2.Date
    trough_date: _date_pb2.Date
    recovery_date: _date_pb2.Date
    depth: float
    periods: int
    periods_to_trough: int
    periods_to_recovery: int
    open: bool
    def __init__(self, peak_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., trough_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., recovery_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., depth: _Optional[float] = ..., periods: _Optional[int] = ..., periods_to_trough: _Optional[int] = ..., periods_to_recovery: _Optional[int] = ..., open: _Optional[bool] = ...) -> None: ...

class DrawdownSeries(_message.Message):
    __slots__ = ("dates", "depths")
    DATES_FIELD_NUMBER: _ClassVar[int]
    DEPTHS_FIELD_NUMBER: _ClassVar[int]
    dates: _containers.RepeatedScalarFieldContainer[int]
    depths: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, dates: _Optional[_Iterable[int]] = ..., depths: _Optional[_Iterable[float]] = ...) -> None: ...

class CorrelationMatrix(_message.Message):
    __slots__ = ("symbols", "values", "clusters")
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    CLUSTERS_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    values: _containers.RepeatedScalarFieldContainer[float]
    clusters: CorrelationClusters
    def __init__(self, symbols: _Optional[_Iterable[str]] = ..., values: _Optional[_Iterable[float]] = ..., clusters: _Optional[_Union[CorrelationClusters, _Mapping]] = ...) -> None: ...

class CorrelationClusters(_message.Message):
    __slots__ = ("order", "cluster_by_symbol", "merges")
    class Merge(_message.Message):
        __slots__ = ("left", "right", "distance", "size")
        LEFT_FIELD_NUMBER: _ClassVar[int]
        RIGHT_FIELD_NUMBER: _ClassVar[int]
        DISTANCE_FIELD_NUMBER: _ClassVar[int]
        SIZE_FIELD_NUMBER: _ClassVar[int]
        left: int
        right: int
        distance: float
        size: int
        def __init__(self, left: _Optional[int] = ..., right: _Optional[int] = ..., distance: _Optional[float] = ..., size: _Optional[int] = ...) -> None: ...
    ORDER_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_BY_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    MERGES_FIELD_NUMBER: _ClassVar[int]
    order: _containers.RepeatedScalarFieldContainer[int]
    cluster_by_symbol: _containers.RepeatedScalarFieldContainer[int]
    merges: _containers.RepeatedCompositeFieldContainer[CorrelationClusters.Merge]
    def __init__(self, order: _Optional[_Iterable[int]] = ..., cluster_by_symbol: _Optional[_Iterable[int]] = ..., merges: _Optional[_Iterable[_Union[CorrelationClusters.Merge, _Mapping]]] = ...) -> None: ...

class ClusterOptions(_message.Message):
    __slots__ = ("linkage", "clusters")
    LINKAGE_FIELD_NUMBER: _ClassVar[int]
    CLUSTERS_FIELD_NUMBER: _ClassVar[int]
    linkage: _objective_pb2.Hierarchical.Linkage
    clusters: int
    def __init__(self, linkage: _Optional[_Union[_objective_pb2.Hierarchical.Linkage, str]] = ..., clusters: _Optional[int] = ...) -> None: ...

class GroupContribution(_message.Message):
    __slots__ = ("name", "weight", "contribution", "fraction")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    weight: float
    contribution: float
    fraction: float
    def __init__(self, name: _Optional[str] = ..., weight: _Optional[float] = ..., contribution: _Optional[float] = ..., fraction: _Optional[float] = ...) -> None: ...

class MeasureReport(_message.Message):
    __slots__ = ("risk_measure", "value", "contributions", "groups", "factors")
    RISK_MEASURE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    risk_measure: _risk_measure_pb2.RiskMeasure
    value: float
    contributions: _containers.RepeatedCompositeFieldContainer[_optimization_pb2.RiskContribution]
    groups: _containers.RepeatedCompositeFieldContainer[GroupContribution]
    factors: _containers.RepeatedCompositeFieldContainer[GroupContribution]
    def __init__(self, risk_measure: _Optional[_Union[_risk_measure_pb2.RiskMeasure, str]] = ..., value: _Optional[float] = ..., contributions: _Optional[_Iterable[_Union[_optimization_pb2.RiskContribution, _Mapping]]] = ..., groups: _Optional[_Iterable[_Union[GroupContribution, _Mapping]]] = ..., factors: _Optional[_Iterable[_Union[GroupContribution, _Mapping]]] = ...) -> None: ...

class AssetFactors(_message.Message):
    __slots__ = ("symbol", "exposures", "alpha", "r_squared", "specific_variance")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    EXPOSURES_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    R_SQUARED_FIELD_NUMBER: _ClassVar[int]
    SPECIFIC_VARIANCE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    exposures: _containers.RepeatedScalarFieldContainer[float]
    alpha: float
    r_squared: float
    specific_variance: float
    def __init__(self, symbol: _Optional[str] = ..., exposures: _Optional[_Iterable[float]] = ..., alpha: _Optional[float] = ..., r_squared: _Optional[float] = ..., specific_variance: _Optional[float] = ...) -> None: ...

class FactorOptions(_message.Message):
    __slots__ = ("series", "principal_components")
    SERIES_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    series: _panel_pb2.Panel
    principal_components: int
    def __init__(self, series: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., principal_components: _Optional[int] = ...) -> None: ...

class RollingOptions(_message.Message):
    __slots__ = ("window", "figures")
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    window: int
    figures: _containers.RepeatedScalarFieldContainer[RollingFigure]
    def __init__(self, window: _Optional[int] = ..., figures: _Optional[_Iterable[_Union[RollingFigure, str]]] = ...) -> None: ...

class RollingSeries(_message.Message):
    __slots__ = ("figure", "dates", "values")
    FIGURE_FIELD_NUMBER: _ClassVar[int]
    DATES_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    figure: RollingFigure
    dates: _containers.RepeatedScalarFieldContainer[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, figure: _Optional[_Union[RollingFigure, str]] = ..., dates: _Optional[_Iterable[int]] = ..., values: _Optional[_Iterable[float]] = ...) -> None: ...

class StressScenario(_message.Message):
    __slots__ = ("label", "historical", "assets", "factors", "correlation", "worst_windows")
    class Historical(_message.Message):
        __slots__ = ("name", "start_date", "end_date")
        NAME_FIELD_NUMBER: _ClassVar[int]
        START_DATE_FIELD_NUMBER: _ClassVar[int]
        END_DATE_FIELD_NUMBER: _ClassVar[int]
        name: str
        start_date: _date_pb2.Date
        end_date: _date_pb2.Date
        def __init__(self, name: _Optional[str] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...
    class Shock(_message.Message):
        __slots__ = ("name", "shock")
        NAME_FIELD_NUMBER: _ClassVar[int]
        SHOCK_FIELD_NUMBER: _ClassVar[int]
        name: str
        shock: float
        def __init__(self, name: _Optional[str] = ..., shock: _Optional[float] = ...) -> None: ...
    class AssetShocks(_message.Message):
        __slots__ = ("shocks", "propagate")
        SHOCKS_FIELD_NUMBER: _ClassVar[int]
        PROPAGATE_FIELD_NUMBER: _ClassVar[int]
        shocks: _containers.RepeatedCompositeFieldContainer[StressScenario.Shock]
        propagate: bool
        def __init__(self, shocks: _Optional[_Iterable[_Union[StressScenario.Shock, _Mapping]]] = ..., propagate: _Optional[bool] = ...) -> None: ...
    class FactorShocks(_message.Message):
        __slots__ = ("shocks",)
        SHOCKS_FIELD_NUMBER: _ClassVar[int]
        shocks: _containers.RepeatedCompositeFieldContainer[StressScenario.Shock]
        def __init__(self, shocks: _Optional[_Iterable[_Union[StressScenario.Shock, _Mapping]]] = ...) -> None: ...
    class CorrelationStress(_message.Message):
        __slots__ = ("correlation", "fraction", "volatility_factor")
        CORRELATION_FIELD_NUMBER: _ClassVar[int]
        FRACTION_FIELD_NUMBER: _ClassVar[int]
        VOLATILITY_FACTOR_FIELD_NUMBER: _ClassVar[int]
        correlation: float
        fraction: float
        volatility_factor: float
        def __init__(self, correlation: _Optional[float] = ..., fraction: _Optional[float] = ..., volatility_factor: _Optional[float] = ...) -> None: ...
    class WorstWindows(_message.Message):
        __slots__ = ("periods", "count")
        PERIODS_FIELD_NUMBER: _ClassVar[int]
        COUNT_FIELD_NUMBER: _ClassVar[int]
        periods: int
        count: int
        def __init__(self, periods: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...
    LABEL_FIELD_NUMBER: _ClassVar[int]
    HISTORICAL_FIELD_NUMBER: _ClassVar[int]
    ASSETS_FIELD_NUMBER: _ClassVar[int]
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    WORST_WINDOWS_FIELD_NUMBER: _ClassVar[int]
    label: str
    historical: StressScenario.Historical
    assets: StressScenario.AssetShocks
    factors: StressScenario.FactorShocks
    correlation: StressScenario.CorrelationStress
    worst_windows: StressScenario.WorstWindows
    def __init__(self, label: _Optional[str] = ..., historical: _Optional[_Union[StressScenario.Historical, _Mapping]] = ..., assets: _Optional[_Union[StressScenario.AssetShocks, _Mapping]] = ..., factors: _Optional[_Union[StressScenario.FactorShocks, _Mapping]] = ..., correlation: _Optional[_Union[StressScenario.CorrelationStress, _Mapping]] = ..., worst_windows: _Optional[_Union[StressScenario.WorstWindows, _Mapping]] = ...) -> None: ...

class StressResult(_message.Message):
    __slots__ = ("label", "portfolio_return", "proposed_return", "volatility_annual", "proposed_volatility_annual", "start_date", "end_date", "assets", "undefined")
    class AssetResult(_message.Message):
        __slots__ = ("symbol", "asset_return", "contribution")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        ASSET_RETURN_FIELD_NUMBER: _ClassVar[int]
        CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        asset_return: float
        contribution: float
        def __init__(self, symbol: _Optional[str] = ..., asset_return: _Optional[float] = ..., contribution: _Optional[float] = ...) -> None: ...
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_RETURN_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_RETURN_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_VOLATILITY_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    ASSETS_FIELD_NUMBER: _ClassVar[int]
    UNDEFINED_FIELD_NUMBER: _ClassVar[int]
    label: str
    portfolio_return: float
    proposed_return: float
    volatility_annual: float
    proposed_volatility_annual: float
    start_date: _date_pb2.Date
    end_date: _date_pb2.Date
    assets: _containers.RepeatedCompositeFieldContainer[StressResult.AssetResult]
    undefined: str
    def __init__(self, label: _Optional[str] = ..., portfolio_return: _Optional[float] = ..., proposed_return: _Optional[float] = ..., volatility_annual: _Optional[float] = ..., proposed_volatility_annual: _Optional[float] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., assets: _Optional[_Iterable[_Union[StressResult.AssetResult, _Mapping]]] = ..., undefined: _Optional[str] = ...) -> None: ...

class ValidationOptions(_message.Message):
    __slots__ = ("method", "window", "forecasts", "seed", "simulations")
    class Method(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        METHOD_UNSPECIFIED: _ClassVar[ValidationOptions.Method]
        METHOD_HISTORICAL: _ClassVar[ValidationOptions.Method]
        METHOD_GAUSSIAN: _ClassVar[ValidationOptions.Method]
        METHOD_CORNISH_FISHER: _ClassVar[ValidationOptions.Method]
        METHOD_EWMA: _ClassVar[ValidationOptions.Method]
    METHOD_UNSPECIFIED: ValidationOptions.Method
    METHOD_HISTORICAL: ValidationOptions.Method
    METHOD_GAUSSIAN: ValidationOptions.Method
    METHOD_CORNISH_FISHER: ValidationOptions.Method
    METHOD_EWMA: ValidationOptions.Method
    class Forecasts(_message.Message):
        __slots__ = ("value_at_risk", "expected_shortfall")
        VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
        EXPECTED_SHORTFALL_FIELD_NUMBER: _ClassVar[int]
        value_at_risk: _containers.RepeatedScalarFieldContainer[float]
        expected_shortfall: _containers.RepeatedScalarFieldContainer[float]
        def __init__(self, value_at_risk: _Optional[_Iterable[float]] = ..., expected_shortfall: _Optional[_Iterable[float]] = ...) -> None: ...
    METHOD_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    FORECASTS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    SIMULATIONS_FIELD_NUMBER: _ClassVar[int]
    method: ValidationOptions.Method
    window: int
    forecasts: ValidationOptions.Forecasts
    seed: int
    simulations: int
    def __init__(self, method: _Optional[_Union[ValidationOptions.Method, str]] = ..., window: _Optional[int] = ..., forecasts: _Optional[_Union[ValidationOptions.Forecasts, _Mapping]] = ..., seed: _Optional[int] = ..., simulations: _Optional[int] = ...) -> None: ...

class ForecastTest(_message.Message):
    __slots__ = ("statistic", "p_value", "p_value_asymptotic", "method", "undefined", "degrees_of_freedom", "note")
    class Method(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        METHOD_UNSPECIFIED: _ClassVar[ForecastTest.Method]
        METHOD_EXACT: _ClassVar[ForecastTest.Method]
        METHOD_ASYMPTOTIC: _ClassVar[ForecastTest.Method]
        METHOD_SIMULATED: _ClassVar[ForecastTest.Method]
    METHOD_UNSPECIFIED: ForecastTest.Method
    METHOD_EXACT: ForecastTest.Method
    METHOD_ASYMPTOTIC: ForecastTest.Method
    METHOD_SIMULATED: ForecastTest.Method
    STATISTIC_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_ASYMPTOTIC_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    UNDEFINED_FIELD_NUMBER: _ClassVar[int]
    DEGREES_OF_FREEDOM_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    statistic: float
    p_value: float
    p_value_asymptotic: float
    method: ForecastTest.Method
    undefined: str
    degrees_of_freedom: int
    note: str
    def __init__(self, statistic: _Optional[float] = ..., p_value: _Optional[float] = ..., p_value_asymptotic: _Optional[float] = ..., method: _Optional[_Union[ForecastTest.Method, str]] = ..., undefined: _Optional[str] = ..., degrees_of_freedom: _Optional[int] = ..., note: _Optional[str] = ...) -> None: ...

class ValueAtRiskValidation(_message.Message):
    __slots__ = ("observations", "exceptions", "expected_exceptions", "kupiec", "independence", "conditional_coverage", "dynamic_quantile", "expected_shortfall_z1", "expected_shortfall_z2", "traffic_light", "cumulative_probability", "plus_factor", "exception_dates", "time_until_first_failure")
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    EXCEPTIONS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_EXCEPTIONS_FIELD_NUMBER: _ClassVar[int]
    KUPIEC_FIELD_NUMBER: _ClassVar[int]
    INDEPENDENCE_FIELD_NUMBER: _ClassVar[int]
    CONDITIONAL_COVERAGE_FIELD_NUMBER: _ClassVar[int]
    DYNAMIC_QUANTILE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_SHORTFALL_Z1_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_SHORTFALL_Z2_FIELD_NUMBER: _ClassVar[int]
    TRAFFIC_LIGHT_FIELD_NUMBER: _ClassVar[int]
    CUMULATIVE_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    PLUS_FACTOR_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_DATES_FIELD_NUMBER: _ClassVar[int]
    TIME_UNTIL_FIRST_FAILURE_FIELD_NUMBER: _ClassVar[int]
    observations: int
    exceptions: int
    expected_exceptions: float
    kupiec: ForecastTest
    independence: ForecastTest
    conditional_coverage: ForecastTest
    dynamic_quantile: ForecastTest
    expected_shortfall_z1: ForecastTest
    expected_shortfall_z2: ForecastTest
    traffic_light: TrafficLight
    cumulative_probability: float
    plus_factor: float
    exception_dates: _containers.RepeatedScalarFieldContainer[int]
    time_until_first_failure: ForecastTest
    def __init__(self, observations: _Optional[int] = ..., exceptions: _Optional[int] = ..., expected_exceptions: _Optional[float] = ..., kupiec: _Optional[_Union[ForecastTest, _Mapping]] = ..., independence: _Optional[_Union[ForecastTest, _Mapping]] = ..., conditional_coverage: _Optional[_Union[ForecastTest, _Mapping]] = ..., dynamic_quantile: _Optional[_Union[ForecastTest, _Mapping]] = ..., expected_shortfall_z1: _Optional[_Union[ForecastTest, _Mapping]] = ..., expected_shortfall_z2: _Optional[_Union[ForecastTest, _Mapping]] = ..., traffic_light: _Optional[_Union[TrafficLight, str]] = ..., cumulative_probability: _Optional[float] = ..., plus_factor: _Optional[float] = ..., exception_dates: _Optional[_Iterable[int]] = ..., time_until_first_failure: _Optional[_Union[ForecastTest, _Mapping]] = ...) -> None: ...

class MissingDataReport(_message.Message):
    __slots__ = ("policy", "missing_values", "dropped_dates", "not_listed", "halted", "delisted", "rounds")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    MISSING_VALUES_FIELD_NUMBER: _ClassVar[int]
    DROPPED_DATES_FIELD_NUMBER: _ClassVar[int]
    NOT_LISTED_FIELD_NUMBER: _ClassVar[int]
    HALTED_FIELD_NUMBER: _ClassVar[int]
    DELISTED_FIELD_NUMBER: _ClassVar[int]
    ROUNDS_FIELD_NUMBER: _ClassVar[int]
    policy: _panel_pb2.MissingDataPolicy
    missing_values: int
    dropped_dates: int
    not_listed: int
    halted: int
    delisted: int
    rounds: int
    def __init__(self, policy: _Optional[_Union[_panel_pb2.MissingDataPolicy, str]] = ..., missing_values: _Optional[int] = ..., dropped_dates: _Optional[int] = ..., not_listed: _Optional[int] = ..., halted: _Optional[int] = ..., delisted: _Optional[int] = ..., rounds: _Optional[int] = ...) -> None: ...

class PortfolioFigures(_message.Message):
    __slots__ = ("expected_return_annual", "volatility_annual", "sharpe", "value_at_risk", "conditional_value_at_risk", "max_drawdown", "turnover_one_way")
    EXPECTED_RETURN_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    SHARPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    CONDITIONAL_VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    MAX_DRAWDOWN_FIELD_NUMBER: _ClassVar[int]
    TURNOVER_ONE_WAY_FIELD_NUMBER: _ClassVar[int]
    expected_return_annual: float
    volatility_annual: float
    sharpe: float
    value_at_risk: float
    conditional_value_at_risk: float
    max_drawdown: float
    turnover_one_way: float
    def __init__(self, expected_return_annual: _Optional[float] = ..., volatility_annual: _Optional[float] = ..., sharpe: _Optional[float] = ..., value_at_risk: _Optional[float] = ..., conditional_value_at_risk: _Optional[float] = ..., max_drawdown: _Optional[float] = ..., turnover_one_way: _Optional[float] = ...) -> None: ...

class ReportConventions(_message.Message):
    __slots__ = ("population_deviation", "mean_beyond_quantile", "geometric_annual_return")
    POPULATION_DEVIATION_FIELD_NUMBER: _ClassVar[int]
    MEAN_BEYOND_QUANTILE_FIELD_NUMBER: _ClassVar[int]
    GEOMETRIC_ANNUAL_RETURN_FIELD_NUMBER: _ClassVar[int]
    population_deviation: bool
    mean_beyond_quantile: bool
    geometric_annual_return: bool
    def __init__(self, population_deviation: _Optional[bool] = ..., mean_beyond_quantile: _Optional[bool] = ..., geometric_annual_return: _Optional[bool] = ...) -> None: ...
