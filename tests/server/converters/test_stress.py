"""Scenarios of a stress test from their messages, and what they did as messages."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from absfinance.v1.risk_pb2 import StressScenario
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.risk.stress import AssetShocks, CorrelationStress, FactorShocks, Scenario, StressResult, WorstWindows
from domain.risk.stress_windows import HistoricalWindow
from server.converters.stress import scenarios_from_proto, stress_to_proto

SHOCKS = [{"name": "A", "shock": -0.2}, {"name": "B", "shock": 0.1}]
JANUARY = {"startDate": {"year": 2020, "month": 1, "day": 1}, "endDate": {"year": 2020, "month": 1, "day": 31}}

CASES: dict[str, tuple[dict[str, Any], object]] = {
    "assets": ({"assets": {"shocks": SHOCKS}}, AssetShocks({"A": -0.2, "B": 0.1}, False)),
    "propagated": ({"assets": {"shocks": SHOCKS, "propagate": True}}, AssetShocks({"A": -0.2, "B": 0.1}, True)),
    "factors": ({"factors": {"shocks": SHOCKS}}, FactorShocks({"A": -0.2, "B": 0.1})),
    "correlation": (
        {"correlation": {"correlation": 0.9, "fraction": 0.5, "volatilityFactor": 2.0}},
        CorrelationStress(0.9, 0.5, 2.0),
    ),
    "no factor of volatility": (
        {"correlation": {"correlation": 0.9, "fraction": 0.5}},
        CorrelationStress(0.9, 0.5, 1.0),
    ),
    "windows": ({"worstWindows": {"periods": 20, "count": 3}}, WorstWindows(20, 3)),
    "one window": ({"worstWindows": {"periods": 20}}, WorstWindows(20, 1)),
    "a name": ({"historical": {"name": "covid"}}, "covid"),
    "dates": ({"historical": JANUARY}, HistoricalWindow("", date(2020, 1, 1), date(2020, 1, 31))),
}


def scenarios(*wanted: dict[str, Any]) -> tuple[Scenario, ...]:
    return scenarios_from_proto([json_format.ParseDict(one, StressScenario()) for one in wanted])


@pytest.mark.parametrize("name", CASES)
def test_each_kind(name: str) -> None:
    message, kind = CASES[name]
    assert scenarios({"label": "x", **message}) == (Scenario("x", kind),)  # type: ignore[arg-type]


def test_a_name_that_is_shocked_twice_is_named_by_its_place() -> None:
    twice = {"factors": {"shocks": [*SHOCKS, SHOCKS[0]]}}
    with pytest.raises(InvalidInput, match="A appears twice") as raised:
        scenarios({"label": "first", **CASES["windows"][0]}, {"label": "second", **twice})
    assert raised.value.field == "stress[1].factors.shocks[2].name"


def test_a_date_that_does_not_exist() -> None:
    wrong = {"historical": {**JANUARY, "endDate": {"year": 2020, "month": 2, "day": 30}}}
    with pytest.raises(InvalidInput) as raised:
        scenarios(wrong)
    assert raised.value.field == "stress[0].historical.end_date"


def test_a_result_has_what_is_known_and_each_asset() -> None:
    result = StressResult(
        "x", -0.1, None, 0.3, None, date(2020, 1, 1), date(2020, 1, 31), np.array([-0.2, 0.1]), np.array([-0.12, 0.02])
    )
    assert json_format.MessageToDict(stress_to_proto(result, ("A", "B"))) == {
        "label": "x",
        "portfolioReturn": -0.1,
        "volatilityAnnual": 0.3,
        **JANUARY,
        "assets": [
            {"symbol": "A", "assetReturn": -0.2, "contribution": -0.12},
            {"symbol": "B", "assetReturn": 0.1, "contribution": 0.02},
        ],
    }


def test_a_result_that_is_not_known_says_why() -> None:
    message = stress_to_proto(StressResult("x", undefined="there is no loss"), ("A",))
    assert json_format.MessageToDict(message) == {"label": "x", "undefined": "there is no loss"}
