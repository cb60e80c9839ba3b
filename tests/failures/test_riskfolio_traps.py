"""Where Riskfolio-Lib 7.4 goes wrong without a word, on problems that have an answer, and we do not.

Every test first shows the trap, so that a release that mends it is noticed here.
"""

import io
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from typing import Any

import numpy as np
import pytest
from absfin.cli.csv_files import read_panel

from domain.errors import SolverFailed
from domain.estimation.moments import Estimation, estimate_moments
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.objectives import MaxRatio, MinRisk
from domain.optimization.problem import Problem
from domain.optimization.solution import Candidate, Engine, verify
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure, conditional_value_at_risk
from tests.conftest import ROOT

RNG = np.random.default_rng(0)


@contextmanager
def quietly() -> Iterator[None]:
    """It prints, and its libraries warn about each other."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def portfolio(returns: np.ndarray) -> Any:
    import pandas as pd
    import riskfolio

    made = riskfolio.Portfolio(returns=pd.DataFrame(returns))
    made.assets_stats(method_mu="hist", method_cov="hist")
    return made


def names(count: int) -> tuple[str, ...]:
    return tuple(f"S{i}" for i in range(count))


def test_false_infeasible() -> None:
    """The year to mid-2008 has one stock with a positive mean: the best ratio exists, and it returns None."""
    prices = read_panel(ROOT / "data/sp500_stocks.csv.gz").values
    returns = prices[1:] / prices[:-1] - 1.0
    window = returns[229 * 20 : 229 * 20 + 252]
    with quietly():
        assert portfolio(window).optimization(model="Classic", rm="MV", obj="Sharpe", rf=0, l=0) is None
    moments = Moments.of(names(20), window.mean(axis=0), np.cov(window.T), 252.0)
    solution = solve(Problem(moments, MaxRatio()))
    assert solution.ratio is not None
    assert solution.ratio > 0.0
    assert solution.certificate.duality_gap is not None


def test_a_singular_covariance() -> None:
    """Fifty returns of a hundred assets: its variance is half as large again as the least, its repair is never run."""
    returns = RNG.normal(0, 0.01, (50, 100))
    covariance = np.cov(returns.T)
    with quietly():
        theirs = portfolio(returns).optimization(model="Classic", rm="MV", obj="MinRisk", rf=0, l=0)
    theirs = theirs.to_numpy()[:, 0]
    panel = ReturnPanel.of(names(100), np.arange(50), returns)
    ours = solve(Problem(estimate_moments(panel, Estimation(), 252.0), MinRisk()))
    assert theirs @ covariance @ theirs > 1.1 * (ours.weights @ covariance @ ours.weights)
    assert ours.certificate.duality_gap is not None
    assert ours.certificate.duality_gap <= 1e-7


def test_a_status_that_is_never_looked_at() -> None:
    """Stopped after three iterations, it returns weights that sum to one and carry 7 % too much risk."""
    returns = RNG.standard_t(4, (500, 20)) * 0.01
    with quietly():
        made = portfolio(returns)
        made.solvers, made.sol_params = ["CLARABEL"], {"CLARABEL": {"max_iter": 3}}
        theirs = made.optimization(model="Classic", rm="CVaR", obj="MinRisk", rf=0, l=0).to_numpy()[:, 0]
    assert theirs.sum() == pytest.approx(1.0)
    panel = ReturnPanel.of(names(20), np.arange(500), returns)
    problem = Problem(
        estimate_moments(panel, Estimation(), 252.0),
        MinRisk(),
        RiskMeasure.CONDITIONAL_VALUE_AT_RISK,
        scenarios=Scenarios.from_returns(panel),
    )
    ours = solve(problem)
    gap = conditional_value_at_risk(returns @ theirs, 0.95) / ours.risk - 1.0
    assert gap > 0.01
    with pytest.raises(SolverFailed, match="away from a proven bound"):
        verify(problem, Candidate(theirs / theirs.sum(), Engine.RISKFOLIO, "riskfolio-lib", relative_gap=gap))


def test_a_portfolio_that_remembers() -> None:
    """Its frontier writes into the object that was asked, which a second thread may be asking as well."""
    returns = RNG.normal(0.0005, 0.01, (200, 6))
    with quietly():
        made = portfolio(returns)
        before = (made.frontier, made.limits, made.optimal)
        made.efficient_frontier(model="Classic", rm="MV", points=3, rf=0)
        assert (made.frontier is not before[0], made.limits is not before[1], made.optimal is not before[2]) == (
            True,
            True,
            True,
        )
    moments = [Moments.of(names(6), returns.mean(axis=0), (1 + i) * np.cov(returns.T), 252.0) for i in range(32)]
    problems = [Problem(one, MaxRatio()) for one in moments]
    alone = [solve(problem).weights.tolist() for problem in problems]
    with ThreadPoolExecutor(8) as threads:
        together = [solution.weights.tolist() for solution in threads.map(solve, problems)]
    assert together == alone
