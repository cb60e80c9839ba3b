"""Lists with filters, tokens that belong to them, chosen ids, deletion, and results that go with their time."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.market_data.fingerprint import fingerprint_of
from domain.market_data.panel import PricePanel
from server.ports.errors import NotFound
from server.ports.job_queue import QueuePolicy
from server.ports.jobs import JobDraft, JobInputs
from server.ports.list_filter import ListFilter
from server.ports.results import ResultDraft
from server.ports.scope import Scope
from server.storage.embedded.backtests import EmbeddedBacktests
from server.storage.embedded.database import Database
from server.storage.embedded.results import EmbeddedResults
from server.storage.embedded.retention import Deleted, Retention
from server.storage.pages import LAST_MICROS, Position, micros_of, position_of, time_of, token_of
from server.storage.panels import PanelFiles
from server.storage.workers import WorkerLocks
from tests.owners import MINE, OWNER

EVERYBODY = Scope(OWNER, everyone=True)

MOST_TOKEN = 256
"""The contract takes no longer ones."""

PANEL = PricePanel.of("AB", range(10), np.arange(1.0, 21.0))


def job(panel: PricePanel = PANEL, **other: object) -> JobDraft:
    name = fingerprint_of(panel)
    values = {"label": "label", "fingerprint": "fp", "request_id": None, **other}
    return JobDraft(b"r", b"b", inputs=JobInputs(name, "prices"), panels={name: panel}, **values)  # type: ignore[arg-type]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "x.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def answers(database: Database) -> EmbeddedResults:
    return EmbeddedResults(database, "optimization")


@pytest.fixture
def panels(tmp_path: Path) -> PanelFiles:
    return PanelFiles(tmp_path / "panels")


@pytest.fixture
def jobs(database: Database, panels: PanelFiles, tmp_path: Path) -> Iterator[EmbeddedBacktests]:
    locks = WorkerLocks(tmp_path / "workers")
    yield EmbeddedBacktests(database, panels, locks, 100, QueuePolicy(max_queued=5))
    locks.close()


@given(
    st.integers(0, LAST_MICROS), st.text("aZ_-9", min_size=1, max_size=64), st.text(max_size=5),
    st.datetimes(timezones=st.just(UTC)),
)  # fmt: skip
def test_a_token_belongs_to_its_list_its_owner_and_its_filters(
    number: int, name: str, label: str, start: datetime
) -> None:
    filters = ListFilter(label=label, created_from=start)
    for scope, key in ((MINE, 0), (EVERYBODY, number)):
        token = token_of(Position(number, name, number), "optimization", scope, filters)
        assert position_of(token, "optimization", scope, filters) == Position(number, name, key)
        assert len(token) <= MOST_TOKEN
        for kind, whose, others in (
            ("reallocation", scope, filters),
            ("optimization", scope, ListFilter(label=label + "x", created_from=start)),
            ("optimization", Scope("users/another"), filters),
            ("optimization", MINE if scope is EVERYBODY else EVERYBODY, filters),
        ):
            with pytest.raises(InvalidInput, match="other filters"):
                position_of(token, kind, whose, others)
    assert time_of(micros_of(start)) == start


@pytest.mark.parametrize(
    "token",
    ["5", "x", "-1.a.0.0123456789abcdef", "5.a.0.short", "1.2.3", "٣.a.0.0123456789abcdef", "1.a b.0.0123456789abcdef"],
)
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(InvalidInput, match="not a token"):
        position_of(token, "optimization", MINE, ListFilter())


MOST_PAGES = 100


async def all_pages(store: EmbeddedResults | EmbeddedBacktests, filters: ListFilter, size: int) -> list[str]:
    found: list[str] = []
    token = ""
    for _ in range(MOST_PAGES):
        page = await store.list(MINE, token, size, filters)
        found.extend(record.id for record in page.records)
        token = page.next_token
        if not token:
            return found
    pytest.fail("the pages never end")


async def test_what_a_list_shows_lies_before_the_payload(database: Database) -> None:
    """SQLite reads a row from its beginning, so that columns after a large one cost reading it."""
    for table in ("optimizations", "reallocations"):
        columns = await database.read(lambda c, table=table: c.execute(f"PRAGMA table_info({table})").fetchall())
        assert columns[-1][1] == "payload"
    columns = await database.read(lambda c: c.execute("PRAGMA table_info(backtests)").fetchall())
    assert [column[1] for column in columns[-3:]] == ["request", "error", "result"]


async def test_old_results_go_and_others_stay(
    database: Database, answers: EmbeddedResults, jobs: EmbeddedBacktests, panels: PanelFiles, tmp_path: Path
) -> None:
    own = PricePanel.of("C", range(3), np.ones(3))
    for name, panel in (("old", PANEL), ("older", own), ("new", PANEL), ("runs", PANEL)):
        await jobs.enqueue(OWNER, job(panel, id=name))
        await jobs.panel(fingerprint_of(panel))
    for name in ("old", "older", "new"):
        await jobs.cancel(OWNER, name)
    for i in range(45):
        await answers.save(OWNER, ResultDraft(b"p", "f", b"b", id=str(i)))
    past = micros_of(datetime.now(UTC) - timedelta(days=8))
    await database.write(
        lambda c: [
            c.execute("UPDATE optimizations SET created_micros = ? WHERE id < '5'", (past,)),
            c.execute("UPDATE backtests SET created_micros = ?", (past,)),
            c.execute("UPDATE backtests SET finished_micros = ? WHERE id IN ('old', 'older')", (past,)),
        ]
    )
    assert await Retention(database, panels, 0.0).sweep() == Deleted()
    old = sum(str(i) < "5" for i in range(45))
    assert await Retention(database, panels, 7.0).sweep() == Deleted(2, old, 0)
    assert await all_pages(jobs, ListFilter(), 10) == ["runs", "new"]
    assert len(await all_pages(answers, ListFilter(), 10)) == 45 - old
    files = {path.name.split(".")[0] for path in panels._folder.iterdir()}
    assert files == {fingerprint_of(PANEL)}, "the panel that no other job has went with its job"
    assert await database.read(lambda c: c.execute("PRAGMA foreign_key_check").fetchall()) == []


async def test_claims_and_deletions_use_indexes(database: Database) -> None:
    from server.storage.embedded import job_queue

    plans = await database.read(
        lambda c: [
            c.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
            for query, values in (
                (job_queue._FIRST_OF_EACH, {"short": 1.0}),
                (job_queue._RUNNING, {}),
                ("SELECT 1 FROM backtest_input_uses WHERE fingerprint = 'x'", {}),
                ("DELETE FROM backtests WHERE finished_micros IS NOT NULL AND finished_micros < 1", {}),
            )
        ]
    )
    text = ["; ".join(row[3] for row in plan) for plan in plans]
    for plan, index in zip(
        text,
        ("backtests_queued", "backtests_running", "backtest_input_uses_by_fingerprint", "backtests_finished"),
        strict=True,
    ):
        assert index in plan


async def test_a_store_of_the_version_before_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    folder = Path(__file__).parents[3] / "server/storage/embedded/migrations"
    name = fingerprint_of(PANEL)
    with sqlite3.connect(path) as connection:
        for script in sorted(folder.iterdir())[:3]:
            connection.executescript(script.read_text())
        for table in ("optimizations", "reallocations"):
            connection.execute(
                f"INSERT INTO {table} (sequence, id, created_micros, body, payload, input_fingerprint, subject) "  # noqa: S608
                "VALUES (7, 'a', 1, x'', x'01', 'f', 's')"
            )
        data = PANEL.dates.astype("<i4").tobytes() + PANEL.values.astype("<f8").tobytes()
        connection.execute("INSERT INTO backtest_inputs VALUES (?, ?, ?)", (name, '["A", "B"]', data))
        connection.execute(
            "INSERT INTO backtests (id, body, request, inputs, label, epoch, state, created_micros, fingerprint) "
            "VALUES ('j', x'', x'', ?, 'l', 'e', 'FAILED', 1, 'f')",
            (f'["{name}", "prices", {{}}, {{}}]',),
        )
        connection.execute("INSERT INTO backtest_events VALUES ('j', 1, 1, 'STAGE', 1, '', 'm')")
        connection.execute("INSERT INTO backtest_series VALUES ('j', 0, 'l', x'05')")
        connection.execute("INSERT INTO price_chunks VALUES ('A', 'CLOSE', 1970, 3, x'00', ?)", (bytes(12),))
        connection.execute("INSERT INTO instruments (symbol) VALUES ('A')")
        connection.execute("PRAGMA user_version = 3")
    connection.close()
    database = Database(path)
    for kind in ("optimization", "reallocation"):
        (record,) = (await EmbeddedResults(database, kind).list(MINE, "", 5, ListFilter(subject="s"))).records  # type: ignore[arg-type]
        assert (record.id, record.payload, record.summary) == ("a", b"\1", b"")
    locks = WorkerLocks(tmp_path / "workers")
    jobs = EmbeddedBacktests(database, PanelFiles(tmp_path / "panels"), locks, 10)
    assert len((await jobs.view((await jobs.get(OWNER, "j")).key, 0)).events) == 1
    assert await jobs.series(OWNER, "j", "") == ("l", b"\5")
    assert (await jobs.panel(name)).panel.values.tolist() == PANEL.values.tolist()
    assert await database.read(lambda c: c.execute("PRAGMA foreign_key_check").fetchall()) == []
    await jobs.delete(OWNER, "j")
    with pytest.raises(NotFound):
        await jobs.panel(name)
    locks.close()
    database.close()
