"""A problem before its data is known: what a request, a strategy or a mandate asks for, by symbol.

`state` joins it with data and gives a `Problem`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from domain.checks import Vector, frequency, group_members, known_members
from domain.costs.model import CostModel
from domain.costs.trading import TradingCosts
from domain.errors import InvalidInput, NotSupported
from domain.estimation import codependence as alike
from domain.estimation.covariance import SampleCovariance
from domain.estimation.diagnostics import EstimationDiagnostics, diagnosed, of_moments
from domain.estimation.moments import (
    Estimation,
    estimate_moments,
    pooled_scenarios,
    scenario_moments,
    with_views,
)
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.moments import Moments
from domain.market_data.panel import Scenarios
from domain.market_data.source import MarketInput, complete_returns, infer_periods_per_year
from domain.optimization.problem.codependence import likeness_of
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.problem import EnginePreference, Problem, SolverOptions
from domain.optimization.request.constraints import (
    Cardinality,
    Constraint,
    GroupBounds,
    Leverage,
    MinimumPosition,
    ReturnFloor,
    RiskContributionBounds,
    RiskLimit,
    TrackingError,
)
from domain.optimization.request.objectives import (
    Codependence,
    FactorBudget,
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
    RiskBudget,
    Tracking,
    WorstCase,
    goal_of,
)
from domain.optimization.request.similarity_constraints import (
    CentralityBounds,
    ClusterLimit,
    LikenessLimit,
    NetworkLimit,
    needs_returns,
    resolved,
)
from domain.portfolio import weights_by_symbol
from domain.progress import OnProgress, no_progress
from domain.risk.measures import RiskMeasure


@dataclass(frozen=True, slots=True)
class RiskBudgetBySymbol:
    """Risk budgets before the order of symbols is known."""

    budgets: Mapping[str, float]  # every symbol of the problem, any positive scale


@dataclass(frozen=True, slots=True)
class FactorBudgetBySymbol:
    """Budgets of factors before the order of symbols is known; who is not named does not load."""

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
    """A benchmark to track before the order of symbols is known; who is not named is not in it."""

    benchmark: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TrackingErrorBySymbol:
    """A tracking error limit before the order of symbols is known; who is not named is not in the benchmark."""

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
ConstraintBySymbol = GroupReference | CardinalityOfGroup | TrackingErrorBySymbol | LikenessLimit


@dataclass(frozen=True, slots=True)
class Specification:
    """Everything of a problem but its data."""

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
    costs: CostModel | None = None  # of trading away from the current weights; lowers what is gained

    def __post_init__(self) -> None:
        if self.periods_per_year is not None:
            frequency("periods_per_year", self.periods_per_year)
        for i, (name, members) in enumerate(self.groups.items()):
            group_members(f"groups[{i}]", name, members)

    @property
    def needs_expected_returns(self) -> bool:
        """Whether the answer depends on them."""
        wants_mean = isinstance(goal_of(self.objective), MaxReturn | MaxUtility | MaxRatio | Kelly)
        wants_mean |= isinstance(self.objective, HigherMoments) and not self.objective.ignore_mean
        return wants_mean or any(isinstance(constraint, ReturnFloor) for constraint in self.constraints)

    @property
    def needs_distribution(self) -> bool:
        """Whether moments are not enough."""
        if isinstance(self.objective, Kelly):
            return self.objective.method is not KellyMethod.QUADRATIC
        if isinstance(self.objective, WorstCase | OrderedWeightedAverage | HigherMoments):
            return True
        if isinstance(self.objective, Hierarchical) and not self._likeness_is_of_moments(self.objective.codependence):
            return True
        if self.limits_need_returns:
            return True
        measures = [self.risk_measure, *(c.risk_measure for c in self.constraints if isinstance(c, RiskLimit))]
        return not all(measure.is_quadratic for measure in measures)

    def _likeness_is_of_moments(self, codependence: Codependence) -> bool:
        """Whether the covariance says it already: Pearson's is that of the sample."""
        of_sample = self.estimation.covariance == SampleCovariance() and self.estimation.views is None
        return codependence is Codependence.CUSTOM_COVARIANCE or (codependence is Codependence.PEARSON and of_sample)

    @property
    def limits_need_returns(self) -> bool:
        """Whether a limit follows from how alike the returns of assets are."""
        return any(isinstance(c, LikenessLimit) and needs_returns(c) for c in self.constraints)

    @property
    def is_quick(self) -> bool:
        """Whether a quadratic or linear program or a formula answers, in about a millisecond for fifty assets."""
        slow = isinstance(self.objective, Kelly | WorstCase | OrderedWeightedAverage | Hierarchical | RelaxedRiskBudget)
        slow = slow or isinstance(self.objective, HigherMoments)
        cones = TrackingErrorBySymbol | RiskLimit | RiskContributionBounds
        held = Cardinality | CardinalityOfGroup | MinimumPosition | LikenessLimit
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

    def with_groups(self, groups: Mapping[str, tuple[str, ...]]) -> "Specification":
        """The same with those of the stored groups that it names and does not list.

        Of their members only those among the symbols of the input count.
        """
        missing = self.missing_groups()
        if not missing:
            return self
        found = {name: groups[name] for name in missing if name in groups}
        return replace(self, stored_groups={**self.stored_groups, **found})


def state(specification: Specification, data: MarketInput, on_progress: OnProgress = no_progress) -> Problem:
    """The problem that a specification poses on data.

    Raises InvalidInput with the field named when the two do not fit: an unknown symbol, a group without members, a
    missing value under the policy FAIL, no periods per year where they cannot be inferred. `on_progress` is called
    between the steps of estimators and raises to stop.
    """
    return pose(specification, universe_of(specification, data, on_progress), on_progress)


def diagnosis(
    specification: Specification, data: MarketInput, problem: Problem, on_progress: OnProgress = no_progress
) -> EstimationDiagnostics:
    """How good the moments are that a problem was posed with on this data."""
    on_progress()
    if isinstance(data, Moments):
        return of_moments(problem.moments)
    if isinstance(data, Scenarios) or specification.estimation.is_pooled:
        return of_moments(problem.moments, None if problem.scenarios is None else problem.scenarios.probabilities)
    returns = complete_returns(data, specification.missing_data)
    assets = np.isin(returns.symbols, problem.moments.symbols)
    return diagnosed(specification.estimation, returns.values[:, assets], problem.moments.covariance)


@dataclass(frozen=True, slots=True)
class Universe:
    """What the data says to a problem: estimated once, shared by as many problems as are posed on it."""

    moments: Moments
    scenarios: Scenarios | None  # where the measure needs a distribution
    _likenesses: dict[Codependence, alike.Codependence] = field(default_factory=dict, repr=False, compare=False)

    def likeness(self, kind: Codependence, on_progress: OnProgress = no_progress) -> alike.Codependence:
        """How alike the assets are, measured once. Raises NotSupported where that needs returns."""
        if kind not in self._likenesses:
            self._likenesses[kind] = likeness_of(kind, self.moments, self.scenarios, on_progress)
        return self._likenesses[kind]


def universe_of(specification: Specification, data: MarketInput, on_progress: OnProgress = no_progress) -> Universe:
    """Moments and scenarios of data, as a specification estimates them."""
    estimation = specification.estimation
    if not estimation.is_pooled:
        return Universe(_moments(specification, data, on_progress), _scenarios(specification, data))
    if isinstance(data, Moments):
        raise NotSupported("METHOD_ENTROPY_POOLING needs returns, prices or scenarios: it reweights them")
    periods = infer_periods_per_year(specification.periods_per_year, data, specification.missing_data)
    given = (
        data
        if isinstance(data, Scenarios)
        else Scenarios.from_returns(complete_returns(data, specification.missing_data))
    )
    pooled = pooled_scenarios(given, estimation, periods, on_progress)
    return Universe(scenario_moments(pooled, periods), pooled)


def pose(specification: Specification, universe: Universe, on_progress: OnProgress = no_progress) -> Problem:
    """The problem that a specification poses on a universe. Raises InvalidInput as `state` does."""
    moments = universe.moments
    symbols = moments.symbols
    _only_assets(specification)
    known = frozenset(symbols)
    known_members("groups", specification.groups, known)
    problem = Problem(
        moments=moments,
        objective=_objective(specification.objective, symbols),
        risk_measure=specification.risk_measure,
        confidence_level=specification.confidence_level,
        constraints=tuple(
            _resolved(i, c, specification, universe, known, on_progress)
            for i, c in enumerate(specification.constraints)
        ),
        current_weights=_weights(specification, symbols),
        scenarios=universe.scenarios,
        options=specification.options,
    )
    costs = trading_costs(specification, problem)
    return replace(problem, costs=costs) if _seeks_return(specification.objective) else problem


def trading_costs(specification: Specification, problem: Problem) -> TradingCosts | None:
    """What it costs to leave the current weights of a posed problem, whether its objective counts that or not.

    Raises InvalidInput where a figure is missing.
    """
    model = specification.costs
    if model is None:
        return None
    movable = np.ones(len(problem.moments.symbols), dtype=bool)
    if model.impact is not None:
        limits = feasible_set(problem)
        movable = (limits.lower != limits.upper) | (limits.lower != problem.start_weights)
    return model.trading(problem.moments, problem.start_weights, movable)


def _only_assets(specification: Specification) -> None:
    """Raises InvalidInput for a weight on what the estimation says is a factor."""
    estimation, objective = specification.estimation, specification.objective
    estimation.only_assets("current_weights", specification.current_weights or ())
    match objective:
        case RiskBudgetBySymbol(budgets):
            estimation.only_assets("objective.risk_budget.budgets", budgets)
        case RelaxedBudgetBySymbol(budgets):
            estimation.only_assets("objective.relaxed_risk_budget.budgets", budgets)
        case TrackingBySymbol(benchmark):
            estimation.only_assets("objective.tracking.benchmark", benchmark)


def _seeks_return(objective: Objective | ObjectiveBySymbol) -> bool:
    """Whether a cost has the unit of what is sought; against a risk it has no price."""
    return isinstance(goal_of(objective), MaxReturn | MaxUtility | MaxRatio)


def _objective(objective: Objective | ObjectiveBySymbol, symbols: tuple[str, ...]) -> Objective:
    match objective:
        case RiskBudgetBySymbol(budgets):
            return RiskBudget(_all_symbols("objective.risk_budget.budgets", budgets, symbols))
        case FactorBudgetBySymbol(factors, shares, loadings):
            path = "objective.risk_budget.factor_budgets"
            columns = [_benchmark(f"{path}[{k}].loadings", one, symbols) for k, one in enumerate(loadings)]
            return FactorBudget(factors, np.column_stack(columns), np.asarray(shares))
        case RelaxedBudgetBySymbol(budgets, penalty):
            relaxed = _all_symbols("objective.relaxed_risk_budget.budgets", budgets, symbols) if budgets else None
            return RelaxedRiskBudget(relaxed, penalty)
        case TrackingBySymbol(benchmark):
            return Tracking(_benchmark("objective.tracking.benchmark", benchmark, symbols))
    return objective


def _benchmark(field_name: str, weights: Mapping[str, float], symbols: tuple[str, ...]) -> Vector:
    known = set(symbols)
    for i, symbol in enumerate(weights):
        if symbol not in known:
            raise InvalidInput(f"{field_name}[{i}].symbol", f"{symbol} is not a symbol of the input")
    return np.array([weights.get(symbol, 0.0) for symbol in symbols])


def _moments(specification: Specification, data: MarketInput, on_progress: OnProgress) -> Moments:
    estimation = specification.estimation
    if isinstance(data, Moments | Scenarios):
        for path in estimation.factor_models:
            raise InvalidInput(path, "needs returns, prices or market_data: assets are regressed on their factors")
        if estimation.estimates_something:
            raise InvalidInput("estimation", "must not be given beside moments or scenarios; only its views can be")
        given = (
            data
            if isinstance(data, Moments)
            else scenario_moments(data, infer_periods_per_year(specification.periods_per_year, data))
        )
        return given if estimation.views is None else with_views(given, estimation.views)
    periods = infer_periods_per_year(specification.periods_per_year, data, specification.missing_data)
    return estimate_moments(complete_returns(data, specification.missing_data), estimation, periods, on_progress)


def _scenarios(specification: Specification, data: MarketInput) -> Scenarios | None:
    if isinstance(data, Scenarios):
        return data
    if isinstance(data, Moments) or not specification.needs_distribution:
        return None
    returns = complete_returns(data, specification.missing_data)
    return Scenarios.from_returns(specification.estimation.assets_of(returns))


def _weights(specification: Specification, symbols: tuple[str, ...]) -> Vector | None:
    if specification.current_weights is None:
        return None
    leveraged = any(isinstance(constraint, Leverage) for constraint in specification.constraints)
    return weights_by_symbol("current_weights", specification.current_weights, symbols, leveraged=leveraged)


def _all_symbols(field_name: str, values: Mapping[str, float], symbols: tuple[str, ...]) -> Vector:
    known = set(symbols)
    for i, symbol in enumerate(values):
        if symbol not in known:
            raise InvalidInput(f"{field_name}[{i}].symbol", f"{symbol} is not a symbol of the input")
    for symbol in symbols:
        if symbol not in values:
            raise InvalidInput(field_name, f"must name every symbol, {symbol} is missing")
    return np.array([values[symbol] for symbol in symbols])


def _resolved(
    index: int,
    constraint: Constraint | ConstraintBySymbol,
    specification: Specification,
    universe: Universe,
    known: frozenset[str],
    on_progress: OnProgress,
) -> Constraint:
    on_progress()
    symbols = universe.moments.symbols
    match constraint:
        case GroupReference(label, group, lower, upper):
            members = _members(f"constraints[{index}].group_bounds.group", group, specification, known)
            return GroupBounds(label, members, lower, upper)
        case CardinalityOfGroup(label, group, most):
            members = _members(f"constraints[{index}].cardinality.group", group, specification, known)
            return Cardinality(label, most, members)
        case Cardinality(symbols=counted):
            _known(f"constraints[{index}].cardinality.symbols", counted, known)
        case NetworkLimit() | ClusterLimit() | CentralityBounds():
            likeness = partial(universe.likeness, on_progress=on_progress)
            return resolved(f"constraints[{index}]", constraint, symbols, likeness, on_progress)
        case TrackingErrorBySymbol(label, benchmark, max_annual):
            path = f"constraints[{index}].tracking_error.benchmark"
            return TrackingError(label, _benchmark(path, benchmark, symbols), max_annual)
    return constraint


def _known(path: str, named: tuple[str, ...], known: frozenset[str]) -> None:
    for i, symbol in enumerate(named):
        if symbol not in known:
            raise InvalidInput(f"{path}[{i}]", f"{symbol} is not a symbol of the input")


def _members(path: str, group: str, specification: Specification, symbols: frozenset[str]) -> tuple[str, ...]:
    listed = specification.groups.get(group) or specification.stored_groups.get(group)
    if listed is None:
        raise InvalidInput(path, f"{group!r} is not a group of the request or of stored instruments")
    members = tuple(symbol for symbol in listed if symbol in symbols)
    if not members:
        raise InvalidInput(path, f"{group!r} has no member among the symbols of the input")
    return members
