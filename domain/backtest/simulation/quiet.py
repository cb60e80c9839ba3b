"""The short way through dates on which nothing happens but planned decisions, their fills, and marks.

`rules.is_quiet` says that there is nothing else: no external flows, corporate actions, accruals, fees, margin or bands,
and fills that `plain_fill` can make. Holdings then change at fills alone, and every date between two of them is a sum.
It gives what `simulate` does there, but for rounding.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.backtest.simulation.accruals import BORROWED
from domain.backtest.simulation.arrays import (
    BEYOND_NUMBERS,
    EXHAUSTED,
    FILL_COSTS_TOO_MUCH,
    FILL_WITHOUT_WEALTH,
    RUNNING,
    Account,
    Floats,
    Integers,
    Output,
    Plan,
    Positions,
)
from domain.backtest.simulation.borrowed import borrowed
from domain.backtest.simulation.compiled import compiled
from domain.backtest.simulation.fill import write_failure
from domain.backtest.simulation.plain_fill import Scratch, fill_plainly, scratch_for
from domain.backtest.simulation.valuation import copy_into, mark_dates, values_at


@compiled
def simulate_quietly(
    first: int,
    last: int,
    marks: Floats,
    commission: Floats,
    spread: Floats,
    plan: Plan,
    delay: int,
    conventions: int,
    accounts: NDArray[Any],
    positions: Positions,
    output: Output,
) -> tuple[int, int]:
    """Simulates dates first to last; returns how it ended and the date on which it did.

    `accounts` (1,) holds the account. Nothing is taken from the interpreter that is not needed: each array takes time.
    """
    scratch = scratch_for(marks.shape[1])
    return simulate_dates(
        first, last, marks, commission, spread, plan, delay, conventions, accounts, positions, output, scratch
    )


@compiled
def simulate_dates(
    first: int,
    last: int,
    marks: Floats,
    commission: Floats,
    spread: Floats,
    plan: Plan,
    delay: int,
    conventions: int,
    accounts: NDArray[Any],
    positions: Positions,
    output: Output,
    scratch: Scratch,
) -> tuple[int, int]:
    """The same with room for its fills, which has to live as long as they do."""
    marks, commission, spread, plan = borrowed(marks), borrowed(commission), borrowed(spread), borrowed(plan)
    accounts, positions, output, scratch = borrowed(accounts), borrowed(positions), borrowed(output), borrowed(scratch)
    account: Account = accounts[0]
    units, navs, made = positions.units, output.nav, plan.made
    t = first
    while t <= last:
        due = date_of_fill(account.next_fill, made, delay)
        if due == t:
            nav = values_at(t, units, marks, scratch.held) + account.cash
            if 0.0 < nav < np.inf:
                weights = plan.targets[plan.row[account.next_fill]]
                if not fill_plainly(
                    t, conventions, weights, marks[t], commission, spread, nav, account, positions, output, scratch
                ):
                    write_failure(t, FILL_COSTS_TOO_MUCH, output)
            elif delay > 0 and nav <= 0.0:  # without delay it is seen before the decision is made
                write_failure(t, FILL_WITHOUT_WEALTH, output)
            account.next_fill += 1
            due = date_of_fill(account.next_fill, made, delay)
        until = min(due - 1, last)
        is_alive = mark_dates(t, until, units, marks, account.cash, navs, t - first)
        if account.first_borrowed < 0 and account.cash < -BORROWED * navs[t - first] < 0.0:
            account.first_borrowed = t
        if not is_alive:
            while 0.0 < navs[t - first] < np.inf:
                t += 1
            account.uncovered_loss = max(0.0 - navs[t - first], 0.0)
            ended = EXHAUSTED if -np.inf < navs[t - first] <= 0.0 else BEYOND_NUMBERS
            close(t, navs[t - first], plan, account, positions)
            return ended, t
        t = until + 1
    close(last, navs[last - first], plan, account, positions)
    return RUNNING, last


@compiled
def date_of_fill(index: int, made: Integers, delay: int) -> int:
    """The date on which a decision is filled; the largest number after the last one."""
    return int(made[index] + delay) if index < len(made) else int(np.iinfo(np.int64).max)


@compiled
def close(t: int, nav: float, plan: Plan, account: Account, positions: Positions) -> None:
    """Writes to the account what it is worth at the close of date t, and what is decided by then."""
    account.nav, account.unit_value = nav, nav / account.opening_nav
    decided = account.next_decision
    while decided < len(plan.made) and plan.made[decided] <= t:
        decided += 1
    if decided > account.next_decision:
        account.next_decision, account.last_decision, account.has_target = decided, plan.made[decided - 1], 1
        copy_into(positions.target, plan.targets, plan.row[decided - 1])
