from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ValueAtRisk(_message.Message):
    __slots__ = ("historical", "gaussian", "cornish_fisher")
    HISTORICAL_FIELD_NUMBER: _ClassVar[int]
    GAUSSIAN_FIELD_NUMBER: _ClassVar[int]
    CORNISH_FISHER_FIELD_NUMBER: _ClassVar[int]
    historical: float
    gaussian: float
    cornish_fisher: float
    def __init__(self, historical: _Optional[float] = ..., gaussian: _Optional[float] = ..., cornish_fisher: _Optional[float] = ...) -> None: ...

class ConditionalValueAtRisk(_message.Message):
    __slots__ = ("historical", "gaussian")
    HISTORICAL_FIELD_NUMBER: _ClassVar[int]
    GAUSSIAN_FIELD_NUMBER: _ClassVar[int]
    historical: float
    gaussian: float
    def __init__(self, historical: _Optional[float] = ..., gaussian: _Optional[float] = ...) -> None: ...

class DrawdownPeriod(_message.Message):
    __slots__ = ("peak_date", "trough_date", "recovery_date")
    PEAK_DATE_FIELD_NUMBER: _ClassVar[int]
    TROUGH_DATE_FIELD_NUMBER: _ClassVar[int]
    RECOVERY_DATE_FIELD_NUMBER: _ClassVar[int]
    peak_date: _date_pb2.Date
    trough_date: _date_pb2.Date
    recovery_date: _date_pb2.Date
    def __init__(self, peak_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., trough_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., recovery_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class CorrelationMatrix(_message.Message):
    __slots__ = ("symbols", "values")
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, symbols: _Optional[_Iterable[str]] = ..., values: _Optional[_Iterable[float]] = ...) -> None: ...
