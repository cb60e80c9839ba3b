"""Which limits bind at a program's answer, from its multipliers, and their shadow prices."""

import numpy as np

from domain.checks import Vector
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.polytope import Polytope
from domain.optimization.programs.duality import bound_multipliers, relative_gap
from domain.optimization.programs.program import Program, ProgramSolution
from domain.optimization.programs.rounding import round_to_zero
from domain.optimization.programs.solver_info import solver_version
from domain.optimization.solution import Binding, BoundSide, Candidate, Engine
from domain.optimization.tolerances import BINDING_DISTANCE, BINDING_MULTIPLIER


def candidate_of(program: Program, answer: ProgramSolution, limits: FeasibleSet, unit: float) -> Candidate:
    """Weights with their proof; `unit` is one unit of the scaled objective in the objective's own unit."""
    box_multipliers = bound_multipliers(program, answer)
    return Candidate(
        weights=round_to_zero(answer.point[: limits.n_assets]),
        engine=Engine.FAST,
        solver=answer.solver,
        solver_version=solver_version(answer.solver),
        iterations=answer.iterations,
        relative_gap=relative_gap(program, answer),
        dual_residual=_dual_residual(program, answer, box_multipliers),
        binding=binding_limits(answer, box_multipliers, limits, unit),
    )


def binding_limits(
    answer: ProgramSolution, box_multipliers: Vector, limits: FeasibleSet, unit: float
) -> tuple[Binding, ...]:
    """Limits that bind, with their shadow prices; `box_multipliers` are those of the bounds, (n,)."""
    found = row_bindings(answer.row_multipliers, limits, unit)
    return (*found, *box_bindings(answer.point[: limits.n_assets], box_multipliers[: limits.n_assets], limits, unit))


def row_bindings(multipliers: Vector, limits: FeasibleSet, unit: float) -> list[Binding]:
    """Of rows and of sums of absolute values, from the multipliers of the polytope's rows."""
    found: list[Binding] = []
    rows = limits.rows
    for row, multiplier in zip(rows, multipliers.tolist(), strict=False):
        if abs(multiplier) > BINDING_MULTIPLIER:
            side = BoundSide.UPPER if multiplier > 0 else BoundSide.LOWER
            found.append(Binding(row.label, None, side, abs(multiplier) * unit))
    index = len(rows)
    for one in limits.absolute_sums:
        index += limits.n_assets if one.shorts else 2 * limits.n_assets
        multiplier = float(multipliers[index])
        if multiplier > BINDING_MULTIPLIER:
            found.append(Binding(one.label, None, BoundSide.UPPER, multiplier * unit * one.factor))
        index += 1
    return found


def box_bindings(weights: Vector, box_multipliers: Vector, limits: FeasibleSet, unit: float) -> list[Binding]:
    """Of bounds on single weights, from their multipliers (N,)."""
    sizes = np.abs(box_multipliers)
    up = box_multipliers > 0.0
    ends = np.where(up, limits.upper, limits.lower)
    # A multiplier away from its end is an interior point's rounding; from one that is not there, so much the more.
    binds = (sizes > BINDING_MULTIPLIER) & (
        np.abs(weights - ends) <= BINDING_DISTANCE * np.maximum(1.0, np.abs(weights))
    )
    found: list[Binding] = []
    for box in limits.boxes:
        own = binds & (np.where(up, box.upper, box.lower) == ends)
        indices = own.nonzero()[0]
        if not len(indices):
            continue
        binds = binds & ~own  # two labels with the same end: the first has it
        for i, upper, size in zip(
            indices.tolist(), up[indices].tolist(), (sizes[indices] * unit).tolist(), strict=True
        ):
            side = BoundSide.UPPER if upper else BoundSide.LOWER
            found.append(Binding(box.label, limits.symbols[i], side, size))
    return found


def _dual_residual(program: Program, answer: ProgramSolution, box_multipliers: Vector) -> float:
    """The largest multiplier of a bound that is not there or is not reached, relative to the gradient."""
    polytope: Polytope = program.polytope
    room = np.where(box_multipliers > 0, polytope.upper - answer.point, answer.point - polytope.lower)
    loose = np.abs(box_multipliers) * np.minimum(room, 1.0)
    return float(loose.max(initial=0.0)) / max(1.0, float(np.abs(program.gradient(answer.point)).max()))
