"""What every store of fills promises: what is loaded, and one transaction with the portfolio."""

import asyncio
from dataclasses import replace

import pytest

from server.ports.errors import EtagMismatch, NotFound
from server.ports.fills import FillsChange, FillsQuery, StoredFill
from server.ports.portfolios import PortfolioDraft, PortfolioRecord
from server.ports.results import ResultDraft
from server.ports.storage import Storage

OWNER, OTHER = "users/5b2f0d4e-0000-4000-8000-000000000001", "users/5b2f0d4e-0000-4000-8000-000000000002"


@pytest.fixture
async def portfolio(storage: Storage) -> PortfolioRecord:
    return await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"", "p"))


def stored(fill_id: str, symbol: str = "A", day: int = 0) -> StoredFill:
    return StoredFill(fill_id, symbol, day, b"c", b"o")


def change(portfolio: PortfolioRecord, *new: StoredFill, changed: tuple[StoredFill, ...] = ()) -> FillsChange:
    return FillsChange(portfolio.id, portfolio.etag, b"q", new, changed)


def query(*fill_ids: str, symbols: tuple[str, ...] = (), reallocation: str = "") -> FillsQuery:
    return FillsQuery(reallocation, "" if reallocation else "p", fill_ids, symbols)


async def test_a_fill_is_read_as_it_was_stored(storage: Storage, portfolio: PortfolioRecord) -> None:
    text = "\x00a\x01\x010 'b' \"c\" \\d \\u0000 é 🙂"
    content = bytes(range(256))
    fills = (
        StoredFill(text, text + "s", -3, content, content[::-1], "", (), is_open=True),
        StoredFill("second", "B", 20_000, b"", b"", "r", (), is_open=True),
    )
    await storage.fills.commit(OWNER, change(portfolio, *fills))
    state = await storage.fills.load(OWNER, query("second", text, symbols=(text + "s", "B", "x")))
    assert tuple(state.fills) == fills
    assert state.last_days == {text + "s": -3, "B": 20_000}


async def test_what_bears_on_new_fills_is_loaded(storage: Storage, portfolio: PortfolioRecord) -> None:
    sold = replace(stored("sold", day=5), is_open=True)
    other = replace(stored("other", "B", 7), is_open=True)
    record = await storage.fills.commit(OWNER, change(portfolio, stored("first", day=1), sold, other))
    bought = replace(stored("bought", day=9), disallows=("sold",))
    washed = replace(sold, outcome=b"washed", is_open=False)
    await storage.fills.commit(OWNER, change(record, bought, changed=(washed,)))

    async def loaded(*ids: str, symbols: tuple[str, ...] = ()) -> dict[str, bytes]:
        return {
            fill.fill_id: fill.outcome for fill in (await storage.fills.load(OWNER, query(*ids, symbols=symbols))).fills
        }

    assert await loaded() == {}
    assert await loaded("first") == {"first": b"o"}
    assert await loaded("bought") == {"sold": b"washed", "bought": b"o"}
    assert await loaded(symbols=("B",)) == {"other": b"o"}
    assert await loaded(symbols=("A",)) == {}
    state = await storage.fills.load(OWNER, query(symbols=("A", "B", "C")))
    assert state.last_days == {"A": 9, "B": 7}
    assert state.portfolio is not None
    assert state.portfolio.payload == b"q"
    assert state.portfolio == await storage.portfolios.get(OWNER, "p")


async def test_the_fills_of_a_plan(storage: Storage, portfolio: PortfolioRecord) -> None:
    await storage.reallocations.save(OWNER, ResultDraft(b"plan", "", b"", subject="p", id="r"))
    await storage.reallocations.save(OWNER, ResultDraft(b"inline", "", b"", id="i"))
    await storage.fills.commit(OWNER, change(portfolio, replace(stored("f"), reallocation="r"), stored("g")))
    state = await storage.fills.load(OWNER, query(reallocation="r"))
    assert ([fill.fill_id for fill in state.fills], state.plan) == (["f"], b"plan")
    inline = await storage.fills.load(OWNER, query(reallocation="i"))
    assert (inline.portfolio, inline.plan) == (None, b"inline")
    with pytest.raises(NotFound) as missing:
        await storage.fills.load(OWNER, query(reallocation="none"))
    assert (missing.value.kind, missing.value.name) == ("reallocation", "reallocations/none")
    await storage.portfolios.delete(OWNER, "p", "")
    with pytest.raises(NotFound) as missing:
        await storage.fills.load(OWNER, query(reallocation="r"))
    assert (missing.value.kind, missing.value.name) == ("portfolio", "portfolios/p")


async def test_a_change_is_stored_as_a_whole_or_not_at_all(storage: Storage, portfolio: PortfolioRecord) -> None:
    after = await storage.fills.commit(OWNER, change(portfolio, stored("f")))
    assert after.etag != portfolio.etag
    with pytest.raises(EtagMismatch) as mismatch:
        await storage.fills.commit(OWNER, change(portfolio, stored("g")))
    assert mismatch.value.etag == after.etag
    with pytest.raises(NotFound):
        await storage.fills.commit(OWNER, replace(change(after, stored("g")), portfolio="none"))
    state = await storage.fills.load(OWNER, query("f", "g"))
    assert ([fill.fill_id for fill in state.fills], state.portfolio) == (["f"], after)


async def test_of_many_changes_at_once_one_wins(storage: Storage, portfolio: PortfolioRecord) -> None:
    results = await asyncio.gather(
        *(storage.fills.commit(OWNER, change(portfolio, stored(f"f{i}"))) for i in range(8)), return_exceptions=True
    )
    assert sum(isinstance(result, PortfolioRecord) for result in results) == 1
    assert sum(isinstance(result, EtagMismatch) for result in results) == 7
    assert len((await storage.fills.load(OWNER, query(*(f"f{i}" for i in range(8))))).fills) == 1


async def test_no_change_is_lost_where_all_try_again(storage: Storage, portfolio: PortfolioRecord) -> None:
    """As RecordFills does it: each reads, adds its own, and begins again where another one was first."""
    names = [f"f{i}" for i in range(10)]

    async def record(name: str) -> None:
        for _ in range(len(names)):
            state = await storage.fills.load(OWNER, query(name))
            assert state.portfolio is not None
            payload = state.portfolio.payload + f" {name}".encode()
            try:
                await storage.fills.commit(OWNER, replace(change(state.portfolio, stored(name)), payload=payload))
            except EtagMismatch:
                continue
            return
        pytest.fail("each of the others was first more than once")

    await asyncio.gather(*(record(name) for name in names))
    state = await storage.fills.load(OWNER, query(*names))
    assert state.portfolio is not None
    assert sorted(state.portfolio.payload.split()) == [
        b"f0",
        b"f1",
        b"f2",
        b"f3",
        b"f4",
        b"f5",
        b"f6",
        b"f7",
        b"f8",
        b"f9",
        b"p",
    ]
    assert [fill.fill_id for fill in state.fills] == state.portfolio.payload.decode().split()[1:], "in their order"


async def test_fills_go_with_their_portfolio(storage: Storage, portfolio: PortfolioRecord) -> None:
    await storage.fills.commit(OWNER, change(portfolio, replace(stored("f"), disallows=("x",))))
    await storage.portfolios.delete(OWNER, "p", "")
    await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"", "p"))
    state = await storage.fills.load(OWNER, query("f", symbols=("A",)))
    assert (tuple(state.fills), state.last_days) == ((), {})


async def test_a_loss_is_disallowed_within_a_portfolio(storage: Storage, portfolio: PortfolioRecord) -> None:
    others = [
        await storage.portfolios.create(owner, PortfolioDraft(b"p", b"", name))
        for owner, name in ((OWNER, "q"), (OTHER, "p"))
    ]
    for owner, other in zip((OWNER, OTHER), others, strict=True):
        await storage.fills.commit(owner, change(other, stored("sold"), stored("bought")))
    sold = replace(stored("sold"), content=b"own")
    await storage.fills.commit(OWNER, change(portfolio, sold, replace(stored("bought"), disallows=("sold",))))
    assert [fill.content for fill in (await storage.fills.load(OWNER, query("bought"))).fills] == [b"own", b"c"]
    for owner, other in zip((OWNER, OTHER), others, strict=True):
        state = await storage.fills.load(owner, FillsQuery("", other.id, ("bought",), ()))
        assert [fill.fill_id for fill in state.fills] == ["bought"]


async def test_fills_belong_to_their_owner(storage: Storage, portfolio: PortfolioRecord) -> None:
    theirs = await storage.portfolios.create(OTHER, PortfolioDraft(b"theirs", b"", "p"))
    for owner in (OWNER, OTHER):
        await storage.reallocations.save(owner, ResultDraft(owner.encode(), "", b"", subject="p", id="r"))
    await storage.fills.commit(OWNER, change(portfolio, replace(stored("f"), reallocation="r", is_open=True)))
    state = await storage.fills.load(OTHER, query("f", symbols=("A",)))
    assert (tuple(state.fills), state.last_days, state.portfolio) == ((), {}, theirs)
    state = await storage.fills.load(OTHER, query("f", reallocation="r"))
    assert (tuple(state.fills), state.plan) == ((), OTHER.encode())
    await storage.fills.commit(OTHER, change(theirs, replace(stored("f"), content=b"other")))
    (mine,) = (await storage.fills.load(OWNER, query("f"))).fills
    assert mine.content == b"c"
    await storage.portfolios.create(OWNER, PortfolioDraft(b"", b"", "only mine"[:4]))
    for refused in (
        storage.fills.load(OTHER, FillsQuery("", "only", (), ())),
        storage.fills.commit(OTHER, replace(change(theirs, stored("g")), portfolio="only")),
    ):
        with pytest.raises(NotFound):
            await refused
