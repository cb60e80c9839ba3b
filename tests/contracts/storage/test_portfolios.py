"""What every store of portfolios promises."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import InvalidInput
from server.ports.errors import AlreadyExists, EtagMismatch, NotFound, RequestIdReused
from server.ports.portfolios import PortfolioDraft, PortfolioPage, PortfolioRecord
from server.ports.scope import Scope
from server.ports.storage import Storage
from server.storage.pages import place_token

OWNER, OTHER = "users/5b2f0d4e-0000-4000-8000-000000000001", "users/5b2f0d4e-0000-4000-8000-000000000002"
ANY_TEXT = "\x00a\x01\x010 'quoted' \"twice\" back\\slash \\u0000 é 🙂"


def draft(
    portfolio_id: str | None, payload: bytes = b"p", body: bytes = b"b", request: str | None = None
) -> PortfolioDraft:
    return PortfolioDraft(payload, body, portfolio_id, request)


async def all_of(storage: Storage, scope: Scope, size: int) -> list[PortfolioRecord]:
    found: list[PortfolioRecord] = []
    page = PortfolioPage((), "")
    for _ in range(100):
        page = await storage.portfolios.list(scope, page.next_token, size)
        assert len(page.records) <= size
        found.extend(page.records)
        if not page.next_token:
            return found
    pytest.fail("the pages never end")


async def test_a_portfolio_is_read_as_it_was_stored(storage: Storage) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    payload = bytes(range(256)) * 40
    record = await storage.portfolios.create(OWNER, draft("p", payload))
    assert (record.owner, record.id, record.payload) == (OWNER, "p", payload)
    assert before < record.created == record.updated < before + timedelta(minutes=2)
    assert await storage.portfolios.get(OWNER, "p") == record
    drawn = await storage.portfolios.create(OWNER, draft(None, b""))
    assert drawn.id != "p"
    assert (await storage.portfolios.get(OWNER, drawn.id)).payload == b""
    with pytest.raises(NotFound) as missing:
        await storage.portfolios.get(OWNER, "none")
    assert (missing.value.kind, missing.value.name) == ("portfolio", "portfolios/none")


@pytest.mark.parametrize("request_id", ["r", ANY_TEXT, ""])
async def test_the_same_request_gives_the_first_portfolio(storage: Storage, request_id: str) -> None:
    store = storage.portfolios
    first = await store.create(OWNER, draft("p", request=request_id))
    assert await store.create(OWNER, draft("other", b"q", request=request_id)) == first
    changed = await store.update(OWNER, "p", first.etag, lambda payload: payload + b"!")
    assert await store.create(OWNER, draft("p", request=request_id)) == changed
    with pytest.raises(RequestIdReused) as reused:
        await store.create(OWNER, draft("p", body=b"another", request=request_id))
    assert reused.value.field == "request_id"
    assert [record.id for record in await all_of(storage, Scope(OWNER), 10)] == ["p"]
    await store.delete(OWNER, "p", "")
    assert (await store.create(OWNER, draft("q", body=b"another", request=request_id))).id == "q"


async def test_an_id_is_taken_once(storage: Storage) -> None:
    await storage.portfolios.create(OWNER, draft("p", request="r"))
    for again in (draft("p"), draft("p", request="another")):
        with pytest.raises(AlreadyExists) as taken:
            await storage.portfolios.create(OWNER, again)
        assert (taken.value.kind, taken.value.name) == ("portfolio", "portfolios/p")
    assert (await storage.portfolios.create(OWNER, draft("q", request="another"))).id == "q"


async def test_a_change_knows_what_it_changes(storage: Storage) -> None:
    store = storage.portfolios
    first = await store.create(OWNER, draft("p", b"1"))
    second = await store.update(OWNER, "p", first.etag, lambda payload: payload + b"2")
    assert (second.payload, second.created) == (b"12", first.created)
    assert second.updated > first.updated
    assert second.etag != first.etag
    assert await store.get(OWNER, "p") == second
    called: list[bytes] = []
    for etag in (first.etag, "", "x"):
        with pytest.raises(EtagMismatch) as mismatch:
            await store.update(OWNER, "p", etag, lambda payload: called.append(payload) or b"")  # type: ignore[func-returns-value]
        assert mismatch.value.etag == second.etag
    with pytest.raises(NotFound):
        await store.update(OWNER, "none", first.etag, lambda payload: called.append(payload) or b"")  # type: ignore[func-returns-value]
    assert called == []
    assert await store.get(OWNER, "p") == second


async def test_what_a_change_raises_leaves_everything_as_it_was(storage: Storage) -> None:
    first = await storage.portfolios.create(OWNER, draft("p"))

    def refuse(payload: bytes) -> bytes:
        raise InvalidInput("portfolio.cash", "is no number")

    with pytest.raises(InvalidInput, match="is no number"):
        await storage.portfolios.update(OWNER, "p", first.etag, refuse)
    assert await storage.portfolios.get(OWNER, "p") == first


async def test_a_version_is_deleted_or_any(storage: Storage) -> None:
    store = storage.portfolios
    first = await store.create(OWNER, draft("p"))
    second = await store.update(OWNER, "p", first.etag, lambda _: b"q")
    with pytest.raises(EtagMismatch) as mismatch:
        await store.delete(OWNER, "p", first.etag)
    assert mismatch.value.etag == second.etag
    await store.delete(OWNER, "p", second.etag)
    for etag in ("", second.etag):
        with pytest.raises(NotFound):
            await store.delete(OWNER, "p", etag)
    again = await store.create(OWNER, draft("p"))
    assert again.etag not in (first.etag, second.etag), "one that was made again is another one"
    await store.delete(OWNER, "p", "")
    assert await all_of(storage, Scope(OWNER), 10) == []


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_pages_are_by_id_and_of_one_owner(storage: Storage, size: int) -> None:
    names = ["b", "A", "ab", "_", "-", "9", "Z", "a", "a-", "a_"]
    for name in names:
        await storage.portfolios.create(OWNER, draft(name, name.encode()))
        await storage.portfolios.create(OTHER, draft(name + "x"))
    found = await all_of(storage, Scope(OWNER), size)
    assert [record.id for record in found] == sorted(names)
    assert [record.payload for record in found] == [name.encode() for name in sorted(names)]
    assert {record.owner for record in found} == {OWNER}


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_pages_of_everybody_are_in_the_order_of_their_making(storage: Storage, size: int) -> None:
    made = [(owner, name) for name in ("z", "a", "m") for owner in (OTHER, OWNER)]
    for owner, name in made:
        await storage.portfolios.create(owner, draft(name, f"{owner}/{name}".encode()))
    found = await all_of(storage, Scope(OWNER, everyone=True), size)
    assert [(record.owner, record.id) for record in found] == made
    assert all(record.payload.decode() == f"{record.owner}/{record.id}" for record in found)


async def test_a_token_belongs_to_its_list(storage: Storage) -> None:
    for name in "abc":
        await storage.portfolios.create(OWNER, draft(name))
    own, all_ = Scope(OWNER), Scope(OWNER, everyone=True)
    tokens = {scope: (await storage.portfolios.list(scope, "", 1)).next_token for scope in (own, all_)}
    for scope, token in (
        (own, tokens[all_]),
        (all_, tokens[own]),
        (Scope(OTHER), tokens[own]),
        (own, "b"),
        (own, "x.y"),
    ):
        with pytest.raises(InvalidInput) as refused:
            await storage.portfolios.list(scope, token, 1)
        assert refused.value.field == "page_token"


async def test_a_token_that_somebody_made_up(storage: Storage) -> None:
    """Whoever reads the source can make a token that belongs to the list, but none that breaks it."""
    everybody = Scope(OWNER, everyone=True)
    await storage.portfolios.create(OWNER, draft("p"))
    for place in ("a", "9" * 19, "", "1.5", "-1"):
        with pytest.raises(InvalidInput, match="not a token"):
            await storage.portfolios.list(everybody, place_token(place, "portfolio", everybody), 5)
    for scope, place in ((everybody, "9" * 18), (Scope(OWNER), "z" * 64)):
        assert await storage.portfolios.list(scope, place_token(place, "portfolio", scope), 5) == PortfolioPage((), "")


async def test_two_owners_have_the_same_names(storage: Storage) -> None:
    store = storage.portfolios
    mine = await store.create(OWNER, draft("main", b"mine", b"b1", "r"))
    theirs = await store.create(OTHER, draft("main", b"theirs", b"b2", "r"))
    assert (mine.payload, theirs.payload) == (b"mine", b"theirs")
    assert await store.create(OTHER, draft("x", b"", b"b2", "r")) == theirs
    changed = await store.update(OWNER, "main", mine.etag, lambda payload: payload + b"!")
    assert await store.get(OTHER, "main") == theirs
    await store.delete(OTHER, "main", "")
    assert await store.get(OWNER, "main") == changed
    with pytest.raises(NotFound) as missing:
        await store.get(OTHER, "main")
    with pytest.raises(NotFound) as never:
        await store.get(OTHER, "never")
    assert str(missing.value).replace("main", "never") == str(never.value)
    for refused in (store.update(OTHER, "main", changed.etag, lambda payload: b""), store.delete(OTHER, "main", "")):
        with pytest.raises(NotFound):
            await refused


async def test_of_many_creations_at_once_one_is_stored(storage: Storage) -> None:
    drafts = [draft(f"p{i}", bytes([i]), request="same") for i in range(12)]
    records = await asyncio.gather(*(storage.portfolios.create(OWNER, one) for one in drafts))
    assert len(set(records)) == 1
    assert await all_of(storage, Scope(OWNER), 10) == records[:1]
    named = [storage.portfolios.create(OWNER, draft("name", bytes([i]))) for i in range(12)]
    results = await asyncio.gather(*named, return_exceptions=True)
    assert sum(isinstance(result, PortfolioRecord) for result in results) == 1
    assert sum(isinstance(result, AlreadyExists) for result in results) == 11


async def test_of_many_changes_at_once_one_wins(storage: Storage) -> None:
    first = await storage.portfolios.create(OWNER, draft("p", b""))
    changes = [
        storage.portfolios.update(OWNER, "p", first.etag, lambda payload, i=i: payload + bytes([i]))  # type: ignore[misc]
        for i in range(12)
    ]
    results = await asyncio.gather(*changes, return_exceptions=True)
    (winner,) = [result for result in results if isinstance(result, PortfolioRecord)]
    assert sum(isinstance(result, EtagMismatch) for result in results) == 11
    assert await storage.portfolios.get(OWNER, "p") == winner
