"""What has come of an import, by symbol, in a file without a name: it goes with the process that has it open."""

import os
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

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
        try:
            private_folder(folder)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # closed by `close`
        except OSError as error:
            raise storage_error(error, folder) from error

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of the values of each symbol, by symbol in order."""
        return dict(sorted(self._sizes.items()))

    def add(self, symbol: str, series: DailyValues) -> None:
        """Adds a part of a symbol."""
        part = _HEAD.pack(self._last.get(symbol, _NONE), len(series.days)) + series.encode()
        try:
            self._file.write(part)
        except OSError as error:
            raise storage_error(error, self._folder) from error
        self._last[symbol] = self._end
        self._sizes[symbol] = self._sizes.get(symbol, 0) + len(part) - _HEAD.size
        self._end += len(part)

    def flush(self) -> None:
        """Lets `read` see what was added."""
        try:
            self._file.flush()
        except OSError as error:
            raise storage_error(error, self._folder) from error

    def read(self, symbol: str) -> DailyValues:
        """All parts of a symbol as one series. Raises InvalidInput where a day has two different values."""
        try:
            parts = list(self._parts(symbol))
        except OSError as error:
            raise storage_error(error, self._folder) from error
        return joined(symbol, parts[::-1])

    def close(self) -> None:
        """Drops everything."""
        self._file.close()

    def _parts(self, symbol: str) -> Iterator[DailyValues]:
        at = self._last[symbol]
        while at != _NONE:
            before, count = _HEAD.unpack(os.pread(self._file.fileno(), _HEAD.size, at))
            yield DailyValues.decode(os.pread(self._file.fileno(), count * ENTRY_BYTES, at + _HEAD.size))
            at = before
