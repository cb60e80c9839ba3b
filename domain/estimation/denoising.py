"""A correlation without the eigenvalues that noise alone explains (Lopez de Prado 2020, "Machine learning for asset
managers", chapter 2, after Laloux et al. 1999 and Bouchaud & Potters).

Of T independent observations of N assets the eigenvalues follow the Marchenko-Pastur law, whose upper edge depends on
how much of the variance is noise; that is fitted to the density of the eigenvalues that were found.
"""

from enum import StrEnum

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix, Vector, varying
from domain.errors import InvalidInput
from domain.records import dataclass

BANDWIDTH = 0.01
"""Of the Gaussian kernel that makes a density of the eigenvalues."""

POINTS = 1000

NOTHING_LEFT = 1e-12
"""Of a variance of one, less than this after detoning is rounding."""


class DenoisingMethod(StrEnum):
    """Treatment of the eigenvalues of noise."""

    FIXED = "FIXED"  # all their mean
    SPECTRAL = "SPECTRAL"  # zero
    SHRINK = "SHRINK"  # their part of the correlation keeps its diagonal only


@dataclass(frozen=True, slots=True)
class Denoised:
    """The sample covariance with its correlation denoised; `detoned` takes out the largest components as well."""

    method: DenoisingMethod = DenoisingMethod.FIXED
    detoned: int = 0

    def estimate(self, returns: Matrix, check_cancelled: CancellationCheck = never_cancelled) -> Matrix:
        """Covariance of (T, N) returns, (N, N); singular where it is detoned or spectral."""
        covariance = np.atleast_2d(np.cov(varying("covariance.denoised", returns).T))
        deviations = np.sqrt(np.diag(covariance))
        size = len(covariance)
        if self.detoned >= size:
            raise InvalidInput("covariance.denoised.detoned_components", f"must be below the number of assets, {size}")
        values, vectors = np.linalg.eigh(covariance / np.outer(deviations, deviations))
        edge = noise_edge(values, len(returns) / size, check_cancelled)
        correlation = self._without_noise(values, vectors, int((values <= edge).sum()))
        if self.detoned:
            # What is detoned are the components of the denoised correlation itself.
            top, axes = np.linalg.eigh(correlation)
            market = (axes[:, -self.detoned :] * top[-self.detoned :]) @ axes[:, -self.detoned :].T
            rest = correlation - market
            if (np.diag(rest) <= NOTHING_LEFT).any():
                raise InvalidInput(
                    "covariance.denoised.detoned_components",
                    f"must leave some variance of every asset; {self.detoned} components and the noise are all of one",
                )
            correlation = _normalised(rest)
        result: Matrix = correlation * np.outer(deviations, deviations)
        return result

    def _without_noise(self, values: Vector, vectors: Matrix, noisy: int) -> Matrix:
        """Eigenvalues rise, so those of noise come first."""
        if noisy == 0:
            return _normalised((vectors * values) @ vectors.T)
        kept = values.copy()
        match self.method:
            case DenoisingMethod.FIXED:
                kept[:noisy] = values[:noisy].mean()
            case DenoisingMethod.SPECTRAL:
                kept[:noisy] = 0.0
            case DenoisingMethod.SHRINK:
                signal = (vectors[:, noisy:] * values[noisy:]) @ vectors[:, noisy:].T
                noise = (vectors[:, :noisy] * values[:noisy]) @ vectors[:, :noisy].T
                result: Matrix = signal + np.diag(np.diag(noise))
                return result
        if not kept.any():
            return np.eye(len(values))
        return _normalised((vectors * kept) @ vectors.T)


def noise_edge(
    values: Vector, observations_per_asset: float, check_cancelled: CancellationCheck = never_cancelled
) -> float:
    """The largest eigenvalue of a correlation that noise explains, by the best fit of noise's fraction of variance."""
    from scipy.optimize import minimize_scalar  # only where it is used, in worker processes

    def error(fraction: float) -> float:
        check_cancelled()
        grid, theory = _marchenko_pastur(fraction, observations_per_asset)
        away = (grid[:, None] - values[None, :]) / BANDWIDTH
        found = np.exp(-0.5 * away**2).mean(axis=1) / (BANDWIDTH * np.sqrt(2.0 * np.pi))
        return float(((found - theory) ** 2).sum())

    fraction = float(minimize_scalar(error, bounds=(1e-5, 1.0 - 1e-5), method="bounded").x)
    return _edges(fraction, observations_per_asset)[1]


def _edges(fraction: float, ratio: float) -> tuple[float, float]:
    root = ratio**-0.5
    return fraction * (1.0 - root) ** 2, fraction * (1.0 + root) ** 2


def _marchenko_pastur(fraction: float, ratio: float) -> tuple[Vector, Vector]:
    low, high = _edges(fraction, ratio)
    grid = np.linspace(low, high, POINTS)
    inside = np.maximum((high - grid) * (grid - low), 0.0)
    return grid, ratio / (2.0 * np.pi * fraction * np.maximum(grid, 1e-12)) * np.sqrt(inside)


def _normalised(matrix: Matrix) -> Matrix:
    """With ones on the diagonal."""
    roots = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    result: Matrix = matrix / np.outer(roots, roots)
    return result
