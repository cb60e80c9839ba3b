"""A specification joined with data: symbols become positions in arrays, and the result is a `Problem`."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector, known_members
from domain.costs.trading import TradingCosts
from domain.errors import InvalidInput
from domain.estimation.diagnostics import EstimationDiagnostics, diagnosed, of_moments
from domain.market_data.moments import Moments
from domain.market_data.panel import Scenarios
from domain.market_data.source import MarketInput, complete_returns
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.market_model import MarketModel, market_model_of
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import (
    Cardinality,
    Constraint,
    GroupBounds,
    Leverage,
    TrackingError,
)
from domain.optimization.request.objectives import (
    FactorBudget,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    Objective,
    RelaxedRiskBudget,
    RiskBudget,
    Tracking,
    goal_of,
)
from domain.optimization.request.similarity_constraints import (
    CentralityBounds,
    ClusterLimit,
    NetworkLimit,
    resolve_similarity_constraint,
)
from domain.optimization.request.specification import (
    CardinalityOfGroup,
    ConstraintBySymbol,
    FactorBudgetBySymbol,
    GroupReference,
    ObjectiveBySymbol,
    RelaxedBudgetBySymbol,
    RiskBudgetBySymbol,
    Specification,
    TrackingBySymbol,
    TrackingErrorBySymbol,
)
from domain.portfolio import weights_by_symbol


def build_problem(
    specification: Specification, data: MarketInput, check_cancelled: CancellationCheck = never_cancelled
) -> Problem:
    """The problem of a specification on given data.

    Raises InvalidInput with the field named when the two do not fit: an unknown symbol, a group without members, a
    missing value under the policy FAIL, no periods per year where they cannot be inferred. `check_cancelled` is called
    between the steps of estimators and raises to stop.
    """
    return resolve(specification, market_model_of(specification, data, check_cancelled), check_cancelled)


def estimation_diagnostics(
    specification: Specification,
    data: MarketInput,
    problem: Problem,
    check_cancelled: CancellationCheck = never_cancelled,
) -> EstimationDiagnostics:
    """How reliable the moments are that the problem was built with from this data."""
    check_cancelled()
    if isinstance(data, Moments):
        return of_moments(problem.moments)
    if isinstance(data, Scenarios) or specification.estimation.is_pooled:
        return of_moments(problem.moments, None if problem.scenarios is None else problem.scenarios.probabilities)
    returns = complete_returns(data, specification.missing_data)
    assets = np.isin(returns.symbols, problem.moments.symbols)
    return diagnosed(specification.estimation, returns.values[:, assets], problem.moments.covariance)


def resolve(
    specification: Specification, market_model: MarketModel, check_cancelled: CancellationCheck = never_cancelled
) -> Problem:
    """The problem of a specification on a market model. Raises InvalidInput as `build_problem` does."""
    moments = market_model.moments
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
            _resolved(i, c, specification, market_model, known, check_cancelled)
            for i, c in enumerate(specification.constraints)
        ),
        current_weights=_weights(specification, symbols),
        scenarios=market_model.scenarios,
        options=specification.options,
    )
    costs = trading_costs(specification, problem)
    return replace(problem, costs=costs) if _seeks_return(specification.objective) else problem


def trading_costs(specification: Specification, problem: Problem) -> TradingCosts | None:
    """The cost of trading away from the current weights, whether the objective includes it or not.

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
    """Raises InvalidInput where a weight is given for a symbol that the estimation takes as a factor."""
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
    """Whether the objective contains the return, from which costs can be taken; a risk has another unit."""
    return isinstance(goal_of(objective), MaxReturn | MaxUtility | MaxRatio)


def _objective(objective: Objective | ObjectiveBySymbol, symbols: tuple[str, ...]) -> Objective:
    match objective:
        case RiskBudgetBySymbol(budgets):
            return RiskBudget(_all_symbols("objective.risk_budget.budgets", budgets, symbols))
        case FactorBudgetBySymbol(factors, budgets, loadings):
            path = "objective.risk_budget.factor_budgets"
            columns = [_benchmark(f"{path}[{k}].loadings", one, symbols) for k, one in enumerate(loadings)]
            return FactorBudget(factors, np.column_stack(columns), np.asarray(budgets))
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
    market_model: MarketModel,
    known: frozenset[str],
    check_cancelled: CancellationCheck,
) -> Constraint:
    check_cancelled()
    symbols = market_model.moments.symbols
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
            measured = partial(market_model.codependence_in, check_cancelled=check_cancelled)
            return resolve_similarity_constraint(
                f"constraints[{index}]", constraint, symbols, measured, check_cancelled
            )
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
