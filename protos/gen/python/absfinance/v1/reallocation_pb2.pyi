import datetime

from absfinance.v1 import liquidity_pb2 as _liquidity_pb2
from absfinance.v1 import warning_pb2 as _warning_pb2
from absfinance.v1 import weight_pb2 as _weight_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

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
SHORTFALL_CODE_UNSPECIFIED: ShortfallCode
SHORTFALL_CODE_LOT_SIZE: ShortfallCode
SHORTFALL_CODE_MIN_TRADE: ShortfallCode
SHORTFALL_CODE_PARTICIPATION: ShortfallCode
SHORTFALL_CODE_CASH: ShortfallCode
SHORTFALL_CODE_TURNOVER: ShortfallCode
SHORTFALL_CODE_HALTED: ShortfallCode
SHORTFALL_CODE_TAX: ShortfallCode
SHORTFALL_CODE_UNPRICED: ShortfallCode

class MarketSnapshot(_message.Message):
    __slots__ = ("assets",)
    class Asset(_message.Message):
        __slots__ = ("symbol", "price", "average_daily_volume", "spread_bps", "volatility_annual", "lot_size", "halted")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        PRICE_FIELD_NUMBER: _ClassVar[int]
        AVERAGE_DAILY_VOLUME_FIELD_NUMBER: _ClassVar[int]
        SPREAD_BPS_FIELD_NUMBER: _ClassVar[int]
        VOLATILITY_ANNUAL_FIELD_NUMBER: _ClassVar[int]
        LOT_SIZE_FIELD_NUMBER: _ClassVar[int]
        HALTED_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        price: float
        average_daily_volume: float
        spread_bps: float
        volatility_annual: float
        lot_size: float
        halted: bool
        def __init__(self, symbol: _Optional[str] = ..., price: _Optional[float] = ..., average_daily_volume: _Optional[float] = ..., spread_bps: _Optional[float] = ..., volatility_annual: _Optional[float] = ..., lot_size: _Optional[float] = ..., halted: _Optional[bool] = ...) -> None: ...
    ASSETS_FIELD_NUMBER: _ClassVar[int]
    assets: _containers.RepeatedCompositeFieldContainer[MarketSnapshot.Asset]
    def __init__(self, assets: _Optional[_Iterable[_Union[MarketSnapshot.Asset, _Mapping]]] = ...) -> None: ...

class ReallocationLimits(_message.Message):
    __slots__ = ("max_participation", "min_trade_value", "cash_floor", "max_turnover", "tax", "fractional")
    MAX_PARTICIPATION_FIELD_NUMBER: _ClassVar[int]
    MIN_TRADE_VALUE_FIELD_NUMBER: _ClassVar[int]
    CASH_FLOOR_FIELD_NUMBER: _ClassVar[int]
    MAX_TURNOVER_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    FRACTIONAL_FIELD_NUMBER: _ClassVar[int]
    max_participation: float
    min_trade_value: float
    cash_floor: float
    max_turnover: float
    tax: TaxLimits
    fractional: bool
    def __init__(self, max_participation: _Optional[float] = ..., min_trade_value: _Optional[float] = ..., cash_floor: _Optional[float] = ..., max_turnover: _Optional[float] = ..., tax: _Optional[_Union[TaxLimits, _Mapping]] = ..., fractional: _Optional[bool] = ...) -> None: ...

class TaxLimits(_message.Message):
    __slots__ = ("lot_method", "gain_budget", "wash_sale_days")
    class LotMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        LOT_METHOD_UNSPECIFIED: _ClassVar[TaxLimits.LotMethod]
        LOT_METHOD_FIFO: _ClassVar[TaxLimits.LotMethod]
        LOT_METHOD_LIFO: _ClassVar[TaxLimits.LotMethod]
        LOT_METHOD_HIFO: _ClassVar[TaxLimits.LotMethod]
        LOT_METHOD_TAX_OPTIMAL: _ClassVar[TaxLimits.LotMethod]
    LOT_METHOD_UNSPECIFIED: TaxLimits.LotMethod
    LOT_METHOD_FIFO: TaxLimits.LotMethod
    LOT_METHOD_LIFO: TaxLimits.LotMethod
    LOT_METHOD_HIFO: TaxLimits.LotMethod
    LOT_METHOD_TAX_OPTIMAL: TaxLimits.LotMethod
    LOT_METHOD_FIELD_NUMBER: _ClassVar[int]
    GAIN_BUDGET_FIELD_NUMBER: _ClassVar[int]
    WASH_SALE_DAYS_FIELD_NUMBER: _ClassVar[int]
    lot_method: TaxLimits.LotMethod
    gain_budget: float
    wash_sale_days: int
    def __init__(self, lot_method: _Optional[_Union[TaxLimits.LotMethod, str]] = ..., gain_budget: _Optional[float] = ..., wash_sale_days: _Optional[int] = ...) -> None: ...

class UtilizationReport(_message.Message):
    __slots__ = ("assets", "exceeded")
    class Asset(_message.Message):
        __slots__ = ("symbol", "current_weight", "target_weight", "utilization", "exceeded")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        CURRENT_WEIGHT_FIELD_NUMBER: _ClassVar[int]
        TARGET_WEIGHT_FIELD_NUMBER: _ClassVar[int]
        UTILIZATION_FIELD_NUMBER: _ClassVar[int]
        EXCEEDED_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        current_weight: float
        target_weight: float
        utilization: float
        exceeded: bool
        def __init__(self, symbol: _Optional[str] = ..., current_weight: _Optional[float] = ..., target_weight: _Optional[float] = ..., utilization: _Optional[float] = ..., exceeded: _Optional[bool] = ...) -> None: ...
    ASSETS_FIELD_NUMBER: _ClassVar[int]
    EXCEEDED_FIELD_NUMBER: _ClassVar[int]
    assets: _containers.RepeatedCompositeFieldContainer[UtilizationReport.Asset]
    exceeded: bool
    def __init__(self, assets: _Optional[_Iterable[_Union[UtilizationReport.Asset, _Mapping]]] = ..., exceeded: _Optional[bool] = ...) -> None: ...

class PlannedTrade(_message.Message):
    __slots__ = ("step", "symbol", "quantity", "price", "cost", "cash_after", "day")
    STEP_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    CASH_AFTER_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    step: int
    symbol: str
    quantity: float
    price: float
    cost: float
    cash_after: float
    day: int
    def __init__(self, step: _Optional[int] = ..., symbol: _Optional[str] = ..., quantity: _Optional[float] = ..., price: _Optional[float] = ..., cost: _Optional[float] = ..., cash_after: _Optional[float] = ..., day: _Optional[int] = ...) -> None: ...

class ReallocationPlan(_message.Message):
    __slots__ = ("trades", "warnings")
    TRADES_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    trades: _containers.RepeatedCompositeFieldContainer[PlannedTrade]
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    def __init__(self, trades: _Optional[_Iterable[_Union[PlannedTrade, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ...) -> None: ...

class UnchangedPortfolio(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class ReallocationFailure(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

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
    __slots__ = ("assets", "expected_cost", "cost_volatility")
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
    assets: _containers.RepeatedCompositeFieldContainer[ImpactSimulation.Asset]
    expected_cost: float
    cost_volatility: float
    def __init__(self, assets: _Optional[_Iterable[_Union[ImpactSimulation.Asset, _Mapping]]] = ..., expected_cost: _Optional[float] = ..., cost_volatility: _Optional[float] = ...) -> None: ...

class ReallocationSummary(_message.Message):
    __slots__ = ("weights_before", "weights_after", "volatility_annual_before", "volatility_annual_after", "cost_bps", "cost", "residual_drift", "turnover_one_way", "days_to_complete", "nav_before", "nav_after", "cash_after")
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
    def __init__(self, weights_before: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., weights_after: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., volatility_annual_before: _Optional[float] = ..., volatility_annual_after: _Optional[float] = ..., cost_bps: _Optional[float] = ..., cost: _Optional[float] = ..., residual_drift: _Optional[float] = ..., turnover_one_way: _Optional[float] = ..., days_to_complete: _Optional[int] = ..., nav_before: _Optional[float] = ..., nav_after: _Optional[float] = ..., cash_after: _Optional[float] = ...) -> None: ...

class Reallocation(_message.Message):
    __slots__ = ("name", "utilization", "liquidity", "plan", "unchanged", "failure", "impact", "shortfalls", "summary", "input_fingerprint", "request_id", "create_time", "warnings")
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
    def __init__(self, name: _Optional[str] = ..., utilization: _Optional[_Union[UtilizationReport, _Mapping]] = ..., liquidity: _Optional[_Union[_liquidity_pb2.LiquidityAssessment, _Mapping]] = ..., plan: _Optional[_Union[ReallocationPlan, _Mapping]] = ..., unchanged: _Optional[_Union[UnchangedPortfolio, _Mapping]] = ..., failure: _Optional[_Union[ReallocationFailure, _Mapping]] = ..., impact: _Optional[_Union[ImpactSimulation, _Mapping]] = ..., shortfalls: _Optional[_Iterable[_Union[Shortfall, _Mapping]]] = ..., summary: _Optional[_Union[ReallocationSummary, _Mapping]] = ..., input_fingerprint: _Optional[str] = ..., request_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ...) -> None: ...
