"""Mean-risk problems through Riskfolio-Lib, each answer set against the one that the direct engine has proven."""

import io
import warnings
from contextlib import redirect_stdout
from importlib.metadata import version
from typing import Any

import numpy as np

from domain.checks import Vector
from domain.errors import NotSupported, SolverFailed
from domain.optimization.fast.settle import settled
from domain.optimization.feasible import FeasibleSet
from domain.optimization.loss import loss
from domain.optimization.objectives import MaxRatio, MaxUtility, MinRisk
from domain.optimization.problem import Problem
from domain.optimization.riskfolio.translate import Terms, translated
from domain.optimization.solution import Candidate, Engine
from domain.risk.measures import RiskMeasure
from domain.risk.tails import KAPPA

RISK_FLOOR = 1e-3
"""An objective below this many typical deviations counts as this when a gap is taken relative to it."""

MEASURES = {
    RiskMeasure.VARIANCE: "MV",
    RiskMeasure.STANDARD_DEVIATION: "MV",
    RiskMeasure.SEMI_DEVIATION: "MSV",
    RiskMeasure.MEAN_ABSOLUTE_DEVIATION: "MAD",
    RiskMeasure.KURTOSIS: "KT",
    RiskMeasure.SEMI_KURTOSIS: "SKT",
    RiskMeasure.FIRST_LOWER_PARTIAL_MOMENT: "FLPM",
    RiskMeasure.SECOND_LOWER_PARTIAL_MOMENT: "SLPM",
    RiskMeasure.CONDITIONAL_VALUE_AT_RISK: "CVaR",
    RiskMeasure.ENTROPIC_VALUE_AT_RISK: "EVaR",
    RiskMeasure.RELATIVISTIC_VALUE_AT_RISK: "RLVaR",
    RiskMeasure.WORST_REALIZATION: "WR",
    RiskMeasure.RANGE: "RG",
    RiskMeasure.CVAR_RANGE: "CVRG",
    RiskMeasure.EVAR_RANGE: "EVRG",
    RiskMeasure.RLVAR_RANGE: "RVRG",
    RiskMeasure.MAX_DRAWDOWN: "MDD",
    RiskMeasure.AVERAGE_DRAWDOWN: "ADD",
    RiskMeasure.CONDITIONAL_DRAWDOWN_AT_RISK: "CDaR",
    RiskMeasure.ENTROPIC_DRAWDOWN_AT_RISK: "EDaR",
    RiskMeasure.RELATIVISTIC_DRAWDOWN_AT_RISK: "RLDaR",
    RiskMeasure.ULCER_INDEX: "UCI",
}
"""What Riskfolio-Lib calls a measure, for those that it minimises; tried one by one in the tests."""

MAR_IS_RATE = frozenset({RiskMeasure.FIRST_LOWER_PARTIAL_MOMENT, RiskMeasure.SECOND_LOWER_PARTIAL_MOMENT})
"""It takes the risk-free rate for the target of these, where ours is zero."""


def by_riskfolio(problem: Problem, limits: FeasibleSet, proven: Candidate) -> Candidate:
    """Riskfolio-Lib's own weights, to be believed if they are as good as the proven ones.

    Raises NotSupported where it has no words for the problem, and SolverFailed where it gives no answer.
    """
    terms = translated(problem, limits)
    weights = settled(limits, _asked(problem, terms), lambda w: loss(problem, w))
    best, value = loss(problem, proven.weights), loss(problem, weights)
    gap = max(value - best, 0.0) / max(abs(best), RISK_FLOOR * terms.unit) + (proven.relative_gap or 0.0)
    name = "riskfolio-lib"
    return Candidate(weights, Engine.RISKFOLIO, name, version(name), relative_gap=gap, binding=proven.binding)


def _asked(problem: Problem, terms: Terms) -> Vector:
    """What it answers, (N,), believed by nobody. Raises SolverFailed where it answers nothing."""
    arguments = _arguments(problem, terms)
    with redirect_stdout(io.StringIO()) as said, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about how it calls other libraries
        portfolio = _portfolio(problem, terms)
        found = portfolio.optimization(model="Classic", rm=MEASURES[problem.risk_measure], hist=True, **arguments)
    if found is None:
        raise SolverFailed(f"Riskfolio-Lib found no answer to a feasible problem: {said.getvalue()[:200].strip()}")
    weights: Vector = found["weights"].to_numpy(dtype=np.float64)
    if not np.isfinite(weights).all():
        raise SolverFailed("Riskfolio-Lib returned weights that are not finite")
    return weights


def _arguments(problem: Problem, terms: Terms) -> dict[str, Any]:
    """Objective, risk-free rate per scaled period, risk aversion. Raises NotSupported for what it cannot do."""
    name = f"{type(problem.objective).__name__} with {problem.risk_measure}"
    if problem.risk_measure not in MEASURES:
        raise NotSupported(f"Riskfolio-Lib does not solve {name} here; use AUTO or FAST")
    match problem.objective:
        case MinRisk():
            return {"obj": "MinRisk", "rf": 0.0, "l": 0.0}
        case MaxUtility(aversion):
            # Scaled returns make the mean smaller by the unit and the risk by its power.
            scaled = 0.5 * aversion * terms.unit ** (problem.utility_risk.measure.degree - 1)
            if problem.risk_measure is RiskMeasure.MEAN_ABSOLUTE_DEVIATION:
                scaled *= 2.0  # it counts falls below the mean only, which are half of all
            return {"obj": "Utility", "rf": 0.0, "l": scaled}
        case MaxRatio(risk_free):
            if risk_free and problem.risk_measure in MAR_IS_RATE:
                raise NotSupported(f"Riskfolio-Lib takes the risk-free rate for the target of {problem.risk_measure}")
            return {"obj": "Sharpe", "rf": risk_free / problem.periods_per_year / terms.unit, "l": 0.0}
    raise NotSupported(f"Riskfolio-Lib does not solve {name} here; use AUTO or FAST")


def _portfolio(problem: Problem, terms: Terms) -> Any:
    """A Portfolio of its own for each problem: they keep state between calls."""
    import pandas as pd  # in worker processes only, as Riskfolio-Lib itself
    import riskfolio

    names = list(problem.moments.symbols)
    frame = pd.DataFrame(terms.returns, columns=names)
    portfolio = riskfolio.Portfolio(returns=frame, alpha=1.0 - problem.confidence_level)
    if problem.risk_measure in (RiskMeasure.KURTOSIS, RiskMeasure.SEMI_KURTOSIS):
        portfolio.assets_stats(method_mu="hist", method_cov="hist", method_kurt="hist")
    portfolio.mu = pd.DataFrame([problem.moments.expected_returns / terms.unit], columns=names)
    # It takes the root of a covariance whatever the measure, and stumbles over a singular one that it never needs.
    covariance = problem.moments.covariance / terms.unit**2 if problem.risk_measure.is_quadratic else np.eye(len(names))
    portfolio.cov = pd.DataFrame(covariance, names, names)
    portfolio.kappa = KAPPA
    portfolio.budget = terms.budget
    portfolio.sht = terms.may_be_short
    portfolio.budgetsht = portfolio.uppersht = terms.shorts
    # No single weight can be larger; where it matters it is bounded by a row.
    portfolio.upperlng = terms.budget + terms.shorts
    portfolio.ainequality, portfolio.binequality = terms.rows, terms.ends.reshape(-1, 1)
    return portfolio
