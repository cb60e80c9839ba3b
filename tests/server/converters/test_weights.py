"""Weights and budgets in percent, and groups that contradict themselves, are refused where they are read."""

from collections.abc import Callable
from typing import Any

import pytest
from absfinance.v1.backtest_service_pb2 import BacktestRequest
from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest, OptimizeRequest
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest
from absfinance.v1.risk_service_pb2 import AnalyzeRiskRequest
from google.protobuf import json_format
from google.protobuf.message import Message

from domain.errors import InvalidInput
from server.converters.backtests import backtest_command_from_proto
from server.converters.optimization import (
    batch_account_from_proto,
    batch_command_from_proto,
    optimize_command_from_proto,
)
from server.converters.reallocation import reallocate_command_from_proto
from server.converters.risk import risk_command_from_proto

MOMENTS = {"symbols": ["A", "B"], "covariance": [0.04, 0, 0, 0.09], "expectedReturns": [0, 0], "periodsPerYear": 1}
PRICES = {"symbols": ["A", "B"], "dates": [18000, 18001, 18002], "values": [1, 2, 1.1, 2.1, 1.2, 2.2]}
PERCENT = [{"symbol": "A", "weight": 60}, {"symbol": "B", "weight": 40.4}]
BUDGETS = [{"symbol": "A", "budget": 60}, {"symbol": "B", "budget": 40}]
LOADINGS = [{"symbol": "A", "loading": 1}, {"symbol": "B", "loading": 1}]


def optimize(**more: Any) -> dict[str, Any]:
    return {"moments": MOMENTS, "objective": {"minRisk": {}}} | more


def backtest(strategy: dict[str, Any]) -> dict[str, Any]:
    return {"prices": PRICES, "strategy": strategy}


FACTORS = [{"factor": "F", "budget": 100, "loadings": LOADINGS}]
SCHEDULE = {"entries": [{"date": {"year": 2020, "month": 1, "day": 2}, "weights": PERCENT}]}
IMPLIED = {"implied": {"marketWeights": PERCENT, "riskAversion": 2}}
REALLOCATION = {"portfolio": {"cash": 1}, "snapshot": {"assets": [{"symbol": "A", "price": 1}]}}
Convert = Callable[[Any], object]
PERCENTAGES: list[tuple[Convert, type[Message], dict[str, Any], str]] = [
    (optimize_command_from_proto, OptimizeRequest, optimize(currentWeights=PERCENT), "current_weights"),
    (
        optimize_command_from_proto,
        OptimizeRequest,
        optimize(objective={"tracking": {"benchmark": PERCENT}}),
        "objective.tracking.benchmark",
    ),
    (
        optimize_command_from_proto,
        OptimizeRequest,
        optimize(constraints=[{"trackingError": {"benchmark": PERCENT, "maxAnnual": 0.1}}]),
        "constraints[0].tracking_error.benchmark",
    ),
    (
        optimize_command_from_proto,
        OptimizeRequest,
        optimize(objective={"riskBudget": {"budgets": BUDGETS}}),
        "objective.risk_budget.budgets",
    ),
    (
        optimize_command_from_proto,
        OptimizeRequest,
        optimize(objective={"relaxedRiskBudget": {"budgets": BUDGETS}}),
        "objective.relaxed_risk_budget.budgets",
    ),
    (
        optimize_command_from_proto,
        OptimizeRequest,
        optimize(objective={"riskBudget": {"factorBudgets": FACTORS}}),
        "objective.risk_budget.factor_budgets",
    ),
    (
        optimize_command_from_proto,
        OptimizeRequest,
        optimize(estimation={"expectedReturns": IMPLIED}),
        "estimation.expected_returns.implied.market_weights",
    ),
    (backtest_command_from_proto, BacktestRequest, backtest({"fixedWeights": {"weights": PERCENT}}), "weights"),
    (backtest_command_from_proto, BacktestRequest, backtest({"schedule": SCHEDULE}), "entries[0].weights"),
    (risk_command_from_proto, AnalyzeRiskRequest, {"moments": MOMENTS, "weights": PERCENT}, "weights"),
    (
        risk_command_from_proto,
        AnalyzeRiskRequest,
        {"moments": MOMENTS, "weights": [{"symbol": "A", "weight": 1}], "benchmarkWeights": PERCENT},
        "benchmark_weights",
    ),
    (
        reallocate_command_from_proto,
        ReallocateRequest,
        REALLOCATION | {"targetWeights": {"weights": PERCENT}},
        "target_weights.weights",
    ),
]


@pytest.mark.parametrize(
    ("convert", "kind", "request_json", "field"), PERCENTAGES, ids=lambda x: x if isinstance(x, str) else ""
)
def test_percentages_are_refused(
    convert: Convert, kind: type[Message], request_json: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput, match="divide them by 100") as raised:
        convert(json_format.ParseDict(request_json, kind()))
    assert raised.value.reason == "WEIGHTS_LOOK_LIKE_PERCENT"
    assert raised.value.field.endswith(field)


def test_percentages_of_an_account_are_its_own_error() -> None:
    universe = json_format.ParseDict(
        {"moments": MOMENTS, "spec": {"objective": {"minRisk": {}}}}, OptimizeBatchRequest.Universe()
    )
    account = json_format.ParseDict({"key": "k", "currentWeights": PERCENT}, OptimizeBatchRequest.Account())
    found = batch_account_from_proto(account, batch_command_from_proto(universe), b"").specification
    assert isinstance(found, InvalidInput)
    assert found.reason == "WEIGHTS_LOOK_LIKE_PERCENT"


@pytest.mark.parametrize("sum_of_weights", [-100.0, 0.0, 1.0, 98.9, 101.1])
def test_other_sums_are_left_to_other_rules(sum_of_weights: float) -> None:
    weights = [{"symbol": "A", "weight": sum_of_weights}]
    command = optimize_command_from_proto(json_format.ParseDict(optimize(currentWeights=weights), OptimizeRequest()))
    assert command.specification.current_weights == {"A": sum_of_weights}


def test_terms_of_a_view_are_no_weights() -> None:
    views = {"views": [{"terms": PERCENT, "expectedReturnAnnual": 0.1}]}
    asked = optimize(objective={"maxReturn": {}}, estimation={"views": views})
    command = optimize_command_from_proto(json_format.ParseDict(asked, OptimizeRequest()))
    assert command.specification.estimation.views is not None


GROUPS: list[tuple[dict[str, Any], str]] = [
    ({"groups": [{"name": "g", "symbols": ["A"]}, {"name": "g", "symbols": ["B"]}]}, "groups[1].name"),
    ({"groups": [{"name": "g", "symbols": ["A", "A"]}]}, "groups[0].symbols[1]"),
    ({"groups": [{"name": "g"}]}, "groups[0].symbols"),
    (
        {"constraints": [{"groupBounds": {"group": "g", "symbols": ["A"], "upper": 1}}]},
        "constraints[0].group_bounds.group",
    ),
]


@pytest.mark.parametrize(("more", "field"), GROUPS)
def test_groups_that_contradict_themselves(more: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        optimize_command_from_proto(json_format.ParseDict(optimize(**more), OptimizeRequest()))
    assert raised.value.field == field
