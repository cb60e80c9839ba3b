"""What is left after a trade at proportional costs, compiled for simulations, is what a reallocation computes."""

import numpy as np
import pytest

from domain.backtest.simulation.plain_fill import value_after_fractions
from domain.costs.self_financing import WealthExhausted, post_cost_fraction


def test_both_solvers_agree() -> None:
    rng = np.random.default_rng(4)
    exhausted = 0
    for _ in range(300):
        count = int(rng.integers(1, 8))
        scale = rng.choice([0.1, 1.0, 3.0])
        weights, fractions = rng.normal(0.2, scale, count), rng.normal(0.2, scale, count)
        commission, spread = rng.uniform(0.0, 0.2, count), rng.uniform(0.0, 0.1, count)
        prices, nav = rng.uniform(1.0, 100.0, count), 1000.0
        compiled = value_after_fractions(weights, prices, fractions * nav, commission, spread, nav) / nav
        try:
            expected = post_cost_fraction(weights, fractions, commission + spread)
        except WealthExhausted:
            exhausted += 1
            assert compiled <= 0.0
        else:
            assert compiled == pytest.approx(expected, rel=1e-12)
    assert 0 < exhausted < 150
