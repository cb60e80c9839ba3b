"""Bounds of cone programs hold whatever the point and the multipliers, and intervals hold all that keeps the rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from domain.optimization.programs.clarabel import _Assembled
from domain.optimization.programs.conic_model import ConicModel
from domain.optimization.programs.variable_intervals import LinearRows
from tests.families import generated


def weights_program(rng: np.random.Generator, size: int, *, risk: bool) -> ConicModel:
    """Long weights of one budget: the least linear cost, or with a norm of them on top."""
    model = ConicModel()
    weights = model.positive(size)
    model.zero(weights.total() - 1.0)
    model.nonnegative(-1.0 * weights + rng.uniform(1.5 / size, 1.0, size))
    objective = weights.total(rng.normal(size=size))
    if risk:
        bound = model.variables(1)
        model.second_order(bound, weights.under(rng.normal(size=(size, size)) / size))
        objective = objective + bound
    else:
        row = rng.normal(size=size)
        model.nonnegative(weights.total(row) - float(row.mean()) + 0.1)  # equal weights keep it
    model.minimise(objective)
    return model


@generated(100)
@given(seed=st.integers(0, 10_000), size=st.integers(2, 8), risk=st.booleans(), away=st.sampled_from([0.0, 1e-6, 0.1]))
def test_no_multipliers_prove_more_than_is_true(seed: int, size: int, risk: bool, away: float) -> None:
    """A point at a wrong vertex with zeros in it, and multipliers that leave a residual on these."""
    rng = np.random.default_rng(seed)
    model = weights_program(rng, size, risk=risk)
    answer = model.solve()
    assert answer is not None
    assembled = _Assembled.of(model)
    multipliers = np.concatenate([answer.multipliers[i] for i in _order(model)])
    inside = np.ones(len(multipliers), dtype=bool)
    if risk:
        inside[assembled.indices[-1]] = False  # those of a cone stay in it
    changed = np.where(inside, multipliers + away * rng.normal(size=len(multipliers)), multipliers)
    free = np.zeros(len(multipliers), dtype=bool)
    free[assembled.indices[1]] = True  # of the budget
    changed = np.where(free | ~inside, changed, np.maximum(changed, 0.0))
    point = answer.point.copy()
    if away > 0.0:
        point[:size] = np.eye(size)[int(rng.integers(size))]
    value = float(model.linear.value(answer.point)[0])
    bound = assembled._proven(model, point, changed) + float(model.linear.constant[0])
    assert bound <= value + 1e-8
    if away == 0.0:
        assert bound >= value - 1e-8


def _order(model: ConicModel) -> list[int]:
    return sorted(range(len(model.blocks)), key=lambda i: model.blocks[i].kind)


@generated(60)
@given(seed=st.integers(0, 10_000))
def test_intervals_hold_every_point_of_the_rows(seed: int) -> None:
    """Against the largest and the least of each variable by linear programs."""
    rng = np.random.default_rng(seed)
    matrix = rng.choice([-1.0, 0.0, 0.5, 2.0], (6, 4))
    ends = matrix @ rng.uniform(-2.0, 2.0, 4) + rng.random(6)
    matrix = np.vstack([matrix, np.eye(4), -np.eye(4)])
    ends = np.concatenate([ends, np.full(4, 3.0), np.full(4, 3.0)])
    rows, columns = np.nonzero(matrix)
    found = LinearRows(rows, columns, matrix[rows, columns], ends)
    least, most = found.intervals(np.full(4, 10.0))
    for j in range(4):
        low, high = (linprog(s * np.eye(4)[j], A_ub=matrix, b_ub=ends, bounds=(None, None)).fun for s in (1.0, -1.0))
        assert least[j] - 1e-7 <= low
        assert -high <= most[j] + 1e-7


@pytest.mark.parametrize("count", [1, 3])
def test_a_budget_and_no_shorts_bound_each_weight(count: int) -> None:
    model = ConicModel()
    weights = model.positive(count)
    model.zero(weights.total() - 2.0)
    model.minimise(weights.total(np.arange(count)))
    answer = model.solve()
    assert answer is not None
    least, most = _Assembled.of(model)._rows(model, 10.0).intervals(np.zeros(count))
    assert least == pytest.approx(np.full(count, 0.0 if count > 1 else 2.0), abs=1e-8)
    assert most == pytest.approx(np.full(count, 2.0))
