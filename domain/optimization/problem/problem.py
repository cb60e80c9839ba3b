"""One optimisation problem, complete and checked, before anything is solved."""

from dataclasses import field

import numpy as np

from domain.checks import Vector, figures, open_fraction, same_length
from domain.costs.trading import TradingCosts
from domain.errors import InvalidInput
from domain.market_data.moments import Moments
from domain.market_data.panel import Scenarios
from domain.optimization.problem.portfolio_risk import PortfolioRisk
from domain.optimization.request.constraints import (
    Cardinality,
    Constraint,
    GroupBounds,
    Leverage,
    Linear,
    RiskContributionBounds,
    Turnover,
    WeightBounds,
)
from domain.optimization.request.objectives import FactorBudget, Objective, RelaxedRiskBudget, RiskBudget, Tracking
from domain.optimization.request.solver_options import SolverOptions
from domain.records import dataclass
from domain.risk.measures import RiskMeasure


@dataclass(frozen=True, slots=True)
class Problem:
    """Data, objective and constraints: all that a solver needs.

    `scenarios` is needed only by measures of a distribution; its symbols are those of the moments.
    Raises InvalidInput when parts do not fit together, with the field named.
    """

    moments: Moments
    objective: Objective
    risk_measure: RiskMeasure = RiskMeasure.VARIANCE
    confidence_level: float = 0.95
    constraints: tuple[Constraint, ...] = ()
    current_weights: Vector | None = None  # (N,)
    scenarios: Scenarios | None = None
    options: SolverOptions = field(default_factory=SolverOptions)
    costs: TradingCosts | None = None  # of trading away from the current weights

    def __post_init__(self) -> None:
        open_fraction("confidence_level", self.confidence_level)
        self.moments.require_solvable()
        symbols = self.moments.symbols
        if self.current_weights is not None:
            same_length("current_weights", figures("current_weights", self.current_weights), "symbols", symbols)
        if isinstance(self.objective, RiskBudget | RelaxedRiskBudget) and self.objective.budgets is not None:
            same_length("objective.risk_budget.budgets", self.objective.budgets, "symbols", symbols)
        if isinstance(self.objective, FactorBudget):
            same_length("objective.risk_budget.factor_budgets", self.objective.loadings, "symbols", symbols)
        if isinstance(self.objective, Tracking):
            same_length("objective.tracking.benchmark", self.objective.benchmark, "symbols", symbols)
        if self.scenarios is not None and self.scenarios.symbols != symbols:
            raise InvalidInput("scenarios", "must have the symbols of the moments, in their order")
        self._check_constraints()

    def _check_constraints(self) -> None:
        known = set(self.moments.symbols)
        labels: set[str] = set()
        leverages = 0
        for i, constraint in enumerate(self.constraints):
            if constraint.label in labels:
                raise InvalidInput(f"constraints[{i}].label", f"{constraint.label} is used twice")
            labels.add(constraint.label)
            if isinstance(constraint, Linear):
                for k, name in enumerate(constraint.terms):
                    if name not in known:
                        path = f"constraints[{i}].terms[{k}].symbol"
                        raise InvalidInput(path, f"{name} is not a symbol of this problem")
            names: tuple[str, ...] = ()
            if isinstance(constraint, WeightBounds | GroupBounds | Cardinality | RiskContributionBounds):
                names = constraint.symbols
            for name in names:
                if name not in known:
                    raise InvalidInput(f"constraints[{i}].symbols", f"{name} is not a symbol of this problem")
            if isinstance(constraint, Turnover) and self.current_weights is None:
                raise InvalidInput("current_weights", f"must be given: constraint {constraint.label} limits turnover")
            leverages += isinstance(constraint, Leverage)
        if leverages > 1:
            raise InvalidInput("constraints", "may hold at most one leverage constraint")

    def risk_in(self, measure: RiskMeasure) -> PortfolioRisk:
        """The risk of weights in any measure, on this problem's data."""
        return PortfolioRisk(measure, self.moments, self.scenarios, self.confidence_level)

    @property
    def risk(self) -> PortfolioRisk:
        """The measure of the problem itself."""
        return self.risk_in(self.risk_measure)

    @property
    def deviation(self) -> PortfolioRisk:
        """The standard deviation, whatever the measure of the problem."""
        return self.risk_in(RiskMeasure.STANDARD_DEVIATION)

    @property
    def utility_risk(self) -> PortfolioRisk:
        """The risk that utility subtracts: the variance for the standard deviation, otherwise the measure itself."""
        return self.risk_in(RiskMeasure.VARIANCE) if self.risk_measure.is_quadratic else self.risk

    @property
    def ratio_risk(self) -> PortfolioRisk:
        """The denominator of a ratio: the volatility for the variance, otherwise the measure."""
        return self.deviation if self.risk_measure.is_quadratic else self.risk

    @property
    def leverage(self) -> Leverage | None:
        """The leverage constraint, if there is one."""
        return next((c for c in self.constraints if isinstance(c, Leverage)), None)

    @property
    def budget(self) -> float:
        """Sum of the weights: 1 unless the leverage constraint says otherwise."""
        leverage = self.leverage
        return 1.0 if leverage is None or leverage.budget is None else leverage.budget

    @property
    def budget_field(self) -> str:
        """Path of the budget in the request, for errors."""
        indices = (i for i, constraint in enumerate(self.constraints) if isinstance(constraint, Leverage))
        return f"constraints[{next(indices, 0)}].leverage.budget"

    @property
    def variance_scale(self) -> float:
        """Mean variance of the assets, or 1 where none varies; programs are scaled by it."""
        return float(self.moments.covariance.trace()) / len(self.moments.symbols) or 1.0

    @property
    def periods_per_year(self) -> float:
        """Of the moments."""
        return self.moments.periods_per_year

    @property
    def start_weights(self) -> Vector:
        """Current weights, or none held, (N,)."""
        return np.zeros(len(self.moments.symbols)) if self.current_weights is None else self.current_weights
