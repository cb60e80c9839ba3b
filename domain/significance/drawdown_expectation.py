"""The maximum drawdown that returns like these lead to: its distribution over resampled paths."""

import numpy as np

from domain.cancellation import CancellationCheck
from domain.checks import Matrix, Vector
from domain.records import dataclass
from domain.significance.resampling import Resampling, stationary_blocks

MOST_PATHS = 250
"""Paths that are followed date by date; a mean drawdown is then known to about two percent of itself."""


@dataclass(frozen=True, slots=True)
class ExpectedDrawdown:
    """Maximum drawdowns of resampled paths as long as the observed one, as positive fractions."""

    mean: float
    lower: float  # quantiles
    upper: float
    observed: float
    deeper: float  # fraction of the paths with a drawdown at least as deep as the observed one
    paths: int


def expected_drawdown(
    net: Vector, resampling: Resampling, confidence_level: float, check_cancelled: CancellationCheck
) -> ExpectedDrawdown:
    """Of net simple returns (T,), -1 or more, by a stationary bootstrap of at most `MOST_PATHS` paths.

    Drawdowns are compounded, the initial capital being the first peak.
    """
    with np.errstate(divide="ignore"):
        growth = np.log1p(net)  # -inf for a total loss
    paths = Resampling(
        resampling.observations, min(resampling.count, MOST_PATHS), resampling.block_length, resampling.seed
    )
    around = np.concatenate((growth, growth))
    found = []
    for first, last in paths.pieces():
        check_cancelled()
        found.append(_deepest(around.take(stationary_blocks(paths, first, last).dates())))
    deepest = np.concatenate(found)
    observed = float(_deepest(growth[None])[0])
    tail = 0.5 - 0.5 * confidence_level
    lower, upper = np.quantile(deepest, (tail, 1.0 - tail)).tolist()
    # The observed path, resampled into itself, may differ from itself by rounding.
    deeper = float(np.mean(deepest >= observed * (1.0 - 1e-12)))
    return ExpectedDrawdown(float(deepest.mean()), lower, upper, observed, deeper, paths.count)


def _deepest(growth: Matrix) -> Vector:
    """Largest fall from a peak of R paths, by the logarithmic growth of each date, (R, T)."""
    level = np.cumsum(growth, axis=1)
    peak = np.maximum.accumulate(level, axis=1)
    np.maximum(peak, 0.0, out=peak)
    level -= peak
    result: Vector = np.abs(np.expm1(level.min(axis=1)))  # no fall is 0, not -0
    return result
