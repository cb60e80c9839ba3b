"""Factor models over the wire: wherever an estimation is taken, factors explain and get no weight."""

import base64
import itertools
from datetime import date
from typing import Any

import grpc
import numpy as np
import pytest
from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceStub
from google.protobuf import json_format

from tests.conftest import RunningServer, Wire

OPTIMIZE = "OptimizationService/Optimize"
T = 200
RNG = np.random.default_rng(17)
FACTORS = RNG.standard_t(6, (T, 2)) * 0.008 + 0.0005
ASSETS = 0.0002 + FACTORS @ RNG.uniform(0.2, 1.2, (2, 4)) + 0.008 * RNG.standard_normal((T, 4))
SYMBOLS = ["A", "MKT", "B", "C", "RATES", "D"]
STOCKS, NAMES = ["A", "B", "C", "D"], ["MKT", "RATES"]
RETURNS = np.column_stack([ASSETS[:, 0], FACTORS[:, 0], ASSETS[:, 1:3], FACTORS[:, 1], ASSETS[:, 3]])
START = (date(2021, 1, 4) - date(1970, 1, 1)).days
PRICES = 100.0 * np.vstack([np.ones(6), np.cumprod(1.0 + RETURNS, axis=0)])
LEAST = {"factorModel": {"method": "METHOD_LEAST_SQUARES", "factors": NAMES}}
VIEW = {"terms": [{"symbol": "MKT", "weight": 1}], "expectedReturnAnnual": 0.5}


def panel(values: np.ndarray, symbols: list[str] = SYMBOLS) -> dict[str, Any]:
    days = range(START, START + len(values))
    return {"symbols": symbols, "dates": list(days), "values": values.ravel().tolist()}


def ask(estimation: dict[str, Any], **more: Any) -> dict[str, Any]:
    request = {"returns": panel(RETURNS), "periodsPerYear": 252, "objective": {"minRisk": {}}, "estimation": estimation}
    return {key: value for key, value in (request | more).items() if value is not None}


def weights_of(answer: dict[str, Any]) -> np.ndarray:
    assert [w["symbol"] for w in answer["weights"]] == STOCKS
    return np.array([w.get("weight", 0.0) for w in answer["weights"]])


def regression() -> tuple[np.ndarray, np.ndarray]:
    """Loadings, and the covariance that they make, by numpy."""
    slopes = np.linalg.lstsq(np.hstack([np.ones((T, 1)), FACTORS]), ASSETS, rcond=None)[0]
    left = ASSETS - ASSETS.mean(axis=0) - (FACTORS - FACTORS.mean(axis=0)) @ slopes[1:]
    return slopes[1:].T, slopes[1:].T @ np.cov(FACTORS.T) @ slopes[1:] + np.diag(left.var(axis=0, ddof=1))


METHODS: list[dict[str, Any]] = [
    {"method": "METHOD_LEAST_SQUARES"},
    {"method": "METHOD_PRINCIPAL_COMPONENTS", "explainedVariance": 0.9},
    {},
    *(
        {"direction": f"DIRECTION_{direction}", "criterion": f"CRITERION_{criterion}", "threshold": 0.01}
        for direction, criterion in itertools.product(
            ("FORWARD", "BACKWARD"), ("P_VALUE", "AIC", "BIC", "ADJUSTED_R_SQUARED")
        )
    ),
]


@pytest.mark.parametrize("method", METHODS, ids=lambda m: "-".join(map(str, m.values())) or "default")
def test_every_method_optimises_the_assets(wire: Wire, method: dict[str, Any]) -> None:
    model = {"factorModel": {**method, "factors": NAMES}}
    shorts = [{"leverage": {"maxShort": 1.0}}]
    answer = wire.call(OPTIMIZE, ask({"expectedReturns": model, "covariance": model}, constraints=shorts))
    weights = weights_of(answer)
    assert weights.sum() == pytest.approx(1.0)
    assert answer["certificate"]["dualityGap"] <= 1e-7
    assert answer["expectedReturnAnnual"] == pytest.approx(252 * ASSETS.mean(axis=0) @ weights, rel=1e-9)
    if method in METHODS[:1]:
        covariance = regression()[1]
        assert answer["volatilityAnnual"] == pytest.approx((252 * weights @ covariance @ weights) ** 0.5, rel=1e-9)
        best = np.linalg.solve(covariance, np.ones(4))
        assert weights == pytest.approx(best / best.sum(), abs=1e-7)


def test_prices_tell_what_returns_tell(wire: Wire) -> None:
    by_returns = wire.call(OPTIMIZE, ask({"covariance": LEAST}))
    by_prices = wire.call(OPTIMIZE, ask({"covariance": LEAST}, returns=None, prices=panel(PRICES)))
    assert weights_of(by_prices) == pytest.approx(weights_of(by_returns), abs=1e-9)


def test_a_measure_of_the_distribution_sees_the_assets(wire: Wire) -> None:
    with_factors = wire.call(OPTIMIZE, ask({"covariance": LEAST}, riskMeasure="RISK_MEASURE_CVAR"))
    without = wire.call(OPTIMIZE, ask({}, returns=panel(ASSETS, STOCKS), riskMeasure="RISK_MEASURE_CVAR"))
    assert with_factors["risk"] == pytest.approx(without["risk"], rel=1e-9)
    assert weights_of(with_factors) == pytest.approx(weights_of(without), abs=1e-6)


def test_a_view_on_a_factor_moves_the_assets_that_load_on_it(wire: Wire) -> None:
    def views(method: str, *views: dict[str, Any]) -> dict[str, Any]:
        return {"views": {"method": f"METHOD_{method}_BLACK_LITTERMAN", "views": views or (VIEW,), **LEAST}}

    held = {"objective": {"equalWeight": {}}}
    before = wire.call(OPTIMIZE, ask({}, returns=panel(ASSETS, STOCKS), **held))["expectedReturnAnnual"]
    loadings = regression()[0]
    own = np.cov(FACTORS.T)
    # Half of the way, for a view as uncertain as the prior.
    moved = loadings @ own[:, 0] / own[0, 0] * 0.5 * (0.5 - 252 * FACTORS[:, 0].mean())
    for method in ("BAYESIAN", "AUGMENTED"):
        after = wire.call(OPTIMIZE, ask(views(method), **held))
        assert after["expectedReturnAnnual"] - before == pytest.approx(moved.mean(), rel=1e-8)
    on_asset = {"terms": [{"symbol": "A", "weight": 1}], "expectedReturnAnnual": 0.5, "confidence": 1.0}
    both = wire.call(OPTIMIZE, ask(views("AUGMENTED", VIEW, on_asset), objective={"maxReturn": {}}))
    assert weights_of(both).sum() == pytest.approx(1.0)
    refusal = wire.refused(OPTIMIZE, ask(views("BAYESIAN", VIEW, on_asset)))
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("estimation.views.views[1].terms[0].symbol",))


def named(field: str, **more: Any) -> tuple[str, dict[str, Any]]:
    estimation = more.pop("estimation", {"covariance": LEAST})
    return field, ask(estimation, **more)


FEW = {"returns": panel(RETURNS[:3])}
SCENARIOS = {"symbols": SYMBOLS, "values": RETURNS.ravel().tolist()}
MOMENTS = {"symbols": ["A", "MKT"], "expectedReturns": [0.1, 0.1], "covariance": [0.04, 0, 0, 0.04]}
ON_MARKET = [{"symbol": "A", "weight": 0.5}, {"symbol": "MKT", "weight": 0.5}]
BAYESIAN = {"method": "METHOD_BAYESIAN_BLACK_LITTERMAN", "views": [VIEW]}
REFUSED = [
    named("constraints[0].weight_bounds.symbols", constraints=[{"weightBounds": {"symbols": ["MKT"], "upper": 0.1}}]),
    named(
        "constraints[0].group_bounds.symbols", constraints=[{"groupBounds": {"symbols": ["A", "MKT"], "upper": 0.1}}]
    ),
    named("current_weights[1].symbol", currentWeights=ON_MARKET),
    named("objective.tracking.benchmark[1].symbol", objective={"tracking": {"benchmark": ON_MARKET}}),
    named("estimation.covariance.factor_model.factors", **FEW),
    named("estimation.covariance.factor_model", returns=None, scenarios=SCENARIOS),
    named("estimation.covariance.factor_model", returns=None, moments={**MOMENTS, "periodsPerYear": 252}),
    named("estimation.views.factor_model", estimation={"views": BAYESIAN}),
    named("estimation.views.factor_model", estimation={"views": {"views": [VIEW], **LEAST}}),
    named(
        "estimation.views.factor_model",
        estimation={"views": {**BAYESIAN, **LEAST}},
        returns=None,
        moments={**MOMENTS, "periodsPerYear": 252},
    ),
    named(
        "estimation.covariance.factor_model.factors[0]",
        estimation={"covariance": {"factorModel": {"factors": ["NOBODY"]}}},
    ),
    named(
        "estimation.covariance.factor_model.factors",
        estimation={"expectedReturns": LEAST, "covariance": {"factorModel": {"factors": ["MKT"]}}},
    ),
    named(
        "estimation.covariance.factor_model.factors[1]",
        estimation={"covariance": {"factorModel": {"factors": ["MKT", "MKT"]}}},
    ),
]


@pytest.mark.parametrize(("field", "request_"), REFUSED, ids=[f"{i}-{f}" for i, (f, _) in enumerate(REFUSED)])
def test_what_is_refused_is_named(wire: Wire, field: str, request_: dict[str, Any]) -> None:
    refusal = wire.refused(OPTIMIZE, request_)
    assert (refusal.code, refusal.reason, refusal.fields) == ("INVALID_ARGUMENT", "INVALID_INPUT", (field,))


def test_frontiers_and_batches_have_assets_alone(wire: Wire) -> None:
    request = ask({"covariance": LEAST}, points=5)
    del request["objective"]
    traced = list(wire.stream("OptimizationService/TraceFrontier", request))
    assert len(traced) == 5
    least = weights_of(wire.call(OPTIMIZE, ask({"covariance": LEAST})))
    assert weights_of(traced[-1]) == pytest.approx(least, abs=1e-6)


def test_a_batch_shares_its_factors(wire: Wire, channel: grpc.Channel) -> None:
    spec = ask({"covariance": LEAST})
    shared = {key: spec.pop(key) for key in ("returns", "periodsPerYear")}
    accounts = [
        {"key": "plain"},
        {"key": "capped", "constraints": [{"weightBounds": {"upper": 0.4}}]},
        {"key": "wrong", "currentWeights": ON_MARKET},
    ]
    sent = [{"universe": {**shared, "spec": spec}}, *({"account": account} for account in accounts)]
    messages = [json_format.ParseDict(one, OptimizeBatchRequest()) for one in sent]
    stub = OptimizationServiceStub(channel)
    found = {one.key: one for one in stub.OptimizeBatch(iter(messages), timeout=60)}
    plain = np.array([w.weight for w in found["plain"].result.weights])
    assert plain == pytest.approx(weights_of(wire.call(OPTIMIZE, ask({"covariance": LEAST}))), abs=1e-9)
    assert max(w.weight for w in found["capped"].result.weights) == pytest.approx(0.4, abs=1e-8)
    assert "MKT is a factor" in found["wrong"].error.message


BACKTEST = "BacktestService/Backtest"


def job(optimize: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "prices": panel(PRICES),
        "periodsPerYear": 252,
        "strategy": {"optimize": {"objective": {"minRisk": {}}, **optimize}},
        "rebalancing": {"calendar": {"frequency": "FREQUENCY_MONTHLY"}},
        "wait": "60s",
        **more,
    }


def series(wire: Wire, name: str, kind: str) -> tuple[list[str], np.ndarray]:
    header, *rows = wire.stream("BacktestService/GetBacktestSeries", {"name": name, "series": kind})
    blocks = [
        np.frombuffer(base64.b64decode(piece["rows"]["values"]["data"]), "<f8").reshape(
            [int(n) for n in piece["rows"]["values"]["shape"]]
        )
        for piece in rows
    ]
    return header["header"].get("symbols", []), np.concatenate(blocks)


@pytest.mark.parametrize("lookback", [None, 60])
def test_a_backtest_never_holds_a_factor(wire: Wire, lookback: int | None) -> None:
    model = {"estimation": {"covariance": LEAST}}
    turnover = {"constraints": [{"turnover": {"maxTurnover": 2.0}}]}
    request = job(model | turnover | ({"lookbackPeriods": lookback} if lookback else {}), costs={"commissionBps": 10})
    answer = wire.call(BACKTEST, request)
    assert "failures" not in answer["result"], answer["result"].get("failures")
    symbols, weights = series(wire, answer["name"], "BACKTEST_SERIES_WEIGHTS")
    assert symbols == SYMBOLS
    factors = np.isin(symbols, NAMES)
    assert not weights[:, factors].any()
    # The first decision has as many returns as it needs, its fill comes a date later.
    filled = int(np.argmax(weights.sum(axis=1) > 0.0))
    assert weights[filled].sum() == pytest.approx(1.0, abs=1e-6)
    # Without a lookback, two factors need four returns.
    seen = PRICES[: (lookback or 4) + 1]
    returns = seen[1:] / seen[:-1] - 1.0
    wanted = wire.call(OPTIMIZE, ask({"covariance": LEAST}, returns=panel(returns)))
    assert weights[filled][~factors] == pytest.approx(weights_of(wanted), abs=1e-6)


def test_too_short_a_lookback_is_refused(wire: Wire) -> None:
    refusal = wire.refused(BACKTEST, job({"estimation": {"covariance": LEAST}, "lookbackPeriods": 3}))
    assert refusal.fields == ("strategy.optimize.estimation.covariance.factor_model.factors",)
    assert "2 factors need at least 4 common returns, have 3" in refusal.message


def test_a_risk_model_of_the_assets(wire: Wire) -> None:
    request = {"returns": panel(RETURNS), "periodsPerYear": 252, "estimation": {"covariance": LEAST}}
    diagnostics, *pieces = wire.stream("RiskService/EstimateRiskModel", request)
    assert diagnostics["diagnostics"]["symbols"] == STOCKS
    arrays = {
        piece["chunk"]["array"]: np.frombuffer(base64.b64decode(piece["chunk"]["rows"]["data"]), "<f8")
        for piece in pieces
    }
    assert arrays["ARRAY_COVARIANCE"].reshape(4, 4) == pytest.approx(regression()[1], rel=1e-9)
    simulated = {"method": "METHOD_BLOCK_BOOTSTRAP", "paths": 2, "periods": 5}
    drawn = list(wire.stream("RiskService/EstimateRiskModel", request | {"simulation": simulated}))
    assert drawn[-1]["chunk"]["rows"]["shape"][-1] == "4"
    views = {"views": {**BAYESIAN, **LEAST}}
    assert len(list(wire.stream("RiskService/EstimateRiskModel", request | {"estimation": views}))) == 4


def test_a_risk_report_on_the_assets(wire: Wire) -> None:
    request = {
        "returns": panel(RETURNS),
        "periodsPerYear": 252,
        "weights": [{"symbol": symbol, "weight": 0.25} for symbol in STOCKS],
        "estimation": {"covariance": LEAST},
        "factors": {"series": panel(FACTORS, NAMES)},
        "groups": [{"name": "pair", "symbols": ["A", "D"]}],
    }
    answer = wire.call("RiskService/AnalyzeRisk", request)
    equal, (loadings, covariance) = np.full(4, 0.25), regression()
    total = (252 * equal @ covariance @ equal) ** 0.5
    assert [c["symbol"] for c in answer["contributions"]] == STOCKS
    assert sum(c["contribution"] for c in answer["contributions"]) == pytest.approx(total, rel=1e-9)
    assert answer["volatilityAnnual"] == pytest.approx((ASSETS @ equal).std(ddof=1) * 252**0.5, rel=1e-9)
    found = np.array([a["exposures"] for a in answer["factorExposures"]])
    assert found == pytest.approx(loadings, rel=1e-8)
    refusal = wire.refused("RiskService/AnalyzeRisk", request | {"weights": ON_MARKET})
    assert refusal.fields == ("weights[1].symbol",)


def test_stored_prices_and_a_target_of_reallocation(sample_server: RunningServer) -> None:
    symbols = {"symbols": ["AAPL", "JNJ", "KO", "XOM"]}
    spec = {
        "objective": {"minRisk": {}},
        "estimation": {"covariance": {"factorModel": {"factors": ["XOM"]}}},
        "constraints": [{"turnover": {"maxTurnover": 2.0}}],
    }
    holdings = [{"symbol": "AAPL", "quantity": 1000}, {"symbol": "XOM", "quantity": 10}]
    with sample_server.channel() as channel:
        wire = Wire(channel)
        bare = {key: value for key, value in spec.items() if key != "constraints"}
        direct = {w["symbol"]: w["weight"] for w in wire.call(OPTIMIZE, {"marketData": symbols, **bare})["weights"]}
        assert list(direct) == symbols["symbols"][:3]
        request = {"portfolio": {"holdings": holdings, "cash": 1e6}, "targetOptimize": spec}
        # Of a snapshot the factor need not be a part: its prices are stored.
        quoted = [{"symbol": symbol, "price": 100.0} for symbol in symbols["symbols"]]
        for market in ({"marketData": symbols}, {"snapshot": {"assets": quoted}}):
            answer = wire.call("ReallocationService/Reallocate", request | market)
            target = {a["symbol"]: a.get("targetWeight", 0.0) for a in answer["utilization"]["assets"]}
            assert target == pytest.approx(direct | {"XOM": 0.0}, abs=1e-6)
        unheld = {"portfolio": {"holdings": holdings[:1]}, "snapshot": {"assets": quoted[:3]}}
        answer = wire.call("ReallocationService/Reallocate", request | unheld)
        assert {a["symbol"] for a in answer["utilization"]["assets"]} == set(direct)
