"""Long-only programs: against non-negative least squares, every set of assets there is, and the optimality conditions.

min x'Hx / 2 with a'x = b, x >= 0 is solved by x with Hx - la >= 0, x'(Hx - la) = 0 for one l (Karush 1939; Kuhn &
Tucker 1951). With R'R = H and z = x / l that is min |Rz - R'^-1 a| over z >= 0, which Lawson & Hanson (1974) solve.
"""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import solve_triangular
from scipy.optimize import nnls

from domain.checks import Matrix, Vector
from domain.errors import Cancelled
from domain.market_data.moments import Moments
from domain.optimization.problem.polytope import Polytope
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.active_set import _is_definite, is_long_only, solve_long_only
from domain.optimization.programs.program import Program, ProgramSolution
from domain.optimization.request.constraints import WeightBounds
from domain.optimization.request.objectives import MinRisk
from domain.optimization.solve import solve
from tests.families import generated


def program_of(hessian: Matrix, target: Vector, total: float = 1.0) -> Program:
    size, end = len(target), np.array([total])
    return Program(hessian, np.zeros(size), Polytope(target[None], end, end, np.zeros(size), np.full(size, np.inf)))


def solved(hessian: Matrix, target: Vector, total: float = 1.0) -> ProgramSolution | None:
    return solve_long_only(program_of(hessian, target, total), hessian)


def assert_optimal(
    hessian: Matrix, target: Vector, answer: ProgramSolution, total: float = 1.0, accuracy: float = 1e-9
) -> None:
    """The conditions, each relative to the size of its terms."""
    point, multiplier = answer.point, -float(answer.row_multipliers[0])
    gradient, size = hessian @ point, np.abs(hessian) @ np.abs(point) + abs(multiplier) * np.abs(target)
    assert (point >= 0.0).all()
    assert float(target @ point) == pytest.approx(total, rel=1e-12)
    reduced = gradient - multiplier * target
    assert (reduced >= -accuracy * size).all()
    assert (np.abs(reduced[point > 0.0]) <= accuracy * size[point > 0.0]).all()


def market(seed: int, size: int, kind: str) -> Matrix:
    rng = np.random.default_rng(seed)
    if kind == "one factor":
        beta = rng.uniform(0.5, 1.5, size)
        return np.outer(beta, beta) * 4e-4 + np.diag(rng.uniform(1e-4, 9e-4, size))
    returns = rng.normal(0.0, 0.01, (3 * size, size)) + rng.normal(0.0, 0.02, (3 * size, 1))
    if kind == "nearly twins":
        half = size // 2
        returns[:, half : 2 * half] = returns[:, :half] * (1.0 + 1e-4) + rng.normal(0.0, 1e-6, (3 * size, half))
    if kind == "unlike sizes":
        returns *= 10.0 ** rng.uniform(-3.0, 3.0, size)
    return np.asarray(np.cov(returns.T), dtype=np.float64)


@generated(80)
@given(
    seed=st.integers(0, 10_000),
    size=st.integers(2, 60),
    kind=st.sampled_from(["sample", "one factor", "nearly twins", "unlike sizes"]),
    excess=st.booleans(),
    total=st.sampled_from([1.0, 0.3, 250.0]),
)
def test_the_least_of_non_negative_least_squares(seed: int, size: int, kind: str, excess: bool, total: float) -> None:
    """A budget, or excess returns of either sign as the largest ratio has them."""
    hessian = market(seed, size, kind)
    target = np.random.default_rng(seed + 1).normal(0.3, 0.5, size) if excess else np.ones(size)
    answer = solved(hessian, target, total)
    if (target <= 0.0).all():
        assert answer is None
        return
    assert answer is not None
    assert_optimal(hessian, target, answer, total)
    scale = np.sqrt(np.diag(hessian))  # in figures of about one, as least squares need them
    root = np.linalg.cholesky(hessian / np.outer(scale, scale)).T
    least, _ = nnls(root, solve_triangular(root, target / scale, trans="T"))
    point = least / scale
    point *= total / float(target @ point)
    value = float(answer.point @ hessian @ answer.point)
    assert value == pytest.approx(float(point @ hessian @ point), rel=1e-8)
    if kind in ("sample", "one factor"):
        assert answer.point == pytest.approx(point, abs=1e-8 * float(np.abs(point).max()))


def by_trying_all(hessian: Matrix, target: Vector) -> float:
    """The least x'Hx of a'x = 1 over every set of assets whose own answer is long."""
    best = np.inf
    for count in range(1, len(target) + 1):
        for held in map(list, combinations(range(len(target)), count)):
            own = np.linalg.solve(hessian[np.ix_(held, held)], target[held])
            reached = float(target[held] @ own)
            if reached > 0.0 and (own / reached >= -1e-12).all():
                best = min(best, 1.0 / reached)
    return best


@generated(60)
@given(seed=st.integers(0, 10_000), size=st.integers(1, 6))
def test_the_best_of_every_set_of_assets(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    # Whole numbers of few digits: ties between assets and conditions that are met exactly come up often.
    root = rng.integers(-2, 3, (size, size)).astype(float)
    hessian, target = root @ root.T + np.eye(size), rng.integers(-1, 3, size).astype(float)
    answer = solved(hessian, target)
    if (target <= 0.0).all():
        assert answer is None
        return
    assert answer is not None
    assert_optimal(hessian, target, answer)
    assert float(answer.point @ hessian @ answer.point) == pytest.approx(by_trying_all(hessian, target), rel=1e-10)


@pytest.mark.parametrize("size", [2, 17, 100])
def test_assets_of_one_kind_share_alike(size: int) -> None:
    hessian = 0.5 * np.eye(size) + 0.5
    answer = solved(hessian, np.ones(size))
    assert answer is not None
    assert answer.point == pytest.approx(np.full(size, 1 / size), rel=1e-12)


def test_a_condition_that_is_met_exactly_on_both_sides() -> None:
    """Risks 1, 2 and 2, the third asset's covariance with the others such that its weight and its slack are 0."""
    hessian = np.array([[1.0, 0.0, 2.0 / 3.0], [0.0, 2.0, 2.0 / 3.0], [2.0 / 3.0, 2.0 / 3.0, 2.0]])
    answer = solved(hessian, np.ones(3))
    assert answer is not None
    assert answer.point == pytest.approx([2 / 3, 1 / 3, 0.0], abs=1e-14)
    assert -float(answer.row_multipliers[0]) == pytest.approx(2 / 3, rel=1e-14)


@pytest.mark.parametrize("size", [5, 60])
def test_a_singular_covariance_has_an_optimal_answer_or_none(size: int) -> None:
    """Fewer returns than assets, an asset that is there twice, and one that never moves."""
    rng = np.random.default_rng(size)
    few = np.cov(rng.normal(0.0, 0.01, (size // 2 + 1, size)).T)
    twice = market(1, size, "sample")
    twice[-1], twice[:, -1] = twice[0], twice[:, 0]
    twice[-1, -1] = twice[0, 0]
    still = market(2, size, "sample")
    still[0] = still[:, 0] = 0.0
    for hessian in (few, twice, still):
        answer = solved(hessian, np.ones(size))
        if answer is not None:
            assert_optimal(hessian, np.ones(size), answer, accuracy=1e-6)


@pytest.mark.parametrize(("size", "returns"), [(300, 39), (200, 160), (150, 20)])
def test_few_returns_take_few_systems(size: int, returns: int) -> None:
    """Each call between two systems counts: it took 20 for each asset, and gave no answer then."""
    systems: list[None] = []
    hessian = np.cov(np.random.default_rng(size).normal(0.0, 0.01, (returns, size)).T)
    program = program_of(hessian, np.ones(size))
    answer = solve_long_only(program, hessian, lambda: systems.append(None))
    assert len(systems) <= 40
    if answer is not None:
        assert_optimal(hessian, np.ones(size), answer, accuracy=1e-6)


def test_only_a_plain_budget_is_its_form() -> None:
    free = program_of(np.eye(3), np.ones(3))
    assert is_long_only(free)
    row, one = np.ones((1, 3)), np.ones(1)
    zero, wide = np.zeros(3), np.full(3, np.inf)
    for polytope in (
        Polytope(row, one, one, zero, np.array([0.4, np.inf, np.inf])),
        Polytope(row, one, one, np.array([0.1, 0.0, 0.0]), wide),
        Polytope(row, 0.0 * one, one, zero, wide),
        Polytope(row, 0.0 * one, 0.0 * one, zero, wide),
        Polytope(np.vstack([row, row]), np.ones(2), np.ones(2), zero, wide),
    ):
        assert not is_long_only(Program(np.eye(3), zero, polytope))
    assert not is_long_only(Program(np.eye(3), np.array([0.0, 1.0, 0.0]), free.polytope))


@pytest.mark.parametrize("size", [100, 250])
@pytest.mark.parametrize("cap", [None, 0.03])
def test_a_hundred_assets_from_end_to_end(size: int, cap: float | None) -> None:
    """Weights that `solve` gives, free and capped: the conditions again, a cap pushing where it binds."""
    covariance = market(size, size, "sample")
    moments = Moments.of([f"S{i}" for i in range(size)], np.zeros(size), covariance, 252.0)
    caps = () if cap is None else (WeightBounds("cap", None, cap),)
    solution = solve(Problem(moments, MinRisk(), constraints=caps))
    weights, gradient = solution.weights, covariance @ solution.weights
    assert weights.sum() == pytest.approx(1.0, abs=1e-10)
    assert weights.min() >= 0.0
    inside = (weights > 1e-7) & (weights < (cap or 1.0) - 1e-7)
    level = float(np.median(gradient[inside]))
    assert gradient[inside] == pytest.approx(np.full(int(inside.sum()), level), rel=1e-6)
    assert (gradient[weights <= 1e-7] >= level * (1 - 1e-6)).all()
    if cap is None:
        assert solution.certificate.solver == "active set"
    else:
        assert (gradient[weights >= cap - 1e-7] <= level * (1 + 1e-6)).all()
        assert (weights >= cap - 1e-7).any()


def test_it_can_be_stopped() -> None:
    def stop() -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        solve_long_only(program_of(np.eye(3), np.ones(3)), np.eye(3), stop)


def test_a_variance_below_zero_by_rounding_has_no_curvature_of_its_own() -> None:
    """As covariances are taken that are so by rounding."""
    hessian = 1e-4 * np.eye(3)
    hessian[1, 1] = -5e-15
    assert not _is_definite(hessian)
