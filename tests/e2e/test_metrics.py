"""What a server measures: as Prometheus reads it, and as a collector of OpenTelemetry is sent it."""

import os
import re
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from typing import Any

import grpc
import pytest
from google.protobuf import json_format

from tests.conftest import ROOT, RunningServer

if not find_spec("prometheus_client"):
    pytest.skip("the extra `telemetry` is not installed: no server measures", allow_module_level=True)

from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client.parser import text_string_to_metric_families

OPTIMIZE = "absfinance.v1.OptimizationService/Optimize"
MIN_RISK = {
    "moments": {"symbols": ["A", "B"], "covariance": [0.04, 0.01, 0.01, 0.09], "periodsPerYear": 12},
    "objective": {"minRisk": {}},
}


class Collector:
    """Takes what is sent by OTLP over HTTP."""

    def __init__(self) -> None:
        self.received: list[ExportMetricsServiceRequest] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/metrics":
                    collector.received.append(ExportMetricsServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def names(self) -> set[str]:
        return {
            metric.name
            for request in self.received
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@contextmanager
def _collector() -> Iterator[Collector]:
    found = Collector()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        found.server.shutdown()
        found.server.server_close()
        thread.join()


@dataclass(frozen=True)
class Measured:
    """A server that measures."""

    running: RunningServer
    url: str
    collector: Collector

    def figure(self, name: str, **labels: str) -> float | None:
        """The sum of the samples with these labels; None where there is none."""
        found = [
            sample.value
            for family in text_string_to_metric_families(self.text())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else None

    def text(self) -> str:
        with urllib.request.urlopen(self.url, timeout=10) as answer:  # noqa: S310  # of our own server
            text: str = answer.read().decode()
            return text

    def until(self, name: str, least: float, **labels: str) -> float:
        """The figure once it is so large; fails after a minute."""
        end = time.monotonic() + 60.0
        while (found := self.figure(name, **labels)) is None or found < least:
            assert time.monotonic() < end, f"{name} {labels} stays {found}"
            time.sleep(0.05)
        return found


@pytest.fixture(scope="module")
def measured(start_server: Callable[..., RunningServer]) -> Iterator[Measured]:
    with _collector() as collector:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_METRIC_EXPORT_INTERVAL": "300"}
        running = start_server("--workers", "1", "--metrics-listen", "0", environment=environment)
        (url,) = re.findall(r'"figures are shown", "url": "([^"]+)"', (running.data_dir / "server.log").read_text())
        yield Measured(running, url, collector)


def call(measured: Measured, method: str, request: bytes) -> grpc.StatusCode:
    with measured.running.channel() as channel:
        try:
            channel.unary_unary(f"/{method}")(request, timeout=30)
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()
            return code
    return grpc.StatusCode.OK


def test_figures_are_on_loopback_unless_another_address_is_named(measured: Measured) -> None:
    assert measured.url.startswith("http://127.0.0.1:")
    assert measured.url.endswith("/metrics")


def test_calls_are_measured_by_method_and_status(measured: Measured) -> None:
    good = json_format.ParseDict(MIN_RISK, OptimizeRequest()).SerializeToString()
    name, method = "rpc_server_call_duration_seconds_count", {"rpc_method": OPTIMIZE}
    before = measured.figure(name, **method) or 0.0
    assert call(measured, OPTIMIZE, good) is grpc.StatusCode.OK
    assert call(measured, OPTIMIZE, good) is grpc.StatusCode.OK
    assert call(measured, OPTIMIZE, b"\xff") is grpc.StatusCode.INVALID_ARGUMENT
    assert measured.until(name, before + 3, **method) == before + 3
    assert measured.figure(name, rpc_response_status_code="INVALID_ARGUMENT", **method) == 1.0
    spent = measured.figure("rpc_server_call_duration_seconds_sum", rpc_response_status_code="OK", **method)
    assert spent is not None
    assert 0.0 < spent < 60.0


def test_a_method_that_there_is_not_makes_no_figure(measured: Measured) -> None:
    """Else anybody could fill the memory of the server and of Prometheus with names."""
    assert call(measured, "absfinance.v1.OptimizationService/Made up", b"") is grpc.StatusCode.UNIMPLEMENTED
    assert call(measured, "other.Service/Optimize", b"") is grpc.StatusCode.UNIMPLEMENTED
    text = measured.text()
    assert "Made up" not in text
    assert "other.Service" not in text


def test_workers_jobs_store_and_listener_are_measured(measured: Measured) -> None:
    assert measured.until("absfin_workers_idle", 1.0, pool="call") >= 1.0
    for name in ("absfin_workers_waiting", "absfin_workers_running"):
        assert measured.figure(name, pool="job") == 0.0
    assert measured.figure("absfin_jobs_running") == 0.0
    assert measured.figure("absfin_jobs_ended_total", state="FAILED") == 0.0
    assert measured.until("absfin_listener_ready", 1.0) == 1.0
    assert measured.figure("absfin_listener_lag_age_seconds") == 0.0
    store = "db_client_operation_duration_seconds_count"
    assert measured.until(store, 1.0, db_system_name="sqlite", db_operation_name="read") >= 1.0


def test_a_worker_that_dies_is_counted(measured: Measured) -> None:
    lost = {"pool": "call", "cause": "died"}
    before = measured.figure("absfin_workers_lost_total", **lost) or 0.0
    for worker in measured.running.workers():
        os.kill(worker.pid, signal.SIGKILL)
    large = {**MIN_RISK, "moments": {**MIN_RISK["moments"], "symbols": ["A" * 64, "B"]}}
    # Longer than what the server solves itself: a worker is needed.
    constraints = [{"label": f"cap {i}" + "x" * 40, "weightBounds": {"upper": 0.9}} for i in range(64)]
    request = json_format.ParseDict({**large, "constraints": constraints}, OptimizeRequest()).SerializeToString()
    assert call(measured, OPTIMIZE, request) is grpc.StatusCode.OK
    measured.until("absfin_workers_lost_total", before + 1, **lost)


def test_a_collector_is_sent_the_same(measured: Measured) -> None:
    end = time.monotonic() + 60.0
    expected = {"rpc.server.call.duration", "absfin.workers.waiting", "absfin.listener.lag.age"}
    while not expected <= measured.collector.names():
        assert time.monotonic() < end, measured.collector.names()
        time.sleep(0.05)
    (resource,) = measured.collector.received[-1].resource_metrics
    attributes = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert attributes["service.name"] == "abs-finance"


def test_the_page_names_every_figure(measured: Measured) -> None:
    measured.until("absfin_listener_ready", 0.0)
    page = (ROOT / "docs/operations.md").read_text()
    shown = set(re.findall(r"^\| `[\w.]+` \| `(\w+)` \|", page, re.M))
    families = {family.name for family in text_string_to_metric_families(measured.text())}
    assert {name.removesuffix("_total") for name in shown} == families


def test_the_page_names_every_label(measured: Measured) -> None:
    good = json_format.ParseDict(MIN_RISK, OptimizeRequest()).SerializeToString()
    assert call(measured, OPTIMIZE, good) is grpc.StatusCode.OK
    measured.until("absfin_listener_ready", 0.0)
    rows = re.findall(r"^\| `[\w.]+` \| `(\w+)` \| (.*?) \|", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    named = {figure: set(re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", labels))) for figure, labels in rows}
    shown: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(measured.text()):
        for sample in family.samples:
            figure = re.sub(r"(?<=seconds)_(bucket|count|sum)$", "", sample.name)
            shown.setdefault(figure, set()).update(sample.labels.keys() - {"le"})
    assert named == shown
