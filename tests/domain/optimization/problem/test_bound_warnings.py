"""Bounds that never bind: named where they are, and never said of one that can bind, by linear programs."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.errors import UnboundedProblem
from domain.market_data.moments import Moments
from domain.optimization.feasibility import is_feasible
from domain.optimization.problem.bound_warnings import bound_warnings
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.linear import solve_linear
from domain.optimization.programs.program import Program
from domain.optimization.request.constraints import (
    Cardinality,
    Constraint,
    GroupBounds,
    Leverage,
    Linear,
    Turnover,
    TurnoverKind,
    WeightBounds,
)
from domain.optimization.request.objectives import MinRisk
from domain.optimization.solve import solve

NAMES = ("A", "B", "C", "D")
MOMENTS = Moments.of(NAMES, [0.01, 0.02, 0.03, 0.04], np.diag([0.01, 0.02, 0.03, 0.04]), 1.0)
HELD = np.array([0.25, 0.25, 0.5, 0.0])


def fields(*constraints: Constraint) -> list[str]:
    problem = Problem(MOMENTS, MinRisk(), constraints=constraints, current_weights=HELD)
    return [warning.field for warning in bound_warnings(problem)]


CAPS = WeightBounds("caps", upper=0.3)
BINDS_NEVER: list[tuple[tuple[Constraint, ...], list[str]]] = [
    ((WeightBounds("cap", upper=60.0),), ["constraints[0].weight_bounds.upper"]),
    (
        (WeightBounds("caps", upper=0.3), WeightBounds("a", upper=0.5, symbols=("A",))),
        ["constraints[1].weight_bounds.upper"],
    ),
    ((GroupBounds("pair", ("A", "B"), upper=60.0),), ["constraints[0].group_bounds.upper"]),
    (
        (WeightBounds("caps", upper=0.3), GroupBounds("pair", ("A", "B"), upper=0.7)),
        ["constraints[1].group_bounds.upper"],
    ),
    (
        (WeightBounds("caps", upper=0.3), GroupBounds("three", ("A", "B", "C"), lower=0.5)),
        ["constraints[1].group_bounds.lower"],
    ),
    ((Linear("sum", {"A": 2.0, "B": -1.0}, upper=2.5),), ["constraints[0].upper"]),
    ((Turnover("trades", 2.5, TurnoverKind.TWO_WAY),), ["constraints[0].turnover.max_turnover"]),
    ((Turnover("trades", 1.5, TurnoverKind.ONE_WAY),), ["constraints[0].turnover.max_turnover"]),
    ((Cardinality("few", 4),), ["constraints[0].cardinality.max_assets"]),
    ((Cardinality("few", 2, ("A", "B")),), ["constraints[0].cardinality.max_assets"]),
    ((Leverage("l", max_short=2.0, max_gross=1.6),), ["constraints[0].leverage.max_short"]),
    ((Leverage("l", max_short=0.0), WeightBounds("b", lower=-0.3)), ["constraints[1].weight_bounds.lower"]),
    ((WeightBounds("long", lower=0.0), Leverage("l", max_gross=1.6)), ["constraints[1].leverage.max_gross"]),
]


@pytest.mark.parametrize(("constraints", "expected"), BINDS_NEVER)
def test_a_bound_beyond_reach_is_named(constraints: tuple[Constraint, ...], expected: list[str]) -> None:
    assert fields(*constraints) == expected


@pytest.mark.parametrize(
    "constraints",
    [
        (WeightBounds("usual", 0.0, 1.0),),
        (WeightBounds("caps", 0.12, 0.3),),
        (GroupBounds("pair", ("A", "B"), 0.0, 1.0),),
        (Turnover("trades", 1.0),),
        (Turnover("trades", 2.0, TurnoverKind.TWO_WAY),),
        (Cardinality("few", 3),),
        (Leverage("l", max_short=0.3, max_gross=1.6),),
        (Leverage("l", max_short=0.3), WeightBounds("a", upper=1.25, symbols=("A",))),
        (Leverage("half", budget=0.5), WeightBounds("a", upper=0.4)),
        (WeightBounds("short", -0.2, 0.8),),
        (),
    ],
)
def test_a_bound_that_can_bind_or_is_at_the_extreme_is_no_warning(constraints: tuple[Constraint, ...]) -> None:
    assert fields(*constraints) == []


ENDS = st.sampled_from([-0.5, -0.1, 0.0, 0.1, 0.3, 0.6, 0.9, 1.0, 1.2, 3.0])
SOME = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple)


@st.composite
def bounded(draw: Any) -> Constraint:
    low, high = sorted([draw(ENDS), draw(ENDS)])
    lower, upper = draw(st.sampled_from([(low, high), (low, None), (None, high)]))
    label = draw(st.uuids()).hex
    match draw(st.sampled_from(["weights", "group", "linear", "turnover", "leverage"])):
        case "weights":
            return WeightBounds(label, lower, upper, draw(st.one_of(SOME, st.just(()))))
        case "group":
            return GroupBounds(label, draw(SOME), lower, upper)
        case "linear":
            return Linear(label, {s: draw(st.sampled_from([-1.0, 0.5, 2.0])) for s in draw(SOME)}, lower, upper)
        case "turnover":
            return Turnover(label, abs(high), draw(st.sampled_from(TurnoverKind)))
    short, gross = draw(st.sampled_from([(0.2, None), (None, 1.4), (0.3, 1.5), (2.0, 1.2), (0.0, 1.5)]))
    return Leverage(label, short, gross)


@given(st.lists(bounded(), min_size=1, max_size=4))
def test_what_is_said_never_to_bind_can_be_left_out(constraints: list[Constraint]) -> None:
    """The extreme of the very figure, over all other limits, stays inside the bound."""
    assume(sum(isinstance(one, Leverage) for one in constraints) <= 1)
    problem = Problem(MOMENTS, MinRisk(), constraints=tuple(constraints), current_weights=HELD)
    limits = feasible_set(problem)
    assume(is_feasible(limits))
    for warning in bound_warnings(problem):
        index, *_, side = warning.field.replace("constraints[", "").replace("]", "").split(".")
        i = int(index)
        given_bound = constraints[i]
        if side in ("lower", "upper") and isinstance(given_bound, WeightBounds | GroupBounds | Linear):
            bound = getattr(given_bound, side)
            assert reached(problem, i, side) <= (bound if side == "upper" else -bound)
        elif isinstance(given_bound, Turnover | Leverage):
            without = limits.only([label for label in limits.labels if label != given_bound.label])
            if isinstance(given_bound, Turnover):
                assert not beyond(without, limits.only([given_bound.label]))


def reached(problem: Problem, i: int, side: str) -> float:
    """The largest (or minus the least) of what the bound is on, with the other end of it far away."""
    changed = list(problem.constraints)
    one = changed[i]
    far = {"upper": 50.0} if side == "upper" else {"lower": -50.0}
    assert isinstance(one, WeightBounds | GroupBounds | Linear)
    changed[i] = replace(one, **far)  # type: ignore[arg-type]  # floats by name
    polytope = feasible_set(replace(problem, constraints=tuple(changed))).polytope()
    sign, best = (-1.0 if side == "upper" else 1.0), -np.inf
    terms = one.terms if isinstance(one, Linear) else dict.fromkeys(one.symbols or NAMES, 1.0)
    rows = [terms] if not isinstance(one, WeightBounds) else [{symbol: 1.0} for symbol in terms]
    for row in rows:
        cost = np.zeros(len(polytope.lower))
        cost[:4] = [sign * row.get(symbol, 0.0) for symbol in NAMES]
        try:
            found = solve_linear(Program(None, cost, polytope))
        except UnboundedProblem:
            return np.inf
        assert found is not None
        best = max(best, -float(cost @ found.point))
    return best


def beyond(without: Any, turnover: Any) -> bool:
    """Whether some vertex of the other limits trades more, by random directions."""
    rng, polytope = np.random.default_rng(0), without.polytope()
    for _ in range(20):
        cost = np.zeros(len(polytope.lower))
        cost[:4] = rng.choice([-1.0, 1.0], 4) * rng.uniform(0.5, 1.0, 4)
        try:
            found = solve_linear(Program(None, cost, polytope))
        except UnboundedProblem:
            return True
        assert found is not None
        if turnover.violation(found.point[:4]) > 1e-7:
            return True
    return False


def test_a_solution_carries_them_and_percent_is_guessed() -> None:
    found = solve(Problem(MOMENTS, MinRisk(), constraints=(WeightBounds("cap", upper=60.0),)))
    (warning,) = found.warnings
    assert warning.code == "BOUND_NEVER_BINDS"
    assert "0.6 is 60 %" in warning.message
