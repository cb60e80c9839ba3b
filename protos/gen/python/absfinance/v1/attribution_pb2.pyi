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
ATTRIBUTION_MODEL_UNSPECIFIED: AttributionModel
ATTRIBUTION_MODEL_BRINSON_FACHLER: AttributionModel
ATTRIBUTION_MODEL_BRINSON_HOOD_BEEBOWER: AttributionModel
LINKING_UNSPECIFIED: Linking
LINKING_CARINO: Linking
LINKING_MENCHERO: Linking
LINKING_GRAP: Linking
LINKING_GEOMETRIC: Linking

class AttributionOptions(_message.Message):
    __slots__ = ("groups", "model", "linking", "separate_interaction")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LINKING_FIELD_NUMBER: _ClassVar[int]
    SEPARATE_INTERACTION_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedScalarFieldContainer[str]
    model: AttributionModel
    linking: Linking
    separate_interaction: bool
    def __init__(self, groups: _Optional[_Iterable[str]] = ..., model: _Optional[_Union[AttributionModel, str]] = ..., linking: _Optional[_Union[Linking, str]] = ..., separate_interaction: _Optional[bool] = ...) -> None: ...

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

class PathAttribution(_message.Message):
    __slots__ = ("segments", "excess_return")
    class Segment(_message.Message):
        __slots__ = ("name", "contribution")
        NAME_FIELD_NUMBER: _ClassVar[int]
        CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
        name: str
        contribution: float
        def __init__(self, name: _Optional[str] = ..., contribution: _Optional[float] = ...) -> None: ...
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    EXCESS_RETURN_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[PathAttribution.Segment]
    excess_return: float
    def __init__(self, segments: _Optional[_Iterable[_Union[PathAttribution.Segment, _Mapping]]] = ..., excess_return: _Optional[float] = ...) -> None: ...
