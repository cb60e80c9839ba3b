"""Files of the store: for their owner alone, and errors of disk and database as the store's own."""

import errno
import os
import sqlite3
import stat
from pathlib import Path

from server.ports.errors import StorageFull, StorageUnavailable

FOLDER_MODE = 0o700
FILE_MODE = 0o600

WHAT_TO_DELETE = "delete backtests, optimizations or reallocations that are no longer needed"

FULL = f"the disk of the store is full: {WHAT_TO_DELETE}, or free space on it"

_FULL = {errno.ENOSPC, errno.EDQUOT}


def private_folder(path: Path) -> None:
    """Makes a folder for its owner alone, or makes one that is there so."""
    path.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    _tighten(path, FOLDER_MODE)


def private_file(path: Path, *, create: bool = False) -> None:
    """Makes a file readable by its owner alone; `create` makes an empty one where there is none."""
    if create:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, FILE_MODE))
    if path.exists():
        _tighten(path, FILE_MODE)


def storage_error(error: Exception, folder: Path) -> StorageFull | StorageUnavailable:
    """The error of the store that an error of SQLite or of the operating system stands for.

    Its text is for callers, who are not told where the folder is.
    """
    if isinstance(error, OSError):
        if error.errno in _FULL:
            return StorageFull(FULL)
        return StorageUnavailable(f"a file of the store cannot be used: {error.strerror or 'unknown error'}")
    # Codes of SQLite: https://www.sqlite.org/rescode.html; the lowest byte is the primary one.
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return StorageFull(FULL)
        case sqlite3.SQLITE_TOOBIG:
            return StorageFull("the data is larger than what the store takes in one piece; send less at once")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StorageUnavailable("another process keeps the database locked; try again, or end that process")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return StorageUnavailable("the database is damaged; restore it from a copy, or move it away to begin anew")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StorageUnavailable("the database cannot be opened for writing; check its owner and mode")
        case sqlite3.SQLITE_IOERR if _is_full(folder):
            return StorageFull(FULL)
        case _:
            return StorageUnavailable("the database cannot be used; the log of the server says why")


def _tighten(path: Path, mode: int) -> None:
    if stat.S_IMODE(path.stat().st_mode) & ~mode:
        path.chmod(mode)


def _is_full(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < 1 << 16
