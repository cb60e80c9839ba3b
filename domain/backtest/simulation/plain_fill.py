"""The short way of a fill: costs in proportion to what is traded, and every asset with a price tradable in full.

It gives what `fill_generally` does there, but for rounding.
"""

from typing import NamedTuple

import numpy as np

from domain.backtest.simulation.arrays import (
    BT,
    EXACT,
    FILL,
    FIRST_MADE,
    VECTORBT,
    Account,
    Floats,
    Output,
    Positions,
)
from domain.backtest.simulation.compiled import compiled, inlined
from domain.backtest.simulation.fill import CASH_ROUNDING, NOTHING_LEFT
from domain.backtest.simulation.lanes import sum_of_products, two_sums_of_products
from domain.backtest.simulation.trade_costs import NEWTON_STEPS, ROUNDING, TRADED
from domain.backtest.simulation.valuation import copy_to_row


class Scratch(NamedTuple):
    """Room for one fill, made once for many."""

    held: Floats  # (N,), values of the positions before
    moves: Floats  # (2, N), sizes of the trades and the trades, in money
    ones: Floats  # (N,), to make plain sums of sums of products


@compiled
def scratch_for(count: int) -> Scratch:
    """Room for fills of N assets."""
    return Scratch(np.empty(count), np.empty((2, count)), np.ones(count))


@inlined
def fill_plainly(
    t: int,
    conventions: int,
    weights: Floats,
    prices: Floats,
    commission: Floats,
    spread: Floats,
    nav: float,
    account: Account,
    positions: Positions,
    output: Output,
    scratch: Scratch,
) -> bool:
    """Trades to weights (N,) at prices of date t (N,); False where the costs exceed `nav`. Writes a row of holdings.

    `scratch` has the values of the positions.
    """
    units, reference, gains = positions.units, positions.reference, positions.gains
    held, moves, ones = scratch.held, scratch.moves, scratch.ones
    if not find_trades(conventions, weights, prices, held, commission, spread, nav, account.cash, moves):
        return False
    traded, spent = two_sums_of_products(ones, moves, 0)
    paid_commission, paid_spread = sum_of_products(commission, moves, 0), sum_of_products(spread, moves, 0)
    # One array in each loop: of more, a compiler does not see that they are apart, and takes entry by entry.
    for i in range(len(units)):
        gain = units[i] * (prices[i] - reference[i])
        gains[i] += gain if moves[0, i] > 0.0 else 0.0
    for i in range(len(units)):
        reference[i] = prices[i] if moves[0, i] > 0.0 else reference[i]
    for i in range(len(units)):
        changed = (held[i] + moves[1, i]) / prices[i]
        units[i] = changed if moves[0, i] > 0.0 else units[i]
    account.commission += paid_commission
    account.spread += paid_spread
    account.cash -= spent + paid_commission + paid_spread
    total = sum_of_products(ones, weights, 0)
    # Fully invested: what is left of a sum that should be 0.
    if abs(total - 1.0) <= CASH_ROUNDING and abs(account.cash + account.receivable) <= CASH_ROUNDING * nav:
        account.cash = -account.receivable
    account.cash_floor = min(0.0, 1.0 - total)
    if traded > 0.0:
        account.first_purchase = FIRST_MADE
    account.fills += 1
    row = output.written[0]
    copy_to_row(units, output.row_units, row)
    output.row_date[row], output.row_kind[row], output.row_cash[row] = t, FILL, account.cash
    output.row_turnover[row] = 0.5 * traded / nav
    output.row_cost[row] = (paid_commission + paid_spread) / nav
    output.written[0] = row + 1
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
    moves: Floats,
) -> bool:
    """Trades in money to weights by some conventions, all (N,); False where the costs exceed what there is.

    Writes their sizes and the trades to `moves` (2, N).
    """
    after = nav
    if conventions == EXACT:
        after = value_after_fractions(weights, prices, held, commission, spread, nav, moves)
        if not after > NOTHING_LEFT * nav:
            return False
    for i in range(len(weights)):
        trade = weights[i] * after - held[i] if prices[i] > 0.0 else 0.0
        moves[1, i] = trade if abs(trade) > TRADED * nav else 0.0
    if conventions == BT:
        if not pay_from_each(held, commission, spread, nav, moves[1]):
            return False
    elif conventions == VECTORBT:
        pay_in_turn(commission, spread, nav, cash, moves[1])
    for i in range(len(weights)):
        moves[0, i] = abs(moves[1, i])
    return True


@inlined
def value_after_fractions(
    weights: Floats, prices: Floats, held: Floats, commission: Floats, spread: Floats, nav: float, moves: Floats
) -> float:
    """Net asset value after trading to weights; 0 or less where costs, fractions of what is traded, exceed it.

    A step of Newton's is exact where no trade changes its side by it: the slope is then that of the step before.
    `moves` (2, N) takes the sizes of the trades, and the weights with the signs of the trades.
    """
    after, slope_before = nav, np.inf
    for _ in range(NEWTON_STEPS):
        for i in range(len(held)):
            weight = weights[i] if prices[i] > 0.0 else 0.0
            trade = weight * after - held[i]
            moves[0, i] = abs(trade)
            moves[1, i] = weight if trade >= 0.0 else -weight
        of_commission, commission_slope = two_sums_of_products(commission, moves, 0)
        of_spread, spread_slope = two_sums_of_products(spread, moves, 0)
        excess, slope = after - nav + of_commission + of_spread, 1.0 + commission_slope + spread_slope
        if excess <= ROUNDING * nav or slope == slope_before:
            return after
        if slope <= 0.0:
            return 0.0
        following = after - excess / slope
        if following >= after:  # Newton only descends here: a rise is rounding
            return after
        after, slope_before = following, slope
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
