"""Fills over the wire: what they do to a stored portfolio, the gains they realise, and the cost of a plan."""

import itertools
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.conftest import RunningServer, Wire, refusal_of

RECORD = "ReallocationService/RecordFills"
GET = "PortfolioService/GetPortfolio"


def date(text: str) -> dict[str, int]:
    year, month, day = map(int, text.split("-"))
    return {"year": year, "month": month, "day": day}


def lot(lot_id: str, quantity: float, unit_cost: float, bought: str) -> dict[str, Any]:
    return {"lotId": lot_id, "quantity": quantity, "unitCost": unit_cost, "purchaseDate": date(bought)}


def fill(fill_id: str, quantity: float, price: float, day: str, symbol: str = "A", **more: Any) -> dict[str, Any]:
    time = day if "T" in day else f"{day}T15:00:00Z"
    return {"fillId": fill_id, "symbol": symbol, "quantity": quantity, "price": price, "fillTime": time, **more}


def created(wire: Wire, *lots: dict[str, Any], cash: float = 0.0, held: float | None = None) -> str:
    """A portfolio with lots of A; without lots where only units are said."""
    total = sum(lot["quantity"] for lot in lots) if held is None else held
    holdings = [{"symbol": "A", "quantity": total, "lots": lots}] if total else []
    request = {"portfolio": {"holdings": holdings, "cash": cash}}
    return str(wire.call("PortfolioService/CreatePortfolio", request)["name"])


def record(wire: Wire, name: str, *fills: dict[str, Any], **more: Any) -> dict[str, Any]:
    subject = "portfolio" if name.startswith("portfolios/") else "reallocation"
    return dict(wire.call(RECORD, {subject: name, "fills": fills, **more}))


def held(portfolio: dict[str, Any], symbol: str = "A") -> dict[str, Any]:
    return next((dict(h) for h in portfolio.get("holdings", []) if h["symbol"] == symbol), {})


def bases(portfolio: dict[str, Any]) -> dict[str, float]:
    return {lot["lotId"]: lot["unitCost"] for lot in held(portfolio).get("lots", [])}


def test_fills_change_units_lots_and_cash(wire: Wire) -> None:
    name = created(wire, lot("old", 10, 5.0, "2020-01-02"), cash=100.0)
    before = wire.call(GET, {"name": name})
    answer = record(
        wire,
        name,
        fill("s1", -4, 8.1, "2024-03-01", fee=0.3),
        fill("b1", 3, 7.1, "2024-03-02", symbol="B", fee=0.1),
        fill("b2", 2, 7.2, "2024-03-03", symbol="B", lotId="mine"),
    )
    after = answer["portfolio"]
    assert after == wire.call(GET, {"name": name})
    assert after["etag"] != before["etag"]
    # 100 + 4 x 8.1 - 0.3 - 3 x 7.1 - 0.1 - 2 x 7.2, to the last digit
    assert after["cash"] == 96.3
    assert held(after) == {"symbol": "A", "quantity": 6.0, "lots": [lot("old", 6.0, 5.0, "2020-01-02")]}
    lots = [lot("b1", 3.0, 7.1, "2024-03-02"), lot("mine", 2.0, 7.2, "2024-03-03")]
    assert held(after, "B") == {"symbol": "B", "quantity": 5.0, "lots": lots}
    (gain,) = answer["realizedGains"]
    assert gain == {
        "symbol": "A",
        "lotId": "old",
        "quantity": 4.0,
        "gain": 12.4,
        "term": "TERM_LONG",
        "disallowedLoss": 0.0,
        "fillId": "s1",
    }
    assert "shortfall" not in answer
    emptied = record(wire, name, fill("s2", -6, 8.0, "2024-03-04"))["portfolio"]
    assert held(emptied) == {}


def test_the_oldest_lots_are_sold_where_none_is_named(wire: Wire) -> None:
    # The lots of 100 at 10, 18 and 14, sold at 15: 150 units have a gain of 350 by FIFO, of which 500 on the oldest.
    lots = [lot("b", 100, 18, "2021-05-03"), lot("c", 100, 14, "2024-04-01"), lot("a", 100, 10, "2019-05-01")]
    answer = record(wire, created(wire, *lots), fill("s", -150, 15, "2024-06-03"))
    gains = [(g["lotId"], g["quantity"], g["gain"], g["term"]) for g in answer["realizedGains"]]
    assert gains == [("a", 100.0, 500.0, "TERM_LONG"), ("b", 50.0, -150.0, "TERM_LONG")]
    named = record(wire, created(wire, *lots), fill("s", -50, 15, "2024-06-03", lotId="c"))
    (gain,) = named["realizedGains"]
    assert (gain["lotId"], gain["gain"], gain["term"]) == ("c", 50.0, "TERM_SHORT")
    assert {part["lotId"]: part["quantity"] for part in held(named["portfolio"])["lots"]} == {
        "b": 100,
        "c": 50,
        "a": 100,
    }


# 26 CFR 1.1091-1 and -2, and IRS Publication 550 (2023), "Wash Sales"; Rev. Rul. 56-602 for the last but one.
# Lots that are held, fills, the disallowed part of each loss, unit costs of the lots at the end.
WASH_SALES = [
    pytest.param(
        [],
        [fill("f1", 100, 10, "2023-01-10"), fill("f2", -100, 7.5, "2023-06-01"), fill("f3", 100, 8, "2023-06-20")],
        {"f2": 250.0},
        {"f3": 10.5},
        id="R1",
    ),
    pytest.param(
        [lot("a", 1, 100, "2022-01-03")],
        [fill("f1", -1, 80, "2023-06-01"), fill("f2", 1, 90, "2023-06-20")],
        {"f1": 20.0},
        {"f2": 110.0},
        id="R2",
    ),
    pytest.param(
        [lot("a", 1, 100, "2022-01-03")],
        [fill("f1", -1, 80, "2023-06-01"), fill("f2", 1, 70, "2023-06-20")],
        {"f1": 20.0},
        {"f2": 90.0},
        id="R3",
    ),
    pytest.param(
        [],
        [
            fill("f1", 100, 50, "2022-09-21"),
            fill("f2", 50, 55, "2022-12-21"),
            fill("f3", 25, 45, "2022-12-27"),
            fill("f4", -100, 40, "2023-01-03", lotId="f1"),
        ],
        {"f4": 750.0},
        {"f2": 65.0, "f3": 55.0},
        id="R4",
    ),
    pytest.param(
        [lot("a", 100, 50, "2022-01-03")],
        [
            fill("f1", -100, 40, "2023-02-01"),
            *(fill(f"f{i}", 50, 40, f"2023-02-{day}") for i, day in enumerate((10, 13, 15, 17), start=2)),
        ],
        {"f1": 1000.0},
        {"f2": 50.0, "f3": 50.0, "f4": 40.0, "f5": 40.0},
        id="R6",
    ),
    pytest.param(
        [],
        [fill("f1", 200, 50, "2023-03-01"), fill("f2", -100, 40, "2023-03-20")],
        {"f2": 0.0},
        {"f1": 50.0},
        id="R7, one purchase",
    ),
    pytest.param(
        [],
        [
            fill("f1", 100, 50, "2023-03-01"),
            fill("f2", 100, 50, "2023-03-02"),
            fill("f3", -100, 40, "2023-03-20", lotId="f1"),
        ],
        {"f3": 1000.0},
        {"f2": 60.0},
        id="R7, two purchases",
    ),
    pytest.param(
        [lot("a", 1, 100, "2022-01-03")],
        [fill("f1", -1, 80, "2023-06-01"), fill("f2", 1, 90, "2023-07-02")],
        {"f1": 0.0},
        {"f2": 90.0},
        id="31 days later",
    ),
]


@pytest.mark.parametrize("calls", ["one call", "a call for each fill"])
@pytest.mark.parametrize(("lots", "fills", "disallowed", "unit_costs"), WASH_SALES)
def test_wash_sales(
    wire: Wire,
    lots: list[dict[str, Any]],
    fills: list[dict[str, Any]],
    disallowed: dict[str, float],
    unit_costs: dict[str, float],
    calls: str,
) -> None:
    """A loss is remembered between calls, and a purchase that disallows it says so."""
    name = created(wire, *lots, cash=20_000)
    answers = [record(wire, name, *part) for part in ([fills] if calls == "one call" else [[one] for one in fills])]
    known = {g["fillId"]: g["disallowedLoss"] for answer in answers for g in answer.get("realizedGains", [])}
    assert known == disallowed
    assert bases(answers[-1]["portfolio"]) == unit_costs


def test_the_holding_period_of_what_was_sold_counts_on(wire: Wire) -> None:
    name = created(wire, lot("a", 10, 100, "2022-06-02"))
    record(wire, name, fill("f1", -10, 80, "2023-03-02"))
    after = record(wire, name, fill("f2", 10, 80, "2023-03-12"))["portfolio"]
    # 273 days were held; 10 days lie between sale and purchase.
    (replacement,) = held(after)["lots"]
    assert replacement["holdingPeriodStart"] == date("2022-06-12")
    (gain,) = record(wire, name, fill("f3", -10, 120, "2023-06-13"))["realizedGains"]
    assert (gain["gain"], gain["term"]) == (200.0, "TERM_LONG")


def test_a_lot_that_replaces_in_part_is_divided_and_can_be_named(wire: Wire) -> None:
    name = created(wire, lot("a", 10, 100, "2022-06-02"))
    record(wire, name, fill("f1", -10, 80, "2023-03-02"))
    after = record(wire, name, fill("f2", 15, 80, "2023-03-12", lotId="new"))["portfolio"]
    assert {part["lotId"]: (part["quantity"], part["unitCost"]) for part in held(after)["lots"]} == {
        "new~1": (10.0, 100.0),
        "new": (5.0, 80.0),
    }
    (gain,) = record(wire, name, fill("f3", -10, 100, "2023-05-01", lotId="new~1"))["realizedGains"]
    assert gain["gain"] == 0.0
    # What is stored is a portfolio that an update takes.
    portfolio = wire.call(GET, {"name": name})
    wire.call("PortfolioService/UpdatePortfolio", {"portfolio": {**portfolio, "cash": 5}})


def test_fees_count_in_gains_where_it_is_asked_for(wire: Wire) -> None:
    name = created(wire, cash=1000)
    record(wire, name, fill("f1", 10, 10, "2023-03-01", fee=5), feesInGains=True)
    (gain,) = record(wire, name, fill("f2", -10, 12, "2023-09-01", fee=4), feesInGains=True)["realizedGains"]
    assert gain["gain"] == 10 * 12 - 4 - (10 * 10 + 5)
    assert wire.call(GET, {"name": name})["cash"] == 1000 - 105 + 116
    other = created(wire, cash=1000)
    fills = [fill("f1", 10, 10, "2023-03-01", fee=5), fill("f2", -10, 12, "2023-09-01", fee=4)]
    assert record(wire, other, *fills)["realizedGains"][0]["gain"] == 20.0


def test_a_position_without_lots_has_no_gains(wire: Wire) -> None:
    name = created(wire, held=10)
    answer = record(wire, name, fill("f1", -4, 8, "2023-03-01"), fill("f2", 1, 8, "2023-03-02"))
    assert held(answer["portfolio"]) == {"symbol": "A", "quantity": 7.0}
    assert "realizedGains" not in answer
    assert [(w["code"], w["field"]) for w in answer["warnings"]] == [("TAX_LOTS_UNKNOWN", "fills[0].symbol")]
    assert wire.refused(RECORD, {"portfolio": name, "fills": [fill("f3", -1, 8, "2023-03-03", lotId="a")]}).fields == (
        "fills[0].lot_id",
    )
    record(wire, name, fill("f4", -7, 8, "2023-03-04"))
    assert bases(record(wire, name, fill("f5", 1, 9, "2023-03-05"))["portfolio"]) == {"f5": 9.0}


def test_a_short_position_is_bought_back(wire: Wire) -> None:
    name = created(wire, held=-5, cash=100)
    after = record(wire, name, fill("f1", 3, 10, "2023-03-01"))["portfolio"]
    assert (held(after)["quantity"], after["cash"]) == (-2.0, 70.0)
    refusal = wire.refused(RECORD, {"portfolio": name, "fills": [fill("f2", -1, 10, "2023-03-02")]})
    assert refusal.fields == ("fills[0].quantity",)


def test_cash_below_zero_is_a_warning(wire: Wire) -> None:
    answer = record(wire, created(wire, cash=10), fill("f1", 1, 12.5, "2023-03-01"))
    assert answer["portfolio"]["cash"] == -2.5
    assert [w["code"] for w in answer["warnings"]] == ["CASH_NEGATIVE"]


def test_a_fill_counts_once(wire: Wire) -> None:
    name = created(wire, lot("a", 10, 100, "2022-06-02"), cash=5000)
    etag = wire.call(GET, {"name": name})["etag"]
    sold, bought = fill("f1", -10, 80, "2023-03-02"), fill("f2", 10, 70, "2023-03-05")
    first = record(wire, name, sold, etag=etag)
    assert record(wire, name, sold, etag=etag) == first
    second = record(wire, name, sold, bought)  # the one that is known beside a new one
    assert held(second["portfolio"])["quantity"] == 10.0
    assert [g["disallowedLoss"] for g in second["realizedGains"]] == [200.0]
    for again in ([sold, bought], [bought], [sold]):
        answer = record(wire, name, *again)
        assert (answer["portfolio"], answer["realizedGains"]) == (second["portfolio"], second["realizedGains"])
    for changed in (
        {**sold, "price": 81},
        {**sold, "quantity": -9},
        {**sold, "symbol": "B"},
        {**sold, "fee": 1},
        {**sold, "lotId": "a"},
        {**sold, "fillTime": "2023-03-02T15:00:00.000000001Z"},
    ):
        refusal = wire.refused(RECORD, {"portfolio": name, "fills": [bought, changed]})
        assert (refusal.reason, refusal.fields) == ("REQUEST_ID_REUSED", ("fills[1].fill_id",))
    assert wire.call(GET, {"name": name}) == second["portfolio"]


def test_an_etag_must_be_the_current_one(wire: Wire) -> None:
    name = created(wire, cash=50)
    etag = wire.call(GET, {"name": name})["etag"]
    after = record(wire, name, fill("f1", 1, 10, "2023-03-01"), etag=etag)["portfolio"]
    stale = wire.refused(RECORD, {"portfolio": name, "etag": etag, "fills": [fill("f2", 1, 10, "2023-03-01")]})
    assert (stale.code, stale.reason, stale.metadata["etag"]) == ("ABORTED", "ETAG_MISMATCH", after["etag"])
    assert wire.call(GET, {"name": name}) == after


TOMORROW = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
GOOD = fill("good", 1, 10, "2023-05-03")
REFUSED = [
    ({"quantity": -12}, "quantity", "more than is held"),
    ({"quantity": -1, "lotId": "b"}, "lot_id", "A has no b"),
    ({"quantity": -11, "lotId": "a"}, "quantity", "more than the lot has"),
    ({"quantity": -1, "fillTime": "2022-01-01T00:00:00Z"}, "quantity", "bought until 2022-01-01"),
    ({"quantity": -1, "lotId": "a", "fillTime": "2022-01-01T00:00:00Z"}, "lot_id", "bought before it is sold"),
    ({"lotId": "a"}, "lot_id", "held already"),
    ({"lotId": "b~1"}, "lot_id", "'~'"),
    ({"quantity": 0}, "quantity", "must not be 0"),
    ({"quantity": "NaN"}, "quantity", "finite"),
    ({"price": -1}, "price", "greater than or equal to 0"),
    ({"fee": "Infinity"}, "fee", "finite"),
    ({"fillTime": TOMORROW}, "fill_time", "in the future"),
    ({"fillTime": None}, "fill_time", "required"),
    ({"fillId": "good"}, "fill_id", "twice"),
    ({"quantity": 1e15, "price": 1e15}, None, "at most"),
]


@pytest.mark.parametrize(("changes", "field", "rule"), REFUSED)
def test_bad_fills_are_refused_and_nothing_is_stored(
    wire: Wire, changes: dict[str, Any], field: str | None, rule: str
) -> None:
    name = created(wire, lot("a", 10, 10, "2022-06-02"), cash=100)
    before = wire.call(GET, {"name": name})
    bad = {**fill("bad", 1, 10, "2023-05-04"), **changes}
    refusal = wire.refused(RECORD, {"portfolio": name, "fills": [GOOD, bad]})
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", (f"fills[1].{field}" if field else "fills",))
    assert rule in refusal.message
    assert wire.call(GET, {"name": name}) == before
    assert held(record(wire, name, GOOD)["portfolio"])["quantity"] == 11.0


def test_fills_come_in_the_order_of_their_dates(wire: Wire) -> None:
    name = created(wire, cash=100)
    record(wire, name, fill("f2", 1, 10, "2023-03-02T12:00:00Z"))
    record(wire, name, fill("f1", 1, 10, "2023-03-02T09:00:00Z"))  # the order within a day decides nothing
    record(wire, name, fill("f0", 1, 10, "2023-03-01", symbol="B"))
    refusal = wire.refused(RECORD, {"portfolio": name, "fills": [fill("f3", 1, 10, "2023-03-01")]})
    assert refusal.fields == ("fills[0].fill_time",)
    # Within a call they are sorted.
    sorted_here = record(wire, name, fill("f5", -1, 10, "2023-03-06"), fill("f4", 1, 10, "2023-03-05"))
    assert held(sorted_here["portfolio"])["quantity"] == 2.0


def test_names_that_are_not_there(wire: Wire) -> None:
    for subject, name in (("portfolio", "portfolios/none"), ("reallocation", "reallocations/none")):
        refusal = wire.refused(RECORD, {subject: name, "fills": [GOOD]})
        assert (refusal.code, refusal.metadata["name"]) == ("NOT_FOUND", name)
    assert wire.refused(RECORD, {"fills": [GOOD]}).fields == ("reallocation",)
    name = created(wire, cash=10)
    assert wire.refused(RECORD, {"portfolio": name}).fields == ("fills",)


# Plans and what they cost.


def planned(wire: Wire, portfolio: str, price: float, weight: float) -> str:
    request = {
        "portfolioName": portfolio,
        "snapshot": {"assets": [{"symbol": "A", "price": price}]},
        "targetWeights": {"weights": [{"symbol": "A", "weight": weight}]},
    }
    answer = wire.call("ReallocationService/Reallocate", request)
    assert "plan" in answer
    return str(answer["name"])


# Implementation shortfall: Perold (1988); the figures of CFA Institute, "Trade Strategy and Execution" (first two),
# Kissell, "The Science of Algorithmic Trading" (third), and a purchase at a gain. Fractions in percent.
SHORTFALLS = [
    pytest.param(
        (50.0, 1000, fill("f", 700, 50.07, "2023-03-02", fee=23, previousClose=50.05), 50.09),
        {"fee": 0.046, "realised": 0.028, "delay": 0.07, "missed": 0.054, "total": 0.198},
        99.0,
        id="R10",
    ),
    pytest.param(
        (40.0, 1000, fill("f", 700, 40.05, "2023-03-02", fee=17, previousClose=40.04), 40.08),
        {"fee": 0.0425, "realised": 0.0175, "delay": 0.07, "missed": 0.06, "total": 0.19},
        76.0,
        id="R11",
    ),
    pytest.param(
        (43.0, -50_000, fill("f", -50_000, 40.25, "2023-03-02", fee=2500, arrivalPrice=41.0), None),
        {"fee": 5 / 43, "realised": 75 / 43, "delay": 200 / 43, "missed": 0.0, "total": 280 / 43},
        140_000.0,
        id="R12",
    ),
    pytest.param(
        (16.24, 4000, fill("f", 4000, 16.20, "2023-03-02", fee=38.5), None),
        {"fee": 100 * 38.5 / 64_960, "realised": -100 * 160 / 64_960, "delay": 0.0, "missed": 0.0, "total": -0.1870382},
        -121.5,
        id="R14",
    ),
]


@pytest.mark.parametrize(("case", "percents", "money"), SHORTFALLS)
def test_implementation_shortfall(
    wire: Wire, case: tuple[float, int, dict[str, Any], float | None], percents: dict[str, float], money: float
) -> None:
    decision, units, executed, last = case
    if units > 0:
        plan = planned(wire, created(wire, cash=round(decision * units, 2)), decision, 1.0)
    else:
        plan = planned(wire, created(wire, held=-units), decision, 0.0)
    last_prices = [] if last is None else [{"symbol": "A", "price": last}]
    found = record(wire, plan, executed, lastPrices=last_prices)["shortfall"]
    assert {name: 100 * found[name] for name in percents} == pytest.approx(percents, rel=1e-6, abs=1e-12)
    assert found["totalAmount"] == money  # to the last digit
    assert found["decisionValue"] == round(decision * abs(units), 2)
    # The parts sum to the result of the paper portfolio less that of the real one.
    parts = sum(found[f"{name}Amount"] for name in ("delay", "realised", "missed", "fee"))
    assert parts == pytest.approx(found["totalAmount"], rel=1e-12)


def test_partial_fills_of_a_plan_add_up(wire: Wire) -> None:
    name = created(wire, cash=50_000)
    plan = planned(wire, name, 50.0, 1.0)
    first = record(wire, plan, fill("f1", 300, 50.05, "2023-03-02", fee=10, arrivalPrice=50.02))
    assert held(first["portfolio"])["quantity"] == 300.0
    assert [w["code"] for w in first["warnings"]] == ["LAST_PRICE_MISSING"]
    assert first["shortfall"]["missedAmount"] == 0.0
    assert first["shortfall"]["totalAmount"] == 25.0  # 300 x 0.05 + 10
    second = record(
        wire, plan, fill("f2", 700, 49.98, "2023-03-03", fee=14, arrivalPrice=50.02), etag=first["portfolio"]["etag"]
    )
    amounts = {k: v for k, v in second["shortfall"].items() if k.endswith("Amount")}
    assert amounts == {
        "delayAmount": 20.0,
        "realisedAmount": -19.0,  # 300 x 0.03 - 700 x 0.04
        "missedAmount": 0.0,
        "feeAmount": 24.0,
        "totalAmount": 25.0,
    }
    assert [w["code"] for w in second["warnings"]] == ["CASH_NEGATIVE"]
    assert wire.call(GET, {"name": name}) == second["portfolio"]
    assert record(wire, plan, fill("f1", 300, 50.05, "2023-03-02", fee=10, arrivalPrice=50.02)) == second


def test_fills_keep_to_the_plan(wire: Wire) -> None:
    name = created(wire, cash=50_000)
    plan = planned(wire, name, 50.0, 1.0)
    record(wire, plan, fill("f1", 600, 50, "2023-03-02"))
    before = wire.call(GET, {"name": name})
    for bad, field, rule in (
        (fill("f2", 401, 50, "2023-03-02"), "quantity", "1001 of 1000 units"),
        (fill("f2", -1, 50, "2023-03-02"), "quantity", "sign of the plan"),
        (fill("f2", 1, 50, "2023-03-02", symbol="B"), "symbol", "must be traded by the plan"),
    ):
        refusal = wire.refused(RECORD, {"reallocation": plan, "fills": [bad]})
        assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", (f"fills[0].{field}",))
        assert rule in refusal.message
    two = [fill("f2", 200, 50, "2023-03-02"), fill("f3", 201, 50, "2023-03-02")]
    assert wire.refused(RECORD, {"reallocation": plan, "fills": two}).fields == ("fills[1].quantity",)
    assert wire.call(GET, {"name": name}) == before
    # A fill of the plan is not the fill of the same id of the portfolio.
    same = wire.refused(RECORD, {"portfolio": name, "fills": [fill("f1", 600, 50, "2023-03-02")]})
    assert same.reason == "REQUEST_ID_REUSED"
    assert held(record(wire, plan, fill("f2", 400, 50, "2023-03-02"))["portfolio"])["quantity"] == 1000.0


def test_a_plan_without_trades_or_without_a_stored_portfolio(wire: Wire) -> None:
    inline = {
        "portfolio": {"cash": 100},
        "snapshot": {"assets": [{"symbol": "A", "price": 10}]},
        "targetWeights": {"weights": [{"symbol": "A", "weight": 1}]},
    }
    unstored = wire.call("ReallocationService/Reallocate", inline)["name"]
    refusal = wire.refused(RECORD, {"reallocation": unstored, "fills": [GOOD]})
    assert (refusal.fields, "stored portfolio" in refusal.message) == (("reallocation",), True)
    name = created(wire, lot("a", 10, 10, "2022-06-02"))
    unchanged = wire.call("ReallocationService/Reallocate", {**inline, "portfolio": None, "portfolioName": name})
    assert "unchanged" in unchanged
    refusal = wire.refused(RECORD, {"reallocation": unchanged["name"], "fills": [GOOD]})
    assert (refusal.fields, "must have a plan" in refusal.message) == (("reallocation",), True)


# Concurrency and durability.


def test_fills_at_once_are_all_recorded(wire: Wire) -> None:
    name = created(wire, cash=1000)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: record(wire, name, fill(f"f{i}", 1, 10, "2023-03-02")), range(16)))
    after = wire.call(GET, {"name": name})
    assert (held(after)["quantity"], after["cash"]) == (16.0, 840.0)
    assert len({answer["portfolio"]["etag"] for answer in answers}) == 16
    assert sorted(bases(after)) == sorted(f"f{i}" for i in range(16))


def test_the_same_fill_at_once_counts_once(wire: Wire) -> None:
    name = created(wire, cash=1000)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: record(wire, name, fill("f", 1, 10, "2023-03-02")), range(16)))
    assert all(answer == answers[0] for answer in answers)
    assert wire.call(GET, {"name": name})["cash"] == 990.0


def test_of_many_with_one_etag_one_wins(wire: Wire) -> None:
    name = created(wire, cash=1000)
    etag = wire.call(GET, {"name": name})["etag"]

    def attempt(i: int) -> str:
        try:
            record(wire, name, fill(f"f{i}", 1, 10, "2023-03-02"), etag=etag)
        except grpc.RpcError as error:
            return refusal_of(error).reason
        return "recorded"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(attempt, range(16))) == ["ETAG_MISMATCH"] * 15 + ["recorded"]
    assert wire.call(GET, {"name": name})["cash"] == 990.0


def test_two_servers_with_one_folder_remember_losses(
    start_server: Callable[..., RunningServer], tmp_path: Path
) -> None:
    """A sale at a loss through one server, the purchase through another, after the first is gone."""
    first = start_server("--workers", "1", data_dir=tmp_path)
    second = start_server("--workers", "1", data_dir=tmp_path)
    with first.channel() as one, second.channel() as two:
        wires = itertools.cycle((Wire(one), Wire(two)))
        name = created(next(wires), lot("a", 100, 50, "2022-01-03"))
        for i in range(4):
            record(next(wires), name, fill(f"s{i}", -20, 40, f"2023-02-0{i + 1}"))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda i: record(next(wires), name, fill(f"b{i}", 10, 40, "2023-02-10")), range(4)))
    for running in (first, second):
        running.process.terminate()
        running.process.wait(timeout=20)
    with start_server("--workers", "1", data_dir=tmp_path).channel() as channel:
        wire = Wire(channel)
        answer = record(wire, name, fill("b4", 50, 40, "2023-02-11"))
        # 80 units were sold at a loss of 10 each; 40 of them had been replaced, and the rest is now.
        assert {g["fillId"]: g["disallowedLoss"] for g in answer["realizedGains"]} == {"s2": 200.0, "s3": 200.0}
        assert held(answer["portfolio"])["quantity"] == 110.0
        cost = sum(part["quantity"] * part["unitCost"] for part in held(answer["portfolio"])["lots"])
        assert cost == 20 * 50 + 90 * 40 + 800
        wire.call("PortfolioService/DeletePortfolio", {"name": name})
    with sqlite3.connect(next(tmp_path.rglob("*.sqlite3"))) as connection:
        assert connection.execute("SELECT count(*) FROM fills").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM disallowed_losses").fetchone() == (0,)
    connection.close()
