"""Reallocations restricted for once: direction, flows of cash, cost, thresholds of risk, currencies, labels."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from absfin import Client, Holdings, Panel, Quote, Stored
from absfinance.v1 import portfolio_pb2

from tests.conftest import RunningServer, Wire
from tests.e2e.test_reallocation import REALLOCATE, TWO, ask, asset, trades_of


def traded(answer: dict[str, Any]) -> dict[str, float]:
    return {trade["symbol"]: trade["quantity"] for trade in answer.get("plan", {}).get("trades", [])}


def reasons(answer: dict[str, Any]) -> dict[str, list[str]]:
    return {
        s["symbol"]: [r["code"].removeprefix("SHORTFALL_CODE_") for r in s["reasons"]]
        for s in answer.get("shortfalls", [])
    }


# The table of docs/reallocation.md; every row was worked out by hand.
TEN = {f"S{i}": 950.0 + i for i in range(10)}


@pytest.mark.parametrize(
    ("held", "cash", "floor", "target", "prices", "best", "cash_after"),
    [
        (
            {}, 10_000.0, 0.0, {"A": 0.5, "B": 0.3, "C": 0.2}, {"A": 37.0, "B": 112.0, "C": 254.0},
            {"A": 135.0, "B": 26.0, "C": 8.0}, 61.0,
        ),
        (
            {"Z": 3.0}, 0.0, 0.0, {"Z": 0.34, "A": 0.33, "B": 0.33}, {"Z": 500.0, "A": 490.0, "B": 495.0},
            {"Z": -2.0, "A": 1.0, "B": 1.0}, 15.0,
        ),
        ({}, 1000.0, 0.0, {"A": 0.585, "B": 0.415}, {"A": 300.0, "B": 10.0}, {"A": 2.0, "B": 40.0}, 0.0),
        (
            {}, 5000.0, 0.0, {"A": 0.45, "B": 0.35, "C": 0.2}, {"A": 1190.0, "B": 880.0, "C": 410.0},
            {"A": 2.0, "B": 2.0, "C": 2.0}, 40.0,
        ),
        ({}, 10_000.0, 600.0, dict.fromkeys(TEN, 0.1), TEN, {f"S{i}": 1.0 for i in range(1, 10)}, 1405.0),
        ({}, 68_862.65, 0.0, {"A": 1.0}, {"A": 398.05}, {"A": 173.0}, 0.0),
    ],
)  # fmt: skip
def test_the_table_of_whole_lots(
    wire: Wire,
    held: dict[str, float],
    cash: float,
    floor: float,
    target: dict[str, float],
    prices: dict[str, float],
    best: dict[str, float],
    cash_after: float,
) -> None:
    assets = [asset(symbol, price) for symbol, price in prices.items()]
    answer = wire.call(REALLOCATE, ask(held, cash, target, assets, limits={"cashFloor": floor}, validateOnly=True))
    assert traded(answer) == best
    assert answer["summary"].get("cashAfter", 0.0) == cash_after
    assert answer["plan"]["optimal"]


def test_purchases_only(wire: Wire) -> None:
    request = ask({"A": 60}, 400.0, {"A": 0.5, "B": 0.5}, TWO, direction="DIRECTION_BUY_ONLY")
    answer = wire.call(REALLOCATE, request)
    assert traded(answer) == {"B": 20.0}
    assert reasons(answer)["A"] == ["DIRECTION"]
    assert "CASH" in reasons(answer)["B"]
    # 600 and 400 of 1000 are the nearest to halves that purchases reach.
    assert (answer["summary"]["residualDrift"], answer["plan"]["optimal"]) == (pytest.approx(0.1), True)


def test_sales_only(wire: Wire) -> None:
    request = ask({"A": 60}, 400.0, {"A": 0.5, "B": 0.5}, TWO, direction="DIRECTION_SELL_ONLY")
    answer = wire.call(REALLOCATE, request)
    assert traded(answer) == {"A": -10.0}
    assert reasons(answer) == {"B": ["DIRECTION"]}
    assert answer["summary"]["cashAfter"] == 500.0


def test_no_new_names(wire: Wire) -> None:
    three = [*TWO, asset("C", 5.0)]
    request = ask({"A": 10, "B": 1}, 400.0, {"A": 0.3, "B": 0.3, "C": 0.4}, three, noNewNames=True)
    answer = wire.call(REALLOCATE, request)
    assert set(traded(answer)) == {"A", "B"}
    assert reasons(answer)["C"] == ["NEW_NAME"]
    nothing = wire.call(REALLOCATE, ask({}, 400.0, {"A": 1.0}, TWO, noNewNames=True))
    assert nothing["failure"]["reason"] == "NOTHING_TRADABLE"
    assert "NEW_NAME" in nothing["failure"]["message"]


@pytest.mark.parametrize(
    ("cash", "more", "field"),
    [
        (1000.0, {"direction": "DIRECTION_BUY_ONLY", "cashFlow": -10.0}, "direction"),
        (-10.0, {"direction": "DIRECTION_BUY_ONLY"}, "direction"),
        (1000.0, {"direction": "DIRECTION_SELL_ONLY", "cashFlow": 10.0}, "direction"),
        (1000.0, {"cashFlow": -2000.0}, "cash_flow"),
        (1000.0, {"cashFlow": 1e300}, "cash_flow"),
        (1000.0, {"disabledConstraints": ["x"]}, "disabled_constraints[0]"),
        (1000.0, {"thresholds": {"maxTrackingErrorAnnual": 0.1}}, "thresholds.max_tracking_error_annual"),
        (1000.0, {"tradeOff": {"costAversion": -1.0}}, "trade_off.cost_aversion"),
        (1000.0, {"tradeOff": {"costAversion": 1e9}}, "trade_off.cost_aversion"),
        (1000.0, {"limits": {"maxCostBps": -1.0}}, "limits.max_cost_bps"),
        (1000.0, {"thresholds": {"relativeBand": -1.0}}, "thresholds.relative_band"),
    ],
)
def test_modes_that_cannot_be_meant_are_refused_by_name(
    wire: Wire, cash: float, more: dict[str, Any], field: str
) -> None:
    refusal = wire.refused(REALLOCATE, ask({"A": 100}, cash, {"A": 0.5}, TWO, validateOnly=True, **more))
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", (field,))


def test_a_flow_is_invested_by_the_target_of_what_it_makes(wire: Wire) -> None:
    request = ask({"A": 50, "B": 25}, 0.0, {"A": 0.5, "B": 0.5}, TWO, cashFlow=400.0)
    request["thresholds"] = {"driftBand": 0.4}  # none is exceeded: the flow is invested all the same
    answer = wire.call(REALLOCATE, request)
    assert traded(answer) == {"A": 20.0, "B": 10.0}
    assert answer["summary"]["navBefore"] == 1400.0
    assert "exceeded" not in answer["utilization"]
    # 0.1 + 0.2 is 0.3 here.
    exact = wire.call(REALLOCATE, ask({}, 0.1, {"A": 1.0}, [asset("A", 0.3)], cashFlow=0.2))
    assert traded(exact) == {"A": 1.0}


def test_a_flow_is_raised_first(wire: Wire) -> None:
    request = ask({"A": 50, "B": 25}, 100.0, {"A": 0.5, "B": 0.5}, TWO, cashFlow=-300.0)
    request["thresholds"] = {"driftBand": 0.4}
    answer = wire.call(REALLOCATE, request)
    # 1000 + 100 - 300 = 800 are left, 400 in each.
    assert traded(answer) == {"A": -10.0, "B": -5.0}
    assert (answer["summary"]["navBefore"], answer["summary"].get("cashAfter", 0.0)) == (800.0, 0.0)
    halted = [asset("A", 10.0, halted=True), asset("B", 20.0, halted=True)]
    stuck = wire.call(REALLOCATE, ask({"A": 50, "B": 25}, 100.0, {"A": 0.5, "B": 0.5}, halted, cashFlow=-300.0))
    assert stuck["failure"]["reason"] == "CASH_NOT_RAISED"
    covered = ask({"A": 50, "B": 25}, 300.0, {"A": 0.5, "B": 0.5}, TWO, cashFlow=-300.0)
    assert "unchanged" in wire.call(REALLOCATE, covered)


def test_proceeds_are_retained(wire: Wire) -> None:
    request = ask({"A": 100}, 100.0, {"A": 0.5, "B": 0.5}, TWO, retainCash=True)
    answer = wire.call(REALLOCATE, request)
    # Of 1100, half is 550: 45 are sold, and the cash of 100 buys 5 and not 27.
    assert traded(answer) == {"A": -45.0, "B": 5.0}
    assert answer["summary"]["cashAfter"] == 450.0
    assert reasons(answer) == {"B": ["LOT_SIZE", "CASH"]}
    assert answer["plan"]["optimal"]
    with_flow = wire.call(REALLOCATE, request | {"cashFlow": 100.0})
    assert traded(with_flow)["B"] == 10.0
    floor = wire.call(REALLOCATE, request | {"limits": {"cashFloor": 60.0}})
    assert traded(floor)["B"] == 2.0


def test_a_relative_band(wire: Wire) -> None:
    drifted = ask({"A": 11, "B": 44.5}, 0.0, {"A": 0.1, "B": 0.9}, TWO)  # A is 10 % above its target
    quiet = wire.call(REALLOCATE, drifted | {"thresholds": {"relativeBand": 0.11}})
    assert "thresholds" in quiet["unchanged"]["reason"]
    acting = wire.call(REALLOCATE, drifted | {"thresholds": {"relativeBand": 0.09}})
    assert [a["symbol"] for a in acting["utilization"]["assets"] if a.get("exceeded")] == ["A"]
    assert traded(acting)["A"] == -1.0


def test_a_cost_budget(wire: Wire) -> None:
    request = ask({"A": 100}, 0.0, {"B": 1.0}, [asset("A", 10.0, lotSize=10), asset("B", 20.0)])
    request["costs"] = {"commissionBps": 100}
    free = wire.call(REALLOCATE, request)
    assert free["summary"]["costBps"] > 190.0
    answer = wire.call(REALLOCATE, request | {"limits": {"maxCostBps": 60.0}})
    # 6 of 1000 pay for trades of 600, the nearer to the target the same: 600 too little sold or bought of 994.
    assert answer["summary"]["cost"] == pytest.approx(6.0, abs=1e-12)
    assert answer["summary"]["residualDrift"] == pytest.approx((2 * 1000.0 - 606.0) / 2 / 994.0)
    assert all("COST" in codes for codes in reasons(answer).values())
    limits = {r["limit"] for s in answer["shortfalls"] for r in s["reasons"] if r["code"] == "SHORTFALL_CODE_COST"}
    assert limits == {60.0}
    none = wire.call(REALLOCATE, request | {"limits": {"maxCostBps": 0.0}})
    assert none["failure"]["reason"] == "NOTHING_TRADABLE"


def test_a_sale_and_its_purchase_are_worth_their_cost_or_not(wire: Wire) -> None:
    """Moving a unit of money lowers drift by one and costs 2 x 1 %: an aversion of 50 decides."""
    request = ask({"A": 100}, 0.0, {"A": 0.5, "B": 0.5}, TWO, costs={"commissionBps": 100})
    plain = wire.call(REALLOCATE, request)
    assert traded(wire.call(REALLOCATE, request | {"tradeOff": {"costAversion": 0.0}})) == traded(plain)
    eager = wire.call(REALLOCATE, request | {"tradeOff": {"costAversion": 45.0}})
    assert traded(eager) == pytest.approx(traded(plain), abs=1.0)
    # A sale alone lowers drift by a half for 1 %, so the same aversion of 50 decides; beyond, nothing is worth it.
    still = wire.call(REALLOCATE, request | {"tradeOff": {"costAversion": 55.0}})
    assert "cost" in still["unchanged"]["reason"]
    assert "COST" in reasons(still)["A"]
    assert "CASH" in reasons(still)["B"]


def optimised(constraints: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "portfolio": {"holdings": [{"symbol": "AAPL", "quantity": 100}], "cash": 5000.0},
        "marketData": {"symbols": ["AAPL", "JNJ", "XOM"]},
        "targetOptimize": {"objective": {"minRisk": {}}, "constraints": constraints, "lookbackPeriods": 252},
        "validateOnly": True,
    }


def test_a_constraint_is_disabled_by_its_label(sample_server: RunningServer) -> None:
    low = {"label": "no-jnj", "weightBounds": {"symbols": ["JNJ"], "upper": 0.0}}
    full = {"label": "cap", "weightBounds": {"upper": 0.9}}
    with sample_server.channel() as channel:
        wire = Wire(channel)

        def weight(request: dict[str, Any]) -> float:
            assets = wire.call(REALLOCATE, request)["utilization"]["assets"]
            return float(next(a.get("targetWeight", 0.0) for a in assets if a["symbol"] == "JNJ"))

        assert weight(optimised([low, full])) == 0.0
        assert weight(optimised([low, full]) | {"disabledConstraints": ["no-jnj"]}) == weight(optimised([full])) > 0.1
        refusal = wire.refused(REALLOCATE, optimised([low]) | {"disabledConstraints": ["no-jnj", "other"]})
        assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("disabled_constraints[1]",))


def test_an_optimised_target_is_of_what_a_flow_leaves(sample_server: RunningServer) -> None:
    request = optimised([]) | {"cashFlow": 1e9}
    with sample_server.channel() as channel:
        wire = Wire(channel)
        free = wire.call(REALLOCATE, request)
        assert free["summary"]["navBefore"] > 1e9
        assert free["summary"]["residualDrift"] < 1e-5
        refusal = wire.refused(REALLOCATE, optimised([]) | {"cashFlow": -1e9})
        assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("cash_flow",))


def test_a_constraint_of_a_mandate_is_disabled(sample_server: RunningServer) -> None:
    mandate = {
        "optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 252},
        "constraints": [{"label": "no-jnj", "weightBounds": {"symbols": ["JNJ"], "upper": 0.0}}],
    }
    portfolio = {"holdings": [{"symbol": "AAPL", "quantity": 100}], "cash": 5000.0, "mandate": mandate}
    request = {
        "portfolioName": "portfolios/labelled",
        "marketData": {"symbols": ["AAPL", "JNJ", "XOM"]},
        "validateOnly": True,
    }
    with sample_server.channel() as channel:
        wire = Wire(channel)
        wire.call("PortfolioService/CreatePortfolio", {"portfolioId": "labelled", "portfolio": portfolio})
        assert "JNJ" not in traded(wire.call(REALLOCATE, request))
        assert "JNJ" in traded(wire.call(REALLOCATE, request | {"disabledConstraints": ["no-jnj"]}))
        wire.call("PortfolioService/DeletePortfolio", {"name": "portfolios/labelled"})


def test_the_tracking_error_to_the_target_decides(server: RunningServer) -> None:
    random = np.random.default_rng(5)
    returns = random.normal(0.0, [0.01, 0.02], (60, 2))
    values = 100.0 * np.cumprod(1.0 + returns, axis=0)
    values = np.vstack([[100.0, 100.0], values])
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(61)]
    with Client(server.address) as client:
        client.import_prices(Panel.of(["TA", "TB"], days, values))
        units = 1000.0 / values[-1]  # equal weights
        held, target = Holdings({"TA": units[0], "TB": units[1]}), {"TA": 0.4, "TB": 0.6}
        covariance = np.cov(values[1:] / values[:-1] - 1.0, rowvar=False)
        far = client.reallocate(held, Stored(["TA", "TB"]), target, max_tracking_error_annual=1e-6, validate_only=True)
        error = far.proto.utilization.tracking_error_annual
        active = np.array([0.1, -0.1])
        per_period = float(np.sqrt(active @ covariance @ active))
        # Daily dates, weekends among them, are 365 a year.
        assert error == pytest.approx(per_period * np.sqrt(365), rel=1e-9)
        assert far.outcome == "plan"
        near = client.reallocate(
            held, Stored(["TA", "TB"]), target, max_tracking_error_annual=1.01 * error, validate_only=True
        )
        assert (near.outcome, near.proto.utilization.tracking_error_annual) == ("unchanged", error)


def test_prices_in_other_currencies(wire: Wire) -> None:
    """A price times its rate is exact: 33.1 x 1.0837 is 35.87047, of which 3 cost 107.61141."""
    rates = {"fxRates": [{"currency": "EUR", "rate": 1.0837}]}
    request = ask({}, 107.61141, {"A": 1.0}, [asset("A", 33.1, currency="EUR")])
    request["snapshot"] |= rates
    answer = wire.call(REALLOCATE, request)
    (trade,) = trades_of(answer)
    assert (trade["quantity"], trade["price"], answer["summary"].get("cashAfter", 0.0)) == (3.0, 35.87047, 0.0)
    short = request | {"portfolio": {"cash": 107.61140}}
    assert trades_of(wire.call(REALLOCATE, short))[0]["quantity"] == 2.0


def test_all_digits_of_a_converted_price_count(wire: Wire) -> None:
    """123.456789 x 1.123456789 has 16 decimals: no float holds it, and the cash that is left is counted from it."""
    price = Fraction("123.456789") * Fraction("1.123456789")
    request = ask({}, 1e9, {"A": 1.0}, [asset("A", 123.456789, currency="EUR")])
    request["snapshot"]["fxRates"] = [{"currency": "EUR", "rate": 1.123456789}]
    answer = wire.call(REALLOCATE, request)
    (trade,) = trades_of(answer)
    assert trade["quantity"] == float(Fraction(10**9) // price)
    assert answer["summary"]["cashAfter"] == float(Fraction(10**9) - Fraction(trade["quantity"]) * price)


def test_the_currency_of_the_portfolio_needs_no_rate(wire: Wire) -> None:
    request = ask({}, 100.0, {"A": 1.0}, [asset("A", 10.0, currency="USD")])
    refusal = wire.refused(REALLOCATE, request)
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("snapshot.assets[0].currency",))
    request["portfolio"]["currency"] = "USD"
    assert traded(wire.call(REALLOCATE, request)) == {"A": 10.0}
    request["snapshot"]["fxRates"] = [{"currency": "USD", "rate": 1.5}]
    assert wire.refused(REALLOCATE, request).fields == ("snapshot.fx_rates[0].rate",)
    twice = [{"currency": "EUR", "rate": 1.5}, {"currency": "EUR", "rate": 1.6}]
    request["snapshot"]["fxRates"] = twice
    assert wire.refused(REALLOCATE, request).fields == ("snapshot.fx_rates[1].currency",)
    request["snapshot"] = {
        "assets": [asset("A", 1e20, currency="EUR")], "fxRates": [{"currency": "EUR", "rate": 1e9}],
    }  # fmt: skip
    assert wire.refused(REALLOCATE, request).fields == ("snapshot.assets[0].price",)


def test_the_client_says_it_all(server: RunningServer) -> None:
    quotes = [Quote("A", 10.0, spread_bps=2.0, currency="EUR"), Quote("B", 20.0)]
    with Client(server.address) as client:
        answer = client.reallocate(
            Holdings({"A": 10}, 100.0, currency="USD"), quotes, {"A": 0.5, "B": 0.5}, fx_rates={"EUR": 2.0},
            direction="buy_only", cash_flow=100.0, max_cost_bps=50.0, cost_aversion=0.1, validate_only=True,
        )  # fmt: skip
        assert [(trade.symbol, trade.quantity) for trade in answer.trades] == [("B", 10.0)]
        stored = client.create_portfolio(portfolio_pb2.Portfolio(currency="USD", cash=100.0))
        bought = client.reallocate(stored.name, [Quote("A", 10.0, currency="USD")], {"A": 1.0}, validate_only=True)
        assert bought.trades[0].quantity == 10.0
        assert not answer.shortfalls
        client.delete_portfolio(stored.name)
