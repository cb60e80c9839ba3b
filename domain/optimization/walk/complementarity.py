"""The linear complementarity problems of D windows at once, by block principal pivoting.

z >= 0, Hz - a >= 0 and z'(Hz - a) = 0 are the conditions of the least z'Hz / 2 - a'z: with a = 1 z is in proportion to
the long-only weights of least variance, with the expected excess returns to those of the best ratio. The steps are
those of `programs.active_set`, all windows that are not done taking theirs together.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.optimization.programs.active_set import PATIENCE, TOLERANCE
from domain.optimization.programs.quadratic import PIVOT_TOLERANCE
from domain.optimization.walk.windows import Stack

STEPS = 200
"""Those that take longer are left out: a few per thousand of nearly singular ones."""


def solve_complementarity(hessians: Stack, targets: Matrix, check_cancelled: Callable[[], None]) -> Matrix:
    """z of each window, (D, N); NaN where the matrix is not definite, or the steps do not end."""
    result = np.full(targets.shape, np.nan)
    open_ones = np.flatnonzero(definite(hessians))
    matrices, wanted = hessians[open_ones], targets[open_ones]
    held = wanted > 0.0
    fewest = np.full(len(open_ones), targets.shape[1] + 1)
    patience = np.full(len(open_ones), PATIENCE)
    for _ in range(STEPS):
        check_cancelled()
        if not len(open_ones):
            break
        points = _on(matrices, wanted, held)
        slack = np.matvec(matrices, points) - wanted
        broken = np.where(held, points < 0.0, slack < -TOLERANCE * np.abs(wanted).max(axis=1, keepdims=True))
        counts = broken.sum(axis=1)
        result[open_ones[counts == 0]] = points[counts == 0]
        better = counts < fewest
        fewest = np.where(better, counts, fewest)
        singly = ~better & (patience == 0)
        patience = np.where(better, PATIENCE, np.maximum(patience - 1, 0))
        broken[singly] &= _last_of(broken[singly])
        going = counts > 0
        open_ones, matrices, wanted = open_ones[going], matrices[going], wanted[going]
        held, fewest, patience = (held ^ broken)[going], fewest[going], patience[going]
    return result


def definite(matrices: Stack) -> NDArray[np.bool_]:
    """Whether each has a Cholesky factor whose pivots are not of very different size, (D,)."""
    try:
        pivots = _pivots(matrices)
    except np.linalg.LinAlgError:  # of any of them
        pivots = np.array([_pivots_or_none(matrix) for matrix in matrices])
    lowest, highest = pivots.min(axis=1, initial=np.inf), pivots.max(axis=1, initial=0.0)
    result: NDArray[np.bool_] = (lowest > PIVOT_TOLERANCE * highest) & np.isfinite(pivots).all(axis=1)
    return result


def _pivots(matrices: Stack) -> Matrix:
    result: Matrix = np.diagonal(np.linalg.cholesky(matrices), axis1=-2, axis2=-1) ** 2
    return result


def _pivots_or_none(matrix: Matrix) -> Vector:
    try:
        return _pivots(matrix)
    except np.linalg.LinAlgError:
        return np.full(len(matrix), np.nan)


def _on(matrices: Stack, wanted: Matrix, held: NDArray[np.bool_]) -> Matrix:
    """Hz = a on the held indices, zero elsewhere."""
    reduced = np.where(held[:, :, None] & held[:, None, :], matrices, 0.0)
    diagonal = np.arange(matrices.shape[1])
    reduced[:, diagonal, diagonal] += ~held
    result: Matrix = np.linalg.solve(reduced, np.where(held, wanted, 0.0)[:, :, None])[:, :, 0]
    return result


def _last_of(broken: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """True at the last place of each row that is."""
    last = broken.shape[1] - 1 - np.argmax(broken[:, ::-1], axis=1)
    result: NDArray[np.bool_] = np.arange(broken.shape[1]) == last[:, None]
    return result
