"""Trees against Riskfolio-Lib's, which are the same to rounding, and against what must hold for any of them."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InfeasibleProblem, InvalidInput, NotSupported
from domain.estimation.clustering import Linkage
from domain.estimation.codependence import information
from domain.estimation.moments import Estimation, estimate_moments
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import GroupBounds, Leverage, WeightBounds
from domain.optimization.request.objectives import CodependenceMeasure, Hierarchical, HierarchicalMethod
from domain.optimization.solution import Engine
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from tests.families import generated

RNG = np.random.default_rng(8)
SIZE = 14
SYMBOLS = tuple(f"S{i:02d}" for i in range(SIZE))
FACTORS = RNG.standard_t(5, (200, 3)) * 0.008
RETURNS = FACTORS @ RNG.dirichlet(np.ones(3) * 0.4, SIZE).T + RNG.standard_t(5, (200, SIZE)) * 0.006 + 0.0004
PANEL = ReturnPanel.of(SYMBOLS, np.arange(200), RETURNS)
PROBLEM = Problem(estimate_moments(PANEL, Estimation(), 252.0), Hierarchical(), scenarios=Scenarios.from_returns(PANEL))

CODEPENDENCES = {
    CodependenceMeasure.PEARSON: "pearson",
    CodependenceMeasure.SPEARMAN: "spearman",
    CodependenceMeasure.KENDALL: "kendall",
    CodependenceMeasure.GERBER1: "gerber1",
    CodependenceMeasure.GERBER2: "gerber2",
    CodependenceMeasure.ABSOLUTE_PEARSON: "abs_pearson",
    CodependenceMeasure.ABSOLUTE_SPEARMAN: "abs_spearman",
    CodependenceMeasure.ABSOLUTE_KENDALL: "abs_kendall",
    CodependenceMeasure.DISTANCE: "distance",
    CodependenceMeasure.TAIL: "tail",
    CodependenceMeasure.CUSTOM_COVARIANCE: "pearson",
}
MEASURES = {
    RiskMeasure.VARIANCE: "MV",
    RiskMeasure.STANDARD_DEVIATION: "vol",
    RiskMeasure.SEMI_DEVIATION: "MSV",
    RiskMeasure.MEAN_ABSOLUTE_DEVIATION: "MAD",
    RiskMeasure.CONDITIONAL_VALUE_AT_RISK: "CVaR",
    RiskMeasure.ENTROPIC_VALUE_AT_RISK: "EVaR",
    RiskMeasure.MAX_DRAWDOWN: "MDD",
    RiskMeasure.ULCER_INDEX: "UCI",
    RiskMeasure.CONDITIONAL_DRAWDOWN_AT_RISK: "CDaR",
    RiskMeasure.KURTOSIS: "KT",
}
NOT_MONOTONE = (Linkage.CENTROID, Linkage.MEDIAN)


def theirs(objective: Hierarchical, measure: RiskMeasure = RiskMeasure.VARIANCE) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        import riskfolio

        portfolio = riskfolio.HCPortfolio(returns=pd.DataFrame(RETURNS, columns=SYMBOLS), alpha=0.05)
        found = portfolio.optimization(
            model=objective.method.value,
            codependence=CODEPENDENCES[objective.codependence],
            rm=MEASURES[measure],
            linkage=objective.linkage if objective.linkage is Linkage.DBHT else objective.linkage.lower(),
            max_k=objective.max_clusters,
        )
    return np.asarray(found["weights"].to_numpy())


def ours(objective: Hierarchical, measure: RiskMeasure = RiskMeasure.VARIANCE) -> np.ndarray:
    return solve(replace(PROBLEM, objective=objective, risk_measure=measure)).weights


@pytest.mark.parametrize("linkage", [linkage for linkage in Linkage if linkage is not Linkage.DBHT])
@pytest.mark.parametrize("method", [m for m in HierarchicalMethod if m is not HierarchicalMethod.NCO])
def test_every_linkage(method: HierarchicalMethod, linkage: Linkage) -> None:
    objective = Hierarchical(method, linkage)
    if method is not HierarchicalMethod.HRP and linkage in NOT_MONOTONE:
        # There Riskfolio-Lib divides by zero or mixes up the tree; a split of the tree as it was merged always works.
        assert ours(objective).sum() == pytest.approx(1.0, abs=1e-12)
        return
    assert ours(objective) == pytest.approx(theirs(objective), abs=1e-12)


SAME_SIDE = (CodependenceMeasure.KENDALL, CodependenceMeasure.DISTANCE, CodependenceMeasure.ABSOLUTE_SPEARMAN)
"""The leaves come out from left to right as theirs do; elsewhere from right to left, which halves 7 otherwise."""

NO_TIE = (CodependenceMeasure.PEARSON, CodependenceMeasure.DISTANCE, CodependenceMeasure.TAIL)
"""As many clusters as theirs; elsewhere two merges have one height, and theirs cuts there into another number."""


@pytest.mark.parametrize(
    ("method", "codependence"),
    [(HierarchicalMethod.HRP, codependence) for codependence in SAME_SIDE]
    + [
        (method, codependence)
        for method in (HierarchicalMethod.HERC, HierarchicalMethod.HERC2)
        for codependence in NO_TIE
    ],
)
def test_bubble_trees(method: HierarchicalMethod, codependence: CodependenceMeasure) -> None:
    objective = Hierarchical(method, Linkage.DBHT, codependence)
    assert ours(objective) == pytest.approx(theirs(objective), abs=1e-12)


@pytest.mark.parametrize("codependence", CODEPENDENCES)
@pytest.mark.parametrize("method", [HierarchicalMethod.HRP, HierarchicalMethod.HERC])
def test_every_codependence(method: HierarchicalMethod, codependence: CodependenceMeasure) -> None:
    objective = Hierarchical(method, Linkage.WARD, codependence)
    assert ours(objective) == pytest.approx(theirs(objective), abs=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("method", [HierarchicalMethod.HRP, HierarchicalMethod.HERC])
def test_every_measure(method: HierarchicalMethod, measure: RiskMeasure) -> None:
    objective = Hierarchical(method, Linkage.WARD)
    assert ours(objective, measure) == pytest.approx(theirs(objective, measure), rel=1e-9)


@pytest.mark.parametrize("linkage", [Linkage.WARD, Linkage.SINGLE, Linkage.COMPLETE, Linkage.DBHT])
def test_nested_clusters(linkage: Linkage) -> None:
    """Theirs stops at 1e-5 of the optimum of each cluster; ours is exact."""
    objective = Hierarchical(HierarchicalMethod.NCO, linkage)
    assert ours(objective) == pytest.approx(theirs(objective), abs=2e-4)


def test_mutual_information_of_a_copy_is_all_of_it() -> None:
    found = information(np.column_stack([RETURNS[:, 0], RETURNS[:, 0] * 2.0, RNG.normal(size=200)]))
    assert found.similarity[0, 1] == pytest.approx(1.0, abs=1e-9)
    assert found.distance[0, 1] == pytest.approx(0.0, abs=1e-9)
    assert found.similarity[0, 2] < 0.5
    assert ours(Hierarchical(codependence=CodependenceMeasure.MUTUAL_INFORMATION)).sum() == pytest.approx(1.0)


@generated(30)
@given(
    seed=st.integers(0, 10_000),
    size=st.integers(1, 9),
    method=st.sampled_from(HierarchicalMethod),
    linkage=st.sampled_from(Linkage),
)
def test_weights_are_long_sum_to_one_and_know_no_order(
    seed: int, size: int, method: HierarchicalMethod, linkage: Linkage
) -> None:
    generator = np.random.default_rng(seed)
    covariance = np.cov(generator.normal(0, 0.01, (40, size)).T).reshape(size, size)
    names = [f"A{i}" for i in range(size)]
    weights = solve(
        Problem(Moments.of(names, np.zeros(size), covariance, 252.0), Hierarchical(method, linkage))
    ).weights
    assert weights.sum() == pytest.approx(1.0, abs=1e-9)
    assert weights.min() >= -1e-12
    scaled = Moments.of(names, np.zeros(size), 1e-4 * covariance, 252.0)
    assert solve(Problem(scaled, Hierarchical(method, linkage))).weights == pytest.approx(weights, abs=1e-7)


def test_two_assets_share_by_inverse_variance() -> None:
    moments = Moments.of("AB", [0.0, 0.0], [0.01, 0.002, 0.002, 0.04], 252.0)
    for method in (HierarchicalMethod.HRP, HierarchicalMethod.HERC):
        assert solve(Problem(moments, Hierarchical(method))).weights == pytest.approx([0.8, 0.2])


def test_bounds_hand_over_what_they_cut_off() -> None:
    free = solve(PROBLEM).weights
    bounds = WeightBounds("caps", 0.03, 0.1)
    held = solve(replace(PROBLEM, constraints=(bounds,)))
    assert held.weights.sum() == pytest.approx(1.0, abs=1e-10)
    assert held.weights.min() >= 0.03 - 1e-10
    assert held.weights.max() <= 0.1 + 1e-10
    assert held.certificate.engine is Engine.CLOSED_FORM
    assert held.certificate.duality_gap is None
    between = (held.weights > 0.03 + 1e-9) & (held.weights < 0.1 - 1e-9)
    assert np.ptp(held.weights[between] / free[between]) == pytest.approx(0.0, abs=1e-6)


@generated(60)
@given(
    seed=st.integers(0, 10_000),
    size=st.integers(1, 9),
    method=st.sampled_from(HierarchicalMethod),
    linkage=st.sampled_from(Linkage),
    budget=st.sampled_from([1.0, 0.6, 1.5]),
)
def test_bounds_are_kept_wherever_some_weights_keep_them(
    seed: int, size: int, method: HierarchicalMethod, linkage: Linkage, budget: float
) -> None:
    rng = np.random.default_rng(seed)
    covariance = np.cov((rng.normal(0, 0.01, (40, size)) * rng.choice([0.1, 1.0, 5.0], size)).T).reshape(size, size)
    names = tuple(f"A{i}" for i in range(size))
    moments = Moments.of(names, np.zeros(size), covariance, 252.0)
    inside = budget * rng.dirichlet(np.ones(size))
    lower, upper = inside - rng.random(size) * 0.1, inside + rng.random(size) * 0.1
    bounds = tuple(WeightBounds(name, lower[i], upper[i], (name,)) for i, name in enumerate(names))
    leverage = Leverage("budget", budget=budget)
    objective = Hierarchical(method, linkage)
    held = solve(Problem(moments, objective, constraints=(*bounds, leverage))).weights
    assert held.sum() == pytest.approx(budget, abs=1e-12)
    assert (held >= lower - 1e-12).all()
    assert (held <= upper + 1e-12).all()
    free = solve(Problem(moments, objective, constraints=(leverage,))).weights
    loose = tuple(WeightBounds(name, free[i] - 1e-6, free[i] + 0.1, (name,)) for i, name in enumerate(names))
    np.testing.assert_array_equal(solve(Problem(moments, objective, constraints=(*loose, leverage))).weights, free)


@pytest.mark.parametrize("order", [[0, 1, 2], [1, 0, 2], [1, 2, 0]])
@pytest.mark.parametrize("method", HierarchicalMethod)
def test_assets_that_are_alike_get_the_same_within_bounds(method: HierarchicalMethod, order: list[int]) -> None:
    """A nearly riskless asset is capped at 0.4; two others share the rest evenly, wherever the tree has them."""
    moments = Moments.of(("A", "B", "C"), np.zeros(3), np.diag(np.array([1e-4, 0.09, 0.09])[order]), 1.0)
    bounds = WeightBounds("b", 0.03, 0.4)
    weights = solve(Problem(moments, Hierarchical(method), constraints=(bounds,))).weights
    if method is HierarchicalMethod.HERC2:
        assert weights.sum() == pytest.approx(1.0)  # it gives every asset of a cluster the same
    else:
        np.testing.assert_allclose(weights, np.array([0.4, 0.3, 0.3])[order], atol=1e-12)


def test_a_limit_on_one_weight_is_a_bound_however_it_is_written() -> None:
    one = GroupBounds("one", SYMBOLS[:1], None, 0.02)
    other = WeightBounds("other", None, 0.02, SYMBOLS[:1])
    first, second = (solve(replace(PROBLEM, constraints=(limit,))).weights for limit in (one, other))
    np.testing.assert_allclose(first, second, atol=1e-15)


def test_what_stands_in_the_way_is_said() -> None:
    with pytest.raises(NotSupported, match="group"):
        solve(replace(PROBLEM, constraints=(GroupBounds("group", SYMBOLS[:2], 0.9, 1.0),)))
    with pytest.raises(InfeasibleProblem):
        solve(replace(PROBLEM, constraints=(WeightBounds("caps", None, 0.01),)))
    with pytest.raises(InvalidInput, match="above 0"):
        solve(replace(PROBLEM, constraints=(Leverage("neutral", 0.5, 1.0, 0.0),)))
    with pytest.raises(NotSupported, match="SPEARMAN"):
        solve(replace(PROBLEM, scenarios=None, objective=Hierarchical(codependence=CodependenceMeasure.SPEARMAN)))
    constant = Moments.of("AB", [0.0, 0.0], [0.01, 0.0, 0.0, 0.0], 252.0)
    with pytest.raises(InvalidInput):
        solve(Problem(constant, Hierarchical()))
