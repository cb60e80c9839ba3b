"""Codependence of assets and the distance derived from it; for trees of clusters.

A coefficient c in [-1, 1] gives the distance sqrt((1 - c) / 2), one in [0, 1] the distance sqrt(1 - c) (Mantegna 1999;
Lopez de Prado 2016).
"""

import math
from collections.abc import Callable

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix, Vector, varying
from domain.errors import InvalidInput
from domain.records import dataclass

TAIL = 0.05
"""Fraction of the worst returns that lower tail dependence looks at."""

GERBER_THRESHOLD = 0.5
"""In standard deviations, below which a move does not count (Gerber et al. 2022)."""

SMALLEST_TAIL_DEPENDENCE = 1e-8

BLOCK = 2_000_000
"""Distances of dates to hold at once, 16 MB."""


@dataclass(frozen=True, slots=True)
class Codependence:
    """Distance and similarity of N assets."""

    distance: Matrix  # (N, N), 0 on the diagonal
    similarity: Matrix  # (N, N), from 0 to 1

    def __post_init__(self) -> None:
        if not np.isfinite(self.similarity).all():
            raise InvalidInput("returns", "a similarity needs at least two returns, and every asset to vary")


def signed(coefficients: Matrix) -> Codependence:
    """From correlations, in [-1, 1]."""
    distance = _cleared(np.sqrt(np.clip((1.0 - coefficients) / 2.0, 0.0, 1.0)))
    return Codependence(distance, 1.0 - distance**2)


def unsigned(coefficients: Matrix) -> Codependence:
    """From coefficients in [0, 1]."""
    distance = _cleared(np.sqrt(np.clip(1.0 - coefficients, 0.0, 1.0)))
    return Codependence(distance, np.clip(coefficients, 0.0, 1.0))


def correlation_of(covariance: Matrix) -> Matrix:
    """Correlations of a covariance. Raises InvalidInput where an asset does not vary."""
    deviations = np.sqrt(np.diag(covariance))
    if (deviations <= 0.0).any():
        raise InvalidInput("covariance", "a similarity needs every variance above 0")
    result: Matrix = np.clip(covariance / np.outer(deviations, deviations), -1.0, 1.0)
    return result


def pearson(returns: Matrix) -> Matrix:
    """Linear correlation of returns (T, N)."""
    return correlation_of(np.atleast_2d(np.cov(returns.T)))


def spearman(returns: Matrix) -> Matrix:
    """Correlation of ranks, ties sharing theirs."""
    from scipy.stats import rankdata  # only where it is used, in worker processes

    return pearson(rankdata(returns, axis=0))


def kendall(returns: Matrix, check_cancelled: CancellationCheck = never_cancelled) -> Matrix:
    """Kendall's tau-b of each pair."""
    from scipy.stats import kendalltau

    return _by_pair(returns, lambda x, y: float(kendalltau(x, y).statistic), check_cancelled)


def gerber(returns: Matrix, variant: int, threshold: float = GERBER_THRESHOLD) -> Matrix:
    """Gerber statistic: joint moves beyond a threshold, those in the same direction less those in opposite ones.

    Variant 1 divides by all periods in which not both stay below the threshold, variant 2 by the geometric mean of
    each asset's own count, which makes it semidefinite (Gerber et al. 2022, equations 7 and 9). Deviations are those
    of a population, moves are from zero.
    """
    limits = threshold * varying("covariance.gerber", returns).std(axis=0)
    up, down = (returns >= limits).astype(np.float64), (returns <= -limits).astype(np.float64)
    net = up.T @ up + down.T @ down - up.T @ down - down.T @ up
    if variant == 2:
        counts = np.sqrt(np.diag(net))
        together = np.outer(counts, counts)
    else:
        still = 1.0 - up - down
        together = len(returns) - still.T @ still
    if (np.diag(together) <= 0.0).any():
        raise InvalidInput(
            "returns", "the Gerber statistic needs every asset to move beyond the threshold at least once"
        )
    result: Matrix = np.clip(net / together, -1.0, 1.0)
    return result


def distance_correlation(returns: Matrix, check_cancelled: CancellationCheck = never_cancelled) -> Matrix:
    """Szekely, Rizzo & Bakirov 2007: zero only for independent returns.

    The distances of all pairs of dates are taken block by block of rows: together they would be N T^2 figures.
    """
    count, size = returns.shape
    step = max(1, BLOCK // (size * count))
    blocks = [slice(start, start + step) for start in range(0, count, step)]

    def distances(rows: slice) -> Matrix:
        """From the dates of a block to all, (N, rows, T)."""
        check_cancelled()
        found: Matrix = np.abs(returns.T[:, rows, None] - returns.T[:, None, :])
        return found

    means = np.hstack([distances(rows).mean(axis=2) for rows in blocks])  # (N, T), of the rows as of the columns
    centre = means.mean(axis=1)[:, None, None]
    product = np.zeros((size, size))
    for rows in blocks:
        centred = distances(rows) - means[:, rows, None] - means[:, None, :] + centre
        flat = centred.reshape(size, -1)
        product += flat @ flat.T
    own = np.sqrt(np.diag(product))
    result: Matrix = np.sqrt(np.clip(product / np.outer(own, own), 0.0, 1.0))
    return result


def lower_tail_dependence(returns: Matrix) -> Matrix:
    """How often, of the worst returns of one asset, the other has one of its worst as well."""
    count = max(1, int(np.ceil(TAIL * len(returns))))
    worst = (returns <= np.sort(returns, axis=0)[count - 1]).astype(np.float64)
    result: Matrix = np.clip(worst.T @ worst / count, SMALLEST_TAIL_DEPENDENCE, 1.0)
    return result


def information(returns: Matrix, check_cancelled: CancellationCheck = never_cancelled) -> Codependence:
    """Mutual information over the smaller entropy, and the variation of information as the distance (Meila 2007).

    Histograms have the number of bins of Hacine-Gharbi & Ravier 2018 for the pair's correlation (Lopez de Prado 2020,
    "Machine learning for asset managers", 3.9).
    """
    size = returns.shape[1]
    correlation = pearson(returns)
    similarity, distance = np.eye(size), np.zeros((size, size))
    for i in range(size):
        for j in range(i):
            check_cancelled()
            bins = _bins(len(returns), float(correlation[i, j]))
            joint = np.histogram2d(returns[:, i], returns[:, j], bins)[0] / len(returns)
            own = _entropy(joint.sum(axis=1)), _entropy(joint.sum(axis=0))
            both = _entropy(joint.ravel())
            shared = own[0] + own[1] - both
            similarity[i, j] = similarity[j, i] = shared / min(own) if min(own) > 0.0 else 0.0
            distance[i, j] = distance[j, i] = max(0.0, (both - shared) / both) if both > 0.0 else 0.0
    return Codependence(distance, np.clip(similarity, 0.0, 1.0))


def tail(returns: Matrix) -> Codependence:
    """Lower tail dependence, its distance -ln."""
    similarity = lower_tail_dependence(returns)
    return Codependence(_cleared(-np.log(similarity)), similarity)


def _bins(count: int, correlation: float) -> int:
    squared = min(correlation**2, 1.0 - 1e-12)
    root = math.sqrt(1.0 + 24.0 * count / (1.0 - squared))
    return max(1, round(math.sqrt(0.5 * (1.0 + root))))


def _entropy(probabilities: Vector) -> float:
    possible = probabilities[probabilities > 0.0]
    return -float(possible @ np.log(possible))


def _by_pair(
    returns: Matrix, coefficient: Callable[[Vector, Vector], float], check_cancelled: CancellationCheck
) -> Matrix:
    size = returns.shape[1]
    result = np.eye(size)
    for i in range(size):
        for j in range(i):
            check_cancelled()
            result[i, j] = result[j, i] = coefficient(returns[:, i], returns[:, j])
    return result


def _cleared(distance: Matrix) -> Matrix:
    """Without the rounding of an asset's distance to itself."""
    result = distance.copy()
    np.fill_diagonal(result, 0.0)
    return result
