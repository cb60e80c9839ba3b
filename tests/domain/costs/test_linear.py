"""Ten basis points of everything traded, on both sides."""

import numpy as np
import pytest

from domain.costs.linear import LinearCost
from domain.errors import InvalidInput


def test_both_sides_of_a_switch_pay() -> None:
    cost = LinearCost(commission_bps=8, half_spread_bps=2)
    assert cost.of_trades(("A", "B"), np.array([0.3, -0.3])) == pytest.approx(0.0006)


def test_an_asset_may_have_its_own_figure() -> None:
    cost = LinearCost(commission_bps=10, by_symbol_bps={"B": 50})
    assert cost.of_trades(("A", "B"), np.array([0.1, 0.2])) == pytest.approx(0.1 * 0.001 + 0.2 * 0.005)


def test_a_negative_cost_is_refused() -> None:
    with pytest.raises(InvalidInput, match="commission_bps"):
        LinearCost(commission_bps=-1)


@pytest.mark.parametrize("own", [{}, {"B": 40.0}])
@pytest.mark.parametrize("bps", [(0.0, 0.0), (7.0, 0.0), (0.0, 3.0), (7.0, 3.0)])
def test_the_parts_of_a_cost_are_those_of_its_rates(own: dict[str, float], bps: tuple[float, float]) -> None:
    """To the bit, whether an asset has a figure of its own or not."""
    cost, symbols = LinearCost(*bps, own), ("A", "B", "C")
    commission, spread = cost.parts(symbols)
    rates, shares = cost.rates(symbols), cost.spread_shares(symbols)
    assert commission.tolist() == (rates * (1.0 - shares)).tolist()
    assert spread.tolist() == (rates * shares).tolist()
