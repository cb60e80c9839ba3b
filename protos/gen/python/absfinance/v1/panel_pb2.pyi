from buf.validate import validate_pb2 as _validate_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DataType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_TYPE_UNSPECIFIED: _ClassVar[DataType]
    DATA_TYPE_FLOAT64: _ClassVar[DataType]
    DATA_TYPE_FLOAT32: _ClassVar[DataType]
    DATA_TYPE_INT32: _ClassVar[DataType]
    DATA_TYPE_INT64: _ClassVar[DataType]

class PriceField(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRICE_FIELD_UNSPECIFIED: _ClassVar[PriceField]
    PRICE_FIELD_CLOSE: _ClassVar[PriceField]
    PRICE_FIELD_OPEN: _ClassVar[PriceField]
    PRICE_FIELD_HIGH: _ClassVar[PriceField]
    PRICE_FIELD_LOW: _ClassVar[PriceField]
    PRICE_FIELD_VOLUME: _ClassVar[PriceField]

class MissingDataPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MISSING_DATA_POLICY_UNSPECIFIED: _ClassVar[MissingDataPolicy]
    MISSING_DATA_POLICY_FAIL: _ClassVar[MissingDataPolicy]
    MISSING_DATA_POLICY_DROP_DATES: _ClassVar[MissingDataPolicy]
    MISSING_DATA_POLICY_MAXIMUM_LIKELIHOOD: _ClassVar[MissingDataPolicy]
    MISSING_DATA_POLICY_PAIRWISE: _ClassVar[MissingDataPolicy]
    MISSING_DATA_POLICY_ASSET_STATES: _ClassVar[MissingDataPolicy]
DATA_TYPE_UNSPECIFIED: DataType
DATA_TYPE_FLOAT64: DataType
DATA_TYPE_FLOAT32: DataType
DATA_TYPE_INT32: DataType
DATA_TYPE_INT64: DataType
PRICE_FIELD_UNSPECIFIED: PriceField
PRICE_FIELD_CLOSE: PriceField
PRICE_FIELD_OPEN: PriceField
PRICE_FIELD_HIGH: PriceField
PRICE_FIELD_LOW: PriceField
PRICE_FIELD_VOLUME: PriceField
MISSING_DATA_POLICY_UNSPECIFIED: MissingDataPolicy
MISSING_DATA_POLICY_FAIL: MissingDataPolicy
MISSING_DATA_POLICY_DROP_DATES: MissingDataPolicy
MISSING_DATA_POLICY_MAXIMUM_LIKELIHOOD: MissingDataPolicy
MISSING_DATA_POLICY_PAIRWISE: MissingDataPolicy
MISSING_DATA_POLICY_ASSET_STATES: MissingDataPolicy

class Panel(_message.Message):
    __slots__ = ("symbols", "dates", "values")
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    DATES_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    dates: _containers.RepeatedScalarFieldContainer[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, symbols: _Optional[_Iterable[str]] = ..., dates: _Optional[_Iterable[int]] = ..., values: _Optional[_Iterable[float]] = ...) -> None: ...

class Tensor(_message.Message):
    __slots__ = ("shape", "dtype", "data")
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    shape: _containers.RepeatedScalarFieldContainer[int]
    dtype: DataType
    data: bytes
    def __init__(self, shape: _Optional[_Iterable[int]] = ..., dtype: _Optional[_Union[DataType, str]] = ..., data: _Optional[bytes] = ...) -> None: ...

class Moments(_message.Message):
    __slots__ = ("symbols", "expected_returns", "covariance", "periods_per_year", "repair_covariance")
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_RETURNS_FIELD_NUMBER: _ClassVar[int]
    COVARIANCE_FIELD_NUMBER: _ClassVar[int]
    PERIODS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
    REPAIR_COVARIANCE_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    expected_returns: _containers.RepeatedScalarFieldContainer[float]
    covariance: _containers.RepeatedScalarFieldContainer[float]
    periods_per_year: float
    repair_covariance: bool
    def __init__(self, symbols: _Optional[_Iterable[str]] = ..., expected_returns: _Optional[_Iterable[float]] = ..., covariance: _Optional[_Iterable[float]] = ..., periods_per_year: _Optional[float] = ..., repair_covariance: _Optional[bool] = ...) -> None: ...

class Scenarios(_message.Message):
    __slots__ = ("symbols", "values", "probabilities", "periods_per_year")
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    PERIODS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    values: _containers.RepeatedScalarFieldContainer[float]
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    periods_per_year: float
    def __init__(self, symbols: _Optional[_Iterable[str]] = ..., values: _Optional[_Iterable[float]] = ..., probabilities: _Optional[_Iterable[float]] = ..., periods_per_year: _Optional[float] = ...) -> None: ...

class MarketDataSelection(_message.Message):
    __slots__ = ("symbols", "universe", "start_date", "end_date", "field")
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    UNIVERSE_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    universe: str
    start_date: _date_pb2.Date
    end_date: _date_pb2.Date
    field: PriceField
    def __init__(self, symbols: _Optional[_Iterable[str]] = ..., universe: _Optional[str] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., field: _Optional[_Union[PriceField, str]] = ...) -> None: ...
