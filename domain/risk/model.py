"""The risk of a set of assets: what their moments say, in the units a report speaks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.estimation.moments import Estimation, estimate_moments, scenario_moments
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.risk.outcomes import rounding_of

RISKLESS = 1e-15
"""A variance below this fraction of what the weights carry one by one is rounding: everything cancels."""


@dataclass(frozen=True, slots=True)
class RiskModel:
    """Moments of N assets, and which of the assets do not vary."""

    moments: Moments
    constant: NDArray[np.bool_]  # (N,), told apart from rounding where the data is known

    @classmethod
    def of_returns(cls, returns: ReturnPanel, periods_per_year: float) -> "RiskModel":
        """Sample moments of a complete panel of at least two dates."""
        return cls(estimate_moments(returns, Estimation(), periods_per_year), _constant(returns.values))

    @classmethod
    def of_scenarios(cls, scenarios: Scenarios, periods_per_year: float) -> "RiskModel":
        """Probability-weighted moments."""
        possible = scenarios.values[scenarios.probabilities > 0.0]
        return cls(scenario_moments(scenarios, periods_per_year), _constant(possible))

    @classmethod
    def of_moments(cls, moments: Moments) -> "RiskModel":
        """Moments as they are given."""
        return cls(moments, moments.volatilities <= 0.0)

    @property
    def covariance_annual(self) -> Matrix:
        """Covariance per period times periods per year, (N, N)."""
        result: Matrix = self.moments.covariance * self.moments.periods_per_year
        return result

    @property
    def volatilities_annual(self) -> Vector:
        """Annual volatility of each asset, (N,)."""
        result: Vector = self.moments.volatilities * self.moments.periods_per_year**0.5
        return result

    @property
    def correlation(self) -> Matrix:
        """Correlation of the assets, (N, N); NaN in the rows and columns of an asset that does not vary."""
        volatilities = np.where(self.constant, np.nan, self.moments.volatilities)
        # One factor at a time: the product of two small volatilities would underflow.
        result: Matrix = (self.moments.covariance / volatilities / volatilities[:, None]).clip(-1.0, 1.0)
        np.fill_diagonal(result, np.where(self.constant, np.nan, 1.0))
        return result

    def deviation(self, weights: Vector) -> float:
        """Standard deviation of a portfolio per period: sqrt(w'Sigma w), 0 where all risk cancels."""
        variance = float(weights @ self.moments.covariance @ weights)
        alone = float(np.abs(weights) @ self.moments.volatilities) ** 2
        return variance**0.5 if variance > RISKLESS * alone else 0.0


def _constant(returns: Matrix) -> NDArray[np.bool_]:
    spread = np.ptp(returns, axis=0)
    return np.array([width <= rounding_of(column) for width, column in zip(spread, returns.T, strict=True)])
