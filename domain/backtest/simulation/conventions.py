"""Trades of a rebalancing by the conventions of other engines, for comparison with them; `fill` has the exact ones.

Both measure what is missing to a weight on the net asset value before any cost: w V - h. They differ in what the costs
of a trade are taken from.

BT, bt 1.4.1, `SecurityBase.allocate`: each asset pays its own costs. A purchase takes w V - h including its costs, a
sale of so much raises it after them; a position that is closed is sold as it is, and its costs are cash below 0.

VECTORBT, vectorbt 1.2.0, `simulate_from_orders_nb` with TargetPercent, one group, shared cash and the call sequence
"auto": sales are filled first, then purchases from the smallest to the largest, costs on top of the order.
A purchase is cut to the cash that is there at its turn, so the largest one is. A sale that does not raise its own costs
is not made.

Both round a number of units that must be whole within the order, BT down, VECTORBT towards zero.
"""

import numpy as np

from domain.backtest.simulation.arrays import BT, Costs, Flags, Floats
from domain.backtest.simulation.compiled import compiled
from domain.backtest.simulation.trade_costs import BISECTIONS, ROUNDING, TRADED, cost_of

STEPS = 1000
"""Fixed-point steps: each shrinks the error by the marginal cost of a trade, which is below 1."""

WHOLE_ROUNDING = 1e-12
"""A hair below a whole number of units is a rounding error of the division, as a fraction of it."""


@compiled
def trades_by_convention(
    conventions: int,
    weights: Floats,
    held: Floats,
    prices: Floats,
    moving: Flags,
    nav: float,
    cash: float,
    is_free: bool,
    costs: Costs,
    whole_units: bool,
) -> Floats:
    """Trades in money to weights of a net asset value, all (N,), of the assets that are `moving`.

    No entries where a sale cannot raise what it has to, whatever its size.
    """
    wanted = np.zeros(len(weights))
    for i in range(len(weights)):
        if moving[i]:
            missing = weights[i] * nav - held[i]
            wanted[i] = missing if abs(missing) > TRADED * nav else 0.0
    if conventions == BT:
        return _trades_by_asset(wanted, held, prices, nav, is_free, costs, whole_units)
    return _trades_in_turn(wanted, prices, nav, cash, is_free, costs, whole_units)


@compiled
def _trades_by_asset(
    wanted: Floats, held: Floats, prices: Floats, nav: float, is_free: bool, costs: Costs, whole_units: bool
) -> Floats:
    """BT: trades that change cash by what is wanted, costs included, (N,)."""
    trades = wanted.copy()
    for i in range(len(wanted)):
        if wanted[i] == 0.0 or abs(wanted[i] + held[i]) <= TRADED * nav:
            continue
        if not is_free:
            trades[i] = _trade_with_outlay(wanted[i], i, prices[i], costs)
            if np.isnan(trades[i]):
                return np.zeros(0)
        if whole_units:
            trades[i] = _floor(trades[i] / prices[i]) * prices[i]
    return trades


@compiled
def _trade_with_outlay(outlay: float, i: int, price: float, costs: Costs) -> float:
    """The trade d in money with d + cost(|d|) = outlay; NaN where no sale raises it, 0 for too small a purchase."""
    if is_proportional(i, costs):
        rate = float(costs.commission[i] + costs.spread[i])
        if outlay > 0.0:
            return outlay / (1.0 + rate)
        return outlay / (1.0 - rate) if rate < 1.0 else np.nan
    trade = outlay
    for _ in range(STEPS):
        following = outlay - cost_of(costs, i, abs(trade), price)
        if outlay > 0.0 and following <= 0.0:
            # The costs of the whole purchase exceed what it may take; those of a smaller one may not.
            return _purchase_within(outlay, outlay, i, price, costs)
        if not abs(following) < np.inf:
            return np.nan
        if abs(following - trade) <= ROUNDING * abs(outlay):
            return following
        trade = following
    return _purchase_within(outlay, outlay, i, price, costs) if outlay > 0.0 else np.nan


@compiled
def _trades_in_turn(
    wanted: Floats, prices: Floats, nav: float, cash: float, is_free: bool, costs: Costs, whole_units: bool
) -> Floats:
    """VECTORBT: orders one after the other, sales first, within the cash that is there, (N,)."""
    trades = np.zeros(len(wanted))
    for i in range(len(wanted)):
        if wanted[i] < 0.0:
            size = _floor(-wanted[i] / prices[i]) * prices[i] if whole_units else -wanted[i]
            cost = 0.0 if is_free else cost_of(costs, i, size, prices[i])
            if cost <= size:
                trades[i] = -size
                cash += size - cost
    purchases = np.flatnonzero(wanted > 0.0)
    for i in purchases[np.argsort(wanted[purchases], kind="mergesort")]:  # equal ones in the order of the assets
        size = _floor(wanted[i] / prices[i]) * prices[i] if whole_units else wanted[i]
        cost = 0.0 if is_free else cost_of(costs, i, size, prices[i])
        if size + cost > cash:
            size = max(cash, 0.0) if is_free else _purchase_within(size, cash, i, prices[i], costs)
            if whole_units:
                size = _floor(size / prices[i]) * prices[i]
            if size <= TRADED * nav:
                continue
            cost = 0.0 if is_free else cost_of(costs, i, size, prices[i])
        trades[i] = size
        cash -= size + cost
    return trades


@compiled
def _purchase_within(most: float, cash: float, i: int, price: float, costs: Costs) -> float:
    """The largest purchase up to `most`, in money, that cash pays for with its costs; 0 for none."""
    if cash <= 0.0:
        return 0.0
    if is_proportional(i, costs):
        return min(most, cash / (1.0 + float(costs.commission[i] + costs.spread[i])))
    low, high = 0.0, min(most, cash)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if middle + cost_of(costs, i, middle, price) <= cash:
            low = middle
        else:
            high = middle
        if high - low <= ROUNDING * high:
            break
    return low


@compiled
def is_proportional(i: int, costs: Costs) -> bool:
    """Whether the cost of a trade of this asset is a fraction of it."""
    has_steps = costs.per_unit > 0.0 or costs.least_commission > 0.0 or costs.most_commission < np.inf
    return not has_steps and costs.fixed == 0.0 and costs.impact[i] == costs.permanent[i] == 0.0


@compiled
def _floor(units: float) -> float:
    return float(np.floor(units + WHOLE_ROUNDING * abs(units)))
