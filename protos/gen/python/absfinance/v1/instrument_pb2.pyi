from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TradableState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRADABLE_STATE_UNSPECIFIED: _ClassVar[TradableState]
    TRADABLE_STATE_TRADABLE: _ClassVar[TradableState]
    TRADABLE_STATE_HALTED: _ClassVar[TradableState]
    TRADABLE_STATE_DELISTED: _ClassVar[TradableState]
    TRADABLE_STATE_NOT_LISTED: _ClassVar[TradableState]
TRADABLE_STATE_UNSPECIFIED: TradableState
TRADABLE_STATE_TRADABLE: TradableState
TRADABLE_STATE_HALTED: TradableState
TRADABLE_STATE_DELISTED: TradableState
TRADABLE_STATE_NOT_LISTED: TradableState

class Instrument(_message.Message):
    __slots__ = ("symbol", "display_name", "currency", "groups", "lot_size", "state", "has_prices")
    class GroupsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOT_SIZE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    HAS_PRICES_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    display_name: str
    currency: str
    groups: _containers.ScalarMap[str, str]
    lot_size: float
    state: TradableState
    has_prices: bool
    def __init__(self, symbol: _Optional[str] = ..., display_name: _Optional[str] = ..., currency: _Optional[str] = ..., groups: _Optional[_Mapping[str, str]] = ..., lot_size: _Optional[float] = ..., state: _Optional[_Union[TradableState, str]] = ..., has_prices: _Optional[bool] = ...) -> None: ...
