"""Where a trade by a band goes, against a linear program and the properties that define it."""

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
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import FixedWeights
from domain.market_data.panel import PricePanel

SEEDS = st.integers(0, 10**6)
RANDOMLY = settings(max_examples=30, deadline=None)


def moved(weights: np.ndarray, target: np.ndarray, band: DriftBand) -> np.ndarray | None:
    """Weights after the trade of a date on which a portfolio in its target has moved to these; None without one."""
    symbols = [f"S{i}" for i in range(len(target))]
    specification = BacktestSpecification(
        (FixedWeights(dict(zip(symbols, target.tolist(), strict=True))),),
        Rebalancing(BuyAndHold(), band),
        Fill.SAME_CLOSE,
        periods_per_year=252.0,
    )
    # Cash does not move: prices are such that the others have these weights beside it.
    cash = 1.0 - target.sum()
    values = weights / (1.0 - weights.sum()) * cash if cash > 1e-9 else weights
    prices = np.array([np.ones(len(target)), values / target])
    plan = prepare(specification, PricePanel.of(symbols, [0, 1], prices))
    record = run(plan, lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    if len(record.indices) == 1:
        return None
    result: Any = record.units[-1] * prices[1] / record.nav[1]
    return np.asarray(result)


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Fully invested weights and targets of a few assets, and a half-width."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 7))
    target = rng.dirichlet(np.full(count, 3.0))
    weights = target * np.exp(rng.normal(0.0, 0.3, count))
    return weights / weights.sum(), target, float(rng.choice([0.01, 0.03, 0.06]))


def least_trade(weights: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """Least sum of absolute trades into the bands with the sum of the weights kept."""
    count = len(weights)
    solution = linprog(
        np.ones(2 * count),
        A_eq=[np.append(np.ones(count), -np.ones(count))],
        b_eq=[0.0],
        A_ub=np.vstack([np.hstack([np.eye(count), -np.eye(count)]), np.hstack([-np.eye(count), np.eye(count)])]),
        b_ub=np.append(upper - weights, weights - lower),
    )
    assert solution.success
    return float(solution.fun)


@given(SEEDS)
@RANDOMLY
def test_the_edge_is_the_least_trade_into_the_bands(seed: int) -> None:
    weights, target, width = drawn(seed)
    found = moved(weights, target, DriftBand(BandWidth(width), destination=BandDestination.EDGE))
    inside = np.abs(weights - target).max() <= width + 1e-12
    assert (found is None) == inside
    if found is None:
        return
    assert np.abs(found - target).max() <= width + 1e-12
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    least = least_trade(weights, target - width, target + width)
    assert np.abs(found - weights).sum() == pytest.approx(least, abs=1e-8)


@given(SEEDS)
@RANDOMLY
def test_ties_go_to_the_least_squares(seed: int) -> None:
    """No shift between two assets that leaves the sum of absolute trades as it is has a smaller sum of squares."""
    weights, target, width = drawn(seed)
    found = moved(weights, target, DriftBand(BandWidth(width), destination=BandDestination.EDGE))
    if found is None:
        return
    trades, step = found - weights, 1e-6
    for i in range(len(trades)):
        for j in range(len(trades)):
            shifted = trades.copy()
            shifted[i] += step
            shifted[j] -= step
            fits = np.abs(weights + shifted - target).max() <= width + 1e-12
            if i != j and fits and np.abs(shifted).sum() <= np.abs(trades).sum() + 1e-12:
                assert (shifted**2).sum() >= (trades**2).sum() - 1e-13


@given(SEEDS)
@RANDOMLY
def test_the_edge_trades_no_more_than_half_way(seed: int) -> None:
    """Where no weight is farther out than twice its band."""
    weights, target, _ = drawn(seed)
    width = 0.5 * float(np.abs(weights - target).max())
    edge = moved(weights, target, DriftBand(BandWidth(width), destination=BandDestination.EDGE))
    half = moved(weights, target, DriftBand(BandWidth(width), destination=BandDestination.FRACTION, fraction=0.5))
    assert edge is not None
    assert half is not None
    assert np.abs(edge - weights).sum() <= np.abs(half - weights).sum() + 1e-12


@given(SEEDS)
@RANDOMLY
def test_the_edge_of_no_band_is_the_target(seed: int) -> None:
    weights, target, _ = drawn(seed)
    found = moved(weights, target, DriftBand(BandWidth(0.0), destination=BandDestination.EDGE))
    assert found == pytest.approx(target, abs=1e-12)


@given(SEEDS)
@RANDOMLY
def test_the_breached_go_to_their_target_and_the_others_stay_inside(seed: int) -> None:
    weights, target, width = drawn(seed)
    found = moved(weights, target, DriftBand(BandWidth(width), scope=BandScope.BREACHED))
    breached = np.abs(weights - target) > width + 1e-12
    if found is None:
        assert not breached.any()
        return
    lower = np.where(breached, target, target - width)
    upper = np.where(breached, target, target + width)
    assert (found >= lower - 1e-12).all()
    assert (found <= upper + 1e-12).all()
    assert np.abs(found - weights).sum() == pytest.approx(least_trade(weights, lower, upper), abs=1e-8)
