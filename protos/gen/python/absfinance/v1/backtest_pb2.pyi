import datetime

from absfinance.v1 import objective_pb2 as _objective_pb2
from absfinance.v1 import optimization_pb2 as _optimization_pb2
from absfinance.v1 import portfolio_pb2 as _portfolio_pb2
from absfinance.v1 import warning_pb2 as _warning_pb2
from absfinance.v1 import weight_pb2 as _weight_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Frequency(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FREQUENCY_UNSPECIFIED: _ClassVar[Frequency]
    FREQUENCY_DAILY: _ClassVar[Frequency]
    FREQUENCY_WEEKLY: _ClassVar[Frequency]
    FREQUENCY_MONTHLY: _ClassVar[Frequency]
    FREQUENCY_QUARTERLY: _ClassVar[Frequency]
    FREQUENCY_SEMIANNUAL: _ClassVar[Frequency]
    FREQUENCY_ANNUAL: _ClassVar[Frequency]

class RebalanceDay(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REBALANCE_DAY_UNSPECIFIED: _ClassVar[RebalanceDay]
    REBALANCE_DAY_FIRST: _ClassVar[RebalanceDay]
    REBALANCE_DAY_LAST: _ClassVar[RebalanceDay]

class Fill(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FILL_UNSPECIFIED: _ClassVar[Fill]
    FILL_NEXT_CLOSE: _ClassVar[Fill]
    FILL_NEXT_OPEN: _ClassVar[Fill]
    FILL_SAME_CLOSE: _ClassVar[Fill]

class BacktestState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BACKTEST_STATE_UNSPECIFIED: _ClassVar[BacktestState]
    BACKTEST_STATE_QUEUED: _ClassVar[BacktestState]
    BACKTEST_STATE_RUNNING: _ClassVar[BacktestState]
    BACKTEST_STATE_SUCCEEDED: _ClassVar[BacktestState]
    BACKTEST_STATE_FAILED: _ClassVar[BacktestState]
    BACKTEST_STATE_CANCELLED: _ClassVar[BacktestState]
FREQUENCY_UNSPECIFIED: Frequency
FREQUENCY_DAILY: Frequency
FREQUENCY_WEEKLY: Frequency
FREQUENCY_MONTHLY: Frequency
FREQUENCY_QUARTERLY: Frequency
FREQUENCY_SEMIANNUAL: Frequency
FREQUENCY_ANNUAL: Frequency
REBALANCE_DAY_UNSPECIFIED: RebalanceDay
REBALANCE_DAY_FIRST: RebalanceDay
REBALANCE_DAY_LAST: RebalanceDay
FILL_UNSPECIFIED: Fill
FILL_NEXT_CLOSE: Fill
FILL_NEXT_OPEN: Fill
FILL_SAME_CLOSE: Fill
BACKTEST_STATE_UNSPECIFIED: BacktestState
BACKTEST_STATE_QUEUED: BacktestState
BACKTEST_STATE_RUNNING: BacktestState
BACKTEST_STATE_SUCCEEDED: BacktestState
BACKTEST_STATE_FAILED: BacktestState
BACKTEST_STATE_CANCELLED: BacktestState

class Strategy(_message.Message):
    __slots__ = ("label", "equal_weight", "fixed_weights", "schedule", "inverse_volatility", "optimize")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    EQUAL_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    FIXED_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    INVERSE_VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    OPTIMIZE_FIELD_NUMBER: _ClassVar[int]
    label: str
    equal_weight: _objective_pb2.EqualWeight
    fixed_weights: FixedWeights
    schedule: WeightSchedule
    inverse_volatility: InverseVolatilityStrategy
    optimize: _optimization_pb2.OptimizeSpec
    def __init__(self, label: _Optional[str] = ..., equal_weight: _Optional[_Union[_objective_pb2.EqualWeight, _Mapping]] = ..., fixed_weights: _Optional[_Union[FixedWeights, _Mapping]] = ..., schedule: _Optional[_Union[WeightSchedule, _Mapping]] = ..., inverse_volatility: _Optional[_Union[InverseVolatilityStrategy, _Mapping]] = ..., optimize: _Optional[_Union[_optimization_pb2.OptimizeSpec, _Mapping]] = ...) -> None: ...

class FixedWeights(_message.Message):
    __slots__ = ("weights",)
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    weights: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    def __init__(self, weights: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ...) -> None: ...

class WeightSchedule(_message.Message):
    __slots__ = ("entries",)
    class Entry(_message.Message):
        __slots__ = ("date", "weights")
        DATE_FIELD_NUMBER: _ClassVar[int]
        WEIGHTS_FIELD_NUMBER: _ClassVar[int]
        date: _date_pb2.Date
        weights: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
        def __init__(self, date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., weights: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ...) -> None: ...
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[WeightSchedule.Entry]
    def __init__(self, entries: _Optional[_Iterable[_Union[WeightSchedule.Entry, _Mapping]]] = ...) -> None: ...

class InverseVolatilityStrategy(_message.Message):
    __slots__ = ("lookback_periods",)
    LOOKBACK_PERIODS_FIELD_NUMBER: _ClassVar[int]
    lookback_periods: int
    def __init__(self, lookback_periods: _Optional[int] = ...) -> None: ...

class Rebalancing(_message.Message):
    __slots__ = ("calendar", "every_periods", "never", "drift_band")
    class Calendar(_message.Message):
        __slots__ = ("frequency", "day", "offset_days")
        FREQUENCY_FIELD_NUMBER: _ClassVar[int]
        DAY_FIELD_NUMBER: _ClassVar[int]
        OFFSET_DAYS_FIELD_NUMBER: _ClassVar[int]
        frequency: Frequency
        day: RebalanceDay
        offset_days: int
        def __init__(self, frequency: _Optional[_Union[Frequency, str]] = ..., day: _Optional[_Union[RebalanceDay, str]] = ..., offset_days: _Optional[int] = ...) -> None: ...
    class EveryPeriods(_message.Message):
        __slots__ = ("n",)
        N_FIELD_NUMBER: _ClassVar[int]
        n: int
        def __init__(self, n: _Optional[int] = ...) -> None: ...
    class Never(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class DriftBand(_message.Message):
        __slots__ = ("absolute", "relative", "destination")
        class Destination(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            DESTINATION_UNSPECIFIED: _ClassVar[Rebalancing.DriftBand.Destination]
            DESTINATION_TARGET: _ClassVar[Rebalancing.DriftBand.Destination]
            DESTINATION_EDGE: _ClassVar[Rebalancing.DriftBand.Destination]
        DESTINATION_UNSPECIFIED: Rebalancing.DriftBand.Destination
        DESTINATION_TARGET: Rebalancing.DriftBand.Destination
        DESTINATION_EDGE: Rebalancing.DriftBand.Destination
        ABSOLUTE_FIELD_NUMBER: _ClassVar[int]
        RELATIVE_FIELD_NUMBER: _ClassVar[int]
        DESTINATION_FIELD_NUMBER: _ClassVar[int]
        absolute: float
        relative: float
        destination: Rebalancing.DriftBand.Destination
        def __init__(self, absolute: _Optional[float] = ..., relative: _Optional[float] = ..., destination: _Optional[_Union[Rebalancing.DriftBand.Destination, str]] = ...) -> None: ...
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    EVERY_PERIODS_FIELD_NUMBER: _ClassVar[int]
    NEVER_FIELD_NUMBER: _ClassVar[int]
    DRIFT_BAND_FIELD_NUMBER: _ClassVar[int]
    calendar: Rebalancing.Calendar
    every_periods: Rebalancing.EveryPeriods
    never: Rebalancing.Never
    drift_band: Rebalancing.DriftBand
    def __init__(self, calendar: _Optional[_Union[Rebalancing.Calendar, _Mapping]] = ..., every_periods: _Optional[_Union[Rebalancing.EveryPeriods, _Mapping]] = ..., never: _Optional[_Union[Rebalancing.Never, _Mapping]] = ..., drift_band: _Optional[_Union[Rebalancing.DriftBand, _Mapping]] = ...) -> None: ...

class Execution(_message.Message):
    __slots__ = ("fill", "lag_periods")
    FILL_FIELD_NUMBER: _ClassVar[int]
    LAG_PERIODS_FIELD_NUMBER: _ClassVar[int]
    fill: Fill
    lag_periods: int
    def __init__(self, fill: _Optional[_Union[Fill, str]] = ..., lag_periods: _Optional[int] = ...) -> None: ...

class CashFlow(_message.Message):
    __slots__ = ("date", "amount")
    DATE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    date: _date_pb2.Date
    amount: float
    def __init__(self, date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., amount: _Optional[float] = ...) -> None: ...

class Benchmark(_message.Message):
    __slots__ = ("label", "symbol", "strategy")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    label: str
    symbol: str
    strategy: Strategy
    def __init__(self, label: _Optional[str] = ..., symbol: _Optional[str] = ..., strategy: _Optional[_Union[Strategy, _Mapping]] = ...) -> None: ...

class AnalysisOptions(_message.Message):
    __slots__ = ("attribution", "significance", "timing_luck_offsets", "risk_free_rate_annual", "minimum_acceptable_return_annual")
    ATTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    SIGNIFICANCE_FIELD_NUMBER: _ClassVar[int]
    TIMING_LUCK_OFFSETS_FIELD_NUMBER: _ClassVar[int]
    RISK_FREE_RATE_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_ACCEPTABLE_RETURN_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    attribution: bool
    significance: bool
    timing_luck_offsets: int
    risk_free_rate_annual: float
    minimum_acceptable_return_annual: float
    def __init__(self, attribution: _Optional[bool] = ..., significance: _Optional[bool] = ..., timing_luck_offsets: _Optional[int] = ..., risk_free_rate_annual: _Optional[float] = ..., minimum_acceptable_return_annual: _Optional[float] = ...) -> None: ...

class PerformanceMetrics(_message.Message):
    __slots__ = ("final_wealth", "total_return", "cagr", "volatility_annual", "sharpe", "sortino", "calmar", "max_drawdown", "value_at_risk", "conditional_value_at_risk", "turnover_annual", "cost_total", "beta_to_benchmark", "tracking_error_annual", "information_ratio", "periods_per_year", "observations", "start_date", "end_date", "metrics_version", "undefined")
    class UndefinedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    FINAL_WEALTH_FIELD_NUMBER: _ClassVar[int]
    TOTAL_RETURN_FIELD_NUMBER: _ClassVar[int]
    CAGR_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    SHARPE_FIELD_NUMBER: _ClassVar[int]
    SORTINO_FIELD_NUMBER: _ClassVar[int]
    CALMAR_FIELD_NUMBER: _ClassVar[int]
    MAX_DRAWDOWN_FIELD_NUMBER: _ClassVar[int]
    VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    CONDITIONAL_VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    TURNOVER_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    COST_TOTAL_FIELD_NUMBER: _ClassVar[int]
    BETA_TO_BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    TRACKING_ERROR_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    INFORMATION_RATIO_FIELD_NUMBER: _ClassVar[int]
    PERIODS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    METRICS_VERSION_FIELD_NUMBER: _ClassVar[int]
    UNDEFINED_FIELD_NUMBER: _ClassVar[int]
    final_wealth: float
    total_return: float
    cagr: float
    volatility_annual: float
    sharpe: float
    sortino: float
    calmar: float
    max_drawdown: float
    value_at_risk: float
    conditional_value_at_risk: float
    turnover_annual: float
    cost_total: float
    beta_to_benchmark: float
    tracking_error_annual: float
    information_ratio: float
    periods_per_year: float
    observations: int
    start_date: _date_pb2.Date
    end_date: _date_pb2.Date
    metrics_version: str
    undefined: _containers.ScalarMap[str, str]
    def __init__(self, final_wealth: _Optional[float] = ..., total_return: _Optional[float] = ..., cagr: _Optional[float] = ..., volatility_annual: _Optional[float] = ..., sharpe: _Optional[float] = ..., sortino: _Optional[float] = ..., calmar: _Optional[float] = ..., max_drawdown: _Optional[float] = ..., value_at_risk: _Optional[float] = ..., conditional_value_at_risk: _Optional[float] = ..., turnover_annual: _Optional[float] = ..., cost_total: _Optional[float] = ..., beta_to_benchmark: _Optional[float] = ..., tracking_error_annual: _Optional[float] = ..., information_ratio: _Optional[float] = ..., periods_per_year: _Optional[float] = ..., observations: _Optional[int] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., metrics_version: _Optional[str] = ..., undefined: _Optional[_Mapping[str, str]] = ...) -> None: ...

class CostBreakdown(_message.Message):
    __slots__ = ("commission", "spread", "impact", "borrow", "financing", "fixed")
    COMMISSION_FIELD_NUMBER: _ClassVar[int]
    SPREAD_FIELD_NUMBER: _ClassVar[int]
    IMPACT_FIELD_NUMBER: _ClassVar[int]
    BORROW_FIELD_NUMBER: _ClassVar[int]
    FINANCING_FIELD_NUMBER: _ClassVar[int]
    FIXED_FIELD_NUMBER: _ClassVar[int]
    commission: float
    spread: float
    impact: float
    borrow: float
    financing: float
    fixed: float
    def __init__(self, commission: _Optional[float] = ..., spread: _Optional[float] = ..., impact: _Optional[float] = ..., borrow: _Optional[float] = ..., financing: _Optional[float] = ..., fixed: _Optional[float] = ...) -> None: ...

class FailedRebalance(_message.Message):
    __slots__ = ("date", "reason", "message")
    DATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    date: _date_pb2.Date
    reason: str
    message: str
    def __init__(self, date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class StrategyResult(_message.Message):
    __slots__ = ("label", "metrics", "costs", "rebalance_count", "failed_rebalances", "final_holdings", "final_cash")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    COSTS_FIELD_NUMBER: _ClassVar[int]
    REBALANCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILED_REBALANCES_FIELD_NUMBER: _ClassVar[int]
    FINAL_HOLDINGS_FIELD_NUMBER: _ClassVar[int]
    FINAL_CASH_FIELD_NUMBER: _ClassVar[int]
    label: str
    metrics: PerformanceMetrics
    costs: CostBreakdown
    rebalance_count: int
    failed_rebalances: _containers.RepeatedCompositeFieldContainer[FailedRebalance]
    final_holdings: _containers.RepeatedCompositeFieldContainer[_portfolio_pb2.Holding]
    final_cash: float
    def __init__(self, label: _Optional[str] = ..., metrics: _Optional[_Union[PerformanceMetrics, _Mapping]] = ..., costs: _Optional[_Union[CostBreakdown, _Mapping]] = ..., rebalance_count: _Optional[int] = ..., failed_rebalances: _Optional[_Iterable[_Union[FailedRebalance, _Mapping]]] = ..., final_holdings: _Optional[_Iterable[_Union[_portfolio_pb2.Holding, _Mapping]]] = ..., final_cash: _Optional[float] = ...) -> None: ...

class BacktestResult(_message.Message):
    __slots__ = ("metrics", "costs", "strategies", "benchmarks", "input_fingerprint", "compute_duration", "warnings")
    METRICS_FIELD_NUMBER: _ClassVar[int]
    COSTS_FIELD_NUMBER: _ClassVar[int]
    STRATEGIES_FIELD_NUMBER: _ClassVar[int]
    BENCHMARKS_FIELD_NUMBER: _ClassVar[int]
    INPUT_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_DURATION_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    metrics: PerformanceMetrics
    costs: CostBreakdown
    strategies: _containers.RepeatedCompositeFieldContainer[StrategyResult]
    benchmarks: _containers.RepeatedCompositeFieldContainer[StrategyResult]
    input_fingerprint: str
    compute_duration: _duration_pb2.Duration
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    def __init__(self, metrics: _Optional[_Union[PerformanceMetrics, _Mapping]] = ..., costs: _Optional[_Union[CostBreakdown, _Mapping]] = ..., strategies: _Optional[_Iterable[_Union[StrategyResult, _Mapping]]] = ..., benchmarks: _Optional[_Iterable[_Union[StrategyResult, _Mapping]]] = ..., input_fingerprint: _Optional[str] = ..., compute_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ...) -> None: ...

class Backtest(_message.Message):
    __slots__ = ("name", "state", "result", "error", "fraction", "create_time", "finish_time", "request_id", "warnings")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: BacktestState
    result: BacktestResult
    error: _status_pb2.Status
    fraction: float
    create_time: _timestamp_pb2.Timestamp
    finish_time: _timestamp_pb2.Timestamp
    request_id: str
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[BacktestState, str]] = ..., result: _Optional[_Union[BacktestResult, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., fraction: _Optional[float] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ...) -> None: ...

class Sweep(_message.Message):
    __slots__ = ("name", "state", "trial_count", "request_id", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TRIAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: BacktestState
    trial_count: int
    request_id: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[BacktestState, str]] = ..., trial_count: _Optional[int] = ..., request_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
