"""The database of a team goes away under load and comes back: nothing that was acknowledged is lost.

A ledger of the test has every write that was acknowledged, with what was answered; the store is compared with it at the
end. The time is `AWAY_SECONDS`, or what ABSFIN_AWAY_SECONDS says.
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.conftest import RunningServer, Wire
from tests.e2e.test_progress import FINAL, figures_of, long_job, wait_for_checkpoint
from tests.supabase_stack import RunningStack, running_stack, why_not

AWAY_SECONDS = float(os.environ.get("ABSFIN_AWAY_SECONDS", "10"))
WRITERS = READERS = 2
DATES = 4000
"""Of a job that is still running when the database goes."""

BACK_SECONDS = 60.0
"""PostgREST looks for its database at growing intervals, of half a minute at most."""

JOB_SECONDS = 200.0
"""For a job, which gives way to everything else on the machine."""

CALL_SECONDS = 12.0
"""No call takes longer to be answered, one way or the other; the machine may be busy."""


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Asks twice a second: each question takes the processor from a job, which gives way."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.5)


@pytest.fixture
def stack() -> Iterator[RunningStack]:
    """Of this test's own, as it is out of order for a while."""
    if cause := why_not("wheel"):
        pytest.skip(cause)
    with running_stack("wheel") as found:
        yield found


@dataclass
class Load:
    """Callers that write and read until they are told to end, each with a connection of its own."""

    server: RunningServer
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)  # by name, as it was answered
    sent: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    longest: float = 0.0
    _end: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        work = [*[self._write] * WRITERS, *[self._read] * READERS]
        self._threads = [threading.Thread(target=self._run, args=(one, number)) for number, one in enumerate(work)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(CALL_SECONDS + 60)
            assert not thread.is_alive()

    def _run(self, work: Callable[[Wire, str], None], number: int) -> None:
        chosen = random.Random(number)
        with self.server.channel() as channel:
            wire = Wire(channel)
            while not self._end.is_set():
                began = time.monotonic()
                try:
                    work(wire, f"{number}-{chosen.randrange(10**9)}")
                except grpc.RpcError as error:
                    self._note(error)
                    time.sleep(0.2)  # as a caller that heeds RetryInfo
                self.longest = max(self.longest, time.monotonic() - began)

    def _note(self, error: Any) -> None:
        code = error.code().name
        self.failed[code] += 1
        packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
        details = Status.FromString(packed).details if packed else ()
        if code != "UNAVAILABLE" or not any(detail.Is(RetryInfo.DESCRIPTOR) for detail in details):
            self.unexpected.append(f"{code}: {error.details()}")

    def _write(self, wire: Wire, name: str) -> None:
        self.sent["write"] += 1
        portfolio = {"displayName": name, "currency": "USD", "cash": len(self.acknowledged) + 1}
        made = wire.call("PortfolioService/CreatePortfolio", {"portfolio": portfolio, "portfolioId": f"p-{name}"})
        changed = {"name": made["name"], "etag": made["etag"], "cash": 7}
        self.acknowledged[made["name"]] = made
        update = {"portfolio": changed, "updateMask": "cash"}
        try:
            self.acknowledged[made["name"]] = wire.call("PortfolioService/UpdatePortfolio", update)
        except grpc.RpcError:
            # Stored or not, nobody has said which: either is right, as long as it is one of the two.
            self.acknowledged[made["name"]] = {**made, "either": True}
            raise

    def _read(self, wire: Wire, name: str) -> None:
        self.sent["read"] += 1
        known = list(self.acknowledged)
        if known and random.random() < 0.8:
            chosen = random.choice(known)
            assert wire.call("PortfolioService/GetPortfolio", {"name": chosen})["name"] == chosen
        else:
            wire.call("PortfolioService/ListPortfolios", {"pageSize": 5})


def health(server: RunningServer) -> str:
    with server.channel() as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=10)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


@pytest.mark.alone  # its callers take the time of the machine, and it measures how long they wait
@pytest.mark.timeout(900)
def test_a_database_that_is_away_for_a_while(stack: RunningStack, start_server: Callable[..., RunningServer]) -> None:
    server = start_server("--workers", "2", environment=stack.stack.environment)
    assert health(server) == "SERVING"
    load = Load(server)
    with server.channel() as channel:
        here = Wire(channel)
        request = long_job(DATES)
        name = here.call("BacktestService/Backtest", request)["name"]
        wait_for_checkpoint(here, name)
        load.start()
        wait_until(lambda: len(load.acknowledged) > 5, 30)
        assert not load.failed

        stack.stop_database()
        gone = time.monotonic()
        wait_until(lambda: health(server) == "NOT_SERVING", 10 + CALL_SECONDS)
        time.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - gone)))
        refusal = here.refused("PortfolioService/ListPortfolios", {})
        assert (refusal.code, refusal.reason) == ("UNAVAILABLE", "STORAGE_UNAVAILABLE")
        assert "127.0.0.1" not in refusal.message
        away = load.failed.total()
        assert away > 0
        stack.start_database()

        wait_until(lambda: health(server) == "SERVING", BACK_SECONDS)
        stored = len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) > stored + 5, 30)
        load.end()
        assert not load.unexpected, load.unexpected[:5]
        assert load.longest < CALL_SECONDS * 2

        for known, answered in load.acknowledged.items():
            found = here.call("PortfolioService/GetPortfolio", {"name": known})
            if answered.pop("either", False):
                assert found["cash"] in (7, answered["cash"])
                assert found["displayName"] == answered["displayName"]
            else:
                assert found == answered
        ended(here, name)
        with start_server().channel() as other:
            undisturbed = Wire(other)
            once_more = undisturbed.call("BacktestService/Backtest", request)["name"]
            ended(undisturbed, once_more)
            assert figures_of(here, name) == figures_of(undisturbed, once_more)


def ended(wire: Wire, name: str) -> None:
    wait_until(lambda: wire.call("BacktestService/GetBacktest", {"name": name})["state"] in FINAL, JOB_SECONDS)
