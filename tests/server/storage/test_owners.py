"""What belongs to one owner is for all others as if it was not there, and what was stored before is the local one's."""

import hashlib
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.fingerprint import fingerprint_of
from domain.market_data.panel import PricePanel
from server.ports.errors import AlreadyExists, NotFound, RequestIdReused
from server.ports.fills import FillsChange, FillsQuery, StoredFill
from server.ports.identity import LOCAL
from server.ports.job_queue import QueuePolicy
from server.ports.jobs import JobDraft, JobEnd, JobInputs, JobState
from server.ports.list_filter import ListFilter
from server.ports.portfolios import PortfolioDraft
from server.ports.results import ResultDraft, ResultState, ResultStore
from server.ports.scope import Scope
from server.ports.storage import Storage
from server.settings import Settings
from server.storage.embedded.database import Database
from server.storage.embedded.factory import open_storage
from tests.contracts.storage.job_drafts import parts_of

PANEL = PricePanel.of("AB", range(10), np.arange(1.0, 21.0))
NAME = fingerprint_of(PANEL)
ONE, TWO = "users/one", "users/two"
ALL = Scope(ONE, everyone=True)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = open_storage(Settings.read(["--data-dir", str(tmp_path)], {}), QueuePolicy(max_queued=3))
    yield opened
    opened.release_worker()
    opened.close()


def job(**more: Any) -> JobDraft:
    values = {"body": b"b", **more}
    return JobDraft(
        request=b"r", label="l", fingerprint="f", inputs=JobInputs(NAME, "prices"), panels={NAME: PANEL}, **values
    )


def result(**more: Any) -> ResultDraft:
    return ResultDraft(**{"payload": b"p", "input_fingerprint": "f", "body": b"b", **more})


def refusal(error: Exception) -> tuple[str, str, dict[str, str]]:
    """All that a caller sees of an error."""
    return type(error).__name__, str(error), dict(getattr(error, "metadata", {}))


async def refused(work: Awaitable[object]) -> tuple[str, str, dict[str, str]]:
    with pytest.raises(Exception) as raised:  # noqa: PT011  # which one is what is compared
        await work
    return refusal(raised.value)


@pytest.mark.parametrize("kind", ["optimizations", "reallocations"])
async def test_results(storage: Storage, kind: str) -> None:
    store: ResultStore = getattr(storage, kind)
    mine = await store.save(ONE, result(id="x", request_id="r"))
    theirs = await store.save(TWO, result(id="x", request_id="r", body=b"other", payload=b"q"))
    assert (mine.owner, theirs.owner, theirs.payload) == (ONE, TWO, b"q")
    for owner, record in ((ONE, mine), (TWO, theirs)):
        assert (await store.get(owner, "x")).payload == record.payload
        assert [one.payload for one in (await store.list(Scope(owner), "", 5)).records] == [record.payload]
    assert await store.find(TWO, "r", b"other") == theirs
    with pytest.raises(RequestIdReused):
        await store.find(TWO, "r", b"b")
    with pytest.raises(AlreadyExists):
        await store.save(ONE, result(id="x"))
    await store.save(ONE, result(id="only"))
    assert await store.find("users/three", "r", b"b") is None
    await same_as_nothing(lambda owner, name: store.get(owner, name))
    await same_as_nothing(lambda owner, name: store.delete(owner, name))
    assert {one.owner for one in (await store.list(ALL, "", 9)).records} == {ONE, TWO}
    await store.delete(TWO, "x")
    assert (await store.get(ONE, "x")).payload == b"p"


async def same_as_nothing(ask: Callable[[str, str], Awaitable[object]]) -> None:
    """`only` belongs to the first owner: the second hears of it what they hear of a name that never was."""
    found, never = await refused(ask(TWO, "only")), await refused(ask(TWO, "none"))
    assert found[0] == "NotFound"
    assert [str(part).replace("only", "none") for part in found] == [str(part) for part in never]


async def test_portfolios_and_fills(storage: Storage) -> None:
    portfolios, fills = storage.portfolios, storage.fills
    mine = await portfolios.create(ONE, PortfolioDraft(b"p", b"b", "main", "r"))
    theirs = await portfolios.create(TWO, PortfolioDraft(b"q", b"c", "main", "r"))
    assert await portfolios.create(TWO, PortfolioDraft(b"z", b"c", "other", "r")) == theirs, "the request of its owner"
    await portfolios.create(ONE, PortfolioDraft(b"o", b"b", "only"))
    await same_as_nothing(lambda owner, name: portfolios.get(owner, name))
    await same_as_nothing(lambda owner, name: portfolios.update(owner, name, "e", lambda p: p))
    await same_as_nothing(lambda owner, name: portfolios.delete(owner, name, ""))
    await same_as_nothing(lambda owner, name: fills.load(owner, FillsQuery("", name, (), ())))
    await same_as_nothing(lambda owner, name: fills.commit(owner, FillsChange(name, "e", b"", (), ())))
    fill = StoredFill("f", "A", 1, b"c", b"o")
    await fills.commit(ONE, FillsChange("main", mine.etag, b"p2", (fill,), ()))
    await fills.commit(TWO, FillsChange("main", theirs.etag, b"q2", (fill, StoredFill("g", "A", 9, b"c", b"o")), ()))
    state = await fills.load(ONE, FillsQuery("", "main", ("f", "g"), ("A",)))
    assert ([one.fill_id for one in state.fills], state.last_days) == (["f"], {"A": 1})
    await portfolios.delete(TWO, "main", "")
    assert (await portfolios.get(ONE, "main")).payload == b"p2"
    assert len((await fills.load(ONE, FillsQuery("", "main", ("f",), ()))).fills) == 1


async def test_reallocations_are_superseded_and_filled_by_what_their_owner_does(storage: Storage) -> None:
    for owner in (ONE, TWO):
        await storage.portfolios.create(owner, PortfolioDraft(b"p", b"b", "main"))
        await storage.reallocations.save(owner, result(id="plan", subject="main"))

    async def states() -> list[ResultState]:
        return [(await storage.reallocations.get(owner, "plan")).state for owner in (ONE, TWO)]

    portfolio = await storage.portfolios.get(TWO, "main")
    change = FillsChange("main", portfolio.etag, b"q", (StoredFill("f", "A", 1, b"", b"", "plan"),), (), "plan")
    await storage.fills.commit(TWO, change)
    assert await states() == [ResultState.CURRENT, ResultState.PARTLY_FILLED]
    assert (await storage.fills.load(ONE, FillsQuery("plan", "", (), ()))).fills == ()
    await storage.reallocations.save(TWO, result(id="later", subject="main"))
    assert await states() == [ResultState.CURRENT, ResultState.SUPERSEDED]
    await storage.portfolios.delete(TWO, "main", "")
    assert await states() == [ResultState.CURRENT, ResultState.SUPERSEDED]
    await storage.reallocations.save(ONE, result(id="later", subject="main"))
    assert await states() == [ResultState.SUPERSEDED, ResultState.SUPERSEDED]
    await storage.reallocations.save(ONE, result(id="only", subject="main"))
    await same_as_nothing(lambda owner, name: storage.fills.load(owner, FillsQuery(name, "", (), ())))


async def test_a_plan_is_compared_with_the_portfolio_of_its_owner(storage: Storage) -> None:
    for owner in (ONE, TWO):
        await storage.portfolios.create(owner, PortfolioDraft(owner.encode(), b"b", "main"))
    for owner in (ONE, TWO):
        digest = hashlib.sha256(owner.encode()).digest()
        made = await storage.reallocations.save(owner, result(id="plan", subject="main", subject_digest=digest))
        assert made.state is ResultState.CURRENT, "it has the content that it was planned for"


async def test_jobs(storage: Storage) -> None:
    jobs = storage.jobs
    mine = await jobs.queue.enqueue(ONE, job(id="x", request_id="r", caller="one"))
    theirs = await jobs.queue.enqueue(TWO, job(id="x", request_id="r", body=b"c", caller="two"))
    assert (mine.owner, theirs.owner, mine.key != theirs.key) == (ONE, TWO, True)
    assert await jobs.queue.enqueue(TWO, job(id="y", request_id="r", body=b"c")) == theirs
    assert await jobs.archive.find("users/three", "r", b"b") is None
    with pytest.raises(RequestIdReused):
        await jobs.archive.find(TWO, "r", b"b")
    only = await jobs.queue.enqueue(ONE, job(id="only"))
    await same_as_nothing(lambda owner, name: jobs.archive.get(owner, name))
    await same_as_nothing(lambda owner, name: jobs.archive.series(owner, name, ""))
    await same_as_nothing(lambda owner, name: jobs.archive.delete(owner, name))
    await same_as_nothing(lambda owner, name: jobs.queue.cancel(owner, name))
    await jobs.queue.cancel(ONE, "only")
    for owner, other in ((ONE, theirs), (TWO, mine)):
        claim = await jobs.queue.claim(storage.worker, 30.0)
        assert claim is not None
        label = claim.record.owner
        await jobs.log.finish(claim.record, JobEnd(JobState.SUCCEEDED, label.encode(), series=[(label, b"s")]), ())
        assert (await jobs.archive.get(owner, "x")).key != other.key
    for owner in (ONE, TWO):
        assert (await jobs.archive.get(owner, "x")).result == owner.encode()
        assert await jobs.archive.series(owner, "x", "") == (owner, b"s")
    listed = (await jobs.archive.list(ALL, "", 9)).records
    assert sorted((one.owner, one.id) for one in listed) == [(ONE, "only"), (ONE, "x"), (TWO, "x")]
    assert [one.id for one in (await jobs.archive.list(Scope(TWO), "", 9)).records] == ["x"]
    await jobs.archive.delete(TWO, "x")
    assert (await jobs.log.view(mine.key, 0)).record.result == ONE.encode()
    with pytest.raises(NotFound):
        await jobs.log.view(theirs.key, 0)
    assert (await jobs.inputs.panel(NAME)).panel.symbols == ("A", "B"), "the first one's job has this data too"
    assert (await jobs.log.view(only.key, 0)).record.state is JobState.CANCELLED


async def test_a_name_that_is_free_again_is_another_job(storage: Storage) -> None:
    """A key is never used twice, so that whoever still holds one of a deleted job reaches nobody else's."""
    keys = set()
    for owner in (ONE, TWO, ONE):
        record = await storage.jobs.queue.enqueue(owner, job(id="x"))
        await storage.jobs.queue.cancel(owner, "x")
        await storage.jobs.archive.delete(owner, "x")
        keys.add(record.key)
        with pytest.raises(NotFound):
            await storage.jobs.log.view(record.key, 0)
    assert len(keys) == 3


@pytest.mark.parametrize("size", [1, 2, 50])
async def test_pages_of_one_and_of_everybody(storage: Storage, size: int) -> None:
    for i in range(4):
        for owner in (ONE, TWO):
            await storage.optimizations.save(owner, result(id=f"{i}", label="even" if i % 2 == 0 else "odd"))

    async def pages(scope: Scope, filters: ListFilter) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        token = ""
        for _ in range(20):
            page = await storage.optimizations.list(scope, token, size, filters)
            found += [(one.owner, one.id) for one in page.records]
            token = page.next_token
            if not token:
                return found
            assert TWO not in token
            for other in (Scope(TWO), Scope(ONE, everyone=not scope.everyone)):
                with pytest.raises(InvalidInput, match="other filters"):
                    await storage.optimizations.list(other, token, size, filters)
        pytest.fail("the pages never end")

    assert await pages(Scope(ONE), ListFilter()) == [(ONE, str(i)) for i in (3, 2, 1, 0)]
    assert await pages(Scope(ONE), ListFilter(label="odd")) == [(ONE, "3"), (ONE, "1")]
    assert await pages(ALL, ListFilter()) == [(owner, str(i)) for i in (3, 2, 1, 0) for owner in (TWO, ONE)]
    assert await pages(ALL, ListFilter(label="even")) == [(owner, i) for i in "20" for owner in (TWO, ONE)]


async def test_what_two_stored_at_one_time_under_one_id_is_listed_once_each(storage: Storage, tmp_path: Path) -> None:
    for owner in (ONE, TWO, "users/three"):
        await storage.optimizations.save(owner, result(id="x"))
    database = Database(tmp_path / "absfinance.sqlite3")
    await database.write(lambda c: c.execute("UPDATE optimizations SET created_micros = 5"))
    database.close()
    found, token = [], ""
    for _ in range(3):
        page = await storage.optimizations.list(ALL, token, 1)
        found += [one.owner for one in page.records]
        token = page.next_token
    assert (sorted(found), token) == (sorted([ONE, TWO, "users/three"]), "")


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("owner = 'o'", "by_owner"),
        ("owner = 'o' AND label = 'l'", "by_label"),
        ("owner = 'o' AND (created_micros, id, key) < (1, 'a', 0)", "by_owner"),
        ("owner = 'o' AND created_micros >= 5 AND created_micros < 9", "by_owner"),
        ("TRUE", "by_time"),
    ],
)
@pytest.mark.parametrize("table", ["optimizations", "reallocations", "backtests"])
async def test_lists_are_read_in_the_order_of_an_index(
    storage: Storage, tmp_path: Path, table: str, query: str, index: str
) -> None:
    statement = f"SELECT id FROM {table} WHERE {query} ORDER BY created_micros DESC, id DESC, key DESC LIMIT 5"  # noqa: S608  # constants
    connection = sqlite3.connect(tmp_path / "absfinance.sqlite3")
    plan = "; ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"))
    connection.close()
    assert f"{table}_{index}" in plan
    assert "TEMP B-TREE" not in plan


MIGRATIONS = Path(__file__).parents[3] / "server/storage/embedded/migrations"

BEFORE = """
INSERT INTO portfolios VALUES ('late', 'r2', x'', x'02', 1, 9, 9);
INSERT INTO portfolios VALUES ('main', 'r1', x'aa', x'01', 3, 5, 7);
INSERT INTO fills VALUES ('main', 'sold', 'A', 5, '', 1, x'c1', x'01');
INSERT INTO fills VALUES ('late', 'other', 'A', 6, '', 0, x'c3', x'03');
INSERT INTO fills VALUES ('main', 'bought', 'A', 9, 'plan', 0, x'c2', x'02');
INSERT INTO disallowed_losses VALUES ('main', 'bought', 'sold');
INSERT INTO optimizations (sequence, id, created_micros, request_id, body, input_fingerprint, subject, label,
  summary, payload) VALUES (7, 'opt', 3, 'r', x'bb', 'f', 's', 'l', x'55', x'0102');
INSERT INTO reallocations (sequence, id, created_micros, request_id, body, input_fingerprint, subject, label,
  superseded_micros, superseded_by, fills, summary, payload) VALUES
  (4, 'first', 3, NULL, x'', 'f', 'main', '', 8, 'plan', '', x'', x'11'),
  (9, 'plan', 8, 'r', x'cc', 'f', 'main', 'l', NULL, '', 'PARTLY', x'66', x'12');
INSERT INTO backtests (sequence, id, request_id, body, label, owner, state, queued_micros, worker, lease_micros,
  attempt, epoch, last_event, created_micros, finished_micros, fingerprint, inputs, request, result) VALUES
  (5, 'done', 'r', x'dd', 'l', 'ipv4:1', 'SUCCEEDED', 1, NULL, NULL, 1, 'e', 1, 2, 4, 'f', :inputs, x'21', x'22'),
  (8, 'goes', NULL, x'', '', 'ipv4:2', 'RUNNING', 1, 'gone', 1, 2, 'e2', 0, 3, NULL, 'f', :inputs, x'23', NULL);
INSERT INTO backtest_inputs VALUES (:name, '["A", "B"]', :data);
INSERT INTO backtest_input_uses VALUES ('done', :name), ('goes', :name);
INSERT INTO backtest_checkpoints VALUES ('goes', x'31');
INSERT INTO backtest_parts VALUES ('goes', 1, x'32'), ('goes', 2, x'33');
INSERT INTO backtest_series VALUES ('done', 0, 'l', x'34');
INSERT INTO backtest_events VALUES ('done', 1, 4, 'FINISHED', NULL, '', 'SUCCEEDED', '');
INSERT INTO backtest_decisions VALUES ('goes', 'strategy.remote', 3, '{"A": 1.0}', '', '');
"""
"""Something in each table that has an owner now, as version 10 wrote it."""


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A folder that version 10 wrote."""
    connection = sqlite3.connect(tmp_path / "absfinance.sqlite3")
    for script in sorted(MIGRATIONS.iterdir())[:10]:
        connection.executescript(script.read_text())
    data = PANEL.dates.astype("<i4").tobytes() + PANEL.values.astype("<f8").tobytes()
    values = {"inputs": f'["{NAME}", "prices", {{}}, {{}}]', "name": NAME, "data": data}
    for statement in BEFORE.split(";\n")[:-1]:
        connection.execute(statement, {name: value for name, value in values.items() if f":{name}" in statement})
    connection.execute("PRAGMA user_version = 10")
    connection.commit()
    connection.close()
    return tmp_path


async def test_what_was_stored_before_is_the_local_ones(before: Path, storage: Storage) -> None:
    owner = LOCAL.id
    assert [(p.id, p.payload) for p in (await storage.portfolios.list(Scope(owner), "", 9)).records] == [
        ("late", b"\2"),
        ("main", b"\1"),
    ]
    portfolio = await storage.portfolios.create(owner, PortfolioDraft(b"new", b"\xaa", None, "r1"))
    assert (portfolio.id, portfolio.etag) == ("main", "5-3"), "its request is known, and so is its version"
    state = await storage.fills.load(owner, FillsQuery("plan", "", ("bought",), ("A",)))
    assert [(fill.fill_id, fill.content, fill.is_open) for fill in state.fills] == [
        ("sold", b"\xc1", True),
        ("bought", b"\xc2", False),
    ]
    assert (state.plan, state.last_days) == (b"\x12", {"A": 9})
    answer = await storage.optimizations.find(owner, "r", b"\xbb")
    assert answer == await storage.optimizations.get(owner, "opt")
    assert (answer.payload, answer.summary, answer.label) == (b"\1\2", b"\x55", "l")
    plans = (await storage.reallocations.list(Scope(owner), "", 9, ListFilter(subject="main"))).records
    assert [(plan.id, plan.state, plan.superseded_by) for plan in plans] == [
        ("plan", ResultState.PARTLY_FILLED, ""),
        ("first", ResultState.SUPERSEDED, "plan"),
    ]
    for empty in (storage.portfolios.list(Scope(ONE), "", 9), storage.reallocations.list(Scope(ONE), "", 9)):
        assert (await empty).records == ()


async def test_jobs_of_before_go_on(before: Path, storage: Storage) -> None:
    jobs, owner = storage.jobs, LOCAL.id
    assert (await jobs.archive.get(owner, "done")).result == b"\x22"
    assert await jobs.archive.series(owner, "done", "l") == ("l", b"\x34")
    claim = await jobs.queue.claim(storage.worker, 30.0)
    assert claim is not None
    assert (claim.record.id, claim.record.owner, claim.record.caller, claim.record.attempt) == (
        "goes",
        owner,
        "ipv4:2",
        3,
    )
    assert claim.checkpoint == b"\x31"
    assert await parts_of(jobs, claim) == (b"\x32", b"\x33")
    assert jobs.decisions is not None
    decision = jobs.decisions.log(claim.record).find("strategy.remote", 3)
    assert decision is not None
    assert dict(decision.weights) == {"A": 1.0}
    done = await jobs.archive.find(owner, "r", b"\xdd")
    assert done is not None
    assert [event.content.message for event in (await jobs.log.view(done.key, 0)).events] == ["SUCCEEDED"]
    await jobs.archive.delete(owner, "done")
    assert (await jobs.inputs.panel(NAME)).panel.values.tolist() == PANEL.values.tolist()
    connection = sqlite3.connect(before / "absfinance.sqlite3")
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("SELECT count(*) FROM backtest_events WHERE backtest_key = 5").fetchone() == (0,)
    connection.close()
