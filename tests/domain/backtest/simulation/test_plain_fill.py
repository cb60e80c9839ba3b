"""Sales that raise less than their own costs, in the short way of a fill and in the general one."""

import math

import numpy as np
import pytest

from domain.backtest.simulation.arrays import VECTORBT, Costs
from domain.backtest.simulation.conventions import trades_by_convention
from domain.backtest.simulation.plain_fill import pay_in_turn


@pytest.mark.parametrize(("rate", "sold"), [(1.0, -50.0), (1.0 + 1e-9, 0.0)])
def test_a_sale_is_made_where_it_raises_its_own_costs(rate: float, sold: float) -> None:
    """A sale of 50 that costs 50 raises its costs, one that costs more does not."""
    commission, none = np.full(1, rate), np.zeros(1)
    trades = np.full(1, -50.0)
    pay_in_turn(commission, none, 100.0, 50.0, trades)
    costs = Costs(
        commission=commission,
        spread=none,
        impact=none,
        impact_power=1.5,
        permanent=none,
        price_power=0.0,
        per_unit=0.0,
        least_commission=0.0,
        most_commission=math.inf,
        fixed=0.0,
        charges_first_purchase=True,
    )
    held, one, moving = np.full(1, 50.0), np.ones(1), np.ones(1, np.bool_)
    general = trades_by_convention(VECTORBT, none, held, one, moving, 100.0, 50.0, False, costs, False)
    assert trades.tolist() == general.tolist() == [sold]
