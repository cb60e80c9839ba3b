from buf.validate import validate_pb2 as _validate_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StatisticalValidationOptions(_message.Message):
    __slots__ = ("resamples", "timing_luck_offsets", "block_length", "confidence_level", "benchmark_sharpe_annual", "sub_periods")
    RESAMPLES_FIELD_NUMBER: _ClassVar[int]
    TIMING_LUCK_OFFSETS_FIELD_NUMBER: _ClassVar[int]
    BLOCK_LENGTH_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_SHARPE_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    SUB_PERIODS_FIELD_NUMBER: _ClassVar[int]
    resamples: int
    timing_luck_offsets: int
    block_length: float
    confidence_level: float
    benchmark_sharpe_annual: float
    sub_periods: int
    def __init__(self, resamples: _Optional[int] = ..., timing_luck_offsets: _Optional[int] = ..., block_length: _Optional[float] = ..., confidence_level: _Optional[float] = ..., benchmark_sharpe_annual: _Optional[float] = ..., sub_periods: _Optional[int] = ...) -> None: ...

class FigureBasis(_message.Message):
    __slots__ = ("figure", "returns", "observations", "convention")
    FIGURE_FIELD_NUMBER: _ClassVar[int]
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    CONVENTION_FIELD_NUMBER: _ClassVar[int]
    figure: str
    returns: str
    observations: int
    convention: str
    def __init__(self, figure: _Optional[str] = ..., returns: _Optional[str] = ..., observations: _Optional[int] = ..., convention: _Optional[str] = ...) -> None: ...

class StatisticalValidation(_message.Message):
    __slots__ = ("probabilistic_sharpe", "minimum_track_record_periods", "sharpe_intervals", "sharpe_differences", "timing_luck", "block_length", "undefined", "bases", "sharpe_annual", "sub_periods", "sub_period_p_value", "drawdown", "deflated_sharpe", "resamples", "confidence_level")
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
        __slots__ = ("benchmark", "difference", "standard_error", "p_value", "estimates", "observations", "block_length", "difference_annual")
        class Estimate(_message.Message):
            __slots__ = ("method", "standard_error", "p_value")
            METHOD_FIELD_NUMBER: _ClassVar[int]
            STANDARD_ERROR_FIELD_NUMBER: _ClassVar[int]
            P_VALUE_FIELD_NUMBER: _ClassVar[int]
            method: str
            standard_error: float
            p_value: float
            def __init__(self, method: _Optional[str] = ..., standard_error: _Optional[float] = ..., p_value: _Optional[float] = ...) -> None: ...
        BENCHMARK_FIELD_NUMBER: _ClassVar[int]
        DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
        STANDARD_ERROR_FIELD_NUMBER: _ClassVar[int]
        P_VALUE_FIELD_NUMBER: _ClassVar[int]
        ESTIMATES_FIELD_NUMBER: _ClassVar[int]
        OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
        BLOCK_LENGTH_FIELD_NUMBER: _ClassVar[int]
        DIFFERENCE_ANNUAL_FIELD_NUMBER: _ClassVar[int]
        benchmark: str
        difference: float
        standard_error: float
        p_value: float
        estimates: _containers.RepeatedCompositeFieldContainer[StatisticalValidation.SharpeDifference.Estimate]
        observations: int
        block_length: float
        difference_annual: float
        def __init__(self, benchmark: _Optional[str] = ..., difference: _Optional[float] = ..., standard_error: _Optional[float] = ..., p_value: _Optional[float] = ..., estimates: _Optional[_Iterable[_Union[StatisticalValidation.SharpeDifference.Estimate, _Mapping]]] = ..., observations: _Optional[int] = ..., block_length: _Optional[float] = ..., difference_annual: _Optional[float] = ...) -> None: ...
    class TimingLuck(_message.Message):
        __slots__ = ("lowest", "median", "highest", "outcomes", "band")
        class Outcome(_message.Message):
            __slots__ = ("offset", "total_return")
            OFFSET_FIELD_NUMBER: _ClassVar[int]
            TOTAL_RETURN_FIELD_NUMBER: _ClassVar[int]
            offset: int
            total_return: float
            def __init__(self, offset: _Optional[int] = ..., total_return: _Optional[float] = ...) -> None: ...
        class Band(_message.Message):
            __slots__ = ("dates", "chosen", "lowest", "median", "highest")
            DATES_FIELD_NUMBER: _ClassVar[int]
            CHOSEN_FIELD_NUMBER: _ClassVar[int]
            LOWEST_FIELD_NUMBER: _ClassVar[int]
            MEDIAN_FIELD_NUMBER: _ClassVar[int]
            HIGHEST_FIELD_NUMBER: _ClassVar[int]
            dates: _containers.RepeatedScalarFieldContainer[int]
            chosen: _containers.RepeatedScalarFieldContainer[float]
            lowest: _containers.RepeatedScalarFieldContainer[float]
            median: _containers.RepeatedScalarFieldContainer[float]
            highest: _containers.RepeatedScalarFieldContainer[float]
            def __init__(self, dates: _Optional[_Iterable[int]] = ..., chosen: _Optional[_Iterable[float]] = ..., lowest: _Optional[_Iterable[float]] = ..., median: _Optional[_Iterable[float]] = ..., highest: _Optional[_Iterable[float]] = ...) -> None: ...
        LOWEST_FIELD_NUMBER: _ClassVar[int]
        MEDIAN_FIELD_NUMBER: _ClassVar[int]
        HIGHEST_FIELD_NUMBER: _ClassVar[int]
        OUTCOMES_FIELD_NUMBER: _ClassVar[int]
        BAND_FIELD_NUMBER: _ClassVar[int]
        lowest: float
        median: float
        highest: float
        outcomes: _containers.RepeatedCompositeFieldContainer[StatisticalValidation.TimingLuck.Outcome]
        band: StatisticalValidation.TimingLuck.Band
        def __init__(self, lowest: _Optional[float] = ..., median: _Optional[float] = ..., highest: _Optional[float] = ..., outcomes: _Optional[_Iterable[_Union[StatisticalValidation.TimingLuck.Outcome, _Mapping]]] = ..., band: _Optional[_Union[StatisticalValidation.TimingLuck.Band, _Mapping]] = ...) -> None: ...
    class SubPeriod(_message.Message):
        __slots__ = ("start_date", "end_date", "observations", "sharpe_annual")
        START_DATE_FIELD_NUMBER: _ClassVar[int]
        END_DATE_FIELD_NUMBER: _ClassVar[int]
        OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
        SHARPE_ANNUAL_FIELD_NUMBER: _ClassVar[int]
        start_date: _date_pb2.Date
        end_date: _date_pb2.Date
        observations: int
        sharpe_annual: float
        def __init__(self, start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., observations: _Optional[int] = ..., sharpe_annual: _Optional[float] = ...) -> None: ...
    class DrawdownExpectation(_message.Message):
        __slots__ = ("mean", "lower", "upper", "observed", "deeper_fraction", "paths")
        MEAN_FIELD_NUMBER: _ClassVar[int]
        LOWER_FIELD_NUMBER: _ClassVar[int]
        UPPER_FIELD_NUMBER: _ClassVar[int]
        OBSERVED_FIELD_NUMBER: _ClassVar[int]
        DEEPER_FRACTION_FIELD_NUMBER: _ClassVar[int]
        PATHS_FIELD_NUMBER: _ClassVar[int]
        mean: float
        lower: float
        upper: float
        observed: float
        deeper_fraction: float
        paths: int
        def __init__(self, mean: _Optional[float] = ..., lower: _Optional[float] = ..., upper: _Optional[float] = ..., observed: _Optional[float] = ..., deeper_fraction: _Optional[float] = ..., paths: _Optional[int] = ...) -> None: ...
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
    BASES_FIELD_NUMBER: _ClassVar[int]
    SHARPE_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    SUB_PERIODS_FIELD_NUMBER: _ClassVar[int]
    SUB_PERIOD_P_VALUE_FIELD_NUMBER: _ClassVar[int]
    DRAWDOWN_FIELD_NUMBER: _ClassVar[int]
    DEFLATED_SHARPE_FIELD_NUMBER: _ClassVar[int]
    RESAMPLES_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    probabilistic_sharpe: float
    minimum_track_record_periods: float
    sharpe_intervals: _containers.RepeatedCompositeFieldContainer[StatisticalValidation.SharpeInterval]
    sharpe_differences: _containers.RepeatedCompositeFieldContainer[StatisticalValidation.SharpeDifference]
    timing_luck: StatisticalValidation.TimingLuck
    block_length: float
    undefined: _containers.ScalarMap[str, str]
    bases: _containers.RepeatedCompositeFieldContainer[FigureBasis]
    sharpe_annual: float
    sub_periods: _containers.RepeatedCompositeFieldContainer[StatisticalValidation.SubPeriod]
    sub_period_p_value: float
    drawdown: StatisticalValidation.DrawdownExpectation
    deflated_sharpe: float
    resamples: int
    confidence_level: float
    def __init__(self, probabilistic_sharpe: _Optional[float] = ..., minimum_track_record_periods: _Optional[float] = ..., sharpe_intervals: _Optional[_Iterable[_Union[StatisticalValidation.SharpeInterval, _Mapping]]] = ..., sharpe_differences: _Optional[_Iterable[_Union[StatisticalValidation.SharpeDifference, _Mapping]]] = ..., timing_luck: _Optional[_Union[StatisticalValidation.TimingLuck, _Mapping]] = ..., block_length: _Optional[float] = ..., undefined: _Optional[_Mapping[str, str]] = ..., bases: _Optional[_Iterable[_Union[FigureBasis, _Mapping]]] = ..., sharpe_annual: _Optional[float] = ..., sub_periods: _Optional[_Iterable[_Union[StatisticalValidation.SubPeriod, _Mapping]]] = ..., sub_period_p_value: _Optional[float] = ..., drawdown: _Optional[_Union[StatisticalValidation.DrawdownExpectation, _Mapping]] = ..., deflated_sharpe: _Optional[float] = ..., resamples: _Optional[int] = ..., confidence_level: _Optional[float] = ...) -> None: ...

class SuperiorPredictiveAbility(_message.Message):
    __slots__ = ("lower", "consistent", "upper")
    LOWER_FIELD_NUMBER: _ClassVar[int]
    CONSISTENT_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    lower: float
    consistent: float
    upper: float
    def __init__(self, lower: _Optional[float] = ..., consistent: _Optional[float] = ..., upper: _Optional[float] = ...) -> None: ...
