"""The order of a day over the wire: worked examples whose figures were computed by hand, and what is refused.

The figures are those of docs/backtesting.md.
"""

import base64
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from absfin import Client, Panel

from tests.conftest import Wire

BACKTEST = "BacktestService/Backtest"
EPOCH = date(1970, 1, 1)


def civil(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}


def days(first: date, count: int, step: int = 1) -> list[date]:
    return [first + timedelta(step * i) for i in range(count)]


def panel(dates: list[date], **prices: list[float]) -> dict[str, Any]:
    values = ["NaN" if price != price else price for row in zip(*prices.values(), strict=True) for price in row]
    return {"symbols": list(prices), "dates": [(day - EPOCH).days for day in dates], "values": values}


def fixed(**weights: float) -> dict[str, Any]:
    return {"fixedWeights": {"weights": [{"symbol": name, "weight": weight} for name, weight in weights.items()]}}


def result(wire: Wire, dates: list[date], prices: dict[str, list[float]], **more: Any) -> dict[str, Any]:
    request = {"prices": panel(dates, **prices), "rebalancing": {"never": {}}, "periodsPerYear": 252, "wait": "60s"}
    answer = wire.call(BACKTEST, {**request, **more})
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED", answer
    found: dict[str, Any] = answer["result"] | {"name": answer["name"]}
    return found


def series(wire: Wire, name: str, kind: str) -> list[float]:
    parts = wire.stream("BacktestService/GetBacktestSeries", {"name": name, "series": f"BACKTEST_SERIES_{kind}"})
    found: list[float] = []
    for part in parts:
        if "rows" in part:
            found += np.frombuffer(base64.b64decode(part["rows"]["values"]["data"]), "<f8").tolist()
    return found


def holdings(answer: dict[str, Any]) -> dict[str, float]:
    return {one["symbol"]: one["quantity"] for one in answer.get("finalHoldings", [])}


def first_strategy(answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answer["strategies"][0]
    return found


MONDAY = date(2024, 1, 8)


def test_a_dividend_a_flow_and_a_fill_on_one_date(wire: Wire) -> None:
    """The net asset value counts the receivable, weights are of it, and the cost of the fill belongs to its date."""
    dates = days(MONDAY, 4)
    answer = result(
        wire,
        dates,
        {"A": [50.0, 49.5, 49.5, 49.5]},
        strategy=fixed(A=0.8),
        initialHoldings=[{"symbol": "A", "quantity": 100}],
        initialCapital=1000,
        priceBasis="PRICE_BASIS_SPLIT_ADJUSTED",
        corporateActions=[
            {"symbol": "A", "exDate": civil(dates[1]), "cashDividend": {"amount": 1.0, "payDate": civil(dates[3])}}
        ],
        cashFlows=[{"date": civil(dates[1]), "amount": 600}],
        costs={"commissionBps": 10},
    )
    navs, units = series(wire, answer["name"], "NAV"), series(wire, answer["name"], "EQUITY")
    assert navs[:2] == pytest.approx([6000.0, 6649.630295763389], rel=1e-12)
    assert answer["costs"]["commission"] == pytest.approx(0.36970423661071145, rel=1e-9)
    assert units[1] / units[0] - 1.0 == pytest.approx(0.008271715960564833, rel=1e-9)
    assert first_strategy(answer)["finalCash"] == pytest.approx(1229.926059 + 100.0, abs=1e-6)
    assert answer["reconciliation"]["flows"] == 600.0


@pytest.mark.parametrize(("withholding", "wealth"), [(0.0, 1.01), (0.15, 1.007)])
def test_a_dividend_in_cash(wire: Wire, withholding: float, wealth: float) -> None:
    dates = days(MONDAY, 2)
    answer = result(
        wire,
        dates,
        {"A": [50.0, 49.5]},
        strategy=fixed(A=1.0),
        initialHoldings=[{"symbol": "A", "quantity": 100}],
        priceBasis="PRICE_BASIS_SPLIT_ADJUSTED",
        withholdingRate=withholding,
        corporateActions=[{"symbol": "A", "exDate": civil(dates[1]), "cashDividend": {"amount": 1.0}}],
        rebalancing={"never": {}},
    )
    assert answer["metrics"]["finalWealth"] == pytest.approx(wealth, rel=1e-12)
    assert answer["costs"]["withholding"] == pytest.approx(100.0 * withholding, abs=1e-12)
    (event,) = answer["assetEvents"]
    assert (event["kind"], event["cash"]) == ("KIND_CASH_DIVIDEND", pytest.approx(100.0 * (1.0 - withholding)))


@pytest.mark.parametrize(
    ("units", "ratio", "price", "after", "cash"), [(101, 1.5, 40.0, 151.0, 20.0), (2, 1 / 7, 280.0, 0.0, 80.0)]
)
def test_a_split_of_whole_units(wire: Wire, units: int, ratio: float, price: float, after: float, cash: float) -> None:
    """What is left of a unit becomes cash at the price after the split: a 3:2 and a 1:7 reverse split."""
    dates = days(MONDAY, 3)
    answer = result(
        wire,
        dates,
        {"A": [price * ratio, price * ratio, price]},
        strategy={"equalWeight": {}},
        initialHoldings=[{"symbol": "A", "quantity": units}],
        fractionalHoldings=False,
        priceBasis="PRICE_BASIS_UNADJUSTED",
        corporateActions=[{"symbol": "A", "exDate": civil(dates[2]), "split": {"ratio": ratio}}],
    )
    (event,) = answer["assetEvents"]
    assert event["kind"] == "KIND_SPLIT"
    assert event.get("quantityAfter", 0.0) == after
    assert event["cash"] == pytest.approx(cash, rel=1e-12)
    assert answer["metrics"]["finalWealth"] == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(
    ("how", "wealth"),
    [
        ({"return": -0.3}, 0.63),
        ("DELISTING_POLICY_SHUMWAY_NYSE", 0.63),
        ("DELISTING_POLICY_SHUMWAY_NASDAQ", 0.405),
        ("DELISTING_POLICY_LAST_PRICE", 0.9),
        ("DELISTING_POLICY_ZERO", 0.0),
    ],
)
def test_a_delisting(wire: Wire, how: Any, wealth: float) -> None:
    """-10 % and then -30 % is -37 %; the policies of Shumway 1997, and Shumway and Warther 1999."""
    dates = days(MONDAY, 3)
    more: dict[str, Any] = {"delistingPolicy": how} if isinstance(how, str) else {}
    delisting = {} if isinstance(how, str) else how
    answer = result(
        wire,
        dates,
        {"A": [100.0, 90.0, float("nan")]},
        strategy={"equalWeight": {}},
        initialHoldings=[{"symbol": "A", "quantity": 1}],
        corporateActions=[{"symbol": "A", "exDate": civil(dates[2]), "delisting": delisting}],
        **more,
    )
    assert answer["metrics"].get("finalWealth", 0.0) == pytest.approx(wealth, abs=1e-12)


def test_a_delisting_without_a_return_is_refused_by_its_symbol(wire: Wire) -> None:
    dates = days(MONDAY, 3)
    request = {
        "prices": panel(dates, A=[1.0, 1.0, float("nan")], B=[1.0, 1.0, 1.0]),
        "strategy": {"equalWeight": {}},
        "corporateActions": [{"symbol": "A", "exDate": civil(dates[2]), "delisting": {}}],
    }
    refusal = wire.refused(BACKTEST, request)
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("delisting_policy",))
    assert "holders of A receive" in refusal.message


@pytest.mark.parametrize(
    ("count", "financing"),
    [("DAY_COUNT_ACT_360", 8.333333), ("DAY_COUNT_ACT_365F", 8.219178), ("DAY_COUNT_BARS", 3.968254)],
)
def test_financing_from_friday_to_monday(wire: Wire, count: str, financing: float) -> None:
    answer = result(
        wire,
        [date(2024, 1, 5), date(2024, 1, 8)],
        {"A": [100.0, 100.0]},
        strategy=fixed(A=1.2),
        execution={"fill": "FILL_SAME_CLOSE"},
        initialCapital=100_000,
        costs={"financingRateAnnual": 0.05, "dayCount": count},
    )
    assert answer["costs"]["financing"] == pytest.approx(financing, abs=1e-6)


def test_a_borrow_fee(wire: Wire) -> None:
    answer = result(
        wire,
        days(MONDAY, 2),
        {"A": [10.05, 10.05]},
        strategy=fixed(A=-1.0),
        execution={"fill": "FILL_SAME_CLOSE"},
        initialCapital=1005,
        costs={"borrowBpsAnnual": 300, "dayCount": "DAY_COUNT_ACT_360"},
    )
    assert answer["costs"]["borrow"] == pytest.approx(0.08375, rel=1e-9)


def test_a_management_fee(wire: Wire) -> None:
    answer = result(
        wire,
        days(MONDAY, 32),
        {"A": [1.0] * 32},
        strategy=fixed(A=0.0),
        initialCapital=1e6,
        costs={"managementFeeAnnual": 0.02},
    )
    assert answer["costs"]["managementFee"] == pytest.approx(1697.2347, abs=1e-4)


def test_a_performance_fee_over_the_high_water_mark(wire: Wire) -> None:
    """20 %; the net asset values before the fee of their date are 100, 110, 95 and 115: the fees are 2, 0 and 1.40."""
    dates = [date(2018, 12, 31), date(2019, 12, 31), date(2020, 12, 31), date(2021, 12, 31)]
    answer = performance_fee(wire, dates, [100.0, 110.0, 97.0, 117.0])
    assert series(wire, answer["name"], "NAV") == pytest.approx([100.0, 108.0, 95.0, 113.6], rel=1e-12)
    assert answer["costs"]["performanceFee"] == pytest.approx(3.4, rel=1e-12)


@pytest.mark.parametrize(("hurdle", "fee"), [("HURDLE_HARD", 1.0), ("HURDLE_SOFT", 2.0)])
def test_a_hurdle(wire: Wire, hurdle: str, fee: float) -> None:
    dates = [date(2018, 12, 31), date(2019, 12, 31)]
    answer = performance_fee(wire, dates, [100.0, 110.0], hurdleAnnual=0.05, hurdle=hurdle)
    assert answer["costs"]["performanceFee"] == pytest.approx(fee, rel=1e-12)


@pytest.mark.parametrize(
    ("hurdle", "fee"),
    [("HURDLE_HARD", 0.2 * (108.0 - 102.0 * (1.0 + 0.05 * 366 / 365))), ("HURDLE_SOFT", 0.2 * (108.0 - 102.0))],
)
def test_the_high_water_mark_rises_in_a_year_without_a_fee(wire: Wire, hurdle: str, fee: float) -> None:
    """102 is below the hurdle of 105: no fee, and the mark and the hurdle of the next year are counted from 102."""
    dates = [date(2018, 12, 31), date(2019, 12, 31), date(2020, 12, 31)]
    answer = performance_fee(wire, dates, [100.0, 102.0, 108.0], hurdleAnnual=0.05, hurdle=hurdle)
    assert series(wire, answer["name"], "NAV") == pytest.approx([100.0, 102.0, 108.0 - fee], rel=1e-12)
    assert answer["costs"]["performanceFee"] == pytest.approx(fee, rel=1e-12)


def test_a_hurdle_begins_anew_after_a_year_below_the_mark(wire: Wire) -> None:
    """100, 95, 106: 5 % of one year on the mark of 100, not of two: 0.20 on the point above 105 (and a leap day)."""
    dates = [date(2018, 12, 31), date(2019, 12, 31), date(2020, 12, 31)]
    answer = performance_fee(wire, dates, [100.0, 95.0, 106.0], hurdleAnnual=0.05)
    assert answer["costs"]["performanceFee"] == pytest.approx(0.2 * (106.0 - 100.0 - 5.0 * 366 / 365), rel=1e-12)


def performance_fee(wire: Wire, dates: list[date], prices: list[float], **more: Any) -> dict[str, Any]:
    return result(
        wire,
        dates,
        {"A": prices},
        strategy=fixed(A=1.0),
        execution={"fill": "FILL_SAME_CLOSE"},
        initialCapital=100,
        periodsPerYear=1,
        costs={"performanceFee": {"rate": 0.2, **more}},
    )


def test_time_and_money_weighted_returns(wire: Wire) -> None:
    """100, then 104 and 50 more at the end of day 10 of 30, 160 at the end."""
    dates = days(MONDAY, 31)
    level = [100.0] * 10 + [104.0] * 20 + [104.0 * 160.0 / 154.0]
    answer = result(
        wire,
        dates,
        {"A": level},
        strategy=fixed(A=1.0),
        execution={"fill": "FILL_SAME_CLOSE"},
        rebalancing={"everyPeriods": {"n": 1}},
        initialCapital=100,
        cashFlows=[{"date": civil(dates[10]), "amount": 50}],
    )
    assert answer["metrics"]["totalReturn"] == pytest.approx(0.08051948, abs=1e-8)
    assert answer["moneyWeightedReturn"] == pytest.approx(0.07522825, abs=1e-8)
    assert answer["finalNav"] == pytest.approx(160.0, rel=1e-12)
    assert answer["reconciliation"]["endNav"] == pytest.approx(160.0, rel=1e-12)


@pytest.mark.parametrize(
    ("destination", "nav", "units"),
    [
        ({"destination": "DESTINATION_EDGE"}, 109.99899969990997, (71.49934980494149, 38.49964989496849)),
        ({"destination": "DESTINATION_TARGET"}, 109.9879975995199, None),
    ],
)
def test_a_drift_band(wire: Wire, destination: dict[str, Any], nav: float, units: tuple[float, float] | None) -> None:
    """60/40 after +20 % and -5 %: to the edge of 5 points, and to the target, at 10 bps."""
    dates = days(MONDAY, 3)
    answer = result(
        wire,
        dates,
        {"A": [1.0, 1.2, 1.2], "B": [1.0, 0.95, 0.95]},
        strategy=fixed(A=0.6, B=0.4),
        initialHoldings=[{"symbol": "A", "quantity": 60}, {"symbol": "B", "quantity": 40}],
        chargeInitialPurchase=False,
        execution={"fill": "FILL_SAME_CLOSE"},
        rebalancing={"driftBand": {"absolute": 0.05, **destination}},
        costs={"commissionBps": 10},
    )
    assert answer["finalNav"] == pytest.approx(nav, rel=1e-12)
    if units is not None:
        held = holdings(first_strategy(answer))
        assert (held["A"] * 1.2, held["B"] * 0.95) == pytest.approx(units, rel=1e-12)


def test_the_edge_of_a_band_of_a_group(wire: Wire, server: Any) -> None:
    """A and B at .38 each are one point above .75 together: each sells half of it, and C buys it."""
    groups = {"GA": "x", "GB": "x", "GC": "y"}
    with Client(server.address) as client:
        client.import_prices(Panel.of(list(groups), days(MONDAY, 2), np.ones((2, 3))))
    instruments = [{"symbol": symbol, "groups": {"banded": name}} for symbol, name in groups.items()]
    wire.call("MarketDataService/UpsertInstruments", {"instruments": instruments})
    answer = result(
        wire,
        days(MONDAY, 2),
        {"GA": [1.0, 38.0 / 35.0], "GB": [1.0, 38.0 / 35.0], "GC": [1.0, 0.8]},
        strategy=fixed(GA=0.35, GB=0.35, GC=0.3),
        initialCapital=100,
        execution={"fill": "FILL_SAME_CLOSE"},
        rebalancing={
            "driftBand": {
                "absolute": 0.1,
                "byGroup": [{"group": "banded=x", "absolute": 0.05}],
                "destination": "DESTINATION_EDGE",
            }
        },
    )
    held = holdings(first_strategy(answer))
    assert [held["GA"] * 38.0 / 35.0, held["GC"] * 0.8] == pytest.approx([37.5, 25.0], rel=1e-12)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (
            {"corporateActions": [{"symbol": "A", "exDate": civil(MONDAY), "split": {"ratio": 2}}]},
            "corporate_actions[0].split",
        ),
        (
            {"corporateActions": [{"symbol": "Z", "exDate": civil(MONDAY), "delisting": {"return": 0}}]},
            "corporate_actions[0].symbol",
        ),
        (
            {"corporateActions": [{"symbol": "A", "exDate": civil(date(2001, 1, 1)), "delisting": {"return": 0}}]},
            "corporate_actions[0].ex_date",
        ),
        ({"cashFlows": [{"date": civil(date(2030, 1, 1)), "amount": 5}]}, "cash_flows[0].date"),
        ({"cashFlows": [{"date": civil(MONDAY), "amount": 5}]}, "cash_flows[0].date"),
        ({"rebalancing": {"driftBand": {}}}, "rebalancing.drift_band"),
        (
            {"rebalancing": {"driftBand": {"absolute": 0.1, "byAsset": [{"symbol": "Z", "absolute": 0.1}]}}},
            "rebalancing.drift_band.by_asset[0].symbol",
        ),
        ({"rebalancing": {"calendar": {"day": "REBALANCE_DAY_NTH"}}}, "rebalancing.calendar.nth_day"),
        ({"costs": {"impact": {"squareRoot": {"coefficient": 1}}}}, "costs.liquidity"),
        ({"costs": {"minCommission": 2, "maxCommission": 1}}, "costs.max_commission"),
        ({"costs": {"cashRates": [{"date": civil(MONDAY), "rateAnnual": 0.1}] * 2}}, "costs.cash_rates[1].date"),
        ({"execution": {"fill": "FILL_NEXT_OPEN"}}, "open_prices"),
        ({"initialHoldings": [{"symbol": "Z", "quantity": 1}]}, "initial_holdings[0].symbol"),
        (
            {"fractionalHoldings": False, "initialHoldings": [{"symbol": "A", "quantity": 1.5}]},
            "initial_holdings[0].quantity",
        ),
    ],
)
def test_what_cannot_be_simulated_is_refused_by_its_field(wire: Wire, wrong: dict[str, Any], path: str) -> None:
    request = {"prices": panel(days(MONDAY, 4), A=[1.0, 2.0, 3.0, 2.0]), "strategy": {"equalWeight": {}}}
    refusal = wire.refused(BACKTEST, {**request, **wrong})
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", (path,))
