"""Margin calls: positions are closed in proportion where equity falls below a fraction of gross exposure."""

import numpy as np

from domain.backtest.simulation.arrays import (
    MARGIN_CALL,
    Account,
    Costs,
    Flags,
    Floats,
    Output,
    Positions,
    Prices,
    Rules,
)
from domain.backtest.simulation.compiled import compiled
from domain.backtest.simulation.corporate_actions import write_event, write_holdings
from domain.backtest.simulation.trade_costs import TRADED, commission_of, cost_of, impact_of
from domain.backtest.simulation.trade_limits import whole_units_of

BISECTIONS = 100

SHORTFALL = 1e-12
"""Equity over gross exposure that is less than this below the ratio is a rounding error, and calls for no sale."""


@compiled
def meet_margin_call(
    t: int, prices: Prices, account: Account, positions: Positions, costs: Costs, rules: Rules, output: Output
) -> None:
    """Sells and buys back the least common fraction of all positions that restores the maintenance ratio at date t."""
    marks = prices.marks[t]
    held = positions.units * marks
    gross = np.abs(held).sum()
    if gross <= 0.0 or account.nav / gross >= rules.maintenance_ratio - SHORTFALL:
        return
    movable = np.abs(held) > TRADED * account.nav
    if len(prices.tradable) > 0:
        movable &= prices.tradable[t]
    if not movable.any():
        return
    low, high = 0.0, 1.0  # fraction that is closed
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        left = gross - middle * np.abs(held[movable]).sum()
        cost = _cost_of_closing(middle, held, marks, movable, costs, account.nav)
        if account.nav - cost >= rules.maintenance_ratio * left:
            high = middle
        else:
            low = middle
    _close(t, high, held, marks, account, positions, costs, rules, output, movable)


@compiled
def _cost_of_closing(fraction: float, held: Floats, marks: Floats, movable: Flags, costs: Costs, nav: float) -> float:
    total = 0.0
    for i in range(len(held)):
        if movable[i] and fraction * abs(held[i]) > TRADED * nav:
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
    movable: Flags,
) -> None:
    paid, turnover, events = 0.0, 0.0, output.written[1]
    for i in range(len(held)):
        if not movable[i]:
            continue
        before = positions.units[i]
        after = before * (1.0 - fraction)
        if rules.whole_units:
            after = whole_units_of(after)
        traded = abs((before - after) * marks[i])
        if traded <= TRADED * account.nav:  # not made, and pays no fee
            continue
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
        turnover += 0.5 * traded / account.nav
        write_event(t, i, MARGIN_CALL, before, after, (before - after) * marks[i] - cost, output)
    if output.written[1] == events:
        return
    fraction = paid / account.nav
    account.unit_value *= 1.0 - paid / (account.nav - account.flow_end)
    account.nav -= paid
    write_holdings(t, account, positions, output)
    row = output.written[0] - 1
    output.row_turnover[row], output.row_cost[row] = turnover, fraction
