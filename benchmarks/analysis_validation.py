"""Statistical validation of one path, and a comparison of many strategies.

Run it by scripts/bench analysis_validation, or with the other jobs of results by scripts/bench analysis.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
from absfin.cli.csv_files import read_panel
from clock import in_turn
from market import STOCKS, Array
from output import as_json, result_lines

from domain.cancellation import never_cancelled
from domain.market_data.panel import ReturnPanel
from domain.significance.comparison import ComparisonSettings, compare
from domain.significance.settings import ValidationSettings
from domain.significance.validation import ComparedReturns, ValidatedReturns, validate

DAYS_PER_YEAR = 252.0
STRATEGIES, RESAMPLES = 1000, 1000


@dataclass(frozen=True)
class Result:
    """One job; nothing is measured beside it. The time is the median of CPU time."""

    job: str
    ours_ms: float
    peer: str | None
    peer_ms: float | None
    ratio: float | None
    ours_rounds: int
    observations: int
    strategies: int
    resamples: int


def path() -> tuple[Array, Array]:
    """Daily returns of equal weights in the sample stocks over 33 years, and of the first of these as a benchmark."""
    prices = read_panel(STOCKS).values
    returns = prices[1:] / prices[:-1] - 1.0
    return returns.mean(axis=1), returns[:, 0]


def validation() -> Callable[[], object]:
    """Every figure of a path of 8 312 returns beside one benchmark, with the default number of resamples."""
    net, benchmark = path()
    compared = ComparedReturns("benchmark", net, benchmark, DAYS_PER_YEAR)
    days = np.arange(len(net), dtype=np.int32)
    returns = ValidatedReturns(net, net, days, DAYS_PER_YEAR, (compared,))
    settings = ValidationSettings(is_resampled=True)
    return lambda: validate(returns, settings, never_cancelled)


def formulas() -> Callable[[], object]:
    """The figures that every result of a backtest has."""
    net, _ = path()
    returns = ValidatedReturns(net, net, np.arange(len(net), dtype=np.int32), DAYS_PER_YEAR)
    return lambda: validate(returns, ValidationSettings(), never_cancelled)


def comparison(strategies: int) -> Callable[[], object]:
    """All tests of strategies around the path, as many dates."""
    net, benchmark = path()
    noise = np.random.default_rng(20221228).normal(0.0, 0.005, (len(net), strategies))
    labels, dates = [f"S{i}" for i in range(strategies)], range(len(net))
    returns = ReturnPanel.of(labels, dates, net[:, None] + noise)
    reference = ReturnPanel.of(["benchmark"], dates, benchmark[:, None])
    settings = ComparisonSettings(resamples=RESAMPLES)
    return lambda: compare(returns, reference, settings, never_cancelled)


def results(*, quick: bool) -> Iterator[Result]:
    """One line for each job."""
    observations, strategies = len(path()[0]), 20 if quick else STRATEGIES
    jobs = {
        "analysis/validation": (validation(), 1, ValidationSettings().resamples),
        "analysis/validation/formulas": (formulas(), 1, 0),
        f"analysis/comparison/{strategies}": (comparison(strategies), strategies, RESAMPLES),
    }
    for job, (run, count, resamples) in jobs.items():
        timing = in_turn(job, {"ours": run})["ours"]
        yield Result(job, timing.median_ms, None, None, None, timing.rounds, observations, count, resamples)


def main() -> None:
    """Prints one line for each job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--quick", action="store_true", help="the smallest sizes")
    given = parser.parse_args()
    lines = result_lines()
    for one in results(quick=given.quick):
        text = f"{one.job:32} {one.ours_ms:10.1f} ms  {one.observations} returns, {one.resamples} resamples"
        print(as_json(asdict(one)) if given.json else text, file=lines)


if __name__ == "__main__":
    main()
