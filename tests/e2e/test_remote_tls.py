"""Services outside that speak TLS: asked where the authority of the settings has signed them, else unavailable."""

import subprocess
import sys
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from absfin import Client, Panel, Prices, strategies
from absfinance.v1 import strategy_service_pb2_grpc
from absfinance.v1.strategy_service_pb2 import DecideRequest, DecideResponse

from tests.conftest import Refusal, RunningServer, Wire, refusal_of
from tests.e2e.test_remote_liquidity import REALLOCATE, ask, started

Start = Callable[..., RunningServer]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return self_signed(tmp_path_factory.mktemp("tls"))


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, which is its own authority, and its key."""
    certificate, key = folder / "service.crt", folder / "service.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subject = ["-subj", "/CN=service", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "30"]
    files = ["-out", str(certificate), "-keyout", str(key)]
    subprocess.run([*command, *subject, *files], check=True, capture_output=True, timeout=60)
    return certificate, key


def reallocated(start_server: Start, address: str, *authority: str) -> dict[str, Any] | Refusal:
    """The answer of a server with these settings, or how it refuses."""
    options = ("--workers", "1", "--liquidity-target", address, "--max-remote-seconds", "3", *authority)
    with start_server(*options).channel() as channel:
        wire = Wire(channel)
        try:
            return wire.call(REALLOCATE, ask())
        except grpc.RpcError as error:
            return refusal_of(error)


def test_liquidity_over_tls(start_server: Start, pair: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = pair
    stranger, _ = self_signed(tmp_path)
    command = [sys.executable, "-m", "tests.e2e.liquidity_process", str(key), str(certificate)]
    process, address = started(command)
    try:
        signed = reallocated(start_server, address, "--remote-ca", str(certificate))
        assert isinstance(signed, dict)
        assert signed["liquidity"]["fromRemoteService"] is True
        for authority in ((), ("--remote-ca", str(stranger))):
            refused = reallocated(start_server, address, *authority)
            assert isinstance(refused, Refusal)
            assert refused.reason == "REMOTE_UNAVAILABLE"
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=20)
        assert process.stdout is not None
        process.stdout.close()


class Half(strategy_service_pb2_grpc.StrategyServiceServicer):
    def Decide(self, request: DecideRequest, context: grpc.ServicerContext) -> DecideResponse:  # noqa: N802
        return DecideResponse(weights=[{"symbol": "A", "weight": 0.5}])


def test_decisions_of_a_backtest_over_tls(start_server: Start, pair: tuple[Path, Path], free_target: str) -> None:
    certificate, key = (path.read_bytes() for path in pair)
    service = grpc.server(futures.ThreadPoolExecutor(1))
    strategy_service_pb2_grpc.add_StrategyServiceServicer_to_server(Half(), service)
    service.add_secure_port(free_target, grpc.ssl_server_credentials([(key, certificate)]))
    service.start()
    try:
        running = start_server("--workers", "1", "--strategy-targets", free_target, "--remote-ca", str(pair[0]))
        data = Prices(Panel.of(["A"], [18_000, 18_001, 18_002, 18_003], [[100.0], [100.0], [100.0], [120.0]]))
        with Client(running.address) as client:
            done = client.backtest(data, strategies.remote(free_target, timeout_seconds=10), wait_seconds=60)
        assert done.state == "succeeded", done.error
        assert done.metrics["total_return"] == pytest.approx(0.1)
    finally:
        service.stop(None).wait()


def test_a_file_that_is_no_certificate_stops_the_start(tmp_path: Path) -> None:
    (text := tmp_path / "ca.pem").write_text("not PEM")
    command = [sys.executable, "-m", "server", "--data-dir", str(tmp_path / "data"), "--remote-ca", str(text)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "--remote-ca (ABSFIN_REMOTE_CA) is not a PEM file of certificates" in done.stderr
