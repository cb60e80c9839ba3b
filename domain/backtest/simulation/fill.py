"""Trades to target weights, exactly self-financing: holdings are w V' afterwards, whatever the order of the assets.

`fill_plainly` is the short way where costs are proportional and every asset can be traded in full. `fill_generally` is
for everything else: halts, least and greatest commissions, impact, limits of turnover and participation, whole units.
"""

import numpy as np

from domain.backtest.simulation.arrays import (
    EXACT,
    FILL,
    FILL_COSTS_TOO_MUCH,
    FILL_WITHOUT_WEALTH,
    VECTORBT,
    Account,
    Costs,
    Flags,
    Floats,
    Integers,
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
    post_cost_fraction,
    value_after,
)
from domain.backtest.simulation.valuation import copy_to_row, value_at

CASH_ROUNDING = 1e-12
"""Cash below this fraction of the net asset value, where weights sum to 1, is a rounding error and counts as zero."""

NOTHING_LEFT = 1e-9
"""What costs leave of the net asset value, as a fraction of it, at which a trade cannot be made.

Fees that exceed it leave a little more than nothing: without a trade there is no fee.
"""

BISECTIONS = 100


@compiled
def fill_plainly(
    t: int,
    target: int,
    targets: Floats,
    prices: Floats,
    units: Floats,
    reference: Floats,
    gains: Floats,
    commission: Floats,
    spread: Floats,
    account: Account,
    row: int,
    row_date: Integers,
    row_kind: Integers,
    row_units: Floats,
    row_cash: Floats,
    row_cost: Floats,
    row_turnover: Floats,
) -> bool:
    """Trades to weights at prices of date t (T, N), all other vectors (N,), where only proportional costs are met.

    Writes turnover and cost of this row, both (R,). False where the costs exceed the net asset value.
    """
    count = len(units)
    nav = value_at(t, units, prices) + account.cash + account.receivable
    after = nav * post_cost_fraction(t, target, targets, prices, units, nav, commission, spread)
    if not after > 0.0:
        return False
    traded, paid_commission, paid_spread, invested, total = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(count):
        total += targets[target, i]
        price = prices[t, i]
        if price > 0.0:
            wanted = targets[target, i] * after
            amount = abs(wanted - units[i] * price)
            traded += amount
            paid_commission += commission[i] * amount
            paid_spread += spread[i] * amount
            invested += wanted
            gains[i] += units[i] * (price - reference[i])
            reference[i] = price
            units[i] = wanted / price
        row_units[row, i] = units[i]
    account.commission += paid_commission
    account.spread += paid_spread
    account.cash = nav - paid_commission - paid_spread - invested - account.receivable
    # Fully invested: what is left of a sum that should be 0.
    if abs(total - 1.0) <= CASH_ROUNDING and abs(account.cash + account.receivable) <= CASH_ROUNDING * nav:
        account.cash = -account.receivable
    account.fills += 1
    row_date[row], row_kind[row], row_cash[row] = t, FILL, account.cash
    row_turnover[row] = 0.5 * traded / nav
    row_cost[row] = (paid_commission + paid_spread) / nav
    return True


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
    is_free = account.fills == 0 and not costs.charges_first_purchase
    turnover_limit = np.inf if account.fills == 0 or is_carried else rules.most_turnover
    trades = _trades(weights, held, at, can_trade, nav, turnover_limit, is_free, account, positions, costs, rules)
    if len(trades) == 0:
        write_failure(t, FILL_COSTS_TOO_MUCH, output)
        return
    _book(t, weights, trades, held, at, nav, is_free, account, positions, costs, rules, output)


@compiled
def _trades(
    weights: Floats,
    held: Floats,
    prices: Floats,
    can_trade: Flags,
    nav: float,
    turnover_limit: float,
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
            total_weight += held[i] / nav
            continue
        total_weight += weights[i]
        moving[i] = can_trade[i]
        if prices[i] > 0.0 and not moving[i] and abs(weights[i] * nav - held[i]) > TRADED * nav:
            positions.carried[i] = weights[i]
            account.carried += 1
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
    else:
        cash = account.cash + account.receivable
        trades = trades_by_convention(
            rules.conventions, weights, held, prices, moving, nav, cash, is_free, costs, rules.whole_units
        )
        if len(trades) == 0:
            return trades
    is_scaled = _limit_turnover(trades, nav, turnover_limit)
    if rules.has_participation_limit:
        _limit_participation(trades, weights, nav, account, positions, rules)
    if rules.whole_units:
        _round_to_units(trades, prices, positions)
    # A dividend that is not paid yet counts in the weights, and pays for nothing.
    # What is left of a sum of dividends that are all paid is a rounding error.
    is_cut = is_scaled or account.carried > 0 or account.receivable > TRADED * nav
    is_cut = is_cut or rules.has_participation_limit or (rules.whole_units and is_exact)
    if is_cut:
        least_cash = 0.0 if rules.conventions == VECTORBT else min(0.0, 1.0 - total_weight) * after
        _keep_cash(trades, prices, account.cash, least_cash, nav, is_free, costs, rules)
    return trades


@compiled
def _limit_turnover(trades: Floats, nav: float, limit: float) -> bool:
    """Scales all trades so that one-way turnover is within the limit; the rest waits for the next rebalancing.

    Says whether it had to.
    """
    turnover = 0.0
    for i in range(len(trades)):
        turnover += 0.5 * abs(trades[i]) / nav
    if turnover <= limit:
        return False
    for i in range(len(trades)):
        trades[i] *= limit / turnover
    return True


@compiled
def _limit_participation(
    trades: Floats, weights: Floats, nav: float, account: Account, positions: Positions, rules: Rules
) -> None:
    """Cuts each trade to what may be traded on one date; the rest is traded on the dates that follow."""
    for i in range(len(trades)):
        if abs(trades[i]) > rules.most_traded[i]:
            trades[i] = rules.most_traded[i] if trades[i] > 0.0 else -rules.most_traded[i]
            positions.carried[i] = weights[i]
            account.carried += 1


@compiled
def _round_to_units(trades: Floats, prices: Floats, positions: Positions) -> None:
    """Rounds positions towards zero to whole units."""
    for i in range(len(trades)):
        if trades[i] != 0.0:
            wanted = positions.units[i] + trades[i] / prices[i]
            # A hair below a whole number is a rounding error of the division.
            whole = np.trunc(wanted * (1.0 + 1e-12))
            trades[i] = (whole - positions.units[i]) * prices[i]


@compiled
def _keep_cash(
    trades: Floats,
    prices: Floats,
    cash: float,
    least_cash: float,
    nav: float,
    is_free: bool,
    costs: Costs,
    rules: Rules,
) -> None:
    """Scales purchases down where sales that cannot be made in full leave too little cash for them."""
    available, wanted = cash - least_cash, 0.0
    for i in range(len(trades)):
        cost = 0.0 if is_free else cost_of(costs, i, abs(trades[i]), prices[i])
        if trades[i] > 0.0:
            wanted += trades[i] + cost
        else:
            available -= trades[i] + cost
    if wanted <= available + TRADED * nav:
        return
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        needed = 0.0
        for i in range(len(trades)):
            if trades[i] > 0.0:
                bought = middle * trades[i]
                needed += bought + (0.0 if is_free else cost_of(costs, i, bought, prices[i]))
        if needed <= available:
            low = middle
        else:
            high = middle
    for i in range(len(trades)):
        if trades[i] > 0.0:
            trades[i] *= low
            if rules.whole_units:
                trades[i] = np.trunc(trades[i] / prices[i] * (1.0 + 1e-12)) * prices[i]


@compiled
def _book(
    t: int,
    weights: Floats,
    trades: Floats,
    held: Floats,
    prices: Floats,
    nav: float,
    is_free: bool,
    account: Account,
    positions: Positions,
    costs: Costs,
    rules: Rules,
    output: Output,
) -> None:
    """Changes positions, cash and the sums of costs by the trades in money (N,), and writes a row of holdings."""
    turnover, paid, uninvested = 0.0, 0.0, 1.0
    spent = 0.0
    for i in range(len(trades)):
        uninvested -= weights[i]
        trade = trades[i]
        if trade == 0.0:
            continue
        traded = abs(trade)
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
