"""Budgets of factors, by the shares that numpy finds in the weights."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.errors import InvalidInput, NotSupported
from domain.market_data.moments import Moments
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import Constraint, GroupBounds, Leverage, WeightBounds
from domain.optimization.request.objectives import FactorBudget, RiskBudget
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from tests.families import generated

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import cvxpy as cp

SHORTS = Leverage("shorts", max_short=1e3)


def market(seed: int, size: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    draws = rng.normal(size=(4 * size, size)) + rng.normal(size=(4 * size, 1))
    return np.asarray(np.cov(draws.T) * np.outer(*[np.exp(rng.normal(-4, 0.5, size))] * 2))


def problem_of(
    sigma: np.ndarray,
    loadings: np.ndarray,
    budgets: np.ndarray,
    *constraints: Constraint,
    measure: RiskMeasure = RiskMeasure.VARIANCE,
) -> Problem:
    symbols = tuple(f"S{i}" for i in range(len(sigma)))
    names = tuple(f"F{k}" for k in range(len(budgets)))
    moments = Moments.of(symbols, np.zeros(len(sigma)), sigma, 252.0)
    return Problem(moments, FactorBudget(names, loadings, budgets), measure, constraints=constraints)


def shares(sigma: np.ndarray, loadings: np.ndarray, w: np.ndarray) -> np.ndarray:
    """(A'w)_k (A+ Sigma w)_k / w'Sigma w, Roncalli & Weisang 2016, equation 7."""
    return np.asarray((loadings.T @ w) * (np.linalg.pinv(loadings) @ sigma @ w) / (w @ sigma @ w))


def by_descent(inner: np.ndarray, budgets: np.ndarray, sigma: np.ndarray, loadings: np.ndarray) -> float:
    """Sum of the free portfolio's weights per unit of absolute weight, its exposures by cyclical coordinate descent."""
    y = np.sqrt(budgets / np.diag(inner))
    for _ in range(300):
        for k in range(len(y)):
            rest = inner[k] @ y - inner[k, k] * y[k]
            y[k] = (-rest + (rest**2 + 4.0 * inner[k, k] * budgets[k]) ** 0.5) / (2.0 * inner[k, k])
    w = np.linalg.solve(sigma, loadings) @ inner @ y
    return float(w.sum() / np.abs(w).sum())


@given(st.integers(0, 10**6), st.integers(2, 12), st.data())
@generated(25)
def test_factors_carry_their_shares_and_nothing_else_does(seed: int, size: int, data: st.DataObject) -> None:
    sigma = market(seed, size)
    rng = np.random.default_rng(seed)
    count = data.draw(st.integers(1, size))
    loadings = np.abs(rng.normal(1.0, 0.4, (size, count)))
    budgets = rng.uniform(0.1, 3.0, count)
    problem = problem_of(sigma, loadings, budgets, SHORTS)
    # Gross exposure of a thousand is as good as none; a portfolio whose weights sum to less is not asked for here.
    barrier = np.linalg.inv(loadings.T @ np.linalg.solve(sigma, loadings))
    assume(abs(by_descent(barrier, budgets, sigma, loadings)) > 1e-2)
    if by_descent(barrier, budgets, sigma, loadings) < 0.0:
        with pytest.raises(NotSupported, match="sum to -"):
            solve(problem)
        return
    w = solve(problem).weights
    assert w.sum() == pytest.approx(1.0, abs=1e-9)
    assert shares(sigma, loadings, w) == pytest.approx(budgets / budgets.sum(), abs=1e-6)
    unexplained = sigma @ w - loadings @ np.linalg.pinv(loadings) @ sigma @ w
    assert np.abs(unexplained).max() <= 1e-6 * np.abs(sigma @ w).max()


def test_the_identity_gives_risk_budgets() -> None:
    sigma, budgets = market(1, 5), np.array([0.4, 0.3, 0.1, 0.1, 0.1])
    factors = problem_of(sigma, np.eye(5), budgets)
    assets = Problem(factors.moments, RiskBudget(budgets))
    assert solve(factors).weights == pytest.approx(solve(assets).weights, abs=1e-10)


def test_one_factor_alone_is_the_least_variance_for_its_exposure() -> None:
    sigma, beta = market(2, 4), np.array([[0.8], [1.0], [1.2], [1.4]])
    w = np.linalg.solve(sigma, beta[:, 0])
    assert solve(problem_of(sigma, beta, np.ones(1), SHORTS)).weights == pytest.approx(w / w.sum(), rel=1e-9)


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e4])
def test_neither_the_scale_of_loadings_nor_that_of_returns_matters(unit: float) -> None:
    sigma, rng = market(3, 6), np.random.default_rng(3)
    loadings, budgets = np.abs(rng.normal(1, 0.5, (6, 2))), np.array([2.0, 1.0])
    plain = solve(problem_of(sigma, loadings, budgets, SHORTS)).weights
    scaled = solve(problem_of(unit**2 * sigma, loadings * [unit, 3.0], 7 * budgets, SHORTS)).weights
    assert scaled == pytest.approx(plain, abs=1e-9)


TIGHT: dict[str, tuple[Constraint, ...]] = {
    "long-only": (),
    "caps": (WeightBounds("caps", lower=0.0, upper=0.3),),
    "a group and shorts": (GroupBounds("group", ("S0", "S1"), upper=0.1), Leverage("shorts", max_short=0.1)),
}


@pytest.mark.parametrize("limit", TIGHT)
def test_within_limits_they_are_bounded(limit: str) -> None:
    """risk - lambda sum b ln(A'w) within the limits, by cvxpy, with the lambda that the free weights imply."""
    sigma, rng = market(4, 6) * 1e3, np.random.default_rng(9)
    loadings, budgets = rng.normal(0.4, 1.0, (6, 3)), np.array([0.5, 0.3, 0.2])
    solution = solve(problem_of(sigma, loadings, budgets, *TIGHT[limit]))
    w = solution.weights
    assert solution.binding
    assert (loadings.T @ w > 0.0).all()
    x, factor = cp.Variable(6), cp.Parameter(nonneg=True)
    rules = {
        "long-only": [x >= 0],
        "caps": [x >= 0, x <= 0.3],
        "a group and shorts": [x[0] + x[1] <= 0.1, cp.sum(cp.neg(x)) <= 0.1],
    }[limit]
    root = np.linalg.cholesky(sigma).T
    program = cp.Problem(cp.Minimize(cp.norm(root @ x) - factor * budgets @ cp.log(loadings.T @ x)), rules)
    low, high = 1e-4, 1e2
    for _ in range(45):
        factor.value = (low * high) ** 0.5
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program.solve(solver="CLARABEL")
        low, high = (factor.value, high) if np.sum(x.value) < 1.0 else (low, factor.value)
    assert w == pytest.approx(x.value, abs=1e-4)


def test_what_has_no_answer_is_refused_with_its_field() -> None:
    sigma, two = market(5, 4), np.ones(2)
    good = np.array([[1.0, 0.2], [0.8, 0.4], [1.2, 1.0], [0.5, 0.9]])
    flat = good * [1.0, 0.0]
    with pytest.raises(InvalidInput, match=r"factor_budgets\[1\].loadings: of F1 are 0"):
        solve(problem_of(sigma, flat, two))
    with pytest.raises(InvalidInput, match=r"factor_budgets\[1\].loadings: of F1 are a combination"):
        solve(problem_of(sigma, good[:, [0, 0]] * [1.0, -2.0], two))
    with pytest.raises(InvalidInput, match=r"factor_budgets\[4\].loadings: .*combination"):
        solve(problem_of(sigma, np.random.default_rng(0).normal(size=(4, 5)), np.ones(5)))
    hedged = np.ones((4, 4)) + np.diag([1.0, 1.0, 0.0, 0.0])
    with pytest.raises(InvalidInput, match="covariance: must be regular"):
        solve(problem_of(hedged, good, two))
    with pytest.raises(InvalidInput, match=r"covariance: .*variance above 0"):
        solve(problem_of(np.diag([1.0, 1.0, 0.0, 1.0]), good, two))
    with pytest.raises(NotSupported, match="sum to -"):
        solve(problem_of(sigma, -good, two, SHORTS))
    with pytest.raises(NotSupported, match="default:long_only"):
        solve(problem_of(sigma, -good, two))
    with pytest.raises(InvalidInput, match=r"leverage\.budget"):
        solve(problem_of(sigma, good, two, Leverage("neutral", max_short=1.0, budget=0.0)))
    with pytest.raises(NotSupported, match="RISK_MEASURE_VARIANCE"):
        solve(problem_of(sigma, good, two, measure=RiskMeasure.CONDITIONAL_VALUE_AT_RISK))
