"""Costs in the optimiser's objective over the wire: impact, fees and borrowing by their definitions, with units."""

from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf.json_format import MessageToDict
from scipy.optimize import minimize

from tests.conftest import RunningServer, Wire
from tests.e2e.test_batch import batch

OPTIMIZE = "OptimizationService/Optimize"
SYMBOLS = ["A", "B", "C"]
MU = np.array([0.004, 0.007, 0.010])  # a month
SIGMA = np.array([[0.0016, 0.0004, 0.0002], [0.0004, 0.0025, 0.0006], [0.0002, 0.0006, 0.0049]])
HELD = np.array([0.6, 0.3, 0.1])
DAILY = np.array([5e6, 2e6, 4e5])
VOLATILITY = np.array([0.02 * 252**0.5, 0.3, 0.5])
LIQUIDITY = [
    {"symbol": s, "dailyValue": d, "volatilityAnnual": v} for s, d, v in zip(SYMBOLS, DAILY, VOLATILITY, strict=True)
]
SQUARE_ROOT = {"squareRoot": {"coefficient": 1.0}}
IMPACT = {"impact": SQUARE_ROOT, "portfolioValue": 1e6, "liquidity": LIQUIDITY}
UTILITY = {"maxUtility": {"riskAversion": 3.0}}


def asked(objective: dict[str, Any], costs: dict[str, Any], *constraints: dict[str, Any], **more: Any) -> Any:
    request = {
        "moments": {
            "symbols": SYMBOLS,
            "expectedReturns": MU.tolist(),
            "covariance": SIGMA.ravel().tolist(),
            "periodsPerYear": 12,
        },
        "objective": objective,
        "constraints": list(constraints),
        "currentWeights": [{"symbol": s, "weight": w} for s, w in zip(SYMBOLS, HELD, strict=True)],
        "costs": costs,
    }
    return {**request, **more}


def weights_of(answer: dict[str, Any]) -> np.ndarray:
    assert answer["certificate"]["maxConstraintViolation"] <= 1e-8
    assert answer["certificate"].get("dualityGap", 0.0) <= 1e-7
    return np.array([w.get("weight", 0.0) for w in answer["weights"]])


def impact_of(w: np.ndarray, value: float = 1e6) -> float:
    """Trade by trade in money: every unit pays the impact of those before it, by a sum over small pieces."""
    cost = 0.0
    for trade, daily, volatility in zip(np.abs(w - HELD) * value, DAILY, VOLATILITY, strict=True):
        pieces = (np.arange(200_000) + 0.5) / 200_000 * trade
        cost += float((volatility / 252**0.5 * np.sqrt(pieces / daily)).mean()) * trade
    return cost / value


def fixed_at(weights: list[float]) -> list[dict[str, Any]]:
    return [
        {"label": f"at {s}", "weightBounds": {"symbols": [s], "lower": w, "upper": w}}
        for s, w in zip(SYMBOLS, weights, strict=True)
    ]


def test_a_trade_by_hand(wire: Wire) -> None:
    """100 000 of an asset that trades 5 000 000 a day at 2 % a day move it by 2 % sqrt(0.02) and cost 2/3 of that.

    That is 18.8562 bp of the trade, a tenth of the portfolio; the same of C with 0.5 / sqrt(252) a day and sqrt(0.25).
    """
    answer = wire.call(OPTIMIZE, asked({"minRisk": {}}, IMPACT, *fixed_at([0.5, 0.3, 0.2])))
    assert answer["cost"] == pytest.approx(0.1 * 0.00188562 + 0.1 * 0.01049901, rel=1e-5)
    assert answer["cost"] == pytest.approx(impact_of(np.array([0.5, 0.3, 0.2])), rel=1e-6)


def test_all_costs_add_up(wire: Wire) -> None:
    costs = {**IMPACT, "commissionBps": 8, "halfSpreadBps": 2, "fixedFee": 150}
    answer = wire.call(OPTIMIZE, asked({"minRisk": {}}, costs, *fixed_at([0.5, 0.3, 0.2])))
    only_impact = impact_of(np.array([0.5, 0.3, 0.2]))
    assert answer["cost"] == pytest.approx(only_impact + 0.2 * 0.001 + 2 * 150 / 1e6, rel=1e-6)


def test_volatility_is_that_of_the_moments_where_none_is_given(wire: Wire) -> None:
    """sqrt(0.0016) a month is 0.04 sqrt(12) a year and 0.04 sqrt(12 / 252) a day."""
    bare = [{"symbol": s, "dailyValue": d} for s, d in zip(SYMBOLS, DAILY, strict=True)]
    answer = wire.call(OPTIMIZE, asked({"minRisk": {}}, {**IMPACT, "liquidity": bare}, *fixed_at([0.5, 0.4, 0.1])))
    each = [2 / 3 * sd * (12 / 252) ** 0.5 * (1e5 / d) ** 0.5 * 0.1 for sd, d in ((0.04, 5e6), (0.05, 2e6))]
    assert answer["cost"] == pytest.approx(sum(each), rel=1e-9)


@pytest.mark.parametrize("kind", ["return", "utility", "ratio"])
def test_the_optimum_is_that_of_another_solver(wire: Wire, kind: str) -> None:
    objective = {"return": {"maxReturn": {}}, "utility": UTILITY, "ratio": {"maxRatio": {"riskFreeRateAnnual": 0.01}}}
    costs = {**IMPACT, "commissionBps": 5, "impact": {"squareRoot": {"coefficient": 3.0}}}
    w = weights_of(wire.call(OPTIMIZE, asked(objective[kind], costs)))
    rates = 2 / 3 * 3.0 * VOLATILITY / 252**0.5 * np.sqrt(1e6 / DAILY)

    def lost(v: np.ndarray) -> float:
        trades = np.abs(v - HELD)
        gain = 12 * MU @ v - 0.0005 * trades.sum() - rates @ trades**1.5
        variance = 12 * v @ SIGMA @ v
        return {"return": -gain, "utility": 1.5 * variance - gain, "ratio": -(gain - 0.01) / variance**0.5}[kind]

    starts = [*np.random.default_rng(1).dirichlet(np.ones(3), 8), HELD]
    budget = {"type": "eq", "fun": lambda v: v.sum() - 1.0}
    rivals = [
        minimize(lost, start, method="SLSQP", bounds=[(0, 1)] * 3, constraints=budget, options={"ftol": 1e-14})
        for start in starts
    ]
    best = min(r.fun for r in rivals if abs(r.x.sum() - 1) < 1e-9)
    assert lost(w) <= best + 1e-8
    assert lost(w) == pytest.approx(best, rel=1e-6)


def test_twice_the_portfolio_pays_root_two_of_the_part(wire: Wire) -> None:
    one, two = (
        wire.call(OPTIMIZE, asked({"minRisk": {}}, {**IMPACT, "portfolioValue": value}, *fixed_at([0.4, 0.4, 0.2])))
        for value in (1e6, 2e6)
    )
    assert two["cost"] == pytest.approx(2**0.5 * one["cost"], rel=1e-12)


def test_the_currency_does_not_matter(wire: Wire) -> None:
    cents = {
        **IMPACT,
        "portfolioValue": 1e8,
        "fixedFee": 100_000,
        "liquidity": [{**one, "dailyValue": 100 * one["dailyValue"]} for one in LIQUIDITY],
    }
    euros = wire.call(OPTIMIZE, asked(UTILITY, {**IMPACT, "fixedFee": 1000}))
    assert weights_of(wire.call(OPTIMIZE, asked(UTILITY, cents))) == pytest.approx(weights_of(euros), abs=1e-9)


def test_the_order_of_assets_does_not_matter(wire: Wire) -> None:
    order = [2, 0, 1]
    request = asked(UTILITY, {**IMPACT, "fixedFee": 1000, "byAsset": [{"symbol": "C", "costBps": 30}]})
    plain = weights_of(wire.call(OPTIMIZE, request))
    request["moments"] = {
        "symbols": [SYMBOLS[i] for i in order],
        "expectedReturns": MU[order].tolist(),
        "covariance": SIGMA[np.ix_(order, order)].ravel().tolist(),
        "periodsPerYear": 12,
    }
    assert weights_of(wire.call(OPTIMIZE, request)) == pytest.approx(plain[order], abs=1e-6)


def test_a_fee_that_nothing_is_worth_leaves_everything(wire: Wire) -> None:
    answer = wire.call(OPTIMIZE, asked(UTILITY, {"fixedFee": 200_000, "portfolioValue": 1e6}))
    assert weights_of(answer) == pytest.approx(HELD, abs=0.0)
    assert answer.get("cost", 0.0) == 0.0
    cheap = wire.call(OPTIMIZE, asked(UTILITY, {"fixedFee": 1, "portfolioValue": 1e6}))
    assert cheap["cost"] == pytest.approx(1e-6 * np.count_nonzero(weights_of(cheap) != HELD), rel=1e-9)


def test_shorts_pay_to_borrow(wire: Wire) -> None:
    """At more than what a short can earn nobody is short; no current weights are needed for that."""
    leverage = {"label": "short", "leverage": {"maxShort": 0.3}}

    def short(bps: float) -> float:
        request = asked({"maxReturn": {}}, {"borrowBpsAnnual": bps}, leverage)
        del request["currentWeights"]
        return float(-weights_of(wire.call(OPTIMIZE, request)).min())

    # 12 (0.010 - 0.004) = 7.2 % a year is what a short of A in favour of C earns.
    assert short(700) == pytest.approx(0.3, abs=1e-7)
    assert short(740) == pytest.approx(0.0, abs=1e-7)


@pytest.mark.parametrize(
    ("costs", "field"),
    [
        ({"impact": SQUARE_ROOT, "portfolioValue": 1e6}, "costs.liquidity"),
        ({"impact": SQUARE_ROOT, "portfolioValue": 1e6, "liquidity": LIQUIDITY[:2]}, "costs.liquidity"),
        ({"impact": SQUARE_ROOT, "liquidity": LIQUIDITY}, "costs.portfolio_value"),
        ({"fixedFee": 5}, "costs.portfolio_value"),
        ({**IMPACT, "liquidity": [*LIQUIDITY, LIQUIDITY[0]]}, "costs.liquidity[3].symbol"),
        ({**IMPACT, "liquidity": [*LIQUIDITY, {"symbol": "Z", "dailyValue": 1}]}, "costs.liquidity[3].symbol"),
        ({"byAsset": [{"symbol": "Z", "costBps": 1}]}, "costs.by_asset[0].symbol"),
    ],
)
@pytest.mark.parametrize("objective", [UTILITY, {"minRisk": {}}], ids=["utility", "risk"])
def test_what_is_missing_is_named(wire: Wire, objective: Any, costs: dict[str, Any], field: str) -> None:
    refusal = wire.refused(OPTIMIZE, asked(objective, costs))
    assert refusal.reason == "INVALID_INPUT"
    assert refusal.fields == (field,)


def test_who_cannot_trade_needs_no_volume(wire: Wire) -> None:
    frozen = {"label": "frozen", "weightBounds": {"symbols": ["C"], "lower": 0.1, "upper": 0.1}}
    answer = wire.call(OPTIMIZE, asked(UTILITY, {**IMPACT, "liquidity": LIQUIDITY[:2]}, frozen))
    assert answer["cost"] == pytest.approx(impact_of(weights_of(answer)), rel=1e-5)


@pytest.mark.parametrize(
    ("costs", "word"),
    [
        ({**IMPACT, "impact": {"almgren": {}}}, "square_root"),
        ({"cashRateAnnual": 0.02}, "cash_rate_annual"),
        ({"financingRateAnnual": 0.05}, "financing_rate_annual"),
    ],
)
def test_what_is_not_for_optimisation_is_refused_by_name(wire: Wire, costs: dict[str, Any], word: str) -> None:
    refusal = wire.refused(OPTIMIZE, asked(UTILITY, costs))
    assert refusal.reason == "NOT_SUPPORTED"
    assert word in refusal.message


def test_a_batch_counts_and_reports_costs(wire: Wire, channel: grpc.Channel) -> None:
    request = asked(UTILITY, {**IMPACT, "fixedFee": 500})
    alone = wire.call(OPTIMIZE, request)
    universe = {"moments": request["moments"], "spec": {"objective": UTILITY, "costs": request["costs"]}}
    accounts = [{"key": "held", "currentWeights": request["currentWeights"]}, {"key": "nothing said"}]
    outcomes = batch(channel, {"universe": universe}, *({"account": a} for a in accounts))
    result = MessageToDict(outcomes["held"].result)
    assert result["cost"] == pytest.approx(alone["cost"], rel=1e-9)
    assert weights_of(result) == pytest.approx(weights_of(alone), abs=1e-9)
    assert outcomes["nothing said"].error.message.startswith("account.current_weights: must be given")


def backtest_request(paid: dict[str, Any] | None = None, **costs: Any) -> dict[str, Any]:
    returns = np.random.default_rng(3).normal(0.001, 0.01, (60, 3))
    spec = {"objective": {"maxUtility": {"riskAversion": 5.0}}, "lookbackPeriods": 20}
    return {
        "returns": {"symbols": SYMBOLS, "dates": list(range(60)), "values": returns.ravel().tolist()},
        "strategy": {"optimize": {**spec, "costs": costs} if costs else spec},
        **({} if paid is None else {"costs": paid}),
        "rebalancing": {"everyPeriods": {"n": 5}},
        "periodsPerYear": 252,
        "wait": "60s",
    }


def test_costs_steer_a_strategy_and_only_those_of_the_job_are_paid(wire: Wire) -> None:
    """A fee of all there is leaves nothing but the first purchase, of which half is counted one way."""
    free, dear, thick = (
        wire.call("BacktestService/Backtest", backtest_request({}, **costs))["result"]["strategies"][0]["metrics"]
        for costs in (
            {},
            {"fixedFee": 1, "portfolioValue": 1},
            {**IMPACT, "impact": {"squareRoot": {"coefficient": 9}}},
        )
    )
    years = 40 / 365.25
    assert dear["turnoverAnnual"] * years == pytest.approx(0.5, rel=1e-6)
    assert dear["turnoverAnnual"] < thick["turnoverAnnual"] < free["turnoverAnnual"]
    assert dear.get("costTotal", 0.0) == thick.get("costTotal", 0.0) == 0.0


def simulated(wire: Wire, paid: dict[str, Any] | None, planned: dict[str, Any] | None) -> dict[str, Any]:
    request = backtest_request(paid)
    if planned is not None:
        request["strategy"]["optimize"]["costs"] = planned
    answer: dict[str, Any] = wire.call("BacktestService/Backtest", request)
    return answer


TEN_BPS = {"commissionBps": 10}


def test_a_strategy_that_plans_with_costs_pays_them_where_no_others_are_given(wire: Wire) -> None:
    alone, both = simulated(wire, None, TEN_BPS), simulated(wire, TEN_BPS, TEN_BPS)
    assert alone["result"]["costs"]["commission"] > 0.0
    assert alone["result"]["metrics"] == both["result"]["metrics"]
    assert "warnings" not in alone
    assert "warnings" not in both


def test_empty_costs_of_a_strategy_are_those_that_are_paid(wire: Wire) -> None:
    same, asked_for, without = (simulated(wire, TEN_BPS, planned) for planned in (TEN_BPS, {}, None))
    assert asked_for["result"]["metrics"] == same["result"]["metrics"]
    assert "warnings" not in asked_for
    assert without["result"]["metrics"]["turnoverAnnual"] > same["result"]["metrics"]["turnoverAnnual"]


@pytest.mark.parametrize(
    ("paid", "planned", "names"),
    [
        (TEN_BPS, {"commissionBps": 20}, "commission_bps"),
        ({}, TEN_BPS, "commission_bps"),
        ({**TEN_BPS, "minCommission": 1e-9, "borrowBpsAnnual": 5}, TEN_BPS, "borrow_bps_annual, min_commission"),
    ],
)
def test_other_costs_than_those_that_are_paid_are_told(
    wire: Wire, paid: dict[str, Any], planned: dict[str, Any], names: str
) -> None:
    answer = simulated(wire, paid, planned)
    (warning,) = answer["warnings"]
    assert (warning["code"], warning["field"]) == ("COSTS_DIFFER", "strategy.optimize.costs")
    assert warning["message"].endswith(f"strategy.optimize.costs and the simulation pays costs: they differ in {names}")
    assert wire.call("BacktestService/GetBacktest", {"name": answer["name"]})["warnings"] == [warning]


def test_a_fee_is_planned_at_the_net_asset_value_of_each_decision(wire: Wire) -> None:
    """A fee of all there is stops every trade after the first one; of 1e-9 of it, none."""
    request = backtest_request({}, fixedFee=1)
    few, many = (
        wire.call("BacktestService/Backtest", {**request, "initialCapital": capital})["result"]["metrics"]
        for capital in (1, 1e9)
    )
    assert few["turnoverAnnual"] * 40 / 365.25 == pytest.approx(0.5, rel=1e-6)
    assert many["turnoverAnnual"] > 2 * few["turnoverAnnual"]


def test_paid_costs_that_no_weights_can_be_chosen_with_are_refused_by_name(wire: Wire) -> None:
    request = backtest_request({"commissionPerShare": 0.01})
    request["strategy"]["optimize"]["costs"] = {}
    refusal = wire.refused("BacktestService/Backtest", request)
    assert refusal.reason == "NOT_SUPPORTED"
    assert "commission_per_share" in refusal.message
    assert refusal.metadata["field"] == "strategy.optimize.costs"


def test_a_strategy_whose_costs_lack_a_figure_is_refused_at_once(wire: Wire) -> None:
    refusal = wire.refused("BacktestService/Backtest", backtest_request({}, impact=SQUARE_ROOT, portfolioValue=1))
    assert refusal.reason == "INVALID_INPUT"
    assert refusal.fields == ("strategy.optimize.costs.liquidity",)


def test_a_reallocation_knows_what_it_trades_in(sample_server: RunningServer) -> None:
    """Net asset value and daily values come from the portfolio and its market where the costs do not say them."""
    quotes = [
        {"symbol": s, "price": 100.0, "averageDailyVolume": volume, "volatilityAnnual": 0.3}
        for s, volume in (("AAPL", 1e5), ("JNJ", 1e5), ("XOM", 10.0))
    ]
    with sample_server.channel() as channel:
        wire = Wire(channel)

        def target(**costs: Any) -> dict[str, float]:
            request = {
                "portfolio": {"holdings": [{"symbol": s, "quantity": 1000} for s in ("AAPL", "JNJ", "XOM")]},
                "snapshot": {"assets": quotes},
                "targetOptimize": {"objective": {"maxUtility": {"riskAversion": 20}}, "costs": costs},
            }
            answer = wire.call("ReallocationService/Reallocate", request)
            return {a["symbol"]: a["targetWeight"] for a in answer["utilization"]["assets"]}

        free, thin = target(), target(impact=SQUARE_ROOT)
        said = target(
            impact=SQUARE_ROOT,
            portfolioValue=3e5,
            liquidity=[
                {"symbol": q["symbol"], "dailyValue": 100 * q["averageDailyVolume"], "volatilityAnnual": 0.3}
                for q in quotes
            ],
        )
    assert thin == pytest.approx(said, abs=1e-9)
    assert abs(thin["XOM"] - 1 / 3) < 0.5 * abs(free["XOM"] - 1 / 3)
