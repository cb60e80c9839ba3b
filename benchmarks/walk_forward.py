"""Four hundred decisions on the sample stocks, each from the year before it. Run it by scripts/bench walk_forward."""

import argparse
import statistics
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version

import numpy as np
from absfin.cli.csv_files import read_panel
from clock import timed
from judge import clipped, judges
from market import STOCKS, Array, Market, Run
from numpy.typing import NDArray
from ours import NO_RATIO, our_jobs, our_walks
from output import as_json, result_lines
from peers import is_installed, jobs_of_peers
from simulated_walk import our_simulated, skfolio_simulated

JOBS = ("min_variance", "max_ratio", "min_cvar", "risk_parity", "hrp")
SIMULATED = "simulated_min_variance"
"""Least variance with the path that the decisions make, which is measured."""

LOOKBACK, STEP, WINDOWS = 252, 20, 400
ALL = (*JOBS, SIMULATED)
WARM_UP = 3
WALKS = 5
"""Repeats of a walk that is decided at once."""

OURS = "ours"


@dataclass
class Side:
    """What a side has done so far: CPU seconds, and weights for each window, None where it had no answer."""

    seconds: float = 0.0
    weights: list[Array | None] = field(default_factory=list)
    refused: int = 0

    def decide(self, run: Run | None) -> None:
        """One window; a window that a library cannot answer is counted."""
        answer = None
        start = time.process_time()
        try:
            answer = run() if run else None
        except NO_RATIO:
            self.refused += 1
        except Exception:  # what a peer cannot answer is a result
            answer = None
        self.seconds += time.process_time() - start
        self.weights.append(answer)

    @classmethod
    def of_walk(cls, run: Run, walks: int = WALKS) -> "Side":
        """All windows decided in one job, timed as often as makes a median."""
        timings = [timed(run) for _ in range(walks)]
        weights = [None if np.isnan(row).any() else row for row in timings[-1][1]]
        seconds = statistics.median(milliseconds for milliseconds, _ in timings) / 1e3
        return cls(seconds, weights, sum(row is None for row in weights))

    @property
    def missing(self) -> int:
        """Windows without an answer."""
        return sum(weights is None for weights in self.weights)


@dataclass(frozen=True)
class Result:
    """One job against one peer; the differences are the largest over windows that both answered, relative."""

    job: str
    windows: int
    ours_seconds: float
    ours_missing: int
    ours_refused: int  # no asset has a positive mean: a typed error
    peer: str
    peer_seconds: float
    peer_missing: int
    ratio: float
    objective_difference: float | None
    objective_difference_clipped: float | None


def markets(windows: int = WINDOWS) -> list[Market]:
    """What each decision sees."""
    returns, ends = walk(windows)
    return [Market.of(returns[end - LOOKBACK : end]) for end in ends.tolist()]


def walk(windows: int) -> tuple[Array, NDArray[np.int64]]:
    """All returns, and how many of them each decision has before it."""
    prices = read_panel(STOCKS).values
    returns = prices[1:] / prices[:-1] - 1.0
    ends = LOOKBACK + STEP * np.arange(windows)
    return returns, ends[ends <= len(returns)]


def results(job: str, windows: list[Market]) -> Iterator[Result]:
    """Ours against each peer that has the job: all sides in turn at each window, another one first each time.

    Where ours decides all windows at once, from the returns, it does so before and after the others.
    """
    names = [OURS, *(peer for peer, jobs in jobs_of_peers(windows[0]).items() if job in jobs)]
    at_once = our_walks(*walk(len(windows)), LOOKBACK).get(job)
    separately = names if at_once is None else names[1:]
    _in_turn(job, windows[:WARM_UP], separately)
    before = None if at_once is None else Side.of_walk(at_once)
    sides = _in_turn(job, windows, separately)
    if at_once is not None and before is not None:
        sides[OURS] = Side.of_walk(at_once)
        sides[OURS].seconds = 0.5 * (before.seconds + sides[OURS].seconds)
    for peer in names[1:]:
        yield _result(job, windows, sides[OURS], peer, sides[peer])


def simulated(windows: list[Market]) -> Iterator[Result]:
    """Ours against skfolio's WalkForward, each a walk with its path; none where skfolio is not installed."""
    if not is_installed("skfolio"):
        return
    for side in (our_simulated, skfolio_simulated):
        side(WARM_UP, LOOKBACK, STEP)()
    ours, theirs = (side(len(windows), LOOKBACK, STEP) for side in (our_simulated, skfolio_simulated))
    before, peer, after = Side.of_walk(ours), Side.of_walk(theirs, 1), Side.of_walk(ours)
    after.seconds = 0.5 * (before.seconds + after.seconds)
    found = _result("min_variance", windows, after, f"skfolio {version('skfolio')}, WalkForward", peer)
    yield replace(found, job=f"walk_forward/{SIMULATED}")


def _in_turn(job: str, windows: list[Market], names: list[str]) -> dict[str, Side]:
    sides = {name: Side() for name in names}
    for number, window in enumerate(windows):
        runs = {OURS: our_jobs(window).get(job)} | {peer: jobs.get(job) for peer, jobs in jobs_of_peers(window).items()}
        first = number % len(names)
        for name in names[first:] + names[:first]:
            sides[name].decide(runs[name])
    return sides


def _result(job: str, windows: list[Market], ours: Side, peer: str, theirs: Side) -> Result:
    as_they_are, within = [], []
    for window, mine, rival in zip(windows, ours.weights, theirs.weights, strict=True):
        judge = judges(window).get(job)
        if judge and mine is not None and rival is not None:
            with np.errstate(all="ignore"):
                as_they_are.append(judge.difference(mine, rival))
                within.append(judge.difference(mine, clipped(rival)))
    return Result(
        job=f"walk_forward/{job}",
        windows=len(windows),
        ours_seconds=ours.seconds,
        ours_missing=ours.missing - ours.refused,
        ours_refused=ours.refused,
        peer=peer,
        peer_seconds=theirs.seconds,
        peer_missing=theirs.missing,
        ratio=theirs.seconds / ours.seconds,
        objective_difference=max(as_they_are, default=None),
        objective_difference_clipped=max(within, default=None),
    )


def main() -> None:
    """Prints a line for each job and peer."""
    parser = argparse.ArgumentParser(prog="scripts/bench walk_forward", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--jobs", nargs="+", default=list(ALL), choices=ALL, metavar="JOB", help=", ".join(ALL))
    parser.add_argument("--quick", action="store_true", help="few decisions, to see that it runs")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # the peers' libraries warn about each other
    lines = result_lines()
    windows = markets(4 if arguments.quick else WINDOWS)
    for job in arguments.jobs:
        for result in simulated(windows) if job == SIMULATED else results(job, windows):
            line = asdict(result)
            text = as_json(line) if arguments.json else "  ".join(f"{k} {v}" for k, v in line.items())
            print(text, file=lines)


if __name__ == "__main__":
    main()
