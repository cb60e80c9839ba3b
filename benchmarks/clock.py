"""CPU time of several sides in turn, all warm, with nothing but their jobs inside the clock."""

import gc
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

SECONDS = 8.0
"""CPU time that a side may take for its rounds of one job."""

ROUNDS = (2, 25)
"""At least and at most so many rounds, whatever they take."""

ROUND_MS = 20.0
"""A job that is shorter is repeated until it takes about this long, on every side."""


@dataclass(frozen=True)
class Timing(Generic[T]):
    """The rounds of one side: median CPU time of a job, and the answer of its last timed run."""

    median_ms: float
    rounds: int
    answer: T


def in_turn(job: str, sides: Mapping[str, Callable[[], T]], seconds: float = SECONDS) -> dict[str, Timing[T]]:
    """Runs every side once to warm it, then all of them in rounds, each round starting with another side.

    A side that raises has no timing; what it raised goes to standard error.
    """
    plans = {}
    for name, run in sides.items():
        try:
            plans[name] = _plan(run, seconds)
        except Exception as error:  # what a peer does with a problem that has an answer is a result
            print(f"# {job}: {name} failed: {type(error).__name__}: {error}"[:300], file=sys.stderr, flush=True)
    times: dict[str, list[float]] = {name: [] for name in plans}
    answers: dict[str, T] = {}
    names = list(plans)
    for turn in range(max((rounds for rounds, _ in plans.values()), default=0)):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            rounds, repeats = plans[name]
            if turn < rounds:
                milliseconds, answers[name] = timed(sides[name], repeats)
                times[name].append(milliseconds)
    return {name: Timing(statistics.median(times[name]), len(times[name]), answers[name]) for name in plans}


def timed(run: Callable[[], T], repeats: int = 1) -> tuple[float, T]:
    """CPU milliseconds of one run, the mean of some repeats, and the answer of the last of them."""
    gc.collect()
    start = time.process_time()
    for _ in range(repeats - 1):
        run()
    answer = run()
    return (time.process_time() - start) * 1e3 / repeats, answer


def _plan(run: Callable[[], object], seconds: float) -> tuple[int, int]:
    """Rounds, and repeats in each, by the time of a warm run."""
    milliseconds, _ = timed(run)
    gc.freeze()  # what libraries have loaded stays; looking through all of it each time takes longer than most jobs
    if milliseconds < 1e3:  # the first run may have loaded a library
        milliseconds, _ = timed(run)
    repeats = max(1, round(ROUND_MS / max(milliseconds, 1e-3)))
    wanted = int(seconds * 1e3 / max(milliseconds * repeats, 1e-3))
    return min(max(wanted, ROUNDS[0]), ROUNDS[1]), repeats
