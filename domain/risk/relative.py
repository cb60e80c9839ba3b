"""A portfolio against a benchmark, on the periods that both have."""

from dataclasses import dataclass

import numpy as np

from domain.checks import Vector
from domain.errors import InvalidInput
from domain.market_data.panel import Panel, PricePanel, ReturnPanel


@dataclass(frozen=True, slots=True)
class Comparison:
    """Returns of assets and of a benchmark over the same periods."""

    assets: ReturnPanel  # (T, N)
    benchmark: Vector  # (T,)


@dataclass(frozen=True, slots=True)
class RelativeRisk:
    """Figures against a benchmark; None where the benchmark or the difference does not vary."""

    beta: float | None
    correlation: float | None
    tracking_error_annual: float
    information_ratio: float | None


def compare(assets: Panel, benchmark: Panel) -> Comparison:
    """Both on their common dates; prices are aligned before returns are taken, so that periods are the same.

    Raises InvalidInput when the benchmark has more than one column or fewer than two periods in common.
    """
    if len(benchmark.symbols) != 1:
        raise InvalidInput("benchmark.symbols", f"must name one column, names {len(benchmark.symbols)}")
    known = ~np.isnan(benchmark.values[:, 0])
    _, ours, theirs = np.intersect1d(assets.dates, benchmark.dates[known], return_indices=True)
    prices = isinstance(assets, PricePanel)
    needed = 3 if prices else 2
    if len(ours) < needed:
        raise InvalidInput("benchmark.dates", f"must share at least {needed} dates with the input, shares {len(ours)}")
    values, reference = assets.values[ours], benchmark.values[known][theirs]
    if prices:
        common = PricePanel.of(assets.symbols, assets.dates[ours], values).returns()
        moved = reference[1:, 0] / reference[:-1, 0] - 1.0
        return Comparison(common, moved)
    return Comparison(ReturnPanel.of(assets.symbols, assets.dates[ours], values), reference[:, 0])


def relative_risk(returns: Vector, benchmark: Vector, periods_per_year: float) -> RelativeRisk:
    """Figures of T returns against T returns of a benchmark; standard deviations with divisor T - 1."""
    spread = np.cov(returns, benchmark)
    active = returns - benchmark
    error = float(active.std(ddof=1)) * periods_per_year**0.5
    varies = spread[0, 0] > 0.0 and spread[1, 1] > 0.0
    return RelativeRisk(
        beta=float(spread[0, 1] / spread[1, 1]) if spread[1, 1] > 0.0 else None,
        correlation=float(spread[0, 1] / (spread[0, 0] * spread[1, 1]) ** 0.5) if varies else None,
        tracking_error_annual=error,
        information_ratio=periods_per_year * float(active.mean()) / error if error > 0.0 else None,
    )
