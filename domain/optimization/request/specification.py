"""A problem before its data is known: what a request, a strategy or a mandate asks for, by symbol.

`problem.resolve.build_problem` joins it with data and returns a `Problem`.
"""

from collections.abc import Mapping
from dataclasses import field, replace

from domain.checks import frequency, group_members
from domain.costs.model import CostModel
from domain.errors import InvalidInput
from domain.estimation.covariance import SampleCovariance
from domain.estimation.moments import (
    Estimation,
)
from domain.market_data.missing import MissingDataPolicy
from domain.optimization.request.constraints import (
    Cardinality,
    Constraint,
    MinimumPosition,
    ReturnFloor,
    RiskContributionBounds,
    RiskLimit,
)
from domain.optimization.request.objectives import (
    CodependenceMeasure,
    Hierarchical,
    HigherMoments,
    Kelly,
    KellyMethod,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    Objective,
    OrderedWeightedAverage,
    RelaxedRiskBudget,
    WorstCase,
    goal_of,
)
from domain.optimization.request.similarity_constraints import (
    SimilarityConstraint,
    needs_returns,
)
from domain.optimization.request.solver_options import EnginePreference, SolverOptions
from domain.records import dataclass
from domain.risk.measures import RiskMeasure


@dataclass(frozen=True, slots=True)
class RiskBudgetBySymbol:
    """Risk budgets before the order of symbols is known."""

    budgets: Mapping[str, float]  # every symbol of the problem, any positive scale


@dataclass(frozen=True, slots=True)
class FactorBudgetBySymbol:
    """Budgets of factors before the order of symbols is known; a symbol that is not named has a loading of 0."""

    factors: tuple[str, ...]
    budgets: tuple[float, ...]
    loadings: tuple[Mapping[str, float], ...]


@dataclass(frozen=True, slots=True)
class RelaxedBudgetBySymbol:
    """Relaxed risk budgets before the order of symbols is known."""

    budgets: Mapping[str, float]
    penalty: float


@dataclass(frozen=True, slots=True)
class TrackingBySymbol:
    """A benchmark to track before the order of symbols is known; a symbol that is not named has a weight of 0."""

    benchmark: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TrackingErrorBySymbol:
    """A tracking error limit before the order of symbols is known; a symbol that is not named has a weight of 0."""

    label: str
    benchmark: Mapping[str, float]
    max_annual: float


@dataclass(frozen=True, slots=True)
class GroupReference:
    """Bounds on a group that is named here and listed elsewhere."""

    label: str
    group: str
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class CardinalityOfGroup:
    """The most assets held of a group that is named here and listed elsewhere."""

    label: str
    group: str
    max_assets: int


ObjectiveBySymbol = RiskBudgetBySymbol | FactorBudgetBySymbol | RelaxedBudgetBySymbol | TrackingBySymbol
ConstraintBySymbol = GroupReference | CardinalityOfGroup | TrackingErrorBySymbol | SimilarityConstraint


@dataclass(frozen=True, slots=True)
class Specification:
    """Everything that a problem consists of, except its data."""

    objective: Objective | ObjectiveBySymbol
    risk_measure: RiskMeasure = RiskMeasure.VARIANCE
    confidence_level: float = 0.95
    constraints: tuple[Constraint | ConstraintBySymbol, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # every member must be a symbol of the input
    stored_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # their other members do not matter
    estimation: Estimation = field(default_factory=Estimation)
    missing_data: MissingDataPolicy = MissingDataPolicy.FAIL
    current_weights: Mapping[str, float] | None = None
    periods_per_year: float | None = None
    options: SolverOptions = field(default_factory=SolverOptions)
    costs: CostModel | None = None  # of trading away from the current weights; lowers the net return

    def __post_init__(self) -> None:
        if self.periods_per_year is not None:
            frequency("periods_per_year", self.periods_per_year)
        for i, (name, members) in enumerate(self.groups.items()):
            group_members(f"groups[{i}]", name, members)

    @property
    def needs_expected_returns(self) -> bool:
        """Whether the answer depends on expected returns."""
        wants_mean = isinstance(goal_of(self.objective), MaxReturn | MaxUtility | MaxRatio | Kelly)
        wants_mean |= isinstance(self.objective, HigherMoments) and not self.objective.ignore_mean
        return wants_mean or any(isinstance(constraint, ReturnFloor) for constraint in self.constraints)

    @property
    def needs_distribution(self) -> bool:
        """Whether moments are not enough."""
        if isinstance(self.objective, Kelly) and self.objective.method is not KellyMethod.QUADRATIC:
            return True
        if isinstance(self.objective, WorstCase | OrderedWeightedAverage | HigherMoments):
            return True
        if isinstance(self.objective, Hierarchical) and not self._codependence_follows_from_moments(
            self.objective.codependence
        ):
            return True
        if self.limits_need_returns:
            return True
        measures = [self.risk_measure, *(c.risk_measure for c in self.constraints if isinstance(c, RiskLimit))]
        return not all(measure.is_quadratic for measure in measures)

    def _codependence_follows_from_moments(self, codependence: CodependenceMeasure) -> bool:
        """Whether the covariance determines the codependence: Pearson's is that of the sample."""
        of_sample = self.estimation.covariance == SampleCovariance() and self.estimation.views is None
        return codependence is CodependenceMeasure.CUSTOM_COVARIANCE or (
            codependence is CodependenceMeasure.PEARSON and of_sample
        )

    @property
    def limits_need_returns(self) -> bool:
        """Whether a constraint depends on how similar the assets' returns are."""
        return any(isinstance(c, SimilarityConstraint) and needs_returns(c) for c in self.constraints)

    @property
    def is_quick(self) -> bool:
        """Whether one quadratic or linear program, or a formula, solves it: about a millisecond for fifty assets."""
        slow = isinstance(self.objective, Kelly | WorstCase | OrderedWeightedAverage | Hierarchical | RelaxedRiskBudget)
        slow = slow or isinstance(self.objective, HigherMoments)
        cones = TrackingErrorBySymbol | RiskLimit | RiskContributionBounds
        held = Cardinality | CardinalityOfGroup | MinimumPosition | SimilarityConstraint
        special = slow or isinstance(self.objective, RelaxedBudgetBySymbol | TrackingBySymbol)
        convex = self.costs is not None or any(isinstance(one, cones | held) for one in self.constraints)
        heavy = self.needs_distribution or self.estimation.is_heavy or self.options.engine is EnginePreference.RISKFOLIO
        return not (special or convex or heavy)

    def missing_groups(self) -> tuple[str, ...]:
        """Groups that constraints name and this specification does not list."""
        named = (c.group for c in self.constraints if isinstance(c, GroupReference | CardinalityOfGroup))
        return tuple(dict.fromkeys(g for g in named if g not in self.groups and g not in self.stored_groups))

    def with_constraints(self, more: "tuple[Constraint | ConstraintBySymbol, ...]") -> "Specification":
        """The same with further constraints."""
        return replace(self, constraints=(*self.constraints, *more))

    def without_constraints(self, labels: tuple[str, ...]) -> "Specification":
        """The same without the constraints of these labels. Raises InvalidInput for a label that none has."""
        known = [constraint.label for constraint in self.constraints]
        for i, label in enumerate(labels):
            if label not in known:
                named = ", ".join(known) or "there is none"
                raise InvalidInput(f"disabled_constraints[{i}]", f"{label} is no label of a constraint: {named}")
        kept = tuple(constraint for constraint in self.constraints if constraint.label not in labels)
        return replace(self, constraints=kept)

    def with_groups(self, groups: Mapping[str, tuple[str, ...]]) -> "Specification":
        """The same with those of the stored groups that it names and does not list.

        Of their members only those among the symbols of the input count.
        """
        missing = self.missing_groups()
        if not missing:
            return self
        found = {name: groups[name] for name in missing if name in groups}
        return replace(self, stored_groups={**self.stored_groups, **found})
