"""The charts of a risk report."""

from collections.abc import Mapping, Sequence

import numpy as np

from domain.backtest.metrics import Curve
from domain.backtest.period_returns import MONTH, YEAR, calendar_returns
from domain.charts.chart import Builder, Chart, DrawnChart, draw
from domain.charts.contributions import contributions_chart
from domain.charts.correlation import MOST_DRAWN, correlation_chart
from domain.charts.lines import Line, drawdown_chart, equity_chart
from domain.charts.monthly_returns import monthly_returns_chart
from domain.charts.rolling import RollingView, rolling_chart
from domain.charts.specification import SHORT_NUMBER, SHORT_PERCENT, Specification
from domain.charts.theme import Theme
from domain.charts.weights import NamedWeights, weight_bars
from domain.estimation.clustering import Linkage
from domain.records import dataclass
from domain.risk.correlation import Clustering, cluster
from domain.risk.figure import NO_TIME, Absent
from domain.risk.flow import RiskAssessment
from domain.risk.rolling import RollingFigure

PORTFOLIO = "portfolio"
NO_ROLLING = "needs analysis.rolling in the request, which has the length of the window"
CONSTANT = "at constant weights, without costs"
NO_LINKAGE = Linkage.AVERAGE
"""Of a tree that the request says nothing about."""

_VIEWS = {
    RollingFigure.VOLATILITY_ANNUAL: ("Volatility, % a year", SHORT_PERCENT),
    RollingFigure.SHARPE: ("Sharpe ratio, annual", SHORT_NUMBER),
    RollingFigure.CONDITIONAL_VALUE_AT_RISK: ("CVaR per period, %", SHORT_PERCENT),
    RollingFigure.BETA: ("Beta to the benchmark", SHORT_NUMBER),
}
"""Rolling figures that are drawn, as far as the report has them."""


@dataclass(frozen=True, slots=True)
class ReportToDraw:
    """A report with the days before its first return."""

    assessment: RiskAssessment

    @property
    def values(self) -> Line | None:
        """The value of 1 invested at constant weights, (T + 1,), of T returns; None without an order of time."""
        returns = self.assessment.returns
        if returns is None:
            return None
        with np.errstate(over="ignore"):
            grown = np.maximum(1.0 + returns.values @ self.assessment.report.weights, 0.0).cumprod()
        if not np.isfinite(grown).all():
            return None
        days = np.append(int(returns.dates[0]) - returns.usual_step, returns.dates).astype(np.int32)
        return Line(PORTFOLIO, days, np.append(1.0, grown))


def risk_charts(assessment: RiskAssessment, requested: Sequence[Chart], theme: Theme) -> tuple[DrawnChart, ...]:
    """The requested charts, or all that the report has data for. Raises InvalidInput for one that it has none for."""
    return draw(ReportToDraw(assessment), _BUILDERS, requested, theme, "a risk report")


def _equity(report: ReportToDraw, theme: Theme) -> Specification | Absent:
    return Absent(NO_TIME) if report.values is None else equity_chart([report.values], theme, CONSTANT)


def _drawdown(report: ReportToDraw, theme: Theme) -> Specification | Absent:
    return Absent(NO_TIME) if report.values is None else drawdown_chart([report.values], theme)


def _monthly_returns(report: ReportToDraw, theme: Theme) -> Specification | Absent:
    line = report.values
    if line is None:
        return Absent(NO_TIME)
    curve = Curve(line.days, line.values)
    months, years = calendar_returns(curve, MONTH), calendar_returns(curve, YEAR)
    cells = zip(months.years.tolist(), months.months.tolist(), months.values.tolist(), strict=True)
    sums = zip(years.years.tolist(), years.values.tolist(), strict=True)
    return monthly_returns_chart(list(cells), list(sums), f"%, {CONSTANT}", theme)


def _rolling_risk(report: ReportToDraw, theme: Theme) -> Specification | Absent:
    found = {series.figure: series for series in report.assessment.rolling}
    views = [
        RollingView(title, (Line(PORTFOLIO, found[figure].dates, found[figure].values),), shown)
        for figure, (title, shown) in _VIEWS.items()
        if figure in found
    ]
    if not views:
        return Absent(NO_ROLLING)
    return rolling_chart("Rolling risk", "over the window of the request", views, theme)


def _weights(report: ReportToDraw, theme: Theme) -> Specification:
    held = report.assessment.report
    now = NamedWeights("analysed", dict(zip(held.symbols, held.weights.tolist(), strict=True)))
    proposed = report.assessment.proposed
    if proposed is None:
        return weight_bars([now], theme)
    then = NamedWeights("proposed", dict(zip(proposed.symbols, proposed.weights.tolist(), strict=True)))
    return weight_bars([now, then], theme)


def _contributions(report: ReportToDraw, theme: Theme) -> Specification | Absent:
    found = report.assessment.report.contributions
    if isinstance(found, Absent):
        return found
    parts = dict(zip(report.assessment.report.symbols, found.by_asset.tolist(), strict=True))
    subtitle = f"they sum to the volatility of {found.total:.2%} a year"
    unit = "Contribution to the volatility, % a year"
    return contributions_chart("Risk contributions", subtitle, unit, parts, theme)


def _correlation(report: ReportToDraw, theme: Theme) -> Specification | Absent:
    held = report.assessment.report
    if isinstance(held.correlation, Absent):
        return held.correlation
    varies = np.flatnonzero(~np.isnan(held.correlation.diagonal()))
    if not 2 <= len(varies) <= MOST_DRAWN:
        return Absent(f"needs from 2 to {MOST_DRAWN} assets that vary, and there are {len(varies)}")
    correlation = held.correlation[np.ix_(varies, varies)]
    clusters = report.assessment.clusters or cluster(correlation, Clustering(NO_LINKAGE))
    return correlation_chart(tuple(held.symbols[i] for i in varies), correlation, clusters.tree, theme)


_BUILDERS: Mapping[Chart, Builder[ReportToDraw]] = {
    Chart.EQUITY: _equity,
    Chart.DRAWDOWN: _drawdown,
    Chart.MONTHLY_RETURNS: _monthly_returns,
    Chart.ROLLING_RISK: _rolling_risk,
    Chart.WEIGHTS: _weights,
    Chart.CONTRIBUTIONS: _contributions,
    Chart.CORRELATION: _correlation,
}
