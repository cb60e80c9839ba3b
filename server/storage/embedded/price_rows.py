"""Which chunks of prices count, of those that SQLite holds."""

import sqlite3

VISIBLE = "(p.import = 0 OR EXISTS (SELECT 1 FROM import_numbers n WHERE n.number = p.import AND n.finished = 1))"
"""Condition on price_chunks p: written by an import that is finished, or by a version without numbers."""


def visible_chunks(
    connection: sqlite3.Connection, symbol: str, field: str, first_year: int, last_year: int
) -> dict[int, bytes]:
    """Stored chunks of a symbol by year, each of the latest import that is finished."""
    statement = (
        f"SELECT year, data FROM price_chunks p WHERE symbol = ? AND field = ? AND year BETWEEN ? AND ? "  # noqa: S608  # constant
        f"AND {VISIBLE} ORDER BY year, import"
    )
    return dict(connection.execute(statement, (symbol, field, first_year, last_year)))
