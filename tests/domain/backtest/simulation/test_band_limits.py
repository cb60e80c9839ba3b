"""The quick look at bands in money never hides a breach, and seldom asks for the long way without one."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.backtest.simulation.arrays import ANY_BREACH, TO_TARGET, Bands
from domain.backtest.simulation.bands import BLOCK, are_inside, is_breached, write_limits
from domain.backtest.simulation.compiled import compiled


@compiled
def look(units: np.ndarray, prices: np.ndarray, nav: float, cash: float, target: np.ndarray, bands: Bands) -> bool:
    lower, upper = np.empty(len(units)), np.empty(len(units))
    limits = write_limits(target, bands, lower, upper)
    return are_inside(1, units, prices, nav, cash, lower, upper, limits)


def bands_of(absolute: np.ndarray, relative: np.ndarray, cash: tuple[float, float]) -> Bands:
    return Bands(
        absolute=absolute,
        relative=relative,
        cash_absolute=cash[0],
        cash_relative=cash[1],
        trigger=ANY_BREACH,
        only_breached=False,
        destination=TO_TARGET,
        fraction=1.0,
        group_members=np.zeros((0, 0), np.bool_),
        group_absolute=np.zeros(0),
        group_relative=np.zeros(0),
        by_program=False,
        most_tracking_variance=math.inf,
        risk_aversion=1.0,
        horizon_years=1.0,
        periods_per_year=252.0,
        window=0,
        is_on=True,
    )


@given(st.integers(0, 10**9))
@settings(max_examples=200, deadline=None)
def test_the_quick_look_is_the_definition(seed: int) -> None:
    """Weights up to ten times the net asset value, and some within rounding of the end of their band."""
    rng = np.random.default_rng(seed)
    count = int(rng.choice([1, 2, 5, BLOCK, BLOCK + 1, 300]))
    target = rng.dirichlet(np.ones(count)) * rng.choice([0.5, 1.0, -1.0, 10.0])
    absolute, relative = rng.uniform(0.0, 0.1, count), rng.uniform(0.0, 0.5, count)
    relative[rng.random(count) < 0.3] = math.inf
    absolute[rng.random(count) < 0.3] = math.inf
    bands = bands_of(absolute, relative, (float(rng.choice([0.02, math.inf])), math.inf))
    width = np.where(np.isinf(relative), absolute, np.minimum(absolute, relative * np.abs(target)))
    reach = np.where(np.isinf(width), 1.0, width) * rng.choice([-1.0, 1.0], count)
    weights = target + reach * rng.choice([0.3, 0.9999, 1.0], (count,), p=[0.9, 0.05, 0.05])
    if rng.random() < 0.5:
        weights[int(rng.integers(count))] += rng.choice([1e-13, 5e-12, 0.01, -0.01])
    nav, price = 10.0 ** rng.uniform(-3.0, 9.0), np.exp(rng.normal(0.0, 2.0, (3, count)))
    units = weights * nav / price[1]
    held = units * price[1]
    found = look(units, price, nav, nav - held.sum(), target, bands)
    breached = is_breached(held / nav, target, np.ones(count, np.bool_), bands)
    assert not (found and breached)
    cash_band = math.inf if abs(1.0 - target.sum()) <= 1e-12 else bands.cash_absolute
    deep = (np.abs(weights - target) <= width - 1e-11).all() and abs(weights.sum() - target.sum()) <= cash_band - 1e-11
    assert found or not deep
