"""The worst covariance of an ellipsoid against the ellipsoid itself: its quadratic form, its members, its maximiser."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

from domain.errors import NotSupported
from domain.estimation.moments import Estimation, estimate_moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.conic.robust import ellipsoid_factor
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import Constraint, Leverage, ReturnFloor, WeightBounds
from domain.optimization.request.objectives import MaxRatio, MaxReturn, MaxUtility, MinRisk, Uncertainty, WorstCase
from domain.optimization.solve import solve

SIZE, COUNT = 4, 60
SYMBOLS = tuple("ABCD")
RNG = np.random.default_rng(31)
RETURNS = RNG.normal(0.001, 0.01, (COUNT, SIZE)) @ RNG.normal(0.0, 0.7, (SIZE, SIZE)) + 0.0005
PANEL = ReturnPanel.of(SYMBOLS, np.arange(COUNT), RETURNS)
MOMENTS = estimate_moments(PANEL, Estimation(), 252.0)
SIGMA, MU = MOMENTS.covariance, MOMENTS.expected_returns
SHORTS = (Leverage("leverage", 0.5, 2.0),)


def posed(objective: WorstCase | MaxUtility, *constraints: Constraint) -> Problem:
    return Problem(MOMENTS, objective, constraints=constraints, scenarios=Scenarios.from_returns(PANEL))


def omega() -> np.ndarray:
    """cov(s_ij, s_kl) entry by entry, (N^2, N^2)."""
    result = np.empty((SIZE,) * 4)
    for i, j, k, m in np.ndindex(result.shape):
        result[i, j, k, m] = (SIGMA[i, k] * SIGMA[j, m] + SIGMA[i, m] * SIGMA[j, k]) / COUNT
    return result.reshape(SIZE**2, SIZE**2)


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_no_member_of_the_ellipsoid_is_worse_and_one_is_as_bad(confidence: float) -> None:
    squared = chi2.ppf(confidence, SIZE * (SIZE + 1) / 2)
    factor = ellipsoid_factor(SIZE, COUNT, confidence)
    form = omega()
    inverse = np.linalg.pinv(form, rcond=1e-10)
    values, vectors = np.linalg.eigh(form)
    root = vectors[:, values > 1e-10 * values[-1]] * np.sqrt(values[values > 1e-10 * values[-1]])
    assert root.shape[1] == SIZE * (SIZE + 1) // 2
    for weights in (np.array([0.4, 0.3, 0.2, 0.1]), np.array([1.2, -0.6, 0.9, -0.5])):
        variance = weights @ SIGMA @ weights
        worst = variance * factor
        directions = RNG.normal(size=(4000, root.shape[1]))
        directions /= np.linalg.norm(directions, axis=1)[:, None]
        members = (SIGMA.ravel() + squared**0.5 * directions @ root.T).reshape(-1, SIZE, SIZE)
        reached = np.einsum("i,sij,j->s", weights, members, weights)
        assert reached.max() <= worst * (1 + 1e-12)
        # Climbing from the best of them ends at the worst.
        start = directions[np.argmax(reached)]

        def risk(step: np.ndarray, held: np.ndarray = weights) -> float:
            member = SIGMA.ravel() + squared**0.5 * root @ (step / np.linalg.norm(step))
            return -float(held @ member.reshape(SIZE, SIZE) @ held) / float(held @ SIGMA @ held)

        assert -minimize(risk, start, options={"gtol": 1e-12}).fun == pytest.approx(factor, rel=1e-8)
        # And that is where the docstring says: inside, and a covariance.
        loads = SIGMA @ weights
        peak = SIGMA + (factor - 1) * np.outer(loads, loads) / variance
        away = (peak - SIGMA).ravel()
        assert away @ inverse @ away == pytest.approx(squared, rel=1e-9)
        assert weights @ peak @ weights == pytest.approx(worst, rel=1e-12)
        assert np.linalg.eigvalsh(peak)[0] > 0.0


def test_entries_scatter_as_the_ellipsoid_says() -> None:
    """Wishart matrices lie in it as often as its confidence says, in the limit of many returns."""
    many = 5000
    root = np.linalg.cholesky(SIGMA)
    precision = np.linalg.inv(SIGMA)
    inside = 0
    for _ in range(600):
        drawn = RNG.normal(size=(many, SIZE)) @ root.T
        away = precision @ (drawn.T @ drawn / many - SIGMA)
        # (vec D)' Omega^+ (vec D) = T / 2 tr((Sigma^-1 D)^2), Omega being twice Sigma x Sigma / T on symmetric ones.
        inside += 0.5 * many * np.trace(away @ away) <= chi2.ppf(0.9, SIZE * (SIZE + 1) / 2)
    assert inside / 600 == pytest.approx(0.9, abs=0.04)


@pytest.mark.parametrize("constraints", [(), SHORTS], ids=["long", "short"])
def test_goals_have_the_variance_of_the_worst(constraints: tuple[Constraint, ...]) -> None:
    factor = ellipsoid_factor(SIZE, COUNT, 0.95)
    ellipsoid = Uncertainty.ELLIPSOID

    def doubted(goal: MinRisk | MaxReturn | MaxUtility | MaxRatio, *more: Constraint) -> np.ndarray:
        return solve(posed(WorstCase(goal, covariance=ellipsoid), *constraints, *more)).weights

    # A larger variance is a larger aversion.
    plain = solve(posed(MaxUtility(4.0 * factor), *constraints)).weights
    assert doubted(MaxUtility(4.0)) == pytest.approx(plain, abs=1e-5)
    # The least risk and the best ratio are where they were: every variance is as many times as large.
    for goal in (MinRisk(), MaxRatio(0.01)):
        known = solve(replace(posed(WorstCase(goal)), objective=goal, constraints=constraints))
        assert doubted(goal) == pytest.approx(known.weights, abs=1e-4)
    floor = ReturnFloor("floor", 0.9 * 252 * float(MU.max()))
    assert 252 * MU @ doubted(MinRisk(), floor) >= 0.9 * 252 * float(MU.max()) - 1e-8


def test_both_ellipsoids_against_brute_force() -> None:
    objective = WorstCase(MaxRatio(0.0), Uncertainty.ELLIPSOID, Uncertainty.ELLIPSOID, 0.1)
    weights = solve(posed(objective)).weights
    reach = (chi2.ppf(0.1, SIZE) / COUNT) ** 0.5
    factor = 1 + (chi2.ppf(0.1, SIZE * (SIZE + 1) / 2) * 2 / COUNT) ** 0.5

    def ratio(held: np.ndarray) -> float:
        deviation = (held @ SIGMA @ held) ** 0.5
        return float(252 * (MU @ held - reach * deviation) / (252 * factor) ** 0.5 / deviation)

    rivals = [*RNG.dirichlet(np.ones(SIZE), 2000), *(0.99 * weights + 0.01 * RNG.dirichlet(np.ones(SIZE), 500))]
    assert max(map(ratio, rivals)) <= ratio(weights) * (1 + 1e-7)


def test_a_box_with_shorts_points_to_the_ellipsoid() -> None:
    with pytest.raises(NotSupported, match="UNCERTAINTY_ELLIPSOID"):
        solve(posed(WorstCase(MinRisk(), covariance=Uncertainty.BOX), WeightBounds("short", -0.2, 1.0)))
