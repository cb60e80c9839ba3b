"""Measures of risk by their names on the wire."""

from collections.abc import Mapping

from absfinance.v1.risk_measure_pb2 import RiskMeasure as RiskMeasureProto

from domain.risk.measures import RiskMeasure

_MEASURES: Mapping[int, RiskMeasure] = {
    number: RiskMeasure(name.removeprefix("RISK_MEASURE_"))
    for name, number in RiskMeasureProto.items()
    if name.removeprefix("RISK_MEASURE_") in set(RiskMeasure)
} | {0: RiskMeasure.VARIANCE}


def risk_measure_from_proto(value: RiskMeasureProto) -> RiskMeasure:
    """The measure."""
    return _MEASURES[value]
