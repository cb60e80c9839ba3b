"""A schedule: which entry holds on which date, and what looking for it takes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.backtest.strategies import MarketHistory, WeightSchedule

SYMBOLS = ("A", "B")


def on(day: int) -> MarketHistory:
    return MarketHistory(SYMBOLS, np.array([day], np.int32), np.ones((1, 2)), np.zeros(2), 252.0)


class Counting(tuple[Any, ...]):
    """Entries that count how often one of them is read."""

    reads = 0

    def __getitem__(self, place: Any) -> Any:
        Counting.reads += 1
        return super().__getitem__(place)

    def __iter__(self) -> Iterator[Any]:
        for entry in super().__iter__():
            Counting.reads += 1
            yield entry


@given(st.sets(st.integers(0, 60), min_size=1), st.integers(-5, 65))
def test_the_latest_entry_holds(days: set[int], today: int) -> None:
    ordered = sorted(days)
    entries = tuple((day, {"A": (i + 1) / 100}) for i, day in enumerate(ordered))
    found = WeightSchedule(entries).decide(on(today), lambda: None)
    passed = [i for i, day in enumerate(ordered) if day <= today]
    assert found.tolist() == [(passed[-1] + 1) / 100 if passed else 0.0, 0.0]


@pytest.mark.parametrize("count", [50, 5651])
def test_an_entry_costs_as_much_among_many(count: int) -> None:
    """Each decision reads as many entries as a search by halves does."""
    schedule = WeightSchedule(Counting((day, {"A": 1.0}) for day in range(count)))
    Counting.reads = 0
    for day in range(0, count, 50):
        schedule.decide(on(day), lambda: None)
    assert Counting.reads <= 15 * len(range(0, count, 50))
