"""A write whose answer is lost is sent again, and is done once: the first answer of each call never comes here."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace

import httpx
import pytest

from domain.records import dataclass
from server.ports.errors import AlreadyExists, EtagMismatch, NotFound
from server.ports.fills import FillsChange, FillsQuery, StoredFill
from server.ports.portfolios import PortfolioDraft
from server.ports.results import ResultDraft, ResultState
from server.storage.supabase.access import Access
from server.storage.supabase.fills import SupabaseFills
from server.storage.supabase.frames import Frame
from server.storage.supabase.portfolios import SupabasePortfolios
from server.storage.supabase.results import Kind, SupabaseResults
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.write_tokens import write_token

OWNER = "users/5b2f0d4e-0000-4000-8000-000000000001"


class LosesFirstAnswers(httpx.AsyncHTTPTransport):
    """A network on which the answer of a request arrives when it is sent for the second time."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        response = await super().handle_async_request(request)
        self.sent.append(content)
        if self.sent.count(content) == 1:
            await response.aread()
            raise httpx.ReadError("the connection was closed")
        return response


@dataclass(frozen=True, slots=True)
class LossyAccess(Access):
    """The way to a project over such a network."""

    transport: LosesFirstAnswers

    def async_http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self.transport)


@pytest.fixture
async def network() -> LosesFirstAnswers:
    return LosesFirstAnswers()


@pytest.fixture
async def lossy(access: Access, network: LosesFirstAnswers) -> AsyncIterator[Rpc]:
    opened = Rpc(LossyAccess(access.url, access.key, network))
    yield opened
    await opened.close()
    assert network.sent, "something was sent"
    assert {network.sent.count(content) for content in network.sent} == {2}, (
        "and each once more, not the same otherwise"
    )


async def test_a_portfolio_is_made_changed_and_deleted_once(lossy: Rpc, rpc: Rpc) -> None:
    store, clear = SupabasePortfolios(lossy), SupabasePortfolios(rpc)
    made = await store.create(OWNER, PortfolioDraft(b"1", b"", "p"))
    assert made == await clear.get(OWNER, "p")
    with pytest.raises(AlreadyExists):
        await store.create(OWNER, PortfolioDraft(b"2", b"", "p"))
    changed = await store.update(OWNER, "p", made.etag, lambda payload: payload + b"2")
    assert (changed.payload, changed.etag.rpartition("-")[2]) == (b"12", "2")
    assert changed == await clear.get(OWNER, "p")
    with pytest.raises(EtagMismatch):
        await store.delete(OWNER, "p", made.etag)
    await store.delete(OWNER, "p", changed.etag)
    with pytest.raises(NotFound):
        await store.delete(OWNER, "p", "")


async def test_fills_are_recorded_once(lossy: Rpc, rpc: Rpc) -> None:
    made = await SupabasePortfolios(rpc).create(OWNER, PortfolioDraft(b"p", b"", "p"))
    change = FillsChange("p", made.etag, b"q", (StoredFill("f", "A", 1, b"c", b"o", disallows=("x",)),), ())
    after = await SupabaseFills(lossy).commit(OWNER, change)
    assert after == await SupabasePortfolios(rpc).get(OWNER, "p")
    assert after.etag.endswith("-2")
    assert len((await SupabaseFills(rpc).load(OWNER, FillsQuery("", "p", ("f",), ()))).fills) == 1
    with pytest.raises(EtagMismatch):
        await SupabaseFills(lossy).commit(OWNER, replace(change, new=()))


@pytest.mark.parametrize("kind", ["optimization", "reallocation"])
async def test_a_result_is_saved_and_deleted_once(lossy: Rpc, rpc: Rpc, kind: Kind) -> None:
    store, clear = SupabaseResults(lossy, kind), SupabaseResults(rpc, kind)
    first = await store.save(OWNER, ResultDraft(b"1", "f", b"b", id="a", subject="p"))
    assert first == await clear.get(OWNER, "a")
    assert first.state is ResultState.CURRENT
    with pytest.raises(AlreadyExists):
        await store.save(OWNER, ResultDraft(b"1", "f", b"b", id="a"))
    drawn = await store.save(OWNER, ResultDraft(b"2", "f", b"b", "r", summary=b"s"))
    assert await store.save(OWNER, ResultDraft(b"3", "f", b"b", "r")) == drawn == await clear.find(OWNER, "r", b"b")
    await store.delete(OWNER, "a")
    with pytest.raises(NotFound):
        await store.delete(OWNER, "a")
    await store.delete(OWNER, drawn.id)


async def test_a_write_that_is_still_running_is_waited_for(rpc: Rpc) -> None:
    """As where a server gave up waiting and sends it again: all of them get the answer of the one that is done."""
    store = SupabasePortfolios(rpc)
    made = await store.create(OWNER, PortfolioDraft(b"1", b"", "p"))

    def send(token: str) -> Awaitable[bytes]:
        return rpc.read_bytes(
            "update_portfolio", p_owner=OWNER, p_id="p", p_etag=made.etag, p_payload="Mg==", p_token=token
        )

    token = write_token()
    answers = await asyncio.gather(*(send(token) for _ in range(10)))
    assert len(set(answers)) == 1
    assert Frame(answers[0]).header["revision"] == 2
    with pytest.raises(EtagMismatch):
        await send(write_token())
    assert (await store.get(OWNER, "p")).payload == b"2"
