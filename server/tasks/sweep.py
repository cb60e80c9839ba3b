"""Sweep: the draft of a job from a request, some of its trials, what is said about all of them, and a page of them."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from absfinance.v1.backtest_service_pb2 import BacktestRequest, SweepRequest

from domain.backtest.preparation import BacktestPlan, prepare
from domain.backtest.repriced import differs_in_rates, repriced
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import Remote
from domain.errors import DomainError, InvalidInput, NotSupported, SolverFailed
from domain.market_data.fingerprint import fingerprint_of
from domain.market_data.panel import Panel, PricePanel, ReturnPanel
from domain.risk.figure import Absent, known
from domain.sweep.cross_validation import cross_validated
from domain.sweep.ranking import Score, ranking
from domain.sweep.statistics import MOST_CELLS, TOO_MANY, sweep_statistics, too_many_returns
from domain.sweep.trials import TrialData, TrialOutcome, TrialRunner
from domain.sweep.tried import EarlierTrials
from server.commands.backtest import BacktestCommand
from server.commands.stored import DataRequest, ReportKey, RequestKey, StoredData
from server.converters.backtest_request import SpecificationsInTurn
from server.converters.message import message_from_bytes
from server.converters.sweep_request import (
    GridTrials,
    ListedTrials,
    cross_validation_of,
    naming_trial,
    score_of,
    stored_trials,
    sweep_command_from_proto,
    trial_command,
    trials_of,
)
from server.converters.sweeps import concluded, failed_trial, succeeded_trial
from server.execution.control import Control
from server.jobs.backtest_run import EncodedBacktest, Job
from server.jobs.sweep_run import MOST_DEATHS
from server.jobs.sweep_state import SharedArrays, TrialDone
from server.observability import logger
from server.ports.jobs import JobDraft, JobInputs
from server.ports.market_data import PriceSelection
from server.storage.scratch import read_value
from server.tasks import backtest
from server.tasks.backtest import Drafted
from server.tasks.refusing import refusing

TASK_SECONDS = 1.0
"""A task gives its process back after this time and the trial that runs then, so that other jobs get it too."""

REPORT_SECONDS = 0.1
"""A trial that has ended is reported no later than this, or than the end of the one after it."""

MOST_REPORTED = 32
"""Trials in one report: a few megabytes, for all dates of their returns are in it."""

MOST_SETS = 100
"""Different sets of data in one sweep."""


@refusing
def draft(request: bytes, found: StoredData | None, control: Control, report: ReportKey) -> DataRequest | Drafted:
    """Checks every trial as Backtest would, and names the data of all of them; or says what is needed first."""
    message = message_from_bytes(SweepRequest, request)
    trials = trials_of(message)
    command = sweep_command_from_proto(message)
    if found is None and command.request_id:
        report(RequestKey(command.request_id, command.body))
    drafting = _Drafting(trials, found, control)
    for trial in range(len(trials.labels)):
        control()
        drafting.draft(trial)
    if drafting.needed:
        return drafting.needed_once()
    inputs, content = drafting.inputs(), hashlib.sha256(command.content)
    for one in inputs.sets:
        content.update(repr(one).encode())
    job = JobDraft(
        request=command.request,
        body=command.body,
        label=command.label or f"sweep of {len(trials.labels)}",
        fingerprint=content.hexdigest(),
        inputs=inputs,
        panels=drafting.panels,
        request_id=command.request_id,
        id=command.id,
    )
    return Drafted(job, drafting.stored, command.wait_seconds)


class _Drafting:
    """The drafts of the trials of a sweep, one after the other; what they share is read and named once."""

    def __init__(self, trials: GridTrials | ListedTrials, found: StoredData | None, control: Control) -> None:
        self._trials = trials
        self._found = found
        self._control = control
        self._first: BacktestCommand | None = None  # has the data of all trials, where they have one
        self._open: PricePanel | ReturnPanel | None = None
        self._plan: BacktestPlan | None = None  # the latest one, where all trials have one set of data
        self._names: dict[int, tuple[Panel, str]] = {}  # by identity of the panel, which is held meanwhile
        self._sets: dict[str, JobInputs] = {}
        self._set_of: list[int] = []
        self._places: dict[str, int] = {}
        self.needed: list[DataRequest] = []
        self.panels: dict[str, Panel] = {}
        self.stored: dict[str, PriceSelection] = {}

    def draft(self, trial: int) -> None:
        """Checks a trial. Raises what Backtest would, with the trial named."""
        one = trial_command(self._trials, trial, self._first)
        shares = self._trials.has_one_input
        if shares and self._first is None:
            self._first = one
        with naming_trial(self._trials, trial):
            _refuse_remote(one.specification)
            if shares and self._open is None and (self._found is not None or isinstance(one.data, Panel)):
                self._open = backtest.input_of(one, self._found or StoredData())
            data, prepared = (self._open, self._prepared) if shares else (None, prepare)
            drafted = backtest.drafted(one, self._found, self._control, data, self._name_of, prepared=prepared)
            if isinstance(drafted, DataRequest):
                self.needed.append(drafted)
            elif isinstance(drafted, Drafted):
                self._take(drafted)

    def needed_once(self) -> DataRequest:
        """What all trials need of the store."""
        distinct = list(dict.fromkeys(self.needed))
        while len(distinct) > 1:  # in pairs, so that what was joined is not copied for each trial
            pairs = zip(distinct[::2], [*distinct[1::2], DataRequest()][: len(distinct[::2])], strict=False)
            distinct = [one.joined(other) for one, other in pairs]
        return distinct[0]

    def inputs(self) -> JobInputs:
        """What the whole sweep runs on."""
        sets = tuple(self._sets.values())
        set_of = tuple(self._set_of) if len(sets) > 1 else ()
        count = len(self._trials.labels)
        return JobInputs(sets[0].data, sets[0].kind, sets=sets, set_of=set_of, trial_count=count)

    def _take(self, drafted: Drafted) -> None:
        inputs = replace(drafted.job.inputs, warnings=())
        key = repr(inputs)
        self._sets.setdefault(key, inputs)
        if len(self._sets) > MOST_SETS:
            rule = f"all trials together may have at most {MOST_SETS} different sets of data: send several sweeps"
            raise InvalidInput("", rule)
        self._set_of.append(self._places.setdefault(key, len(self._places)))
        self.panels.update(drafted.job.panels)
        self.stored.update(drafted.stored)

    def _prepared(self, specification: BacktestSpecification, *data: Any) -> BacktestPlan:
        """The plan of a trial; one that differs from the last one prepared in rates alone is checked already."""
        if self._plan is None or not differs_in_rates(self._plan, specification):
            self._plan = prepare(specification, *data)
            return self._plan
        return repriced(self._plan, specification)

    def _name_of(self, panel: Panel) -> str:
        if id(panel) not in self._names:
            self._names[id(panel)] = (panel, fingerprint_of(panel))
        return self._names[id(panel)][1]


def _refuse_remote(specification: BacktestSpecification) -> None:
    for path, strategy in specification.strategies_by_path():
        if isinstance(strategy, Remote):
            raise NotSupported(f"{path}: a sweep does not support strategies of services outside", field=path)


@lru_cache(maxsize=2)
def _trials(request: bytes) -> GridTrials | ListedTrials:
    return stored_trials(request)


@refusing
def run_trials(
    sets: Mapping[int, Job],
    set_of: Sequence[int],
    request: bytes,
    chunk: Sequence[int],
    control: Control,
    report: Callable[[tuple[TrialDone, ...]], None],
) -> None:
    """Runs some trials of a sweep and reports them as they end, in any order; what fails in one is its value.

    It returns once its time is over, after one trial at least: the others are sent again.
    """
    trials, score = _trials(request), score_of(request)
    until = time.monotonic() + TASK_SECONDS
    reports = _Reports(report)
    for number, job in sets.items():
        own = [trial for trial in chunk if (set_of[trial] if set_of else 0) == number]
        for trial, outcome in _OpenJob(job).run_each(trials, own, control):
            reports.add(_done(trials, trial, outcome, score))
            if time.monotonic() > until:
                return reports.send()
    return reports.send()


class _Reports:
    """Reports trials that end within a moment together: arrays that they share are sent once."""

    def __init__(self, report: Callable[[tuple[TrialDone, ...]], None]) -> None:
        self._report = report
        self._shared = SharedArrays()  # a report has each of them once
        self._waiting: list[TrialDone] = []
        self._sent = time.monotonic()

    def add(self, one: TrialDone) -> None:
        """Takes a trial that has ended."""
        self._waiting.append(self._shared.sharing(one))
        if len(self._waiting) == MOST_REPORTED or time.monotonic() > self._sent + REPORT_SECONDS:
            self.send()

    def send(self) -> None:
        """Reports what waits."""
        if self._waiting:
            self._report(tuple(self._waiting))
        self._waiting, self._sent = [], time.monotonic()


class _OpenJob:
    """The data of trials, read once, and what was prepared of it."""

    def __init__(self, job: Job) -> None:
        """Maps the files."""
        self._job = job
        data = job.data.prices() if job.kind == "prices" else job.data.returns()
        benchmarks = {symbol: panel.prices() for symbol, panel in job.benchmarks.items()}
        opens = None if job.opens is None else job.opens.prices()
        self._runner = TrialRunner(TrialData(data, benchmarks, opens, job.groups, job.trading))
        self._specifications = SpecificationsInTurn()

    def run_each(
        self, trials: GridTrials | ListedTrials, chunk: Sequence[int], control: Control
    ) -> Iterator[tuple[int, TrialOutcome | Exception]]:
        """Backtests on this data, each with its outcome or the error that it failed with."""

        def specification(trial: int) -> BacktestSpecification:
            control()
            return self._specification(trials.request(trial))

        return self._runner.run_each(chunk, specification, control)

    def _specification(self, request: BacktestRequest) -> BacktestSpecification:
        job, specification = self._job, self._specifications.of(request)
        complete = specification.with_groups(job.groups) if job.groups else specification
        complete = complete.with_stored_labels(job.labels)
        if job.actions:
            complete = complete.with_stored_actions(job.actions, job.benchmarks)
        return complete


def _done(trials: GridTrials | ListedTrials, trial: int, outcome: TrialOutcome | Exception, score: Score) -> TrialDone:
    if isinstance(outcome, Exception):
        if not isinstance(outcome, DomainError):  # of this trial alone, as far as anybody knows
            logger.error("a trial of a sweep failed unexpectedly", extra={"trial": trial}, exc_info=outcome)
        return _failed(trials, trial, outcome)
    label, settings = trials.labels[trial], trials.settings(trial)
    value = known(score.of(outcome.performance))
    are_kept = len(trials.labels) * (len(outcome.returns.days) + 1) <= MOST_CELLS
    encoded = succeeded_trial(trial, label, settings, outcome, value)
    return TrialDone(trial, label, encoded, value, None, outcome.returns if are_kept else None)


def died(request: bytes, trial: int, cause: Exception | None = None) -> TrialDone:
    """A trial whose worker process is gone each time, or was ended for a cause."""
    rule = f"its worker process died {MOST_DEATHS} times; it may need too much memory"
    return _failed(_trials(request), trial, cause or SolverFailed(rule))


def _failed(trials: GridTrials | ListedTrials, trial: int, error: Exception) -> TrialDone:
    label = trials.labels[trial]
    encoded, reason, text = failed_trial(trial, label, trials.settings(trial), error)
    return TrialDone(trial, label, encoded, None, (reason, text))


@refusing
def conclude(request: bytes, path: Path, control: Control, earlier: EarlierTrials | None = None) -> EncodedBacktest:
    """What is said about all trials together, which are in a file; `earlier` ones ran on the same data."""
    trials: Sequence[TrialDone] = read_value(path)
    score = score_of(request)
    ranked = ranking({one.index: one.score for one in trials if one.score is not None}, score)
    returns = {one.index: one.returns for one in trials if one.returns is not None}
    is_complete = len(returns) == sum(one.error is None for one in trials)
    statistics = too_many_returns()
    if is_complete:
        statistics = sweep_statistics(returns, ranked.best, control, earlier, len(trials))
    tested = None
    if (settings := cross_validation_of(request)) is not None:
        tested = cross_validated(returns, settings, control) if is_complete else Absent(TOO_MANY)
    return concluded(trials, ranked, statistics, tested, earlier)
