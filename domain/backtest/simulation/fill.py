"""Trades to target weights, exactly self-financing: holdings are w V' afterwards, whatever the order of the assets.

With halts, least and greatest commissions, impact, limits of turnover and participation, and whole units. `plain_fill`
is the short way where there is none of these.
"""

import numpy as np

from domain.backtest.simulation.arrays import (
    EXACT,
    FILL,
    FILL_COSTS_TOO_MUCH,
    FILL_WITHOUT_WEALTH,
    FIRST_CARRIED,
    FIRST_MADE,
    FIRST_NOT_MADE,
    VECTORBT,
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
from domain.backtest.simulation.conventions import trades_by_convention
from domain.backtest.simulation.trade_costs import (
    TRADED,
    commission_of,
    cost_of,
    impact_of,
    value_after,
)
from domain.backtest.simulation.trade_limits import (
    keep_cash,
    leave_what_costs_move,
    limit_participation,
    limit_turnover,
    round_to_units,
)
from domain.backtest.simulation.valuation import copy_to_row, value_at

CASH_ROUNDING = 1e-12
"""Cash below this fraction of the net asset value, where weights sum to 1, is a rounding error and counts as zero."""

NOTHING_LEFT = 1e-9
"""What costs leave of the net asset value, as a fraction of it, at which a trade cannot be made.

Fees that exceed it leave a little more than nothing: without a trade there is no fee.
"""


@compiled
def write_fill(t: int, row: int, units: Floats, cash: float, output: Output) -> None:
    """Writes the holdings after a fill; its cost and turnover stand in the row already."""
    output.row_date[row], output.row_kind[row] = t, FILL
    copy_to_row(units, output.row_units, row)
    output.row_cash[row] = cash
    output.written[0] = row + 1


@compiled
def fill_generally(
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
    """Trades to weights (N,) on date t; NaN weights are of assets that are left as they are.

    `is_carried` marks the rest of an earlier trade.
    """
    at = prices.fills[t]
    can_trade = at > 0.0
    if len(prices.tradable) > 0:
        can_trade &= prices.tradable[t]
    held = positions.units * at
    nav = value_at(t, positions.units, prices.fills) + account.cash + account.receivable
    if not nav < np.inf:  # said at the mark of this date
        return
    if nav <= 0.0:
        write_failure(t, FILL_WITHOUT_WEALTH, output)
        return
    is_first = is_first_purchase(is_carried, account)
    is_free = is_first and not costs.charges_first_purchase
    turnover_limit = np.inf if is_first or is_carried else rules.most_turnover
    trades = _trades(
        t, weights, held, at, can_trade, nav, turnover_limit, is_carried, is_free, account, positions, costs, rules
    )
    if len(trades) == 0:
        write_failure(t, FILL_COSTS_TOO_MUCH, output)
        return
    book(t, weights, trades, held, at, nav, is_first, account, positions, costs, rules, output)


@compiled
def is_first_purchase(is_carried: bool, account: Account) -> bool:
    """Whether a trade is the purchase from cash alone, or the rest of it."""
    is_first: bool = account.first_purchase == FIRST_NOT_MADE
    return is_first or (is_carried and account.first_purchase == FIRST_CARRIED)


@compiled
def _trades(
    t: int,
    weights: Floats,
    held: Floats,
    prices: Floats,
    can_trade: Flags,
    nav: float,
    turnover_limit: float,
    is_carried: bool,
    is_free: bool,
    account: Account,
    positions: Positions,
    costs: Costs,
    rules: Rules,
) -> Floats:
    """Trades in money, (N,); no entries where the costs exceed the net asset value. Marks what has to wait."""
    count = len(weights)
    moving = np.zeros(count, np.bool_)
    account.carried = 0
    total_weight = 0.0
    for i in range(count):
        positions.carried[i] = np.nan
        if np.isnan(weights[i]):
            continue
        total_weight += weights[i]
        moving[i] = can_trade[i]
        if prices[i] > 0.0 and not moving[i] and abs(weights[i] * nav - held[i]) > TRADED * nav:
            positions.carried[i] = weights[i]
            account.carried += 1
    cash_floor = account.cash_floor if is_carried else min(0.0, 1.0 - total_weight)
    is_exact = rules.conventions == EXACT
    after = nav if is_free or not is_exact else value_after(weights, held, prices, moving, costs, nav)
    if after <= NOTHING_LEFT * nav:
        return np.zeros(0)
    trades = np.zeros(count)
    if is_exact:
        for i in range(count):
            if moving[i]:
                trades[i] = weights[i] * after - held[i]
                if abs(trades[i]) <= TRADED * nav:
                    trades[i] = 0.0
        if rules.whole_units:
            leave_what_costs_move(trades, weights, held, nav)
    else:
        cash = account.cash + account.receivable
        trades = trades_by_convention(
            rules.conventions, weights, held, prices, moving, nav, cash, is_free, costs, rules.whole_units
        )
        if len(trades) == 0:
            return trades
    halted = positions.carried * after - held  # NaN for none
    is_scaled = limit_turnover(trades, halted, nav, turnover_limit)
    if is_scaled:
        if is_exact and not is_free:
            after = nav - _costs_of(trades, prices, costs)
        weights = _weights_after(weights, trades, halted, held, after)
        positions.carried[:] = np.where(np.isnan(positions.carried), np.nan, weights)
    if rules.has_participation_limit:
        limit_participation(t, trades, weights, account, positions, rules)
    if rules.whole_units:
        round_to_units(trades, prices, positions)
    # A dividend that is not paid yet counts in the weights, and pays for nothing.
    # What is left of a sum of dividends that are all paid is a rounding error.
    is_cut = is_scaled or is_carried or account.carried > 0 or account.receivable > TRADED * nav
    is_cut = is_cut or rules.has_participation_limit or (rules.whole_units and is_exact)
    if is_cut:
        least_cash = 0.0 if rules.conventions == VECTORBT else cash_floor * after
        bought = trades > 0.0
        is_short = keep_cash(trades, prices, account.cash, least_cash, nav, is_free, costs, rules)
        if is_short and _has_sale_that_waits(held, after, positions):
            _carry_purchases(weights, bought, account, positions)
    if rules.flows_only:  # in money, so that the rest does not sell what has risen in between
        for i in range(count):
            if not np.isnan(positions.carried[i]):
                positions.carried[i] = weights[i] * after - held[i] - trades[i]
    account.cash_floor = cash_floor
    return trades


@compiled
def _costs_of(trades: Floats, prices: Floats, costs: Costs) -> float:
    """Costs of trades in money (N,)."""
    total = 0.0
    for i in range(len(trades)):
        total += cost_of(costs, i, abs(trades[i]), prices[i])
    return total


@compiled
def _weights_after(weights: Floats, trades: Floats, halted: Floats, held: Floats, after: float) -> Floats:
    """Weights (N,) that scaled trades lead to: what is carried is the rest of these trades, not of the target."""
    reached = weights.copy()
    for i in range(len(weights)):
        if not np.isnan(weights[i]):
            reached[i] = (held[i] + (trades[i] if np.isnan(halted[i]) else halted[i])) / after
    return reached


@compiled
def _has_sale_that_waits(held: Floats, after: float, positions: Positions) -> bool:
    """Whether what is carried raises cash once it can be traded."""
    return bool(np.any(positions.carried * after < held))  # not so of NaN


@compiled
def _carry_purchases(weights: Floats, bought: Flags, account: Account, positions: Positions) -> None:
    """The rest of purchases (N,) that lack the cash of a sale waits with it."""
    for i in range(len(weights)):
        if bought[i] and np.isnan(positions.carried[i]):
            positions.carried[i] = weights[i]
            account.carried += 1


@compiled
def book(
    t: int,
    weights: Floats,
    trades: Floats,
    held: Floats,
    prices: Floats,
    nav: float,
    is_first: bool,
    account: Account,
    positions: Positions,
    costs: Costs,
    rules: Rules,
    output: Output,
) -> None:
    """Changes positions, cash and the sums of costs by the trades in money (N,), and writes a row of holdings."""
    is_free = is_first and not costs.charges_first_purchase
    turnover, paid, uninvested = 0.0, 0.0, 1.0
    spent = 0.0
    for i in range(len(trades)):
        uninvested -= weights[i]
        trade = trades[i]
        traded = abs(trade)
        if traded <= TRADED * nav:
            continue
        turnover += traded
        spent += trade
        if not is_free:
            commission, spread, impact, fixed = _parts(costs, i, traded, prices[i])
            account.commission += commission
            account.spread += spread
            account.impact += impact
            account.fixed += fixed
            paid += commission + spread + impact + fixed
        positions.gains[i] += positions.units[i] * (prices[i] - positions.reference[i])
        positions.reference[i] = prices[i]
        whole = rules.whole_units
        units = positions.units[i] + trade / prices[i]
        positions.units[i] = np.round(units) if whole else (held[i] + trade) / prices[i]
    if turnover > 0.0 or not is_first:
        account.first_purchase = FIRST_CARRIED if is_first and account.carried > 0 else FIRST_MADE
    account.cash -= spent + paid
    # Fully invested: what is left of a sum that should be 0.
    if abs(uninvested) <= CASH_ROUNDING and abs(account.cash + account.receivable) <= CASH_ROUNDING * nav:
        account.cash = -account.receivable
    account.fills += 1
    row = output.written[0]
    output.row_cost[row] = paid / nav
    output.row_turnover[row] = 0.5 * turnover / nav
    write_fill(t, row, positions.units, account.cash, output)


@compiled
def _parts(costs: Costs, i: int, traded: float, price: float) -> tuple[float, float, float, float]:
    """Commission, half-spread, impact and fixed fee of a trade."""
    return (
        commission_of(costs, i, traded, price),
        costs.spread[i] * traded,
        impact_of(costs, i, traded, price),
        costs.fixed,
    )


@compiled
def write_failure(t: int, reason: int, output: Output) -> None:
    """Writes that a fill could not be made."""
    row = output.written[2]
    output.failure[row, 0], output.failure[row, 1] = t, reason
    output.written[2] = row + 1
