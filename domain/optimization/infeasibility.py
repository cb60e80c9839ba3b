"""Why there are no weights: a smallest set of labels that cannot hold together, and what relaxing each would take.

The set is found by a deletion filter (Chinneck & Dravnieks 1991): drop each label in turn, and keep it dropped if the
rest is still infeasible. What remains is irreducible: without any one of its labels the others can be met.
"""

from dataclasses import replace

import numpy as np

from domain.checks import Vector
from domain.errors import InfeasibleProblem
from domain.optimization.fast.linear import solve_linear
from domain.optimization.fast.program import Program
from domain.optimization.feasible import AbsoluteSum, Box, FeasibleSet, Limit, Polytope, Row

NEGLIGIBLE_RELAXATION = 1e-9


def is_feasible(limits: FeasibleSet) -> bool:
    """Whether any weights keep all limits."""
    polytope = limits.polytope()
    if (polytope.lower > polytope.upper).any():
        return False
    return solve_linear(Program(None, np.zeros(len(polytope.lower)), polytope)) is not None


def conflict(limits: FeasibleSet) -> InfeasibleProblem:
    """The error that explains a set of limits which is known to be infeasible."""
    labels = list(limits.labels)
    for label in limits.labels:
        rest = [other for other in labels if other != label]
        if not is_feasible(limits.only(rest)):
            labels = rest
    relaxations = {label: smallest_relaxation(limits, label) for label in labels}
    return InfeasibleProblem(labels, {label: size for label, size in relaxations.items() if size is not None})


def smallest_relaxation(limits: FeasibleSet, label: str) -> float | None:
    """The least t such that widening every limit of one label by t makes the set feasible, in the limit's own unit.

    None where no t is enough.
    """
    own = [limit for limit in limits.limits if limit.label == label]
    # Sums of absolute values keep their auxiliary variables but lose their maximum, which comes back as a row with t.
    opened: list[Limit] = [limit for limit in limits.limits if limit.label != label]
    opened += [replace(limit, maximum=np.inf) for limit in own if isinstance(limit, AbsoluteSum)]
    rest = FeasibleSet(limits.symbols, tuple(opened))
    polytope = rest.polytope()
    if (polytope.lower > polytope.upper).any():
        return None
    widened = _with_slack(polytope, _rows(own, rest, polytope.matrix.shape[1]))
    cost = np.zeros(len(widened.lower))
    cost[-1] = 1.0
    answer = solve_linear(Program(None, cost, widened))
    return None if answer is None else max(float(answer.point[-1]), NEGLIGIBLE_RELAXATION)


def _rows(own: list[Limit], rest: FeasibleSet, columns: int) -> list[tuple[Vector, float, float]]:
    """The limits of the label as rows over the columns of the polytope: coefficients, lower, upper."""
    rows: list[tuple[Vector, float, float]] = []
    sums = rest.absolute_sums
    opened = iter(k for k, one in enumerate(sums) if np.isinf(one.maximum))
    for limit in own:
        match limit:
            case Row():
                rows.append((_padded(limit.coefficients, columns), limit.lower, limit.upper))
            case Box():
                for i in np.flatnonzero(np.isfinite(limit.lower) | np.isfinite(limit.upper)):
                    unit = np.zeros(columns)
                    unit[i] = 1.0
                    rows.append((unit, float(limit.lower[i]), float(limit.upper[i])))
            case AbsoluteSum():
                start = rest.size * (next(opened) + 1)
                total = np.zeros(columns)
                total[start : start + rest.size] = 1.0
                rows.append((total, -np.inf, limit.maximum))
    return rows


def _with_slack(polytope: Polytope, rows: list[tuple[Vector, float, float]]) -> Polytope:
    """The polytope with one more variable t >= 0 that widens the given rows at both ends."""
    count, columns = polytope.matrix.shape
    widened = [np.append(coefficients, sign) for coefficients, _, _ in rows for sign in (1.0, -1.0)]
    lower = [end for _, low, _ in rows for end in (low, -np.inf)]
    upper = [end for _, _, high in rows for end in (np.inf, high)]
    matrix = np.vstack([np.hstack([polytope.matrix, np.zeros((count, 1))]), *widened])
    return Polytope(
        matrix.reshape(-1, columns + 1),
        np.concatenate([polytope.row_lower, lower]),
        np.concatenate([polytope.row_upper, upper]),
        np.append(polytope.lower, 0.0),
        np.append(polytope.upper, np.inf),
    )


def _padded(coefficients: Vector, columns: int) -> Vector:
    return np.concatenate([coefficients, np.zeros(columns - len(coefficients))])
