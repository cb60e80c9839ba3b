"""The result of a reallocation."""

from dataclasses import field

from domain.reallocation.cost_benefit import CostBenefit
from domain.reallocation.harvest_report import HarvestReport
from domain.reallocation.liquidity import LiquidityAssessment
from domain.reallocation.plan import ReallocationPlan
from domain.reallocation.schedule import Trade
from domain.reallocation.summary import Summary
from domain.reallocation.tax_report import TaxReport
from domain.reallocation.trade_impact import TradeImpact
from domain.reallocation.trade_schedule import TradeSchedule
from domain.reallocation.utilization import UtilizationReport
from domain.records import dataclass

OPTIMAL_GAP = 1e-5
"""Gap below which a plan counts as optimal: the solver proves bounds to a millionth."""

LARGEST_GAP = 1e9
"""A larger gap is not told from it."""

OPTIMAL_DRIFT = 1e-12
"""Drift below which a difference is rounding."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing needs to be traded."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Nothing can be traded."""

    reason: str
    message: str
    nearest: tuple[Trade, ...] = ()  # that the limits allow


@dataclass(frozen=True, slots=True)
class Reallocation:
    """The result. The plan has the shortfalls, also where it has no trades."""

    utilization: UtilizationReport
    liquidity: LiquidityAssessment
    outcome: ReallocationPlan | Unchanged | Failure
    plan: ReallocationPlan
    summary: Summary
    objective: float  # residual drift, cost and tax times the aversions to them, at the costs without market impact
    impact: TradeImpact | None = None
    schedule: TradeSchedule | None = None
    taxes: TaxReport = field(default_factory=TaxReport)
    tax_benefit: float = 0.0  # the part of the objective that is below 0, as a positive number
    harvest: HarvestReport = field(default_factory=HarvestReport)
    cost_benefit: CostBenefit | None = None  # None where no threshold asks for it, or nothing was to be traded

    @property
    def gap(self) -> float:
        """The most by which the objective exceeds the least possible one, as a fraction of the size of its terms."""
        excess = max(self.objective - self.plan.least_drift, 0.0)
        size = self.objective + 2.0 * self.tax_benefit
        return min(excess / size, LARGEST_GAP) if size > 0.0 else 0.0 if excess <= OPTIMAL_DRIFT else LARGEST_GAP

    @property
    def optimal(self) -> bool:
        """Whether no plan is known to be able to have a lower objective, but for rounding."""
        return self.gap <= OPTIMAL_GAP or self.objective - self.plan.least_drift <= OPTIMAL_DRIFT
