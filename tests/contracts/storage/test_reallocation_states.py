"""What becomes of stored reallocations: a store says so in the transaction that makes it so."""

import asyncio
import hashlib

import pytest

from server.ports.errors import EtagMismatch
from server.ports.fills import FillsChange, StoredFill
from server.ports.list_filter import ListFilter
from server.ports.portfolios import PortfolioDraft, PortfolioRecord
from server.ports.results import ResultDraft, ResultState, StoredResult
from server.ports.scope import Scope
from server.ports.storage import Storage

OWNER, OTHER = "users/5b2f0d4e-0000-4000-8000-000000000001", "users/5b2f0d4e-0000-4000-8000-000000000002"


async def plan(
    storage: Storage, name: str, portfolio: str = "p", content: bytes | None = None, owner: str = OWNER
) -> StoredResult:
    digest = b"" if content is None else hashlib.sha256(content).digest()
    draft = ResultDraft(b"plan", "", b"", subject=portfolio, id=name, subject_digest=digest)
    return await storage.reallocations.save(owner, draft)


async def states(storage: Storage, owner: str = OWNER) -> dict[str, tuple[str, str]]:
    records = (await storage.reallocations.list(Scope(owner), "", 100)).records
    assert all((record.superseded is not None) == (record.state is ResultState.SUPERSEDED) for record in records)
    return {record.id: (record.state.value, record.superseded_by) for record in records}


async def fill(storage: Storage, name: str, plan: str, *, completes: bool = False) -> None:
    portfolio = await storage.portfolios.get(OWNER, "p")
    payload = portfolio.payload + name.encode()
    new = (StoredFill(name, "A", 0, b"c", b"o", plan),)
    await storage.fills.commit(OWNER, FillsChange("p", portfolio.etag, payload, new, (), plan, completes))


@pytest.fixture
async def portfolio(storage: Storage) -> PortfolioRecord:
    await storage.portfolios.create(OWNER, PortfolioDraft(b"q", b"", "q"))
    return await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"", "p"))


@pytest.mark.usefixtures("portfolio")
async def test_a_later_plan_of_the_same_portfolio_supersedes(storage: Storage) -> None:
    saved = [await plan(storage, "first"), await plan(storage, "other", "q")]
    saved += [await plan(storage, "inline", ""), await plan(storage, "inline2", "")]
    saved += [await plan(storage, "second"), await plan(storage, "third")]
    assert all(record.state is ResultState.CURRENT for record in saved)
    assert await states(storage) == {
        "first": ("SUPERSEDED", "second"),
        "second": ("SUPERSEDED", "third"),
        "third": ("CURRENT", ""),
        "other": ("CURRENT", ""),
        "inline": ("CURRENT", ""),
        "inline2": ("CURRENT", ""),
    }
    first, second, third = [await storage.reallocations.get(OWNER, name) for name in ("first", "second", "third")]
    assert first.superseded == second.created
    assert third.superseded is None
    assert third == saved[-1]


async def test_a_change_of_the_portfolio_supersedes(storage: Storage, portfolio: PortfolioRecord) -> None:
    await plan(storage, "a")
    same = await storage.portfolios.update(OWNER, "p", portfolio.etag, lambda payload: payload)
    assert await states(storage) == {"a": ("CURRENT", "")}
    await storage.portfolios.update(OWNER, "p", same.etag, lambda _: b"changed")
    assert await states(storage) == {"a": ("SUPERSEDED", "")}
    await plan(storage, "b")
    assert await states(storage) == {"a": ("SUPERSEDED", ""), "b": ("CURRENT", "")}
    await storage.portfolios.delete(OWNER, "p", "")
    assert await states(storage) == {"a": ("SUPERSEDED", ""), "b": ("SUPERSEDED", "")}


@pytest.mark.usefixtures("portfolio")
async def test_a_plan_of_a_portfolio_that_changed_meanwhile(storage: Storage) -> None:
    assert (await plan(storage, "a", content=b"p")).state is ResultState.CURRENT
    late = await plan(storage, "b", content=b"before")
    assert late.state is ResultState.SUPERSEDED
    assert late.superseded is not None
    assert late == await storage.reallocations.get(OWNER, "b")
    assert (await plan(storage, "c", "gone", content=b"p")).state is ResultState.SUPERSEDED
    expected = {"a": ("SUPERSEDED", "b"), "b": ("SUPERSEDED", ""), "c": ("SUPERSEDED", "")}
    assert await states(storage) == expected


@pytest.mark.usefixtures("portfolio")
async def test_fills_of_a_plan_supersede_the_others(storage: Storage) -> None:
    await plan(storage, "a")
    await fill(storage, "f1", "a")
    assert await states(storage) == {"a": ("PARTLY_FILLED", "")}
    await fill(storage, "f2", "a", completes=True)
    assert await states(storage) == {"a": ("FILLED", "")}
    await plan(storage, "b")
    assert await states(storage) == {"a": ("FILLED", ""), "b": ("CURRENT", "")}
    await plan(storage, "c")
    await fill(storage, "f3", "b")
    assert await states(storage) == {"a": ("FILLED", ""), "b": ("SUPERSEDED", "c"), "c": ("SUPERSEDED", "")}
    await plan(storage, "d")
    await fill(storage, "f4", "")
    assert (await storage.reallocations.get(OWNER, "d")).state is ResultState.SUPERSEDED


@pytest.mark.usefixtures("portfolio")
async def test_a_list_of_one_state(storage: Storage) -> None:
    for name in ("a", "b", "c"):
        await plan(storage, name)
    await plan(storage, "d", "q")
    await fill(storage, "f", "c")

    async def of(state: str, subject: str = "") -> list[str]:
        filters = ListFilter(subject=subject, result_state=state)
        first = await storage.reallocations.list(Scope(OWNER), "", 1, filters)
        rest = (
            await storage.reallocations.list(Scope(OWNER), first.next_token, 9, filters) if first.next_token else None
        )
        return [record.id for page in (first, rest) if page is not None for record in page.records]

    assert await of("SUPERSEDED") == ["b", "a"]
    assert await of("CURRENT") == ["d"]
    assert await of("CURRENT", "p") == []
    assert await of("PARTLY_FILLED", "p") == ["c"]
    assert await of("FILLED") == []


async def test_plans_of_another_owner_are_left_alone(storage: Storage, portfolio: PortfolioRecord) -> None:
    theirs = await storage.portfolios.create(OTHER, PortfolioDraft(b"theirs", b"", "p"))
    await plan(storage, "a", owner=OTHER)
    await plan(storage, "b", content=b"p")
    assert await states(storage, OTHER) == {"a": ("CURRENT", "")}
    await storage.portfolios.update(OWNER, "p", portfolio.etag, lambda _: b"changed")
    await plan(storage, "a", content=b"changed")
    await fill(storage, "f", "a")
    assert await states(storage) == {"a": ("PARTLY_FILLED", ""), "b": ("SUPERSEDED", "")}
    assert await states(storage, OTHER) == {"a": ("CURRENT", "")}
    await storage.portfolios.delete(OTHER, "p", theirs.etag)
    assert await states(storage, OTHER) == {"a": ("SUPERSEDED", "")}
    assert (await plan(storage, "c", content=b"changedf")).state is ResultState.CURRENT


async def test_plans_and_changes_at_once_end_in_a_true_state(storage: Storage, portfolio: PortfolioRecord) -> None:
    """Whatever comes first: no plan is current that a later one, or a change of its portfolio, has superseded."""

    async def save(number: int) -> None:
        content = (await storage.portfolios.get(OWNER, "p")).payload
        await plan(storage, f"r{number}", content=content)

    async def change(number: int) -> None:
        for _ in range(20):
            etag = (await storage.portfolios.get(OWNER, "p")).etag
            try:
                await storage.portfolios.update(OWNER, "p", etag, lambda payload: payload + bytes([number]))
            except EtagMismatch:
                continue
            return
        pytest.fail("too many others changed the portfolio")

    for round_ in range(6):
        saves = [save(10 * round_ + i) for i in range(5)]
        changes = [change(10 * round_ + i) for i in range(2)]
        await asyncio.gather(*saves, *changes)
        records = (await storage.reallocations.list(Scope(OWNER), "", 100)).records
        current = [record for record in records if record.state is ResultState.CURRENT]
        changed = (await storage.portfolios.get(OWNER, "p")).updated
        assert [record.id for record in current] in ([], [records[0].id]), "only the last one may be current"
        assert all(record.created > changed for record in current)
        ids = {record.id: record.created for record in records}
        assert all(ids[record.superseded_by] > record.created for record in records if record.superseded_by)
