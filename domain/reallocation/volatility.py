"""Volatility of a portfolio before and after a reallocation."""

import math
from collections.abc import Mapping

import numpy as np

from domain.errors import DomainError
from domain.estimation.moments import Estimation, estimate_moments
from domain.market_data.panel import PricePanel
from domain.market_data.source import infer_periods_per_year
from domain.reallocation.summary import Summary
from domain.records import dataclass
from domain.risk.model import RiskModel


@dataclass(frozen=True, slots=True)
class Volatilities:
    """Standard deviation of returns per year, as a fraction; None where there are no prices to estimate it from."""

    before: float | None = None
    after: float | None = None


def volatilities(summary: Summary, prices: PricePanel) -> Volatilities:
    """Annual volatility at the weights of a summary, by the sample covariance of the prices (T, N).

    None where prices have gaps or too few dates, or lack an asset that is held.
    """
    try:
        periods = infer_periods_per_year(None, prices)
        moments = estimate_moments(prices.returns(), Estimation(), periods)
    except DomainError:
        return Volatilities()
    model = RiskModel.of(moments, periods)
    known = set(prices.symbols)

    def annual(weights: Mapping[str, float]) -> float | None:
        if not set(weights) <= known:
            return None
        return model.deviation(np.array([weights.get(s, 0.0) for s in prices.symbols])) * math.sqrt(periods)

    return Volatilities(annual(summary.weights_before), annual(summary.weights_after))
