"""Solves a problem with Riskfolio-Lib, and compares its weights with the proven ones."""

from collections.abc import Callable
from importlib.metadata import version

from domain.checks import Vector
from domain.errors import SolverFailed
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.repair import repair
from domain.optimization.request.objectives import (
    Hierarchical,
    OrderedWeightedAverage,
    RelaxedRiskBudget,
    RiskBudget,
    WorstCase,
)
from domain.optimization.riskfolio.hierarchical import hierarchical_weights
from domain.optimization.riskfolio.mean_risk import mean_risk_weights
from domain.optimization.riskfolio.ordered_average import ordered_weights
from domain.optimization.riskfolio.risk_parity import budget_weights, relaxed_weights
from domain.optimization.riskfolio.translation import RiskfolioInput, translate
from domain.optimization.riskfolio.verification import gap_of, value_of_weights
from domain.optimization.riskfolio.worst_case import worst_case_weights
from domain.optimization.solution import Candidate, Engine
from domain.optimization.tolerances import RISKFOLIO_GAP_TOLERANCE

NAME = "riskfolio-lib"


def solve_by_riskfolio(
    problem: Problem, limits: FeasibleSet, proven: Candidate, check_cancelled: Callable[[], None]
) -> Candidate:
    """Riskfolio-Lib's own weights, with their gap to the proven ones.

    Raises NotSupported where it does not support the problem, and SolverFailed where it gives no answer. Whether it
    may be asked at all is for `support.unsupported_reason` to say.

    It is called a second time, on another scale, where it returns no answer or one with too large a gap.
    """
    try:
        first = _candidate(problem, limits, translate(problem, limits), proven)
    except SolverFailed:
        first = None
    if first is not None and (first.relative_gap is None or first.relative_gap <= RISKFOLIO_GAP_TOLERANCE):
        return first
    check_cancelled()
    return _candidate(problem, limits, translate(problem, limits, again=True), proven)


def _candidate(problem: Problem, limits: FeasibleSet, inputs: RiskfolioInput, proven: Candidate) -> Candidate:
    weights = _riskfolio_weights(problem, limits, inputs)
    if not isinstance(problem.objective, Hierarchical):
        weights = repair(limits, weights, lambda w: value_of_weights(problem, w))
    gap = gap_of(problem, weights, proven.weights)
    if gap is not None:
        gap += proven.relative_gap or 0.0
    return Candidate(weights, Engine.RISKFOLIO, NAME, version(NAME), relative_gap=gap, binding=proven.binding)


def _riskfolio_weights(problem: Problem, limits: FeasibleSet, inputs: RiskfolioInput) -> Vector:
    match problem.objective:
        case RiskBudget() as objective:
            return budget_weights(problem, limits, inputs, objective)
        case RelaxedRiskBudget() as objective:
            return relaxed_weights(problem, limits, inputs, objective)
        case WorstCase() as objective:
            return worst_case_weights(problem, inputs, objective)
        case OrderedWeightedAverage() as objective:
            return ordered_weights(problem, inputs, objective)
        case Hierarchical() as objective:
            return hierarchical_weights(problem, limits, inputs, objective)
    return mean_risk_weights(problem, inputs)
