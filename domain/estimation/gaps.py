"""Moments from returns with gaps: of greatest likelihood for normal returns, or pair by pair."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import ROUNDING, Matrix, Vector, few_enough, moderate
from domain.errors import InvalidInput
from domain.records import dataclass

ROUNDS = 1000
CLOSE = 1e-9
"""Change of a moment, in deviations of the assets, at which the search ends."""

VANISHING = 1e-6
"""Residual variance of an asset given the others, as a fraction of its variance, below which a search has failed."""

TOO_FEW = (
    "{rows} dates with gaps are too few for the moments of {size} assets, or some of these are combinations of others: "
    "the likelihood has no maximum; leave out assets, or drop the dates"
)


@dataclass(frozen=True, slots=True)
class GappedMoments:
    """Mean and covariance per period of N assets."""

    means: Vector  # (N,)
    covariance: Matrix  # (N, N)
    rounds: int = 0


Estimator = Callable[[Matrix, CancellationCheck], GappedMoments]


def maximum_likelihood(returns: Matrix, check_cancelled: CancellationCheck = never_cancelled) -> GappedMoments:
    """By expectation and maximisation over the missing values (Dempster, Laird & Rubin 1977; Little & Rubin 2020,
    section 11.2); without gaps the sample's, and like that with the divisor T - 1 instead of T.

    `returns` is (T, N) with NaN for what is missing. Raises InvalidInput where an asset has fewer than two values, and
    where there are too few for so many assets: missing values can then be chosen so that some portfolio has no risk,
    and the likelihood has no maximum. An asset whose values do not vary has the variance 0, and says nothing about
    what is missing of the others.
    """
    known = ~np.isnan(returns)
    few_enough("symbols", returns.shape[1])
    _enough(known)
    moderate("values", np.where(known, returns, 0.0))
    constant = _constant(returns)
    if constant.any():
        return _with_constants(returns, constant, maximum_likelihood, check_cancelled)
    rows = known.any(axis=1)
    values, known = returns[rows], known[rows]
    means, scale = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    x = (values - means) / scale
    patterns = _patterns(known)
    mu, sigma = np.zeros(x.shape[1]), np.eye(x.shape[1])
    for step in range(1, ROUNDS + 1):
        first, second = _expected(x, patterns, mu, sigma, check_cancelled)
        renewed = first / len(x)
        spread = second / len(x) - np.outer(renewed, renewed)
        check_cancelled()
        moved = max(float(np.abs(renewed - mu).max()), float(np.abs(spread - sigma).max()))
        if _collapsed(spread):
            raise InvalidInput("values", TOO_FEW.format(rows=len(x), size=x.shape[1]))
        mu, sigma = renewed, 0.5 * (spread + spread.T)
        if moved <= CLOSE:
            correction = len(x) / (len(x) - 1)
            return GappedMoments(means + mu * scale, correction * sigma * np.outer(scale, scale), step)
    raise InvalidInput("values", TOO_FEW.format(rows=len(x), size=x.shape[1]))


def pairwise(returns: Matrix, check_cancelled: CancellationCheck = never_cancelled) -> GappedMoments:
    """Each covariance from the dates that both assets have; the matrix need not be semidefinite.

    An asset whose values do not vary has the variance 0. Raises InvalidInput where two that do share fewer than two
    dates.
    """
    known = ~np.isnan(returns)
    few_enough("symbols", returns.shape[1])
    _enough(known)
    moderate("values", np.where(known, returns, 0.0))
    check_cancelled()
    constant = _constant(returns)
    if constant.any():
        return _with_constants(returns, constant, pairwise, check_cancelled)
    present = known.astype(np.float64)
    together = present.T @ present
    if (together < 2).any():
        i, j = (int(k) for k in np.argwhere(together < 2)[0])
        raise InvalidInput("values", f"columns {i} and {j} have fewer than two dates in common")
    filled = np.where(known, returns - np.nanmean(returns, axis=0), 0.0)
    sums = filled.T @ present  # of each row's asset, over the dates that the column's asset has too
    covariance = (filled.T @ filled - sums * sums.T / together) / (together - 1)
    return GappedMoments(np.nanmean(returns, axis=0), 0.5 * (covariance + covariance.T))


def _expected(
    x: Matrix,
    patterns: list[tuple[NDArray[np.bool_], NDArray[np.intp]]],
    mu: Vector,
    sigma: Matrix,
    check_cancelled: CancellationCheck,
) -> tuple[Vector, Matrix]:
    """Expected sums of the values and of their products, given what is known of each date."""
    first, second = np.zeros_like(mu), np.zeros_like(sigma)
    for seen, rows in patterns:
        check_cancelled()
        filled = x[rows].copy()
        if not seen.all():
            hidden = ~seen
            onto = _regression(sigma[np.ix_(seen, seen)], sigma[np.ix_(seen, hidden)])
            filled[:, hidden] = mu[hidden] + (filled[:, seen] - mu[seen]) @ onto
            left = sigma[np.ix_(hidden, hidden)] - sigma[np.ix_(hidden, seen)] @ onto
            second[np.ix_(hidden, hidden)] += len(rows) * left
        first += filled.sum(axis=0)
        second += filled.T @ filled
    return first, second


def _collapsed(sigma: Matrix) -> bool:
    """Whether some portfolio has next to no risk left."""
    try:
        root = np.linalg.cholesky(sigma + VANISHING * np.eye(len(sigma)))
    except np.linalg.LinAlgError:
        return True
    return bool((np.diag(root) ** 2).min(initial=1.0) < 2.0 * VANISHING)


def _regression(inner: Matrix, across: Matrix) -> Matrix:
    """Slopes on what is known; of least squares where that is singular, which is ten times slower."""
    try:
        np.linalg.cholesky(inner)
        return np.asarray(np.linalg.solve(inner, across), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(inner, across, rcond=None)[0])


def _patterns(known: NDArray[np.bool_]) -> list[tuple[NDArray[np.bool_], NDArray[np.intp]]]:
    """The dates of each set of assets that are known together."""
    kinds, which = np.unique(known, axis=0, return_inverse=True)
    flat = which.reshape(-1)
    rows = np.split(np.argsort(flat, kind="stable"), np.cumsum(np.bincount(flat, minlength=len(kinds)))[:-1])
    return list(zip(kinds, rows, strict=True))


def _constant(returns: Matrix) -> NDArray[np.bool_]:
    """Which of N assets' values (T, N) do not vary but for rounding, (N,)."""
    spread = np.nanmax(returns, axis=0) - np.nanmin(returns, axis=0)
    result: NDArray[np.bool_] = spread <= ROUNDING * (1.0 + np.nanmax(np.abs(returns), axis=0))
    return result


def _with_constants(
    returns: Matrix, constant: NDArray[np.bool_], estimate: Estimator, check_cancelled: CancellationCheck
) -> GappedMoments:
    """The moments of the assets that vary, and no variance for the others."""
    means, covariance = np.nanmean(returns, axis=0), np.zeros((len(constant), len(constant)))
    if constant.all():
        return GappedMoments(means, covariance)
    varies = ~constant
    found = estimate(returns[:, varies], check_cancelled)
    means[varies] = found.means
    covariance[np.ix_(varies, varies)] = found.covariance
    return GappedMoments(means, covariance, found.rounds)


def _enough(known: NDArray[np.bool_]) -> None:
    counts = known.sum(axis=0)
    if (counts < 2).any():
        raise InvalidInput("values", f"column {int(np.argmin(counts))} has fewer than two returns")
