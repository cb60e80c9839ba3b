"""Simulates accounts that differ in proportional costs alone together, in the short way of `quiet`.

Each of them goes through some dates before any goes on to the next ones, so that the prices of these dates are read
from memory once for all. Where dates are cut makes no difference to an account: it has the bits that it has alone.
"""

from typing import Any

from numpy.typing import NDArray

from domain.backtest.simulation.arrays import RUNNING, Floats, Integers, Output, Plan, Positions
from domain.backtest.simulation.borrowed import borrowed
from domain.backtest.simulation.compiled import compiled
from domain.backtest.simulation.plain_fill import Scratch, scratch_for
from domain.backtest.simulation.quiet import simulate_dates


@compiled
def simulate_together(
    first: int,
    last: int,
    step: int,
    marks: Floats,
    commission: Floats,
    spread: Floats,
    plan: Plan,
    delay: int,
    conventions: int,
    accounts: NDArray[Any],
    positions: Positions,
    output: Output,
    ended: Integers,
) -> None:
    """Simulates dates first to last, `step` of them at a time; writes how each account ended, and when, to `ended`.

    `accounts` (B,), rates (B, N), `ended` (B, 2), and what differs between accounts in `positions` and `output` have a
    row for each: units, reference, gains and target; net asset values, costs and turnovers of fills, and what is
    written. The rest is room that all use in turn.
    """
    scratch = scratch_for(marks.shape[1])
    _simulate(
        first,
        last,
        step,
        marks,
        commission,
        spread,
        plan,
        delay,
        conventions,
        accounts,
        positions,
        output,
        ended,
        scratch,
    )


@compiled
def _simulate(
    first: int,
    last: int,
    step: int,
    marks: Floats,
    commission: Floats,
    spread: Floats,
    plan: Plan,
    delay: int,
    conventions: int,
    accounts: NDArray[Any],
    positions: Positions,
    output: Output,
    ended: Integers,
    scratch: Scratch,
) -> None:
    """The same with room for fills, which has to live as long as they do."""
    marks, commission, spread, plan = borrowed(marks), borrowed(commission), borrowed(spread), borrowed(plan)
    accounts, positions, output, scratch = borrowed(accounts), borrowed(positions), borrowed(output), borrowed(scratch)
    for start in range(first, last + 1, step):
        until = min(start + step - 1, last)
        for k in range(len(accounts)):
            if ended[k, 0] != RUNNING:
                continue
            ended[k, 0], ended[k, 1] = simulate_dates(
                start,
                until,
                marks,
                commission[k],
                spread[k],
                plan,
                delay,
                conventions,
                accounts[k : k + 1],
                positions_of(k, positions),
                output_of(k, start - first, output),
                scratch,
            )


@compiled
def positions_of(k: int, positions: Positions) -> Positions:
    """The positions of one account."""
    return Positions(
        positions.units[k],
        positions.reference[k],
        positions.gains[k],
        positions.owed,
        positions.target[k],
        positions.band_target,
        positions.carried,
        positions.dropped,
    )


@compiled
def output_of(k: int, date: int, output: Output) -> Output:
    """What one account writes from a date on, counted from the first."""
    return Output(
        output.nav[k, date:],
        output.flow_start,
        output.flow_end,
        output.row_date,
        output.row_kind,
        output.row_units,
        output.row_cash,
        output.row_cost[k],
        output.row_turnover[k],
        output.event,
        output.failure,
        output.written[k],
    )
