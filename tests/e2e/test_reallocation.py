"""Trade lists over the wire: what a broker could carry out line by line, and everything that gets in the way."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from absfin import Client, Holdings, Instrument, Panel, Stored
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tests.conftest import RunningServer, Wire
from tests.families import generated

REALLOCATE = "ReallocationService/Reallocate"


def asset(symbol: str, price: float, **more: Any) -> dict[str, Any]:
    return {"symbol": symbol, "price": price, **more}


def ask(
    holdings: dict[str, float], cash: float, target: dict[str, float], assets: list[dict[str, Any]], **more: Any
) -> dict[str, Any]:
    return {
        "portfolio": {"holdings": [{"symbol": s, "quantity": q} for s, q in holdings.items()], "cash": cash},
        "snapshot": {"assets": assets},
        "targetWeights": {"weights": [{"symbol": s, "weight": w} for s, w in target.items()]},
        **more,
    }


TWO = [asset("A", 10.0), asset("B", 20.0)]


def trades_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return list(answer["plan"]["trades"])


def test_sells_fund_buys(wire: Wire) -> None:
    answer = wire.call(REALLOCATE, ask({"A": 100}, 0.0, {"A": 0.5, "B": 0.5}, TWO))
    steps = [(t["step"], t["symbol"], t["quantity"], t["cashAfter"], t["day"]) for t in trades_of(answer)]
    assert steps == [(1, "A", -50.0, 500.0, 1), (2, "B", 25.0, 0.0, 1)]
    summary = answer["summary"]
    assert (summary["navBefore"], summary["navAfter"], summary["turnoverOneWay"]) == (1000.0, 1000.0, 0.5)
    assert summary["residualDrift"] == 0.0
    assert "shortfalls" not in answer
    assert answer["name"].startswith("reallocations/")


def test_costs_are_paid_and_reported(wire: Wire) -> None:
    request = ask({"A": 100}, 0.0, {"A": 0.5, "B": 0.5}, TWO, limits={"fractional": True})
    request["costs"] = {"commissionBps": 40, "halfSpreadBps": 10}
    answer = wire.call(REALLOCATE, request)
    # Half of what is left is in each: x = 1 - c (|0.5 x - 1| + 0.5 x) gives x = 1 - c, as one side rises by the other.
    left = 1000.0 * (1.0 - 0.005)
    summary = answer["summary"]
    assert summary["navAfter"] == pytest.approx(left, rel=1e-12)
    assert {w["symbol"]: w["weight"] for w in summary["weightsAfter"]} == pytest.approx({"A": 0.5, "B": 0.5}, rel=1e-9)
    assert summary["costBps"] == pytest.approx(50.0, rel=1e-9)
    assert sum(t["cost"] for t in trades_of(answer)) == pytest.approx(5.0, rel=1e-9)
    assert "shortfalls" not in answer


def test_a_quoted_spread_takes_the_place_of_the_usual(wire: Wire) -> None:
    assets = [asset("A", 10.0, spreadBps=200), asset("B", 20.0)]
    request = ask({"A": 100}, 0.0, {}, assets, costs={"commissionBps": 10, "halfSpreadBps": 5})
    request["targetWeights"] = {"weights": [{"symbol": "B", "weight": 0.0}]}
    (trade,) = trades_of(wire.call(REALLOCATE, request))
    assert trade["cost"] == pytest.approx(1000.0 * (0.001 + 0.01))


def test_whole_lots_and_what_they_leave(wire: Wire) -> None:
    assets = [asset("A", 10.0, lotSize=100), asset("B", 7.0, lotSize=10)]
    answer = wire.call(REALLOCATE, ask({"A": 250}, 0.0, {"A": 0.3, "B": 0.7}, assets))
    quantities = {t["symbol"]: t["quantity"] for t in trades_of(answer)}
    # Of A 1.75 lots too many are held: two are sold.
    assert quantities == {"A": -200.0, "B": 250.0}
    assert "shortfalls" not in answer
    poorer = wire.call(REALLOCATE, ask({"A": 250}, 0.0, {"A": 0.48, "B": 0.52}, assets))
    assert {t["symbol"]: t["quantity"] for t in trades_of(poorer)} == {"A": -100.0, "B": 140.0}
    causes = {s["symbol"]: [r["code"] for r in s["reasons"]] for s in poorer["shortfalls"]}
    assert causes["A"] == ["SHORTFALL_CODE_LOT_SIZE"]
    assert "SHORTFALL_CODE_CASH" in causes["B"]
    assert poorer["shortfalls"][0]["requested"] == -130.0


@pytest.mark.parametrize(
    ("cash", "price", "lot", "bought", "printed"),
    [(99.3, 33.1, 1.0, 3.0, "3.0"), (390.0, 100.0, 0.1, 3.9, "3.9"), (68_862.65, 398.05, 1.0, 173.0, "173.0")],
)
def test_money_and_lots_are_decimals(
    wire: Wire, cash: float, price: float, lot: float, bought: float, printed: str
) -> None:
    request = ask({}, cash, {"A": 1.0}, [asset("A", price, lotSize=lot)], validateOnly=True)
    answer = wire.call(REALLOCATE, request)
    (trade,) = trades_of(answer)
    assert (trade["quantity"], repr(trade["quantity"])) == (bought, printed)
    assert answer["summary"].get("cashAfter", 0.0) == 0.0
    assert answer["summary"].get("residualDrift", 0.0) == 0.0


def test_negative_cash_is_raised_first(wire: Wire) -> None:
    answer = wire.call(REALLOCATE, ask({"A": 10}, -35.0, {"A": 1.0}, TWO))
    assert [(t["quantity"], t["cashAfter"]) for t in trades_of(answer)] == [(-4.0, 5.0)]
    stuck = wire.call(REALLOCATE, ask({"A": 10}, -35.0, {"A": 1.0}, [asset("A", 10.0, halted=True)]))
    assert stuck["failure"]["reason"] == "CASH_NOT_RAISED"
    assert "nearestTrades" not in stuck["failure"]


def test_cash_that_cannot_be_raised_is_answered_with_the_sales_that_come_nearest(wire: Wire) -> None:
    """Only A can be sold: of 1000 that are missing 495 are raised, and the other 505 would need B."""
    assets = [asset("A", 10.0), asset("B", 10.0, halted=True)]
    answer = wire.call(REALLOCATE, ask({"A": 50, "B": 100}, -1000.0, {"B": 1.0}, assets, costs={"commissionBps": 100}))
    assert (answer["failure"]["reason"], "505" in answer["failure"]["message"]) == ("CASH_NOT_RAISED", True)
    (sale,) = answer["failure"]["nearestTrades"]
    assert (sale["symbol"], sale["quantity"], sale["cost"], sale["cashAfter"]) == ("A", -50.0, 5.0, -505.0)
    assert answer["summary"]["cashAfter"] == -1000.0  # nothing is planned
    fee = ask({"A": 50, "B": 100}, -1000.0, {"B": 1.0}, assets, costs={"fixedFee": 7}, limits={"maxCostBps": 200})
    (sale,) = wire.call(REALLOCATE, fee)["failure"]["nearestTrades"]
    assert (sale["quantity"], sale["cost"], sale["cashAfter"]) == (-50.0, 7.0, -507.0)
    dear = wire.call(REALLOCATE, fee | {"limits": {"maxCostBps": 100}})
    assert "nearestTrades" not in dear["failure"]  # the fee is more than 1 % of 500


@pytest.mark.parametrize(
    ("holdings", "cash", "target", "assets", "field"),
    [
        ({"A": 1e308}, 1.0, {"A": 1.0}, TWO, "portfolio.holdings[0].quantity"),
        ({"A": 1.0}, 1e308, {"A": 1.0}, TWO, "portfolio.cash"),
        ({"A": 1.0}, -1e308, {"A": 1.0}, TWO, "portfolio.cash"),
        ({"A": 1.0}, 1.0, {"A": -1e308}, TWO, "target_weights.weights[0].weight"),
        ({"A": 1.0}, 1.0, {"A": 1e308, "B": 1e308}, TWO, "target_weights.weights"),
        ({"A": 1.0}, 1.0, {"A": 1.0}, [asset("A", 1e-300)], "snapshot.assets[0].price"),
        ({"A": 1.0}, 1.0, {"A": 1.0}, [asset("A", 1e300)], "snapshot.assets[0].price"),
        ({"B": 1e6}, 1.0, {"A": 1.0}, [asset("B", 1.0), asset("A", 1.0, lotSize=1e-12)], "snapshot.assets[1].lot_size"),
    ],
)
def test_numbers_that_no_market_has_are_refused_by_name(
    wire: Wire,
    holdings: dict[str, float],
    cash: float,
    target: dict[str, float],
    assets: list[dict[str, Any]],
    field: str,
) -> None:
    refusal = wire.refused(REALLOCATE, ask(holdings, cash, target, assets, validateOnly=True))
    assert refusal.code == "INVALID_ARGUMENT"
    assert any(given.startswith(field) for given in refusal.fields), refusal


def test_liquidity_is_unknown_without_volume(wire: Wire) -> None:
    answer = wire.call(REALLOCATE, ask({"A": 100}, 0.0, {"B": 1.0}, TWO))
    assert answer["liquidity"]["state"] == "LIQUIDITY_STATE_UNKNOWN"
    (warning,) = answer["warnings"]
    assert warning["code"] == "LIQUIDITY_UNKNOWN"
    assert "A, B" in warning["message"]
    assert answer["plan"]["warnings"] == [warning]


def test_participation_spreads_a_trade_over_days(wire: Wire) -> None:
    assets = [asset("A", 10.0, averageDailyVolume=100), asset("B", 10.0, averageDailyVolume=1e6)]
    request = ask({"A": 100}, 0.0, {"B": 1.0}, assets, limits={"maxParticipation": 0.2}, horizonDays=3)
    answer = wire.call(REALLOCATE, request)
    sold = [(t["day"], t["quantity"]) for t in trades_of(answer) if t["symbol"] == "A"]
    assert sold == [(1, -20.0), (2, -20.0), (3, -20.0)]
    assert answer["summary"]["daysToComplete"] == 3
    (thin,) = [a for a in answer["liquidity"]["assets"] if a["symbol"] == "A"]
    assert thin == {
        "symbol": "A", "state": "LIQUIDITY_STATE_PARTIAL", "availableQuantity": 60.0, "averageDailyVolume": 100.0,
        "participation": 1.0, "daysToTrade": 5.0, "score": 0.6,
    }  # fmt: skip
    causes = {s["symbol"]: s["reasons"][0] for s in answer["shortfalls"]}
    assert causes["A"] == {"code": "SHORTFALL_CODE_PARTICIPATION", "limit": 0.2}
    assert causes["B"]["code"] == "SHORTFALL_CODE_CASH"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"maxTurnover": 0.1}, "SHORTFALL_CODE_TURNOVER"),
        ({"cashFloor": 300.0}, "SHORTFALL_CODE_CASH"),
        ({"minTradeValue": 1000.1}, "SHORTFALL_CODE_MIN_TRADE"),
    ],
)
def test_limits_are_kept_and_named(wire: Wire, limits: dict[str, float], code: str) -> None:
    answer = wire.call(REALLOCATE, ask({"A": 100}, 0.0, {"A": 0.5, "B": 0.5}, TWO, limits=limits))
    assert code in {reason["code"] for shortfall in answer["shortfalls"] for reason in shortfall["reasons"]}
    if "maxTurnover" in limits:
        assert answer["summary"]["turnoverOneWay"] <= 0.1 + 1e-12
    if "cashFloor" in limits:
        assert answer["summary"]["cashAfter"] >= 300.0


def test_thresholds_decide_when_to_act(wire: Wire) -> None:
    drifted = ask({"A": 55, "B": 22.5}, 0.0, {"A": 0.5, "B": 0.5}, TWO)
    still = wire.call(REALLOCATE, drifted | {"thresholds": {"driftBand": 0.06, "maxUtilization": 1.2}})
    assert "thresholds" in still["unchanged"]["reason"]
    assert "exceeded" not in still["utilization"]
    acting = wire.call(REALLOCATE, drifted | {"thresholds": {"maxUtilization": 1.05}})
    assert acting["utilization"]["exceeded"]
    used = {a["symbol"]: a["utilization"] for a in acting["utilization"]["assets"]}
    assert used == pytest.approx({"A": 1.1, "B": 0.9})
    assert trades_of(acting)[0]["symbol"] == "A"


def test_a_holding_without_a_target_exceeds(wire: Wire) -> None:
    request = ask({"A": 1}, 999999.0, {"B": 0.0}, TWO, thresholds={"driftBand": 0.5})
    answer = wire.call(REALLOCATE, request)
    (used,) = [a for a in answer["utilization"]["assets"] if a["symbol"] == "A"]
    assert used["exceeded"]
    assert "utilization" not in used
    assert trades_of(answer)[0]["quantity"] == -1.0


def test_a_halted_asset_stays_and_the_rest_is_planned(wire: Wire) -> None:
    assets = [asset("A", 10.0, halted=True), asset("B", 20.0)]
    answer = wire.call(REALLOCATE, ask({"A": 50}, 500.0, {"B": 1.0}, assets))
    assert [(t["symbol"], t["quantity"]) for t in trades_of(answer)] == [("B", 25.0)]
    causes = {s["symbol"]: s["reasons"][0]["code"] for s in answer["shortfalls"]}
    assert causes == {"A": "SHORTFALL_CODE_HALTED", "B": "SHORTFALL_CODE_CASH"}


def test_an_unpriced_holding_is_kept_and_named(wire: Wire) -> None:
    answer = wire.call(REALLOCATE, ask({"A": 50, "Z": 10}, 0.0, {"A": 0.5, "B": 0.5}, TWO))
    (kept,) = [s for s in answer["shortfalls"] if s["symbol"] == "Z"]
    assert kept["reasons"] == [{"code": "SHORTFALL_CODE_UNPRICED"}]
    (unknown,) = [a for a in answer["utilization"]["assets"] if a["symbol"] == "Z"]
    assert "currentWeight" not in unknown


def test_nothing_can_be_traded(wire: Wire) -> None:
    assets = [asset("A", 10.0, halted=True), asset("B", 20.0, halted=True)]
    answer = wire.call(REALLOCATE, ask({"A": 50}, 0.0, {"B": 1.0}, assets))
    assert answer["failure"]["reason"] == "NOTHING_TRADABLE"
    assert len(answer["shortfalls"]) == 2
    assert answer["summary"]["navAfter"] == 500.0


def test_less_than_a_lot_changes_nothing(wire: Wire) -> None:
    assets = [asset("A", 10.0, lotSize=100), asset("B", 20.0, lotSize=100)]
    answer = wire.call(REALLOCATE, ask({"A": 50, "B": 25}, 0.0, {"A": 0.52, "B": 0.48}, assets))
    assert "lot" in answer["unchanged"]["reason"]


@st.composite
def portfolios(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(1, 6))
    symbols = [f"S{i}" for i in range(count)]
    price = st.floats(0.5, 500.0)
    assets = [
        asset(
            symbol,
            draw(price),
            lotSize=draw(st.sampled_from([1, 5, 100, 0.1])),
            averageDailyVolume=draw(st.sampled_from([0, 50, 1e4, 1e9])),
            halted=draw(st.integers(0, 9)) == 0,
            spreadBps=draw(st.sampled_from([0, 3, 80])),
        )
        for symbol in symbols
    ]
    shares = np.array([draw(st.floats(0.0, 1.0)) for _ in symbols])
    total = max(shares.sum(), 1e-9) * draw(st.floats(1.0, 1.5))
    return ask(
        {symbol: float(draw(st.integers(0, 2000))) for symbol in symbols},
        draw(st.floats(1.0, 1e5)),
        dict(zip(symbols, (shares / total).tolist(), strict=True)),
        assets,
        limits={
            "cashFloor": draw(st.sampled_from([0.0, 500.0])),
            "minTradeValue": draw(st.sampled_from([0.0, 100.0])),
            "maxTurnover": draw(st.sampled_from([0.05, 10.0])),
            "maxParticipation": draw(st.sampled_from([0.1, 1.0])),
            "fractional": draw(st.booleans()),
        },
        costs={"commissionBps": draw(st.sampled_from([0, 7, 250]))},
        horizonDays=draw(st.integers(1, 4)),
        validateOnly=True,
    )


@given(request=portfolios())
@generated(150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_plan_can_be_carried_out_line_by_line(wire: Wire, request: dict[str, Any]) -> None:
    answer = wire.call(REALLOCATE, request)
    quotes = {a["symbol"]: a for a in request["snapshot"]["assets"]}
    held = {h["symbol"]: h["quantity"] for h in request["portfolio"]["holdings"]}
    limits, cash, paid, daily = request["limits"], request["portfolio"]["cash"], 0.0, {}
    worth = cash + sum(units * quotes[s]["price"] for s, units in held.items())
    floor = min(limits["cashFloor"], cash)
    trades = answer.get("plan", {}).get("trades", [])
    for number, trade in enumerate(trades, start=1):
        symbol, quantity, quote = trade["symbol"], trade["quantity"], quotes[trade["symbol"]]
        rate = 1e-4 * request["costs"]["commissionBps"] + 0.5e-4 * quote["spreadBps"]
        assert trade["step"] == number
        assert not quote["halted"]
        assert trade["cost"] == pytest.approx(abs(quantity) * quote["price"] * rate, abs=1e-9)
        cash -= quantity * quote["price"] + trade["cost"]
        paid += trade["cost"]
        held[symbol] += quantity
        daily[symbol, trade["day"]] = daily.get((symbol, trade["day"]), 0.0) + abs(quantity)
        assert cash == pytest.approx(trade.get("cashAfter", 0.0), abs=1e-6)
        assert trade.get("cashAfter", 0.0) >= floor - 1e-9, "cash fell below its floor"
        assert held[symbol] >= -1e-9, "more was sold than was there"
        if not limits["fractional"] and held[symbol]:
            assert math.isclose(quantity / quote["lotSize"], round(quantity / quote["lotSize"]), abs_tol=1e-6)
    for (symbol, _), quantity in daily.items():
        assert quantity <= limits["maxParticipation"] * quotes[symbol]["averageDailyVolume"] + 1e-6
    for one, other in itertools.pairwise(trades):
        assert (one["day"], one["quantity"] > 0) <= (other["day"], other["quantity"] > 0), "a buy before a sell"
    after = cash + sum(units * quotes[s]["price"] for s, units in held.items())
    assert after == pytest.approx(worth - paid, rel=1e-9)
    assert answer["summary"]["navAfter"] == pytest.approx(after, rel=1e-9)
    assert answer["summary"].get("turnoverOneWay", 0.0) <= limits["maxTurnover"] + 1e-9


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (ask({"A": 1}, -10.0, {"A": 1.0}, TWO), "portfolio"),
        (ask({"A": -1}, 50.0, {"A": 1.0}, TWO), "portfolio.holdings[0].quantity"),
        (ask({"A": 1}, 0.0, {"Z": 1.0}, TWO), "target_weights.weights[0].symbol"),
        (ask({"A": 1}, 0.0, {"A": 0.7, "B": 0.7}, TWO), "target_weights.weights"),
        (ask({"A": 1}, 0.0, {"A": -0.1}, TWO), "target_weights.weights[0].weight"),
        (ask({}, 0.0, {"A": 1.0}, TWO), "portfolio"),
        (ask({"A": 1}, 0.0, {"A": 1.0}, [*TWO, asset("A", 11.0)]), "snapshot.assets[2].symbol"),
        (ask({"A": 1}, 0.0, {"A": 1.0}, [asset("A", 0.0)]), "snapshot.assets[0].price"),
        (ask({"A": 1}, 0.0, {"A": 1.0}, TWO, limits={"maxParticipation": 0}), "limits.max_participation"),
        (ask({"A": 1}, 0.0, {"A": 1.0}, TWO, horizonDays=0), "horizon_days"),
        (ask({"A": 1}, 0.0, {"A": 1.0}, TWO) | {"targetWeights": None}, "target_weights"),
    ],
)
def test_bad_input_is_named(wire: Wire, request_: dict[str, Any], field: str) -> None:
    before = wire.call("ReallocationService/ListReallocations", {"pageSize": 1})
    refusal = wire.refused(REALLOCATE, request_)
    assert refusal.code == "INVALID_ARGUMENT"
    assert any(given.startswith(field) for given in refusal.fields), refusal
    assert wire.call("ReallocationService/ListReallocations", {"pageSize": 1}) == before


@pytest.fixture(scope="module")
def own_server(start_server: Callable[..., RunningServer]) -> RunningServer:
    """A server where no other module stores prices."""
    return start_server()


def test_a_stored_symbol_without_a_price_in_the_range_is_kept_or_refused_by_name(own_server: RunningServer) -> None:
    with Client(own_server.address) as client:
        days = np.arange(18000, 18010)
        client.import_prices(Panel.of("A", days, np.full((10, 1), 10.0)))
        client.import_prices(Panel.of("B", days + 100, np.full((10, 1), 20.0)))
    with own_server.channel() as channel:
        wire = Wire(channel)
        request = ask({"A": 10, "B": 10}, 55.0, {"A": 1.0}, [])
        del request["snapshot"]
        request["marketData"] = {"symbols": ["A", "B"], "endDate": {"year": 2019, "month": 4, "day": 25}}
        answer = wire.call(REALLOCATE, request)
        assert [(t["symbol"], t["quantity"]) for t in trades_of(answer)] == [("A", 5.0)]
        unpriced = [s["symbol"] for s in answer["shortfalls"] if s["reasons"][0]["code"] == "SHORTFALL_CODE_UNPRICED"]
        assert unpriced == ["B"]
        wanted = request | {"targetWeights": {"weights": [{"symbol": "B", "weight": 1.0}]}}
        assert wire.refused(REALLOCATE, wanted).fields == ("target_weights.weights[0].symbol",)


def test_answers_are_kept_and_requests_known(wire: Wire) -> None:
    request = ask({"A": 100}, 0.0, {"B": 1.0}, TWO, requestId="re-1")
    first = wire.call(REALLOCATE, request)
    assert wire.call(REALLOCATE, request)["name"] == first["name"]
    assert wire.refused(REALLOCATE, request | {"horizonDays": 2}).reason == "REQUEST_ID_REUSED"
    kept = wire.call("ReallocationService/GetReallocation", {"name": first["name"]})
    assert kept == first
    assert kept["requestId"] == "re-1"
    assert kept["createTime"]
    listed = wire.call("ReallocationService/ListReallocations", {"pageSize": 1})["reallocations"]
    assert listed[0]["name"] == first["name"]
    assert listed[0]["outcome"] == "OUTCOME_PLAN"
    assert listed[0]["tradeCount"] == len(first["plan"]["trades"])
    assert "plan" not in listed[0]
    assert "name" not in wire.call(REALLOCATE, ask({"A": 1}, 0.0, {"B": 1.0}, TWO, validateOnly=True))
    assert wire.refused("ReallocationService/GetReallocation", {"name": "reallocations/none"}).reason == "NOT_FOUND"


def test_a_target_by_optimisation_on_stored_prices(sample_server: RunningServer) -> None:
    with sample_server.channel() as channel:
        wire = Wire(channel)
        data = {"symbols": ["AAPL", "JNJ", "KO", "XOM"]}
        spec = {"objective": {"minRisk": {}}, "lookbackPeriods": 252}
        request = {
            "portfolio": {"holdings": [{"symbol": "AAPL", "quantity": 1000}], "cash": 1000},
            "marketData": data,
            "targetOptimize": spec,
            "costs": {"commissionBps": 5},
        }
        answer = wire.call(REALLOCATE, request)
        # From here on there are 253 prices, which are 252 returns.
        window = {"marketData": {**data, "startDate": {"year": 2021, "month": 12, "day": 28}}, **spec}
        del window["lookbackPeriods"]
        direct = {w["symbol"]: w["weight"] for w in wire.call("OptimizationService/Optimize", window)["weights"]}
        target = {a["symbol"]: a["targetWeight"] for a in answer["utilization"]["assets"]}
        assert target == pytest.approx(direct, abs=1e-9)
        summary = answer["summary"]
        assert summary["residualDrift"] < 2e-3
        assert summary["volatilityAnnualAfter"] < summary["volatilityAnnualBefore"]
        assert answer["liquidity"]["state"] == "LIQUIDITY_STATE_UNKNOWN"


@pytest.mark.parametrize(
    ("quantity", "cash", "field"), [(1e308, 0.0, "portfolio.holdings[0].quantity"), (1.0, 1e308, "portfolio.cash")]
)
def test_an_account_beyond_numbers_is_refused_before_its_target_is_optimised(
    sample_server: RunningServer, quantity: float, cash: float, field: str
) -> None:
    request = {
        "portfolio": {"holdings": [{"symbol": "AAPL", "quantity": quantity}], "cash": cash},
        "marketData": {"symbols": ["AAPL", "JNJ"]},
        "targetOptimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 252},
    }
    with sample_server.channel() as channel:
        assert Wire(channel).refused(REALLOCATE, request).fields == (field,)


def test_volume_lots_and_states_that_are_stored(own_server: RunningServer) -> None:
    days = np.arange(18000, 18030)
    with Client(own_server.address) as client:
        prices = np.column_stack([np.full(30, 10.0), np.full(30, 20.0), np.full(30, 5.0)])
        client.import_prices(Panel.of("DEF", days, prices))
        volumes = np.where(days < 18015, 1.0, 400.0)
        client.import_prices(Panel.of(["D", "E"], days, np.column_stack([volumes, volumes])), field="volume")
        client.upsert_instruments([Instrument("E", lot_size=10.0)])
        answer = client.reallocate(
            Holdings({"D": 1000}), Stored("DEF"), {"E": 0.5, "F": 0.5}, max_participation=0.5, horizon_days=2
        )
        liquidity = {asset.symbol: asset for asset in answer.proto.liquidity.assets}
        # The last 21 days: 6 with one unit, 15 with 400.
        average = (6 * 1.0 + 15 * 400.0) / 21
        assert liquidity["D"].average_daily_volume == pytest.approx(average)
        assert liquidity["D"].available_quantity == pytest.approx(average)
        assert not liquidity["F"].HasField("average_daily_volume")
        assert [warning.message for warning in answer.warnings] == ["liquidity is not known, there is no volume: F"]
        bought = sum(trade.quantity for trade in answer.trades if trade.symbol == "E")
        assert bought % 10.0 == 0.0
        assert answer.shortfalls["D"] == ("participation",)


def test_stored_prices_in_two_currencies_are_refused(own_server: RunningServer) -> None:
    days = np.arange(18000, 18030)
    with Client(own_server.address) as client:
        client.import_prices(Panel.of(["CUR1", "CUR2", "CUR3"], days, np.full((30, 3), 10.0)))
        client.upsert_instruments([Instrument("CUR1", currency="USD"), Instrument("CUR2", currency="EUR")])
    request = {
        "portfolio": {"holdings": [{"symbol": "CUR1", "quantity": 10}], "cash": 100},
        "marketData": {"symbols": ["CUR1", "CUR3", "CUR2"]},
        "targetWeights": {"weights": [{"symbol": "CUR1", "weight": 0.5}, {"symbol": "CUR2", "weight": 0.5}]},
    }
    with own_server.channel() as channel:
        wire = Wire(channel)
        refusal = wire.refused(REALLOCATE, request)
        # The first by symbol is what the others are compared with, since the portfolio has no currency of its own.
        assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("market_data.symbols[2]",))
        assert "CUR2 is in EUR, and other assets in USD" in refusal.message
        request["portfolio"]["currency"] = "EUR"
        assert wire.refused(REALLOCATE, request).fields == ("market_data.symbols[0]",)
        request["portfolio"]["currency"] = "USD"
        request["marketData"] = {"symbols": ["CUR1", "CUR3"]}
        request["targetWeights"] = {"weights": [{"symbol": "CUR1", "weight": 0.5}, {"symbol": "CUR3", "weight": 0.5}]}
        assert "plan" in wire.call(REALLOCATE, request)


def test_who_compares_stored_prices_in_several_currencies_is_told(own_server: RunningServer) -> None:
    prices = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0.0003, 0.01, (300, 3)), axis=0))
    with Client(own_server.address) as client:
        client.import_prices(Panel.of(["WC1", "WC2", "WC3"], np.arange(18000, 18300), prices))
        client.upsert_instruments(
            [
                Instrument("WC1", currency="USD", groups={"book": "mixed"}),
                Instrument("WC2", currency="EUR", groups={"book": "mixed"}),
                Instrument("WC3", currency="USD"),
            ]
        )
    weights = [{"symbol": "WC1", "weight": 0.5}, {"symbol": "WC2", "weight": 0.5}]
    with own_server.channel() as channel:
        wire = Wire(channel)
        for data in ({"symbols": ["WC1", "WC2"]}, {"universe": "book=mixed"}):
            optimize: dict[str, Any] = {"marketData": data, "objective": {"minRisk": {}}}
            for answer in (
                wire.call("OptimizationService/Optimize", optimize),
                wire.call("OptimizationService/Optimize", {**optimize, "validateOnly": True}),
                wire.call("RiskService/AnalyzeRisk", {"marketData": data, "weights": weights}),
            ):
                (warning,) = answer["warnings"]
                assert (warning["code"], warning["field"]) == ("SEVERAL_CURRENCIES", "market_data")
                assert "EUR (WC2), USD (WC1)" in warning["message"]
        one = {"symbols": ["WC1", "WC3"]}
        answer = wire.call("OptimizationService/Optimize", {"marketData": one, "objective": {"minRisk": {}}})
        assert "warnings" not in answer
        # The returns of a factor are compared with those of assets, and may be in any currency.
        factors: dict[str, Any] = {"marketData": {"symbols": ["WC1", "WC3", "WC2"]}, "objective": {"minRisk": {}}}
        model = {"method": "METHOD_LEAST_SQUARES", "factors": ["WC2"]}
        factors["estimation"] = {"covariance": {"factorModel": model}}
        assert "warnings" not in wire.call("OptimizationService/Optimize", factors)


def test_a_target_of_next_to_nothing_in_fractions_of_a_lot(wire: Wire) -> None:
    """The volume allows more steps of such a fraction than a number can count."""
    assets = [{"symbol": "A", "price": 1.0}, {"symbol": "B", "price": 1.0, "averageDailyVolume": 50}]
    limits = {"fractional": True, "maxParticipation": 0.1}
    answer = wire.call(REALLOCATE, ask({}, 100.0, {"A": 1.0, "B": 1e-300}, assets, validateOnly=True, limits=limits))
    assert answer["plan"]["trades"][0]["symbol"] == "A"
