"""Reallocations that weigh a tracking error, market impact or fees, beside every plan of whole lots."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from absfin import Client, Holdings, Stored, trading_costs

from tests.conftest import RunningServer, Wire
from tests.e2e.test_reallocation import REALLOCATE, ask, asset, trades_of

TRACKING = {"deviation": "DEVIATION_TRACKING_ERROR"}
TWO = [asset("A", 50.0, volatilityAnnual=0.4), asset("B", 30.0, volatilityAnnual=0.2)]
CORRELATION = [1.0, 0.8, 0.8, 1.0]


def traded(answer: dict[str, Any]) -> dict[str, float]:
    return {trade["symbol"]: trade["quantity"] for trade in answer.get("plan", {}).get("trades", [])}


def best(
    held: tuple[int, int],
    cash: float,
    prices: tuple[float, float],
    cost: Callable[[int, int], float],
    objective: Callable[[np.ndarray, float], float],
    most: int = 60,
) -> tuple[float, tuple[int, int]]:
    """The least objective of the weights after trades and of their cost over net asset value, and its trades."""
    found = []
    nav = cash + held[0] * prices[0] + held[1] * prices[1]
    for units in itertools.product(range(-held[0], most), range(-held[1], most)):
        paid = sum(cost(i, abs(each)) for i, each in enumerate(units) if each)
        left = cash - units[0] * prices[0] - units[1] * prices[1] - paid
        if left < -1e-9 and max(units) > 0:
            continue
        after = nav - paid
        weights = np.array([(h + u) * p / after for h, u, p in zip(held, units, prices, strict=True)])
        found.append((objective(weights, paid / after), units))
    return min(found)


def test_the_tracking_error_is_made_small_by_the_covariance_of_the_snapshot(wire: Wire) -> None:
    """B moves with A: a little more of B stands for the A that the cash does not buy."""
    request = ask({"B": 3}, 130.0, {"A": 0.6, "B": 0.4}, TWO, tradeOff=TRACKING, validateOnly=True)
    request["snapshot"]["correlation"] = CORRELATION
    covariance = np.array(CORRELATION).reshape(2, 2) * np.outer([0.4, 0.2], [0.4, 0.2])

    def error(weights: np.ndarray, _: float) -> float:
        away = weights - np.array([0.6, 0.4])
        return math.sqrt(away @ covariance @ away)

    value, units = best((0, 3), 130.0, (50.0, 30.0), lambda *_: 0.0, error)
    answer = wire.call(REALLOCATE, request)
    assert (traded(answer).get("A", 0.0), traded(answer).get("B", 0.0)) == units
    assert answer["summary"]["trackingErrorAnnual"] == pytest.approx(value, rel=1e-9)
    assert answer["plan"]["optimal"]
    near = wire.call(REALLOCATE, {**request, "tradeOff": {}})
    assert traded(near) != traded(answer)
    assert near["summary"]["residualDrift"] < answer["summary"]["residualDrift"]
    assert near["summary"]["trackingErrorAnnual"] > answer["summary"]["trackingErrorAnnual"]


def test_the_tracking_error_is_made_small_by_the_sample_covariance_of_stored_prices(
    sample_server: RunningServer,
) -> None:
    with Client(sample_server.address) as client:
        prices = np.asarray(client.prices(Stored(symbols=["AAPL", "XOM"])).values)
        last, returns = prices[-1], prices[1:] / prices[:-1] - 1.0
        covariance = 252 * np.cov(returns.T)
        answer = client.reallocate(
            Holdings({"AAPL": 10.0}, 300.0),
            Stored(symbols=["AAPL", "XOM"]),
            {"AAPL": 0.5, "XOM": 0.5},
            deviation="tracking_error",
            cost_aversion=0.5,
            costs=trading_costs(20.0),
            validate_only=True,
        )

    def objective(weights: np.ndarray, cost: float) -> float:
        away = weights - 0.5
        return float(math.sqrt(away @ covariance @ away) + 0.5 * cost)

    value, units = best(
        (10, 0), 300.0, (float(last[0]), float(last[1])), lambda i, n: 0.002 * n * float(last[i]), objective
    )
    assert {trade.symbol: trade.quantity for trade in answer.trades} == {"AAPL": units[0], "XOM": units[1]}
    summary, error = answer.proto.summary, answer.tracking_error_annual
    assert error is not None
    assert error + 0.5 * summary.cost / summary.nav_after == pytest.approx(value, rel=1e-9)


def test_impact_by_the_power_of_three_halves_is_weighed(wire: Wire) -> None:
    """Cost of n units: 2/3 Y sigma sqrt(n / V) of their value (Toth et al. 2011, integrated)."""
    assets = [
        asset("A", 50.0, averageDailyVolume=40, volatilityAnnual=0.4),
        asset("B", 30.0, averageDailyVolume=4000, volatilityAnnual=0.2),
    ]
    held, cash, aversion = (40, 10), 200.0, 60.0

    def impact(i: int, units: int) -> float:
        volume, sigma, price = ((40, 0.4, 50.0), (4000, 0.2, 30.0))[i]
        return 2.0 / 3.0 * sigma / math.sqrt(252.0) * math.sqrt(units / volume) * units * price

    def objective(weights: np.ndarray, cost: float) -> float:
        return 0.5 * float(np.abs(weights - 0.5).sum()) + aversion * cost

    value, units = best(held, cash, (50.0, 30.0), impact, objective, 70)
    request = ask(
        {"A": 40, "B": 10}, cash, {"A": 0.5, "B": 0.5}, assets, tradeOff={"costAversion": aversion},
        costs={"impact": {"squareRoot": {"coefficient": 1}}}, validateOnly=True,
    )  # fmt: skip
    answer = wire.call(REALLOCATE, request)
    assert (traded(answer)["A"], traded(answer)["B"]) == units
    summary = answer["summary"]
    weighed = summary["residualDrift"] + aversion * summary["cost"] / summary["navAfter"]
    assert weighed == pytest.approx(value, rel=1e-9)
    assert answer["plan"]["optimal"]
    assert summary["costs"]["impact"] == pytest.approx(sum(impact(i, abs(n)) for i, n in enumerate(units)))
    # Without an aversion the impact is paid and not weighed: more is traded.
    eager = wire.call(REALLOCATE, {**request, "tradeOff": {}})
    assert abs(traded(eager)["A"]) > abs(units[0])


@pytest.mark.parametrize(("fee", "names"), [(1.0, {"A", "B"}), (30.0, {"B"}), (150.0, set())])
def test_a_fixed_fee_decides_which_assets_are_traded(wire: Wire, fee: float, names: set[str]) -> None:
    def charged(_: int, units: int) -> float:
        return fee if units else 0.0

    def objective(weights: np.ndarray, cost: float) -> float:
        return 0.5 * float(np.abs(weights - np.array([0.44, 0.4])).sum()) + cost

    value, units = best((20, 20), 600.0, (50.0, 30.0), charged, objective)
    request = ask(
        {"A": 20, "B": 20}, 600.0, {"A": 0.44, "B": 0.4}, TWO, tradeOff={"costAversion": 1},
        costs={"fixedFee": fee}, validateOnly=True,
    )  # fmt: skip
    answer = wire.call(REALLOCATE, request)
    assert {s for s, n in zip("AB", units, strict=True) if n} == names
    assert traded(answer) == {s: n for s, n in zip("AB", units, strict=True) if n}
    summary = answer["summary"]
    assert summary["residualDrift"] + summary["cost"] / summary["navAfter"] == pytest.approx(value, rel=1e-9)
    assert summary["costs"].get("fixed", 0.0) == fee * len(names)
    if not names:
        assert "by as much as its cost weighs" in answer["unchanged"]["reason"]


def test_a_commission_by_share_has_a_least_and_a_most(wire: Wire) -> None:
    """A hundred of A: 1 % of 5000 is 50, and 1 for the shares, of which 40 are paid; one B is 0.30 and pays 2."""
    assets = [asset("A", 50.0, spreadBps=20), asset("B", 30.0, spreadBps=20)]
    costs = {"commissionBps": 100, "commissionPerShare": 0.01, "minCommission": 2, "maxCommission": 40, "fixedFee": 0.5}
    request = ask({"A": 100, "B": 1}, 0.0, {"A": 0.0, "B": 0.0}, assets, costs=costs, validateOnly=True)
    answer = wire.call(REALLOCATE, request)
    paid = {trade["symbol"]: trade["cost"] for trade in answer.get("plan", {}).get("trades", [])}
    # Half of the spread is 10 basis points.
    assert paid == {"A": pytest.approx(40 + 5 + 0.5), "B": pytest.approx(2 + 0.03 + 0.5)}
    kinds = answer["summary"]["costs"]
    assert (kinds["commission"], kinds["spread"], kinds["fixed"]) == (
        pytest.approx(42.0), pytest.approx(5.03), pytest.approx(1.0),
    )  # fmt: skip
    assert answer["summary"]["cashAfter"] == pytest.approx(5030 - 48.03)


def test_fees_never_take_cash_below_its_floor(wire: Wire) -> None:
    """15 of A at 10 are 150 of the cash of 155, and the fee of 6 leaves 14."""
    request = ask({}, 155.0, {"A": 1.0}, [asset("A", 10.0)], costs={"fixedFee": 6}, validateOnly=True)
    answer = wire.call(REALLOCATE, request)
    assert traded(answer) == {"A": 14.0}
    assert trades_of(answer)[0]["cashAfter"] == 9.0
    exact = wire.call(REALLOCATE, {**request, "costs": {"fixedFee": 5}})
    assert (traded(exact), trades_of(exact)[0].get("cashAfter", 0.0)) == ({"A": 15.0}, 0.0)
    # On two days of three units each there are two fees, and the proceeds of B come on the second.
    days = ask(
        {"B": 4}, 40.0, {"A": 1.0}, [asset("A", 10.0, averageDailyVolume=3), asset("B", 10.0)],
        costs={"fixedFee": 6}, horizonDays=2, settlementDays=1, limits={"maxParticipation": 1}, validateOnly=True,
    )  # fmt: skip
    trades = trades_of(wire.call(REALLOCATE, days))
    assert [(t["symbol"], t["quantity"], t["day"]) for t in trades] == [("B", -4.0, 1), ("A", 2.0, 1), ("A", 3.0, 2)]
    # Settled: 40 - 26 = 14 on the first day, 14 + 34 - 36 = 12 on the second.
    assert [t["cashAfter"] for t in trades] == [74.0, 48.0, 12.0]
    assert all(t["cost"] == 6.0 for t in trades)


@pytest.mark.parametrize(
    ("snapshot", "more", "field"),
    [
        ({}, {}, "trade_off.deviation"),
        ({"correlation": [1.0, 0.8, 0.8]}, {}, "snapshot.correlation"),
        ({"correlation": [1.0, 1.8, 1.8, 1.0]}, {}, "snapshot.correlation"),
        ({"correlation": [1.0, 0.8, 0.7, 1.0]}, {}, "snapshot.correlation"),
        ({"correlation": [0.5, 0.1, 0.1, 0.5]}, {}, "snapshot.correlation"),
        ({"correlation": [1.0, 0.8, 0.8, 1.0], "assets": [TWO[0], asset("B", 30.0)]}, {},
         "snapshot.assets[1].volatility_annual"),
        ({"correlation": CORRELATION}, {"costs": {"minCommission": 3, "maxCommission": 2}}, "costs.max_commission"),
        ({"correlation": CORRELATION}, {"costs": {"maxCommission": 2}}, "costs.max_commission"),
        ({"correlation": CORRELATION}, {"costs": {"fixedFee": -1}}, "costs.fixed_fee"),
        ({"correlation": CORRELATION}, {"tradeOff": {"deviation": 7}}, "trade_off.deviation"),
    ],
)  # fmt: skip
def test_what_cannot_be_weighed_is_refused_by_name(
    wire: Wire, snapshot: dict[str, Any], more: dict[str, Any], field: str
) -> None:
    request = ask({"B": 3}, 130.0, {"A": 0.6, "B": 0.4}, TWO, tradeOff=TRACKING, validateOnly=True) | more
    request["snapshot"].update(snapshot)
    refusal = wire.refused(REALLOCATE, request)
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", (field,))


def test_thresholds_use_the_correlation_of_a_snapshot(wire: Wire) -> None:
    request = ask({"A": 6, "B": 9}, 0.0, {"A": 0.5, "B": 0.5}, TWO, validateOnly=True)
    request["snapshot"]["correlation"] = CORRELATION
    # 30 of 570 too much A: d = 15 / 570 (1, -1), variance d^2 (0.16 + 0.04 - 2 x 0.8 x 0.08).
    error = 15.0 / 570.0 * math.sqrt(0.16 + 0.04 - 0.128)
    calm = wire.call(REALLOCATE, {**request, "thresholds": {"maxTrackingErrorAnnual": 1.01 * error}})
    assert calm["utilization"]["trackingErrorAnnual"] == pytest.approx(error)
    assert "unchanged" in calm
    acts = wire.call(REALLOCATE, {**request, "thresholds": {"maxTrackingErrorAnnual": 0.99 * error}})
    assert acts["utilization"]["thresholds"] == ["THRESHOLD_TRACKING_ERROR"]
