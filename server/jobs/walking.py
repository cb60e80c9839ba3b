"""A backtest inside a worker process: it walks, reports how far it is, and hands out checkpoints."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from domain.backtest.flow import BacktestRun, run
from domain.backtest.preparation import BacktestPlan, prepare
from domain.backtest.record import RecordPart
from domain.backtest.result import BacktestOutcome
from domain.backtest.specification import BacktestSpecification
from server.jobs.codec import checkpoint_from_bytes, checkpoint_to_bytes, parts_from_bytes, parts_to_bytes
from server.ports.jobs import EventKind, JobEventDraft, JobTick, Stage
from server.ports.panels import StoredPanelRef

TICK_SECONDS = 0.05
CHECKPOINT_SECONDS = 1.0
MANY_PARTS = 32
"""A job that goes on joins its parts where it has more: a long one may make room for others many times."""

MOST_POINTS = 256
"""Points of a curve in one tick."""

EVENT_SECONDS = 0.25
"""What is worth telling waits no longer than this for its checkpoint."""


@dataclass(frozen=True, slots=True)
class Job:
    """Everything a worker needs to walk but the specification, from the start or from a checkpoint."""

    data: StoredPanelRef
    kind: str
    benchmarks: Mapping[str, StoredPanelRef]
    groups: Mapping[str, tuple[str, ...]]  # stored ones that the specification names
    checkpoint: bytes | None
    parts: tuple[bytes, ...]
    opens: StoredPanelRef | None = None  # opening prices


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint on its way to the store."""

    checkpoint: bytes
    part: bytes
    tick: JobTick
    events: tuple[JobEventDraft, ...]


@dataclass(frozen=True, slots=True)
class Compacted:
    """One part in the place of the first `count` stored ones."""

    count: int
    part: bytes


@dataclass(frozen=True, slots=True)
class BacktestCompleted:
    """Outcome of a finished backtest."""

    outcome: BacktestOutcome  # without records
    series: tuple[tuple[str, bytes], ...]  # label and record of each strategy
    events: tuple[JobEventDraft, ...]  # since the last checkpoint
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class EncodedBacktest:
    """The same, as the bytes that are stored."""

    result: bytes
    series: tuple[tuple[str, bytes], ...]
    events: tuple[JobEventDraft, ...]


def walk(
    job: Job,
    specification: BacktestSpecification,
    check_cancelled: Callable[[], None],
    report: Callable[[object], None],
) -> BacktestCompleted:
    """Runs in a worker process."""
    started = time.process_time()
    data = job.data.prices() if job.kind == "prices" else job.data.returns()
    benchmarks = {symbol: panel.prices() for symbol, panel in job.benchmarks.items()}
    opens = None if job.opens is None else job.opens.prices()
    plan = prepare(specification, data, benchmarks, check_cancelled, opens, job.groups)
    checkpoint = None if job.checkpoint is None else checkpoint_from_bytes(job.checkpoint)
    records: list[list[RecordPart]] = [[] for _ in range(0 if checkpoint is None else checkpoint.strategy_index + 1)]
    parts = job.parts
    if checkpoint is None and parts:
        # Of a version whose checkpoints cannot be continued: the simulation begins again.
        report(Compacted(len(parts), parts_to_bytes([])))
        parts = ()
    for packed in parts:
        for leg, part in parts_from_bytes(packed):
            records[leg].append(part)
    if len(parts) > MANY_PARTS:
        records = [[RecordPart.joined(parts)] if parts else [] for parts in records]
        joined = [(leg, part) for leg, parts in enumerate(records) for part in parts]
        report(Compacted(len(parts), parts_to_bytes(joined)))
    reporter = Reporter(report, plan, begun=len(records))
    outcome = run(plan, reporter, check_cancelled, checkpoint, records)
    events = reporter.remaining_events()
    return BacktestCompleted(outcome.without_records(), _series(plan, outcome), events, time.process_time() - started)


class Reporter:
    """Decides by the clock what is told now: ticks often, checkpoints now and then."""

    def __init__(self, report: Callable[[object], None], plan: BacktestPlan, begun: int) -> None:
        self._report = report
        self._plan = plan
        self._told_legs = begun  # legs whose beginning was told, by this attempt or an earlier one
        self._ticked = self._saved = time.monotonic()
        self._walk: BacktestRun | None = None
        self._leg = max(begun - 1, 0)  # whose net asset values are told now
        self._told_dates = 0  # how many of them were told, by this attempt

    def __call__(self, walk: BacktestRun) -> None:
        """Sees the walk after each event."""
        self._walk = walk
        now = time.monotonic()
        self._tell_ended_legs(walk.strategy_index)
        if now - self._ticked >= TICK_SECONDS:
            self._ticked = now
            self._report(replace(self._tick(walk), points=self._points(walk, walk.strategy_index)))
        has_events = walk.strategy_index >= self._told_legs or bool(walk.simulation and walk.simulation.record.failures)
        if now - self._saved >= (EVENT_SECONDS if has_events else CHECKPOINT_SECONDS):
            self._saved = now
            checkpoint = walk.checkpoint()
            events = self._event_drafts(walk.strategy_index, checkpoint.parts)
            self._report(
                Saved(checkpoint_to_bytes(checkpoint), parts_to_bytes(checkpoint.parts), self._tick(walk), events)
            )

    def remaining_events(self) -> tuple[JobEventDraft, ...]:
        """What no checkpoint has told; the last points of the curves are reported."""
        self._tell_ended_legs(len(self._plan.strategy_runs))
        parts = () if self._walk is None else self._walk.hand_over()
        return self._event_drafts(len(self._plan.strategy_runs) - 1, parts)

    def _event_drafts(self, leg: int, parts: Sequence[tuple[int, RecordPart]]) -> tuple[JobEventDraft, ...]:
        found: list[JobEventDraft] = []
        for part_leg, part in parts:
            found.extend(self._beginnings(part_leg))
            found.extend(
                JobEventDraft(
                    EventKind.REBALANCE_FAILED, failure.message, failure.day, failure.reason, self._stage(part_leg)
                )
                for failure in part.failures
            )
        found.extend(self._beginnings(leg))
        return tuple(found)

    def _stage(self, leg: int) -> Stage:
        return Stage(self._plan.strategy_runs[leg].strategy.label, leg, len(self._plan.strategy_runs))

    def _tick(self, walk: BacktestRun) -> JobTick:
        return JobTick(walk.fraction, walk.day, walk.nav, self._stage(walk.strategy_index))

    def _tell_ended_legs(self, leg: int) -> None:
        """Reports what was not told yet of strategies before `leg`, which are at their end."""
        walk = self._walk
        while walk is not None and self._leg < min(leg, len(self._plan.strategy_runs)):
            points = self._points(walk, self._leg)
            if points:
                fraction = (self._leg + 1) / len(self._plan.strategy_runs)
                self._report(JobTick(fraction, *points[-1], self._stage(self._leg), points))
            self._leg, self._told_dates = self._leg + 1, 0

    def _points(self, walk: BacktestRun, leg: int) -> tuple[tuple[int, float], ...]:
        """Days and net asset values of a strategy that were not told yet."""
        navs = walk.navs(leg, self._told_dates)
        days = self._plan.days[self._told_dates : self._told_dates + len(navs)]
        self._told_dates += len(navs)
        return _thinned(list(zip(days.tolist(), navs.tolist(), strict=True)))

    def _beginnings(self, leg: int) -> list[JobEventDraft]:
        first, self._told_legs = self._told_legs, max(self._told_legs, leg + 1)
        day = int(self._plan.days[0])
        return [
            JobEventDraft(EventKind.STAGE, f"simulating {strategy_run.strategy.label}", day, stage=self._stage(i))
            for i, strategy_run in enumerate(self._plan.strategy_runs[first : leg + 1], first)
        ]


def _thinned(points: list[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
    """At most `MOST_POINTS`, evenly spaced, the last one always among them."""
    step = -(-len(points) // MOST_POINTS)
    return tuple(points[::-1][:: max(step, 1)][::-1])


def _series(plan: BacktestPlan, outcome: BacktestOutcome) -> tuple[tuple[str, bytes], ...]:
    done = [one for one in (*outcome.strategies, *outcome.benchmarks) if one.record is not None]
    return tuple((one.label, parts_to_bytes([(i, one.record)])) for i, one in enumerate(done) if one.record)
