"""The charts of an optimised portfolio."""

from collections.abc import Mapping, Sequence

from domain.charts.chart import Builder, Chart, DrawnChart, draw
from domain.charts.contributions import contributions_chart
from domain.charts.frontier import RiskAndReturn, frontier_chart
from domain.charts.specification import Specification
from domain.charts.theme import Theme
from domain.charts.weights import NamedWeights, weight_bars
from domain.records import dataclass
from domain.risk.figure import Absent

NO_FRONTIER = "needs frontier in the request: the problem whose frontier is to be drawn"
NO_RETURN = "needs expected returns, and the stored result has none"
NO_CONTRIBUTIONS = "needs risk contributions, and the stored result has none"


@dataclass(frozen=True, slots=True)
class OptimizedPortfolio:
    """Weights with their figures, and the frontier they are compared with."""

    weights: Mapping[str, float]
    risk_contributions: Mapping[str, float]  # to the annual volatility
    volatility_annual: float
    expected_return_annual: float | None
    frontier: tuple[RiskAndReturn, ...] = ()


def optimization_charts(
    portfolio: OptimizedPortfolio, requested: Sequence[Chart], theme: Theme
) -> tuple[DrawnChart, ...]:
    """The requested charts, or all that there is data for. Raises InvalidInput for one that there is none for."""
    return draw(portfolio, _BUILDERS, requested, theme, "an optimization")


def _weights(portfolio: OptimizedPortfolio, theme: Theme) -> Specification:
    return weight_bars([NamedWeights("optimized", dict(portfolio.weights))], theme)


def _contributions(portfolio: OptimizedPortfolio, theme: Theme) -> Specification | Absent:
    if not portfolio.risk_contributions:
        return Absent(NO_CONTRIBUTIONS)
    subtitle = f"they sum to the volatility of {portfolio.volatility_annual:.2%} a year"
    unit = "Contribution to the volatility, % a year"
    return contributions_chart("Risk contributions", subtitle, unit, portfolio.risk_contributions, theme)


def _frontier(portfolio: OptimizedPortfolio, theme: Theme) -> Specification | Absent:
    if portfolio.expected_return_annual is None:
        return Absent(NO_RETURN)
    if not portfolio.frontier:
        return Absent(NO_FRONTIER)
    chosen = RiskAndReturn(portfolio.volatility_annual, portfolio.expected_return_annual)
    return frontier_chart(portfolio.frontier, chosen, theme)


_BUILDERS: Mapping[Chart, Builder[OptimizedPortfolio]] = {
    Chart.WEIGHTS: _weights,
    Chart.CONTRIBUTIONS: _contributions,
    Chart.FRONTIER: _frontier,
}
