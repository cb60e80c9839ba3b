"""A conflict is irreducible, and a relaxation is exactly enough; a linear program of our own says what can be met."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import linprog

from domain.cancellation import never_cancelled
from domain.errors import Cancelled, InfeasibleProblem, SolverTimedOut
from domain.market_data.moments import Moments
from domain.market_data.panel import Scenarios
from domain.optimization.infeasibility import _widening_by_bisection, conflict, smallest_relaxation
from domain.optimization.problem.feasible_set import FeasibleSet, feasible_set
from domain.optimization.problem.limits import AbsoluteSum, Box, Limit, Row
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import (
    Cardinality,
    Constraint,
    GroupBounds,
    Leverage,
    Linear,
    ReturnFloor,
    RiskLimit,
    Turnover,
    WeightBounds,
)
from domain.optimization.request.objectives import MaxRatio, MaxReturn, MaxUtility, MinRisk, Objective, RiskBudget
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from tests.families import generated

SYMBOLS = ("A", "B", "C", "D")
MOMENTS = Moments.of(SYMBOLS, [0.01, 0.02, 0.005, 0.0], np.eye(4), 1.0)

BOUNDS = st.floats(0.0, 0.9).map(lambda x: round(x, 2))
SOME = st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=4, unique=True).map(tuple)
KINDS = st.one_of(
    st.builds(lambda lower, symbols: ("least", lower, symbols), BOUNDS, SOME),
    st.builds(lambda upper, symbols: ("most", upper, symbols), BOUNDS, SOME),
    st.builds(lambda lower, symbols: ("group", lower, symbols), BOUNDS, SOME),
    st.builds(lambda floor: ("floor", floor / 30, ()), BOUNDS),
    st.builds(lambda limit: ("turnover", limit, ()), BOUNDS),
    st.builds(lambda limit: ("gross", 1.0 + limit, ()), BOUNDS),
)


def limits_of(kinds: list[tuple[str, float, tuple[str, ...]]]) -> FeasibleSet:
    constraints: list[Constraint] = []
    for i, (kind, number, symbols) in enumerate(kinds):
        label = f"{kind} {i}"
        match kind:
            case "least":
                constraints.append(WeightBounds(label, lower=number, symbols=symbols))
            case "most":
                constraints.append(WeightBounds(label, upper=number, symbols=symbols))
            case "group":
                constraints.append(GroupBounds(label, symbols, lower=number))
            case "floor":
                constraints.append(ReturnFloor(label, number))
            case "turnover":
                constraints.append(Turnover(label, number))
            case "gross" if not any(isinstance(c, Leverage) for c in constraints):
                constraints.append(Leverage(label, max_short=0.5, max_gross=number))
    held = np.array([1.0, 0.0, 0.0, 0.0])
    return feasible_set(Problem(MOMENTS, MinRisk(), constraints=tuple(constraints), current_weights=held))


def can_be_met(limits: FeasibleSet) -> bool:
    """Whether all limits need be missed by no more than 0, by HiGHS; x holds weights, their distances, the miss."""
    size = limits.n_assets
    eye = np.eye(size)
    parts: list[tuple[np.ndarray, np.ndarray]] = []  # what is at most its end, and the end
    sums: list[AbsoluteSum] = []  # each has distances of its own
    for limit in limits.limits:
        match limit:
            case Box():
                parts += [(eye, limit.upper), (-eye, -limit.lower)]
            case Row():
                parts += [(limit.coefficients[None], np.array([limit.upper]))]
                parts += [(-limit.coefficients[None], np.array([-limit.lower]))]
            case AbsoluteSum():
                sums.append(limit)
            case _:
                raise AssertionError(f"{limit} is not linear")
    width = size * (1 + len(sums)) + 1
    rows, ends = [], []
    for left, right in parts:
        known = np.isfinite(right)
        rows.append(np.hstack([left, np.zeros((len(left), width - size - 1)), -np.ones((len(left), 1))])[known])
        ends.append(right[known])
    for i, one in enumerate(sums):
        place = slice(size * (1 + i), size * (2 + i))
        for sign in (-1.0,) if one.shorts else (1.0, -1.0):
            away = np.zeros((size, width))
            away[:, :size], away[:, place] = sign * eye, -eye
            rows.append(away)
            ends.append(np.zeros(size) if one.shorts else sign * one.centre)
        total = np.zeros((1, width))
        total[0, place], total[0, -1] = 1.0, -1.0
        rows.append(total)
        ends.append(np.array([one.maximum]))
    bounds = [(None, None)] * size + [(0.0, None)] * (width - size)
    found = linprog(np.eye(width)[-1], A_ub=np.vstack(rows), b_ub=np.concatenate(ends), bounds=bounds)
    assert found.status == 0, found.message
    return bool(found.fun <= 1e-9)


def widened(limit: Limit, size: float) -> Limit:
    match limit:
        case Box():
            return Box(limit.label, limit.lower - size, limit.upper + size)
        case Row():
            return Row(limit.label, limit.coefficients, limit.lower - size, limit.upper + size)
        case AbsoluteSum():
            return AbsoluteSum(limit.label, limit.centre, limit.maximum + size * limit.factor, limit.shorts)


def relaxed(limits: FeasibleSet, label: str, size: float) -> FeasibleSet:
    changed = tuple(widened(one, size) if one.label == label else one for one in limits.limits)
    return FeasibleSet(limits.symbols, changed)


@generated(60)
@given(st.lists(KINDS, min_size=2, max_size=6))
def test_without_any_one_label_the_rest_can_be_met(kinds: list[tuple[str, float, tuple[str, ...]]]) -> None:
    limits = limits_of(kinds)
    assume(not can_be_met(limits))
    found = conflict(limits)
    assert not can_be_met(limits.only(found.labels))
    for label in found.labels:
        assert can_be_met(limits.only(set(found.labels) - {label}))


@generated(60)
@given(st.lists(KINDS, min_size=2, max_size=6))
def test_a_relaxation_is_enough_and_no_more(kinds: list[tuple[str, float, tuple[str, ...]]]) -> None:
    limits = limits_of(kinds)
    assume(not can_be_met(limits))
    for label, size in conflict(limits).relaxations.items():
        assert can_be_met(relaxed(limits, label, size + 1e-6))
        if size > 1e-5:
            assert not can_be_met(relaxed(limits, label, 0.99 * size))


def test_the_error_names_labels_in_the_callers_order() -> None:
    limits = limits_of([("least", 0.6, ("A",)), ("most", 0.9, ("D",)), ("least", 0.6, ("B",))])
    error = conflict(limits)
    assert error.labels == ("least 0", "least 2", "default:long_only", "default:budget")
    assert error.relaxations["least 0"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    "limit",
    [
        RiskLimit("x", RiskMeasure.STANDARD_DEVIATION, 0.1),
        WeightBounds("x", upper=0.3),
        GroupBounds("x", ("A", "B"), lower=1.2),
        Turnover("x", 0.1),
    ],
    ids=lambda limit: type(limit).__name__,
)
def test_bisection_finds_the_relaxation_that_the_elastic_program_finds(limit: Constraint) -> None:
    """It stands in where a search for two of six assets takes too long with ends that move."""
    moments = Moments.of(tuple("ABCDEF"), np.linspace(0.01, 0.02, 6), np.diag(np.linspace(0.04, 0.09, 6)), 1.0)
    held = np.array([0.0, 0.0, 0.0, 0.2, 0.3, 0.5])
    constraints = (Cardinality("count", 2), limit)
    limits = feasible_set(Problem(moments, MinRisk(), constraints=constraints, current_weights=held))
    found = smallest_relaxation(limits, "x")
    assert found is not None
    assert found > 0.01
    assert _widening_by_bisection(limits, "x", never_cancelled) == pytest.approx(found, abs=1e-6)


@pytest.mark.parametrize(
    "limit",
    [Cardinality("x", 1), WeightBounds("x", upper=0.3), RiskLimit("x", RiskMeasure.TAIL_GINI, 1e-4)],
    ids=lambda limit: type(limit).__name__,
)
def test_a_relaxation_stops_where_the_time_ends(limit: Constraint) -> None:
    returns = np.random.default_rng(5).normal(0.0, 0.02, (30, 6))
    moments = Moments.of(tuple("ABCDEF"), returns.mean(axis=0), np.cov(returns.T), 1.0)
    scenarios = Scenarios.of(moments.symbols, returns)
    constraints = (Cardinality("count", 2), WeightBounds("each", upper=0.6), limit)
    limits = feasible_set(Problem(moments, MinRisk(), constraints=constraints, scenarios=scenarios))

    def late() -> None:
        raise SolverTimedOut("late")

    with pytest.raises(SolverTimedOut):
        smallest_relaxation(limits, "x", late)


def dense(size: int, count: int, kind: str, seed: int) -> FeasibleSet:
    """Random rows over all weights, far more than any portfolio can keep."""
    rng = np.random.default_rng(seed)
    symbols = [f"S{i}" for i in range(size)]
    moments = Moments.of(symbols, np.linspace(0.01, 0.05, size), np.diag(np.linspace(0.04, 0.1, size)), 1.0)
    rows: list[Constraint] = []
    for j in range(count):
        terms = dict(zip(symbols, rng.normal(size=size).tolist(), strict=True))
        end = float(rng.normal())
        lower, upper = {"least": (end, None), "equal": (end, end), "range": (end - 0.1, end + 0.1)}[kind]
        rows.append(Linear(f"row {j}", terms, lower, upper))
    return feasible_set(Problem(moments, MinRisk(), constraints=tuple(rows)))


@pytest.mark.parametrize("kind", ["least", "equal", "range"])
@pytest.mark.parametrize(("size", "count"), [(8, 40), (60, 300)])
def test_many_dense_rows_have_an_irreducible_conflict(size: int, count: int, kind: str) -> None:
    """At most one more than there are weights are needed (Helly), however many there are."""
    limits, programs = dense(size, count, kind, seed=size), 0

    def counted() -> None:
        nonlocal programs
        programs += 1

    found = conflict(limits, counted)
    assert len(found.labels) <= size + 1
    assert programs <= 3 * (size + 2)
    assert not can_be_met(limits.only(found.labels))
    for label in found.labels:
        assert can_be_met(limits.only(set(found.labels) - {label}))


def test_an_explanation_that_runs_out_of_time_says_what_it_knows() -> None:
    limits = dense(60, 300, "least", seed=1)
    left = 3

    def impatient() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise SolverTimedOut("late")

    found = conflict(limits, impatient)
    assert not can_be_met(limits.only(found.labels))
    assert len(found.labels) <= 61

    def gone() -> None:
        raise Cancelled("gone")

    with pytest.raises(Cancelled):
        conflict(limits, gone)


@pytest.mark.parametrize("objective", [MinRisk(), MaxReturn(), MaxRatio(), MaxUtility(2.0), RiskBudget()])
@pytest.mark.parametrize("kind", ["least", "equal", "range"])
def test_every_objective_says_that_rows_conflict(objective: Objective, kind: str) -> None:
    limits = dense(20, 90, kind, seed=2)
    moments = Moments.of(limits.symbols, np.linspace(0.01, 0.05, 20), np.diag(np.linspace(0.04, 0.1, 20)), 1.0)
    rows = tuple(
        Linear(row.label, dict(zip(limits.symbols, row.coefficients.tolist(), strict=True)), *ends_of(row))
        for row in limits.rows
        if not row.is_budget
    )
    with pytest.raises(InfeasibleProblem) as raised:
        solve(Problem(moments, objective, constraints=rows))
    assert not can_be_met(limits.only(raised.value.labels))


def ends_of(row: Row) -> tuple[float | None, float | None]:
    return row.lower if np.isfinite(row.lower) else None, row.upper if np.isfinite(row.upper) else None
