"""Optimisations: computed once, found again by the id of the request, and removed."""

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest
from absfinance.v1.optimization_pb2 import Optimization as Answer
from absfinance.v1.optimization_service_pb2 import OptimizeRequest

from domain.errors import MissingMarketData
from domain.market_data.panel import PricePanel
from server.commands.call import Call
from server.converters.optimization import record_to_bytes
from server.execution.process_pool import ProcessPool
from server.execution.small_tasks import SmallTasks
from server.interceptors.audit import Audit
from server.ports.audit import AuditEvent, AuditFilter, AuditRetention
from server.ports.errors import NotFound, RequestIdReused
from server.ports.list_filter import ListFilter
from server.ports.results import EventOf, ResultDraft, StoredResult
from server.ports.scope import Scope
from server.ports.storage import Storage
from server.services.audit import AuditLog, CallEvent, call_event
from server.services.market_data import MarketData
from server.services.optimization.optimize import Optimization
from server.storage.embedded.audit import EmbeddedAudit
from server.storage.embedded.database import Database
from server.storage.embedded.results import EmbeddedResults
from tests.owners import MINE, OWNER
from tests.server.services.conftest import Encode

MOMENTS = {"symbols": ["A", "B"], "covariance": [0.04, 0.0, 0.0, 0.01], "periodsPerYear": 1}
MIN_RISK = {"objective": {"minRisk": {}}}
PROBLEM = {"moments": MOMENTS, **MIN_RISK}


@pytest.fixture(params=["in a process", "where it is small, in a thread"])
async def service(
    storage: Storage, market_data: MarketData, pool: ProcessPool, request: pytest.FixtureRequest
) -> AsyncIterator[Optimization]:
    small = SmallTasks(seconds=10.0 if request.param.startswith("where") else -1.0, late_seconds=10.0)
    yield Optimization(market_data, storage.optimizations, pool, small)
    await small.close(10.0)


async def test_an_answer_is_stored_and_found_again(service: Optimization, encode: Encode) -> None:
    request = encode(OptimizeRequest, **PROBLEM, requestId="r", label="l")
    record = await service.optimize(request, Call(OWNER))
    assert not isinstance(record, bytes)
    weights = {one.symbol: one.weight for one in Answer.FromString(record.payload).weights}
    assert weights == pytest.approx({"A": 0.2, "B": 0.8})
    assert await service.optimize(request, Call(OWNER)) == record
    assert await service.get(OWNER, record.id) == record
    assert [one.id for one in (await service.list(MINE, "", 5, ListFilter(label="l"))).records] == [record.id]
    assert not (await service.list(MINE, "", 5, ListFilter(label="other"))).records
    with pytest.raises(RequestIdReused):
        await service.optimize(encode(OptimizeRequest, **PROBLEM, requestId="r", label="other"), Call(OWNER))
    await service.delete(OWNER, record.id)
    with pytest.raises(NotFound):
        await service.get(OWNER, record.id)


async def test_its_event_is_stored_once(
    service: Optimization, storage: Storage, encode: Encode, request: pytest.FixtureRequest
) -> None:
    """In the thread together with the answer; otherwise it is left to the audit log, which is not here."""

    def made(resource: str) -> AuditEvent:
        return AuditEvent(OWNER, "key", "Optimize", resource, "OK", "", "call", datetime.now(UTC))

    event = CallEvent(made)
    given = call_event.set(event)
    try:
        record = await service.optimize(encode(OptimizeRequest, **PROBLEM), Call(OWNER))
    finally:
        call_event.reset(given)
    assert not isinstance(record, bytes)
    logged = [one.event.resource for one in (await storage.audit.list(MINE, "", 10, AuditFilter())).records]
    is_in_thread = "thread" in request.node.name
    assert logged == [f"optimizations/{record.id}"] * is_in_thread
    assert event.is_stored is is_in_thread


class SlowStore(EmbeddedResults):
    """A store whose write at once takes until it may end."""

    begun, may_end = threading.Event(), threading.Event()

    def save_at_once(self, owner: str, draft: ResultDraft, audit: EventOf | None = None) -> StoredResult | None:
        self.begun.set()
        assert self.may_end.wait(30.0)
        return super().save_at_once(owner, draft, audit)


async def test_a_caller_who_leaves_while_their_answer_is_stored_has_one_event(
    market_data: MarketData, pool: ProcessPool, encode: Encode, tmp_path: Path
) -> None:
    """Not a second one that says that nothing came of the call."""
    database, small = Database(tmp_path / "slow.sqlite3"), SmallTasks(seconds=10.0, late_seconds=30.0)
    store, events = SlowStore(database, "optimization"), EmbeddedAudit(database, AuditRetention())
    service = Optimization(market_data, store, pool, small)
    log = AuditLog(events, soon_seconds=0.0)
    method = "/absfinance.v1.OptimizationService/Optimize"

    async def handler(request: bytes, context: object) -> bytes:
        answer = await service.optimize(request, Call(OWNER))
        return answer if isinstance(answer, bytes) else record_to_bytes(answer)

    async def plain(_: object) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(handler)

    details = SimpleNamespace(method=method, invocation_metadata=())
    audited = await Audit(log, asks_who_calls=False).intercept_service(plain, details)
    call = asyncio.create_task(audited.unary_unary(encode(OptimizeRequest, **PROBLEM), None))
    try:
        assert await asyncio.to_thread(store.begun.wait, 30.0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.sleep(0.05)  # an event of the failure would be on its way
    finally:
        store.may_end.set()
        await small.close(10.0)
    await log.close()
    everyone = Scope("", everyone=True)
    codes = [one.event.code for one in (await events.list(everyone, "", 10, AuditFilter())).records]
    assert codes == ["OK"]
    assert len((await store.list(MINE, "", 5)).records) == 1
    database.close()


async def test_a_mere_check_stores_nothing(service: Optimization, encode: Encode) -> None:
    assert isinstance(await service.optimize(encode(OptimizeRequest, **PROBLEM, validateOnly=True), Call(OWNER)), bytes)
    assert not (await service.list(MINE, "", 5, ListFilter())).records


async def test_stored_prices_and_groups(service: Optimization, prices: PricePanel, encode: Encode) -> None:
    bounds = [{"groupBounds": {"group": "sector=x", "upper": 0.25}}]
    fields = {"marketData": {"symbols": ["A", "B", "C"]}, "constraints": bounds, **MIN_RISK}
    record = await service.optimize(encode(OptimizeRequest, **fields), Call(OWNER))
    assert not isinstance(record, bytes)
    weights = {one.symbol: one.weight for one in Answer.FromString(record.payload).weights}
    assert weights.get("A", 0.0) + weights.get("B", 0.0) == pytest.approx(0.25)
    with pytest.raises(MissingMarketData):
        await service.optimize(encode(OptimizeRequest, marketData={"symbols": ["Z"]}, **MIN_RISK), Call(OWNER))
