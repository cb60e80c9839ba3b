"""Browsers: every protocol over real HTTP, who may call, limits, and what happens when somebody leaves."""

import base64
import gzip
import json
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import psutil
import pytest
from absfinance.v1.backtest_service_pb2 import BacktestProgressRequest, BacktestProgressResponse
from absfinance.v1.optimization_pb2 import InfeasibilityReport, Optimization
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from google.protobuf import json_format
from google.rpc.status_pb2 import Status

from server.web.methods import all_methods
from server.web.openapi import openapi_document
from tests.conftest import ROOT, RunningServer
from tests.e2e.event_log import signal, written_log
from tests.e2e.test_remote_tls import self_signed

PAGE = "https://desk.example.com"
OPTIMIZE = "/absfinance.v1.OptimizationService/Optimize"
WATCH = "/absfinance.v1.EventService/WatchEvents"
PROGRESS = "/absfinance.v1.BacktestService/BacktestProgress"
MOMENTS = {
    "symbols": ["A", "B"],
    "expectedReturns": [0.01, 0.02],
    "covariance": [0.04, 0.01, 0.01, 0.09],
    "periodsPerYear": 12,
}
PROBLEM = {"moments": MOMENTS, "objective": {"minRisk": {}}, "validateOnly": False}
CAPS = [{"label": "caps", "weightBounds": {"lower": 0.0, "upper": 0.4}}]
WEIGHTS = {"A": 8 / 11, "B": 3 / 11}
"""Least variance of two assets: (s2² - s12) / (s1² + s2² - 2 s12)."""


@pytest.fixture(scope="module")
def served(start_server: Callable[..., RunningServer]) -> RunningServer:
    flags = ("--workers", "1", "--web-listen", "127.0.0.1:0", "--web-origins", f"{PAGE},http://localhost:5173")
    return start_server(*flags, "--web-max-calls", "3")


@pytest.fixture
def browser(served: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.browsers, timeout=60.0, trust_env=False) as client:
        yield client


def frame(data: bytes, flags: int = 0) -> bytes:
    return struct.pack(">BI", flags, len(data)) + data


def frames(body: bytes) -> list[tuple[int, bytes]]:
    found = []
    while body:
        flags, size = struct.unpack(">BI", body[:5])
        found.append((flags, body[5 : 5 + size]))
        assert len(found[-1][1]) == size, "cut"
        body = body[5 + size :]
    return found


def message(**fields: Any) -> bytes:
    encoded: bytes = json_format.ParseDict({**PROBLEM, **fields}, OptimizeRequest()).SerializeToString()
    return encoded


def text_frames(body: bytes) -> bytes:
    """What a body of gRPC-Web in base64 says: each part is padded by itself."""
    decoded = b""
    while body:
        end = next((i for i in range(4, len(body) + 1, 4) if body[i - 1 : i] == b"="), len(body))
        decoded += base64.b64decode(body[:end], validate=True)
        body = body[end:]
    return decoded


def grpc_web(response: httpx.Response) -> tuple[list[bytes], dict[str, str]]:
    """Messages and trailers."""
    assert response.status_code == 200
    body = response.content
    found = frames(text_frames(body) if "text" in response.headers["content-type"] else body)
    *messages, (flags, trailers) = found
    assert flags == 0x80
    assert all(flag == 0 for flag, _ in messages)
    pairs = (line.split(": ", 1) for line in trailers.decode().split("\r\n") if line)
    return [data for _, data in messages], dict(pairs)  # type: ignore[arg-type]  # each line has two parts


def weights_of(answer: Optimization) -> dict[str, float]:
    return {entry.symbol: pytest.approx(entry.weight, abs=1e-7) for entry in answer.weights}


def post(browser: httpx.Client, path: str, kind: str, body: bytes, **headers: str) -> httpx.Response:
    return browser.post(path, content=body, headers={"content-type": kind, **headers})


def refused(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code and reason of an error of Connect."""
    error = response.json()
    reasons = [d["debug"]["reason"] for d in error.get("details", []) if d["type"] == "google.rpc.ErrorInfo"]
    return response.status_code, error["code"], "".join(reasons)


def test_an_answer_in_every_protocol(browser: httpx.Client) -> None:
    plain = post(browser, OPTIMIZE, "application/json", json.dumps(PROBLEM).encode())
    assert (plain.status_code, plain.headers["content-type"]) == (200, "application/json")
    assert plain.headers["trailer-x-request-id"]
    assert {w["symbol"]: pytest.approx(w["weight"], abs=1e-7) for w in plain.json()["weights"]} == WEIGHTS
    binary = post(browser, OPTIMIZE, "application/proto", message(), **{"x-request-id": "from-the-page"})
    assert weights_of(Optimization.FromString(binary.content)) == WEIGHTS
    assert binary.headers["trailer-x-request-id"] == "from-the-page"
    for kind in ("application/grpc-web", "application/grpc-web+proto", "application/grpc-web-text"):
        body = frame(message())
        sent = base64.b64encode(body[:7]) + base64.b64encode(body[7:]) if "text" in kind else body
        response = post(browser, OPTIMIZE, kind, sent, **{"x-request-id": "from-the-page"})
        (answer,), trailers = grpc_web(response)
        assert weights_of(Optimization.FromString(answer)) == WEIGHTS
        assert trailers == {"grpc-status": "0", "x-request-id": "from-the-page"}
        assert response.headers["content-type"] == kind


def test_an_error_in_every_protocol(browser: httpx.Client) -> None:
    impossible = {**PROBLEM, "constraints": CAPS}
    plain = post(browser, OPTIMIZE, "application/json", json.dumps(impossible).encode())
    assert refused(plain) == (400, "failed_precondition", "PROBLEM_INFEASIBLE")
    [report] = [d for d in plain.json()["details"] if d["type"] == "absfinance.v1.InfeasibilityReport"]
    assert report["debug"]["conflicts"][0]["label"] == "caps"
    known = InfeasibilityReport.FromString(base64.b64decode(report["value"] + "=" * (-len(report["value"]) % 4)))
    assert known.conflicts[0].smallest_relaxation == pytest.approx(0.1)
    for kind in ("application/grpc-web+proto", "application/grpc-web-text+proto"):
        body = frame(message(constraints=CAPS))
        response = post(browser, OPTIMIZE, kind, base64.b64encode(body) if "text" in kind else body)
        messages, trailers = grpc_web(response)
        assert messages == []
        assert trailers["grpc-status"] == "9"
        assert unquote(trailers["grpc-message"]) == plain.json()["message"]
        packed = trailers["grpc-status-details-bin"]
        status = Status.FromString(base64.b64decode(packed + "=" * (-len(packed) % 4)))
        assert any(detail.Unpack(InfeasibilityReport()) for detail in status.details)


@pytest.mark.parametrize(
    ("sent", "field", "rule"),
    [
        ({"constraint": []}, "constraint", "did you mean `constraints`?"),
        ({"moments": {**MOMENTS, "symbols": ["A", 3]}}, "moments.symbols[1]", "must be a text"),
        ({"constraints": [{}, {"weightBounds": {"uper": 1}}]}, "constraints[1].weight_bounds.uper", "`upper`"),
        ({"objective": {"minRisk": {}, "maxRatio": {}}}, "objective", "two fields of one oneof"),
        ({"riskMeasure": "RISK_MEASURE_NONSENSE"}, "risk_measure", "a name of absfinance.v1.RiskMeasure"),
        ({"solver": {"timeLimit": "soon"}}, "solver.time_limit", "a google.protobuf.Duration"),
        ({"constraints": [{"\ud800": 1}]}, "constraints[0].\\ud800", "is no field of absfinance.v1.Constraint"),
        (
            {"constraints": [{"weightBounds": {"upper": True}}]},
            "constraints[0].weight_bounds.upper",
            "must be a number",
        ),
        ({"constraints": [{"weightBounds": {"upper": "1_0"}}]}, "constraints[0].weight_bounds.upper", "a number"),
        ({"moments": {**MOMENTS, "expectedReturns": [0.01, True]}}, "moments.expected_returns", "must be a number"),
        ({"riskMeasure": "\udfff"}, "risk_measure", "a name of absfinance.v1.RiskMeasure"),
        ({"x" * 100_000: 1}, "x" * 64 + "...", "is no field of absfinance.v1.OptimizeRequest"),
    ],
)
def test_json_is_strict(browser: httpx.Client, sent: dict[str, Any], field: str, rule: str) -> None:
    response = post(browser, OPTIMIZE, "application/json", json.dumps({**PROBLEM, **sent}).encode())
    assert refused(response) == (400, "invalid_argument", "INVALID_INPUT")
    [bad] = [d["debug"] for d in response.json()["details"] if d["type"] == "google.rpc.BadRequest"]
    [violation] = bad["fieldViolations"]
    assert violation["field"] == field
    assert rule in violation["description"]


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"moments": {}, "moments": {}}', b"\xff", b'{"a":' * 500, b"NaN", b"9" * 6000]
)
def test_what_is_no_json_is_refused(browser: httpx.Client, body: bytes) -> None:
    assert refused(post(browser, OPTIMIZE, "application/json", body)) == (400, "invalid_argument", "INVALID_INPUT")


@pytest.mark.parametrize("kind", ["application/json", "application/grpc-web+proto"])
def test_a_large_body_is_refused(browser: httpx.Client, kind: str) -> None:
    body = frame(bytes(5 << 20)) if "grpc" in kind else bytes(5 << 20)
    response = post(browser, OPTIMIZE, kind, body)
    if "grpc" in kind:
        _, trailers = grpc_web(response)
        assert trailers["grpc-status"] == "3"
        assert "4194304 bytes at most" in trailers["grpc-message"]
    else:
        assert refused(response) == (400, "invalid_argument", "INVALID_INPUT")
        assert "4194304 bytes at most: import larger data first" in response.json()["message"]


def test_a_deadline(browser: httpx.Client) -> None:
    body = json.dumps(PROBLEM).encode()
    late = post(browser, OPTIMIZE, "application/json", body, **{"connect-timeout-ms": "0"})
    assert refused(late)[:2] == (504, "deadline_exceeded")
    _, trailers = grpc_web(post(browser, OPTIMIZE, "application/grpc-web", frame(message()), **{"grpc-timeout": "1n"}))
    assert trailers["grpc-status"] == "4"
    ages = {"grpc-timeout": "99999999H"}
    assert post(browser, OPTIMIZE, "application/json", body, **ages).status_code == 200
    wrong = post(browser, OPTIMIZE, "application/json", body, **{"connect-timeout-ms": "soon"})
    assert refused(wrong) == (400, "invalid_argument", "INVALID_INPUT")


def test_what_is_no_call(browser: httpx.Client) -> None:
    assert browser.get(OPTIMIZE).status_code == 405
    assert browser.post("/absfinance.v1.OptimizationService/Nothing").status_code == 404
    assert browser.get("/").status_code == 404
    wrong = post(browser, OPTIMIZE, "text/plain", b"{}")
    assert (wrong.status_code, wrong.headers["accept-post"].split(", ")[0]) == (415, "application/json")
    assert post(browser, WATCH, "application/json", b"{}").status_code == 415
    packed = post(browser, OPTIMIZE, "application/json", b"{}", **{"content-encoding": "gzip"})
    assert refused(packed) == (400, "invalid_argument", "INVALID_INPUT")
    for body in (b"", frame(b"") * 2, frame(message())[:-1]):
        _, trailers = grpc_web(post(browser, OPTIMIZE, "application/grpc-web", body))
        assert trailers["grpc-status"] == "3", body


def test_compressed_bodies_are_refused_unread(browser: httpx.Client) -> None:
    """However little they weigh: 64 MiB of zeros are 64 KiB."""
    packed = gzip.compress(bytes(64 << 20))
    assert refused(post(browser, OPTIMIZE, "application/json", packed, **{"content-encoding": "gzip"})) == (
        400,
        "invalid_argument",
        "INVALID_INPUT",
    )
    for headers in ({}, {"grpc-encoding": "gzip"}):
        _, trailers = grpc_web(post(browser, OPTIMIZE, "application/grpc-web", frame(packed, flags=1), **headers))
        assert trailers["grpc-status"] == "3"
        assert "compression is not supported" in trailers["grpc-message"]


def test_deeply_nested_json_is_refused(browser: httpx.Client) -> None:
    """Of fields that there are: a strategy of strategies."""
    opening, closing = '{"blend":{"parts":[{"strategy":', "}]}}"
    for levels in (40, 3000):
        body = f'{{"strategy":{opening * levels}{{}}{closing * levels}}}'.encode()
        answer = post(browser, "/absfinance.v1.BacktestService/Backtest", "application/json", body)
        assert refused(answer) == (400, "invalid_argument", "INVALID_INPUT")


def test_pages_of_the_settings_may_call(browser: httpx.Client) -> None:
    asked = {"origin": PAGE, "access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    preflight = browser.options(OPTIMIZE, headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == PAGE
    allowed = preflight.headers["access-control-allow-headers"].split(", ")
    needed = ("authorization", "content-type", "connect-protocol-version", "connect-timeout-ms", "x-grpc-web")
    assert {*needed, "traceparent"} <= {*allowed}
    assert "access-control-allow-credentials" not in preflight.headers
    answer = post(browser, OPTIMIZE, "application/json", json.dumps(PROBLEM).encode(), origin=PAGE)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, PAGE)
    assert answer.headers["vary"] == "origin"


@pytest.mark.parametrize("origin", ["https://elsewhere.example", f"{PAGE}.example", "null", f"{PAGE}:8443"])
def test_other_pages_may_not(browser: httpx.Client, origin: str) -> None:
    preflight = browser.options(OPTIMIZE, headers={"origin": origin, "access-control-request-method": "POST"})
    answer = post(browser, OPTIMIZE, "application/json", json.dumps(PROBLEM).encode(), origin=origin)
    for response in (preflight, answer):
        assert refused(response)[:2] == (403, "permission_denied")
        assert not [name for name in response.headers if name.startswith("access-control")]


def backtest(browser: httpx.Client) -> str:
    """A backtest of some hundred dates that has been started."""
    dates = list(range(600))
    values = [100.0 + 0.1 * (day + asset) + (day * (3 + asset)) % 7 for day in dates for asset in range(3)]
    request = {
        "prices": {"symbols": ["A", "B", "C"], "dates": dates, "values": values},
        "periodsPerYear": 252,
        "strategy": {"equalWeight": {}},
        "rebalancing": {"everyPeriods": {"n": 5}},
    }
    started = post(browser, "/absfinance.v1.BacktestService/Backtest", "application/json", json.dumps(request).encode())
    assert started.status_code == 200, started.text
    name: str = started.json()["name"]
    return name


def milestones(events: list[BacktestProgressResponse]) -> list[int]:
    return [event.sequence for event in events if event.WhichOneof("event") in ("milestone", "finished")]


def test_a_backtest_is_followed_by_every_protocol(browser: httpx.Client) -> None:
    name = backtest(browser)
    request = BacktestProgressRequest(backtest=name).SerializeToString()
    web = [post(browser, PROGRESS, f"application/grpc-web{kind}", body) for kind, body in (
        ("+proto", frame(request)), ("-text", base64.b64encode(frame(request))))]  # fmt: skip
    followed = []
    for response in web:
        messages, trailers = grpc_web(response)
        assert trailers["grpc-status"] == "0"
        followed.append([BacktestProgressResponse.FromString(data) for data in messages])
    for kind, body in (("json", json.dumps({"backtest": name}).encode()), ("proto", request)):
        response = post(browser, PROGRESS, f"application/connect+{kind}", frame(body))
        *messages, (flags, end) = frames(response.content)
        assert (flags, set(json.loads(end))) == (2, {"metadata"})
        assert response.headers["x-request-id"] == json.loads(end)["metadata"]["x-request-id"][0]
        read = json_format.Parse if kind == "json" else lambda data, into: into.FromString(data)
        followed.append([read(data, BacktestProgressResponse()) for _, data in messages])
    assert all(events[-1].WhichOneof("event") == "finished" for events in followed)
    assert all(milestones(events) == milestones(followed[0]) for events in followed)
    assert len(milestones(followed[0])) >= 2


def test_a_stream_that_fails(browser: httpx.Client) -> None:
    nothing = json.dumps({"backtest": "backtests/none"}).encode()
    response = post(browser, PROGRESS, "application/connect+json", frame(nothing))
    [(flags, end)] = frames(response.content)
    assert (response.status_code, flags) == (200, 2)
    assert json.loads(end)["error"]["code"] == "not_found"


def test_messages_of_the_caller_are_passed_on(browser: httpx.Client) -> None:
    path = "/absfinance.v1.MarketDataService/ImportPrices"
    broken = post(browser, path, "application/connect+proto", b"\x00\x00")
    [(_, end)] = frames(broken.content)
    assert json.loads(end)["error"]["message"] == "the body ends within a message"
    batch = "/absfinance.v1.OptimizationService/OptimizeBatch"
    shared = {"universe": {"moments": MOMENTS, "spec": {"objective": {"minRisk": {}}}}}
    accounts = [{"account": {"key": f"account-{index}"}} for index in range(3)]
    body = b"".join(frame(json.dumps(one).encode()) for one in (shared, *accounts))
    response = post(browser, batch, "application/connect+json", body)
    *answers, (_, end) = frames(response.content)
    assert "error" not in json.loads(end), end
    assert {json.loads(data)["key"] for _, data in answers} == {"account-0", "account-1", "account-2"}


@contextmanager
def watching(browser: httpx.Client) -> Iterator[httpx.Response]:
    headers = {"content-type": "application/connect+json"}
    with browser.stream("POST", WATCH, content=frame(b"{}"), headers=headers, timeout=30.0) as response:
        yield response


def ends(served: RunningServer, method: str) -> list[str]:
    """How the calls of a method ended, by the log of the server."""
    lines = map(json.loads, (served.data_dir / "server.log").read_text().splitlines())
    return [line["code"] for line in lines if line.get("method") == method]


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_a_stream_is_live_and_ends_when_the_browser_leaves(served: RunningServer, browser: httpx.Client) -> None:
    before = len(ends(served, WATCH))
    with watching(browser) as response:
        parts = response.iter_raw()
        assert response.headers["x-request-id"]
        with written_log(served.data_dir) as log:
            log.append(signal("A left its band"))
        read = b""
        while b"A left its band" not in read:
            read += next(parts)
        assert len(ends(served, WATCH)) == before
    wait_for(lambda: len(ends(served, WATCH)) > before, "the call still runs")
    assert ends(served, WATCH)[-1] == "CANCELLED"


@contextmanager
def watching_by_hand(served: RunningServer) -> Iterator[socket.socket]:
    """The connection of a stream that is open."""
    host, _, port = served.browsers.removeprefix("http://").rpartition(":")
    lines = (f"POST {WATCH} HTTP/1.1", f"host: {host}", "content-type: application/connect+json", "content-length: 7")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.sendall("\r\n".join((*lines, "", "")).encode() + frame(b"{}"))
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
        yield client


@pytest.mark.parametrize("kind", ["application/proto", "application/grpc-web+proto"])
def test_a_call_ends_when_the_browser_leaves(served: RunningServer, browser: httpx.Client, kind: str) -> None:
    """One that would take seconds: power cones over a thousand outcomes."""
    before = len(ends(served, OPTIMIZE))
    values = [(7 * row * row + 13 * row * asset) % 101 / 5000 - 0.01 for row in range(1000) for asset in range(60)]
    returns = {"symbols": [f"S{asset}" for asset in range(60)], "dates": list(range(1000)), "values": values}
    heavy = {
        "returns": returns,
        "periodsPerYear": 252,
        "objective": {"minRisk": {}},
        "riskMeasure": "RISK_MEASURE_RLVAR",
    }
    sent = json_format.ParseDict(heavy, OptimizeRequest()).SerializeToString()
    body = frame(sent) if "grpc" in kind else sent
    with pytest.raises(httpx.ReadTimeout):
        browser.post(OPTIMIZE, content=body, headers={"content-type": kind}, timeout=httpx.Timeout(60.0, read=0.5))
    wait_for(lambda: len(ends(served, OPTIMIZE)) > before, "the call still runs", 60.0)
    assert ends(served, OPTIMIZE)[before:] == ["CANCELLED"]


def test_a_client_that_sends_more_than_its_request_is_seen_to_leave(served: RunningServer) -> None:
    before = len(ends(served, WATCH))
    with watching_by_hand(served) as client:
        client.sendall(b"POST")  # the beginning of its next request
        time.sleep(0.2)
    # Sooner than by the next heartbeat, which nobody would read.
    wait_for(lambda: len(ends(served, WATCH)) > before, "the call still runs", 10.0)


def test_a_connection_takes_no_more_than_headers_before_it_has_answered(served: RunningServer) -> None:
    with watching_by_hand(served) as client, pytest.raises(ConnectionError):
        client.sendall(bytes(100 << 20))


def test_streams_are_limited_and_calls_are_not_held_up_by_them(served: RunningServer) -> None:
    with httpx.Client(base_url=served.browsers, timeout=60.0, trust_env=False) as client:
        with watching(client), watching(client), watching(client):
            with watching(client) as fourth:
                [(_, end)] = frames(fourth.read())
                assert json.loads(end)["error"]["code"] == "resource_exhausted"
                assert "OVERLOADED" in end.decode()
            assert post(client, OPTIMIZE, "application/json", json.dumps(PROBLEM).encode()).status_code == 200

        def has_place() -> bool:
            with watching(client) as again:
                return "x-request-id" in again.headers

        wait_for(has_place, "places of streams that have ended are not given back")


def test_health_and_the_document_of_the_methods(served: RunningServer, browser: httpx.Client) -> None:
    health = browser.get("/healthz")
    assert (health.status_code, health.json()) == (200, {"status": "SERVING"})
    checked = post(browser, "/grpc.health.v1.Health/Check", "application/json", b"{}")
    assert checked.json() == {"status": "SERVING"}
    document = browser.get("/openapi.json").json()
    assert document == json.loads(openapi_document(all_methods().values()))


def test_who_calls_is_asked_and_nobody_else_reads_it(
    start_server: Callable[..., RunningServer], tmp_path: Path
) -> None:
    certificate, private = self_signed(tmp_path)
    flags = ("--workers", "1", "--web-listen", "127.0.0.1:0", "--auth", "keys", "--health-access", "closed")
    server = start_server(*flags, "--tls-cert", str(certificate), "--tls-key", str(private))
    assert server.browsers.startswith("https://")
    trusted = ssl.create_default_context(cafile=str(certificate))
    create = [sys.executable, "-m", "server", "keys", "create", "--role", "reader", "--data-dir", str(server.data_dir)]
    key = subprocess.run(create, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT).stdout.strip()
    lists = "/absfinance.v1.PortfolioService/ListPortfolios"
    with httpx.Client(base_url=server.browsers, timeout=60.0, trust_env=False, verify=trusted) as client:
        assert refused(post(client, lists, "application/json", b"{}")) == (401, "unauthenticated", "TOKEN_MISSING")
        wrong = post(client, lists, "application/json", b"{}", authorization="Bearer absfin_nobody_x")
        assert refused(wrong) == (401, "unauthenticated", "TOKEN_INVALID")
        _, trailers = grpc_web(post(client, lists, "application/grpc-web", frame(b"")))
        assert trailers["grpc-status"] == "16"
        known = {"authorization": f"Bearer {key}"}
        assert post(client, lists, "application/json", b"{}", **known).json() == {}
        low = post(client, OPTIMIZE, "application/json", json.dumps(PROBLEM).encode(), **known)
        assert refused(low) == (403, "permission_denied", "ROLE_REQUIRED")
        assert client.get("/healthz").status_code == 401
        assert client.get("/healthz", headers=known).status_code == 200


def listener_of(server: RunningServer) -> list[psutil.Process]:
    return [p for p in psutil.Process(server.process.pid).children() if "server.web" in p.cmdline()]


def test_a_listener_that_dies_comes_back_and_ends_with_its_server(start_server: Callable[..., RunningServer]) -> None:
    server = start_server("--workers", "1", "--web-listen", "127.0.0.1:0")
    with httpx.Client(base_url=server.browsers, timeout=60.0, trust_env=False) as client:
        assert client.get("/healthz").status_code == 200
    [first] = listener_of(server)
    first.terminate()  # as a container that is stopped does to all processes: it serves until the server has drained
    first.kill()
    with httpx.Client(base_url=server.browsers, timeout=60.0, trust_env=False) as client:
        assert client.get("/healthz").status_code == 200
    [second] = listener_of(server)
    assert second.pid != first.pid
    server.process.terminate()
    server.process.wait(timeout=30)
    assert not second.is_running()
