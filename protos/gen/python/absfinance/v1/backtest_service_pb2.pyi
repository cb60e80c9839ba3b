import datetime

from absfinance.v1 import backtest_pb2 as _backtest_pb2
from absfinance.v1 import chart_pb2 as _chart_pb2
from absfinance.v1 import corporate_action_pb2 as _corporate_action_pb2
from absfinance.v1 import cost_pb2 as _cost_pb2
from absfinance.v1 import panel_pb2 as _panel_pb2
from absfinance.v1 import portfolio_pb2 as _portfolio_pb2
from absfinance.v1 import sweep_pb2 as _sweep_pb2
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

class BacktestSeries(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BACKTEST_SERIES_UNSPECIFIED: _ClassVar[BacktestSeries]
    BACKTEST_SERIES_EQUITY: _ClassVar[BacktestSeries]
    BACKTEST_SERIES_WEIGHTS: _ClassVar[BacktestSeries]
    BACKTEST_SERIES_TRADES: _ClassVar[BacktestSeries]
    BACKTEST_SERIES_DRAWDOWN: _ClassVar[BacktestSeries]
    BACKTEST_SERIES_NAV: _ClassVar[BacktestSeries]
    BACKTEST_SERIES_HOLDINGS: _ClassVar[BacktestSeries]
    BACKTEST_SERIES_CASH: _ClassVar[BacktestSeries]
    BACKTEST_SERIES_EXPOSURES: _ClassVar[BacktestSeries]
    BACKTEST_SERIES_CONTRIBUTIONS: _ClassVar[BacktestSeries]
    BACKTEST_SERIES_COSTS: _ClassVar[BacktestSeries]
    BACKTEST_SERIES_TURNOVER: _ClassVar[BacktestSeries]
    BACKTEST_SERIES_GROSS_EQUITY: _ClassVar[BacktestSeries]
BACKTEST_SERIES_UNSPECIFIED: BacktestSeries
BACKTEST_SERIES_EQUITY: BacktestSeries
BACKTEST_SERIES_WEIGHTS: BacktestSeries
BACKTEST_SERIES_TRADES: BacktestSeries
BACKTEST_SERIES_DRAWDOWN: BacktestSeries
BACKTEST_SERIES_NAV: BacktestSeries
BACKTEST_SERIES_HOLDINGS: BacktestSeries
BACKTEST_SERIES_CASH: BacktestSeries
BACKTEST_SERIES_EXPOSURES: BacktestSeries
BACKTEST_SERIES_CONTRIBUTIONS: BacktestSeries
BACKTEST_SERIES_COSTS: BacktestSeries
BACKTEST_SERIES_TURNOVER: BacktestSeries
BACKTEST_SERIES_GROSS_EQUITY: BacktestSeries

class BacktestRequest(_message.Message):
    __slots__ = ("prices", "returns", "market_data", "strategy", "strategies", "rebalancing", "execution", "costs", "initial_capital", "initial_holdings", "cash_flows", "benchmarks", "missing_data", "analysis", "periods_per_year", "seed", "request_id", "wait", "validate_only", "label", "backtest_id", "corporate_actions", "price_basis", "dividend_policy", "withholding_rate", "fractional_holdings", "delisting_policy", "charge_initial_purchase", "recurring_cash_flows", "open_prices", "margin", "conventions", "universe")
    PRICES_FIELD_NUMBER: _ClassVar[int]
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    MARKET_DATA_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    STRATEGIES_FIELD_NUMBER: _ClassVar[int]
    REBALANCING_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    COSTS_FIELD_NUMBER: _ClassVar[int]
    INITIAL_CAPITAL_FIELD_NUMBER: _ClassVar[int]
    INITIAL_HOLDINGS_FIELD_NUMBER: _ClassVar[int]
    CASH_FLOWS_FIELD_NUMBER: _ClassVar[int]
    BENCHMARKS_FIELD_NUMBER: _ClassVar[int]
    MISSING_DATA_FIELD_NUMBER: _ClassVar[int]
    ANALYSIS_FIELD_NUMBER: _ClassVar[int]
    PERIODS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    BACKTEST_ID_FIELD_NUMBER: _ClassVar[int]
    CORPORATE_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    PRICE_BASIS_FIELD_NUMBER: _ClassVar[int]
    DIVIDEND_POLICY_FIELD_NUMBER: _ClassVar[int]
    WITHHOLDING_RATE_FIELD_NUMBER: _ClassVar[int]
    FRACTIONAL_HOLDINGS_FIELD_NUMBER: _ClassVar[int]
    DELISTING_POLICY_FIELD_NUMBER: _ClassVar[int]
    CHARGE_INITIAL_PURCHASE_FIELD_NUMBER: _ClassVar[int]
    RECURRING_CASH_FLOWS_FIELD_NUMBER: _ClassVar[int]
    OPEN_PRICES_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FIELD_NUMBER: _ClassVar[int]
    CONVENTIONS_FIELD_NUMBER: _ClassVar[int]
    UNIVERSE_FIELD_NUMBER: _ClassVar[int]
    prices: _panel_pb2.Panel
    returns: _panel_pb2.Panel
    market_data: _panel_pb2.MarketDataSelection
    strategy: _backtest_pb2.Strategy
    strategies: _containers.RepeatedCompositeFieldContainer[_backtest_pb2.Strategy]
    rebalancing: _backtest_pb2.Rebalancing
    execution: _backtest_pb2.Execution
    costs: _cost_pb2.CostModel
    initial_capital: float
    initial_holdings: _containers.RepeatedCompositeFieldContainer[_portfolio_pb2.Holding]
    cash_flows: _containers.RepeatedCompositeFieldContainer[_backtest_pb2.CashFlow]
    benchmarks: _containers.RepeatedCompositeFieldContainer[_backtest_pb2.Benchmark]
    missing_data: _panel_pb2.MissingDataPolicy
    analysis: _backtest_pb2.AnalysisOptions
    periods_per_year: float
    seed: int
    request_id: str
    wait: _duration_pb2.Duration
    validate_only: bool
    label: str
    backtest_id: str
    corporate_actions: _containers.RepeatedCompositeFieldContainer[_corporate_action_pb2.CorporateAction]
    price_basis: _corporate_action_pb2.PriceBasis
    dividend_policy: _corporate_action_pb2.DividendPolicy
    withholding_rate: float
    fractional_holdings: bool
    delisting_policy: _corporate_action_pb2.DelistingPolicy
    charge_initial_purchase: bool
    recurring_cash_flows: _containers.RepeatedCompositeFieldContainer[_backtest_pb2.RecurringCashFlow]
    open_prices: _panel_pb2.Panel
    margin: _backtest_pb2.Margin
    conventions: _backtest_pb2.Conventions
    universe: _containers.RepeatedCompositeFieldContainer[_backtest_pb2.UniverseStep]
    def __init__(self, prices: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., returns: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., market_data: _Optional[_Union[_panel_pb2.MarketDataSelection, _Mapping]] = ..., strategy: _Optional[_Union[_backtest_pb2.Strategy, _Mapping]] = ..., strategies: _Optional[_Iterable[_Union[_backtest_pb2.Strategy, _Mapping]]] = ..., rebalancing: _Optional[_Union[_backtest_pb2.Rebalancing, _Mapping]] = ..., execution: _Optional[_Union[_backtest_pb2.Execution, _Mapping]] = ..., costs: _Optional[_Union[_cost_pb2.CostModel, _Mapping]] = ..., initial_capital: _Optional[float] = ..., initial_holdings: _Optional[_Iterable[_Union[_portfolio_pb2.Holding, _Mapping]]] = ..., cash_flows: _Optional[_Iterable[_Union[_backtest_pb2.CashFlow, _Mapping]]] = ..., benchmarks: _Optional[_Iterable[_Union[_backtest_pb2.Benchmark, _Mapping]]] = ..., missing_data: _Optional[_Union[_panel_pb2.MissingDataPolicy, str]] = ..., analysis: _Optional[_Union[_backtest_pb2.AnalysisOptions, _Mapping]] = ..., periods_per_year: _Optional[float] = ..., seed: _Optional[int] = ..., request_id: _Optional[str] = ..., wait: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., validate_only: _Optional[bool] = ..., label: _Optional[str] = ..., backtest_id: _Optional[str] = ..., corporate_actions: _Optional[_Iterable[_Union[_corporate_action_pb2.CorporateAction, _Mapping]]] = ..., price_basis: _Optional[_Union[_corporate_action_pb2.PriceBasis, str]] = ..., dividend_policy: _Optional[_Union[_corporate_action_pb2.DividendPolicy, str]] = ..., withholding_rate: _Optional[float] = ..., fractional_holdings: _Optional[bool] = ..., delisting_policy: _Optional[_Union[_corporate_action_pb2.DelistingPolicy, str]] = ..., charge_initial_purchase: _Optional[bool] = ..., recurring_cash_flows: _Optional[_Iterable[_Union[_backtest_pb2.RecurringCashFlow, _Mapping]]] = ..., open_prices: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., margin: _Optional[_Union[_backtest_pb2.Margin, _Mapping]] = ..., conventions: _Optional[_Union[_backtest_pb2.Conventions, str]] = ..., universe: _Optional[_Iterable[_Union[_backtest_pb2.UniverseStep, _Mapping]]] = ...) -> None: ...

class BacktestProgressRequest(_message.Message):
    __slots__ = ("backtest", "after_sequence", "epoch", "min_interval", "heartbeat_interval")
    BACKTEST_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    MIN_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    backtest: str
    after_sequence: int
    epoch: str
    min_interval: _duration_pb2.Duration
    heartbeat_interval: _duration_pb2.Duration
    def __init__(self, backtest: _Optional[str] = ..., after_sequence: _Optional[int] = ..., epoch: _Optional[str] = ..., min_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class BacktestProgressResponse(_message.Message):
    __slots__ = ("sequence", "epoch", "event_time", "snapshot", "tick", "milestone", "heartbeat", "finished")
    class Snapshot(_message.Message):
        __slots__ = ("state", "tick", "oldest_sequence")
        STATE_FIELD_NUMBER: _ClassVar[int]
        TICK_FIELD_NUMBER: _ClassVar[int]
        OLDEST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
        state: _backtest_pb2.BacktestState
        tick: BacktestProgressResponse.Tick
        oldest_sequence: int
        def __init__(self, state: _Optional[_Union[_backtest_pb2.BacktestState, str]] = ..., tick: _Optional[_Union[BacktestProgressResponse.Tick, _Mapping]] = ..., oldest_sequence: _Optional[int] = ...) -> None: ...
    class Tick(_message.Message):
        __slots__ = ("fraction", "simulated_date", "nav", "eta", "label", "stage_index", "stage_count", "equity", "sweep")
        FRACTION_FIELD_NUMBER: _ClassVar[int]
        SIMULATED_DATE_FIELD_NUMBER: _ClassVar[int]
        NAV_FIELD_NUMBER: _ClassVar[int]
        ETA_FIELD_NUMBER: _ClassVar[int]
        LABEL_FIELD_NUMBER: _ClassVar[int]
        STAGE_INDEX_FIELD_NUMBER: _ClassVar[int]
        STAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
        EQUITY_FIELD_NUMBER: _ClassVar[int]
        SWEEP_FIELD_NUMBER: _ClassVar[int]
        fraction: float
        simulated_date: _date_pb2.Date
        nav: float
        eta: _duration_pb2.Duration
        label: str
        stage_index: int
        stage_count: int
        equity: BacktestProgressResponse.EquityPoints
        sweep: BacktestProgressResponse.SweepStanding
        def __init__(self, fraction: _Optional[float] = ..., simulated_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., nav: _Optional[float] = ..., eta: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., label: _Optional[str] = ..., stage_index: _Optional[int] = ..., stage_count: _Optional[int] = ..., equity: _Optional[_Union[BacktestProgressResponse.EquityPoints, _Mapping]] = ..., sweep: _Optional[_Union[BacktestProgressResponse.SweepStanding, _Mapping]] = ...) -> None: ...
    class SweepStanding(_message.Message):
        __slots__ = ("finished_count", "failed_count", "best_index", "best_score", "best_label")
        FINISHED_COUNT_FIELD_NUMBER: _ClassVar[int]
        FAILED_COUNT_FIELD_NUMBER: _ClassVar[int]
        BEST_INDEX_FIELD_NUMBER: _ClassVar[int]
        BEST_SCORE_FIELD_NUMBER: _ClassVar[int]
        BEST_LABEL_FIELD_NUMBER: _ClassVar[int]
        finished_count: int
        failed_count: int
        best_index: int
        best_score: float
        best_label: str
        def __init__(self, finished_count: _Optional[int] = ..., failed_count: _Optional[int] = ..., best_index: _Optional[int] = ..., best_score: _Optional[float] = ..., best_label: _Optional[str] = ...) -> None: ...
    class EquityPoints(_message.Message):
        __slots__ = ("dates", "navs")
        DATES_FIELD_NUMBER: _ClassVar[int]
        NAVS_FIELD_NUMBER: _ClassVar[int]
        dates: _containers.RepeatedScalarFieldContainer[int]
        navs: _containers.RepeatedScalarFieldContainer[float]
        def __init__(self, dates: _Optional[_Iterable[int]] = ..., navs: _Optional[_Iterable[float]] = ...) -> None: ...
    class Milestone(_message.Message):
        __slots__ = ("kind", "simulated_date", "reason", "message", "label", "stage_index", "stage_count", "benefit_annual", "cost_annual")
        class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            KIND_UNSPECIFIED: _ClassVar[BacktestProgressResponse.Milestone.Kind]
            KIND_STAGE: _ClassVar[BacktestProgressResponse.Milestone.Kind]
            KIND_REBALANCE_FAILED: _ClassVar[BacktestProgressResponse.Milestone.Kind]
            KIND_WARNING: _ClassVar[BacktestProgressResponse.Milestone.Kind]
            KIND_RESUMED: _ClassVar[BacktestProgressResponse.Milestone.Kind]
            KIND_REBALANCE: _ClassVar[BacktestProgressResponse.Milestone.Kind]
            KIND_TRIAL_FAILED: _ClassVar[BacktestProgressResponse.Milestone.Kind]
            KIND_BEST_TRIAL: _ClassVar[BacktestProgressResponse.Milestone.Kind]
        KIND_UNSPECIFIED: BacktestProgressResponse.Milestone.Kind
        KIND_STAGE: BacktestProgressResponse.Milestone.Kind
        KIND_REBALANCE_FAILED: BacktestProgressResponse.Milestone.Kind
        KIND_WARNING: BacktestProgressResponse.Milestone.Kind
        KIND_RESUMED: BacktestProgressResponse.Milestone.Kind
        KIND_REBALANCE: BacktestProgressResponse.Milestone.Kind
        KIND_TRIAL_FAILED: BacktestProgressResponse.Milestone.Kind
        KIND_BEST_TRIAL: BacktestProgressResponse.Milestone.Kind
        KIND_FIELD_NUMBER: _ClassVar[int]
        SIMULATED_DATE_FIELD_NUMBER: _ClassVar[int]
        REASON_FIELD_NUMBER: _ClassVar[int]
        MESSAGE_FIELD_NUMBER: _ClassVar[int]
        LABEL_FIELD_NUMBER: _ClassVar[int]
        STAGE_INDEX_FIELD_NUMBER: _ClassVar[int]
        STAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
        BENEFIT_ANNUAL_FIELD_NUMBER: _ClassVar[int]
        COST_ANNUAL_FIELD_NUMBER: _ClassVar[int]
        kind: BacktestProgressResponse.Milestone.Kind
        simulated_date: _date_pb2.Date
        reason: str
        message: str
        label: str
        stage_index: int
        stage_count: int
        benefit_annual: float
        cost_annual: float
        def __init__(self, kind: _Optional[_Union[BacktestProgressResponse.Milestone.Kind, str]] = ..., simulated_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., label: _Optional[str] = ..., stage_index: _Optional[int] = ..., stage_count: _Optional[int] = ..., benefit_annual: _Optional[float] = ..., cost_annual: _Optional[float] = ...) -> None: ...
    class Heartbeat(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Finished(_message.Message):
        __slots__ = ("state", "result", "error")
        STATE_FIELD_NUMBER: _ClassVar[int]
        RESULT_FIELD_NUMBER: _ClassVar[int]
        ERROR_FIELD_NUMBER: _ClassVar[int]
        state: _backtest_pb2.BacktestState
        result: str
        error: _status_pb2.Status
        def __init__(self, state: _Optional[_Union[_backtest_pb2.BacktestState, str]] = ..., result: _Optional[str] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    TICK_FIELD_NUMBER: _ClassVar[int]
    MILESTONE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    epoch: str
    event_time: _timestamp_pb2.Timestamp
    snapshot: BacktestProgressResponse.Snapshot
    tick: BacktestProgressResponse.Tick
    milestone: BacktestProgressResponse.Milestone
    heartbeat: BacktestProgressResponse.Heartbeat
    finished: BacktestProgressResponse.Finished
    def __init__(self, sequence: _Optional[int] = ..., epoch: _Optional[str] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., snapshot: _Optional[_Union[BacktestProgressResponse.Snapshot, _Mapping]] = ..., tick: _Optional[_Union[BacktestProgressResponse.Tick, _Mapping]] = ..., milestone: _Optional[_Union[BacktestProgressResponse.Milestone, _Mapping]] = ..., heartbeat: _Optional[_Union[BacktestProgressResponse.Heartbeat, _Mapping]] = ..., finished: _Optional[_Union[BacktestProgressResponse.Finished, _Mapping]] = ...) -> None: ...

class GetBacktestRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListBacktestsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state", "label", "start_create_time", "end_create_time", "all")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    START_CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: _backtest_pb2.BacktestState
    label: str
    start_create_time: _timestamp_pb2.Timestamp
    end_create_time: _timestamp_pb2.Timestamp
    all: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[_backtest_pb2.BacktestState, str]] = ..., label: _Optional[str] = ..., start_create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., all: _Optional[bool] = ...) -> None: ...

class ListBacktestsResponse(_message.Message):
    __slots__ = ("backtests", "next_page_token")
    class Summary(_message.Message):
        __slots__ = ("name", "state", "fraction", "label", "create_time", "finish_time", "owner", "stale_since")
        NAME_FIELD_NUMBER: _ClassVar[int]
        STATE_FIELD_NUMBER: _ClassVar[int]
        FRACTION_FIELD_NUMBER: _ClassVar[int]
        LABEL_FIELD_NUMBER: _ClassVar[int]
        CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
        FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
        OWNER_FIELD_NUMBER: _ClassVar[int]
        STALE_SINCE_FIELD_NUMBER: _ClassVar[int]
        name: str
        state: _backtest_pb2.BacktestState
        fraction: float
        label: str
        create_time: _timestamp_pb2.Timestamp
        finish_time: _timestamp_pb2.Timestamp
        owner: str
        stale_since: _timestamp_pb2.Timestamp
        def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[_backtest_pb2.BacktestState, str]] = ..., fraction: _Optional[float] = ..., label: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., owner: _Optional[str] = ..., stale_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
    BACKTESTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    backtests: _containers.RepeatedCompositeFieldContainer[ListBacktestsResponse.Summary]
    next_page_token: str
    def __init__(self, backtests: _Optional[_Iterable[_Union[ListBacktestsResponse.Summary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CancelBacktestRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteBacktestRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteBacktestResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetBacktestSeriesRequest(_message.Message):
    __slots__ = ("name", "series", "label")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SERIES_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    name: str
    series: BacktestSeries
    label: str
    def __init__(self, name: _Optional[str] = ..., series: _Optional[_Union[BacktestSeries, str]] = ..., label: _Optional[str] = ...) -> None: ...

class GetBacktestSeriesResponse(_message.Message):
    __slots__ = ("header", "rows")
    class Header(_message.Message):
        __slots__ = ("symbols", "date_count")
        SYMBOLS_FIELD_NUMBER: _ClassVar[int]
        DATE_COUNT_FIELD_NUMBER: _ClassVar[int]
        symbols: _containers.RepeatedScalarFieldContainer[str]
        date_count: int
        def __init__(self, symbols: _Optional[_Iterable[str]] = ..., date_count: _Optional[int] = ...) -> None: ...
    class Rows(_message.Message):
        __slots__ = ("dates", "values")
        DATES_FIELD_NUMBER: _ClassVar[int]
        VALUES_FIELD_NUMBER: _ClassVar[int]
        dates: _containers.RepeatedScalarFieldContainer[int]
        values: _panel_pb2.Tensor
        def __init__(self, dates: _Optional[_Iterable[int]] = ..., values: _Optional[_Union[_panel_pb2.Tensor, _Mapping]] = ...) -> None: ...
    HEADER_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    header: GetBacktestSeriesResponse.Header
    rows: GetBacktestSeriesResponse.Rows
    def __init__(self, header: _Optional[_Union[GetBacktestSeriesResponse.Header, _Mapping]] = ..., rows: _Optional[_Union[GetBacktestSeriesResponse.Rows, _Mapping]] = ...) -> None: ...

class SweepRequest(_message.Message):
    __slots__ = ("grid", "trials", "request_id", "selection", "label", "sweep_id", "wait")
    class Axis(_message.Message):
        __slots__ = ("path", "numbers", "strings", "strategies")
        class Numbers(_message.Message):
            __slots__ = ("values",)
            VALUES_FIELD_NUMBER: _ClassVar[int]
            values: _containers.RepeatedScalarFieldContainer[float]
            def __init__(self, values: _Optional[_Iterable[float]] = ...) -> None: ...
        class Strings(_message.Message):
            __slots__ = ("values",)
            VALUES_FIELD_NUMBER: _ClassVar[int]
            values: _containers.RepeatedScalarFieldContainer[str]
            def __init__(self, values: _Optional[_Iterable[str]] = ...) -> None: ...
        class Strategies(_message.Message):
            __slots__ = ("values",)
            VALUES_FIELD_NUMBER: _ClassVar[int]
            values: _containers.RepeatedCompositeFieldContainer[_backtest_pb2.Strategy]
            def __init__(self, values: _Optional[_Iterable[_Union[_backtest_pb2.Strategy, _Mapping]]] = ...) -> None: ...
        PATH_FIELD_NUMBER: _ClassVar[int]
        NUMBERS_FIELD_NUMBER: _ClassVar[int]
        STRINGS_FIELD_NUMBER: _ClassVar[int]
        STRATEGIES_FIELD_NUMBER: _ClassVar[int]
        path: str
        numbers: SweepRequest.Axis.Numbers
        strings: SweepRequest.Axis.Strings
        strategies: SweepRequest.Axis.Strategies
        def __init__(self, path: _Optional[str] = ..., numbers: _Optional[_Union[SweepRequest.Axis.Numbers, _Mapping]] = ..., strings: _Optional[_Union[SweepRequest.Axis.Strings, _Mapping]] = ..., strategies: _Optional[_Union[SweepRequest.Axis.Strategies, _Mapping]] = ...) -> None: ...
    class Grid(_message.Message):
        __slots__ = ("base", "axes")
        BASE_FIELD_NUMBER: _ClassVar[int]
        AXES_FIELD_NUMBER: _ClassVar[int]
        base: BacktestRequest
        axes: _containers.RepeatedCompositeFieldContainer[SweepRequest.Axis]
        def __init__(self, base: _Optional[_Union[BacktestRequest, _Mapping]] = ..., axes: _Optional[_Iterable[_Union[SweepRequest.Axis, _Mapping]]] = ...) -> None: ...
    class Trials(_message.Message):
        __slots__ = ("backtests",)
        BACKTESTS_FIELD_NUMBER: _ClassVar[int]
        backtests: _containers.RepeatedCompositeFieldContainer[BacktestRequest]
        def __init__(self, backtests: _Optional[_Iterable[_Union[BacktestRequest, _Mapping]]] = ...) -> None: ...
    GRID_FIELD_NUMBER: _ClassVar[int]
    TRIALS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SWEEP_ID_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    grid: SweepRequest.Grid
    trials: SweepRequest.Trials
    request_id: str
    selection: _sweep_pb2.SweepSelection
    label: str
    sweep_id: str
    wait: _duration_pb2.Duration
    def __init__(self, grid: _Optional[_Union[SweepRequest.Grid, _Mapping]] = ..., trials: _Optional[_Union[SweepRequest.Trials, _Mapping]] = ..., request_id: _Optional[str] = ..., selection: _Optional[_Union[_sweep_pb2.SweepSelection, _Mapping]] = ..., label: _Optional[str] = ..., sweep_id: _Optional[str] = ..., wait: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class GetSweepRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListSweepTrialsRequest(_message.Message):
    __slots__ = ("name", "page_size", "page_token", "state", "order")
    class Order(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ORDER_UNSPECIFIED: _ClassVar[ListSweepTrialsRequest.Order]
        ORDER_SWEEP: _ClassVar[ListSweepTrialsRequest.Order]
        ORDER_BEST_FIRST: _ClassVar[ListSweepTrialsRequest.Order]
    ORDER_UNSPECIFIED: ListSweepTrialsRequest.Order
    ORDER_SWEEP: ListSweepTrialsRequest.Order
    ORDER_BEST_FIRST: ListSweepTrialsRequest.Order
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    name: str
    page_size: int
    page_token: str
    state: _backtest_pb2.BacktestState
    order: ListSweepTrialsRequest.Order
    def __init__(self, name: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[_backtest_pb2.BacktestState, str]] = ..., order: _Optional[_Union[ListSweepTrialsRequest.Order, str]] = ...) -> None: ...

class ListSweepTrialsResponse(_message.Message):
    __slots__ = ("trials", "next_page_token")
    TRIALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    trials: _containers.RepeatedCompositeFieldContainer[_sweep_pb2.SweepTrial]
    next_page_token: str
    def __init__(self, trials: _Optional[_Iterable[_Union[_sweep_pb2.SweepTrial, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetBacktestChartsRequest(_message.Message):
    __slots__ = ("name", "charts", "label", "theme")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CHARTS_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    THEME_FIELD_NUMBER: _ClassVar[int]
    name: str
    charts: _containers.RepeatedScalarFieldContainer[_chart_pb2.Chart]
    label: str
    theme: _chart_pb2.ChartTheme
    def __init__(self, name: _Optional[str] = ..., charts: _Optional[_Iterable[_Union[_chart_pb2.Chart, str]]] = ..., label: _Optional[str] = ..., theme: _Optional[_Union[_chart_pb2.ChartTheme, str]] = ...) -> None: ...

class GetBacktestChartsResponse(_message.Message):
    __slots__ = ("charts",)
    CHARTS_FIELD_NUMBER: _ClassVar[int]
    charts: _containers.RepeatedCompositeFieldContainer[_chart_pb2.ChartSpec]
    def __init__(self, charts: _Optional[_Iterable[_Union[_chart_pb2.ChartSpec, _Mapping]]] = ...) -> None: ...
