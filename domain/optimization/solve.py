"""The one door to the engine: it picks who answers, and lets nothing out that is not verified."""

from collections.abc import Callable

from domain.errors import NotSupported
from domain.optimization.fast.mean_variance import maximum_return, maximum_utility, minimum_risk
from domain.optimization.fast.ratio import maximum_diversification, maximum_ratio
from domain.optimization.fast.risk_budget import risk_budget
from domain.optimization.fast.tail_risk import directly_minimised, tail_proof
from domain.optimization.objectives import (
    EqualWeight,
    InverseVolatility,
    MaxDiversification,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    RiskBudget,
)
from domain.optimization.problem import EnginePreference, Problem
from domain.optimization.simple import equal_weight, inverse_volatility
from domain.optimization.solution import Candidate, Solution, verify
from domain.optimization.specification import Specification


def _carry_on() -> None:
    """The caller has no wish to stop."""


def solve(problem: Problem, on_progress: Callable[[], None] = _carry_on) -> Solution:
    """Verified weights.

    `on_progress` is called between steps and raises Cancelled or SolverTimedOut when the caller wants to stop. Raises
    InfeasibleProblem, UnboundedProblem, NoPositiveExcessReturn, NotSupported and SolverFailed.
    """
    on_progress()
    return verify(problem, _candidate(problem, on_progress))


def needs_riskfolio(problem: Problem | Specification) -> bool:
    """Whether the answer comes through Riskfolio-Lib, which is at home in worker processes only."""
    wanted = problem.options.engine is not EnginePreference.FAST
    return wanted and isinstance(problem.objective, MinRisk) and not problem.risk_measure.is_quadratic


def _candidate(problem: Problem, on_progress: Callable[[], None]) -> Candidate:
    _refuse_what_no_engine_does(problem)
    match problem.objective:
        case MinRisk() if not problem.risk_measure.is_quadratic and not needs_riskfolio(problem):
            return directly_minimised(tail_proof(problem))
        case MinRisk() if needs_riskfolio(problem):
            from domain.optimization.riskfolio.mean_risk import minimum_tail_risk  # 3 s of import, in workers only

            return minimum_tail_risk(problem, on_progress)
        case MinRisk():
            return minimum_risk(problem)
        case MaxReturn():
            return maximum_return(problem)
        case MaxUtility():
            return maximum_utility(problem, problem.objective)
        case MaxRatio():
            return maximum_ratio(problem, problem.objective.risk_free_rate_annual)
        case MaxDiversification():
            return maximum_diversification(problem)
        case RiskBudget():
            return risk_budget(problem, problem.objective, on_progress)
        case EqualWeight():
            return equal_weight(problem)
        case InverseVolatility():
            return inverse_volatility(problem)


def _refuse_what_no_engine_does(problem: Problem) -> None:
    name = type(problem.objective).__name__
    if not problem.risk_measure.is_quadratic and isinstance(
        problem.objective, MaxUtility | MaxRatio | MaxDiversification | RiskBudget
    ):
        raise NotSupported(f"{name} with {problem.risk_measure} is not supported; use VARIANCE")
    riskfolio = needs_riskfolio(problem)
    if problem.options.engine is EnginePreference.RISKFOLIO and not riskfolio:
        raise NotSupported(f"Riskfolio-Lib does not solve {name} with {problem.risk_measure} here; use AUTO or FAST")
