"""`watch_events` of both clients and the commands: they resume by themselves, and lose nothing."""

import asyncio
import itertools
import json
import os
import signal as signals
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import grpc
import pytest
from absfin import Client, Event, aio, errors
from absfin import client as sync_client
from absfin.choices import UnknownChoice
from absfin.events import MOST_UNREAD, EventFollower
from absfinance.v1.event_service_pb2 import WatchEventsRequest, WatchEventsResponse

from domain.monitoring.signals import EventKind, Severity
from tests.clients.python.command_line import run_command
from tests.conftest import RunningServer
from tests.e2e.event_log import signal, written_log


@pytest.fixture(scope="module")
def watched(start_server: Callable[..., RunningServer]) -> RunningServer:
    return start_server("--workers", "1")


def sync_messages(address: str, count: int, **asked: Any) -> list[str]:
    with Client(address) as client:
        watching = client.watch_events(**asked)
        found = [one.message for one in itertools.islice(watching, count) if isinstance(one, Event)]
        watching.close()  # type: ignore[attr-defined]  # a generator
    return found


def aio_messages(address: str, count: int, **asked: Any) -> list[str]:
    async def watch() -> list[str]:
        found: list[str] = []
        async with aio.Client(address) as client:
            watching = client.watch_events(**asked)
            async for one in watching:
                assert isinstance(one, Event)
                found.append(one.message)
                if len(found) == count:
                    break
            await watching.aclose()  # type: ignore[attr-defined]  # a generator
        return found

    return asyncio.run(watch())


BOTH = pytest.mark.parametrize("messages", [sync_messages, aio_messages], ids=["sync", "aio"])


@BOTH
def test_events_by_filters_and_after_a_place(watched: RunningServer, messages: Callable[..., list[str]]) -> None:
    with written_log(watched.data_dir) as log:
        (before,) = log.append(signal("before"))
        log.append(
            signal("a", portfolio="a"),
            signal("b", portfolio="b", kind=EventKind.LIMIT, severity=Severity.CRITICAL),
            signal("c", portfolio="c"),
        )
    ask = {"after": before}
    assert messages(watched.address, 3, **ask) == ["a", "b", "c"]
    assert messages(watched.address, 2, **ask, portfolios=["portfolios/a", "portfolios/c"]) == ["a", "c"]
    assert messages(watched.address, 1, **ask, kinds=["limit"]) == ["b"]
    assert messages(watched.address, 1, **ask, min_severity="critical") == ["b"]
    with pytest.raises(UnknownChoice, match="kinds: 'x' is none of prices, drift"):
        messages(watched.address, 1, kinds=["x"])
    with pytest.raises(errors.InvalidInput):
        messages(watched.address, 1, after=10**9)


@BOTH
def test_a_watch_outlives_kills_of_the_server(
    start_server: Callable[..., RunningServer], messages: Callable[..., list[str]], free_target: str
) -> None:
    server = start_server("--listen", free_target, "--workers", "1")
    folder = server.data_dir
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.extend(messages(free_target, 60)))
    with written_log(folder) as log:
        log.append(*(signal(str(i)) for i in range(20)))
        reader.start()
        for start in (20, 40):
            time.sleep(0.5)
            os.kill(server.process.pid, signals.SIGKILL)
            server.process.wait(20)
            log.append(*(signal(str(start + i)) for i in range(20)))
            server = start_server("--listen", free_target, "--workers", "1", data_dir=folder)
    reader.join(100)
    assert not reader.is_alive()
    assert got == [str(i) for i in range(60)]


def notice(sequence: int, epoch: str = "e") -> WatchEventsResponse:
    return WatchEventsResponse(sequence=sequence, epoch=epoch, signal=WatchEventsResponse.Signal(message="m"))


def test_what_is_gone_is_an_error_and_the_command_goes_on_with_what_is_retained(
    start_server: Callable[..., RunningServer],
) -> None:
    server = start_server("--workers", "1")
    with written_log(server.data_dir) as log, Client(server.address) as client:
        sequences = log.append(*(signal(str(i)) for i in range(10)))
        log.forget(sequences[5])
        with pytest.raises(errors.EventsLost) as compacted:
            next(client.watch_events(after=sequences[2]))
        assert compacted.value.reason == "EVENTS_COMPACTED"
        watching = client.watch_events()
        assert [one.sequence for one in itertools.islice(watching, 4)] == sequences[6:]
        log.begin_anew()
        log.append(signal("anew"))
        with pytest.raises(errors.EventsLost) as lost:
            next(watching)
        assert (lost.value.reason, lost.value.metadata["epoch"]) == ("EPOCH_CHANGED", "another")
        place = ("--after", str(sequences[6]), "--epoch", "of before")
        done = run_absfin(server, "events", *place, "--limit", "1")
        assert done.stderr == "the log of events was lost: it begins anew\n"
        assert done.stdout.endswith("anew\n")


def test_a_place_is_where_the_server_has_been() -> None:
    """A heartbeat moves it, an event that came before does not come again."""
    follower = EventFollower((), (), "info", 0, "", 1.0)
    follower.take(notice(3))
    follower.take(notice(3))
    follower.take(WatchEventsResponse(sequence=9, epoch="e", heartbeat=WatchEventsResponse.Heartbeat()))
    assert (follower.request().after_sequence, follower.request().epoch) == (9, "e")
    assert isinstance(follower.next(), Event)
    assert follower.next() is None
    for i in range(MOST_UNREAD):
        assert follower.has_room
        follower.take(notice(10 + i))
    assert not follower.has_room
    follower.next()
    assert follower.has_room


class Broken(grpc.RpcError):
    """A connection that has ended."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return "the connection has ended"

    def trailing_metadata(self) -> tuple[()]:
        return ()


def calls_of_a_log(request: WatchEventsRequest) -> Iterator[WatchEventsResponse]:
    """The first call breaks after all that a client holds, the next one has one event more, and then there is none."""
    if request.after_sequence == 0:
        yield from map(notice, range(1, MOST_UNREAD + 1))
    elif request.after_sequence == MOST_UNREAD:
        yield notice(MOST_UNREAD + 1)
    raise Broken


PATIENCE = 1.0


def test_the_time_that_the_caller_takes_is_no_silence_of_the_server() -> None:
    watching = sync_client.Watch(EventFollower((), (), "info", 0, "", PATIENCE), calls_of_a_log)
    time.sleep(PATIENCE + 0.3)
    assert [one.sequence for one in itertools.islice(watching, MOST_UNREAD + 1)] == list(range(1, MOST_UNREAD + 2))


async def test_the_time_that_a_caller_with_asyncio_takes_is_none_either() -> None:
    async def calls(request: WatchEventsRequest) -> AsyncIterator[WatchEventsResponse]:
        for one in calls_of_a_log(request):
            yield one

    watching = aio.Watch(EventFollower((), (), "info", 0, "", PATIENCE), calls)
    await asyncio.sleep(PATIENCE + 0.3)
    found = [await anext(watching) for _ in range(MOST_UNREAD + 1)]
    assert [one.sequence for one in found] == list(range(1, MOST_UNREAD + 2))
    await watching.aclose()


@pytest.mark.parametrize("is_async", [False, True])
def test_more_events_than_a_client_holds_come_to_a_slow_reader(watched: RunningServer, is_async: bool) -> None:
    count = 3 * MOST_UNREAD
    with written_log(watched.data_dir) as log:
        (before,) = log.append(signal("before"))
        log.append(*(signal(str(i)) for i in range(count)))
    messages = aio_messages if is_async else sync_messages
    assert messages(watched.address, count, after=before) == [str(i) for i in range(count)]


def test_notifications(watched: RunningServer) -> None:
    with written_log(watched.data_dir) as log, Client(watched.address) as client:
        log.append(signal("told", portfolio="told", notify=True))
        (one,) = client.list_notifications(portfolio="portfolios/told")
        assert client.acknowledge_notification(one.name).HasField("acknowledge_time")
        (again,) = client.list_notifications(portfolio="portfolios/told", state="acknowledged")
        assert again.name == one.name
        with pytest.raises(errors.NotSupported):
            client.redeliver_notification(one.name)
        with pytest.raises(errors.NotFound):
            client.acknowledge_notification("notifications/none")


def run_absfin(server: RunningServer, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run_command((*arguments, "--server", server.address), {**os.environ, "COLUMNS": "120"})


def absfin(server: RunningServer, *arguments: str, status: int = 0) -> str:
    done = run_absfin(server, *arguments)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def test_commands(watched: RunningServer) -> None:
    with written_log(watched.data_dir) as log:
        (before,) = log.append(signal("before"))
        log.append(signal("said", portfolio="cli", notify=True), signal("more", portfolio="cli", kind=EventKind.LIMIT))
    follow = ("events", "--after", str(before), "--portfolio", "cli")
    lines = absfin(watched, *follow, "--limit", "2").splitlines()
    assert [line.split(maxsplit=3)[3] for line in lines] == [
        "warning drift portfolios/cli said",
        "warning limit portfolios/cli more",
    ]
    (line,) = absfin(watched, *follow, "--limit", "1", "--kind", "limit", "--json").splitlines()
    assert json.loads(line)["signal"]["message"] == "more"
    assert "none of info, warning, critical" in absfin(watched, "events", "--min-severity", "x", status=2)
    (told,) = json.loads(absfin(watched, "notifications", "list", "--portfolio", "cli", "--json"))["notifications"]
    name = told["name"]
    assert absfin(watched, "notifications", "acknowledge", name.split("/")[1]) == f"{name} is acknowledged\n"
    assert "said" in absfin(watched, "notifications", "list", "--state", "acknowledged")
    assert "NOT_SUPPORTED" in absfin(watched, "notifications", "redeliver", name, status=1)
    assert "NOT_FOUND" in absfin(watched, "notifications", "acknowledge", "none", status=1)
