from absfinance.v1 import estimation_pb2 as _estimation_pb2
from absfinance.v1 import optimization_pb2 as _optimization_pb2
from absfinance.v1 import panel_pb2 as _panel_pb2
from absfinance.v1 import portfolio_pb2 as _portfolio_pb2
from absfinance.v1 import risk_pb2 as _risk_pb2
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
    __slots__ = ("prices", "returns", "moments", "scenarios", "market_data", "weights", "holdings", "cash", "benchmark", "benchmark_symbol", "confidence_level", "periods_per_year", "risk_free_rate_annual", "missing_data", "allow_leverage")
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
    def __init__(self, prices: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., returns: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., moments: _Optional[_Union[_panel_pb2.Moments, _Mapping]] = ..., scenarios: _Optional[_Union[_panel_pb2.Scenarios, _Mapping]] = ..., market_data: _Optional[_Union[_panel_pb2.MarketDataSelection, _Mapping]] = ..., weights: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., holdings: _Optional[_Iterable[_Union[_portfolio_pb2.Holding, _Mapping]]] = ..., cash: _Optional[float] = ..., benchmark: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., benchmark_symbol: _Optional[str] = ..., confidence_level: _Optional[float] = ..., periods_per_year: _Optional[float] = ..., risk_free_rate_annual: _Optional[float] = ..., missing_data: _Optional[_Union[_panel_pb2.MissingDataPolicy, str]] = ..., allow_leverage: _Optional[bool] = ...) -> None: ...

class AnalyzeRiskResponse(_message.Message):
    __slots__ = ("periods_per_year", "observations", "confidence_level", "expected_return_annual", "volatility_per_period", "volatility_annual", "sharpe", "value_at_risk", "conditional_value_at_risk", "max_drawdown", "max_drawdown_period", "skewness", "excess_kurtosis", "beta_to_benchmark", "correlation_to_benchmark", "tracking_error_annual", "information_ratio", "contributions", "correlation", "undefined", "quantile_method", "covariance_repair")
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
    def __init__(self, periods_per_year: _Optional[float] = ..., observations: _Optional[int] = ..., confidence_level: _Optional[float] = ..., expected_return_annual: _Optional[float] = ..., volatility_per_period: _Optional[float] = ..., volatility_annual: _Optional[float] = ..., sharpe: _Optional[float] = ..., value_at_risk: _Optional[_Union[_risk_pb2.ValueAtRisk, _Mapping]] = ..., conditional_value_at_risk: _Optional[_Union[_risk_pb2.ConditionalValueAtRisk, _Mapping]] = ..., max_drawdown: _Optional[float] = ..., max_drawdown_period: _Optional[_Union[_risk_pb2.DrawdownPeriod, _Mapping]] = ..., skewness: _Optional[float] = ..., excess_kurtosis: _Optional[float] = ..., beta_to_benchmark: _Optional[float] = ..., correlation_to_benchmark: _Optional[float] = ..., tracking_error_annual: _Optional[float] = ..., information_ratio: _Optional[float] = ..., contributions: _Optional[_Iterable[_Union[_optimization_pb2.RiskContribution, _Mapping]]] = ..., correlation: _Optional[_Union[_risk_pb2.CorrelationMatrix, _Mapping]] = ..., undefined: _Optional[_Mapping[str, str]] = ..., quantile_method: _Optional[str] = ..., covariance_repair: _Optional[_Union[_optimization_pb2.CovarianceRepair, _Mapping]] = ...) -> None: ...

class EstimateRiskModelRequest(_message.Message):
    __slots__ = ("prices", "returns", "market_data", "estimation", "periods_per_year", "missing_data")
    PRICES_FIELD_NUMBER: _ClassVar[int]
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    MARKET_DATA_FIELD_NUMBER: _ClassVar[int]
    ESTIMATION_FIELD_NUMBER: _ClassVar[int]
    PERIODS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
    MISSING_DATA_FIELD_NUMBER: _ClassVar[int]
    prices: _panel_pb2.Panel
    returns: _panel_pb2.Panel
    market_data: _panel_pb2.MarketDataSelection
    estimation: _estimation_pb2.Estimation
    periods_per_year: float
    missing_data: _panel_pb2.MissingDataPolicy
    def __init__(self, prices: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., returns: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., market_data: _Optional[_Union[_panel_pb2.MarketDataSelection, _Mapping]] = ..., estimation: _Optional[_Union[_estimation_pb2.Estimation, _Mapping]] = ..., periods_per_year: _Optional[float] = ..., missing_data: _Optional[_Union[_panel_pb2.MissingDataPolicy, str]] = ...) -> None: ...

class EstimateRiskModelResponse(_message.Message):
    __slots__ = ("diagnostics", "chunk")
    class Diagnostics(_message.Message):
        __slots__ = ("symbols", "observations", "periods_per_year", "condition_number", "effective_observations", "shrinkage_intensity", "covariance_repair")
        SYMBOLS_FIELD_NUMBER: _ClassVar[int]
        OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
        PERIODS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
        CONDITION_NUMBER_FIELD_NUMBER: _ClassVar[int]
        EFFECTIVE_OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
        SHRINKAGE_INTENSITY_FIELD_NUMBER: _ClassVar[int]
        COVARIANCE_REPAIR_FIELD_NUMBER: _ClassVar[int]
        symbols: _containers.RepeatedScalarFieldContainer[str]
        observations: int
        periods_per_year: float
        condition_number: float
        effective_observations: float
        shrinkage_intensity: float
        covariance_repair: _optimization_pb2.CovarianceRepair
        def __init__(self, symbols: _Optional[_Iterable[str]] = ..., observations: _Optional[int] = ..., periods_per_year: _Optional[float] = ..., condition_number: _Optional[float] = ..., effective_observations: _Optional[float] = ..., shrinkage_intensity: _Optional[float] = ..., covariance_repair: _Optional[_Union[_optimization_pb2.CovarianceRepair, _Mapping]] = ...) -> None: ...
    class Chunk(_message.Message):
        __slots__ = ("array", "first_row", "rows")
        class Array(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            ARRAY_UNSPECIFIED: _ClassVar[EstimateRiskModelResponse.Chunk.Array]
            ARRAY_EXPECTED_RETURNS: _ClassVar[EstimateRiskModelResponse.Chunk.Array]
            ARRAY_COVARIANCE: _ClassVar[EstimateRiskModelResponse.Chunk.Array]
            ARRAY_CORRELATION: _ClassVar[EstimateRiskModelResponse.Chunk.Array]
        ARRAY_UNSPECIFIED: EstimateRiskModelResponse.Chunk.Array
        ARRAY_EXPECTED_RETURNS: EstimateRiskModelResponse.Chunk.Array
        ARRAY_COVARIANCE: EstimateRiskModelResponse.Chunk.Array
        ARRAY_CORRELATION: EstimateRiskModelResponse.Chunk.Array
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
