"""Money that is borrowed without a financing rate costs nothing, and the result says so: whatever borrows it."""

from typing import Any

import pytest

from tests.conftest import Wire
from tests.e2e.test_simulation import MONDAY, civil, days, fixed, holdings, result, series

DATES = days(MONDAY, 6)
PRICES = {"A": [10.0, 10.1, 10.2, 10.1, 10.3, 10.4], "B": [5.0, 5.0, 5.1, 5.1, 5.2, 5.2]}
SAME_CLOSE = {"execution": {"fill": "FILL_SAME_CLOSE"}, "rebalancing": {"everyPeriods": {"n": 1}}}


def free_borrowing(answer: dict[str, Any]) -> list[str]:
    return [
        f"{one['field']}: {one['message']}" for one in answer.get("warnings", []) if one["code"] == "BORROWING_IS_FREE"
    ]


SCHEDULE = {"schedule": {"entries": [{"date": civil(DATES[2]), "weights": [{"symbol": "A", "weight": 1.2}]}]}}
TARGET = {"base": fixed(A=1.0), "targetAnnual": 5, "lookbackPeriods": 2, "maxLeverage": 3}


@pytest.mark.parametrize(
    ("more", "day"),
    [
        ({"strategy": fixed(A=1.5)}, 1),
        ({"strategy": SCHEDULE}, 3),
        ({"strategy": fixed(A=1.0), "costs": {"managementFeeAnnual": 0.02}}, 2),
        ({"strategy": fixed(A=1.0), "cashFlows": [{"date": civil(DATES[4]), "amount": -0.1}]}, 4),
        ({"strategy": {"volatilityTarget": TARGET}}, 3),
        ({"strategy": {"blend": {"parts": [{"strategy": fixed(A=1.0), "weight": 1.5}]}}}, 1),
        ({"strategy": fixed(A=1.5), "margin": {"maintenanceRatio": 0.2}}, 1),
        ({"strategy": fixed(A=1.5), **SAME_CLOSE}, 0),
    ],
    ids=["weights", "schedule", "fee", "withdrawal", "volatility target", "blend", "margin", "same close"],
)  # fmt: skip
def test_whatever_borrows_is_told_with_its_first_date(wire: Wire, more: dict[str, Any], day: int) -> None:
    (told,) = free_borrowing(result(wire, DATES, PRICES, **more))
    assert told.startswith("costs.financing_rate_annual: ")
    assert f"from {DATES[day].isoformat()} on" in told
    for costs in ({"financingRateAnnual": 0.0}, {"financingRates": [{"date": civil(MONDAY), "rateAnnual": 0.05}]}):
        given = {**more, "costs": {**more.get("costs", {}), **costs}}
        assert free_borrowing(result(wire, DATES, PRICES, **given)) == []


def test_each_strategy_and_benchmark_is_told_of(wire: Wire) -> None:
    request: dict[str, Any] = {
        "strategies": [fixed(A=1.0) | {"label": "one"}, fixed(A=1.1) | {"label": "two"}],
        "benchmarks": [{"label": "three", "strategy": fixed(B=1.3)}, {"symbol": "B"}],
    }
    told = free_borrowing(result(wire, DATES, PRICES, **request))
    assert [one.split()[1] for one in told] == ["two:", "three:"]
    assert "cash is below 0 from 2024-" in told[0]
    assert "costs.financing_rate_annual is not given: it is borrowed for nothing" in told[0]


def test_full_investment_and_shorts_borrow_nothing(wire: Wire) -> None:
    for weights in ({"A": 1.0}, {"A": 0.3333333333, "B": 0.6666666668}, {"A": 1.5, "B": -0.5}):
        more = {"strategy": fixed(**weights), "rebalancing": {"everyPeriods": {"n": 1}}, "costs": {"commissionBps": 10}}
        assert free_borrowing(result(wire, DATES, PRICES, **more)) == []


def test_weights_above_one_are_simulated_as_they_are_with_a_rate_of_zero(wire: Wire) -> None:
    silent = result(wire, DATES, PRICES, strategy=fixed(A=1.5))
    given = result(wire, DATES, PRICES, strategy=fixed(A=1.5), costs={"financingRateAnnual": 0.0})
    assert silent["finalNav"] == given["finalNav"]


@pytest.mark.parametrize("left", range(1, 10))
def test_a_margin_call_in_whole_units_closes_no_unit_too_many(wire: Wire, left: int) -> None:
    """10 units, half borrowed, fall to 100 each so that `left` of them are exactly twice the net asset value."""
    price = (1000 - 50 * left) / 5
    more: dict[str, Any] = {"strategy": fixed(A=2.0), "initialCapital": 5 * price, "fractionalHoldings": False}
    more |= {"execution": {"fill": "FILL_SAME_CLOSE"}, "margin": {"maintenanceRatio": 0.5}}
    answer = result(wire, days(MONDAY, 3), {"A": [price, 100.0, 100.0]}, **more)
    assert holdings(answer["strategies"][0]) == {"A": left}
    assert answer["finalNav"] == pytest.approx(50 * left, rel=1e-12)


def test_a_margin_call_is_turnover(wire: Wire) -> None:
    """200 of A are bought with 100. At 8 they are 160 and the equity is 60: of the ratio of a half, 40 are sold."""
    answer = result(
        wire,
        days(MONDAY, 4),
        {"A": [10.0, 8.0, 8.0, 8.0]},
        strategy=fixed(A=2.0),
        execution={"fill": "FILL_SAME_CLOSE"},
        initialCapital=100,
        costs={"financingRateAnnual": 0},
        margin={"maintenanceRatio": 0.5},
    )
    (call,) = answer["assetEvents"]
    assert (call["kind"], call["cash"]) == ("KIND_MARGIN_CALL", pytest.approx(40.0, rel=1e-9))
    years = 3 / 365.25
    assert answer["metrics"]["turnoverAnnual"] == pytest.approx((0.5 * 200 / 100 + 0.5 * 40 / 60) / years, rel=1e-9)


def test_what_a_margin_call_costs_is_a_cost_of_trades(wire: Wire) -> None:
    """20 of A at 10 are bought with 100. At 8 the equity is 60, and f of 160 is sold: 60 - 1.6 f = 80 (1 - f)."""
    answer = result(
        wire,
        days(MONDAY, 4),
        {"A": [10.0, 8.0, 8.0, 8.0]},
        strategy=fixed(A=2.0),
        execution={"fill": "FILL_SAME_CLOSE"},
        initialCapital=100,
        chargeInitialPurchase=False,
        costs={"financingRateAnnual": 0, "commissionBps": 100},
        margin={"maintenanceRatio": 0.5},
        analysis={"attribution": {}},
    )
    cost = 1.6 * 20 / 78.4
    assert answer["costs"]["commission"] == pytest.approx(cost, rel=1e-9)
    assert answer["finalNav"] == pytest.approx(60 - cost, rel=1e-9)
    assert series(wire, answer["name"], "COSTS") == pytest.approx([0.0, cost / 60, 0.0, 0.0], rel=1e-9)
    assert answer["metrics"]["costTotal"] == pytest.approx(cost / 60, rel=1e-9)
    assert answer["strategies"][0]["returnTables"]["grossTotalReturn"] == pytest.approx(-0.4, rel=1e-9)
    parts = {one["name"]: one["contribution"] for one in answer["attribution"]["segments"]}
    assert sum(parts.values()) == pytest.approx(answer["metrics"]["totalReturn"], rel=1e-9)
    assert (parts["A"], parts["costs"]) == (pytest.approx(-0.4, rel=1e-9), pytest.approx(-cost / 100, rel=1e-9))
