"""Portfolios in SQLite, with a revision that every change must know."""

import secrets
import sqlite3
import sys
import time
from collections.abc import Callable
from functools import partial

from server.ports.errors import AlreadyExists, EtagMismatch, NotFound, RequestIdReused
from server.ports.portfolios import PortfolioDraft, PortfolioPage, PortfolioRecord
from server.storage.embedded.database import Database
from server.storage.embedded.pages import time_of
from server.storage.embedded.reallocation_states import supersede

ROW_BYTES = 1024
"""What a row takes beside its payload, at most about."""

_COLUMNS = "id, payload, revision, created_micros, updated_micros"


class EmbeddedPortfolios:
    """The store of portfolios of one machine."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, draft: PortfolioDraft) -> PortfolioRecord:
        """Stores a portfolio; the same request again gives the first."""
        return await self._database.write(partial(_create, draft=draft), len(draft.payload) + ROW_BYTES)

    async def get(self, portfolio_id: str) -> PortfolioRecord:
        """One portfolio."""
        return await self._database.read(partial(read_portfolio, portfolio_id=portfolio_id))

    async def list(self, after: str, limit: int, prefix: str = "") -> PortfolioPage:
        """Portfolios by id."""
        return await self._database.read(partial(_list, after=after, limit=limit, prefix=prefix))

    async def update(self, portfolio_id: str, etag: str, change: Callable[[bytes], bytes]) -> PortfolioRecord:
        """Changes a portfolio in one transaction."""
        return await self._database.write(partial(write_portfolio, portfolio_id=portfolio_id, etag=etag, change=change))

    async def delete(self, portfolio_id: str, etag: str) -> None:
        """Removes a portfolio."""
        await self._database.write(partial(_delete, portfolio_id=portfolio_id, etag=etag))


def _create(connection: sqlite3.Connection, draft: PortfolioDraft) -> PortfolioRecord:
    if draft.request_id is not None:
        row = connection.execute("SELECT id, body FROM portfolios WHERE request_id = ?", (draft.request_id,)).fetchone()
        if row is not None and row[1] != draft.body:
            raise RequestIdReused("request_id", draft.request_id)
        if row is not None:
            return read_portfolio(connection, row[0])
    portfolio_id = draft.id or secrets.token_hex(10)
    if connection.execute("SELECT 1 FROM portfolios WHERE id = ?", (portfolio_id,)).fetchone():
        raise AlreadyExists("portfolio", f"portfolios/{portfolio_id}")
    connection.execute(
        "INSERT INTO portfolios VALUES (?, ?, ?, ?, 1, ?, ?)",
        (portfolio_id, draft.request_id, draft.body, draft.payload, _now(), _now()),
    )
    return read_portfolio(connection, portfolio_id)


def read_portfolio(connection: sqlite3.Connection, portfolio_id: str) -> PortfolioRecord:
    """One portfolio, within a transaction. Raises NotFound."""
    statement = f"SELECT {_COLUMNS} FROM portfolios WHERE id = ?"  # noqa: S608  # constant columns
    row = connection.execute(statement, (portfolio_id,)).fetchone()
    if row is None:
        raise NotFound("portfolio", f"portfolios/{portfolio_id}")
    return _record(*row)


def _list(connection: sqlite3.Connection, after: str, limit: int, prefix: str) -> PortfolioPage:
    statement = (
        f"SELECT {_COLUMNS} FROM portfolios WHERE id > ? AND id >= ? AND id < ? "  # noqa: S608  # constant columns
        "AND substr(id, 1, ?) = ? ORDER BY id LIMIT ?"
    )
    last = prefix + chr(sys.maxunicode)
    rows = connection.execute(statement, (after, prefix, last, len(prefix), prefix, limit + 1)).fetchall()
    records = tuple(_record(*row) for row in rows[:limit])
    return PortfolioPage(records, records[-1].id if len(rows) > limit else "")


def write_portfolio(
    connection: sqlite3.Connection,
    portfolio_id: str,
    etag: str,
    change: Callable[[bytes], bytes],
    reallocation: str = "",
) -> PortfolioRecord:
    """Changes a portfolio that has this etag, within a transaction. Raises NotFound, EtagMismatch.

    A change of content supersedes its reallocations, but for the one by whose fills it changes.
    """
    before = _current(connection, portfolio_id, etag)
    payload, now = change(before.payload), _now()
    connection.execute(
        "UPDATE portfolios SET payload = ?, revision = revision + 1, updated_micros = ? WHERE id = ?",
        (payload, now, portfolio_id),
    )
    if payload != before.payload:
        supersede(connection, portfolio_id, now, but=reallocation)
    return read_portfolio(connection, portfolio_id)


def _delete(connection: sqlite3.Connection, portfolio_id: str, etag: str) -> None:
    if etag:
        _current(connection, portfolio_id, etag)
    else:
        read_portfolio(connection, portfolio_id)
    connection.execute("DELETE FROM portfolios WHERE id = ?", (portfolio_id,))
    supersede(connection, portfolio_id, _now())


def _current(connection: sqlite3.Connection, portfolio_id: str, etag: str) -> PortfolioRecord:
    record = read_portfolio(connection, portfolio_id)
    if record.etag != etag:
        raise EtagMismatch(f"portfolios/{portfolio_id} has changed since it was read; read it again", record.etag)
    return record


def _record(portfolio_id: str, payload: bytes, revision: int, created: int, updated: int) -> PortfolioRecord:
    # With the time of creation: a portfolio that was deleted and made again is another one.
    return PortfolioRecord(portfolio_id, payload, f"{created:x}-{revision}", time_of(created), time_of(updated))


def _now() -> int:
    return time.time_ns() // 1000
