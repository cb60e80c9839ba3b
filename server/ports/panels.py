"""Panels of prices in files that any process can open."""

import hashlib
import os
from io import BufferedReader
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.errors import MissingMarketData
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.records import dataclass

MAX_KNOWN = 10_000
"""Files whose content is remembered."""

_known_hashes: dict[tuple[int, int, int, int], str] = {}
"""Hashes of files that this process has read, by device, inode, size and time of the last change in ns."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a file of values was when it was verified, so that a later reader can see that it still is."""

    sha256: str  # of the whole file
    inode: int
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class StoredPanel:
    """A panel of stored prices over a read-only file that other processes can open too."""

    panel: PricePanel
    path: Path  # values as .npy, (T, N)
    fingerprint: str  # names the content
    seal: Seal | None = None


@dataclass(frozen=True, slots=True)
class StoredPanelRef:
    """A stored panel by its file: small enough to send to a worker, which maps the file into memory."""

    symbols: tuple[str, ...]  # (N,)
    dates: NDArray[np.int32]  # (T,), days since 1970-01-01
    path: Path  # values as .npy, (T, N)
    fingerprint: str = ""  # names the content
    seal: Seal | None = None

    @classmethod
    def of(cls, stored: StoredPanel) -> "StoredPanelRef":
        """The reference to a panel."""
        return cls(stored.panel.symbols, stored.panel.dates, stored.path, stored.fingerprint, stored.seal)

    @property
    def rows(self) -> int:
        """Number of dates."""
        return len(self.dates)

    def prices(self) -> PricePanel:
        """The panel over the mapped file. Raises MissingMarketData where it was removed or changed meanwhile."""
        return PricePanel(self.symbols, self.dates, open_values(self.path, self.seal))

    def returns(self) -> ReturnPanel:
        """The same file as returns. Raises MissingMarketData."""
        return ReturnPanel(self.symbols, self.dates, open_values(self.path, self.seal))


def open_values(path: Path, seal: Seal | None) -> NDArray[np.float64]:
    """Maps a file of values, (T, N). Raises MissingMarketData where it was removed or changed since it was sealed."""
    try:
        with path.open("rb") as file:
            if seal is not None and not _is_sealed(file, seal):
                raise MissingMarketData("the stored panel was changed while it was in use; try again")
        values: NDArray[np.float64] = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        raise MissingMarketData("the stored panel was removed while it was in use; try again") from None
    return values


def _is_sealed(file: BufferedReader, seal: Seal) -> bool:
    """Whether it is the file that was sealed, or a copy: that of another machine is hashed once by each process."""
    status = os.fstat(file.fileno())
    stamp = status.st_ino, status.st_size, status.st_mtime_ns
    if stamp == (seal.inode, seal.size, seal.mtime_ns):
        return True
    key = (status.st_dev, *stamp)
    found = _known_hashes.get(key)
    if found is None:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        if len(_known_hashes) >= MAX_KNOWN:
            _known_hashes.clear()
        _known_hashes[key] = found
    return found == seal.sha256
