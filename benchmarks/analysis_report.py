"""Figures and charts of one backtest of 33 years, beside quantstats' HTML report of the same returns.

Run it by scripts/bench analysis_report, or with the other jobs of results by scripts/bench analysis. CPU time of one
thread. Both sides begin after the simulation and end with a file: ours with the figures and the specifications as JSON,
theirs with the HTML.
"""

import argparse
import json
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from absfin.cli.csv_files import read_panel
from clock import in_turn
from market import STOCKS
from output import as_json, result_lines
from peers import is_installed

from domain.backtest.benchmark_curve import benchmark_curve
from domain.backtest.flow import run
from domain.backtest.measurement import measure
from domain.backtest.opening import opening_units
from domain.backtest.preparation import BacktestPlan, prepare
from domain.backtest.record import RecordPart
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol
from domain.backtest.strategies import EqualWeightStrategy
from domain.charts.lines import Line
from domain.charts.of_backtest import SimulatedPath, backtest_charts
from domain.charts.theme import Theme
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.risk.figure import known
from domain.risk.flow import assess
from domain.risk.specification import RiskSpecification

JOB, OURS, YEAR, QUICK = "analysis/report", "ours", 252, 1000
INDEX = STOCKS.with_name("sp500_index.csv.gz")
WORST = 10
"""Drawdowns that both reports list."""

Figures = Mapping[str, float | None]


@dataclass(frozen=True)
class Compared:
    """Both sides of the job."""

    job: str
    dates: int
    charts: int
    bytes: int  # of our file
    ours_ms: float
    peer: str | None = None
    peer_ms: float | None = None
    ratio: float | None = None
    largest_difference: float | None = None  # of the figures that both define alike, relative


@dataclass(frozen=True)
class Simulated:
    """A backtest that is over: what both reports are made of."""

    plan: BacktestPlan
    record: RecordPart
    index: PricePanel

    @classmethod
    def of(cls, dates: int | None) -> "Simulated":
        """The sample stocks in equal weights each month at 10 bps, beside the index."""
        stocks, index = read_panel(STOCKS), read_panel(INDEX)
        first = 0 if dates is None else len(stocks.dates) - dates
        panel = PricePanel.of(stocks.symbols, stocks.dates[first:], np.asarray(stocks.values)[first:])
        beside = PricePanel.of(index.symbols, index.dates, np.asarray(index.values))
        specification = BacktestSpecification(
            strategies=(EqualWeightStrategy(label="equal weight"),),
            costs=CostModel(LinearCost(commission_bps=10.0)),
            benchmarks=(BenchmarkSymbol(beside.symbols[0]),),
        )
        plan = prepare(specification, panel, {beside.symbols[0]: beside})
        record = run(plan, lambda _: None, lambda: None).strategies[0].record
        if record is None:
            raise TypeError("a strategy has a record")
        return cls(plan, record, beside)

    @property
    def curve(self) -> pd.Series:
        """Value of 1 invested, by date."""
        return pd.Series(self.record.unit_values, pd.to_datetime(self.plan.days, unit="D"), name="strategy")

    @property
    def benchmark(self) -> pd.Series:
        """The index on the same dates."""
        found = pd.Series(self.index.values[:, 0], pd.to_datetime(self.index.dates, unit="D"), name="benchmark")
        return found.reindex(self.curve.index).ffill()


def our_report(done: Simulated, path: Path) -> Figures:
    """Every figure of the result, the risk report of its returns with the worst drawdowns, and every chart."""
    outcome = measure(done.plan, [done.record], lambda: None)
    (strategy,) = outcome.strategies
    days, values = done.plan.days, done.record.unit_values
    returns = ReturnPanel.of(["S"], days[1:], values[1:] / values[:-1] - 1.0)
    curve = benchmark_curve(0, done.plan.specification, done.plan.market, days, {done.index.symbols[0]: done.index})
    index = PricePanel.of(["B"], curve.days, curve.nav).returns()
    risk = assess(RiskSpecification({"S": 1.0}, periods_per_year=YEAR, worst_drawdowns=WORST), returns, index)
    panel, start = done.plan.market.panel, len(done.plan.market.panel.dates) - len(days)
    simulated = SimulatedPath(
        label=strategy.label,
        prices=PricePanel(panel.symbols, panel.dates[start:], panel.values[start:]),
        total_return=done.plan.market.total_return[start:],
        record=done.record,
        opening=opening_units(done.plan.specification, panel.symbols),
        periods_per_year=YEAR,
        others=(Line("index", curve.days, curve.nav, is_benchmark=True),),
    )
    drawn = backtest_charts(simulated, (), Theme.LIGHT)
    figures = {name: known(figure) for name, figure in strategy.performance.figures.items()}
    tables, report = strategy.return_tables, risk.report
    content = {
        "figures": figures,
        "risk": {name: known(figure) for name, figure in report.figures.items()},
        "drawdowns": [asdict(one) for one in report.drawdowns.worst],
        "months": [] if tables is None else tables.months.values.tolist(),
        "years": [] if tables is None else tables.years.values.tolist(),
        "moving": [] if tables is None else [asdict(one) for one in tables.moving],
        "benchmarks": [{name: known(one) for name, one in beside.figures.items()} for beside in strategy.comparisons],
        "charts": {one.chart: one.specification for one in drawn},
    }
    path.write_text(json.dumps(content, default=str, allow_nan=False))
    return {**figures, "charts": float(len(drawn))}


def their_report(curve: pd.Series, benchmark: pd.Series, path: Path) -> Figures:
    """The full report of the library, as its documentation makes it."""
    import quantstats

    returns = curve.pct_change().iloc[1:]
    quantstats.reports.html(returns, benchmark.pct_change().iloc[1:], output=str(path), title="report")
    return {
        "total_return": quantstats.stats.comp(returns),
        "volatility_annual": quantstats.stats.volatility(returns, YEAR),
        "sharpe": quantstats.stats.sharpe(returns, periods=YEAR),
        "max_drawdown": -quantstats.stats.max_drawdown(returns),
    }


def compared(done: Simulated, folder: Path) -> Compared:
    """Both sides in turn."""
    mine, theirs = folder / "ours.json", folder / "theirs.html"
    curve, benchmark = done.curve, done.benchmark
    sides: dict[str, Callable[[], Figures]] = {OURS: lambda: our_report(done, mine)}
    if is_installed("quantstats"):
        sides[f"quantstats {version('quantstats')}"] = lambda: their_report(curve, benchmark, theirs)
    timings = in_turn(JOB, sides)
    ours = timings.pop(OURS)
    charts = int(ours.answer["charts"] or 0)
    line = Compared(JOB, len(done.plan.days), charts, mine.stat().st_size, ours.median_ms)
    for peer, timing in timings.items():
        differences = [abs((ours.answer[name] or 0.0) / (value or 1.0) - 1.0) for name, value in timing.answer.items()]
        ratio = timing.median_ms / ours.median_ms
        line = replace(line, peer=peer, peer_ms=timing.median_ms, ratio=ratio, largest_difference=max(differences))
    return line


def main() -> None:
    """One line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--quick", action="store_true", help="a few years, to see that it runs")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")  # of the peer
    lines = result_lines()
    with tempfile.TemporaryDirectory() as folder:
        result = compared(Simulated.of(QUICK if options.quick else None), Path(folder))
    shown = {name: value for name, value in asdict(result).items() if value is not None}
    text = as_json(shown) if options.json else "  ".join(f"{name} {value}" for name, value in shown.items())
    print(text, file=lines)


if __name__ == "__main__":
    main()
