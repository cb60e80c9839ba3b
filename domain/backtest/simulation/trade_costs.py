"""What trades cost, and the net asset value that is left after trading to target weights.

The net asset value after costs V' is the largest solution of V' = V - sum_i c_i(w_i V' - h_i): sales pay for
purchases, costs included. Where costs are in proportion to the traded notional, and with impact, the left side less the
right side is convex in V', and Newton's method descends from V to the largest root; where it stops falling before one,
there is none. A least or greatest commission and a fixed fee make steps and kinks: where a step of Newton's goes beyond
a root, it is bracketed.
"""

import numpy as np

from domain.backtest.simulation.arrays import Costs, Flags, Floats
from domain.backtest.simulation.compiled import compiled

NEWTON_STEPS = 100
BISECTIONS = 200
ROUNDING = 4e-16
"""Of a net asset value, as a fraction of it."""

TRADED = 1e-12
"""A smaller trade, as a fraction of the net asset value, is a rounding error: it is not made and pays no fee."""


@compiled
def costs_on(t: int, costs: Costs) -> Costs:
    """The costs of date t, with its rates of impact, (N,)."""
    row = min(t, len(costs.impact) - 1)
    return Costs(
        costs.commission,
        costs.spread,
        costs.impact[row],
        costs.impact_power,
        costs.permanent[row],
        costs.price_power,
        costs.per_unit,
        costs.least_commission,
        costs.most_commission,
        costs.fixed,
        costs.charges_first_purchase,
    )


@compiled
def impact_of(costs: Costs, i: int, traded: float, price: float) -> float:
    """Market impact of trading an asset for this much money, without sign."""
    impact = 0.0
    if costs.impact[i] > 0.0:
        impact += costs.impact[i] * traded**costs.impact_power
    if costs.permanent[i] > 0.0:
        impact += costs.permanent[i] * traded * traded * price**costs.price_power
    return impact


@compiled
def commission_of(costs: Costs, i: int, traded: float, price: float) -> float:
    """Commission of trading an asset for this much money, without sign."""
    commission: float = costs.commission[i] * traded + costs.per_unit * traded / price
    return min(max(commission, costs.least_commission), costs.most_commission)


@compiled
def cost_of(costs: Costs, i: int, traded: float, price: float) -> float:
    """All costs of trading an asset for this much money, without sign; 0 for no trade."""
    if traded <= 0.0:
        return 0.0
    cost: float = commission_of(costs, i, traded, price) + costs.spread[i] * traded + costs.fixed
    return cost + impact_of(costs, i, traded, price)


@compiled
def cost_to(
    weights: Floats, held: Floats, prices: Floats, moving: Flags, costs: Costs, after: float, nav: float
) -> float:
    """Costs of trading the assets that are `moving` to weights of a net asset value of `after`."""
    total = 0.0
    for i in range(len(weights)):
        if moving[i]:
            traded = abs(weights[i] * after - held[i])
            if traded > TRADED * nav:
                total += cost_of(costs, i, traded, prices[i])
    return total


@compiled
def marginal_cost_of(costs: Costs, i: int, traded: float, price: float) -> float:
    """Cost of one more unit of money, of a trade that is made."""
    marginal: float = costs.spread[i]
    per_money = costs.commission[i] + costs.per_unit / price
    if costs.least_commission < per_money * traded < costs.most_commission:
        marginal += per_money
    if costs.impact[i] > 0.0:
        marginal += costs.impact[i] * costs.impact_power * traded ** (costs.impact_power - 1.0)
    if costs.permanent[i] > 0.0:
        marginal += 2.0 * costs.permanent[i] * traded * price**costs.price_power
    return marginal


@compiled
def slope_at(
    weights: Floats, held: Floats, prices: Floats, moving: Flags, costs: Costs, after: float, nav: float
) -> float:
    """By how much a net asset value of `after` and the costs of trading to it rise together with it, per unit."""
    slope = 1.0
    for i in range(len(weights)):
        if moving[i]:
            trade = weights[i] * after - held[i]
            if abs(trade) > TRADED * nav:
                slope += np.copysign(marginal_cost_of(costs, i, abs(trade), prices[i]), trade) * weights[i]
    return slope


@compiled
def value_after(weights: Floats, held: Floats, prices: Floats, moving: Flags, costs: Costs, nav: float) -> float:
    """Net asset value after trading the assets that are `moving` to weights (N,); below 0 where costs exceed it.

    The largest V' with V' + costs(V') <= V. Where a fee makes a step there, what it would cost stays in cash.
    """
    point = high = nav
    for _ in range(NEWTON_STEPS):
        excess = point + cost_to(weights, held, prices, moving, costs, point, nav) - nav
        if abs(excess) <= ROUNDING * nav:
            return point
        if excess < 0.0:  # beyond a step or a kink: the root is in between
            return _root_between(point, high, weights, held, prices, moving, costs, nav)
        high = point
        slope = slope_at(weights, held, prices, moving, costs, point, nav)
        following = point - excess / slope if slope > 0.0 else -1.0
        if following >= point:  # Newton only descends here: a rise is rounding
            return point
        if not following >= 0.0:
            if cost_to(weights, held, prices, moving, costs, 0.0, nav) > nav:
                return -1.0
            return _root_between(0.0, high, weights, held, prices, moving, costs, nav)
        point = following
    return point


@compiled
def _root_between(
    low: float, high: float, weights: Floats, held: Floats, prices: Floats, moving: Flags, costs: Costs, nav: float
) -> float:
    """A net asset value that costs leave from `low`, which can be paid, to `high`, which cannot."""
    point = high
    for k in range(BISECTIONS):
        excess = point + cost_to(weights, held, prices, moving, costs, point, nav) - nav
        if abs(excess) <= ROUNDING * nav:
            return point
        if excess > 0.0:
            high = point
        else:
            low = point
        # A fixed-point step is exact for fees that do not change with V'; it is kept where it stays in the bracket.
        step = point - excess
        if not low < step < high or k % 4 == 3:
            step = 0.5 * (low + high)
        if high - low <= ROUNDING * nav:
            break
        point = step
    return low
