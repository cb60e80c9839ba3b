"""What cuts trades: limits of turnover and participation, whole units, and the cash that has to pay for them."""

import numpy as np

from domain.backtest.simulation.arrays import Account, Costs, Floats, Positions, Rules
from domain.backtest.simulation.compiled import compiled
from domain.backtest.simulation.trade_costs import TRADED, cost_of

BISECTIONS = 100


@compiled
def limit_turnover(trades: Floats, halted: Floats, nav: float, limit: float) -> bool:
    """Scales all trades so that one-way turnover is within the limit; the rest waits for the next rebalancing.

    `halted` (N,) are the trades that are carried over a halt, NaN for none: they count, and are scaled alike.
    Says whether it had to.
    """
    turnover = 0.0
    for i in range(len(trades)):
        turnover += 0.5 * abs(trades[i]) / nav
        if not np.isnan(halted[i]):
            turnover += 0.5 * abs(halted[i]) / nav
    if turnover <= limit:
        return False
    for i in range(len(trades)):
        trades[i] *= limit / turnover
        halted[i] *= limit / turnover
    return True


@compiled
def most_traded_on(t: int, rules: Rules) -> Floats:
    """Money for which each asset may be traded on date t, (N,)."""
    most: Floats = rules.most_traded[min(t, len(rules.most_traded) - 1)]
    return most


@compiled
def limit_participation(
    t: int, trades: Floats, rest: Floats, account: Account, positions: Positions, rules: Rules
) -> None:
    """Cuts each trade to what may be traded on date t; the `rest` (N,) is carried to the dates that follow."""
    most = most_traded_on(t, rules)
    for i in range(len(trades)):
        if abs(trades[i]) > most[i]:
            trades[i] = most[i] if trades[i] > 0.0 else -most[i]
            positions.carried[i] = rest[i]
            account.carried += 1


@compiled
def whole_units_of(units: float) -> float:
    """Rounded towards zero; a hair below a whole number is a rounding error of the division."""
    return float(np.trunc(units * (1.0 + 1e-12)))


@compiled
def leave_what_costs_move(trades: Floats, weights: Floats, held: Floats, nav: float) -> None:
    """Takes out trades (N,) that are wanted only because costs reduce the net asset value.

    A position that is at its weight, or on the other side of it, before any cost would lose a whole unit to rounding.
    """
    for i in range(len(trades)):
        wanted = weights[i] * nav - held[i]
        if trades[i] * wanted < 0.0 or abs(wanted) <= TRADED * nav:
            trades[i] = 0.0


@compiled
def round_to_units(trades: Floats, prices: Floats, positions: Positions) -> None:
    """Rounds positions towards zero to whole units."""
    for i in range(len(trades)):
        if trades[i] != 0.0:
            whole = whole_units_of(positions.units[i] + trades[i] / prices[i])
            trades[i] = (whole - positions.units[i]) * prices[i]


@compiled
def keep_cash(
    trades: Floats,
    prices: Floats,
    cash: float,
    least_cash: float,
    nav: float,
    is_free: bool,
    costs: Costs,
    rules: Rules,
) -> bool:
    """Scales purchases down alike where they would leave less cash than the least; says whether it had to."""
    available, wanted = cash - least_cash, 0.0
    for i in range(len(trades)):
        cost = 0.0 if is_free else cost_of(costs, i, abs(trades[i]), prices[i])
        if trades[i] > 0.0:
            wanted += trades[i] + cost
        else:
            available -= trades[i] + cost
    if wanted <= available + TRADED * nav:
        return False
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
    return True
