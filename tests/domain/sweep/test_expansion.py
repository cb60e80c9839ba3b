"""Trials of a grid: each combination once, in a fixed order."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.sweep.expansion import MOST_TRIALS, Axis, Grid, listed_labels, shortened


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_every_combination_is_there_once_and_in_order(sizes: list[int]) -> None:
    grid = Grid(tuple(Axis(f"a{i}", tuple(map(str, range(size)))) for i, size in enumerate(sizes)))
    expected = list(itertools.product(*(range(size) for size in sizes)))
    assert [grid.places(trial) for trial in range(grid.count)] == expected
    assert len({grid.label(trial) for trial in range(grid.count)}) == grid.count


def test_a_label_says_what_every_axis_is_set_to() -> None:
    grid = Grid((Axis("a.b", ("1", "2")), Axis("c", ("x",))))
    assert grid.label(1) == "a.b=2, c=x"


def test_a_path_is_an_axis_once() -> None:
    with pytest.raises(InvalidInput) as raised:
        Grid((Axis("a", ("1",)), Axis("b", ("1",)), Axis("a", ("2",))))
    assert raised.value.field == "axes[2].path"


def test_a_value_is_there_once() -> None:
    with pytest.raises(InvalidInput, match="1 is there more than once"):
        Axis("a", ("1", "2", "1"))


def test_the_size_is_limited() -> None:
    values = tuple(map(str, range(MOST_TRIALS // 10)))
    assert Grid((Axis("a", values), Axis("b", tuple("0123456789")))).count == MOST_TRIALS
    with pytest.raises(InvalidInput, match=r"1000 x 11 = 11000"):
        Grid((Axis("a", values), Axis("b", tuple("0123456789x"))))


def test_equal_labels_of_a_list_are_told_apart() -> None:
    assert listed_labels(["a", "b", "a"]) == ("a [0]", "b", "a [2]")
    assert len(shortened("x" * 1000)) == 200


def test_labels_that_are_equal_once_they_are_cut_are_told_apart() -> None:
    grid = Grid((Axis("a" * 250, ("1",)), Axis("b", ("1", "2", "3"))))
    labels = listed_labels([grid.label(trial) for trial in range(grid.count)])
    assert len(set(labels)) == grid.count
    assert labels[2].endswith("... [2]")
