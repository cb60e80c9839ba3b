"""A thousand backtests over one set of prices: a grid of costs and intervals. Run it by scripts/bench sweep.

Beside vectorbt each point is simulated by its conventions; then ours alone, by number of points and of workers.
"""

import argparse
import math
import multiprocessing
import statistics
import sys
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from absfin.cli.csv_files import read_panel
from engines import CAPITAL
from market import STOCKS, Array
from output import as_json, result_lines

from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.specification import BacktestSpecification, Conventions, Fill
from domain.backtest.strategies import EqualWeightStrategy
from domain.cancellation import never_cancelled
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.panel import PricePanel
from domain.sweep.trials import TrialData, TrialOutcome, TrialRunner

POINTS = 1000
INTERVALS = (10, 21, 42, 63, 126)
"""Dates from one decision to the next."""

LARGEST_BPS = 50.0
TOGETHER = 100
"""Points that both sides have in turn; vectorbt takes them as columns of one call."""

ROUNDS = 5
QUICK_POINTS, QUICK_DATES = 20, 600
SCALES = (100, 300, 1000, 3000)


@dataclass(frozen=True)
class Point:
    """One backtest."""

    interval: int
    bps: float


@dataclass(frozen=True)
class Result:
    """All points beside vectorbt, or ours alone; CPU milliseconds."""

    job: str
    ours_ms: float
    peer: str | None = None
    peer_ms: float | None = None
    ratio: float | None = None
    wealth_difference: float | None = None  # largest one of a final value, relative
    drawdown_difference: float | None = None


@dataclass(frozen=True)
class Scale:
    """Ours by points and worker processes."""

    job: str
    points: int
    workers: int
    wall_ms: float
    ours_ms: float  # CPU time of all workers in trials
    peak_mb: float  # of the largest worker, with everything that is loaded
    same_bits: bool  # as one worker gives


@dataclass(frozen=True)
class _Part:
    """What a worker has done."""

    milliseconds: float
    peak_mb: float
    wealth: list[float]


def grid(points: int) -> list[Point]:
    """Every interval with every rate; the rate changes fastest, as the last axis of a sweep does."""
    rates = np.linspace(0.0, LARGEST_BPS, points // len(INTERVALS)).tolist()
    return [Point(interval, bps) for interval in INTERVALS for bps in rates]


def sample(dates: int | None) -> PricePanel:
    """The sample stocks."""
    panel = read_panel(STOCKS)
    return PricePanel.of(panel.symbols, panel.dates[:dates], panel.values[:dates])


def specification(point: Point) -> BacktestSpecification:
    """Equal weights in the way of vectorbt."""
    return BacktestSpecification(
        (EqualWeightStrategy(),),
        Rebalancing(EveryPeriods(point.interval)),
        fill=Fill.SAME_CLOSE,
        conventions=Conventions.VECTORBT,
        costs=CostModel(LinearCost(point.bps)),
        initial_capital=CAPITAL,
    )


def our_trials(runner: TrialRunner, points: list[Point]) -> list[TrialOutcome]:
    """As a worker of a sweep runs them: from the specification to all figures and the returns."""
    numbers = range(len(points))
    found = dict(runner.run_each(numbers, lambda k: specification(points[k]), never_cancelled))
    return [outcome for k in numbers if isinstance(outcome := found[k], TrialOutcome)]


def vectorbt_trials(panel: PricePanel, points: list[Point]) -> tuple[float, Array, Array]:
    """CPU milliseconds, final values and largest drawdowns; with the value path, the return and the Sharpe ratio.

    What it takes, frames with a column for each asset of each point, is made outside the clock.
    """
    import pandas as pd
    import vectorbt

    count = len(panel.symbols)
    columns = pd.MultiIndex.from_product([range(len(points)), panel.symbols], names=["point", "symbol"])
    index = pd.DatetimeIndex(panel.dates.astype("datetime64[D]"))
    frame = pd.DataFrame(np.tile(panel.values, (1, len(points))), index, columns)
    size = np.full(frame.shape, np.nan)
    for k, point in enumerate(points):
        size[:: point.interval, k * count : (k + 1) * count] = 1.0 / count
    fees = np.repeat([point.bps * 1e-4 for point in points], count)
    start = time.process_time()
    portfolio = vectorbt.Portfolio.from_orders(
        frame,
        size=size,
        size_type="targetpercent",
        group_by="point",
        cash_sharing=True,
        call_seq="auto",
        fees=fees,
        init_cash=CAPITAL,
        freq="D",
    )
    values = portfolio.value()
    portfolio.total_return(), portfolio.sharpe_ratio()
    drawdowns = portfolio.max_drawdown()
    milliseconds = (time.process_time() - start) * 1e3
    return milliseconds, values.to_numpy()[-1], -drawdowns.to_numpy()


def beside_vectorbt(points: int, dates: int | None) -> Result:
    """Both sides in turn, some points each time; ours is the median of rounds, since it is so short."""
    panel, chosen = sample(dates), grid(points)
    name = _vectorbt()
    parts = [chosen[first : first + TOGETHER] for first in range(0, len(chosen), TOGETHER)]
    our_trials(TrialRunner(TrialData(panel)), parts[0][:3])
    if name:
        vectorbt_trials(panel, parts[0])  # compiles
    ours, theirs, wealth, drawdowns = 0.0, 0.0, [0.0], [0.0]
    for part in parts:
        rounds = []
        for _ in range(ROUNDS):
            start = time.process_time()
            found = our_trials(TrialRunner(TrialData(panel)), part)
            rounds.append((time.process_time() - start) * 1e3)
        ours += statistics.median(rounds)
        if name:
            milliseconds, values, depths = vectorbt_trials(panel, part)
            theirs += milliseconds
            wealth += np.abs(values / CAPITAL / [_number(one.performance.final_wealth) for one in found] - 1.0).tolist()
            drawdowns += np.abs(depths - [_number(one.performance.max_drawdown) for one in found]).tolist()
    job = f"sweep/{len(chosen)}"
    if not name:
        return Result(job, ours)
    return Result(job, ours, name, theirs, theirs / ours, max(wealth), max(drawdowns))


def _number(figure: object) -> float:
    if not isinstance(figure, float):
        raise TypeError("a figure of these prices is not defined")
    return figure


def _vectorbt() -> str | None:
    try:
        return f"vectorbt {version('vectorbt')}"
    except PackageNotFoundError:
        print("# vectorbt is not installed and left out", file=sys.stderr)
        return None


_runners: dict[int | None, TrialRunner] = {}


def _work(points: list[Point], dates: int | None) -> _Part:
    """Of one worker process, which reads the data once."""
    if dates not in _runners:
        _runners[dates] = TrialRunner(TrialData(sample(dates)))
        our_trials(_runners[dates], points[:3])  # loads what is compiled
    start = time.process_time()
    found = our_trials(_runners[dates], points)
    milliseconds = (time.process_time() - start) * 1e3
    return _Part(milliseconds, _peak_mb(), [_number(one.performance.final_wealth) for one in found])


def _peak_mb() -> float:
    """Of this process since it began: what getrusage says has the process in it that started this one."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024.0 for line in lines if line.startswith("VmHWM:")), math.nan)


def scales(counts: tuple[int, ...], dates: int | None) -> Iterator[Scale]:
    """Time against points, with one worker and with two."""
    context = multiprocessing.get_context("spawn")
    for count in counts:
        chosen, first = grid(count), None
        for workers in (1, 2):
            parts = [chosen[k : k + 25] for k in range(0, len(chosen), 25)]
            with ProcessPoolExecutor(workers, context) as pool:
                list(pool.map(_work, [chosen[:3]] * (4 * workers), [dates] * (4 * workers)))  # begin and load
                start = time.perf_counter()
                done = list(pool.map(_work, parts, [dates] * len(parts)))
                wall = (time.perf_counter() - start) * 1e3
            wealth = [one for part in done for one in part.wealth]
            first = first or wealth
            yield Scale(
                job=f"sweep/scale/{len(chosen)}/workers={workers}",
                points=len(chosen),
                workers=workers,
                wall_ms=wall,
                ours_ms=sum(part.milliseconds for part in done),
                peak_mb=max(part.peak_mb for part in done),
                same_bits=wealth == first,
            )


def main() -> None:
    """Prints a line for each job."""
    parser = argparse.ArgumentParser(prog="scripts/bench sweep", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--quick", action="store_true", help="few points and dates, to see that it runs")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # the peer warns about its own libraries
    lines = result_lines()
    quick = arguments.quick
    points, dates = (QUICK_POINTS, QUICK_DATES) if quick else (POINTS, None)

    def results() -> Iterator[Result | Scale]:
        yield beside_vectorbt(points, dates)
        yield from scales((QUICK_POINTS,) if quick else SCALES, dates)

    for result in results():
        line = asdict(result)
        text = as_json(line) if arguments.json else "  ".join(f"{k} {v}" for k, v in line.items())
        print(text, file=lines)


if __name__ == "__main__":
    main()
