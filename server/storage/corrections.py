"""Which days of stored prices are corrected by new ones, as ranges."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.records import dataclass
from server.storage.chunks import Merge

MOST_RANGES = 64
"""Of one symbol and field; days that lie further apart are one range from the first to the last."""


@dataclass(frozen=True, slots=True)
class Correction:
    """Days of a symbol that have another value than before, or one that came in before its newest day."""

    symbol: str
    field: str  # as in `UsedRange`
    first: int  # day since 1970-01-01
    last: int


@dataclass(frozen=True, slots=True)
class _Run:
    """Corrected days without a stored one between them."""

    first: int
    last: int
    begins_year: bool  # no stored day of the year is before it
    ends_year: bool


def corrections_of(
    symbol: str, field: str, merges: Sequence[tuple[int, Merge]], newest: int | None
) -> tuple[Correction, ...]:
    """What merges of years, in order, correct of values whose newest day was `newest`; None where there were none."""
    if newest is None:
        return ()
    ranges = list(_joined(merges, newest))
    if len(ranges) > MOST_RANGES:
        ranges = [(ranges[0][0], ranges[-1][1])]
    return tuple(Correction(symbol, field, first, last) for first, last in ranges)


def _joined(merges: Sequence[tuple[int, Merge]], newest: int) -> Iterator[tuple[int, int]]:
    """Runs, those that go on from one year to the next as one."""
    first = last = before = 0
    is_open = goes_on = False
    for year, merge in merges:
        for run in _runs(merge.merged.days, merge.changed_days[merge.changed_days <= newest]):
            if is_open and goes_on and run.begins_year and year == before + 1:
                last = run.last
            else:
                if is_open:
                    yield first, last
                first, last, is_open = run.first, run.last, True
            goes_on, before = run.ends_year, year
    if is_open:
        yield first, last


def _runs(stored: NDArray[np.int32], corrected: NDArray[np.int32]) -> Iterator[_Run]:
    """Corrected days of a year, which are among the stored ones."""
    if not len(corrected):
        return
    at = np.searchsorted(stored, corrected)
    ends = np.flatnonzero(np.diff(at) > 1)
    starts = [0, *(ends + 1).tolist()]
    for start, end in zip(starts, [*ends.tolist(), len(at) - 1], strict=True):
        begins, closes = at[start] == 0, at[end] == len(stored) - 1
        yield _Run(int(corrected[start]), int(corrected[end]), bool(begins), bool(closes))
