"""Covariance shrunk towards a target: (1 - intensity) S + intensity F, S with divisor T as in the papers.

scikit-learn has two of these. They are written out here because loading it takes a second and 60 MB, in a process that
answers in a millisecond; the tests hold them equal to it.
"""

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import InvalidInput
from domain.records import dataclass

FAR = 1e3
"""Widths of a kernel from which its Hilbert transform is taken by its series."""

SMALLEST_EIGENVALUE = 1e-20
"""Of the largest one: an eigenvalue of less is rounding of a zero."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A covariance and how far it was shrunk."""

    covariance: Matrix  # (N, N)
    intensity: float  # between 0, the sample, and 1, the target


class Shrinkage:
    """An estimator that reports its shrinkage intensity."""

    __slots__ = ()

    def shrunk(self, returns: Matrix) -> Shrunk:
        """Of (T, N) returns."""
        raise NotImplementedError

    def estimate(self, returns: Matrix) -> Matrix:
        """The covariance alone, (N, N)."""
        return self.shrunk(returns).covariance


@dataclass(frozen=True, slots=True)
class IdentityShrinkage(Shrinkage):
    """Towards the identity times the mean variance.

    Ledoit & Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices", section 3.3.
    """

    def shrunk(self, returns: Matrix) -> Shrunk:
        """Of (T, N) returns."""
        centred, sample = _sample(returns)
        count, size = centred.shape
        scale = float(np.trace(sample)) / size
        distance = float((sample**2).sum()) / size - scale**2
        # Mean squared distance of x x' to S, without building one matrix for each observation.
        noise = (float(((centred**2).sum(axis=1) ** 2).sum()) / count - float((sample**2).sum())) / (size * count)
        return _towards(sample, scale * np.eye(size), min(noise, distance) / distance if distance > 0.0 else 0.0)


@dataclass(frozen=True, slots=True)
class OracleApproximatingShrinkage(Shrinkage):
    """Towards the same target, for Gaussian returns (Chen, Wiesel, Eldar & Hero 2010, equation 23)."""

    def shrunk(self, returns: Matrix) -> Shrunk:
        """Of (T, N) returns."""
        centred, sample = _sample(returns)
        count, size = centred.shape
        if size == 1:
            return Shrunk(sample, 0.0)
        scale = float(np.trace(sample)) / size
        mean_square = float((sample**2).mean())
        above = mean_square + scale**2
        below = (count + 1.0) * (mean_square - scale**2 / size)
        return _towards(sample, scale * np.eye(size), min(above / below, 1.0) if below > 0.0 else 1.0)


@dataclass(frozen=True, slots=True)
class ConstantCorrelationShrinkage(Shrinkage):
    """Towards the sample variances with the mean correlation (Ledoit & Wolf 2004, "Honey, I shrunk the sample
    covariance matrix", appendix B). An asset that does not vary has correlation 0 with all others."""

    def shrunk(self, returns: Matrix) -> Shrunk:
        """Of (T, N) returns."""
        centred, sample = _sample(returns)
        count, size = centred.shape
        deviation = np.sqrt(np.diag(sample))
        if size == 1 or not deviation.all():
            return Shrunk(sample, 0.0)
        correlation = sample / deviation / deviation[:, None]
        mean = (float(correlation.sum()) - size) / (size * (size - 1))
        target = mean * np.outer(deviation, deviation)
        np.fill_diagonal(target, np.diag(sample))
        ratio = deviation / deviation[:, None]  # of column to row
        # Asymptotic covariance of s_ii with s_ij, (N, N).
        shared = (centred**3).T @ centred / count - np.diag(sample)[:, None] * sample
        variances = _asymptotic_variances(centred, sample)
        off_diagonal = mean * float((ratio * shared).sum() - np.diag(ratio * shared).sum())
        rho = float(np.diag(variances).sum()) + off_diagonal
        return _towards(sample, target, _intensity(variances, rho, sample, target, count))


@dataclass(frozen=True, slots=True)
class SingleFactorShrinkage(Shrinkage):
    """Towards a one-factor model whose factor is the mean of all assets (Ledoit & Wolf 2003, "Improved estimation of
    the covariance matrix of stock returns")."""

    def shrunk(self, returns: Matrix) -> Shrunk:
        """Of (T, N) returns."""
        centred, sample = _sample(returns)
        count = len(centred)
        factor: Vector = centred.mean(axis=1)
        variance = float(factor @ factor) / count
        if variance <= 0.0:
            return Shrunk(sample, 0.0)
        beta = centred.T @ factor / count  # covariance with the factor
        target = np.outer(beta, beta) / variance
        np.fill_diagonal(target, np.diag(sample))
        variances = _asymptotic_variances(centred, sample)
        times_factor = centred * factor[:, None]
        one = (centred**2).T @ times_factor / count - beta[:, None] * sample
        two = times_factor.T @ times_factor / count - variance * sample
        first = float((one * beta).sum() - (np.diag(one) * beta).sum()) / variance
        second = float((two * np.outer(beta, beta)).sum() - (np.diag(two) * beta**2).sum()) / variance**2
        rho = float(np.diag(variances).sum()) + 2.0 * first - second
        return _towards(sample, target, _intensity(variances, rho, sample, target, count))


def _sample(returns: Matrix) -> tuple[Matrix, Matrix]:
    centred = returns - returns.mean(axis=0)
    return centred, centred.T @ centred / len(returns)


def _asymptotic_variances(centred: Matrix, sample: Matrix) -> Matrix:
    """Of sqrt(T) s_ij, (N, N)."""
    squares = centred**2
    result: Matrix = squares.T @ squares / len(centred) - sample**2
    return result


def _intensity(variances: Matrix, rho: float, sample: Matrix, target: Matrix, count: int) -> float:
    misfit = float(((sample - target) ** 2).sum())
    return (float(variances.sum()) - rho) / misfit / count if misfit > 0.0 else 0.0


def _towards(sample: Matrix, target: Matrix, intensity: float) -> Shrunk:
    bounded = min(max(intensity, 0.0), 1.0)
    return Shrunk((1.0 - bounded) * sample + bounded * target, bounded)


@dataclass(frozen=True, slots=True)
class CorrelationShrinkage(Shrinkage):
    """Correlations towards none and variances towards their median, each by its own intensity.

    Schaefer & Strimmer 2005, "A shrinkage approach to large-scale covariance matrix estimation", table 1, target D;
    Opgen-Rhein & Strimmer 2007 for the variances. The intensity that is reported is that of the correlations.
    """

    def shrunk(self, returns: Matrix) -> Shrunk:
        """Of (T, N) returns. Raises InvalidInput for fewer than three."""
        count, size = returns.shape
        if count < 3:
            raise InvalidInput("covariance", "shrinkage of correlations needs at least three returns")
        centred = returns - returns.mean(axis=0)
        variances = (centred**2).sum(axis=0) / (count - 1)
        scale = np.sqrt(np.where(variances > 0.0, variances, 1.0))
        standardised = centred / scale
        products = standardised.T @ standardised / count
        noise = ((standardised**2).T @ standardised**2 / count - products**2) / (count - 1)
        apart = ~np.eye(size, dtype=bool)
        intensity = _bounded_intensity(float(noise[apart].sum()), float((products[apart] ** 2).sum()))
        correlation = (1.0 - intensity) * products * (count / (count - 1))
        np.fill_diagonal(correlation, 1.0)
        deviations = np.sqrt(_towards_median(centred, variances))
        return Shrunk(correlation * np.outer(deviations, deviations), intensity)


def _towards_median(centred: Matrix, variances: Vector) -> Vector:
    """Variances (N,), shrunk towards their median."""
    count = len(centred)
    squares = (centred**2).mean(axis=0)
    noise = float(((centred**4).mean(axis=0) - squares**2).sum()) / (count - 1)
    median = float(np.median(variances))
    intensity = _bounded_intensity(noise, float(((squares - median * (count - 1) / count) ** 2).sum()))
    result: Vector = intensity * median + (1.0 - intensity) * variances
    return result


def _bounded_intensity(noise: float, distance: float) -> float:
    """Of the target: all of it where the sample is the target already."""
    return min(max(noise / distance, 0.0), 1.0) if distance > 0.0 else 1.0


@dataclass(frozen=True, slots=True)
class NonlinearShrinkage:
    """Every eigenvalue by its own factor, in closed form (Ledoit & Wolf 2020, "Analytical nonlinear shrinkage of
    large-dimensional covariance matrices", equations 4.3 to 4.9 and C.8 for N > T)."""

    def estimate(self, returns: Matrix) -> Matrix:
        """Covariance of (T, N) returns, (N, N)."""
        count, size = len(returns) - 1, returns.shape[1]
        centred = returns - returns.mean(axis=0)
        sample = centred.T @ centred / count
        if size == 1 or not sample.any():
            return np.asarray(sample, dtype=np.float64)  # one eigenvalue has no spread that noise could have widened
        values, vectors = np.linalg.eigh(sample)
        if count < 12:
            raise InvalidInput("covariance", "nonlinear shrinkage needs at least 13 returns")
        shrunk = np.empty(size)
        null = max(0, size - count)
        positive_values = np.maximum(values[null:], SMALLEST_EIGENVALUE * float(values[-1]))
        width = count ** (-1.0 / 3.0)
        spread = width * positive_values[None, :]
        x = (positive_values[:, None] - positive_values[None, :]) / spread
        root = 5.0**0.5
        density = (0.75 / root * np.maximum(1.0 - x**2 / 5.0, 0.0) / spread).mean(axis=1)
        hilbert = (_hilbert(x) / spread).mean(axis=1)
        if not null:
            ratio = size / count
            real = 1.0 - ratio - np.pi * ratio * positive_values * hilbert
            shrunk[:] = positive_values / ((np.pi * ratio * positive_values * density) ** 2 + real**2)
        else:
            edge = np.log((1.0 + root * width) / (1.0 - root * width))
            at_zero = 0.3 / width**2 + 0.75 / (root * width) * (1.0 - 0.2 / width**2) * edge
            at_zero *= float((1.0 / positive_values).mean()) / np.pi
            shrunk[:null] = 1.0 / (np.pi * (size - count) / count * at_zero)
            shrunk[null:] = positive_values / (np.pi**2 * positive_values**2 * (density**2 + hilbert**2))
        result: Matrix = (vectors * shrunk) @ vectors.T
        return 0.5 * (result + result.T)


def _hilbert(x: Matrix) -> Matrix:
    """Hilbert transform of the Epanechnikov kernel with variance 1 (equation 4.8)."""
    root = 5.0**0.5
    far = np.abs(x) > FAR
    near = np.where(far, 0.0, x)
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = (1.0 - near**2 / 5.0) * np.log(np.abs((root - near) / (root + near)))
    logarithm[np.abs(np.abs(near) - root) < 1e-12] = 0.0
    within = -0.3 / np.pi * near + 0.75 / (root * np.pi) * logarithm
    # Far away the two terms cancel: there it is the series of the kernel's moments 1, 1 and 15 / 7.
    inverse = 1.0 / np.where(far, x, 1.0)
    beyond = -(inverse + inverse**3 + 15.0 / 7.0 * inverse**5) / np.pi
    result: Matrix = np.where(far, beyond, within)
    return result
