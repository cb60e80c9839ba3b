"""What every store of results promises, of those of Optimize and of Reallocate."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import InvalidInput
from server.ports.errors import AlreadyExists, NotFound, RequestIdReused
from server.ports.list_filter import EVERYTHING, ListFilter
from server.ports.results import ResultDraft, ResultPage, ResultStore, StoredResult
from server.ports.scope import Scope
from server.ports.storage import Storage
from server.storage.pages import LAST_MICROS, Position, token_of

OWNER, OTHER = "users/5b2f0d4e-0000-4000-8000-000000000001", "users/5b2f0d4e-0000-4000-8000-000000000002"
ANY_TEXT = "\x00a\x01\x010 'quoted' \"twice\" back\\slash \\u0000 é 🙂"
DRAFT = ResultDraft(b"payload", "fingerprint", b"body")


@pytest.fixture(params=["optimizations", "reallocations"])
def store(storage: Storage, request: pytest.FixtureRequest) -> ResultStore:
    found: ResultStore = getattr(storage, request.param)
    return found


def draft(result_id: str | None = None, **other: object) -> ResultDraft:
    return replace(DRAFT, id=result_id, **other)  # type: ignore[arg-type]


async def all_of(
    store: ResultStore, filters: ListFilter = EVERYTHING, size: int = 10, scope: Scope | None = None
) -> list[StoredResult]:
    found: list[StoredResult] = []
    page = ResultPage((), "")
    for _ in range(100):
        page = await store.list(scope or Scope(OWNER), page.next_token, size, filters)
        assert len(page.records) <= size
        found.extend(page.records)
        if not page.next_token:
            return found
    pytest.fail("the pages never end")


async def test_a_result_is_read_as_it_was_stored(store: ResultStore) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    payload, summary = bytes(range(256)) * 30, bytes(range(255, -1, -1))
    record = await store.save(OWNER, ResultDraft(payload, "f", b"b", ANY_TEXT, "", "mine", ANY_TEXT, summary))
    assert (record.owner, record.id, record.request_id, record.label) == (OWNER, "mine", ANY_TEXT, ANY_TEXT)
    assert (record.payload, record.summary, record.input_fingerprint) == (payload, summary, "f")
    assert before < record.created < before + timedelta(minutes=2)
    assert await store.get(OWNER, "mine") == record
    assert await store.find(OWNER, ANY_TEXT, b"b") == record
    drawn = await store.save(OWNER, DRAFT)
    assert drawn.id != "mine"
    assert drawn.request_id is None
    assert await store.get(OWNER, drawn.id) == drawn
    with pytest.raises(NotFound, match=r"there is no (optimization|reallocation) \1s/none"):
        await store.get(OWNER, "none")


async def test_a_large_result(store: ResultStore) -> None:
    payload = bytes(range(256)) * 4096 * 6
    record = await store.save(OWNER, draft(payload=payload))
    assert record.payload == payload
    assert (await store.get(OWNER, record.id)).payload == payload


@pytest.mark.parametrize("request_id", ["r", ANY_TEXT, ""])
async def test_the_same_request_gives_the_first_result(store: ResultStore, request_id: str) -> None:
    assert await store.find(OWNER, request_id, b"body") is None
    first = await store.save(OWNER, draft("mine", request_id=request_id))
    assert await store.find(OWNER, request_id, b"body") == first
    for result_id in ("mine", "other", None):
        assert await store.save(OWNER, draft(result_id, request_id=request_id, payload=b"other")) == first
    for reused in (
        store.find(OWNER, request_id, b"another"),
        store.save(OWNER, draft("mine", request_id=request_id, body=b"another")),
    ):
        with pytest.raises(RequestIdReused) as error:
            await reused
        assert error.value.field == "request_id"
    assert await all_of(store) == [first]


async def test_an_id_is_taken_once_until_it_is_deleted(store: ResultStore) -> None:
    await store.save(OWNER, draft("a", request_id="r"))
    for again in (draft("a"), draft("a", request_id="another")):
        with pytest.raises(AlreadyExists, match=r"^(optimization|reallocation)s/a exists already"):
            await store.save(OWNER, again)
    await store.delete(OWNER, "a")
    with pytest.raises(NotFound, match="s/a"):
        await store.get(OWNER, "a")
    with pytest.raises(NotFound):
        await store.delete(OWNER, "a")
    assert await store.find(OWNER, "r", b"body") is None
    assert (await store.save(OWNER, draft("a"))).id == "a"


async def test_of_many_saves_with_one_request_id_one_is_stored(store: ResultStore) -> None:
    drafts = [draft(f"r{i}", payload=bytes([i]), request_id="same") for i in range(16)]
    records = await asyncio.gather(*(store.save(OWNER, one) for one in drafts))
    assert all(record == records[0] for record in records)
    assert [record.id for record in await all_of(store)] == [records[0].id]


async def test_of_many_saves_with_one_id_one_is_stored(store: ResultStore) -> None:
    saves = [store.save(OWNER, draft("same", payload=bytes([i]))) for i in range(12)]
    results = await asyncio.gather(*saves, return_exceptions=True)
    (winner,) = [result for result in results if isinstance(result, StoredResult)]
    assert sum(isinstance(result, AlreadyExists) for result in results) == 11
    assert await store.get(OWNER, "same") == winner


async def test_what_is_saved_at_once_is_there_for_everybody(store: ResultStore) -> None:
    one = draft(request_id="r")
    record = await asyncio.to_thread(store.save_at_once, OWNER, one) or await store.save(OWNER, one)
    assert await store.get(OWNER, record.id) == record
    assert await store.save(OWNER, one) == record
    assert await asyncio.to_thread(store.save_at_once, OWNER, one) in (record, None)


async def test_a_list_has_payloads_only_of_results_without_a_summary(store: ResultStore) -> None:
    await store.save(OWNER, draft("old", payload=b"old"))
    await store.save(OWNER, draft("new", payload=b"new", summary=b"short", label="x"))
    found = {record.id: (record.payload, record.summary, record.label) for record in await all_of(store)}
    assert found == {"old": (b"old", b"", ""), "new": (b"", b"short", "x")}
    assert (await store.get(OWNER, "new")).payload == b"new"


@pytest.mark.parametrize("size", [1, 2, 100])
async def test_pages_by_label_subject_and_time(store: ResultStore, size: int) -> None:
    drafts = [
        draft(f"{number}{subject}{i}", label=label, subject=subject)
        for i in range(3)
        for number, label in enumerate(("", ANY_TEXT))
        for subject in ("", "s")
    ]
    saved = [await store.save(OWNER, one) for one in drafts]

    async def ids(filters: ListFilter) -> list[str]:
        return [record.id for record in await all_of(store, filters, size)]

    for label in ("", ANY_TEXT):
        for subject in ("", "s"):
            expected = [
                one.id
                for one in reversed(drafts)
                if (not label or one.label == label) and (not subject or one.subject == subject)
            ]
            assert await ids(ListFilter(label=label, subject=subject)) == expected
    middle = saved[5].created
    early = [one.id for one in reversed(saved) if one.created < middle]
    assert await ids(ListFilter(created_before=middle)) == early
    late = [one.id for one in reversed(saved) if one.created >= middle]
    assert await ids(ListFilter(created_from=middle)) == late
    assert saved[5].id in late
    assert await ids(ListFilter(created_from=middle, created_before=middle)) == []
    assert await ids(ListFilter(created_from=datetime(1, 1, 1, tzinfo=UTC))) == [one.id for one in reversed(saved)]
    assert await ids(ListFilter(created_before=datetime(9999, 12, 31, 23, tzinfo=UTC), label="none")) == []


async def test_a_page_goes_on_where_the_one_before_ended(store: ResultStore) -> None:
    for name in "abcd":
        await store.save(OWNER, draft(name))
    first = await store.list(Scope(OWNER), "", 2)
    await store.save(OWNER, draft("later"))
    await store.delete(OWNER, "c")
    rest = await store.list(Scope(OWNER), first.next_token, 2)
    assert [record.id for record in (*first.records, *rest.records)] == ["d", "c", "b", "a"]
    assert rest.next_token == ""


async def test_a_token_belongs_to_its_list(storage: Storage, store: ResultStore) -> None:
    for name in "abc":
        await store.save(OWNER, draft(name, label="l"))
        await store.save(OTHER, draft(name, label="l"))
    own, all_ = Scope(OWNER), Scope(OWNER, everyone=True)
    token = (await store.list(own, "", 1)).next_token
    token_of_all = (await store.list(all_, "", 1)).next_token
    another = storage.reallocations if store is storage.optimizations else storage.optimizations
    for where, scope, refused, filters in (
        (store, Scope(OTHER), token, EVERYTHING),
        (store, all_, token, EVERYTHING),
        (store, own, token_of_all, EVERYTHING),
        (store, own, token, ListFilter(label="l")),
        (another, own, token, EVERYTHING),
        (store, own, "x", EVERYTHING),
        (store, own, token + "0", EVERYTHING),
    ):
        with pytest.raises(InvalidInput) as error:
            await where.list(scope, refused, 1, filters)
        assert error.value.field == "page_token"


async def test_a_token_that_somebody_made_up(storage: Storage, store: ResultStore) -> None:
    """Whoever reads the source can make a token that belongs to the list, but none that breaks it."""
    kind = "optimization" if store is storage.optimizations else "reallocation"
    record = await store.save(OWNER, DRAFT)
    for scope in (Scope(OWNER), Scope(OWNER, everyone=True)):
        for position, found in ((Position(LAST_MICROS, "z", 10**18 - 1), [record]), (Position(0, "-", 0), [])):
            page = await store.list(scope, token_of(position, kind, scope, EVERYTHING), 5)
            assert list(page.records) == found


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_everybodys_results(store: ResultStore, size: int) -> None:
    made = [(owner, name) for name in ("z", "a") for owner in (OTHER, OWNER)]
    for owner, name in made:
        await store.save(owner, draft(name, payload=f"{owner}/{name}".encode(), label="l"))
    scope = Scope(OWNER, everyone=True)
    for filters in (EVERYTHING, ListFilter(label="l")):
        found = await all_of(store, filters, size, scope)
        assert [(record.owner, record.id) for record in found] == made[::-1]
        assert all(record.payload.decode() == f"{record.owner}/{record.id}" for record in found)


async def test_two_owners_have_the_same_names(store: ResultStore) -> None:
    mine = await store.save(OWNER, draft("main", payload=b"mine", body=b"b1", request_id="r"))
    assert await store.find(OTHER, "r", b"b1") is None
    theirs = await store.save(OTHER, draft("main", payload=b"theirs", body=b"b2", request_id="r"))
    assert (mine.payload, theirs.payload) == (b"mine", b"theirs")
    assert await store.find(OTHER, "r", b"b2") == theirs
    assert await store.save(OTHER, draft(body=b"b2", request_id="r")) == theirs
    assert await all_of(store) == [mine]
    await store.delete(OTHER, "main")
    assert await store.get(OWNER, "main") == mine
    with pytest.raises(NotFound) as missing:
        await store.get(OTHER, "main")
    with pytest.raises(NotFound) as never:
        await store.get(OTHER, "never")
    assert str(missing.value).replace("main", "never") == str(never.value)
    with pytest.raises(NotFound):
        await store.delete(OTHER, "main")
    assert await all_of(store, scope=Scope(OTHER)) == []
