"""Families of like cases: scripts/test runs a few of each, --all more of them, and --long those of every block."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest

ROOT = Path(__file__).parents[1]
SLOW_TESTS = ROOT / "tests/slow_tests.txt"

FULL = 100
EXAMPLES = {"few": FULL // 4, "all": FULL // 2, "long": FULL}
"""Generated examples of a test that names no number: by scripts/test, with --all, and with --long."""


def register_profiles() -> None:
    """`few` is in force unless pytest gets --hypothesis-profile, as from scripts/test --all and --long."""
    # A busy machine is slow, not wrong: what hangs is stopped by the time limit of every test.
    for name, count in EXAMPLES.items():
        hypothesis.settings.register_profile(name, max_examples=count, deadline=None)
    hypothesis.settings.load_profile("few")


def generated(full: int, **more: Any) -> hypothesis.settings:
    """So many generated examples with --long; otherwise the same part of them as of others."""
    return hypothesis.settings(max_examples=share_of(full), **more)


def share_of(full: int) -> int:
    """How many of so many cases run that a test makes by itself; all with --long."""
    return max(1, full * hypothesis.settings().max_examples // FULL)


def thinned(cases: Iterable[Any], every: int, first: int = 0, *, several: bool = False) -> list[Any]:
    """Values for `parametrize`: one of `every` so many, the one at `first` among them, runs always; all with --all.

    `several` where a case has values for several arguments.
    """
    return [
        case if place % every == first else pytest.param(*(case if several else (case,)), marks=pytest.mark.exhaustive)
        for place, case in enumerate(cases)
    ]


def blocks(usual: int, exhaustive: int, long: int) -> list[Any]:
    """Numbers of blocks of random cases for `parametrize`: so many run always, with --all and with --long."""
    later = [pytest.param(block, marks=pytest.mark.exhaustive) for block in range(usual, exhaustive)]
    return [*range(usual), *later, *(pytest.param(block, marks=pytest.mark.long) for block in range(exhaustive, long))]


def sampled(cases: Iterable[Any], every: int) -> list[Any]:
    """Values for `parametrize`: one of `every` so many runs with --all, all with --long."""
    marks = (pytest.mark.exhaustive, pytest.mark.long)
    return [pytest.param(case, marks=marks[place % every > 0]) for place, case in enumerate(cases)]


@cache
def slow_tests() -> frozenset[str]:
    """The tests that only --all runs because of the time they take, each as `folder/file.py::function`."""
    lines = SLOW_TESTS.read_text().splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def mark_slow_tests(items: Iterable[pytest.Item]) -> None:
    """Gives them the mark `exhaustive`."""
    for item in items:
        if function_of(item.nodeid) in slow_tests():
            item.add_marker(pytest.mark.exhaustive)


def function_of(case: str) -> str:
    """The test of a case: its name without the values of its arguments."""
    return case.partition("[")[0]
