"""The assets that strategies may hold by date."""

from typing import Any

import pytest
from absfinance.v1.backtest_pb2 import UniverseStep as UniverseStepProto
from google.protobuf import json_format

from domain.backtest.universe import Universe, UniverseStep
from domain.errors import InvalidInput
from server.converters.universe import universe_from_proto

FIRST = {"year": 1970, "month": 1, "day": 1}
SECOND = {"year": 1970, "month": 1, "day": 2}
STEP = {"date": FIRST, "symbols": ["A"]}


def universe(*steps: dict[str, Any]) -> Universe | None:
    return universe_from_proto([json_format.ParseDict(step, UniverseStepProto()) for step in steps])


def test_members_by_date() -> None:
    found = universe(STEP, {"date": SECOND, "symbols": ["B", "A"]})
    assert found == Universe((UniverseStep(0, ("A",)), UniverseStep(1, ("B", "A"))))


def test_all_assets_without_steps() -> None:
    assert universe() is None


@pytest.mark.parametrize(
    ("step", "named"),
    [
        ({"date": {"year": 1970, "month": 1}, "symbols": ["A"]}, "date"),
        ({"symbols": ["A"]}, "date"),
        ({"date": FIRST, "symbols": ["A"]}, "date"),
        ({"date": SECOND}, "symbols"),
        ({"date": SECOND, "symbols": ["A", "B", "A"]}, "symbols[2]"),
    ],
)
def test_steps_that_are_refused(step: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        universe(STEP, step)
    assert raised.value.field == f"universe[1].{named}"
