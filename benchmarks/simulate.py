"""Simulations of equal weights against backtesting libraries. Run it by scripts/bench simulate."""

import argparse
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version

import numpy as np
from absfin.cli.csv_files import read_panel
from clock import Timing, in_turn
from engines import BPS, CAPITAL, Peer, Task, Terms, peers
from market import STOCKS, Array, returns
from output import as_json, result_lines

from domain.backtest.drift_band import BandWidth, DriftBand
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Calendar, DayOfPeriod, EveryPeriods, Rebalancing
from domain.backtest.simulator import Simulation
from domain.backtest.specification import BacktestSpecification, Conventions, Fill
from domain.backtest.strategies import EqualWeightStrategy
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.panel import PricePanel

FEW, MANY = 20, 500
"""Assets: the sample stocks, and these with a random market of further ones."""

BAND_WIDTH = 0.0005
"""A quarter of the target of one of many assets: nearly as many fills as with a monthly calendar."""

MONTHLY, DAILY, BANDS = "monthly", "daily", "bands"


@dataclass(frozen=True)
class Result:
    """One job against one peer. Times are medians of CPU time, ours by the conventions of the peer."""

    job: str
    ours_ms: float
    peer: str
    peer_ms: float
    ratio: float
    wealth_difference: float | None  # final value of the peer over ours, less 1
    conventions: str  # of our side
    ours_exact_ms: float  # by our own conventions
    ours_rounds: int
    peer_rounds: int


def stocks() -> tuple[Array, Array]:
    """Days (T,) and prices (T, 20) of the sample stocks."""
    panel = read_panel(STOCKS)
    return np.array(panel.dates, np.int32), np.array(panel.values, np.float64)


def market_of(assets: int, dates: int | None) -> tuple[Array, Array]:
    """Days (T,) and prices (T, N): the sample stocks, and random ones with their factors and a fixed seed."""
    days, prices = stocks()
    if assets > prices.shape[1]:
        growth = np.cumprod(1.0 + returns(assets, len(days) - 1), axis=0)
        prices = 100.0 * np.vstack([np.ones(assets), growth])
    return days[:dates], np.ascontiguousarray(prices[:dates])


def our_path(task: Task, rule: str, terms: Terms) -> Callable[[], Array]:
    """From a panel in memory to the net asset values: checks, plan and simulation."""
    first = int(np.flatnonzero(np.diff(task.days.astype("datetime64[D]").astype("datetime64[M]")))[0])
    start = first if terms.at_month_ends else 0
    panel = PricePanel.of(task.names, task.days[start:], task.prices[start:])
    calendar = Calendar(day=DayOfPeriod.LAST if terms.at_month_ends else DayOfPeriod.FIRST)
    rebalancing = {
        MONTHLY: Rebalancing(calendar),
        DAILY: Rebalancing(EveryPeriods(1)),
        BANDS: Rebalancing(BuyAndHold(), DriftBand(BandWidth(absolute=BAND_WIDTH))),
    }[rule]
    specification = BacktestSpecification(
        (EqualWeightStrategy(),),
        rebalancing,
        fill=Fill(terms.fill),
        conventions=Conventions(terms.conventions),
        costs=CostModel(LinearCost(BPS)),
        initial_capital=CAPITAL,
        fractional_holdings=not terms.whole_units,
    )

    def run() -> Array:
        plan = prepare(specification, panel)
        strategy_run, inputs = plan.strategy_runs[0], plan.inputs[0]
        simulation = Simulation(plan.market, specification, strategy_run, plan.groups, inputs=inputs)
        for _ in simulation.advance(lambda: None):
            pass
        return np.concatenate(simulation.record.nav)

    return run


def task_of(assets: int, rule: str, dates: int | None) -> Task:
    """The job as the libraries are given it."""
    days, prices = market_of(assets, dates)
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    decisions = np.append(True, months[1:] != months[:-1]) if rule == MONTHLY else np.ones(len(days), np.bool_)
    return Task(days, prices, decisions)


def results(assets: int, rule: str, dates: int | None) -> Iterator[Result]:
    """Ours against each library, all sides in turn; bands against our own monthly calendar."""
    task = task_of(assets, rule, dates)
    job = f"simulate/{assets}x{len(task.days)}/"
    exact = Terms(fill="SAME_CLOSE")
    if rule == BANDS:
        ours_alone = Peer(f"abs-finance {version('abs-finance')} {job}{MONTHLY}", exact, our_path(task, MONTHLY, exact))
        rivals = [ours_alone]
    else:
        rivals = peers(task)
    sides: dict[str, Callable[[], Array]] = {
        str(terms): our_path(task, rule, terms) for terms in dict.fromkeys([exact, *(peer.terms for peer in rivals)])
    }
    timings = in_turn(job + rule, sides | {peer.name: peer.run for peer in rivals})
    for peer in rivals:
        if peer.name in timings:
            yield _result(job + rule, peer, timings[str(peer.terms)], timings[peer.name], timings[str(exact)])


def _result(job: str, peer: Peer, ours: Timing[Array], theirs: Timing[Array], exact: Timing[Array]) -> Result:
    same_job = not peer.name.startswith("abs-finance")
    return Result(
        job=job,
        ours_ms=ours.median_ms,
        peer=peer.name,
        peer_ms=theirs.median_ms,
        ratio=theirs.median_ms / ours.median_ms,
        wealth_difference=float(theirs.answer[-1] / ours.answer[-1] - 1.0) if same_job else None,
        conventions=f"{peer.terms.conventions}, {peer.terms.fill}" + ", whole units" * peer.terms.whole_units,
        ours_exact_ms=exact.median_ms,
        ours_rounds=ours.rounds,
        peer_rounds=theirs.rounds,
    )


JOBS = {
    f"{assets}/{rule}": partial(results, assets, rule)
    for assets, rule in ((FEW, MONTHLY), (FEW, DAILY), (MANY, MONTHLY), (MANY, BANDS))
}


def main() -> None:
    """Prints a line for each job and peer."""
    parser = argparse.ArgumentParser(prog="scripts/bench simulate", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--jobs", nargs="+", default=list(JOBS), choices=JOBS, metavar="JOB", help=", ".join(JOBS))
    parser.add_argument("--quick", action="store_true", help="few dates, to see that it runs")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # the peers' libraries warn about each other
    lines = result_lines()
    for job in arguments.jobs:
        for result in JOBS[job](300 if arguments.quick else None):
            line = asdict(result)
            text = as_json(line) if arguments.json else "  ".join(f"{k} {v}" for k, v in line.items())
            print(text, file=lines)


if __name__ == "__main__":
    main()
