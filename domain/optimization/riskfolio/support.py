"""Which combinations Riskfolio-Lib is used for: those whose answer agreed with the proven one when tested."""

from functools import cache

from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import (
    Hierarchical,
    Kelly,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    OrderedWeightedAverage,
    RelaxedRiskBudget,
    RiskBudget,
    WorstCase,
)
from domain.optimization.riskfolio.support_matrix import SUPPORT

AGREES = "agrees"
ANY = "ANY"

Combination = tuple[str, str]
"""What is asked for, and in which measure or variant."""


def unsupported_reason(problem: Problem) -> str | None:
    """Why Riskfolio-Lib is not used for this problem, None where it is."""
    for combination in combinations(problem):
        outcome = support_by_combination().get(combination)
        if outcome == AGREES:
            continue
        requested = " with ".join(combination)
        return f"{requested}: Riskfolio-Lib {outcome or 'does not support it'}; use AUTO or FAST"
    return None


@cache
def support_by_combination() -> dict[Combination, str]:
    """The result of every combination that was tested."""
    return {(family, part): outcome for family, outcome, parts in SUPPORT for part in parts.split()}


def combinations(problem: Problem) -> tuple[Combination, ...]:
    """What a problem asks for, of which all must be allowed; of a hierarchy the tree, and the sharing out along it."""
    measure = str(problem.risk_measure)
    match problem.objective:
        case MinRisk():
            return (("MIN_RISK", measure),)
        case MaxUtility():
            return (("MAX_UTILITY", measure),)
        case MaxRatio():
            return (("MAX_RATIO", measure),)
        case MaxReturn():
            return (("MAX_RETURN", ANY),)
        case Kelly(method):
            return (("KELLY", str(method)),)
        case RiskBudget():
            return (("RISK_BUDGET", measure),)
        case RelaxedRiskBudget(penalty=penalty):
            return (("RELAXED_RISK_BUDGET", "PENALTY" if penalty > 0.0 else "NO_PENALTY"),)
        case WorstCase(goal, means, covariance):
            return ((f"WORST_CASE {_GOALS[type(goal)]}", f"{means}/{covariance}"),)
        case OrderedWeightedAverage(goal=goal):
            return (("ORDERED_WEIGHTED_AVERAGE", ANY if isinstance(goal, MinRisk) else _GOALS[type(goal)]),)
        case Hierarchical(method, linkage, codependence):
            return ((str(method), measure), (f"{method} {linkage}", str(codependence)))
    return ((type(problem.objective).__name__, measure),)


_GOALS = {MinRisk: "MIN_RISK", MaxReturn: "MAX_RETURN", MaxUtility: "MAX_UTILITY", MaxRatio: "MAX_RATIO"}
