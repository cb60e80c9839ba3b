"""What becomes of stored reallocations: a store says so in the transaction that makes it so."""

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.ports.fills import FillsChange, StoredFill
from server.ports.list_filter import ListFilter
from server.ports.portfolios import PortfolioDraft, PortfolioRecord
from server.ports.results import ResultDraft, ResultState, StoredResult
from server.storage.embedded.database import Database
from server.storage.embedded.fills import EmbeddedFills
from server.storage.embedded.portfolios import EmbeddedPortfolios
from server.storage.embedded.results import EmbeddedResults
from tests.owners import MINE, OWNER

MIGRATIONS = Path(__file__).parents[3] / "server/storage/embedded/migrations"


class Stores:
    """The stores of one machine that have to do with reallocations."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.results = EmbeddedResults(database, "reallocation")
        self.portfolios = EmbeddedPortfolios(database)
        self.fills = EmbeddedFills(database)

    async def plan(self, name: str, portfolio: str = "p", content: bytes | None = None) -> StoredResult:
        digest = b"" if content is None else hashlib.sha256(content).digest()
        return await self.results.save(
            OWNER, ResultDraft(b"plan", "", b"", subject=portfolio, id=name, subject_digest=digest)
        )

    async def states(self) -> dict[str, tuple[str, str]]:
        records = (await self.results.list(MINE, "", 20)).records
        assert all((record.superseded is not None) == (record.state is ResultState.SUPERSEDED) for record in records)
        return {record.id: (record.state.value, record.superseded_by) for record in records}

    async def fill(self, portfolio: PortfolioRecord, name: str, plan: str, *, completes: bool = False) -> None:
        fill = StoredFill(name, "A", 0, b"c", b"o", plan)
        payload = portfolio.payload + name.encode()
        change = FillsChange(portfolio.id, portfolio.etag, payload, (fill,), (), plan, completes)
        await self.fills.commit(OWNER, change)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    database = Database(tmp_path / "x.sqlite3")
    yield Stores(database)
    database.close()


@pytest.fixture
async def portfolio(stores: Stores) -> PortfolioRecord:
    await stores.portfolios.create(OWNER, PortfolioDraft(b"q", b"", "q"))
    return await stores.portfolios.create(OWNER, PortfolioDraft(b"p", b"", "p"))


async def test_a_later_plan_of_the_same_portfolio_supersedes(stores: Stores, portfolio: PortfolioRecord) -> None:
    await stores.plan("first")
    await stores.plan("other", "q")
    await stores.plan("inline", "")
    await stores.plan("inline2", "")
    await stores.plan("second")
    await stores.plan("third")
    assert await stores.states() == {
        "first": ("SUPERSEDED", "second"),
        "second": ("SUPERSEDED", "third"),
        "third": ("CURRENT", ""),
        "other": ("CURRENT", ""),
        "inline": ("CURRENT", ""),
        "inline2": ("CURRENT", ""),
    }
    first, third = await stores.results.get(OWNER, "first"), await stores.results.get(OWNER, "third")
    assert first.superseded == (await stores.results.get(OWNER, "second")).created
    assert third.superseded is None


async def test_a_change_of_the_portfolio_supersedes(stores: Stores, portfolio: PortfolioRecord) -> None:
    await stores.plan("a")
    same = await stores.portfolios.update(OWNER, "p", portfolio.etag, lambda payload: payload)
    assert await stores.states() == {"a": ("CURRENT", "")}
    await stores.portfolios.update(OWNER, "p", same.etag, lambda _: b"changed")
    assert await stores.states() == {"a": ("SUPERSEDED", "")}
    await stores.plan("b")
    assert await stores.states() == {"a": ("SUPERSEDED", ""), "b": ("CURRENT", "")}
    await stores.portfolios.delete(OWNER, "p", "")
    assert await stores.states() == {"a": ("SUPERSEDED", ""), "b": ("SUPERSEDED", "")}


async def test_a_plan_of_a_portfolio_that_changed_meanwhile(stores: Stores, portfolio: PortfolioRecord) -> None:
    assert (await stores.plan("a", content=b"p")).state is ResultState.CURRENT
    assert (await stores.plan("b", content=b"before")).state is ResultState.SUPERSEDED
    assert (await stores.plan("c", "gone", content=b"p")).state is ResultState.SUPERSEDED
    assert await stores.states() == {"a": ("SUPERSEDED", "b"), "b": ("SUPERSEDED", ""), "c": ("SUPERSEDED", "")}


async def test_fills_of_a_plan_supersede_the_others(stores: Stores, portfolio: PortfolioRecord) -> None:
    await stores.plan("a")
    await stores.fill(portfolio, "f1", "a")
    assert await stores.states() == {"a": ("PARTLY_FILLED", "")}
    await stores.fill(await stores.portfolios.get(OWNER, "p"), "f2", "a", completes=True)
    assert await stores.states() == {"a": ("FILLED", "")}
    await stores.plan("b")
    assert await stores.states() == {"a": ("FILLED", ""), "b": ("CURRENT", "")}
    await stores.plan("c")
    await stores.fill(await stores.portfolios.get(OWNER, "p"), "f3", "b")
    assert await stores.states() == {"a": ("FILLED", ""), "b": ("SUPERSEDED", "c"), "c": ("SUPERSEDED", "")}
    await stores.plan("d")
    await stores.fill(await stores.portfolios.get(OWNER, "p"), "f4", "")
    assert (await stores.results.get(OWNER, "d")).state is ResultState.SUPERSEDED


async def test_a_list_of_one_state(stores: Stores, portfolio: PortfolioRecord) -> None:
    for name in ("a", "b", "c"):
        await stores.plan(name)
    await stores.plan("d", "q")
    await stores.fill(await stores.portfolios.get(OWNER, "p"), "f", "c")

    async def of(state: str, subject: str = "") -> list[str]:
        filters = ListFilter(subject=subject, result_state=state)
        first = await stores.results.list(MINE, "", 1, filters)
        rest = await stores.results.list(MINE, first.next_token, 9, filters) if first.next_token else None
        return [record.id for page in (first, rest) if page is not None for record in page.records]

    assert await of("SUPERSEDED") == ["b", "a"]
    assert await of("CURRENT") == ["d"]
    assert await of("CURRENT", "p") == []
    assert await of("PARTLY_FILLED", "p") == ["c"]
    assert await of("FILLED") == []


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
    stores = Stores(database)
    assert await stores.states() == {
        "p1": ("SUPERSEDED", "p2"),
        "p2": ("CURRENT", ""),
        "q1": ("SUPERSEDED", ""),
        "r1": ("PARTLY_FILLED", ""),
        "gone": ("SUPERSEDED", ""),
        "no": ("CURRENT", ""),
    }
    database.close()


async def test_superseding_uses_an_index(stores: Stores) -> None:
    query = (
        "EXPLAIN QUERY PLAN UPDATE reallocations SET superseded_micros = 1 "
        "WHERE subject = 'p' AND id <> 'a' AND superseded_micros IS NULL AND fills <> 'ALL'"
    )
    (plan,) = await stores.database.read(lambda c: c.execute(query).fetchall())
    assert "reallocations_open" in plan[3]
