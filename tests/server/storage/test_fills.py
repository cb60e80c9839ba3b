"""Recorded fills with real SQLite: what is loaded, and one transaction with the portfolio."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from server.ports.errors import EtagMismatch, NotFound, StorageFull
from server.ports.fills import FillsChange, FillsQuery, StoredFill
from server.ports.portfolios import PortfolioDraft, PortfolioRecord
from server.ports.results import ResultDraft
from server.storage.embedded.database import Database
from server.storage.embedded.fills import EmbeddedFills
from server.storage.embedded.portfolios import EmbeddedPortfolios
from server.storage.embedded.results import EmbeddedResults
from server.storage.embedded.room import StorageLimits
from tests.owners import OWNER


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "x.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def fills(database: Database) -> EmbeddedFills:
    return EmbeddedFills(database)


@pytest.fixture
async def portfolio(database: Database) -> PortfolioRecord:
    return await EmbeddedPortfolios(database).create(OWNER, PortfolioDraft(b"p", b"", "p"))


def stored(fill_id: str, symbol: str = "A", day: int = 0) -> StoredFill:
    return StoredFill(fill_id, symbol, day, b"c", b"o")


def change(portfolio: PortfolioRecord, *new: StoredFill, changed: tuple[StoredFill, ...] = ()) -> FillsChange:
    return FillsChange(portfolio.id, portfolio.etag, b"q", new, changed)


def query(*fill_ids: str, symbols: tuple[str, ...] = (), reallocation: str = "") -> FillsQuery:
    return FillsQuery(reallocation, "" if reallocation else "p", fill_ids, symbols)


async def test_what_bears_on_new_fills_is_loaded(fills: EmbeddedFills, portfolio: PortfolioRecord) -> None:
    sold = replace(stored("sold", day=5), is_open=True)
    other = replace(stored("other", "B", 7), is_open=True)
    record = await fills.commit(OWNER, change(portfolio, stored("first", day=1), sold, other))
    bought = replace(stored("bought", day=9), disallows=("sold",))
    await fills.commit(OWNER, change(record, bought, changed=(replace(sold, outcome=b"washed", is_open=False),)))

    async def loaded(*ids: str, symbols: tuple[str, ...] = ()) -> dict[str, bytes]:
        return {fill.fill_id: fill.outcome for fill in (await fills.load(OWNER, query(*ids, symbols=symbols))).fills}

    assert await loaded() == {}
    assert await loaded("first") == {"first": b"o"}
    assert await loaded("bought") == {"sold": b"washed", "bought": b"o"}
    assert await loaded(symbols=("B",)) == {"other": b"o"}
    assert await loaded(symbols=("A",)) == {}
    state = await fills.load(OWNER, query(symbols=("A", "B", "C")))
    assert state.last_days == {"A": 9, "B": 7}
    assert state.portfolio is not None
    assert state.portfolio.payload == b"q"


async def test_the_fills_of_a_plan(fills: EmbeddedFills, database: Database, portfolio: PortfolioRecord) -> None:
    results = EmbeddedResults(database, "reallocation")
    await results.save(OWNER, ResultDraft(b"plan", "", b"", subject="p", id="r"))
    await results.save(OWNER, ResultDraft(b"inline", "", b"", id="i"))
    await fills.commit(OWNER, change(portfolio, replace(stored("f"), reallocation="r"), stored("g")))
    state = await fills.load(OWNER, query(reallocation="r"))
    assert ([fill.fill_id for fill in state.fills], state.plan) == (["f"], b"plan")
    inline = await fills.load(OWNER, query(reallocation="i"))
    assert (inline.portfolio, inline.plan) == (None, b"inline")
    with pytest.raises(NotFound) as missing:
        await fills.load(OWNER, query(reallocation="none"))
    assert missing.value.kind == "reallocation"


async def test_a_change_is_stored_as_a_whole_or_not_at_all(fills: EmbeddedFills, portfolio: PortfolioRecord) -> None:
    after = await fills.commit(OWNER, change(portfolio, stored("f")))
    assert after.etag != portfolio.etag
    with pytest.raises(EtagMismatch):
        await fills.commit(OWNER, change(portfolio, stored("g")))
    with pytest.raises(NotFound):
        await fills.commit(OWNER, replace(change(after, stored("g")), portfolio="none"))
    state = await fills.load(OWNER, query("f", "g"))
    assert ([fill.fill_id for fill in state.fills], state.portfolio) == (["f"], after)


async def test_of_many_changes_at_once_one_wins(fills: EmbeddedFills, portfolio: PortfolioRecord) -> None:
    results = await asyncio.gather(
        *(fills.commit(OWNER, change(portfolio, stored(f"f{i}"))) for i in range(8)), return_exceptions=True
    )
    assert sum(isinstance(result, PortfolioRecord) for result in results) == 1
    assert sum(isinstance(result, EtagMismatch) for result in results) == 7
    assert len((await fills.load(OWNER, query(*(f"f{i}" for i in range(8))))).fills) == 1


async def test_fills_go_with_their_portfolio(
    fills: EmbeddedFills, database: Database, portfolio: PortfolioRecord
) -> None:
    await fills.commit(OWNER, change(portfolio, replace(stored("f"), disallows=("x",))))
    portfolios = EmbeddedPortfolios(database)
    await portfolios.delete(OWNER, "p", "")
    await portfolios.create(OWNER, PortfolioDraft(b"p", b"", "p"))
    assert (await fills.load(OWNER, query("f", symbols=("A",)))).fills == ()


async def test_a_full_store_takes_no_fills(tmp_path: Path) -> None:
    database = Database(tmp_path / "y.sqlite3", StorageLimits(max_bytes=400_000))
    try:
        portfolio = await EmbeddedPortfolios(database).create(OWNER, PortfolioDraft(b"p", b"", "p"))
        with pytest.raises(StorageFull):
            await EmbeddedFills(database).commit(
                OWNER, change(portfolio, replace(stored("f"), content=bytes(1_000_000)))
            )
    finally:
        database.close()
