from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Chart(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHART_UNSPECIFIED: _ClassVar[Chart]
    CHART_EQUITY: _ClassVar[Chart]
    CHART_DRAWDOWN: _ClassVar[Chart]
    CHART_ROLLING_RISK: _ClassVar[Chart]
    CHART_WEIGHTS: _ClassVar[Chart]
    CHART_MONTHLY_RETURNS: _ClassVar[Chart]
    CHART_CONTRIBUTIONS: _ClassVar[Chart]
    CHART_FRONTIER: _ClassVar[Chart]
    CHART_CORRELATION: _ClassVar[Chart]
    CHART_TIMING_LUCK: _ClassVar[Chart]
    CHART_SWEEP_SURFACE: _ClassVar[Chart]
    CHART_COSTS: _ClassVar[Chart]
    CHART_ATTRIBUTION: _ClassVar[Chart]
    CHART_LIQUIDITY: _ClassVar[Chart]
    CHART_ROLLING_RETURNS: _ClassVar[Chart]

class ChartTheme(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHART_THEME_UNSPECIFIED: _ClassVar[ChartTheme]
    CHART_THEME_LIGHT: _ClassVar[ChartTheme]
    CHART_THEME_DARK: _ClassVar[ChartTheme]
CHART_UNSPECIFIED: Chart
CHART_EQUITY: Chart
CHART_DRAWDOWN: Chart
CHART_ROLLING_RISK: Chart
CHART_WEIGHTS: Chart
CHART_MONTHLY_RETURNS: Chart
CHART_CONTRIBUTIONS: Chart
CHART_FRONTIER: Chart
CHART_CORRELATION: Chart
CHART_TIMING_LUCK: Chart
CHART_SWEEP_SURFACE: Chart
CHART_COSTS: Chart
CHART_ATTRIBUTION: Chart
CHART_LIQUIDITY: Chart
CHART_ROLLING_RETURNS: Chart
CHART_THEME_UNSPECIFIED: ChartTheme
CHART_THEME_LIGHT: ChartTheme
CHART_THEME_DARK: ChartTheme

class ChartSpec(_message.Message):
    __slots__ = ("chart", "spec")
    CHART_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    chart: Chart
    spec: _struct_pb2.Struct
    def __init__(self, chart: _Optional[_Union[Chart, str]] = ..., spec: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...
