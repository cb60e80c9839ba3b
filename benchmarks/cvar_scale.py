"""Least CVaR of 1 000 to 100 000 scenarios, beside cvxpy. Run it through scripts/bench cvar_scale."""

import argparse
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version

import numpy as np
from clock import SECONDS, in_turn
from judge import clipped
from market import Array, Market, Run, returns
from ours import cvar, our_jobs
from output import as_json, result_lines

LEVEL = 0.95
DEGREES = 4
"""Of freedom of the scenarios, multivariate t with the covariance of real stocks as logarithmic returns."""

ASSETS, SCENARIOS = 100, (1000, 3000, 10_000, 30_000, 100_000)
WIDE = (500, 10_000)
LIMIT_MS = 60_000.0
"""A peer that would take longer, by its time for fewer scenarios, is not run."""

OURS = "ours"


@dataclass(frozen=True)
class Result:
    """One size against one peer, or alone: medians of CPU time, and our CVaR less the peer's, relative."""

    job: str
    ours_ms: float
    ours_rounds: int
    peer: str | None = None
    peer_ms: float | None = None
    ratio: float | None = None
    objective_difference: float | None = None


def scenarios(assets: int, count: int) -> Market:
    """Heavy-tailed scenarios about as the sample stocks and combinations of them vary."""
    sample = returns(assets)
    rng = np.random.default_rng(20261128)
    factor = np.linalg.cholesky(np.cov(sample.T) + 1e-12 * np.eye(assets))
    scales = np.sqrt(DEGREES / rng.chisquare(DEGREES, (count, 1)))
    return Market.of(np.expm1(sample.mean(axis=0) + scales * (rng.standard_normal((count, assets)) @ factor.T)))


def by_cvxpy(market: Market, solver: str) -> Run:
    """As its users write it: a variable for the level, and the mean of what losses exceed it by."""
    import cvxpy as cp

    count, assets = market.returns.shape

    def run() -> Array:
        weights, level = cp.Variable(assets), cp.Variable()
        tail = cp.sum(cp.pos(-market.returns @ weights - level)) / ((1.0 - LEVEL) * count)
        problem = cp.Problem(cp.Minimize(level + tail), [cp.sum(weights) == 1.0, weights >= 0.0])
        problem.solve(solver=solver)
        return np.asarray(weights.value)

    return run


PEERS: Mapping[str, Callable[[Market], Run]] = {
    f"cvxpy {version('cvxpy')} with {name}": lambda market, name=name: by_cvxpy(market, name)
    for name in ("CLARABEL", "HIGHS")
}


def results(sizes: list[tuple[int, int]], seconds: float) -> Iterator[Result]:
    """Every size, against the peers that end within a minute at that size."""
    known: dict[str, list[tuple[int, float]]] = {peer: [] for peer in PEERS}
    for assets, count in sizes:
        market = scenarios(assets, count)
        entries = assets * count
        within = [peer for peer in PEERS if _expected(known[peer], entries) < LIMIT_MS]
        sides = {OURS: our_jobs(market)["min_cvar"], **{peer: PEERS[peer](market) for peer in within}}
        job = f"cvar_scale/{assets}x{count}"
        timings = in_turn(job, sides, seconds)
        mine, value = timings[OURS], cvar(market)
        alone = Result(job, mine.median_ms, mine.rounds)
        if not within:
            yield alone
        for peer in within:
            if peer not in timings:
                yield replace(alone, peer=peer)
                continue
            theirs = timings[peer]
            known[peer].append((entries, theirs.median_ms))
            yield replace(
                alone,
                peer=peer,
                peer_ms=theirs.median_ms,
                ratio=theirs.median_ms / mine.median_ms,
                objective_difference=value(mine.answer) / value(clipped(theirs.answer)) - 1.0,
            )


def _expected(known: list[tuple[int, float]], entries: int) -> float:
    """What a peer will take in milliseconds, growing as between its last two sizes, in proportion at least."""
    if not known:
        return 0.0
    power = 1.0
    if len(known) > 1:
        (small, quick), (large, slow) = known[-2:]
        power = max(power, float(np.log(slow / quick) / np.log(large / small)))
    return known[-1][1] * (entries / known[-1][0]) ** power


def growth(found: list[Result]) -> dict[str, object]:
    """How our time grows with the scenarios of 100 assets, as the exponent of a power fitted to it."""
    times = {
        int(result.job.split("x")[1]): result.ours_ms
        for result in found
        if result.job.startswith(f"cvar_scale/{ASSETS}x")
    }
    sizes, milliseconds = list(times), list(times.values())
    exponent = float(np.polyfit(np.log(sizes), np.log(milliseconds), 1)[0])
    return {
        "job": "cvar_scale/growth",
        "over": "scenarios",
        "sizes": sizes,
        "ms": milliseconds,
        "exponent": exponent,
    }


def main() -> None:
    """Prints a line for each size and peer, and how the time grows."""
    parser = argparse.ArgumentParser(prog="scripts/bench cvar_scale", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="CPU time of a side for its rounds of one size")
    parser.add_argument("--quick", action="store_true", help="two small sizes and few rounds, to see that it runs")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # the peers' libraries warn about each other
    lines = result_lines()
    counts, seconds = ((1000, 2000), 0.0) if arguments.quick else (SCENARIOS, arguments.seconds)
    sizes = [(ASSETS, count) for count in counts] + ([] if arguments.quick else [WIDE])
    found = []
    for result in results(sizes, seconds):
        found.append(result)
        line = asdict(result)
        print(as_json(line) if arguments.json else "  ".join(f"{k} {v}" for k, v in line.items()), file=lines)
    line = growth(found)
    print(as_json(line) if arguments.json else "  ".join(f"{k} {v}" for k, v in line.items()), file=lines)


if __name__ == "__main__":
    main()
