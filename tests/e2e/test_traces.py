"""Traces, as a collector of OpenTelemetry is sent them: from the call of a client to the store, and of jobs."""

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import httpx
import pytest

from tests.conftest import HAS_WEB, RunningServer, Wire
from tests.e2e.asked_requests import BACKTEST, LONG

if not find_spec("opentelemetry"):
    pytest.skip("the extra `telemetry` is not installed: no server traces", allow_module_level=True)

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.e2e.collector import Collector, attributes, collecting

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
OPTIMIZE = "OptimizationService/Optimize"
OWN_WORDS = "only-in-the-request"
ASSETS = [f"S{i}" for i in range(80)]


def problem(n_assets: int) -> dict[str, Any]:
    """A small one is solved in a thread of the server, a large one in a worker process."""
    covariance = [0.04 if i == j else 0.01 for i in range(n_assets) for j in range(n_assets)]
    moments = {"symbols": ASSETS[:n_assets], "covariance": covariance, "periodsPerYear": 12}
    return {"moments": moments, "objective": {"minRisk": {}}, "label": OWN_WORDS}


@dataclass(frozen=True)
class Traced:
    running: RunningServer
    collector: Collector

    def wire(self, trace: str, flags: str = "01") -> Wire:
        sent = (("traceparent", f"00-{trace}-{PARENT}-{flags}"), ("authorization", "Bearer absfin_x.secret-of-mine"))
        return Wire(self.running.channel(), sent)

    def whole(self, trace: str) -> dict[str, Span]:
        """The spans of a trace by name, once that of the call is there, which ends last."""
        ended = lambda: any(span.kind == Span.SPAN_KIND_SERVER for span in self.collector.spans(trace))  # noqa: E731
        self.collector.until(ended, f"the call of {trace}")
        return {span.name: span for span in self.collector.spans(trace)}


@pytest.fixture(scope="module")
def traced(start_server: Callable[..., RunningServer]) -> Iterator[Traced]:
    with collecting() as collector:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        browsers = ("--web-listen", "127.0.0.1:0") if HAS_WEB else ()
        yield Traced(start_server("--workers", "1", *browsers, environment=environment), collector)


def test_one_trace_leads_from_the_caller_by_a_worker_to_the_store(traced: Traced) -> None:
    traced.wire(TRACE).call(OPTIMIZE, problem(80))
    spans = traced.whole(TRACE)
    call, waited, worked, stored = (
        spans[name] for name in (f"absfinance.v1.{OPTIMIZE}", "wait for a worker", "work", "sqlite write")
    )
    assert call.parent_span_id.hex() == PARENT
    assert call.kind == Span.SPAN_KIND_SERVER
    assert attributes(call) == {
        "rpc.system.name": "grpc",
        "rpc.method": f"absfinance.v1.{OPTIMIZE}",
        "rpc.response.status_code": "OK",
    }
    for inner in (waited, worked, stored):
        assert inner.parent_span_id == call.span_id
        assert call.start_time_unix_nano <= inner.start_time_unix_nano
        assert inner.start_time_unix_nano <= inner.end_time_unix_nano <= call.end_time_unix_nano
    assert attributes(worked)["process.pid"] != traced.running.process.pid
    assert attributes(worked)["host.name"] == platform.node()
    assert attributes(stored) == {"db.system.name": "sqlite", "db.operation.name": "write"}
    assert stored.kind == Span.SPAN_KIND_CLIENT


def test_a_small_problem_is_traced_from_its_thread_to_the_store(traced: Traced) -> None:
    trace = "1" * 32
    traced.wire(trace).call(OPTIMIZE, problem(2))
    spans = traced.whole(trace)
    assert spans["work"].parent_span_id == spans[f"absfinance.v1.{OPTIMIZE}"].span_id
    assert "sqlite write" in spans


@pytest.mark.skipif(not HAS_WEB, reason="the extra `web` is not installed: no server serves browsers")
def test_the_trace_of_a_page_leads_to_the_store_too(traced: Traced) -> None:
    trace = "6" * 32
    headers = {"traceparent": f"00-{trace}-{PARENT}-01"}
    with httpx.Client(base_url=traced.running.browsers, timeout=60.0, trust_env=False) as page:
        answer = page.post(f"/absfinance.v1.{OPTIMIZE}", json=problem(2), headers=headers)
    assert answer.status_code == 200
    spans = traced.whole(trace)
    assert spans[f"absfinance.v1.{OPTIMIZE}"].parent_span_id.hex() == PARENT
    assert "sqlite write" in spans


def test_a_call_that_fails_says_how(traced: Traced) -> None:
    trace = "2" * 32
    assert traced.wire(trace).refused("OptimizationService/GetOptimization", {"name": "optimizations/none"}).code
    (call,) = [span for span in traced.whole(trace).values() if span.kind == Span.SPAN_KIND_SERVER]
    assert attributes(call)["rpc.response.status_code"] == "NOT_FOUND"
    assert "error.type" not in attributes(call), "by the conventions what the caller did wrong is no error of a server"


def test_a_job_has_a_trace_of_its_own_with_a_link_to_the_call(traced: Traced) -> None:
    trace = "3" * 32
    made = traced.wire(trace).call("BacktestService/Backtest", BACKTEST)
    assert made["state"] == "BACKTEST_STATE_SUCCEEDED"
    call = traced.whole(trace)["absfinance.v1.BacktestService/Backtest"]
    (job,) = traced.collector.until(
        lambda: [span for span in traced.collector.all() if span.name == "backtest"], "the span of the job"
    )
    assert job.trace_id != call.trace_id
    assert not job.parent_span_id
    assert attributes(job) == {"absfin.job.id": made["name"].removeprefix("backtests/")}
    (link,) = job.links
    assert (link.trace_id, link.span_id) == (call.trace_id, call.span_id)
    inner = {span.name for span in traced.collector.spans(job.trace_id.hex())}
    assert {"backtest", "wait for a worker", "work", "sqlite write"} <= inner


def test_a_job_that_another_server_goes_on_with_has_the_link_too(
    traced: Traced, start_server: Callable[..., RunningServer]
) -> None:
    trace = "8" * 32
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": traced.collector.address, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    first = Traced(start_server("--workers", "1", environment=environment), traced.collector)
    caller = first.wire(trace)
    name = caller.call("BacktestService/Backtest", {**LONG, "requestId": "killed"})["name"]
    running = lambda: caller.call("BacktestService/GetBacktest", {"name": name})["state"] == "BACKTEST_STATE_RUNNING"  # noqa: E731
    traced.collector.until(running, "the first attempt")
    call = first.whole(trace)["absfinance.v1.BacktestService/Backtest"]
    first.running.process.kill()
    first.running.process.wait(10)
    second = start_server("--workers", "1", environment=environment, data_dir=first.running.data_dir)
    wire = Wire(second.channel())
    notices = wire.stream("BacktestService/BacktestProgress", {"backtest": name}, timeout=30)
    assert any(notice.get("milestone", {}).get("kind") == "KIND_RESUMED" for notice in notices)
    wire.call("BacktestService/CancelBacktest", {"name": name})
    job_id = name.removeprefix("backtests/")
    (job,) = traced.collector.until(
        lambda: [span for span in traced.collector.all() if attributes(span).get("absfin.job.id") == job_id], "its span"
    )
    assert [(link.trace_id, link.span_id) for link in job.links] == [(call.trace_id, call.span_id)]


def test_a_caller_who_keeps_no_trace_has_none_kept(traced: Traced) -> None:
    silent, after = "4" * 32, "5" * 32
    traced.wire(silent, flags="00").call(OPTIMIZE, problem(2))
    traced.wire(after).call(OPTIMIZE, problem(2))
    traced.whole(after)
    assert traced.collector.spans(silent) == []


@pytest.mark.parametrize("sent", ["", "00-xyz", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01"])
def test_what_is_no_traceparent_begins_a_trace(traced: Traced, sent: str) -> None:
    before = len(traced.collector.all())
    method = "absfinance.v1.AdminService/GetServerInfo"
    Wire(traced.running.channel(), (("traceparent", sent),)).call("AdminService/GetServerInfo", {})
    found: list[Span] = traced.collector.until(
        lambda: [span for span in traced.collector.all()[before:] if span.name == method], "the call"
    )
    assert not found[-1].parent_span_id
    assert found[-1].trace_id.hex() != TRACE


def test_log_lines_of_a_call_have_the_id_of_its_trace(traced: Traced) -> None:
    trace = "6" * 32
    traced.wire(trace).call(OPTIMIZE, problem(2))
    assert f'"trace_id": "{trace}"' in (traced.running.data_dir / "server.log").read_text()


def test_nothing_of_a_request_and_no_key_is_in_a_trace(traced: Traced) -> None:
    trace = "7" * 32
    traced.wire(trace).call(OPTIMIZE, problem(80))
    traced.whole(trace)
    sent = b"".join(traced.collector.received)
    for secret in (OWN_WORDS, "secret-of-mine", "S79"):
        assert secret.encode() not in sent
