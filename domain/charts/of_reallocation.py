"""The charts of a reallocation."""

from collections.abc import Mapping, Sequence

from domain.charts.chart import Builder, Chart, DrawnChart, draw
from domain.charts.liquidity import TradeLiquidity, liquidity_chart
from domain.charts.specification import Specification
from domain.charts.theme import Theme
from domain.charts.weights import NamedWeights, weight_bars
from domain.records import dataclass
from domain.risk.figure import Absent

NO_LIQUIDITY = "needs trades whose liquidity was assessed, and the reallocation has none"
NO_VOLUME = "needs the average daily volume of an asset that is traded, and the reallocation knows none"
NO_SUMMARY = "needs the summary of a plan, and the reallocation has none"


@dataclass(frozen=True, slots=True)
class PlannedReallocation:
    """A reallocation as far as it is drawn."""

    portfolios: tuple[NamedWeights, ...]  # before and after
    liquidity: tuple[TradeLiquidity, ...]


def reallocation_charts(
    planned: PlannedReallocation, requested: Sequence[Chart], theme: Theme
) -> tuple[DrawnChart, ...]:
    """The requested charts, or all that there is data for. Raises InvalidInput for one that there is none for."""
    return draw(planned, _BUILDERS, requested, theme, "a reallocation")


def _weights(planned: PlannedReallocation, theme: Theme) -> Specification | Absent:
    if not any(portfolio.by_symbol for portfolio in planned.portfolios):
        return Absent(NO_SUMMARY)
    return weight_bars(planned.portfolios, theme, "Weights before and after")


def _liquidity(planned: PlannedReallocation, theme: Theme) -> Specification | Absent:
    if not planned.liquidity:
        return Absent(NO_LIQUIDITY)
    if all(trade.days_to_trade is None for trade in planned.liquidity):
        return Absent(NO_VOLUME)
    return liquidity_chart(planned.liquidity, theme)


_BUILDERS: Mapping[Chart, Builder[PlannedReallocation]] = {
    Chart.WEIGHTS: _weights,
    Chart.LIQUIDITY: _liquidity,
}
