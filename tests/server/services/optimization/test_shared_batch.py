"""Accounts that depend on each other: bounds, workers that die, and files that go with the call."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from absfinance.v1.reallocation_service_pb2 import ReallocateBatchRequest, ReallocateBatchResponse

from domain.errors import InvalidInput
from server.commands.call import Call
from server.execution.process_pool import ProcessPool
from server.ports.errors import StreamIdle
from server.ports.storage import Storage
from server.services.market_data import MarketData
from server.services.optimization import shared_batch
from server.services.optimization.batch import LOT, REALLOCATE, Batch
from server.tasks.shared_volume import plan_again, plan_first
from tests.owners import OWNER
from tests.server.services.conftest import Encode, for_any_call

IDLE_SECONDS = 0.5
SHARED = {
    "snapshot": {"assets": [{"symbol": "A", "price": 10, "averageDailyVolume": 60}]},
    "targetWeights": {"weights": [{"symbol": "A", "weight": 1}]},
    "limits": {"maxParticipation": 1},
}


def dying_first(file: Path, piece: Any, requests: Sequence[bytes], found: Any, **worker: Any) -> Any:
    """`plan_first`, of which the process ends at an account."""
    for place, request in enumerate(requests):
        if b"poison" in request:
            plan_first(file, piece, requests[:place], found, **worker)
            os.kill(os.getpid(), signal.SIGKILL)
    return plan_first(file, piece, requests, found, **worker)


def dying_again(piece: Any, errors: Any, *, control: Any, report: Any) -> Any:
    """`plan_again`, of which the process ends at the second account."""

    def report_one(place: int) -> None:
        report(place)
        if 1 not in errors:
            os.kill(os.getpid(), signal.SIGKILL)

    plan_again(piece, errors, control=control, report=report_one)


@pytest.fixture
def batch(storage: Storage, market_data: MarketData, pool: ProcessPool) -> Batch:
    return Batch(REALLOCATE, for_any_call(market_data), pool, storage.new_file, IDLE_SECONDS)


def accounts(encode: Encode, keys: Iterable[str], units: int = 10) -> list[bytes]:
    found = [{"key": key, "portfolio": {"cash": 10 * units}} for key in keys]
    return [encode(ReallocateBatchRequest, shared=SHARED), *(encode(ReallocateBatchRequest, account=a) for a in found)]


async def sent(requests: Iterable[bytes], then_wait: float = 0.0) -> AsyncIterator[bytes]:
    for request in requests:
        yield request
    await asyncio.sleep(then_wait)


async def outcomes(batch: Batch, requests: Iterable[bytes]) -> dict[str, ReallocateBatchResponse]:
    found = [ReallocateBatchResponse.FromString(one) async for one in batch.run(sent(requests), Call(OWNER))]
    assert len({one.key for one in found}) == len(found)
    return {one.key: one for one in found}


def units(outcome: ReallocateBatchResponse) -> float:
    return sum(trade.quantity for trade in outcome.result.plan.trades)


def files_of(batch: Batch) -> list[Path]:
    return [path for path in batch._new_file.__self__._folder.iterdir() if path.is_file()]  # type: ignore[attr-defined]


@pytest.mark.parametrize("count", [0, 1, LOT, LOT + 1])
async def test_every_account_has_its_outcome_in_order(batch: Batch, encode: Encode, count: int) -> None:
    keys = [f"k{i:03}" for i in range(count)]
    found = await outcomes(batch, accounts(encode, keys))
    assert list(found) == keys
    assert sum(map(units, found.values())) == min(60, 10 * count)
    assert files_of(batch) == []


async def test_an_account_whose_worker_dies_is_answered_with_that(
    storage: Storage, market_data: MarketData, pool: ProcessPool, encode: Encode
) -> None:
    tasks = replace(REALLOCATE, together=replace(shared_batch.TOGETHER, plan_first=dying_first))
    batch = Batch(tasks, for_any_call(market_data), pool, storage.new_file, IDLE_SECONDS)
    found = await outcomes(batch, accounts(encode, ["a", "b", "poison", "c"]))
    assert found.keys() == {"a", "b", "poison", "c"}
    assert found["poison"].WhichOneof("outcome") == "error"
    assert [units(found[key]) for key in "abc"] == [10, 10, 10]


async def test_an_account_whose_worker_dies_in_its_second_plan(
    storage: Storage, market_data: MarketData, pool: ProcessPool, encode: Encode
) -> None:
    tasks = replace(REALLOCATE, together=replace(shared_batch.TOGETHER, plan_again=dying_again))
    batch = Batch(tasks, for_any_call(market_data), pool, storage.new_file, IDLE_SECONDS)
    found = await outcomes(batch, accounts(encode, "abc", units=30))
    assert [one.WhichOneof("outcome") for one in found.values()] == ["result", "error", "result"]
    assert (units(found["a"]), units(found["c"])) == (20, 20)


async def test_so_many_accounts_and_assets_are_taken(
    batch: Batch, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in (("MOST_ACCOUNTS", 3), ("MOST_ASSETS", 3)):
        with monkeypatch.context() as patched:
            patched.setattr(shared_batch, name, most)
            assert len(await outcomes(batch, accounts(encode, "abc"))) == 3
            with pytest.raises(InvalidInput, match="at most 3") as raised:
                await outcomes(batch, accounts(encode, "abcd"))
        assert raised.value.field == "account"
    assert files_of(batch) == []


async def test_a_caller_who_sends_no_more_is_ended(batch: Batch, encode: Encode) -> None:
    with pytest.raises(StreamIdle):
        async for _ in batch.run(sent(accounts(encode, "ab"), then_wait=60.0), Call(OWNER)):
            pass
    assert files_of(batch) == []


async def test_a_caller_who_leaves_takes_all_files_along(batch: Batch, encode: Encode) -> None:
    async with aclosing(batch.run(sent(accounts(encode, "abc")), Call(OWNER))) as answers:
        assert ReallocateBatchResponse.FromString(await anext(answers)).key == "a"
        assert files_of(batch)
    assert files_of(batch) == []
