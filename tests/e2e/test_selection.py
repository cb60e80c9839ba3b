"""Nested selection over the wire, against a slow computation that runs each candidate alone on the data by then."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from tests.conftest import Wire
from tests.e2e.test_sweeps import pages, swept

BACKTEST = "BacktestService/Backtest"
T, EVERY, LOOKBACK, PURGE, RESELECT, FIRST = 150, 4, 20, 3, 2, 10
PRICES = 20.0 * np.exp(np.cumsum(np.random.default_rng(21).normal(0.0, 0.02, (T, 3)), axis=0))
BPS = 25.0
DATES = list(range(19_730, 19_730 + T))
Weights = Callable[[np.ndarray], np.ndarray]


def momentum(past: np.ndarray) -> np.ndarray:
    return np.eye(3)[np.argmax(past[-1] / past[-6])]


def inverse_volatility(past: np.ndarray) -> np.ndarray:
    returns = past[-10:] / past[-11:-1] - 1.0
    inverse = 1.0 / returns.std(axis=0, ddof=1)
    return inverse / inverse.sum()


CANDIDATES: dict[str, tuple[dict[str, Any], Weights]] = {
    "equal": ({"equalWeight": {}}, lambda past: np.full(3, 1.0 / 3.0)),
    "winner": ({"momentum": {"lookbackPeriods": 5, "topN": 1}}, momentum),
    "calm": ({"inverseVolatility": {"lookbackPeriods": 10}}, inverse_volatility),
}


def account(prices: np.ndarray, decide: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Net asset values from the first decision on; filled at the next close, exactly self-financing."""
    units, cash, navs, waiting = np.zeros(3), 1.0, [], None
    for t in range(FIRST, len(prices)):
        before = cash + float(units @ prices[t])
        if waiting is not None:
            value = before
            for _ in range(50):
                wanted = waiting * value / prices[t]
                value = before - BPS / 1e4 * float(np.abs(wanted - units) @ prices[t])
            units, cash = wanted, value - float(wanted @ prices[t])
        navs.append(cash + float(units @ prices[t]))
        waiting = decide(prices[: t + 1]) if (t - FIRST) % EVERY == 0 else None
    return np.array(navs)


def sharpe(navs: np.ndarray) -> float:
    returns = navs[1:] / navs[:-1] - 1.0
    return float(returns.mean() / returns.std(ddof=1) * 252.0**0.5)


def selected(prices: np.ndarray) -> dict[int, tuple[str, float]]:
    """The choice on each date of a selection, from accounts that end on it."""
    found = {}
    first = next(t for t in range(FIRST, T, EVERY) if t - FIRST >= LOOKBACK + PURGE)
    for t in range(first, T - 1, EVERY * RESELECT):
        scores = {}
        for label, (_, decide) in CANDIDATES.items():
            navs = account(prices[: t + 1], decide)
            window = navs[len(navs) - 1 - PURGE - LOOKBACK : len(navs) - PURGE]
            assert len(window) == LOOKBACK + 1
            scores[label] = sharpe(window)
        best = max(scores, key=scores.__getitem__)
        found[t] = (best, scores[best])
    return found


def request(**more: Any) -> dict[str, Any]:
    listed = [{"label": label, **kind} for label, (kind, _) in CANDIDATES.items()]
    select = {
        "candidates": listed,
        "lookbackPeriods": LOOKBACK,
        "purgePeriods": PURGE,
        "reselectEvery": RESELECT,
        "before": "BEFORE_EQUAL_PARTS",
        **more,
    }
    return {
        "prices": {"symbols": ["A", "B", "C"], "dates": DATES, "values": PRICES.ravel().tolist()},
        "strategy": {"select": select},
        "rebalancing": {"everyPeriods": {"n": EVERY}},
        "costs": {"commissionBps": BPS},
        "periodsPerYear": 252,
        "wait": "60s",
    }


def day(message: dict[str, int]) -> int:
    return (date(**message) - date(1970, 1, 1)).days - 19_730


def test_a_selection_by_a_slow_loop(wire: Wire) -> None:
    choices = selected(PRICES)

    def decide(past: np.ndarray) -> np.ndarray:
        made = [label for t, (label, _) in choices.items() if t <= len(past) - 1]
        if made:
            return CANDIDATES[made[-1]][1](past)
        return np.mean([one(past) for _, one in CANDIDATES.values()], axis=0)

    navs = account(PRICES, decide)
    answer = wire.call(BACKTEST, request())
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED", answer
    (one,) = answer["result"]["strategies"]
    assert one["metrics"]["finalWealth"] == pytest.approx(navs[-1], rel=1e-12)
    found = one["selection"]
    assert [(day(each["date"]), each["candidate"]) for each in found["choices"]] == [
        (t, label) for t, (label, _) in choices.items()
    ]
    assert len({label for label, _ in choices.values()}) > 1
    inside = np.array([each["inSampleScore"] for each in found["choices"]])
    assert inside == pytest.approx([score for _, score in choices.values()], rel=1e-12)
    ends = [*[t - FIRST for t in choices][1:], len(navs) - 1]
    pieces = [navs[t - FIRST : end + 1] for t, end in zip(choices, ends, strict=True)]
    outside = np.array([sharpe(piece) for piece in pieces])
    assert [each["outOfSampleScore"] for each in found["choices"]] == pytest.approx(outside, rel=1e-12)
    assert found["inSampleMean"] == pytest.approx(inside.mean(), rel=1e-12)
    assert found["outOfSampleMean"] == pytest.approx(outside.mean(), rel=1e-12)
    assert found["degradationSlope"] == pytest.approx(np.polyfit(inside, outside, 1)[0], rel=1e-11)
    assert found["lossShare"] == np.mean([piece[-1] < piece[0] for piece in pieces])
    assert found["choiceCount"] == found["comparedCount"] == len(choices)
    labels = [label for label, _ in choices.values()]
    assert {each["candidate"]: each.get("chosen", 0) for each in found["candidates"]} == {
        label: labels.count(label) for label in CANDIDATES
    }
    top = answer["result"]["selection"]
    assert top == {name: value for name, value in found.items() if name != "choices"}


def test_one_candidate_without_a_solution_is_not_chosen_while_it_has_none(wire: Wire) -> None:
    """No asset is expected to earn anything in the fall, so that a best ratio does not exist."""
    rise, fall = np.full(40, 1.004), np.full(30, 0.99)
    path = 100.0 * np.cumprod(np.concatenate([rise, fall, rise, rise]) + np.resize([0.001, -0.001, 0.002], T))
    prices = np.column_stack([path, path * 1.0005 ** np.arange(T), 50.0 * 0.9999 ** np.arange(T)])
    ratio = {"label": "ratio", "optimize": {"objective": {"maxRatio": {}}, "lookbackPeriods": 10}}
    calm = {"label": "calm", "fixedWeights": {"weights": [{"symbol": "C", "weight": 0.5}]}}
    asked = request(candidates=[ratio, calm], score="SCORE_TOTAL_RETURN", reselectEvery=1, before="BEFORE_CASH")
    asked["prices"]["values"] = prices.ravel().tolist()
    answer = wire.call(BACKTEST, asked)
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED", answer
    (one,) = answer["result"]["strategies"]
    chosen = {each["candidate"] for each in one["selection"]["choices"]}
    assert chosen == {"ratio", "calm"}
    assert "failedRebalances" not in one


@pytest.mark.parametrize(
    ("select", "field"),
    [
        ({"lookbackPeriods": 1}, "strategy.select.lookback_periods"),
        ({"lookbackPeriods": 149}, "strategy.select.lookback_periods"),
        ({"candidates": [{"equalWeight": {}}]}, "strategy.select.candidates"),
        ({"candidates": [{"equalWeight": {}}, {"equalWeight": {}}]}, "strategy.select.candidates"),
        ({"reselectEvery": 0}, "strategy.select.reselect_every"),
        (
            {"candidates": [{"equalWeight": {}}, {"remote": {"target": "127.0.0.1:1"}}]},
            "strategy.select.candidates[1].remote",
        ),
        (
            {"candidates": [{"equalWeight": {}}, {"momentum": {"lookbackPeriods": 500, "topN": 1}}]},
            "strategy.select.candidates[1].momentum.lookback_periods",
        ),
    ],
)
def test_what_is_refused_is_named(wire: Wire, select: dict[str, Any], field: str) -> None:
    refused = wire.refused(BACKTEST, {**request(**select), "validateOnly": True})
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "INVALID_INPUT")
    assert refused.fields == (field,)


def test_a_selection_inside_another_is_refused(wire: Wire) -> None:
    inside = [{"equalWeight": {}}, {"label": "inside", "select": request()["strategy"]["select"]}]
    refused = wire.refused(BACKTEST, request(candidates=inside))
    assert refused.fields == ("strategy.select.candidates[1].select",)


def test_accounts_of_candidates_are_told_in_the_progress(wire: Wire) -> None:
    name = wire.call(BACKTEST, request())["name"]
    events = wire.stream("BacktestService/BacktestProgress", {"backtest": name})
    told = [one["milestone"] for one in events if "milestone" in one]
    assert [one["message"] for one in told if one["kind"] == "KIND_STAGE"] == [
        *(f"simulating select: {label}" for label in CANDIDATES),
        "simulating select",
    ]


def test_a_sweep_over_the_fields_of_a_selection(wire: Wire) -> None:
    """Each trial is what the backtest of its settings is."""
    base = request()
    del base["wait"]
    axes = [
        {"path": "strategy.select.lookback_periods", "numbers": {"values": [10, LOOKBACK]}},
        {"path": "strategy.select.score", "strings": {"values": ["SCORE_SHARPE", "SCORE_MAX_DRAWDOWN"]}},
    ]
    sweep = swept(wire, {"grid": {"base": base, "axes": axes}})
    assert sweep.get("failedCount", 0) == 0
    trials = list(pages(wire, sweep["name"], 10))
    alone = wire.call(BACKTEST, request())["result"]["metrics"]["finalWealth"]
    assert alone in [one["metrics"]["finalWealth"] for one in trials]
    assert len({one["metrics"]["finalWealth"] for one in trials}) == 4
