"""The least tail risk through Riskfolio-Lib, checked against a bound that is computed without it."""

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.metadata import version
from typing import Any

import numpy as np

from domain.checks import Vector
from domain.errors import NotSupported, SolverFailed
from domain.optimization.fast.tail_risk import TailProof, directly_minimised, tail_proof, within
from domain.optimization.feasible import FeasibleSet
from domain.optimization.problem import EnginePreference, Problem
from domain.optimization.riskfolio.translate import Terms, translated
from domain.optimization.solution import RISKFOLIO_GAP_TOLERANCE, VIOLATION_TOLERANCE, Candidate, Engine

DUST = 1e-7
"""Weights closer than this to zero or to a bound are what an interior-point solver leaves of it."""


def minimum_tail_risk(problem: Problem, on_progress: Callable[[], None]) -> Candidate:
    """The least CVaR.

    Where Riskfolio-Lib has no words for the problem, or no answer that stands, HiGHS answers instead, unless the caller
    asked for Riskfolio-Lib by name: then NotSupported or SolverFailed. Raises InfeasibleProblem, which is decided here
    and never taken from its silence.
    """
    proof = tail_proof(problem)
    on_progress()
    try:
        return _by_riskfolio(proof)
    except (NotSupported, SolverFailed):
        if problem.options.engine is EnginePreference.RISKFOLIO:
            raise
        on_progress()
        return directly_minimised(proof)


def warm() -> None:
    """Loads Riskfolio-Lib into this process, and keeps the collector from walking over its modules ever after."""
    import gc

    import riskfolio  # noqa: F401  # the import itself is what is wanted

    gc.collect()
    gc.freeze()


def _by_riskfolio(proof: TailProof) -> Candidate:
    problem, limits, name = proof.problem, proof.limits, "riskfolio-lib"
    found = _asked(problem, translated(problem, limits))
    gap = violation = np.inf
    # Without dust if that is as good: it mostly is, and a position of 1e-9 is nobody's.
    for weights in (within(limits, _without_dust(limits, found)), within(limits, found)):
        gap, violation = proof.gap(weights), limits.violation(weights)
        if gap <= RISKFOLIO_GAP_TOLERANCE and violation <= VIOLATION_TOLERANCE:
            binding = proof.binding(weights)
            return Candidate(weights, Engine.RISKFOLIO, name, version(name), relative_gap=gap, binding=binding)
    raise SolverFailed(f"Riskfolio-Lib's weights are {gap:.2g} above a bound and miss a limit by {violation:.2g}")


def _without_dust(limits: FeasibleSet, weights: Vector) -> Vector:
    result = weights
    for level in (limits.lower, limits.upper, np.zeros(limits.size)):
        result = np.where(np.abs(weights - level) < DUST, level, result)
    return result


def _asked(problem: Problem, terms: Terms) -> Vector:
    """What it answers, (N,), believed by nobody. Raises SolverFailed where it answers nothing."""
    portfolio = _portfolio(problem, terms)
    with redirect_stdout(io.StringIO()) as said:
        found = portfolio.optimization(model="Classic", rm="CVaR", obj="MinRisk", rf=0, l=0, hist=True)
    if found is None:
        raise SolverFailed(f"Riskfolio-Lib found no answer to a feasible problem: {said.getvalue()[:200].strip()}")
    weights: Vector = found["weights"].to_numpy(dtype=np.float64)
    if not np.isfinite(weights).all():
        raise SolverFailed("Riskfolio-Lib returned weights that are not finite")
    return weights


def _portfolio(problem: Problem, terms: Terms) -> Any:
    """A Portfolio of its own for each problem: they keep state between calls."""
    import pandas as pd  # in worker processes only, as Riskfolio-Lib itself
    import riskfolio

    frame = pd.DataFrame(terms.returns, columns=list(problem.moments.symbols))
    portfolio = riskfolio.Portfolio(returns=frame, alpha=1.0 - problem.confidence_level)
    portfolio.mu = frame.mean().to_frame().T
    # It takes the root of a covariance whatever the measure, at a cost; CVaR never looks at it.
    portfolio.cov = pd.DataFrame(np.eye(len(frame.columns)), frame.columns, frame.columns)
    portfolio.budget = terms.budget
    portfolio.sht = terms.may_be_short
    portfolio.budgetsht = portfolio.uppersht = terms.shorts
    # No single weight can be larger; where it matters it is bounded by a row.
    portfolio.upperlng = terms.budget + terms.shorts
    portfolio.ainequality, portfolio.binequality = terms.rows, terms.ends.reshape(-1, 1)
    return portfolio
