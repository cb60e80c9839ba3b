"""The least tail risk through Riskfolio-Lib, checked against a bound that is computed without it."""

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.metadata import version
from typing import Any

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import SolverFailed
from domain.optimization.fast.tail_risk import least_cvar
from domain.optimization.feasible import feasible_set
from domain.optimization.infeasibility import conflict, is_feasible
from domain.optimization.problem import Problem
from domain.optimization.riskfolio.translate import inequalities, scaled_returns
from domain.optimization.solution import Candidate, Engine, risk_of

DUST = 1e-8
"""Weights below this are what an interior-point solver leaves of a zero."""

RISK_FLOOR = 1e-9


def minimum_tail_risk(problem: Problem, on_progress: Callable[[], None]) -> Candidate:
    """The least CVaR. Raises InfeasibleProblem, NotSupported, or SolverFailed where Riskfolio-Lib has no answer."""
    limits = feasible_set(problem)
    returns = scaled_returns(problem)
    matrix, ends = inequalities(limits)
    # That it finds nothing says nothing: feasibility is decided here.
    if not is_feasible(limits):
        raise conflict(limits)
    on_progress()
    portfolio = _portfolio(problem, returns)
    portfolio.ainequality, portfolio.binequality = matrix, ends.reshape(-1, 1)
    with redirect_stdout(io.StringIO()) as said:
        found = portfolio.optimization(model="Classic", rm="CVaR", obj="MinRisk", rf=0, l=0, hist=True)
    if found is None:
        raise SolverFailed(f"Riskfolio-Lib found no answer to a feasible problem: {said.getvalue()[:200].strip()}")
    on_progress()
    weights = _cleaned(found["weights"].to_numpy(dtype=np.float64), problem.budget)
    bound, risk = least_cvar(problem), risk_of(problem, weights)
    gap = max(risk - bound, 0.0) / max(abs(risk), RISK_FLOOR)
    return Candidate(
        weights=weights,
        engine=Engine.RISKFOLIO,
        solver="riskfolio-lib",
        solver_version=version("riskfolio-lib"),
        relative_gap=gap,
    )


def warm() -> None:
    """Loads Riskfolio-Lib into this process, and keeps the collector from walking over its modules ever after."""
    import gc

    import riskfolio  # noqa: F401  # the import itself is what is wanted

    gc.collect()
    gc.freeze()


def _portfolio(problem: Problem, returns: Matrix) -> Any:
    """A Portfolio of its own for each problem: they keep state between calls."""
    import pandas as pd  # in worker processes only, as Riskfolio-Lib itself
    import riskfolio

    frame = pd.DataFrame(returns, columns=list(problem.moments.symbols))
    portfolio = riskfolio.Portfolio(returns=frame, alpha=1.0 - problem.confidence_level)
    portfolio.mu = frame.mean().to_frame().T
    portfolio.cov = frame.cov()
    portfolio.budget = problem.budget
    # Bounds travel as rows; these only must not be in their way.
    portfolio.upperlng = max(1.0, problem.budget)
    portfolio.sht = False
    return portfolio


def _cleaned(weights: Vector, budget: float) -> Vector:
    """Without dust, and with the budget exact again."""
    kept = np.where(np.abs(weights) < DUST, 0.0, weights)
    total = float(kept.sum())
    return kept * (budget / total) if total > 0.0 else kept
