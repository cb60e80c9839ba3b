"""The charts of one strategy of a backtest."""

from collections.abc import Mapping, Sequence

from domain.backtest.account_series import total_contributions, trading_costs, turnovers, weights
from domain.backtest.metrics import Curve
from domain.backtest.period_returns import MONTH, YEAR, calendar_returns, moving_years
from domain.backtest.record import RecordPart
from domain.backtest.return_tables import HORIZONS
from domain.cancellation import CancellationCheck, never_cancelled
from domain.charts.chart import Builder, Chart, DrawnChart, draw
from domain.charts.contributions import contributions_chart
from domain.charts.costs import costs_chart
from domain.charts.lines import Line, drawdown_chart, equity_chart
from domain.charts.monthly_returns import monthly_returns_chart
from domain.charts.rolling import RollingView, rolling_chart
from domain.charts.specification import SHORT_NUMBER, SHORT_PERCENT, Specification
from domain.charts.theme import Theme
from domain.charts.timing_luck import timing_luck_chart
from domain.charts.weights import weights_chart
from domain.checks import LARGEST_RETURN, Matrix, Vector
from domain.market_data.panel import Days, PricePanel
from domain.records import dataclass
from domain.risk.figure import Absent
from domain.risk.rolling import RollingFigure, RollingSettings, rolling_figure
from domain.significance.timing_luck import TimingLuck

OTHERS = "costs, fees, cash and fills"
"""What contributes to the return beside the assets."""

NO_ATTRIBUTION = "needs analysis.attribution in the request of the backtest"
NO_TIMING_LUCK = "needs analysis.statistical_validation.timing_luck_offsets in the request of the backtest"
NO_TRADES = "needs a trade, and the strategy made none"
NO_CONTRIBUTION = "needs a net asset value that changes"
NO_RETURNS = "needs a net asset value that is above 0 after the first date"


@dataclass(frozen=True, slots=True)
class Attributed:
    """The excess return over a benchmark, divided."""

    segments: Mapping[str, float]
    excess_return: float


@dataclass(frozen=True, slots=True)
class SimulatedPath:
    """What a strategy did, over the prices it was simulated on, beside other curves."""

    label: str
    prices: PricePanel  # of the T dates of the simulation
    total_return: Matrix  # (T, N), prices with splits and dividends reinvested; NaN where an asset is not listed
    record: RecordPart
    opening: Vector  # (N,), units at the start
    periods_per_year: float
    others: tuple[Line, ...] = ()  # strategies and benchmarks to draw beside it
    attribution: Attributed | None = None
    timing_luck: TimingLuck | None = None

    @property
    def days(self) -> Days:
        """Dates, (T,)."""
        return self.prices.dates

    @property
    def curve(self) -> Curve:
        """Value of the units that the account has at the start."""
        return Curve(self.days, self.record.unit_values)

    @property
    def lines(self) -> list[Line]:
        """The curve, then the others."""
        return [Line(self.label, self.days, self.record.unit_values), *self.others]


def backtest_charts(
    path: SimulatedPath,
    requested: Sequence[Chart],
    theme: Theme,
    check_cancelled: CancellationCheck = never_cancelled,
) -> tuple[DrawnChart, ...]:
    """The requested charts, or all that the path has data for. Raises InvalidInput for one that it has none for."""
    return draw(path, _BUILDERS, requested, theme, "a backtest", check_cancelled)


def _equity(path: SimulatedPath, theme: Theme) -> Specification:
    return equity_chart(path.lines, theme)


def _drawdown(path: SimulatedPath, theme: Theme) -> Specification:
    return drawdown_chart(path.lines, theme)


def _monthly_returns(path: SimulatedPath, theme: Theme) -> Specification | Absent:
    months, years = calendar_returns(path.curve, MONTH), calendar_returns(path.curve, YEAR)
    if not len(months.values):
        return Absent(NO_RETURNS)
    cells = zip(months.years.tolist(), months.months.tolist(), months.values.tolist(), strict=True)
    sums = zip(years.years.tolist(), years.values.tolist(), strict=True)
    return monthly_returns_chart(list(cells), list(sums), f"{path.label}, % after costs", theme)


def _weights(path: SimulatedPath, theme: Theme) -> Specification:
    held = weights(path.prices.values, path.record, path.opening, 0, len(path.days))
    return weights_chart(path.prices.symbols, path.days, held, theme)


def _contributions(path: SimulatedPath, theme: Theme) -> Specification | Absent:
    total = total_contributions(path.prices.values, path.total_return, path.record, path.opening)
    grown = float(path.record.unit_values[-1] / path.record.unit_values[0]) - 1.0
    parts = dict(zip(path.prices.symbols, total.tolist(), strict=True))
    parts[OTHERS] = grown - float(total.sum())
    if not any(parts.values()):
        return Absent(NO_CONTRIBUTION)
    subtitle = f"{path.label}: they sum to the total return of {grown:,.1%}"
    return contributions_chart("Contributions to the return", subtitle, "Contribution, % of capital", parts, theme)


def _rolling_risk(path: SimulatedPath, theme: Theme) -> Specification | Absent:
    window = max(2, round(path.periods_per_year))
    lines = [line for line in path.lines if _is_rolled(line, window)]
    if not lines or lines[0].label != path.label:
        return Absent(f"needs {window + 1} dates, a year and one more, with returns that are moderate numbers")
    settings = RollingSettings(path.periods_per_year, confidence_level=0.95)
    views = [
        RollingView(title, tuple(_rolled(figure, line, window, settings) for line in lines), shown)
        for figure, title, shown in (
            (RollingFigure.VOLATILITY_ANNUAL, "Volatility, % a year", SHORT_PERCENT),
            (RollingFigure.SHARPE, "Mean / volatility, annual", SHORT_NUMBER),
        )
    ]
    return rolling_chart("Rolling risk", f"over the last {window} returns", views, theme)


def _is_rolled(line: Line, window: int) -> bool:
    returns = Curve(line.days, line.values).returns
    return len(returns) >= window and float(returns.max()) <= LARGEST_RETURN


def _rolled(figure: RollingFigure, line: Line, window: int, settings: RollingSettings) -> Line:
    returns = Curve(line.days, line.values).returns
    values = rolling_figure(figure, returns, None, window, settings)
    return Line(line.label, line.days[window : len(returns) + 1], values, line.is_benchmark)


def _rolling_returns(path: SimulatedPath, theme: Theme) -> Specification | Absent:
    views = []
    for years in HORIZONS:
        lines = [_moved(line, years) for line in path.lines]
        if len(lines[0].values):
            title = f"{years} year{'s' if years > 1 else ''}, % a year"
            views.append(RollingView(title, tuple(line for line in lines if len(line.values)), SHORT_PERCENT))
    if not views:
        return Absent("needs more than a year of dates")
    return rolling_chart("Rolling returns", "annual returns over the years before each date", views, theme)


def _moved(line: Line, years: int) -> Line:
    found = moving_years(Curve(line.days, line.values), years)
    return Line(line.label, found.ends, found.values, line.is_benchmark)


def _costs(path: SimulatedPath, theme: Theme) -> Specification | Absent:
    count = len(path.days)
    if not path.record.fills.any():
        return Absent(NO_TRADES)
    costs, turnover = trading_costs(path.record, 0, count), turnovers(path.record, 0, count)
    holding = float(path.record.account["holding_cost_fractions"][-1]) if len(path.record.account) else 0.0
    subtitle = f"beside fees, borrow and financing of {1e4 * holding:,.0f} bps in all" if holding > 0.0 else path.label
    return costs_chart(path.days, costs, turnover, theme, subtitle)


def _attribution(path: SimulatedPath, theme: Theme) -> Specification | Absent:
    if path.attribution is None:
        return Absent(NO_ATTRIBUTION)
    subtitle = f"{path.label}: parts of the excess return of {path.attribution.excess_return:,.2%}"
    unit = "Contribution, %"
    return contributions_chart("Attribution", subtitle, unit, path.attribution.segments, theme, sort=False)


def _timing_luck(path: SimulatedPath, theme: Theme) -> Specification | Absent:
    return Absent(NO_TIMING_LUCK) if path.timing_luck is None else timing_luck_chart(path.timing_luck, theme)


_BUILDERS: Mapping[Chart, Builder[SimulatedPath]] = {
    Chart.EQUITY: _equity,
    Chart.DRAWDOWN: _drawdown,
    Chart.MONTHLY_RETURNS: _monthly_returns,
    Chart.ROLLING_RETURNS: _rolling_returns,
    Chart.ROLLING_RISK: _rolling_risk,
    Chart.WEIGHTS: _weights,
    Chart.CONTRIBUTIONS: _contributions,
    Chart.COSTS: _costs,
    Chart.ATTRIBUTION: _attribution,
    Chart.TIMING_LUCK: _timing_luck,
}
