"""The risk of weights in one measure, from moments where they are enough and from scenarios where they are not."""

import numpy as np

from domain.checks import Vector, constant_columns
from domain.errors import NotSupported
from domain.market_data.moments import Moments
from domain.market_data.panel import Scenarios
from domain.records import dataclass
from domain.risk.measures import RiskMeasure
from domain.risk.outcomes import Outcomes
from domain.risk.scenario_risk import scenario_risk


@dataclass(frozen=True, slots=True)
class PortfolioRisk:
    """A measure of the risk per period of N weights."""

    measure: RiskMeasure
    moments: Moments
    scenarios: Scenarios | None
    confidence_level: float

    @property
    def symbols(self) -> tuple[str, ...]:
        """Of the weights."""
        return self.moments.symbols

    @property
    def distribution(self) -> Scenarios:
        """The scenarios. Raises NotSupported where there are none."""
        if self.scenarios is None:
            raise NotSupported(f"{self.measure} needs returns, prices or scenarios: moments are no distribution")
        return self.scenarios

    def of(self, weights: Vector) -> float:
        """The risk of weights (N,), homogeneous of the measure's degree."""
        if self.measure.is_quadratic:
            variance = max(0.0, float(weights @ self.moments.covariance @ weights))
            return variance if self.measure is RiskMeasure.VARIANCE else variance**0.5
        scenarios = self.distribution
        probabilities = None if scenarios.are_observations else scenarios.probabilities
        outcomes = Outcomes(scenarios.values @ weights, probabilities)
        return scenario_risk(self.measure, outcomes, self.confidence_level)

    @property
    def scale(self) -> float:
        """The risk of a typical asset, to the first degree; programs are scaled by it. Where nothing varies, the size
        of a typical return, or 1."""
        if self.measure.is_quadratic:
            scale = float(np.diag(self.moments.covariance).mean()) ** 0.5
        else:
            values = self.distribution.values
            spread = values.std(axis=0)
            varies = ~constant_columns(values)
            scale = float(spread[varies].mean()) if varies.any() else float(np.abs(values).mean())
        return scale or 1.0
