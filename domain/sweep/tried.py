"""What was tried on the same data before: the best of a sweep is the best of all these trials, not only of its own."""

import math

from domain.checks import Vector
from domain.records import dataclass
from domain.risk.figure import Absent
from domain.significance.multiple_trials import DeflatedSharpe, deflated_sharpe
from domain.significance.sharpe import SharpeEstimate


@dataclass(frozen=True, slots=True)
class SharpeSums:
    """Sums over the Sharpe ratios per period of some trials, which are added where trials are put together."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, ratios: Vector) -> "SharpeSums":
        """Of the ratios of N trials, (N,)."""
        return cls(len(ratios), float(ratios.sum()), float(ratios @ ratios))

    def joined(self, other: "SharpeSums") -> "SharpeSums":
        """Of both."""
        return SharpeSums(self.count + other.count, self.total + other.total, self.squares + other.squares)

    @property
    def dispersion(self) -> float:
        """Standard deviation with the divisor N - 1, of two trials at least."""
        spread = self.squares - self.total * self.total / self.count
        return math.sqrt(max(spread, 0.0) / (self.count - 1))


@dataclass(frozen=True, slots=True)
class EarlierTrials:
    """Trials of sweeps that began before on the same data, those that failed and those that are deleted among them."""

    count: int = 0
    sums: SharpeSums = SharpeSums()  # of those that are known


@dataclass(frozen=True, slots=True)
class DeflatedByAll:
    """The Sharpe ratio of the best trial of a sweep, deflated by the number of all trials on its data."""

    raw: DeflatedSharpe
    effective: DeflatedSharpe


def deflated_by_all(
    returns: Vector, own: Vector, effective: float, tried: int, earlier: EarlierTrials
) -> DeflatedByAll | Absent:
    """Of the best trial's excess returns (T,), beside the Sharpe ratios (N,) of the trials of its sweep, N at least 2.

    `tried` is the number of its trials, those that failed among them. `effective` is the effective number of the N: all
    trials are taken to have the mean correlation that it stands for, since the returns of earlier ones are not kept.
    Trials whose ratio is not known count, and have the dispersion of the others.
    """
    estimate = SharpeEstimate.of(returns)
    if isinstance(estimate, Absent):
        return estimate
    n = len(own)
    dispersion = SharpeSums.of(own).joined(earlier.sums).dispersion
    correlation = (n - effective) / (n - 1)
    trials = tried + earlier.count
    return DeflatedByAll(
        deflated_sharpe(estimate, dispersion, trials),
        deflated_sharpe(estimate, dispersion, correlation + (1.0 - correlation) * trials),
    )
