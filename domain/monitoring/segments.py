"""Arrays that hold the items of each portfolio together, portfolios in order."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector

Indices = NDArray[np.int64]

Index = Indices | slice
"""Items; a slice where they are all."""

T = TypeVar("T")


def offsets_of(lengths: NDArray[np.int64]) -> Indices:
    """Where each segment starts (P,), and where the last one ends: (P + 1,)."""
    result = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=result[1:])
    return result


def items_of(offsets: Indices, chosen: Indices) -> Index:
    """Items of some segments, given in order, one after the other."""
    if len(chosen) == len(offsets) - 1:
        return slice(0, int(offsets[-1]))
    starts, lengths = offsets[chosen], offsets[chosen + 1] - offsets[chosen]
    shifts = starts - offsets_of(lengths)[:-1]
    result: Indices = np.arange(int(lengths.sum()), dtype=np.int64) + np.repeat(shifts, lengths)
    return result


def segment_sums(values: Vector, offsets: Indices) -> Vector:
    """Sum of each segment (P,); 0 for an empty one.

    A sum depends on its own items alone: not on what else is summed with it, nor on any sum before.
    """
    lengths = np.diff(offsets)
    if len(lengths) and lengths.all():
        result: Vector = np.add.reduceat(values, offsets[:-1])
        return result
    sums = np.zeros(len(lengths))
    filled = lengths > 0
    if filled.any():
        sums[filled] = np.add.reduceat(values, offsets[:-1][filled])
    return sums


Cuts = Sequence[tuple[int, int]]
"""First item and the one after the last of each stretch that is replaced, in order."""


def item_cuts(offsets: Indices, cuts: Cuts) -> list[tuple[int, int]]:
    """Cuts of segments as cuts of their items."""
    return [(int(offsets[start]), int(offsets[end])) for start, end in cuts]


def spliced(array: NDArray[Any], cuts: Cuts, parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """An array with other items instead of those of each cut."""
    pieces: list[NDArray[Any]] = []
    after = 0
    for (start, end), part in zip(cuts, parts, strict=True):
        pieces += [array[after:start], part]
        after = end
    return np.concatenate([*pieces, array[after:]])


def spliced_offsets(offsets: Indices, cuts: Cuts, parts: Sequence[Indices]) -> Indices:
    """Offsets with other segments instead of those of each cut."""
    return offsets_of(spliced(np.diff(offsets), cuts, [np.diff(part) for part in parts]))


def spliced_fields(record: T, cuts: Cuts, parts: Sequence[T]) -> T:
    """The same for every field of a dataclass of arrays."""
    names = [one.name for one in fields(record)]  # type: ignore[arg-type]  # a TypeVar has no bound for dataclasses
    return type(record)(
        **{name: spliced(getattr(record, name), cuts, [getattr(part, name) for part in parts]) for name in names}
    )
