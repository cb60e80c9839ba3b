"""Watching events and keeping notifications, with the log written by another process than the server."""

import itertools
import signal as signals
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import grpc
import psutil
import pytest
from absfinance.v1.event_service_pb2 import (
    AcknowledgeNotificationRequest,
    ListNotificationsRequest,
    Notification,
    RedeliverNotificationRequest,
)
from absfinance.v1.event_service_pb2_grpc import EventServiceStub

from domain.monitoring.signals import EventKind, Severity
from server.ports.identity import Role
from tests.conftest import RunningServer, Wire, refusal_of
from tests.e2e.event_log import WrittenLog, signal, written_log
from tests.e2e.test_authentication import bearer
from tests.server.identity.issuer import ISSUER, Issuer, running

WATCH = "EventService/WatchEvents"


@pytest.fixture(scope="module")
def watched(start_server: Callable[..., RunningServer]) -> RunningServer:
    return start_server("--workers", "1")


@pytest.fixture
def log(watched: RunningServer) -> Iterator[WrittenLog]:
    with written_log(watched.data_dir) as opened:
        yield opened


@pytest.fixture
def wire(watched: RunningServer) -> Iterator[Wire]:
    with watched.channel() as channel:
        yield Wire(channel)


def end_of(log: WrittenLog) -> int:
    """A place after which nothing has happened yet."""
    (sequence,) = log.append(signal("before"))
    return sequence


def first(wire: Wire, count: int, **asked: Any) -> list[dict[str, Any]]:
    """The first messages of a stream."""
    stream = wire.stream(WATCH, asked)
    found = list(itertools.islice(stream, count))
    stream.close()  # type: ignore[attr-defined]  # a generator
    return found


def messages(notices: list[dict[str, Any]]) -> list[str]:
    return [notice["signal"]["message"] for notice in notices if "signal" in notice]


def test_a_stream_begins_with_a_snapshot_and_sends_what_is_retained_and_what_comes(wire: Wire, log: WrittenLog) -> None:
    before = end_of(log)
    kept = log.append(signal("one"), signal("two"))
    stream = wire.stream(WATCH, {"afterSequence": before})
    snapshot, *events = itertools.islice(stream, 3)
    assert "snapshot" in snapshot
    assert int(snapshot["sequence"]) == before
    assert int(snapshot["snapshot"]["newestSequence"]) == kept[-1]
    assert 1 <= int(snapshot["snapshot"]["oldestSequence"]) <= before
    assert messages(events) == ["one", "two"]
    began = time.monotonic()
    (third,) = log.append(signal("three"))
    event = next(stream)
    assert time.monotonic() - began < 10.0  # a quarter of a second, on a machine that is not busy
    assert (event["signal"]["message"], int(event["sequence"])) == ("three", third)
    assert event["epoch"] == snapshot["epoch"] != ""
    assert event["eventTime"].startswith("20")


def test_without_a_place_all_that_is_retained_comes(wire: Wire, log: WrittenLog) -> None:
    (sequence,) = log.append(signal("kept"))
    found = []
    for notice in wire.stream(WATCH, {}):
        found.append(int(notice.get("sequence", 0)))
        if found[-1] == sequence:
            break
    assert found == sorted(set(found))


def test_filters(wire: Wire, log: WrittenLog) -> None:
    before = end_of(log)
    log.append(
        signal("drift of a", portfolio="a", severity=Severity.INFO),
        signal("limit of a", portfolio="a", kind=EventKind.LIMIT, severity=Severity.CRITICAL),
        signal("drift of b", portfolio="b"),
        signal("stale", portfolio="", kind=EventKind.PRICE_STALE),
    )
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"portfolios": ["portfolios/a"]}, ["drift of a", "limit of a"]),
        ({"portfolios": ["portfolios/a", "portfolios/b"], "kinds": ["EVENT_KIND_DRIFT"]}, ["drift of a", "drift of b"]),
        ({"kinds": ["EVENT_KIND_LIMIT", "EVENT_KIND_PRICE_STALE"]}, ["limit of a", "stale"]),
        ({"minSeverity": "SEVERITY_WARNING"}, ["limit of a", "drift of b", "stale"]),
        ({"minSeverity": "SEVERITY_CRITICAL"}, ["limit of a"]),
    ]
    for asked, expected in cases:  # from the store
        assert messages(first(wire, len(expected) + 1, afterSequence=before, **asked)) == expected
    with ExitStack() as opened:  # from what this process has read for everybody
        streams = [wire.stream(WATCH, {"afterSequence": before, **asked}) for asked, _ in cases]
        for stream in streams:
            opened.callback(stream.close)  # type: ignore[attr-defined]
        for (_, expected), stream in zip(cases, streams, strict=True):
            list(itertools.islice(stream, len(expected) + 1))
        log.append(
            signal("limit of a", portfolio="a", kind=EventKind.LIMIT, severity=Severity.CRITICAL),
            signal("drift of b", portfolio="b", severity=Severity.INFO),
        )
        log.append(signal("all", portfolio="a", kind=EventKind.LIMIT, severity=Severity.CRITICAL))
        for (asked, _), stream in zip(cases, streams, strict=True):
            both = "portfolios/b" in asked.get("portfolios", ())
            assert messages([next(stream)]) == ["drift of b" if both else "limit of a"]


def test_heartbeats_tell_the_place(wire: Wire, log: WrittenLog) -> None:
    """So that who watches what rarely happens resumes from here, and not from long ago."""
    before = end_of(log)
    (other,) = log.append(signal("of another portfolio", portfolio="other"))
    found = first(wire, 3, afterSequence=before, portfolios=["portfolios/mine"], heartbeatInterval="1s")
    assert [set(notice) & {"snapshot", "heartbeat"} for notice in found] == [{"snapshot"}, {"heartbeat"}, {"heartbeat"}]
    assert int(found[1]["sequence"]) == int(found[2]["sequence"]) >= other


def test_wrong_places_are_refused(start_server: Callable[..., RunningServer]) -> None:
    server = start_server("--workers", "1")
    with server.channel() as channel, written_log(server.data_dir) as log:
        wire = Wire(channel)

        def refused(**asked: Any) -> Any:
            with pytest.raises(grpc.RpcError) as raised:
                first(wire, 2, **asked)
            return refusal_of(raised.value)

        sequences = log.append(*(signal(str(i)) for i in range(10)))
        epoch = first(wire, 1)[0]["epoch"]
        other = refused(epoch="another")
        assert (other.code, other.reason, other.metadata["epoch"]) == ("FAILED_PRECONDITION", "EPOCH_CHANGED", epoch)
        for place in (sequences[-1] + 1, 2**63, 2**64 - 1):
            assert refused(afterSequence=place).fields == ("after_sequence",)
        log.forget(sequences[4])
        gone = refused(afterSequence=sequences[2], epoch=epoch)
        assert (gone.code, gone.reason) == ("OUT_OF_RANGE", "EVENTS_COMPACTED")
        assert gone.metadata["oldest_sequence"] == str(sequences[5])
        assert messages(first(wire, 6, afterSequence=sequences[4], epoch=epoch)) == list("56789")
        assert messages(first(wire, 6)) == list("56789"), "0 is the oldest that is retained"
        log.forget(sequences[-1])
        assert len(first(wire, 1, afterSequence=sequences[-1], epoch=epoch)) == 1, "nothing was missed"
        assert refused(afterSequence=sequences[-2], epoch=epoch).reason == "EVENTS_COMPACTED"
        log.append(signal("last"))
        stream = wire.stream(WATCH, {"afterSequence": sequences[-1], "epoch": epoch})
        assert messages(list(itertools.islice(stream, 2))) == ["last"]
        log.begin_anew()
        with pytest.raises(grpc.RpcError) as raised:
            list(stream)
        assert refusal_of(raised.value).reason == "EPOCH_CHANGED"


def test_a_slow_reader_gets_everything_and_the_server_keeps_nothing_for_it(
    watched: RunningServer, wire: Wire, log: WrittenLog
) -> None:
    """More is stored while nobody reads than the server holds for those who follow: 4 MB, and 2 000 events."""
    before = end_of(log)
    stream = wire.stream(WATCH, {"afterSequence": before}, timeout=120.0)
    assert "snapshot" in next(stream)
    log.append(signal("first"))
    assert messages([next(stream)]) == ["first"]
    text = "x" * 10_000
    process = psutil.Process(watched.process.pid)
    memory = process.memory_info().rss
    for start in range(0, 5000, 500):
        log.append(*(signal(f"{start + i} {text}") for i in range(500)))
    time.sleep(2.0)
    assert process.memory_info().rss - memory < 40e6, "50 MB were stored"
    found = [int(message.split()[0]) for message in messages(list(itertools.islice(stream, 5000)))]
    assert found == list(range(5000))


def test_many_who_watch_share_one_reading(start_server: Callable[..., RunningServer]) -> None:
    """And all get all: 100 streams, each from another place, while events come."""
    server = start_server("--workers", "1")
    with written_log(server.data_dir) as log, ExitStack() as opened:
        sequences = log.append(*(signal(str(i)) for i in range(100)))
        channels = [opened.enter_context(server.channel()) for _ in range(4)]
        streams = [
            Wire(channels[i % 4]).stream(WATCH, {"afterSequence": sequences[i], "heartbeatInterval": "3600s"})
            for i in range(100)
        ]
        for stream in streams:
            assert "snapshot" in next(stream)
        for i in range(0, 300, 30):
            log.append(*(signal(str(100 + i + j)) for j in range(30)))
        for i, stream in enumerate(streams):
            found = messages(list(itertools.islice(stream, 399 - i)))
            assert found == [str(n) for n in range(i + 1, 400)]
        for stream in streams:
            stream.close()  # type: ignore[attr-defined]


def test_a_server_that_stops_says_so(start_server: Callable[..., RunningServer]) -> None:
    server = start_server("--workers", "1")
    with server.channel() as channel:
        stream = Wire(channel).stream(WATCH, {})
        assert "snapshot" in next(stream)
        server.process.send_signal(signals.SIGTERM)
        with pytest.raises(grpc.RpcError) as raised:
            list(stream)
        assert (refusal_of(raised.value).code, refusal_of(raised.value).reason) == ("UNAVAILABLE", "DRAINING")


def test_owners_and_tokens(start_server: Callable[..., RunningServer]) -> None:
    with running(Issuer()) as issuer:
        server = start_server(
            *("--auth", "jwt", "--jwks-url", issuer.url, "--jwt-issuer", ISSUER, "--workers", "1"),
        )

        def token(name: str, **claims: Any) -> Any:
            return bearer(issuer.token(sub=name, app_metadata={"absfin_role": Role.READER.label}, **claims))

        with server.channel() as channel, written_log(server.data_dir) as log:
            log.append(signal("of ann", owner="users/ann"), signal("of bob", owner="users/bob"))
            for name in ("ann", "bob"):
                known = Wire(grpc.intercept_channel(channel, Bearing(token(name))))
                assert messages(first(known, 2)) == [f"of {name}"]
                stream = known.stream(WATCH, {})
                list(itertools.islice(stream, 2))
                end = log.append(signal("again of ann", owner="users/ann"), signal("again of bob", owner="users/bob"))
                assert messages([next(stream)]) == [f"again of {name}"]
                log.forget(end[-1])
                log.append(signal("of ann", owner="users/ann"), signal("of bob", owner="users/bob"))
            log.append(signal("told", owner="users/ann", notify=True))
            (row,) = notifications_of(channel, token("ann"))
            assert notifications_of(channel, token("bob")) == []
            service: Any = EventServiceStub(channel)
            analyst = bearer(issuer.token(sub="bob", app_metadata={"absfin_role": "analyst"}))
            for method, request in (
                (service.AcknowledgeNotification, AcknowledgeNotificationRequest(name=row.name)),
                (service.RedeliverNotification, RedeliverNotificationRequest(name=row.name)),
            ):
                with pytest.raises(grpc.RpcError) as raised:
                    method(request, metadata=analyst, timeout=20)
                assert refusal_of(raised.value).reason == "NOT_FOUND"
                with pytest.raises(grpc.RpcError) as raised:
                    method(request, metadata=token("ann"), timeout=20)
                assert refusal_of(raised.value).reason == "ROLE_REQUIRED"
            short = Wire(grpc.intercept_channel(channel, Bearing(token("ann", exp=int(time.time()) + 3))))
            with pytest.raises(grpc.RpcError) as raised:
                list(short.stream(WATCH, {"heartbeatInterval": "1s"}))
            assert refusal_of(raised.value).reason == "TOKEN_EXPIRED"


def notifications_of(channel: grpc.Channel, metadata: Any) -> list[Notification]:
    service: Any = EventServiceStub(channel)
    page = service.ListNotifications(ListNotificationsRequest(), metadata=metadata, timeout=20)
    return list(page.notifications)


class Bearing(grpc.UnaryStreamClientInterceptor):
    """Sends a token with each call."""

    def __init__(self, metadata: Any) -> None:
        self._metadata = metadata

    def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(details._replace(metadata=self._metadata), request)


def test_notifications_are_listed_and_acknowledged(wire: Wire, log: WrittenLog) -> None:
    log.append(
        signal("one", portfolio="told", notify=True),
        signal("two", portfolio="told", severity=Severity.CRITICAL, notify=True),
        signal("three", portfolio="other", notify=True),
    )

    def listed(**asked: Any) -> list[dict[str, Any]]:
        page = wire.call("EventService/ListNotifications", asked)
        rows: list[dict[str, Any]] = page.get("notifications", [])
        if token := page.get("nextPageToken"):
            rows += listed(**{**asked, "pageToken": token})
        return rows

    rows = listed(portfolio="portfolios/told", pageSize=1)
    assert {row["message"] for row in rows} == {"one", "two"}
    assert {row["state"] for row in rows} == {"STATE_DELIVERED"}, "there is nowhere to deliver them to"
    assert [row["message"] for row in listed(portfolio="portfolios/told", minSeverity="SEVERITY_CRITICAL")] == ["two"]
    (one,) = [row for row in rows if row["message"] == "one"]
    before = end_of(log)
    stream = wire.stream(WATCH, {"afterSequence": before})
    assert "snapshot" in next(stream)
    seen = wire.call("EventService/AcknowledgeNotification", {"name": one["name"]})
    assert seen["state"] == "STATE_ACKNOWLEDGED"
    told = next(stream)
    assert told["notification"] == seen
    assert wire.call("EventService/AcknowledgeNotification", {"name": one["name"]}) == seen
    assert [row["message"] for row in listed(state="STATE_ACKNOWLEDGED", portfolio="portfolios/told")] == ["one"]
    (last,) = log.append(signal("last"))
    assert int(next(stream)["sequence"]) == last, "an acknowledgement is told once"
    for method in ("AcknowledgeNotification", "RedeliverNotification"):
        assert wire.refused(f"EventService/{method}", {"name": "notifications/none"}).reason == "NOT_FOUND"
    refusal = wire.refused("EventService/RedeliverNotification", {"name": one["name"]})
    assert refusal.reason == "NOT_SUPPORTED"
    assert "ABSFIN_WEBHOOK_URL" in refusal.message
    late = {"startCreateTime": "2020-01-02T00:00:00Z", "endCreateTime": "2020-01-01T00:00:00Z"}
    assert wire.refused("EventService/ListNotifications", late).fields == ("end_create_time",)
    assert listed(endCreateTime="2020-01-01T00:00:00Z") == []


def test_an_acknowledgement_wakes_who_watches_here_at_once(wire: Wire, log: WrittenLog) -> None:
    """Many of them at the same time: each is told once."""
    before = end_of(log)
    log.append(*(signal(str(i), portfolio="many", notify=True) for i in range(20)))
    rows = wire.call("EventService/ListNotifications", {"portfolio": "portfolios/many"})["notifications"]

    def acknowledge() -> None:
        for row in rows:
            wire.call("EventService/AcknowledgeNotification", {"name": row["name"]})

    threads = [threading.Thread(target=acknowledge) for _ in range(4)]
    for thread in threads:
        thread.start()
    stream = wire.stream(WATCH, {"afterSequence": before, "portfolios": ["portfolios/many"]})
    found = [n["notification"]["name"] for n in itertools.islice(stream, 41) if "notification" in n]
    for thread in threads:
        thread.join(30)
    assert sorted(found) == sorted(row["name"] for row in rows)
