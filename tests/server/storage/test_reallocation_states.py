"""The states of reallocations in SQLite: of those of earlier versions, and found by an index."""

import sqlite3
from pathlib import Path

from server.ports.results import ResultState
from server.storage.embedded.database import Database
from server.storage.embedded.results import EmbeddedResults
from tests.owners import MINE

MIGRATIONS = Path(__file__).parents[3] / "server/storage/embedded/migrations"


async def test_plans_of_the_version_before_have_states(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    with sqlite3.connect(path) as connection:
        for script in sorted(MIGRATIONS.iterdir())[:8]:
            connection.executescript(script.read_text())
        connection.executemany(
            "INSERT INTO portfolios VALUES (?, NULL, x'', x'', 1, 1, ?)", [("p", 5), ("q", 90), ("r", 90)]
        )
        rows = [("p1", 10, "p"), ("p2", 20, "p"), ("q1", 30, "q"), ("r1", 40, "r"), ("gone", 50, "x"), ("no", 60, "")]
        connection.executemany(
            "INSERT INTO reallocations (id, created_micros, body, input_fingerprint, subject, payload) "
            "VALUES (?, ?, x'', '', ?, x'')",
            rows,
        )
        connection.execute("INSERT INTO fills VALUES ('r', 'f', 'A', 0, 'r1', 0, x'', x'')")
        connection.execute("PRAGMA user_version = 8")
    connection.close()
    database = Database(path)
    records = (await EmbeddedResults(database, "reallocation").list(MINE, "", 20)).records
    assert all((record.superseded is not None) == (record.state is ResultState.SUPERSEDED) for record in records)
    assert {record.id: (record.state.value, record.superseded_by) for record in records} == {
        "p1": ("SUPERSEDED", "p2"),
        "p2": ("CURRENT", ""),
        "q1": ("SUPERSEDED", ""),
        "r1": ("PARTLY_FILLED", ""),
        "gone": ("SUPERSEDED", ""),
        "no": ("CURRENT", ""),
    }
    database.close()


async def test_superseding_uses_an_index(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.sqlite3")
    query = (
        "EXPLAIN QUERY PLAN UPDATE reallocations SET superseded_micros = 1 "
        "WHERE owner = 'o' AND subject = 'p' AND id <> 'a' AND superseded_micros IS NULL AND fills <> 'ALL'"
    )
    (plan,) = await database.read(lambda c: c.execute(query).fetchall())
    assert "reallocations_open" in plan[3]
    database.close()
