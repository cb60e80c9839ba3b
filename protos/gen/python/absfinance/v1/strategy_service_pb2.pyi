from absfinance.v1 import panel_pb2 as _panel_pb2
from absfinance.v1 import weight_pb2 as _weight_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DecideRequest(_message.Message):
    __slots__ = ("backtest", "label", "date", "prices", "returns", "current_weights", "nav", "members")
    BACKTEST_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    CURRENT_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    NAV_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    backtest: str
    label: str
    date: _date_pb2.Date
    prices: _panel_pb2.Panel
    returns: _panel_pb2.Panel
    current_weights: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    nav: float
    members: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, backtest: _Optional[str] = ..., label: _Optional[str] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., prices: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., returns: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., current_weights: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., nav: _Optional[float] = ..., members: _Optional[_Iterable[str]] = ...) -> None: ...

class DecideResponse(_message.Message):
    __slots__ = ("weights",)
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    weights: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    def __init__(self, weights: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ...) -> None: ...
