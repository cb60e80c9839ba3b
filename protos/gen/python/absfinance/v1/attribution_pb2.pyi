from absfinance.v1 import panel_pb2 as _panel_pb2
from absfinance.v1 import weight_pb2 as _weight_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttributionModel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTRIBUTION_MODEL_UNSPECIFIED: _ClassVar[AttributionModel]
    ATTRIBUTION_MODEL_BRINSON_FACHLER: _ClassVar[AttributionModel]
    ATTRIBUTION_MODEL_BRINSON_HOOD_BEEBOWER: _ClassVar[AttributionModel]

class Linking(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LINKING_UNSPECIFIED: _ClassVar[Linking]
    LINKING_CARINO: _ClassVar[Linking]
    LINKING_MENCHERO: _ClassVar[Linking]
    LINKING_GRAP: _ClassVar[Linking]
    LINKING_GEOMETRIC: _ClassVar[Linking]

class SegmentKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEGMENT_KIND_UNSPECIFIED: _ClassVar[SegmentKind]
    SEGMENT_KIND_GROUP: _ClassVar[SegmentKind]
    SEGMENT_KIND_UNLABELLED: _ClassVar[SegmentKind]
    SEGMENT_KIND_COSTS: _ClassVar[SegmentKind]
    SEGMENT_KIND_FEES: _ClassVar[SegmentKind]
    SEGMENT_KIND_CASH: _ClassVar[SegmentKind]
    SEGMENT_KIND_FINANCING: _ClassVar[SegmentKind]
    SEGMENT_KIND_TRADING: _ClassVar[SegmentKind]
    SEGMENT_KIND_WITHHOLDING: _ClassVar[SegmentKind]
    SEGMENT_KIND_FACTOR: _ClassVar[SegmentKind]
    SEGMENT_KIND_SPECIFIC: _ClassVar[SegmentKind]
ATTRIBUTION_MODEL_UNSPECIFIED: AttributionModel
ATTRIBUTION_MODEL_BRINSON_FACHLER: AttributionModel
ATTRIBUTION_MODEL_BRINSON_HOOD_BEEBOWER: AttributionModel
LINKING_UNSPECIFIED: Linking
LINKING_CARINO: Linking
LINKING_MENCHERO: Linking
LINKING_GRAP: Linking
LINKING_GEOMETRIC: Linking
SEGMENT_KIND_UNSPECIFIED: SegmentKind
SEGMENT_KIND_GROUP: SegmentKind
SEGMENT_KIND_UNLABELLED: SegmentKind
SEGMENT_KIND_COSTS: SegmentKind
SEGMENT_KIND_FEES: SegmentKind
SEGMENT_KIND_CASH: SegmentKind
SEGMENT_KIND_FINANCING: SegmentKind
SEGMENT_KIND_TRADING: SegmentKind
SEGMENT_KIND_WITHHOLDING: SegmentKind
SEGMENT_KIND_FACTOR: SegmentKind
SEGMENT_KIND_SPECIFIC: SegmentKind

class FactorExposures(_message.Message):
    __slots__ = ("factors", "symbols", "values", "returns")
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    factors: _containers.RepeatedScalarFieldContainer[str]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    values: _containers.RepeatedScalarFieldContainer[float]
    returns: _panel_pb2.Panel
    def __init__(self, factors: _Optional[_Iterable[str]] = ..., symbols: _Optional[_Iterable[str]] = ..., values: _Optional[_Iterable[float]] = ..., returns: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ...) -> None: ...

class AttributionOptions(_message.Message):
    __slots__ = ("groups", "model", "linking", "separate_interaction", "asset_groups", "daily", "factors", "regression_factors")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LINKING_FIELD_NUMBER: _ClassVar[int]
    SEPARATE_INTERACTION_FIELD_NUMBER: _ClassVar[int]
    ASSET_GROUPS_FIELD_NUMBER: _ClassVar[int]
    DAILY_FIELD_NUMBER: _ClassVar[int]
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    REGRESSION_FACTORS_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedScalarFieldContainer[str]
    model: AttributionModel
    linking: Linking
    separate_interaction: bool
    asset_groups: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetGroup]
    daily: bool
    factors: FactorExposures
    regression_factors: _panel_pb2.Panel
    def __init__(self, groups: _Optional[_Iterable[str]] = ..., model: _Optional[_Union[AttributionModel, str]] = ..., linking: _Optional[_Union[Linking, str]] = ..., separate_interaction: _Optional[bool] = ..., asset_groups: _Optional[_Iterable[_Union[_weight_pb2.AssetGroup, _Mapping]]] = ..., daily: _Optional[bool] = ..., factors: _Optional[_Union[FactorExposures, _Mapping]] = ..., regression_factors: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ...) -> None: ...

class AttributionEffects(_message.Message):
    __slots__ = ("allocation", "selection", "interaction")
    ALLOCATION_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    INTERACTION_FIELD_NUMBER: _ClassVar[int]
    allocation: float
    selection: float
    interaction: float
    def __init__(self, allocation: _Optional[float] = ..., selection: _Optional[float] = ..., interaction: _Optional[float] = ...) -> None: ...

class GroupAttribution(_message.Message):
    __slots__ = ("group", "allocation", "selection", "interaction")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    ALLOCATION_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    INTERACTION_FIELD_NUMBER: _ClassVar[int]
    group: str
    allocation: float
    selection: float
    interaction: float
    def __init__(self, group: _Optional[str] = ..., allocation: _Optional[float] = ..., selection: _Optional[float] = ..., interaction: _Optional[float] = ...) -> None: ...

class PeriodAttribution(_message.Message):
    __slots__ = ("date", "linking_factor", "groups")
    DATE_FIELD_NUMBER: _ClassVar[int]
    LINKING_FACTOR_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    date: _date_pb2.Date
    linking_factor: float
    groups: _containers.RepeatedCompositeFieldContainer[GroupAttribution]
    def __init__(self, date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., linking_factor: _Optional[float] = ..., groups: _Optional[_Iterable[_Union[GroupAttribution, _Mapping]]] = ...) -> None: ...

class FactorAttribution(_message.Message):
    __slots__ = ("segments", "r_squared")
    class Segment(_message.Message):
        __slots__ = ("name", "kind", "contribution", "mean_exposure")
        NAME_FIELD_NUMBER: _ClassVar[int]
        KIND_FIELD_NUMBER: _ClassVar[int]
        CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
        MEAN_EXPOSURE_FIELD_NUMBER: _ClassVar[int]
        name: str
        kind: SegmentKind
        contribution: float
        mean_exposure: float
        def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[SegmentKind, str]] = ..., contribution: _Optional[float] = ..., mean_exposure: _Optional[float] = ...) -> None: ...
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    R_SQUARED_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[FactorAttribution.Segment]
    r_squared: float
    def __init__(self, segments: _Optional[_Iterable[_Union[FactorAttribution.Segment, _Mapping]]] = ..., r_squared: _Optional[float] = ...) -> None: ...

class PathAttribution(_message.Message):
    __slots__ = ("segments", "excess_return", "levels", "benchmark", "factors", "regression", "undefined")
    class Segment(_message.Message):
        __slots__ = ("name", "contribution", "kind", "allocation", "selection", "interaction", "mean_weight", "mean_benchmark_weight")
        NAME_FIELD_NUMBER: _ClassVar[int]
        CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
        KIND_FIELD_NUMBER: _ClassVar[int]
        ALLOCATION_FIELD_NUMBER: _ClassVar[int]
        SELECTION_FIELD_NUMBER: _ClassVar[int]
        INTERACTION_FIELD_NUMBER: _ClassVar[int]
        MEAN_WEIGHT_FIELD_NUMBER: _ClassVar[int]
        MEAN_BENCHMARK_WEIGHT_FIELD_NUMBER: _ClassVar[int]
        name: str
        contribution: float
        kind: SegmentKind
        allocation: float
        selection: float
        interaction: float
        mean_weight: float
        mean_benchmark_weight: float
        def __init__(self, name: _Optional[str] = ..., contribution: _Optional[float] = ..., kind: _Optional[_Union[SegmentKind, str]] = ..., allocation: _Optional[float] = ..., selection: _Optional[float] = ..., interaction: _Optional[float] = ..., mean_weight: _Optional[float] = ..., mean_benchmark_weight: _Optional[float] = ...) -> None: ...
    class Level(_message.Message):
        __slots__ = ("kind", "segments", "totals", "daily")
        KIND_FIELD_NUMBER: _ClassVar[int]
        SEGMENTS_FIELD_NUMBER: _ClassVar[int]
        TOTALS_FIELD_NUMBER: _ClassVar[int]
        DAILY_FIELD_NUMBER: _ClassVar[int]
        kind: str
        segments: _containers.RepeatedCompositeFieldContainer[PathAttribution.Segment]
        totals: AttributionEffects
        daily: PathAttribution.Daily
        def __init__(self, kind: _Optional[str] = ..., segments: _Optional[_Iterable[_Union[PathAttribution.Segment, _Mapping]]] = ..., totals: _Optional[_Union[AttributionEffects, _Mapping]] = ..., daily: _Optional[_Union[PathAttribution.Daily, _Mapping]] = ...) -> None: ...
    class Daily(_message.Message):
        __slots__ = ("dates", "linking_factors", "contributions")
        DATES_FIELD_NUMBER: _ClassVar[int]
        LINKING_FACTORS_FIELD_NUMBER: _ClassVar[int]
        CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
        dates: _containers.RepeatedScalarFieldContainer[int]
        linking_factors: _containers.RepeatedScalarFieldContainer[float]
        contributions: _containers.RepeatedScalarFieldContainer[float]
        def __init__(self, dates: _Optional[_Iterable[int]] = ..., linking_factors: _Optional[_Iterable[float]] = ..., contributions: _Optional[_Iterable[float]] = ...) -> None: ...
    class UndefinedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    EXCESS_RETURN_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    REGRESSION_FIELD_NUMBER: _ClassVar[int]
    UNDEFINED_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[PathAttribution.Segment]
    excess_return: float
    levels: _containers.RepeatedCompositeFieldContainer[PathAttribution.Level]
    benchmark: str
    factors: FactorAttribution
    regression: FactorAttribution
    undefined: _containers.ScalarMap[str, str]
    def __init__(self, segments: _Optional[_Iterable[_Union[PathAttribution.Segment, _Mapping]]] = ..., excess_return: _Optional[float] = ..., levels: _Optional[_Iterable[_Union[PathAttribution.Level, _Mapping]]] = ..., benchmark: _Optional[str] = ..., factors: _Optional[_Union[FactorAttribution, _Mapping]] = ..., regression: _Optional[_Union[FactorAttribution, _Mapping]] = ..., undefined: _Optional[_Mapping[str, str]] = ...) -> None: ...
