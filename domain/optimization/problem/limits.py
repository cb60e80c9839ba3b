"""Limits on the weight vector of N assets, each under the label that the caller gave its constraint."""

from dataclasses import field
from typing import assert_never

import numpy as np

from domain.checks import Matrix, Vector
from domain.optimization.problem.portfolio_risk import PortfolioRisk
from domain.optimization.problem.selection_limits import SelectionLimit
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """Bounds on single weights, infinite where there is none."""

    label: str
    lower: Vector  # (N,)
    upper: Vector  # (N,)
    is_short_limit: bool = False  # a largest sum of shorts of 0: to relax it is to allow a sum

    @property
    def as_sum(self) -> "AbsoluteSum":
        """The same limit as a sum of shorts."""
        return AbsoluteSum(self.label, np.zeros(len(self.lower)), 0.0, shorts=True)


@dataclass(frozen=True, slots=True)
class Row:
    """lower <= coefficients . w <= upper."""

    label: str
    coefficients: Vector  # (N,)
    lower: float
    upper: float

    @property
    def is_budget(self) -> bool:
        """Whether it fixes the sum of all weights."""
        return self.lower == self.upper and bool((self.coefficients == 1.0).all())


@dataclass(frozen=True, slots=True)
class AbsoluteSum:
    """sum |w - centre| <= maximum, or with `shorts` the sum of max(-w, 0)."""

    label: str
    centre: Vector  # (N,)
    maximum: float
    shorts: bool = False
    factor: float = 1.0  # units of this sum in one unit of the caller's own, 2 for one-way turnover

    def value(self, weights: Vector) -> float:
        """The sum for these weights."""
        amounts = np.maximum(-weights, 0.0) if self.shorts else np.abs(weights - self.centre)
        return float(amounts.sum())


@dataclass(frozen=True, slots=True)
class RiskCap:
    """unit * risk(w - centre) <= maximum; the risk is per period, the maximum in the limit's own unit."""

    label: str
    risk: PortfolioRisk
    centre: Vector  # (N,), the benchmark, or 0
    maximum: float
    unit: float = 1.0
    cuts: "list[Row]" = field(default_factory=list, compare=False)  # what it is known to imply, gathered in solving

    def value(self, weights: Vector) -> float:
        """What is limited, for these weights."""
        return self.unit * self.risk.of(weights - self.centre)


@dataclass(frozen=True, slots=True)
class ContributionBounds:
    """lower <= w_i (Cw)_i / w'Cw <= upper, infinite where there is no bound; a portfolio without risk has no
    contributions."""

    label: str
    covariance: Matrix  # (N, N)
    lower: Vector  # (N,)
    upper: Vector  # (N,)

    def value(self, weights: Vector) -> Vector | None:
        """Each asset's contribution as a fraction of the variance, (N,), or None where the variance is 0."""
        marginal_risk = self.covariance @ weights
        variance = float(weights @ marginal_risk)
        return weights * marginal_risk / variance if variance > 0.0 else None

    def excess(self, weights: Vector) -> float:
        """By how much the worst contribution is outside its bounds."""
        contributions = self.value(weights)
        return (
            0.0
            if contributions is None
            else float(np.maximum(self.lower - contributions, contributions - self.upper).max(initial=0.0))
        )


Limit = Box | Row | AbsoluteSum | RiskCap | SelectionLimit | ContributionBounds


def excess(limit: Limit, weights: Vector) -> float:
    """By how much weights miss one limit, in its own unit, 0 if they keep it."""
    match limit:
        case Box():
            return float(np.maximum(limit.lower - weights, weights - limit.upper).max(initial=0.0))
        case Row():
            value = float(limit.coefficients @ weights)
            return max(limit.lower - value, value - limit.upper, 0.0)
        case AbsoluteSum():
            return max(limit.value(weights) - limit.maximum, 0.0) / limit.factor
        case RiskCap():
            return max(limit.value(weights) - limit.maximum, 0.0)
        case SelectionLimit() | ContributionBounds():
            return limit.excess(weights)
        case _:
            assert_never(limit)
