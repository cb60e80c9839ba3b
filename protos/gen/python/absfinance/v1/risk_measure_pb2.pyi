from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class RiskMeasure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RISK_MEASURE_UNSPECIFIED: _ClassVar[RiskMeasure]
    RISK_MEASURE_VARIANCE: _ClassVar[RiskMeasure]
    RISK_MEASURE_STANDARD_DEVIATION: _ClassVar[RiskMeasure]
    RISK_MEASURE_SEMI_DEVIATION: _ClassVar[RiskMeasure]
    RISK_MEASURE_MAD: _ClassVar[RiskMeasure]
    RISK_MEASURE_GINI_MEAN_DIFFERENCE: _ClassVar[RiskMeasure]
    RISK_MEASURE_KURTOSIS: _ClassVar[RiskMeasure]
    RISK_MEASURE_SEMI_KURTOSIS: _ClassVar[RiskMeasure]
    RISK_MEASURE_FIRST_LOWER_PARTIAL_MOMENT: _ClassVar[RiskMeasure]
    RISK_MEASURE_SECOND_LOWER_PARTIAL_MOMENT: _ClassVar[RiskMeasure]
    RISK_MEASURE_VAR: _ClassVar[RiskMeasure]
    RISK_MEASURE_VALUE_AT_RISK: _ClassVar[RiskMeasure]
    RISK_MEASURE_CVAR: _ClassVar[RiskMeasure]
    RISK_MEASURE_CONDITIONAL_VALUE_AT_RISK: _ClassVar[RiskMeasure]
    RISK_MEASURE_TAIL_GINI: _ClassVar[RiskMeasure]
    RISK_MEASURE_EVAR: _ClassVar[RiskMeasure]
    RISK_MEASURE_RLVAR: _ClassVar[RiskMeasure]
    RISK_MEASURE_WORST_REALIZATION: _ClassVar[RiskMeasure]
    RISK_MEASURE_RANGE: _ClassVar[RiskMeasure]
    RISK_MEASURE_CVAR_RANGE: _ClassVar[RiskMeasure]
    RISK_MEASURE_TAIL_GINI_RANGE: _ClassVar[RiskMeasure]
    RISK_MEASURE_EVAR_RANGE: _ClassVar[RiskMeasure]
    RISK_MEASURE_RLVAR_RANGE: _ClassVar[RiskMeasure]
    RISK_MEASURE_MAX_DRAWDOWN: _ClassVar[RiskMeasure]
    RISK_MEASURE_AVERAGE_DRAWDOWN: _ClassVar[RiskMeasure]
    RISK_MEASURE_DAR: _ClassVar[RiskMeasure]
    RISK_MEASURE_CDAR: _ClassVar[RiskMeasure]
    RISK_MEASURE_EDAR: _ClassVar[RiskMeasure]
    RISK_MEASURE_RLDAR: _ClassVar[RiskMeasure]
    RISK_MEASURE_ULCER_INDEX: _ClassVar[RiskMeasure]
RISK_MEASURE_UNSPECIFIED: RiskMeasure
RISK_MEASURE_VARIANCE: RiskMeasure
RISK_MEASURE_STANDARD_DEVIATION: RiskMeasure
RISK_MEASURE_SEMI_DEVIATION: RiskMeasure
RISK_MEASURE_MAD: RiskMeasure
RISK_MEASURE_GINI_MEAN_DIFFERENCE: RiskMeasure
RISK_MEASURE_KURTOSIS: RiskMeasure
RISK_MEASURE_SEMI_KURTOSIS: RiskMeasure
RISK_MEASURE_FIRST_LOWER_PARTIAL_MOMENT: RiskMeasure
RISK_MEASURE_SECOND_LOWER_PARTIAL_MOMENT: RiskMeasure
RISK_MEASURE_VAR: RiskMeasure
RISK_MEASURE_VALUE_AT_RISK: RiskMeasure
RISK_MEASURE_CVAR: RiskMeasure
RISK_MEASURE_CONDITIONAL_VALUE_AT_RISK: RiskMeasure
RISK_MEASURE_TAIL_GINI: RiskMeasure
RISK_MEASURE_EVAR: RiskMeasure
RISK_MEASURE_RLVAR: RiskMeasure
RISK_MEASURE_WORST_REALIZATION: RiskMeasure
RISK_MEASURE_RANGE: RiskMeasure
RISK_MEASURE_CVAR_RANGE: RiskMeasure
RISK_MEASURE_TAIL_GINI_RANGE: RiskMeasure
RISK_MEASURE_EVAR_RANGE: RiskMeasure
RISK_MEASURE_RLVAR_RANGE: RiskMeasure
RISK_MEASURE_MAX_DRAWDOWN: RiskMeasure
RISK_MEASURE_AVERAGE_DRAWDOWN: RiskMeasure
RISK_MEASURE_DAR: RiskMeasure
RISK_MEASURE_CDAR: RiskMeasure
RISK_MEASURE_EDAR: RiskMeasure
RISK_MEASURE_RLDAR: RiskMeasure
RISK_MEASURE_ULCER_INDEX: RiskMeasure
