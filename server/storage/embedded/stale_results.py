"""Results that became stale, in SQLite."""

import json
import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Final, get_args

from server.ports.stale_results import StaleResult
from server.storage.embedded.correction_rows import Table, stale_micros
from server.storage.embedded.database import Database
from server.storage.texts import kept_texts

_TABLES: Final[tuple[Table, ...]] = get_args(Table)


class EmbeddedStaleResults:
    """Those of one machine."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, symbols: Sequence[str], time: int, limit: int) -> Sequence[StaleResult]:
        """Results that corrections of symbols made stale, the newest of each kind."""
        named = json.dumps(kept_texts(symbols))
        return await self._database.read(partial(_since, symbols=named, time=time, limit=limit))


def _since(connection: sqlite3.Connection, symbols: str, time: int, limit: int) -> list[StaleResult]:
    found: list[StaleResult] = []
    for table in _TABLES:
        statement = (
            f"SELECT owner, id, label, request_id, since FROM (SELECT *, {stale_micros(table)} AS since FROM {table} "  # noqa: S608  # constants
            "WHERE key IN (SELECT u.result FROM json_each(:symbols) s "
            "CROSS JOIN corrections c ON c.symbol = s.value AND c.micros >= :time "
            f"CROSS JOIN {table}_used u ON u.symbol = c.symbol AND u.field = c.field "
            "AND u.last_day >= c.first_day AND u.first_day <= c.last_day)) "
            "WHERE since >= :time ORDER BY key DESC LIMIT :limit"
        )
        rows = connection.execute(statement, {"symbols": symbols, "time": time, "limit": limit})
        found += [StaleResult(owner, f"{table}/{one}", *more) for owner, one, *more in rows]
    return found
