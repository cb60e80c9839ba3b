"""Certain views that contradict each other.

A view is on a portfolio. Where its returns are a combination of those of other views' portfolios, its expectation is
the same combination of theirs, or they contradict each other.
"""

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.errors import InvalidInput

DEPENDENT = 1e-9
"""What a portfolio varies beside a combination of others, relative to its size, if that is none but for rounding."""

MOST_SEARCHED = 30
"""With more views than this, all are named where no reweighting meets them."""


def check_consistent(variations: Matrix, sizes: Vector, surprises: Vector, places: NDArray[np.intp]) -> None:
    """Raises InvalidInput with the views named where an expectation contradicts others.

    `variations` (K, M) are the views' portfolios in coordinates in which their covariance is a product, `sizes` (K,)
    what rounding is measured against there, `surprises` (K,) the expectations less the prior's; `places` (K,) number
    the views of the request.
    """
    size, most = variations.shape[1], min(variations.shape)
    directions = np.empty((most, size))  # orthonormal, of the views so far that are no combination of others
    upper = np.zeros((most, most))  # basis views as combinations of them, by columns
    basis: list[int] = []
    for i in range(len(surprises)):
        found = directions[: len(basis)]
        along = found @ variations[i]
        rest = variations[i] - along @ found
        again = found @ rest  # once more, for what rounding left of the first time
        along, rest = along + again, rest - again @ found
        length = float(np.linalg.norm(rest))
        if length > DEPENDENT * sizes[i] and len(basis) < most:
            upper[: len(basis), len(basis)], upper[len(basis), len(basis)] = along, length
            directions[len(basis)] = rest / length
            basis.append(i)
            continue
        coefficients = np.linalg.solve(upper[: len(basis), : len(basis)], along)
        parts = coefficients * surprises[basis]
        scale = abs(float(surprises[i])) + float(np.abs(parts).sum())
        if abs(float(surprises[i]) - float(parts.sum())) > DEPENDENT * scale:
            used = np.abs(coefficients) > DEPENDENT * max(1.0, float(np.abs(coefficients).max(initial=0.0)))
            raise contradiction([*(int(places[basis[k]]) for k in np.flatnonzero(used)), int(places[i])])


def contradiction(views: list[int]) -> InvalidInput:
    """The error that names views which cannot all be met."""
    if len(views) == 1:
        return InvalidInput(
            f"views[{views[0]}]",
            "is on a combination that does not vary, and expects another value; change it or leave it out",
        )
    names = ", ".join(f"views[{i}]" for i in views)
    return InvalidInput(
        f"views[{views[-1]}]",
        f"{names} are certain and contradict each other; change one, or lower its confidence",
    )


def unreachable(outcomes: Matrix, expected: Vector) -> InvalidInput:
    """The error that names views (S, K) which no reweighting of the outcomes gives the expected means (K,)."""
    low, high = outcomes.min(axis=0), outcomes.max(axis=0)
    if len(outside := np.flatnonzero((expected <= low) | (expected >= high))):
        i = int(outside[0])
        rule = (
            f"lies outside the observed returns: {expected[i]:.6g} a period is not from {low[i]:.6g} to {high[i]:.6g}"
        )
        return InvalidInput(
            f"views[{i}]", f"{rule}, so no reweighting of the returns meets it; change it or leave it out"
        )
    views = list(range(len(expected)))
    if len(views) <= MOST_SEARCHED:
        for i in range(len(expected)):
            rest = [other for other in views if other != i]
            if rest and not _is_reachable(outcomes[:, rest], expected[rest]):
                views = rest
    names = ", ".join(f"views[{i}]" for i in views)
    rule = f"no reweighting of the returns meets {names} together: their values lie outside those observed; change one"
    return InvalidInput(f"views[{views[-1]}]", rule)


def _is_reachable(outcomes: Matrix, expected: Vector) -> bool:
    from scipy.optimize import linprog  # only where an error is explained

    away = (outcomes - expected) / np.ptp(outcomes, axis=0)
    rows = np.vstack([away.T, np.ones(len(away))])
    ends = np.append(np.zeros(len(expected)), 1.0)
    found = linprog(np.zeros(len(away)), A_eq=rows, b_eq=ends, bounds=(0.0, None), method="highs")
    return bool(found.status != 2)
