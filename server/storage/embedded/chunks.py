"""Prices of one symbol and year as bytes, and how new ones are merged into old ones."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvalidInput
from domain.market_data.panel import Panel, civil_date

ENTRY_BYTES = 4 + 8


@dataclass(frozen=True, slots=True)
class Series:
    """Days, strictly increasing, with a value each."""

    days: NDArray[np.int32]
    values: NDArray[np.float64]

    def encode(self) -> bytes:
        """int32 days, then float64 values, little-endian."""
        return self.days.astype("<i4").tobytes() + self.values.astype("<f8").tobytes()

    @classmethod
    def decode(cls, data: bytes) -> "Series":
        """From bytes as `encode` writes them."""
        count = len(data) // ENTRY_BYTES
        return cls(np.frombuffer(data, "<i4", count), np.frombuffer(data, "<f8", count, offset=4 * count))

    def by_year(self) -> Iterator[tuple[int, "Series"]]:
        """The parts that lie in each civil year."""
        years = self.days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
        edges = np.flatnonzero(np.diff(years)) + 1
        starts = [0, *edges.tolist(), len(years)]
        for start, end in itertools.pairwise(starts):
            yield int(years[start]), Series(self.days[start:end], self.values[start:end])


@dataclass(frozen=True, slots=True)
class Merge:
    """Old and new together, and what the new brought."""

    merged: Series
    inserted: int
    changed: int
    unchanged: int


def merge(old: Series | None, new: Series) -> Merge:
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
    return Merge(Series(days, values), int((~known).sum()), int(known.sum()) - same, same)


def series_of(panels: Sequence[Panel]) -> Iterator[tuple[str, Series]]:
    """The values of each symbol over all panels, NaN left out, by symbol.

    Raises InvalidInput where a symbol has two different values on one day.
    """
    pieces: dict[str, list[tuple[NDArray[np.int32], NDArray[np.float64]]]] = {}
    for panel in panels:
        given = ~np.isnan(panel.values)
        for j, symbol in enumerate(panel.symbols):
            kept = given[:, j]
            pieces.setdefault(symbol, []).append((panel.dates[kept], panel.values[kept, j]))
    for symbol in sorted(pieces):
        days = np.concatenate([days for days, _ in pieces[symbol]])
        values = np.concatenate([values for _, values in pieces[symbol]])
        if len(days):
            yield symbol, _ordered(symbol, days, values)


def _ordered(symbol: str, days: NDArray[np.int32], values: NDArray[np.float64]) -> Series:
    order = np.argsort(days, kind="stable")
    days, values = days[order], values[order]
    twice = np.flatnonzero(np.diff(days) == 0)
    different = twice[values[twice] != values[twice + 1]]
    if different.size:
        raise InvalidInput("chunk", f"{symbol} has two values on {civil_date(days[different[0]])}")
    kept = np.append(np.diff(days) != 0, True)
    return Series(days[kept].astype(np.int32), values[kept])


def digest(data: bytes) -> bytes:
    """sha256 of a chunk."""
    return hashlib.sha256(data).digest()
