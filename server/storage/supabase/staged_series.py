"""What has come of an import, by symbol, in a file without a name: it goes with the process that has it open."""

import contextlib
import os
import struct
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from server.ports.errors import StorageUnavailable
from server.storage.chunks import ENTRY_BYTES, DailyValues, joined
from server.storage.files import private_folder, storage_error

_HEAD = struct.Struct("<qi")  # where the part before this one of the same symbol begins, and how many values follow

_NONE = -1


class StagedSeries:
    """Parts of series, added one after the other and read by symbol. Raises StorageFull, StorageUnavailable."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._end = 0
        self._file: IO[bytes] | None = None
        self._closed = False
        self._in_use = threading.Lock()

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of the values of each symbol, by symbol in order."""
        return dict(sorted(self._sizes.items()))

    def add(self, symbol: str, series: DailyValues) -> None:
        """Adds a part of a symbol."""
        part = _HEAD.pack(self._last.get(symbol, _NONE), len(series.days)) + series.encode()
        with self._opened() as file:
            file.write(part)
        self._last[symbol] = self._end
        self._sizes[symbol] = self._sizes.get(symbol, 0) + len(part) - _HEAD.size
        self._end += len(part)

    def read(self, symbol: str) -> DailyValues:
        """All parts of a symbol as one series. Raises InvalidInput where a day has two different values."""
        with self._opened() as file:
            file.flush()
            parts = list(_parts(file.fileno(), self._last[symbol]))
        return joined(symbol, parts[::-1])

    def close(self) -> None:
        """Drops everything. A thread that still adds or reads fails, and nobody waits for it any more."""
        with self._in_use:
            self._closed = True
            if self._file is not None:
                with contextlib.suppress(OSError):  # it writes what it still has: that may go as well
                    self._file.close()

    @contextlib.contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        with self._in_use:
            if self._closed:
                raise StorageUnavailable("the import was given up")
            try:
                if self._file is None:
                    private_folder(self._folder)
                    self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  # closed by `close`
                yield self._file
            except OSError as error:
                raise storage_error(error, self._folder) from error


def _parts(handle: int, last: int) -> Iterator[DailyValues]:
    """From the last part of a symbol to its first."""
    at = last
    while at != _NONE:
        before, count = _HEAD.unpack(os.pread(handle, _HEAD.size, at))
        yield DailyValues.decode(os.pread(handle, count * ENTRY_BYTES, at + _HEAD.size))
        at = before
