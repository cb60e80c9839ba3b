"""Stored corporate actions over the wire: what is stored and listed, what is refused, and backtests that use them."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from absfin import CashDividend, Client, CorporateAction, Delisting, Instrument, Panel, Split

from tests.conftest import RunningServer, Wire
from tests.e2e.test_progress import figures_of, follow, wait_for_checkpoint
from tests.e2e.test_simulation import civil, first_strategy, series

UPSERT = "MarketDataService/UpsertCorporateActions"
LIST = "MarketDataService/ListCorporateActions"
BACKTEST = "BacktestService/Backtest"

MONDAY = date(2024, 1, 8)
DAYS = [MONDAY + timedelta(i) for i in range(5)]
DIVIDEND = {"cashDividend": {"amount": 1.0}}
SPLIT = {"split": {"ratio": 2.0}}


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[Client]:
    with Client(server.address) as opened:
        yield opened


def stored(client: Client, symbol: str, prices: list[float]) -> str:
    client.import_prices(Panel.of([symbol], DAYS[: len(prices)], [[price] for price in prices]), import_id=symbol)
    return symbol


def action(symbol: str, day: date, **event: Any) -> dict[str, Any]:
    return {"symbol": symbol, "exDate": civil(day), **event}


def run(wire: Wire, symbol: str, **more: Any) -> dict[str, Any]:
    """A backtest of 100 units of a stored asset."""
    request = {
        "marketData": {"symbols": [symbol]},
        "strategy": {"fixedWeights": {"weights": [{"symbol": symbol, "weight": 1.0}]}},
        "initialHoldings": [{"symbol": symbol, "quantity": 100}],
        "rebalancing": {"never": {}},
        "periodsPerYear": 252,
        "wait": "60s",
    }
    answer = wire.call(BACKTEST, {**request, **more})
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED", answer
    found: dict[str, Any] = answer["result"] | {"name": answer["name"]}
    return found


def kinds(answer: dict[str, Any]) -> list[str]:
    return [event["kind"].removeprefix("KIND_") for event in answer.get("assetEvents", [])]


def test_what_is_stored_is_listed_by_symbol_and_date(client: Client) -> None:
    names = [stored(client, f"list-{letter}", [1.0] * 5) for letter in "ab"]
    sent: list[CorporateAction] = [
        Delisting(names[1], DAYS[4], -0.3),
        CashDividend(names[1], DAYS[2], 0.5, DAYS[4]),
        CashDividend(names[0], DAYS[1], 1.0),
        Split(names[0], DAYS[1], 0.1),
    ]
    assert client.upsert_corporate_actions(sent) == 4
    assert list(client.corporate_actions(names)) == [sent[2], sent[3], sent[1], sent[0]]
    assert list(client.corporate_actions(names, DAYS[2], DAYS[3])) == [sent[1]]
    assert list(client.corporate_actions([names[0]])) == [sent[2], sent[3]]
    assert list(client.corporate_actions(["list-unknown"])) == []
    assert set(sent) <= set(client.corporate_actions())


def test_the_same_key_again_replaces(client: Client) -> None:
    symbol = stored(client, "sent-again", [1.0] * 5)
    first, other = CashDividend(symbol, DAYS[1], 1.0, DAYS[2]), CashDividend(symbol, DAYS[1], 2.0)
    for sent in (first, first, other):
        assert client.upsert_corporate_actions([sent]) == 1
    assert list(client.corporate_actions([symbol])) == [other]


def test_a_symbol_has_one_delisting(client: Client) -> None:
    symbol = stored(client, "delisted-later", [1.0] * 5)
    client.upsert_corporate_actions([Delisting(symbol, DAYS[2]), Split(symbol, DAYS[1], 2.0)])
    client.upsert_corporate_actions([Delisting(symbol, DAYS[3])])
    assert list(client.corporate_actions([symbol])) == [Split(symbol, DAYS[1], 2.0), Delisting(symbol, DAYS[3])]


def test_a_list_comes_in_pages(wire: Wire, client: Client) -> None:
    names = [stored(client, f"page.{letter}", [1.0] * 5) for letter in "ab"]
    sent = [CashDividend(name, day, 1.0) for name in names for day in DAYS]
    client.upsert_corporate_actions([*sent, *(Split(name, DAYS[0], 2.0) for name in names)])
    request: dict[str, Any] = {"symbols": names, "pageSize": 5}
    found: list[dict[str, Any]] = []
    sizes: list[int] = []
    token = ""
    while True:
        page = wire.call(LIST, {**request, "pageToken": token})
        sizes.append(len(page["corporateActions"]))
        found += page["corporateActions"]
        token = page.get("nextPageToken", "")
        if not token:
            break
        last = token
    assert sizes == [5, 5, 2]
    keys = [(one["symbol"], one["exDate"]["day"], "split" in one) for one in found]
    assert keys == sorted(keys)
    assert len(set(keys)) == 12
    assert wire.refused(LIST, {"symbols": names[:1], "pageToken": last}).fields == ("page_token",)
    assert wire.refused(LIST, {**request, "pageToken": "garbage"}).fields == ("page_token",)


def test_a_range_that_ends_before_it_begins_is_refused(wire: Wire) -> None:
    refusal = wire.refused(LIST, {"startDate": civil(DAYS[1]), "endDate": civil(DAYS[0])})
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("end_date",))
    refusal = wire.refused(LIST, {"startDate": {"year": 2023, "month": 2, "day": 30}})
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("start_date",))


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ([action("not stored", DAYS[1], **SPLIT)], "corporate_actions[1].symbol", "not stored"),
        ([action("wrong", DAYS[1], split={"ratio": 0})], "corporate_actions[1].split.ratio", ""),
        ([action("wrong", DAYS[1], delisting={"return": -1.1})], "corporate_actions[1].delisting.return", ""),
        ([action("wrong", DAYS[1], cashDividend={"amount": -1})], "corporate_actions[1].cash_dividend.amount", ""),
        (
            [action("wrong", DAYS[1], cashDividend={"amount": 1, "payDate": civil(DAYS[0])})],
            "corporate_actions[1].cash_dividend.pay_date",
            "before the ex-date",
        ),
        ([action("wrong", DAYS[0] - timedelta(1), **SPLIT)], "corporate_actions[1].ex_date", "2024-01-08"),
        ([action("wrong", DAYS[1], **SPLIT)] * 2, "corporate_actions[2]", "contradicts corporate_actions[1]"),
        (
            [action("wrong", DAYS[1], **DIVIDEND), action("wrong", DAYS[1], cashDividend={"amount": 2})],
            "corporate_actions[2]",
            "contradicts corporate_actions[1]",
        ),
        (
            [action("wrong", DAYS[1], delisting={}), action("wrong", DAYS[2], delisting={})],
            "corporate_actions[2]",
            "has one delisting",
        ),
        (
            [action("wrong", DAYS[2], **SPLIT), action("wrong", DAYS[1], delisting={})],
            "corporate_actions[1].ex_date",
            "after the delisting",
        ),
        ([action("wrong", DAYS[1])], "corporate_actions[1]", "split, cash_dividend, delisting"),
    ],
)
def test_what_is_wrong_is_refused_by_its_field_and_nothing_is_stored(
    wire: Wire, client: Client, wrong: list[dict[str, Any]], field: str, words: str
) -> None:
    stored(client, "wrong", [1.0] * 5)
    refusal = wire.refused(UPSERT, {"corporateActions": [action("wrong", DAYS[0], **DIVIDEND), *wrong]})
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", (field,)), refusal
    assert words in refusal.message
    assert list(client.corporate_actions(["wrong"])) == []


def test_an_instrument_without_prices_is_enough(client: Client) -> None:
    client.upsert_instruments([Instrument("no prices")])
    assert client.upsert_corporate_actions([Split("no prices", date(1980, 1, 1), 2.0)]) == 1


def test_adjusted_prices_take_only_delistings(wire: Wire, client: Client) -> None:
    symbol = stored(client, "adjusted", [50.0, 50.0, 50.0, 40.0, 40.0])
    client.upsert_corporate_actions(
        [CashDividend(symbol, DAYS[1], 1.0), Split(symbol, DAYS[2], 2.0), Delisting(symbol, DAYS[4], -0.5)]
    )
    answer = run(wire, symbol)
    assert kinds(answer) == ["DELISTING"]
    assert series(wire, answer["name"], "NAV")[-1] == pytest.approx(100 * 40.0 * 0.5)


def test_split_adjusted_prices_take_dividends_too(wire: Wire, client: Client) -> None:
    symbol = stored(client, "split-adjusted", [50.0, 50.0, 49.0, 49.0, 49.0])
    client.upsert_corporate_actions([CashDividend(symbol, DAYS[2], 1.0), Split(symbol, DAYS[3], 2.0)])
    answer = run(wire, symbol, priceBasis="PRICE_BASIS_SPLIT_ADJUSTED")
    assert kinds(answer) == ["CASH_DIVIDEND"]
    assert series(wire, answer["name"], "NAV") == pytest.approx([5000.0] * 5)
    assert first_strategy(answer)["finalCash"] == pytest.approx(100.0)


def test_unadjusted_prices_take_everything(wire: Wire, client: Client) -> None:
    symbol = stored(client, "unadjusted", [50.0, 50.0, 49.0, 24.5, 24.5])
    client.upsert_corporate_actions(
        [CashDividend(symbol, DAYS[2], 1.0), Split(symbol, DAYS[3], 2.0), Delisting(symbol, DAYS[4], -1.0)]
    )
    answer = run(wire, symbol, priceBasis="PRICE_BASIS_UNADJUSTED")
    assert kinds(answer) == ["CASH_DIVIDEND", "SPLIT", "DELISTING"]
    assert series(wire, answer["name"], "NAV") == pytest.approx([5000.0] * 4 + [100.0])


def test_what_lies_outside_the_dates_is_left_out(wire: Wire, client: Client) -> None:
    """Of a range of dates, and of the prices that are stored: nothing is known of what comes later."""
    symbol = stored(client, "outside", [50.0, 50.0, 25.0, 25.0, 24.0])
    client.upsert_corporate_actions(
        [Split(symbol, DAYS[2], 2.0), CashDividend(symbol, DAYS[4], 1.0), Split(symbol, date(2030, 1, 1), 3.0)]
    )
    selection = {"symbols": [symbol], "startDate": civil(DAYS[0]), "endDate": civil(DAYS[3])}
    basis = "PRICE_BASIS_UNADJUSTED"
    assert kinds(run(wire, symbol, marketData=selection, priceBasis=basis)) == ["SPLIT"]
    assert kinds(run(wire, symbol, priceBasis=basis)) == ["SPLIT", "CASH_DIVIDEND"]
    late = {"symbols": [symbol], "startDate": civil(DAYS[3])}
    assert kinds(run(wire, symbol, marketData=late, priceBasis=basis)) == ["CASH_DIVIDEND"]


def test_actions_of_the_request_replace_stored_ones(wire: Wire, client: Client) -> None:
    symbol = stored(client, "replaced", [50.0, 49.0, 24.5, 24.5, 24.5])
    client.upsert_corporate_actions(
        [CashDividend(symbol, DAYS[1], 7.0), Split(symbol, DAYS[2], 2.0), Delisting(symbol, DAYS[3], -1.0)]
    )
    answer = run(
        wire,
        symbol,
        priceBasis="PRICE_BASIS_UNADJUSTED",
        corporateActions=[
            action(symbol, DAYS[1], **DIVIDEND),
            action(symbol, DAYS[4], delisting={"return": 0}),
        ],
    )
    assert kinds(answer) == ["CASH_DIVIDEND", "SPLIT", "DELISTING"]
    assert series(wire, answer["name"], "NAV") == pytest.approx([5000.0] * 5)


def test_stored_and_inline_actions_give_the_same_result(wire: Wire, client: Client) -> None:
    prices = [50.0, 49.0, 24.5, 25.0, 26.0]
    one, other = stored(client, "same-stored", prices), stored(client, "same-inline", prices)
    client.upsert_corporate_actions([CashDividend(one, DAYS[1], 1.0, DAYS[3]), Split(one, DAYS[2], 2.0)])
    sent = [
        action(other, DAYS[1], cashDividend={"amount": 1.0, "payDate": civil(DAYS[3])}),
        action(other, DAYS[2], **SPLIT),
    ]
    found = run(wire, one, priceBasis="PRICE_BASIS_UNADJUSTED", dividendPolicy="DIVIDEND_POLICY_REINVEST")
    expected = run(
        wire,
        other,
        priceBasis="PRICE_BASIS_UNADJUSTED",
        dividendPolicy="DIVIDEND_POLICY_REINVEST",
        corporateActions=sent,
    )
    for kind in ("NAV", "EQUITY"):
        assert series(wire, found["name"], kind) == series(wire, expected["name"], kind)
    assert found["metrics"] == expected["metrics"]


def test_later_corrections_change_no_finished_job(wire: Wire, client: Client) -> None:
    symbol = stored(client, "kept", [50.0, 49.0, 24.5, 24.5, 24.5])
    client.upsert_corporate_actions([CashDividend(symbol, DAYS[1], 1.0), Split(symbol, DAYS[2], 2.0)])
    answer = run(wire, symbol, priceBasis="PRICE_BASIS_UNADJUSTED")
    before = {kind: series(wire, answer["name"], kind) for kind in ("NAV", "WEIGHTS", "TRADES", "DRAWDOWN")}
    client.upsert_corporate_actions([Split(symbol, DAYS[2], 3.0)])
    assert {kind: series(wire, answer["name"], kind) for kind in before} == before
    corrected = run(wire, symbol, priceBasis="PRICE_BASIS_UNADJUSTED")
    assert corrected["inputFingerprint"] != answer["inputFingerprint"]
    assert series(wire, corrected["name"], "NAV") != before["NAV"]


@pytest.mark.alone  # its time is that of a job, run twice
@pytest.mark.timeout(300)
def test_a_job_that_is_taken_over_has_the_actions_it_began_with(start_server: Callable[..., RunningServer]) -> None:
    """The store is corrected while it runs, its server is killed, and another one goes on."""
    names, count = [f"S{i}" for i in range(16)], 5_000  # some seconds of work: it must not end before it is killed
    growth = np.random.default_rng(3).normal(0.0004, 0.01, (count, len(names)))
    values = 100.0 * np.cumprod(1.0 + growth, axis=0)
    values[count // 2 :, 0] /= 2.0
    prices = Panel.of(names, np.arange(6_000, 6_000 + count), values)
    days = [date(1970, 1, 1) + timedelta(int(day)) for day in prices.dates]
    dividends = [CashDividend(name, day, 0.2, day + timedelta(20)) for name in names for day in days[60::60]]
    request = {
        "marketData": {"symbols": names},
        "strategy": {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 100}},
        "rebalancing": {"everyPeriods": {"n": 1}},
        "priceBasis": "PRICE_BASIS_UNADJUSTED",
    }
    first = start_server()
    with first.channel() as channel, Client(first.address) as client:
        wire = Wire(channel)
        client.import_prices(prices)
        client.upsert_corporate_actions([*dividends, Split("S0", days[count // 2], 2.0)])
        undisturbed = wire.call(BACKTEST, {**request, "wait": "100s"}, timeout=110.0)
        name = wire.call(BACKTEST, request)["name"]
        wait_for_checkpoint(wire, name)
        client.upsert_corporate_actions([Split("S0", days[count // 2], 1.0)])
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait(20)
    second = start_server(data_dir=first.data_dir)
    with second.channel() as channel:
        wire = Wire(channel)
        milestones = [one["milestone"]["kind"] for one in follow(wire, name) if "milestone" in one]
        assert milestones == ["KIND_STAGE", "KIND_RESUMED"]
        assert figures_of(wire, name) == figures_of(wire, undisturbed["name"])
        assert series(wire, name, "WEIGHTS") == series(wire, undisturbed["name"], "WEIGHTS")
        assert kinds(undisturbed["result"]).count("SPLIT") == 1


def test_an_action_that_takes_no_effect_changes_no_fingerprint(wire: Wire, client: Client) -> None:
    symbol = stored(client, "no effect", [50.0, 49.0, 49.0, 49.0, 49.0])
    before = run(wire, symbol)
    client.upsert_corporate_actions([CashDividend(symbol, DAYS[1], 1.0), Split(symbol, DAYS[2], 2.0)])
    assert run(wire, symbol)["inputFingerprint"] == before["inputFingerprint"]


def test_an_error_names_the_stored_action(wire: Wire, client: Client) -> None:
    symbol = stored(client, "early", [50.0] * 5)
    client.upsert_corporate_actions([Delisting(symbol, DAYS[2], 0.0)])
    request = {"marketData": {"symbols": [symbol]}, "strategy": {"equalWeight": {}}, "validateOnly": True}
    refusal = wire.refused(BACKTEST, request)
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("market_data",))
    assert "the stored delisting of early on 2024-01-10" in refusal.message
    client.upsert_corporate_actions([Delisting(symbol, DAYS[4])])
    assert wire.refused(BACKTEST, request).fields == ("delisting_policy",)
    wire.call(BACKTEST, {**request, "delistingPolicy": "DELISTING_POLICY_ZERO"})
    contradicting = {**request, "priceBasis": "PRICE_BASIS_UNADJUSTED", "delistingPolicy": "DELISTING_POLICY_ZERO"}
    client.upsert_corporate_actions([Delisting(symbol, DAYS[3])])
    wire.call(BACKTEST, {**contradicting, "corporateActions": [action(symbol, DAYS[4], delisting={})]})


def with_benchmark(symbol: str, **more: Any) -> dict[str, Any]:
    """A strategy on sent prices of five dates beside a stored benchmark."""
    return {
        "prices": {"symbols": ["sent"], "dates": [(day - date(1970, 1, 1)).days for day in DAYS], "values": [10.0] * 5},
        "strategy": {"equalWeight": {}},
        "benchmarks": [{"symbol": symbol}],
        "periodsPerYear": 252,
        "wait": "60s",
        **more,
    }


def beside(wire: Wire, symbol: str, **more: Any) -> dict[str, Any]:
    """Figures of the benchmark."""
    answer = wire.call(BACKTEST, with_benchmark(symbol, **more))
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED", answer
    figures: dict[str, Any] = answer["result"]["benchmarks"][0]["metrics"]
    return figures


def test_a_stored_benchmark_has_its_stored_splits_and_dividends(wire: Wire, client: Client) -> None:
    symbol = stored(client, "benchmark", [50.0, 50.0, 49.0, 24.5, 24.5])
    client.upsert_corporate_actions([CashDividend(symbol, DAYS[2], 1.0), Split(symbol, DAYS[3], 2.0)])
    assert beside(wire, symbol, priceBasis="PRICE_BASIS_UNADJUSTED")["finalWealth"] == pytest.approx(50.0 / 49.0 * 0.98)
    assert beside(wire, symbol, priceBasis="PRICE_BASIS_SPLIT_ADJUSTED")["finalWealth"] == pytest.approx(0.5)
    assert beside(wire, symbol)["finalWealth"] == pytest.approx(0.49)


def test_a_stored_benchmark_that_is_delisted_after_its_last_price(wire: Wire, client: Client) -> None:
    """40 and a return of -50 % are 20, which stay to the end and earn the cash rate from the date after."""
    symbol = stored(client, "delisted benchmark", [50.0, 50.0, 40.0])
    client.upsert_corporate_actions([Delisting(symbol, DAYS[3], -0.5)])
    figures = beside(wire, symbol)
    assert (figures["finalWealth"], figures["endDate"]) == (pytest.approx(0.4), civil(DAYS[4]))
    assert figures["observations"] == 4
    earning = beside(wire, symbol, costs={"cashRateAnnual": 0.0365})
    assert earning["finalWealth"] == pytest.approx(0.4 * 1.0001, rel=1e-12)


def test_a_stored_benchmark_without_a_delisting_return_is_refused_by_name(wire: Wire, client: Client) -> None:
    symbol = stored(client, "unpaid benchmark", [50.0, 50.0, 40.0])
    client.upsert_corporate_actions([Delisting(symbol, DAYS[3])])
    assert beside(wire, symbol, delistingPolicy="DELISTING_POLICY_ZERO")["finalWealth"] == 0.0
    refusal = wire.refused(BACKTEST, with_benchmark(symbol))
    assert refusal.fields == ("delisting_policy",)
    assert f"holders of {symbol} receive" in refusal.message
