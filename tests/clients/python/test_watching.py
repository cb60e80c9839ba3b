"""`watch` of both clients: it resumes by itself, keeps every milestone, and ends."""

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import absfin
import grpc
import numpy as np
import pytest
from absfin import Client, Finished, Milestone, Panel, Prices, Tick, aio, errors, strategies
from absfin import client as sync_client
from absfin.watching import Follower
from absfinance.v1.backtest_service_pb2 import BacktestProgressRequest, BacktestProgressResponse
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from tests.conftest import RunningServer
from tests.families import thinned

RNG = np.random.default_rng(41)
PRICES = 100.0 * np.cumprod(1.0 + RNG.normal(0.0002, 0.01, (8000, 20)), axis=0)
LONG = strategies.inverse_volatility(100)
IMPOSSIBLE = strategies.optimize(
    absfin.min_risk(), 100, constraints=[absfin.return_floor(50.0, label="more than there is")]
)
DAILY = strategies.every_periods(1)

MOST_SECONDS = 100.0
"""So long, a test watches a job."""


def data(dates: int) -> Prices:
    return Prices(Panel.of([f"S{i}" for i in range(20)], np.arange(dates), PRICES[:dates]))


def sync_watch(server: RunningServer, name: str, pause: float = 0.0) -> list[tuple[float, Any]]:
    found = []
    end = time.monotonic() + MOST_SECONDS
    with Client(server.address) as client:
        for news in client.watch(name):
            assert time.monotonic() < end, "the watch never ended"
            found.append((time.time(), news))
            time.sleep(pause)
    return found


def aio_watch(server: RunningServer, name: str, pause: float = 0.0) -> list[tuple[float, Any]]:
    async def follow() -> list[tuple[float, Any]]:
        found = []
        async with aio.Client(server.address) as client:
            async for news in client.watch(name):
                found.append((time.time(), news))
                await asyncio.sleep(pause)
        return found

    async def limited() -> list[tuple[float, Any]]:
        async with asyncio.timeout(MOST_SECONDS):
            return await follow()

    return asyncio.run(limited())


CLIENTS = pytest.mark.parametrize("watch", [sync_watch, aio_watch], ids=["sync", "aio"])
ONE_CLIENT = pytest.mark.parametrize("watch", thinned([sync_watch, aio_watch], 2), ids=["sync", "aio"])
"""Both with --all."""

Watch = Callable[..., list[tuple[float, Any]]]


@CLIENTS
def test_from_the_first_stage_to_the_end(server: RunningServer, watch: Watch) -> None:
    with Client(server.address) as client:
        name = client.backtest(data(3000), LONG, rebalancing=DAILY).name
        news = [one for _, one in watch(server, name)]
        assert news[-1] == Finished("succeeded", "")
        assert [one.kind for one in news if isinstance(one, Milestone)] == ["stage"]
        ticks = [one for one in news if isinstance(one, Tick)]
        assert [tick.fraction for tick in ticks] == sorted(tick.fraction for tick in ticks)
        assert len(ticks) > 2
        done = client.get_backtest(name)
        assert done.state == "succeeded"
        assert done.metrics["final_wealth"] > 0.0
        assert [one for _, one in watch(server, name)][-1] == Finished("succeeded", "")


@pytest.mark.timeout(240)
@ONE_CLIENT
def test_a_slow_reader_is_not_stale_and_misses_no_milestone(server: RunningServer, watch: Watch) -> None:
    """What it takes is no older than its pause, and what another reader has had for longer than that."""
    with Client(server.address) as client:
        name = client.backtest(data(5000), LONG, rebalancing=DAILY).name
        eager: list[tuple[float, Any]] = []
        other = threading.Thread(target=lambda: eager.extend(sync_watch(server, name)))
        other.start()
        news = watch(server, name, pause=0.5)
        other.join(MOST_SECONDS)
        taken = [(now, one) for now, one in news if isinstance(one, Tick)]
        assert len(taken) >= 2
        for now, tick in taken:
            known = [one.time for then, one in eager if isinstance(one, Tick) and then < now - 0.5 - 0.5]
            assert not known or tick.time >= known[-1]
        failing = client.backtest(data(180), IMPOSSIBLE, rebalancing=DAILY, wait_seconds=30).name
        kinds = [one.kind for _, one in watch(server, failing) if isinstance(one, Milestone)]
        assert kinds == ["stage"] + ["rebalance_failed"] * 79


@pytest.mark.timeout(240)
@ONE_CLIENT
def test_it_goes_on_over_a_kill_and_a_restart(
    start_server: Callable[..., RunningServer], watch: Watch, free_target: str
) -> None:
    first = start_server("--listen", free_target)
    with Client(first.address) as client:
        name = client.backtest(data(8000), LONG, rebalancing=DAILY).name
        result: list[Any] = []
        reader = threading.Thread(target=lambda: result.extend(watch(first, name)))
        reader.start()
        begun = time.monotonic() + 60.0
        while client.get_backtest(name).fraction < 0.05:
            assert time.monotonic() < begun, "the job never began"
            time.sleep(0.02)
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait(20)
    start_server("--listen", first.address, data_dir=first.data_dir)
    reader.join(MOST_SECONDS)
    assert not reader.is_alive()
    news = [one for _, one in result]
    assert news[-1] == Finished("succeeded", "")
    assert [one.kind for one in news if isinstance(one, Milestone)] == ["stage", "resumed"]


@pytest.mark.exhaustive
def test_a_server_that_is_away_for_long_is_tried_every_two_seconds() -> None:
    """Otherwise the pauses of gRPC grow to two minutes, in which nobody notices that the server is back."""
    tried: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=cut_off, args=(listener, tried), daemon=True).start()
        with Client(f"127.0.0.1:{listener.getsockname()[1]}") as client, pytest.raises(errors.Unavailable):
            list(client.watch("backtests/x", patience=18.0))
    assert len(tried) > 5
    assert np.diff(tried).max() < 5.0


def cut_off(listener: socket.socket, tried: list[float]) -> None:
    """Ends each connection at once and notes when it was made."""
    with suppress(OSError):  # the listener is closed at the end
        while True:
            listener.accept()[0].close()
            tried.append(time.monotonic())


def test_an_event_that_cannot_be_read_is_an_error_and_no_endless_wait() -> None:
    found: list[str] = []

    def read() -> None:
        watch = sync_client.Watch(Follower("backtests/x", 0.1, 1.0), lambda _: iter([unreadable()]))
        try:
            list(watch)
        except ValueError as error:
            found.append(str(error))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(10.0)
    assert found == ["year 10000 is out of range"]


async def test_the_same_with_asyncio() -> None:
    async def notices(_: Any) -> AsyncIterator[BacktestProgressResponse]:
        yield unreadable()

    watch = aio.Watch(Follower("backtests/x", 0.1, 1.0), notices)
    async with asyncio.timeout(10.0):
        with pytest.raises(ValueError, match="year 10000"):
            await anext(watch)


@pytest.mark.parametrize(
    ("code", "reason"), [("OUT_OF_RANGE", "EVENTS_COMPACTED"), ("FAILED_PRECONDITION", "EPOCH_CHANGED")]
)
def test_progress_that_is_lost_is_an_error_after_what_came(code: str, reason: str) -> None:
    """A stream that breaks, and a server that no longer has its place: no silent start from the beginning."""
    places: list[tuple[int, str]] = []

    def notices(request: BacktestProgressRequest) -> Iterator[BacktestProgressResponse]:
        places.append((request.after_sequence, request.epoch))
        assert len(places) < 4, "it tries again and again"
        if len(places) > 1:
            raise LostPlace(code, reason)
        for sequence in (7, 8, 9):
            milestone = BacktestProgressResponse.Milestone(message=str(sequence))
            yield BacktestProgressResponse(sequence=sequence, epoch="e", milestone=milestone)

    watch = sync_client.Watch(Follower("backtests/x", 0.1, 5.0, after=7, epoch="e"), notices)
    found = [one for one in islice(watch, 2) if isinstance(one, Milestone)]
    assert [(one.message, one.sequence, one.epoch) for one in found] == [("8", 8, "e"), ("9", 9, "e")]
    with pytest.raises(errors.EventsLost) as lost:
        next(watch)
    assert lost.value.reason == reason
    assert places == [(7, "e"), (9, "e")]


class LostPlace(grpc.RpcError):
    """What a server answers whose log does not have the place of a stream."""

    def __init__(self, code: str, reason: str) -> None:
        self._code, self._reason = grpc.StatusCode[code], reason

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return "the place is gone"

    def trailing_metadata(self) -> Any:
        status = Status(code=self._code.value[0])
        status.details.add().Pack(ErrorInfo(reason=self._reason, domain="absfinance"))
        return (("grpc-status-details-bin", status.SerializeToString()),)


def unreadable() -> BacktestProgressResponse:
    found = BacktestProgressResponse(sequence=1)
    found.tick.simulated_date.year = 10_000  # beyond the dates of Python
    found.tick.simulated_date.month = found.tick.simulated_date.day = 1
    return found


@CLIENTS
def test_a_job_that_is_cancelled_or_unknown(server: RunningServer, watch: Watch) -> None:
    with Client(server.address) as client:
        name = client.backtest(data(8000), LONG, rebalancing=DAILY).name
        client.cancel_backtest(name)
        assert [one for _, one in watch(server, name)][-1].state == "cancelled"
        with pytest.raises(errors.NotFound):
            watch(server, "backtests/unknown")


def test_a_reader_that_leaves_ends_its_stream_and_not_the_job(server: RunningServer) -> None:
    with Client(server.address) as client:
        name = client.backtest(data(4000), LONG, rebalancing=DAILY).name
        for news in client.watch(name):
            assert news
            break
        threads = [thread.name for thread in threading.enumerate()]
        deadline = time.monotonic() + 60.0
        while "absfin-watch" in threads and time.monotonic() < deadline:
            time.sleep(0.05)
            threads = [thread.name for thread in threading.enumerate()]
        assert "absfin-watch" not in threads
        assert client.get_backtest(name).state in ("running", "queued", "succeeded")
        client.cancel_backtest(name)


def test_patience_ends(start_server: Callable[..., RunningServer]) -> None:
    running = start_server()
    with Client(running.address) as client:
        name = client.backtest(data(5000), LONG, rebalancing=DAILY).name
        watching = client.watch(name, patience=1.0)
        next(watching)
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait(20)
        with pytest.raises(errors.Unavailable):
            for _ in watching:
                pass


async def test_many_watch_at_once(server: RunningServer) -> None:
    async with aio.Client(server.address) as client:
        name = (await client.backtest(data(2000), LONG, rebalancing=DAILY)).name

        async def ends(news: AsyncIterator[Any]) -> Any:
            return [one async for one in news][-1]

        async with asyncio.timeout(MOST_SECONDS):
            results = await asyncio.gather(*(ends(client.watch(name)) for _ in range(20)))
    assert results == [Finished("succeeded", "")] * 20


def test_times_are_aware(server: RunningServer) -> None:
    with Client(server.address) as client:
        name = client.backtest(data(300), LONG, wait_seconds=30).name
        (stage,) = [one for one in client.watch(name) if isinstance(one, Milestone)]
    assert abs((datetime.now(UTC) - stage.time).total_seconds()) < 60.0
