"""Drift bands: whether a weight has left its band, and where the trade that follows goes.

A breach is a weight farther from its target than the half-width of its band, on weights at the close. Destinations are
weights: the target, part of the way to it, or the edge of the band. To the edge goes, of all trades that leave the sum
of the weights as it is and put every weight inside its band, the one with the least sum of absolute trades, and of
these the one with the least sum of squares: all assets that have to give way move by the same amount, as far as their
bands allow (a water level). Where the sum cannot be kept, cash takes the remainder. Where cash has left its own band,
the sum changes by what brings cash to its destination, and the assets inside their bands give it or take it.
"""

import numpy as np

from domain.backtest.simulation.arrays import (
    ANY_BREACH,
    COST_BENEFIT,
    TO_EDGE,
    TO_FRACTION,
    Bands,
    Costs,
    Flags,
    Floats,
)
from domain.backtest.simulation.compiled import compiled, inlined
from domain.backtest.simulation.trade_costs import TRADED, cost_to

BREACH = 1e-12
"""A weight that is farther than this outside its band is a breach."""

LEVEL_STEPS = 200

BLOCK = 128
"""Assets that are held against their bands at once: a processor compares several where nothing ends the loop."""


@compiled
def half_width(target: float, absolute: float, relative: float) -> float:
    """Half of the width of a band: the tighter of the absolute and the relative one."""
    return absolute if np.isinf(relative) else min(absolute, relative * abs(target))


@compiled
def breaches_of(weights: Floats, target: Floats, movable: Flags, bands: Bands) -> Flags:
    """Which assets have left their band, (N,); those that cannot be traded never have.

    The assets of a group whose sum has left its band count as breached, all of them.
    """
    count = len(weights)
    breached = np.zeros(count, np.bool_)
    for i in range(count):
        width = half_width(target[i], bands.absolute[i], bands.relative[i])
        breached[i] = movable[i] and abs(weights[i] - target[i]) > width + BREACH
    for g in range(len(bands.group_absolute)):
        weight, wanted = 0.0, 0.0
        for i in range(count):
            if bands.group_members[g, i]:
                weight += weights[i]
                wanted += target[i]
        if abs(weight - wanted) > half_width(wanted, bands.group_absolute[g], bands.group_relative[g]) + BREACH:
            for i in range(count):
                if bands.group_members[g, i] and movable[i]:
                    breached[i] = True
    return breached


@compiled
def cash_has_left(weights: Floats, target: Floats, bands: Bands) -> bool:
    """Whether the weight of cash has left its band; it has one where it has a target."""
    wanted = 1.0 - target.sum()
    if abs(wanted) <= BREACH:
        return False
    width = half_width(wanted, bands.cash_absolute, bands.cash_relative)
    has_left: bool = abs((1.0 - weights.sum()) - wanted) > width + BREACH
    return has_left


@compiled
def has_limits(bands: Bands) -> bool:
    """Whether each weight has limits of its own, between which it calls for no trade."""
    return bands.is_on and bands.trigger == ANY_BREACH and len(bands.group_absolute) == 0


@compiled
def write_limits(target: Floats, bands: Bands, lower: Floats, upper: Floats) -> tuple[float, float]:
    """Writes the weights at both ends of the band of each asset, (N,), and returns those of cash."""
    for i in range(len(target)):
        width = half_width(target[i], bands.absolute[i], bands.relative[i])
        lower[i], upper[i] = target[i] - width, target[i] + width
    wanted = 1.0 - target.sum()
    if abs(wanted) <= BREACH:
        return -np.inf, np.inf
    width = half_width(wanted, bands.cash_absolute, bands.cash_relative)
    return wanted - width, wanted + width


@inlined
def are_inside(
    t: int,
    units: Floats,
    prices: Floats,
    nav: float,
    cash: float,
    lower: Floats,
    upper: Floats,
    cash_limits: tuple[float, float],
) -> bool:
    """Whether positions at prices of date t (T, N) and cash, in money, are within limits of weights (N,).

    Then there is no breach, whose tolerance is much more than rounding. Otherwise `is_breached` decides.
    """
    if not cash_limits[0] * nav <= cash <= cash_limits[1] * nav:
        return False
    count = len(units)
    for first in range(0, count, BLOCK):
        outside = 0
        for i in range(first, min(first + BLOCK, count)):
            value = units[i] * prices[t, i]
            outside += (value < lower[i] * nav) | (value > upper[i] * nav)
        if outside > 0:
            return False
    return True


@compiled
def rise_of_sum(weights: Floats, target: Floats, bands: Bands) -> float:
    """By how much the sum of the weights has to rise to bring cash to its destination; 0 while it is in its band."""
    if not cash_has_left(weights, target, bands):
        return 0.0
    now, wanted = 1.0 - weights.sum(), 1.0 - target.sum()
    if bands.destination == TO_EDGE:
        width = half_width(wanted, bands.cash_absolute, bands.cash_relative)
        return float(now - min(max(now, wanted - width), wanted + width))
    if bands.destination == TO_FRACTION:
        return float(bands.fraction * (now - wanted))
    return float(now - wanted)


@compiled
def is_breached(weights: Floats, target: Floats, movable: Flags, bands: Bands) -> bool:
    """Whether a weight of an asset, a group or cash has left its band."""
    for i in range(len(weights)):
        width = half_width(target[i], bands.absolute[i], bands.relative[i])
        if movable[i] and abs(weights[i] - target[i]) > width + BREACH:
            return True
    if len(bands.group_absolute) > 0 and breaches_of(weights, target, movable, bands).any():
        return True
    return cash_has_left(weights, target, bands)


@compiled
def destination_of(weights: Floats, target: Floats, movable: Flags, bands: Bands) -> Floats:
    """Weights that a trade by the band goes to, (N,)."""
    if bands.destination == TO_EDGE:
        return _to_edge(weights, target, movable, bands)
    goal = target.copy()
    if bands.destination == TO_FRACTION:
        goal = weights + bands.fraction * (target - weights)
    for i in range(len(goal)):
        if not movable[i]:
            goal[i] = weights[i]
    if not bands.only_breached:
        return goal
    return _of_breached(weights, goal, target, movable, bands)


@compiled
def _to_edge(weights: Floats, target: Floats, movable: Flags, bands: Bands) -> Floats:
    count = len(weights)
    lower, upper = np.empty(count), np.empty(count)
    goal = weights.copy()
    for i in range(count):
        width = half_width(target[i], bands.absolute[i], bands.relative[i])
        lower[i], upper[i] = (target[i] - width, target[i] + width) if movable[i] else (weights[i], weights[i])
        goal[i] = min(max(weights[i], lower[i]), upper[i])
    return _balanced(weights, goal, lower, upper, rise_of_sum(weights, target, bands))


@compiled
def _of_breached(weights: Floats, wanted: Floats, target: Floats, movable: Flags, bands: Bands) -> Floats:
    """Breached assets at their destination, the others inside their bands with as little traded as the sum needs."""
    count = len(weights)
    breached = breaches_of(weights, target, movable, bands)
    lower, upper = np.empty(count), np.empty(count)
    goal = weights.copy()
    for i in range(count):
        width = half_width(target[i], bands.absolute[i], bands.relative[i])
        if breached[i]:
            goal[i] = lower[i] = upper[i] = wanted[i]
        elif movable[i]:
            lower[i], upper[i] = target[i] - width, target[i] + width
        else:
            lower[i] = upper[i] = weights[i]
    return _balanced(weights, goal, lower, upper, rise_of_sum(weights, target, bands))


@compiled
def _balanced(weights: Floats, goal: Floats, lower: Floats, upper: Floats, rise: float) -> Floats:
    """The goal (N,) with the sum of the weights risen by `rise`: what it sold is bought, or the reverse, evenly.

    Trades in the direction that is missing are raised to one level, each within lower and upper (N,).
    """
    missing = weights.sum() + rise - goal.sum()
    if abs(missing) <= 1e-16:
        return goal
    sign = 1.0 if missing > 0.0 else -1.0
    count = len(weights)
    # In the direction that is missing: how far each has moved already, and how far it may.
    least, most = np.empty(count), np.empty(count)
    room, highest = 0.0, 0.0
    for i in range(count):
        least[i] = sign * (goal[i] - weights[i])
        most[i] = max(sign * ((upper[i] if missing > 0.0 else lower[i]) - weights[i]), least[i])
        if least[i] < 0.0:  # moved the other way: moving it back would only undo a trade
            most[i] = least[i]
        most[i] = min(most[i], least[i] + abs(missing))  # none moves by more; without a band there is no other limit
        room += most[i] - least[i]
        highest = max(highest, most[i])
    if room <= abs(missing):
        return weights + sign * most
    level = _level(least, most, abs(missing), highest)
    for i in range(count):
        if most[i] > least[i]:
            goal[i] = weights[i] + sign * min(max(level, least[i]), most[i])
    return goal


@compiled
def _level(least: Floats, most: Floats, amount: float, highest: float) -> float:
    """The level L with sum(clip(L, least, most) - least) = amount."""
    low, high = 0.0, highest
    for _ in range(LEVEL_STEPS):
        middle = 0.5 * (low + high)
        if middle <= low or middle >= high:
            break
        if _raised(least, most, middle) < amount:
            low = middle
        else:
            high = middle
    # Between two kinks the sum is linear: one exact step.
    moving, fixed = 0, 0.0
    for i in range(len(least)):
        if least[i] < high <= most[i] and most[i] > least[i]:
            moving += 1
            fixed -= least[i]
        elif most[i] > least[i] and high > most[i]:
            fixed += most[i] - least[i]
    return (amount - fixed) / moving if moving > 0 else high


@compiled
def _raised(least: Floats, most: Floats, level: float) -> float:
    total = 0.0
    for i in range(len(least)):
        if most[i] > least[i]:
            total += min(max(level, least[i]), most[i]) - least[i]
    return total


@compiled
def tracking_variance(weights: Floats, target: Floats, returns: Floats) -> float:
    """Sample variance of the return by which weights differ from the target, over past returns (K, N)."""
    rows = len(returns)
    if rows < 2:
        return 0.0
    deviations = returns @ (weights - target)
    mean = deviations.sum() / rows
    variance: float = ((deviations - mean) ** 2).sum() / (rows - 1)
    return variance


@compiled
def benefit_and_cost(
    before: Floats,
    after: Floats,
    target: Floats,
    returns: Floats,
    held: Floats,
    prices: Floats,
    movable: Flags,
    nav: float,
    costs: Costs,
    bands: Bands,
) -> tuple[float, float]:
    """Half the aversion times the fall of tracking variance a year, and the cost over the horizon, of a trade."""
    fall = tracking_variance(before, target, returns) - tracking_variance(after, target, returns)
    benefit = 0.5 * bands.risk_aversion * fall * bands.periods_per_year
    cost = cost_to(after, held, prices, movable, costs, nav, nav) / nav
    return benefit, cost / bands.horizon_years


@compiled
def has_trigger(
    weights: Floats,
    target: Floats,
    returns: Floats,
    held: Floats,
    prices: Floats,
    movable: Flags,
    nav: float,
    costs: Costs,
    bands: Bands,
) -> bool:
    """Whether the weights (N,) call for a trade."""
    if bands.trigger == ANY_BREACH:
        return is_breached(weights, target, movable, bands)
    if bands.trigger == COST_BENEFIT and bands.by_program:
        return is_breached(weights, target, movable, bands)  # the cost is weighed once it is known
    if bands.trigger == COST_BENEFIT:
        goal = destination_of(weights, target, movable, bands)
        if np.abs(goal - weights).max() <= TRADED:
            return False
        benefit, cost = benefit_and_cost(weights, goal, target, returns, held, prices, movable, nav, costs, bands)
        return benefit > cost
    return tracking_variance(weights, target, returns) > bands.most_tracking_variance
