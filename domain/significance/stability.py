"""Whether a Sharpe ratio is that of the whole time, or of a part of it."""

from itertools import pairwise

import numpy as np

from domain.checks import Vector
from domain.records import dataclass
from domain.risk.figure import Absent, Figure
from domain.risk.validation.chi_square import chi_square_survival
from domain.significance.sharpe import SharpeEstimate

LEAST_OF_A_PART = 10
SUB_PERIODS = 4

FEW_RETURNS = f"needs at least {LEAST_OF_A_PART} returns in each part"
FLAT_PART = "the returns of a part do not vary"


@dataclass(frozen=True, slots=True)
class SubPeriod:
    """One of some parts of equal length, but for one date."""

    first: int  # index of its first return
    last: int  # index of its last return
    ratio: Figure  # Sharpe ratio per period

    @property
    def observations(self) -> int:
        """Number of returns."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Stability:
    """The parts, in the order of time, and a test that all have the same Sharpe ratio."""

    parts: tuple[SubPeriod, ...]
    p_value: Figure


def stability(excess: Vector, parts: int) -> Stability | Absent:
    """Of excess returns (T,) in a number of parts, 2 or more."""
    if len(excess) < parts * LEAST_OF_A_PART:
        return Absent(FEW_RETURNS)
    edges = np.linspace(0, len(excess), parts + 1).astype(np.int64)
    estimates = [SharpeEstimate.of(excess[first:end]) for first, end in pairwise(edges)]
    found = tuple(
        SubPeriod(int(first), int(end) - 1, one if isinstance(one, Absent) else one.ratio)
        for (first, end), one in zip(pairwise(edges), estimates, strict=True)
    )
    known = [one for one in estimates if not isinstance(one, Absent)]
    return Stability(found, _equality(known) if len(known) == parts else Absent(FLAT_PART))


def _equality(estimates: list[SharpeEstimate]) -> Figure:
    """p-value of equal ratios: squared distances from their weighted mean, over errors, are chi-squared (Wald)."""
    errors = np.array([one.mertens_error for one in estimates])
    if not (errors > 0.0).all():
        return Absent(FLAT_PART)
    ratios, weights = np.array([one.ratio for one in estimates]), errors**-2.0
    mean = float(weights @ ratios / weights.sum())
    return chi_square_survival(float(weights @ (ratios - mean) ** 2), len(estimates) - 1)
