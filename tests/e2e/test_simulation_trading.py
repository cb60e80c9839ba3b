"""Trades of a backtest over the wire: flows only, bands of cash, carried purchases, and the first purchase."""

from datetime import date
from typing import Any

import pytest

from tests.conftest import Wire
from tests.e2e.test_simulation import MONDAY, civil, days, first_strategy, fixed, holdings, result, series

FLAT = [1.0] * 4
SAME_CLOSE = {"execution": {"fill": "FILL_SAME_CLOSE"}}


def test_flows_only_sells_nothing_before_a_fill(wire: Wire) -> None:
    """20 come in on the third date and are filled on the fourth, where B has doubled: 10 for A, 10 for B."""
    dates = days(MONDAY, 4)
    answer = result(
        wire,
        dates,
        {"A": FLAT, "B": [1.0, 1.0, 1.0, 2.0]},
        strategy=fixed(A=0.5, B=0.5),
        initialCapital=100,
        cashFlows=[{"date": civil(dates[2]), "amount": 20}],
        rebalancing={"flowsOnly": True, "never": {}},
    )
    assert holdings(first_strategy(answer)) == pytest.approx({"A": 60.0, "B": 55.0}, rel=1e-12)


def test_a_withdrawal_sells_nothing(wire: Wire) -> None:
    dates = days(MONDAY, 4)
    answer = result(
        wire,
        dates,
        {"A": FLAT, "B": FLAT},
        strategy=fixed(A=0.5, B=0.5),
        initialCapital=100,
        cashFlows=[{"date": civil(dates[2]), "amount": -30}],
        rebalancing={"flowsOnly": True, "never": {}},
    )
    strategy = first_strategy(answer)
    assert holdings(strategy) == pytest.approx({"A": 50.0, "B": 50.0}, rel=1e-12)
    assert strategy["finalCash"] == pytest.approx(-30.0, rel=1e-12)


@pytest.mark.parametrize(
    ("choice", "cash"), [({"destination": "DESTINATION_EDGE"}, 0.15), ({"scope": "BAND_SCOPE_BREACHED"}, 0.2)]
)
def test_a_band_of_cash_is_repaired_once(wire: Wire, choice: dict[str, Any], cash: float) -> None:
    """Half and .3 beside cash of .2: both double, and cash is 1/9, below its band of 5 points; the others have 20."""
    wide = [{"symbol": name, "absolute": 0.2} for name in "AB"]
    doubled = [1.0, 2.0, 2.0, 2.0]
    answer = result(
        wire,
        days(MONDAY, 4),
        {"A": doubled, "B": doubled},
        strategy=fixed(A=0.5, B=0.3),
        initialCapital=100,
        rebalancing={"driftBand": {"absolute": 0.05, "byAsset": wide, **choice}},
        **SAME_CLOSE,
    )
    strategy = first_strategy(answer)
    assert strategy["rebalanceCount"] == 2
    assert strategy["finalCash"] / answer["finalNav"] == pytest.approx(cash, rel=1e-12)
    sold = 0.5 * (cash - 1.0 / 9.0) * 180.0
    expected = {"A": (100.0 - sold) / 2.0, "B": (60.0 - sold) / 2.0}
    assert holdings(strategy) == pytest.approx(expected, rel=1e-12)


def test_a_carried_purchase_does_not_overdraw_cash(wire: Wire) -> None:
    """A is halted where it is to be 60 %; until it can be bought B triples, and 60 % are more than the cash."""
    dates = days(MONDAY, 4)
    schedule = {
        "schedule": {
            "entries": [
                {"date": civil(dates[0]), "weights": [{"symbol": "B", "weight": 0.4}]},
                {
                    "date": civil(dates[1]),
                    "weights": [{"symbol": "A", "weight": 0.6}, {"symbol": "B", "weight": 0.4}],
                },
            ]
        }
    }
    answer = result(
        wire,
        dates,
        {"A": [1.0, float("nan"), 1.0, 1.0], "B": [1.0, 1.0, 3.0, 3.0]},
        strategy=schedule,
        initialCapital=100,
        missingData="MISSING_DATA_POLICY_ASSET_STATES",
        **SAME_CLOSE,
    )
    strategy = first_strategy(answer)
    assert holdings(strategy) == pytest.approx({"A": 60.0, "B": 40.0}, rel=1e-12)
    assert strategy.get("finalCash", 0.0) == pytest.approx(0.0, abs=1e-9)


def test_the_first_rebalancing_of_holdings_is_paid_and_capped(wire: Wire) -> None:
    """100 of A become half A and half B: 1 % of 100 that are traded; of a cap of a tenth, 20 are."""
    request: dict[str, Any] = {
        "strategy": fixed(A=0.5, B=0.5),
        "initialHoldings": [{"symbol": "A", "quantity": 100}],
        "chargeInitialPurchase": False,
        "costs": {"commissionBps": 100},
        **SAME_CLOSE,
    }
    answer = result(wire, days(MONDAY, 4), {"A": FLAT, "B": FLAT}, **request)
    assert answer["costs"]["commission"] == pytest.approx(1.0, rel=1e-12)
    request["rebalancing"] = {"never": {}, "maxTurnover": 0.1}
    capped = result(wire, days(MONDAY, 4), {"A": FLAT, "B": FLAT}, **request)
    assert capped["costs"]["commission"] == pytest.approx(0.2, rel=1e-12)
    assert holdings(first_strategy(capped))["A"] == pytest.approx(89.9, rel=1e-12)


@pytest.mark.parametrize(
    ("entries", "units", "cash"),
    [
        # 100 of A and a dividend of 20 that is paid on the seventh date: B is worth 120, and 100 of it are bought.
        ((1, 3), 10.0, 20.0),
        # The decision after the pay date invests the dividend.
        ((1, 3, 6), 12.0, 0.0),
        # One while it is unpaid has no cash either.
        ((1, 3, 4), 10.0, 20.0),
    ],
)
def test_a_purchase_that_an_unpaid_dividend_would_pay_for(
    wire: Wire, entries: tuple[int, ...], units: float, cash: float
) -> None:
    """It is cut to the cash that is there; the rest is not carried, but left to the next decision."""
    dates = days(MONDAY, 9)
    weights = [{"symbol": "A", "weight": 1}], [{"symbol": "B", "weight": 1}]
    answer = result(
        wire,
        dates,
        {"A": [10.0] * 9, "B": [10.0] * 9},
        strategy={
            "schedule": {"entries": [{"date": civil(dates[t]), "weights": weights[t > 1]} for t in entries]},
        },
        initialCapital=100,
        priceBasis="PRICE_BASIS_SPLIT_ADJUSTED",
        corporateActions=[
            {"symbol": "A", "exDate": civil(dates[3]), "cashDividend": {"amount": 2, "payDate": civil(dates[6])}}
        ],
    )
    strategy = first_strategy(answer)
    assert holdings(strategy) == pytest.approx({"B": units}, rel=1e-12)
    assert strategy.get("finalCash", 0.0) == pytest.approx(cash, abs=1e-9)
    assert answer["finalNav"] == pytest.approx(120.0, rel=1e-12)


def test_the_nth_date_of_a_first_period_that_began_before_the_input(wire: Wire) -> None:
    """From Wednesday 17 January: the third date of the input in January is the 19th, that of February the 5th."""
    dates = [day for day in days(date(2024, 1, 17), 23) if day.weekday() < 5]
    rising = [10.0 * 1.01**i for i in range(len(dates))]
    answer = result(
        wire,
        dates,
        {"A": rising, "B": [10.0] * len(dates)},
        strategy=fixed(A=0.5, B=0.5),
        rebalancing={"calendar": {"day": "REBALANCE_DAY_NTH", "nthDay": 3}},
        **SAME_CLOSE,
    )
    trades = series(wire, answer["name"], "TRADES")[::2]
    traded = [day for day, trade in zip(dates, trades, strict=True) if trade != 0.0]
    assert traded == [date(2024, 1, 17), date(2024, 1, 19), date(2024, 2, 5)]


def test_a_carried_purchase_stops_when_its_asset_leaves_the_universe(wire: Wire) -> None:
    """10 of 50 of A on each of the first two dates; on the third one B alone is a member."""
    dates = days(MONDAY, 4)
    answer = result(
        wire,
        dates,
        {"A": FLAT, "B": FLAT},
        strategy=fixed(A=0.5, B=0.5),
        initialCapital=100,
        rebalancing={"never": {}},
        execution={"fill": "FILL_SAME_CLOSE", "maxParticipation": 0.1},
        costs={"liquidity": [{"symbol": "A", "dailyValue": 100}, {"symbol": "B", "dailyValue": 1e6}]},
        universe=[
            {"date": civil(dates[0]), "symbols": ["A", "B"]},
            {"date": civil(dates[2]), "symbols": ["B"]},
        ],
    )
    assert holdings(first_strategy(answer)) == pytest.approx({"A": 20.0, "B": 50.0}, rel=1e-12)


def test_a_limit_of_a_date_is_used_once_beside_a_band(wire: Wire) -> None:
    """A tenth on each date: a fifth at first in two halves, then the band goes on with the next fifth."""
    answer = result(
        wire,
        days(MONDAY, 4),
        {"A": FLAT, "B": FLAT},
        strategy=fixed(A=1.0),
        initialHoldings=[{"symbol": "B", "quantity": 1000}],
        rebalancing={"driftBand": {"absolute": 0.05}, "never": {}, "maxTurnover": 0.2},
        execution={"fill": "FILL_SAME_CLOSE", "maxParticipation": 0.1},
        costs={"liquidity": [{"symbol": name, "dailyValue": 1000} for name in "AB"]},
    )
    assert holdings(first_strategy(answer)) == pytest.approx({"A": 400.0, "B": 600.0}, rel=1e-12)


def test_an_asset_that_is_listed_late_is_bought_beside_a_band(wire: Wire) -> None:
    answer = result(
        wire,
        days(MONDAY, 4),
        {"A": FLAT, "B": [float("nan"), float("nan"), 1.0, 1.0]},
        strategy={"equalWeight": {}},
        initialCapital=100,
        rebalancing={"driftBand": {"absolute": 0.6}, "never": {}},
        missingData="MISSING_DATA_POLICY_ASSET_STATES",
        **SAME_CLOSE,
    )
    assert holdings(first_strategy(answer)) == pytest.approx({"A": 50.0, "B": 50.0}, rel=1e-12)
