"""How much may be stored: a limit for the database, and disk space that new results leave free."""

import os
import sqlite3
from pathlib import Path

from domain.records import dataclass
from server.ports.errors import StorageFull
from server.storage.files import WHAT_TO_DELETE

PANEL_DIVISOR = 4
"""The limit of the whole store divided by this is for panels, which are derived; the rest is for the database."""


@dataclass(frozen=True, slots=True)
class StorageLimits:
    """Bytes; 0 sets no limit."""

    max_bytes: int = 0  # of database and panels together
    reserve_bytes: int = 0  # that stay free on the disk

    @property
    def database_bytes(self) -> int:
        """What the database may hold."""
        return self.max_bytes - self.panel_bytes

    @property
    def panel_bytes(self) -> int:
        """What panels may hold."""
        return self.max_bytes // PANEL_DIVISOR


def require_room(connection: sqlite3.Connection, path: Path, limits: StorageLimits, needed: int) -> None:
    """Raises StorageFull where `needed` bytes more would break a limit. Pages of what was deleted count as free."""
    if limits.max_bytes:
        (size,), (pages,), (free,) = (
            connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "page_count", "freelist_count")
        )
        used = size * (pages - free)
        if used + needed > limits.database_bytes:
            raise StorageFull(
                f"{_megabytes(used)} of {_megabytes(limits.database_bytes)} for data are used and {_megabytes(needed)} "
                f"more are needed: {WHAT_TO_DELETE} (DeleteBacktest, DeleteOptimization, DeleteReallocation), "
                "or raise ABSFIN_MAX_STORAGE_BYTES"
            )
    if limits.reserve_bytes:
        require_free(path.parent, limits.reserve_bytes, needed)


def require_free(folder: Path, reserve: int, needed: int) -> None:
    """Raises StorageFull where a disk would have less than `reserve` bytes free."""
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    if free - needed < reserve:
        raise StorageFull(
            f"the disk of the store has {_megabytes(free)} free, {_megabytes(needed)} are needed and "
            f"{_megabytes(reserve)} must stay: {WHAT_TO_DELETE}, free space, or lower ABSFIN_MIN_FREE_BYTES"
        )


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
