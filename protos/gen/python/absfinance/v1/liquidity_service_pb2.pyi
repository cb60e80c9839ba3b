from absfinance.v1 import liquidity_pb2 as _liquidity_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AssessLiquidityRequest(_message.Message):
    __slots__ = ("trades", "max_participation", "horizon_days")
    class Trade(_message.Message):
        __slots__ = ("symbol", "quantity")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        QUANTITY_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        quantity: float
        def __init__(self, symbol: _Optional[str] = ..., quantity: _Optional[float] = ...) -> None: ...
    TRADES_FIELD_NUMBER: _ClassVar[int]
    MAX_PARTICIPATION_FIELD_NUMBER: _ClassVar[int]
    HORIZON_DAYS_FIELD_NUMBER: _ClassVar[int]
    trades: _containers.RepeatedCompositeFieldContainer[AssessLiquidityRequest.Trade]
    max_participation: float
    horizon_days: int
    def __init__(self, trades: _Optional[_Iterable[_Union[AssessLiquidityRequest.Trade, _Mapping]]] = ..., max_participation: _Optional[float] = ..., horizon_days: _Optional[int] = ...) -> None: ...

class AssessLiquidityResponse(_message.Message):
    __slots__ = ("assessment",)
    ASSESSMENT_FIELD_NUMBER: _ClassVar[int]
    assessment: _liquidity_pb2.LiquidityAssessment
    def __init__(self, assessment: _Optional[_Union[_liquidity_pb2.LiquidityAssessment, _Mapping]] = ...) -> None: ...
