"""Requests that recomputations make of a stored portfolio, and what their results say."""

from datetime import date
from typing import Any

import pytest
from absfinance.v1.backtest_service_pb2 import BacktestRequest
from absfinance.v1.optimization_pb2 import Optimization, OptimizeSpec
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from absfinance.v1.portfolio_pb2 import Portfolio
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest
from absfinance.v1.risk_service_pb2 import AnalyzeRiskRequest
from google.protobuf import json_format

from domain.costs.impact import Liquidity
from domain.errors import InvalidInput
from server.converters import recomputations as converters
from server.converters.recomputations import HeldAssets, MandateNeeds

START = date(2024, 2, 29)
START_DATE = {"year": 2024, "month": 2, "day": 29}


def portfolio(**fields: Any) -> bytes:
    encoded: bytes = json_format.ParseDict(fields, Portfolio()).SerializeToString()
    return encoded


def with_mandate(**mandate: Any) -> bytes:
    return portfolio(mandate=mandate)


def read(data: bytes, message: type[Any]) -> dict[str, Any]:
    found: dict[str, Any] = json_format.MessageToDict(message.FromString(data))
    return found


def test_a_request_id_is_known_again() -> None:
    assert converters.is_of_a_recomputation(converters.request_id_of(7))
    assert converters.request_id_of(7) != converters.request_id_of(8)
    assert not converters.is_of_a_recomputation("7")
    assert not converters.is_of_a_recomputation(None)


def test_a_label_names_its_portfolio() -> None:
    label = converters.mandate_label("p")
    assert converters.portfolio_of_label(label) == "p"
    assert "portfolios/p" in label
    assert converters.portfolio_of_label("mine") is None
    assert converters.portfolio_of_label("mandate of something") is None


def test_weights_of_a_stored_optimisation() -> None:
    weights = [{"symbol": "A", "weight": 0.25}, {"symbol": "B", "weight": 0.75}]
    payload = json_format.ParseDict({"weights": weights}, Optimization()).SerializeToString()
    assert converters.optimal_weights(payload) == {"A": 0.25, "B": 0.75}


def test_needs_of_a_mandate_are_what_is_held_and_what_it_names() -> None:
    payload = portfolio(
        holdings=[{"symbol": "Z", "quantity": -1.0}, {"symbol": "A", "quantity": 1.0}, {"symbol": "NONE"}],
        mandate={
            "optimize": {"groups": [{"name": "g", "symbols": ["C"]}], "lookbackPeriods": 252},
            "groups": [{"name": "h", "symbols": ["D", "A"]}],
            "driftBands": [{"symbol": "E"}, {"group": "h"}],
            "backtest": "backtests/b",
        },
    )
    found = converters.mandate_needs(payload)
    assert found == MandateNeeds(("A", "C", "D", "E", "Z"), held=("A", "Z"), lookback=252, backtest="b", trades=False)


def test_needs_of_fixed_weights() -> None:
    weights = [{"symbol": "B", "weight": 1.0}, {"symbol": "NONE", "weight": 0.0}]
    found = converters.mandate_needs(with_mandate(weights={"weights": weights}))
    assert found == MandateNeeds(("B",), held=(), lookback=None, backtest="", trades=False)
    assert converters.mandate_needs(portfolio()) == MandateNeeds((), (), None, "", trades=False)


TURNOVER = {"turnover": {"maxTurnover": 0.1}}


@pytest.mark.parametrize(
    "mandate",
    [
        {"optimize": {"costs": {"commissionBps": 3.0}}},
        {"optimize": {"constraints": [{"weightBounds": {"upper": 0.5}}, TURNOVER]}},
        {"optimize": {}, "constraints": [TURNOVER]},
    ],
)
def test_costs_and_a_limit_on_turnover_need_to_know_what_is_held(mandate: dict[str, Any]) -> None:
    assert converters.mandate_needs(with_mandate(**mandate)).trades


def test_factors_of_the_estimation_are_needed_too() -> None:
    factor_model = {"covariance": {"factorModel": {"factors": ["F"]}}}
    payload = portfolio(holdings=[{"symbol": "A", "quantity": 1.0}], mandate={"optimize": {"estimation": factor_model}})
    assert converters.mandate_needs(payload).symbols == ("A", "F")


def test_a_plan_for_a_mandate() -> None:
    data = converters.reallocate_request(7, "p", ["A", "B"])
    assert read(data, ReallocateRequest) == {
        "portfolioName": "portfolios/p",
        "marketData": {"symbols": ["A", "B"]},
        "requestId": converters.request_id_of(7),
        "label": converters.mandate_label("p"),
    }


SPECIFICATION = {
    "objective": {"minRisk": {}},
    "riskMeasure": "RISK_MEASURE_CVAR",
    "confidenceLevel": 0.9,
    "estimation": {"covariance": {"ledoitWolf": {}}},
    "constraints": [{"label": "x", "weightBounds": {"symbols": ["A"], "upper": 0.5}}],
    "costs": {"commissionBps": 3.0},
    "solver": {"tolerance": 1e-6},
    "missingData": "MISSING_DATA_POLICY_DROP_DATES",
    "groups": [{"name": "g", "symbols": ["A"]}],
}


def test_an_optimisation_has_all_of_the_mandate() -> None:
    names = {field.json_name for field in OptimizeSpec.DESCRIPTOR.fields}
    assert names == {*SPECIFICATION, "lookbackPeriods"}, "a field that this test does not set"
    extra = {"label": "y", "weightBounds": {"symbols": ["B"], "lower": 0.1}}
    payload = with_mandate(optimize={**SPECIFICATION, "lookbackPeriods": 252}, constraints=[extra])
    assert read(converters.optimize_request(7, "p", payload, ["A", "B"], START), OptimizeRequest) == {
        **SPECIFICATION,
        "constraints": [*SPECIFICATION["constraints"], extra],
        "marketData": {"symbols": ["A", "B"], "startDate": START_DATE},
        "requestId": converters.request_id_of(7),
        "label": converters.mandate_label("p"),
    }


HELD = HeldAssets({"A": 0.75, "B": 0.0}, 200.0, {"A": Liquidity(50.0, 0.2), "B": Liquidity(60.0, None)})


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ({"commissionBps": 3.0}, {"commissionBps": 3.0, "portfolioValue": 200.0}),
        (
            {"impact": {"squareRoot": {"coefficient": 1.0}}},
            {
                "impact": {"squareRoot": {"coefficient": 1.0}},
                "portfolioValue": 200.0,
                "liquidity": [
                    {"symbol": "A", "dailyValue": 50.0, "volatilityAnnual": 0.2},
                    {"symbol": "B", "dailyValue": 60.0},
                ],
            },
        ),
        (
            {
                "impact": {"squareRoot": {"coefficient": 1.0}},
                "portfolioValue": 7.0,
                "liquidity": [{"symbol": "B", "dailyValue": 1.0}],
            },
            {
                "impact": {"squareRoot": {"coefficient": 1.0}},
                "portfolioValue": 7.0,
                "liquidity": [
                    {"symbol": "B", "dailyValue": 1.0},
                    {"symbol": "A", "dailyValue": 50.0, "volatilityAnnual": 0.2},
                ],
            },
        ),
    ],
)
def test_trades_start_from_what_is_held(said: dict[str, Any], sent: dict[str, Any]) -> None:
    """Figures that the mandate does not say are those of the account and the market."""
    payload = with_mandate(optimize={"objective": {"minRisk": {}}, "costs": said})
    request = OptimizeRequest.FromString(converters.optimize_request(7, "p", payload, ["A", "B"], None, HELD))
    assert [(one.symbol, one.weight) for one in request.current_weights] == [("A", 0.75), ("B", 0.0)]
    assert json_format.MessageToDict(request.costs) == sent


def test_a_limit_on_turnover_needs_no_figures_of_costs() -> None:
    payload = with_mandate(optimize={"objective": {"minRisk": {}}}, constraints=[TURNOVER])
    request = OptimizeRequest.FromString(converters.optimize_request(7, "p", payload, ["A", "B"], None, HELD))
    assert len(request.current_weights) == 2
    assert not request.HasField("costs")


def test_what_a_mandate_does_not_say_is_left_out() -> None:
    payload = with_mandate(optimize={"objective": {"minRisk": {}}})
    assert read(converters.optimize_request(7, "p", payload, ["A"], None), OptimizeRequest) == {
        "objective": {"minRisk": {}},
        "marketData": {"symbols": ["A"]},
        "requestId": converters.request_id_of(7),
        "label": converters.mandate_label("p"),
    }


@pytest.mark.parametrize("payload", [portfolio(), with_mandate(weights={})])
def test_a_mandate_without_an_optimisation(payload: bytes) -> None:
    with pytest.raises(InvalidInput, match="no optimisation to repeat") as raised:
        converters.optimize_request(7, "p", payload, ["A"], None)
    assert raised.value.field == "mandate.optimize"


def test_a_report_on_what_is_held() -> None:
    held = [{"symbol": "A", "quantity": 2.0}, {"symbol": "B", "quantity": -1.0}]
    payload = portfolio(holdings=[held[0], {"symbol": "NONE"}, held[1]], cash=-3.0)
    assert read(converters.risk_request(payload), AnalyzeRiskRequest) == {
        "marketData": {"symbols": ["A", "B"]},
        "holdings": held,
        "cash": -3.0,
    }


@pytest.mark.parametrize("holdings", [[], [{"symbol": "A"}]])
def test_there_is_no_risk_of_nothing(holdings: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidInput, match="no risk to report") as raised:
        converters.risk_request(portfolio(holdings=holdings, cash=5.0))
    assert raised.value.field == "holdings"


@pytest.mark.parametrize("prices", [{"prices": {"symbols": ["Z"]}}, {"marketData": {"symbols": ["Z"]}}])
def test_a_backtest_again_up_to_the_newest_price(prices: dict[str, Any]) -> None:
    kept = {"strategy": {"equalWeight": {}}, "seed": "3", "initialCapital": 5.0}
    own = {"backtestId": "b", "wait": "5s", "validateOnly": True, "requestId": "r", "label": "mine"}
    stored = json_format.ParseDict({**kept, **own, **prices}, BacktestRequest()).SerializeToString()
    data = converters.extended_backtest_request(7, "p", stored, ["A", "B"], START)
    assert read(data, BacktestRequest) == {
        **kept,
        "marketData": {"symbols": ["A", "B"], "startDate": START_DATE},
        "requestId": converters.request_id_of(7),
        "label": converters.mandate_label("p"),
    }
