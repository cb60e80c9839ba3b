"""A real server in a process of its own, for every test that goes over the wire."""

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import psutil
import pytest
from absfinance.v1.optimization_pb2 import InfeasibilityReport
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from scripts.free_port import free_port
from tests.families import mark_slow_tests, register_profiles
from tests.processes import first_line

if TYPE_CHECKING:
    from tests.supabase_stack import RunningStack

ROOT = Path(__file__).parents[1]
READY = "abs-finance is ready on "
LIGHT, COMPLETE = ("tests.light_server",), ("server",)
"""Programs of `start_server`."""
HAS_WEB = find_spec("uvicorn") is not None

register_profiles()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before pytest chooses by marks."""
    mark_slow_tests(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where ABSFIN_NO_SKIP is set, as in .ci/run, a test that skips has failed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("ABSFIN_NO_SKIP"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {report.longrepr}"
    return report


@dataclass(frozen=True)
class RunningServer:
    """A server process and its address."""

    address: str
    process: subprocess.Popen[str]
    data_dir: Path
    browsers: str = ""  # where it serves them, if it does

    def workers(self) -> list[psutil.Process]:
        """Its worker processes, forked from the template that it started, or started by that one."""
        templates = psutil.Process(self.process.pid).children()
        return [worker for template in templates for worker in template.children()]

    def job_workers(self) -> list[psutil.Process]:
        """Those that run backtests, which leave the processor to others first."""
        usual = psutil.Process(self.process.pid).nice()
        return [worker for worker in self.workers() if worker.nice() > usual]

    def channel(self) -> grpc.Channel:
        return grpc.insecure_channel(self.address, options=[("grpc.enable_http_proxy", 0)])


@contextmanager
def _servers(new_folder: Callable[[], Path]) -> Iterator[Callable[..., RunningServer]]:
    """Starts servers on free ports of loopback; they are ended by their own process id."""
    started: list[subprocess.Popen[str]] = []

    def start(
        *arguments: str,
        data_dir: Path | None = None,
        program: Sequence[str] = LIGHT,
        environment: Mapping[str, str] | None = None,
    ) -> RunningServer:
        if "--web-listen" in arguments and not HAS_WEB:
            pytest.skip("the extra `web` is not installed: no server serves browsers")
        folder = data_dir or new_folder()
        log = (folder / "server.log").open("a")
        flags = ["--listen", "127.0.0.1:0", "--data-dir", str(folder), *arguments]
        with log:
            command = [sys.executable, "-m", *program, *flags]
            variables = {**os.environ, **(environment or {})}
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, env=variables)
        started.append(process)
        line = first_line(process)
        assert line.startswith(READY), line + (folder / "server.log").read_text()
        browsers = line.strip().partition(", browsers on ")[2]
        return RunningServer(line.removeprefix(READY).split(",")[0], process, folder, browsers)

    try:
        yield start
    finally:
        for process in started:
            process.terminate()
        for process in started:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=20)
            if process.stdout:
                process.stdout.close()


@pytest.fixture(scope="module")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningServer]]:
    """Starts servers that end with the tests of a module: those of all modules would need too much memory."""
    with _servers(lambda: tmp_path_factory.mktemp("data")) as start:
        yield start


@pytest.fixture(scope="session")
def start_shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningServer]]:
    """Starts servers that many modules share."""
    with _servers(lambda: tmp_path_factory.mktemp("data")) as start:
        yield start


@pytest.fixture(scope="session")
def server(start_shared_server: Callable[..., RunningServer]) -> RunningServer:
    """One server that many tests share."""
    return start_shared_server(program=COMPLETE)


@pytest.fixture(scope="session")
def strategy_target() -> str:
    """A free address on which a test can serve a strategy that the sample server asks."""
    return _free_address()


@pytest.fixture
def free_target() -> str:
    """A free address on which a test can serve."""
    return _free_address()


@pytest.fixture(scope="session")
def system_stack() -> "Iterator[RunningStack]":
    """Supabase on the PostgreSQL of this machine. Tests share it: `empty` it first."""
    yield from _stack("system")


@pytest.fixture(scope="session")
def wheel_stack() -> "Iterator[RunningStack]":
    """Supabase on the PostgreSQL of a wheel."""
    yield from _stack("wheel")


def _stack(source: str) -> "Iterator[RunningStack]":
    from tests.supabase_stack import running_stack, why_not  # few tests need what this loads

    if cause := why_not(source):
        pytest.skip(cause)
    with running_stack(source) as found:
        yield found


def _free_address() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.fixture(scope="session")
def sample_server(start_shared_server: Callable[..., RunningServer], strategy_target: str) -> RunningServer:
    """A server with the prices of data/, imported as README says."""
    return _with_sample_data(start_shared_server("--strategy-targets", strategy_target, program=COMPLETE))


@pytest.fixture
def fresh_sample_server(start_server: Callable[..., RunningServer]) -> RunningServer:
    """The same, which nobody has called yet, and which serves browsers too where it can."""
    browsers = ("--web-listen", "127.0.0.1:0") if HAS_WEB else ()
    return _with_sample_data(start_server(*browsers, program=COMPLETE))


def _with_sample_data(running: RunningServer) -> RunningServer:
    subprocess.run(["scripts/load_sample_data", running.address], cwd=ROOT, check=True, capture_output=True, timeout=60)
    return running


@pytest.fixture(scope="session")
def channel(server: RunningServer) -> Iterator[grpc.Channel]:
    with server.channel() as opened:
        yield opened


@dataclass(frozen=True)
class Refusal:
    """What a failed call says, with its typed details."""

    code: str
    message: str
    reason: str
    fields: tuple[str, ...]
    conflicts: dict[str, float | None]
    metadata: dict[str, str]
    rules: tuple[str, ...]  # the reason of each field


class Wire:
    """Calls written in the JSON of the contract, as grpcurl sends them."""

    def __init__(self, channel: grpc.Channel, metadata: Sequence[tuple[str, str]] = ()) -> None:
        self._channel = channel
        self._metadata = metadata

    def call(self, method: str, request: str | dict[str, Any], timeout: float = 100.0) -> dict[str, Any]:
        """The answer of a unary method such as "OptimizationService/Optimize", as JSON."""
        descriptor = self._method(method)
        message = _message(descriptor.input_type)
        text = request if isinstance(request, str) else json.dumps(request)
        json_format.Parse(text, message)
        answer_kind = message_factory.GetMessageClass(descriptor.output_type)
        stub = self._channel.unary_unary(
            f"/absfinance.v1.{method}",
            request_serializer=lambda sent: sent.SerializeToString(),
            response_deserializer=answer_kind.FromString,
        )
        answer: dict[str, Any] = json_format.MessageToDict(stub(message, timeout=timeout, metadata=self._metadata))
        return answer

    def stream(self, method: str, request: dict[str, Any], timeout: float = 100.0) -> Iterator[dict[str, Any]]:
        """The answers of a server stream, as JSON."""
        descriptor = self._method(method)
        message = json_format.ParseDict(request, _message(descriptor.input_type))
        stub = self._channel.unary_stream(
            f"/absfinance.v1.{method}",
            request_serializer=lambda sent: sent.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(descriptor.output_type).FromString,
        )
        call = stub(message, timeout=timeout, metadata=self._metadata)
        try:
            for answer in call:
                yield json_format.MessageToDict(answer)
        finally:
            call.cancel()

    def refused(self, method: str, request: str | dict[str, Any], timeout: float = 100.0) -> Refusal:
        """The error of a call that must fail."""
        with pytest.raises(grpc.RpcError) as raised:
            self.call(method, request, timeout)
        return refusal_of(raised.value)

    @staticmethod
    def _method(method: str) -> MethodDescriptor:
        service, name = method.split("/")
        file = importlib.import_module(f"absfinance.v1.{_snake(service)}_pb2").DESCRIPTOR
        found: MethodDescriptor = file.services_by_name[service].methods_by_name[name]
        return found


def refusal_of(error: Any) -> Refusal:
    """The typed details of a failed call."""
    packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    info, bad, report = ErrorInfo(), BadRequest(), InfeasibilityReport()
    for detail in Status.FromString(packed).details if packed else ():
        for kind in (info, bad, report):
            if detail.Is(kind.DESCRIPTOR):
                detail.Unpack(kind)
    conflicts = {
        c.label: c.smallest_relaxation if c.HasField("smallest_relaxation") else None for c in report.conflicts
    }
    fields = tuple(violation.field for violation in bad.field_violations)
    rules = tuple(violation.reason for violation in bad.field_violations)
    metadata = dict(info.metadata)
    return Refusal(error.code().name, error.details(), info.reason, fields, conflicts, metadata, rules)


def _message(descriptor: Descriptor) -> Message:
    return message_factory.GetMessageClass(descriptor)()


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@pytest.fixture(scope="session")
def wire(channel: grpc.Channel) -> Wire:
    return Wire(channel)
