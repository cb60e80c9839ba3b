"""Our engine and the libraries people use today, on the same data. Run it through scripts/bench optimize."""

import argparse
import gc
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from constrained import constrained_jobs
from market import returns
from output import as_json, result_lines
from peers import FRONTIER_POINTS, PEERS, Array, Market, Run

from domain.errors import InfeasibleProblem
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.frontier import trace_frontier
from domain.optimization.problem.problem import Problem
from domain.optimization.problem.resolve import build_problem
from domain.optimization.request.constraints import ReturnFloor
from domain.optimization.request.objectives import Hierarchical, MaxRatio, MinRisk, Objective, RiskBudget
from domain.optimization.request.specification import Specification
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from domain.risk.measures.tail import conditional_value_at_risk

JOBS = ("min_variance", "max_ratio", "min_cvar", "risk_parity", "hrp", "frontier")
SIZES = (20, 100, 500)
PERIODS = 1000
SECONDS = 8.0
"""CPU that each side may take for its rounds of one job; at least one round each, at most ROUNDS."""

ROUNDS = 25
ROUND_MS = 20.0
"""One of ours is too short for the clock: as many as take about this long are one measurement."""


@dataclass(frozen=True)
class Result:
    """One job against one peer: medians of CPU time, and by how much our objective is above theirs, relative."""

    job: str
    ours_ms: float
    peer: str
    peer_ms: float | None
    ratio: float | None
    objective_excess: float | None
    rounds: int


def market_of(assets: int, periods: int = PERIODS) -> Market:
    """Sample stocks, and above twenty their factor paths with noise."""
    values = returns(assets, periods)
    return Market([f"S{i}" for i in range(assets)], values, values.mean(axis=0), np.cov(values.T))


def our_jobs(market: Market) -> Mapping[str, Run]:
    """Everything a request costs the engine: checked data, a checked problem, a verified solution."""
    dates = np.arange(len(market.returns))

    def moments() -> Moments:
        return Moments.of(market.names, market.means, market.covariance, 252.0)

    def quadratic(objective: Objective) -> Run:
        return lambda: solve(Problem(moments(), objective)).weights

    def from_returns(objective: Objective, measure: RiskMeasure) -> Run:
        def run() -> Array:
            scenarios = Scenarios.from_returns(ReturnPanel.of(market.names, dates, market.returns))
            return solve(Problem(moments(), objective, measure, scenarios=scenarios)).weights

        return run

    def tree() -> Array:
        # From returns alone, as every peer of this job.
        panel = ReturnPanel.of(market.names, dates, market.returns)
        return solve(build_problem(Specification(Hierarchical(), periods_per_year=252.0), panel)).weights

    def frontier() -> Array:
        found = trace_frontier(Problem(moments(), MinRisk()), FRONTIER_POINTS, lambda: None)
        return np.array([solution.weights for solution in found])

    return {
        "min_variance": quadratic(MinRisk()),
        "max_ratio": quadratic(MaxRatio()),
        "min_cvar": from_returns(MinRisk(), RiskMeasure.CONDITIONAL_VALUE_AT_RISK),
        "risk_parity": quadratic(RiskBudget()),
        "hrp": tree,
        "frontier": frontier,
    }


def excess(job: str, market: Market, ours: Array, theirs: Array) -> float | None:
    """By how much our objective is above theirs, relative to it; below zero ours is better. None for a hierarchy."""
    means, covariance = market.means, market.covariance

    def variance(w: Array) -> float:
        return float(w @ covariance @ w)

    judges: dict[str, Callable[[Array], float]] = {
        "min_variance": variance,
        "max_ratio": lambda w: -float(means @ w) / variance(w) ** 0.5,
        "min_cvar": lambda w: conditional_value_at_risk(market.returns @ w, 0.95),
        # Log-barrier form without units: ln volatility - mean ln w, least where contributions are equal.
        "risk_parity": lambda w: 0.5 * float(np.log(variance(w))) - float(np.log(w).mean()),
    }
    if job in judges:
        # Within the bounds that both were given: a weight of -1e-5 makes a ratio better than there is.
        kept = np.maximum(theirs, 0.0)
        best = judges[job](kept / kept.sum())
        return (judges[job](ours) - best) / abs(best)
    if job == "frontier":
        return _frontier_excess(market, theirs)
    return None


def _frontier_excess(market: Market, theirs: Array) -> float:
    """The most that the least variance of ours is above theirs, at the returns of theirs."""
    worst = -np.inf
    for rival in theirs:
        rival = rival / rival.sum()
        floor = ReturnFloor("return", 252.0 * float(market.means @ rival))
        moments = Moments.of(market.names, market.means, market.covariance, 252.0)
        try:
            least = solve(Problem(moments, MinRisk(), constraints=(floor,))).risk
        except InfeasibleProblem:  # by the peer's own tolerance above the highest return there is
            continue
        best = float(rival @ market.covariance @ rival)
        worst = max(worst, (least - best) / best)
    return worst


def measure(job: str, market: Market, peers: Mapping[str, Run], ours: Run) -> Iterator[Result]:
    """In turn, all warm, medians of CPU time."""
    mine = ours()
    answers, first = {}, {}
    for peer, run in peers.items():
        start = time.process_time()
        try:
            answers[peer] = run()
        except Exception as error:  # what a peer does with a problem that has an answer is a result
            print(f"# {job}: {peer} failed: {type(error).__name__}", file=sys.stderr, flush=True)
        first[peer] = time.process_time() - start
    one = cpu_ms(ours, 1)
    repeats = max(1, round(ROUND_MS / max(one, 1e-3)))
    slowest = max([first[peer] for peer in answers], default=0.1)
    rounds = int(np.clip(SECONDS / max(slowest, 1e-3), 1, ROUNDS))
    ours_ms: list[float] = []
    peer_ms: dict[str, list[float]] = {peer: [] for peer in answers}
    for _ in range(rounds):
        gc.collect()
        ours_ms.append(cpu_ms(ours, repeats))
        for peer in answers:
            peer_ms[peer].append(cpu_ms(peers[peer], 1))
    fast = statistics.median(ours_ms)
    for peer in peers:
        if peer not in answers:
            yield Result(job, round(fast, 4), peer, None, None, None, rounds)
            continue
        slow = statistics.median(peer_ms[peer])
        above = excess(job.partition("/")[0], market, mine, answers[peer])
        yield Result(job, round(fast, 4), peer, round(slow, 3), round(slow / fast, 1), above, rounds)


def cpu_ms(run: Run, times: int) -> float:
    """CPU time of one run."""
    start = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - start) * 1e3 / times


def growth(job: str, over: str, sizes: tuple[int, ...], at: Callable[[int], Market]) -> dict[str, object]:
    """How our time grows, as the exponent of a power fitted to it."""
    times = []
    for size in sizes:
        run = our_jobs(at(size))[job]
        run()
        repeats = max(1, round(ROUND_MS / max(cpu_ms(run, 1), 1e-3)))
        times.append(statistics.median(cpu_ms(run, repeats) for _ in range(5)))
    slope = float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
    return {"job": f"{job}/growth", "over": over, "sizes": sizes, "ms": [round(t, 3) for t in times], "exponent": slope}


def main() -> None:
    """Prints a table, or JSON lines."""
    parser = argparse.ArgumentParser(prog="scripts/bench optimize", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--assets", type=int, nargs="+", default=list(SIZES), help="numbers of assets")
    parser.add_argument("--jobs", nargs="+", default=[*JOBS, "constrained"], choices=[*JOBS, "constrained"])
    parser.add_argument("--growth", action="store_true", help="how our time grows with assets and periods as well")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # the peers' libraries warn about each other
    lines = result_lines()
    if not arguments.json:
        head = f"{'job':<22}{'ours':>12}  {'peer':<22}{'peer':>12}{'ratio':>9}{'objective excess':>19}"
        print(head, file=lines)
    for assets in arguments.assets:
        market = market_of(assets)
        mine = our_jobs(market)
        theirs = {peer: jobs(market) for peer, jobs in PEERS.items()}
        for name in JOBS:
            if name in arguments.jobs:
                peers = {peer: jobs[name] for peer, jobs in theirs.items() if name in jobs}
                for result in measure(f"{name}/N={assets}", market, peers, mine[name]):
                    print(text(result, json=arguments.json), file=lines)
    if "constrained" in arguments.jobs:
        for job, market, peers, ours, judge in constrained_jobs():
            for result in measure(job, market, peers, ours):
                peer = next(iter(peers.values()))()
                above = (judge(ours()) - judge(peer)) / abs(judge(peer))
                whole = Result(**{**asdict(result), "objective_excess": above})
                print(text(whole, json=arguments.json), file=lines)
    if arguments.growth:
        for job in JOBS:
            print(as_json(growth(job, "assets", (50, 100, 200, 400), market_of)), file=lines)
        for job in ("min_cvar", "hrp"):
            at = lambda periods: market_of(100, periods)  # noqa: E731  # one line, one meaning
            print(as_json(growth(job, "periods", (500, 1000, 2000, 4000), at)), file=lines)


def text(result: Result, *, json: bool) -> str:
    """One line."""
    if json:
        return as_json(asdict(result))
    ours = f"{result.job:<22}{result.ours_ms:>9.3f} ms  {result.peer:<22}"
    if result.peer_ms is None:
        return f"{ours}{'no answer':>12}"
    above = "" if result.objective_excess is None else f"{result.objective_excess:>19.1e}"
    return f"{ours}{result.peer_ms:>9.1f} ms{result.ratio:>8.0f}x{above}"


if __name__ == "__main__":
    main()
