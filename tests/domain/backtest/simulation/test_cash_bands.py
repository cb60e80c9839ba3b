"""Drift bands where cash has a target: its breach is repaired by trades of the assets, and once."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from domain.backtest.drift_band import BandDestination, BandScope, BandWidth, DriftBand
from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import FixedWeights
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.panel import PricePanel
from tests.domain.backtest.simulation.test_band_examples import simulated

WIDE, FIVE_POINTS = BandWidth(absolute=1.0), BandWidth(absolute=0.05)
TARGET = {"A": 0.4, "B": 0.2, "C": 0.2}
# All of them double: cash is .2/1.8, 8.9 points below its target, and each asset is within 10 points of its own.
DOUBLED = {name: [100.0 * weight, 200.0 * weight, 200.0 * weight] for name, weight in TARGET.items()}
TEN_POINTS = {name: BandWidth(absolute=0.1) for name in TARGET}
GROUPS = {"both": ("A", "B")}
BREACHED = {"scope": BandScope.BREACHED}
EDGE = {"destination": BandDestination.EDGE}


def weights_after(record: RecordPart, values: dict[str, list[float]], at: int) -> Any:
    prices = np.array([values[name][at] / (100.0 * TARGET[name]) for name in TARGET])
    return record.units[-1] * prices / record.nav[at]


@pytest.mark.parametrize("groups", [{}, {"by_group": {"both": BandWidth(absolute=0.5)}}])
@pytest.mark.parametrize(
    ("choice", "cash"),
    [
        (EDGE, 0.15),
        (BREACHED, 0.2),
        (BREACHED | {"destination": BandDestination.FRACTION, "fraction": 0.75}, 0.2 - 0.25 * (0.2 - 1.0 / 9.0)),
    ],
)
def test_cash_alone_is_brought_to_its_destination(choice: Any, cash: float, groups: Any) -> None:
    """By the least trades: all assets give way evenly. On the next date, without a change of price, nothing is traded.

    Cash is 1/9; assets are 4/9, 2/9 and 2/9.
    """
    band = DriftBand(FIVE_POINTS, by_symbol=TEN_POINTS, **choice, **groups)
    record = simulated(DOUBLED, TARGET, band, groups=GROUPS)
    sold = (cash - 1.0 / 9.0) / 3.0
    expected = np.array([4.0, 2.0, 2.0]) / 9.0 - sold
    assert record.indices.tolist() == [0, 1]
    assert weights_after(record, DOUBLED, 1) == pytest.approx(expected, rel=1e-9)
    assert record.cash[-1] / record.nav[1] == pytest.approx(cash, rel=1e-12)


def test_an_edge_that_needs_costs_is_reached_after_them() -> None:
    band = DriftBand(FIVE_POINTS, by_symbol=TEN_POINTS, destination=BandDestination.EDGE)
    record = simulated(DOUBLED, TARGET, band, 50.0)
    assert record.indices.tolist() == [0, 1]
    assert record.cash[-1] / record.nav[1] == pytest.approx(0.15, rel=1e-12)


@pytest.mark.parametrize("choice", [EDGE, BREACHED, {}])
def test_what_cannot_be_repaired_is_left(choice: Any) -> None:
    """All assets are halted: there is no trade, and no rebalancing on each date."""
    nan = float("nan")
    values = {"A": [40.0, 80.0, nan, nan, 80.0], "B": [20.0, 40.0, nan, nan, 40.0], "C": [20.0, 40.0, nan, nan, 40.0]}
    band = DriftBand(FIVE_POINTS, by_symbol={"A": WIDE, "B": WIDE, "C": WIDE}, **choice)
    record = simulated(values, TARGET, band, missing_data=MissingDataPolicy.ASSET_STATES)
    assert record.indices.tolist() == [0, 1]


def test_whole_units_that_cannot_come_nearer_are_no_rebalancing() -> None:
    """Of B, at 50, no unit fits in its 30 % of 100: it is below its band on every date, and nothing is traded."""
    panel = PricePanel.of("AB", range(4), [[1.0, 50.0]] * 4)
    specification = BacktestSpecification(
        (FixedWeights({"A": 0.7, "B": 0.3}),),
        Rebalancing(BuyAndHold(), DriftBand(BandWidth(absolute=0.01))),
        Fill.SAME_CLOSE,
        initial_capital=100.0,
        fractional_holdings=False,
        periods_per_year=252.0,
    )
    outcome = run(prepare(specification, panel), lambda _: None, lambda: None).strategies[0]
    assert outcome.record is not None
    assert outcome.record.indices.tolist() == [0]
    assert outcome.rebalances == 1


def drawn(seed: int) -> tuple[dict[str, list[float]], dict[str, float], float, DriftBand]:
    """Values of a few assets beside cash, their target weights, the half-width of cash and a band."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 6))
    parts = rng.dirichlet(np.full(count + 1, 3.0))
    target = {f"S{i}": float(parts[i]) for i in range(count)}
    moves = np.exp(rng.normal(0.0, 0.35, count))
    values = {
        name: [100.0 * w, 100.0 * w * m, 100.0 * w * m] for (name, w), m in zip(target.items(), moves, strict=True)
    }
    width = float(rng.choice([0.02, 0.05]))
    by_symbol = {name: BandWidth(absolute=float(rng.uniform(0.01, 0.2))) for name in target}
    scope = BandScope.BREACHED if rng.random() < 0.5 else BandScope.ALL
    destination = BandDestination.TARGET if scope is BandScope.BREACHED else BandDestination.EDGE
    groups = {"some": BandWidth(absolute=0.5)} if rng.random() < 0.3 else {}
    return values, target, width, DriftBand(BandWidth(width), by_symbol, groups, scope=scope, destination=destination)


@given(st.integers(0, 10**6))
@settings(max_examples=100, deadline=None)
def test_no_breach_remains_where_there_is_a_trade_that_repairs_it(seed: int) -> None:
    """Against a linear program, which says whether there is one; nothing is traded on the date that follows."""
    values, target, width, band = drawn(seed)
    record = simulated(values, target, band, groups={"some": tuple(target)[:2]})
    goal = np.array([*target.values()])
    widths = np.array([band.by_symbol[name].absolute for name in target])
    prices = np.array([values[name][1] / (100.0 * target[name]) for name in target])
    nav = float(100.0 * goal @ prices + 100.0 * (1.0 - goal.sum()))
    before = 100.0 * goal * prices / nav
    breached = np.abs(before - goal) > widths + 1e-12
    cash_breached = abs(before.sum() - goal.sum()) > width + 1e-12
    if not breached.any() and not cash_breached:
        assert record.indices.tolist() == [0]
        return
    assert record.indices.tolist() == [0, 1]
    after = record.units[-1] * prices / record.nav[1]
    lower, upper = goal - widths, goal + widths
    total = [goal.sum() - width, goal.sum() + width]
    if band.scope is BandScope.BREACHED:
        lower, upper = np.where(breached, goal, lower), np.where(breached, goal, upper)
        total = [goal.sum()] * 2 if cash_breached else total
    assert (after >= lower - 1e-12).all()
    assert (after <= upper + 1e-12).all()
    ones = np.ones((1, len(goal)))
    repair = linprog(
        np.zeros(len(goal)), A_ub=np.vstack([ones, -ones]), b_ub=[total[1], -total[0]],
        bounds=np.column_stack([lower, upper]),
    )  # fmt: skip
    if repair.success:
        assert total[0] - 1e-12 <= after.sum() <= total[1] + 1e-12
