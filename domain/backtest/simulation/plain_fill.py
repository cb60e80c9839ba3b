"""The short way of a fill: costs in proportion to what is traded, and every asset with a price tradable in full.

It gives what `fill_generally` does there, but for rounding.
"""

import numpy as np

from domain.backtest.simulation.arrays import BT, EXACT, FILL, FIRST_MADE, Account, Floats, Integers
from domain.backtest.simulation.compiled import compiled, inlined
from domain.backtest.simulation.fill import CASH_ROUNDING, NOTHING_LEFT
from domain.backtest.simulation.trade_costs import NEWTON_STEPS, ROUNDING, TRADED


@inlined
def fill_plainly(
    t: int,
    conventions: int,
    target: int,
    targets: Floats,
    prices: Floats,
    units: Floats,
    reference: Floats,
    gains: Floats,
    commission: Floats,
    spread: Floats,
    nav: float,
    account: Account,
    row: int,
    row_date: Integers,
    row_kind: Integers,
    row_units: Floats,
    row_cash: Floats,
    row_cost: Floats,
    row_turnover: Floats,
    held: Floats,
    trades: Floats,
) -> bool:
    """Trades to weights at prices of date t (T, N), all other vectors (N,); False where the costs exceed `nav`.

    `held` is the value of each position before; `trades` takes the trades, in money. Writes a row of holdings.
    """
    count, weights = len(units), targets[target]
    if not find_trades(conventions, weights, prices[t], held, commission, spread, nav, account.cash, trades):
        return False
    traded, paid_commission, paid_spread, spent, total = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(count):
        amount = abs(trades[i])
        traded += amount
        paid_commission += commission[i] * amount
        paid_spread += spread[i] * amount
        spent += trades[i]
        total += weights[i]
    for i in range(count):
        price = prices[t, i]
        if trades[i] != 0.0:
            gains[i] += units[i] * (price - reference[i])
            reference[i] = price
            units[i] = (held[i] + trades[i]) / price
        row_units[row, i] = units[i]
    account.commission += paid_commission
    account.spread += paid_spread
    account.cash -= spent + paid_commission + paid_spread
    # Fully invested: what is left of a sum that should be 0.
    if abs(total - 1.0) <= CASH_ROUNDING and abs(account.cash + account.receivable) <= CASH_ROUNDING * nav:
        account.cash = -account.receivable
    account.cash_floor = min(0.0, 1.0 - total)
    if traded > 0.0:
        account.first_purchase = FIRST_MADE
    account.fills += 1
    row_date[row], row_kind[row], row_cash[row] = t, FILL, account.cash
    row_turnover[row] = 0.5 * traded / nav
    row_cost[row] = (paid_commission + paid_spread) / nav
    return True


@inlined
def find_trades(
    conventions: int,
    weights: Floats,
    prices: Floats,
    held: Floats,
    commission: Floats,
    spread: Floats,
    nav: float,
    cash: float,
    trades: Floats,
) -> bool:
    """Trades in money to weights by some conventions, all (N,); False where the costs exceed what there is."""
    after = nav
    if conventions == EXACT:
        after = value_after_fractions(weights, prices, held, commission, spread, nav)
        if not after > NOTHING_LEFT * nav:
            return False
    for i in range(len(trades)):
        trade = weights[i] * after - held[i] if prices[i] > 0.0 else 0.0
        trades[i] = trade if abs(trade) > TRADED * nav else 0.0
    if conventions == EXACT:
        return True
    if conventions == BT:
        return bool(pay_from_each(held, commission, spread, nav, trades))
    pay_in_turn(commission, spread, nav, cash, trades)
    return True


@inlined
def value_after_fractions(
    weights: Floats, prices: Floats, held: Floats, commission: Floats, spread: Floats, nav: float
) -> float:
    """Net asset value after trading to weights; 0 or less where costs, fractions of what is traded, exceed it."""
    after = nav
    for _ in range(NEWTON_STEPS):
        excess, slope = after - nav, 1.0
        for i in range(len(held)):
            weight = weights[i] if prices[i] > 0.0 else 0.0
            trade = weight * after - held[i]
            rate = commission[i] + spread[i]
            excess += rate * abs(trade)
            slope += np.copysign(rate, trade) * weight
        if excess <= ROUNDING * nav:
            return after
        if slope <= 0.0:
            return 0.0
        following = after - excess / slope
        if following >= after:  # Newton only descends here: a rise is rounding
            return after
        after = following
        if after <= 0.0:
            return 0.0
    return after


@inlined
def pay_from_each(held: Floats, commission: Floats, spread: Floats, nav: float, trades: Floats) -> bool:
    """BT: changes trades to those that change cash by as much, costs included; False where a sale cannot raise it."""
    for i in range(len(trades)):
        rate = commission[i] + spread[i]
        closes = abs(trades[i] + held[i]) <= TRADED * nav
        paid = 1.0 if closes else 1.0 + np.copysign(rate, trades[i])
        if trades[i] < 0.0 and paid <= 0.0:
            return False
        trades[i] /= paid
    return True


@compiled
def pay_in_turn(commission: Floats, spread: Floats, nav: float, cash: float, trades: Floats) -> None:
    """VECTORBT: leaves out sales that do not raise their own costs, and cuts purchases that there is no cash for.

    Where only the largest purchase is cut, the order of the others makes no difference.
    """
    outlays, largest = 0.0, 0
    for i in range(len(trades)):
        rate = commission[i] + spread[i]
        if trades[i] >= 0.0:
            outlays += trades[i] + rate * trades[i]
            largest = i if trades[i] >= trades[largest] else largest
        elif rate <= 1.0:
            cash -= trades[i] - rate * trades[i]
        else:
            trades[i] = 0.0
    if outlays <= cash:
        return
    left = cash - (outlays - outlay_of(largest, commission, spread, trades))
    if left >= 0.0:
        cut_to(left, largest, commission, spread, nav, trades)
        return
    for i in np.argsort(trades, kind="mergesort"):  # equal ones in the order of the assets
        if trades[i] > 0.0:
            if outlay_of(i, commission, spread, trades) > cash:
                cut_to(cash, i, commission, spread, nav, trades)
            cash -= outlay_of(i, commission, spread, trades)


@compiled
def outlay_of(i: int, commission: Floats, spread: Floats, trades: Floats) -> float:
    """What a purchase takes of cash."""
    return float(trades[i] + (commission[i] + spread[i]) * trades[i])


@compiled
def cut_to(cash: float, i: int, commission: Floats, spread: Floats, nav: float, trades: Floats) -> None:
    """Cuts a purchase to what cash pays for; a trade that is a rounding error is not made."""
    most = max(cash, 0.0) / (1.0 + commission[i] + spread[i])
    trades[i] = min(trades[i], most) if most > TRADED * nav else 0.0
