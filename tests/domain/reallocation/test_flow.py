"""The seven steps, each by a case small enough to check by hand."""

import math
import statistics

import numpy as np
import pytest

from domain.costs.linear import LinearCost
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.liquidity import LiquidityState, assess
from domain.reallocation.plan import ReallocationPlan
from domain.reallocation.request import Limits, ReallocationRequest, Thresholds
from domain.reallocation.result import Failure, Reallocation, Unchanged
from domain.reallocation.shortfall import ShortfallCode
from domain.reallocation.tracking_error import ActiveRisk
from domain.reallocation.utilization import utilization

MARKET = Snapshot({"A": Quote(10.0), "B": Quote(20.0)})


def planned(
    held: dict[str, float], cash: float, target: dict[str, float], market: Snapshot = MARKET, **more: object
) -> Reallocation:
    return reallocate(ReallocationRequest(Portfolio(held, cash), market, target, **more))  # type: ignore[arg-type]


def test_everything_at_once() -> None:
    found = planned({"A": 100.0}, 0.0, {"A": 0.5, "B": 0.5})
    assert isinstance(found.outcome, ReallocationPlan)
    assert [(t.symbol, t.quantity, t.cash_after) for t in found.outcome.trades] == [
        ("A", -50.0, 500.0),
        ("B", 25.0, 0.0),
    ]
    assert found.summary.residual_drift == 0.0
    assert found.utilization.exceeded


def test_a_target_that_is_met_changes_nothing() -> None:
    found = planned({"A": 50.0, "B": 25.0}, 0.0, {"A": 0.5, "B": 0.5})
    assert isinstance(found.outcome, Unchanged)
    assert found.summary.weights_before == found.summary.weights_after == {"A": 0.5, "B": 0.5}


def test_all_to_cash() -> None:
    found = planned({"A": 10.0, "B": 5.0}, 0.0, {"A": 0.0}, costs=LinearCost(100.0))
    assert found.summary.cash_after == pytest.approx(200.0 * 0.99)
    assert found.summary.nav_after == pytest.approx(198.0)
    assert {t.symbol: t.quantity for t in found.plan.trades} == {"A": -10.0, "B": -5.0}


@pytest.mark.parametrize(
    ("thresholds", "exceeded"),
    [
        (Thresholds(), True),
        (Thresholds(max_utilization=1.1), False),
        (Thresholds(max_utilization=1.0999), True),
        (Thresholds(drift_band=0.05), False),
        (Thresholds(drift_band=0.0499), True),
        (Thresholds(max_utilization=5.0, drift_band=0.01), True),
    ],
)
def test_a_mark_that_is_met_is_no_breach(thresholds: Thresholds, exceeded: bool) -> None:
    report = utilization("AB", {"A": 0.55, "B": 0.45}, {"A": 0.5, "B": 0.5}, thresholds)
    assert report.exceeded is exceeded
    assert report.assets[0].utilization == pytest.approx(1.1)


def test_differences_below_a_lot_and_below_the_least_trade_are_no_failure() -> None:
    """Of 980, half of it each: 1 unit of A is 10, below the least trade; half a unit of B is less than its lot."""
    market = Snapshot({"A": Quote(10.0), "B": Quote(20.0, lot_size=100.0)})
    found = planned({"A": 50.0, "B": 24.0}, 0.0, {"A": 0.5, "B": 0.5}, market, limits=Limits(min_trade_value=500.0))
    assert {(one.symbol, one.causes[0].code) for one in found.plan.shortfalls} == {
        ("A", ShortfallCode.MIN_TRADE),
        ("B", ShortfallCode.LOT_SIZE),
    }
    assert found.outcome == Unchanged("every difference to the target is less than a lot or the least trade")


def test_a_tracking_error_counts_an_asset_without_a_price_as_not_held() -> None:
    """B lacks 0.3 of the portfolio: 0.3 of the sample deviation of its returns, per year."""
    returns = np.array([0.01, -0.02, 0.03, 0.0, -0.01])
    levels = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    panel = PricePanel.of("AB", weekdays(6), np.column_stack([np.ones(6), levels]))
    risk = ActiveRisk.of(panel)
    limits = Thresholds(max_tracking_error_annual=0.01)
    report = utilization("AB", {"A": 0.5}, {"A": 0.5, "B": 0.3}, limits, risk)
    expected = 0.3 * statistics.stdev(returns.tolist()) * math.sqrt(risk.periods_per_year)
    assert report.tracking_error_annual == pytest.approx(expected, rel=1e-9)
    assert report.too_far


def weekdays(count: int) -> list[int]:
    """From 2024-01-01, a Monday, day 19723 since 1970-01-01."""
    return [19_723 + 7 * (k // 5) + k % 5 for k in range(count)]


def test_liquidity_takes_the_worst() -> None:
    market = Snapshot({"A": Quote(1.0, 100.0), "B": Quote(1.0, 100.0), "C": Quote(1.0), "D": Quote(1.0, 0.0)})
    states = {
        symbol: assess({symbol: quantity}, market, 0.1, 2).state
        for symbol, quantity in {"A": 20.0, "B": -20.1, "C": 1.0, "D": 1.0}.items()
    }
    assert states == {
        "A": LiquidityState.SUFFICIENT,
        "B": LiquidityState.PARTIAL,
        "C": LiquidityState.UNKNOWN,
        "D": LiquidityState.INSUFFICIENT,
    }
    assert assess({"A": 1.0, "C": 1.0}, market, None, 1).state is LiquidityState.UNKNOWN
    assert assess({}, market, None, 1).state is LiquidityState.SUFFICIENT


def test_lots_go_to_the_nearest_that_cash_pays_for() -> None:
    market = Snapshot({"A": Quote(30.0), "B": Quote(30.0), "C": Quote(1.0)})
    found = planned({"C": 0.0}, 100.0, {"A": 0.55, "B": 0.45}, market)
    bought = {t.symbol: t.quantity for t in found.plan.trades}
    # 1.83 and 1.5 lots are wanted: 2 and 1 miss 5 + 15, 1 and 2 would miss 25 + 15.
    assert bought == {"A": 2.0, "B": 1.0}
    assert found.summary.cash_after == 10.0


def test_a_day_of_cash_limits_what_is_bought_that_day() -> None:
    market = Snapshot({"A": Quote(10.0, 100.0), "B": Quote(10.0, 1e9)})
    found = planned({"A": 30.0}, 0.0, {"B": 1.0}, market, limits=Limits(max_participation=0.1), horizon_days=3)
    assert [(t.day, t.symbol, t.quantity) for t in found.plan.trades] == [
        (1, "A", -10.0), (1, "B", 10.0), (2, "A", -10.0), (2, "B", 10.0), (3, "A", -10.0), (3, "B", 10.0),
    ]  # fmt: skip
    assert found.plan.shortfalls == ()


def test_failure_names_what_is_in_the_way() -> None:
    market = Snapshot({"A": Quote(10.0, halted=True), "B": Quote(20.0)})
    found = planned({"A": 10.0}, 0.0, {"B": 1.0}, market)
    assert isinstance(found.outcome, Failure)
    assert "HALTED" in found.outcome.message
    codes = {s.symbol: [cause.code for cause in s.causes] for s in found.plan.shortfalls}
    assert codes == {"A": [ShortfallCode.HALTED], "B": [ShortfallCode.CASH]}


@pytest.mark.parametrize(
    ("held", "cash", "target", "field"),
    [
        ({"A": 1.0}, -11.0, {"A": 1.0}, "portfolio"),
        ({"A": -1.0}, 50.0, {"A": 1.0}, "portfolio.holdings[0].quantity"),
        ({}, 0.0, {"A": 1.0}, "portfolio"),
        ({"A": 1.0}, 0.0, {"Z": 0.5}, "target_weights.weights[0].symbol"),
        ({"A": 1.0}, 0.0, {"A": -0.5}, "target_weights.weights[0].weight"),
        ({"A": 1.0}, 0.0, {"A": 0.6, "B": 0.6}, "target_weights.weights"),
    ],
)
def test_what_cannot_be_planned(held: dict[str, float], cash: float, target: dict[str, float], field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        planned(held, cash, target)
    assert raised.value.field == field
