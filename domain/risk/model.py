"""Risk of portfolios from moments alone, and which assets have none."""

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix, Vector, rounding_of
from domain.estimation.moments import Estimation, estimate_moments, scenario_moments
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.records import dataclass
from domain.risk.contribution import RiskContributions, volatility_contributions

RISKLESS = 1e-15
"""A variance below this fraction of the squared sum of stand-alone risks is a rounding error: all risk cancels."""


@dataclass(frozen=True, slots=True)
class RiskModel:
    """Moments of N assets, and which of them do not vary."""

    moments: Moments
    constant: NDArray[np.bool_]  # (N,), up to rounding where the data is known

    @classmethod
    def of(
        cls,
        data: ReturnPanel | Scenarios | Moments,
        periods_per_year: float,
        estimation: Estimation | None = None,
        check_cancelled: CancellationCheck = never_cancelled,
    ) -> "RiskModel":
        """Estimated from a complete panel, by its sample moments unless another way is named; probability-weighted
        moments of scenarios; or moments as they are.

        Raises InvalidInput for fewer than two returns.
        """
        if isinstance(data, Moments):
            return cls(data, data.volatilities <= 0.0)
        if isinstance(data, Scenarios):
            possible = data.values[data.probabilities > 0.0]
            return cls(scenario_moments(data, periods_per_year), _constant(possible))
        wanted = estimation or Estimation()
        return cls(
            estimate_moments(data, wanted, periods_per_year, check_cancelled), _constant(wanted.assets_of(data).values)
        )

    @property
    def correlation(self) -> Matrix:
        """Correlation of the assets, (N, N); NaN in the rows and columns of an asset that does not vary."""
        # A spread whose square is below the smallest double has a variance of 0.
        still = self.constant | (self.moments.volatilities <= 0.0)
        volatilities = np.where(still, np.nan, self.moments.volatilities)
        # One factor at a time: the product of two small volatilities could underflow.
        result: Matrix = (self.moments.covariance / volatilities / volatilities[:, None]).clip(-1.0, 1.0)
        np.fill_diagonal(result, np.where(still, np.nan, 1.0))
        return result

    @property
    def volatilities_annual(self) -> Vector:
        """Of each asset, (N,): per period x sqrt(periods per year)."""
        result: Vector = self.moments.volatilities * self.moments.periods_per_year**0.5
        return result

    def deviation(self, weights: Vector) -> float:
        """Standard deviation of a portfolio per period: sqrt(w'Sigma w), exactly 0 where all risk cancels."""
        variance = float(weights @ self.moments.covariance @ weights)
        alone = float(np.abs(weights) @ self.moments.volatilities) ** 2
        return variance**0.5 if variance > RISKLESS * alone else 0.0

    def contributions(self, weights: Vector) -> RiskContributions:
        """Marginal and component contributions to the annual volatility; none where all risk cancels."""
        if self.deviation(weights) == 0.0:
            # Contributions to a risk that cancels are rounding errors.
            return RiskContributions(0.0 * weights, 0.0 * weights, 0.0)
        return volatility_contributions(self.moments, weights)


def _constant(returns: Matrix) -> NDArray[np.bool_]:
    return np.array([float(np.ptp(column)) <= rounding_of(column) for column in returns.T])
