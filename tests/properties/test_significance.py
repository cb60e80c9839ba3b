"""Whatever the returns, a figure is a finite number or absent with a reason, and nothing else is raised."""

import math
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.cancellation import never_cancelled
from domain.errors import InvalidInput
from domain.market_data.panel import ReturnPanel
from domain.significance.comparison import ComparisonSettings, compare
from domain.significance.settings import ValidationSettings
from domain.significance.validation import ComparedReturns, ValidatedReturns, validate

SIZES = st.sampled_from([1e-300, 1e-17, 1e-9, 0.01, 1.0, 1e6, 1e31, 1e59, 1e61, 1e200])
SHAPES = st.sampled_from(["random", "one", "two values", "repeated", "alternating", "trend", "constant"])


def series(rng: np.random.Generator, t: int, shape: str, size: float) -> np.ndarray:
    """T returns of -1 or more."""
    noise = rng.normal(size=t)
    values = {
        "random": noise,
        "one": np.where(np.arange(t) == t // 2, 1.0, 0.0),
        "two values": np.where(noise > 0.0, 1.0, -0.5),
        "repeated": np.repeat(noise[: -(-t // 4)], 4)[:t],
        "alternating": (-1.0) ** np.arange(t),
        "trend": np.arange(t) / max(t, 1),
        "constant": np.ones(t),
    }[shape]
    return np.maximum(values * size, -1.0)


def numbers_in(value: Any) -> list[float]:
    """Every number of a report, at any depth."""
    if isinstance(value, float):
        return [value]
    if is_dataclass(value):
        return [x for one in fields(value) for x in numbers_in(getattr(value, one.name))]
    return [x for one in value for x in numbers_in(one)] if isinstance(value, tuple) else []


@given(
    seed=st.integers(0, 10_000),
    t=st.sampled_from([0, 1, 2, 3, 9, 10, 11, 17, 40, 90]),
    shapes=st.tuples(SHAPES, SHAPES),
    sizes=st.tuples(SIZES, SIZES),
    block=st.sampled_from([None, 1.0, 2.5, 8.0]),
)
def test_a_path(seed: int, t: int, shapes: tuple[str, str], sizes: tuple[float, float], block: float | None) -> None:
    rng = np.random.default_rng(seed)
    ours, theirs = (series(rng, t, shape, size) for shape, size in zip(shapes, sizes, strict=True))
    compared = (ComparedReturns("index", ours, theirs, 12.0), ComparedReturns("same", ours, ours, 12.0))
    given_returns = ValidatedReturns(ours, ours, np.arange(t, dtype=np.int32), 12.0, compared)
    settings = ValidationSettings(is_resampled=True, resamples=100, block_length=block, sub_periods=2)
    found = validate(given_returns, settings, never_cancelled)
    assert all(math.isfinite(x) for x in numbers_in(found)), found
    assert all(found.undefined.values())


@given(
    seed=st.integers(0, 10_000),
    t=st.sampled_from([1, 2, 3, 9, 10, 33, 64]),
    shapes=st.lists(SHAPES, min_size=1, max_size=5),
    size=SIZES,
    with_benchmark=st.booleans(),
    segments=st.sampled_from([2, 4, 6]),
)
def test_a_comparison(seed: int, t: int, shapes: list[str], size: float, with_benchmark: bool, segments: int) -> None:
    rng = np.random.default_rng(seed)
    table = np.column_stack([series(rng, t, shape, size) for shape in shapes])
    returns = ReturnPanel.of([f"S{j}" for j in range(len(shapes))], range(t), table)
    benchmark = ReturnPanel.of(["B"], range(t), table[:, :1]) if with_benchmark else None
    try:
        found = compare(returns, benchmark, ComparisonSettings(resamples=100, segments=segments), never_cancelled)
    except InvalidInput:  # a strategy that does not vary, a return that is too large, one date
        return
    assert all(math.isfinite(x) for x in numbers_in(found)), found
    assert all(found.undefined.values())
