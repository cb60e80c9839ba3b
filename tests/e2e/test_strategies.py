"""Momentum, overlays, blends and remote strategies over the wire."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np
import pytest
from absfinance.v1 import strategy_service_pb2_grpc
from absfinance.v1.strategy_service_pb2 import DecideRequest, DecideResponse
from absfinance.v1.weight_pb2 import AssetWeight

from tests.conftest import RunningServer, Wire
from tests.e2e.test_simulation import series

BACKTEST = "BacktestService/Backtest"
DATES = list(range(19_730, 19_790))
PRICES = 20.0 * np.exp(np.cumsum(np.random.default_rng(12).normal(0.0, 0.02, (60, 3)), axis=0))
FIXED = {"fixedWeights": {"weights": [{"symbol": "A", "weight": 1.0}]}}


def request(strategy: dict[str, Any], prices: np.ndarray = PRICES, **more: Any) -> dict[str, Any]:
    panel = {"symbols": ["A", "B", "C"], "dates": DATES[: len(prices)], "values": prices.ravel().tolist()}
    return {
        "prices": panel,
        "strategy": strategy,
        "rebalancing": {"everyPeriods": {"n": 1}},
        "execution": {"fill": "FILL_SAME_CLOSE"},
        "periodsPerYear": 252,
        "wait": "60s",
        **more,
    }


def result(wire: Wire, strategy: dict[str, Any], prices: np.ndarray = PRICES, **more: Any) -> dict[str, Any]:
    answer = wire.call(BACKTEST, request(strategy, prices, **more))
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED", answer
    found: dict[str, Any] = answer["result"]["strategies"][0]
    return found


def test_momentum_by_a_loop_over_dates(wire: Wire) -> None:
    found = result(wire, {"momentum": {"lookbackPeriods": 5, "skipPeriods": 2, "topN": 2}})
    wealth = 1.0
    for t in range(7, 59):
        past = PRICES[t - 2] / PRICES[t - 7]
        winners = np.argsort(-past, kind="stable")[:2]
        wealth *= float((PRICES[t + 1, winners] / PRICES[t, winners]).mean())
    assert found["metrics"]["finalWealth"] == pytest.approx(wealth, rel=1e-9)
    assert found["label"] == "momentum"


def test_a_blend_of_overlays(wire: Wire) -> None:
    """0.6 of a volatility target of A, and 0.4 of portfolio insurance of B and C on the value of the whole."""
    target = {"volatilityTarget": {"base": FIXED, "targetAnnual": 0.2, "lookbackPeriods": 10, "maxLeverage": 1.2}}
    insured = {"cppi": {"base": {"momentum": {"lookbackPeriods": 3, "topN": 1}}, "floor": 0.7, "multiplier": 2.0}}
    parts = [{"strategy": target, "weight": 0.6}, {"strategy": insured, "weight": 0.4}]
    found = result(wire, {"blend": {"parts": parts}})
    value = 1.0
    for t in range(10, 59):
        returns = PRICES[t - 9 : t + 1, 0] / PRICES[t - 10 : t, 0] - 1.0
        factor = min(0.2 / (returns.std(ddof=1) * 252**0.5), 1.2)
        winner = int(np.argmax(PRICES[t] / PRICES[t - 3]))
        weights = np.zeros(3)
        weights[0] += 0.6 * factor
        weights[winner] += 0.4 * max(min(2.0 * (value - 0.7), value), 0.0) / value
        value *= 1.0 + float(weights @ (PRICES[t + 1] / PRICES[t] - 1.0))
    assert found["metrics"]["finalWealth"] == pytest.approx(value, rel=1e-9)


def test_a_broken_floor_is_told(wire: Wire) -> None:
    prices = np.ones((5, 3)) * np.array([[10.0], [7.0], [14.0], [14.0], [14.0]])
    found = result(wire, {"cppi": {"base": FIXED, "floor": 0.8, "multiplier": 4.0}}, prices)
    assert found["metrics"]["finalWealth"] == pytest.approx(0.76)
    assert [one["reason"] for one in found["failedRebalances"]] == ["FLOOR_BROKEN"]


@pytest.mark.parametrize(
    ("fall", "value", "exposure", "warned"),
    [(0.10, 92.0, 48.0, False), (0.25, 80.0, 0.0, False), (0.30, 76.0, 0.0, True)],
)
def test_portfolio_insurance_of_100_with_a_floor_of_80(
    wire: Wire, fall: float, value: float, exposure: float, warned: bool
) -> None:
    """Multiplier 4: 80 of 100 are at risk, and what a fall leaves above the floor is at risk four times."""
    last = 10.0 * (1.0 - fall)
    answer = wire.call(
        BACKTEST,
        request(
            {"cppi": {"base": FIXED, "floor": 0.8, "multiplier": 4.0}},
            np.array([[10.0] * 3, [last] * 3, [last] * 3]),
            initialCapital=100,
        ),
    )
    navs, weights = series(wire, answer["name"], "NAV"), series(wire, answer["name"], "WEIGHTS")[::3]
    assert navs == pytest.approx([100.0, value, value], rel=1e-9)
    assert [nav * weight for nav, weight in zip(navs, weights, strict=True)] == pytest.approx(
        [80.0, exposure, exposure], rel=1e-9, abs=1e-12
    )
    told = answer["result"]["strategies"][0].get("failedRebalances", [])
    assert [one["reason"] for one in told] == (["FLOOR_BROKEN"] if warned else [])


@pytest.mark.parametrize(("realised", "cap", "factor"), [(0.16, 1.5, 0.625), (0.16, 1.0, 0.625), (0.05, 1.5, 1.5)])
def test_a_volatility_target_of_10_percent(wire: Wire, realised: float, cap: float, factor: float) -> None:
    """Two returns of a and -a have the standard deviation a sqrt(2)."""
    a = realised / 252.0**0.5 / 2.0**0.5
    column = 100.0 * np.cumprod([1.0, 1.0 + a, 1.0 - a, 1.0 + a])
    target = {"base": FIXED, "targetAnnual": 0.1, "lookbackPeriods": 2, "maxLeverage": cap}
    answer = wire.call(BACKTEST, request({"volatilityTarget": target}, np.column_stack([column] * 3)))
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED", answer
    assert series(wire, answer["name"], "WEIGHTS")[::3] == pytest.approx([factor, factor], rel=1e-9)


@pytest.mark.parametrize(
    ("strategy", "field"),
    [
        (
            {"blend": {"parts": [{"strategy": {"momentum": {"lookbackPeriods": 99, "topN": 1}}, "weight": 1.0}]}},
            "strategy.blend.parts[0].strategy.momentum.lookback_periods",
        ),
        (
            {
                "cppi": {
                    "base": {"fixedWeights": {"weights": [{"symbol": "Z", "weight": 1}]}},
                    "floor": 0.8,
                    "multiplier": 4,
                }
            },
            "strategy.cppi.base.fixed_weights.weights[0].symbol",
        ),
        ({"blend": {"parts": [{"strategy": FIXED, "weight": 2e6}]}}, "strategy.blend.parts[0].weight"),
        ({"remote": {"target": "127.0.0.1:1"}}, "strategy.remote.target"),
        (
            {"cppi": {"base": {"remote": {"target": "a:1"}}, "floor": 0.8, "multiplier": 4}},
            "strategy.cppi.base.remote.target",
        ),
    ],
)
def test_what_is_refused_is_named(wire: Wire, strategy: dict[str, Any], field: str) -> None:
    refused = wire.refused(BACKTEST, request(strategy))
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "INVALID_INPUT")
    assert refused.fields == (field,)


def test_shares_in_per_cent_are_refused(wire: Wire) -> None:
    refused = wire.refused(BACKTEST, request({"blend": {"parts": [{"strategy": FIXED, "weight": 100}]}}))
    assert (refused.reason, refused.fields) == ("WEIGHTS_LOOK_LIKE_PERCENT", ("strategy.blend.parts",))


class Services(strategy_service_pb2_grpc.StrategyServiceServicer):
    """All in the asset with the highest price; it remembers the dates it was asked about, and can be slow."""

    def __init__(self) -> None:
        self.asked: list[DecideRequest] = []
        self.held = threading.Event()
        self.held.set()

    def Decide(self, request: DecideRequest, context: grpc.ServicerContext) -> DecideResponse:  # noqa: N802  # gRPC's name
        self.asked.append(request)
        if len(request.prices.dates) > 20:
            self.held.wait(60.0)
        best = int(np.argmax(list(request.prices.values)[-3:]))
        return DecideResponse(weights=[AssetWeight(symbol=request.prices.symbols[best], weight=0.5)])


@contextmanager
def services() -> Iterator[tuple[str, Services]]:
    server, servicer = grpc.server(futures.ThreadPoolExecutor(2)), Services()
    strategy_service_pb2_grpc.add_StrategyServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}", servicer
    finally:
        servicer.held.set()
        server.stop(None).wait()


def expected_wealth() -> float:
    value = 1.0
    for t in range(59):
        best = int(np.argmax(PRICES[t]))
        value *= 1.0 + 0.5 * (PRICES[t + 1, best] / PRICES[t, best] - 1.0)
    return value


def test_a_service_decides(start_server: Callable[..., RunningServer]) -> None:
    with services() as (target, servicer):
        running = start_server("--workers", "1", "--strategy-targets", f"elsewhere:1,{target}")
        with running.channel() as channel:
            found = result(Wire(channel), {"remote": {"target": target, "timeout": "5s"}, "label": "mine"})
        assert found.get("failedRebalances", []) == []
        assert found["metrics"]["finalWealth"] == pytest.approx(expected_wealth(), rel=1e-9)
        assert [len(asked.prices.dates) for asked in servicer.asked] == list(range(1, 61))
        assert {asked.label for asked in servicer.asked} == {"mine"}
        assert all(asked.backtest.startswith("backtests/") for asked in servicer.asked)


def test_a_takeover_does_not_ask_again(start_server: Callable[..., RunningServer]) -> None:
    """The worker is killed while it waits for a decision; no earlier decision is asked for twice."""
    with services() as (target, servicer):
        servicer.held.clear()
        running = start_server("--workers", "1", "--strategy-targets", target)
        with running.channel() as channel:
            wire = Wire(channel)
            strategy = {"remote": {"target": target, "timeout": "60s"}}
            name = wire.call(BACKTEST, request(strategy, wait="0s"))["name"]
            deadline = time.monotonic() + 60.0
            while len(servicer.asked) < 21:
                assert time.monotonic() < deadline, len(servicer.asked)
                time.sleep(0.02)
            for worker in running.workers():
                worker.kill()
            time.sleep(0.2)
            servicer.held.set()
            while (found := wire.call("BacktestService/GetBacktest", {"name": name}))[
                "state"
            ] != "BACKTEST_STATE_SUCCEEDED":
                assert time.monotonic() < deadline + 30.0, found
                time.sleep(0.1)
        assert found["result"]["metrics"]["finalWealth"] == pytest.approx(expected_wealth(), rel=1e-9)
        dates = [len(asked.prices.dates) for asked in servicer.asked]
        assert dates == [*range(1, 22), *range(21, 61)]


def test_a_cancelled_job_does_not_wait_for_a_slow_decision(start_server: Callable[..., RunningServer]) -> None:
    """The service has a minute for its answer and never gives one; the worker is free for the next job at once."""
    with services() as (target, servicer):
        servicer.held.clear()
        running = start_server("--workers", "1", "--strategy-targets", target)
        with running.channel() as channel:
            wire = Wire(channel)
            name = wire.call(BACKTEST, request({"remote": {"target": target, "timeout": "60s"}}, wait="0s"))["name"]
            deadline = time.monotonic() + 60.0
            while len(servicer.asked) < 21:
                assert time.monotonic() < deadline, len(servicer.asked)
                time.sleep(0.02)
            wire.call("BacktestService/CancelBacktest", {"name": name})
            while wire.call("BacktestService/GetBacktest", {"name": name})["state"] != "BACKTEST_STATE_CANCELLED":
                assert time.monotonic() < deadline + 30.0, "the job was not cancelled"
                time.sleep(0.05)
            assert not servicer.held.is_set()
            assert result(wire, {"equalWeight": {}})["metrics"]["finalWealth"] > 0.0


def test_a_service_is_told_the_members_and_may_hold_no_others(start_server: Callable[..., RunningServer]) -> None:
    """It buys the highest price of all three; where that is no member, its decision has failed and the others go on."""
    with services() as (target, servicer):
        running = start_server("--workers", "1", "--strategy-targets", target)
        universe = [{"date": {"year": 2024, "month": 1, "day": 8}, "symbols": ["A", "C"]}]
        with running.channel() as channel:
            found = result(Wire(channel), {"remote": {"target": target}}, universe=universe)
        assert {tuple(asked.members) for asked in servicer.asked} == {("A", "C")}
        outside = [t for t in range(60) if int(np.argmax(PRICES[t])) == 1]
        assert 0 < len(outside) < 60
        assert [one["reason"] for one in found["failedRebalances"]] == ["REMOTE_WEIGHTS_INVALID"] * len(outside)
        assert "no member of the universe" in found["failedRebalances"][0]["message"]
