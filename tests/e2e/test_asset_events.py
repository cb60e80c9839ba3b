"""What happened to which asset and when, over the wire: one event for each change of its state, held or not."""

import math
from typing import Any

import pytest

from tests.conftest import Wire
from tests.e2e.test_simulation import MONDAY, civil, days, fixed, result

DATES = days(MONDAY, 10)
GONE = math.nan
PRICES = {
    "USUAL": [10.0, 11.0, 10.5, 12.0, 11.0, 12.5, 12.0, 11.0, 12.0, 12.0],
    "LATE": [GONE, GONE, GONE, 5.0, 5.0, 6.0, 6.0, 6.0, 6.0, 6.0],
    "HALTED": [20.0, GONE, GONE, 21.0, 20.0, GONE, GONE, GONE, 22.0, 22.0],
    "RUINED": [4.0, 3.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    "GONE": [8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 9.0, GONE, GONE, GONE],
    "UNHELD": [8.0, 8.0, 8.0, 8.0, GONE, GONE, GONE, GONE, GONE, GONE],
}
HELD = {
    "strategy": fixed(USUAL=0.5, HALTED=0.2, RUINED=0.1, GONE=0.2),
    "execution": {"fill": "FILL_SAME_CLOSE"},
    "initialCapital": 1000,
    "missingData": "MISSING_DATA_POLICY_ASSET_STATES",
    "delistingPolicy": "DELISTING_POLICY_LAST_PRICE",
}
ALL = [
    (1, "HALTED", "HALT_BEGIN"),
    (3, "HALTED", "HALT_END"),
    (3, "LATE", "LISTING"),
    (4, "UNHELD", "DELISTING"),
    (5, "HALTED", "HALT_BEGIN"),
    (5, "RUINED", "WORTHLESS"),
    (7, "GONE", "DELISTING"),
    (8, "HALTED", "HALT_END"),
]


def events(found: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Date number, symbol and kind of each event."""
    numbers = {tuple(civil(day).values()): t for t, day in enumerate(DATES)}
    return [
        (numbers[tuple(one["date"].values())], one["symbol"], one["kind"].removeprefix("KIND_"))
        for one in found.get("assetEvents", [])
    ]


def test_every_change_of_a_state_is_one_event(wire: Wire) -> None:
    found = result(wire, DATES, PRICES, **HELD)
    assert sorted(events(found)) == sorted(ALL)
    assert [t for t, _, _ in events(found)] == sorted(t for t, _, _ in ALL)
    assert found["assetEventCount"] == len(ALL)
    held = {"HALTED": 10.0, "RUINED": 25.0, "GONE": 25.0, "LATE": 0.0, "UNHELD": 0.0}
    for event in found["assetEvents"]:
        assert event["quantityBefore"] == pytest.approx(held[event["symbol"]], rel=1e-12)
        after = 0.0 if event["kind"] == "KIND_DELISTING" else held[event["symbol"]]
        assert event["quantityAfter"] == pytest.approx(after, rel=1e-12)
        cash = 225.0 if (event["symbol"], event["kind"]) == ("GONE", "KIND_DELISTING") else 0.0
        assert event["cash"] == pytest.approx(cash, rel=1e-12)


def test_what_was_before_the_first_decision_is_no_event(wire: Wire) -> None:
    """The account starts on date 4, when the momentum has its history."""
    momentum = {"momentum": {"lookbackPeriods": 4, "topN": 1}}
    found = result(wire, DATES, PRICES, **{**HELD, "strategy": momentum})
    assert sorted(events(found)) == sorted(one for one in ALL if one[0] > 4)


def test_a_price_of_zero_without_states(wire: Wire) -> None:
    two = {name: PRICES[name] for name in ("USUAL", "RUINED")}
    found = result(wire, DATES, two, strategy={"equalWeight": {}}, initialCapital=1000)
    assert events(found) == [(5, "RUINED", "WORTHLESS")]


def test_nothing_happens_to_an_account_that_is_used_up(wire: Wire) -> None:
    prices = {"RUINED": PRICES["RUINED"], "UNHELD": [*PRICES["USUAL"][:7], GONE, GONE, GONE]}
    found = result(wire, DATES, prices, **{**HELD, "strategy": fixed(RUINED=1.0)})
    assert found["bankruptDate"] == civil(DATES[5])
    assert events(found) == [(5, "RUINED", "WORTHLESS")]


def test_tranches_tell_each_change_once(wire: Wire) -> None:
    tranches = {"rebalancing": {"everyPeriods": {"n": 2}, "tranches": 2}}
    assert sorted(events(result(wire, DATES, PRICES, **HELD, **tranches))) == sorted(ALL)


def test_a_halt_that_ends_in_a_delisting(wire: Wire) -> None:
    prices = {"USUAL": PRICES["USUAL"], "GONE": PRICES["GONE"]}
    action = {"symbol": "GONE", "exDate": civil(DATES[9]), "delisting": {"return": -1}}
    found = result(wire, DATES, prices, **{**HELD, "strategy": {"equalWeight": {}}}, corporateActions=[action])
    assert events(found) == [(7, "GONE", "HALT_BEGIN"), (9, "GONE", "DELISTING")]


def test_halts_without_end_are_counted_and_not_all_listed(wire: Wire) -> None:
    """Thirty assets that are halted on every other date, on 1 001 dates: 30 000 changes and a delisting."""
    dates = days(MONDAY, 1001)
    prices = {f"H{i}": [1.0 if t % 2 == 0 else GONE for t in range(1001)] for i in range(30)}
    prices["USUAL"] = [1.0] * 1001
    prices["UNHELD"] = [*[1.0] * 1000, GONE]
    found = result(wire, dates, prices, **{**HELD, "strategy": fixed(USUAL=1.0)})
    assert found["assetEventCount"] == 30_001
    assert len(found["assetEvents"]) == 10_000
    assert found["assetEvents"][-1]["symbol"] == "UNHELD"
    assert [one["code"] for one in found["warnings"]] == ["ASSET_EVENTS_LEFT_OUT"]
    assert "30001 events" in found["warnings"][0]["message"]
