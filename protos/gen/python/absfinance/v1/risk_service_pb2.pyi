from absfinance.v1 import attribution_pb2 as _attribution_pb2
from absfinance.v1 import chart_pb2 as _chart_pb2
from absfinance.v1 import estimation_pb2 as _estimation_pb2
from absfinance.v1 import optimization_pb2 as _optimization_pb2
from absfinance.v1 import panel_pb2 as _panel_pb2
from absfinance.v1 import portfolio_pb2 as _portfolio_pb2
from absfinance.v1 import risk_pb2 as _risk_pb2
from absfinance.v1 import risk_measure_pb2 as _risk_measure_pb2
from absfinance.v1 import statistical_validation_pb2 as _statistical_validation_pb2
from absfinance.v1 import warning_pb2 as _warning_pb2
from absfinance.v1 import weight_pb2 as _weight_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AnalyzeRiskRequest(_message.Message):
    __slots__ = ("prices", "returns", "moments", "scenarios", "market_data", "weights", "holdings", "cash", "benchmark", "benchmark_symbol", "confidence_level", "periods_per_year", "risk_free_rate_annual", "missing_data", "allow_leverage", "minimum_acceptable_return_annual", "estimation", "measures", "groups", "factors", "benchmark_weights", "rolling", "stress", "proposed_weights", "validation", "worst_drawdowns", "drawdown_series", "volatility_filter", "clusters", "conventions", "stored_groups")
    PRICES_FIELD_NUMBER: _ClassVar[int]
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    MOMENTS_FIELD_NUMBER: _ClassVar[int]
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    MARKET_DATA_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    HOLDINGS_FIELD_NUMBER: _ClassVar[int]
    CASH_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    PERIODS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
    RISK_FREE_RATE_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    MISSING_DATA_FIELD_NUMBER: _ClassVar[int]
    ALLOW_LEVERAGE_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_ACCEPTABLE_RETURN_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    ESTIMATION_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    ROLLING_FIELD_NUMBER: _ClassVar[int]
    STRESS_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    WORST_DRAWDOWNS_FIELD_NUMBER: _ClassVar[int]
    DRAWDOWN_SERIES_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_FILTER_FIELD_NUMBER: _ClassVar[int]
    CLUSTERS_FIELD_NUMBER: _ClassVar[int]
    CONVENTIONS_FIELD_NUMBER: _ClassVar[int]
    STORED_GROUPS_FIELD_NUMBER: _ClassVar[int]
    prices: _panel_pb2.Panel
    returns: _panel_pb2.Panel
    moments: _panel_pb2.Moments
    scenarios: _panel_pb2.Scenarios
    market_data: _panel_pb2.MarketDataSelection
    weights: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    holdings: _containers.RepeatedCompositeFieldContainer[_portfolio_pb2.Holding]
    cash: float
    benchmark: _panel_pb2.Panel
    benchmark_symbol: str
    confidence_level: float
    periods_per_year: float
    risk_free_rate_annual: float
    missing_data: _panel_pb2.MissingDataPolicy
    allow_leverage: bool
    minimum_acceptable_return_annual: float
    estimation: _estimation_pb2.Estimation
    measures: _containers.RepeatedScalarFieldContainer[_risk_measure_pb2.RiskMeasure]
    groups: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetGroup]
    factors: _risk_pb2.FactorOptions
    benchmark_weights: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    rolling: _risk_pb2.RollingOptions
    stress: _containers.RepeatedCompositeFieldContainer[_risk_pb2.StressScenario]
    proposed_weights: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    validation: _risk_pb2.ValidationOptions
    worst_drawdowns: int
    drawdown_series: bool
    volatility_filter: _estimation_pb2.ExponentialWeighting
    clusters: _risk_pb2.ClusterOptions
    conventions: _risk_pb2.ReportConventions
    stored_groups: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, prices: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., returns: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., moments: _Optional[_Union[_panel_pb2.Moments, _Mapping]] = ..., scenarios: _Optional[_Union[_panel_pb2.Scenarios, _Mapping]] = ..., market_data: _Optional[_Union[_panel_pb2.MarketDataSelection, _Mapping]] = ..., weights: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., holdings: _Optional[_Iterable[_Union[_portfolio_pb2.Holding, _Mapping]]] = ..., cash: _Optional[float] = ..., benchmark: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., benchmark_symbol: _Optional[str] = ..., confidence_level: _Optional[float] = ..., periods_per_year: _Optional[float] = ..., risk_free_rate_annual: _Optional[float] = ..., missing_data: _Optional[_Union[_panel_pb2.MissingDataPolicy, str]] = ..., allow_leverage: _Optional[bool] = ..., minimum_acceptable_return_annual: _Optional[float] = ..., estimation: _Optional[_Union[_estimation_pb2.Estimation, _Mapping]] = ..., measures: _Optional[_Iterable[_Union[_risk_measure_pb2.RiskMeasure, str]]] = ..., groups: _Optional[_Iterable[_Union[_weight_pb2.AssetGroup, _Mapping]]] = ..., factors: _Optional[_Union[_risk_pb2.FactorOptions, _Mapping]] = ..., benchmark_weights: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., rolling: _Optional[_Union[_risk_pb2.RollingOptions, _Mapping]] = ..., stress: _Optional[_Iterable[_Union[_risk_pb2.StressScenario, _Mapping]]] = ..., proposed_weights: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., validation: _Optional[_Union[_risk_pb2.ValidationOptions, _Mapping]] = ..., worst_drawdowns: _Optional[int] = ..., drawdown_series: _Optional[bool] = ..., volatility_filter: _Optional[_Union[_estimation_pb2.ExponentialWeighting, _Mapping]] = ..., clusters: _Optional[_Union[_risk_pb2.ClusterOptions, _Mapping]] = ..., conventions: _Optional[_Union[_risk_pb2.ReportConventions, _Mapping]] = ..., stored_groups: _Optional[_Iterable[str]] = ...) -> None: ...

class AssetFraction(_message.Message):
    __slots__ = ("symbol", "fraction")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    fraction: float
    def __init__(self, symbol: _Optional[str] = ..., fraction: _Optional[float] = ...) -> None: ...

class AnalyzeRiskResponse(_message.Message):
    __slots__ = ("periods_per_year", "observations", "confidence_level", "expected_return_annual", "volatility_per_period", "volatility_annual", "sharpe", "value_at_risk", "conditional_value_at_risk", "max_drawdown", "max_drawdown_period", "skewness", "excess_kurtosis", "beta_to_benchmark", "correlation_to_benchmark", "tracking_error_annual", "information_ratio", "contributions", "correlation", "undefined", "quantile_method", "covariance_repair", "cagr", "semi_deviation", "mean_absolute_deviation", "gini_mean_difference", "first_lower_partial_moment", "second_lower_partial_moment", "entropic_value_at_risk", "sharpe_autocorrelation_adjusted", "sortino", "omega", "gain_to_pain", "calmar", "sterling", "average_drawdown", "conditional_drawdown_at_risk", "ulcer_index", "pain_index", "worst_drawdowns", "drawdown_series", "alpha_annual", "r_squared", "treynor", "beta_up", "beta_down", "capture_up", "capture_down", "active_share", "group_contributions", "factor_contributions", "factors", "factor_exposures", "measures", "skewness_fractions", "kurtosis_fractions", "rolling", "stress", "proposed", "validation", "missing_data", "benchmark_observations", "benchmark_periods_per_year", "warnings")
    class UndefinedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PERIODS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_RETURN_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_PER_PERIOD_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    SHARPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    CONDITIONAL_VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    MAX_DRAWDOWN_FIELD_NUMBER: _ClassVar[int]
    MAX_DRAWDOWN_PERIOD_FIELD_NUMBER: _ClassVar[int]
    SKEWNESS_FIELD_NUMBER: _ClassVar[int]
    EXCESS_KURTOSIS_FIELD_NUMBER: _ClassVar[int]
    BETA_TO_BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_TO_BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    TRACKING_ERROR_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    INFORMATION_RATIO_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    UNDEFINED_FIELD_NUMBER: _ClassVar[int]
    QUANTILE_METHOD_FIELD_NUMBER: _ClassVar[int]
    COVARIANCE_REPAIR_FIELD_NUMBER: _ClassVar[int]
    CAGR_FIELD_NUMBER: _ClassVar[int]
    SEMI_DEVIATION_FIELD_NUMBER: _ClassVar[int]
    MEAN_ABSOLUTE_DEVIATION_FIELD_NUMBER: _ClassVar[int]
    GINI_MEAN_DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    FIRST_LOWER_PARTIAL_MOMENT_FIELD_NUMBER: _ClassVar[int]
    SECOND_LOWER_PARTIAL_MOMENT_FIELD_NUMBER: _ClassVar[int]
    ENTROPIC_VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    SHARPE_AUTOCORRELATION_ADJUSTED_FIELD_NUMBER: _ClassVar[int]
    SORTINO_FIELD_NUMBER: _ClassVar[int]
    OMEGA_FIELD_NUMBER: _ClassVar[int]
    GAIN_TO_PAIN_FIELD_NUMBER: _ClassVar[int]
    CALMAR_FIELD_NUMBER: _ClassVar[int]
    STERLING_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_DRAWDOWN_FIELD_NUMBER: _ClassVar[int]
    CONDITIONAL_DRAWDOWN_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    ULCER_INDEX_FIELD_NUMBER: _ClassVar[int]
    PAIN_INDEX_FIELD_NUMBER: _ClassVar[int]
    WORST_DRAWDOWNS_FIELD_NUMBER: _ClassVar[int]
    DRAWDOWN_SERIES_FIELD_NUMBER: _ClassVar[int]
    ALPHA_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    R_SQUARED_FIELD_NUMBER: _ClassVar[int]
    TREYNOR_FIELD_NUMBER: _ClassVar[int]
    BETA_UP_FIELD_NUMBER: _ClassVar[int]
    BETA_DOWN_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_UP_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_DOWN_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_SHARE_FIELD_NUMBER: _ClassVar[int]
    GROUP_CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    FACTOR_CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    FACTOR_EXPOSURES_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    SKEWNESS_FRACTIONS_FIELD_NUMBER: _ClassVar[int]
    KURTOSIS_FRACTIONS_FIELD_NUMBER: _ClassVar[int]
    ROLLING_FIELD_NUMBER: _ClassVar[int]
    STRESS_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    MISSING_DATA_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_PERIODS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    periods_per_year: float
    observations: int
    confidence_level: float
    expected_return_annual: float
    volatility_per_period: float
    volatility_annual: float
    sharpe: float
    value_at_risk: _risk_pb2.ValueAtRisk
    conditional_value_at_risk: _risk_pb2.ConditionalValueAtRisk
    max_drawdown: float
    max_drawdown_period: _risk_pb2.DrawdownPeriod
    skewness: float
    excess_kurtosis: float
    beta_to_benchmark: float
    correlation_to_benchmark: float
    tracking_error_annual: float
    information_ratio: float
    contributions: _containers.RepeatedCompositeFieldContainer[_optimization_pb2.RiskContribution]
    correlation: _risk_pb2.CorrelationMatrix
    undefined: _containers.ScalarMap[str, str]
    quantile_method: str
    covariance_repair: _optimization_pb2.CovarianceRepair
    cagr: float
    semi_deviation: float
    mean_absolute_deviation: float
    gini_mean_difference: float
    first_lower_partial_moment: float
    second_lower_partial_moment: float
    entropic_value_at_risk: float
    sharpe_autocorrelation_adjusted: float
    sortino: float
    omega: float
    gain_to_pain: float
    calmar: float
    sterling: float
    average_drawdown: float
    conditional_drawdown_at_risk: float
    ulcer_index: float
    pain_index: float
    worst_drawdowns: _containers.RepeatedCompositeFieldContainer[_risk_pb2.DrawdownPeriod]
    drawdown_series: _risk_pb2.DrawdownSeries
    alpha_annual: float
    r_squared: float
    treynor: float
    beta_up: float
    beta_down: float
    capture_up: float
    capture_down: float
    active_share: float
    group_contributions: _containers.RepeatedCompositeFieldContainer[_risk_pb2.GroupContribution]
    factor_contributions: _containers.RepeatedCompositeFieldContainer[_risk_pb2.GroupContribution]
    factors: _containers.RepeatedScalarFieldContainer[str]
    factor_exposures: _containers.RepeatedCompositeFieldContainer[_risk_pb2.AssetFactors]
    measures: _containers.RepeatedCompositeFieldContainer[_risk_pb2.MeasureReport]
    skewness_fractions: _containers.RepeatedCompositeFieldContainer[AssetFraction]
    kurtosis_fractions: _containers.RepeatedCompositeFieldContainer[AssetFraction]
    rolling: _containers.RepeatedCompositeFieldContainer[_risk_pb2.RollingSeries]
    stress: _containers.RepeatedCompositeFieldContainer[_risk_pb2.StressResult]
    proposed: _risk_pb2.PortfolioFigures
    validation: _risk_pb2.ValueAtRiskValidation
    missing_data: _risk_pb2.MissingDataReport
    benchmark_observations: int
    benchmark_periods_per_year: float
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    def __init__(self, periods_per_year: _Optional[float] = ..., observations: _Optional[int] = ..., confidence_level: _Optional[float] = ..., expected_return_annual: _Optional[float] = ..., volatility_per_period: _Optional[float] = ..., volatility_annual: _Optional[float] = ..., sharpe: _Optional[float] = ..., value_at_risk: _Optional[_Union[_risk_pb2.ValueAtRisk, _Mapping]] = ..., conditional_value_at_risk: _Optional[_Union[_risk_pb2.ConditionalValueAtRisk, _Mapping]] = ..., max_drawdown: _Optional[float] = ..., max_drawdown_period: _Optional[_Union[_risk_pb2.DrawdownPeriod, _Mapping]] = ..., skewness: _Optional[float] = ..., excess_kurtosis: _Optional[float] = ..., beta_to_benchmark: _Optional[float] = ..., correlation_to_benchmark: _Optional[float] = ..., tracking_error_annual: _Optional[float] = ..., information_ratio: _Optional[float] = ..., contributions: _Optional[_Iterable[_Union[_optimization_pb2.RiskContribution, _Mapping]]] = ..., correlation: _Optional[_Union[_risk_pb2.CorrelationMatrix, _Mapping]] = ..., undefined: _Optional[_Mapping[str, str]] = ..., quantile_method: _Optional[str] = ..., covariance_repair: _Optional[_Union[_optimization_pb2.CovarianceRepair, _Mapping]] = ..., cagr: _Optional[float] = ..., semi_deviation: _Optional[float] = ..., mean_absolute_deviation: _Optional[float] = ..., gini_mean_difference: _Optional[float] = ..., first_lower_partial_moment: _Optional[float] = ..., second_lower_partial_moment: _Optional[float] = ..., entropic_value_at_risk: _Optional[float] = ..., sharpe_autocorrelation_adjusted: _Optional[float] = ..., sortino: _Optional[float] = ..., omega: _Optional[float] = ..., gain_to_pain: _Optional[float] = ..., calmar: _Optional[float] = ..., sterling: _Optional[float] = ..., average_drawdown: _Optional[float] = ..., conditional_drawdown_at_risk: _Optional[float] = ..., ulcer_index: _Optional[float] = ..., pain_index: _Optional[float] = ..., worst_drawdowns: _Optional[_Iterable[_Union[_risk_pb2.DrawdownPeriod, _Mapping]]] = ..., drawdown_series: _Optional[_Union[_risk_pb2.DrawdownSeries, _Mapping]] = ..., alpha_annual: _Optional[float] = ..., r_squared: _Optional[float] = ..., treynor: _Optional[float] = ..., beta_up: _Optional[float] = ..., beta_down: _Optional[float] = ..., capture_up: _Optional[float] = ..., capture_down: _Optional[float] = ..., active_share: _Optional[float] = ..., group_contributions: _Optional[_Iterable[_Union[_risk_pb2.GroupContribution, _Mapping]]] = ..., factor_contributions: _Optional[_Iterable[_Union[_risk_pb2.GroupContribution, _Mapping]]] = ..., factors: _Optional[_Iterable[str]] = ..., factor_exposures: _Optional[_Iterable[_Union[_risk_pb2.AssetFactors, _Mapping]]] = ..., measures: _Optional[_Iterable[_Union[_risk_pb2.MeasureReport, _Mapping]]] = ..., skewness_fractions: _Optional[_Iterable[_Union[AssetFraction, _Mapping]]] = ..., kurtosis_fractions: _Optional[_Iterable[_Union[AssetFraction, _Mapping]]] = ..., rolling: _Optional[_Iterable[_Union[_risk_pb2.RollingSeries, _Mapping]]] = ..., stress: _Optional[_Iterable[_Union[_risk_pb2.StressResult, _Mapping]]] = ..., proposed: _Optional[_Union[_risk_pb2.PortfolioFigures, _Mapping]] = ..., validation: _Optional[_Union[_risk_pb2.ValueAtRiskValidation, _Mapping]] = ..., missing_data: _Optional[_Union[_risk_pb2.MissingDataReport, _Mapping]] = ..., benchmark_observations: _Optional[int] = ..., benchmark_periods_per_year: _Optional[float] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ...) -> None: ...

class EstimateRiskModelRequest(_message.Message):
    __slots__ = ("prices", "returns", "market_data", "estimation", "periods_per_year", "missing_data", "factors", "simulation")
    PRICES_FIELD_NUMBER: _ClassVar[int]
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    MARKET_DATA_FIELD_NUMBER: _ClassVar[int]
    ESTIMATION_FIELD_NUMBER: _ClassVar[int]
    PERIODS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
    MISSING_DATA_FIELD_NUMBER: _ClassVar[int]
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    SIMULATION_FIELD_NUMBER: _ClassVar[int]
    prices: _panel_pb2.Panel
    returns: _panel_pb2.Panel
    market_data: _panel_pb2.MarketDataSelection
    estimation: _estimation_pb2.Estimation
    periods_per_year: float
    missing_data: _panel_pb2.MissingDataPolicy
    factors: _risk_pb2.FactorOptions
    simulation: SimulationOptions
    def __init__(self, prices: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., returns: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., market_data: _Optional[_Union[_panel_pb2.MarketDataSelection, _Mapping]] = ..., estimation: _Optional[_Union[_estimation_pb2.Estimation, _Mapping]] = ..., periods_per_year: _Optional[float] = ..., missing_data: _Optional[_Union[_panel_pb2.MissingDataPolicy, str]] = ..., factors: _Optional[_Union[_risk_pb2.FactorOptions, _Mapping]] = ..., simulation: _Optional[_Union[SimulationOptions, _Mapping]] = ...) -> None: ...

class SimulationOptions(_message.Message):
    __slots__ = ("method", "paths", "periods", "degrees_of_freedom", "mean_block", "seed")
    class Method(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        METHOD_UNSPECIFIED: _ClassVar[SimulationOptions.Method]
        METHOD_GAUSSIAN: _ClassVar[SimulationOptions.Method]
        METHOD_STUDENT_T: _ClassVar[SimulationOptions.Method]
        METHOD_BLOCK_BOOTSTRAP: _ClassVar[SimulationOptions.Method]
    METHOD_UNSPECIFIED: SimulationOptions.Method
    METHOD_GAUSSIAN: SimulationOptions.Method
    METHOD_STUDENT_T: SimulationOptions.Method
    METHOD_BLOCK_BOOTSTRAP: SimulationOptions.Method
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PATHS_FIELD_NUMBER: _ClassVar[int]
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    DEGREES_OF_FREEDOM_FIELD_NUMBER: _ClassVar[int]
    MEAN_BLOCK_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    method: SimulationOptions.Method
    paths: int
    periods: int
    degrees_of_freedom: float
    mean_block: float
    seed: int
    def __init__(self, method: _Optional[_Union[SimulationOptions.Method, str]] = ..., paths: _Optional[int] = ..., periods: _Optional[int] = ..., degrees_of_freedom: _Optional[float] = ..., mean_block: _Optional[float] = ..., seed: _Optional[int] = ...) -> None: ...

class EstimateRiskModelResponse(_message.Message):
    __slots__ = ("diagnostics", "chunk")
    class Diagnostics(_message.Message):
        __slots__ = ("symbols", "observations", "periods_per_year", "condition_number", "effective_observations", "shrinkage_intensity", "covariance_repair", "missing_data", "volatilities_annual", "factors", "constant", "warnings")
        SYMBOLS_FIELD_NUMBER: _ClassVar[int]
        OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
        PERIODS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
        CONDITION_NUMBER_FIELD_NUMBER: _ClassVar[int]
        EFFECTIVE_OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
        SHRINKAGE_INTENSITY_FIELD_NUMBER: _ClassVar[int]
        COVARIANCE_REPAIR_FIELD_NUMBER: _ClassVar[int]
        MISSING_DATA_FIELD_NUMBER: _ClassVar[int]
        VOLATILITIES_ANNUAL_FIELD_NUMBER: _ClassVar[int]
        FACTORS_FIELD_NUMBER: _ClassVar[int]
        CONSTANT_FIELD_NUMBER: _ClassVar[int]
        WARNINGS_FIELD_NUMBER: _ClassVar[int]
        symbols: _containers.RepeatedScalarFieldContainer[str]
        observations: int
        periods_per_year: float
        condition_number: float
        effective_observations: float
        shrinkage_intensity: float
        covariance_repair: _optimization_pb2.CovarianceRepair
        missing_data: _risk_pb2.MissingDataReport
        volatilities_annual: _containers.RepeatedScalarFieldContainer[float]
        factors: _containers.RepeatedScalarFieldContainer[str]
        constant: _containers.RepeatedScalarFieldContainer[str]
        warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
        def __init__(self, symbols: _Optional[_Iterable[str]] = ..., observations: _Optional[int] = ..., periods_per_year: _Optional[float] = ..., condition_number: _Optional[float] = ..., effective_observations: _Optional[float] = ..., shrinkage_intensity: _Optional[float] = ..., covariance_repair: _Optional[_Union[_optimization_pb2.CovarianceRepair, _Mapping]] = ..., missing_data: _Optional[_Union[_risk_pb2.MissingDataReport, _Mapping]] = ..., volatilities_annual: _Optional[_Iterable[float]] = ..., factors: _Optional[_Iterable[str]] = ..., constant: _Optional[_Iterable[str]] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ...) -> None: ...
    class Chunk(_message.Message):
        __slots__ = ("array", "first_row", "rows")
        class Array(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            ARRAY_UNSPECIFIED: _ClassVar[EstimateRiskModelResponse.Chunk.Array]
            ARRAY_EXPECTED_RETURNS: _ClassVar[EstimateRiskModelResponse.Chunk.Array]
            ARRAY_COVARIANCE: _ClassVar[EstimateRiskModelResponse.Chunk.Array]
            ARRAY_CORRELATION: _ClassVar[EstimateRiskModelResponse.Chunk.Array]
            ARRAY_FACTOR_EXPOSURES: _ClassVar[EstimateRiskModelResponse.Chunk.Array]
            ARRAY_FACTOR_COVARIANCE: _ClassVar[EstimateRiskModelResponse.Chunk.Array]
            ARRAY_SPECIFIC_VARIANCES: _ClassVar[EstimateRiskModelResponse.Chunk.Array]
            ARRAY_SIMULATED_RETURNS: _ClassVar[EstimateRiskModelResponse.Chunk.Array]
        ARRAY_UNSPECIFIED: EstimateRiskModelResponse.Chunk.Array
        ARRAY_EXPECTED_RETURNS: EstimateRiskModelResponse.Chunk.Array
        ARRAY_COVARIANCE: EstimateRiskModelResponse.Chunk.Array
        ARRAY_CORRELATION: EstimateRiskModelResponse.Chunk.Array
        ARRAY_FACTOR_EXPOSURES: EstimateRiskModelResponse.Chunk.Array
        ARRAY_FACTOR_COVARIANCE: EstimateRiskModelResponse.Chunk.Array
        ARRAY_SPECIFIC_VARIANCES: EstimateRiskModelResponse.Chunk.Array
        ARRAY_SIMULATED_RETURNS: EstimateRiskModelResponse.Chunk.Array
        ARRAY_FIELD_NUMBER: _ClassVar[int]
        FIRST_ROW_FIELD_NUMBER: _ClassVar[int]
        ROWS_FIELD_NUMBER: _ClassVar[int]
        array: EstimateRiskModelResponse.Chunk.Array
        first_row: int
        rows: _panel_pb2.Tensor
        def __init__(self, array: _Optional[_Union[EstimateRiskModelResponse.Chunk.Array, str]] = ..., first_row: _Optional[int] = ..., rows: _Optional[_Union[_panel_pb2.Tensor, _Mapping]] = ...) -> None: ...
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    diagnostics: EstimateRiskModelResponse.Diagnostics
    chunk: EstimateRiskModelResponse.Chunk
    def __init__(self, diagnostics: _Optional[_Union[EstimateRiskModelResponse.Diagnostics, _Mapping]] = ..., chunk: _Optional[_Union[EstimateRiskModelResponse.Chunk, _Mapping]] = ...) -> None: ...

class AttributeRequest(_message.Message):
    __slots__ = ("portfolio_weights", "benchmark_weights", "portfolio_returns", "benchmark_returns", "model", "linking", "separate_interaction", "without_periods", "factors", "regression_factors")
    PORTFOLIO_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_RETURNS_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_RETURNS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LINKING_FIELD_NUMBER: _ClassVar[int]
    SEPARATE_INTERACTION_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_PERIODS_FIELD_NUMBER: _ClassVar[int]
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    REGRESSION_FACTORS_FIELD_NUMBER: _ClassVar[int]
    portfolio_weights: _panel_pb2.Panel
    benchmark_weights: _panel_pb2.Panel
    portfolio_returns: _panel_pb2.Panel
    benchmark_returns: _panel_pb2.Panel
    model: _attribution_pb2.AttributionModel
    linking: _attribution_pb2.Linking
    separate_interaction: bool
    without_periods: bool
    factors: _attribution_pb2.FactorExposures
    regression_factors: _panel_pb2.Panel
    def __init__(self, portfolio_weights: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., benchmark_weights: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., portfolio_returns: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., benchmark_returns: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., model: _Optional[_Union[_attribution_pb2.AttributionModel, str]] = ..., linking: _Optional[_Union[_attribution_pb2.Linking, str]] = ..., separate_interaction: _Optional[bool] = ..., without_periods: _Optional[bool] = ..., factors: _Optional[_Union[_attribution_pb2.FactorExposures, _Mapping]] = ..., regression_factors: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ...) -> None: ...

class AttributeResponse(_message.Message):
    __slots__ = ("totals", "groups", "periods", "excess_return", "warnings", "menchero_coefficient", "portfolio_return", "benchmark_return", "factors", "regression")
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    EXCESS_RETURN_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    MENCHERO_COEFFICIENT_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_RETURN_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_RETURN_FIELD_NUMBER: _ClassVar[int]
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    REGRESSION_FIELD_NUMBER: _ClassVar[int]
    totals: _attribution_pb2.AttributionEffects
    groups: _containers.RepeatedCompositeFieldContainer[_attribution_pb2.GroupAttribution]
    periods: _containers.RepeatedCompositeFieldContainer[_attribution_pb2.PeriodAttribution]
    excess_return: float
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    menchero_coefficient: float
    portfolio_return: float
    benchmark_return: float
    factors: _attribution_pb2.FactorAttribution
    regression: _attribution_pb2.FactorAttribution
    def __init__(self, totals: _Optional[_Union[_attribution_pb2.AttributionEffects, _Mapping]] = ..., groups: _Optional[_Iterable[_Union[_attribution_pb2.GroupAttribution, _Mapping]]] = ..., periods: _Optional[_Iterable[_Union[_attribution_pb2.PeriodAttribution, _Mapping]]] = ..., excess_return: _Optional[float] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ..., menchero_coefficient: _Optional[float] = ..., portfolio_return: _Optional[float] = ..., benchmark_return: _Optional[float] = ..., factors: _Optional[_Union[_attribution_pb2.FactorAttribution, _Mapping]] = ..., regression: _Optional[_Union[_attribution_pb2.FactorAttribution, _Mapping]] = ...) -> None: ...

class CompareStrategiesRequest(_message.Message):
    __slots__ = ("returns", "benchmark", "block_length", "resamples", "seed", "significance_level", "segments")
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    BLOCK_LENGTH_FIELD_NUMBER: _ClassVar[int]
    RESAMPLES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    SIGNIFICANCE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    returns: _panel_pb2.Panel
    benchmark: _panel_pb2.Panel
    block_length: float
    resamples: int
    seed: int
    significance_level: float
    segments: int
    def __init__(self, returns: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., benchmark: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., block_length: _Optional[float] = ..., resamples: _Optional[int] = ..., seed: _Optional[int] = ..., significance_level: _Optional[float] = ..., segments: _Optional[int] = ...) -> None: ...

class CompareStrategiesResponse(_message.Message):
    __slots__ = ("spa", "step_m", "deflated_sharpe", "probability_of_overfitting", "trial_count", "effective_trial_count", "undefined", "warnings", "deflated_sharpe_effective", "expected_maximum_sharpe", "expected_maximum_sharpe_effective", "best", "best_sharpe", "minimum_backtest_periods", "degradation_slope", "probability_of_loss", "combination_count", "observations", "block_length", "resamples", "trials", "bases")
    class Trial(_message.Message):
        __slots__ = ("label", "mean", "sharpe", "mean_difference", "statistic")
        LABEL_FIELD_NUMBER: _ClassVar[int]
        MEAN_FIELD_NUMBER: _ClassVar[int]
        SHARPE_FIELD_NUMBER: _ClassVar[int]
        MEAN_DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
        STATISTIC_FIELD_NUMBER: _ClassVar[int]
        label: str
        mean: float
        sharpe: float
        mean_difference: float
        statistic: float
        def __init__(self, label: _Optional[str] = ..., mean: _Optional[float] = ..., sharpe: _Optional[float] = ..., mean_difference: _Optional[float] = ..., statistic: _Optional[float] = ...) -> None: ...
    class UndefinedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SPA_FIELD_NUMBER: _ClassVar[int]
    STEP_M_FIELD_NUMBER: _ClassVar[int]
    DEFLATED_SHARPE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_OF_OVERFITTING_FIELD_NUMBER: _ClassVar[int]
    TRIAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TRIAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNDEFINED_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    DEFLATED_SHARPE_EFFECTIVE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_MAXIMUM_SHARPE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_MAXIMUM_SHARPE_EFFECTIVE_FIELD_NUMBER: _ClassVar[int]
    BEST_FIELD_NUMBER: _ClassVar[int]
    BEST_SHARPE_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_BACKTEST_PERIODS_FIELD_NUMBER: _ClassVar[int]
    DEGRADATION_SLOPE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_OF_LOSS_FIELD_NUMBER: _ClassVar[int]
    COMBINATION_COUNT_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    BLOCK_LENGTH_FIELD_NUMBER: _ClassVar[int]
    RESAMPLES_FIELD_NUMBER: _ClassVar[int]
    TRIALS_FIELD_NUMBER: _ClassVar[int]
    BASES_FIELD_NUMBER: _ClassVar[int]
    spa: _statistical_validation_pb2.SuperiorPredictiveAbility
    step_m: _containers.RepeatedScalarFieldContainer[str]
    deflated_sharpe: float
    probability_of_overfitting: float
    trial_count: int
    effective_trial_count: float
    undefined: _containers.ScalarMap[str, str]
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    deflated_sharpe_effective: float
    expected_maximum_sharpe: float
    expected_maximum_sharpe_effective: float
    best: str
    best_sharpe: float
    minimum_backtest_periods: float
    degradation_slope: float
    probability_of_loss: float
    combination_count: int
    observations: int
    block_length: float
    resamples: int
    trials: _containers.RepeatedCompositeFieldContainer[CompareStrategiesResponse.Trial]
    bases: _containers.RepeatedCompositeFieldContainer[_statistical_validation_pb2.FigureBasis]
    def __init__(self, spa: _Optional[_Union[_statistical_validation_pb2.SuperiorPredictiveAbility, _Mapping]] = ..., step_m: _Optional[_Iterable[str]] = ..., deflated_sharpe: _Optional[float] = ..., probability_of_overfitting: _Optional[float] = ..., trial_count: _Optional[int] = ..., effective_trial_count: _Optional[float] = ..., undefined: _Optional[_Mapping[str, str]] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ..., deflated_sharpe_effective: _Optional[float] = ..., expected_maximum_sharpe: _Optional[float] = ..., expected_maximum_sharpe_effective: _Optional[float] = ..., best: _Optional[str] = ..., best_sharpe: _Optional[float] = ..., minimum_backtest_periods: _Optional[float] = ..., degradation_slope: _Optional[float] = ..., probability_of_loss: _Optional[float] = ..., combination_count: _Optional[int] = ..., observations: _Optional[int] = ..., block_length: _Optional[float] = ..., resamples: _Optional[int] = ..., trials: _Optional[_Iterable[_Union[CompareStrategiesResponse.Trial, _Mapping]]] = ..., bases: _Optional[_Iterable[_Union[_statistical_validation_pb2.FigureBasis, _Mapping]]] = ...) -> None: ...

class GetRiskChartsRequest(_message.Message):
    __slots__ = ("analysis", "charts", "theme")
    ANALYSIS_FIELD_NUMBER: _ClassVar[int]
    CHARTS_FIELD_NUMBER: _ClassVar[int]
    THEME_FIELD_NUMBER: _ClassVar[int]
    analysis: AnalyzeRiskRequest
    charts: _containers.RepeatedScalarFieldContainer[_chart_pb2.Chart]
    theme: _chart_pb2.ChartTheme
    def __init__(self, analysis: _Optional[_Union[AnalyzeRiskRequest, _Mapping]] = ..., charts: _Optional[_Iterable[_Union[_chart_pb2.Chart, str]]] = ..., theme: _Optional[_Union[_chart_pb2.ChartTheme, str]] = ...) -> None: ...

class GetRiskChartsResponse(_message.Message):
    __slots__ = ("charts", "warnings")
    CHARTS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    charts: _containers.RepeatedCompositeFieldContainer[_chart_pb2.ChartSpec]
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    def __init__(self, charts: _Optional[_Iterable[_Union[_chart_pb2.ChartSpec, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ...) -> None: ...
