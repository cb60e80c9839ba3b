"""A portfolio against a benchmark, on the periods that both have."""

from dataclasses import dataclass

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import InvalidInput
from domain.market_data.panel import Panel, PricePanel
from domain.risk.outcomes import Outcomes


@dataclass(frozen=True, slots=True)
class Comparison:
    """Returns of assets and of a benchmark over the same T periods, none at all where they have no date in common."""

    assets: Matrix  # (T, N)
    benchmark: Vector  # (T,)


@dataclass(frozen=True, slots=True)
class RelativeRisk:
    """Figures against a benchmark, None where they are not defined."""

    beta: float | None  # slope of the portfolio's returns on the benchmark's
    correlation: float | None
    tracking_error_annual: float | None  # standard deviation of the active return
    information_ratio: float | None  # annual mean of the active return / tracking error


def compare(assets: Panel, benchmark: Panel) -> Comparison:
    """Both on their common dates; prices are aligned before returns are taken, so that periods are the same.

    `assets` is complete and of the benchmark's kind; dates on which the benchmark has no value do not count. Raises
    InvalidInput when the benchmark has more than one column.
    """
    if len(benchmark.symbols) != 1:
        raise InvalidInput("benchmark.symbols", f"must name one column, names {len(benchmark.symbols)}")
    known = ~np.isnan(benchmark.values[:, 0])
    _, ours, theirs = np.intersect1d(assets.dates, benchmark.dates[known], return_indices=True)
    values, reference = assets.values[ours], benchmark.values[known, 0][theirs]
    if isinstance(assets, PricePanel):
        return Comparison(values[1:] / values[:-1] - 1.0, reference[1:] / reference[:-1] - 1.0)
    return Comparison(values, reference)


def relative_risk(comparison: Comparison, weights: Vector, periods_per_year: float) -> RelativeRisk:
    """Of constant weights (N,); standard deviations with divisor T - 1. Nothing is defined for T below 2."""
    if len(comparison.benchmark) < 2:
        return RelativeRisk(None, None, None, None)
    portfolio = Outcomes.of_portfolio(comparison.assets, weights)
    benchmark = Outcomes.of_portfolio(comparison.benchmark[:, None], np.ones(1))
    active = portfolio.less(benchmark)
    deviation, reference, error = portfolio.deviation, benchmark.deviation, active.deviation
    covariance = portfolio.covariance_with(benchmark)
    varies = deviation > 0.0 and reference > 0.0
    return RelativeRisk(
        beta=covariance / reference / reference if reference > 0.0 else None,
        # Rounding may carry a perfect correlation past one.
        correlation=max(-1.0, min(1.0, covariance / deviation / reference)) if varies else None,
        tracking_error_annual=error * periods_per_year**0.5,
        information_ratio=active.mean / error * periods_per_year**0.5 if error > 0.0 else None,
    )
