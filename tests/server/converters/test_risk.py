"""Risk requests as commands: what is analysed, beside what, and the defaults of what is left out."""

from typing import Any

import pytest
from absfinance.v1.risk_service_pb2 import AnalyzeRiskRequest, EstimateRiskModelRequest
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.estimation.clustering import Linkage
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.portfolio import Portfolio
from domain.risk.conventions import Conventions
from domain.risk.correlation import Clustering
from domain.risk.measures import RiskMeasure
from domain.risk.rolling import Rolling, RollingFigure
from domain.risk.simulation import SimulationMethod, SimulationSettings
from domain.risk.specification import RiskSpecification
from server.commands.risk import RiskCommand, RiskModelCommand
from server.converters.risk import risk_command_from_proto, risk_model_command_from_proto
from server.ports.market_data import PriceSelection

PANEL = {"symbols": ["A", "B"], "dates": [3, 4, 5], "values": [1.0, 2.0, 1.1, 2.1, 1.2, 2.2]}
ONE = {"symbols": ["F"], "dates": [3, 4, 5], "values": [1.0, 1.1, 1.2]}
MOMENTS = {"symbols": ["A", "B"], "covariance": [0.04, 0.0, 0.0, 0.09], "periodsPerYear": 12}
HALVES = [{"symbol": "A", "weight": 0.5}, {"symbol": "B", "weight": 0.5}]
STORED = {"marketData": {"symbols": ["A", "B"], "startDate": {"year": 2020, "month": 1, "day": 2}}}


def command(**fields: Any) -> RiskCommand:
    if not {"returns", "moments", "marketData"} & set(fields):
        fields = {"prices": PANEL} | fields
    if "holdings" not in fields:
        fields = {"weights": HALVES} | fields
    return risk_command_from_proto(json_format.ParseDict(fields, AnalyzeRiskRequest()))


def specification(**fields: Any) -> RiskSpecification:
    return command(**fields).specification


def model(**fields: Any) -> RiskModelCommand:
    return risk_model_command_from_proto(json_format.ParseDict({"prices": PANEL} | fields, EstimateRiskModelRequest()))


def test_few_fields() -> None:
    found = command()
    assert (found.benchmark, found.stored_groups, found.drawdown_series) == (None, (), False)
    spec = found.specification
    assert (spec.holdings, spec.confidence_level, spec.periods_per_year) == ({"A": 0.5, "B": 0.5}, 0.95, None)
    assert (spec.factors, spec.benchmark_weights, spec.rolling, spec.proposed_weights) == (None, None, None, None)
    assert (spec.validation, spec.clustering, spec.conventions) == (None, None, Conventions(False, False, False))
    assert (spec.worst_drawdowns, spec.decay, spec.leveraged, spec.expected_returns_given) == (5, 0.94, False, True)


def test_figures_of_the_request() -> None:
    spec = specification(
        confidenceLevel=0.9,
        periodsPerYear=12,
        riskFreeRateAnnual=0.01,
        minimumAcceptableReturnAnnual=0.02,
        allowLeverage=True,
        measures=["RISK_MEASURE_MAD", "RISK_MEASURE_UNSPECIFIED"],
        benchmarkWeights=[{"symbol": "A", "weight": 1.0}],
        proposedWeights=[{"symbol": "B", "weight": 1.0}],
        worstDrawdowns=0,
        volatilityFilter={"lambda": 0.9},
    )
    assert (spec.confidence_level, spec.periods_per_year, spec.risk_free_rate_annual) == (0.9, 12.0, 0.01)
    assert (spec.minimum_acceptable_return_annual, spec.leveraged) == (0.02, True)
    assert spec.measures == (RiskMeasure.MEAN_ABSOLUTE_DEVIATION, RiskMeasure.VARIANCE)
    assert (spec.benchmark_weights, spec.proposed_weights) == ({"A": 1.0}, {"B": 1.0})
    assert (spec.worst_drawdowns, spec.decay) == (0, 0.9)


def test_parts_of_the_request() -> None:
    spec = specification(
        rolling={"window": 2, "figures": ["ROLLING_FIGURE_BETA", "ROLLING_FIGURE_SHARPE"]},
        clusters={"linkage": "LINKAGE_WARD", "clusters": 2},
        conventions={"meanBeyondQuantile": True},
    )
    assert spec.rolling == Rolling(2, (RollingFigure.BETA, RollingFigure.SHARPE))
    assert spec.clustering == Clustering(Linkage.WARD, 2)
    assert specification(clusters={}).clustering == Clustering(Linkage.SINGLE, None)
    assert spec.conventions == Conventions(False, True, False)
    assert specification(conventions={"populationDeviation": True}).conventions == Conventions(True, False, False)
    assert specification(conventions={"geometricAnnualReturn": True}).conventions == Conventions(False, False, True)


def test_holdings_with_cash() -> None:
    holdings = [{"symbol": "A", "quantity": 3.0}]
    assert specification(holdings=holdings, cash=2.0).holdings == Portfolio({"A": 3.0}, 2.0)
    with pytest.raises(InvalidInput) as raised:
        specification(holdings=holdings * 2)
    assert raised.value.field == "holdings[1].symbol"


@pytest.mark.parametrize(("means", "given"), [([], False), ([0.1, 0.2], True)])
def test_moments_may_have_no_expected_returns(means: list[float], given: bool) -> None:
    assert specification(moments={**MOMENTS, "expectedReturns": means}).expected_returns_given is given


@pytest.mark.parametrize(("name", "kind"), [("prices", PricePanel), ("returns", ReturnPanel)])
def test_panels_beside_are_of_the_kind_of_the_input(name: str, kind: type) -> None:
    found = command(**{name: PANEL}, benchmark=ONE, factors={"series": ONE})
    assert isinstance(found.benchmark, kind)
    assert isinstance(found.specification.factors, kind)


def test_principal_components() -> None:
    assert specification(factors={"principalComponents": 2}).factors == 2


def test_benchmarks_that_are_stored() -> None:
    start = 18263
    assert command(benchmarkSymbol="Z").benchmark == PriceSelection(("Z",))
    found = command(**STORED, benchmarkSymbol="Z").benchmark
    assert found == PriceSelection(("Z",), start=start)
    assert isinstance(found, PriceSelection)
    assert found.symbols_path == "benchmark_symbol"
    assert isinstance(command(**STORED, benchmark=ONE).benchmark, PricePanel)
    universe = command(marketData={"universe": "u=x"}, benchmarkSymbol="Z").benchmark
    assert universe == PriceSelection(("Z",))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"benchmark": ONE, "benchmarkSymbol": "Z"}, "benchmark_symbol"),
        ({"moments": MOMENTS, "benchmark": ONE}, "benchmark"),
        ({"moments": MOMENTS, "factors": {"series": ONE}}, "factors.series"),
        ({"benchmark": ONE | {"dates": [5, 4, 3]}}, "benchmark.dates"),
    ],
)
def test_what_cannot_be_compared(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        command(**fields)
    assert raised.value.field.startswith(named)


def test_a_model_with_few_fields() -> None:
    spec = model().specification
    assert (spec.simulation, spec.factors, spec.periods_per_year) == (None, None, None)


def test_simulations() -> None:
    assert model(simulation={"paths": 9}).specification.simulation == SimulationSettings(9)
    options = {"paths": 9, "periods": 2, "method": "METHOD_STUDENT_T", "degreesOfFreedom": 4.0, "meanBlock": 6.0}
    found = model(simulation={**options, "seed": 3}).specification.simulation
    assert found == SimulationSettings(9, 2, SimulationMethod.STUDENT_T, 4.0, 6.0, 3)
