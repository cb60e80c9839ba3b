"""Batches of accounts: an outcome for each under its key, whatever comes of the others."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest, OptimizeBatchResponse

from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel
from server.commands.call import Call
from server.execution.process_pool import ProcessPool
from server.ports.errors import StreamIdle
from server.ports.storage import Storage
from server.services.market_data import MarketData
from server.services.optimization.batch import GATHER_SECONDS, LOT, LOTS_AT_ONCE, OPTIMIZE, Batch, OpenAccounts
from server.services.optimization.batch import _lots as lots_of
from tests.owners import OWNER
from tests.server.services.conftest import Encode, for_any_call

MOMENTS = {"symbols": ["A", "B"], "covariance": [0.04, 0.0, 0.0, 0.01], "periodsPerYear": 1}
SPECIFICATION = {"objective": {"minRisk": {}}}
UNIVERSE = {"moments": MOMENTS, "spec": SPECIFICATION}
IDLE_SECONDS = 0.3


@pytest.fixture
def batch(storage: Storage, market_data: MarketData, pool: ProcessPool) -> Batch:
    return Batch(OPTIMIZE, for_any_call(market_data), pool, storage.new_file, IDLE_SECONDS)


async def sent(requests: Iterable[bytes], then_wait: float = 0.0) -> AsyncIterator[bytes]:
    for request in requests:
        yield request
    await asyncio.sleep(then_wait)


async def outcomes(batch: Batch, requests: AsyncIterator[bytes]) -> dict[str, OptimizeBatchResponse]:
    found = [OptimizeBatchResponse.FromString(outcome) async for outcome in batch.run(requests, Call(OWNER))]
    by_key = {one.key: one for one in found}
    assert len(by_key) == len(found)
    return by_key


@pytest.mark.parametrize("count", [0, 1, LOT, LOT + 1])
async def test_every_account_has_its_outcome(batch: Batch, encode: Encode, count: int) -> None:
    bounds = [[{"weightBounds": {"symbols": ["B"], "upper": 0.5 + 0.001 * i}}] for i in range(count)]
    accounts = [
        encode(OptimizeBatchRequest, account={"key": str(i), "constraints": own}) for i, own in enumerate(bounds)
    ]
    found = await outcomes(batch, sent([encode(OptimizeBatchRequest, universe=UNIVERSE), *accounts]))
    assert set(found) == {str(i) for i in range(count)}
    for i in range(count):
        weights = {one.symbol: one.weight for one in found[str(i)].result.weights}
        assert weights["B"] == pytest.approx(0.5 + 0.001 * i)


async def test_an_account_that_is_wrong_is_answered_with_that(batch: Batch, encode: Encode) -> None:
    wrong = [{"weightBounds": {"lower": 2.0}}]
    accounts = [
        encode(OptimizeBatchRequest, account={"key": "wrong", "constraints": wrong}),
        encode(OptimizeBatchRequest, account={"key": "right"}),
    ]
    found = await outcomes(batch, sent([encode(OptimizeBatchRequest, universe=UNIVERSE), *accounts]))
    assert (found["wrong"].WhichOneof("outcome"), found["right"].WhichOneof("outcome")) == ("error", "result")


async def test_groups_of_accounts_come_from_the_store(batch: Batch, prices: PricePanel, encode: Encode) -> None:
    universe = {"marketData": {"symbols": ["A", "B", "C"]}, "spec": SPECIFICATION}
    bounds = [{"groupBounds": {"group": "sector=x", "upper": 0.25}}]
    account = encode(OptimizeBatchRequest, account={"key": "x", "constraints": bounds})
    found = await outcomes(batch, sent([encode(OptimizeBatchRequest, universe=universe), account]))
    weights = {one.symbol: one.weight for one in found["x"].result.weights}
    assert weights.get("A", 0.0) + weights.get("B", 0.0) == pytest.approx(0.25)


async def test_the_universe_comes_first(batch: Batch) -> None:
    with pytest.raises(InvalidInput) as raised:
        await outcomes(batch, sent([]))
    assert raised.value.field == "universe"


async def test_a_caller_who_sends_nothing_is_ended(batch: Batch, encode: Encode) -> None:
    with pytest.raises(StreamIdle):
        await outcomes(batch, sent([], then_wait=60.0))
    with pytest.raises(StreamIdle):
        await outcomes(batch, sent([encode(OptimizeBatchRequest, universe=UNIVERSE)], then_wait=60.0))


class SlowPool:
    """A pool whose tasks end when they are allowed to: none but the first, which reads the universe."""

    def __init__(self, pool: ProcessPool) -> None:
        self._pool = pool
        self._begun = 0
        self.is_full, self.may_end = asyncio.Event(), asyncio.Event()
        self.running = 0

    async def run(self, *task: Any, **options: Any) -> Any:
        self._begun += 1
        if self._begun == 1:
            return await self._pool.run(*task, **options)
        self.running += 1
        if self.running == LOTS_AT_ONCE:
            self.is_full.set()
        await self.may_end.wait()
        self.running -= 1
        return await self._pool.run(*task, **options)


async def test_no_more_lots_run_at_once_than_allowed(
    storage: Storage, market_data: MarketData, pool: ProcessPool, encode: Encode
) -> None:
    """Accounts that come one by one are lots of one: the others wait until one of the running lots has ended."""
    slow = SlowPool(pool)
    batch = Batch(OPTIMIZE, for_any_call(market_data), slow, storage.new_file, IDLE_SECONDS)  # type: ignore[arg-type]  # all that it uses
    count = LOTS_AT_ONCE + 3

    async def one_by_one() -> AsyncIterator[bytes]:
        yield encode(OptimizeBatchRequest, universe=UNIVERSE)
        for i in range(count):
            yield encode(OptimizeBatchRequest, account={"key": str(i)})
            await asyncio.sleep(10.0 * GATHER_SECONDS)

    found = asyncio.create_task(outcomes(batch, one_by_one()))
    async with asyncio.timeout(60.0):
        await slow.is_full.wait()
        await asyncio.sleep(10.0 * GATHER_SECONDS * (count - LOTS_AT_ONCE + 2))  # until every account has come
        assert slow.running == LOTS_AT_ONCE
        slow.may_end.set()
        assert set(await found) == {str(i) for i in range(count)}


async def test_accounts_that_come_together_go_to_a_worker_together() -> None:
    async def lots(then_wait: float, gather: float | None) -> list[int]:
        accounts = OpenAccounts(0.2)
        requests = sent([b"x"] * (LOT + 3), then_wait)
        return [len(lot) async for lot in lots_of(requests, accounts, gather)]

    assert await lots(0.0, 0.05) == [LOT, 3]
    assert await lots(0.1, None) == [LOT, 3]
    assert await lots(0.0, None) == [LOT, 3]


async def test_nobody_is_idle_while_an_outcome_is_owed() -> None:
    accounts = OpenAccounts(1.0)
    assert 0.0 < accounts.idle_in() <= 1.0
    await accounts.read()
    await asyncio.sleep(1.1)
    assert accounts.idle_in() == 1.0
    accounts.answered()
    assert 0.0 < accounts.idle_in() <= 1.0
    await asyncio.sleep(1.1)
    with pytest.raises(StreamIdle):
        accounts.idle_in()
