"""Corporate actions in SQLite."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial

from domain.market_data.corporate_actions import ActionKind, CorporateAction
from server.ports.changes import ChangeKind
from server.ports.corporate_actions import ActionFilter, ActionPage
from server.ports.market_data import PriceField
from server.ports.used_data import ACTIONS
from server.storage.chunks import DailyValues
from server.storage.corporate_action_rows import after_of, kept_action_of, kept_row_of, token_of
from server.storage.corrections import Correction
from server.storage.embedded.change_rows import EVERYBODY, record_changes
from server.storage.embedded.correction_rows import record_corrections
from server.storage.embedded.database import Database
from server.storage.embedded.price_rows import VISIBLE, visible_chunks
from server.storage.texts import kept_text, kept_texts

ROW_BYTES = 100


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


def _upsert(connection: sqlite3.Connection, actions: Sequence[CorporateAction]) -> int:
    rows = [kept_row_of(action) for action in actions]
    same = "SELECT 1 FROM corporate_actions WHERE (symbol, day, kind, amount, pay_day) IS (?, ?, ?, ?, ?)"
    changed = [a for a, row in zip(actions, rows, strict=True) if not connection.execute(same, row).fetchone()]
    corrections = [Correction(one.symbol, ACTIONS, one.day, one.day) for one in changed]
    corrections += _moved(connection, changed)
    # It replaces what has the same key, and by its index the delisting of the same symbol.
    connection.executemany("INSERT OR REPLACE INTO corporate_actions VALUES (?, ?, ?, ?, ?)", rows)
    record_changes(connection, ChangeKind.CORPORATE_ACTION, EVERYBODY, dict.fromkeys(one.symbol for one in changed))
    record_corrections(connection, corrections)
    return len(actions)


def _moved(connection: sqlite3.Connection, actions: Sequence[CorporateAction]) -> list[Correction]:
    """The dates of delistings that are not there any more once these actions are stored."""
    statement = "SELECT day FROM corporate_actions WHERE symbol = ? AND kind = ? AND day <> ?"
    found: list[Correction] = []
    for one in actions:
        if one.kind is ActionKind.DELISTING:
            symbol, _, kind, *_ = kept_row_of(one)
            days = connection.execute(statement, (symbol, kind, one.day))
            found += [Correction(one.symbol, ACTIONS, day, day) for (day,) in days]
    return found


def _page(connection: sqlite3.Connection, token: str, size: int, filters: ActionFilter) -> ActionPage:
    found = _select(connection, filters, after_of(token, filters), size + 1)
    return ActionPage(found[:size], token_of(found[size - 1], filters) if len(found) > size else "")


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
            "symbols": json.dumps(kept_texts(filters.symbols)),
            "start": filters.start,
            "end": filters.end,
            "symbol": kept_text(symbol),
            "day": day,
            "kind": kind,
            "limit": limit,
        },
    )
    return tuple(kept_action_of(*row) for row in rows)


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
