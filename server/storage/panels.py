"""Panels derived from chunks, kept as files that any process can map into its memory.

A file is written aside, synced and renamed: it is either whole or not there. Beside it lie its days and a seal, the
hashes of symbols, days and values, which are compared before a panel is used. All of them can be deleted at any time.
"""

import errno
import hashlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.market_data.panel import PricePanel
from server.observability import logger
from server.ports.errors import StorageFull
from server.ports.panels import Seal, StoredPanel
from server.storage.chunks import DailyValues
from server.storage.files import FILE_MODE, private_file, private_folder, storage_error

DEFAULT_BYTES = 2 << 30
MAX_KNOWN = 10_000
"""Panels whose verification is remembered."""

ABANDONED_SECONDS = 3600.0
"""An unfinished file that is older belongs to a process that was killed."""

Stamp = tuple[int, int, int]
"""Inode, size and time of the last change in ns."""

_READING = threading.Lock()
"""One thread at a time reads the head of a file: Python's parser of literals fails now and then in two at once."""


class PanelFiles:
    """A folder of panels, bounded in bytes: the least recently used go first.

    `hard` refuses a panel that is larger than the bound; otherwise it is kept alone.
    """

    def __init__(self, folder: Path, max_bytes: int = DEFAULT_BYTES, *, hard: bool = False) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._hard = hard
        self._verified: dict[tuple[str, Stamp, Stamp], str] = {}  # sha256 of the file of values
        private_folder(folder)
        for path in folder.iterdir():
            if path.suffix == ".tmp" and time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink(missing_ok=True)
            else:
                private_file(path)

    def open(self, fingerprint: str, symbols: tuple[str, ...]) -> StoredPanel | None:
        """The panel of a fingerprint, if it is there and what was written."""
        values_path, days_path, _ = self._paths(fingerprint)
        try:
            seal = self._seal(fingerprint, symbols)
            with _READING:
                days = np.load(days_path)
                values = np.load(values_path, mmap_mode="r")
            # Only the time of access: that of the last change belongs to the seal.
            os.utime(values_path, ns=(time.time_ns(), seal.mtime_ns))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError) as error:
            logger.warning("a stored panel is damaged and is derived again", extra={"panel": fingerprint, "why": error})
            return None
        if values.shape != (len(days), len(symbols)):
            return None
        return StoredPanel(PricePanel(symbols, days, values), values_path, fingerprint, seal)

    def create(self, fingerprint: str, symbols: tuple[str, ...], series: Sequence[DailyValues]) -> StoredPanel:
        """Derives a panel over the union of the series' days, and opens it."""
        return self.keep(fingerprint, symbols, *aligned(series))

    def keep(
        self, fingerprint: str, symbols: tuple[str, ...], days: NDArray[np.int32], values: NDArray[np.float64]
    ) -> StoredPanel:
        """Writes the files of a panel, and opens it. Raises StorageFull, StorageUnavailable."""
        values_path, days_path, seal_path = self._paths(fingerprint)
        if self._hard and values.nbytes > self._max_bytes:
            raise StorageFull(
                f"a panel of {values.nbytes} bytes is larger than all panels may be, {self._max_bytes}: "
                "ask for fewer symbols or dates, or raise ABSFIN_MAX_STORAGE_BYTES"
            )
        try:
            private_folder(self._folder)
            self._make_room(values.nbytes)
            hashes = [_write(path, _save(array)) for path, array in ((days_path, days), (values_path, values))]
            sealed = json.dumps([_hash_of(symbols), *hashes]).encode()
            _write(seal_path, lambda path: path.write_bytes(sealed))
        except OSError as error:
            self.remove(fingerprint)
            raise storage_error(error, self._folder) from error
        opened = self.open(fingerprint, symbols)
        # Another process with less room may have removed it at once: then memory serves as well.
        return opened or StoredPanel(PricePanel(symbols, days, values), values_path, fingerprint)

    def remove(self, fingerprint: str) -> None:
        """Removes the files of a panel."""
        for path in self._paths(fingerprint):
            path.unlink(missing_ok=True)

    def _paths(self, fingerprint: str) -> tuple[Path, Path, Path]:
        names = (f"{fingerprint}.npy", f"{fingerprint}.days.npy", f"{fingerprint}.seal.json")
        return self._folder / names[0], self._folder / names[1], self._folder / names[2]

    def _seal(self, fingerprint: str, symbols: tuple[str, ...]) -> Seal:
        """Compares hashes, unless these very files were compared before. Raises OSError, ValueError."""
        values_path, days_path, seal_path = self._paths(fingerprint)
        stamps = _stamp(values_path), _stamp(days_path)
        key = (f"{fingerprint} {_hash_of(symbols)}", *stamps)
        known = self._verified.get(key)
        if known is None:
            found = [_hash_of(symbols), _hash_of_file(days_path), _hash_of_file(values_path)]
            if json.loads(seal_path.read_text()) != found:
                raise OSError(errno.EIO, "its content is not what was written")
            if len(self._verified) >= MAX_KNOWN:
                self._verified.clear()
            self._verified[key] = known = found[2]
        return Seal(known, *stamps[0])

    def _make_room(self, needed: int) -> None:
        files = [path for path in self._folder.glob("*.npy") if not path.name.endswith(".days.npy")]
        by_age: list[tuple[float, int, str]] = []
        for path in files:
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # another process was faster
            by_age.append((status.st_atime, status.st_size, path.stem))
        total = sum(size for _, size, _ in by_age) + needed
        for _, size, fingerprint in sorted(by_age):
            if total <= self._max_bytes:
                return
            # A process that has it mapped keeps its pages.
            self.remove(fingerprint)
            total -= size


def aligned(series: Sequence[DailyValues]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
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


def _save(array: NDArray[np.int32] | NDArray[np.float64]) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        rows = np.ascontiguousarray(array)
        with path.open("wb") as file:
            # As np.save does, but for its error on a full disk, which does not say so.
            np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(rows))
            file.write(rows.data)

    return write


def _write(path: Path, write: Callable[[Path], object]) -> str:
    """Writes a file whole; sha256 of what was written."""
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    aside = Path(name)
    try:
        os.fchmod(handle, FILE_MODE)
        write(aside)
        found = _hash_of_file(aside)
        os.fsync(handle)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
    return found


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _hash_of(symbols: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps(symbols).encode()).hexdigest()


def _hash_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
