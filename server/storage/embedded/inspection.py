"""What an embedded store is, looked at without changing it: nothing is migrated, nor made."""

import sqlite3
import time
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from domain.records import dataclass
from server.ports.identity import Role
from server.storage.files import storage_error


@dataclass(frozen=True, slots=True)
class StoreState:
    """The migrations that a store has, those that this version has, and keys that an admin can call with."""

    version: int
    latest: int
    admin_keys: int


def inspect_store(path: Path) -> StoreState:
    """The state of a database. Raises StorageUnavailable."""
    latest = len(list(files(__package__).joinpath("migrations").iterdir()))
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            admins = _admin_keys(connection)
    except sqlite3.Error as error:
        raise storage_error(error, path.parent) from error
    return StoreState(version, latest, admins)


def _admin_keys(connection: sqlite3.Connection) -> int:
    """Keys with the role admin that work; 0 in a store from before there were any."""
    try:
        rows = connection.execute(
            "SELECT roles FROM api_keys WHERE revoked_micros IS NULL "
            "AND (expires_micros IS NULL OR expires_micros > ?)",
            (time.time_ns() // 1000,),
        ).fetchall()
    except sqlite3.OperationalError:
        return 0
    return sum(str(int(Role.ADMIN)) in roles.split(",") for (roles,) in rows)
