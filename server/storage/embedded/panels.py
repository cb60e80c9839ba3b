"""Panels derived from chunks, kept as files that any process can map into its memory.

A file is named by the hash of what it holds, written aside, synced and renamed: it is either whole or not there. All of
them can be deleted at any time.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.market_data.panel import PricePanel
from server.ports import StoredPanel
from server.storage.embedded.chunks import Series

DEFAULT_BYTES = 2 << 30


class PanelFiles:
    """A folder of panels, bounded in bytes: the least recently used go first."""

    def __init__(self, folder: Path, max_bytes: int = DEFAULT_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        folder.mkdir(parents=True, exist_ok=True)

    def open(self, fingerprint: str, symbols: tuple[str, ...]) -> StoredPanel | None:
        """The panel of a fingerprint, if it is there and whole."""
        values_path, days_path = self._paths(fingerprint)
        try:
            days = np.load(days_path)
            values = np.load(values_path, mmap_mode="r")
            os.utime(values_path)
        except (OSError, ValueError, EOFError):
            # Not derived yet, or damaged from outside: it is derived again either way.
            return None
        if values.shape != (len(days), len(symbols)):
            return None
        return StoredPanel(PricePanel(symbols, days, values), values_path, fingerprint)

    def create(self, fingerprint: str, symbols: tuple[str, ...], series: Sequence[Series]) -> StoredPanel:
        """Derives a panel over the union of the series' days, and opens it."""
        return self.keep(fingerprint, symbols, *aligned(series))

    def keep(
        self, fingerprint: str, symbols: tuple[str, ...], days: NDArray[np.int32], values: NDArray[np.float64]
    ) -> StoredPanel:
        """Writes the files of a panel, and opens it."""
        values_path, days_path = self._paths(fingerprint)
        self._make_room(values.nbytes)
        _write(days_path, days)
        _write(values_path, values)
        opened = self.open(fingerprint, symbols)
        # Another process with less room may have removed it at once: then memory serves as well.
        return opened or StoredPanel(PricePanel(symbols, days, values), values_path, fingerprint)

    def _paths(self, fingerprint: str) -> tuple[Path, Path]:
        return self._folder / f"{fingerprint}.npy", self._folder / f"{fingerprint}.days.npy"

    def _make_room(self, needed: int) -> None:
        files = [path for path in self._folder.glob("*.npy") if not path.name.endswith(".days.npy")]
        by_age = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in files)
        total = sum(size for _, size, _ in by_age) + needed
        for _, size, path in by_age:
            if total <= self._max_bytes:
                return
            # A process that has it mapped keeps its pages.
            path.unlink(missing_ok=True)
            path.with_name(path.name.replace(".npy", ".days.npy")).unlink(missing_ok=True)
            total -= size


def aligned(series: Sequence[Series]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The union of days (T,) and the values (T, N), NaN where a series has none on a day."""
    first = min(int(one.days[0]) for one in series if len(one.days))
    last = max(int(one.days[-1]) for one in series if len(one.days))
    present = np.zeros(last - first + 1, dtype=bool)
    for one in series:
        present[one.days - first] = True
    row = np.cumsum(present) - 1
    values = np.full((int(present.sum()), len(series)), np.nan)
    for j, one in enumerate(series):
        values[row[one.days - first], j] = one.values
    return (np.flatnonzero(present) + first).astype(np.int32), values


def _write(path: Path, array: NDArray[np.int32] | NDArray[np.float64]) -> None:
    handle, aside = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, array)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
