"""Runs a backtest in a worker process: reports its progress and hands out checkpoints."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace

from domain.backtest import flow
from domain.backtest.flow import BacktestRun
from domain.backtest.liquidity import StoredTrading
from domain.backtest.preparation import BacktestPlan, prepare
from domain.backtest.record import RecordPart
from domain.backtest.result import BacktestOutcome
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies.decision_log import DecisionLog
from domain.market_data.corporate_actions import CorporateAction
from domain.records import dataclass
from domain.sweep.tried import SharpeSums
from server.jobs.codec import checkpoint_from_bytes, checkpoint_to_bytes, parts_from_bytes, parts_to_bytes
from server.observability import logger
from server.ports.jobs import EventKind, JobEventDraft, JobTick, Stage, Weighing
from server.ports.panels import StoredPanelRef

TICK_SECONDS = 0.05
CHECKPOINT_SECONDS = 1.0
MANY_PARTS = 32
"""A job that goes on joins its parts where it has more: a long one may make room for others many times."""

MAX_TICK_POINTS = 256
"""Points of a curve in one tick."""

EVENT_SECONDS = 0.25
"""What is worth telling waits no longer than this for its checkpoint."""


@dataclass(frozen=True, slots=True)
class Job:
    """Everything a worker needs for a backtest beside its specification, from the start or from a checkpoint."""

    data: StoredPanelRef
    kind: str
    benchmarks: Mapping[str, StoredPanelRef]
    groups: Mapping[str, tuple[str, ...]]  # stored ones that the specification names
    checkpoint: bytes | None
    parts: tuple[bytes, ...]
    opens: StoredPanelRef | None = None  # opening prices
    name: str = ""  # "backtests/{id}"
    decisions: DecisionLog | None = None  # of services outside; None where the store keeps none
    actions: tuple[CorporateAction, ...] = ()  # stored ones that take effect
    volumes: StoredPanelRef | None = None  # in units
    earlier: StoredPanelRef | None = None  # closing prices before the data
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of instruments, to attribute by

    @property
    def trading(self) -> StoredTrading:
        """Its stored trading, over mapped files."""
        return StoredTrading(
            None if self.volumes is None else self.volumes.prices(),
            None if self.earlier is None else self.earlier.prices(),
        )


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint on its way to the store."""

    checkpoint: bytes
    part: bytes
    tick: JobTick
    events: tuple[JobEventDraft, ...]


@dataclass(frozen=True, slots=True)
class Unwritten:
    """What the server makes itself for the store: its bytes are written in a thread."""

    write: Callable[[], "Saved | Compacted"]


@dataclass(frozen=True, slots=True)
class Compacted:
    """One part in the place of `count` stored ones, after the first `skipped`."""

    count: int
    part: bytes
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class BacktestCompleted:
    """Outcome of a finished backtest."""

    outcome: BacktestOutcome  # without records
    series: tuple[tuple[str, bytes], ...]  # label and record of each strategy
    events: tuple[JobEventDraft, ...]  # since the last checkpoint
    cpu_seconds: float
    tick: JobTick | None  # at its end


@dataclass(frozen=True, slots=True)
class EncodedBacktest:
    """The same, as the bytes that are stored."""

    result: bytes
    series: tuple[tuple[str, bytes], ...]
    events: tuple[JobEventDraft, ...]
    tick: JobTick | None
    sharpe_sums: SharpeSums | None = None  # over the trials of a sweep


def run_backtest(
    job: Job,
    specification: BacktestSpecification,
    check_cancelled: Callable[[], None],
    report: Callable[[object], None],
) -> BacktestCompleted:
    """Runs a backtest to its end, from the start or from a checkpoint. It blocks: call it in a worker process."""
    started = time.process_time()
    data = job.data.prices() if job.kind == "prices" else job.data.returns()
    benchmarks = {symbol: panel.prices() for symbol, panel in job.benchmarks.items()}
    opens = None if job.opens is None else job.opens.prices()
    plan = prepare(specification, data, benchmarks, check_cancelled, opens, job.groups, job.trading)
    checkpoint = None if job.checkpoint is None else checkpoint_from_bytes(job.checkpoint)
    if job.checkpoint is not None and checkpoint is None:
        logger.warning("a stored checkpoint cannot be read; the backtest begins again", extra={"job": job.name})
    records: list[list[RecordPart]] = [[] for _ in range(0 if checkpoint is None else checkpoint.strategy_index + 1)]
    parts = job.parts
    if checkpoint is None and parts:
        # Of another version, or damaged.
        report(Compacted(len(parts), parts_to_bytes([])))
        parts = ()
    for packed in parts:
        for index, part in parts_from_bytes(packed):
            records[index].append(part)
    if len(parts) > MANY_PARTS:
        records = [[RecordPart.joined(one)] if one else [] for one in records]
        joined = [(index, part) for index, found in enumerate(records) for part in found]
        report(Compacted(len(parts), parts_to_bytes(joined)))
    reporter = Reporter(report, plan, begun=len(records))
    outcome = flow.run(plan, reporter, check_cancelled, checkpoint, records)
    events = reporter.remaining_events()
    used = time.process_time() - started
    return BacktestCompleted(outcome.without_records(), _series(outcome), events, used, reporter.last_tick())


class Reporter:
    """Decides by the clock what is told now: ticks often, checkpoints now and then."""

    def __init__(self, report: Callable[[object], None], plan: BacktestPlan, begun: int) -> None:
        self._report = report
        self._plan = plan
        self._begun = begun  # strategies whose beginning was told, by this attempt or an earlier one
        self._ticked = self._saved = time.monotonic()
        self._run: BacktestRun | None = None
        self._index = max(begun - 1, 0)  # whose net asset values are told now
        self._told_dates = 0  # how many of them were told, by this attempt

    def __call__(self, run: BacktestRun) -> None:
        """Called after each event of the run."""
        self._run = run
        now = time.monotonic()
        self._report_ended_strategies(run.strategy_index)
        if now - self._ticked >= TICK_SECONDS:
            self._ticked = now
            self._report(replace(self._tick(run), points=self._points(run, run.strategy_index)))
        has_events = run.strategy_index >= self._begun or bool(run.simulation and run.simulation.record.failures)
        if now - self._saved >= (EVENT_SECONDS if has_events else CHECKPOINT_SECONDS):
            self._saved = now
            checkpoint = run.checkpoint()
            events = self._event_drafts(run.strategy_index, checkpoint.parts)
            self._report(
                Saved(checkpoint_to_bytes(checkpoint), parts_to_bytes(checkpoint.parts), self._tick(run), events)
            )

    def remaining_events(self) -> tuple[JobEventDraft, ...]:
        """What no checkpoint has told; the last points of the curves are reported."""
        self._report_ended_strategies(len(self._plan.strategy_runs))
        parts = () if self._run is None else self._run.hand_over()
        return self._event_drafts(len(self._plan.strategy_runs) - 1, parts)

    def last_tick(self) -> JobTick | None:
        """The end of the last strategy."""
        index = len(self._plan.strategy_runs) - 1
        navs = None if self._run is None else self._run.navs(index, 0)
        if navs is None or navs.size == 0:
            return None
        return JobTick(1.0, int(self._plan.days[len(navs) - 1]), float(navs[-1]), self._stage(index))

    def _event_drafts(self, index: int, parts: Sequence[tuple[int, RecordPart]]) -> tuple[JobEventDraft, ...]:
        found: list[JobEventDraft] = []
        for part_index, part in parts:
            found.extend(self._beginnings(part_index))
            found.extend(self._decisions(part_index, part))
        found.extend(self._beginnings(index))
        return tuple(found)

    def _decisions(self, index: int, part: RecordPart) -> list[JobEventDraft]:
        """What is told of the decisions of a part, by date: those that failed, and those that were worth their cost."""
        stage, days = self._stage(index), self._plan.days
        found = [
            JobEventDraft(EventKind.REBALANCE_FAILED, failure.message, failure.day, failure.reason, stage)
            for failure in part.failures
        ]
        for since_start, benefit, cost in part.weighed.tolist():
            message = f"less tracking variance is worth {benefit:.3g} a year, and its cost is {cost:.3g} a year"
            weighing = Weighing(benefit, cost)
            found.append(JobEventDraft(EventKind.REBALANCE, message, int(days[int(since_start)]), "", stage, weighing))
        return sorted(found, key=lambda event: event.day or 0)

    def _stage(self, index: int) -> Stage:
        return Stage(self._plan.strategy_runs[index].strategy.label, index, len(self._plan.strategy_runs))

    def _tick(self, run: BacktestRun) -> JobTick:
        return JobTick(run.fraction, run.day, run.nav, self._stage(run.strategy_index))

    def _report_ended_strategies(self, index: int) -> None:
        """Reports what was not told yet of strategies before `index`, which are at their end."""
        run = self._run
        while run is not None and self._index < min(index, len(self._plan.strategy_runs)):
            points = self._points(run, self._index)
            if points:
                fraction = (self._index + 1) / len(self._plan.strategy_runs)
                self._report(JobTick(fraction, *points[-1], self._stage(self._index), points))
            self._index, self._told_dates = self._index + 1, 0

    def _points(self, run: BacktestRun, index: int) -> tuple[tuple[int, float], ...]:
        """Days and net asset values of a strategy that were not told yet."""
        navs = run.navs(index, self._told_dates)
        days = self._plan.days[self._told_dates : self._told_dates + len(navs)]
        self._told_dates += len(navs)
        return _thinned(list(zip(days.tolist(), navs.tolist(), strict=True)))

    def _beginnings(self, index: int) -> list[JobEventDraft]:
        first, self._begun = self._begun, max(self._begun, index + 1)
        day = int(self._plan.days[0])
        return [
            JobEventDraft(EventKind.STAGE, f"simulating {strategy_run.strategy.label}", day, stage=self._stage(i))
            for i, strategy_run in enumerate(self._plan.strategy_runs[first : index + 1], first)
        ]


def _thinned(points: list[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
    """At most `MAX_TICK_POINTS`, evenly spaced, the last one always among them."""
    step = -(-len(points) // MAX_TICK_POINTS)
    return tuple(points[::-1][:: max(step, 1)][::-1])


def _series(outcome: BacktestOutcome) -> tuple[tuple[str, bytes], ...]:
    done = [one for one in (*outcome.strategies, *outcome.benchmarks) if one.record is not None]
    return tuple((one.label, parts_to_bytes([(i, one.record)])) for i, one in enumerate(done) if one.record)
