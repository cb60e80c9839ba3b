from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LiquidityState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIQUIDITY_STATE_UNSPECIFIED: _ClassVar[LiquidityState]
    LIQUIDITY_STATE_SUFFICIENT: _ClassVar[LiquidityState]
    LIQUIDITY_STATE_PARTIAL: _ClassVar[LiquidityState]
    LIQUIDITY_STATE_INSUFFICIENT: _ClassVar[LiquidityState]
    LIQUIDITY_STATE_UNKNOWN: _ClassVar[LiquidityState]
LIQUIDITY_STATE_UNSPECIFIED: LiquidityState
LIQUIDITY_STATE_SUFFICIENT: LiquidityState
LIQUIDITY_STATE_PARTIAL: LiquidityState
LIQUIDITY_STATE_INSUFFICIENT: LiquidityState
LIQUIDITY_STATE_UNKNOWN: LiquidityState

class LiquidityAssessment(_message.Message):
    __slots__ = ("state", "assets", "score", "from_remote_service")
    class Asset(_message.Message):
        __slots__ = ("symbol", "state", "available_quantity", "average_daily_volume", "participation", "days_to_trade", "score")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        STATE_FIELD_NUMBER: _ClassVar[int]
        AVAILABLE_QUANTITY_FIELD_NUMBER: _ClassVar[int]
        AVERAGE_DAILY_VOLUME_FIELD_NUMBER: _ClassVar[int]
        PARTICIPATION_FIELD_NUMBER: _ClassVar[int]
        DAYS_TO_TRADE_FIELD_NUMBER: _ClassVar[int]
        SCORE_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        state: LiquidityState
        available_quantity: float
        average_daily_volume: float
        participation: float
        days_to_trade: float
        score: float
        def __init__(self, symbol: _Optional[str] = ..., state: _Optional[_Union[LiquidityState, str]] = ..., available_quantity: _Optional[float] = ..., average_daily_volume: _Optional[float] = ..., participation: _Optional[float] = ..., days_to_trade: _Optional[float] = ..., score: _Optional[float] = ...) -> None: ...
    STATE_FIELD_NUMBER: _ClassVar[int]
    ASSETS_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    FROM_REMOTE_SERVICE_FIELD_NUMBER: _ClassVar[int]
    state: LiquidityState
    assets: _containers.RepeatedCompositeFieldContainer[LiquidityAssessment.Asset]
    score: float
    from_remote_service: bool
    def __init__(self, state: _Optional[_Union[LiquidityState, str]] = ..., assets: _Optional[_Iterable[_Union[LiquidityAssessment.Asset, _Mapping]]] = ..., score: _Optional[float] = ..., from_remote_service: _Optional[bool] = ...) -> None: ...
