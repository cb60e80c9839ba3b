"""Farkas certificates: which linear limits a proof of infeasibility needs.

The least t by which all rows have to be widened is above 0 where they conflict, and the multipliers of that program are
a certificate (Farkas 1902): the rows in proportion to them add up to what no weights within the bounds can be. At a
vertex no more rows have multipliers than there are variables.
"""

import numpy as np

from domain.checks import Vector
from domain.errors import SolverFailed, UnboundedProblem
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.polytope import Polytope
from domain.optimization.programs.duality import bound_multipliers
from domain.optimization.programs.linear import solve_linear
from domain.optimization.programs.program import Program

NEEDED = 1e-9
"""A multiplier of less than this part of the largest one is none."""

FEASIBLE = 1e-10
"""Rows that have to be widened by less than this do not conflict."""


def conflicting_labels(limits: FeasibleSet) -> set[str]:
    """Labels of linear limits that conflict by themselves, empty where there are none or no proof was found."""
    polytope = limits.polytope()
    crossed = np.flatnonzero(polytope.lower > polytope.upper)
    if len(crossed):
        i = int(crossed[0])
        return {_bound_label(limits, i, lower=True), _bound_label(limits, i, lower=False)}
    scale = np.maximum(np.abs(polytope.matrix).max(axis=1, initial=0.0), 1e-300)
    below, above = np.isfinite(polytope.row_lower), np.isfinite(polytope.row_upper)
    rows = np.concatenate([np.flatnonzero(below), np.flatnonzero(above)])
    if not len(rows):
        return set()
    widening = np.concatenate([np.ones(int(below.sum())), -np.ones(int(above.sum()))])
    open_ends = np.full(len(rows), np.inf)
    ends = np.concatenate([polytope.row_lower[below], polytope.row_upper[above]]) / scale[rows]
    elastic = Polytope(
        np.column_stack([polytope.matrix[rows] / scale[rows, None], widening]),
        np.where(widening > 0.0, ends, -open_ends),
        np.where(widening > 0.0, open_ends, ends),
        np.append(polytope.lower, 0.0),
        np.append(polytope.upper, np.inf),
    )
    program = Program(None, np.append(np.zeros(len(polytope.lower)), 1.0), elastic)
    try:
        answer = solve_linear(program)
    except (SolverFailed, UnboundedProblem):
        return set()
    if answer is None or answer.point[-1] <= FEASIBLE:
        return set()
    magnitudes = np.abs(answer.row_multipliers)
    used = np.unique(rows[magnitudes > NEEDED * magnitudes.max()])
    reduced = bound_multipliers(program, answer)[: limits.n_assets]
    return {*_row_labels(limits, used), *_bound_labels(limits, reduced, float(magnitudes.max()))}


def _row_labels(limits: FeasibleSet, used: Vector) -> set[str]:
    """Labels of rows of the polytope, in the order in which `FeasibleSet.polytope` has them."""
    labels = [row.label for row in limits.rows]
    for one in limits.absolute_sums:
        labels += [one.label] * ((1 if one.shorts else 2) * limits.n_assets + 1)
    return {labels[int(i)] for i in used}


def _bound_labels(limits: FeasibleSet, reduced: Vector, largest: float) -> set[str]:
    used_bounds = np.flatnonzero(np.abs(reduced) > NEEDED * largest)
    return {_bound_label(limits, int(i), lower=bool(reduced[i] < 0.0)) for i in used_bounds}


def _bound_label(limits: FeasibleSet, i: int, *, lower: bool) -> str:
    """The label of the tightest bound of a weight."""
    if lower:
        return max(limits.boxes, key=lambda box: float(box.lower[i])).label
    return min(limits.boxes, key=lambda box: float(box.upper[i])).label
