"""Scenarios of a stress test, and what they did."""

from collections.abc import Sequence
from datetime import date

from absfinance.v1 import risk_pb2
from google.type.date_pb2 import Date

from domain.errors import InvalidInput
from domain.market_data.panel import civil_date
from domain.risk.stress import (
    AssetShocks,
    CorrelationStress,
    FactorShocks,
    Scenario,
    ScenarioKind,
    StressResult,
    WorstWindows,
)
from domain.risk.stress_windows import HistoricalWindow
from server.converters.dates import civil_to_proto, days_from_proto
from server.converters.paths import error_path

ScenarioProto = risk_pb2.StressScenario


def scenarios_from_proto(scenarios: Sequence[ScenarioProto]) -> tuple[Scenario, ...]:
    """The scenarios. Raises InvalidInput with their place."""
    found: list[Scenario] = []
    for i, scenario in enumerate(scenarios):
        kind = scenario.WhichOneof("kind")
        with error_path(f"stress[{i}].{kind}"):
            found.append(Scenario(scenario.label, _kind(scenario)))
    return tuple(found)


def stress_to_proto(result: StressResult, symbols: Sequence[str]) -> risk_pb2.StressResult:
    """What one scenario did; what it says nothing about is absent."""
    message = risk_pb2.StressResult(
        label=result.label,
        portfolio_return=result.portfolio_return,
        proposed_return=result.proposed_return,
        volatility_annual=result.volatility_annual,
        proposed_volatility_annual=result.proposed_volatility_annual,
        start_date=None if result.start is None else civil_to_proto(result.start),
        end_date=None if result.end is None else civil_to_proto(result.end),
        undefined=result.undefined,
    )
    if result.asset_returns is not None and result.contributions is not None:
        pairs = zip(symbols, result.asset_returns.tolist(), result.contributions.tolist(), strict=True)
        for symbol, asset_return, contribution in pairs:
            message.assets.add(symbol=symbol, asset_return=asset_return, contribution=contribution)
    return message


def _kind(scenario: ScenarioProto) -> ScenarioKind:
    kind = scenario.WhichOneof("kind")
    if kind == "assets":
        return AssetShocks(_shocks(scenario.assets.shocks), scenario.assets.propagate)
    if kind == "factors":
        return FactorShocks(_shocks(scenario.factors.shocks))
    if kind == "correlation":
        stress = scenario.correlation
        factor = stress.volatility_factor if stress.HasField("volatility_factor") else 1.0
        return CorrelationStress(stress.correlation, stress.fraction, factor)
    if kind == "worst_windows":
        worst = scenario.worst_windows
        return WorstWindows(worst.periods, worst.count if worst.HasField("count") else 1)
    if scenario.historical.name:
        return scenario.historical.name
    window = scenario.historical
    return HistoricalWindow("", _date("start_date", window.start_date), _date("end_date", window.end_date))


def _shocks(shocks: Sequence[ScenarioProto.Shock]) -> dict[str, float]:
    found: dict[str, float] = {}
    for i, shock in enumerate(shocks):
        if shock.name in found:
            raise InvalidInput(f"shocks[{i}].name", f"{shock.name} appears twice")
        found[shock.name] = shock.shock
    return found


def _date(path: str, value: Date) -> date:
    return civil_date(days_from_proto(path, value))
