"""Backtests as jobs: checked, stored with their data, run to their end, asked for, cancelled and removed."""

from collections.abc import AsyncIterator
from functools import partial

import numpy as np
import pytest
from absfinance.v1.backtest_service_pb2 import BacktestRequest, GetBacktestSeriesResponse

from domain.backtest.series import Series
from domain.market_data.panel import PricePanel
from server.commands.call import Call
from server.execution.process_pool import ProcessPool
from server.execution.template import Template
from server.jobs.progress import Progress
from server.jobs.runner import Runner
from server.ports.errors import NotFound, Refused, StillRunning
from server.ports.job_queue import QueuePolicy
from server.ports.jobs import JobState
from server.ports.list_filter import ListFilter
from server.ports.storage import Storage
from server.services.backtests import Backtests
from server.services.market_data import MarketData
from server.tasks import backtest
from tests.owners import MINE, OWNER
from tests.server.jobs.no_sweeps import no_sweeps
from tests.server.services.conftest import Encode

STORED = {"marketData": {"symbols": ["A", "B"]}, "strategy": {"equalWeight": {}}}
SECONDS = 60.0


class House:
    """The service, and the runner of its jobs, which begins when it is told to."""

    def __init__(self, storage: Storage, market_data: MarketData, pool: ProcessPool, template: Template) -> None:
        self.progress = Progress(storage.jobs.archive, storage.jobs.log)
        workers = ProcessPool(1, growth=1, retries=0, template=template)
        self.runner = Runner(
            storage.jobs,
            self.progress,
            workers,
            storage.worker,
            1,
            run=partial(backtest.run, strategy_targets=()),
            sweep=no_sweeps(),
            encode_error=lambda error: repr(error).encode(),
            policy=QueuePolicy(),
        )
        self.service = Backtests(market_data, storage.jobs, pool, self.runner, self.progress)


@pytest.fixture
async def house(
    storage: Storage, market_data: MarketData, pool: ProcessPool, template: Template
) -> AsyncIterator[House]:
    made = House(storage, market_data, pool, template)
    yield made
    await made.runner.close(2.0)


async def test_a_job_from_its_request_to_its_end(house: House, prices: PricePanel, encode: Encode) -> None:
    service = house.service
    request = encode(BacktestRequest, **STORED, requestId="r", label="l", wait="5s")
    started = await service.start(request, Call(OWNER, caller="me"))
    assert not isinstance(started, bytes)
    record, wait = started
    assert (record.state, record.caller, record.label, wait) == (JobState.QUEUED, "me", "l", 5.0)
    assert await service.start(request, Call(OWNER, caller="me")) == (record, 5.0), "the same request has the same job"
    assert (await service.ended(record, 0.0)).state is JobState.QUEUED
    with pytest.raises(StillRunning):
        await anext(service.series(record.id, Series.EQUITY, "", Call(OWNER)))

    house.runner.start()
    ended = await service.ended(record, SECONDS)
    assert ended.state is JobState.SUCCEEDED
    assert await service.get(OWNER, record.id) == await service.ended(ended, SECONDS)
    listed = (await service.list(MINE, "", 5, ListFilter(label="l"))).records
    assert [one.id for one in listed] == [record.id]

    pieces = [piece async for piece in service.series(record.id, Series.EQUITY, "", Call(OWNER))]
    header, *rows = [GetBacktestSeriesResponse.FromString(piece) for piece in pieces]
    values = np.concatenate([np.frombuffer(one.rows.values.data) for one in rows])
    assert [day for one in rows for day in one.rows.dates] == prices.dates.tolist()
    assert (header.header.date_count, len(values), values[0]) == (40, 40, 1.0)
    assert (await service.cancel(OWNER, record.id)).state is JobState.SUCCEEDED, "it was over"
    await service.delete(OWNER, record.id)
    with pytest.raises(NotFound):
        await service.get(OWNER, record.id)


async def test_a_job_that_is_cancelled_while_it_waits(house: House, prices: PricePanel, encode: Encode) -> None:
    started = await house.service.start(encode(BacktestRequest, **STORED), Call(OWNER))
    assert not isinstance(started, bytes)
    assert (await house.service.cancel(OWNER, started[0].id)).state is JobState.CANCELLED
    assert (await house.service.ended(started[0], SECONDS)).state is JobState.CANCELLED


async def test_a_mere_check_starts_nothing(house: House, prices: PricePanel, encode: Encode) -> None:
    assert isinstance(
        await house.service.start(encode(BacktestRequest, **STORED, validateOnly=True), Call(OWNER)), bytes
    )
    assert not (await house.service.list(MINE, "", 5, ListFilter())).records


async def test_a_service_that_the_settings_do_not_allow(house: House, prices: PricePanel, encode: Encode) -> None:
    remote = {"marketData": STORED["marketData"], "strategy": {"remote": {"target": "localhost:1"}}}
    with pytest.raises(Refused):
        await house.service.start(encode(BacktestRequest, **remote), Call(OWNER))


async def test_data_of_the_job_are_those_of_the_request(
    house: House, storage: Storage, prices: PricePanel, encode: Encode
) -> None:
    started = await house.service.start(encode(BacktestRequest, **STORED), Call(OWNER))
    assert not isinstance(started, bytes)
    stored = await storage.jobs.inputs.panel(started[0].inputs.data)
    assert stored.panel.symbols == ("A", "B")
    np.testing.assert_array_equal(stored.panel.values, prices.values[:, :2])
