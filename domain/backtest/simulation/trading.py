"""Trades of decisions: those that are due on a date, and those that are filled at the close they were made with."""

import numpy as np

from domain.backtest.simulation.arrays import (
    FILL_COSTS_TOO_MUCH,
    FILL_WITHOUT_WEALTH,
    Account,
    Costs,
    Floats,
    Output,
    Plan,
    Positions,
    Prices,
    Rules,
)
from domain.backtest.simulation.compiled import compiled
from domain.backtest.simulation.fill import fill_generally, write_failure
from domain.backtest.simulation.flows_only import invest
from domain.backtest.simulation.plain_fill import fill_plainly, scratch_for
from domain.backtest.simulation.valuation import value_at, values_at


@compiled
def fill_due(
    t: int,
    prices: Prices,
    plan: Plan,
    account: Account,
    positions: Positions,
    costs: Costs,
    rules: Rules,
    output: Output,
) -> None:
    """Fills the decision that is due on date t, or what was carried over from an earlier one."""
    index = account.next_fill
    is_due = rules.delay > 0 and index < len(plan.made) and plan.made[index] + rules.delay == t
    if is_due:
        account.next_fill += 1
    if is_due and not positions.dropped[index]:
        trade(t, plan.targets[plan.row[index]], False, prices, account, positions, costs, rules, output)
    elif account.band_made >= 0 and account.band_made + rules.delay == t:
        trade_by_rule(t, positions.band_target, False, prices, account, positions, costs, rules, output)
    elif account.carried > 0 and not is_replaced(t, plan, account, positions, rules):
        trade_rest(t, prices, plan, account, positions, costs, rules, output)
    if account.band_made >= 0 and account.band_made + rules.delay <= t:
        account.band_made = -1


@compiled
def is_replaced(t: int, plan: Plan, account: Account, positions: Positions, rules: Rules) -> bool:
    """Whether a planned decision of date t, filled at the same close, takes the place of what is carried.

    One that is then not made leaves it to be traded at that close.
    """
    index = account.next_decision
    if rules.delay > 0 or rules.flows_only or index >= len(plan.made) or plan.made[index] != t:
        return False
    is_late_enough = account.last_decision < 0 or t - account.last_decision >= rules.least_between
    return bool(is_late_enough and not positions.dropped[index])


@compiled
def trade_rest(
    t: int,
    prices: Prices,
    plan: Plan,
    account: Account,
    positions: Positions,
    costs: Costs,
    rules: Rules,
    output: Output,
) -> None:
    """Trades what is carried over from an earlier date."""
    rows = output.written[0]
    drop_what_left(t, prices, plan, account, positions, rules)
    if account.carried > 0:
        trade_by_rule(t, positions.carried.copy(), True, prices, account, positions, costs, rules, output)
    if output.written[0] > rows:
        account.rest_traded = t


@compiled
def drop_what_left(t: int, prices: Prices, plan: Plan, account: Account, positions: Positions, rules: Rules) -> None:
    """Drops what is carried of purchases, and of short sales, of assets that are no members of the universe any more.

    Their positions may only get smaller: to the weight, or by the money, that is carried, and no farther than to none.
    """
    nav = value_at(t, positions.units, prices.fills) + account.cash + account.receivable
    if len(plan.members) == 0 or nav <= 0.0:
        return
    for i in range(len(positions.carried)):
        if plan.members[t, i] or np.isnan(positions.carried[i]):
            continue
        held = positions.units[i] * prices.fills[t, i]
        goal = held + positions.carried[i] if rules.flows_only else positions.carried[i] * nav
        if (held >= 0.0 and goal >= held) or (held <= 0.0 and goal <= held):
            positions.carried[i] = np.nan
            account.carried -= 1
            if rules.flows_only:  # the money waits for another asset
                account.flow_waits = 1
        elif goal * held < 0.0:
            positions.carried[i] = -held if rules.flows_only else 0.0


@compiled
def trade(
    t: int,
    weights: Floats,
    is_carried: bool,
    prices: Prices,
    account: Account,
    positions: Positions,
    costs: Costs,
    rules: Rules,
    output: Output,
) -> None:
    """Trades to weights (N,) at the prices of date t at which orders are filled."""
    if rules.is_plain and not is_carried and account.receivable <= 0.0:
        trade_plainly(t, weights, prices, account, positions, costs, rules, output)
        return
    fill_generally(t, weights, is_carried, prices, account, positions, costs, rules, output)


@compiled
def trade_by_rule(
    t: int,
    goal: Floats,
    is_carried: bool,
    prices: Prices,
    account: Account,
    positions: Positions,
    costs: Costs,
    rules: Rules,
    output: Output,
) -> None:
    """Trades to weights (N,), or for money (N,) where only flows are traded: no planned decision, or the rest of one.

    Where nothing can be traded, as during a halt or in whole units, it is no rebalancing and leaves no row.
    """
    row = output.written[0]
    if rules.flows_only:
        invest(t, goal, is_carried, prices, account, positions, costs, rules, output)
    else:
        trade(t, goal, is_carried, prices, account, positions, costs, rules, output)
    if output.written[0] > row and output.row_turnover[row] == 0.0:
        output.written[0] = row
        account.fills -= 1


@compiled
def trade_plainly(
    t: int,
    weights: Floats,
    prices: Prices,
    account: Account,
    positions: Positions,
    costs: Costs,
    rules: Rules,
    output: Output,
) -> None:
    """Trades to weights (N,) where there are only proportional costs."""
    scratch = scratch_for(len(weights))
    nav = values_at(t, positions.units, prices.fills, scratch.held) + account.cash + account.receivable
    if not nav < np.inf:  # said at the mark of this date
        return
    if nav <= 0.0:
        write_failure(t, FILL_WITHOUT_WEALTH, output)
        return
    commission, spread, fills = costs.commission, costs.spread, prices.fills[t]
    if not fill_plainly(
        t, rules.conventions, weights, fills, commission, spread, nav, account, positions, output, scratch
    ):
        write_failure(t, FILL_COSTS_TOO_MUCH, output)


@compiled
def trade_at_the_close(
    t: int,
    goal: Floats,
    is_planned: bool,
    prices: Prices,
    account: Account,
    positions: Positions,
    costs: Costs,
    rules: Rules,
    output: Output,
) -> None:
    """Fills a planned decision, or one by a rule, at the close it was made with.

    What it costs belongs to the same period.
    """
    before = account.nav
    if is_planned:
        trade(t, goal, False, prices, account, positions, costs, rules, output)
    else:
        trade_by_rule(t, goal, False, prices, account, positions, costs, rules, output)
    measure_again(t, before, prices, account, positions)


@compiled
def trade_rest_at_the_close(
    t: int,
    prices: Prices,
    plan: Plan,
    account: Account,
    positions: Positions,
    costs: Costs,
    rules: Rules,
    output: Output,
) -> None:
    """Trades what waited for the decision of date t, which is not made."""
    before = account.nav
    trade_rest(t, prices, plan, account, positions, costs, rules, output)
    measure_again(t, before, prices, account, positions)


@compiled
def measure_again(t: int, before: float, prices: Prices, account: Account, positions: Positions) -> None:
    """The net asset value, which was `before`, and that of a unit, after trades at the close."""
    account.nav = value_at(t, positions.units, prices.marks) + account.cash + account.receivable
    account.unit_value *= (account.nav - account.flow_end) / (before - account.flow_end)
