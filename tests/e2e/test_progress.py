"""Following a job: order, resuming, cancelling, kills and restarts. Every server is real and so is every kill."""

import itertools
import os
import signal
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any

import grpc
import numpy as np
import psutil
import pytest

from tests.conftest import RunningServer, Wire, refusal_of
from tests.processes import standing_still

PROGRESS = "BacktestService/BacktestProgress"
RNG = np.random.default_rng(29)
LONG = 5000
"""Dates of a job that still runs when its server is killed after its first checkpoint, a quarter of a second in."""

JOB_SECONDS = 280.0
"""In which a job is over, also on a slow machine that does other things first."""

SYMBOLS = [f"S{i}" for i in range(20)]
PRICES = 100.0 * np.cumprod(1.0 + RNG.normal(0.0002, 0.01, (LONG, 20)), axis=0)
FINAL = {"BACKTEST_STATE_SUCCEEDED", "BACKTEST_STATE_FAILED", "BACKTEST_STATE_CANCELLED"}

NAV = "BACKTEST_SERIES_NAV"


def long_job(dates: int = 4000, **more: Any) -> dict[str, Any]:
    """Decided anew on each date by a strategy that is asked: seconds of work. A field that is None is left out."""
    request = {
        "prices": {"symbols": SYMBOLS, "dates": list(range(dates)), "values": PRICES[:dates].ravel().tolist()},
        "periodsPerYear": 252,
        "strategy": {"inverseVolatility": {"lookbackPeriods": 100}},
        "rebalancing": {"everyPeriods": {"n": 1}},
        "costs": {"commissionBps": 5},
        **more,
    }
    return {name: value for name, value in request.items() if value is not None}


@pytest.fixture
def opened() -> Iterator[Callable[[RunningServer], Wire]]:
    channels: list[grpc.Channel] = []

    def wire(server: RunningServer) -> Wire:
        channels.append(server.channel())
        return Wire(channels[-1])

    yield wire
    for channel in channels:
        channel.close()


@pytest.fixture(scope="module")
def lone_worker(start_server: Callable[..., RunningServer]) -> RunningServer:
    """A server that runs one job at a time."""
    return start_server("--workers", "1")


def start(wire: Wire, **more: Any) -> str:
    name: str = wire.call("BacktestService/Backtest", long_job(**more))["name"]
    return name


def follow(wire: Wire, name: str, **more: Any) -> Iterator[dict[str, Any]]:
    return wire.stream(PROGRESS, {"backtest": name, **more}, timeout=JOB_SECONDS)


def kind_of(notice: dict[str, Any]) -> str:
    (kind,) = notice.keys() & {"snapshot", "tick", "milestone", "heartbeat", "finished"}
    return kind


def sequence_of(notice: dict[str, Any]) -> int:
    return int(notice.get("sequence", 0))


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_a_stream_begins_with_a_snapshot_and_ends_with_the_end(wire: Wire) -> None:
    name = start(wire)
    notices = list(follow(wire, name, minInterval="0.05s"))
    kinds = [kind_of(notice) for notice in notices]
    assert (kinds[0], kinds[-1]) == ("snapshot", "finished")
    assert kinds.count("snapshot") == kinds.count("finished") == 1
    assert kinds.count("tick") > 5
    sequences = [sequence_of(notice) for notice in notices]
    assert all(a < b for a, b in itertools.pairwise(sequences))
    assert len({notice["epoch"] for notice in notices}) == 1
    fractions = [notice["tick"]["fraction"] for notice in notices if "tick" in notice]
    assert fractions == sorted(fractions)
    assert all(0.0 < fraction <= 1.0 for fraction in fractions)
    last_tick = [notice["tick"] for notice in notices if "tick" in notice][-1]
    assert float(last_tick["eta"].removesuffix("s")) >= 0.0
    assert last_tick["simulatedDate"]["year"] >= 1970
    assert notices[-1]["finished"] == {"state": "BACKTEST_STATE_SUCCEEDED", "result": name}
    stage = next(notice["milestone"] for notice in notices if "milestone" in notice)
    assert (stage["kind"], stage["message"]) == ("KIND_STAGE", "simulating inverse_volatility")


@pytest.mark.parametrize("dates", [150, 400, 1200])
def test_the_last_tick_is_the_end(wire: Wire, dates: int) -> None:
    """Of what is followed from the beginning, and of what is asked for when it is over."""
    name = start(wire, dates=dates)
    live = [notice["tick"] for notice in follow(wire, name, minInterval="0.05s") if "tick" in notice]
    days = [day_of(tick) for tick in live]
    assert days == sorted(days)
    *_, rows = wire.stream("BacktestService/GetBacktestSeries", {"name": name, "series": NAV})
    end = np.frombuffer(b64decode(rows["rows"]["values"]["data"]))[-1]
    snapshot = next(notice["snapshot"] for notice in follow(wire, name) if "snapshot" in notice)
    for tick in (live[-1], snapshot["tick"]):
        assert (tick["fraction"], day_of(tick), tick["nav"]) == (1.0, date(1970, 1, 1) + timedelta(dates - 1), end)


def day_of(tick: dict[str, Any]) -> date:
    return date(*(tick["simulatedDate"][part] for part in ("year", "month", "day")))


def test_ticks_keep_their_distance(wire: Wire) -> None:
    """By the clock of the server: a reader on a busy machine may get two at once."""
    name = start(wire)
    ticks = [notice for notice in follow(wire, name, minInterval="0.2s") if "tick" in notice]
    times = [datetime.fromisoformat(tick["eventTime"]).timestamp() for tick in ticks]
    assert len(times) > 2
    # The last one brings the rest of the curve as soon as the job is over.
    assert all(b - a > 0.19 for a, b in itertools.pairwise(times[:-1]))


def test_a_late_joiner_gets_snapshot_milestones_and_the_end(wire: Wire) -> None:
    name = start(wire, dates=300, wait="30s")
    kinds = [kind_of(notice) for notice in follow(wire, name)]
    assert kinds == ["snapshot", "milestone", "finished"]


def test_resuming_gives_each_milestone_once(wire: Wire) -> None:
    """Infeasible at every date: as many milestones as decisions. The stream is cut off again and again."""
    constraint = {"label": "more than there is", "returnFloor": {"minReturnAnnual": 50.0}}
    strategy = {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 100, "constraints": [constraint]}}
    name = start(wire, dates=300, strategy=strategy)
    seen: list[int] = []
    after, epoch, finished = 0, "", False
    end = time.monotonic() + 60.0
    while not finished:
        assert time.monotonic() < end, "it never finished"
        for notice in follow(wire, name, afterSequence=after, epoch=epoch):
            assert sequence_of(notice) >= after
            after, epoch = sequence_of(notice), notice["epoch"]
            if "milestone" in notice:
                seen.append(after)
                if len(seen) % 40 == 0:
                    break
            finished = "finished" in notice
    answer = wire.call("BacktestService/GetBacktest", {"name": name})
    failed = answer["result"]["strategies"][0]["failedRebalances"]
    assert len(failed) == 199
    assert len(seen) == len(set(seen)) == 199 + 1
    assert answer["result"]["metrics"]["finalWealth"] == 1.0


def test_heartbeats_when_nothing_happens(lone_worker: RunningServer, opened: Any) -> None:
    wire = opened(lone_worker)
    running = start(wire)
    next(notice for notice in follow(wire, running) if "tick" in notice)
    notices = []
    with standing_still(lone_worker.job_workers()):
        waiting = start(wire)
        for notice in follow(wire, waiting, heartbeatInterval="0.2s"):
            notices.append(notice)
            if len(notices) == 4:
                break
    assert [kind_of(notice) for notice in notices] == ["snapshot", "heartbeat", "heartbeat", "heartbeat"]
    assert notices[0]["snapshot"]["state"] == "BACKTEST_STATE_QUEUED"
    assert [sequence_of(notice) for notice in notices] == [0, 1, 2, 3]
    for name in (running, waiting):
        wire.call("BacktestService/CancelBacktest", {"name": name})


def test_wrong_places_are_refused(wire: Wire) -> None:
    name = start(wire, dates=300, wait="30s")

    def refused(**more: Any) -> Any:
        with pytest.raises(grpc.RpcError) as raised:
            list(follow(wire, name, **more))
        return refusal_of(raised.value)

    assert (refused(epoch="another").code, refused(epoch="another").reason) == ("FAILED_PRECONDITION", "EPOCH_CHANGED")
    assert refused(epoch="another").metadata["epoch"] not in ("", "another")
    assert refused(afterSequence=2**60).fields == ("after_sequence",)
    with pytest.raises(grpc.RpcError) as raised:
        list(follow(wire, "backtests/unknown"))
    assert refusal_of(raised.value).reason == "NOT_FOUND"


def test_a_place_that_is_no_longer_retained(start_server: Callable[..., RunningServer], opened: Any) -> None:
    wire = opened(start_server("--retained-events", "10"))
    constraint = {"returnFloor": {"minReturnAnnual": 50.0}}
    strategy = {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 100, "constraints": [constraint]}}
    name = start(wire, dates=130, strategy=strategy, wait="30s")
    notices = list(follow(wire, name))
    assert [kind_of(notice) for notice in notices] == ["snapshot"] + ["milestone"] * 9 + ["finished"]
    oldest = int(notices[0]["snapshot"]["oldestSequence"])
    assert sequence_of(notices[1]) == oldest
    with pytest.raises(grpc.RpcError) as raised:
        list(follow(wire, name, afterSequence=1))
    refusal = refusal_of(raised.value)
    assert (refusal.code, refusal.reason) == ("OUT_OF_RANGE", "EVENTS_COMPACTED")
    assert str(oldest) in refusal.message
    resumed = list(follow(wire, name, afterSequence=sequence_of(notices[5])))
    assert [sequence_of(n) for n in resumed[1:]] == [sequence_of(n) for n in notices[6:]]


def test_a_running_job_cannot_be_deleted_and_a_deleted_one_not_be_followed(wire: Wire) -> None:
    name = start(wire)
    refusal = wire.refused("BacktestService/DeleteBacktest", {"name": name})
    assert (refusal.code, refusal.reason) == ("FAILED_PRECONDITION", "BACKTEST_RUNNING")
    followed: list[dict[str, Any]] = []
    reader = threading.Thread(target=lambda: followed.extend(follow(wire, name)))
    reader.start()
    wire.call("BacktestService/CancelBacktest", {"name": name})
    wire.call("BacktestService/DeleteBacktest", {"name": name})
    reader.join(60)
    assert not reader.is_alive()
    with pytest.raises(grpc.RpcError) as raised:
        list(follow(wire, name))
    assert refusal_of(raised.value).reason == "NOT_FOUND"


def test_cancelling_ends_a_job_for_good(wire: Wire) -> None:
    name = start(wire)
    next(iter(follow(wire, name)))
    assert wire.call("BacktestService/CancelBacktest", {"name": name})["state"] == "BACKTEST_STATE_CANCELLED"
    assert wire.call("BacktestService/CancelBacktest", {"name": name})["state"] == "BACKTEST_STATE_CANCELLED"
    assert list(follow(wire, name))[-1]["finished"]["state"] == "BACKTEST_STATE_CANCELLED"
    time.sleep(1.0)
    assert wire.call("BacktestService/GetBacktest", {"name": name})["state"] == "BACKTEST_STATE_CANCELLED"
    with pytest.raises(grpc.RpcError) as raised:
        list(wire.stream("BacktestService/GetBacktestSeries", {"name": name, "series": "BACKTEST_SERIES_NAV"}))
    refusal = refusal_of(raised.value)
    assert refusal.reason == "NOT_FOUND"
    assert refusal.message == f"{name} has no series: it ended as cancelled, and only a success has them"


@pytest.mark.parametrize("count", [20, pytest.param(100, marks=pytest.mark.long)])
def test_cancels_free_the_processor(start_server: Callable[..., RunningServer], opened: Any, count: int) -> None:
    """Each of the jobs would take minutes."""
    server = start_server()
    wire = opened(server)
    tail = {"objective": {"minRisk": {}}, "riskMeasure": "RISK_MEASURE_CVAR", "lookbackPeriods": 100}
    strategies = [{"label": f"s{i}", "optimize": tail} for i in range(100)]
    # The data is stored once; every job reads the same.
    names = []
    for i in range(count):
        names.append(start(wire, dates=400, strategies=strategies, strategy=None))
        time.sleep(0.003 * (i % 7))
        wire.call("BacktestService/CancelBacktest", {"name": names[-1]})
    wait_until(lambda: seconds_used(server, 0.5) < 0.2, 30)
    states = {wire.call("BacktestService/GetBacktest", {"name": name})["state"] for name in names}
    assert states <= {"BACKTEST_STATE_CANCELLED", "BACKTEST_STATE_SUCCEEDED"}
    assert wire.call("BacktestService/Backtest", long_job(dates=150, wait="30s"))["state"] == "BACKTEST_STATE_SUCCEEDED"


def seconds_used(server: RunningServer, seconds: float) -> float:
    """Of a processor, by the server and its workers within some time: the template may still be loading libraries."""
    family = [psutil.Process(server.process.pid), *server.workers()]
    before = {one.pid: sum(one.cpu_times()[:2]) for one in family}
    time.sleep(seconds)
    used = 0.0
    for one in family:
        with suppress(psutil.NoSuchProcess):  # it was replaced
            used += sum(one.cpu_times()[:2]) - before[one.pid]
    return used


class Chart:
    """What a reader draws of a job."""

    def __init__(self) -> None:
        self.curves: dict[str, dict[int, float]] = {}
        self.places: set[tuple[str, int, int]] = set()
        self.stages: list[tuple[str, int]] = []

    def draw(self, notice: dict[str, Any]) -> None:
        tick = notice.get("tick", {})
        if "equity" in tick:
            curve = self.curves.setdefault(tick["label"], {})
            dates, navs = tick["equity"]["dates"], tick["equity"]["navs"]
            assert dates == sorted(set(dates))
            assert not curve or dates[0] > max(curve)
            curve.update(zip(dates, navs, strict=True))
            self.places.add((tick["label"], tick.get("stageIndex", 0), tick["stageCount"]))
        if notice.get("milestone", {}).get("kind") == "KIND_STAGE":
            self.stages.append((notice["milestone"]["label"], notice["milestone"].get("stageIndex", 0)))


def test_ticks_carry_the_whole_curve_of_each_strategy(server: RunningServer, opened: Any) -> None:
    """A reader that is sent some of the ticks can draw every curve, from its first net asset value to its last.

    So can one who was away for a while, whatever it has drawn before.
    """
    wire = opened(server)
    asked = long_job()["strategy"]
    strategies = [{"label": "first", **asked}, {"label": "quick", "equalWeight": {}}, {"label": "last", **asked}]
    job = long_job(dates=1500, strategies=strategies)
    del job["strategy"]
    name = wire.call("BacktestService/Backtest", job)["name"]
    whole, resumed = Chart(), Chart()
    notices = follow(wire, name, minInterval="0.1s")
    place: dict[str, Any] = {}
    returning: Iterator[dict[str, Any]] = iter(())
    for notice in notices:
        whole.draw(notice)
        place = {"afterSequence": sequence_of(notice), "epoch": notice["epoch"]}
        if notice.get("tick", {}).get("label") == "last" and not resumed.curves:
            with standing_still(server.job_workers()):  # joins while the job runs
                returning = follow(wire, name, minInterval="0.1s", **place)
                while not resumed.curves:
                    resumed.draw(next(returning))
    for notice in returning:
        resumed.draw(notice)
    assert whole.places == resumed.places == {("first", 0, 3), ("quick", 1, 3), ("last", 2, 3)}
    assert whole.stages == [("first", 0), ("quick", 1), ("last", 2)]
    for label in ("first", "quick", "last"):
        rows = list(wire.stream("BacktestService/GetBacktestSeries", {"name": name, "series": NAV, "label": label}))
        days = [day for row in rows[1:] for day in row["rows"]["dates"]]
        navs = np.concatenate([np.frombuffer(b64decode(row["rows"]["values"]["data"])) for row in rows[1:]])
        known = dict(zip(days, navs.tolist(), strict=True))
        for curve in (whole.curves[label], resumed.curves[label]):
            assert all(known[day] == nav for day, nav in curve.items())
            assert max(curve) == days[-1]
            assert min(curve) - days[0] < 20  # thinned, but from the beginning
            assert len(curve) > 50


def figures_of(wire: Wire, name: str) -> dict[str, Any]:
    result: dict[str, Any] = wire.call("BacktestService/GetBacktest", {"name": name}, timeout=60)["result"]
    del result["computeDuration"]
    return result


def wait_for_checkpoint(wire: Wire, name: str) -> None:
    """Returns early in a job: its first milestone is stored with its first checkpoint, and told after that."""
    next(notice for notice in follow(wire, name) if "milestone" in notice)
    state = wire.call("BacktestService/GetBacktest", {"name": name})["state"]
    assert state == "BACKTEST_STATE_RUNNING", "too fast to be killed in the middle"


@pytest.mark.timeout(300)
def test_a_job_survives_the_kill_of_its_server(
    start_server: Callable[..., RunningServer], opened: Any, wire: Wire
) -> None:
    undisturbed = start(wire, dates=LONG)
    first = start_server()
    before = opened(first)
    name = start(before, dates=LONG)
    notices: list[dict[str, Any]] = []

    ends: list[grpc.StatusCode] = []

    def read() -> None:
        try:
            notices.extend(iter(follow(before, name)))
        except grpc.RpcError as error:
            ends.append(error.code())

    reader = threading.Thread(target=read)
    reader.start()
    wait_for_checkpoint(before, name)
    wait_until(lambda: any("milestone" in notice for notice in notices))
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait(20)
    reader.join(60)
    assert not reader.is_alive()
    assert ends == [grpc.StatusCode.UNAVAILABLE]
    after = opened(start_server(data_dir=first.data_dir))
    last = max(map(sequence_of, notices))
    later = list(follow(after, name, afterSequence=last, epoch=notices[0]["epoch"]))
    assert later[-1]["finished"]["state"] == "BACKTEST_STATE_SUCCEEDED"
    assert all(sequence_of(notice) > last for notice in later[1:])
    resumed = [n["milestone"] for n in later if "milestone" in n]
    assert [m["kind"] for m in resumed] == ["KIND_RESUMED"]
    assert "goes on from its last checkpoint" in resumed[0]["message"]
    wait_until(lambda: wire.call("BacktestService/GetBacktest", {"name": undisturbed})["state"] in FINAL, JOB_SECONDS)
    assert figures_of(after, name) == figures_of(wire, undisturbed)
    milestones = [n["milestone"]["kind"] for n in follow(after, name) if "milestone" in n]
    assert milestones == ["KIND_STAGE", "KIND_RESUMED"]


@pytest.mark.timeout(300)
def test_a_drained_server_hands_its_job_on(start_server: Callable[..., RunningServer], opened: Any) -> None:
    first = start_server()
    wire = opened(first)
    name = start(wire, dates=LONG)
    codes: list[Any] = []

    def read() -> None:
        try:
            list(follow(wire, name))
        except grpc.RpcError as error:
            codes.append(refusal_of(error))

    reader = threading.Thread(target=read)
    reader.start()
    wait_for_checkpoint(wire, name)
    first.process.terminate()
    assert first.process.wait(60) == 0
    reader.join(60)
    assert not reader.is_alive()
    assert [(refusal.code, refusal.reason) for refusal in codes] == [("UNAVAILABLE", "DRAINING")]
    after = opened(start_server(data_dir=first.data_dir))
    assert list(follow(after, name))[-1]["finished"]["state"] == "BACKTEST_STATE_SUCCEEDED"


@pytest.mark.timeout(300)
def test_another_server_on_the_same_store_takes_over_and_tells(
    start_server: Callable[..., RunningServer], opened: Any
) -> None:
    first = start_server()
    second = start_server(data_dir=first.data_dir)
    one, other = opened(first), opened(second)
    name = start(one, dates=LONG)
    notices: list[dict[str, Any]] = []
    reader = threading.Thread(target=lambda: notices.extend(follow(other, name, minInterval="0.05s")))
    reader.start()
    wait_for_checkpoint(one, name)
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait(20)
    reader.join(JOB_SECONDS)
    assert not reader.is_alive()
    kinds = [kind_of(notice) for notice in notices]
    assert kinds[-1] == "finished"
    assert kinds.count("tick") > 2
    assert notices[-1]["finished"]["state"] == "BACKTEST_STATE_SUCCEEDED"


def test_a_job_whose_process_keeps_dying_is_given_up(lone_worker: RunningServer, opened: Any) -> None:
    wire = opened(lone_worker)
    name = start(wire)

    def kill_worker() -> bool:
        for worker in lone_worker.workers():
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        return wire.call("BacktestService/GetBacktest", {"name": name})["state"] in FINAL

    wait_until(kill_worker, 60)
    answer = wire.call("BacktestService/GetBacktest", {"name": name})
    assert answer["state"] == "BACKTEST_STATE_FAILED"
    assert "died 3 times" in answer["error"]["message"]
    finished = list(follow(wire, name))[-1]["finished"]
    assert finished["error"]["message"] == answer["error"]["message"]


def test_two_hundred_followers_cost_little(server: RunningServer, opened: Any) -> None:
    wire = opened(server)
    name = start(wire)
    process = psutil.Process(server.process.pid)
    next(iter(follow(wire, name)))
    before = process.memory_info().rss
    streams = [follow(wire, name, minInterval="0.2s") for _ in range(200)]
    for stream in streams:
        assert kind_of(next(stream)) == "snapshot"
    assert process.memory_info().rss - before < 50e6
    for stream in streams:
        stream.close()  # type: ignore[attr-defined]
    wire.call("BacktestService/CancelBacktest", {"name": name})
