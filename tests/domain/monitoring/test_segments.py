"""Segments against lists of lists."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.monitoring.segments import items_of, offsets_of, segment_sums, spliced, spliced_offsets
from tests.families import generated

Parts = list[list[int]]

lists = st.lists(st.lists(st.integers(-9, 9), max_size=4), max_size=6)


def flat(parts: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([one for part in parts for one in part], np.float64), offsets_of(
        np.array([len(part) for part in parts], np.int64)
    )


@generated(100)
@given(lists, st.data())
def test_segments_are_lists(parts: list[list[int]], data: st.DataObject) -> None:
    values, offsets = flat(parts)
    assert segment_sums(values, offsets).tolist() == [sum(part) for part in parts]
    chosen = sorted(data.draw(st.sets(st.sampled_from(range(len(parts))))) if parts else [])
    items = items_of(offsets, np.array(chosen, np.int64))
    assert values[items].tolist() == [one for i in chosen for one in parts[i]]


@generated(100)
@given(lists, lists, st.data())
def test_a_splice_replaces_what_lists_replace(
    parts: list[list[int]], new: list[list[int]], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(parts)))
    end = data.draw(st.integers(start, len(parts)))
    values, offsets = flat(parts)
    others, other_offsets = flat(new)
    expected, expected_offsets = flat([*parts[:start], *new, *parts[end:]])
    cut = (int(offsets[start]), int(offsets[end]))
    assert spliced(values, [cut], [others]).tolist() == expected.tolist()
    assert spliced_offsets(offsets, [(start, end)], [other_offsets]).tolist() == expected_offsets.tolist()


@pytest.mark.parametrize("count", [1, 7, 8, 9, 129, 1000])
def test_a_sum_does_not_depend_on_its_neighbours(count: int) -> None:
    """To the last bit: a portfolio has the same value whether it is valued alone or among others."""
    values = np.random.default_rng(3).normal(0.0, 1e6, 3 * count)
    offsets = np.array([0, count, 2 * count, 3 * count])
    together = segment_sums(values, offsets)
    alone = [segment_sums(values[i : i + count].copy(), np.array([0, count]))[0] for i in range(0, 3 * count, count)]
    assert together.tolist() == alone
    exact = [math.fsum(values[i : i + count]) for i in range(0, 3 * count, count)]
    assert together.tolist() == pytest.approx(exact, rel=1e-12, abs=1e-7)
