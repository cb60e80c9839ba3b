"""Long work on a Ray cluster of two nodes: the same bits as here, and what is lost goes on, whoever loses it.

The cluster and its server have a network of their own, with loopback alone; tests reach the server by its Unix socket.
The last tests kill nodes, so the order matters.
"""

import os
import platform
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import psutil
import pytest
from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceStub
from google.protobuf.json_format import MessageToDict, ParseDict
from grpc_health.v1 import health_pb2, health_pb2_grpc

from scripts.ray_local import ADDRESS, Cluster, Namespace, may_make_namespace
from tests.conftest import READY, ROOT, Wire
from tests.e2e.test_progress import FINAL, NAV, figures_of, follow, long_job, wait_for_checkpoint, wait_until
from tests.e2e.test_sweeps import TAIL_RISK, ended, finished_count, grid, pages, same
from tests.processes import first_line, standing_still

pytestmark = [
    pytest.mark.alone,  # its processes take the machine, and its tests follow each other
    pytest.mark.timeout(300),  # where the machine is busy, the cluster takes two minutes to start
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra `ray` is not installed"),
    pytest.mark.skipif(not may_make_namespace(), reason="no network namespace can be made here: it takes root"),
]

RNG = np.random.default_rng(31)
MOMENTS = {
    "symbols": ["A", "B"],
    "expectedReturns": [0.01, 0.02],
    "covariance": [0.04, 0.01, 0.01, 0.09],
    "periodsPerYear": 1,
}
LEAST_RISK = {"objective": {"minRisk": {}}}
PLAIN = {"moments": MOMENTS, "spec": LEAST_RISK}
RETURNS = {"symbols": ["A", "B"], "dates": list(range(1500)), "values": RNG.normal(0.0005, 0.01, 3000).tolist()}
TAILS = {
    "returns": RETURNS,
    "periodsPerYear": 252,
    "spec": {"objective": {"minRisk": {}}, "riskMeasure": "RISK_MEASURE_CVAR"},
}
"""A universe whose accounts take some milliseconds each."""

MIDDLE, LONG = 2000, 4000
"""Dates of a job: two seconds of work, and twice as many."""

FREE_SECONDS = 2.0
"""In which a cancelled job has left the cluster."""


@dataclass(frozen=True)
class OnRay:
    """A server whose long work runs on a cluster."""

    cluster: Cluster
    process: subprocess.Popen[str]
    channel: grpc.Channel
    wire: Wire
    log: Path

    def kill_other(self) -> None:
        """Ends the node beside the head, where there is one."""
        if self.cluster.other is not None:
            self.cluster.other.kill()
            self.cluster.other = None

    def tasks(self) -> list[psutil.Process]:
        """Processes of the cluster that run a task."""
        nodes = [node for node in (self.cluster.head, self.cluster.other) if node is not None]
        found = []
        for node in nodes:
            with suppress(psutil.NoSuchProcess):
                found += [one for one in psutil.Process(node.process.pid).children(recursive=True) if _runs(one)]
        return found


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return "ray::run" in " ".join(process.cmdline())
    return False


@contextmanager
def server_on(cluster: Cluster, data: Path, environment: Mapping[str, str] | None = None) -> Iterator[OnRay]:
    """A server on a cluster, once it is ready; its folder `data` has its log."""
    address = f"unix:{cluster.folder}/{data.name}"
    flags = ("--listen", address, "--data-dir", str(data), "--executor", "ray", "--ray-address", ADDRESS)
    log = data / "server.log"
    with log.open("w") as errors:
        command = [*cluster.namespace.enter, sys.executable, "-m", "tests.light_server", *flags]
        own = {**os.environ, **(environment or {})}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT, env=own)
    try:
        line = first_line(process)
        assert line.startswith(READY), line + log.read_text()
        with grpc.insecure_channel(address) as channel:
            yield OnRay(cluster, process, channel, Wire(channel), log)
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture(scope="module")
def on_ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnRay]:
    namespace = Namespace.made()
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        cluster = Cluster(namespace, Path(folder))
        try:
            cluster.start_head()
            other = cluster.begin_other()
            with server_on(cluster, tmp_path_factory.mktemp("ray")) as found:
                other.wait()
                yield found
        finally:
            for node in (cluster.other, cluster.head):
                if node is not None:
                    node.kill()
            namespace.close()


def started(wire: Wire, dates: int) -> str:
    name: str = wire.call("BacktestService/Backtest", long_job(dates))["name"]
    return name


def state(wire: Wire, name: str) -> str:
    found: str = wire.call("BacktestService/GetBacktest", {"name": name})["state"]
    return found


def outcome(wire: Wire, name: str, seconds: float = 90.0) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The figures and net asset values of a job, once it has ended well."""
    wait_until(lambda: state(wire, name) in FINAL, seconds)
    assert state(wire, name) == "BACKTEST_STATE_SUCCEEDED"
    return figures_of(wire, name), list(wire.stream("BacktestService/GetBacktestSeries", {"name": name, "series": NAV}))


def milestones(wire: Wire, name: str) -> list[str]:
    return [one["milestone"]["kind"] for one in follow(wire, name) if "milestone" in one]


@contextmanager
def working(on_ray: OnRay) -> Iterator[None]:
    """Fails where no process of the cluster runs a task meanwhile."""
    over, seen = threading.Event(), threading.Event()

    def look() -> None:
        while not over.is_set() and not seen.is_set():
            if on_ray.tasks():
                seen.set()

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()
    assert seen.is_set(), "the cluster had nothing to do"


def test_a_backtest_has_the_same_bits_and_tells_its_progress(on_ray: OnRay, wire: Wire) -> None:
    here, there = started(wire, MIDDLE), started(on_ray.wire, MIDDLE)
    ran_there, fractions = False, []
    for notice in follow(on_ray.wire, there, minInterval="0.05s"):
        ran_there = ran_there or bool(on_ray.tasks())
        fractions += [notice["tick"]["fraction"]] if "tick" in notice else []
    assert ran_there
    assert len(fractions) > 2
    assert fractions == sorted(fractions)
    assert outcome(on_ray.wire, there) == outcome(wire, here)


def test_a_frontier_has_the_same_bits(on_ray: OnRay, wire: Wire) -> None:
    """Of so many assets that its points are tasks of their own."""
    names = [f"S{i}" for i in range(140)]
    loadings = RNG.normal(0.0, 0.1, (140, 5))
    covariance = loadings @ loadings.T + np.diag(RNG.uniform(0.01, 0.05, 140))
    near = [{"symbol": name, "weight": 1.0 / 140} for name in names]
    request = {
        "moments": {
            "symbols": names,
            "expectedReturns": RNG.normal(0.08, 0.04, 140).tolist(),
            "covariance": covariance.ravel().tolist(),
            "periodsPerYear": 1,
        },
        "constraints": [{"label": "near", "trackingError": {"benchmark": near, "maxAnnual": 0.2}}],
        "points": 9,
    }
    with working(on_ray):
        there = frontier(on_ray.wire, request)
    assert [one.get("index", 0) for one in there] == list(range(9))
    assert there == frontier(wire, request)


def frontier(wire: Wire, request: dict[str, Any]) -> list[dict[str, Any]]:
    """Its portfolios, without the time that they took."""
    found = list(wire.stream("OptimizationService/TraceFrontier", request))
    for one in found:
        del one["certificate"]["solveDuration"]
    return found


def test_a_batch_has_the_same_bits(on_ray: OnRay, channel: grpc.Channel) -> None:
    """What its accounts share is a file, which goes to the nodes."""
    with working(on_ray):
        there = batch(on_ray.channel, accounts=200)
    assert there == batch(channel, accounts=200)


def test_a_batch_whose_processes_are_killed(on_ray: OnRay, channel: grpc.Channel) -> None:
    """What they had answered by then is answered once, and the rest on this machine."""
    killed: list[int] = []

    def kill() -> None:
        for one in () if killed else on_ray.tasks():
            one.kill()
            killed.append(one.pid)

    there = batch(on_ray.channel, accounts=200, universe=TAILS, after_each=kill)
    assert killed
    assert there == batch(channel, accounts=200, universe=TAILS)


def batch(
    channel: grpc.Channel,
    accounts: int,
    universe: Mapping[str, Any] = PLAIN,
    after_each: Callable[[], None] = lambda: None,
) -> dict[str, dict[str, Any]]:
    """The results by account, without the time that they took; `after_each` acts with each but the first ones."""
    parts: list[dict[str, Any]] = [{"universe": universe}]
    parts += [
        {"account": {"key": str(i), "constraints": [{"weightBounds": {"upper": 0.6 + 0.003 * i}}]}}
        for i in range(accounts)
    ]
    sent = (ParseDict(part, OptimizeBatchRequest()) for part in parts)
    found = []
    for one in OptimizationServiceStub(channel).OptimizeBatch(sent, timeout=60):
        found.append(MessageToDict(one))
        if len(found) >= 20:
            after_each()
    assert len(found) == accounts
    for one in found:
        del one["result"]["certificate"]["solveDuration"]
    return {one["key"]: one["result"] for one in found}


LISTEN = """
import socket, sys
listening = socket.create_server(("127.0.0.1", 0))
socket.send_fds(socket.socket(fileno=int(sys.argv[1])), [b"one"], [listening.fileno()])
"""


def listening_in(namespace: Namespace) -> socket.socket:
    """A socket that programs of a network namespace reach on its loopback."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [*namespace.enter, sys.executable, "-c", LISTEN, str(theirs.fileno())]
        subprocess.run(command, check=True, pass_fds=[theirs.fileno()], timeout=60)
        (found,) = socket.recv_fds(ours, 3, 1)[1]
    return socket.socket(fileno=found)


@pytest.mark.skipif(find_spec("opentelemetry") is None, reason="the extra `telemetry` is not installed")
def test_the_trace_of_a_job_leads_to_the_node_that_works_on_it(on_ray: OnRay, tmp_path: Path) -> None:
    """By the times of that node: it has waited until the work began. Work of a cancelled job has a span too."""
    from tests.e2e.collector import attributes, collecting

    def both(spans: list[Any]) -> list[Any]:
        found = [one for one in spans if one.name == "backtest"]
        return found if len(found) == 2 else []

    with collecting(listening_in(on_ray.cluster.namespace)) as collector:
        traces = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        with server_on(on_ray.cluster, tmp_path, traces) as traced:
            ended_well = started(traced.wire, MIDDLE)
            of_cluster: set[int] = set()
            while state(traced.wire, ended_well) not in FINAL:
                of_cluster |= {one.pid for one in traced.tasks()}
            cancelled = started(traced.wire, LONG)
            wait_for_checkpoint(traced.wire, cancelled)
            traced.wire.call("BacktestService/CancelBacktest", {"name": cancelled})
            jobs = collector.until(lambda: both(collector.all()), "the spans of both jobs")
    by_job = {f"backtests/{attributes(one)['absfin.job.id']}": one for one in jobs}
    job = by_job[ended_well]
    inner = {one.name: one for one in collector.spans(job.trace_id.hex())}
    waited, worked = inner["wait for a worker"], inner["work"]
    assert {waited.parent_span_id, worked.parent_span_id} == {job.span_id}
    assert attributes(worked)["process.pid"] in of_cluster
    assert attributes(worked)["host.name"] == platform.node()
    assert job.start_time_unix_nano <= waited.start_time_unix_nano < waited.end_time_unix_nano
    assert waited.end_time_unix_nano == worked.start_time_unix_nano < worked.end_time_unix_nano
    assert worked.end_time_unix_nano <= job.end_time_unix_nano
    left = {one.name: one for one in collector.spans(by_job[cancelled].trace_id.hex())}
    assert attributes(left["work"]) == {"error.type": "CancelledError"}


def test_a_cancelled_job_leaves_the_cluster(on_ray: OnRay) -> None:
    for _ in range(3):
        name = started(on_ray.wire, LONG)
        wait_until(lambda: bool(on_ray.tasks()), 60)
        on_ray.wire.call("BacktestService/CancelBacktest", {"name": name})
        wait_until(lambda: not on_ray.tasks(), FREE_SECONDS)
        assert state(on_ray.wire, name) == "BACKTEST_STATE_CANCELLED"


def test_a_killed_node(on_ray: OnRay, wire: Wire) -> None:
    """Two jobs, one on each node: that of the lost one goes on from its checkpoint on the other."""
    assert on_ray.cluster.other is not None
    expected = started(wire, LONG)
    names = [started(on_ray.wire, LONG)]
    wait_for_checkpoint(on_ray.wire, names[0])
    with standing_still(on_ray.tasks()):
        names.append(started(on_ray.wire, LONG))
        wait_for_checkpoint(on_ray.wire, names[1])
    on_ray.kill_other()
    for name in names:
        assert outcome(on_ray.wire, name) == outcome(wire, expected)
    assert sorted(milestones(on_ray.wire, name).count("KIND_RESUMED") for name in names) == [0, 1]


def test_a_node_with_other_versions(on_ray: OnRay, wire: Wire, tmp_path: Path) -> None:
    """Its tasks run on the node that has the versions of the server, and the log says why."""
    unlike = tmp_path / "numpy-0.1.dist-info"
    unlike.mkdir()
    (unlike / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.1\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    on_ray.kill_other()
    on_ray.cluster.begin_other({"PYTHONPATH": path}).wait()
    long = on_ray.wire.call("BacktestService/Sweep", many_trials(2000, 1))["name"]
    wait_until(lambda: "numpy 0.1" in on_ray.log.read_text(), 60)  # a task was sent to it, and runs elsewhere now
    on_ray.wire.call("BacktestService/CancelBacktest", {"name": long})
    found = [ended(on_ray.wire, long, 60.0)]
    short = on_ray.wire.call("BacktestService/Sweep", many_trials(8))["name"]
    found.append(ended(on_ray.wire, short, 120.0))
    assert [one["state"] for one in found] == ["BACKTEST_STATE_CANCELLED", "BACKTEST_STATE_SUCCEEDED"]
    assert [one.get("failedCount", 0) for one in found] == [0, 0]
    on_ray.kill_other()


@pytest.mark.parametrize(
    ("trials", "periods"), [(60, 4), pytest.param(500, 20, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
)
def test_a_sweep_with_a_killed_node(on_ray: OnRay, wire: Wire, trials: int, periods: int) -> None:
    """Every trial is there once, with the bits that it has here."""
    if on_ray.cluster.other is None:
        on_ray.cluster.begin_other().wait()
    request = many_trials(trials, periods)
    name = on_ray.wire.call("BacktestService/Sweep", request)["name"]
    wait_until(lambda: finished_count(on_ray.wire, name) >= trials // 4, 120)
    on_ray.kill_other()
    assert finished_count(on_ray.wire, name) < trials, "it was over before its node was killed"
    expected = wire.call("BacktestService/Sweep", request)["name"]
    assert_the_same_sweep(on_ray.wire, name, wire, expected, trials)


def many_trials(count: int, periods: int = 4) -> dict[str, Any]:
    """A sweep whose trials take some hundredths of a second, with a decision every so many dates."""
    request = grid({"path": "costs.commissionBps", "numbers": {"values": list(range(count))}})
    request["grid"]["base"] |= {"strategy": TAIL_RISK, "rebalancing": {"everyPeriods": {"n": periods}}}
    return request


def sweep_state(wire: Wire, name: str) -> str:
    found: str = wire.call("BacktestService/GetSweep", {"name": name})["state"]
    return found


def assert_the_same_sweep(there: Wire, name: str, here: Wire, other: str, count: int) -> None:
    """Both sweeps succeed with the same figures, and list the same trials, each once."""
    found = ended(there, name, 400.0)
    assert (found["state"], found["finishedCount"]) == ("BACKTEST_STATE_SUCCEEDED", count)
    expected = ended(here, other, 400.0)
    assert {**found, **same(expected)} == expected
    listed = list(pages(there, name, 1000))
    assert [one.get("index", 0) for one in listed] == list(range(count))
    assert listed == list(pages(here, other, 1000))


@pytest.mark.parametrize("times", [2, pytest.param(10, marks=pytest.mark.long)])
def test_a_cancelled_sweep_leaves_the_cluster(on_ray: OnRay, times: int) -> None:
    for _ in range(times):
        name = on_ray.wire.call("BacktestService/Sweep", many_trials(500))["name"]
        wait_until(lambda: bool(on_ray.tasks()), 60)
        on_ray.wire.call("BacktestService/CancelBacktest", {"name": name})
        wait_until(lambda: not on_ray.tasks(), FREE_SECONDS)
        assert sweep_state(on_ray.wire, name) == "BACKTEST_STATE_CANCELLED"


def test_a_killed_head(on_ray: OnRay, wire: Wire) -> None:
    """The server lives on, and a backtest and a sweep wait until the head is back."""
    assert on_ray.cluster.head is not None
    if on_ray.cluster.other is None:
        on_ray.cluster.begin_other().wait()
    request = many_trials(150)
    expected, expected_sweep = started(wire, LONG), wire.call("BacktestService/Sweep", request)["name"]
    ended(wire, expected_sweep, 400.0)
    name = started(on_ray.wire, LONG)
    wait_for_checkpoint(on_ray.wire, name)
    with standing_still(on_ray.tasks()):  # or it may be over before the sweep has begun
        sweep = on_ray.wire.call("BacktestService/Sweep", request)["name"]
        wait_until(lambda: finished_count(on_ray.wire, sweep) >= 5, 60)
        on_ray.cluster.head.kill()
    on_ray.kill_other()  # no new head starts on a machine that has a node of the old one
    wait_until(lambda: state(on_ray.wire, name) == "BACKTEST_STATE_QUEUED", 30)
    wait_until(lambda: sweep_state(on_ray.wire, sweep) == "BACKTEST_STATE_QUEUED", 30)
    assert 5 <= finished_count(on_ray.wire, sweep) < 150
    health = health_pb2_grpc.HealthStub(on_ray.channel).Check(health_pb2.HealthCheckRequest(), timeout=30)
    assert health.status == health_pb2.HealthCheckResponse.SERVING
    assert on_ray.wire.call("OptimizationService/Optimize", {"moments": MOMENTS, **LEAST_RISK})["weights"]
    assert batch(on_ray.channel, accounts=3), "what is asked now runs on this machine"
    on_ray.cluster.start_head()
    assert outcome(on_ray.wire, name) == outcome(wire, expected)
    assert milestones(on_ray.wire, name).count("KIND_RESUMED") == 1
    assert_the_same_sweep(on_ray.wire, sweep, wire, expected_sweep, 150)
    assert on_ray.process.poll() is None
