"""Prices of one symbol and year as bytes, and how new ones are merged into old ones."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvalidInput
from domain.market_data.panel import Panel, civil_date
from domain.records import dataclass

ENTRY_BYTES = 4 + 8

MOST_YEARS = 9_999


@dataclass(frozen=True, slots=True)
class DailyValues:
    """Days, strictly increasing, with a value each."""

    days: NDArray[np.int32]
    values: NDArray[np.float64]

    def encode(self) -> bytes:
        """int32 days, then float64 values, little-endian."""
        return self.days.astype("<i4").tobytes() + self.values.astype("<f8").tobytes()

    @classmethod
    def decode(cls, data: bytes) -> "DailyValues":
        """From bytes as `encode` writes them."""
        count = len(data) // ENTRY_BYTES
        return cls(np.frombuffer(data, "<i4", count), np.frombuffer(data, "<f8", count, offset=4 * count))

    def by_year(self) -> Iterator[tuple[int, "DailyValues"]]:
        """The parts that lie in each civil year."""
        years = self.days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
        edges = np.flatnonzero(np.diff(years)) + 1
        starts = [0, *edges.tolist(), len(years)]
        for start, end in itertools.pairwise(starts):
            yield int(years[start]), DailyValues(self.days[start:end], self.values[start:end])


@dataclass(frozen=True, slots=True)
class Merge:
    """Old and new together, and what the new brought."""

    merged: DailyValues
    inserted: int
    changed: int
    unchanged: int
    days: tuple[int, int] | None  # first and last day whose value is new or another one
    changed_days: NDArray[np.int32]  # all of them


def merge(old: DailyValues | None, new: DailyValues) -> Merge:
    """New values win; days that only the old has stay."""
    if old is None:
        return Merge(new, len(new.days), 0, 0, _ends(new.days), new.days)
    days = np.union1d(old.days, new.days).astype(np.int32)
    values = np.empty(len(days))
    values[np.searchsorted(days, old.days)] = old.values
    place = np.searchsorted(days, new.days)
    known = np.isin(new.days, old.days)
    same = known.copy()
    same[known] = values[place[known]] == new.values[known]
    values[place] = new.values
    inserted, unchanged = int((~known).sum()), int(same.sum())
    changed = len(new.days) - inserted - unchanged
    changed_days = new.days[~same]
    return Merge(DailyValues(days, values), inserted, changed, unchanged, _ends(changed_days), changed_days)


def _ends(days: NDArray[np.int32]) -> tuple[int, int] | None:
    return (int(days[0]), int(days[-1])) if len(days) else None


def columns(panel: Panel) -> Iterator[tuple[str, DailyValues]]:
    """The values of each symbol of a panel, NaN left out; symbols without any are left out too."""
    for j, symbol in enumerate(panel.symbols):
        values = panel.values[:, j]
        kept = ~np.isnan(values)
        if kept.any():
            yield symbol, DailyValues(panel.dates[kept], values[kept])


def years_of(start: int | None, end: int | None) -> tuple[int, int]:
    """The first and the last civil year of a range of days; without an end it has all of them."""
    first = civil_date(start).year if start is not None else -MOST_YEARS
    return first, civil_date(end).year if end is not None else MOST_YEARS


def in_range(chunks: Iterable[bytes], start: int | None, end: int | None) -> DailyValues:
    """Chunks of one symbol, by year, as one series without what lies outside a range of days."""
    parts = [DailyValues.decode(data) for data in chunks]
    if not parts:
        return DailyValues(np.zeros(0, np.int32), np.zeros(0))
    days = np.concatenate([part.days for part in parts])
    values = np.concatenate([part.values for part in parts])
    lower = 0 if start is None else int(np.searchsorted(days, start, "left"))
    upper = len(days) if end is None else int(np.searchsorted(days, end, "right"))
    return DailyValues(days[lower:upper], values[lower:upper])


def joined(symbol: str, parts: Sequence[DailyValues]) -> DailyValues:
    """Parts of one symbol as one series. Raises InvalidInput where a day has two different values."""
    days = np.concatenate([part.days for part in parts])
    values = np.concatenate([part.values for part in parts])
    order = np.argsort(days, kind="stable")
    days, values = days[order], values[order]
    twice = np.flatnonzero(np.diff(days) == 0)
    different = twice[values[twice] != values[twice + 1]]
    if different.size:
        raise InvalidInput("chunk", f"{symbol} has two values on {civil_date(days[different[0]])}")
    kept = np.append(np.diff(days) != 0, True)
    return DailyValues(days[kept].astype(np.int32), values[kept])


def add_to_digest(content: Any, symbol: str, series: DailyValues) -> None:
    """Adds a symbol of an import to the hash that tells whether another import of the same id has the same content."""
    content.update(f"{symbol}\0{len(series.days)}\0".encode())
    content.update(series.encode())


def digest(data: bytes) -> bytes:
    """sha256 of a chunk."""
    return hashlib.sha256(data).digest()
