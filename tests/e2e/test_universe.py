"""A universe by date and parts of a blend with dates of their own, over the wire."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from absfin import Client, Panel, Prices, strategies

from tests.conftest import RunningServer, Wire

BACKTEST = "BacktestService/Backtest"
FIRST, COUNT, SYMBOLS = 19_730, 50, ["A", "B", "C", "D"]
VALUES = 20.0 * np.exp(np.cumsum(np.random.default_rng(6).normal(0.0, 0.02, (COUNT, 4)), axis=0))
STEPS = [(FIRST, ["A", "B"]), (FIRST + 13, ["B", "C", "D"]), (FIRST + 31, ["A", "D"])]


def civil(day: int) -> dict[str, int]:
    found = date(1970, 1, 1) + timedelta(day)
    return {"year": found.year, "month": found.month, "day": found.day}


def request(strategy: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "prices": {"symbols": SYMBOLS, "dates": list(range(FIRST, FIRST + COUNT)), "values": VALUES.ravel().tolist()},
        "strategy": strategy,
        "rebalancing": {"everyPeriods": {"n": 5}},
        "periodsPerYear": 252,
        "universe": [{"date": civil(day), "symbols": symbols} for day, symbols in STEPS],
        "wait": "60s",
        **more,
    }


def test_equal_weights_of_members_with_costs_by_hand(wire: Wire) -> None:
    """Decided at one close and filled at the next; V' = V - c * sum |w V' - h| by iteration."""
    answer = wire.call(BACKTEST, request({"equalWeight": {}}, costs={"commissionBps": 20}))
    cash, units = 1.0, np.zeros(4)
    for t in range(1, COUNT):
        if (t - 1) % 5 == 0:
            members = [symbols for day, symbols in STEPS if day <= FIRST + t - 1][-1]
            weights = np.isin(SYMBOLS, members) / len(members)
            before = cash + units @ VALUES[t]
            after = before
            for _ in range(60):
                after = before - 0.002 * np.abs(weights * after - units * VALUES[t]).sum()
            units = weights * after / VALUES[t]
            cash = after - units @ VALUES[t]
    result = answer["result"]
    assert result["finalNav"] == pytest.approx(cash + units @ VALUES[-1], rel=1e-12)
    held = {one["symbol"]: one["quantity"] for one in result["strategies"][0]["finalHoldings"]}
    assert held.keys() == {"A", "D"}


def test_momentum_ranks_the_members(wire: Wire) -> None:
    found = request({"momentum": {"lookbackPeriods": 4, "topN": 1}}, execution={"fill": "FILL_SAME_CLOSE"})
    wealth, held = 1.0, 0
    for t in range(4, COUNT):
        if t > 4:
            wealth *= VALUES[t, held] / VALUES[t - 1, held]
        if (t - 4) % 5 == 0:
            members = [symbols for day, symbols in STEPS if day <= FIRST + t][-1]
            held = max((SYMBOLS.index(s) for s in members), key=lambda j: VALUES[t, j] / VALUES[t - 4, j])
    assert wire.call(BACKTEST, found)["result"]["metrics"]["finalWealth"] == pytest.approx(wealth, rel=1e-12)


def test_a_universe_changes_the_fingerprint_and_one_of_all_assets_no_figure(wire: Wire) -> None:
    everything = [{"date": civil(FIRST), "symbols": SYMBOLS}]
    first, second, third = (
        wire.call(BACKTEST, request({"equalWeight": {}}, universe=one))["result"]
        for one in ([], everything, request({})["universe"])
    )
    assert first["metrics"] == second["metrics"] != third["metrics"]
    assert len({one["inputFingerprint"] for one in (first, second, third)}) == 3


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ([{"date": civil(FIRST), "symbols": ["A", "Z"]}], "universe[0].symbols[1]"),
        ([{"date": civil(FIRST), "symbols": ["A"]}, {"date": civil(FIRST), "symbols": ["B"]}], "universe[1].date"),
        ([{"date": civil(FIRST + 9), "symbols": ["A"]}, {"date": civil(FIRST), "symbols": ["B"]}], "universe[1].date"),
        ([{"date": civil(FIRST), "symbols": []}], "universe[0].symbols"),
        ([{"date": civil(FIRST), "symbols": ["A", "A"]}], "universe[0].symbols"),
        ([{"symbols": ["A"]}], "universe[0].date"),
        ([{"date": {"year": 2024, "month": 13, "day": 1}, "symbols": ["A"]}], "universe[0].date"),
        ([{"date": civil(FIRST + COUNT), "symbols": ["A"]}], "universe[0].date"),
    ],
)
def test_a_universe_that_is_refused_is_named(wire: Wire, steps: list[dict[str, Any]], field: str) -> None:
    refused = wire.refused(BACKTEST, request({"equalWeight": {}}, universe=steps))
    assert refused.code == "INVALID_ARGUMENT"
    assert refused.fields == (field,)


def test_members_without_a_price_are_refused_by_the_date_of_the_decision(wire: Wire) -> None:
    values = np.array(VALUES)
    values[: COUNT - 1, 3] = np.nan
    prices = {**request({})["prices"], "values": values.ravel().tolist()}
    steps = [{"date": civil(FIRST), "symbols": ["A"]}, {"date": civil(FIRST + 8), "symbols": ["D"]}]
    sent = request({"equalWeight": {}}, prices=prices, universe=steps, missingData="MISSING_DATA_POLICY_ASSET_STATES")
    sent["prices"]["values"] = ["NaN" if np.isnan(one) else one for one in sent["prices"]["values"]]
    refused = wire.refused(BACKTEST, sent)
    assert refused.fields == ("universe[1].symbols",)
    assert str(date(1970, 1, 1) + timedelta(FIRST + 10)) in refused.message


def test_from_the_client(server: RunningServer) -> None:
    """The order of the steps is that of their dates, however they are given."""
    days = np.arange(FIRST, FIRST + COUNT)
    universe = {date(1970, 1, 1) + timedelta(day): symbols for day, symbols in reversed(STEPS)}
    with Client(server.address) as client:
        done = client.backtest(
            Prices(Panel.of(SYMBOLS, days, VALUES)),
            strategies.equal_weight(),
            rebalancing=strategies.every_periods(5),
            universe=universe,
            wait_seconds=60,
        )
    assert {symbol for symbol, quantity in done.strategies[0].final_holdings.items() if quantity} == {"A", "D"}


FIXED = {"fixedWeights": {"weights": [{"symbol": "A", "weight": 0.5}, {"symbol": "B", "weight": 0.5}]}}
HELD = {"fixedWeights": {"weights": [{"symbol": "C", "weight": 1.0}]}}


def test_two_sleeves_and_a_blend_with_dates_of_their_own(wire: Wire) -> None:
    """Halves of A and B every 2 dates, C held, brought back to 0.7 and 0.3 every 10: each is followed by itself."""
    parts = [
        {"strategy": FIXED, "weight": 0.7, "rebalancing": {"everyPeriods": {"n": 2}}},
        {"strategy": HELD, "weight": 0.3, "rebalancing": {"never": {}}},
    ]
    mixed = {"blend": {"parts": parts, "rebalancing": {"everyPeriods": {"n": 10}}}}
    found = wire.call(BACKTEST, request(mixed, universe=[], rebalancing={}, execution={"fill": "FILL_SAME_CLOSE"}))
    first, second = np.array([0.35, 0.35]), 0.3  # money in A and B, and in C
    for t in range(1, COUNT):
        growth = VALUES[t] / VALUES[t - 1]
        first, second = first * growth[:2], second * growth[2]
        value = first.sum() + second
        if t % 10 == 0:
            first, second = 0.7 * value * first / first.sum(), 0.3 * value
        if t % 2 == 0:
            first = np.full(2, first.sum() / 2.0)
    assert found["result"]["finalNav"] == pytest.approx(first.sum() + second, rel=1e-12)
    assert found["result"]["strategies"][0]["rebalanceCount"] == COUNT // 2


@pytest.mark.parametrize(
    ("strategy", "more", "field"),
    [
        (
            {"parts": [{"strategy": FIXED, "weight": 1, "rebalancing": {}}]},
            {},
            "strategy.blend.parts[0].rebalancing",
        ),
        (
            {
                "parts": [{"strategy": FIXED, "weight": 1}],
                "rebalancing": {"calendar": {"day": "REBALANCE_DAY_NTH"}},
            },
            {},
            "strategy.blend.rebalancing.calendar.nth_day",
        ),
        (
            {"parts": [{"strategy": FIXED, "weight": 1, "rebalancing": {"calendar": {"nthDay": 3}}}]},
            {},
            "strategy.blend.parts[0].rebalancing.calendar.nth_day",
        ),
        (
            {"parts": [{"strategy": FIXED, "weight": 1}], "rebalancing": {"never": {}}},
            {"rebalancing": {"driftBand": {"absolute": 0.05}}},
            "strategy.blend.rebalancing",
        ),
    ],
)
def test_dates_of_a_blend_that_are_refused_are_named(
    wire: Wire, strategy: dict[str, Any], more: dict[str, Any], field: str
) -> None:
    refused = wire.refused(BACKTEST, request({"blend": strategy}, universe=[], **more))
    assert refused.code == "INVALID_ARGUMENT"
    assert refused.fields == (field,)
