"""What scripts/load computes of its calls, and what it sends."""

import re

import pytest

from scripts.load_run.calls import Taken, Times, percentile
from scripts.load_run.jobs import documented_calls
from tests.fuzzing.contract import methods


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_percentiles_are_by_nearest_rank(share: float, expected: float) -> None:
    assert percentile([float(one) for one in range(100, 0, -1)], share) == expected


def test_a_percentile_of_one_value_is_that_value() -> None:
    assert percentile([3.0], 0.99) == 3.0


def test_only_what_was_answered_is_timed() -> None:
    taken = Taken()
    taken.add("a", "OK", 1.0)
    taken.add("a", "UNAVAILABLE", 9.0)
    assert taken.seconds == {"a": [1.0]}
    assert taken.count == 2


def test_calls_are_counted_over_all_threads() -> None:
    go_on = Times(2)
    assert [go_on() for _ in range(4)] == [True, True, False, False]


def test_nearly_every_method_is_under_load_and_each_turn_has_ids_of_its_own() -> None:
    calls = documented_calls("-2-7")
    sent = {method.name for method, _ in calls}
    left_out = {one.name for one in methods()} - sent
    assert len(left_out) < 8, left_out
    texts = " ".join(str(message) for _, messages in calls for message in messages)
    made = set(re.findall(r'(?:backtest|portfolio|sweep|optimization)_id: "([^"]+)"', texts))
    named = set(re.findall(r'"(?:backtests|portfolios|sweeps|optimizations)/([^"]+)"', texts))
    assert all(one.endswith("-2-7") for one in made)
    assert len(made & named) > 4
