"""The Java client follows a backtest of a real server over a connection that breaks again and again."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.clients.java.conftest import JavaClient
from tests.clients.java.test_java_client import run
from tests.conftest import RunningServer

CUT_AFTER_BYTES = 3000
"""So many bytes of the server pass in one connection: about ten milestones."""

pytestmark = pytest.mark.timeout(900)  # the build takes minutes on a busy machine


@pytest.fixture
def cut_address(server: RunningServer) -> Iterator[str]:
    """The address of a proxy that cuts each connection to the server."""
    host, port = server.address.split(":")
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        threading.Thread(target=serve, args=(listener, (host, int(port))), daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def serve(listener: socket.socket, target: tuple[str, int]) -> None:
    with suppress(OSError):  # the listener is closed at the end
        while True:
            client = listener.accept()[0]
            upstream = socket.create_connection(target)
            threading.Thread(target=forward, args=(client, upstream, None), daemon=True).start()
            threading.Thread(target=forward, args=(upstream, client, CUT_AFTER_BYTES), daemon=True).start()


def forward(source: socket.socket, target: socket.socket, most: int | None) -> None:
    """Passes bytes on until one side ends, or `most` have passed; then both sides are closed."""
    passed = 0
    with suppress(OSError):
        while data := source.recv(256):
            target.sendall(data)
            passed += len(data)
            if most is not None and passed > most:
                break
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def test_no_milestone_is_lost_or_repeated(
    java_client: JavaClient,
    runner_environment: dict[str, str],
    server: RunningServer,
    cut_address: str,
    tmp_path: Path,
) -> None:
    cases = tmp_path / "cases.json"
    cases.write_text(json.dumps({"version": 1, "streams": [failing_rebalances()]}))
    code, (whole,) = run(cases, server.address, runner_environment)
    assert (code, whole["resumptions"]) == (0, 0), whole
    code, (cut,) = run(cases, cut_address, runner_environment)
    assert code == 0, cut
    assert cut["resumptions"] >= 3
    assert len(cut["milestones"]) == len(whole["milestones"]) > 50
    assert cut["milestones"] == sorted(set(cut["milestones"]))


def failing_rebalances() -> dict[str, Any]:
    """A backtest whose rebalancing fails on each of many dates: each is a milestone."""
    floor = {"label": "more than there is", "returnFloor": {"minReturnAnnual": 50}}
    dates = list(range(100))
    request = {
        "prices": {
            "symbols": ["A", "B"],
            "dates": dates,
            "values": [100.0 + day % (5 + 2 * asset) for day in dates for asset in range(2)],
        },
        "strategy": {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 30, "constraints": [floor]}},
        "rebalancing": {"everyPeriods": {"n": 1}},
        "periodsPerYear": 252,
    }
    return {
        "id": "failing rebalances",
        "kind": "backtest",
        "request": request,
        "expect": {"terminal": "BACKTEST_STATE_SUCCEEDED"},
    }
