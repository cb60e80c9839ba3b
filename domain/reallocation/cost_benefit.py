"""Whether trades are worth their cost: what the fall of the tracking variance is worth, against the cost a year."""

from collections.abc import Mapping

from domain.checks import positive
from domain.errors import InvalidInput
from domain.reallocation.tracking_error import ActiveRisk
from domain.records import dataclass

DAYS_PER_YEAR = 365.0


@dataclass(frozen=True, slots=True)
class CostBenefitRule:
    """As the cost-benefit trigger of a drift band. Raises InvalidInput for figures that are not above 0."""

    risk_aversion: float
    horizon_days: int  # over which the cost is spread

    def __post_init__(self) -> None:
        positive("thresholds.cost_benefit.risk_aversion", self.risk_aversion)
        if self.horizon_days < 1:
            raise InvalidInput("thresholds.cost_benefit.horizon_days", "must be 1 or more")


@dataclass(frozen=True, slots=True)
class CostBenefit:
    """Both as fractions of net asset value a year."""

    benefit_annual: float
    cost_annual: float

    @property
    def worth_it(self) -> bool:
        """Whether the benefit is above the cost."""
        return self.benefit_annual > self.cost_annual


def cost_benefit(
    rule: CostBenefitRule,
    risk: ActiveRisk,
    before: Mapping[str, float],
    after: Mapping[str, float],
    target: Mapping[str, float],
    cost: float,
) -> CostBenefit:
    """Of trades from the weights `before` to those `after`, at a cost as a fraction of net asset value.

    Raises InvalidInput for a difference to the target of an asset that the prices of `risk` do not have.
    """
    fall = _variance(risk, before, target) - _variance(risk, after, target)
    return CostBenefit(0.5 * rule.risk_aversion * fall, cost * DAYS_PER_YEAR / rule.horizon_days)


def _variance(risk: ActiveRisk, weights: Mapping[str, float], target: Mapping[str, float]) -> float:
    symbols = weights.keys() | target.keys()
    error: float = risk.annual({symbol: weights.get(symbol, 0.0) - target.get(symbol, 0.0) for symbol in symbols})
    return error * error
