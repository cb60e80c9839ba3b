"""Prices of one symbol and year as bytes, and how new ones are merged into old ones."""

import hashlib
import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvalidInput
from domain.market_data.panel import Panel, civil_date

ENTRY_BYTES = 4 + 8

VISIBLE = "(p.import = 0 OR EXISTS (SELECT 1 FROM import_numbers n WHERE n.number = p.import AND n.finished = 1))"
"""Condition on price_chunks p: written by an import that is finished, or by a version without numbers."""


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


def merge(old: DailyValues | None, new: DailyValues) -> Merge:
    """New values win; days that only the old has stay."""
    if old is None:
        return Merge(new, len(new.days), 0, 0)
    days = np.union1d(old.days, new.days).astype(np.int32)
    values = np.empty(len(days))
    values[np.searchsorted(days, old.days)] = old.values
    place = np.searchsorted(days, new.days)
    known = np.isin(new.days, old.days)
    same = int((values[place[known]] == new.values[known]).sum())
    values[place] = new.values
    return Merge(DailyValues(days, values), int((~known).sum()), int(known.sum()) - same, same)


def columns(panel: Panel) -> Iterator[tuple[str, DailyValues]]:
    """The values of each symbol of a panel, NaN left out; symbols without any are left out too."""
    for j, symbol in enumerate(panel.symbols):
        values = panel.values[:, j]
        kept = ~np.isnan(values)
        if kept.any():
            yield symbol, DailyValues(panel.dates[kept], values[kept])


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


def digest(data: bytes) -> bytes:
    """sha256 of a chunk."""
    return hashlib.sha256(data).digest()


def visible_chunks(
    connection: sqlite3.Connection, symbol: str, field: str, first_year: int, last_year: int
) -> dict[int, bytes]:
    """Stored chunks of a symbol by year, each of the latest import that is finished."""
    statement = (
        f"SELECT year, data FROM price_chunks p WHERE symbol = ? AND field = ? AND year BETWEEN ? AND ? "  # noqa: S608  # constant
        f"AND {VISIBLE} ORDER BY year, import"
    )
    return dict(connection.execute(statement, (symbol, field, first_year, last_year)))
