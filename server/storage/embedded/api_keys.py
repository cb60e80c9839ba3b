"""API keys in SQLite; the secret that keys their hashes lies in a file beside the database."""

import asyncio
import contextlib
import os
import secrets
import sqlite3
from datetime import datetime
from functools import partial
from pathlib import Path

from server.ports.errors import AlreadyExists, NotFound
from server.ports.identity import ApiKeyPage, ApiKeyRecord, Role
from server.storage.embedded.database import Database
from server.storage.files import FILE_MODE, storage_error
from server.storage.pages import micros_of, time_of

PEPPER_NAME = "api-keys.secret"
PEPPER_BYTES = 32
ROW_BYTES = 1024
"""What a key takes, at most about."""

_COLUMNS = "id, caller, display_name, roles, hash, created_micros, expires_micros, revoked_micros"


class EmbeddedApiKeys:
    """The keys of one data folder."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pepper = b""

    async def pepper(self) -> bytes:
        """The secret of this folder, made when it is first needed."""
        if not self._pepper:
            path = self._database.path.with_name(PEPPER_NAME)
            self._pepper = await asyncio.to_thread(kept_pepper, path, secrets.token_bytes(PEPPER_BYTES))
        return self._pepper

    async def create(self, record: ApiKeyRecord) -> ApiKeyRecord:
        """Stores a key."""
        return await self._database.write(partial(_create, record=record), ROW_BYTES)

    async def find(self, key_id: str) -> ApiKeyRecord | None:
        """A key, or None."""
        return await self._database.read(partial(_find, key_id=key_id))

    async def get(self, key_id: str) -> ApiKeyRecord:
        """A key."""
        return await self._database.read(partial(_get, key_id=key_id))

    async def list(self, after: str, limit: int) -> ApiKeyPage:
        """Keys by id."""
        return await self._database.read(partial(_list, after=after, limit=limit))

    async def revoke(self, key_id: str, time: datetime) -> ApiKeyRecord:
        """Ends a key."""
        return await self._database.write(partial(_revoke, key_id=key_id, time=time))


def kept_pepper(path: Path, drawn: bytes) -> bytes:
    """What the file holds, which is `drawn` where there was none. Raises StorageFull, StorageUnavailable.

    It is written aside and linked into place, so that of two servers one makes it.
    """
    try:
        if not path.exists():
            aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(drawn)
                    file.flush()
                    os.fsync(file.fileno())
                with contextlib.suppress(FileExistsError):  # then the other server was first
                    os.link(aside, path)
            finally:
                aside.unlink()
        found = path.read_bytes()
        if len(found) != PEPPER_BYTES:
            raise OSError(0, f"{path.name} must have {PEPPER_BYTES} bytes")
    except OSError as error:
        raise storage_error(error, path.parent) from error
    return found


def _create(connection: sqlite3.Connection, record: ApiKeyRecord) -> ApiKeyRecord:
    if _find(connection, record.id) is not None:
        raise AlreadyExists("API key", f"apiKeys/{record.id}")
    roles = ",".join(str(int(role)) for role in record.roles)
    times = (micros_of(record.created), _micros(record.expires), _micros(record.revoked))
    row = (record.id, record.caller, record.display_name, roles, record.hash, *times)
    connection.execute("INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    return record


def _find(connection: sqlite3.Connection, key_id: str) -> ApiKeyRecord | None:
    statement = f"SELECT {_COLUMNS} FROM api_keys WHERE id = ?"  # noqa: S608  # constant columns
    row = connection.execute(statement, (key_id,)).fetchone()
    return None if row is None else _record(*row)


def _get(connection: sqlite3.Connection, key_id: str) -> ApiKeyRecord:
    record = _find(connection, key_id)
    if record is None:
        raise NotFound("API key", f"apiKeys/{key_id}")
    return record


def _list(connection: sqlite3.Connection, after: str, limit: int) -> ApiKeyPage:
    statement = f"SELECT {_COLUMNS} FROM api_keys WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608  # constant columns
    rows = connection.execute(statement, (after, limit + 1)).fetchall()
    records = tuple(_record(*row) for row in rows[:limit])
    return ApiKeyPage(records, records[-1].id if len(rows) > limit else "")


def _revoke(connection: sqlite3.Connection, key_id: str, time: datetime) -> ApiKeyRecord:
    statement = "UPDATE api_keys SET revoked_micros = coalesce(revoked_micros, ?) WHERE id = ?"
    connection.execute(statement, (micros_of(time), key_id))
    return _get(connection, key_id)


def _record(
    key_id: str, caller: str, display_name: str, roles: str, hashed: bytes, created: int, expires: int, revoked: int
) -> ApiKeyRecord:
    known = tuple(Role(int(role)) for role in roles.split(","))
    return ApiKeyRecord(key_id, caller, display_name, known, hashed, time_of(created), _time(expires), _time(revoked))


def _micros(time: datetime | None) -> int | None:
    return None if time is None else micros_of(time)


def _time(micros: int | None) -> datetime | None:
    return None if micros is None else time_of(micros)
