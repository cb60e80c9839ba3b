"""Splits, dividends, their payments, and delistings of one date."""

import numpy as np

from domain.backtest.simulation.arrays import (
    ASSET_EVENT,
    DELISTING,
    DIVIDEND,
    SPLIT,
    Account,
    Actions,
    Output,
    Positions,
    Prices,
    Rules,
)
from domain.backtest.simulation.compiled import compiled
from domain.backtest.simulation.valuation import copy_to_row


@compiled
def apply_splits_and_dividends(
    t: int, prices: Prices, actions: Actions, account: Account, positions: Positions, rules: Rules, output: Output
) -> None:
    """Splits of date t, then dividends whose ex-date it is: entitled are the units held at the close before."""
    rows = output.written[1]
    while account.next_action < len(actions.date) and actions.date[account.next_action] == t:
        event = account.next_action
        if actions.kind[event] == DELISTING:
            break
        if actions.kind[event] == SPLIT:
            _split(t, event, prices, actions, account, positions, rules, output)
        else:
            _dividend(t, event, actions, account, positions, output)
        account.next_action += 1
    if output.written[1] > rows:
        write_holdings(t, account, positions, output)


@compiled
def pay_dividends(
    t: int, prices: Prices, actions: Actions, account: Account, positions: Positions, rules: Rules, output: Output
) -> None:
    """Dividends whose pay date is t become cash, or more of the asset where they are reinvested, held and traded.

    They are reinvested at the price at which orders of the date are filled: nothing may use the close before an open.
    A position that is no longer long takes none.
    """
    bought = False
    while account.next_payment < len(actions.payment_order):
        event = actions.payment_order[account.next_payment]
        if actions.kind[event] != DIVIDEND:
            account.next_payment += 1
            continue
        if actions.pay_date[event] > t or actions.date[event] > t:
            break
        amount = positions.owed[event]
        positions.owed[event] = 0.0
        account.receivable -= amount
        account.cash += amount
        account.next_payment += 1
        asset = actions.asset[event]
        price = prices.fills[t, asset]
        can_buy = price > 0.0 and (len(prices.tradable) == 0 or prices.tradable[t, asset])
        if actions.reinvests and amount > 0.0 and can_buy and positions.units[asset] > 0.0:
            _gain_until_now(asset, price, positions)
            more = np.trunc(amount / price * (1.0 + 1e-12)) if rules.whole_units else amount / price
            positions.units[asset] += more
            account.cash -= more * price
            bought = True
    if account.next_payment == len(actions.payment_order):
        account.receivable = 0.0
    if bought:
        write_holdings(t, account, positions, output)


@compiled
def apply_delistings(
    t: int, is_open: bool, prices: Prices, actions: Actions, account: Account, positions: Positions, output: Output
) -> None:
    """Positions in assets whose delisting takes effect on date t become cash.

    At the open of a date those wait that have a price on it: what they are paid depends on its close.
    """
    rows = output.written[1]
    event = account.next_action
    while event < len(actions.date) and actions.date[event] == t:
        asset = actions.asset[event]
        if is_open and prices.fills[t, asset] > 0.0:
            event += 1
            continue
        units = positions.units[asset]
        if units != 0.0:
            received = units * actions.amount[event]
            _gain_until_now(asset, actions.amount[event], positions)
            positions.units[asset] = 0.0
            account.cash += received
            write_event(t, asset, DELISTING, units, 0.0, received, output)
        if not np.isnan(positions.carried[asset]):
            positions.carried[asset] = np.nan
            account.carried -= 1
        event += 1
    if not is_open:
        account.next_action = event
    if output.written[1] > rows:
        write_holdings(t, account, positions, output)


@compiled
def _split(
    t: int,
    event: int,
    prices: Prices,
    actions: Actions,
    account: Account,
    positions: Positions,
    rules: Rules,
    output: Output,
) -> None:
    asset, ratio = actions.asset[event], actions.amount[event]
    units = positions.units[asset]
    after = units * ratio
    # The gain so far is in money; from here on it is counted per unit after the split.
    positions.reference[asset] /= ratio
    if units == 0.0:
        return
    cash = 0.0
    if rules.whole_units:
        whole = np.trunc(after * (1.0 + 1e-12))
        price = prices.fills[t, asset]
        _gain_of(asset, after - whole, price, positions)
        cash = (after - whole) * price
        after = whole
    positions.units[asset] = after
    account.cash += cash
    write_event(t, asset, SPLIT, units, after, cash, output)


@compiled
def _dividend(t: int, event: int, actions: Actions, account: Account, positions: Positions, output: Output) -> None:
    """A receivable until the pay date; who is short owes the whole dividend."""
    asset = actions.asset[event]
    units = positions.units[asset]
    gross = units * actions.amount[event]
    if gross == 0.0:
        return
    withheld = max(gross, 0.0) * actions.withholding_rate
    account.dividends += gross
    account.withholding += withheld
    account.holding_cost_fractions += withheld / account.nav
    positions.owed[event] = gross - withheld
    account.receivable += gross - withheld
    write_event(t, asset, DIVIDEND, units, units, gross - withheld, output)


@compiled
def _gain_until_now(asset: int, price: float, positions: Positions) -> None:
    """Books the gain of a position until now, whose units are about to change."""
    positions.gains[asset] += positions.units[asset] * (price - positions.reference[asset])
    positions.reference[asset] = price


@compiled
def _gain_of(asset: int, units: float, price: float, positions: Positions) -> None:
    """Books the gain of some of the units of a position, which are sold."""
    positions.gains[asset] += units * (price - positions.reference[asset])


@compiled
def write_event(t: int, asset: int, kind: int, before: float, after: float, cash: float, output: Output) -> None:
    """Writes what an event did to a position."""
    row = output.written[1]
    output.event[row, 0], output.event[row, 1], output.event[row, 2] = t, asset, kind
    output.event[row, 3], output.event[row, 4], output.event[row, 5] = before, after, cash
    output.written[1] = row + 1


@compiled
def write_holdings(t: int, account: Account, positions: Positions, output: Output) -> None:
    """Writes holdings that an event has changed."""
    row = output.written[0]
    output.row_date[row], output.row_kind[row] = t, ASSET_EVENT
    copy_to_row(positions.units, output.row_units, row)
    output.row_cash[row] = account.cash
    output.row_cost[row] = 0.0
    output.row_turnover[row] = 0.0
    output.written[0] = row + 1
