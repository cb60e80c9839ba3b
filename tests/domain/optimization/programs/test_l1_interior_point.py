"""Our own interior point against piqp on the same program with all its variables."""

import numpy as np
import pytest

from domain.market_data.moments import Moments
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.duality import relative_gap
from domain.optimization.programs.l1_interior_point import is_l1_constrained, solve_l1_constrained
from domain.optimization.programs.program import Program, padded
from domain.optimization.programs.quadratic import solve_quadratic
from domain.optimization.request.constraints import (
    Constraint,
    GroupBounds,
    Leverage,
    Linear,
    ReturnFloor,
    Turnover,
    TurnoverKind,
    WeightBounds,
)
from domain.optimization.request.objectives import MaxUtility, MinRisk, Objective
from domain.optimization.solve import solve

SIZE = 120
NAMES = tuple(f"S{i}" for i in range(SIZE))
RNG = np.random.default_rng(12)
RETURNS = RNG.normal(0.0004, 0.01, (300, SIZE)) + RNG.normal(0, 0.008, (300, 3)) @ RNG.dirichlet(np.ones(3), SIZE).T
MOMENTS = Moments.of(NAMES, RETURNS.mean(axis=0), np.cov(RETURNS.T), 252.0)
HELD = RNG.dirichlet(np.ones(SIZE))
SECTORS = [GroupBounds(f"g{k}", NAMES[k::4], 0.15, 0.35) for k in range(4)]

TILT = Linear("tilt", {NAMES[0]: 1.0, NAMES[1]: -1.0}, 0.0, 0.0)
CASES: dict[str, tuple[Constraint, ...]] = {
    "turnover": (Turnover("t", 0.2),),
    "next to none": (Turnover("t", 1e-3),),
    "caps and sectors": (Turnover("t", 0.3), WeightBounds("caps", None, 0.05), *SECTORS),
    "a floor": (Turnover("t", 0.3), ReturnFloor("floor", 252 * float(np.quantile(MOMENTS.expected_returns, 0.7)))),
    "two ways, a tilt": (Turnover("t", 0.5, TurnoverKind.TWO_WAY), TILT),
    "gross exposure": (Leverage("g", max_gross=1.4), WeightBounds("b", -0.1, 0.2)),
}


@pytest.mark.parametrize("constraints", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("objective", [MinRisk(), MaxUtility(4.0)], ids=["risk", "utility"])
def test_the_optimum_of_piqp(objective: Objective, constraints: tuple[Constraint, ...]) -> None:
    problem = Problem(MOMENTS, objective, constraints=constraints, current_weights=HELD)
    limits = feasible_set(problem)
    assert is_l1_constrained(limits)
    hessian = padded(2.0 / problem.variance_scale * MOMENTS.covariance, 2 * SIZE)
    linear = np.zeros(2 * SIZE)
    if isinstance(objective, MaxUtility):
        linear[:SIZE] = -MOMENTS.expected_returns / problem.variance_scale / 4.0
    program = Program(hessian, linear, limits.polytope())
    ours, theirs = solve_l1_constrained(program, limits), solve_quadratic(program)
    assert ours is not None
    assert theirs is not None
    solution = solve(problem)
    if relative_gap(program, ours) > 1e-8:
        # At a degenerate optimum rounding may end it early: it says so, and what is answered is proven all the same.
        assert (objective, constraints) == (MaxUtility(4.0), CASES["turnover"])
    else:
        assert program.value(ours.point) == pytest.approx(program.value(theirs.point), rel=1e-8)
        assert limits.violation(ours.point[:SIZE]) <= 1e-9
    assert solution.certificate.duality_gap is not None
    assert solution.certificate.duality_gap <= 1e-8


def test_the_price_of_turnover_is_a_finite_difference() -> None:
    def at(limit: float) -> float:
        return solve(Problem(MOMENTS, MinRisk(), constraints=(Turnover("t", limit),), current_weights=HELD)).risk

    solution = solve(Problem(MOMENTS, MinRisk(), constraints=(Turnover("t", 0.2),), current_weights=HELD))
    assert solution.certificate.solver == "interior point"
    price = next(one.shadow_price for one in solution.binding if one.label == "t")
    assert price == pytest.approx((at(0.2 - 1e-4) - at(0.2 + 1e-4)) / 2e-4, rel=1e-3)
    assert np.count_nonzero(np.abs(solution.weights - HELD) < 1e-9) > 0


def test_what_cannot_be_traded_is_left_to_others() -> None:
    pinned = (Turnover("t", 0.2), WeightBounds("pin", 0.01, 0.01, NAMES[:2]))
    problem = Problem(MOMENTS, MinRisk(), constraints=pinned, current_weights=np.full(SIZE, 1 / SIZE))
    assert not is_l1_constrained(feasible_set(problem))
    assert solve(problem).weights[:2] == pytest.approx([0.01, 0.01])
