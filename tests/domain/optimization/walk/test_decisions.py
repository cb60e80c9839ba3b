"""Decisions of many windows against `solve` on the sample moments of each window alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from absfin.cli.csv_files import read_panel
from hypothesis import given
from hypothesis import strategies as st

from domain.costs.model import CostModel
from domain.errors import Cancelled
from domain.estimation.clustering import Linkage
from domain.estimation.covariance import EwmaCovariance
from domain.estimation.moments import Estimation
from domain.market_data.moments import Moments
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import WeightBounds
from domain.optimization.request.objectives import (
    CodependenceMeasure,
    Hierarchical,
    HierarchicalMethod,
    MaxRatio,
    MaxReturn,
    MinRisk,
    RiskBudget,
)
from domain.optimization.request.solver_options import EnginePreference, SolverOptions
from domain.optimization.request.specification import Specification
from domain.optimization.solve import solve
from domain.optimization.walk.complementarity import definite
from domain.optimization.walk.decisions import (
    WalkDecisions,
    WalkObjective,
    decide_windows,
    ratio_gaps,
    verified,
    walk_objective,
)
from domain.optimization.walk.windows import WindowMoments, window_moments
from domain.risk.measures import RiskMeasure
from tests.families import generated

STOCKS = read_panel(Path(__file__).parents[4] / "data/sp500_stocks.csv.gz").values
RETURNS = STOCKS[1:] / STOCKS[:-1] - 1.0
LOOKBACK = 252
ENDS = np.arange(LOOKBACK, len(RETURNS), 201)
OBJECTIVES: dict[str, WalkObjective] = {
    "least variance": MinRisk(),
    "ratio": MaxRatio(),
    "ratio above a rate": MaxRatio(0.04),
    "equal risk": RiskBudget(),
    "hrp": Hierarchical(),
    "hrp by ward": Hierarchical(linkage=Linkage.WARD, optimal_order=False),
}


def alone(returns: np.ndarray, objective: WalkObjective, periods: float = 252.0) -> np.ndarray:
    names = [f"S{i}" for i in range(returns.shape[1])]
    moments = Moments.of(names, returns.mean(axis=0), np.atleast_2d(np.cov(returns.T)), periods)
    return solve(Problem(moments, objective)).weights


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES.keys())
def test_each_window_has_the_weights_of_its_own_problem(objective: WalkObjective) -> None:
    found = decide_windows(window_moments(RETURNS, ENDS, LOOKBACK), objective, 252.0)
    assert found.proven.all()
    assert found.gaps.max() <= 1e-12
    for end, weights in zip(ENDS.tolist(), found.weights, strict=True):
        np.testing.assert_allclose(weights, alone(RETURNS[end - LOOKBACK : end], objective), atol=1e-11)


@generated(100)
@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(2, 60), st.sampled_from(sorted(OBJECTIVES)))
def test_random_windows_are_right_or_left_out(seed: int, assets: int, lookback: int, name: str) -> None:
    generator = np.random.default_rng(seed)
    common = generator.standard_t(3, (80, 1)) * generator.choice([0.0, 0.01, 0.1])
    returns = 0.0003 + common + generator.standard_t(3, (80, assets)) * 0.01 * generator.uniform(0.1, 3.0, assets)
    ends = np.arange(lookback, 81, 7)
    found = decide_windows(window_moments(returns, ends, lookback), OBJECTIVES[name], 252.0)
    if lookback > 3 * assets and not isinstance(OBJECTIVES[name], MaxRatio):
        assert found.proven.all()
    for end, weights, proven in zip(ends.tolist(), found.weights, found.proven.tolist(), strict=True):
        if proven:
            expected = alone(returns[end - lookback : end], OBJECTIVES[name])
            np.testing.assert_allclose(weights, expected, atol=1e-6)


def test_moments_are_those_of_numpy() -> None:
    moments = window_moments(RETURNS, ENDS, LOOKBACK)
    for end, means, covariance in zip(ENDS.tolist(), moments.expected_returns, moments.covariances, strict=True):
        window = RETURNS[end - LOOKBACK : end]
        np.testing.assert_allclose(means, window.mean(axis=0), rtol=1e-12, atol=1e-18)
        np.testing.assert_allclose(covariance, np.cov(window.T), rtol=1e-11, atol=1e-18)


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES.keys())
def test_the_bits_of_a_window_depend_on_no_other(objective: WalkObjective) -> None:
    """So that it does not matter where a walk goes on."""
    together = decide_windows(window_moments(RETURNS, ENDS, LOOKBACK), objective, 252.0)
    later = decide_windows(window_moments(RETURNS, ENDS[7:], LOOKBACK), objective, 252.0)
    assert later.weights.tobytes() == together.weights[7:].tobytes()
    (one,) = decide_windows(window_moments(RETURNS, ENDS[3:4], LOOKBACK), objective, 252.0).weights
    assert one.tobytes() == together.weights[3].tobytes()


def test_no_window_sees_a_later_return() -> None:
    changed = RETURNS.copy()
    changed[ENDS[5] :] = 0.5
    for objective in OBJECTIVES.values():
        first = decide_windows(window_moments(RETURNS, ENDS[:6], LOOKBACK), objective, 252.0)
        second = decide_windows(window_moments(changed, ENDS[:6], LOOKBACK), objective, 252.0)
        assert first.weights.tobytes() == second.weights.tobytes()


def test_what_has_no_proof_has_no_weights() -> None:
    """A window of an asset twice, one of an asset that stands still, and one without a positive mean."""
    usual = np.cov(RETURNS[:LOOKBACK, :4].T)
    twice = usual[np.ix_([0, 1, 2, 0], [0, 1, 2, 0])]
    still = usual.copy()
    still[:, 2] = still[2, :] = 0.0
    means = np.full((4, 4), 0.001)
    means[3] = -0.001
    moments = WindowMoments(means, np.array([usual, twice, still, usual]))
    proven = {name: decide_windows(moments, one, 252.0).proven.tolist() for name, one in OBJECTIVES.items()}
    assert proven["least variance"] == [True, False, False, True]
    assert proven["ratio"] == [True, False, False, False]
    assert proven["equal risk"] == [True, False, False, True]
    assert proven["hrp"] == [True, True, False, True]  # a formula, which needs no definite matrix


def test_figures_that_are_none_have_no_weights() -> None:
    covariances = np.array([np.eye(3), np.full((3, 3), np.nan), np.eye(3)])
    means = np.array([[0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [np.nan, 0.1, 0.2]])
    for name, objective in OBJECTIVES.items():
        found = decide_windows(WindowMoments(means, covariances), objective, 252.0)
        assert found.proven.tolist()[:2] == [True, False], name


def test_figures_that_a_single_answer_refuses_are_refused() -> None:
    usual = np.cov(RETURNS[:LOOKBACK, :3].T)
    means = np.full((4, 3), 0.001)
    means[3, 1] = 1e16
    moments = WindowMoments(means, np.array([usual, usual * 1e-100, usual * 1e20, usual]))
    for name, objective in OBJECTIVES.items():
        assert decide_windows(moments, objective, 252.0).proven.tolist() == [True, False, False, False], name


def test_the_gap_is_what_other_weights_can_gain() -> None:
    """The proof of least variance by random portfolios: none is below the value less the gap."""
    moments = window_moments(RETURNS, ENDS[:5], LOOKBACK)
    found = decide_windows(moments, MinRisk(), 252.0)
    rivals = np.random.default_rng(1).dirichlet(np.full(20, 0.3), 500)
    for weights, covariance, gap in zip(found.weights, moments.covariances, found.gaps, strict=True):
        least = weights @ covariance @ weights
        assert np.vecdot(rivals, rivals @ covariance).min() >= least * (1.0 - gap)


def test_weights_pass_by_the_rules_of_a_single_answer() -> None:
    half, short, much = [0.5, 0.5], [1.1, -0.1], [0.6, 0.5]
    weights = np.array([half, half, short, much, half])
    found = verified(WalkDecisions(weights, np.array([0.0, 2e-7, 0.0, 0.0, np.nan])))
    assert found.proven.tolist() == [True, False, False, False, False]
    assert np.isinf(found.gaps[1:]).all()


def test_definite_is_what_cholesky_says() -> None:
    generator = np.random.default_rng(2)
    factors = generator.normal(size=(200, 5, 5))
    matrices = factors @ factors.transpose(0, 2, 1) - generator.uniform(0.0, 0.5, 200)[:, None, None] * np.eye(5)
    expected = np.linalg.eigvalsh(matrices).min(axis=1)
    clear = np.abs(expected) > 1e-6
    assert np.array_equal(definite(matrices)[clear], (expected > 0.0)[clear])
    assert 20 < np.count_nonzero(expected[clear] > 0.0) < 180


def test_it_can_be_cancelled() -> None:
    def stop() -> None:
        raise Cancelled("enough")

    for objective in OBJECTIVES.values():
        with pytest.raises(Cancelled):
            decide_windows(window_moments(RETURNS, ENDS[:3], LOOKBACK), objective, 252.0, stop)


PLAIN = Specification(MinRisk())


def test_only_plain_problems_are_solved_as_arrays() -> None:
    assert walk_objective(PLAIN) == MinRisk()
    assert walk_objective(replace(PLAIN, risk_measure=RiskMeasure.STANDARD_DEVIATION)) == MinRisk()
    assert walk_objective(Specification(MaxRatio(0.02))) == MaxRatio(0.02)
    assert walk_objective(Specification(RiskBudget())) == RiskBudget()
    assert walk_objective(Specification(Hierarchical())) == Hierarchical()


@pytest.mark.parametrize(
    "specification",
    [
        Specification(MaxReturn()),
        replace(PLAIN, risk_measure=RiskMeasure.CONDITIONAL_VALUE_AT_RISK),
        replace(PLAIN, constraints=(WeightBounds("caps", 0.0, 0.2),)),
        replace(PLAIN, costs=CostModel()),
        replace(PLAIN, estimation=Estimation(covariance=EwmaCovariance(60.0))),
        replace(PLAIN, options=SolverOptions(engine=EnginePreference.RISKFOLIO)),
        Specification(RiskBudget(np.array([0.5, 0.5]))),
        Specification(Hierarchical(HierarchicalMethod.HERC)),
        Specification(Hierarchical(codependence=CodependenceMeasure.SPEARMAN)),
        Specification(Hierarchical(linkage=Linkage.DBHT)),
        Specification(Hierarchical(), risk_measure=RiskMeasure.STANDARD_DEVIATION),
        Specification(Hierarchical(between_columns=True)),
    ],
)
def test_everything_else_is_not(specification: Specification) -> None:
    assert walk_objective(specification) is None


def test_a_window_with_returns_that_differ_by_rounding_alone_is_left_out() -> None:
    """As of cash that grows at a constant rate: alone its variance is 0, and what needs one is refused."""
    prices = STOCKS[: LOOKBACK + 31].copy()
    prices[:, 3] = 100.0 * 1.0001 ** np.arange(len(prices))
    returns = prices[1:] / prices[:-1] - 1.0
    assert 0.0 < np.ptp(returns[:, 3]) < 1e-14
    for objective in OBJECTIVES.values():
        found = decide_windows(window_moments(returns, np.array([LOOKBACK, len(returns)]), LOOKBACK), objective, 252.0)
        assert not found.proven.any()


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES.keys())
def test_one_asset_alone_has_everything(objective: WalkObjective) -> None:
    rising = np.abs(RETURNS[:400, :1])
    found = decide_windows(window_moments(rising, np.array([300, 400]), LOOKBACK), objective, 252.0)
    np.testing.assert_allclose(found.weights, 1.0, rtol=0.0, atol=1e-15)


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES.keys())
@pytest.mark.parametrize("variance", [np.inf, 1.0])
def test_a_window_beyond_numbers_is_left_out_and_changes_no_other(objective: WalkObjective, variance: float) -> None:
    """Of two assets that jump by 1e200 on the same dates, products of both signs overflow."""
    moments = window_moments(RETURNS, ENDS[:2], LOOKBACK)
    expected = decide_windows(moments, objective, 252.0).weights[1]
    covariances = moments.covariances.copy()
    covariances[0, 0, 0] = covariances[0, 1, 1] = variance
    covariances[0, 0, 1] = covariances[0, 1, 0] = np.nan
    found = decide_windows(WindowMoments(moments.expected_returns, covariances), objective, 252.0)
    assert found.proven.tolist() == [False, True]
    assert found.weights[1].tobytes() == expected.tobytes()


def test_a_ratio_without_an_asset_that_would_hedge_has_no_proof() -> None:
    """B loses a tenth of what A gains, and takes most of its risk away."""
    hessians, targets = np.array([[[1.0, -0.9], [-0.9, 1.0]]]), np.array([[1.0, -0.1]])
    best = np.linalg.solve(hessians[0], targets[0])
    assert (best > 0.0).all()
    assert ratio_gaps(hessians, targets, np.array([[1.0, 0.0]]))[0] >= 0.5
    assert ratio_gaps(hessians, targets, best[None, :])[0] <= 1e-14
