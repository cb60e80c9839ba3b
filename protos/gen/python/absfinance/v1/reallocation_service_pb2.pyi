import datetime

from absfinance.v1 import backtest_pb2 as _backtest_pb2
from absfinance.v1 import chart_pb2 as _chart_pb2
from absfinance.v1 import cost_pb2 as _cost_pb2
from absfinance.v1 import optimization_pb2 as _optimization_pb2
from absfinance.v1 import panel_pb2 as _panel_pb2
from absfinance.v1 import portfolio_pb2 as _portfolio_pb2
from absfinance.v1 import reallocation_pb2 as _reallocation_pb2
from absfinance.v1 import warning_pb2 as _warning_pb2
from absfinance.v1 import weight_pb2 as _weight_pb2
from buf.validate import validate_pb2 as _validate_pb2
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

class ReallocateRequest(_message.Message):
    __slots__ = ("portfolio_name", "portfolio", "snapshot", "market_data", "target_weights", "target_optimize", "target_strategy", "thresholds", "limits", "costs", "horizon_days", "request_id", "validate_only", "label", "reallocation_id", "as_of_date", "settlement_days", "cash_flow", "retain_cash", "direction", "no_new_names", "disabled_constraints", "trade_off", "recent_trades", "other_purchases", "schedule", "groups")
    PORTFOLIO_NAME_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    MARKET_DATA_FIELD_NUMBER: _ClassVar[int]
    TARGET_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    TARGET_OPTIMIZE_FIELD_NUMBER: _ClassVar[int]
    TARGET_STRATEGY_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    COSTS_FIELD_NUMBER: _ClassVar[int]
    HORIZON_DAYS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    REALLOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    AS_OF_DATE_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_DAYS_FIELD_NUMBER: _ClassVar[int]
    CASH_FLOW_FIELD_NUMBER: _ClassVar[int]
    RETAIN_CASH_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    NO_NEW_NAMES_FIELD_NUMBER: _ClassVar[int]
    DISABLED_CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    TRADE_OFF_FIELD_NUMBER: _ClassVar[int]
    RECENT_TRADES_FIELD_NUMBER: _ClassVar[int]
    OTHER_PURCHASES_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    portfolio_name: str
    portfolio: _portfolio_pb2.Portfolio
    snapshot: _reallocation_pb2.MarketSnapshot
    market_data: _panel_pb2.MarketDataSelection
    target_weights: _portfolio_pb2.TargetWeights
    target_optimize: _optimization_pb2.OptimizeSpec
    target_strategy: _backtest_pb2.RemoteStrategy
    thresholds: _portfolio_pb2.Thresholds
    limits: _reallocation_pb2.ReallocationLimits
    costs: _cost_pb2.CostModel
    horizon_days: int
    request_id: str
    validate_only: bool
    label: str
    reallocation_id: str
    as_of_date: _date_pb2.Date
    settlement_days: int
    cash_flow: float
    retain_cash: bool
    direction: _reallocation_pb2.Direction
    no_new_names: bool
    disabled_constraints: _containers.RepeatedScalarFieldContainer[str]
    trade_off: _reallocation_pb2.TradeOff
    recent_trades: _containers.RepeatedCompositeFieldContainer[_reallocation_pb2.RecentTrade]
    other_purchases: _containers.RepeatedCompositeFieldContainer[_reallocation_pb2.OtherPurchase]
    schedule: _reallocation_pb2.TradeSchedule
    groups: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetGroup]
    def __init__(self, portfolio_name: _Optional[str] = ..., portfolio: _Optional[_Union[_portfolio_pb2.Portfolio, _Mapping]] = ..., snapshot: _Optional[_Union[_reallocation_pb2.MarketSnapshot, _Mapping]] = ..., market_data: _Optional[_Union[_panel_pb2.MarketDataSelection, _Mapping]] = ..., target_weights: _Optional[_Union[_portfolio_pb2.TargetWeights, _Mapping]] = ..., target_optimize: _Optional[_Union[_optimization_pb2.OptimizeSpec, _Mapping]] = ..., target_strategy: _Optional[_Union[_backtest_pb2.RemoteStrategy, _Mapping]] = ..., thresholds: _Optional[_Union[_portfolio_pb2.Thresholds, _Mapping]] = ..., limits: _Optional[_Union[_reallocation_pb2.ReallocationLimits, _Mapping]] = ..., costs: _Optional[_Union[_cost_pb2.CostModel, _Mapping]] = ..., horizon_days: _Optional[int] = ..., request_id: _Optional[str] = ..., validate_only: _Optional[bool] = ..., label: _Optional[str] = ..., reallocation_id: _Optional[str] = ..., as_of_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., settlement_days: _Optional[int] = ..., cash_flow: _Optional[float] = ..., retain_cash: _Optional[bool] = ..., direction: _Optional[_Union[_reallocation_pb2.Direction, str]] = ..., no_new_names: _Optional[bool] = ..., disabled_constraints: _Optional[_Iterable[str]] = ..., trade_off: _Optional[_Union[_reallocation_pb2.TradeOff, _Mapping]] = ..., recent_trades: _Optional[_Iterable[_Union[_reallocation_pb2.RecentTrade, _Mapping]]] = ..., other_purchases: _Optional[_Iterable[_Union[_reallocation_pb2.OtherPurchase, _Mapping]]] = ..., schedule: _Optional[_Union[_reallocation_pb2.TradeSchedule, _Mapping]] = ..., groups: _Optional[_Iterable[_Union[_weight_pb2.AssetGroup, _Mapping]]] = ...) -> None: ...

class GetReallocationRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteReallocationRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteReallocationResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListReallocationsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "portfolio", "label", "start_create_time", "end_create_time", "state", "all")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    START_CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    portfolio: str
    label: str
    start_create_time: _timestamp_pb2.Timestamp
    end_create_time: _timestamp_pb2.Timestamp
    state: _reallocation_pb2.ReallocationState
    all: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., portfolio: _Optional[str] = ..., label: _Optional[str] = ..., start_create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[_reallocation_pb2.ReallocationState, str]] = ..., all: _Optional[bool] = ...) -> None: ...

class ListReallocationsResponse(_message.Message):
    __slots__ = ("reallocations", "next_page_token")
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[ListReallocationsResponse.Outcome]
        OUTCOME_PLAN: _ClassVar[ListReallocationsResponse.Outcome]
        OUTCOME_UNCHANGED: _ClassVar[ListReallocationsResponse.Outcome]
        OUTCOME_FAILURE: _ClassVar[ListReallocationsResponse.Outcome]
    OUTCOME_UNSPECIFIED: ListReallocationsResponse.Outcome
    OUTCOME_PLAN: ListReallocationsResponse.Outcome
    OUTCOME_UNCHANGED: ListReallocationsResponse.Outcome
    OUTCOME_FAILURE: ListReallocationsResponse.Outcome
    class Summary(_message.Message):
        __slots__ = ("name", "create_time", "request_id", "outcome", "trade_count", "turnover_one_way", "cost", "residual_drift", "label", "state", "superseded_by", "supersede_time", "owner", "stale_since")
        NAME_FIELD_NUMBER: _ClassVar[int]
        CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
        REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
        OUTCOME_FIELD_NUMBER: _ClassVar[int]
        TRADE_COUNT_FIELD_NUMBER: _ClassVar[int]
        TURNOVER_ONE_WAY_FIELD_NUMBER: _ClassVar[int]
        COST_FIELD_NUMBER: _ClassVar[int]
        RESIDUAL_DRIFT_FIELD_NUMBER: _ClassVar[int]
        LABEL_FIELD_NUMBER: _ClassVar[int]
        STATE_FIELD_NUMBER: _ClassVar[int]
        SUPERSEDED_BY_FIELD_NUMBER: _ClassVar[int]
        SUPERSEDE_TIME_FIELD_NUMBER: _ClassVar[int]
        OWNER_FIELD_NUMBER: _ClassVar[int]
        STALE_SINCE_FIELD_NUMBER: _ClassVar[int]
        name: str
        create_time: _timestamp_pb2.Timestamp
        request_id: str
        outcome: ListReallocationsResponse.Outcome
        trade_count: int
        turnover_one_way: float
        cost: float
        residual_drift: float
        label: str
        state: _reallocation_pb2.ReallocationState
        superseded_by: str
        supersede_time: _timestamp_pb2.Timestamp
        owner: str
        stale_since: _timestamp_pb2.Timestamp
        def __init__(self, name: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., outcome: _Optional[_Union[ListReallocationsResponse.Outcome, str]] = ..., trade_count: _Optional[int] = ..., turnover_one_way: _Optional[float] = ..., cost: _Optional[float] = ..., residual_drift: _Optional[float] = ..., label: _Optional[str] = ..., state: _Optional[_Union[_reallocation_pb2.ReallocationState, str]] = ..., superseded_by: _Optional[str] = ..., supersede_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., owner: _Optional[str] = ..., stale_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
    REALLOCATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    reallocations: _containers.RepeatedCompositeFieldContainer[ListReallocationsResponse.Summary]
    next_page_token: str
    def __init__(self, reallocations: _Optional[_Iterable[_Union[ListReallocationsResponse.Summary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RecordFillsRequest(_message.Message):
    __slots__ = ("reallocation", "portfolio", "etag", "fills", "last_prices", "fees_in_gains")
    class Fill(_message.Message):
        __slots__ = ("fill_id", "symbol", "quantity", "price", "fee", "fill_time", "lot_id", "arrival_price", "previous_close")
        FILL_ID_FIELD_NUMBER: _ClassVar[int]
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        QUANTITY_FIELD_NUMBER: _ClassVar[int]
        PRICE_FIELD_NUMBER: _ClassVar[int]
        FEE_FIELD_NUMBER: _ClassVar[int]
        FILL_TIME_FIELD_NUMBER: _ClassVar[int]
        LOT_ID_FIELD_NUMBER: _ClassVar[int]
        ARRIVAL_PRICE_FIELD_NUMBER: _ClassVar[int]
        PREVIOUS_CLOSE_FIELD_NUMBER: _ClassVar[int]
        fill_id: str
        symbol: str
        quantity: float
        price: float
        fee: float
        fill_time: _timestamp_pb2.Timestamp
        lot_id: str
        arrival_price: float
        previous_close: float
        def __init__(self, fill_id: _Optional[str] = ..., symbol: _Optional[str] = ..., quantity: _Optional[float] = ..., price: _Optional[float] = ..., fee: _Optional[float] = ..., fill_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lot_id: _Optional[str] = ..., arrival_price: _Optional[float] = ..., previous_close: _Optional[float] = ...) -> None: ...
    class LastPrice(_message.Message):
        __slots__ = ("symbol", "price")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        PRICE_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        price: float
        def __init__(self, symbol: _Optional[str] = ..., price: _Optional[float] = ...) -> None: ...
    REALLOCATION_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    FILLS_FIELD_NUMBER: _ClassVar[int]
    LAST_PRICES_FIELD_NUMBER: _ClassVar[int]
    FEES_IN_GAINS_FIELD_NUMBER: _ClassVar[int]
    reallocation: str
    portfolio: str
    etag: str
    fills: _containers.RepeatedCompositeFieldContainer[RecordFillsRequest.Fill]
    last_prices: _containers.RepeatedCompositeFieldContainer[RecordFillsRequest.LastPrice]
    fees_in_gains: bool
    def __init__(self, reallocation: _Optional[str] = ..., portfolio: _Optional[str] = ..., etag: _Optional[str] = ..., fills: _Optional[_Iterable[_Union[RecordFillsRequest.Fill, _Mapping]]] = ..., last_prices: _Optional[_Iterable[_Union[RecordFillsRequest.LastPrice, _Mapping]]] = ..., fees_in_gains: _Optional[bool] = ...) -> None: ...

class RecordFillsResponse(_message.Message):
    __slots__ = ("portfolio", "realized_gains", "shortfall", "warnings")
    class RealizedGain(_message.Message):
        __slots__ = ("symbol", "lot_id", "quantity", "gain", "term", "disallowed_loss", "fill_id")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        LOT_ID_FIELD_NUMBER: _ClassVar[int]
        QUANTITY_FIELD_NUMBER: _ClassVar[int]
        GAIN_FIELD_NUMBER: _ClassVar[int]
        TERM_FIELD_NUMBER: _ClassVar[int]
        DISALLOWED_LOSS_FIELD_NUMBER: _ClassVar[int]
        FILL_ID_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        lot_id: str
        quantity: float
        gain: float
        term: _reallocation_pb2.Term
        disallowed_loss: float
        fill_id: str
        def __init__(self, symbol: _Optional[str] = ..., lot_id: _Optional[str] = ..., quantity: _Optional[float] = ..., gain: _Optional[float] = ..., term: _Optional[_Union[_reallocation_pb2.Term, str]] = ..., disallowed_loss: _Optional[float] = ..., fill_id: _Optional[str] = ...) -> None: ...
    class ImplementationShortfall(_message.Message):
        __slots__ = ("delay", "realised", "missed", "fee", "total", "delay_amount", "realised_amount", "missed_amount", "fee_amount", "total_amount", "decision_value")
        DELAY_FIELD_NUMBER: _ClassVar[int]
        REALISED_FIELD_NUMBER: _ClassVar[int]
        MISSED_FIELD_NUMBER: _ClassVar[int]
        FEE_FIELD_NUMBER: _ClassVar[int]
        TOTAL_FIELD_NUMBER: _ClassVar[int]
        DELAY_AMOUNT_FIELD_NUMBER: _ClassVar[int]
        REALISED_AMOUNT_FIELD_NUMBER: _ClassVar[int]
        MISSED_AMOUNT_FIELD_NUMBER: _ClassVar[int]
        FEE_AMOUNT_FIELD_NUMBER: _ClassVar[int]
        TOTAL_AMOUNT_FIELD_NUMBER: _ClassVar[int]
        DECISION_VALUE_FIELD_NUMBER: _ClassVar[int]
        delay: float
        realised: float
        missed: float
        fee: float
        total: float
        delay_amount: float
        realised_amount: float
        missed_amount: float
        fee_amount: float
        total_amount: float
        decision_value: float
        def __init__(self, delay: _Optional[float] = ..., realised: _Optional[float] = ..., missed: _Optional[float] = ..., fee: _Optional[float] = ..., total: _Optional[float] = ..., delay_amount: _Optional[float] = ..., realised_amount: _Optional[float] = ..., missed_amount: _Optional[float] = ..., fee_amount: _Optional[float] = ..., total_amount: _Optional[float] = ..., decision_value: _Optional[float] = ...) -> None: ...
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    REALIZED_GAINS_FIELD_NUMBER: _ClassVar[int]
    SHORTFALL_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    portfolio: _portfolio_pb2.Portfolio
    realized_gains: _containers.RepeatedCompositeFieldContainer[RecordFillsResponse.RealizedGain]
    shortfall: RecordFillsResponse.ImplementationShortfall
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    def __init__(self, portfolio: _Optional[_Union[_portfolio_pb2.Portfolio, _Mapping]] = ..., realized_gains: _Optional[_Iterable[_Union[RecordFillsResponse.RealizedGain, _Mapping]]] = ..., shortfall: _Optional[_Union[RecordFillsResponse.ImplementationShortfall, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ...) -> None: ...

class ReallocateBatchRequest(_message.Message):
    __slots__ = ("shared", "account")
    class Shared(_message.Message):
        __slots__ = ("snapshot", "market_data", "target_weights", "target_optimize", "thresholds", "limits", "costs", "horizon_days", "as_of_date", "settlement_days", "liquidity_allocation", "allow_crossing")
        SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
        MARKET_DATA_FIELD_NUMBER: _ClassVar[int]
        TARGET_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
        TARGET_OPTIMIZE_FIELD_NUMBER: _ClassVar[int]
        THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
        LIMITS_FIELD_NUMBER: _ClassVar[int]
        COSTS_FIELD_NUMBER: _ClassVar[int]
        HORIZON_DAYS_FIELD_NUMBER: _ClassVar[int]
        AS_OF_DATE_FIELD_NUMBER: _ClassVar[int]
        SETTLEMENT_DAYS_FIELD_NUMBER: _ClassVar[int]
        LIQUIDITY_ALLOCATION_FIELD_NUMBER: _ClassVar[int]
        ALLOW_CROSSING_FIELD_NUMBER: _ClassVar[int]
        snapshot: _reallocation_pb2.MarketSnapshot
        market_data: _panel_pb2.MarketDataSelection
        target_weights: _portfolio_pb2.TargetWeights
        target_optimize: _optimization_pb2.OptimizeSpec
        thresholds: _portfolio_pb2.Thresholds
        limits: _reallocation_pb2.ReallocationLimits
        costs: _cost_pb2.CostModel
        horizon_days: int
        as_of_date: _date_pb2.Date
        settlement_days: int
        liquidity_allocation: _reallocation_pb2.LiquidityAllocation
        allow_crossing: bool
        def __init__(self, snapshot: _Optional[_Union[_reallocation_pb2.MarketSnapshot, _Mapping]] = ..., market_data: _Optional[_Union[_panel_pb2.MarketDataSelection, _Mapping]] = ..., target_weights: _Optional[_Union[_portfolio_pb2.TargetWeights, _Mapping]] = ..., target_optimize: _Optional[_Union[_optimization_pb2.OptimizeSpec, _Mapping]] = ..., thresholds: _Optional[_Union[_portfolio_pb2.Thresholds, _Mapping]] = ..., limits: _Optional[_Union[_reallocation_pb2.ReallocationLimits, _Mapping]] = ..., costs: _Optional[_Union[_cost_pb2.CostModel, _Mapping]] = ..., horizon_days: _Optional[int] = ..., as_of_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., settlement_days: _Optional[int] = ..., liquidity_allocation: _Optional[_Union[_reallocation_pb2.LiquidityAllocation, str]] = ..., allow_crossing: _Optional[bool] = ...) -> None: ...
    class Account(_message.Message):
        __slots__ = ("key", "portfolio_name", "portfolio", "target_weights", "thresholds", "limits", "cash_flow", "direction", "disabled_constraints", "recent_trades", "other_purchases", "priority", "allow_crossing")
        KEY_FIELD_NUMBER: _ClassVar[int]
        PORTFOLIO_NAME_FIELD_NUMBER: _ClassVar[int]
        PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
        TARGET_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
        THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
        LIMITS_FIELD_NUMBER: _ClassVar[int]
        CASH_FLOW_FIELD_NUMBER: _ClassVar[int]
        DIRECTION_FIELD_NUMBER: _ClassVar[int]
        DISABLED_CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
        RECENT_TRADES_FIELD_NUMBER: _ClassVar[int]
        OTHER_PURCHASES_FIELD_NUMBER: _ClassVar[int]
        PRIORITY_FIELD_NUMBER: _ClassVar[int]
        ALLOW_CROSSING_FIELD_NUMBER: _ClassVar[int]
        key: str
        portfolio_name: str
        portfolio: _portfolio_pb2.Portfolio
        target_weights: _portfolio_pb2.TargetWeights
        thresholds: _portfolio_pb2.Thresholds
        limits: _reallocation_pb2.ReallocationLimits
        cash_flow: float
        direction: _reallocation_pb2.Direction
        disabled_constraints: _containers.RepeatedScalarFieldContainer[str]
        recent_trades: _containers.RepeatedCompositeFieldContainer[_reallocation_pb2.RecentTrade]
        other_purchases: _containers.RepeatedCompositeFieldContainer[_reallocation_pb2.OtherPurchase]
        priority: int
        allow_crossing: bool
        def __init__(self, key: _Optional[str] = ..., portfolio_name: _Optional[str] = ..., portfolio: _Optional[_Union[_portfolio_pb2.Portfolio, _Mapping]] = ..., target_weights: _Optional[_Union[_portfolio_pb2.TargetWeights, _Mapping]] = ..., thresholds: _Optional[_Union[_portfolio_pb2.Thresholds, _Mapping]] = ..., limits: _Optional[_Union[_reallocation_pb2.ReallocationLimits, _Mapping]] = ..., cash_flow: _Optional[float] = ..., direction: _Optional[_Union[_reallocation_pb2.Direction, str]] = ..., disabled_constraints: _Optional[_Iterable[str]] = ..., recent_trades: _Optional[_Iterable[_Union[_reallocation_pb2.RecentTrade, _Mapping]]] = ..., other_purchases: _Optional[_Iterable[_Union[_reallocation_pb2.OtherPurchase, _Mapping]]] = ..., priority: _Optional[int] = ..., allow_crossing: _Optional[bool] = ...) -> None: ...
    SHARED_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    shared: ReallocateBatchRequest.Shared
    account: ReallocateBatchRequest.Account
    def __init__(self, shared: _Optional[_Union[ReallocateBatchRequest.Shared, _Mapping]] = ..., account: _Optional[_Union[ReallocateBatchRequest.Account, _Mapping]] = ...) -> None: ...

class ReallocateBatchResponse(_message.Message):
    __slots__ = ("key", "result", "error")
    KEY_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    key: str
    result: _reallocation_pb2.Reallocation
    error: _status_pb2.Status
    def __init__(self, key: _Optional[str] = ..., result: _Optional[_Union[_reallocation_pb2.Reallocation, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class GetReallocationChartsRequest(_message.Message):
    __slots__ = ("name", "charts", "theme")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CHARTS_FIELD_NUMBER: _ClassVar[int]
    THEME_FIELD_NUMBER: _ClassVar[int]
    name: str
    charts: _containers.RepeatedScalarFieldContainer[_chart_pb2.Chart]
    theme: _chart_pb2.ChartTheme
    def __init__(self, name: _Optional[str] = ..., charts: _Optional[_Iterable[_Union[_chart_pb2.Chart, str]]] = ..., theme: _Optional[_Union[_chart_pb2.ChartTheme, str]] = ...) -> None: ...

class GetReallocationChartsResponse(_message.Message):
    __slots__ = ("charts",)
    CHARTS_FIELD_NUMBER: _ClassVar[int]
    charts: _containers.RepeatedCompositeFieldContainer[_chart_pb2.ChartSpec]
    def __init__(self, charts: _Optional[_Iterable[_Union[_chart_pb2.ChartSpec, _Mapping]]] = ...) -> None: ...
