"""Plans of stored portfolios: computed once, found again by the id of the request, and removed."""

import pytest
from absfinance.v1.portfolio_pb2 import Portfolio
from absfinance.v1.reallocation_pb2 import Reallocation
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest

from server.commands.call import Call
from server.execution.process_pool import ProcessPool
from server.ports.errors import NotFound, RequestIdReused
from server.ports.list_filter import ListFilter
from server.ports.portfolios import PortfolioDraft
from server.ports.remote import RemoteTargets
from server.ports.storage import Storage
from server.remote.services import GrpcServices
from server.services.market_data import MarketData
from server.services.reallocation import ReallocationService
from tests.owners import MINE, OWNER
from tests.server.services.conftest import Encode

ASSETS = [{"symbol": "A", "price": 10.0}, {"symbol": "B", "price": 20.0}]
TARGET = {"weights": [{"symbol": "A", "weight": 0.2}, {"symbol": "B", "weight": 0.8}]}
PLAN = {"portfolioName": "portfolios/mine", "snapshot": {"assets": ASSETS}, "targetWeights": TARGET}


@pytest.fixture
async def service(storage: Storage, market_data: MarketData, pool: ProcessPool, encode: Encode) -> ReallocationService:
    portfolio = encode(Portfolio, holdings=[{"symbol": "A", "quantity": 100.0}])
    await storage.portfolios.create(OWNER, PortfolioDraft(portfolio, b"body", "mine", None))
    remote, targets = GrpcServices(1.0), RemoteTargets()
    return ReallocationService(
        market_data, storage.portfolios, storage.reallocations, pool, remote=remote, targets=targets
    )


async def test_a_plan_of_a_stored_portfolio(service: ReallocationService, encode: Encode) -> None:
    request = encode(ReallocateRequest, **PLAN, requestId="r", label="l")
    record = await service.reallocate(request, Call(OWNER))
    assert not isinstance(record, bytes)
    trades = {trade.symbol: trade.quantity for trade in Reallocation.FromString(record.payload).plan.trades}
    assert trades == {"A": -80.0, "B": 40.0}
    assert await service.reallocate(request, Call(OWNER)) == record
    assert await service.get(OWNER, record.id) == record
    assert [one.id for one in (await service.list(MINE, "", 5, ListFilter(label="l"))).records] == [record.id]
    assert not (await service.list(MINE, "", 5, ListFilter(label="other"))).records
    with pytest.raises(RequestIdReused):
        await service.reallocate(encode(ReallocateRequest, **PLAN, requestId="r", label="other"), Call(OWNER))
    await service.delete(OWNER, record.id)
    with pytest.raises(NotFound):
        await service.get(OWNER, record.id)


async def test_a_mere_check_stores_nothing(service: ReallocationService, encode: Encode) -> None:
    answer = await service.reallocate(encode(ReallocateRequest, **PLAN, validateOnly=True), Call(OWNER))
    assert isinstance(answer, bytes)
    assert not (await service.list(MINE, "", 5, ListFilter())).records


async def test_a_portfolio_that_is_not_stored(service: ReallocationService, encode: Encode) -> None:
    with pytest.raises(NotFound):
        await service.reallocate(encode(ReallocateRequest, **PLAN | {"portfolioName": "portfolios/other"}), Call(OWNER))
