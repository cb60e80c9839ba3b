"""GetMarketMetrics and AssessLiquidity over the wire; a reallocation on stored prices uses the same figures."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from absfin import Client, Instrument, Panel

from tests.conftest import RunningServer, Wire

METRICS = "MarketDataService/GetMarketMetrics"
ASSESS = "LiquidityService/AssessLiquidity"
REALLOCATE = "ReallocationService/Reallocate"

FIRST = 18_000 - 18_000 % 7 + 4  # 1970-01-01 was a Thursday: so this is a Monday
DAYS = np.array([FIRST + 7 * (t // 5) + t % 5 for t in range(60)])
RANDOM = np.random.default_rng(7)
CLOSE = 50.0 * np.exp(np.cumsum(RANDOM.normal(0.0, 0.01, (60, 2)), axis=0))
VOLUME = RANDOM.integers(100, 900, 60).astype(float)
HIGH, LOW = CLOSE[:, 0] * 1.01, CLOSE[:, 0] * 0.985


@pytest.fixture(scope="module")
def stocked(start_server: Callable[..., RunningServer]) -> RunningServer:
    """A has all bars; B has closing prices alone, none of the last ten; H is halted, D delisted, L far too dear."""
    running = start_server("--workers", "1")
    close = np.column_stack([CLOSE, CLOSE])
    close[-10:, 1] = np.nan
    with Client(running.address) as client:
        client.import_prices(Panel.of("ABHD", DAYS, close))
        for field, values in (("volume", VOLUME), ("high", HIGH), ("low", LOW)):
            client.import_prices(Panel.of("A", DAYS, values[:, None]), field=field)
        client.import_prices(Panel.of("H", DAYS, VOLUME[:, None]), field="volume")
        client.import_prices(Panel.of("L", DAYS, np.full((60, 1), 1e300)))
        client.upsert_instruments([Instrument("H", state="halted"), Instrument("D", state="delisted")])
    return running


@pytest.fixture(scope="module")
def market(stocked: RunningServer) -> Iterator[Wire]:
    with stocked.channel() as channel:
        yield Wire(channel)


def day(days: int) -> dict[str, int]:
    found = np.datetime64(int(days), "D").item()
    return {"year": found.year, "month": found.month, "day": found.day}


def test_metrics_are_those_of_the_last_bars(market: Wire) -> None:
    answer = market.call(METRICS, {"symbols": ["A", "B"]})
    a, b = answer["metrics"]
    returns = CLOSE[-21:, 0] / CLOSE[-22:-1, 0] - 1.0
    mean = sum(returns) / 21
    deviation = math.sqrt(sum((r - mean) ** 2 for r in returns) / 20)
    middle = (np.log(HIGH) + np.log(LOW)) / 2
    close = np.log(CLOSE[:, 0])
    square = 4 * np.mean([(close[t] - middle[t]) * (close[t] - middle[t + 1]) for t in range(59)])
    assert a == {
        "symbol": "A",
        "lastPrice": CLOSE[-1, 0],
        "averageDailyVolume": pytest.approx(VOLUME[-21:].mean()),
        "volatilityAnnual": pytest.approx(deviation * math.sqrt(252), rel=1e-12),
        "asOf": day(DAYS[-1]),
        "spreadBps": pytest.approx(1e4 * math.sqrt(square), rel=1e-9),
    }
    assert b["lastPrice"] == CLOSE[-11, 1]
    assert b["asOf"] == day(DAYS[-11])
    assert b.keys() == {"symbol", "lastPrice", "volatilityAnnual", "asOf"}
    (warning,) = answer["warnings"]
    assert warning["code"] == "PRICE_STALE"
    assert "B (" in warning["message"]
    assert "A (" not in warning["message"]


def test_symbols_that_are_unknown_or_named_twice(market: Wire) -> None:
    assert market.refused(METRICS, {"symbols": ["A", "X"]}).reason == "MISSING_MARKET_DATA"
    assert market.refused(METRICS, {"symbols": ["A", "A"]}).fields == ("symbols[1]",)
    assert market.refused(METRICS, {}).fields == ("symbols",)


def planned(market: Wire, **more: Any) -> dict[str, Any]:
    request = {
        "portfolio": {"cash": 1e6},
        "marketData": {"symbols": ["A", "B"]},
        "targetWeights": {"weights": [{"symbol": "A", "weight": 0.3}]},
        "limits": {"maxParticipation": 0.2},
        "horizonDays": 3,
        "validateOnly": True,
    }
    return market.call(REALLOCATE, request | more)


def test_a_reallocation_uses_the_metrics(market: Wire) -> None:
    """Price, volume and volatility: its market impact is the one of a snapshot with the figures of the metrics."""
    metrics = {m["symbol"]: m for m in market.call(METRICS, {"symbols": ["A", "B"]})["metrics"]}
    costs = {"impact": {"squareRoot": {"coefficient": 1}}}
    answer = planned(market, costs=costs)
    assert {t["price"] for t in answer["plan"]["trades"]} == {metrics["A"]["lastPrice"]}
    (liquidity,) = answer["liquidity"]["assets"]
    assert liquidity["averageDailyVolume"] == metrics["A"]["averageDailyVolume"]
    assets = [
        {
            "symbol": symbol,
            "price": one["lastPrice"],
            "volatilityAnnual": one["volatilityAnnual"],
            "averageDailyVolume": one.get("averageDailyVolume"),
        }
        for symbol, one in metrics.items()
    ]
    snapshot = {"assets": [{name: v for name, v in asset.items() if v is not None} for asset in assets]}
    request = {
        "portfolio": {"cash": 1e6}, "snapshot": snapshot, "costs": costs, "horizonDays": 3, "validateOnly": True,
        "targetWeights": {"weights": [{"symbol": "A", "weight": 0.3}]}, "limits": {"maxParticipation": 0.2},
    }  # fmt: skip
    direct = market.call(REALLOCATE, request)
    assert answer["impact"] == direct["impact"]
    assert answer["impact"]["expectedCost"] > 0.0
    assert answer["plan"] == direct["plan"]


def test_a_reallocation_until_a_date_knows_nothing_later(market: Wire) -> None:
    """Volume and price of the end date, as if nothing were stored after it."""
    answer = planned(market, marketData={"symbols": ["A", "B"], "endDate": day(DAYS[40])})
    assert answer["plan"]["trades"][0]["price"] == CLOSE[40, 0]
    assert answer["liquidity"]["assets"][0]["averageDailyVolume"] == pytest.approx(VOLUME[20:41].mean())


def test_an_assessment_by_stored_volume(market: Wire) -> None:
    """At the participation of the request, 10 % by default; what has no volume is unknown."""
    average = VOLUME[-21:].mean()
    answer = market.call(ASSESS, {"trades": [{"symbol": "A", "quantity": -2 * average}]})["assessment"]
    assert answer == {
        "state": "LIQUIDITY_STATE_PARTIAL",
        "score": pytest.approx(0.05),
        "assets": [
            {
                "symbol": "A",
                "state": "LIQUIDITY_STATE_PARTIAL",
                "availableQuantity": pytest.approx(0.1 * average),
                "averageDailyVolume": pytest.approx(average),
                "participation": pytest.approx(2.0),
                "daysToTrade": pytest.approx(20.0),
                "score": pytest.approx(0.05),
            }
        ],
    }
    trades = [{"symbol": symbol, "quantity": 1} for symbol in "ABHD"]
    answer = market.call(ASSESS, {"trades": trades, "maxParticipation": 1, "horizonDays": 5})["assessment"]
    states = {asset["symbol"]: asset["state"].removeprefix("LIQUIDITY_STATE_") for asset in answer["assets"]}
    assert states == {"A": "SUFFICIENT", "B": "UNKNOWN", "H": "INSUFFICIENT", "D": "UNKNOWN"}
    assert "score" not in answer
    assert answer["state"] == "LIQUIDITY_STATE_INSUFFICIENT"
    assert answer["assets"][0]["availableQuantity"] == pytest.approx(5 * average)


def test_an_assessment_is_that_of_the_reallocation(market: Wire) -> None:
    """The same trade at the same limit has the same figures."""
    found = planned(market)["liquidity"]["assets"][0]
    quantity = found["participation"] * found["averageDailyVolume"]
    asked = {"trades": [{"symbol": "A", "quantity": quantity}], "maxParticipation": 0.2, "horizonDays": 3}
    answer = market.call(ASSESS, asked)["assessment"]["assets"][0]
    assert answer == {name: v if isinstance(v, str) else pytest.approx(v, rel=1e-12) for name, v in found.items()}


@pytest.mark.parametrize(
    ("request_", "code", "fields"),
    [
        ({"trades": []}, "INVALID_ARGUMENT", ("trades",)),
        ({"trades": [{"symbol": "A", "quantity": 1}] * 2}, "INVALID_ARGUMENT", ("trades[1].symbol",)),
        ({"trades": [{"symbol": "A", "quantity": 1e300}]}, "INVALID_ARGUMENT", ("trades[0].quantity",)),
        ({"trades": [{"symbol": "A", "quantity": "NaN"}]}, "INVALID_ARGUMENT", ("trades[0].quantity",)),
        (
            {"trades": [{"symbol": "A", "quantity": 1}], "maxParticipation": 0},
            "INVALID_ARGUMENT",
            ("max_participation",),
        ),
        ({"trades": [{"symbol": "X", "quantity": 1}]}, "NOT_FOUND", ()),
    ],
)
def test_what_cannot_be_assessed(market: Wire, request_: dict[str, Any], code: str, fields: tuple[str, ...]) -> None:
    refused = market.refused(ASSESS, request_)
    assert (refused.code, refused.fields) == (code, fields)
    if code == "NOT_FOUND":
        assert refused.metadata["field"] == "trades"


def test_the_python_client_has_the_same_figures(stocked: RunningServer, market: Wire) -> None:
    with Client(stocked.address) as client:
        metrics = client.market_metrics(["B", "A"])
        liquidity = client.assess_liquidity({"A": 10.0, "B": -1.0}, max_participation=0.5, horizon_days=2)
    a, b = market.call(METRICS, {"symbols": ["A", "B"]})["metrics"]
    assert list(metrics) == ["B", "A"]
    assert metrics["A"].last_price == a["lastPrice"]
    assert metrics["A"].as_of == np.datetime64(int(DAYS[-1]), "D").item()
    assert metrics["A"].average_daily_volume == a["averageDailyVolume"]
    assert metrics["A"].volatility_annual == a["volatilityAnnual"]
    assert metrics["A"].spread_bps == a.get("spreadBps")
    assert metrics["B"].average_daily_volume is None
    assert metrics["B"].volatility_annual == b["volatilityAnnual"]
    assert (liquidity.state, liquidity.score, liquidity.from_remote_service) == ("unknown", None, False)
    found = liquidity.assets["A"]
    assert (found.state, found.score, liquidity.assets["B"].state) == ("sufficient", 1.0, "unknown")
    assert found.available_quantity == pytest.approx(a["averageDailyVolume"])
    assert found.days_to_trade == pytest.approx(10.0 / (0.5 * a["averageDailyVolume"]))


def test_a_stored_price_beyond_any_currency(market: Wire) -> None:
    """Its returns are fine, but no trade has such a price."""
    trades = [{"symbol": "A", "quantity": 5}, {"symbol": "L", "quantity": 1}]
    refused = market.refused(ASSESS, {"trades": trades})
    assert refused.fields == ("trades[1]",)
    assert "the price of L must be from 1e-21 to 1e+21, is 1e+300" in refused.message
    request = {
        "portfolio": {"cash": 1e6},
        "marketData": {"symbols": ["A", "L"]},
        "targetWeights": {"weights": [{"symbol": "A", "weight": 0.3}]},
    }
    refused = market.refused(REALLOCATE, request)
    assert refused.fields == ("market_data",)
    assert "the price of L" in refused.message
