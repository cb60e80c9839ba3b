"""Many browsers that follow one backtest: what they cost the server in memory."""

import json
import logging
import random
import selectors
import socket
import struct
import time
from collections.abc import Callable
from contextlib import ExitStack

import psutil
import pytest

from tests.conftest import RunningServer, Wire

BROWSERS = 200
MOST_BYTES = 50e6
"""More than before the first of them connects, of the server and the process that serves browsers together."""

PROGRESS = "/absfinance.v1.BacktestService/BacktestProgress"
LIMIT_SECONDS = 90.0


@pytest.mark.timeout(240)
def test_two_hundred_browsers_follow_one_backtest_in_little_memory(start_server: Callable[..., RunningServer]) -> None:
    server = start_server("--workers", "1", "--web-listen", "127.0.0.1:0")
    with server.channel() as channel, ExitStack() as opened:
        name = Wire(channel).call("BacktestService/Backtest", long_backtest())["name"]
        follow(server, name, opened, 1)  # what the first browser loads stays, whoever comes after it
        processes = processes_of(server)
        before = memory(processes)
        followers = follow(server, name, opened, BROWSERS)
        most = before
        with selectors.DefaultSelector() as ready:
            for one in followers:
                ready.register(one, selectors.EVENT_READ)
            received = dict.fromkeys(followers, 0)
            end = time.monotonic() + LIMIT_SECONDS
            while min(received.values()) < 5 * 300 and time.monotonic() < end:  # a snapshot, and ticks after it
                for key, _ in ready.select(1.0):
                    assert isinstance(key.fileobj, socket.socket)
                    received[key.fileobj] += len(key.fileobj.recv(65536))
                most = max(most, memory(processes))
        Wire(channel).call("BacktestService/CancelBacktest", {"name": name})
    grown = most - before
    logging.getLogger(__name__).info("%d browsers: %.1f MB more", BROWSERS, grown / 1e6)
    assert min(received.values()) > 500
    assert grown < MOST_BYTES


def processes_of(server: RunningServer) -> list[psutil.Process]:
    """The server and the process that serves browsers; workers hold data of the backtest, whoever follows it."""
    own = psutil.Process(server.process.pid)
    browsers = [one for one in own.children() if "server.web" in one.cmdline()]
    assert len(browsers) == 1
    return [own, *browsers]


def memory(processes: list[psutil.Process]) -> int:
    """Bytes."""
    return sum(one.memory_info().rss for one in processes)


def follow(server: RunningServer, name: str, opened: ExitStack, count: int) -> list[socket.socket]:
    """Connections of as many browsers, each with an answer to its own call."""
    host, port = server.browsers.removeprefix("http://").rsplit(":", 1)
    message = json.dumps({"backtest": name, "minInterval": "0.1s"}).encode()
    body = struct.pack(">BI", 0, len(message)) + message
    head = (
        f"POST {PROGRESS} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/connect+json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    found = []
    for _ in range(count):
        one = opened.enter_context(socket.create_connection((host, int(port)), timeout=30.0))
        one.sendall(head.encode() + body)
        found.append(one)
    for one in found:
        assert b" 200 " in one.recv(64)
    return found


def long_backtest() -> dict[str, object]:
    """Many decisions, so that it still runs when all have connected."""
    random.seed(5)
    dates = 8000
    values = [100.0 + random.random() for _ in range(dates * 10)]
    return {
        "prices": {"symbols": [f"S{i}" for i in range(10)], "dates": list(range(dates)), "values": values},
        "strategy": {
            "optimize": {"objective": {"minRisk": {}}, "riskMeasure": "RISK_MEASURE_CVAR", "lookbackPeriods": 250}
        },
        "rebalancing": {"everyPeriods": {"n": 1}},
        "periodsPerYear": 252,
    }
