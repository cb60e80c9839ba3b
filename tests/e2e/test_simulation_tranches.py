"""Tranches over the wire: one account, whose target on the dates of any of them is the sum of what they hold."""

from typing import Any

import numpy as np
import pytest

from tests.conftest import Wire
from tests.e2e.test_simulation import BACKTEST, MONDAY, days, first_strategy, fixed, holdings, panel, result, series

TWO: dict[str, Any] = {
    "strategy": fixed(A=0.5, B=0.5),
    "initialCapital": 100,
    "execution": {"fill": "FILL_SAME_CLOSE"},
    "rebalancing": {"everyPeriods": {"n": 2}, "tranches": 2},
}
DATES = days(MONDAY, 4)


def test_two_tranches(wire: Wire) -> None:
    """Half of 100 is rebalanced on even dates, half on odd ones: A has doubled before date 2, and halves after it."""
    answer = result(wire, DATES, {"A": [1.0, 1.0, 2.0, 1.0], "B": [1.0, 1.0, 1.0, 1.0]}, **TWO)
    # On date 2 one half is worth 75 and goes to 18.75 A and 37.5 B; on date 3 the other has 25 of each, as it should.
    held = holdings(first_strategy(answer))
    assert held == pytest.approx({"A": 25.0 + 18.75, "B": 25.0 + 37.5}, rel=1e-12)
    assert answer["finalNav"] == pytest.approx(106.25, rel=1e-12)
    assert series(wire, answer["name"], "NAV") == pytest.approx([100.0, 100.0, 150.0, 106.25], rel=1e-12)
    trades = np.array(series(wire, answer["name"], "TRADES")).reshape(4, 2)
    assert trades[:3] == pytest.approx(np.array([[50.0, 50.0], [0.0, 0.0], [-6.25, 12.5]]), rel=1e-12)


@pytest.mark.parametrize("amount", [60.0, -30.0])
def test_a_flow_is_shared_by_what_tranches_are_worth(wire: Wire, amount: float) -> None:
    """Before the flow of date 2 each is worth 75: the first goes to halves, the second has two thirds in A: 7/12."""
    answer = result(
        wire,
        DATES[:3],
        {"A": [1.0, 1.0, 2.0], "B": [1.0, 1.0, 1.0]},
        cashFlows=[{"date": {"year": DATES[2].year, "month": DATES[2].month, "day": DATES[2].day}, "amount": amount}],
        **TWO,
    )
    nav = 150.0 + amount
    assert holdings(first_strategy(answer)) == pytest.approx({"A": nav * 7 / 24, "B": nav * 5 / 12}, rel=1e-12)
    assert answer["finalNav"] == pytest.approx(nav, rel=1e-12)


def test_an_order_pays_one_least_commission(wire: Wire) -> None:
    """Orders for A and B on dates 0, 2 and 3 pay 1 each; on date 1 there is none."""
    prices = {"A": [1.0, 1.0, 2.0, 2.0], "B": [1.0] * 4}
    answer = result(wire, DATES, prices, costs={"minCommission": 1}, **TWO)
    assert answer["costs"]["commission"] == pytest.approx(6.0, rel=1e-12)
    assert series(wire, answer["name"], "NAV")[1:] == pytest.approx([98.0, 145.0, 143.0], rel=1e-12)


def test_margin_and_a_performance_fee_go_with_tranches(wire: Wire) -> None:
    """1.6 of A at 1.3 have gained 48; at 0.9 the ratio of equity to what is held is below 0.6, and a call restores it.

    Before date 10 both tranches have done the same, so that all is as with one.
    """
    found = []
    for tranches in (1, 2):
        answer = result(
            wire,
            days(MONDAY, 3),
            {"A": [1.0, 1.3, 0.9]},
            strategy=fixed(A=1.6),
            initialCapital=100,
            execution={"fill": "FILL_SAME_CLOSE"},
            margin={"maintenanceRatio": 0.6},
            costs={"commissionBps": 10, "performanceFee": {"rate": 0.2, "crystallization": "FREQUENCY_WEEKLY"}},
            rebalancing={"everyPeriods": {"n": 20}, "tranches": tranches},
        )
        events = [one["kind"] for one in answer["assetEvents"]]
        found.append((series(wire, answer["name"], "NAV"), events, answer["costs"]))
    assert found[0] == found[1]
    assert found[1][1] == ["KIND_MARGIN_CALL"]


def test_whole_units_that_do_not_divide_go_with_tranches(wire: Wire) -> None:
    more = {
        **TWO,
        "initialCapital": 4,
        "fractionalHoldings": False,
        "initialHoldings": [{"symbol": "A", "quantity": 3}],
    }
    answer = result(wire, DATES, {"A": [2.0] * 4, "B": [1.0] * 4}, **more)
    assert holdings(first_strategy(answer)) == {"A": 2.0, "B": 5.0}


BLEND = {
    "blend": {
        "parts": [
            {"strategy": fixed(A=1.0), "weight": 0.5, "rebalancing": {"everyPeriods": {"n": 2}}},
            {"strategy": fixed(B=1.0), "weight": 0.5},
        ]
    }
}


@pytest.mark.parametrize(
    ("more", "field", "why"),
    [
        (
            {"rebalancing": {"calendar": {}, "driftBand": {"absolute": 0.05}, "tranches": 2}},
            "rebalancing.tranches",
            "drift band",
        ),
        ({"rebalancing": {"never": {}, "tranches": 2}}, "rebalancing.tranches", "nothing is staggered"),
        ({"rebalancing": {"calendar": {}, "flowsOnly": True, "tranches": 2}}, "rebalancing.tranches", "only flows"),
        ({"strategy": BLEND}, "strategy.blend.parts[0].rebalancing", "dates of their own"),
    ],
)
def test_what_has_no_meaning_with_tranches_is_refused(wire: Wire, more: dict[str, Any], field: str, why: str) -> None:
    request = {"prices": panel(DATES, A=[1.0] * 4, B=[1.0] * 4), **TWO, **more}
    refusal = str(wire.refused(BACKTEST, request))
    assert field in refusal
    assert why in refusal
