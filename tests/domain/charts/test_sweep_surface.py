"""The surface of a sweep: which trials are on it, and why there may be none."""

from domain.charts.sweep_surface import NO_GRID, NO_NUMBERS, NO_SCORES, Surface, SweptScores, surface_of
from domain.risk.figure import Absent
from domain.sweep.expansion import Axis, Grid

GRID = Grid((Axis("a", ("1", "2")), Axis("s", ("x", "y")), Axis("b", ("10", "20", "30")), Axis("c", ("5",))))
NUMBERS = {0: (1.0, 2.0), 2: (10.0, 20.0, 30.0), 3: (5.0,)}


def test_points_are_the_trials_that_differ_from_the_best_in_two_axes_alone() -> None:
    scores = {trial: float(trial) for trial in range(GRID.count) if trial != 5}
    found = surface_of(SweptScores("sharpe", GRID, NUMBERS, scores, 10))
    assert isinstance(found, Surface)
    assert (found.axes, found.best) == ((0, 2), (2.0, 20.0))
    # The best one, number 10, has a = 2, s = y, b = 20; number 5 has no score.
    expected = [(1.0, 10.0, 3), (1.0, 20.0, 4), (2.0, 10.0, 9), (2.0, 20.0, 10), (2.0, 30.0, 11)]
    assert [(*values, score) for values, score in found.points] == expected


def test_an_axis_with_one_value_is_drawn_where_there_is_no_other() -> None:
    grid = Grid((Axis("a", ("1",)), Axis("s", ("x", "y"))))
    found = surface_of(SweptScores("sharpe", grid, {0: (1.0,)}, {0: 0.5, 1: 0.7}, 1))
    assert found == Surface((0,), (((1.0,), 0.7),), (1.0,))


def test_without_a_surface_there_is_a_reason() -> None:
    assert surface_of(SweptScores("sharpe", None, {}, {0: 1.0}, 0)) == Absent(NO_GRID)
    assert surface_of(SweptScores("sharpe", GRID, {}, {0: 1.0}, 0)) == Absent(NO_NUMBERS)
    assert surface_of(SweptScores("sharpe", GRID, NUMBERS, {}, None)) == Absent(NO_SCORES)
