"""HRP of D windows: a tree for each, and the recursive bisection of all of them together.

The halves of N ordered assets are the same in every window, so that a step of the bisection is one of arrays.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix
from domain.estimation import codependence
from domain.estimation.clustering import tree_of
from domain.optimization.request.objectives import Hierarchical
from domain.optimization.walk.windows import Stack


def hierarchical_weights(covariances: Stack, objective: Hierarchical, check_cancelled: Callable[[], None]) -> Matrix:
    """Weights of each window, (D, N); NaN where an asset does not vary, or a cluster has no risk."""
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    if variances.shape[1] == 1:
        return np.where(variances > 0.0, 1.0, np.nan)  # there is no tree of one
    result = np.full(variances.shape, np.nan)
    varying = np.flatnonzero((variances > 0.0).all(axis=1))
    orders = np.empty((len(varying), variances.shape[1]), dtype=np.intp)
    for k, window in enumerate(varying.tolist()):
        check_cancelled()
        similarity = codependence.signed(codependence.correlation_of(covariances[window]))
        orders[k] = tree_of(similarity, objective.linkage, optimal_order=objective.optimal_order).order
    ordered = np.take_along_axis(covariances[varying], orders[:, :, None], axis=1)
    ordered = np.take_along_axis(ordered, orders[:, None, :], axis=2)
    weights = np.empty(orders.shape)
    np.put_along_axis(weights, orders, _bisected(ordered), axis=1)
    result[varying] = weights
    return result


def _bisected(ordered: Stack) -> Matrix:
    """Weights of ordered assets; NaN where two halves have no risk."""
    inverse = 1.0 / np.diagonal(ordered, axis1=1, axis2=2)
    size = inverse.shape[1]
    weights, parts = np.ones(inverse.shape), [(0, size)]
    while parts:
        start, stop = parts.pop()
        if stop - start == 1:
            continue
        middle = start + (stop - start) // 2
        left, right = _risk(ordered, inverse, start, middle), _risk(ordered, inverse, middle, stop)
        total = left + right
        fraction = 1.0 - left / np.where(total > 0.0, total, np.nan)
        weights[:, start:middle] *= fraction[:, None]
        weights[:, middle:stop] *= 1.0 - fraction[:, None]
        parts += [(start, middle), (middle, stop)]
    return weights


def _risk(ordered: Stack, inverse: Matrix, start: int, stop: int) -> NDArray[np.float64]:
    inside = inverse[:, start:stop] / inverse[:, start:stop].sum(axis=1, keepdims=True)
    result: NDArray[np.float64] = np.vecdot(inside, np.matvec(ordered[:, start:stop, start:stop], inside))
    return result
