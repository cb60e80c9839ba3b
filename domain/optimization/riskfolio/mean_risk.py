"""Risk against return through Riskfolio-Lib: least risk, utility, ratio, highest return, growth."""

import math
from typing import Any

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import NotSupported
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import Kelly, KellyMethod, MaxRatio, MaxReturn, MaxUtility, MinRisk
from domain.optimization.riskfolio.adapter import call_riskfolio, riskfolio_portfolio
from domain.optimization.riskfolio.translation import RiskfolioInput
from domain.records import dataclass
from domain.risk.measures import RiskMeasure
from domain.risk.measures.spectral import corrected, spectrum_of

MEASURES = {
    RiskMeasure.VARIANCE: "MV",
    RiskMeasure.STANDARD_DEVIATION: "MV",
    RiskMeasure.SEMI_DEVIATION: "MSV",
    RiskMeasure.MEAN_ABSOLUTE_DEVIATION: "MAD",
    RiskMeasure.GINI_MEAN_DIFFERENCE: "GMD",
    RiskMeasure.KURTOSIS: "KT",
    RiskMeasure.SEMI_KURTOSIS: "SKT",
    RiskMeasure.FIRST_LOWER_PARTIAL_MOMENT: "FLPM",
    RiskMeasure.SECOND_LOWER_PARTIAL_MOMENT: "SLPM",
    RiskMeasure.CONDITIONAL_VALUE_AT_RISK: "CVaR",
    RiskMeasure.TAIL_GINI: "TG",
    RiskMeasure.ENTROPIC_VALUE_AT_RISK: "EVaR",
    RiskMeasure.RELATIVISTIC_VALUE_AT_RISK: "RLVaR",
    RiskMeasure.WORST_REALIZATION: "WR",
    RiskMeasure.RANGE: "RG",
    RiskMeasure.CVAR_RANGE: "CVRG",
    RiskMeasure.TAIL_GINI_RANGE: "TGRG",
    RiskMeasure.EVAR_RANGE: "EVRG",
    RiskMeasure.RLVAR_RANGE: "RVRG",
    RiskMeasure.MAX_DRAWDOWN: "MDD",
    RiskMeasure.AVERAGE_DRAWDOWN: "ADD",
    RiskMeasure.CONDITIONAL_DRAWDOWN_AT_RISK: "CDaR",
    RiskMeasure.ENTROPIC_DRAWDOWN_AT_RISK: "EDaR",
    RiskMeasure.RELATIVISTIC_DRAWDOWN_AT_RISK: "RLDaR",
    RiskMeasure.ULCER_INDEX: "UCI",
}
"""What Riskfolio-Lib calls a measure, for those that its optimiser has."""

MAR_IS_RATE = frozenset({RiskMeasure.FIRST_LOWER_PARTIAL_MOMENT, RiskMeasure.SECOND_LOWER_PARTIAL_MOMENT})
"""It takes the risk-free rate for the target of these, where ours is zero."""


BY_RANK = frozenset({"GMD", "TG", "TGRG"})
"""What it only approximates in this place, and minimises exactly as an ordered weighted average."""


@dataclass(frozen=True, slots=True)
class _Request:
    """The words of one question."""

    objective: str
    measure: str
    risk_free: float = 0.0  # per scaled period
    aversion: float = 0.0
    growth: str | None = None


def mean_risk_weights(problem: Problem, inputs: RiskfolioInput) -> Vector:
    """What it answers to a problem of risk against return, (N,). Raises NotSupported and SolverFailed."""
    request = _request(problem, inputs)

    def ask(riskfolio: Any, pd: Any) -> Any:
        portfolio = riskfolio_portfolio(riskfolio, pd, problem, inputs, request.measure)
        if request.measure in BY_RANK:
            return portfolio.owa_optimization(
                obj=request.objective,
                owa_w=_ordered_weights(problem, len(inputs.returns)),
                rf=request.risk_free,
                l=request.aversion,
            )
        return portfolio.optimization(
            model="Classic",
            rm=request.measure,
            obj=request.objective,
            kelly=request.growth,
            rf=request.risk_free,
            l=request.aversion,
            hist=True,
        )

    return call_riskfolio(ask)


def _request(problem: Problem, inputs: RiskfolioInput) -> _Request:
    match problem.objective:
        case MinRisk():
            return _Request("MinRisk", riskfolio_measure(problem.risk_measure))
        case MaxReturn():
            return _Request("MaxRet", "WR")  # a measure adds rows for each scenario, this one the fewest
        case MaxUtility(aversion):
            return _Request(
                "Utility", riskfolio_measure(problem.risk_measure), aversion=_scaled(problem, inputs, aversion)
            )
        case MaxRatio(risk_free):
            if risk_free and problem.risk_measure in MAR_IS_RATE:
                raise NotSupported(f"Riskfolio-Lib takes the risk-free rate for the target of {problem.risk_measure}")
            rate = risk_free / problem.periods_per_year / inputs.unit
            return _Request("Sharpe", riskfolio_measure(problem.risk_measure), risk_free=rate)
        case Kelly(KellyMethod.EXACT):
            return _Request("MaxRet", "WR", growth="exact")
        case Kelly(KellyMethod.QUADRATIC):
            return _Request("MaxRet", "MV", growth="approx")
    raise NotSupported(f"Riskfolio-Lib does not support {type(problem.objective).__name__}; use AUTO or FAST")


def riskfolio_measure(measure: RiskMeasure) -> str:
    """Its name for a measure. Raises NotSupported where it has none."""
    if measure not in MEASURES:
        raise NotSupported(f"Riskfolio-Lib does not optimise {measure}; use AUTO or FAST")
    return MEASURES[measure]


def _scaled(problem: Problem, inputs: RiskfolioInput, aversion: float) -> float:
    """Scaled returns make the mean smaller by the unit and the risk by its power; some of its risks are not ours."""
    scaled = 0.5 * aversion * inputs.unit ** (problem.utility_risk.measure.degree - 1)
    count = len(inputs.returns)
    match problem.risk_measure:
        case RiskMeasure.MEAN_ABSOLUTE_DEVIATION:
            return 2.0 * scaled  # it counts falls below the mean only, which are half of all
        case RiskMeasure.SECOND_LOWER_PARTIAL_MOMENT:
            return scaled * math.sqrt((count - 1) / count)  # it divides by T - 1
        case RiskMeasure.SEMI_DEVIATION if not problem.risk.distribution.are_observations:
            return scaled * math.sqrt((count - 1) / count)
    return scaled


def _ordered_weights(problem: Problem, count: int) -> Matrix:
    """Weights of returns by their rank, (T, 1), that make our measure: its own power cones only come near."""
    spectrum = spectrum_of(problem.risk_measure, problem.confidence_level)
    scenarios = problem.risk.distribution
    if problem.risk_measure is RiskMeasure.GINI_MEAN_DIFFERENCE and scenarios.are_observations:
        spectrum = corrected(spectrum, count)
    result: Matrix = -np.diff(spectrum(np.linspace(0.0, 1.0, count + 1))).reshape(-1, 1)
    return result
