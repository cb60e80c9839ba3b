"""What a caller can get wrong, over the wire: each gets a typed error that names the field, and the server lives on."""

import copy
import math
from typing import Any

import grpc
import pytest
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from google.protobuf import json_format

from tests.conftest import refusal_of

OPTIMIZE = "OptimizationService/Optimize"
RISK = "RiskService/AnalyzeRisk"
BACKTEST = "BacktestService/Backtest"

MOMENTS = {
    "symbols": ["A", "B"],
    "expectedReturns": [0.01, 0.02],
    "covariance": [0.04, 0.01, 0.01, 0.09],
    "periodsPerYear": 12,
}
PRICES = {"symbols": ["A", "B"], "dates": [0, 1, 2, 3], "values": [10, 20, 11, 19, 10.5, 21, 11.5, 20.5]}


def optimize(**changes: Any) -> dict[str, Any]:
    return {"moments": copy.deepcopy(MOMENTS), "objective": {"minRisk": {}}, **changes}


def from_prices(**changes: Any) -> dict[str, Any]:
    return {"prices": {**copy.deepcopy(PRICES), **changes}, "objective": {"minRisk": {}}}


def moments(**changes: Any) -> dict[str, Any]:
    return optimize(moments={**copy.deepcopy(MOMENTS), **changes})


def bounds(**limits: Any) -> dict[str, Any]:
    return optimize(constraints=[{"label": "x", "weightBounds": limits}])


def risk(**changes: Any) -> dict[str, Any]:
    weights = [{"symbol": "A", "weight": 0.5}, {"symbol": "B", "weight": 0.5}]
    return {"prices": copy.deepcopy(PRICES), "weights": weights, **changes}


WITHOUT_PERIODS = {key: value for key, value in MOMENTS.items() if key != "periodsPerYear"}
RETURNS = {"symbols": ["A", "B"], "dates": [0, 1, 2], "values": [0.1, 0.2, -0.1, 0.1, 0.0, 0.05]}

INVALID: dict[str, tuple[str, dict[str, Any], str]] = {
    "nothing at all": (OPTIMIZE, {}, "prices"),
    "neither weights nor holdings": (RISK, {"prices": PRICES}, "weights"),
    "check_feasibility of a problem to solve": (OPTIMIZE, optimize(checkFeasibility=True), "check_feasibility"),
    "stored prices without symbols": (OPTIMIZE, {"marketData": {}, "objective": {"minRisk": {}}}, "market_data"),
    "no objective": (OPTIMIZE, {"moments": MOMENTS}, "objective"),
    "empty objective": (OPTIMIZE, optimize(objective={}), "objective"),
    "NaN in expected returns": (OPTIMIZE, moments(expectedReturns=[0.01, "NaN"]), "moments.expected_returns[1]"),
    "NaN in covariance": (OPTIMIZE, moments(covariance=[0.04, "NaN", 0.01, 0.09]), "moments.covariance[1]"),
    "infinite covariance": (OPTIMIZE, moments(covariance=["Infinity", 0, 0, 1]), "moments.covariance[0]"),
    "covariance of the wrong size": (OPTIMIZE, moments(covariance=[0.04, 0.01, 0.09]), "moments.covariance"),
    "asymmetric covariance": (OPTIMIZE, moments(covariance=[0.04, 0.01, 0.02, 0.09]), "moments.covariance"),
    "indefinite covariance": (OPTIMIZE, moments(covariance=[0.04, 0.2, 0.2, 0.09]), "moments.covariance"),
    "means of another length": (OPTIMIZE, moments(expectedReturns=[0.01]), "moments.expected_returns"),
    "a symbol twice": (OPTIMIZE, moments(symbols=["A", "A"]), "moments.symbols[1]"),
    "an empty symbol": (OPTIMIZE, moments(symbols=["A", ""]), "moments.symbols[1]"),
    "a symbol with a space at its end": (OPTIMIZE, moments(symbols=["A", "B "]), "moments.symbols[1]"),
    "a weight of a symbol with a zero-width space": (
        RISK,
        risk(weights=[{"symbol": "A", "weight": 0.5}, {"symbol": "B\u200b", "weight": 0.5}]),
        "weights[1].symbol",
    ),
    "dates written as YYYYMMDD": (
        OPTIMIZE,
        from_prices(dates=[20240102, 20240103, 20240104, 20240105]),
        "prices.dates[0]",
    ),
    "the last day number of all": (RISK, risk(prices={**PRICES, "dates": [0, 1, 2, 2**31 - 1]}), "prices.dates[3]"),
    "the first day number of all": (RISK, risk(prices={**PRICES, "dates": [-(2**31), 1, 2, 3]}), "prices.dates[0]"),
    "no periods with moments": (OPTIMIZE, optimize(moments=WITHOUT_PERIODS), "moments.periods_per_year"),
    "periods of zero": (OPTIMIZE, moments(periodsPerYear=0), "moments.periods_per_year"),
    "periods that are NaN": (OPTIMIZE, moments(periodsPerYear="NaN"), "moments.periods_per_year"),
    "two different periods": (OPTIMIZE, optimize(periodsPerYear=252), "moments.periods_per_year"),
    "no periods with returns": (OPTIMIZE, {"returns": RETURNS, "objective": {"minRisk": {}}}, "periods_per_year"),
    "no means for the best ratio": (
        OPTIMIZE,
        {**moments(expectedReturns=[]), "objective": {"maxRatio": {}}},
        "moments.expected_returns",
    ),
    "NaN in a bound": (OPTIMIZE, bounds(upper="NaN"), "constraints[0].weight_bounds.upper"),
    "infinite bound": (OPTIMIZE, bounds(upper="Infinity"), "constraints[0].weight_bounds.upper"),
    "bounds that cross": (OPTIMIZE, bounds(lower=0.6, upper=0.4), "constraints[0].weight_bounds.lower"),
    "no bound at all": (OPTIMIZE, bounds(symbols=["A"]), "constraints[0].weight_bounds.lower"),
    "bounds on a stranger": (OPTIMIZE, bounds(upper=0.5, symbols=["Z"]), "constraints[0].weight_bounds.symbols"),
    "a reserved label": (
        OPTIMIZE,
        optimize(constraints=[{"label": "default:budget", "weightBounds": {"upper": 0.5}}]),
        "constraints[0].label",
    ),
    "a label twice": (
        OPTIMIZE,
        optimize(constraints=[{"label": "x", "weightBounds": {"upper": u}} for u in (0.5, 0.6)]),
        "constraints[1].label",
    ),
    "an unknown group": (
        OPTIMIZE,
        optimize(constraints=[{"groupBounds": {"group": "sector=Nowhere", "upper": 0.5}}]),
        "constraints[0].group_bounds.group",
    ),
    "turnover without current weights": (
        OPTIMIZE,
        optimize(constraints=[{"label": "t", "turnover": {"maxTurnover": 0.1}}]),
        "current_weights",
    ),
    "risk aversion of zero": (
        OPTIMIZE,
        optimize(objective={"maxUtility": {"riskAversion": 0}}),
        "objective.max_utility.risk_aversion",
    ),
    "a negative budget": (
        OPTIMIZE,
        optimize(objective={"riskBudget": {"budgets": [{"symbol": "A", "budget": -1}, {"symbol": "B", "budget": 1}]}}),
        "objective.risk_budget.budgets[0].budget",
    ),
    "a budget for some only": (
        OPTIMIZE,
        optimize(objective={"riskBudget": {"budgets": [{"symbol": "A", "budget": 1}]}}),
        "objective.risk_budget.budgets",
    ),
    "NaN in current weights": (
        OPTIMIZE,
        optimize(currentWeights=[{"symbol": "A", "weight": "NaN"}]),
        "current_weights[0].weight",
    ),
    "current weights above one": (
        OPTIMIZE,
        optimize(currentWeights=[{"symbol": "A", "weight": 0.6}, {"symbol": "B", "weight": 0.41}]),
        "current_weights",
    ),
    "current weight of a stranger": (
        OPTIMIZE,
        optimize(currentWeights=[{"symbol": "Z", "weight": 0.6}]),
        "current_weights[0].symbol",
    ),
    "confidence of one": (OPTIMIZE, optimize(confidenceLevel=1), "confidence_level"),
    "NaN in a panel": (OPTIMIZE, from_prices(values=[10, 20, 11, "NaN", 10.5, 21, 11.5, 20.5]), "prices.values[3]"),
    "an infinite price": (
        OPTIMIZE,
        from_prices(values=[10, 20, 11, "Infinity", 10.5, 21, 11.5, 20.5]),
        "prices.values[3]",
    ),
    "a negative price": (OPTIMIZE, from_prices(values=[10, 20, -11, 19, 10.5, 21, 11.5, 20.5]), "prices.values[2]"),
    "a price of zero": (OPTIMIZE, from_prices(values=[10, 20, 0, 19, 10.5, 21, 11.5, 20.5]), "prices.values[2]"),
    "dates out of order": (OPTIMIZE, from_prices(dates=[0, 2, 1, 3]), "prices.dates[2]"),
    "a date twice": (OPTIMIZE, from_prices(dates=[0, 1, 1, 3]), "prices.dates[2]"),
    "values of the wrong number": (OPTIMIZE, from_prices(values=[10, 20, 11]), "prices.values"),
    "one date": (OPTIMIZE, from_prices(dates=[0], values=[10, 20]), "periods_per_year"),
    "an odd spacing": (OPTIMIZE, from_prices(dates=[0, 400, 800, 1200]), "periods_per_year"),
    "a date that does not exist": (
        OPTIMIZE,
        {
            "marketData": {"symbols": ["A"], "startDate": {"year": 2001, "month": 2, "day": 30}},
            "objective": {"minRisk": {}},
        },
        "market_data.start_date",
    ),
    "an empty range": (
        OPTIMIZE,
        {
            "marketData": {
                "symbols": ["A"],
                "startDate": {"year": 2001, "month": 2, "day": 3},
                "endDate": {"year": 2000, "month": 2, "day": 3},
            },
            "objective": {"minRisk": {}},
        },
        "market_data.end_date",
    ),
    "risk of weights above one": (
        RISK,
        risk(weights=[{"symbol": "A", "weight": 0.7}, {"symbol": "B", "weight": 0.31}]),
        "weights",
    ),
    "risk of a stranger": (RISK, risk(weights=[{"symbol": "Z", "weight": 1}]), "weights[0].symbol"),
    "risk of a weight twice": (
        RISK,
        risk(weights=[{"symbol": "A", "weight": 0.1}, {"symbol": "A", "weight": 0.2}]),
        "weights[1].symbol",
    ),
    "risk of a weight left out": (RISK, risk(weights=[{"symbol": "A"}]), "weights[0].weight"),
    "a name that is none": ("OptimizationService/GetOptimization", {"name": "optimizations/../x"}, "name"),
    "a page token that is none": ("OptimizationService/ListOptimizations", {"pageToken": "x"}, "page_token"),
    "returns too large to square": (
        OPTIMIZE,
        {"returns": {**RETURNS, "values": [1e100] * 6}, "periodsPerYear": 12, "objective": {"minRisk": {}}},
        "returns.values",
    ),
    "means too large to report": (
        RISK,
        {"moments": {**MOMENTS, "expectedReturns": [1e308, 0.02]}, "weights": risk()["weights"]},
        "moments.expected_returns",
    ),
    "variances too large to report": (
        RISK,
        {"moments": {**MOMENTS, "covariance": [1e308, 0, 0, 1]}, "weights": risk()["weights"]},
        "moments.covariance",
    ),
    "more periods than a year can have": (OPTIMIZE, moments(periodsPerYear=1e300), "moments.periods_per_year"),
    "hardly a period a year": (RISK, risk(periodsPerYear=1e-300), "periods_per_year"),
    "a hierarchy of one scenario": (
        OPTIMIZE,
        {
            "scenarios": {"symbols": ["A", "B"], "values": [0.1, 0.2], "periodsPerYear": 12},
            "objective": {"hierarchical": {"codependence": "CODEPENDENCE_SPEARMAN"}},
            "riskMeasure": "RISK_MEASURE_TAIL_GINI",
        },
        "scenarios",
    ),
    "a single return": (
        OPTIMIZE,
        {
            "returns": {"symbols": ["A"], "dates": [0], "values": [0.1]},
            "periodsPerYear": 12,
            "objective": {"minRisk": {}},
        },
        "returns.dates",
    ),
    "a view on an unknown symbol": (
        OPTIMIZE,
        {**from_prices(), "estimation": {"views": {"views": [{"terms": [{"symbol": "Z", "weight": 1}]}]}}},
        "estimation.views.views[0].terms[0].symbol",
    ),
    "an invisible symbol to count": (
        OPTIMIZE,
        optimize(constraints=[{"label": "x", "cardinality": {"maxAssets": 1, "symbols": ["A", "B\u200b"]}}]),
        "constraints[0].cardinality.symbols[1]",
    ),
    "NaN in the second scenario": (
        OPTIMIZE,
        {
            "scenarios": {"symbols": ["A", "B"], "values": [0.1, 0.2, 0.3, "NaN"], "periodsPerYear": 12},
            "objective": {"minRisk": {}},
        },
        "scenarios.values[3]",
    ),
    "a backtest with an estimator of gaps": (
        BACKTEST,
        {"prices": PRICES, "strategy": {"equalWeight": {}}, "missingData": "MISSING_DATA_POLICY_PAIRWISE"},
        "missing_data",
    ),
    "the only strategy of a list": (
        BACKTEST,
        {"prices": PRICES, "strategies": [{"fixedWeights": {"weights": [{"symbol": "A", "weight": 2e6}]}}]},
        "strategies[0].fixed_weights.weights[0].weight",
    ),
    "a portfolio worth nothing": (
        "ReallocationService/Reallocate",
        {
            "portfolio": {"holdings": [{"symbol": "AAPL", "quantity": 1}], "cash": -1, "currency": "USD"},
            "snapshot": {"assets": [{"symbol": "AAPL", "price": 1}]},
            "targetWeights": {"weights": [{"symbol": "AAPL", "weight": 1}]},
        },
        "portfolio",
    ),
    "instruments twice": (
        "MarketDataService/UpsertInstruments",
        {"instruments": [{"symbol": "A"}, {"symbol": "A"}]},
        "instruments[1].symbol",
    ),
}


@pytest.mark.parametrize(("method", "request_", "field"), INVALID.values(), ids=INVALID)
def test_the_field_is_named(wire: Any, method: str, request_: dict[str, Any], field: str) -> None:
    refusal = wire.refused(method, request_)
    assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "INVALID_INPUT")
    assert field in refusal.fields, refusal
    answer = wire.call(OPTIMIZE, optimize())
    assert math.isclose(sum(entry["weight"] for entry in answer["weights"]), 1.0)


def test_the_indefinite_covariance_says_how_to_go_on(wire: Any) -> None:
    request = moments(covariance=[0.04, 0.2, 0.2, 0.09])
    refusal = wire.refused(OPTIMIZE, request)
    assert "-0.136556" in refusal.message  # the smaller root of x^2 - 0.13 x - 0.0364
    assert "repair_covariance" in refusal.message
    request["moments"]["repairCovariance"] = True
    repaired = wire.call(OPTIMIZE, request)
    assert repaired["covarianceRepair"]["smallestEigenvalue"] == pytest.approx(-0.136556, abs=1e-6)


def test_weights_of_exactly_one_and_a_rounding_pass(wire: Any) -> None:
    weights = [{"symbol": "A", "weight": 0.5}, {"symbol": "B", "weight": 0.5 + 5e-7}]
    assert "volatilityAnnual" in wire.call(RISK, risk(weights=weights))


def test_leverage_must_be_allowed(wire: Any) -> None:
    weights = [{"symbol": "A", "weight": 0.9}, {"symbol": "B", "weight": 0.9}]
    assert "volatilityAnnual" in wire.call(RISK, risk(weights=weights, allowLeverage=True))


def test_unknown_stored_symbols_are_not_found(wire: Any) -> None:
    refusal = wire.refused(OPTIMIZE, {"marketData": {"symbols": ["NOBODY"]}, "objective": {"minRisk": {}}})
    assert (refusal.code, refusal.reason) == ("NOT_FOUND", "MISSING_MARKET_DATA")
    assert "NOBODY" in refusal.message


STORED = {"symbols": ["NOBODY"]}
LABELLED = {"universe": "sector=Nowhere"}
MISSING: dict[str, tuple[str, dict[str, Any], str]] = {
    "symbols": (OPTIMIZE, {"marketData": STORED, "objective": {"minRisk": {}}}, "market_data.symbols"),
    "universe": (OPTIMIZE, {"marketData": LABELLED, "objective": {"minRisk": {}}}, "market_data.universe"),
    "benchmark of a backtest": (
        BACKTEST,
        {
            "prices": PRICES,
            "strategy": {"equalWeight": {}},
            "benchmarks": [{"symbol": "A"}, {"label": "b", "strategy": {"equalWeight": {}}}, {"symbol": "NOBODY"}],
        },
        "benchmarks[2].symbol",
    ),
    "benchmark of a risk report": (RISK, risk(benchmarkSymbol="NOBODY"), "benchmark_symbol"),
    "assets of a snapshot": (
        "ReallocationService/Reallocate",
        {
            "portfolio": {"cash": 100},
            "snapshot": {"assets": [{"symbol": "NOBODY", "price": 1}]},
            "targetOptimize": {"objective": {"minRisk": {}}},
        },
        "snapshot.assets",
    ),
    "market of a reallocation": (
        "ReallocationService/Reallocate",
        {
            "portfolio": {"cash": 100},
            "marketData": STORED,
            "targetWeights": {"weights": [{"symbol": "NOBODY", "weight": 1}]},
        },
        "market_data.symbols",
    ),
}


@pytest.mark.parametrize(("method", "request_", "field"), MISSING.values(), ids=MISSING)
def test_missing_market_data_names_the_field_that_asked_for_it(
    wire: Any, method: str, request_: dict[str, Any], field: str
) -> None:
    refusal = wire.refused(method, request_)
    assert (refusal.code, refusal.reason, refusal.metadata["field"]) == ("NOT_FOUND", "MISSING_MARKET_DATA", field)


@pytest.mark.parametrize(
    ("selection", "field"), [(STORED, "selection.symbols"), (LABELLED, "selection.universe")], ids=["symbols", "label"]
)
def test_missing_prices_name_the_field_of_the_selection(wire: Any, selection: dict[str, Any], field: str) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        list(wire.stream("MarketDataService/GetPrices", {"selection": selection}))
    assert refusal_of(raised.value).metadata["field"] == field


def test_unknown_results_are_not_found(wire: Any) -> None:
    refusal = wire.refused("OptimizationService/GetOptimization", {"name": "optimizations/none"})
    assert (refusal.code, refusal.reason) == ("NOT_FOUND", "NOT_FOUND")


def test_each_violation_has_its_rule_as_its_reason(wire: Any) -> None:
    refusal = wire.refused(OPTIMIZE, optimize(confidenceLevel=2, requestId="x" * 200))
    assert dict(zip(refusal.fields, refusal.rules, strict=True)) == {
        "confidence_level": "DOUBLE_GT_LT",
        "request_id": "STRING_MAX_LEN",
    }
    (reason,) = wire.refused(OPTIMIZE, optimize(moments={**optimize()["moments"], "symbols": ["A", "A"]})).rules
    assert reason == "INVALID_INPUT"


def test_check_feasibility_needs_validate_only(wire: Any) -> None:
    refusal = wire.refused(OPTIMIZE, optimize(checkFeasibility=True))
    assert (refusal.code, refusal.rules) == ("INVALID_ARGUMENT", ("OPTIMIZE_CHECK_FEASIBILITY_WITH_VALIDATE_ONLY",))


def test_a_field_that_is_not_built_is_refused_by_its_path(wire: Any) -> None:
    refusal = wire.refused(
        OPTIMIZE, optimize(costs={"byAsset": [{"symbol": "A"}, {"borrowBpsAnnual": 1, "symbol": "B"}]})
    )
    assert (refusal.code, refusal.reason) == ("UNIMPLEMENTED", "NOT_SUPPORTED")
    assert refusal.metadata["field"] == "costs.by_asset[1].borrow_bps_annual"


UNSUPPORTED = {
    "kelly": optimize(objective={"kelly": {}}),
    "ULCER_INDEX": optimize(riskMeasure="RISK_MEASURE_ULCER_INDEX"),
}


@pytest.mark.parametrize(("name", "request_"), UNSUPPORTED.items(), ids=UNSUPPORTED)
def test_what_cannot_be_done_is_refused_by_name(wire: Any, name: str, request_: dict[str, Any]) -> None:
    refusal = wire.refused(OPTIMIZE, request_)
    assert (refusal.code, refusal.reason) == ("UNIMPLEMENTED", "NOT_SUPPORTED")
    assert name in refusal.message


def test_a_message_over_4_mib_is_refused(wire: Any) -> None:
    count = 600_000
    panel = {"symbols": ["A"], "dates": list(range(count)), "values": [1.0] * count}
    assert wire.refused(OPTIMIZE, {"prices": panel, "objective": {"minRisk": {}}}).code == "RESOURCE_EXHAUSTED"


def test_headers_of_up_to_32_kib_are_taken(channel: grpc.Channel) -> None:
    """Those that are longer, gRPC refuses by chance up to five quarters of the limit, and always beyond."""
    stub = channel.unary_unary(f"/absfinance.v1.{OPTIMIZE}")
    request = json_format.ParseDict(optimize(), OptimizeRequest()).SerializeToString()
    for _ in range(20):
        assert stub(request, metadata=(("authorization", "x" * 31 * 1024),), timeout=10)
    with pytest.raises(grpc.RpcError) as raised:
        stub(request, metadata=(("authorization", "x" * 48 * 1024),), timeout=10)
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_bytes_that_are_no_message_are_refused(channel: grpc.Channel, wire: Any) -> None:
    stub = channel.unary_unary(f"/absfinance.v1.{OPTIMIZE}")
    with pytest.raises(grpc.RpcError) as raised:
        stub(b"\xff\xff\xff\xff", timeout=10)
    assert raised.value.code() is not grpc.StatusCode.OK
    assert wire.call(OPTIMIZE, optimize())["weights"]
