import datetime

from absfinance.v1 import cost_pb2 as _cost_pb2
from absfinance.v1 import liquidity_pb2 as _liquidity_pb2
from absfinance.v1 import warning_pb2 as _warning_pb2
from absfinance.v1 import weight_pb2 as _weight_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Term(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TERM_UNSPECIFIED: _ClassVar[Term]
    TERM_SHORT: _ClassVar[Term]
    TERM_LONG: _ClassVar[Term]

class LiquidityAllocation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIQUIDITY_ALLOCATION_UNSPECIFIED: _ClassVar[LiquidityAllocation]
    LIQUIDITY_ALLOCATION_PRO_RATA: _ClassVar[LiquidityAllocation]
    LIQUIDITY_ALLOCATION_MAX_MIN: _ClassVar[LiquidityAllocation]
    LIQUIDITY_ALLOCATION_PRIORITY: _ClassVar[LiquidityAllocation]

class ReallocationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REALLOCATION_STATE_UNSPECIFIED: _ClassVar[ReallocationState]
    REALLOCATION_STATE_CURRENT: _ClassVar[ReallocationState]
    REALLOCATION_STATE_PARTLY_FILLED: _ClassVar[ReallocationState]
    REALLOCATION_STATE_FILLED: _ClassVar[ReallocationState]
    REALLOCATION_STATE_SUPERSEDED: _ClassVar[ReallocationState]

class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIRECTION_UNSPECIFIED: _ClassVar[Direction]
    DIRECTION_BOTH: _ClassVar[Direction]
    DIRECTION_BUY_ONLY: _ClassVar[Direction]
    DIRECTION_SELL_ONLY: _ClassVar[Direction]

class ShortfallCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHORTFALL_CODE_UNSPECIFIED: _ClassVar[ShortfallCode]
    SHORTFALL_CODE_LOT_SIZE: _ClassVar[ShortfallCode]
    SHORTFALL_CODE_MIN_TRADE: _ClassVar[ShortfallCode]
    SHORTFALL_CODE_PARTICIPATION: _ClassVar[ShortfallCode]
    SHORTFALL_CODE_CASH: _ClassVar[ShortfallCode]
    SHORTFALL_CODE_TURNOVER: _ClassVar[ShortfallCode]
    SHORTFALL_CODE_HALTED: _ClassVar[ShortfallCode]
    SHORTFALL_CODE_TAX: _ClassVar[ShortfallCode]
    SHORTFALL_CODE_UNPRICED: _ClassVar[ShortfallCode]
    SHORTFALL_CODE_DIRECTION: _ClassVar[ShortfallCode]
    SHORTFALL_CODE_NEW_NAME: _ClassVar[ShortfallCode]
    SHORTFALL_CODE_COST: _ClassVar[ShortfallCode]
    SHORTFALL_CODE_LIQUIDITY: _ClassVar[ShortfallCode]
    SHORTFALL_CODE_TRACKING_ERROR: _ClassVar[ShortfallCode]
TERM_UNSPECIFIED: Term
TERM_SHORT: Term
TERM_LONG: Term
LIQUIDITY_ALLOCATION_UNSPECIFIED: LiquidityAllocation
LIQUIDITY_ALLOCATION_PRO_RATA: LiquidityAllocation
LIQUIDITY_ALLOCATION_MAX_MIN: LiquidityAllocation
LIQUIDITY_ALLOCATION_PRIORITY: LiquidityAllocation
REALLOCATION_STATE_UNSPECIFIED: ReallocationState
REALLOCATION_STATE_CURRENT: ReallocationState
REALLOCATION_STATE_PARTLY_FILLED: ReallocationState
REALLOCATION_STATE_FILLED: ReallocationState
REALLOCATION_STATE_SUPERSEDED: ReallocationState
DIRECTION_UNSPECIFIED: Direction
DIRECTION_BOTH: Direction
DIRECTION_BUY_ONLY: Direction
DIRECTION_SELL_ONLY: Direction
SHORTFALL_CODE_UNSPECIFIED: ShortfallCode
SHORTFALL_CODE_LOT_SIZE: ShortfallCode
SHORTFALL_CODE_MIN_TRADE: ShortfallCode
SHORTFALL_CODE_PARTICIPATION: ShortfallCode
SHORTFALL_CODE_CASH: ShortfallCode
SHORTFALL_CODE_TURNOVER: ShortfallCode
SHORTFALL_CODE_HALTED: ShortfallCode
SHORTFALL_CODE_TAX: ShortfallCode
SHORTFALL_CODE_UNPRICED: ShortfallCode
SHORTFALL_CODE_DIRECTION: ShortfallCode
SHORTFALL_CODE_NEW_NAME: ShortfallCode
SHORTFALL_CODE_COST: ShortfallCode
SHORTFALL_CODE_LIQUIDITY: ShortfallCode
SHORTFALL_CODE_TRACKING_ERROR: ShortfallCode

class MarketSnapshot(_message.Message):
    __slots__ = ("assets", "fx_rates", "correlation")
    class Asset(_message.Message):
        __slots__ = ("symbol", "price", "average_daily_volume", "spread_bps", "volatility_annual", "lot_size", "halted", "currency")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        PRICE_FIELD_NUMBER: _ClassVar[int]
        AVERAGE_DAILY_VOLUME_FIELD_NUMBER: _ClassVar[int]
        SPREAD_BPS_FIELD_NUMBER: _ClassVar[int]
        VOLATILITY_ANNUAL_FIELD_NUMBER: _ClassVar[int]
        LOT_SIZE_FIELD_NUMBER: _ClassVar[int]
        HALTED_FIELD_NUMBER: _ClassVar[int]
        CURRENCY_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        price: float
        average_daily_volume: float
        spread_bps: float
        volatility_annual: float
        lot_size: float
        halted: bool
        currency: str
        def __init__(self, symbol: _Optional[str] = ..., price: _Optional[float] = ..., average_daily_volume: _Optional[float] = ..., spread_bps: _Optional[float] = ..., volatility_annual: _Optional[float] = ..., lot_size: _Optional[float] = ..., halted: _Optional[bool] = ..., currency: _Optional[str] = ...) -> None: ...
    class FxRate(_message.Message):
        __slots__ = ("currency", "rate", "previous_rate")
        CURRENCY_FIELD_NUMBER: _ClassVar[int]
        RATE_FIELD_NUMBER: _ClassVar[int]
        PREVIOUS_RATE_FIELD_NUMBER: _ClassVar[int]
        currency: str
        rate: float
        previous_rate: float
        def __init__(self, currency: _Optional[str] = ..., rate: _Optional[float] = ..., previous_rate: _Optional[float] = ...) -> None: ...
    ASSETS_FIELD_NUMBER: _ClassVar[int]
    FX_RATES_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    assets: _containers.RepeatedCompositeFieldContainer[MarketSnapshot.Asset]
    fx_rates: _containers.RepeatedCompositeFieldContainer[MarketSnapshot.FxRate]
    correlation: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, assets: _Optional[_Iterable[_Union[MarketSnapshot.Asset, _Mapping]]] = ..., fx_rates: _Optional[_Iterable[_Union[MarketSnapshot.FxRate, _Mapping]]] = ..., correlation: _Optional[_Iterable[float]] = ...) -> None: ...

class ReallocationLimits(_message.Message):
    __slots__ = ("max_participation", "min_trade_value", "cash_floor", "max_turnover", "tax", "fractional", "max_cost_bps")
    MAX_PARTICIPATION_FIELD_NUMBER: _ClassVar[int]
    MIN_TRADE_VALUE_FIELD_NUMBER: _ClassVar[int]
    CASH_FLOOR_FIELD_NUMBER: _ClassVar[int]
    MAX_TURNOVER_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    FRACTIONAL_FIELD_NUMBER: _ClassVar[int]
    MAX_COST_BPS_FIELD_NUMBER: _ClassVar[int]
    max_participation: float
    min_trade_value: float
    cash_floor: float
    max_turnover: float
    tax: TaxLimits
    fractional: bool
    max_cost_bps: float
    def __init__(self, max_participation: _Optional[float] = ..., min_trade_value: _Optional[float] = ..., cash_floor: _Optional[float] = ..., max_turnover: _Optional[float] = ..., tax: _Optional[_Union[TaxLimits, _Mapping]] = ..., fractional: _Optional[bool] = ..., max_cost_bps: _Optional[float] = ...) -> None: ...

class TaxLimits(_message.Message):
    __slots__ = ("lot_method", "gain_budget", "wash_sale_days", "short_term_rate", "long_term_rate", "long_term_after_days", "carry_forward", "forbid_wash_sales", "harvest_losses", "identical_groups", "substitutes")
    class LotMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        LOT_METHOD_UNSPECIFIED: _ClassVar[TaxLimits.LotMethod]
        LOT_METHOD_FIFO: _ClassVar[TaxLimits.LotMethod]
        LOT_METHOD_LIFO: _ClassVar[TaxLimits.LotMethod]
        LOT_METHOD_HIFO: _ClassVar[TaxLimits.LotMethod]
        LOT_METHOD_TAX_OPTIMAL: _ClassVar[TaxLimits.LotMethod]
        LOT_METHOD_SPECIFIED: _ClassVar[TaxLimits.LotMethod]
    LOT_METHOD_UNSPECIFIED: TaxLimits.LotMethod
    LOT_METHOD_FIFO: TaxLimits.LotMethod
    LOT_METHOD_LIFO: TaxLimits.LotMethod
    LOT_METHOD_HIFO: TaxLimits.LotMethod
    LOT_METHOD_TAX_OPTIMAL: TaxLimits.LotMethod
    LOT_METHOD_SPECIFIED: TaxLimits.LotMethod
    class IdenticalGroup(_message.Message):
        __slots__ = ("symbols",)
        SYMBOLS_FIELD_NUMBER: _ClassVar[int]
        symbols: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, symbols: _Optional[_Iterable[str]] = ...) -> None: ...
    class Substitute(_message.Message):
        __slots__ = ("symbol", "by")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        BY_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        by: str
        def __init__(self, symbol: _Optional[str] = ..., by: _Optional[str] = ...) -> None: ...
    LOT_METHOD_FIELD_NUMBER: _ClassVar[int]
    GAIN_BUDGET_FIELD_NUMBER: _ClassVar[int]
    WASH_SALE_DAYS_FIELD_NUMBER: _ClassVar[int]
    SHORT_TERM_RATE_FIELD_NUMBER: _ClassVar[int]
    LONG_TERM_RATE_FIELD_NUMBER: _ClassVar[int]
    LONG_TERM_AFTER_DAYS_FIELD_NUMBER: _ClassVar[int]
    CARRY_FORWARD_FIELD_NUMBER: _ClassVar[int]
    FORBID_WASH_SALES_FIELD_NUMBER: _ClassVar[int]
    HARVEST_LOSSES_FIELD_NUMBER: _ClassVar[int]
    IDENTICAL_GROUPS_FIELD_NUMBER: _ClassVar[int]
    SUBSTITUTES_FIELD_NUMBER: _ClassVar[int]
    lot_method: TaxLimits.LotMethod
    gain_budget: float
    wash_sale_days: int
    short_term_rate: float
    long_term_rate: float
    long_term_after_days: int
    carry_forward: float
    forbid_wash_sales: bool
    harvest_losses: bool
    identical_groups: _containers.RepeatedCompositeFieldContainer[TaxLimits.IdenticalGroup]
    substitutes: _containers.RepeatedCompositeFieldContainer[TaxLimits.Substitute]
    def __init__(self, lot_method: _Optional[_Union[TaxLimits.LotMethod, str]] = ..., gain_budget: _Optional[float] = ..., wash_sale_days: _Optional[int] = ..., short_term_rate: _Optional[float] = ..., long_term_rate: _Optional[float] = ..., long_term_after_days: _Optional[int] = ..., carry_forward: _Optional[float] = ..., forbid_wash_sales: _Optional[bool] = ..., harvest_losses: _Optional[bool] = ..., identical_groups: _Optional[_Iterable[_Union[TaxLimits.IdenticalGroup, _Mapping]]] = ..., substitutes: _Optional[_Iterable[_Union[TaxLimits.Substitute, _Mapping]]] = ...) -> None: ...

class UtilizationReport(_message.Message):
    __slots__ = ("assets", "exceeded", "tracking_error_annual", "groups", "invested_weight", "target_invested_weight", "drift", "cost_benefit", "thresholds")
    class Threshold(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        THRESHOLD_UNSPECIFIED: _ClassVar[UtilizationReport.Threshold]
        THRESHOLD_ANY_DIFFERENCE: _ClassVar[UtilizationReport.Threshold]
        THRESHOLD_NOT_WANTED: _ClassVar[UtilizationReport.Threshold]
        THRESHOLD_MAX_UTILIZATION: _ClassVar[UtilizationReport.Threshold]
        THRESHOLD_DRIFT_BAND: _ClassVar[UtilizationReport.Threshold]
        THRESHOLD_RELATIVE_BAND: _ClassVar[UtilizationReport.Threshold]
        THRESHOLD_TRACKING_ERROR: _ClassVar[UtilizationReport.Threshold]
    THRESHOLD_UNSPECIFIED: UtilizationReport.Threshold
    THRESHOLD_ANY_DIFFERENCE: UtilizationReport.Threshold
    THRESHOLD_NOT_WANTED: UtilizationReport.Threshold
    THRESHOLD_MAX_UTILIZATION: UtilizationReport.Threshold
    THRESHOLD_DRIFT_BAND: UtilizationReport.Threshold
    THRESHOLD_RELATIVE_BAND: UtilizationReport.Threshold
    THRESHOLD_TRACKING_ERROR: UtilizationReport.Threshold
    class Asset(_message.Message):
        __slots__ = ("symbol", "current_weight", "target_weight", "utilization", "exceeded", "thresholds", "fx_drift", "price_drift")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        CURRENT_WEIGHT_FIELD_NUMBER: _ClassVar[int]
        TARGET_WEIGHT_FIELD_NUMBER: _ClassVar[int]
        UTILIZATION_FIELD_NUMBER: _ClassVar[int]
        EXCEEDED_FIELD_NUMBER: _ClassVar[int]
        THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
        FX_DRIFT_FIELD_NUMBER: _ClassVar[int]
        PRICE_DRIFT_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        current_weight: float
        target_weight: float
        utilization: float
        exceeded: bool
        thresholds: _containers.RepeatedScalarFieldContainer[UtilizationReport.Threshold]
        fx_drift: float
        price_drift: float
        def __init__(self, symbol: _Optional[str] = ..., current_weight: _Optional[float] = ..., target_weight: _Optional[float] = ..., utilization: _Optional[float] = ..., exceeded: _Optional[bool] = ..., thresholds: _Optional[_Iterable[_Union[UtilizationReport.Threshold, str]]] = ..., fx_drift: _Optional[float] = ..., price_drift: _Optional[float] = ...) -> None: ...
    class Group(_message.Message):
        __slots__ = ("name", "current_weight", "target_weight", "utilization")
        NAME_FIELD_NUMBER: _ClassVar[int]
        CURRENT_WEIGHT_FIELD_NUMBER: _ClassVar[int]
        TARGET_WEIGHT_FIELD_NUMBER: _ClassVar[int]
        UTILIZATION_FIELD_NUMBER: _ClassVar[int]
        name: str
        current_weight: float
        target_weight: float
        utilization: float
        def __init__(self, name: _Optional[str] = ..., current_weight: _Optional[float] = ..., target_weight: _Optional[float] = ..., utilization: _Optional[float] = ...) -> None: ...
    class CostBenefit(_message.Message):
        __slots__ = ("benefit_annual", "cost_annual", "worth_it")
        BENEFIT_ANNUAL_FIELD_NUMBER: _ClassVar[int]
        COST_ANNUAL_FIELD_NUMBER: _ClassVar[int]
        WORTH_IT_FIELD_NUMBER: _ClassVar[int]
        benefit_annual: float
        cost_annual: float
        worth_it: bool
        def __init__(self, benefit_annual: _Optional[float] = ..., cost_annual: _Optional[float] = ..., worth_it: _Optional[bool] = ...) -> None: ...
    ASSETS_FIELD_NUMBER: _ClassVar[int]
    EXCEEDED_FIELD_NUMBER: _ClassVar[int]
    TRACKING_ERROR_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    INVESTED_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    TARGET_INVESTED_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    DRIFT_FIELD_NUMBER: _ClassVar[int]
    COST_BENEFIT_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    assets: _containers.RepeatedCompositeFieldContainer[UtilizationReport.Asset]
    exceeded: bool
    tracking_error_annual: float
    groups: _containers.RepeatedCompositeFieldContainer[UtilizationReport.Group]
    invested_weight: float
    target_invested_weight: float
    drift: float
    cost_benefit: UtilizationReport.CostBenefit
    thresholds: _containers.RepeatedScalarFieldContainer[UtilizationReport.Threshold]
    def __init__(self, assets: _Optional[_Iterable[_Union[UtilizationReport.Asset, _Mapping]]] = ..., exceeded: _Optional[bool] = ..., tracking_error_annual: _Optional[float] = ..., groups: _Optional[_Iterable[_Union[UtilizationReport.Group, _Mapping]]] = ..., invested_weight: _Optional[float] = ..., target_invested_weight: _Optional[float] = ..., drift: _Optional[float] = ..., cost_benefit: _Optional[_Union[UtilizationReport.CostBenefit, _Mapping]] = ..., thresholds: _Optional[_Iterable[_Union[UtilizationReport.Threshold, str]]] = ...) -> None: ...

class PlannedTrade(_message.Message):
    __slots__ = ("step", "symbol", "quantity", "price", "cost", "cash_after", "day", "lots", "harvested_quantity", "substitute_for", "crossed_quantity")
    class Lot(_message.Message):
        __slots__ = ("lot_id", "quantity", "gain", "term")
        LOT_ID_FIELD_NUMBER: _ClassVar[int]
        QUANTITY_FIELD_NUMBER: _ClassVar[int]
        GAIN_FIELD_NUMBER: _ClassVar[int]
        TERM_FIELD_NUMBER: _ClassVar[int]
        lot_id: str
        quantity: float
        gain: float
        term: Term
        def __init__(self, lot_id: _Optional[str] = ..., quantity: _Optional[float] = ..., gain: _Optional[float] = ..., term: _Optional[_Union[Term, str]] = ...) -> None: ...
    STEP_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    CASH_AFTER_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    HARVESTED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    SUBSTITUTE_FOR_FIELD_NUMBER: _ClassVar[int]
    CROSSED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    step: int
    symbol: str
    quantity: float
    price: float
    cost: float
    cash_after: float
    day: int
    lots: _containers.RepeatedCompositeFieldContainer[PlannedTrade.Lot]
    harvested_quantity: float
    substitute_for: _containers.RepeatedScalarFieldContainer[str]
    crossed_quantity: float
    def __init__(self, step: _Optional[int] = ..., symbol: _Optional[str] = ..., quantity: _Optional[float] = ..., price: _Optional[float] = ..., cost: _Optional[float] = ..., cash_after: _Optional[float] = ..., day: _Optional[int] = ..., lots: _Optional[_Iterable[_Union[PlannedTrade.Lot, _Mapping]]] = ..., harvested_quantity: _Optional[float] = ..., substitute_for: _Optional[_Iterable[str]] = ..., crossed_quantity: _Optional[float] = ...) -> None: ...

class ReallocationPlan(_message.Message):
    __slots__ = ("trades", "warnings", "gap", "optimal", "schedule", "expected_cost", "cost_standard_deviation")
    class Schedule(_message.Message):
        __slots__ = ("symbol", "remaining")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        REMAINING_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        remaining: _containers.RepeatedScalarFieldContainer[float]
        def __init__(self, symbol: _Optional[str] = ..., remaining: _Optional[_Iterable[float]] = ...) -> None: ...
    TRADES_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    OPTIMAL_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_COST_FIELD_NUMBER: _ClassVar[int]
    COST_STANDARD_DEVIATION_FIELD_NUMBER: _ClassVar[int]
    trades: _containers.RepeatedCompositeFieldContainer[PlannedTrade]
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    gap: float
    optimal: bool
    schedule: _containers.RepeatedCompositeFieldContainer[ReallocationPlan.Schedule]
    expected_cost: float
    cost_standard_deviation: float
    def __init__(self, trades: _Optional[_Iterable[_Union[PlannedTrade, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ..., gap: _Optional[float] = ..., optimal: _Optional[bool] = ..., schedule: _Optional[_Iterable[_Union[ReallocationPlan.Schedule, _Mapping]]] = ..., expected_cost: _Optional[float] = ..., cost_standard_deviation: _Optional[float] = ...) -> None: ...

class TradeSchedule(_message.Message):
    __slots__ = ("almgren_chriss",)
    class AlmgrenChriss(_message.Message):
        __slots__ = ("risk_aversion", "periods", "temporary", "permanent", "fixed", "volatilities", "correlation", "hedge")
        RISK_AVERSION_FIELD_NUMBER: _ClassVar[int]
        PERIODS_FIELD_NUMBER: _ClassVar[int]
        TEMPORARY_FIELD_NUMBER: _ClassVar[int]
        PERMANENT_FIELD_NUMBER: _ClassVar[int]
        FIXED_FIELD_NUMBER: _ClassVar[int]
        VOLATILITIES_FIELD_NUMBER: _ClassVar[int]
        CORRELATION_FIELD_NUMBER: _ClassVar[int]
        HEDGE_FIELD_NUMBER: _ClassVar[int]
        risk_aversion: float
        periods: int
        temporary: float
        permanent: float
        fixed: float
        volatilities: _containers.RepeatedScalarFieldContainer[float]
        correlation: _containers.RepeatedScalarFieldContainer[float]
        hedge: bool
        def __init__(self, risk_aversion: _Optional[float] = ..., periods: _Optional[int] = ..., temporary: _Optional[float] = ..., permanent: _Optional[float] = ..., fixed: _Optional[float] = ..., volatilities: _Optional[_Iterable[float]] = ..., correlation: _Optional[_Iterable[float]] = ..., hedge: _Optional[bool] = ...) -> None: ...
    ALMGREN_CHRISS_FIELD_NUMBER: _ClassVar[int]
    almgren_chriss: TradeSchedule.AlmgrenChriss
    def __init__(self, almgren_chriss: _Optional[_Union[TradeSchedule.AlmgrenChriss, _Mapping]] = ...) -> None: ...

class TradeOff(_message.Message):
    __slots__ = ("cost_aversion", "tax_aversion", "deviation")
    class Deviation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DEVIATION_UNSPECIFIED: _ClassVar[TradeOff.Deviation]
        DEVIATION_DRIFT: _ClassVar[TradeOff.Deviation]
        DEVIATION_TRACKING_ERROR: _ClassVar[TradeOff.Deviation]
    DEVIATION_UNSPECIFIED: TradeOff.Deviation
    DEVIATION_DRIFT: TradeOff.Deviation
    DEVIATION_TRACKING_ERROR: TradeOff.Deviation
    COST_AVERSION_FIELD_NUMBER: _ClassVar[int]
    TAX_AVERSION_FIELD_NUMBER: _ClassVar[int]
    DEVIATION_FIELD_NUMBER: _ClassVar[int]
    cost_aversion: float
    tax_aversion: float
    deviation: TradeOff.Deviation
    def __init__(self, cost_aversion: _Optional[float] = ..., tax_aversion: _Optional[float] = ..., deviation: _Optional[_Union[TradeOff.Deviation, str]] = ...) -> None: ...

class RecentTrade(_message.Message):
    __slots__ = ("symbol", "quantity", "price", "date", "realized_gain")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    REALIZED_GAIN_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    quantity: float
    price: float
    date: _date_pb2.Date
    realized_gain: float
    def __init__(self, symbol: _Optional[str] = ..., quantity: _Optional[float] = ..., price: _Optional[float] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., realized_gain: _Optional[float] = ...) -> None: ...

class OtherPurchase(_message.Message):
    __slots__ = ("symbol", "quantity", "date", "retirement_account")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    RETIREMENT_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    quantity: float
    date: _date_pb2.Date
    retirement_account: bool
    def __init__(self, symbol: _Optional[str] = ..., quantity: _Optional[float] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., retirement_account: _Optional[bool] = ...) -> None: ...

class Restriction(_message.Message):
    __slots__ = ("symbol", "date")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    date: _date_pb2.Date
    def __init__(self, symbol: _Optional[str] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class UnchangedPortfolio(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class ReallocationFailure(_message.Message):
    __slots__ = ("reason", "message", "nearest_trades")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NEAREST_TRADES_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    nearest_trades: _containers.RepeatedCompositeFieldContainer[PlannedTrade]
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ..., nearest_trades: _Optional[_Iterable[_Union[PlannedTrade, _Mapping]]] = ...) -> None: ...

class Shortfall(_message.Message):
    __slots__ = ("symbol", "requested", "planned", "reasons")
    class Reason(_message.Message):
        __slots__ = ("code", "limit")
        CODE_FIELD_NUMBER: _ClassVar[int]
        LIMIT_FIELD_NUMBER: _ClassVar[int]
        code: ShortfallCode
        limit: float
        def __init__(self, code: _Optional[_Union[ShortfallCode, str]] = ..., limit: _Optional[float] = ...) -> None: ...
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_FIELD_NUMBER: _ClassVar[int]
    PLANNED_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    requested: float
    planned: float
    reasons: _containers.RepeatedCompositeFieldContainer[Shortfall.Reason]
    def __init__(self, symbol: _Optional[str] = ..., requested: _Optional[float] = ..., planned: _Optional[float] = ..., reasons: _Optional[_Iterable[_Union[Shortfall.Reason, _Mapping]]] = ...) -> None: ...

class ImpactSimulation(_message.Message):
    __slots__ = ("assets", "expected_cost", "cost_volatility", "quantiles")
    class Quantile(_message.Message):
        __slots__ = ("probability", "cost")
        PROBABILITY_FIELD_NUMBER: _ClassVar[int]
        COST_FIELD_NUMBER: _ClassVar[int]
        probability: float
        cost: float
        def __init__(self, probability: _Optional[float] = ..., cost: _Optional[float] = ...) -> None: ...
    class Asset(_message.Message):
        __slots__ = ("symbol", "permanent_bps", "temporary_bps", "expected_cost")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        PERMANENT_BPS_FIELD_NUMBER: _ClassVar[int]
        TEMPORARY_BPS_FIELD_NUMBER: _ClassVar[int]
        EXPECTED_COST_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        permanent_bps: float
        temporary_bps: float
        expected_cost: float
        def __init__(self, symbol: _Optional[str] = ..., permanent_bps: _Optional[float] = ..., temporary_bps: _Optional[float] = ..., expected_cost: _Optional[float] = ...) -> None: ...
    ASSETS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_COST_FIELD_NUMBER: _ClassVar[int]
    COST_VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    QUANTILES_FIELD_NUMBER: _ClassVar[int]
    assets: _containers.RepeatedCompositeFieldContainer[ImpactSimulation.Asset]
    expected_cost: float
    cost_volatility: float
    quantiles: _containers.RepeatedCompositeFieldContainer[ImpactSimulation.Quantile]
    def __init__(self, assets: _Optional[_Iterable[_Union[ImpactSimulation.Asset, _Mapping]]] = ..., expected_cost: _Optional[float] = ..., cost_volatility: _Optional[float] = ..., quantiles: _Optional[_Iterable[_Union[ImpactSimulation.Quantile, _Mapping]]] = ...) -> None: ...

class ReallocationSummary(_message.Message):
    __slots__ = ("weights_before", "weights_after", "volatility_annual_before", "volatility_annual_after", "cost_bps", "cost", "residual_drift", "turnover_one_way", "days_to_complete", "nav_before", "nav_after", "cash_after", "tax", "costs", "tax_summary", "tracking_error_annual")
    WEIGHTS_BEFORE_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_AFTER_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_ANNUAL_BEFORE_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_ANNUAL_AFTER_FIELD_NUMBER: _ClassVar[int]
    COST_BPS_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    RESIDUAL_DRIFT_FIELD_NUMBER: _ClassVar[int]
    TURNOVER_ONE_WAY_FIELD_NUMBER: _ClassVar[int]
    DAYS_TO_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    NAV_BEFORE_FIELD_NUMBER: _ClassVar[int]
    NAV_AFTER_FIELD_NUMBER: _ClassVar[int]
    CASH_AFTER_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    COSTS_FIELD_NUMBER: _ClassVar[int]
    TAX_SUMMARY_FIELD_NUMBER: _ClassVar[int]
    TRACKING_ERROR_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    weights_before: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    weights_after: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    volatility_annual_before: float
    volatility_annual_after: float
    cost_bps: float
    cost: float
    residual_drift: float
    turnover_one_way: float
    days_to_complete: int
    nav_before: float
    nav_after: float
    cash_after: float
    tax: float
    costs: _cost_pb2.CostBreakdown
    tax_summary: TaxSummary
    tracking_error_annual: float
    def __init__(self, weights_before: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., weights_after: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., volatility_annual_before: _Optional[float] = ..., volatility_annual_after: _Optional[float] = ..., cost_bps: _Optional[float] = ..., cost: _Optional[float] = ..., residual_drift: _Optional[float] = ..., turnover_one_way: _Optional[float] = ..., days_to_complete: _Optional[int] = ..., nav_before: _Optional[float] = ..., nav_after: _Optional[float] = ..., cash_after: _Optional[float] = ..., tax: _Optional[float] = ..., costs: _Optional[_Union[_cost_pb2.CostBreakdown, _Mapping]] = ..., tax_summary: _Optional[_Union[TaxSummary, _Mapping]] = ..., tracking_error_annual: _Optional[float] = ...) -> None: ...

class TaxSummary(_message.Message):
    __slots__ = ("short_term_gain", "long_term_gain", "net_short_term", "net_long_term", "loss_carried_forward", "disallowed_loss", "lost_loss", "harvest_benefit")
    SHORT_TERM_GAIN_FIELD_NUMBER: _ClassVar[int]
    LONG_TERM_GAIN_FIELD_NUMBER: _ClassVar[int]
    NET_SHORT_TERM_FIELD_NUMBER: _ClassVar[int]
    NET_LONG_TERM_FIELD_NUMBER: _ClassVar[int]
    LOSS_CARRIED_FORWARD_FIELD_NUMBER: _ClassVar[int]
    DISALLOWED_LOSS_FIELD_NUMBER: _ClassVar[int]
    LOST_LOSS_FIELD_NUMBER: _ClassVar[int]
    HARVEST_BENEFIT_FIELD_NUMBER: _ClassVar[int]
    short_term_gain: float
    long_term_gain: float
    net_short_term: float
    net_long_term: float
    loss_carried_forward: float
    disallowed_loss: float
    lost_loss: float
    harvest_benefit: float
    def __init__(self, short_term_gain: _Optional[float] = ..., long_term_gain: _Optional[float] = ..., net_short_term: _Optional[float] = ..., net_long_term: _Optional[float] = ..., loss_carried_forward: _Optional[float] = ..., disallowed_loss: _Optional[float] = ..., lost_loss: _Optional[float] = ..., harvest_benefit: _Optional[float] = ...) -> None: ...

class Reallocation(_message.Message):
    __slots__ = ("name", "utilization", "liquidity", "plan", "unchanged", "failure", "impact", "shortfalls", "summary", "input_fingerprint", "request_id", "create_time", "warnings", "label", "stale_since", "restricted_until", "state", "superseded_by", "supersede_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UTILIZATION_FIELD_NUMBER: _ClassVar[int]
    LIQUIDITY_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    IMPACT_FIELD_NUMBER: _ClassVar[int]
    SHORTFALLS_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    INPUT_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    STALE_SINCE_FIELD_NUMBER: _ClassVar[int]
    RESTRICTED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_BY_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    utilization: UtilizationReport
    liquidity: _liquidity_pb2.LiquidityAssessment
    plan: ReallocationPlan
    unchanged: UnchangedPortfolio
    failure: ReallocationFailure
    impact: ImpactSimulation
    shortfalls: _containers.RepeatedCompositeFieldContainer[Shortfall]
    summary: ReallocationSummary
    input_fingerprint: str
    request_id: str
    create_time: _timestamp_pb2.Timestamp
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    label: str
    stale_since: _timestamp_pb2.Timestamp
    restricted_until: _containers.RepeatedCompositeFieldContainer[Restriction]
    state: ReallocationState
    superseded_by: str
    supersede_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., utilization: _Optional[_Union[UtilizationReport, _Mapping]] = ..., liquidity: _Optional[_Union[_liquidity_pb2.LiquidityAssessment, _Mapping]] = ..., plan: _Optional[_Union[ReallocationPlan, _Mapping]] = ..., unchanged: _Optional[_Union[UnchangedPortfolio, _Mapping]] = ..., failure: _Optional[_Union[ReallocationFailure, _Mapping]] = ..., impact: _Optional[_Union[ImpactSimulation, _Mapping]] = ..., shortfalls: _Optional[_Iterable[_Union[Shortfall, _Mapping]]] = ..., summary: _Optional[_Union[ReallocationSummary, _Mapping]] = ..., input_fingerprint: _Optional[str] = ..., request_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ..., label: _Optional[str] = ..., stale_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., restricted_until: _Optional[_Iterable[_Union[Restriction, _Mapping]]] = ..., state: _Optional[_Union[ReallocationState, str]] = ..., superseded_by: _Optional[str] = ..., supersede_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
