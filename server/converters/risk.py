"""Risk requests as commands."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from absfinance.v1 import panel_pb2, risk_pb2, weight_pb2
from absfinance.v1.risk_service_pb2 import AnalyzeRiskRequest, EstimateRiskModelRequest, SimulationOptions

from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.portfolio import Portfolio
from domain.risk.conventions import Conventions
from domain.risk.correlation import Clustering
from domain.risk.estimate import RiskModelSpecification
from domain.risk.filtered import DECAY
from domain.risk.query import WORST_DRAWDOWNS
from domain.risk.rolling import Rolling, RollingFigure
from domain.risk.simulation import SimulationMethod, SimulationSettings
from domain.risk.specification import Factors, RiskSpecification
from server.commands.risk import Benchmark, RiskCommand, RiskModelCommand
from server.converters.estimation import decay_from_proto, estimation_from_proto
from server.converters.market_input import (
    market_input_from_proto,
    missing_data_from_proto,
    prices_from_proto,
    returns_from_proto,
)
from server.converters.measure import risk_measure_from_proto
from server.converters.objective import linkage_from_proto
from server.converters.paths import error_path, require_unique
from server.converters.specification import DEFAULT_CONFIDENCE
from server.converters.stress import scenarios_from_proto
from server.converters.validation import validation_from_proto
from server.converters.weights import groups_from_proto, weights_from_proto
from server.ports.market_data import PriceSelection

_ROLLING: Mapping[int, RollingFigure] = {
    number: RollingFigure(name.removeprefix("ROLLING_FIGURE_"))
    for name, number in risk_pb2.RollingFigure.items()
    if number
}


def risk_command_from_proto(request: AnalyzeRiskRequest) -> RiskCommand:
    """The command of a request. Raises InvalidInput, or NotSupported by name."""
    periods = request.periods_per_year if request.HasField("periods_per_year") else None
    data, periods = market_input_from_proto(request, periods)
    specification = RiskSpecification(
        holdings=_portfolio(request) if request.holdings else weights_from_proto("weights", request.weights),
        confidence_level=request.confidence_level if request.HasField("confidence_level") else DEFAULT_CONFIDENCE,
        periods_per_year=periods,
        risk_free_rate_annual=request.risk_free_rate_annual,
        missing_data=missing_data_from_proto(request.missing_data),
        leveraged=request.allow_leverage,
        minimum_acceptable_return_annual=request.minimum_acceptable_return_annual,
        estimation=estimation_from_proto(request.estimation),
        measures=tuple(risk_measure_from_proto(measure) for measure in request.measures),
        groups=groups_from_proto(request.groups),
        factors=_factors(request.factors, data) if request.HasField("factors") else None,
        benchmark_weights=_weights("benchmark_weights", request.benchmark_weights),
        rolling=_rolling(request.rolling) if request.HasField("rolling") else None,
        stress=scenarios_from_proto(request.stress),
        proposed_weights=_weights("proposed_weights", request.proposed_weights),
        validation=validation_from_proto(request.validation) if request.HasField("validation") else None,
        worst_drawdowns=request.worst_drawdowns if request.HasField("worst_drawdowns") else WORST_DRAWDOWNS,
        decay=decay_from_proto(request.volatility_filter) if request.HasField("volatility_filter") else DECAY,
        clustering=_clustering(request.clusters) if request.HasField("clusters") else None,
        conventions=_conventions(request.conventions),
        expected_returns_given=not request.HasField("moments") or len(request.moments.expected_returns) > 0,
    )
    return RiskCommand(
        data, specification, _benchmark(request, data), tuple(request.stored_groups), request.drawdown_series
    )


def risk_model_command_from_proto(request: EstimateRiskModelRequest) -> RiskModelCommand:
    """The command of a request. Raises InvalidInput, or NotSupported by name."""
    periods = request.periods_per_year if request.HasField("periods_per_year") else None
    data, periods = market_input_from_proto(request, periods)
    if not isinstance(data, PricePanel | ReturnPanel | PriceSelection):
        raise InvalidInput(
            request.WhichOneof("input"), "must not be the input here: give prices, returns or market_data"
        )
    specification = RiskModelSpecification(
        estimation=estimation_from_proto(request.estimation),
        periods_per_year=periods,
        missing_data=missing_data_from_proto(request.missing_data),
        factors=_factors(request.factors, data) if request.HasField("factors") else None,
        simulation=_simulation(request.simulation) if request.HasField("simulation") else None,
    )
    return RiskModelCommand(data, specification)


def _weights(path: str, weights: Sequence[weight_pb2.AssetWeight]) -> dict[str, float] | None:
    return weights_from_proto(path, weights) if weights else None


def _factors(options: risk_pb2.FactorOptions, data: object) -> Factors:
    if options.WhichOneof("source") == "principal_components":
        return options.principal_components
    with error_path("factors.series"):
        return _beside(options.series, data)


def _rolling(options: risk_pb2.RollingOptions) -> Rolling:
    return Rolling(options.window, tuple(_ROLLING[figure] for figure in options.figures))


def _clustering(options: risk_pb2.ClusterOptions) -> Clustering:
    linkage = linkage_from_proto(options.linkage)
    return Clustering(linkage, options.clusters if options.HasField("clusters") else None)


def _conventions(options: risk_pb2.ReportConventions) -> Conventions:
    return Conventions(options.population_deviation, options.mean_beyond_quantile, options.geometric_annual_return)


def _simulation(options: SimulationOptions) -> SimulationSettings:
    usual = SimulationSettings(paths=options.paths, seed=options.seed)
    name = SimulationOptions.Method.Name(options.method or SimulationOptions.METHOD_GAUSSIAN)
    return SimulationSettings(
        paths=options.paths,
        periods=options.periods if options.HasField("periods") else usual.periods,
        method=SimulationMethod(name.removeprefix("METHOD_")),
        degrees_of_freedom=options.degrees_of_freedom
        if options.HasField("degrees_of_freedom")
        else usual.degrees_of_freedom,
        mean_block=options.mean_block if options.HasField("mean_block") else usual.mean_block,
        seed=options.seed,
    )


def _portfolio(request: AnalyzeRiskRequest) -> Portfolio:
    require_unique("holdings", [holding.symbol for holding in request.holdings])
    return Portfolio({holding.symbol: holding.quantity for holding in request.holdings}, request.cash)


def _benchmark(request: AnalyzeRiskRequest, data: object) -> Benchmark | None:
    """A panel of the input's kind, or a stored symbol, which is prices."""
    if request.HasField("benchmark") and request.benchmark_symbol:
        raise InvalidInput("benchmark_symbol", "must not be given beside benchmark")
    if request.benchmark_symbol:
        if isinstance(data, PriceSelection):
            return replace(data, symbols=(request.benchmark_symbol,), universe=None, symbols_path="benchmark_symbol")
        return PriceSelection((request.benchmark_symbol,), symbols_path="benchmark_symbol")
    if not request.HasField("benchmark"):
        return None
    with error_path("benchmark"):
        return _beside(request.benchmark, data)


def _beside(panel: panel_pb2.Panel, data: object) -> PricePanel | ReturnPanel:
    """A panel of the input's kind."""
    if isinstance(data, ReturnPanel):
        return returns_from_proto(panel)
    if isinstance(data, PricePanel | PriceSelection):
        return prices_from_proto(panel)
    raise InvalidInput("", "needs prices or returns as the input: a benchmark is compared date by date")
