"""Bounds that can never bind are said beside every answer that was given under them."""

from typing import Any

import numpy as np

CODE = "BOUND_NEVER_BINDS"
CAP = {"label": "cap", "weightBounds": {"upper": 60}}
MOMENTS = {
    "symbols": ["A", "B", "C"],
    "expectedReturns": [0.01, 0.02, 0.015],
    "covariance": [0.04, 0.01, 0.0, 0.01, 0.09, 0.02, 0.0, 0.02, 0.06],
    "periodsPerYear": 12,
}
PRICES = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0.0003, 0.01, (300, 3)), axis=0))
PANEL = {"symbols": ["A", "B", "C"], "dates": list(range(300)), "values": PRICES.ravel().tolist()}


def test_optimize(wire: Any) -> None:
    answer = wire.call(
        "OptimizationService/Optimize", {"moments": MOMENTS, "objective": {"minRisk": {}}, "constraints": [CAP]}
    )
    (warning,) = answer["warnings"]
    assert (warning["code"], warning["field"]) == (CODE, "constraints[0].weight_bounds.upper")
    assert "60" in warning["message"]
    right = {"label": "cap", "weightBounds": {"upper": 0.6}}
    answer = wire.call(
        "OptimizationService/Optimize", {"moments": MOMENTS, "objective": {"minRisk": {}}, "constraints": [right]}
    )
    assert "warnings" not in answer


def test_frontier_says_it_once(wire: Any) -> None:
    portfolios = list(
        wire.stream("OptimizationService/TraceFrontier", {"moments": MOMENTS, "points": 3, "constraints": [CAP]})
    )
    assert [len(one.get("warnings", [])) for one in portfolios] == [1, 0, 0]


def test_backtest(wire: Any) -> None:
    strategy = {"optimize": {"objective": {"minRisk": {}}, "constraints": [CAP], "lookbackPeriods": 60}}
    request = {"prices": PANEL, "strategies": [{"equalWeight": {}}, {**strategy, "label": "capped"}], "wait": "60s"}
    answer = wire.call("BacktestService/Backtest", request)
    (warning,) = answer["warnings"]
    assert (warning["code"], warning["field"]) == (CODE, "strategies[1].optimize.constraints[0].weight_bounds.upper")
    assert "warnings" not in answer["result"]  # the simulation itself has found nothing
    read = wire.call("BacktestService/GetBacktest", {"name": answer["name"]})
    assert read["warnings"] == answer["warnings"]
    check = {name: value for name, value in request.items() if name != "wait"}
    assert wire.call("BacktestService/Backtest", {**check, "validateOnly": True})["warnings"] == answer["warnings"]


def test_a_check_warns_too(wire: Any) -> None:
    optimize = {"objective": {"minRisk": {}}, "constraints": [CAP]}
    asked = {"moments": MOMENTS, **optimize, "validateOnly": True}
    (warning,) = wire.call("OptimizationService/Optimize", asked)["warnings"]
    assert (warning["code"], warning["field"]) == (CODE, "constraints[0].weight_bounds.upper")
    strategy = {"optimize": {**optimize, "lookbackPeriods": 60}}
    answer = wire.call("BacktestService/Backtest", {"prices": PANEL, "strategy": strategy, "validateOnly": True})
    assert [(w["code"], w["field"]) for w in answer.pop("warnings")] == [
        (CODE, "strategy.optimize.constraints[0].weight_bounds.upper")
    ]
    assert answer == {}


def test_percentages_are_refused_everywhere(wire: Any) -> None:
    weights = [{"symbol": "A", "weight": 60}, {"symbol": "B", "weight": 40}]
    budgets = [{"symbol": s, "budget": b} for s, b in (("A", 50), ("B", 30), ("C", 20))]
    optimize = {"moments": MOMENTS, "objective": {"minRisk": {}}}
    calls = [
        ("OptimizationService/Optimize", {**optimize, "currentWeights": weights}),
        ("OptimizationService/Optimize", {**optimize, "objective": {"riskBudget": {"budgets": budgets}}}),
        ("OptimizationService/Optimize", {**optimize, "objective": {"tracking": {"benchmark": weights}}}),
        ("RiskService/AnalyzeRisk", {"moments": MOMENTS, "weights": weights}),
        ("BacktestService/Backtest", {"prices": PANEL, "strategy": {"fixedWeights": {"weights": weights}}}),
        (
            "ReallocationService/Reallocate",
            {
                "portfolio": {"cash": 1000},
                "snapshot": {"assets": [{"symbol": "A", "price": 10}, {"symbol": "B", "price": 10}]},
                "targetWeights": {"weights": weights},
            },
        ),
    ]
    for method, request in calls:
        refusal = wire.refused(method, request)
        assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "WEIGHTS_LOOK_LIKE_PERCENT"), (method, refusal)
        assert "divide" in refusal.message
