from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CostModel(_message.Message):
    __slots__ = ("commission_bps", "half_spread_bps", "impact", "borrow_bps_annual", "cash_rate_annual", "financing_rate_annual", "fixed_fee", "by_asset", "portfolio_value", "liquidity")
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
    def __init__(self, commission_bps: _Optional[float] = ..., half_spread_bps: _Optional[float] = ..., impact: _Optional[_Union[MarketImpact, _Mapping]] = ..., borrow_bps_annual: _Optional[float] = ..., cash_rate_annual: _Optional[float] = ..., financing_rate_annual: _Optional[float] = ..., fixed_fee: _Optional[float] = ..., by_asset: _Optional[_Iterable[_Union[AssetCost, _Mapping]]] = ..., portfolio_value: _Optional[float] = ..., liquidity: _Optional[_Iterable[_Union[AssetLiquidity, _Mapping]]] = ...) -> None: ...

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
    __slots__ = ("symbol", "cost_bps")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    COST_BPS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    cost_bps: float
    def __init__(self, symbol: _Optional[str] = ..., cost_bps: _Optional[float] = ...) -> None: ...

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
    __slots__ = ("gamma", "eta")
    GAMMA_FIELD_NUMBER: _ClassVar[int]
    ETA_FIELD_NUMBER: _ClassVar[int]
    gamma: float
    eta: float
    def __init__(self, gamma: _Optional[float] = ..., eta: _Optional[float] = ...) -> None: ...
