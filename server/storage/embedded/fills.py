"""Recorded fills in SQLite, each with its portfolio in one transaction."""

import json
import sqlite3
from functools import partial

from server.ports.errors import NotFound
from server.ports.fills import FillsChange, FillsQuery, RecordedFills, StoredFill
from server.ports.portfolios import PortfolioRecord
from server.storage.embedded.database import Database
from server.storage.embedded.portfolios import ROW_BYTES, key_of, read_portfolio, write_portfolio
from server.storage.embedded.reallocation_states import record_filled
from server.storage.texts import kept_text, text_of_kept

FILL_BYTES = 256
"""What a fill takes beside its content and outcome, at most about."""

_COLUMNS = "fill_id, symbol, day, content, outcome, reallocation_id, is_open"

_OF_PORTFOLIO = "SELECT rowid FROM fills WHERE portfolio_key = :portfolio AND"

_NEEDED = f"""
SELECT {_COLUMNS} FROM fills WHERE rowid IN (
  {_OF_PORTFOLIO} fill_id IN (SELECT value FROM json_each(:ids))
  UNION {_OF_PORTFOLIO} fill_id IN (
    SELECT sold_fill_id FROM disallowed_losses
    WHERE portfolio_key = :portfolio AND fill_id IN (SELECT value FROM json_each(:ids))
  )
  UNION {_OF_PORTFOLIO} is_open AND symbol IN (SELECT value FROM json_each(:symbols))
  UNION {_OF_PORTFOLIO} reallocation_id <> '' AND reallocation_id = :reallocation
) ORDER BY rowid
"""  # noqa: S608  # constant text


class EmbeddedFills:
    """The store of fills of one machine."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, owner: str, query: FillsQuery) -> RecordedFills:
        """A portfolio with those fills that bear on new ones."""
        return await self._database.read(partial(_load, owner=owner, query=query))

    async def commit(self, owner: str, change: FillsChange) -> PortfolioRecord:
        """Stores portfolio and fills in one transaction."""
        rows = (*change.new, *change.changed)
        needed = len(change.payload) + ROW_BYTES + sum(len(r.content) + len(r.outcome) + FILL_BYTES for r in rows)
        return await self._database.write(partial(_commit, owner=owner, change=change), needed)


def _load(connection: sqlite3.Connection, owner: str, query: FillsQuery) -> RecordedFills:
    portfolio, plan = query.portfolio, None
    if query.reallocation:
        row = connection.execute(
            "SELECT subject, payload FROM reallocations WHERE owner = ? AND id = ?", (owner, query.reallocation)
        ).fetchone()
        if row is None:
            raise NotFound("reallocation", f"reallocations/{query.reallocation}")
        portfolio, plan = row
        if not portfolio:
            return RecordedFills(None, plan)
    record = read_portfolio(connection, owner, portfolio)
    values = {
        "portfolio": key_of(connection, owner, portfolio),
        "ids": json.dumps([kept_text(fill_id) for fill_id in query.fill_ids]),
        "symbols": json.dumps([kept_text(symbol) for symbol in query.symbols]),
        "reallocation": query.reallocation,
    }
    fills = tuple(_fill(*row) for row in connection.execute(_NEEDED, values))
    last_days = connection.execute(
        "SELECT symbol, max(day) FROM fills WHERE portfolio_key = :portfolio AND symbol IN "
        "(SELECT value FROM json_each(:symbols)) GROUP BY symbol",
        values,
    )
    return RecordedFills(record, plan, fills, {text_of_kept(symbol): day for symbol, day in last_days})


def _commit(connection: sqlite3.Connection, owner: str, change: FillsChange) -> PortfolioRecord:
    record = write_portfolio(
        connection, owner, change.portfolio, change.etag, lambda _: change.payload, change.reallocation
    )
    portfolio = key_of(connection, owner, change.portfolio)
    if change.reallocation:
        record_filled(connection, owner, change.reallocation, completely=change.completes)
    connection.executemany(
        "INSERT INTO fills (portfolio_key, fill_id, symbol, day, content, outcome, reallocation_id, is_open) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [_row(portfolio, fill) for fill in change.new],
    )
    connection.executemany(
        "INSERT INTO disallowed_losses VALUES (?, ?, ?)",
        [(portfolio, kept_text(fill.fill_id), kept_text(sold)) for fill in change.new for sold in fill.disallows],
    )
    connection.executemany(
        "UPDATE fills SET outcome = ?, is_open = ? WHERE portfolio_key = ? AND fill_id = ?",
        [(f.outcome, f.is_open, portfolio, kept_text(f.fill_id)) for f in change.changed],
    )
    return record


def _row(portfolio: int, fill: StoredFill) -> tuple[object, ...]:
    names = kept_text(fill.fill_id), kept_text(fill.symbol)
    return portfolio, *names, fill.day, fill.content, fill.outcome, fill.reallocation, fill.is_open


def _fill(
    fill_id: str, symbol: str, day: int, content: bytes, outcome: bytes, reallocation: str, is_open: int
) -> StoredFill:
    return StoredFill(
        text_of_kept(fill_id), text_of_kept(symbol), day, content, outcome, reallocation, is_open=bool(is_open)
    )
