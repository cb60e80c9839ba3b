"""Where Riskfolio-Lib 7.4 goes wrong without a word, on problems that have an answer, and we do not.

Every test first shows the trap, so that a release that mends it is noticed here.
"""

import io
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from absfin.cli.csv_files import read_panel

from domain.errors import NotSupported, SolverFailed
from domain.estimation.clustering import Linkage
from domain.estimation.moments import Estimation, estimate_moments
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import Cardinality, Constraint, WeightBounds
from domain.optimization.request.objectives import (
    EqualWeight,
    Hierarchical,
    HierarchicalMethod,
    MaxRatio,
    MinRisk,
    Objective,
    RiskBudget,
    Uncertainty,
    WorstCase,
)
from domain.optimization.request.solver_options import EnginePreference, SolverOptions
from domain.optimization.riskfolio.engine import solve_by_riskfolio
from domain.optimization.riskfolio.translation import translate
from domain.optimization.riskfolio.worst_case import worst_case_weights, worst_covariance
from domain.optimization.solution import Candidate, Engine
from domain.optimization.solve import solve
from domain.optimization.verify import verify
from domain.risk.measures import RiskMeasure
from domain.risk.measures.tail import conditional_value_at_risk
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


def tree(returns: np.ndarray) -> Any:
    import pandas as pd
    import riskfolio

    return riskfolio.HCPortfolio(returns=pd.DataFrame(returns))


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


RETURNS = RNG.standard_t(5, (100, 1)) * 0.006 + RNG.standard_t(5, (100, 6)) * 0.01 + 0.0005
PANEL = ReturnPanel.of(names(6), np.arange(100), RETURNS)


def problem_of(objective: Objective, measure: RiskMeasure, *constraints: Constraint) -> Problem:
    return Problem(
        estimate_moments(PANEL, Estimation(), 252.0),
        objective,
        measure,
        constraints=constraints,
        scenarios=Scenarios.from_returns(PANEL),
    )


def asked_by_name(problem: Problem) -> Problem:
    return replace(problem, options=SolverOptions(engine=EnginePreference.RISKFOLIO))


def test_a_number_of_assets_with_variance_has_no_solver() -> None:
    """It needs one for mixed-integer cones, has none, and says None; ours is searched to the end."""
    with quietly():
        made = portfolio(RETURNS)
        made.card = 3
        assert made.optimization(model="Classic", rm="MV", obj="MinRisk", rf=0, l=0) is None
    problem = problem_of(MinRisk(), RiskMeasure.VARIANCE, Cardinality("three", max_assets=3))
    covariance = problem.moments.covariance
    best = min(
        solve(problem_of(MinRisk(), RiskMeasure.VARIANCE, WeightBounds("out", None, 0.0, out))).risk
        for out in combinations(names(6), 3)
    )
    weights = solve(problem).weights
    assert weights @ covariance @ weights == pytest.approx(best, rel=1e-9)
    with pytest.raises(NotSupported, match="linear limits only, not for three"):
        solve(asked_by_name(problem))


@pytest.mark.parametrize(
    ("measure", "code"),
    [
        (RiskMeasure.WORST_REALIZATION, "WR"),
        (RiskMeasure.RANGE, "RG"),
        (RiskMeasure.MAX_DRAWDOWN, "MDD"),
        (RiskMeasure.AVERAGE_DRAWDOWN, "ADD"),
    ],
)
def test_risk_parity_in_measures_that_it_forgot(measure: RiskMeasure, code: str) -> None:
    with quietly(), pytest.raises(UnboundLocalError):
        portfolio(RETURNS).rp_optimization(model="Classic", rm=code)
    problem = problem_of(RiskBudget(), measure)
    with pytest.raises(NotSupported, match="raises UnboundLocalError; use AUTO or FAST"):
        solve(asked_by_name(problem))
    solution = solve(problem)
    assert solution.certificate.duality_gap is not None
    assert solution.certificate.duality_gap <= 1e-7
    assert solution.weights.min() > 0.0


@pytest.mark.parametrize("code", ["equal", "vol", "VaR", "VRG", "DaR", "MDD_Rel", "CDaR_Rel", "UCI_Rel"])
def test_nested_clusters_in_measures_that_it_does_not_optimise(code: str) -> None:
    """It lists them for NCO and then has no program for them; the volatility, which has one, is ours to answer."""
    with quietly(), pytest.raises(UnboundLocalError):
        tree(RETURNS).optimization(model="NCO", rm=code, obj="MinRisk", linkage="ward")


def test_nested_clusters_of_volatility() -> None:
    problem = problem_of(Hierarchical(HierarchicalMethod.NCO, Linkage.WARD), RiskMeasure.STANDARD_DEVIATION)
    with pytest.raises(NotSupported, match="raises UnboundLocalError"):
        solve(asked_by_name(problem))
    same = replace(problem, risk_measure=RiskMeasure.VARIANCE)
    assert solve(problem).weights == pytest.approx(solve(same).weights, abs=1e-7)


def test_equal_weights_along_a_tree() -> None:
    """Offered for HRP and refused there by its own measures; equal weights need no tree."""
    with quietly(), pytest.raises(ValueError, match="valid risk measure"):
        tree(RETURNS).optimization(model="HRP", rm="equal")
    assert solve(problem_of(EqualWeight(), RiskMeasure.VARIANCE)).weights == pytest.approx(np.full(6, 1 / 6))


@pytest.mark.parametrize("linkage", [Linkage.MEDIAN, Linkage.CENTROID])
def test_a_tree_whose_distances_fall(linkage: Linkage) -> None:
    """It takes the order of merges for that of distances: some trees end in NaN, others are split wrongly."""
    crashed = other = 0
    for seed in range(30):
        generator = np.random.default_rng(seed)
        returns = generator.standard_t(5, (120, 2)) * 0.006 @ generator.dirichlet(np.ones(2) * 0.5, 8).T
        returns += generator.standard_t(5, (120, 8)) * 0.008
        panel = ReturnPanel.of(names(8), np.arange(120), returns)
        objective = Hierarchical(HierarchicalMethod.HERC, linkage)
        moments = estimate_moments(panel, Estimation(), 252.0)
        problem = Problem(moments, objective, scenarios=Scenarios.from_returns(panel))
        ours = solve(problem).weights
        assert ours.sum() == pytest.approx(1.0, abs=1e-12)
        assert ours.min() > 0.0
        try:
            with quietly():
                found = tree(returns).optimization(model="HERC", rm="MV", linkage=linkage.lower())
        except ValueError:
            crashed += 1
        else:
            other += not np.allclose(found.to_numpy()[:, 0], ours, atol=1e-8)
    assert crashed >= 1
    assert other >= 1
    with pytest.raises(NotSupported, match="use AUTO or FAST"):
        solve(asked_by_name(problem))


def test_a_ratio_to_the_variance_instead_of_its_root() -> None:
    """Its semidefinite programs bound w'Sw / k where the ratio needs w'Sw: the best mean over variance comes out."""
    problem = problem_of(WorstCase(MaxRatio(), covariance=Uncertainty.BOX), RiskMeasure.VARIANCE)
    limits, proven = feasible_set(problem), solve(problem).weights
    theirs = worst_case_weights(problem, translate(problem, limits), problem.objective)
    covariance = worst_covariance(problem, problem.objective)

    def to_the(power: float, weights: np.ndarray) -> float:
        return float(problem.moments.expected_returns @ weights / (weights @ covariance @ weights) ** power)

    assert to_the(0.5, theirs) < 0.995 * to_the(0.5, proven)
    assert to_the(1.0, theirs) > to_the(1.0, proven)
    with pytest.raises(NotSupported, match="is wrong by"):
        solve(asked_by_name(problem))


def test_gini_by_power_cones_is_not_gini() -> None:
    """Its default for GMD is a mixture of norms; by its ordered weights, which it is asked for, it is exact."""
    problem = problem_of(MinRisk(), RiskMeasure.GINI_MEAN_DIFFERENCE)
    with quietly():
        found = portfolio(RETURNS * 100).optimization(model="Classic", rm="GMD", obj="MinRisk", rf=0, l=0)
    theirs = found.to_numpy()[:, 0]
    best = solve(problem).risk
    assert problem.risk.of(theirs) > best * (1.0 + 1e-5)
    assert solve(asked_by_name(problem)).risk == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("words", [{"rm": "CVAR"}, {"obj": "Sharp"}, {"model": "classic"}])
def test_a_word_it_does_not_know(words: dict[str, str]) -> None:
    """No message names the word; nothing of a request reaches it that the table does not know."""
    with quietly(), pytest.raises((UnboundLocalError, TypeError, KeyError)):
        portfolio(RETURNS).optimization(**words)


def test_an_error_of_its_own_is_typed() -> None:
    problem = problem_of(RiskBudget(), RiskMeasure.RANGE)
    limits, solution = feasible_set(problem), solve(problem)
    with pytest.raises(SolverFailed, match="raised UnboundLocalError") as error:
        solve_by_riskfolio(problem, limits, Candidate(solution.weights, Engine.FAST, ""), lambda: None)
    assert error.value.metadata["raised"] == "UnboundLocalError"


def test_threads_that_ask_at_once_stay_silent_and_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output and warnings belong to the process: two that put them back in turn would leave them changed."""
    problems = [
        asked_by_name(replace(problem_of(MinRisk(), measure), confidence_level=level))
        for measure in (RiskMeasure.CONDITIONAL_VALUE_AT_RISK, RiskMeasure.VARIANCE, RiskMeasure.ULCER_INDEX)
        for level in (0.8, 0.9, 0.95)
    ]
    alone = [solve(problem).weights.tolist() for problem in problems]
    out = sys.stdout
    with ThreadPoolExecutor(6) as threads:
        together = [solution.weights.tolist() for solution in threads.map(solve, problems)]
    assert sys.stdout is out
    assert together == alone
    assert capsys.readouterr().out == ""
