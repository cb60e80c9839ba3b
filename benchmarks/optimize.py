"""Our engine, the libraries people use today and the solvers by themselves. Run it through scripts/bench optimize."""

import argparse
import statistics
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TextIO

import numpy as np
from clock import ROUND_MS, SECONDS, in_turn, timed
from compiled import compiled_constrained
from constrained import Limits
from direct import direct_constrained
from judge import Judge, clipped, judges, scaled_variance
from market import PERIODS, Array, Market, Run, returns
from ours import our_constrained, our_jobs
from output import as_json, result_lines
from peers import jobs_of_peers

JOBS = ("min_variance", "max_ratio", "min_cvar", "risk_parity", "hrp", "frontier")
CONSTRAINED = {"constrained": False, "constrained_turnover": True}
SIZES = (20, 100, 500)
OURS = "ours"


@dataclass(frozen=True)
class Result:
    """One job against one peer: medians of CPU time, and what the timed answers are worth.

    The difference is our objective less the peer's, relative, the peer's answer as it is; clipped, with its answer
    brought within the limits first. A peer that misses limits by its violation can be better than the best.
    """

    job: str
    ours_ms: float
    ours_rounds: int
    peer: str
    peer_ms: float | None = None
    peer_rounds: int | None = None
    ratio: float | None = None
    objective_difference: float | None = None
    objective_difference_clipped: float | None = None
    ours_violation: float | None = None
    peer_violation: float | None = None


def results(job: str, ours: Run, peers: Mapping[str, Run], judge: Judge | None, seconds: float) -> Iterator[Result]:
    """A job against each of its peers."""
    timings = in_turn(job, {OURS: ours, **peers}, seconds)
    mine = timings[OURS]
    for peer in peers:
        if peer not in timings:
            yield Result(job, mine.median_ms, mine.rounds, peer)
            continue
        theirs = timings[peer]
        ratio = theirs.median_ms / mine.median_ms
        worth = judged(judge, mine.answer, theirs.answer) if judge else {}
        yield Result(job, mine.median_ms, mine.rounds, peer, theirs.median_ms, theirs.rounds, ratio, **worth)


def judged(judge: Judge, ours: Array, theirs: Array) -> Mapping[str, float]:
    """What two answers are worth."""
    with np.errstate(all="ignore"):  # the logarithm of a weight below zero is not a number, and told as that
        return {
            "objective_difference": judge.difference(ours, theirs),
            "objective_difference_clipped": judge.difference(ours, clipped(theirs)),
            "ours_violation": judge.violation(ours),
            "peer_violation": judge.violation(theirs),
        }


def jobs_of(assets: int, wanted: Callable[[str], bool], seconds: float) -> Iterator[Result]:
    """The jobs with no limits but a budget, without shorts."""
    market = Market.of(returns(assets, PERIODS))
    mine, theirs, known = our_jobs(market), jobs_of_peers(market), judges(market)
    for name in filter(wanted, JOBS):
        peers = {peer: jobs[name] for peer, jobs in theirs.items() if name in jobs}
        yield from results(f"{name}/N={assets}", mine[name], peers, known.get(name), seconds)


def constrained_jobs(assets: int, wanted: Callable[[str], bool], seconds: float) -> Iterator[Result]:
    """Minimum variance within caps and sector bands, without and with a limit on turnover."""
    market = Market.of(returns(assets, PERIODS))
    for name, turnover in CONSTRAINED.items():
        if wanted(name):
            limits = Limits.of(assets, turnover=turnover)
            peers = {**compiled_constrained(market, limits), **direct_constrained(market, limits)}
            judge = Judge(scaled_variance(market), limits.violation)
            yield from results(f"{name}/N={assets}", our_constrained(market, limits), peers, judge, seconds)


def growth(job: str, over: str, sizes: tuple[int, ...], at: Callable[[int], Market]) -> dict[str, object]:
    """How our time grows, as the exponent of a power fitted to it."""
    times = []
    for size in sizes:
        run = our_jobs(at(size))[job]
        run()
        repeats = max(1, round(ROUND_MS / max(timed(run)[0], 1e-3)))
        times.append(statistics.median(timed(run, repeats)[0] for _ in range(5)))
    slope = float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
    return {"job": f"{job}/growth", "over": over, "sizes": sizes, "ms": [round(t, 3) for t in times], "exponent": slope}


def growths() -> Iterator[dict[str, object]]:
    """In assets for every job, and in periods for those whose time depends on them."""
    for job in JOBS:
        yield growth(job, "assets", (50, 100, 200, 400), lambda assets: Market.of(returns(assets)))
    for job in ("min_cvar", "hrp"):
        yield growth(job, "periods", (500, 1000, 2000, 4000), lambda periods: Market.of(returns(100, periods)))


def main() -> None:
    """Prints a table, or JSON lines."""
    parser = argparse.ArgumentParser(prog="scripts/bench optimize", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--assets", type=int, nargs="+", default=list(SIZES), help="numbers of assets")
    names = (*JOBS, *CONSTRAINED)
    parser.add_argument("--jobs", nargs="+", default=list(names), choices=names, metavar="JOB", help=", ".join(names))
    parser.add_argument("--seconds", type=float, default=SECONDS, help="CPU time of a side for its rounds of one job")
    parser.add_argument("--growth", action="store_true", help="how our time grows with assets and periods as well")
    parser.add_argument("--quick", action="store_true", help="20 assets and few rounds, to see that it runs")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # the peers' libraries warn about each other
    lines = result_lines()
    sizes, seconds = ([20], 0.0) if arguments.quick else (arguments.assets, arguments.seconds)
    if not arguments.json:
        print(HEAD, file=lines)
    for assets in sizes:
        for jobs in (jobs_of, constrained_jobs):
            for result in jobs(assets, arguments.jobs.__contains__, seconds):
                show(result, lines, json=arguments.json)
    for line in growths() if arguments.growth else ():
        print(as_json(line), file=lines)


HEAD = (
    f"{'job':<28}{'ours':>12}  {'peer':<24}{'peer':>13}{'ratio':>9}{'difference':>12}{'clipped':>10}{'violation':>11}"
)


def show(result: Result, lines: TextIO, *, json: bool) -> None:
    """Prints one line."""
    if json:
        print(as_json(asdict(result)), file=lines)
        return
    ours = f"{result.job:<28}{result.ours_ms:>9.3f} ms  {result.peer:<24}"
    if result.peer_ms is None:
        print(f"{ours}{'no answer':>13}", file=lines)
        return
    worth = (result.objective_difference, result.objective_difference_clipped, result.peer_violation)
    figures = "".join(f"{'':>11}" if value is None else f"{value:>11.1e}" for value in worth)
    print(f"{ours}{result.peer_ms:>10.2f} ms{result.ratio:>8.1f}x {figures}", file=lines)


if __name__ == "__main__":
    main()
