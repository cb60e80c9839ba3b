from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StatisticalValidationOptions(_message.Message):
    __slots__ = ("resamples", "timing_luck_offsets")
    RESAMPLES_FIELD_NUMBER: _ClassVar[int]
    TIMING_LUCK_OFFSETS_FIELD_NUMBER: _ClassVar[int]
    resamples: int
    timing_luck_offsets: int
    def __init__(self, resamples: _Optional[int] = ..., timing_luck_offsets: _Optional[int] = ...) -> None: ...

class StatisticalValidation(_message.Message):
    __slots__ = ("probabilistic_sharpe", "minimum_track_record_periods", "sharpe_intervals", "sharpe_differences", "timing_luck", "block_length", "undefined")
    class SharpeInterval(_message.Message):
        __slots__ = ("method", "lower", "upper")
        METHOD_FIELD_NUMBER: _ClassVar[int]
        LOWER_FIELD_NUMBER: _ClassVar[int]
        UPPER_FIELD_NUMBER: _ClassVar[int]
        method: str
        lower: float
        upper: float
        def __init__(self, method: _Optional[str] = ..., lower: _Optional[float] = ..., upper: _Optional[float] = ...) -> None: ...
    class SharpeDifference(_message.Message):
        __slots__ = ("benchmark", "difference", "standard_error", "p_value")
        BENCHMARK_FIELD_NUMBER: _ClassVar[int]
        DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
        STANDARD_ERROR_FIELD_NUMBER: _ClassVar[int]
        P_VALUE_FIELD_NUMBER: _ClassVar[int]
        benchmark: str
        difference: float
        standard_error: float
        p_value: float
        def __init__(self, benchmark: _Optional[str] = ..., difference: _Optional[float] = ..., standard_error: _Optional[float] = ..., p_value: _Optional[float] = ...) -> None: ...
    class TimingLuck(_message.Message):
        __slots__ = ("lowest", "median", "highest")
        LOWEST_FIELD_NUMBER: _ClassVar[int]
        MEDIAN_FIELD_NUMBER: _ClassVar[int]
        HIGHEST_FIELD_NUMBER: _ClassVar[int]
        lowest: float
        median: float
        highest: float
        def __init__(self, lowest: _Optional[float] = ..., median: _Optional[float] = ..., highest: _Optional[float] = ...) -> None: ...
    class UndefinedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROBABILISTIC_SHARPE_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_TRACK_RECORD_PERIODS_FIELD_NUMBER: _ClassVar[int]
    SHARPE_INTERVALS_FIELD_NUMBER: _ClassVar[int]
    SHARPE_DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    TIMING_LUCK_FIELD_NUMBER: _ClassVar[int]
    BLOCK_LENGTH_FIELD_NUMBER: _ClassVar[int]
    UNDEFINED_FIELD_NUMBER: _ClassVar[int]
    probabilistic_sharpe: float
    minimum_track_record_periods: float
    sharpe_intervals: _containers.RepeatedCompositeFieldContainer[StatisticalValidation.SharpeInterval]
    sharpe_differences: _containers.RepeatedCompositeFieldContainer[StatisticalValidation.SharpeDifference]
    timing_luck: StatisticalValidation.TimingLuck
    block_length: float
    undefined: _containers.ScalarMap[str, str]
    def __init__(self, probabilistic_sharpe: _Optional[float] = ..., minimum_track_record_periods: _Optional[float] = ..., sharpe_intervals: _Optional[_Iterable[_Union[StatisticalValidation.SharpeInterval, _Mapping]]] = ..., sharpe_differences: _Optional[_Iterable[_Union[StatisticalValidation.SharpeDifference, _Mapping]]] = ..., timing_luck: _Optional[_Union[StatisticalValidation.TimingLuck, _Mapping]] = ..., block_length: _Optional[float] = ..., undefined: _Optional[_Mapping[str, str]] = ...) -> None: ...

class SuperiorPredictiveAbility(_message.Message):
    __slots__ = ("lower", "consistent", "upper")
    LOWER_FIELD_NUMBER: _ClassVar[int]
    CONSISTENT_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    lower: float
    consistent: float
    upper: float
    def __init__(self, lower: _Optional[float] = ..., consistent: _Optional[float] = ..., upper: _Optional[float] = ...) -> None: ...
