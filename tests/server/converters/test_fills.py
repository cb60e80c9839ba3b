"""Fills that are recorded: from their message, the stored portfolio before and after them, and the answer."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from absfinance.v1 import reallocation_pb2
from absfinance.v1.portfolio_pb2 import Portfolio
from absfinance.v1.reallocation_pb2 import Reallocation
from absfinance.v1.reallocation_service_pb2 import RecordFillsRequest, RecordFillsResponse
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.reallocation.account import Account, Execution, GainKey, GainRecord, Position
from domain.reallocation.fills import Recorded
from domain.reallocation.implementation_shortfall import ImplementationShortfall
from domain.reallocation.planned_orders import PlannedOrder, PlanShortfall
from domain.taxes.gains import RealizedGain
from domain.taxes.lots import TaxLot, Term
from domain.taxes.wash_sales import OpenLoss
from server.commands.fills import RecordFillsCommand
from server.converters import fills as converters
from server.ports.portfolios import PortfolioRecord

TIME = "2024-02-29T23:30:00.000001Z"
FILL = {"fillId": "f", "symbol": "A", "quantity": 1.5, "price": 0.1, "fillTime": TIME}
ALL_OF_A_FILL = {**FILL, "fee": -0.3, "lotId": "lot", "arrivalPrice": 0.0, "previousClose": 0.2}
BOUGHT = dt.date(2024, 2, 29)
LOT = TaxLot("x", Decimal("0.1"), Decimal("33.1"), BOUGHT)


def command(*fills: dict[str, Any], **fields: Any) -> RecordFillsCommand:
    request = json_format.ParseDict({"fills": fills or [FILL], **fields}, RecordFillsRequest())
    return converters.record_fills_command_from_proto(request)


def portfolio(**fields: Any) -> bytes:
    encoded: bytes = json_format.ParseDict(fields, Portfolio()).SerializeToString()
    return encoded


def test_all_of_a_fill() -> None:
    (found,) = command(ALL_OF_A_FILL).fills
    assert found.execution == Execution(
        fill_id="f",
        symbol="A",
        quantity=Decimal("1.5"),
        price=Decimal("0.1"),
        fee=Decimal("-0.3"),
        time=dt.datetime(2024, 2, 29, 23, 30, 0, 1, dt.UTC),
        lot_id="lot",
        arrival_price=Decimal(0),
        previous_close=Decimal("0.2"),
        path="fills[0]",
    )


def test_what_a_fill_does_not_say() -> None:
    _, second = command(FILL, {**FILL, "fillId": "g"}).fills
    found = second.execution
    assert (found.fee, found.lot_id, found.arrival_price, found.previous_close) == (0, "", None, None)
    assert found.path == "fills[1]"


def test_what_fills_are_of() -> None:
    of_a_plan = command(reallocation="reallocations/r", lastPrices=[{"symbol": "A", "price": 0.7}], feesInGains=True)
    assert (of_a_plan.reallocation, of_a_plan.portfolio, of_a_plan.etag) == ("r", "", "")
    assert (of_a_plan.last_prices, of_a_plan.fees_in_gains) == ({"A": Decimal("0.7")}, True)
    of_a_portfolio = command(portfolio="portfolios/p", etag="e")
    assert (of_a_portfolio.reallocation, of_a_portfolio.portfolio, of_a_portfolio.etag) == ("", "p", "e")
    assert (of_a_portfolio.last_prices, of_a_portfolio.fees_in_gains) == ({}, False)


def test_a_fill_is_read_again_from_what_is_kept_of_it() -> None:
    (found,) = command(ALL_OF_A_FILL, reallocation="reallocations/r").fills
    assert converters.execution_from_content(found.content) == replace(found.execution, path="fill")


def test_a_fill_is_another_one_with_another_subject_figure_or_treatment_of_fees() -> None:
    def content(fill: dict[str, Any] = FILL, **fields: Any) -> bytes:
        return command(fill, **fields).fills[0].content

    same = [content(portfolio="portfolios/p"), content(portfolio="portfolios/p", etag="e")]
    others = [
        content(reallocation="reallocations/p"),
        content(reallocation="reallocations/q"),
        content(portfolio="portfolios/q"),
        content(portfolio="portfolios/p", feesInGains=True),
        content({**FILL, "price": 0.2}, portfolio="portfolios/p"),
        content({**FILL, "arrivalPrice": 0.0}, portfolio="portfolios/p"),
    ]
    assert len(set(same)) == 1
    assert len({*same, *others}) == 1 + len(others)


@pytest.mark.parametrize(
    ("fills", "fields", "named", "rule"),
    [
        ([FILL, FILL], {}, "fills[1].fill_id", "twice"),
        ([{**FILL, "quantity": 0}], {}, "fills[0].quantity", "must not be 0"),
        ([FILL], {"lastPrices": [{"symbol": "A"}, {"symbol": "A"}]}, "last_prices[1].symbol", "twice"),
    ],
)
def test_what_is_refused(fills: list[dict[str, Any]], fields: dict[str, Any], named: str, rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule) as raised:
        command(*fills, **fields)
    assert raised.value.field == named


@pytest.mark.parametrize("seconds", [253_402_300_800, -62_135_596_801, 2**62])
def test_a_time_that_no_calendar_has(seconds: int) -> None:
    request = json_format.ParseDict({"fills": [FILL]}, RecordFillsRequest())
    request.fills[0].fill_time.seconds = seconds
    with pytest.raises(InvalidInput, match="between the years 1 and 9999") as raised:
        converters.record_fills_command_from_proto(request)
    assert raised.value.field == "fills[0].fill_time"


SENT_LOT = {"lotId": "x", "quantity": 0.1, "unitCost": 33.1, "purchaseDate": {"year": 2024, "month": 2, "day": 29}}
HELD = {
    "cash": 0.1,
    "displayName": "mine",
    "holdings": [
        {"symbol": "A", "quantity": 2.5},
        {"symbol": "B", "quantity": 0.1, "lots": [SENT_LOT]},
        {"symbol": "C", "quantity": 7.0},
    ],
}


def test_an_account_has_the_positions_that_are_asked_for() -> None:
    gain = RealizedGain("A", "y", Decimal(1), Decimal(-1), Term.SHORT)
    losses = [GainRecord(GainKey("f", 0), gain, OpenLoss(BOUGHT, Decimal(1), Decimal(1), 3))]
    found = converters.account_from_bytes(portfolio(**HELD), ["B", "A", "Z"], losses, {"A": BOUGHT})
    assert found == Account(
        {"A": Position(Decimal("2.5")), "B": Position(Decimal("0.1"), (LOT,))}, Decimal("0.1"), losses, {"A": BOUGHT}
    )


def test_a_stored_lot_without_a_date_is_named() -> None:
    payload = portfolio(holdings=[{"symbol": "A"}, {"symbol": "B", "lots": [{"quantity": 1.0}]}])
    with pytest.raises(InvalidInput) as raised:
        converters.account_from_bytes(payload, ["B"], [], {})
    assert raised.value.field == "portfolio.holdings[1].lots[0].purchase_date"


def test_a_portfolio_after_fills() -> None:
    positions = {"A": Position(), "B": Position(Decimal("0.1"), (LOT,)), "D": Position(Decimal(4))}
    payload = converters.payload_after(portfolio(**HELD), Recorded(positions, Decimal("-0.5"), {}, ()))
    after = Portfolio.FromString(payload)
    assert [(one.symbol, one.quantity, len(one.lots)) for one in after.holdings] == [
        ("B", 0.1, 1),
        ("C", 7.0, 0),
        ("D", 4.0, 0),
    ]
    assert (after.cash, after.display_name) == (-0.5, "mine")
    assert after.holdings[0] == json_format.ParseDict(HELD, Portfolio()).holdings[1]
    assert converters.cash_of(payload) == -0.5


def test_more_than_an_account_may_have() -> None:
    recorded = Recorded({}, Decimal(10) ** 30, {}, ())
    with pytest.raises(InvalidInput, match=r"would make portfolio\.cash") as raised:
        converters.payload_after(portfolio(), recorded)
    assert raised.value.field == "fills"


def test_orders_of_a_plan() -> None:
    plan = {"trades": [{"symbol": "A", "quantity": -0.1, "price": 3.0}, {"symbol": "B", "quantity": 2.0, "price": 0.7}]}
    payload = json_format.ParseDict({"plan": plan}, Reallocation()).SerializeToString()
    assert converters.planned_orders_from_bytes(payload) == {
        "A": PlannedOrder(Decimal("-0.1"), Decimal(3)),
        "B": PlannedOrder(Decimal(2), Decimal("0.7")),
    }
    with pytest.raises(InvalidInput, match="must have a plan") as raised:
        converters.planned_orders_from_bytes(b"")
    assert raised.value.field == "reallocation"


@pytest.mark.parametrize("term", Term)
def test_a_realised_gain(term: Term) -> None:
    gain = RealizedGain("A", "x", Decimal("0.5"), Decimal("-2.25"), term, Decimal("1.25"))
    assert converters.gain_to_proto(GainRecord(GainKey("f", 3), gain)) == RecordFillsResponse.RealizedGain(
        symbol="A",
        lot_id="x",
        quantity=0.5,
        gain=-2.25,
        term=reallocation_pb2.Term.Value(f"TERM_{term.name}"),
        disallowed_loss=1.25,
        fill_id="f",
    )


def test_parts_of_the_shortfall_in_money_and_as_fractions_of_the_decision() -> None:
    parts = ImplementationShortfall(Decimal(1), Decimal(2), Decimal(-4), Decimal(8), Decimal(200))
    found = converters.shortfall_to_proto(PlanShortfall(parts, ()))
    assert found == RecordFillsResponse.ImplementationShortfall(
        delay=0.005,
        realised=0.01,
        missed=-0.02,
        fee=0.04,
        total=0.035,
        delay_amount=1.0,
        realised_amount=2.0,
        missed_amount=-4.0,
        fee_amount=8.0,
        total_amount=7.0,
        decision_value=200.0,
    )


def test_there_is_no_fraction_of_nothing() -> None:
    found = converters.shortfall_to_proto(PlanShortfall(ImplementationShortfall(fee=Decimal(3)), ()))
    names = ("delay", "realised", "missed", "fee", "total")
    assert [found.HasField(name) for name in names] == [False] * 5
    assert [getattr(found, f"{name}_amount") for name in names] == [0.0, 0.0, 0.0, 3.0, 3.0]
    assert found.HasField("decision_value")


def test_an_answer_has_the_portfolio_and_the_rest() -> None:
    time = dt.datetime(2024, 2, 29, tzinfo=dt.UTC)
    record = PortfolioRecord("owner", "p", portfolio(cash=3.0), "etag", time, time)
    rest = RecordFillsResponse(realized_gains=[RecordFillsResponse.RealizedGain(symbol="A")])
    found = RecordFillsResponse.FromString(converters.answer_with_portfolio(rest.SerializeToString(), record))
    assert (found.portfolio.name, found.portfolio.etag, found.portfolio.cash) == ("portfolios/p", "etag", 3.0)
    assert list(found.realized_gains) == list(rest.realized_gains)
