"""Four hundred decisions on the sample stocks, each from the year before it. Run it by scripts/bench walk_forward."""

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
from absfin.cli.csv_files import read_panel
from market import STOCKS
from optimize import excess, our_jobs
from output import as_json, result_lines
from peers import PEERS, Array, Market, Run

from domain.errors import NoPositiveExcessReturn

JOBS = ("min_variance", "max_ratio", "min_cvar", "risk_parity", "hrp")
LOOKBACK, STEP, WINDOWS = 252, 20, 400


@dataclass(frozen=True)
class Walk:
    """One side of a job: CPU seconds, windows without weights, and of those the ones that say there are none."""

    seconds: float
    weights: list[Array | None]
    refused: int


@dataclass(frozen=True)
class Result:
    """One job against one peer; the excess is the largest over windows that both answered, relative."""

    job: str
    windows: int
    ours_seconds: float
    ours_missing: int
    ours_refused: int  # no asset has a positive mean: a typed outcome
    peer: str
    peer_seconds: float
    peer_missing: int
    ratio: float
    objective_excess: float | None


def markets() -> list[Market]:
    """What each decision sees."""
    prices = read_panel(STOCKS).values
    returns = prices[1:] / prices[:-1] - 1.0
    ends = LOOKBACK + STEP * np.arange(WINDOWS)
    names = [f"S{i}" for i in range(returns.shape[1])]
    windows = (returns[end - LOOKBACK : end] for end in ends.tolist() if end <= len(returns))
    return [Market(names, window, window.mean(axis=0), np.cov(window.T)) for window in windows]


def walked(windows: list[Market], jobs: Callable[[Market], Run]) -> Walk:
    """Every window once, what a library raises counted as no answer."""
    found: list[Array | None] = []
    refused = 0
    start = time.process_time()
    for window in windows:
        try:
            found.append(jobs(window)())
        except NoPositiveExcessReturn:
            found.append(None)
            refused += 1
        except Exception:  # a window that a peer cannot answer is what is counted
            found.append(None)
    return Walk(time.process_time() - start, found, refused)


def results(job: str, windows: list[Market]) -> Iterator[Result]:
    """Ours against each peer that has the job."""
    walked(windows[:5], lambda window: our_jobs(window)[job])
    ours = walked(windows, lambda window: our_jobs(window)[job])
    missing = sum(weights is None for weights in ours.weights) - ours.refused
    for peer, jobs in PEERS.items():
        if job not in jobs(windows[0]):
            continue
        theirs = walked(windows, lambda window, jobs=jobs: jobs(window)[job])
        gaps = [
            excess(job, window, mine, rival)
            for window, mine, rival in zip(windows, ours.weights, theirs.weights, strict=True)
            if mine is not None and rival is not None
        ]
        known = [gap for gap in gaps if gap is not None]
        yield Result(
            job=f"walk_forward/{job}",
            windows=len(windows),
            ours_seconds=round(ours.seconds, 4),
            ours_missing=missing,
            ours_refused=ours.refused,
            peer=peer,
            peer_seconds=round(theirs.seconds, 2),
            peer_missing=sum(weights is None for weights in theirs.weights),
            ratio=round(theirs.seconds / ours.seconds, 1),
            objective_excess=max(known) if known else None,
        )


def main() -> None:
    """Prints a line for each job and peer."""
    parser = argparse.ArgumentParser(prog="scripts/bench walk_forward", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--jobs", nargs="+", default=list(JOBS), choices=JOBS)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # the peers' libraries warn about each other
    lines = result_lines()
    windows = markets()
    for job in arguments.jobs:
        for result in results(job, windows):
            line = asdict(result)
            text = as_json(line) if arguments.json else "  ".join(f"{k} {v}" for k, v in line.items())
            print(text, file=lines)


if __name__ == "__main__":
    main()
