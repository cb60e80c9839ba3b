"""The trials of a sweep that are over: what is known of each, in which order they ended, and the parts of a job."""

import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.records import dataclass
from domain.sweep.ranking import Score
from domain.sweep.statistics import TrialReturns
from server.jobs.backtest_run import MANY_PARTS, Compacted, Saved, Unwritten
from server.ports.jobs import EventKind, JobEventDraft, JobTick, Stage

SAVE_SECONDS = 0.5
"""A trial that is over is stored no later than this, and one that has to be computed again took no longer."""

JOINED_BYTES = 4 << 20
"""Parts are joined to one of about this size, for all of them may be 100 MB."""

NO_TRIAL = -1


@dataclass(frozen=True, slots=True)
class TrialDone:
    """One trial, as its worker reports it."""

    index: int
    label: str
    trial: bytes  # as it is listed
    score: float | None  # None where it failed or its score is not defined
    error: tuple[str, str] | None = None  # reason and message of one that failed
    returns: TrialReturns | None = None  # None where it failed, or where those of all trials are too many


class SharedArrays:
    """Dates, benchmarks and riskless returns of trials: what several of them have is held once."""

    def __init__(self) -> None:
        self._held: dict[bytes, NDArray[Any]] = {}
        self._latest: dict[str, NDArray[Any]] = {}  # by their field

    def sharing(self, one: TrialDone) -> TrialDone:
        """The same with arrays that other trials have too."""
        if one.returns is None:
            return one
        benchmark, riskless = one.returns.benchmark, one.returns.riskless
        shared = replace(
            one.returns,
            days=self._once("days", one.returns.days),
            benchmark=None if benchmark is None else self._once("benchmark", benchmark),
            riskless=None if riskless is None else self._once("riskless", riskless),
        )
        return TrialDone(one.index, one.label, one.trial, one.score, one.error, shared)

    def _once(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        # Most trials have what the one before has, and to compare takes less of the event loop than a hash.
        latest = self._latest.get(name)
        if latest is None or not (latest is array or _has_same_bits(latest, array)):
            latest = self._latest[name] = self._held.setdefault(array.tobytes(), array)
        return latest


@dataclass(slots=True)
class SweepState:
    """The trials of one sweep; each is there once, however often the job was taken over."""

    count: int
    score: Score
    done: dict[int, TrialDone] = field(default_factory=dict)
    failed: int = 0
    best: TrialDone | None = None
    new: list[TrialDone] = field(default_factory=list)  # not stored yet
    events: list[JobEventDraft] = field(default_factory=list)  # not stored yet
    shared: SharedArrays = field(default_factory=SharedArrays)
    stored: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)  # size and trials of each restored part

    def restore(self, parts: Iterable[bytes]) -> None:
        """Takes the trials of later parts that were stored before."""
        for part in parts:
            trials = trials_from_bytes(part)
            self.stored.append((len(part), tuple(one.index for one in trials)))
            for one in trials:
                self._count(one)

    def joined_parts(self) -> list[Unwritten]:
        """Larger parts in the place of the restored ones, in order; none where the store would have few parts less."""
        groups = _grouped([size for size, _ in self.stored])
        if len(self.stored) - len(groups) < MANY_PARTS:
            return []
        # Those before it are joined by then, each group to one part.
        return [self._joined(group, skipped) for skipped, group in enumerate(groups) if len(group) > 1]

    def _joined(self, group: range, skipped: int) -> Unwritten:
        trials = dict.fromkeys(trial for part in group for trial in self.stored[part][1])
        return Unwritten(
            lambda: Compacted(len(group), trials_to_bytes([self.done[trial] for trial in trials]), skipped)
        )

    def add(self, one: TrialDone) -> None:
        """Takes a trial that has just ended, with what is worth telling of it."""
        if one.index in self.done:
            return
        stage = Stage(one.label, one.index, self.count)
        was_best = self.best
        self._count(one)
        self.new.append(self.done[one.index])
        if one.error is not None:
            reason, message = one.error
            self.events.append(JobEventDraft(EventKind.TRIAL_FAILED, message, None, reason, stage))
        elif self.best is not was_best:
            message = f"{self.score.value} of {one.score:.6g} is the best so far"
            self.events.append(JobEventDraft(EventKind.BEST_TRIAL, message, None, "", stage))

    def tick(self) -> JobTick:
        """How far the sweep is."""
        fraction = len(self.done) / self.count
        if self.best is None:
            return JobTick(fraction, self.failed, 0.0, Stage("", NO_TRIAL, self.count))
        stage = Stage(self.best.label, self.best.index, self.count)
        return JobTick(fraction, self.failed, self.best.score or 0.0, stage)

    def saved(self) -> Unwritten:
        """What is new, on its way to the store."""
        new, events, self.new, self.events = self.new, tuple(self.events), [], []
        tick = self.tick()
        return Unwritten(lambda: Saved(b"", trials_to_bytes(new), tick, events))

    def _count(self, one: TrialDone) -> None:
        if one.index in self.done:
            return
        self.done[one.index] = self.shared.sharing(one)
        self.failed += one.error is not None
        if one.score is None:
            return
        best = self.best
        # Of equal scores the first in the sweep is best, whatever the order in which trials end.
        is_better = best is None or best.score is None or self.score.is_better(one.score, best.score)
        if is_better or (best is not None and best.score == one.score and one.index < best.index):
            self.best = self.done[one.index]


def _has_same_bits(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two arrays of numbers, (K,) and (L,), have the same type and bits; 0.0 and -0.0 have not."""
    whole = f"i{one.itemsize}"
    return one.dtype == other.dtype and np.array_equal(one.view(whole), other.view(whole))


def _grouped(sizes: Sequence[int]) -> list[range]:
    """Neighbours that are no larger together than a joined part, or one part alone."""
    groups: list[range] = []
    first = held = 0
    for k, size in enumerate(sizes):
        if k > first and held + size > JOINED_BYTES:
            groups.append(range(first, k))
            first, held = k, 0
        held += size
    return [*groups, range(first, len(sizes))] if sizes else []


def trials_to_bytes(trials: Sequence[TrialDone]) -> bytes:
    """A part of the output of a sweep: arrays as numpy's npz without pickling, each once, the rest as JSON in it."""
    arrays: dict[str, NDArray[np.generic]] = {}
    names: dict[bytes, str] = {}

    def name_of(array: NDArray[np.generic] | None) -> str | None:
        if array is None:
            return None
        key = array.dtype.str.encode() + array.tobytes()
        name = names.setdefault(key, f"a{len(names)}")
        arrays[name] = array
        return name

    rest: list[list[object]] = []
    scoring: list[list[object] | None] = []
    for k, one in enumerate(trials):
        arrays[f"t{k}"] = np.frombuffer(one.trial, np.uint8)
        returns = one.returns
        own = None if returns is None else [name_of(returns.days), name_of(returns.excess), name_of(returns.benchmark)]
        rest.append([one.index, one.label, one.score, one.error, own, returns is not None and returns.is_ruined])
        known = returns is not None and returns.riskless is not None
        scoring.append(
            [name_of(returns.riskless), returns.periods_per_year, returns.acceptable] if known and returns else None
        )
    buffer = io.BytesIO()
    # By itself, so that a worker of an earlier version reads the rest.
    np.savez(buffer, allow_pickle=False, rest=_as_array(rest), scoring=_as_array(scoring), **arrays)
    return buffer.getvalue()


def _as_array(content: object) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(content).encode(), np.uint8)


def trials_from_bytes(part: bytes) -> list[TrialDone]:
    """As `trials_to_bytes` wrote them."""
    found = []
    with np.load(io.BytesIO(part), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    rest = json.loads(arrays["rest"].tobytes())
    scoring = json.loads(arrays["scoring"].tobytes()) if "scoring" in arrays else [None] * len(rest)
    for k, (index, label, score, error, own, is_ruined) in enumerate(rest):
        returns = None
        if own is not None:
            days, excess, benchmark = own
            theirs = None if benchmark is None else arrays[benchmark]
            returns = TrialReturns(arrays[days], arrays[excess], theirs, is_ruined)
        basis = scoring[k]
        if returns is not None and basis is not None:
            riskless, periods, acceptable = basis
            returns = replace(returns, riskless=arrays[riskless], periods_per_year=periods, acceptable=acceptable)
        reason = None if error is None else (str(error[0]), str(error[1]))
        found.append(TrialDone(index, label, arrays[f"t{k}"].tobytes(), score, reason, returns))
    return found


def listed_from_bytes(part: bytes) -> list[TrialDone]:
    """The trials of a part without their returns, which are most of it and are not read."""
    with np.load(io.BytesIO(part), allow_pickle=False) as file:
        return [
            TrialDone(index, label, file[f"t{k}"].tobytes(), score, None if error is None else (error[0], error[1]))
            for k, (index, label, score, error, *_) in enumerate(json.loads(file["rest"].tobytes()))
        ]


def chunks_of(pending: Sequence[int], workers: int, most: int = 100) -> list[tuple[int, ...]]:
    """Trials that one task of a worker runs: small ones at the end of a short sweep, so that no worker waits long."""
    size = max(1, min(most, math.ceil(len(pending) / (8 * workers))))
    return [tuple(pending[first : first + size]) for first in range(0, len(pending), size)]
