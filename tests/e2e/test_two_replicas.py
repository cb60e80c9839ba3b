"""Two servers of one team on one database, each with a data folder of its own, as on two machines."""

import asyncio
import itertools
import os
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import asyncpg
import grpc
import pytest

from tests.conftest import RunningServer, Wire
from tests.e2e.test_progress import (
    FINAL,
    figures_of,
    follow,
    kind_of,
    long_job,
    sequence_of,
    wait_for_checkpoint,
    wait_until,
)
from tests.e2e.test_takeover import SERIES, series
from tests.supabase_stack import RunningStack

pytestmark = [pytest.mark.alone, pytest.mark.timeout(400)]

BLOCK = 1 << 32
"""Sequences of one durable event, as docs/api.md has it."""

LEASE_SECONDS = 30.0
"""After which a job is taken from a server that is gone with its machine."""

DATES = 4000
MANY = [{"label": f"s{i}", "inverseVolatility": {"lookbackPeriods": 100}} for i in range(20)]
"""Strategies of a job that takes half a minute."""


@dataclass
class Team:
    """The servers, their callers, and the database that both of them have."""

    stack: RunningStack
    servers: list[RunningServer]
    wires: list[Wire]

    def rows(self, query: str, *, first: str = "select 1") -> list[Any]:
        """What the database has, after other statements of one transaction."""

        async def fetch() -> list[Any]:
            connection = await asyncpg.connect(self.stack.stack.admin_url)
            try:
                async with connection.transaction():
                    await connection.execute(first)
                    found: list[Any] = await connection.fetch(query)
                    return found
            finally:
                await connection.close()

        return asyncio.run(fetch())

    def runs(self, server: int) -> list[str]:
        """Names of the jobs that a server runs."""
        (lock,) = (self.servers[server].data_dir / "workers").glob("*.lock")
        query = "select id, worker from absfin.backtest_queue q join absfin.backtests b on b.key = q.backtest_key"
        return [f"backtests/{row['id']}" for row in self.rows(query) if row["worker"] == lock.stem]

    def started(self, by: int, **more: Any) -> str:
        """A job, sent to one of the servers, that is not over soon."""
        name: str = self.wires[by].call("BacktestService/Backtest", long_job(**{"dates": DATES, **more}))["name"]
        return name

    def runner_of(self, name: str) -> int:
        """Which server runs a job, once one does."""
        found: list[int] = []

        def runs() -> bool:
            found[:] = [server for server in range(len(self.servers)) if name in self.runs(server)]
            return bool(found)

        wait_until(runs, 60)
        return found[0]

    def get(self, by: int, name: str) -> dict[str, Any]:
        return self.wires[by].call("BacktestService/GetBacktest", {"name": name})


@contextmanager
def working(stack: RunningStack, start_server: Callable[..., RunningServer]) -> Iterator[Team]:
    """Two servers with one place for a job each, and nothing stored."""
    asyncio.run(stack.empty())
    with ThreadPoolExecutor() as threads:
        start = partial(start_server, "--workers", "1", environment=stack.stack.environment)
        servers = [started.result() for started in [threads.submit(start) for _ in range(2)]]
    channels = [server.channel() for server in servers]
    yield Team(stack, servers, [Wire(channel) for channel in channels])
    for channel in channels:
        channel.close()
    for server in servers:
        server.process.terminate()
    for server in servers:
        server.process.wait(30)


@pytest.fixture(scope="module")
def team(system_stack: RunningStack, start_server: Callable[..., RunningServer]) -> Iterator[Team]:
    """A team that stays."""
    with working(system_stack, start_server) as found:
        yield found


@pytest.fixture
def failing_team(system_stack: RunningStack, start_server: Callable[..., RunningServer]) -> Iterator[Team]:
    """A team that a test may take a server from."""
    with working(system_stack, start_server) as found:
        yield found


NOTE_CLAIMS = """
create schema seen;
create table seen.claims (number bigint generated always as identity, backtest_key bigint);
create function seen.note() returns trigger language plpgsql security definer as $$
begin
  insert into seen.claims (backtest_key) values (new.backtest_key);
  return new;
end
$$;
create trigger note_claim after update of worker on absfin.backtest_queue for each row
  when (new.worker is not null and new.attempt > old.attempt) execute function seen.note();
"""
BETWEEN_CLAIMS = "select pg_advisory_xact_lock(hashtextextended('absfin.claim_backtest', 0))"
"""Claims are made one after the other: what is read then is before or after each of them."""


@dataclass
class Claims:
    """Which jobs the servers have taken from the queue, in that order: when one began says less, as processes start."""

    team: Team

    def names(self) -> list[str]:
        query = "select id from seen.claims c join absfin.backtests b on b.key = c.backtest_key order by c.number"
        return [f"backtests/{row['id']}" for row in self.team.rows(query, first=BETWEEN_CLAIMS)]


@pytest.fixture
def claims(team: Team) -> Iterator[Claims]:
    team.rows("select 1", first=NOTE_CLAIMS)
    yield Claims(team)
    team.rows("select 1", first="drop schema seen cascade")


@dataclass
class Follower:
    """Follows a job in a thread of its own, and notes when what came."""

    wire: Wire
    name: str
    notices: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    error: grpc.RpcError | None = None

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._follow)
        self.thread.start()

    def _follow(self) -> None:
        try:
            for notice in self.wire.stream(
                "BacktestService/BacktestProgress", {"backtest": self.name, "minInterval": "0.05s"}, timeout=300
            ):
                self.notices.append((time.monotonic(), notice))
        except grpc.RpcError as error:
            self.error = error

    def ended(self) -> None:
        self.thread.join(300)
        assert not self.thread.is_alive()
        assert self.error is None

    def durable(self) -> list[dict[str, Any]]:
        """What is stored, without the time at which it was read."""
        return [notice for _, notice in self.notices if kind_of(notice) in ("milestone", "finished")]

    def fractions(self) -> list[tuple[float, float]]:
        return [(when, notice["tick"]["fraction"]) for when, notice in self.notices if "tick" in notice]


def test_a_backtest_is_watched_through_the_other_server(team: Team) -> None:
    """Until it is cancelled, after some seconds; figures are those of a shorter one."""
    name = team.started(by=0, strategy=None, strategies=MANY)
    runner = team.runner_of(name)
    here, there = Follower(team.wires[runner], name), Follower(team.wires[1 - runner], name)
    wait_until(lambda: len(there.fractions()) >= 10)
    team.wires[0].call("BacktestService/CancelBacktest", {"name": name})
    for one in (here, there):
        one.ended()
    assert [kind_of(notice) for _, notice in there.notices][:: len(there.notices) - 1] == ["snapshot", "finished"]
    assert there.durable() == here.durable()
    sequences = [sequence_of(notice) for _, notice in there.notices]
    assert all(a < b for a, b in itertools.pairwise(sequences))
    assert len({notice["epoch"] for _, notice in (*here.notices, *there.notices)}) == 1
    short = team.started(by=0, dates=400, wait="60s")
    assert figures_of(team.wires[0], short) == figures_of(team.wires[1], short)
    delays = [
        when - next(earlier for earlier, known in here.fractions() if known >= fraction)
        for when, fraction in there.fractions()
        if fraction < 1.0
    ]
    assert len(delays) > 2
    assert statistics.quantiles(delays, n=10)[8] < 1.0, sorted(delays)


def test_a_backtest_is_cancelled_through_the_other_server(team: Team) -> None:
    name = team.started(by=0, strategy=None, strategies=MANY)
    runner = team.runner_of(name)
    follower = Follower(team.wires[runner], name)
    wait_until(lambda: team.get(runner, name).get("fraction", 0.0) > 0.0, 60)
    asked = time.monotonic()
    answer = team.wires[1 - runner].call("BacktestService/CancelBacktest", {"name": name})
    assert answer["state"] == "BACKTEST_STATE_CANCELLED"
    follower.ended()
    assert time.monotonic() - asked < 10.0
    assert follower.notices[-1][1]["finished"]["state"] == "BACKTEST_STATE_CANCELLED"
    assert team.get(runner, name)["state"] == "BACKTEST_STATE_CANCELLED"
    # Both have a place for another one.
    names = [team.started(by=runner, dates=400) for _ in range(2)]
    wait_until(lambda: all(team.get(0, one)["state"] == "BACKTEST_STATE_SUCCEEDED" for one in names), 120)


def test_both_servers_work_on_one_queue_and_callers_share_it(team: Team, claims: Claims) -> None:
    """One caller has many jobs, all sent to one server; another comes later, with one, to the other server.

    The long ones may have made room for some of the short ones by then.
    """
    long = [team.started(by=0, strategy=None, strategies=MANY) for _ in range(2)]
    wait_until(lambda: all(team.runs(server) for server in range(2)), 60)
    ran = [set(team.runs(server)) for server in range(2)]
    waiting = [team.started(by=0) for _ in range(5)]
    late = team.started(by=1)
    # A place may have been given to another one just before it came: it is ahead of those that wait now.
    known = claims.names()
    assert not set(waiting) <= set(known), "jobs of the first caller still wait when the other one comes"

    def over(*names: str) -> bool:
        for server in range(2):
            ran[server].update(team.runs(server))
        return all(team.get(0, name)["state"] in FINAL for name in names)

    # A place is free then, and the first caller still has a job that runs.
    team.wires[0].call("BacktestService/CancelBacktest", {"name": long[0]})
    wait_until(lambda: over(late), 120)
    team.wires[0].call("BacktestService/CancelBacktest", {"name": long[1]})
    wait_until(lambda: over(*waiting), 200)
    ended = [team.get(1, name) for name in (late, *waiting)]
    assert [one["state"] for one in ended] == ["BACKTEST_STATE_SUCCEEDED"] * 6
    stages = [[notice for notice in follow(team.wires[0], name) if "milestone" in notice] for name in (late, *waiting)]
    kinds = [[one["milestone"]["kind"] for one in notices] for notices in stages]
    assert kinds == [["KIND_STAGE"]] * 6, "none was taken from a server that runs it"
    assert late in known or claims.names()[len(known)] == late, "a caller with nothing that runs is next"
    assert all(len(jobs) >= 2 for jobs in ran), ran


def test_a_server_that_is_killed_leaves_its_jobs_to_the_other(failing_team: Team) -> None:
    """The result has the same bits, and a follower of the other server misses nothing and hears nothing twice."""
    team = failing_team
    undisturbed = team.started(by=0)
    wait_until(lambda: team.get(1, undisturbed)["state"] in FINAL, 120)
    name = team.started(by=0)
    runner = team.runner_of(name)
    survivor = 1 - runner
    follower = Follower(team.wires[survivor], name)
    stored = "select data from absfin.backtest_checkpoints"
    wait_until(lambda: len(team.rows(stored)) == 1, 60)
    os.kill(team.servers[runner].process.pid, signal.SIGKILL)
    team.servers[runner].process.wait(20)
    assert team.get(survivor, name)["state"] == "BACKTEST_STATE_RUNNING"
    # It may be done between two looks; who ran it is seen below by the milestone.
    wait_until(
        lambda: team.runs(survivor) == [name] or team.get(survivor, name)["state"] in FINAL, LEASE_SECONDS + 30.0
    )
    follower.ended()
    wire = team.wires[survivor]
    assert [one["milestone"]["kind"] for one in follower.durable()[:-1]] == ["KIND_STAGE", "KIND_RESUMED"]
    assert [sequence_of(one) // BLOCK for one in follower.durable()] == [1, 2, 3]
    sequences = [sequence_of(notice) for _, notice in follower.notices]
    assert all(a < b for a, b in itertools.pairwise(sequences))
    resumed = next(one for one in follow(wire, name) if "milestone" in one and "RESUMED" in one["milestone"]["kind"])
    assert "goes on from its last checkpoint" in resumed["milestone"]["message"]
    assert figures_of(wire, name) == figures_of(wire, undisturbed)
    for kind in SERIES:
        assert series(wire, name, kind) == series(wire, undisturbed, kind), kind


def test_a_server_that_stops_gives_its_jobs_to_the_other_at_once(failing_team: Team) -> None:
    team = failing_team
    name = team.started(by=0)
    runner = team.runner_of(name)
    wait_for_checkpoint(team.wires[runner], name)
    team.servers[runner].process.terminate()
    team.servers[runner].process.wait(60)
    stopped = time.monotonic()
    wait_until(lambda: team.runs(1 - runner) == [name] or team.get(1 - runner, name)["state"] in FINAL, LEASE_SECONDS)
    assert time.monotonic() - stopped < LEASE_SECONDS / 2
    wait_until(lambda: team.get(1 - runner, name)["state"] == "BACKTEST_STATE_SUCCEEDED", 120)
