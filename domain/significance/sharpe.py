"""How far a Sharpe ratio can be trusted: its standard errors, its probability, and the track record that it needs.

Sharpe ratios are per period, mean / standard deviation with divisor T - 1, of excess returns.
"""

import math
from statistics import NormalDist

import numpy as np

from domain.checks import LARGEST_RETURN, Matrix, Vector, rounding_of
from domain.records import dataclass
from domain.risk.figure import CONSTANT, ONE_RETURN, TOO_LARGE, Absent, Figure, finite, if_known, quotient
from domain.risk.outcomes import Outcomes

NORMAL = NormalDist()

NO_VARIANCE = "the standard error of the Sharpe ratio is 0: the returns have two values"
NOT_ABOVE = "the Sharpe ratio is not above the one it is compared with: no track record is long enough"


@dataclass(frozen=True, slots=True)
class SharpeEstimate:
    """A Sharpe ratio per period with the moments that its error depends on."""

    ratio: float
    skewness: float  # population
    kurtosis: float  # population, 3 for normal returns
    observations: int  # T

    @classmethod
    def of(cls, excess: Vector) -> "SharpeEstimate | Absent":
        """From excess returns per period, (T,); absent for fewer than two, constant ones and a return above 1e60."""
        if len(excess) < 2:
            return Absent(ONE_RETURN)
        if not float(np.abs(excess).max()) <= LARGEST_RETURN:
            return Absent(TOO_LARGE)
        outcomes = Outcomes(excess, rounding=rounding_of(excess))
        ratio = quotient(outcomes.mean, outcomes.deviation, CONSTANT)
        if isinstance(ratio, Absent):
            return ratio
        return cls(ratio, outcomes.standardised_moment(3), outcomes.standardised_moment(4), len(excess))

    @property
    def variance_factor(self) -> float:
        """T times the variance of the estimate: 1 - skewness SR + (kurtosis - 1) / 4 SR^2 (Mertens 2002)."""
        return 1.0 - self.skewness * self.ratio + 0.25 * (self.kurtosis - 1.0) * self.ratio**2

    @property
    def lo_error(self) -> float:
        """Standard error for independent normal returns: sqrt((1 + SR^2 / 2) / T) (Lo 2002, equation 9)."""
        return math.sqrt((1.0 + 0.5 * self.ratio**2) / self.observations)

    @property
    def mertens_error(self) -> float:
        """Standard error for independent returns of any distribution (Mertens 2002; stationary ones: Opdyke 2007)."""
        return math.sqrt(max(self.variance_factor, 0.0) / self.observations)

    def interval(self, error: float, confidence_level: float) -> tuple[float, float]:
        """Two-sided confidence interval of a normal estimate."""
        half = NORMAL.inv_cdf(0.5 + 0.5 * confidence_level) * error
        return self.ratio - half, self.ratio + half

    def probability_above(self, benchmark: float) -> Figure:
        """Probability that the true Sharpe ratio is above a given one, per period.

        Phi((SR - SR*) sqrt(T - 1) / sqrt(1 - skewness SR + (kurtosis - 1) / 4 SR^2)) (Bailey and Lopez de Prado 2012,
        equation 11).
        """
        error = math.sqrt(max(self.variance_factor, 0.0) / (self.observations - 1))
        distance = quotient(self.ratio - benchmark, error, NO_VARIANCE)
        return if_known(distance, NORMAL.cdf)

    def minimum_track_record(self, benchmark: float, confidence_level: float) -> Figure:
        """Periods needed for that probability to reach a confidence level.

        1 + (1 - skewness SR + (kurtosis - 1) / 4 SR^2) (Z / (SR - SR*))^2 (Bailey and Lopez de Prado 2012, eq. 13). A
        level of 1/2 or less is reached by any track record.
        """
        if self.ratio <= benchmark:
            return Absent(NOT_ABOVE)
        needed = max(NORMAL.inv_cdf(confidence_level), 0.0) / (self.ratio - benchmark)
        return finite(1.0 + max(self.variance_factor, 0.0) * needed * needed)


def sharpe_ratios(columns: Matrix) -> Vector:
    """Sharpe ratios per period of N series that vary (T, N), (N,)."""
    result: Vector = columns.mean(axis=0) / columns.std(axis=0, ddof=1)
    return result
