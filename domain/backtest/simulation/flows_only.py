"""Trades that only invest money that came in: it buys what is below its target, and nothing is sold for it.

What waits for its fill is money for each asset. A weight would sell an asset whose price has risen by then, or whose
weight the costs of the others reduce.
"""

import numpy as np

from domain.backtest.simulation.arrays import (
    FILL_WITHOUT_WEALTH,
    Account,
    Costs,
    Floats,
    Output,
    Positions,
    Prices,
    Rules,
)
from domain.backtest.simulation.compiled import compiled
from domain.backtest.simulation.fill import book, is_first_purchase, write_failure
from domain.backtest.simulation.trade_costs import TRADED
from domain.backtest.simulation.trade_limits import (
    keep_cash,
    limit_participation,
    limit_turnover,
    most_traded_on,
    round_to_units,
)
from domain.backtest.simulation.valuation import value_at


@compiled
def money_to_invest(held: Floats, target: Floats, marks: Floats, nav: float) -> Floats:
    """What the cash beyond its target buys of assets below theirs, in proportion to the distance, in money (N,).

    `held` (N,) is in money, `marks` (N,) are 0 for assets that are not listed.
    """
    money = np.zeros(len(held))
    for i in range(len(held)):
        if marks[i] > 0.0:
            money[i] = max(target[i] * nav - held[i], 0.0)
    missing = target.sum() * nav - held.sum()
    total = money.sum()
    if missing <= TRADED * nav or total <= 0.0:
        return np.zeros(len(held))
    scaled: Floats = money * min(missing / total, 1.0)
    return scaled


@compiled
def invest(
    t: int,
    money: Floats,
    is_carried: bool,
    prices: Prices,
    account: Account,
    positions: Positions,
    costs: Costs,
    rules: Rules,
    output: Output,
) -> None:
    """Trades for money (N,), costs included, on date t; negative entries are the rest of a first short sale.

    `is_carried` marks the rest of an earlier trade. What a limit leaves is carried, or waits as a flow does.
    """
    at = prices.fills[t]
    nav = value_at(t, positions.units, prices.fills) + account.cash + account.receivable
    if not nav < np.inf:  # said at the mark of this date
        return
    if nav <= 0.0:
        write_failure(t, FILL_WITHOUT_WEALTH, output)
        return
    trades = _tradable(t, money, nav, prices, account, positions)
    least_cash = account.cash - trades.sum()
    is_first = is_first_purchase(is_carried, account)
    limit = np.inf if is_first or is_carried else rules.most_turnover
    if limit_turnover(trades, positions.carried, nav, limit):
        account.flow_waits = 1
    if rules.has_participation_limit:
        most = most_traded_on(t, rules)
        rest = trades - np.clip(trades, -most, most)
        limit_participation(t, trades, rest, account, positions, rules)
    if rules.whole_units:
        round_to_units(trades, at, positions)
    is_free = is_first and not costs.charges_first_purchase
    least_cash = max(least_cash, account.cash_floor * nav)
    keep_cash(trades, at, account.cash, least_cash, nav, is_free, costs, rules)
    held = positions.units * at
    book(t, positions.target, trades, held, at, nav, is_first, account, positions, costs, rules, output)


@compiled
def _tradable(t: int, money: Floats, nav: float, prices: Prices, account: Account, positions: Positions) -> Floats:
    """The money (N,) of what can be traded on date t; that of halted assets is carried, that of gone ones waits."""
    trades = np.zeros(len(money))
    account.carried = 0
    for i in range(len(money)):
        wanted = money[i]  # before the carried money, which may be the same array, is cleared
        positions.carried[i] = np.nan
        if not abs(wanted) > TRADED * nav:  # so is NaN
            continue
        if not prices.fills[t, i] > 0.0:
            account.flow_waits = 1
        elif len(prices.tradable) > 0 and not prices.tradable[t, i]:
            positions.carried[i] = wanted
            account.carried += 1
        else:
            trades[i] = wanted
    return trades
