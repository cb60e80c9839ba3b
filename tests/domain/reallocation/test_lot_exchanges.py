"""Exchanges of options beside every choice of a few assets."""

import itertools

import numpy as np
import pytest

from domain.checks import Vector
from domain.reallocation.lot_exchanges import exchanged
from domain.reallocation.lot_options import LotOptions

ASSETS, EACH = 5, 4


def random_options(draw: np.random.Generator, limits: int) -> LotOptions:
    """Some options of each asset, the first of which uses nothing; half of the others give something back."""
    count = ASSETS * EACH
    none = np.zeros(count)
    uses = draw.uniform(-1.0, 1.0, (limits, count))
    starts = np.arange(0, count, EACH)
    uses[:, starts] = 0.0
    return LotOptions(
        starts=starts,
        assets=np.repeat(np.arange(ASSETS), EACH),
        orders=np.tile(np.arange(EACH) - 1, ASSETS),
        lots=np.tile(np.arange(float(EACH)), ASSETS),
        positions=none,
        distances=none,
        slopes=none,
        costs=none,
        taxes=none,
        uses=uses,
        limits=draw.uniform(-0.5, 0.5, limits),
        dearest=np.ones(limits),
        widens=np.ones(limits, dtype=np.bool_),
    )


def excess(options: LotOptions, total: Vector, prices: Vector, choice: Vector) -> float:
    """What a choice exceeds the bound by; infinite where it exceeds a limit."""
    left = options.limits - options.uses[:, choice].sum(axis=1)
    if (left < -1e-9).any():
        return np.inf
    least = np.minimum.reduceat(total, options.starts).sum()
    return float(total[choice].sum() - least + prices @ left)


@pytest.mark.parametrize("limits", [1, 2, 3])
def test_exchanges_beside_every_choice(limits: int) -> None:
    best_found = compared = 0
    for seed in range(60):
        draw = np.random.default_rng(seed)
        options = random_options(draw, limits)
        prices = draw.uniform(0.0, 1.0, limits)
        values = draw.uniform(0.0, 1.0, ASSETS * EACH)
        total = values + prices @ options.uses
        every = itertools.product(*(range(start, start + EACH) for start in options.starts))
        least = min(excess(options, total, prices, np.array(choice)) for choice in every)
        begin = options.of_best(total)
        before = begin.copy()
        found = exchanged(options, total, prices, begin, lambda: None)
        assert (begin == before).all()
        assert (options.assets[found] == np.arange(ASSETS)).all()
        reached = excess(options, total, prices, found)
        assert reached <= excess(options, total, prices, before) + 1e-9
        assert reached >= least - 1e-9
        compared += np.isfinite(least)
        best_found += np.isfinite(least) and reached <= least + 1e-9
    assert compared >= 30
    assert best_found >= (0.9 if limits == 1 else 0.6) * compared


def test_steps_are_between_neighbours_and_grow() -> None:
    draw = np.random.default_rng(0)
    options = random_options(draw, 1)
    wide = LotOptions(
        **{**{name: getattr(options, name) for name in LotOptions.__slots__}, "lots": options.lots * 50.0}
    )
    same_order = np.where(wide.lots > 0.0, 0, -1)
    wide = LotOptions(**{**{name: getattr(wide, name) for name in LotOptions.__slots__}, "orders": same_order})
    orders, counts = wide.steps(np.zeros(ASSETS * EACH), 1)
    assert (orders == 0).all()
    assert ((counts > 50.0) & (counts < 100.0)).all()
    steps = np.unique(counts) - 50.0
    assert steps[0] == 1.0
    assert steps[-1] == 49.0
    assert (np.diff(steps[steps < 25.0]) >= 1.0).all()
