"""The risk report: how long it takes, how that grows, and one series against quantstats with empyrical.

Run it by scripts/bench risk. CPU time of one thread.
"""

import argparse
import statistics
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version

import numpy as np
import pandas as pd
from clock import in_turn, timed
from market import Array
from market import returns as market_returns
from numpy.typing import NDArray
from output import as_json, result_lines
from peers import is_installed

from domain.market_data.panel import ReturnPanel
from domain.risk.correlation import Clustering
from domain.risk.drawdown_report import drawdown_figures
from domain.risk.figure import Figure, known
from domain.risk.flow import assess
from domain.risk.outcomes import Outcomes
from domain.risk.parametric import gaussian_value_at_risk
from domain.risk.ratios import calmar, compound_annual_return, ratios
from domain.risk.relative import Comparison, relative_risk
from domain.risk.specification import RiskSpecification

PERIODS, ASSETS, YEAR = 8_000, 500, 252
OURS = "ours"
ROUNDS = 9


@dataclass(frozen=True)
class Timed:
    """One job of ours, with the exponent of its growth where it is one of several sizes."""

    job: str
    ours_ms: float
    grows_with: str | None = None
    exponent: float | None = None


@dataclass(frozen=True)
class Compared:
    """One series: both sides, and the largest relative difference of the figures that both define alike."""

    job: str
    figures: int
    ours_ms: float
    peer: str | None = None
    peer_ms: float | None = None
    ratio: float | None = None
    largest_difference: float | None = None


def cpu_ms(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median CPU time of a warm run."""
    run()
    return statistics.median(timed(run)[0] for _ in range(rounds))


def full_report(values: Array) -> Callable[[], object]:
    """Everything but rolling series: figures, contributions, correlation with its clusters, beside a benchmark."""
    count, size = values.shape
    symbols = [f"S{i}" for i in range(size)]
    panel = ReturnPanel.of(symbols, range(count), values)
    benchmark = ReturnPanel.of("M", range(count), values[:, :20].mean(axis=1))
    specification = RiskSpecification(
        dict.fromkeys(symbols, 1.0 / size), periods_per_year=YEAR, clustering=Clustering(), worst_drawdowns=10
    )
    return lambda: assess(specification, panel, benchmark)


def growth(values: Array, along: str, sizes: tuple[int, ...]) -> Timed:
    """The exponent of the time in one size, the other being full."""
    parts = [values[:size] if along == "T" else values[:, :size] for size in sizes]
    times = [cpu_ms(full_report(part), 5) for part in parts]
    slope = float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
    return Timed(f"report/growth={along}", times[-1], f"{along} = {', '.join(map(str, sizes))}", slope)


def our_figures(returns: Array, benchmark: Array, days: NDArray[np.int32]) -> dict[str, float | None]:
    """The figures that both have, by our definitions."""
    outcomes = Outcomes(returns, rounding=4e-15)
    deviation = outcomes.deviation
    falls = drawdown_figures(returns, days, None, 0.95, 10)
    quotients = ratios(outcomes, deviation, YEAR, 0.0, 0.0)  # with Lo's adjustment, which is none of theirs
    beside = relative_risk(Comparison(returns[:, None], benchmark), np.ones(1), YEAR)
    cagr = compound_annual_return(returns, len(returns) / YEAR)
    found: dict[str, Figure] = {
        "volatility": deviation * YEAR**0.5,
        "sharpe": quotients.sharpe,
        "sortino": quotients.sortino,
        "omega": quotients.omega,
        "gain_to_pain": quotients.gain_to_pain,
        "cagr": cagr,
        "calmar": calmar(cagr, float(known(falls.max_drawdown) or 0.0)),
        "max_drawdown": falls.max_drawdown,
        "ulcer_index": falls.ulcer_index,
        "value_at_risk": outcomes.value_at_risk(0.95),
        "value_at_risk_gaussian": gaussian_value_at_risk(outcomes.mean, deviation, 0.95),
        "conditional_value_at_risk": outcomes.conditional_value_at_risk(0.95),
        "skewness": outcomes.standardised_moment(3),
        "kurtosis": outcomes.standardised_moment(4) - 3.0,
        "beta": beside.beta,
        "alpha": beside.alpha_annual,
        "r_squared": beside.r_squared,
        "information_ratio": beside.information_ratio,
        "treynor": beside.treynor,
        "capture_up": beside.capture_up,
        "capture_down": beside.capture_down,
    }
    return {name: known(figure) for name, figure in found.items()}


def their_figures(returns: pd.Series, benchmark: pd.Series) -> dict[str, float]:
    """The same figures by the library that is faster at each, and the table of drawdowns."""
    import empyrical
    import quantstats.stats as qs

    qs.drawdown_details(qs.to_drawdown_series(returns))
    return {
        "volatility": empyrical.annual_volatility(returns),
        "sharpe": empyrical.sharpe_ratio(returns),
        "sortino": empyrical.sortino_ratio(returns),
        "omega": empyrical.omega_ratio(returns),
        "gain_to_pain": qs.gain_to_pain_ratio(returns),
        "cagr": empyrical.cagr(returns),
        "calmar": empyrical.calmar_ratio(returns),
        "max_drawdown": -empyrical.max_drawdown(returns),
        "ulcer_index": qs.ulcer_index(returns),
        "value_at_risk": -empyrical.value_at_risk(returns, 0.05),
        "value_at_risk_gaussian": -qs.value_at_risk(returns, confidence=0.95),
        "conditional_value_at_risk": -empyrical.conditional_value_at_risk(returns, 0.05),
        "skewness": qs.skew(returns),
        "kurtosis": qs.kurtosis(returns),
        "beta": empyrical.beta(returns, benchmark),
        "alpha": empyrical.alpha(returns, benchmark),
        "r_squared": qs.r_squared(returns, benchmark),
        "information_ratio": qs.information_ratio(returns, benchmark),
        "treynor": qs.treynor_ratio(returns, benchmark),
        "capture_up": empyrical.up_capture(returns, benchmark),
        "capture_down": empyrical.down_capture(returns, benchmark),
    }


SAME = (
    "volatility",
    "sharpe",
    "sortino",
    "omega",
    "cagr",
    "calmar",
    "max_drawdown",
    "value_at_risk",
    "beta",
    "r_squared",
)
"""Figures that the peers define as we do."""


def one_series(values: Array) -> Compared:
    """The mean of twenty stocks beside one of them, 8 000 days."""
    returns, benchmark = values[:, :20].mean(axis=1), values[:, 0].copy()
    dates = pd.bdate_range("1990-01-02", periods=len(returns))
    days = (dates - pd.Timestamp(0)).days.to_numpy(np.int32)
    series, beside = pd.Series(returns, dates), pd.Series(benchmark, dates)

    sides: dict[str, Callable[[], Mapping[str, float | None]]] = {OURS: lambda: our_figures(returns, benchmark, days)}
    if all([is_installed("quantstats"), is_installed("empyrical-reloaded")]):
        peer = f"quantstats {version('quantstats')} with empyrical-reloaded {version('empyrical-reloaded')}"
        sides[peer] = lambda: their_figures(series, beside)
    job = f"series/T={len(returns)}"
    timings = in_turn(job, sides)
    mine = timings.pop(OURS)
    for name, theirs in timings.items():
        differences = [abs((mine.answer[figure] or 0.0) / (theirs.answer[figure] or 1.0) - 1.0) for figure in SAME]
        ratio = theirs.median_ms / mine.median_ms
        return Compared(job, len(mine.answer), mine.median_ms, name, theirs.median_ms, ratio, max(differences))
    return Compared(job, len(mine.answer), mine.median_ms)


def main() -> None:
    """Every job, one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--quick", action="store_true", help="a small market, to see that it runs")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")  # the peers divide by zero
    lines = result_lines()
    assets, periods = (160, 800) if options.quick else (ASSETS, PERIODS)
    values = market_returns(assets, periods)
    results: list[Timed | Compared] = [
        Timed(f"report/N={assets},T={periods}", cpu_ms(full_report(values))),
        growth(values, "N", tuple(assets // part for part in (8, 4, 2, 1))),
        growth(values, "T", tuple(periods // part for part in (8, 4, 2, 1))),
        one_series(values),
    ]
    for result in results:
        shown = {name: value for name, value in asdict(result).items() if value is not None}
        text = as_json(shown) if options.json else "  ".join(f"{name} {value}" for name, value in shown.items())
        print(text, file=lines)


if __name__ == "__main__":
    main()
