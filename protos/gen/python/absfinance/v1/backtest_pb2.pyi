import datetime

from absfinance.v1 import attribution_pb2 as _attribution_pb2
from absfinance.v1 import cost_pb2 as _cost_pb2
from absfinance.v1 import frequency_pb2 as _frequency_pb2
from absfinance.v1 import objective_pb2 as _objective_pb2
from absfinance.v1 import optimization_pb2 as _optimization_pb2
from absfinance.v1 import portfolio_pb2 as _portfolio_pb2
from absfinance.v1 import statistical_validation_pb2 as _statistical_validation_pb2
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

class RebalanceDay(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REBALANCE_DAY_UNSPECIFIED: _ClassVar[RebalanceDay]
    REBALANCE_DAY_FIRST: _ClassVar[RebalanceDay]
    REBALANCE_DAY_LAST: _ClassVar[RebalanceDay]
    REBALANCE_DAY_NTH: _ClassVar[RebalanceDay]

class Fill(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FILL_UNSPECIFIED: _ClassVar[Fill]
    FILL_NEXT_CLOSE: _ClassVar[Fill]
    FILL_NEXT_OPEN: _ClassVar[Fill]
    FILL_SAME_CLOSE: _ClassVar[Fill]

class FlowTiming(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FLOW_TIMING_UNSPECIFIED: _ClassVar[FlowTiming]
    FLOW_TIMING_END_OF_DAY: _ClassVar[FlowTiming]
    FLOW_TIMING_START_OF_DAY: _ClassVar[FlowTiming]

class Conventions(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONVENTIONS_UNSPECIFIED: _ClassVar[Conventions]
    CONVENTIONS_EXACT: _ClassVar[Conventions]
    CONVENTIONS_BT: _ClassVar[Conventions]
    CONVENTIONS_VECTORBT: _ClassVar[Conventions]

class BacktestState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BACKTEST_STATE_UNSPECIFIED: _ClassVar[BacktestState]
    BACKTEST_STATE_QUEUED: _ClassVar[BacktestState]
    BACKTEST_STATE_RUNNING: _ClassVar[BacktestState]
    BACKTEST_STATE_SUCCEEDED: _ClassVar[BacktestState]
    BACKTEST_STATE_FAILED: _ClassVar[BacktestState]
    BACKTEST_STATE_CANCELLED: _ClassVar[BacktestState]
REBALANCE_DAY_UNSPECIFIED: RebalanceDay
REBALANCE_DAY_FIRST: RebalanceDay
REBALANCE_DAY_LAST: RebalanceDay
REBALANCE_DAY_NTH: RebalanceDay
FILL_UNSPECIFIED: Fill
FILL_NEXT_CLOSE: Fill
FILL_NEXT_OPEN: Fill
FILL_SAME_CLOSE: Fill
FLOW_TIMING_UNSPECIFIED: FlowTiming
FLOW_TIMING_END_OF_DAY: FlowTiming
FLOW_TIMING_START_OF_DAY: FlowTiming
CONVENTIONS_UNSPECIFIED: Conventions
CONVENTIONS_EXACT: Conventions
CONVENTIONS_BT: Conventions
CONVENTIONS_VECTORBT: Conventions
BACKTEST_STATE_UNSPECIFIED: BacktestState
BACKTEST_STATE_QUEUED: BacktestState
BACKTEST_STATE_RUNNING: BacktestState
BACKTEST_STATE_SUCCEEDED: BacktestState
BACKTEST_STATE_FAILED: BacktestState
BACKTEST_STATE_CANCELLED: BacktestState

class Strategy(_message.Message):
    __slots__ = ("label", "equal_weight", "fixed_weights", "schedule", "inverse_volatility", "optimize", "momentum", "volatility_target", "cppi", "blend", "remote", "select")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    EQUAL_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    FIXED_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    INVERSE_VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    OPTIMIZE_FIELD_NUMBER: _ClassVar[int]
    MOMENTUM_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_TARGET_FIELD_NUMBER: _ClassVar[int]
    CPPI_FIELD_NUMBER: _ClassVar[int]
    BLEND_FIELD_NUMBER: _ClassVar[int]
    REMOTE_FIELD_NUMBER: _ClassVar[int]
    SELECT_FIELD_NUMBER: _ClassVar[int]
    label: str
    equal_weight: _objective_pb2.EqualWeight
    fixed_weights: FixedWeights
    schedule: WeightSchedule
    inverse_volatility: InverseVolatilityStrategy
    optimize: _optimization_pb2.OptimizeSpec
    momentum: MomentumStrategy
    volatility_target: VolatilityTargetStrategy
    cppi: CppiStrategy
    blend: BlendStrategy
    remote: RemoteStrategy
    select: SelectStrategy
    def __init__(self, label: _Optional[str] = ..., equal_weight: _Optional[_Union[_objective_pb2.EqualWeight, _Mapping]] = ..., fixed_weights: _Optional[_Union[FixedWeights, _Mapping]] = ..., schedule: _Optional[_Union[WeightSchedule, _Mapping]] = ..., inverse_volatility: _Optional[_Union[InverseVolatilityStrategy, _Mapping]] = ..., optimize: _Optional[_Union[_optimization_pb2.OptimizeSpec, _Mapping]] = ..., momentum: _Optional[_Union[MomentumStrategy, _Mapping]] = ..., volatility_target: _Optional[_Union[VolatilityTargetStrategy, _Mapping]] = ..., cppi: _Optional[_Union[CppiStrategy, _Mapping]] = ..., blend: _Optional[_Union[BlendStrategy, _Mapping]] = ..., remote: _Optional[_Union[RemoteStrategy, _Mapping]] = ..., select: _Optional[_Union[SelectStrategy, _Mapping]] = ...) -> None: ...

class MomentumStrategy(_message.Message):
    __slots__ = ("lookback_periods", "skip_periods", "top_n")
    LOOKBACK_PERIODS_FIELD_NUMBER: _ClassVar[int]
    SKIP_PERIODS_FIELD_NUMBER: _ClassVar[int]
    TOP_N_FIELD_NUMBER: _ClassVar[int]
    lookback_periods: int
    skip_periods: int
    top_n: int
    def __init__(self, lookback_periods: _Optional[int] = ..., skip_periods: _Optional[int] = ..., top_n: _Optional[int] = ...) -> None: ...

class VolatilityTargetStrategy(_message.Message):
    __slots__ = ("base", "target_annual", "lookback_periods", "max_leverage")
    BASE_FIELD_NUMBER: _ClassVar[int]
    TARGET_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    LOOKBACK_PERIODS_FIELD_NUMBER: _ClassVar[int]
    MAX_LEVERAGE_FIELD_NUMBER: _ClassVar[int]
    base: Strategy
    target_annual: float
    lookback_periods: int
    max_leverage: float
    def __init__(self, base: _Optional[_Union[Strategy, _Mapping]] = ..., target_annual: _Optional[float] = ..., lookback_periods: _Optional[int] = ..., max_leverage: _Optional[float] = ...) -> None: ...

class CppiStrategy(_message.Message):
    __slots__ = ("base", "floor", "multiplier")
    BASE_FIELD_NUMBER: _ClassVar[int]
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    base: Strategy
    floor: float
    multiplier: float
    def __init__(self, base: _Optional[_Union[Strategy, _Mapping]] = ..., floor: _Optional[float] = ..., multiplier: _Optional[float] = ...) -> None: ...

class BlendStrategy(_message.Message):
    __slots__ = ("parts", "rebalancing")
    class Part(_message.Message):
        __slots__ = ("strategy", "weight", "rebalancing")
        STRATEGY_FIELD_NUMBER: _ClassVar[int]
        WEIGHT_FIELD_NUMBER: _ClassVar[int]
        REBALANCING_FIELD_NUMBER: _ClassVar[int]
        strategy: Strategy
        weight: float
        rebalancing: RebalancingDates
        def __init__(self, strategy: _Optional[_Union[Strategy, _Mapping]] = ..., weight: _Optional[float] = ..., rebalancing: _Optional[_Union[RebalancingDates, _Mapping]] = ...) -> None: ...
    PARTS_FIELD_NUMBER: _ClassVar[int]
    REBALANCING_FIELD_NUMBER: _ClassVar[int]
    parts: _containers.RepeatedCompositeFieldContainer[BlendStrategy.Part]
    rebalancing: RebalancingDates
    def __init__(self, parts: _Optional[_Iterable[_Union[BlendStrategy.Part, _Mapping]]] = ..., rebalancing: _Optional[_Union[RebalancingDates, _Mapping]] = ...) -> None: ...

class RebalancingDates(_message.Message):
    __slots__ = ("calendar", "every_periods", "never")
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    EVERY_PERIODS_FIELD_NUMBER: _ClassVar[int]
    NEVER_FIELD_NUMBER: _ClassVar[int]
    calendar: Rebalancing.Calendar
    every_periods: Rebalancing.EveryPeriods
    never: Rebalancing.Never
    def __init__(self, calendar: _Optional[_Union[Rebalancing.Calendar, _Mapping]] = ..., every_periods: _Optional[_Union[Rebalancing.EveryPeriods, _Mapping]] = ..., never: _Optional[_Union[Rebalancing.Never, _Mapping]] = ...) -> None: ...

class SelectStrategy(_message.Message):
    __slots__ = ("candidates", "lookback_periods", "score", "purge_periods", "reselect_every", "before")
    class Score(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SCORE_UNSPECIFIED: _ClassVar[SelectStrategy.Score]
        SCORE_SHARPE: _ClassVar[SelectStrategy.Score]
        SCORE_SORTINO: _ClassVar[SelectStrategy.Score]
        SCORE_CALMAR: _ClassVar[SelectStrategy.Score]
        SCORE_CAGR: _ClassVar[SelectStrategy.Score]
        SCORE_TOTAL_RETURN: _ClassVar[SelectStrategy.Score]
        SCORE_VOLATILITY_ANNUAL: _ClassVar[SelectStrategy.Score]
        SCORE_MAX_DRAWDOWN: _ClassVar[SelectStrategy.Score]
        SCORE_VALUE_AT_RISK: _ClassVar[SelectStrategy.Score]
        SCORE_CONDITIONAL_VALUE_AT_RISK: _ClassVar[SelectStrategy.Score]
    SCORE_UNSPECIFIED: SelectStrategy.Score
    SCORE_SHARPE: SelectStrategy.Score
    SCORE_SORTINO: SelectStrategy.Score
    SCORE_CALMAR: SelectStrategy.Score
    SCORE_CAGR: SelectStrategy.Score
    SCORE_TOTAL_RETURN: SelectStrategy.Score
    SCORE_VOLATILITY_ANNUAL: SelectStrategy.Score
    SCORE_MAX_DRAWDOWN: SelectStrategy.Score
    SCORE_VALUE_AT_RISK: SelectStrategy.Score
    SCORE_CONDITIONAL_VALUE_AT_RISK: SelectStrategy.Score
    class Before(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        BEFORE_UNSPECIFIED: _ClassVar[SelectStrategy.Before]
        BEFORE_FIRST_CANDIDATE: _ClassVar[SelectStrategy.Before]
        BEFORE_EQUAL_PARTS: _ClassVar[SelectStrategy.Before]
        BEFORE_CASH: _ClassVar[SelectStrategy.Before]
    BEFORE_UNSPECIFIED: SelectStrategy.Before
    BEFORE_FIRST_CANDIDATE: SelectStrategy.Before
    BEFORE_EQUAL_PARTS: SelectStrategy.Before
    BEFORE_CASH: SelectStrategy.Before
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    LOOKBACK_PERIODS_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    PURGE_PERIODS_FIELD_NUMBER: _ClassVar[int]
    RESELECT_EVERY_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    candidates: _containers.RepeatedCompositeFieldContainer[Strategy]
    lookback_periods: int
    score: SelectStrategy.Score
    purge_periods: int
    reselect_every: int
    before: SelectStrategy.Before
    def __init__(self, candidates: _Optional[_Iterable[_Union[Strategy, _Mapping]]] = ..., lookback_periods: _Optional[int] = ..., score: _Optional[_Union[SelectStrategy.Score, str]] = ..., purge_periods: _Optional[int] = ..., reselect_every: _Optional[int] = ..., before: _Optional[_Union[SelectStrategy.Before, str]] = ...) -> None: ...

class RemoteStrategy(_message.Message):
    __slots__ = ("target", "timeout")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    target: str
    timeout: _duration_pb2.Duration
    def __init__(self, target: _Optional[str] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

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
    __slots__ = ("calendar", "every_periods", "never", "drift_band", "min_periods_between", "flows_only", "max_turnover", "tranches")
    class Calendar(_message.Message):
        __slots__ = ("frequency", "day", "offset_days", "nth_day")
        FREQUENCY_FIELD_NUMBER: _ClassVar[int]
        DAY_FIELD_NUMBER: _ClassVar[int]
        OFFSET_DAYS_FIELD_NUMBER: _ClassVar[int]
        NTH_DAY_FIELD_NUMBER: _ClassVar[int]
        frequency: _frequency_pb2.Frequency
        day: RebalanceDay
        offset_days: int
        nth_day: int
        def __init__(self, frequency: _Optional[_Union[_frequency_pb2.Frequency, str]] = ..., day: _Optional[_Union[RebalanceDay, str]] = ..., offset_days: _Optional[int] = ..., nth_day: _Optional[int] = ...) -> None: ...
    class EveryPeriods(_message.Message):
        __slots__ = ("n",)
        N_FIELD_NUMBER: _ClassVar[int]
        n: int
        def __init__(self, n: _Optional[int] = ...) -> None: ...
    class Never(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class DriftBand(_message.Message):
        __slots__ = ("absolute", "relative", "destination", "by_asset", "by_group", "trigger", "max_tracking_error_annual", "risk_aversion", "horizon_days", "scope", "fraction")
        class BandTrigger(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            BAND_TRIGGER_UNSPECIFIED: _ClassVar[Rebalancing.DriftBand.BandTrigger]
            BAND_TRIGGER_ANY_BREACH: _ClassVar[Rebalancing.DriftBand.BandTrigger]
            BAND_TRIGGER_TRACKING_ERROR: _ClassVar[Rebalancing.DriftBand.BandTrigger]
            BAND_TRIGGER_COST_BENEFIT: _ClassVar[Rebalancing.DriftBand.BandTrigger]
        BAND_TRIGGER_UNSPECIFIED: Rebalancing.DriftBand.BandTrigger
        BAND_TRIGGER_ANY_BREACH: Rebalancing.DriftBand.BandTrigger
        BAND_TRIGGER_TRACKING_ERROR: Rebalancing.DriftBand.BandTrigger
        BAND_TRIGGER_COST_BENEFIT: Rebalancing.DriftBand.BandTrigger
        class BandScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            BAND_SCOPE_UNSPECIFIED: _ClassVar[Rebalancing.DriftBand.BandScope]
            BAND_SCOPE_ALL: _ClassVar[Rebalancing.DriftBand.BandScope]
            BAND_SCOPE_BREACHED: _ClassVar[Rebalancing.DriftBand.BandScope]
        BAND_SCOPE_UNSPECIFIED: Rebalancing.DriftBand.BandScope
        BAND_SCOPE_ALL: Rebalancing.DriftBand.BandScope
        BAND_SCOPE_BREACHED: Rebalancing.DriftBand.BandScope
        class Destination(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            DESTINATION_UNSPECIFIED: _ClassVar[Rebalancing.DriftBand.Destination]
            DESTINATION_TARGET: _ClassVar[Rebalancing.DriftBand.Destination]
            DESTINATION_EDGE: _ClassVar[Rebalancing.DriftBand.Destination]
            DESTINATION_FRACTION: _ClassVar[Rebalancing.DriftBand.Destination]
        DESTINATION_UNSPECIFIED: Rebalancing.DriftBand.Destination
        DESTINATION_TARGET: Rebalancing.DriftBand.Destination
        DESTINATION_EDGE: Rebalancing.DriftBand.Destination
        DESTINATION_FRACTION: Rebalancing.DriftBand.Destination
        class AssetBand(_message.Message):
            __slots__ = ("symbol", "absolute", "relative")
            SYMBOL_FIELD_NUMBER: _ClassVar[int]
            ABSOLUTE_FIELD_NUMBER: _ClassVar[int]
            RELATIVE_FIELD_NUMBER: _ClassVar[int]
            symbol: str
            absolute: float
            relative: float
            def __init__(self, symbol: _Optional[str] = ..., absolute: _Optional[float] = ..., relative: _Optional[float] = ...) -> None: ...
        class GroupBand(_message.Message):
            __slots__ = ("group", "absolute", "relative")
            GROUP_FIELD_NUMBER: _ClassVar[int]
            ABSOLUTE_FIELD_NUMBER: _ClassVar[int]
            RELATIVE_FIELD_NUMBER: _ClassVar[int]
            group: str
            absolute: float
            relative: float
            def __init__(self, group: _Optional[str] = ..., absolute: _Optional[float] = ..., relative: _Optional[float] = ...) -> None: ...
        ABSOLUTE_FIELD_NUMBER: _ClassVar[int]
        RELATIVE_FIELD_NUMBER: _ClassVar[int]
        DESTINATION_FIELD_NUMBER: _ClassVar[int]
        BY_ASSET_FIELD_NUMBER: _ClassVar[int]
        BY_GROUP_FIELD_NUMBER: _ClassVar[int]
        TRIGGER_FIELD_NUMBER: _ClassVar[int]
        MAX_TRACKING_ERROR_ANNUAL_FIELD_NUMBER: _ClassVar[int]
        RISK_AVERSION_FIELD_NUMBER: _ClassVar[int]
        HORIZON_DAYS_FIELD_NUMBER: _ClassVar[int]
        SCOPE_FIELD_NUMBER: _ClassVar[int]
        FRACTION_FIELD_NUMBER: _ClassVar[int]
        absolute: float
        relative: float
        destination: Rebalancing.DriftBand.Destination
        by_asset: _containers.RepeatedCompositeFieldContainer[Rebalancing.DriftBand.AssetBand]
        by_group: _containers.RepeatedCompositeFieldContainer[Rebalancing.DriftBand.GroupBand]
        trigger: Rebalancing.DriftBand.BandTrigger
        max_tracking_error_annual: float
        risk_aversion: float
        horizon_days: int
        scope: Rebalancing.DriftBand.BandScope
        fraction: float
        def __init__(self, absolute: _Optional[float] = ..., relative: _Optional[float] = ..., destination: _Optional[_Union[Rebalancing.DriftBand.Destination, str]] = ..., by_asset: _Optional[_Iterable[_Union[Rebalancing.DriftBand.AssetBand, _Mapping]]] = ..., by_group: _Optional[_Iterable[_Union[Rebalancing.DriftBand.GroupBand, _Mapping]]] = ..., trigger: _Optional[_Union[Rebalancing.DriftBand.BandTrigger, str]] = ..., max_tracking_error_annual: _Optional[float] = ..., risk_aversion: _Optional[float] = ..., horizon_days: _Optional[int] = ..., scope: _Optional[_Union[Rebalancing.DriftBand.BandScope, str]] = ..., fraction: _Optional[float] = ...) -> None: ...
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    EVERY_PERIODS_FIELD_NUMBER: _ClassVar[int]
    NEVER_FIELD_NUMBER: _ClassVar[int]
    DRIFT_BAND_FIELD_NUMBER: _ClassVar[int]
    MIN_PERIODS_BETWEEN_FIELD_NUMBER: _ClassVar[int]
    FLOWS_ONLY_FIELD_NUMBER: _ClassVar[int]
    MAX_TURNOVER_FIELD_NUMBER: _ClassVar[int]
    TRANCHES_FIELD_NUMBER: _ClassVar[int]
    calendar: Rebalancing.Calendar
    every_periods: Rebalancing.EveryPeriods
    never: Rebalancing.Never
    drift_band: Rebalancing.DriftBand
    min_periods_between: int
    flows_only: bool
    max_turnover: float
    tranches: int
    def __init__(self, calendar: _Optional[_Union[Rebalancing.Calendar, _Mapping]] = ..., every_periods: _Optional[_Union[Rebalancing.EveryPeriods, _Mapping]] = ..., never: _Optional[_Union[Rebalancing.Never, _Mapping]] = ..., drift_band: _Optional[_Union[Rebalancing.DriftBand, _Mapping]] = ..., min_periods_between: _Optional[int] = ..., flows_only: _Optional[bool] = ..., max_turnover: _Optional[float] = ..., tranches: _Optional[int] = ...) -> None: ...

class Execution(_message.Message):
    __slots__ = ("fill", "lag_periods", "max_participation")
    FILL_FIELD_NUMBER: _ClassVar[int]
    LAG_PERIODS_FIELD_NUMBER: _ClassVar[int]
    MAX_PARTICIPATION_FIELD_NUMBER: _ClassVar[int]
    fill: Fill
    lag_periods: int
    max_participation: float
    def __init__(self, fill: _Optional[_Union[Fill, str]] = ..., lag_periods: _Optional[int] = ..., max_participation: _Optional[float] = ...) -> None: ...

class UniverseStep(_message.Message):
    __slots__ = ("date", "symbols")
    DATE_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    date: _date_pb2.Date
    symbols: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., symbols: _Optional[_Iterable[str]] = ...) -> None: ...

class CashFlow(_message.Message):
    __slots__ = ("date", "amount", "timing")
    DATE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    TIMING_FIELD_NUMBER: _ClassVar[int]
    date: _date_pb2.Date
    amount: float
    timing: FlowTiming
    def __init__(self, date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., amount: _Optional[float] = ..., timing: _Optional[_Union[FlowTiming, str]] = ...) -> None: ...

class RecurringCashFlow(_message.Message):
    __slots__ = ("amount", "fraction_of_nav", "frequency", "growth_annual", "start_date", "end_date")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FRACTION_OF_NAV_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    GROWTH_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    amount: float
    fraction_of_nav: float
    frequency: _frequency_pb2.Frequency
    growth_annual: float
    start_date: _date_pb2.Date
    end_date: _date_pb2.Date
    def __init__(self, amount: _Optional[float] = ..., fraction_of_nav: _Optional[float] = ..., frequency: _Optional[_Union[_frequency_pb2.Frequency, str]] = ..., growth_annual: _Optional[float] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class Margin(_message.Message):
    __slots__ = ("maintenance_ratio",)
    MAINTENANCE_RATIO_FIELD_NUMBER: _ClassVar[int]
    maintenance_ratio: float
    def __init__(self, maintenance_ratio: _Optional[float] = ...) -> None: ...

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
    __slots__ = ("attribution", "statistical_validation", "risk_free_rate_annual", "minimum_acceptable_return_annual")
    ATTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    STATISTICAL_VALIDATION_FIELD_NUMBER: _ClassVar[int]
    RISK_FREE_RATE_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_ACCEPTABLE_RETURN_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    attribution: _attribution_pb2.AttributionOptions
    statistical_validation: _statistical_validation_pb2.StatisticalValidationOptions
    risk_free_rate_annual: float
    minimum_acceptable_return_annual: float
    def __init__(self, attribution: _Optional[_Union[_attribution_pb2.AttributionOptions, _Mapping]] = ..., statistical_validation: _Optional[_Union[_statistical_validation_pb2.StatisticalValidationOptions, _Mapping]] = ..., risk_free_rate_annual: _Optional[float] = ..., minimum_acceptable_return_annual: _Optional[float] = ...) -> None: ...

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

class FailedRebalance(_message.Message):
    __slots__ = ("date", "reason", "message")
    DATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    date: _date_pb2.Date
    reason: str
    message: str
    def __init__(self, date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Reconciliation(_message.Message):
    __slots__ = ("start_nav", "flows", "gains", "costs", "end_nav", "uncovered_loss")
    START_NAV_FIELD_NUMBER: _ClassVar[int]
    FLOWS_FIELD_NUMBER: _ClassVar[int]
    GAINS_FIELD_NUMBER: _ClassVar[int]
    COSTS_FIELD_NUMBER: _ClassVar[int]
    END_NAV_FIELD_NUMBER: _ClassVar[int]
    UNCOVERED_LOSS_FIELD_NUMBER: _ClassVar[int]
    start_nav: float
    flows: float
    gains: float
    costs: float
    end_nav: float
    uncovered_loss: float
    def __init__(self, start_nav: _Optional[float] = ..., flows: _Optional[float] = ..., gains: _Optional[float] = ..., costs: _Optional[float] = ..., end_nav: _Optional[float] = ..., uncovered_loss: _Optional[float] = ...) -> None: ...

class AssetEvent(_message.Message):
    __slots__ = ("date", "symbol", "kind", "quantity_before", "quantity_after", "cash")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[AssetEvent.Kind]
        KIND_SPLIT: _ClassVar[AssetEvent.Kind]
        KIND_CASH_DIVIDEND: _ClassVar[AssetEvent.Kind]
        KIND_DELISTING: _ClassVar[AssetEvent.Kind]
        KIND_MARGIN_CALL: _ClassVar[AssetEvent.Kind]
        KIND_LISTING: _ClassVar[AssetEvent.Kind]
        KIND_HALT_BEGIN: _ClassVar[AssetEvent.Kind]
        KIND_HALT_END: _ClassVar[AssetEvent.Kind]
        KIND_WORTHLESS: _ClassVar[AssetEvent.Kind]
    KIND_UNSPECIFIED: AssetEvent.Kind
    KIND_SPLIT: AssetEvent.Kind
    KIND_CASH_DIVIDEND: AssetEvent.Kind
    KIND_DELISTING: AssetEvent.Kind
    KIND_MARGIN_CALL: AssetEvent.Kind
    KIND_LISTING: AssetEvent.Kind
    KIND_HALT_BEGIN: AssetEvent.Kind
    KIND_HALT_END: AssetEvent.Kind
    KIND_WORTHLESS: AssetEvent.Kind
    DATE_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_BEFORE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_AFTER_FIELD_NUMBER: _ClassVar[int]
    CASH_FIELD_NUMBER: _ClassVar[int]
    date: _date_pb2.Date
    symbol: str
    kind: AssetEvent.Kind
    quantity_before: float
    quantity_after: float
    cash: float
    def __init__(self, date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., symbol: _Optional[str] = ..., kind: _Optional[_Union[AssetEvent.Kind, str]] = ..., quantity_before: _Optional[float] = ..., quantity_after: _Optional[float] = ..., cash: _Optional[float] = ...) -> None: ...

class PeriodReturns(_message.Message):
    __slots__ = ("start_dates", "end_dates", "returns")
    START_DATES_FIELD_NUMBER: _ClassVar[int]
    END_DATES_FIELD_NUMBER: _ClassVar[int]
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    start_dates: _containers.RepeatedScalarFieldContainer[int]
    end_dates: _containers.RepeatedScalarFieldContainer[int]
    returns: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, start_dates: _Optional[_Iterable[int]] = ..., end_dates: _Optional[_Iterable[int]] = ..., returns: _Optional[_Iterable[float]] = ...) -> None: ...

class RollingReturns(_message.Message):
    __slots__ = ("years", "count", "latest", "lowest", "median", "highest", "positive_fraction", "lowest_end_date", "highest_end_date")
    YEARS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    LATEST_FIELD_NUMBER: _ClassVar[int]
    LOWEST_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    HIGHEST_FIELD_NUMBER: _ClassVar[int]
    POSITIVE_FRACTION_FIELD_NUMBER: _ClassVar[int]
    LOWEST_END_DATE_FIELD_NUMBER: _ClassVar[int]
    HIGHEST_END_DATE_FIELD_NUMBER: _ClassVar[int]
    years: int
    count: int
    latest: float
    lowest: float
    median: float
    highest: float
    positive_fraction: float
    lowest_end_date: _date_pb2.Date
    highest_end_date: _date_pb2.Date
    def __init__(self, years: _Optional[int] = ..., count: _Optional[int] = ..., latest: _Optional[float] = ..., lowest: _Optional[float] = ..., median: _Optional[float] = ..., highest: _Optional[float] = ..., positive_fraction: _Optional[float] = ..., lowest_end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., highest_end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class ReturnTables(_message.Message):
    __slots__ = ("months", "years", "best_periods", "worst_periods", "best_months", "worst_months", "best_years", "worst_years", "rolling", "gross_total_return")
    MONTHS_FIELD_NUMBER: _ClassVar[int]
    YEARS_FIELD_NUMBER: _ClassVar[int]
    BEST_PERIODS_FIELD_NUMBER: _ClassVar[int]
    WORST_PERIODS_FIELD_NUMBER: _ClassVar[int]
    BEST_MONTHS_FIELD_NUMBER: _ClassVar[int]
    WORST_MONTHS_FIELD_NUMBER: _ClassVar[int]
    BEST_YEARS_FIELD_NUMBER: _ClassVar[int]
    WORST_YEARS_FIELD_NUMBER: _ClassVar[int]
    ROLLING_FIELD_NUMBER: _ClassVar[int]
    GROSS_TOTAL_RETURN_FIELD_NUMBER: _ClassVar[int]
    months: PeriodReturns
    years: PeriodReturns
    best_periods: PeriodReturns
    worst_periods: PeriodReturns
    best_months: PeriodReturns
    worst_months: PeriodReturns
    best_years: PeriodReturns
    worst_years: PeriodReturns
    rolling: _containers.RepeatedCompositeFieldContainer[RollingReturns]
    gross_total_return: float
    def __init__(self, months: _Optional[_Union[PeriodReturns, _Mapping]] = ..., years: _Optional[_Union[PeriodReturns, _Mapping]] = ..., best_periods: _Optional[_Union[PeriodReturns, _Mapping]] = ..., worst_periods: _Optional[_Union[PeriodReturns, _Mapping]] = ..., best_months: _Optional[_Union[PeriodReturns, _Mapping]] = ..., worst_months: _Optional[_Union[PeriodReturns, _Mapping]] = ..., best_years: _Optional[_Union[PeriodReturns, _Mapping]] = ..., worst_years: _Optional[_Union[PeriodReturns, _Mapping]] = ..., rolling: _Optional[_Iterable[_Union[RollingReturns, _Mapping]]] = ..., gross_total_return: _Optional[float] = ...) -> None: ...

class BenchmarkComparison(_message.Message):
    __slots__ = ("benchmark", "observations", "beta", "correlation", "alpha_annual", "tracking_error_annual", "information_ratio", "capture_up", "capture_down", "batting_average", "excess_return", "undefined")
    class UndefinedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    BETA_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    ALPHA_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    TRACKING_ERROR_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    INFORMATION_RATIO_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_UP_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_DOWN_FIELD_NUMBER: _ClassVar[int]
    BATTING_AVERAGE_FIELD_NUMBER: _ClassVar[int]
    EXCESS_RETURN_FIELD_NUMBER: _ClassVar[int]
    UNDEFINED_FIELD_NUMBER: _ClassVar[int]
    benchmark: str
    observations: int
    beta: float
    correlation: float
    alpha_annual: float
    tracking_error_annual: float
    information_ratio: float
    capture_up: float
    capture_down: float
    batting_average: float
    excess_return: float
    undefined: _containers.ScalarMap[str, str]
    def __init__(self, benchmark: _Optional[str] = ..., observations: _Optional[int] = ..., beta: _Optional[float] = ..., correlation: _Optional[float] = ..., alpha_annual: _Optional[float] = ..., tracking_error_annual: _Optional[float] = ..., information_ratio: _Optional[float] = ..., capture_up: _Optional[float] = ..., capture_down: _Optional[float] = ..., batting_average: _Optional[float] = ..., excess_return: _Optional[float] = ..., undefined: _Optional[_Mapping[str, str]] = ...) -> None: ...

class SelectionResult(_message.Message):
    __slots__ = ("choices", "choice_count", "candidates", "in_sample_mean", "out_of_sample_mean", "degradation_slope", "loss_share", "compared_count", "undefined")
    class Choice(_message.Message):
        __slots__ = ("date", "candidate", "in_sample_score", "out_of_sample_score", "undefined")
        class UndefinedEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        DATE_FIELD_NUMBER: _ClassVar[int]
        CANDIDATE_FIELD_NUMBER: _ClassVar[int]
        IN_SAMPLE_SCORE_FIELD_NUMBER: _ClassVar[int]
        OUT_OF_SAMPLE_SCORE_FIELD_NUMBER: _ClassVar[int]
        UNDEFINED_FIELD_NUMBER: _ClassVar[int]
        date: _date_pb2.Date
        candidate: str
        in_sample_score: float
        out_of_sample_score: float
        undefined: _containers.ScalarMap[str, str]
        def __init__(self, date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., candidate: _Optional[str] = ..., in_sample_score: _Optional[float] = ..., out_of_sample_score: _Optional[float] = ..., undefined: _Optional[_Mapping[str, str]] = ...) -> None: ...
    class Count(_message.Message):
        __slots__ = ("candidate", "chosen")
        CANDIDATE_FIELD_NUMBER: _ClassVar[int]
        CHOSEN_FIELD_NUMBER: _ClassVar[int]
        candidate: str
        chosen: int
        def __init__(self, candidate: _Optional[str] = ..., chosen: _Optional[int] = ...) -> None: ...
    class UndefinedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    CHOICE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    IN_SAMPLE_MEAN_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_SAMPLE_MEAN_FIELD_NUMBER: _ClassVar[int]
    DEGRADATION_SLOPE_FIELD_NUMBER: _ClassVar[int]
    LOSS_SHARE_FIELD_NUMBER: _ClassVar[int]
    COMPARED_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNDEFINED_FIELD_NUMBER: _ClassVar[int]
    choices: _containers.RepeatedCompositeFieldContainer[SelectionResult.Choice]
    choice_count: int
    candidates: _containers.RepeatedCompositeFieldContainer[SelectionResult.Count]
    in_sample_mean: float
    out_of_sample_mean: float
    degradation_slope: float
    loss_share: float
    compared_count: int
    undefined: _containers.ScalarMap[str, str]
    def __init__(self, choices: _Optional[_Iterable[_Union[SelectionResult.Choice, _Mapping]]] = ..., choice_count: _Optional[int] = ..., candidates: _Optional[_Iterable[_Union[SelectionResult.Count, _Mapping]]] = ..., in_sample_mean: _Optional[float] = ..., out_of_sample_mean: _Optional[float] = ..., degradation_slope: _Optional[float] = ..., loss_share: _Optional[float] = ..., compared_count: _Optional[int] = ..., undefined: _Optional[_Mapping[str, str]] = ...) -> None: ...

class StrategyResult(_message.Message):
    __slots__ = ("label", "metrics", "costs", "rebalance_count", "failed_rebalances", "final_holdings", "final_cash", "final_nav", "money_weighted_return", "bankrupt_date", "convention_difference", "reconciliation", "asset_events", "attribution", "statistical_validation", "asset_event_count", "return_tables", "benchmark_comparisons", "selection")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    COSTS_FIELD_NUMBER: _ClassVar[int]
    REBALANCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILED_REBALANCES_FIELD_NUMBER: _ClassVar[int]
    FINAL_HOLDINGS_FIELD_NUMBER: _ClassVar[int]
    FINAL_CASH_FIELD_NUMBER: _ClassVar[int]
    FINAL_NAV_FIELD_NUMBER: _ClassVar[int]
    MONEY_WEIGHTED_RETURN_FIELD_NUMBER: _ClassVar[int]
    BANKRUPT_DATE_FIELD_NUMBER: _ClassVar[int]
    CONVENTION_DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    RECONCILIATION_FIELD_NUMBER: _ClassVar[int]
    ASSET_EVENTS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    STATISTICAL_VALIDATION_FIELD_NUMBER: _ClassVar[int]
    ASSET_EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    RETURN_TABLES_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_COMPARISONS_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    label: str
    metrics: PerformanceMetrics
    costs: _cost_pb2.CostBreakdown
    rebalance_count: int
    failed_rebalances: _containers.RepeatedCompositeFieldContainer[FailedRebalance]
    final_holdings: _containers.RepeatedCompositeFieldContainer[_portfolio_pb2.Holding]
    final_cash: float
    final_nav: float
    money_weighted_return: float
    bankrupt_date: _date_pb2.Date
    convention_difference: float
    reconciliation: Reconciliation
    asset_events: _containers.RepeatedCompositeFieldContainer[AssetEvent]
    attribution: _attribution_pb2.PathAttribution
    statistical_validation: _statistical_validation_pb2.StatisticalValidation
    asset_event_count: int
    return_tables: ReturnTables
    benchmark_comparisons: _containers.RepeatedCompositeFieldContainer[BenchmarkComparison]
    selection: SelectionResult
    def __init__(self, label: _Optional[str] = ..., metrics: _Optional[_Union[PerformanceMetrics, _Mapping]] = ..., costs: _Optional[_Union[_cost_pb2.CostBreakdown, _Mapping]] = ..., rebalance_count: _Optional[int] = ..., failed_rebalances: _Optional[_Iterable[_Union[FailedRebalance, _Mapping]]] = ..., final_holdings: _Optional[_Iterable[_Union[_portfolio_pb2.Holding, _Mapping]]] = ..., final_cash: _Optional[float] = ..., final_nav: _Optional[float] = ..., money_weighted_return: _Optional[float] = ..., bankrupt_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., convention_difference: _Optional[float] = ..., reconciliation: _Optional[_Union[Reconciliation, _Mapping]] = ..., asset_events: _Optional[_Iterable[_Union[AssetEvent, _Mapping]]] = ..., attribution: _Optional[_Union[_attribution_pb2.PathAttribution, _Mapping]] = ..., statistical_validation: _Optional[_Union[_statistical_validation_pb2.StatisticalValidation, _Mapping]] = ..., asset_event_count: _Optional[int] = ..., return_tables: _Optional[_Union[ReturnTables, _Mapping]] = ..., benchmark_comparisons: _Optional[_Iterable[_Union[BenchmarkComparison, _Mapping]]] = ..., selection: _Optional[_Union[SelectionResult, _Mapping]] = ...) -> None: ...

class BacktestResult(_message.Message):
    __slots__ = ("metrics", "costs", "strategies", "benchmarks", "input_fingerprint", "compute_duration", "warnings", "final_nav", "money_weighted_return", "bankrupt_date", "convention_difference", "reconciliation", "asset_events", "attribution", "statistical_validation", "asset_event_count", "return_tables", "benchmark_comparisons", "selection")
    METRICS_FIELD_NUMBER: _ClassVar[int]
    COSTS_FIELD_NUMBER: _ClassVar[int]
    STRATEGIES_FIELD_NUMBER: _ClassVar[int]
    BENCHMARKS_FIELD_NUMBER: _ClassVar[int]
    INPUT_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_DURATION_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    FINAL_NAV_FIELD_NUMBER: _ClassVar[int]
    MONEY_WEIGHTED_RETURN_FIELD_NUMBER: _ClassVar[int]
    BANKRUPT_DATE_FIELD_NUMBER: _ClassVar[int]
    CONVENTION_DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    RECONCILIATION_FIELD_NUMBER: _ClassVar[int]
    ASSET_EVENTS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    STATISTICAL_VALIDATION_FIELD_NUMBER: _ClassVar[int]
    ASSET_EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    RETURN_TABLES_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_COMPARISONS_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    metrics: PerformanceMetrics
    costs: _cost_pb2.CostBreakdown
    strategies: _containers.RepeatedCompositeFieldContainer[StrategyResult]
    benchmarks: _containers.RepeatedCompositeFieldContainer[StrategyResult]
    input_fingerprint: str
    compute_duration: _duration_pb2.Duration
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    final_nav: float
    money_weighted_return: float
    bankrupt_date: _date_pb2.Date
    convention_difference: float
    reconciliation: Reconciliation
    asset_events: _containers.RepeatedCompositeFieldContainer[AssetEvent]
    attribution: _attribution_pb2.PathAttribution
    statistical_validation: _statistical_validation_pb2.StatisticalValidation
    asset_event_count: int
    return_tables: ReturnTables
    benchmark_comparisons: _containers.RepeatedCompositeFieldContainer[BenchmarkComparison]
    selection: SelectionResult
    def __init__(self, metrics: _Optional[_Union[PerformanceMetrics, _Mapping]] = ..., costs: _Optional[_Union[_cost_pb2.CostBreakdown, _Mapping]] = ..., strategies: _Optional[_Iterable[_Union[StrategyResult, _Mapping]]] = ..., benchmarks: _Optional[_Iterable[_Union[StrategyResult, _Mapping]]] = ..., input_fingerprint: _Optional[str] = ..., compute_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ..., final_nav: _Optional[float] = ..., money_weighted_return: _Optional[float] = ..., bankrupt_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., convention_difference: _Optional[float] = ..., reconciliation: _Optional[_Union[Reconciliation, _Mapping]] = ..., asset_events: _Optional[_Iterable[_Union[AssetEvent, _Mapping]]] = ..., attribution: _Optional[_Union[_attribution_pb2.PathAttribution, _Mapping]] = ..., statistical_validation: _Optional[_Union[_statistical_validation_pb2.StatisticalValidation, _Mapping]] = ..., asset_event_count: _Optional[int] = ..., return_tables: _Optional[_Union[ReturnTables, _Mapping]] = ..., benchmark_comparisons: _Optional[_Iterable[_Union[BenchmarkComparison, _Mapping]]] = ..., selection: _Optional[_Union[SelectionResult, _Mapping]] = ...) -> None: ...

class Backtest(_message.Message):
    __slots__ = ("name", "state", "result", "error", "fraction", "create_time", "finish_time", "request_id", "warnings", "label", "stale_since")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    STALE_SINCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: BacktestState
    result: BacktestResult
    error: _status_pb2.Status
    fraction: float
    create_time: _timestamp_pb2.Timestamp
    finish_time: _timestamp_pb2.Timestamp
    request_id: str
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    label: str
    stale_since: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[BacktestState, str]] = ..., result: _Optional[_Union[BacktestResult, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., fraction: _Optional[float] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ..., label: _Optional[str] = ..., stale_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
