"""Notifications delivered to a webhook: a receiver in Node that verifies them, and ones that do not answer well."""

import hashlib
import hmac
import json
import queue
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import RunningServer, Wire
from tests.e2e.event_log import WrittenLog, signal, written_log

SECRET = "a secret of thirty-two bytes, at least"  # noqa: S105  # of this test alone
RECEIVER = Path(__file__).parent / "webhook_receiver.mjs"
SECONDS = 40.0


class Receiver:
    """A process of Node."""

    def __init__(self, secret: str = SECRET) -> None:
        node = shutil.which("node")
        if node is None:
            pytest.skip("there is no Node on this machine")
        self._process = subprocess.Popen(
            [node, str(RECEIVER), secret], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.port: int = self.next()["port"]

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(json.loads(line))

    def next(self, seconds: float = SECONDS) -> dict[str, Any]:
        """What it says next."""
        return self._lines.get(timeout=seconds)

    def behave(self, how: str) -> None:
        """From the next delivery on."""
        assert self._process.stdin
        self._process.stdin.write(f"{how}\n")
        self._process.stdin.flush()
        while self.next().get("behaves") != how:
            pass

    def is_quiet(self, seconds: float) -> bool:
        """Whether nothing comes for a while."""
        try:
            self.next(seconds)
        except queue.Empty:
            return True
        return False

    def close(self) -> None:
        self._process.kill()
        self._process.wait(20)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            pipe.close()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with closing(Receiver()) as running:
        yield running


def flags(port: int, *more: str, retry: str = "0.2") -> tuple[str, ...]:
    url = f"http://localhost:{port}/hook?of=desk"
    return (
        *("--webhook-url", url, "--webhook-secret", SECRET, "--webhook-retry-seconds", retry),
        *("--webhook-seconds", "2", "--workers", "1", *more),
    )


@pytest.fixture(scope="module")
def telling(start_server: Callable[..., RunningServer], receiver: Receiver) -> RunningServer:
    return start_server(*flags(receiver.port), "--webhook-allow", "127.0.0.0/8,::1")


@pytest.fixture
def log(telling: RunningServer) -> Iterator[WrittenLog]:
    with written_log(telling.data_dir) as opened:
        yield opened


@pytest.fixture
def wire(telling: RunningServer) -> Iterator[Wire]:
    with telling.channel() as channel:
        yield Wire(channel)


def ended(wire: Wire, message: str, state: str) -> dict[str, Any]:
    """A notification once it has a state."""
    end = time.monotonic() + SECONDS
    while True:
        rows = wire.call("EventService/ListNotifications", {"pageSize": 1000})["notifications"]
        (row,) = [one for one in rows if one["message"] == message]
        if row["state"] == state:
            return dict(row)
        assert time.monotonic() < end, row
        time.sleep(0.1)


def test_a_delivery_is_signed_and_told(receiver: Receiver, wire: Wire, log: WrittenLog) -> None:
    receiver.behave("ok")
    (sequence,) = log.append(signal("büro", deliver=True))
    got = receiver.next()
    assert got["genuine"], "node:crypto finds the same signature"
    assert (got["path"], got["host"]) == ("/hook?of=desk", f"localhost:{receiver.port}")
    row = ended(wire, "büro", "STATE_DELIVERED")
    assert got["body"]["owner"] == "local"
    assert got["body"]["attempt"] == 1
    sent = got["body"]["notification"]
    assert sent == {k: v for k, v in {**row, "state": "STATE_PENDING"}.items() if k != "attemptCount"}
    assert (row["attemptCount"], int(row["signalSequence"])) == (1, sequence)
    stream = wire.stream("EventService/WatchEvents", {"afterSequence": sequence})
    assert "snapshot" in next(stream)
    assert next(stream)["notification"] == row
    assert receiver.is_quiet(1.0)


def test_a_copy_that_is_posted_again_later_is_not_genuine(receiver: Receiver) -> None:
    """Nor is one with another time under the old signature, or with another body."""
    receiver.behave("ok")
    body, now = b'{"owner": "local"}', int(time.time())

    def is_genuine(at: int, *, signed_at: int, sent: bytes = body) -> bool:
        digest = hmac.new(SECRET.encode(), b"%d." % signed_at + body, hashlib.sha256).hexdigest()
        headers = {"Absfin-Signature": f"t={at},v1={digest}"}
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{receiver.port}/", sent, headers), timeout=20)
        return bool(receiver.next()["genuine"])

    assert is_genuine(now, signed_at=now)
    assert not is_genuine(now - 301, signed_at=now - 301)
    assert not is_genuine(now, signed_at=now - 301)
    assert not is_genuine(now, signed_at=now, sent=b'{"owner": "other"}')


def test_errors_are_tried_again(receiver: Receiver, wire: Wire, log: WrittenLog) -> None:
    receiver.behave("error")
    log.append(signal("again", deliver=True))
    assert [receiver.next()["body"]["attempt"] for _ in range(2)] == [1, 2]
    receiver.behave("ok")
    row = ended(wire, "again", "STATE_DELIVERED")
    assert row["attemptCount"] > 2
    assert "lastError" not in row


@pytest.mark.parametrize(
    ("how", "why"),
    [("hang", "did not answer within 2 s"), ("redirect", "answered 307: redirects are not followed")],
)
def test_what_does_not_answer_well_is_tried_again(
    receiver: Receiver, wire: Wire, log: WrittenLog, how: str, why: str
) -> None:
    receiver.behave(how)
    log.append(signal(how, deliver=True))
    paths = {receiver.next()["path"] for _ in range(2)}
    assert paths == {"/hook?of=desk"}
    assert why in ended(wire, how, "STATE_PENDING")["lastError"]
    receiver.behave("ok")
    ended(wire, how, "STATE_DELIVERED")


def test_gone_ends_at_once_and_is_delivered_again_when_asked(receiver: Receiver, wire: Wire, log: WrittenLog) -> None:
    receiver.behave("gone")
    (sequence,) = log.append(signal("gone", deliver=True))
    row = ended(wire, "gone", "STATE_FAILED")
    assert (row["attemptCount"], row["lastError"]) == (1, "localhost answered 410: it takes no more notifications")
    failed = wire.call("EventService/ListNotifications", {"state": "STATE_FAILED"})["notifications"]
    assert [one["name"] for one in failed] == [row["name"]]
    receiver.behave("ok")
    assert receiver.is_quiet(1.0)
    again = wire.call("EventService/RedeliverNotification", {"name": row["name"]})
    assert again["state"] == "STATE_PENDING"
    assert "attemptCount" not in again
    assert receiver.next()["body"]["attempt"] == 1
    assert ended(wire, "gone", "STATE_DELIVERED")["attemptCount"] == 1
    stream = wire.stream("EventService/WatchEvents", {"afterSequence": sequence})
    assert "snapshot" in next(stream)
    assert [next(stream)["notification"]["state"] for _ in range(2)] == ["STATE_FAILED", "STATE_DELIVERED"]


def test_an_answer_without_end_is_not_read(
    receiver: Receiver, telling: RunningServer, wire: Wire, log: WrittenLog
) -> None:
    receiver.behave("flood")
    process = psutil.Process(telling.process.pid)
    memory = process.memory_info().rss
    log.append(*(signal(f"flood {i}", deliver=True) for i in range(5)))
    for i in range(5):
        ended(wire, f"flood {i}", "STATE_DELIVERED")
    assert process.memory_info().rss - memory < 20e6


def test_it_is_given_up_after_eight_attempts(start_server: Callable[..., RunningServer]) -> None:
    with closing(Receiver()) as receiver:
        server = start_server(*flags(receiver.port, retry="0.01"), "--webhook-allow", "127.0.0.1,::1")
        receiver.behave("error")
        with server.channel() as channel, written_log(server.data_dir) as log:
            log.append(signal("lost", deliver=True))
            attempts = [receiver.next()["body"]["attempt"] for _ in range(8)]
            assert attempts == list(range(1, 9))
            row = ended(Wire(channel), "lost", "STATE_FAILED")
            assert (row["attemptCount"], row["lastError"]) == (8, "localhost answered 500")
        written = (server.data_dir / "server.log").read_text()
        lines = [json.loads(line) for line in written.splitlines() if "a notification " in line]
        assert [line["message"] for line in lines] == ["a notification was not delivered yet"] * 7 + [
            "a notification cannot be delivered"
        ]
        assert lines[-1]["why"] == "localhost answered 500"
        assert SECRET not in written


def test_private_addresses_are_not_called_unless_allowed(start_server: Callable[..., RunningServer]) -> None:
    """The name alone is allowed: where it leads is not, and nothing is sent there."""
    with closing(Receiver()) as receiver:
        server = start_server(*flags(receiver.port, retry="0.01"), "--webhook-allow", "localhost")
        with server.channel() as channel, written_log(server.data_dir) as log:
            log.append(signal("inside", deliver=True))
            row = ended(Wire(channel), "inside", "STATE_FAILED")
            assert row["lastError"] == "localhost leads to no address that may be called: see ABSFIN_WEBHOOK_ALLOW"
        assert receiver.is_quiet(0.5)
