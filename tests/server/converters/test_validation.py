"""Validation of forecasts: what is asked for, and the verdicts on the wire."""

from typing import Any

import numpy as np
import pytest
from absfinance.v1 import risk_pb2 as wire
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.risk.validation.forecasts import ForecastMethod
from domain.risk.validation.request import ValidationRequest, validated
from server.converters.validation import validation_from_proto, validation_to_proto


def converted(**fields: Any) -> ValidationRequest:
    return validation_from_proto(json_format.ParseDict(fields, wire.ValidationOptions()))


def test_few_fields() -> None:
    assert converted() == ValidationRequest(ForecastMethod.HISTORICAL, 250, None, 0, 10_000)


def test_many_fields() -> None:
    found = converted(method="METHOD_GAUSSIAN", window=60, seed=7, simulations=500)
    assert found == ValidationRequest(ForecastMethod.GAUSSIAN, 60, None, 7, 500)


@pytest.mark.parametrize("method", ForecastMethod)
def test_methods_have_their_names_on_the_wire(method: ForecastMethod) -> None:
    assert converted(method=f"METHOD_{method}").method is method


def test_forecasts_of_the_caller() -> None:
    found = converted(forecasts={"valueAtRisk": [0.01, 0.02], "expectedShortfall": [0.03, 0.04]}).forecasts
    assert found is not None
    assert found.expected_shortfall is not None
    assert (found.value_at_risk.tolist(), found.expected_shortfall.tolist()) == ([0.01, 0.02], [0.03, 0.04])
    bare = converted(forecasts={"valueAtRisk": [0.01, 0.02]}).forecasts
    assert bare is not None
    assert bare.expected_shortfall is None
    with pytest.raises(InvalidInput) as raised:
        converted(forecasts={"valueAtRisk": [0.01, "NaN"]})
    assert raised.value.field.startswith("validation.forecasts")


def test_verdicts() -> None:
    returns = np.random.default_rng(5).normal(0.0, 0.01, 400)
    result = validated(returns, ValidationRequest(window=100, simulations=200), 0.95)
    dates = np.arange(1000, 1400, dtype=np.int32)
    message = validation_to_proto(result, dates)
    found = result.validation
    assert (result.first, message.observations, message.exceptions) == (100, 300, found.exceptions)
    assert message.expected_exceptions == pytest.approx(15.0)
    assert list(message.exception_dates) == [1100 + place for place in found.places]
    assert message.traffic_light == wire.TrafficLight.Value(f"TRAFFIC_LIGHT_{found.traffic_light.zone}")
    assert message.cumulative_probability == found.traffic_light.cumulative_probability
    assert not message.HasField("plus_factor")
    for name, verdict in (
        ("kupiec", found.kupiec),
        ("time_until_first_failure", found.time_until_first_failure),
        ("independence", found.independence),
        ("conditional_coverage", found.conditional_coverage),
        ("dynamic_quantile", found.dynamic_quantile),
        ("expected_shortfall_z1", found.z1),
        ("expected_shortfall_z2", found.z2),
    ):
        told = getattr(message, name)
        for figure in ("statistic", "p_value", "p_value_asymptotic", "degrees_of_freedom"):
            value = getattr(verdict, figure)
            assert (getattr(told, figure) if told.HasField(figure) else None) == value
        method = wire.ForecastTest.Method.Name(told.method).removeprefix("METHOD_")
        assert method == (verdict.method.name if verdict.method else "UNSPECIFIED")
        assert (told.undefined, told.note) == (verdict.reason or "", verdict.note or "")
