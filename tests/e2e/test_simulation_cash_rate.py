"""Excess returns over the account's own cash rate: what cash earned on the same days is taken off."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.conftest import Wire
from tests.e2e.test_simulation import civil, fixed, result, series

UNEVEN = [date(2024, 1, 5) + timedelta(int(i)) for i in np.cumsum([0, 3, 1, 1, 2, 5, 1, 3, 1, 30, 1])]
STEPS = [{"date": civil(UNEVEN[2]), "rateAnnual": 0.05}, {"date": civil(UNEVEN[4] + timedelta(1)), "rateAnnual": 0.01}]
WALK = (10.0 * np.exp(np.cumsum(np.random.default_rng(3).normal(0.0, 0.02, len(UNEVEN))))).tolist()
CONSTANT = {"cashRateAnnual": 0.03}


@pytest.mark.parametrize("day_count", ["DAY_COUNT_ACT_365F", "DAY_COUNT_ACT_360", "DAY_COUNT_BARS"])
@pytest.mark.parametrize("costs", [CONSTANT, {"cashRates": STEPS}, {**CONSTANT, "cashRates": STEPS}])
@pytest.mark.parametrize("flows", [[], [{"date": civil(UNEVEN[5]), "amount": 70}]])
def test_an_account_of_cash_alone_has_no_excess(wire: Wire, costs: Any, day_count: str, flows: Any) -> None:
    answer = result(
        wire,
        UNEVEN,
        {"A": WALK},
        strategy=fixed(A=0.0),
        initialCapital=100,
        costs={**costs, "dayCount": day_count},
        cashFlows=flows,
    )
    assert answer["metrics"]["totalReturn"] > 0.0
    assert answer["metrics"].get("sharpe", 0.0) == 0.0
    assert "do not vary" in answer["metrics"]["undefined"]["sharpe"]


def sharpe(returns: Any, periods: float) -> float:
    return float(returns.mean() / returns.std(ddof=1) * np.sqrt(periods))


def test_the_sharpe_ratio_is_that_of_the_returns_less_what_cash_earned(wire: Wire) -> None:
    more: dict[str, Any] = {"strategy": fixed(A=0.5), "rebalancing": {"everyPeriods": {"n": 2}}}
    answer = result(wire, UNEVEN, {"A": WALK}, costs={"cashRates": STEPS}, benchmarks=[{"symbol": "A"}], **more)
    levels = np.array(series(wire, answer["name"], "EQUITY"))
    earned = [
        sum(
            0.05 / 365
            if UNEVEN[2] <= start + timedelta(i) <= UNEVEN[4]
            else 0.01 / 365 * (start + timedelta(i) > UNEVEN[4])
            for i in range(1, (end - start).days + 1)
        )
        for start, end in pairwise(UNEVEN)
    ]
    assert answer["metrics"]["sharpe"] == pytest.approx(sharpe(levels[1:] / levels[:-1] - 1 - earned, 252), rel=1e-9)
    walk = np.array(WALK)
    benchmark = answer["benchmarks"][0]["metrics"]["sharpe"]
    assert benchmark == pytest.approx(sharpe(walk[1:] / walk[:-1] - 1 - earned, 252), rel=1e-9)


def test_a_rate_from_the_last_date_on_holds_for_that_day(wire: Wire) -> None:
    """Friday to Monday with 10 % from that Monday on: one day of 365 on 365 000."""
    answer = result(
        wire,
        [date(2024, 1, 5), date(2024, 1, 8)],
        {"A": [10.0, 10.0]},
        strategy=fixed(A=0.0),
        initialCapital=365_000,
        costs={"cashRates": [{"date": civil(date(2024, 1, 8)), "rateAnnual": 0.1}]},
    )
    assert answer["metrics"]["totalReturn"] == pytest.approx(100 / 365_000, rel=1e-9)


@pytest.mark.parametrize(("rate", "own"), [(None, True), (0.03, True), (0.0, False), (0.02, False)])
def test_a_rate_that_is_given_is_taken_off_instead(wire: Wire, rate: float | None, own: bool) -> None:
    analysis = {} if rate is None else {"riskFreeRateAnnual": rate}
    answer = result(wire, UNEVEN, {"A": WALK}, strategy=fixed(A=0.5), costs=CONSTANT, analysis=analysis)
    levels = np.array(series(wire, answer["name"], "EQUITY"))
    days = np.array([(end - start).days for start, end in pairwise(UNEVEN)])
    taken = 0.03 * days / 365 if own else (rate or 0.0) / 252
    assert answer["metrics"]["sharpe"] == pytest.approx(sharpe(levels[1:] / levels[:-1] - 1 - taken, 252), rel=1e-9)


@pytest.mark.parametrize(("rate", "own"), [(None, True), (0.03, True), (0.0, False), (0.02, False)])
def test_alpha_is_over_the_risk_free_rate_of_the_sharpe_ratio(wire: Wire, rate: float | None, own: bool) -> None:
    more: dict[str, Any] = {"strategy": fixed(A=0.5), "benchmarks": [{"symbol": "A"}]}
    analysis = {} if rate is None else {"riskFreeRateAnnual": rate}
    answer = result(wire, UNEVEN, {"A": WALK}, costs=CONSTANT, analysis=analysis, **more)
    levels, walk = np.array(series(wire, answer["name"], "EQUITY")), np.array(WALK)
    ours, theirs = levels[1:] / levels[:-1] - 1.0, walk[1:] / walk[:-1] - 1.0
    days = np.array([(end - start).days for start, end in pairwise(UNEVEN)])
    taken = 0.03 * days / 365 if own else (rate or 0.0) / 252
    beta = np.cov(ours, theirs)[0, 1] / np.var(theirs, ddof=1)
    alpha = 252 * ((ours - taken).mean() - beta * (theirs - taken).mean())
    (compared,) = answer["strategies"][0]["benchmarkComparisons"]
    assert compared["beta"] == pytest.approx(beta, rel=1e-9)
    assert compared["alphaAnnual"] == pytest.approx(alpha, rel=1e-9)


def test_half_in_the_benchmark_and_half_in_cash_has_no_alpha(wire: Wire) -> None:
    more: dict[str, Any] = {"strategy": fixed(A=0.5), "benchmarks": [{"symbol": "A"}]}
    more |= {"execution": {"fill": "FILL_SAME_CLOSE"}, "rebalancing": {"everyPeriods": {"n": 1}}}
    days = [UNEVEN[0] + timedelta(i) for i in range(len(WALK))]
    answer = result(wire, days, {"A": WALK}, costs=CONSTANT, **more)
    (compared,) = answer["strategies"][0]["benchmarkComparisons"]
    assert compared["alphaAnnual"] == pytest.approx(0.0, abs=1e-12)


def test_without_a_cash_rate_nothing_is_taken_off(wire: Wire) -> None:
    answer = result(wire, UNEVEN, {"A": WALK}, strategy=fixed(A=0.5))
    levels = np.array(series(wire, answer["name"], "EQUITY"))
    assert answer["metrics"]["sharpe"] == pytest.approx(sharpe(levels[1:] / levels[:-1] - 1, 252), rel=1e-9)


def test_interest_below_zero_on_cash_is_no_cost_of_borrowing(wire: Wire) -> None:
    """36 500 at -1 % lose 1 a day: 3 from Friday to Monday, as a negative gain."""
    friday, monday = date(2024, 1, 5), date(2024, 1, 8)
    costs = {"cashRateAnnual": -0.01, "financingRateAnnual": 0.2}
    prices = {"A": [10.0, 10.0]}
    answer = result(wire, [friday, monday], prices, strategy=fixed(A=0.0), initialCapital=36_500, costs=costs)
    assert answer["finalNav"] == pytest.approx(36_497.0, rel=1e-12)
    assert answer["costs"]["financing"] == 0.0
    assert answer["reconciliation"]["gains"] == pytest.approx(-3.0, rel=1e-12)
    assert answer["reconciliation"]["costs"] == 0.0
    assert answer["metrics"]["costTotal"] == 0.0


def test_a_rate_below_zero_on_borrowed_money_is_a_negative_cost(wire: Wire) -> None:
    """73 000 are borrowed at -1 %, which earn 2 a day: 6 from Friday to Monday."""
    answer = result(
        wire,
        [date(2024, 1, 5), date(2024, 1, 8)],
        {"A": [10.0, 10.0]},
        strategy=fixed(A=3.0),
        execution={"fill": "FILL_SAME_CLOSE"},
        initialCapital=36_500,
        costs={"cashRateAnnual": 0.02, "financingRateAnnual": -0.01},
    )
    assert answer["finalNav"] == pytest.approx(36_506.0, rel=1e-12)
    assert answer["costs"]["financing"] == pytest.approx(-6.0, rel=1e-12)
    assert answer["reconciliation"]["gains"] == pytest.approx(0.0, abs=1e-9)
