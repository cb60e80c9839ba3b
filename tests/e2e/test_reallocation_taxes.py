"""Taxes of a reallocation over the wire: lots, gain budget, wash sales, and what is refused."""

from typing import Any

import pytest

from tests.conftest import Wire

REALLOCATE = "ReallocationService/Reallocate"
RATES = {"shortTermRate": 0.37, "longTermRate": 0.20}


def day(text: str) -> dict[str, int]:
    year, month, number = map(int, text.split("-"))
    return {"year": year, "month": month, "day": number}


def lot(quantity: float, unit_cost: float, bought: str, lot_id: str = "", **more: Any) -> dict[str, Any]:
    return {"quantity": quantity, "unitCost": unit_cost, "purchaseDate": day(bought), "lotId": lot_id, **more}


def holding(symbol: str, *lots: dict[str, Any]) -> dict[str, Any]:
    return {"symbol": symbol, "quantity": sum(one["quantity"] for one in lots), "lots": list(lots)}


def ask(
    holdings: list[dict[str, Any]],
    target: dict[str, float],
    prices: dict[str, float],
    tax: dict[str, Any] | None,
    **more: Any,
) -> dict[str, Any]:
    return {
        "portfolio": {"holdings": holdings, "cash": more.pop("cash", 0.0)},
        "snapshot": {"assets": [{"symbol": symbol, "price": price} for symbol, price in prices.items()]},
        "targetWeights": {"weights": [{"symbol": symbol, "weight": weight} for symbol, weight in target.items()]},
        "asOfDate": day("2024-06-03"),
        "validateOnly": True,
        **({} if tax is None else {"limits": {"tax": tax}}),
        **more,
    }


THREE = holding(
    "A", lot(100, 10, "2019-06-03", "old"), lot(100, 18, "2021-06-03", "middle"), lot(100, 14, "2024-04-03", "new")
)


def sold(answer: dict[str, Any], symbol: str = "A") -> dict[str, float]:
    """Units of each lot."""
    trades = [trade for trade in answer.get("plan", {}).get("trades", []) if trade["symbol"] == symbol]
    return {one["lotId"]: one["quantity"] for trade in trades for one in trade.get("lots", [])}


def traded(answer: dict[str, Any]) -> dict[str, float]:
    return {trade["symbol"]: trade["quantity"] for trade in answer.get("plan", {}).get("trades", [])}


def causes(answer: dict[str, Any]) -> dict[str, list[tuple[str, float]]]:
    return {
        short["symbol"]: [
            (reason["code"].removeprefix("SHORTFALL_CODE_"), reason.get("limit", 0.0)) for reason in short["reasons"]
        ]
        for short in answer.get("shortfalls", [])
    }


@pytest.mark.parametrize(
    ("method", "lots", "gain", "tax"),
    [
        ("FIFO", {"old": 100, "middle": 50}, 350, 70.0),
        ("LIFO", {"new": 100, "middle": 50}, -50, 7.0),
        ("HIFO", {"middle": 100, "new": 50}, -250, -41.5),
        ("TAX_OPTIMAL", {"middle": 100, "new": 50}, -250, -41.5),
        ("SPECIFIED", {"old": 100, "middle": 50}, 350, 70.0),
        ("UNSPECIFIED", {"old": 100, "middle": 50}, 350, 70.0),
    ],
)
def test_the_lots_of_a_sale_and_its_tax(
    wire: Wire, method: str, lots: dict[str, float], gain: float, tax: float
) -> None:
    """100 at 10 for five years, 100 at 18 for three, 100 at 14 for two months; 150 sold at 15; 37 % and 20 %."""
    answer = wire.call(
        REALLOCATE, ask([THREE], {"A": 0.5}, {"A": 15.0}, {"lotMethod": f"LOT_METHOD_{method}", **RATES})
    )
    (trade,) = answer["plan"]["trades"]
    assert trade["quantity"] == -150.0
    assert sold(answer) == lots
    assert sum(one["gain"] for one in trade["lots"]) == gain
    assert {one["lotId"]: one["term"] for one in trade["lots"]} == {
        name: "TERM_SHORT" if name == "new" else "TERM_LONG" for name in lots
    }
    assert answer["summary"]["tax"] == tax


def test_netting_and_the_losses_of_earlier_years_are_figures_of_their_own(wire: Wire) -> None:
    tax = {"lotMethod": "LOT_METHOD_LIFO", **RATES}
    summary = wire.call(REALLOCATE, ask([THREE], {"A": 0.5}, {"A": 15.0}, tax))["summary"]["taxSummary"]
    assert summary == {"shortTermGain": 100.0, "longTermGain": -150.0, "lossCarriedForward": 50.0}
    fifo = {**RATES, "carryForward": 120.0}
    answer = wire.call(REALLOCATE, ask([THREE], {"A": 0.5}, {"A": 15.0}, fifo))
    assert answer["summary"]["taxSummary"] == {"longTermGain": 350.0, "netLongTerm": 230.0}
    assert answer["summary"]["tax"] == 70.0


def test_lots_without_limits_are_sold_first_in_first_out(wire: Wire) -> None:
    answer = wire.call(REALLOCATE, ask([THREE], {"A": 0.5}, {"A": 15.0}, None))
    assert sold(answer) == {"old": 100, "middle": 50}
    assert "tax" not in answer["summary"]


def test_a_holding_without_lots_is_sold_without_lots(wire: Wire) -> None:
    answer = wire.call(REALLOCATE, ask([{"symbol": "A", "quantity": 10}], {"A": 0.5}, {"A": 15.0}, None))
    assert traded(answer) == {"A": -5.0}
    assert "taxSummary" not in answer["summary"]
    assert "lots" not in answer["plan"]["trades"][0]


def test_lots_without_an_id_are_numbered(wire: Wire) -> None:
    lots = holding("A", lot(5, 10, "2020-01-01"), lot(5, 10, "2020-01-02", "1"), lot(5, 10, "2020-01-03"))
    answer = wire.call(REALLOCATE, ask([lots], {"A": 0.0}, {"A": 15.0}, RATES))
    assert sold(answer) == {"2": 5, "1": 5, "3": 5}


def test_the_days_that_make_a_gain_long_term(wire: Wire) -> None:
    lots = holding("A", lot(10, 10, "2024-05-04"))
    for days, term in ((30, "TERM_SHORT"), (29, "TERM_LONG")):
        answer = wire.call(REALLOCATE, ask([lots], {"A": 0.0}, {"A": 15.0}, {**RATES, "longTermAfterDays": days}))
        assert answer["plan"]["trades"][0]["lots"][0]["term"] == term
    since = holding("A", lot(10, 10, "2024-05-04", holdingPeriodStart=day("2020-01-01")))
    answer = wire.call(REALLOCATE, ask([since], {"A": 0.0}, {"A": 15.0}, RATES))
    assert answer["plan"]["trades"][0]["lots"][0]["term"] == "TERM_LONG"


def test_gains_beyond_the_budget_are_not_realised(wire: Wire) -> None:
    gaining = holding("A", lot(100, 10, "2020-01-01"))
    answer = wire.call(REALLOCATE, ask([gaining], {"A": 0.0, "B": 1.0}, {"A": 15.0, "B": 5.0}, {"gainBudget": 122}))
    assert traded(answer) == {"A": -24.0, "B": 72.0}
    assert ("TAX", 122.0) in causes(answer)["A"]
    assert answer["summary"]["taxSummary"]["longTermGain"] == 120.0
    assert answer["plan"]["optimal"]
    enough = wire.call(REALLOCATE, ask([gaining], {"A": 0.0, "B": 1.0}, {"A": 15.0, "B": 5.0}, {"gainBudget": 500}))
    assert traded(enough) == {"A": -100.0, "B": 300.0}
    assert "shortfalls" not in enough


def test_losses_make_room_in_the_gain_budget(wire: Wire) -> None:
    holdings = [holding("A", lot(100, 10, "2020-01-01")), holding("B", lot(100, 30, "2020-01-01"))]
    target = {"A": 0.2, "B": 0.25, "C": 0.55}
    prices = {"A": 20.0, "B": 20.0, "C": 20.0}
    answer = wire.call(REALLOCATE, ask(holdings, target, prices, {"gainBudget": 0.0}))
    # Of A 60 gain 600, and of B 50 lose 500. From 55 to 60 of each pay for 110 of C: n of each leave 60 - n of A and
    # n - 50 of B, 100 / 4000 for any n. With 50 of each it would be 200 / 4000.
    units = traded(answer)
    assert units["C"] == 110.0
    assert units["A"] == units["B"]
    assert -60.0 <= units["A"] <= -55.0
    assert answer["plan"]["optimal"]
    assert answer["summary"]["residualDrift"] == pytest.approx(0.025, rel=1e-12)


def test_a_budget_of_zero_and_only_gains(wire: Wire) -> None:
    gaining = holding("A", lot(100, 10, "2020-01-01"))
    answer = wire.call(REALLOCATE, ask([gaining], {"A": 0.0}, {"A": 15.0}, {"gainBudget": 0.0}))
    assert answer["failure"]["reason"] == "NOTHING_TRADABLE"
    assert causes(answer) == {"A": [("TAX", 0.0)]}


LOSING = holding("A", lot(100, 20, "2020-01-01", "old"))
FORBID = {"forbidWashSales": True}
SWAP = ({"A": 0.5, "B": 0.5}, {"A": 15.0, "B": 5.0})


def recent(symbol: str, quantity: float, date: str, **more: Any) -> dict[str, Any]:
    return {"symbol": symbol, "quantity": quantity, "price": 1.0, "date": day(date), **more}


@pytest.mark.parametrize(
    ("date", "more", "bought"),
    [
        ("2024-05-04", {}, False),
        ("2024-05-03", {}, True),
        ("2024-05-04", {"realizedGain": 1.0}, True),
        ("2024-05-04", {"realizedGain": 0.0}, True),
        ("2024-06-03", {"realizedGain": -1.0}, False),
    ],
)
def test_nothing_is_bought_within_thirty_days_after_a_loss(
    wire: Wire, date: str, more: dict[str, Any], bought: bool
) -> None:
    request = ask([LOSING], *SWAP, FORBID, recentTrades=[recent("B", -5.0, date, **more)])
    answer = wire.call(REALLOCATE, request)
    assert ("B" in traded(answer)) is bought
    if not bought:
        assert causes(answer)["B"] == [("TAX", 30.0)]


def test_the_window_can_be_another_one(wire: Wire) -> None:
    sale = [recent("B", -5.0, "2024-05-04")]
    answer = wire.call(REALLOCATE, ask([LOSING], *SWAP, {**FORBID, "washSaleDays": 29}, recentTrades=sale))
    assert "B" in traded(answer)


def test_no_loss_is_realised_while_another_purchase_is_held(wire: Wire) -> None:
    lots = holding(
        "A", lot(50, 20, "2020-01-01", "loss"), lot(40, 10, "2021-01-01", "gain"), lot(10, 16, "2024-05-20", "new")
    )
    answer = wire.call(REALLOCATE, ask([lots], {"A": 0.4}, {"A": 15.0}, FORBID))
    # The gain may be realised, and the rest of the last purchase does not replace itself.
    assert sold(answer) == {"gain": 40.0, "new": 10.0}
    assert causes(answer) == {"A": [("TAX", 30.0)]}
    assert wire.call(REALLOCATE, ask([lots], {"A": 0.4}, {"A": 15.0}, None))["plan"]["trades"][0]["quantity"] == -60.0


def test_a_sale_of_everything_at_once_leaves_no_replacement(wire: Wire) -> None:
    lots = holding("A", lot(50, 20, "2020-01-01", "loss"), lot(10, 16, "2024-05-20", "new"))
    answer = wire.call(REALLOCATE, ask([lots], {"A": 0.0}, {"A": 15.0}, FORBID))
    assert sold(answer) == {"loss": 50.0, "new": 10.0}
    assert "disallowedLoss" not in answer["summary"]["taxSummary"]


@pytest.mark.parametrize("retirement", [False, True])
def test_a_purchase_in_another_account_forbids_the_loss(wire: Wire, retirement: bool) -> None:
    bought = [{"symbol": "A", "quantity": 3, "date": day("2024-05-10"), "retirementAccount": retirement}]
    answer = wire.call(REALLOCATE, ask([LOSING], {"A": 0.5}, {"A": 15.0}, FORBID, otherPurchases=bought))
    assert answer["failure"]["reason"] == "NOTHING_TRADABLE"
    assert causes(answer) == {"A": [("TAX", 30.0)]}
    # Where it is not forbidden, three of the fifty losses of 5 are disallowed; in a retirement account for good.
    summary = wire.call(REALLOCATE, ask([LOSING], {"A": 0.5}, {"A": 15.0}, RATES, otherPurchases=bought))["summary"]
    assert summary["taxSummary"]["disallowedLoss"] == 15.0
    assert summary["taxSummary"].get("lostLoss", 0.0) == (15.0 if retirement else 0.0)
    assert summary["taxSummary"]["longTermGain"] == -235.0
    assert summary["tax"] == pytest.approx(-47.0, rel=1e-15)


def test_identical_assets_count_as_one(wire: Wire) -> None:
    identical = {**FORBID, "identicalGroups": [{"symbols": ["A", "B"]}]}
    answer = wire.call(REALLOCATE, ask([LOSING], *SWAP, identical))
    # The sale of A is at a loss, so nothing of B is bought.
    assert traded(answer) == {"A": -50.0}
    assert causes(answer)["B"] == [("TAX", 30.0)]
    allowed = wire.call(REALLOCATE, ask([LOSING], *SWAP, {**identical, "forbidWashSales": False}))
    assert traded(allowed) == {"A": -50.0, "B": 150.0}
    assert allowed["summary"]["taxSummary"]["disallowedLoss"] == 250.0


def test_disallowed_losses_make_no_room_in_the_gain_budget(wire: Wire) -> None:
    holdings = [holding("A", lot(100, 10, "2020-01-01")), LOSING | {"symbol": "B"}]
    bought = [{"symbol": "B", "quantity": 100, "date": day("2024-05-10")}]
    prices, target = {"A": 15.0, "B": 15.0, "C": 1.0}, {"A": 0.0, "B": 0.0, "C": 1.0}
    answer = wire.call(REALLOCATE, ask(holdings, target, prices, {"gainBudget": 0.0}, otherPurchases=bought))
    assert traded(answer) == {"B": -100.0, "C": 1500.0}


def test_until_when_nothing_should_be_bought(wire: Wire) -> None:
    groups = {"identicalGroups": [{"symbols": ["A", "X"]}]}
    trades = [
        recent("C", -1.0, "2024-05-10"),
        recent("D", -1.0, "2024-05-10", realizedGain=5.0),
        recent("E", -1.0, "2024-05-03"),
    ]
    answer = wire.call(REALLOCATE, ask([LOSING], *SWAP, groups, recentTrades=trades))
    assert answer["restrictedUntil"] == [
        {"symbol": "A", "date": day("2024-07-03")},
        {"symbol": "C", "date": day("2024-06-09")},
        {"symbol": "X", "date": day("2024-07-03")},
    ]


def test_a_loss_of_a_later_day_restricts_from_that_day(wire: Wire) -> None:
    """Day 1 is Monday, 3 June; day 6 the Monday after."""
    request = ask([LOSING], {"A": 0.4}, {"A": 15.0}, RATES, horizonDays=6)
    request["limits"]["maxParticipation"] = 0.1
    request["snapshot"]["assets"][0]["averageDailyVolume"] = 100
    answer = wire.call(REALLOCATE, request)
    assert [trade["lots"][0]["quantity"] for trade in answer["plan"]["trades"]] == [10.0] * 6
    assert answer["restrictedUntil"] == [{"symbol": "A", "date": day("2024-07-10")}]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"limits": {"tax": {"lotMethod": "LOT_METHOD_TAX_OPTIMAL"}}}, "limits.tax.short_term_rate"),
        ({"limits": {"tax": {"shortTermRate": 0.3}}}, "limits.tax.long_term_rate"),
        ({"limits": {"tax": {"gainBudget": 1e300}}}, "limits.tax.gain_budget"),
        ({"recentTrades": [recent("A", -1.0, "2024-06-04")]}, "recent_trades[0].date"),
        ({"recentTrades": [recent("A", -1.0, "2024-06-03", realizedGain=-1e300)]}, "recent_trades[0].realized_gain"),
        ({"recentTrades": [recent("A", 1.0, "2024-06-01", realizedGain=1.0)]}, "recent_trades[0].realized_gain"),
        ({"otherPurchases": [{"symbol": "A", "quantity": 1, "date": day("2024-06-04")}]}, "other_purchases[0].date"),
        ({"asOfDate": {"year": 2024, "month": 2, "day": 30}}, "as_of_date"),
        ({"asOfDate": day("2024-04-02")}, "portfolio.holdings[0].lots[2].purchase_date"),
    ],
)
def test_what_is_refused_by_name(wire: Wire, change: dict[str, Any], field: str) -> None:
    refused = wire.refused(REALLOCATE, ask([THREE], {"A": 0.5}, {"A": 15.0}, RATES) | change)
    assert (refused.code, refused.fields) == ("INVALID_ARGUMENT", (field,))


@pytest.mark.parametrize(
    ("held", "field"),
    [
        ({"symbol": "A", "quantity": 9, "lots": [lot(10, 1, "2020-01-01")]}, "portfolio.holdings[0].lots"),
        ({"symbol": "A", "quantity": 10}, "portfolio.holdings[0].lots"),
        (
            holding("A", lot(5, 1, "2020-01-01", "x"), lot(5, 1, "2020-01-01", "x")),
            "portfolio.holdings[0].lots[1].lot_id",
        ),
        (holding("A", lot(5, 1e300, "2020-01-01")), "portfolio.holdings[0].lots[0].unit_cost"),
        (
            holding("A", lot(5, 1, "2020-01-01", holdingPeriodStart=day("2024-06-04"))),
            "portfolio.holdings[0].lots[0].holding_period_start",
        ),
        (
            holding("A", lot(5, 1, "2020-01-01") | {"purchaseDate": {"year": 2023, "month": 2, "day": 29}}),
            "portfolio.holdings[0].lots[0].purchase_date",
        ),
    ],
)
def test_lots_that_are_refused_by_name(wire: Wire, held: dict[str, Any], field: str) -> None:
    refused = wire.refused(REALLOCATE, ask([held], {"A": 0.5}, {"A": 15.0}, RATES))
    assert (refused.code, refused.fields) == ("INVALID_ARGUMENT", (field,))


def test_a_lot_of_tomorrow_is_refused_where_the_date_is_today(wire: Wire) -> None:
    request = ask([holding("A", lot(5, 1, "2999-01-01"))], {"A": 0.5}, {"A": 15.0}, None)
    del request["asOfDate"]
    assert wire.refused(REALLOCATE, request).fields == ("portfolio.holdings[0].lots[0].purchase_date",)


def test_the_lots_of_a_stored_portfolio(wire: Wire) -> None:
    wire.call("PortfolioService/CreatePortfolio", {"portfolioId": "with-lots", "portfolio": {"holdings": [THREE]}})
    request = ask([THREE], {"A": 0.5}, {"A": 15.0}, {"lotMethod": "LOT_METHOD_HIFO", **RATES})
    del request["portfolio"]
    answer = wire.call(REALLOCATE, request | {"portfolioName": "portfolios/with-lots"})
    assert answer["summary"]["tax"] == -41.5


def test_the_stored_answer_has_the_lots(wire: Wire) -> None:
    answer = wire.call(REALLOCATE, ask([THREE], {"A": 0.5}, {"A": 15.0}, RATES) | {"validateOnly": False})
    assert wire.call("ReallocationService/GetReallocation", {"name": answer["name"]}) == answer
    assert sold(answer) == {"old": 100, "middle": 50}
