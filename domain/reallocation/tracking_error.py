"""Tracking error of weights to a target, from stored prices."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import InvalidInput
from domain.estimation.moments import Estimation, estimate_moments
from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel
from domain.market_data.source import infer_periods_per_year
from domain.records import dataclass
from domain.risk.model import RiskModel

CORRELATION_ROUNDING = 1e-9
"""How far an entry of a correlation may be from what it must be."""


@dataclass(frozen=True, slots=True)
class ActiveRisk:
    """The covariance of N assets, to measure differences of weights with."""

    symbols: tuple[str, ...]
    model: RiskModel  # of returns per period, (N, N)
    periods_per_year: float

    @classmethod
    def of(cls, prices: PricePanel) -> "ActiveRisk":
        """That of prices (T, N). Raises InvalidInput where they have gaps or too few dates."""
        periods = infer_periods_per_year(None, prices)
        moments = estimate_moments(prices.returns(), Estimation(), periods)
        return cls(prices.symbols, RiskModel.of(moments, periods), periods)

    @classmethod
    def of_volatilities(cls, symbols: Sequence[str], volatilities_annual: Vector, correlation: Matrix) -> "ActiveRisk":
        """That of volatilities (N,) and a correlation (N, N) of returns.

        Raises InvalidInput for a correlation that is none, with `correlation` as its field.
        """
        matrix = np.asarray(correlation, dtype=np.float64).reshape(len(symbols), len(symbols))
        if not np.isfinite(matrix).all() or (np.abs(np.diag(matrix) - 1.0) > CORRELATION_ROUNDING).any():
            raise InvalidInput("correlation", "must have ones on its diagonal")
        if (np.abs(matrix) > 1.0 + CORRELATION_ROUNDING).any():
            raise InvalidInput("correlation", "must be from -1 to 1")
        covariance = matrix * volatilities_annual * volatilities_annual[:, None]
        try:
            # Whether it is a correlation does not depend on the volatilities, of which some may be 0.
            Moments.of(symbols, np.zeros(len(symbols)), matrix, 1.0)
            moments = Moments.of(symbols, np.zeros(len(symbols)), covariance, 1.0, repair_covariance=True)
        except InvalidInput as error:
            raise InvalidInput("correlation", error.rule) from None
        return cls(tuple(symbols), RiskModel.of(moments, 1.0), 1.0)

    def check_known(self, symbols: Iterable[str]) -> None:
        """Raises InvalidInput for an asset whose covariance is not known."""
        unknown = sorted(set(symbols) - set(self.symbols))
        if unknown:
            rule = f"needs the covariance of {', '.join(unknown)}, which is not in market_data or the snapshot"
            raise InvalidInput("trade_off.deviation", rule)

    def covariance_annual(self, symbols: Sequence[str]) -> Matrix:
        """Per year, (N, N), of some assets; those that are not known have 0, as cash has."""
        places = {symbol: i for i, symbol in enumerate(self.symbols)}
        known = np.array([places.get(symbol, -1) for symbol in symbols], dtype=np.intp)
        found: Matrix = self.periods_per_year * self.model.moments.covariance[np.ix_(known, known)]
        found[known < 0, :] = found[:, known < 0] = 0.0
        return found

    def factor_annual(self, symbols: Sequence[str]) -> Matrix:
        """A matrix (N, R) whose product with its transpose is the covariance per year of some assets."""
        values, vectors = np.linalg.eigh(self.covariance_annual(symbols))
        kept = values > 0.0
        found: Matrix = vectors[:, kept] * np.sqrt(values[kept])
        return found

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
