"""Charts as messages, and stored results as what charts are drawn from."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from absfinance.v1 import chart_pb2
from absfinance.v1.backtest_pb2 import BacktestResult, StrategyResult
from absfinance.v1.backtest_service_pb2 import GetBacktestChartsRequest
from absfinance.v1.liquidity_pb2 import LiquidityState
from absfinance.v1.optimization_pb2 import Optimization
from absfinance.v1.optimization_service_pb2 import GetOptimizationChartsRequest
from absfinance.v1.reallocation_pb2 import Reallocation
from absfinance.v1.reallocation_service_pb2 import GetReallocationChartsRequest
from absfinance.v1.risk_service_pb2 import GetRiskChartsResponse
from absfinance.v1.statistical_validation_pb2 import StatisticalValidation

from domain.charts.chart import Chart, DrawnChart
from domain.charts.frontier import RiskAndReturn
from domain.charts.liquidity import TradeLiquidity
from domain.charts.of_backtest import Attributed
from domain.charts.of_optimization import OptimizedPortfolio
from domain.charts.of_reallocation import PlannedReallocation
from domain.charts.theme import Theme
from domain.charts.weights import NamedWeights
from domain.errors import InvalidInput
from domain.optimization.solution import Solution
from domain.significance.timing_luck import LuckBand, TimingLuck
from domain.warnings import ResultWarning
from server.commands.charts import ChartsCommand
from server.converters.warning import warnings_to_proto

MOST_BYTES = 4 * 2**20 - 1024
"""What a client takes by itself, less a little for the frame around it."""


class ChartsRequest(Protocol):
    """What requests of charts have in common."""

    @property
    def charts(self) -> Sequence[int]:
        """Numbers of enum values."""

    @property
    def theme(self) -> int:
        """Number of an enum value."""


def charts_command_from_proto(request: ChartsRequest) -> ChartsCommand:
    """The command of a request of any kind of result."""
    charts = tuple(Chart(chart_pb2.Chart.Name(number).removeprefix("CHART_")) for number in request.charts)
    theme = Theme.DARK if request.theme == chart_pb2.CHART_THEME_DARK else Theme.LIGHT
    return ChartsCommand(charts, theme, getattr(request, "label", ""))


def backtest_charts_from_proto(request: GetBacktestChartsRequest) -> tuple[str, ChartsCommand]:
    """The name of a job, and the command."""
    return request.name, charts_command_from_proto(request)


def reallocation_charts_from_proto(request: GetReallocationChartsRequest) -> tuple[str, ChartsCommand]:
    """The name of a reallocation, and the command."""
    return request.name, charts_command_from_proto(request)


def named_optimization(request: GetOptimizationChartsRequest) -> str:
    """The name of the result: the rest of the request may be large, and is read by the task."""
    return str(request.name)


def charts_to_bytes(drawn: Sequence[DrawnChart], warnings: Iterable[ResultWarning] = ()) -> bytes:
    """The answer: charts are the same field for all kinds of results, and warnings one for a risk report only.

    Raises InvalidInput where it is longer than a message.
    """
    response = GetRiskChartsResponse(
        charts=[chart_pb2.ChartSpec(chart=f"CHART_{one.chart}", spec=one.specification) for one in drawn],
        warnings=warnings_to_proto(warnings),
    )
    encoded: bytes = response.SerializeToString()
    if len(encoded) > MOST_BYTES:
        rule = f"makes an answer of {len(encoded) / 2**20:.1f} MiB, a message holds 4; ask for fewer charts at a time"
        raise InvalidInput("charts", rule)
    return encoded


def optimized_from_bytes(payload: bytes, frontier: Sequence[Solution]) -> OptimizedPortfolio:
    """A stored optimization, beside a frontier. Raises InvalidInput where the two have other symbols."""
    stored = Optimization.FromString(payload)
    weights = {one.symbol: one.weight for one in stored.weights}
    for solution in frontier[:1]:
        if set(solution.symbols) != set(weights):
            raise InvalidInput("frontier", "must have the symbols of the optimization")
    return OptimizedPortfolio(
        weights=weights,
        risk_contributions={one.symbol: one.contribution for one in stored.risk_contributions},
        volatility_annual=stored.volatility_annual,
        expected_return_annual=stored.expected_return_annual if stored.HasField("expected_return_annual") else None,
        frontier=tuple(RiskAndReturn(one.volatility_annual, one.expected_return_annual) for one in frontier),
    )


def reallocation_from_bytes(payload: bytes) -> PlannedReallocation:
    """A stored reallocation as far as it is drawn."""
    stored = Reallocation.FromString(payload)
    portfolios = (("before", stored.summary.weights_before), ("after", stored.summary.weights_after))
    return PlannedReallocation(
        tuple(NamedWeights(name, {one.symbol: one.weight for one in weights}) for name, weights in portfolios),
        tuple(
            TradeLiquidity(
                symbol=one.symbol,
                state=LiquidityState.Name(one.state).removeprefix("LIQUIDITY_STATE_").lower(),
                days_to_trade=one.days_to_trade if one.HasField("days_to_trade") else None,
                participation=one.participation if one.HasField("participation") else None,
            )
            for one in stored.liquidity.assets
        ),
    )


def result_of(result: bytes, label: str) -> StrategyResult:
    """What one strategy or benchmark of a stored result did."""
    stored = BacktestResult.FromString(result)
    return next(one for one in (*stored.strategies, *stored.benchmarks) if one.label == label)


def attributed_from_proto(result: StrategyResult) -> Attributed | None:
    """The attribution of a strategy; None where it has none."""
    if not result.HasField("attribution"):
        return None
    segments = {segment.name: segment.contribution for segment in result.attribution.segments}
    return Attributed(segments, result.attribution.excess_return)


def timing_luck_from_proto(result: StrategyResult) -> TimingLuck | None:
    """Results over shifted rebalancing calendars; None where there are none."""
    found = result.statistical_validation.timing_luck
    if not found.outcomes:
        return None
    outcomes = tuple((one.offset, one.total_return) for one in found.outcomes)
    return TimingLuck(outcomes, {}, _luck_band(found) if found.HasField("band") else None)


def _luck_band(found: StatisticalValidation.TimingLuck) -> LuckBand:
    band = found.band
    curves = (tuple(curve) for curve in (band.chosen, band.lowest, band.median, band.highest))
    return LuckBand(tuple(band.dates), *curves)
