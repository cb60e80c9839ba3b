"""Utilization over the wire: assets, groups, the whole; drift by currencies and by prices; what trades are worth."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from absfin import Client, Holdings, Panel, Quote, Stored

from tests.conftest import RunningServer, Wire

REALLOCATE = "ReallocationService/Reallocate"


def ask(
    assets: list[dict[str, Any]], held: dict[str, float], target: dict[str, float], **fields: Any
) -> dict[str, Any]:
    return {
        "portfolio": {"holdings": [{"symbol": s, "quantity": q} for s, q in held.items()], "currency": "USD"},
        "snapshot": {"assets": assets},
        "targetWeights": {"weights": [{"symbol": s, "weight": w} for s, w in target.items()]},
        "validateOnly": True,
        **fields,
    }


def asset(symbol: str, price: float, currency: str = "USD") -> dict[str, Any]:
    return {"symbol": symbol, "price": price, "currency": currency}


def test_thresholds_are_named_by_asset_and_in_sum(wire: Wire) -> None:
    request = ask(
        [asset("A", 10.0), asset("B", 10.0), asset("C", 10.0)],
        {"A": 60.0, "B": 30.0, "C": 10.0},
        {"A": 0.5, "B": 0.4, "D": 0.0},
        thresholds={"maxUtilization": 1.1, "driftBand": 0.05, "relativeBand": 0.3},
    )
    report = wire.call(REALLOCATE, request)["utilization"]
    found = {a["symbol"]: a.get("thresholds", []) for a in report["assets"]}
    assert found == {
        "A": ["THRESHOLD_MAX_UTILIZATION", "THRESHOLD_DRIFT_BAND"],  # 0.6 of 0.5: 1.2 times, 0.1 and a fifth of it off
        "B": ["THRESHOLD_DRIFT_BAND"],  # 0.1 and a quarter of it off
        "C": ["THRESHOLD_NOT_WANTED"],
        "D": [],
    }
    assert report["thresholds"] == ["THRESHOLD_NOT_WANTED", "THRESHOLD_MAX_UTILIZATION", "THRESHOLD_DRIFT_BAND"]
    assert report["drift"] == pytest.approx(0.15)
    assert (report["investedWeight"], report["targetInvestedWeight"]) == (pytest.approx(1.0), pytest.approx(0.9))
    del request["thresholds"]
    report = wire.call(REALLOCATE, request)["utilization"]
    assert report["assets"][0]["thresholds"] == ["THRESHOLD_ANY_DIFFERENCE"]


def test_groups_are_summed(wire: Wire) -> None:
    groups = [{"name": "tech", "symbols": ["A", "B", "A", "Z"]}, {"name": "rest", "symbols": ["C"]}]
    request = ask(
        [asset("A", 10.0), asset("B", 10.0), asset("C", 10.0)], {"A": 50.0, "B": 20.0, "C": 30.0},
        {"A": 0.4, "B": 0.1}, groups=groups,
    )  # fmt: skip
    tech, rest = wire.call(REALLOCATE, request)["utilization"]["groups"]
    assert (tech["name"], tech["currentWeight"], tech["targetWeight"]) == (
        "tech",
        pytest.approx(0.7),
        pytest.approx(0.5),
    )
    assert tech["utilization"] == pytest.approx(1.4)
    assert (rest["currentWeight"], rest["targetWeight"]) == (pytest.approx(0.3), 0.0)
    assert "utilization" not in rest
    request["groups"] = [groups[0], groups[0]]
    assert wire.refused(REALLOCATE, request).fields == ("groups[1].name",)


def test_drift_by_currency_and_by_price_sum_to_the_difference(wire: Wire) -> None:
    # A was and is worth 100 EUR. At 1.0 it was half of 200, at 1.5 it is 150 of 250; B did not move, its target is 0.4.
    request = ask([asset("A", 10.0, "EUR"), asset("B", 10.0)], {"A": 10.0, "B": 10.0}, {"A": 0.6, "B": 0.4})
    request["snapshot"]["fxRates"] = [{"currency": "EUR", "rate": 1.5, "previousRate": 1.0}]
    a, b = wire.call(REALLOCATE, request)["utilization"]["assets"]
    assert (a["fxDrift"], a["priceDrift"]) == (pytest.approx(0.1), pytest.approx(-0.1))
    assert (b["fxDrift"], b["priceDrift"]) == (pytest.approx(-0.1), pytest.approx(0.1))
    for one in (a, b):
        assert one["fxDrift"] + one["priceDrift"] == pytest.approx(
            one["currentWeight"] - one["targetWeight"], abs=1e-15
        )
    del request["snapshot"]["fxRates"][0]["previousRate"]
    assert "fxDrift" not in wire.call(REALLOCATE, request)["utilization"]["assets"][0]
    both = [{"currency": "EUR", "rate": 1.5, "previousRate": 1.0}, {"currency": "CHF", "rate": 1.5}]
    request["snapshot"]["fxRates"] = both
    assert wire.refused(REALLOCATE, request).fields == ("snapshot.fx_rates[1].previous_rate",)


@pytest.fixture
def prices(server: RunningServer) -> np.ndarray[Any, np.dtype[np.float64]]:
    random = np.random.default_rng(11)
    values = np.vstack([[100.0, 100.0], 100.0 * np.cumprod(1.0 + random.normal(0.0, [0.01, 0.02], (60, 2)), axis=0)])
    with Client(server.address) as client:
        client.import_prices(Panel.of(["CA", "CB"], [date(2024, 1, 1) + timedelta(days=i) for i in range(61)], values))
    return values


def test_trades_are_made_where_they_are_worth_their_cost(
    server: RunningServer, prices: np.ndarray[Any, np.dtype[np.float64]]
) -> None:
    covariance = np.cov(prices[1:] / prices[:-1] - 1.0, rowvar=False)
    units, target = 100_000.0 / prices[-1], {"CA": 0.4, "CB": 0.6}
    held = Holdings({"CA": float(units[0]), "CB": float(units[1])})

    def plan(client: Client, aversion: float, days: int) -> Any:
        return client.reallocate(
            held, Stored(["CA", "CB"]), target, cost_benefit=(aversion, days), commission_bps=50.0, fractional=True,
            validate_only=True,
        )  # fmt: skip

    with Client(server.address) as client:
        made = plan(client, 10.0, 365)
        worth, after = made.proto.utilization.cost_benefit, np.array([made.weights_after[s] for s in target])

        def variance(weights: np.ndarray[Any, Any]) -> float:
            active = weights - np.array([0.4, 0.6])
            return float(active @ covariance @ active) * 365.0  # daily dates, weekends among them, are 365 a year

        benefit = 5.0 * (variance(np.array([0.5, 0.5])) - variance(after))
        assert worth.benefit_annual == pytest.approx(benefit, rel=1e-6)
        assert worth.cost_annual == pytest.approx(made.cost / 200_000.0, rel=1e-9)
        assert (made.outcome, worth.worth_it) == ("plan", True)
        # The same cost over so few days that it is a tenth more, a year, than the benefit.
        days = int(365.0 * worth.cost_annual / worth.benefit_annual / 1.1)
        left = plan(client, 10.0, days)
        assert (left.outcome, left.trades, left.cost) == ("unchanged", (), 0.0)
        assert left.message == "the trades would cost more than the fall of the tracking variance is worth"
        worth = left.proto.utilization.cost_benefit
        assert (worth.worth_it, worth.benefit_annual < worth.cost_annual) == (False, True)
        # What must be done is done whatever it is worth.
        raised = client.reallocate(
            held, Stored(["CA", "CB"]), target, cost_benefit=(1e-6, 1), commission_bps=50.0, cash_flow=-1000.0,
            fractional=True, validate_only=True,
        )  # fmt: skip
        assert raised.outcome == "plan"
        assert not raised.proto.utilization.HasField("cost_benefit")


def test_what_trades_are_worth_needs_stored_prices(wire: Wire) -> None:
    rule = {"costBenefit": {"riskAversion": 1.0, "horizonDays": 30}}
    request = ask([asset("A", 10.0)], {"A": 10.0}, {"A": 0.5}, thresholds=rule)
    assert wire.refused(REALLOCATE, request).fields == ("thresholds.cost_benefit",)
    for wrong in ({"riskAversion": 0.0, "horizonDays": 30}, {"riskAversion": 1.0}):
        request["thresholds"] = {"costBenefit": wrong}
        assert wire.refused(REALLOCATE, request).code == "INVALID_ARGUMENT"


def test_the_client_sends_groups_and_previous_rates(server: RunningServer) -> None:
    with Client(server.address) as client:
        answer = client.reallocate(
            Holdings({"A": 10.0}, 100.0, currency="USD"), [Quote("A", 10.0, currency="EUR")], {"A": 0.5},
            fx_rates={"EUR": 2.0}, previous_fx_rates={"EUR": 1.0}, groups={"all": ["A"]}, validate_only=True,
        )  # fmt: skip
    report = answer.proto.utilization
    assert report.groups[0].current_weight == pytest.approx(2.0 / 3.0)
    assert report.assets[0].fx_drift == pytest.approx(2.0 / 3.0 - 0.5)
