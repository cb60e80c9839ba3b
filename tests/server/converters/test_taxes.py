"""Taxes of a reallocation: lots, the rules of their sale, earlier trades, and what the answer says of gains."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from absfinance.v1 import reallocation_pb2 as pb
from absfinance.v1.portfolio_pb2 import Portfolio
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.reallocation.harvest_report import HarvestReport
from domain.reallocation.tax_report import TaxReport, TaxSummary
from domain.reallocation.tax_terms import RecentPurchase, RecentTrade, TaxLimits, TaxTerms
from domain.taxes.gains import RealizedGain
from domain.taxes.lot_selection import LotMethod
from domain.taxes.lots import TaxLot, Term
from server.converters.taxes import add_taxes, lots_by_symbol_from_proto, tax_terms_from_proto

DAY = {"year": 2024, "month": 2, "day": 29}
LATER = {"year": 2024, "month": 3, "day": 1}
NO_DAY = {"year": 2023, "month": 2, "day": 29}
BOUGHT = dt.date(2024, 2, 29)
PAIR = {"symbol": "A", "by": "B"}
RATES = {"shortTermRate": 0.37, "longTermRate": 0.2}


def terms(**fields: Any) -> TaxTerms:
    return tax_terms_from_proto(json_format.ParseDict(fields, ReallocateRequest()))


def limits(**fields: Any) -> TaxLimits:
    found = terms(limits={"tax": fields}).limits
    assert found is not None
    return found


def lots(*holdings: dict[str, Any]) -> dict[str, tuple[TaxLot, ...]]:
    return lots_by_symbol_from_proto(json_format.ParseDict({"holdings": holdings}, Portfolio()))


def test_lots_by_symbol_are_the_decimals_that_were_written() -> None:
    given = {"lotId": "a", "quantity": 0.1, "unitCost": 33.1, "purchaseDate": LATER, "holdingPeriodStart": DAY}
    bare = {"quantity": 2, "purchaseDate": DAY}
    found = lots({"symbol": "A", "quantity": 1.0}, {"symbol": "B", "lots": [given, bare]})
    assert found == {
        "B": (
            TaxLot("a", Decimal("0.1"), Decimal("33.1"), dt.date(2024, 3, 1), BOUGHT),
            TaxLot("", Decimal(2), Decimal(0), BOUGHT, None),
        )
    }


@pytest.mark.parametrize("name", ["purchase_date", "holding_period_start"])
def test_a_lot_with_a_date_that_does_not_exist(name: str) -> None:
    wrong = {"purchase_date": DAY, name: NO_DAY}
    with pytest.raises(InvalidInput, match="day of the calendar") as raised:
        lots({"symbol": "A"}, {"symbol": "B", "lots": [{"purchaseDate": DAY}, wrong]})
    assert raised.value.field == f"holdings[1].lots[1].{name}"


def test_a_request_that_says_nothing_of_taxes() -> None:
    assert terms() == TaxTerms()
    assert terms(limits={"maxTurnover": 0.1}).limits is None
    assert limits() == TaxLimits()
    assert limits().wash_sale_days == 30


def test_all_limits() -> None:
    found = limits(
        lotMethod="LOT_METHOD_HIFO",
        **RATES,
        longTermAfterDays=180,
        carryForward=1000.0,
        gainBudget=500.0,
        washSaleDays=61,
        forbidWashSales=True,
        identicalGroups=[{"symbols": ["A", "B"]}, {"symbols": ["C", "D", "E"]}],
        harvestLosses=True,
        substitutes=[{"symbol": "A", "by": "C"}, {"symbol": "A", "by": "F"}],
    )
    assert found == TaxLimits(
        method=LotMethod.HIFO,
        short_term_rate=0.37,
        long_term_rate=0.2,
        long_term_after_days=180,
        carry_forward=1000.0,
        gain_budget=500.0,
        wash_sale_days=61,
        forbid_wash_sales=True,
        identical_groups=(("A", "B"), ("C", "D", "E")),
        harvest_losses=True,
        substitutes=(("A", "C"), ("A", "F")),
    )
    assert len(pb.TaxLimits.DESCRIPTOR.fields) == 11, "a field of the contract that this test does not set"


@pytest.mark.parametrize("method", pb.TaxLimits.LotMethod.values())
def test_methods_have_their_names_on_the_wire(method: int) -> None:
    name = pb.TaxLimits.LotMethod.Name(method).removeprefix("LOT_METHOD_")
    wanted = LotMethod.FIFO if name == "UNSPECIFIED" else LotMethod[name]
    assert limits(lotMethod=method, **RATES).method is wanted


def test_a_limit_of_zero_is_a_limit() -> None:
    found = limits(shortTermRate=0.0, longTermRate=0.0, longTermAfterDays=0, gainBudget=0.0)
    assert (found.short_term_rate, found.long_term_rate) == (0.0, 0.0)
    assert (found.long_term_after_days, found.gain_budget) == (0, 0.0)
    assert (limits().long_term_after_days, limits().gain_budget, limits().rates) == (None, None, None)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"shortTermRate": 0.3}, "long_term_rate"),
        ({"longTermRate": 0.3}, "short_term_rate"),
        ({"lotMethod": "LOT_METHOD_TAX_OPTIMAL"}, "short_term_rate"),
        ({"harvestLosses": True}, "short_term_rate"),
        ({"gainBudget": 1e300}, "gain_budget"),
        ({"carryForward": 1e300}, "carry_forward"),
        ({"identicalGroups": [{"symbols": ["A", "B"]}], "substitutes": [PAIR]}, "substitutes[0].by"),
    ],
)
def test_limits_that_are_refused(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        limits(**fields)
    assert raised.value.field == f"limits.tax.{named}"


def test_trades_and_purchases_before_the_plan() -> None:
    found = terms(
        recentTrades=[
            {"symbol": "A", "quantity": -3.0, "date": DAY, "realizedGain": -20.0},
            {"symbol": "A", "quantity": -1.0, "date": DAY, "realizedGain": 0.0},
            {"symbol": "B", "quantity": 2.0, "date": LATER},
        ],
        otherPurchases=[
            {"symbol": "A", "quantity": 4.0, "date": LATER, "retirementAccount": True},
            {"symbol": "B", "quantity": 5.0, "date": DAY},
        ],
    )
    assert found.recent_trades == (
        RecentTrade("A", -3.0, BOUGHT, -20.0),
        RecentTrade("A", -1.0, BOUGHT, 0.0),
        RecentTrade("B", 2.0, dt.date(2024, 3, 1), None),
    )
    assert found.other_purchases == (
        RecentPurchase("A", 4.0, dt.date(2024, 3, 1), retirement_account=True),
        RecentPurchase("B", 5.0, BOUGHT, retirement_account=False),
    )


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"recentTrades": [{"date": DAY}, {"date": NO_DAY}]}, "recent_trades[1].date"),
        ({"recentTrades": [{"quantity": 1.0, "date": DAY, "realizedGain": 2.0}]}, "recent_trades[0].realized_gain"),
        ({"otherPurchases": [{"date": DAY}, {"quantity": 1.0}]}, "other_purchases[1].date"),
    ],
)
def test_earlier_trades_that_are_refused(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        terms(**fields)
    assert raised.value.field == named


SUMMARY = TaxSummary(
    tax=1.0,
    short_term_gain=2.0,
    long_term_gain=3.0,
    net_short_term=4.0,
    net_long_term=5.0,
    loss_carried_forward=6.0,
    disallowed_loss=7.0,
    lost_loss=8.0,
)


def answered(report: TaxReport, harvest: HarvestReport | None = None) -> pb.Reallocation:
    message = pb.Reallocation(plan=pb.ReallocationPlan(trades=[pb.PlannedTrade(step=1), pb.PlannedTrade(step=2)]))
    add_taxes(message, report, harvest or HarvestReport())
    return message


def test_each_trade_has_the_lots_that_it_sells() -> None:
    gains = (
        RealizedGain("A", "x", Decimal("1.5"), Decimal("-2.25"), Term.SHORT),
        RealizedGain("A", "y", Decimal(2), Decimal(3), Term.LONG),
    )
    first, second = answered(TaxReport(sold={2: gains})).plan.trades
    assert not first.lots
    assert list(second.lots) == [
        pb.PlannedTrade.Lot(lot_id="x", quantity=1.5, gain=-2.25, term=pb.TERM_SHORT),
        pb.PlannedTrade.Lot(lot_id="y", quantity=2.0, gain=3.0, term=pb.TERM_LONG),
    ]


def test_a_harvest_says_what_it_sold_and_what_replaces_it() -> None:
    harvest = HarvestReport(harvested={1: 7.0}, substitutes={2: ("A", "B")}, benefit=9.0)
    found = answered(TaxReport(summary=SUMMARY), harvest)
    assert [trade.harvested_quantity for trade in found.plan.trades] == [7.0, 0.0]
    assert [list(trade.substitute_for) for trade in found.plan.trades] == [[], ["A", "B"]]
    assert found.summary.tax_summary.harvest_benefit == 9.0


def test_sums_of_an_answer() -> None:
    found = answered(TaxReport(restricted_until={"A": BOUGHT}, summary=SUMMARY))
    assert found.summary.tax == 1.0
    assert found.summary.tax_summary == pb.TaxSummary(
        short_term_gain=2.0,
        long_term_gain=3.0,
        net_short_term=4.0,
        net_long_term=5.0,
        loss_carried_forward=6.0,
        disallowed_loss=7.0,
        lost_loss=8.0,
    )
    (restricted,) = found.restricted_until
    assert (restricted.symbol, json_format.MessageToDict(restricted.date)) == ("A", DAY)


def test_what_is_not_known_is_left_out() -> None:
    without_rates = TaxSummary(None, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    found = answered(TaxReport(summary=without_rates))
    assert not found.summary.HasField("tax")
    assert found.summary.HasField("tax_summary")
    assert not answered(TaxReport()).HasField("summary")
    bare = pb.Reallocation()
    add_taxes(bare, TaxReport(), HarvestReport())
    assert bare == pb.Reallocation()
