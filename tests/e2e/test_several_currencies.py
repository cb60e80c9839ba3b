"""Who compares stored prices in several currencies is told, by every method whose answer has warnings."""

from typing import Any

import grpc
import numpy as np
import pytest
from absfin import Client, Instrument, Panel
from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceStub
from google.protobuf import json_format

from tests.conftest import RunningServer, Wire

SYMBOLS = ["SC1", "SC2", "SC3"]
FACTOR: dict[str, Any] = {"covariance": {"factorModel": {"method": "METHOD_LEAST_SQUARES", "factors": ["SC2"]}}}
LEAST_RISK: dict[str, Any] = {"objective": {"minRisk": {}}}


@pytest.fixture(scope="module")
def wire(server: RunningServer) -> Wire:
    """SC1 and SC3 are in USD, SC2 is in EUR; the first two are a universe of their own."""
    prices = 100 * np.exp(np.cumsum(np.random.default_rng(2).normal(0.0003, 0.01, (300, 3)), axis=0))
    mixed = {"book": "several-currencies"}
    with Client(server.address) as client:
        client.import_prices(Panel.of(SYMBOLS, np.arange(18000, 18300), prices))
        client.upsert_instruments(
            [
                Instrument("SC1", currency="USD", groups=mixed),
                Instrument("SC2", currency="EUR", groups=mixed),
                Instrument("SC3", currency="USD"),
            ]
        )
    return Wire(server.channel())


def batch(channel: grpc.Channel, universe: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers of two accounts."""
    sent = [{"universe": universe}, {"account": {"key": "a"}}, {"account": {"key": "b"}}]
    messages = [json_format.ParseDict(one, OptimizeBatchRequest()) for one in sent]
    found = OptimizationServiceStub(channel).OptimizeBatch(iter(messages), timeout=60)
    return [json_format.MessageToDict(one)["result"] for one in found]


def backtest(data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "marketData": data,
        "strategy": {"equalWeight": {}},
        "rebalancing": {"never": {}},
        "wait": "60s",
        **more,
    }


def warned(answer: dict[str, Any]) -> list[str]:
    """What is said of currencies, with its field."""
    found = [one for one in answer.get("warnings", []) if one["code"] == "SEVERAL_CURRENCIES"]
    return [f"{one['field']}: {one['message'].partition(', and')[0]}" for one in found]


SAID = ["market_data: prices are in several currencies, EUR (SC2), USD (SC1)"]


@pytest.mark.parametrize("data", [{"symbols": ["SC1", "SC2"]}, {"universe": "book=several-currencies"}])
def test_currencies_are_named(server: RunningServer, wire: Wire, data: dict[str, Any]) -> None:
    first, *others = wire.stream("OptimizationService/TraceFrontier", {"marketData": data, "points": 5})
    assert (warned(first), [warned(one) for one in others]) == (SAID, [[]] * 4)
    model, *pieces = wire.stream("RiskService/EstimateRiskModel", {"marketData": data})
    assert warned(model["diagnostics"]) == SAID
    assert pieces
    for method in ("OptimizationService/Optimize", "BacktestService/Backtest"):
        request = backtest(data) if "Backtest" in method else {"marketData": data, **LEAST_RISK}
        assert warned(wire.call(method, request)) == SAID
        assert warned(wire.call(method, {**request, "validateOnly": True})) == SAID
    analysis = {"marketData": data, "weights": [{"symbol": "SC1", "weight": 0.5}, {"symbol": "SC2", "weight": 0.5}]}
    assert warned(wire.call("RiskService/AnalyzeRisk", analysis)) == SAID
    charts = wire.call("RiskService/GetRiskCharts", {"analysis": analysis, "charts": ["CHART_CORRELATION"]})
    assert warned(charts) == [f"analysis.{SAID[0]}"]
    with server.channel() as channel:
        accounts = batch(channel, {"marketData": data, "spec": LEAST_RISK})
    assert [warned(one) for one in accounts] == [[f"universe.{SAID[0]}"]] * 2


def test_a_frontier_of_several_workers_says_it_once(wire: Wire) -> None:
    request = {"marketData": {"symbols": ["SC1", "SC2"]}, "riskMeasure": "RISK_MEASURE_CVAR", "points": 9}
    first, *others = wire.stream("OptimizationService/TraceFrontier", request)
    assert (warned(first), [warned(one) for one in others]) == (SAID, [[]] * 8)


def test_one_currency_is_no_matter_and_a_factor_may_be_in_any(server: RunningServer, wire: Wire) -> None:
    one, both = {"symbols": ["SC1", "SC3"]}, {"symbols": SYMBOLS}
    with server.channel() as channel:
        for data, estimation in ((one, {}), (both, {"estimation": FACTOR})):
            first, *_ = wire.stream(
                "OptimizationService/TraceFrontier", {"marketData": data, "points": 3, **estimation}
            )
            model, *_ = wire.stream("RiskService/EstimateRiskModel", {"marketData": data, **estimation})
            strategy = {"optimize": {**LEAST_RISK, **estimation, "lookbackPeriods": 100}}
            run = wire.call("BacktestService/Backtest", backtest(data, strategy=strategy))
            accounts = batch(channel, {"marketData": data, "spec": {**LEAST_RISK, **estimation}})
            assert not any(map(warned, (first, model["diagnostics"], run, *accounts)))
            assert run["state"] == "BACKTEST_STATE_SUCCEEDED"


def test_a_factor_of_one_strategy_that_another_one_trades_is_named(wire: Wire) -> None:
    strategies = [
        {"label": "estimated", "optimize": {**LEAST_RISK, "estimation": FACTOR}},
        {"label": "all", "equalWeight": {}},
    ]
    request = backtest({"symbols": SYMBOLS}, validateOnly=True, strategies=strategies)
    del request["strategy"]
    assert warned(wire.call("BacktestService/Backtest", request)) == SAID
