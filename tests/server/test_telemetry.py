"""Settings of what is measured, and what measuring costs a call."""

import asyncio
import socket
import sys
import time
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from server.bootstrap import _telemetry
from server.security import security_warnings
from server.settings import Settings, WrongSetting
from server.telemetry_settings import TelemetrySettings

if not find_spec("prometheus_client"):
    pytest.skip("the extra `telemetry` is not installed: no server measures", allow_module_level=True)

from server.interceptors.call_interceptor import RpcMethod
from server.interceptors.metrics import CallMetrics
from server.telemetry.figures import Figures
from server.telemetry.telemetry import Telemetry
from server.telemetry.traces import OtlpTracer
from server.tracing import Kind

MOST_SECONDS_A_CALL = 20e-6


def read(folder: Path, **environment: str) -> Settings:
    return Settings.read([], {"ABSFIN_DATA_DIR": str(folder), **environment})


def test_nothing_is_measured_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert read(tmp_path).telemetry is None
    assert read(tmp_path, ABSFIN_METRICS_LISTEN="", OTEL_EXPORTER_OTLP_ENDPOINT="").telemetry is None


def test_a_port_alone_is_one_of_loopback(tmp_path: Path) -> None:
    for given, address in (("9464", "127.0.0.1:9464"), ("0.0.0.0:1", "0.0.0.0:1"), ("[::1]:0", "[::1]:0")):
        assert read(tmp_path, ABSFIN_METRICS_LISTEN=given).telemetry == TelemetrySettings(address, "")


def test_the_collector_is_an_address_without_the_path_of_a_signal(tmp_path: Path) -> None:
    found = read(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://collector:4318/").telemetry
    assert found == TelemetrySettings("", "http://collector:4318")


def test_without_the_extra_a_variable_of_all_programs_is_no_reason_not_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An address for figures of this server is one, and so is the collector where it is named to this server alone."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)  # as where it is not installed
    settings = read(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://collector:4318")
    assert _telemetry(settings) is None
    (record,) = caplog.records
    assert (record.levelname, "needs the extra `telemetry`: pip install" in record.message) == ("WARNING", True)
    for arguments, environment in (
        (["--otlp-endpoint", "http://collector:4318"], {}),
        ([], {"ABSFIN_METRICS_LISTEN": "9464", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}),
    ):
        with pytest.raises(WrongSetting, match="needs the extra `telemetry`"):
            Settings.read(arguments, {"ABSFIN_DATA_DIR": str(tmp_path), **environment})


@pytest.mark.parametrize("wrong", ["here", ":9464", "host:", "host:65536", "host:-1"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(WrongSetting, match=r"--metrics-listen \(ABSFIN_METRICS_LISTEN\) must be host:port or a port"):
        read(tmp_path, ABSFIN_METRICS_LISTEN=wrong)


@pytest.mark.parametrize("wrong", ["collector:4318", "file:///x", "http://", "http://x:0", "http://[x"])
def test_a_collector_that_is_none_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(WrongSetting, match=r"\(OTEL_EXPORTER_OTLP_ENDPOINT\) must be an address such as"):
        read(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=wrong)


def test_figures_that_others_can_read_are_warned_of(tmp_path: Path) -> None:
    assert not list(security_warnings(read(tmp_path, ABSFIN_METRICS_LISTEN="9464")))
    (warning,) = security_warnings(read(tmp_path, ABSFIN_METRICS_LISTEN="0.0.0.0:9464"))
    assert "let only Prometheus reach it" in warning


def test_an_address_that_is_taken_is_refused() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(WrongSetting, match=r"--metrics-listen \(ABSFIN_METRICS_LISTEN\) cannot be bound"):
            Telemetry(TelemetrySettings(address), "1")


class Ended:
    """The context of a call that has ended well."""

    def code(self) -> int:
        return 0


@pytest.mark.alone
def test_measuring_costs_a_call_next_to_nothing() -> None:
    """Of the processor's time, so that what else the machine does makes no difference."""
    calls, method, context = 2000, RpcMethod("/absfinance.v1.OptimizationService/Optimize", False, False), Ended()

    async def seconds_a_call(metrics: Any) -> float:
        start = time.thread_time()
        for _ in range(calls):
            async with metrics.intercept(method, context):
                pass
        return (time.thread_time() - start) / calls

    metrics = CallMetrics(Figures())
    assert min(asyncio.run(seconds_a_call(metrics)) for _ in range(5)) < MOST_SECONDS_A_CALL


def test_a_collector_that_keeps_silent_keeps_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        tracer = OtlpTracer(f"http://127.0.0.1:{silent.getsockname()[1]}", "1")
        for _ in range(2000):
            tracer.start("x", Kind.INTERNAL, {}).end()
        start = time.monotonic()
        tracer.close()
        assert time.monotonic() - start < 5.0


def test_a_collector_that_is_away_keeps_nobody() -> None:
    """Neither whoever adds figures, nor the end of the server for long."""
    telemetry = Telemetry(TelemetrySettings("", "http://127.0.0.1:1"), "1")
    durations = telemetry.figures.durations("d", "", "label")
    durations.add(0.1, "x")
    start = time.monotonic()
    telemetry.close()
    assert time.monotonic() - start < 10.0
    assert durations.read()[0][1].sum == 0.1
