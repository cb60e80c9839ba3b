"""Corporate actions in SQLite."""

import hashlib
import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from functools import partial

from domain.errors import InvalidInput
from domain.market_data.corporate_actions import ActionKind, CashDividend, CorporateAction, Delisting, Split
from server.ports.corporate_actions import ActionFilter, ActionPage
from server.ports.market_data import PriceField
from server.storage.embedded.chunks import VISIBLE, DailyValues, visible_chunks
from server.storage.embedded.database import Database

ROW_BYTES = 100
HASH_DIGITS = 16

Row = tuple[str, int, str, float | None, int | None]
"""Symbol, day, kind, amount and pay day."""

_TOKEN = re.compile(
    rf"([0-9a-f]{{{HASH_DIGITS}}})\.(-?[0-9]{{1,9}})\.([A-Z_]{{1,20}})\.(.{{1,64}})", re.DOTALL | re.ASCII
)


class EmbeddedCorporateActions:
    """The corporate actions of one machine."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def upsert(self, actions: Sequence[CorporateAction]) -> int:
        """Stores actions, replacing those of the same symbol, date and kind; a delisting replaces any of its symbol."""
        return await self._database.write(partial(_upsert, actions=actions), needed=ROW_BYTES * len(actions))

    async def page(self, token: str, size: int, filters: ActionFilter) -> ActionPage:
        """A page of actions by symbol, date and kind."""
        return await self._database.read(partial(_page, token=token, size=size, filters=filters))

    async def all(self, filters: ActionFilter) -> tuple[CorporateAction, ...]:
        """All actions that a list would show."""
        return await self._database.read(partial(_select, filters=filters, after=None, limit=-1))

    async def first_days(self, symbols: Sequence[str]) -> Mapping[str, int | None]:
        """Day of the first closing price of each symbol, None where it has none; unknown symbols are left out."""
        return await self._database.read(partial(_first_days, symbols=symbols))


def row_of(action: CorporateAction) -> Row:
    """An action as `action_of` reads it."""
    match action.event:
        case Split(ratio):
            return action.symbol, action.day, action.kind, ratio, None
        case CashDividend(amount, pay_day):
            return action.symbol, action.day, action.kind, amount, pay_day
        case Delisting(delisting_return):
            return action.symbol, action.day, action.kind, delisting_return, None


def action_of(symbol: str, day: int, kind: str, amount: float | None, pay_day: int | None) -> CorporateAction:
    """An action from what `row_of` made of it."""
    if kind == ActionKind.DELISTING:
        return CorporateAction(symbol, day, Delisting(amount))
    if amount is None:
        raise ValueError(f"a stored {kind} of {symbol} has no amount")
    return CorporateAction(symbol, day, Split(amount) if kind == ActionKind.SPLIT else CashDividend(amount, pay_day))


def _upsert(connection: sqlite3.Connection, actions: Sequence[CorporateAction]) -> int:
    # It replaces what has the same key, and by its index the delisting of the same symbol.
    connection.executemany("INSERT OR REPLACE INTO corporate_actions VALUES (?, ?, ?, ?, ?)", map(row_of, actions))
    return len(actions)


def _page(connection: sqlite3.Connection, token: str, size: int, filters: ActionFilter) -> ActionPage:
    found = _select(connection, filters, _after(token, filters), size + 1)
    return ActionPage(found[:size], _token_of(found[size - 1], filters) if len(found) > size else "")


def _select(
    connection: sqlite3.Connection, filters: ActionFilter, after: tuple[str, int, str] | None, limit: int
) -> tuple[CorporateAction, ...]:
    conditions = {
        "symbol IN (SELECT value FROM json_each(:symbols))": bool(filters.symbols),
        "day >= :start": filters.start is not None,
        "day <= :end": filters.end is not None,
        "(symbol, day, kind) > (:symbol, :day, :kind)": after is not None,
    }
    where = " AND ".join(condition for condition, applies in conditions.items() if applies) or "TRUE"
    symbol, day, kind = after or ("", 0, "")
    rows = connection.execute(
        f"SELECT symbol, day, kind, amount, pay_day FROM corporate_actions WHERE {where} "  # noqa: S608  # constants
        "ORDER BY symbol, day, kind LIMIT :limit",
        {
            "symbols": json.dumps(filters.symbols),
            "start": filters.start,
            "end": filters.end,
            "symbol": symbol,
            "day": day,
            "kind": kind,
            "limit": limit,
        },
    )
    return tuple(action_of(*row) for row in rows)


def _first_days(connection: sqlite3.Connection, symbols: Sequence[str]) -> dict[str, int | None]:
    years = (
        f"SELECT (SELECT min(year) FROM price_chunks p WHERE p.symbol = i.symbol AND field = ? AND {VISIBLE}) "  # noqa: S608  # constants
        "FROM instruments i WHERE symbol = ?"
    )
    found: dict[str, int | None] = {}
    for symbol in dict.fromkeys(symbols):
        row = connection.execute(years, (PriceField.CLOSE, symbol)).fetchone()
        if row is not None:
            found[symbol] = None if row[0] is None else _first_day(connection, symbol, row[0])
    return found


def _first_day(connection: sqlite3.Connection, symbol: str, year: int) -> int:
    (chunk,) = visible_chunks(connection, symbol, PriceField.CLOSE, year, year).values()
    return int(DailyValues.decode(chunk).days[0])


def _token_of(last: CorporateAction, filters: ActionFilter) -> str:
    symbol, day, kind = last.key
    return f"{_hash_of(filters)}.{day}.{kind}.{symbol}"


def _after(token: str, filters: ActionFilter) -> tuple[str, int, str] | None:
    """What the page follows on, None for the first page. Raises InvalidInput for a token that belongs elsewhere."""
    if not token:
        return None
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        raise InvalidInput("page_token", "is not a token of an earlier page; begin again without a token")
    hashed, day, kind, symbol = parts.groups()
    if hashed != _hash_of(filters):
        raise InvalidInput("page_token", "belongs to a list with other filters; begin again without a token")
    return symbol, int(day), kind


def _hash_of(filters: ActionFilter) -> str:
    return hashlib.sha256(repr(("corporate action", *astuple(filters))).encode()).hexdigest()[:HASH_DIGITS]
