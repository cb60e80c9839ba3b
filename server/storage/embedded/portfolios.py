"""Portfolios in SQLite, with a revision that every change must know."""

import secrets
import sqlite3
import time
from collections.abc import Callable
from functools import partial

from server.ports.changes import ChangeKind
from server.ports.errors import AlreadyExists, EtagMismatch, NotFound, RequestIdReused
from server.ports.portfolios import PortfolioDraft, PortfolioPage, PortfolioRecord
from server.ports.scope import Scope
from server.storage.embedded.change_rows import record_change
from server.storage.embedded.database import Database
from server.storage.embedded.reallocation_states import supersede
from server.storage.pages import place_of, place_token, time_of

ROW_BYTES = 1024
"""What a row takes beside its payload, at most about."""

_COLUMNS = "owner, id, payload, revision, created_micros, updated_micros"


class EmbeddedPortfolios:
    """The store of portfolios of one machine."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, owner: str, draft: PortfolioDraft) -> PortfolioRecord:
        """Stores a portfolio; the same request again gives the first."""
        return await self._database.write(partial(_create, owner=owner, draft=draft), len(draft.payload) + ROW_BYTES)

    async def get(self, owner: str, portfolio_id: str) -> PortfolioRecord:
        """One portfolio."""
        return await self._database.read(partial(read_portfolio, owner=owner, portfolio_id=portfolio_id))

    async def list(self, scope: Scope, token: str, limit: int) -> PortfolioPage:
        """Portfolios by id, or everybody's by their keys."""
        after = place_of(token, "portfolio", scope)
        return await self._database.read(partial(_list, scope=scope, after=after, limit=limit))

    async def update(
        self, owner: str, portfolio_id: str, etag: str, change: Callable[[bytes], bytes]
    ) -> PortfolioRecord:
        """Changes a portfolio in one transaction."""
        work = partial(write_portfolio, owner=owner, portfolio_id=portfolio_id, etag=etag, change=change)
        return await self._database.write(work)

    async def delete(self, owner: str, portfolio_id: str, etag: str) -> None:
        """Removes a portfolio."""
        await self._database.write(partial(_delete, owner=owner, portfolio_id=portfolio_id, etag=etag))


def _create(connection: sqlite3.Connection, owner: str, draft: PortfolioDraft) -> PortfolioRecord:
    if draft.request_id is not None:
        statement = "SELECT id, body FROM portfolios WHERE owner = ? AND request_id = ?"
        row = connection.execute(statement, (owner, draft.request_id)).fetchone()
        if row is not None and row[1] != draft.body:
            raise RequestIdReused("request_id", draft.request_id)
        if row is not None:
            return read_portfolio(connection, owner, row[0])
    portfolio_id = draft.id or secrets.token_hex(10)
    if connection.execute("SELECT 1 FROM portfolios WHERE owner = ? AND id = ?", (owner, portfolio_id)).fetchone():
        raise AlreadyExists("portfolio", f"portfolios/{portfolio_id}")
    now = _now()
    connection.execute(
        "INSERT INTO portfolios (owner, id, request_id, revision, created_micros, updated_micros, body, payload) "
        "VALUES (?, ?, ?, 1, ?, ?, ?, ?)",
        (owner, portfolio_id, draft.request_id, now, now, draft.body, draft.payload),
    )
    record_change(connection, ChangeKind.PORTFOLIO, owner, portfolio_id)
    return read_portfolio(connection, owner, portfolio_id)


def read_portfolio(connection: sqlite3.Connection, owner: str, portfolio_id: str) -> PortfolioRecord:
    """One portfolio, within a transaction. Raises NotFound."""
    statement = f"SELECT {_COLUMNS} FROM portfolios WHERE owner = ? AND id = ?"  # noqa: S608  # constant columns
    row = connection.execute(statement, (owner, portfolio_id)).fetchone()
    if row is None:
        raise NotFound("portfolio", f"portfolios/{portfolio_id}")
    return _record(*row)


def key_of(connection: sqlite3.Connection, owner: str, portfolio_id: str) -> int:
    """What other tables know a portfolio by, within a transaction that has read it."""
    statement = "SELECT key FROM portfolios WHERE owner = ? AND id = ?"
    return int(connection.execute(statement, (owner, portfolio_id)).fetchone()[0])


def _list(connection: sqlite3.Connection, scope: Scope, after: str, limit: int) -> PortfolioPage:
    place, condition = ("key", "key > :after") if scope.everyone else ("id", "owner = :owner AND id > :after")
    statement = f"SELECT {place}, {_COLUMNS} FROM portfolios WHERE {condition} ORDER BY {place} LIMIT :limit"  # noqa: S608  # constants
    first: str | int = int(after or 0) if scope.everyone else after
    rows = connection.execute(statement, {"owner": scope.owner, "after": first, "limit": limit + 1}).fetchall()
    records = tuple(_record(*row[1:]) for row in rows[:limit])
    return PortfolioPage(records, place_token(str(rows[limit - 1][0]), "portfolio", scope) if len(rows) > limit else "")


def write_portfolio(
    connection: sqlite3.Connection,
    owner: str,
    portfolio_id: str,
    etag: str,
    change: Callable[[bytes], bytes],
    reallocation: str = "",
) -> PortfolioRecord:
    """Changes a portfolio that has this etag, within a transaction. Raises NotFound, EtagMismatch.

    A change of content supersedes its reallocations, but for the one by whose fills it changes.
    """
    before = _current(connection, owner, portfolio_id, etag)
    payload, now = change(before.payload), _now()
    connection.execute(
        "UPDATE portfolios SET payload = ?, revision = revision + 1, updated_micros = ? WHERE owner = ? AND id = ?",
        (payload, now, owner, portfolio_id),
    )
    record_change(connection, ChangeKind.PORTFOLIO, owner, portfolio_id)
    if payload != before.payload:
        supersede(connection, owner, portfolio_id, now, but=reallocation)
    return read_portfolio(connection, owner, portfolio_id)


def _delete(connection: sqlite3.Connection, owner: str, portfolio_id: str, etag: str) -> None:
    if etag:
        _current(connection, owner, portfolio_id, etag)
    else:
        read_portfolio(connection, owner, portfolio_id)
    connection.execute("DELETE FROM portfolios WHERE owner = ? AND id = ?", (owner, portfolio_id))
    supersede(connection, owner, portfolio_id, _now())
    record_change(connection, ChangeKind.PORTFOLIO, owner, portfolio_id)


def _current(connection: sqlite3.Connection, owner: str, portfolio_id: str, etag: str) -> PortfolioRecord:
    record = read_portfolio(connection, owner, portfolio_id)
    if record.etag != etag:
        raise EtagMismatch(f"portfolios/{portfolio_id} has changed since it was read; read it again", record.etag)
    return record


def _record(
    owner: str, portfolio_id: str, payload: bytes, revision: int, created: int, updated: int
) -> PortfolioRecord:
    # With the time of creation: a portfolio that was deleted and made again is another one.
    etag = f"{created:x}-{revision}"
    return PortfolioRecord(owner, portfolio_id, payload, etag, time_of(created), time_of(updated))


def _now() -> int:
    return time.time_ns() // 1000
