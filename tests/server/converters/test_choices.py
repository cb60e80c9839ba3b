"""Enumerations of the contract that stand for enumerations of the domain: by name, none left out."""

import pytest
from absfinance.v1.frequency_pb2 import Frequency as FrequencyProto
from absfinance.v1.risk_measure_pb2 import RiskMeasure as RiskMeasureProto
from absfinance.v1.warning_pb2 import Warning as WarningProto

from domain.calendar import Frequency
from domain.risk.measures import RiskMeasure
from domain.warnings import ResultWarning
from server.converters.frequency import frequency_from_proto
from server.converters.measure import risk_measure_from_proto
from server.converters.warning import warnings_to_proto


@pytest.mark.parametrize("frequency", Frequency)
def test_frequencies(frequency: Frequency) -> None:
    value = FrequencyProto.Value(f"FREQUENCY_{frequency.name}")
    assert frequency_from_proto(value, Frequency.DAILY) is frequency


def test_a_frequency_that_is_not_given() -> None:
    assert frequency_from_proto(0) is Frequency.MONTHLY
    assert frequency_from_proto(0, Frequency.ANNUAL) is Frequency.ANNUAL


@pytest.mark.parametrize("measure", RiskMeasure)
def test_measures(measure: RiskMeasure) -> None:
    assert risk_measure_from_proto(RiskMeasureProto.Value(f"RISK_MEASURE_{measure}")) is measure


def test_a_measure_that_is_not_given() -> None:
    assert risk_measure_from_proto(RiskMeasureProto.RISK_MEASURE_UNSPECIFIED) is RiskMeasure.VARIANCE


def test_warnings_keep_their_order() -> None:
    warnings = [ResultWarning("B", "second", "g"), ResultWarning("A", "first", "f")]
    assert warnings_to_proto(warnings) == [
        WarningProto(code=one.code, field=one.field, message=one.message) for one in warnings
    ]
    assert [one.code for one in warnings_to_proto(warnings)] == ["B", "A"]
