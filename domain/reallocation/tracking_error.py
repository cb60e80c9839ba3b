"""Tracking error of weights to a target, from stored prices."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from domain.errors import InvalidInput
from domain.estimation.moments import Estimation, estimate_moments
from domain.market_data.panel import PricePanel
from domain.market_data.source import infer_periods_per_year
from domain.risk.model import RiskModel


@dataclass(frozen=True, slots=True)
class ActiveRisk:
    """The sample covariance of N assets, to measure differences of weights with."""

    symbols: tuple[str, ...]
    model: RiskModel  # of returns per period, (N, N)
    periods_per_year: float

    @classmethod
    def of(cls, prices: PricePanel) -> "ActiveRisk":
        """That of prices (T, N). Raises InvalidInput where they have gaps or too few dates."""
        periods = infer_periods_per_year(None, prices)
        moments = estimate_moments(prices.returns(), Estimation(), periods)
        return cls(prices.symbols, RiskModel.of(moments, periods), periods)

    def annual(self, differences: Mapping[str, float]) -> float:
        """sqrt(d'Sigma d) per year, as a fraction, of differences d to the target weights; cash has no risk.

        Raises InvalidInput for a difference of an asset that the prices do not have.
        """
        unknown = sorted(symbol for symbol, each in differences.items() if each and symbol not in self.symbols)
        if unknown:
            raise InvalidInput(
                "market_data.symbols", f"must have {', '.join(unknown)}: the tracking error depends on it"
            )
        active = np.array([differences.get(symbol, 0.0) for symbol in self.symbols])
        return self.model.deviation(active) * math.sqrt(self.periods_per_year)
