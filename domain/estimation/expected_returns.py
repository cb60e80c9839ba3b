"""Expected simple returns per period from T observations of N assets."""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np

from domain.checks import Matrix, Vector, finite_number, positive
from domain.errors import InvalidInput
from domain.estimation.weights import exponential_weights
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """Input of an estimator of expected returns."""

    symbols: tuple[str, ...]
    returns: Matrix  # (T, N)
    covariance: Matrix  # (N, N), as it was estimated


@dataclass(frozen=True, slots=True)
class SampleMean:
    """The arithmetic mean."""

    def estimate(self, sample: Sample) -> Vector:
        """Means, (N,)."""
        result: Vector = sample.returns.mean(axis=0)
        return result


@dataclass(frozen=True, slots=True)
class EwmaMean:
    """The exponentially weighted mean; `half_life` in periods."""

    half_life: float

    def __post_init__(self) -> None:
        positive("half_life", self.half_life)

    def estimate(self, sample: Sample) -> Vector:
        """Means, (N,)."""
        result: Vector = exponential_weights(len(sample.returns), self.half_life) @ sample.returns
        return result


class ShrinkageTarget(StrEnum):
    """Target to which the means are shrunk, the same for every asset."""

    GRAND_MEAN = "GRAND_MEAN"  # of all assets
    VOLATILITY_WEIGHTED = "VOLATILITY_WEIGHTED"  # with weights 1 / volatility
    MINIMUM_VARIANCE = "MINIMUM_VARIANCE"  # of the portfolio of least variance, shorts allowed


@dataclass(frozen=True, slots=True)
class JamesStein:
    """(1 - a) mean + a target, a = (N * mean eigenvalue - 2 * largest) / (T * |mean - target|^2), within [0, 1].

    Jobson, Korkie & Ratti 1979 for a covariance that is not a multiple of the identity; Feng & Palomar 2016, equation
    3.3.
    """

    target: ShrinkageTarget = ShrinkageTarget.GRAND_MEAN

    def estimate(self, sample: Sample) -> Vector:
        """Shrunk means, (N,)."""
        mean, target = _mean_and_target(sample, self.target)
        eigenvalues = np.linalg.eigvalsh(sample.covariance)
        away = float(((mean - target) ** 2).sum())
        room = float(eigenvalues.sum()) - 2.0 * float(eigenvalues[-1])
        intensity = room / (len(sample.returns) * away) if away > 0.0 else 1.0
        return _blend(mean, target, intensity)


@dataclass(frozen=True, slots=True)
class BayesStein:
    """(1 - a) mean + a target, a = (N + 2) / (N + 2 + T d), d = (mean - target)' Sigma^-1 (mean - target).

    Jorion 1986, "Bayes-Stein estimation for portfolio analysis", equation 17.
    """

    target: ShrinkageTarget = ShrinkageTarget.GRAND_MEAN

    def estimate(self, sample: Sample) -> Vector:
        """Shrunk means, (N,)."""
        mean, target = _mean_and_target(sample, self.target)
        away = mean - target
        distance = float(away @ _solved(sample.covariance, away))
        size = len(mean) + 2.0
        return _blend(mean, target, size / (size + len(sample.returns) * distance))


@dataclass(frozen=True, slots=True)
class BodnarOkhrinParolya:
    """a mean + b target with the a and b that are best as N / T goes to a constant below one.

    Bodnar, Okhrin & Parolya 2019, "Optimal shrinkage estimator for high-dimensional mean vector", theorem 3:
    a = ((m'S^-1 m - N / (T - N)) t'S^-1 t - (m'S^-1 t)^2) / (m'S^-1 m t'S^-1 t - (m'S^-1 t)^2), and
    b = (1 - a) m'S^-1 t / t'S^-1 t.
    """

    target: ShrinkageTarget = ShrinkageTarget.GRAND_MEAN

    def estimate(self, sample: Sample) -> Vector:
        """Shrunk means, (N,)."""
        count, size = sample.returns.shape
        if count <= size:
            raise InvalidInput("expected_returns", "this estimator needs more dates than assets")
        mean, target = _mean_and_target(sample, self.target)
        by_mean, by_target = _solved(sample.covariance, mean), _solved(sample.covariance, target)
        own, common, mixed = float(mean @ by_mean), float(target @ by_target), float(mean @ by_target)
        spread = own * common - mixed**2
        if spread <= 1e-12 * own * common:
            return mean  # the means are all the target already
        on_mean = ((own - size / (count - size)) * common - mixed**2) / spread
        result: Vector = on_mean * mean + (1.0 - on_mean) * mixed / common * target
        return result


@dataclass(frozen=True, slots=True)
class Implied:
    """Returns that make a market portfolio optimal: risk aversion * covariance * its weights (Black & Litterman)."""

    market_weights: Mapping[str, float]
    risk_aversion: float

    def __post_init__(self) -> None:
        positive("risk_aversion", self.risk_aversion)
        for i, weight in enumerate(self.market_weights.values()):
            finite_number(f"market_weights[{i}].weight", weight)

    def estimate(self, sample: Sample) -> Vector:
        """Implied excess returns, (N,); a symbol that is not named has no market weight."""
        position = {symbol: i for i, symbol in enumerate(sample.symbols)}
        weights = np.zeros(len(position))
        for i, (symbol, weight) in enumerate(self.market_weights.items()):
            if symbol not in position:
                raise InvalidInput(f"market_weights[{i}].symbol", f"{symbol} is not a symbol of the input")
            weights[position[symbol]] = weight
        result: Vector = self.risk_aversion * sample.covariance @ weights
        return result


ExpectedReturnsEstimator = SampleMean | EwmaMean | JamesStein | BayesStein | BodnarOkhrinParolya | Implied


def _mean_and_target(sample: Sample, target: ShrinkageTarget) -> tuple[Vector, Vector]:
    mean: Vector = sample.returns.mean(axis=0)
    match target:
        case ShrinkageTarget.GRAND_MEAN:
            common = float(mean.mean())
        case ShrinkageTarget.VOLATILITY_WEIGHTED:
            volatilities = np.sqrt(np.diag(sample.covariance))
            if not volatilities.all():
                raise InvalidInput("target", "volatility-weighted needs every variance above 0")
            common = float(mean @ (1.0 / volatilities) / (1.0 / volatilities).sum())
        case ShrinkageTarget.MINIMUM_VARIANCE:
            weights = _solved(sample.covariance, np.ones(len(mean)))
            common = float(mean @ weights / weights.sum())
    return mean, np.full(len(mean), common)


def _solved(covariance: Matrix, right: Vector) -> Vector:
    """Sigma^-1 x; raises InvalidInput where the covariance is singular."""
    try:
        result = np.asarray(np.linalg.solve(covariance, right), np.float64)
    except np.linalg.LinAlgError:
        result = np.full(len(right), np.nan)
    if len(covariance) > np.linalg.matrix_rank(covariance, hermitian=True) or not np.isfinite(result).all():
        raise InvalidInput(
            "expected_returns", "this estimator needs an invertible covariance: more dates than assets, or shrinkage"
        )
    return result


def _blend(mean: Vector, target: Vector, intensity: float) -> Vector:
    bounded = min(max(intensity, 0.0), 1.0)
    result: Vector = (1.0 - bounded) * mean + bounded * target
    return result
