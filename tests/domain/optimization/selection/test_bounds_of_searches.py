"""Branch and bound over relaxations that are rough, or wrong, on purpose: a rough one must cost no accuracy."""

from collections.abc import Callable
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from domain.checks import Vector
from domain.costs.trading import TradingCosts
from domain.errors import SolverFailed
from domain.market_data.moments import Moments
from domain.optimization.contribution_bounds import contribution_search
from domain.optimization.contribution_bounds.sdp_relaxation import SdpRelaxation, solve_sdp_relaxation
from domain.optimization.problem.feasible_set import FeasibleSet, feasible_set
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.solver_control import UNLIMITED
from domain.optimization.request.constraints import Cardinality, RiskContributionBounds, WeightBounds
from domain.optimization.request.objectives import MaxReturn, MinRisk
from domain.optimization.selection.cardinality import select_assets
from domain.optimization.selection.fixed_costs import select_trades
from domain.optimization.solution import Candidate, Engine
from domain.optimization.solve import solve
from tests.families import generated

SIZE, SYMBOLS = 6, tuple("ABCDEF")
EQUAL = np.full(SIZE, 1 / SIZE)


def posed(rng: np.random.Generator, *constraints: Any, costs: TradingCosts | None = None) -> Problem:
    root = rng.normal(size=(SIZE, SIZE)) * 0.01
    moments = Moments.of(SYMBOLS, rng.normal(0.0005, 0.0005, SIZE), root @ root.T, 252.0)
    return Problem(moments, MaxReturn(), constraints=constraints, current_weights=EQUAL, costs=costs)


def least(costs: Vector, limits: FeasibleSet, rates: Vector, centre: Vector) -> Vector | None:
    """The weights of min costs . w + rates . |w - centre| within limits, by HiGHS; None where there are none."""
    polytope = limits.polytope()
    assert polytope.matrix.shape[1] == SIZE, "plain bounds and rows only"
    eye, none = np.eye(SIZE), np.zeros((len(polytope.matrix), SIZE))
    above, below = np.isfinite(polytope.row_upper), np.isfinite(polytope.row_lower)
    wide = np.hstack([polytope.matrix, none])
    found = linprog(
        np.concatenate([costs, rates]),
        A_ub=np.vstack([wide[above], -wide[below], np.hstack([eye, -eye]), np.hstack([-eye, -eye])]),
        b_ub=np.concatenate([polytope.row_upper[above], -polytope.row_lower[below], centre, -centre]),
        bounds=[*zip(polytope.lower, polytope.upper, strict=True), *[(0.0, None)] * SIZE],
    )
    return None if found.x is None else np.asarray(found.x[:SIZE])


def candidate(weights: Vector, gap: float) -> Candidate:
    return Candidate(weights, Engine.FAST, "rough", relative_gap=gap)


@generated(25)
@given(seed=st.integers(0, 10_000), most=st.integers(1, 3), rough=st.sampled_from([0.0, 0.1, 0.5]))
def test_a_selection_is_the_best_though_its_relaxations_are_rough(seed: int, most: int, rough: float) -> None:
    """Where weights break the rules, a relaxation may give worse ones and say by how much: nothing is cut off by it."""
    rng = np.random.default_rng(seed)
    caps = rng.uniform(0.4, 1.0, SIZE).round(2)
    bounds = [WeightBounds(f"cap {s}", None, float(c), (s,)) for s, c in zip(SYMBOLS, caps, strict=True)]
    limits = feasible_set(posed(rng, Cardinality("count", most), *bounds))
    costs = rng.uniform(0.5, 2.0, SIZE)

    def value(weights: Vector) -> float:
        return float(costs @ weights)

    def relaxation(within: FeasibleSet) -> Candidate | None:
        best, worst = (least(sign * costs, within, np.zeros(SIZE), EQUAL) for sign in (1.0, -1.0))
        if best is None or worst is None:
            return None
        mixed = (1.0 - rough) * best + rough * worst
        if np.count_nonzero(mixed > 1e-9) <= most:
            return candidate(np.where(best > 1e-9, best, 0.0), 0.0)
        return candidate(mixed, (value(mixed) - value(best)) / value(mixed))

    found = select_assets(limits, relaxation, value, lambda: None)
    expected = np.inf
    for held in combinations(range(SIZE), most):
        # At the lowest cost first, as much as the cap allows.
        left, spent = 1.0, 0.0
        for i in sorted(held, key=lambda i: costs[i]):
            taken = min(left, caps[i])
            left, spent = left - taken, spent + taken * costs[i]
        expected = min(expected, spent if left < 1e-9 else np.inf)
    if found is None:
        assert expected == np.inf
    else:
        assert value(found.weights) == pytest.approx(expected, rel=1e-7)
        assert np.count_nonzero(found.weights) <= most


@generated(12)
@given(seed=st.integers(0, 10_000), fee=st.sampled_from([0.002, 0.01, 0.03]), rough=st.sampled_from([0.0, 0.1, 0.5]))
def test_a_set_of_trades_is_the_best_though_its_relaxations_are_rough(seed: int, fee: float, rough: float) -> None:
    """The same for fees, against every set of trades by a linear program each."""
    rng = np.random.default_rng(seed)
    costs = TradingCosts(np.full(SIZE, 0.001), EQUAL, None, fee)
    problem = posed(rng, WeightBounds("caps", None, 0.5), costs=costs)
    limits = feasible_set(problem)
    gains = 252.0 * problem.moments.expected_returns

    def relaxation(one: Problem, within: FeasibleSet) -> Candidate | None:
        assert one.costs is not None
        best = least(-gains, within, one.costs.rates, EQUAL)
        worst = least(gains, within, np.zeros(SIZE), EQUAL)
        if best is None or worst is None:
            return None
        decided = bool(np.isin(one.costs.rates, (0.0, 0.001)).all())
        mixed = best if decided else (1.0 - rough) * best + rough * worst
        above = objective_value(one, mixed) - objective_value(one, best)
        return candidate(mixed, max(0.0, above) / max(abs(objective_value(one, mixed)), 1e-12))

    found = select_trades(problem, limits, relaxation, UNLIMITED)
    expected = objective_value(problem, EQUAL)
    for trades in product((False, True), repeat=SIZE):
        kept = [WeightBounds(f"kept {i}", 1 / SIZE, 1 / SIZE, (SYMBOLS[i],)) for i in range(SIZE) if not trades[i]]
        alone = posed(np.random.default_rng(seed), WeightBounds("caps", None, 0.5), *kept)
        weights = least(-gains, feasible_set(alone), np.full(SIZE, 0.001), EQUAL) if sum(trades) > 1 else None
        if weights is not None:
            paid = 0.001 * float(np.abs(weights - EQUAL).sum()) + fee * sum(trades)
            expected = min(expected, paid - float(gains @ weights))
    assert found is not None
    assert objective_value(problem, found.weights) == pytest.approx(expected, rel=1e-6, abs=1e-8)


def capped_contributions(seed: int) -> Problem:
    """Four assets of unlike risk, of whose variance none may carry more than 30 %: a bound that binds."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(4, 4)) * [0.01, 0.02, 0.03, 0.05]
    moments = Moments.of("ABCD", np.zeros(4), root.T @ root, 252.0)
    return Problem(moments, MinRisk(), constraints=(RiskContributionBounds("shares", upper=0.3),))


WRONG: dict[str, Callable[[SdpRelaxation], SdpRelaxation | None]] = {
    "empty": lambda found: None,
    "too high": lambda found: SdpRelaxation(found.bound + 1.0, found.point, found.matrix),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_relaxation_that_excludes_what_was_found_is_noticed(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights at hand refute it: there is no answer then rather than one that is called proven."""
    problem = capped_contributions(1)
    right = solve(problem)
    assert right.certificate.solver.startswith("branch and bound")

    def excluding(*arguments: Any) -> SdpRelaxation | None:
        found = solve_sdp_relaxation(*arguments)
        return None if found is None else WRONG[wrong](found)

    monkeypatch.setattr(contribution_search, "solve_sdp_relaxation", excluding)
    with pytest.raises(SolverFailed, match="excludes weights that keep them"):
        solve(problem)
