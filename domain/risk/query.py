"""The data and parameters of a risk report."""

from collections.abc import Mapping
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector, finite, finite_number, frequency, open_fraction, same_length
from domain.estimation.moments import Estimation
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.records import dataclass
from domain.risk.conventions import OURS, Conventions
from domain.risk.factors import FactorDecomposition
from domain.risk.filtered import DECAY
from domain.risk.measures import RiskMeasure
from domain.risk.model import RiskModel
from domain.risk.relative import Comparison

WORST_DRAWDOWNS = 5


@dataclass(frozen=True, slots=True)
class RiskQuery:
    """Data and parameters of a report. Returns are complete; `comparison` has them with a benchmark on common dates."""

    data: ReturnPanel | Scenarios | Moments
    weights: Vector  # (N,), held constant; 1 - their sum is cash without return
    periods_per_year: float
    confidence_level: float = 0.95
    risk_free_rate_annual: float = 0.0
    comparison: Comparison | None = None
    start: int | None = None  # date of the starting capital in days since 1970-01-01, where it is known
    minimum_acceptable_return_annual: float = 0.0
    benchmark_weights: Vector | None = None  # (N,), for the active share
    estimation: Estimation = field(default_factory=Estimation)  # of the covariance behind contributions and correlation
    model_moments: Moments | None = None  # replace `estimation` where gaps in the data were left to an estimator
    measures: tuple[RiskMeasure, ...] = ()  # to report with their contributions
    groups: Mapping[str, NDArray[np.bool_]] | None = None  # name -> which of the N assets
    factors: FactorDecomposition | None = None
    decay: float = DECAY  # of the volatility that filtered historical VaR takes out
    worst_drawdowns: int = WORST_DRAWDOWNS
    conventions: Conventions = OURS
    expected_returns_given: bool = True  # False for moments without expected returns

    def __post_init__(self) -> None:
        same_length("weights", finite("weights", self.weights), "symbols", self.data.symbols)
        frequency("periods_per_year", self.periods_per_year)
        open_fraction("confidence_level", self.confidence_level)
        finite_number("risk_free_rate_annual", self.risk_free_rate_annual)
        finite_number("minimum_acceptable_return_annual", self.minimum_acceptable_return_annual)
        open_fraction("volatility_filter.lambda", self.decay)
        if isinstance(self.data, Moments) and self.data.periods_per_year != self.periods_per_year:
            raise ValueError("moments carry their own periods per year")

    @property
    def acceptable(self) -> float:
        """The minimum acceptable return per period."""
        return self.minimum_acceptable_return_annual / self.periods_per_year


def risk_model(query: RiskQuery, check_cancelled: CancellationCheck = never_cancelled) -> RiskModel | None:
    """The model behind contributions and correlation; None for a single return, which has no covariance."""
    if query.model_moments is not None:
        return RiskModel.of(query.model_moments, query.periods_per_year)
    if isinstance(query.data, ReturnPanel) and len(query.data.dates) < 2:
        return None
    return RiskModel.of(query.data, query.periods_per_year, query.estimation, check_cancelled)
