"""Margin calls: positions are closed in proportion where equity falls below a fraction of gross exposure."""

import numpy as np

from domain.backtest.simulation.arrays import MARGIN_CALL, Account, Costs, Floats, Output, Positions, Prices, Rules
from domain.backtest.simulation.compiled import compiled
from domain.backtest.simulation.corporate_actions import write_event, write_holdings
from domain.backtest.simulation.trade_costs import commission_of, cost_of, impact_of

BISECTIONS = 100


@compiled
def meet_margin_call(
    t: int, prices: Prices, account: Account, positions: Positions, costs: Costs, rules: Rules, output: Output
) -> None:
    """Sells and buys back the least common fraction of all positions that restores the maintenance ratio at date t."""
    marks = prices.marks[t]
    held = positions.units * marks
    gross = np.abs(held).sum()
    if gross <= 0.0 or account.nav / gross >= rules.maintenance_ratio:
        return
    movable = marks > 0.0
    if len(prices.tradable) > 0:
        movable &= prices.tradable[t]
    low, high = 0.0, 1.0  # fraction that is closed
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        left = gross - middle * np.abs(held[movable]).sum()
        if account.nav - _cost_of_closing(middle, held, marks, movable, costs) >= rules.maintenance_ratio * left:
            high = middle
        else:
            low = middle
    _close(t, high, held, marks, account, positions, costs, rules, output, movable)


@compiled
def _cost_of_closing(fraction: float, held: Floats, marks: Floats, movable: Floats, costs: Costs) -> float:
    total = 0.0
    for i in range(len(held)):
        if movable[i] and held[i] != 0.0:
            total += cost_of(costs, i, fraction * abs(held[i]), marks[i])
    return total


@compiled
def _close(
    t: int,
    fraction: float,
    held: Floats,
    marks: Floats,
    account: Account,
    positions: Positions,
    costs: Costs,
    rules: Rules,
    output: Output,
    movable: Floats,
) -> None:
    paid = 0.0
    for i in range(len(held)):
        if not movable[i] or held[i] == 0.0:
            continue
        before = positions.units[i]
        after = before * (1.0 - fraction)
        if rules.whole_units:
            after = np.trunc(after)
        traded = abs((before - after) * marks[i])
        commission = commission_of(costs, i, traded, marks[i])
        spread, fixed = costs.spread[i] * traded, costs.fixed
        impact = impact_of(costs, i, traded, marks[i])
        account.commission += commission
        account.spread += spread
        account.fixed += fixed
        account.impact += impact
        cost = commission + spread + fixed + impact
        positions.gains[i] += positions.units[i] * (marks[i] - positions.reference[i])
        positions.reference[i] = marks[i]
        positions.units[i] = after
        account.cash += (before - after) * marks[i] - cost
        paid += cost
        write_event(t, i, MARGIN_CALL, before, after, (before - after) * marks[i] - cost, output)
    account.holding_cost_fractions += paid / account.nav
    account.unit_value *= 1.0 - paid / (account.nav - account.flow_end)
    account.nav -= paid
    write_holdings(t, account, positions, output)
