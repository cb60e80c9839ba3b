"""What becomes of stored reallocations as their portfolio changes, within the transaction that changes it."""

import hashlib
import sqlite3

STATE = """CASE WHEN fills = 'ALL' THEN 'FILLED' WHEN superseded_micros IS NOT NULL THEN 'SUPERSEDED'
  WHEN fills = 'PARTLY' THEN 'PARTLY_FILLED' ELSE 'CURRENT' END"""
"""The state of a row of reallocations, as `ResultState` names it."""


def supersede(
    connection: sqlite3.Connection, owner: str, portfolio: str, now: int, *, by: str = "", but: str = ""
) -> None:
    """Marks the reallocations of a portfolio that nothing superseded until now, but for those that are filled.

    `by` is the later reallocation, empty where the portfolio changed; `but` is left as it is. `now` in microseconds.
    """
    connection.execute(
        "UPDATE reallocations SET superseded_micros = ?, superseded_by = ? "
        "WHERE owner = ? AND subject = ? AND id <> ? AND superseded_micros IS NULL AND fills <> 'ALL'",
        (now, by, owner, portfolio, but),
    )


def record_filled(connection: sqlite3.Connection, owner: str, reallocation: str, *, completely: bool) -> None:
    """Marks a reallocation some or all of whose trades are recorded as filled."""
    fills = "ALL" if completely else "PARTLY"
    connection.execute("UPDATE reallocations SET fills = ? WHERE owner = ? AND id = ?", (fills, owner, reallocation))


def has_changed(connection: sqlite3.Connection, owner: str, portfolio: str, digest: bytes) -> bool:
    """Whether a portfolio is gone or has another content than the one with this SHA-256."""
    statement = "SELECT payload FROM portfolios WHERE owner = ? AND id = ?"
    row = connection.execute(statement, (owner, portfolio)).fetchone()
    return row is None or hashlib.sha256(row[0]).digest() != digest
