"""The health of the listener over the wire: how far it is behind, and whether it has caught up."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import grpc
import numpy as np
import pytest
from absfin import Client, Panel
from grpc_health.v1 import health_pb2, health_pb2_grpc

from server.app import LISTENER
from server.settings import DATABASE_NAME
from tests.conftest import ROOT, RunningServer
from tests.e2e.ledger import rows, until

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
BACKLOG = tuple(f"S{i:03d}" for i in range(120))
TODAY = int(time.time()) // 86_400

Starter = Callable[..., RunningServer]


class Health:
    """The health service of a server."""

    def __init__(self, server: RunningServer) -> None:
        self._channel = server.channel()
        self._stub: Any = health_pb2_grpc.HealthStub(self._channel)

    def __enter__(self) -> "Health":
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def check(self, name: str = LISTENER) -> tuple[int, dict[str, str]]:
        """Status and figures of the trailing metadata."""
        request = health_pb2.HealthCheckRequest(service=name)
        answer, call = self._stub.Check.with_call(request, timeout=10)
        return answer.status, _figures(call)

    def refused(self) -> tuple[grpc.StatusCode, str, dict[str, str]]:
        with pytest.raises(grpc.RpcError) as caught:
            self.check()
        return caught.value.code(), caught.value.details() or "", _figures(caught.value)

    def watch(self) -> Iterator[int]:
        for answer in self._stub.Watch(health_pb2.HealthCheckRequest(service=LISTENER), timeout=90):
            yield answer.status

    def measured(self) -> tuple[int, dict[str, str]]:
        """The first answer with figures."""
        until(lambda: "lag-changes" in self.check()[1])
        return self.check()

    def is_ready(self) -> bool:
        return self.check()[0] == SERVING


def _figures(call: Any) -> dict[str, str]:
    found = {key: value for key, value in call.trailing_metadata() or () if key.startswith("absfin-")}
    return {key.removeprefix("absfin-"): str(value) for key, value in found.items()}


def imported(server: RunningServer, symbols: tuple[str, ...], import_id: str) -> None:
    values = np.full((2, len(symbols)), 100.0)
    with Client(server.address) as client:
        client.import_prices(
            Panel(symbols, np.array([TODAY - 2, TODAY - 1], dtype=np.int32), values), import_id=import_id
        )


def unread(server: RunningServer) -> list[int]:
    """When the changes after the stored place were written."""
    statement = "SELECT micros FROM changes WHERE cursor > (SELECT cast(cursor AS INTEGER) FROM listener)"
    return [micros for (micros,) in rows(server.data_dir, f"{statement} ORDER BY cursor")]


def change(server: RunningServer, statement: str, *values: object) -> None:
    """What another server of the folder does to the one row of the listener."""
    path = server.data_dir / DATABASE_NAME
    with closing(sqlite3.connect(path, timeout=10.0)) as connection, connection:
        connection.execute(statement, values)


def probed(server: RunningServer) -> str:
    """What `server.probe` complains of."""
    command = [sys.executable, "-m", "server.probe", server.address, LISTENER]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False).stderr.strip()


@pytest.mark.timeout(300)  # three servers start one after the other
def test_not_ready_until_it_has_caught_up(start_server: Starter) -> None:
    first = start_server()
    imported(first, ("A", "B"), "first")
    with Health(first) as health:
        until(health.is_ready)
    until(lambda: unread(first) == [])  # it stores its place a few seconds later
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait(20)

    deaf = start_server("--events", "off", data_dir=first.data_dir)
    imported(deaf, BACKLOG, "backlog")
    backlog = unread(deaf)
    assert len(backlog) >= len(BACKLOG)
    with Health(deaf) as health:
        code, details, figures = health.refused()
        assert (code, figures) == (grpc.StatusCode.NOT_FOUND, {"listener": "off"})
        assert "ABSFIN_EVENTS" in details
        assert next(health.watch()) == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        assert health.check("")[0] == SERVING
        assert probed(deaf) == f"the server on {deaf.address} has no {LISTENER}"

    # The lease of the one that was killed has not run out, however long a start takes: nobody listens yet.
    change(deaf, "UPDATE listener SET lease_micros = ?", round((time.time() + 3600) * 1e6))
    least = time.time() - backlog[0] / 1e6
    second = start_server(data_dir=first.data_dir)
    with Health(second) as health:
        status, figures = health.measured()
        age = time.time() - backlog[0] / 1e6
        assert (status, figures["listener"]) == (NOT_SERVING, "elsewhere")
        assert int(figures["lag-changes"]) == len(backlog)
        assert least - 0.1 <= float(figures["lag-seconds"]) <= age + 0.1
        assert health.check("")[0] == SERVING  # calls are answered all the same
        statuses = health.watch()
        assert next(statuses) == NOT_SERVING
        change(second, "UPDATE listener SET lease_micros = 0")
        assert next(statuses) == SERVING
        assert health.check() == (
            SERVING,
            {
                "listener": "here",
                "lag-changes": "0",
                "lag-seconds": "0.0",
                "failures": "0",
                "unreadable-portfolios": "0",
                "unconverted-portfolios": "0",
            },
        )
    lines = [json.loads(line) for line in (first.data_dir / "server.log").read_text().splitlines()]
    told = [line for line in lines if line["message"] == "the listener of changes"]
    assert [(line["ready"], line["listener"], line["lag_changes"]) for line in told[-2:]] == [
        (False, "elsewhere", len(backlog)),
        (True, "here", 0),
    ]


@pytest.mark.timeout(240)
def test_another_server_listens(start_server: Starter) -> None:
    deaf = start_server("--events", "off")
    imported(deaf, ("A", "B"), "before")
    lease = round((time.time() + 3600) * 1e6)
    change(deaf, "UPDATE listener SET worker = 'another', lease_micros = ?", lease)
    server = start_server(data_dir=deaf.data_dir)
    with Health(server) as health:
        assert health.measured()[0] == NOT_SERVING  # the other one has never stored where it stands
        assert probed(server) == f"{LISTENER} on {server.address} is not serving"
        change(server, "UPDATE listener SET cursor = (SELECT max(cursor) FROM changes)")
        until(health.is_ready)
        assert health.check()[1] == {
            "listener": "elsewhere",
            "lag-changes": "0",
            "lag-seconds": "0.0",
            "failures": "0",
            "unreadable-portfolios": "0",
            "unconverted-portfolios": "0",
        }
        imported(server, ("C",), "after")
        until(lambda: health.check()[1]["lag-changes"] == str(len(unread(server))))
        assert health.is_ready()  # what is written now may be followed a little later
        change(server, "UPDATE changes SET micros = micros - 31000000")
        until(lambda: not health.is_ready())
        assert float(health.check()[1]["lag-seconds"]) > 31.0
        change(server, "UPDATE listener SET worker = NULL, lease_micros = 0")
        until(lambda: health.is_ready() and health.check()[1]["listener"] == "here")
        assert health.check()[1]["lag-changes"] == "0"
        assert probed(server) == ""
