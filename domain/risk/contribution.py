"""Euler risk contributions: the part of a portfolio's risk due to each asset, group or factor.

A measure that is positively homogeneous is the sum of its contributions (Tasche 1999, "Risk contributions and
performance measurement"); so is one of degree two, such as the variance, when each is halved.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.market_data.moments import Moments
from domain.records import dataclass
from domain.risk.gradients import scenario_gradient
from domain.risk.measures import RiskMeasure
from domain.risk.outcomes import Outcomes
from domain.risk.scenario_risk import scenario_risk


@dataclass(frozen=True, slots=True)
class RiskContributions:
    """Contributions of N assets to one risk figure, in that figure's own unit."""

    marginal: Vector  # (N,), change of the total per unit of weight
    by_asset: Vector  # (N,), weight times marginal; sums to total
    total: float

    @property
    def fractions(self) -> Vector | None:
        """Fractions of the total, (N,), or None where the total is 0."""
        return self.by_asset / self.total if self.total > 0.0 else None


@dataclass(frozen=True, slots=True)
class GroupContribution:
    """The contribution of a group of assets, or of a factor, to a risk figure."""

    name: str  # empty for the assets in no group, and for the part that no factor explains
    weight: float  # sum of the weights in it, or the portfolio's exposure to the factor
    contribution: float
    fraction: float | None  # of the total, None where that is 0


def volatility_contributions(moments: Moments, weights: Vector) -> RiskContributions:
    """Contributions to annual volatility: w_i (Sigma w)_i / sqrt(w'Sigma w).

    A riskless portfolio has total 0 and contributions 0, not NaN.
    """
    gradient = moments.covariance @ weights * moments.periods_per_year
    variance = float(weights @ gradient)
    if variance <= 0.0:
        nothing = np.zeros_like(weights)
        return RiskContributions(nothing, nothing, 0.0)
    total = variance**0.5
    return RiskContributions(gradient / total, weights * gradient / total, total)


def measure_contributions(
    measure: RiskMeasure, returns: Matrix, weights: Vector, outcomes: Outcomes, confidence_level: float
) -> RiskContributions:
    """Contributions of N assets' returns (S, N) to a measure of the portfolio's outcomes, in the measure's own unit.

    Raises NotSupported where the measure needs time or equal probabilities and the outcomes have none.
    """
    marginal = returns.T @ scenario_gradient(measure, outcomes, confidence_level)
    return RiskContributions(
        marginal, weights * marginal / measure.degree, scenario_risk(measure, outcomes, confidence_level)
    )


def by_group(
    contributions: RiskContributions, weights: Vector, groups: Mapping[str, NDArray[np.bool_]]
) -> tuple[GroupContribution, ...]:
    """Contributions of groups of the N assets, and last of the assets in none. An asset may be in several."""
    parts = dict(groups)
    alone = ~np.any(list(groups.values()), axis=0) if groups else np.ones(len(weights), dtype=bool)
    if alone.any():
        parts[""] = alone
    return tuple(
        _part(name, float(weights[inside].sum()), float(contributions.by_asset[inside].sum()), contributions.total)
        for name, inside in parts.items()
    )


def by_factor(
    names: Sequence[str], exposures: Vector, contributions: Vector, total: float
) -> tuple[GroupContribution, ...]:
    """Contributions of K factors, and last of the unexplained part."""
    explained = [
        _part(name, exposure, carried, total)
        for name, exposure, carried in zip(names, exposures.tolist(), contributions.tolist(), strict=True)
    ]
    return (*explained, _part("", 1.0, total - float(contributions.sum()), total))


def _part(name: str, weight: float, contribution: float, total: float) -> GroupContribution:
    return GroupContribution(name, weight, contribution, contribution / total if total > 0.0 else None)
