"""Calls Riskfolio-Lib: without its output, on a Portfolio of its own, its exceptions turned into SolverFailed."""

import io
import threading
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from domain.checks import Vector
from domain.errors import SolverFailed
from domain.optimization.problem.problem import Problem
from domain.optimization.riskfolio.translation import RiskfolioInput
from domain.risk.measures.entropic import KAPPA

CLOSE = 1e-11
"""Gap and residuals to which its solver is told to go on when it is asked again."""

_LOCK = threading.Lock()
"""Standard output and the filter of warnings belong to the whole process, so one thread at a time goes through."""


def call_riskfolio(ask: Callable[[Any, Any], Any]) -> Vector:
    """What `ask(riskfolio, pandas)` returns as weights (N,), not verified.

    Raises SolverFailed where it answers nothing, where it raises, and where its weights are not numbers: it says None
    to feasible problems too, so none of that means that there is no answer.
    """
    with _LOCK, redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about how it calls other libraries
        import pandas as pd  # in worker processes only, as Riskfolio-Lib itself
        import riskfolio

        try:
            found = ask(riskfolio, pd)
        except Exception as error:
            kind = type(error).__name__
            # Messages go to the caller: what a library says in its own words stays here.
            raise SolverFailed(f"Riskfolio-Lib raised {kind}; use AUTO or FAST", raised=kind) from error
    if found is None:
        raise SolverFailed("Riskfolio-Lib found no answer to a feasible problem; use AUTO or FAST")
    weights: Vector = found["weights"].to_numpy(dtype=np.float64)
    if not np.isfinite(weights).all():
        raise SolverFailed("Riskfolio-Lib returned weights that are not finite")
    return weights


def riskfolio_portfolio(riskfolio: Any, pd: Any, problem: Problem, inputs: RiskfolioInput, measure: str) -> Any:
    """A Portfolio of its own for each problem, ready for a measure by its name: they keep state between calls."""
    names = list(problem.moments.symbols)
    frame = pd.DataFrame(inputs.returns, columns=names)
    portfolio = riskfolio.Portfolio(returns=frame, alpha=1.0 - problem.confidence_level)
    if measure in ("KT", "SKT"):
        portfolio.assets_stats(method_mu="hist", method_cov="hist", method_kurt="hist")
    portfolio.mu = pd.DataFrame([inputs.means], columns=names)
    # It takes the root of a covariance whatever the measure, and stumbles over a singular one that it never needs.
    portfolio.cov = pd.DataFrame(inputs.covariance if measure == "MV" else np.eye(len(names)), names, names)
    portfolio.kappa = KAPPA
    portfolio.budget = inputs.budget
    portfolio.sht = inputs.may_be_short
    portfolio.budgetsht = portfolio.uppersht = inputs.shorts
    # No single weight can be larger; where it matters it is bounded by a row.
    portfolio.upperlng = inputs.budget + inputs.shorts
    portfolio.ainequality, portfolio.binequality = inputs.rows, inputs.ends.reshape(-1, 1)
    seconds = problem.options.time_limit_seconds
    closer = {"tol_gap_abs": CLOSE, "tol_gap_rel": CLOSE, "tol_feas": CLOSE} if inputs.closely else {}
    portfolio.solvers = ["CLARABEL", "SCS"]
    portfolio.sol_params = {"CLARABEL": {"time_limit": seconds, **closer}, "SCS": {"time_limit_secs": seconds}}
    return portfolio
