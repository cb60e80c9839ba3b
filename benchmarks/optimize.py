"""Our engine and Riskfolio-Lib on the same moments. Run it through scripts/bench optimize."""

import argparse
import gc
import io
import json
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from market import returns
from numpy.typing import NDArray

from domain.market_data.moments import Moments
from domain.optimization.objectives import MinRisk, Objective, RiskBudget
from domain.optimization.problem import Problem
from domain.optimization.solve import solve

PEER = f"riskfolio-lib {version('riskfolio-lib')}"
ROUNDS = 25
OURS_PER_ROUND = 100
"""One of ours is too short for the clock: the mean of this many is a measurement, about as long as one of the peer."""

Weights = NDArray[np.float64]


@dataclass(frozen=True)
class Result:
    """One job: medians of CPU time, and by how much our objective is above the peer's, relative."""

    job: str
    ours_ms: float
    peer: str
    peer_ms: float
    ratio: float
    objective_excess: float


@dataclass(frozen=True)
class Job:
    """The same problem for both, and the objective that both are judged by."""

    name: str
    ours: Callable[[], Weights]
    peer: Callable[[], Weights]
    objective: Callable[[Weights], float]


def jobs(assets: int) -> Iterator[Job]:
    """Minimum variance and risk parity, moments given to both."""
    import pandas as pd
    import riskfolio

    values = returns(assets)
    names = [f"S{i}" for i in range(assets)]
    means, covariance = values.mean(axis=0), np.cov(values.T)
    frame = pd.DataFrame(values, columns=names)
    mu, cov = pd.DataFrame([means], columns=names), pd.DataFrame(covariance, index=names, columns=names)

    def ours(objective: Objective) -> Callable[[], Weights]:
        # Everything a request costs the engine: checked moments, a checked problem, a verified solution.
        return lambda: solve(Problem(Moments.of(names, means, covariance, 252.0), objective)).weights

    def peer(method: str, **arguments: Any) -> Callable[[], Weights]:
        def run() -> Weights:
            portfolio = riskfolio.Portfolio(returns=frame)
            portfolio.mu, portfolio.cov = mu, cov
            with redirect_stdout(io.StringIO()):
                found = getattr(portfolio, method)(model="Classic", rm="MV", **arguments)
            return found["weights"].to_numpy()

        return run

    def parity(w: Weights) -> float:
        """Log-barrier form without units: ln volatility - mean ln w, least where contributions are equal."""
        return float(0.5 * np.log(w @ covariance @ w) - np.log(w).mean())

    yield Job(
        f"min_variance/N={assets}",
        ours(MinRisk()),
        peer("optimization", obj="MinRisk", rf=0, l=0, hist=True),
        lambda w: float(w @ covariance @ w),
    )
    yield Job(f"risk_parity/N={assets}", ours(RiskBudget()), peer("rp_optimization", rf=0, b=None, hist=True), parity)


def measure(job: Job) -> Result:
    """In turn, both warm, medians of CPU time."""
    mine, theirs = job.ours(), job.peer()
    ours_ms, peer_ms = [], []
    for _ in range(ROUNDS):
        gc.collect()
        ours_ms.append(_cpu_ms(job.ours, OURS_PER_ROUND))
        peer_ms.append(_cpu_ms(job.peer, 1))
    fast, slow = statistics.median(ours_ms), statistics.median(peer_ms)
    best = job.objective(theirs / theirs.sum())
    excess = (job.objective(mine) - best) / abs(best)
    return Result(job.name, round(fast, 4), PEER, round(slow, 3), round(slow / fast, 1), excess)


def _cpu_ms(run: Callable[[], Weights], times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - start) * 1e3 / times


def main() -> None:
    """Prints a table, or JSON lines."""
    parser = argparse.ArgumentParser(prog="scripts/bench optimize", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--assets", type=int, nargs="+", default=[20, 100], help="numbers of assets")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # the peer's libraries warn about each other
    if not arguments.json:
        print(f"{'job':<22}{'ours':>10}{PEER:>24}{'ratio':>9}{'objective excess':>19}")
    for assets in arguments.assets:
        for job in jobs(assets):
            result = measure(job)
            if arguments.json:
                print(json.dumps(asdict(result)), flush=True)
            else:
                print(
                    f"{result.job:<22}{result.ours_ms:>7.3f} ms{result.peer_ms:>21.1f} ms{result.ratio:>8.0f}x"
                    f"{result.objective_excess:>19.1e}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
