"""Optimisations: computed once, found again by the id of the request, and removed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from absfinance.v1.optimization_pb2 import Optimization as Answer
from absfinance.v1.optimization_service_pb2 import OptimizeRequest

from domain.errors import MissingMarketData
from domain.market_data.panel import PricePanel
from server.commands.call import Call
from server.execution.process_pool import ProcessPool
from server.execution.small_tasks import SmallTasks
from server.ports.audit import AuditEvent, AuditFilter
from server.ports.errors import NotFound, RequestIdReused
from server.ports.list_filter import ListFilter
from server.ports.storage import Storage
from server.services.audit import CallEvent, call_event
from server.services.market_data import MarketData
from server.services.optimization.optimize import Optimization
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
