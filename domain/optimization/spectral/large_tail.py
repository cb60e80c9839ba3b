"""CVaR of many scenarios: what is near the tail's border is solved for, all of them prove the answer.

`tail_smoothing` guesses the tail of the best weights and how wide its border is; `tail_interior_point` solves the
program in which all scenarios beyond the border are one linear term. That program is nowhere above the whole one, so
its multipliers prove a bound of it; the scenarios that turn out to be on another side than guessed join the border,
until the value over all scenarios is at the bound. The time grows with the scenarios as that of a few passes over them
does.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.errors import SolverFailed, UnboundedProblem
from domain.optimization.programs.linear import solve_linear
from domain.optimization.programs.program import Program, ProgramSolution
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.spectral.cutting_planes import TOGETHER, TOGETHER_FRACTION, Incumbent
from domain.optimization.spectral.tail_interior_point import BorderProgram, BorderSolution, solve_border
from domain.optimization.spectral.tail_smoothing import TailProgram, enough, guess_tail
from domain.optimization.tolerances import DEFAULT_TOLERANCE, SPECTRAL_VALUE_FLOOR

SOLVER = "interior point"

ROUNDS = 20
"""The most rounds of taking in scenarios that are on another side of the border than guessed."""

SNAPPED = 1e-9
"""A variable this close to a bound that binds, relative to the largest, is put there."""

MISSED = 1e-11
"""A scenario on another side than guessed by less than this part of a typical return is where it was guessed."""

NEXT = 0.25
"""What may follow joins the border too: scenarios up to this part of the furthest missed one away from the level."""

Mask = NDArray[np.bool_]


def minimise_tail(program: TailProgram, start: Vector, control: SolverControl) -> Incumbent | None:
    """The minimiser from any point of the polytope, None where it is not found to the tolerance of `control`.

    Raises SolverTimedOut.
    """
    guess = guess_tail(program, start, control)
    point, level, steps = guess.point, guess.level, 0
    above = program.losses(point) - level
    distance = np.abs(above)
    nearest = float(np.partition(distance, min(enough(len(start)), len(distance)) - 1)[: enough(len(start))].max())
    border = distance <= max(guess.width, nearest)
    tail = (above > 0.0) & ~border
    for _ in range(ROUNDS):
        found = solve_border(_border_program(program, tail, border), point, level, control)
        incumbent = None if found is None else _incumbent(program, found, tail, border, steps + found.steps)
        if found is None or incumbent is None:
            return None
        if _gap(incumbent) <= max(TOGETHER, TOGETHER_FRACTION * control.tolerance):
            return incumbent
        point, level, steps = found.point, found.level, steps + found.steps
        above = program.losses(point) - level
        missed = np.where(border, 0.0, np.where(tail, -above, above))
        furthest = float(missed.max())
        if furthest <= MISSED:
            closer = _with_exact_multipliers(incumbent, control)
            return closer if _gap(closer) <= max(DEFAULT_TOLERANCE, control.tolerance) else None
        border |= (missed > 0.0) | (np.abs(above) <= NEXT * furthest)
        tail &= ~border
    return None


def _gap(found: Incumbent) -> float:
    return (found.value - found.bound) / max(abs(found.value), SPECTRAL_VALUE_FLOOR)


def _with_exact_multipliers(found: Incumbent, control: SolverControl) -> Incumbent:
    """The rounding of an interior point's multipliers, times how far weights reach, can be more than the gap."""
    try:
        vertex = solve_linear(found.tangent, control)
    except (SolverFailed, UnboundedProblem):
        return found
    if vertex is None:
        return found
    closer = replace(found, answer=replace(found.answer, row_multipliers=vertex.row_multipliers))
    return closer if closer.bound > found.bound else found


def _border_program(program: TailProgram, tail: Mask, border: Mask) -> BorderProgram:
    """The scenarios of the tail as one linear term, those on the border as they are, and no others."""
    prices = program.factor * program.prices
    cost = program.linear.copy()
    cost[: program.n_assets] += program.gradient(np.where(tail, prices, 0.0))
    level_cost = program.factor - float(prices[tail].sum())
    return BorderProgram(cost, level_cost, program.returns[border], prices[border], program.polytope)


def _incumbent(program: TailProgram, found: BorderSolution, tail: Mask, border: Mask, steps: int) -> Incumbent | None:
    """The point with the reweighting of all scenarios that proves its bound."""
    reweighting = np.where(tail, program.prices, 0.0)
    reweighting[border] = found.reweighting / program.factor
    gradient = program.gradient(_summing_to_one(reweighting, program.prices))
    cost = program.linear.copy()
    cost[: program.n_assets] += program.factor * gradient
    point = _snapped(found, program)
    value = program.value(point)
    if not (np.isfinite(value) and np.isfinite(cost).all() and np.isfinite(found.row_multipliers).all()):
        return None
    answer = ProgramSolution(point, found.row_multipliers, SOLVER, steps)
    return Incumbent(point, value, Program(None, cost, program.polytope), answer, gradient[None, :], steps)


def _summing_to_one(reweighting: Vector, prices: Vector) -> Vector:
    """What rounding took off the sum is spread over the room that the prices leave, or over what there is."""
    missing = 1.0 - float(reweighting.sum())
    room = prices - reweighting if missing > 0.0 else reweighting
    result: Vector = np.clip(reweighting + missing * room / room.sum(), 0.0, prices)
    return result


def _snapped(found: BorderSolution, program: TailProgram) -> Vector:
    """The point with variables put to the bounds that bind."""
    polytope, point = program.polytope, found.point
    close = SNAPPED * float(np.abs(point).max())
    point = np.where(found.at_lower & (point - polytope.lower <= close), polytope.lower, point)
    result: Vector = np.where(found.at_upper & (polytope.upper - point <= close), polytope.upper, point)
    return result
