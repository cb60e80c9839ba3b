from absfinance.v1 import frequency_pb2 as _frequency_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DayCount(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DAY_COUNT_UNSPECIFIED: _ClassVar[DayCount]
    DAY_COUNT_ACT_365F: _ClassVar[DayCount]
    DAY_COUNT_ACT_360: _ClassVar[DayCount]
    DAY_COUNT_BARS: _ClassVar[DayCount]
DAY_COUNT_UNSPECIFIED: DayCount
DAY_COUNT_ACT_365F: DayCount
DAY_COUNT_ACT_360: DayCount
DAY_COUNT_BARS: DayCount

class CostModel(_message.Message):
    __slots__ = ("commission_bps", "half_spread_bps", "impact", "borrow_bps_annual", "cash_rate_annual", "financing_rate_annual", "fixed_fee", "by_asset", "portfolio_value", "liquidity", "commission_per_share", "min_commission", "max_commission", "day_count", "cash_rates", "financing_rates", "management_fee_annual", "performance_fee", "liquidity_lookback_periods")
    COMMISSION_BPS_FIELD_NUMBER: _ClassVar[int]
    HALF_SPREAD_BPS_FIELD_NUMBER: _ClassVar[int]
    IMPACT_FIELD_NUMBER: _ClassVar[int]
    BORROW_BPS_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    CASH_RATE_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    FINANCING_RATE_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    FIXED_FEE_FIELD_NUMBER: _ClassVar[int]
    BY_ASSET_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_VALUE_FIELD_NUMBER: _ClassVar[int]
    LIQUIDITY_FIELD_NUMBER: _ClassVar[int]
    COMMISSION_PER_SHARE_FIELD_NUMBER: _ClassVar[int]
    MIN_COMMISSION_FIELD_NUMBER: _ClassVar[int]
    MAX_COMMISSION_FIELD_NUMBER: _ClassVar[int]
    DAY_COUNT_FIELD_NUMBER: _ClassVar[int]
    CASH_RATES_FIELD_NUMBER: _ClassVar[int]
    FINANCING_RATES_FIELD_NUMBER: _ClassVar[int]
    MANAGEMENT_FEE_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    PERFORMANCE_FEE_FIELD_NUMBER: _ClassVar[int]
    LIQUIDITY_LOOKBACK_PERIODS_FIELD_NUMBER: _ClassVar[int]
    commission_bps: float
    half_spread_bps: float
    impact: MarketImpact
    borrow_bps_annual: float
    cash_rate_annual: float
    financing_rate_annual: float
    fixed_fee: float
    by_asset: _containers.RepeatedCompositeFieldContainer[AssetCost]
    portfolio_value: float
    liquidity: _containers.RepeatedCompositeFieldContainer[AssetLiquidity]
    commission_per_share: float
    min_commission: float
    max_commission: float
    day_count: DayCount
    cash_rates: _containers.RepeatedCompositeFieldContainer[RateStep]
    financing_rates: _containers.RepeatedCompositeFieldContainer[RateStep]
    management_fee_annual: float
    performance_fee: PerformanceFee
    liquidity_lookback_periods: int
    def __init__(self, commission_bps: _Optional[float] = ..., half_spread_bps: _Optional[float] = ..., impact: _Optional[_Union[MarketImpact, _Mapping]] = ..., borrow_bps_annual: _Optional[float] = ..., cash_rate_annual: _Optional[float] = ..., financing_rate_annual: _Optional[float] = ..., fixed_fee: _Optional[float] = ..., by_asset: _Optional[_Iterable[_Union[AssetCost, _Mapping]]] = ..., portfolio_value: _Optional[float] = ..., liquidity: _Optional[_Iterable[_Union[AssetLiquidity, _Mapping]]] = ..., commission_per_share: _Optional[float] = ..., min_commission: _Optional[float] = ..., max_commission: _Optional[float] = ..., day_count: _Optional[_Union[DayCount, str]] = ..., cash_rates: _Optional[_Iterable[_Union[RateStep, _Mapping]]] = ..., financing_rates: _Optional[_Iterable[_Union[RateStep, _Mapping]]] = ..., management_fee_annual: _Optional[float] = ..., performance_fee: _Optional[_Union[PerformanceFee, _Mapping]] = ..., liquidity_lookback_periods: _Optional[int] = ...) -> None: ...

class RateStep(_message.Message):
    __slots__ = ("date", "rate_annual")
    DATE_FIELD_NUMBER: _ClassVar[int]
    RATE_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    date: _date_pb2.Date
    rate_annual: float
    def __init__(self, date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., rate_annual: _Optional[float] = ...) -> None: ...

class PerformanceFee(_message.Message):
    __slots__ = ("rate", "hurdle_annual", "hurdle", "crystallization")
    class Hurdle(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        HURDLE_UNSPECIFIED: _ClassVar[PerformanceFee.Hurdle]
        HURDLE_HARD: _ClassVar[PerformanceFee.Hurdle]
        HURDLE_SOFT: _ClassVar[PerformanceFee.Hurdle]
    HURDLE_UNSPECIFIED: PerformanceFee.Hurdle
    HURDLE_HARD: PerformanceFee.Hurdle
    HURDLE_SOFT: PerformanceFee.Hurdle
    RATE_FIELD_NUMBER: _ClassVar[int]
    HURDLE_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    HURDLE_FIELD_NUMBER: _ClassVar[int]
    CRYSTALLIZATION_FIELD_NUMBER: _ClassVar[int]
    rate: float
    hurdle_annual: float
    hurdle: PerformanceFee.Hurdle
    crystallization: _frequency_pb2.Frequency
    def __init__(self, rate: _Optional[float] = ..., hurdle_annual: _Optional[float] = ..., hurdle: _Optional[_Union[PerformanceFee.Hurdle, str]] = ..., crystallization: _Optional[_Union[_frequency_pb2.Frequency, str]] = ...) -> None: ...

class AssetLiquidity(_message.Message):
    __slots__ = ("symbol", "daily_value", "volatility_annual")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    DAILY_VALUE_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    daily_value: float
    volatility_annual: float
    def __init__(self, symbol: _Optional[str] = ..., daily_value: _Optional[float] = ..., volatility_annual: _Optional[float] = ...) -> None: ...

class AssetCost(_message.Message):
    __slots__ = ("symbol", "cost_bps", "borrow_bps_annual", "trading_cost_bps")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    COST_BPS_FIELD_NUMBER: _ClassVar[int]
    BORROW_BPS_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    TRADING_COST_BPS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    cost_bps: float
    borrow_bps_annual: float
    trading_cost_bps: float
    def __init__(self, symbol: _Optional[str] = ..., cost_bps: _Optional[float] = ..., borrow_bps_annual: _Optional[float] = ..., trading_cost_bps: _Optional[float] = ...) -> None: ...

class MarketImpact(_message.Message):
    __slots__ = ("square_root", "almgren")
    SQUARE_ROOT_FIELD_NUMBER: _ClassVar[int]
    ALMGREN_FIELD_NUMBER: _ClassVar[int]
    square_root: SquareRootImpact
    almgren: AlmgrenImpact
    def __init__(self, square_root: _Optional[_Union[SquareRootImpact, _Mapping]] = ..., almgren: _Optional[_Union[AlmgrenImpact, _Mapping]] = ...) -> None: ...

class SquareRootImpact(_message.Message):
    __slots__ = ("coefficient",)
    COEFFICIENT_FIELD_NUMBER: _ClassVar[int]
    coefficient: float
    def __init__(self, coefficient: _Optional[float] = ...) -> None: ...

class AlmgrenImpact(_message.Message):
    __slots__ = ("gamma", "eta", "execution_days", "shares_outstanding")
    class SharesOutstanding(_message.Message):
        __slots__ = ("symbol", "quantity")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        QUANTITY_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        quantity: float
        def __init__(self, symbol: _Optional[str] = ..., quantity: _Optional[float] = ...) -> None: ...
    GAMMA_FIELD_NUMBER: _ClassVar[int]
    ETA_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_DAYS_FIELD_NUMBER: _ClassVar[int]
    SHARES_OUTSTANDING_FIELD_NUMBER: _ClassVar[int]
    gamma: float
    eta: float
    execution_days: float
    shares_outstanding: _containers.RepeatedCompositeFieldContainer[AlmgrenImpact.SharesOutstanding]
    def __init__(self, gamma: _Optional[float] = ..., eta: _Optional[float] = ..., execution_days: _Optional[float] = ..., shares_outstanding: _Optional[_Iterable[_Union[AlmgrenImpact.SharesOutstanding, _Mapping]]] = ...) -> None: ...

class CostBreakdown(_message.Message):
    __slots__ = ("commission", "spread", "impact", "borrow", "financing", "fixed", "management_fee", "performance_fee", "withholding")
    COMMISSION_FIELD_NUMBER: _ClassVar[int]
    SPREAD_FIELD_NUMBER: _ClassVar[int]
    IMPACT_FIELD_NUMBER: _ClassVar[int]
    BORROW_FIELD_NUMBER: _ClassVar[int]
    FINANCING_FIELD_NUMBER: _ClassVar[int]
    FIXED_FIELD_NUMBER: _ClassVar[int]
    MANAGEMENT_FEE_FIELD_NUMBER: _ClassVar[int]
    PERFORMANCE_FEE_FIELD_NUMBER: _ClassVar[int]
    WITHHOLDING_FIELD_NUMBER: _ClassVar[int]
    commission: float
    spread: float
    impact: float
    borrow: float
    financing: float
    fixed: float
    management_fee: float
    performance_fee: float
    withholding: float
    def __init__(self, commission: _Optional[float] = ..., spread: _Optional[float] = ..., impact: _Optional[float] = ..., borrow: _Optional[float] = ..., financing: _Optional[float] = ..., fixed: _Optional[float] = ..., management_fee: _Optional[float] = ..., performance_fee: _Optional[float] = ..., withholding: _Optional[float] = ...) -> None: ...
