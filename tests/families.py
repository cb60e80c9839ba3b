"""Families of like cases: scripts/test runs a few of each, scripts/test --all runs all of them."""

from collections.abc import Iterable
from typing import Any

import hypothesis
import pytest

FULL, FEW = 100, 25
"""Generated examples of a test that names no number, with --all and without."""


def register_profiles() -> None:
    """`few` is in force unless pytest gets --hypothesis-profile all, as from scripts/test --all."""
    # A busy machine is slow, not wrong: what hangs is stopped by the time limit of every test.
    for name, count in (("few", FEW), ("all", FULL)):
        hypothesis.settings.register_profile(name, max_examples=count, deadline=None)
    hypothesis.settings.load_profile("few")


def generated(full: int, **more: Any) -> hypothesis.settings:
    """So many generated examples with --all; the same part of them as of others without."""
    return hypothesis.settings(max_examples=max(1, full * hypothesis.settings().max_examples // FULL), **more)


def thinned(cases: Iterable[Any], every: int, first: int = 0, *, several: bool = False) -> list[Any]:
    """Values for `parametrize`: one of `every` so many, the one at `first` among them, runs always; all with --all.

    `several` where a case has values for several arguments.
    """
    return [
        case if place % every == first else pytest.param(*(case if several else (case,)), marks=pytest.mark.exhaustive)
        for place, case in enumerate(cases)
    ]
