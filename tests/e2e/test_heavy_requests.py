"""Requests that cost more than they weigh: the server answers others meanwhile, and the work ends in time."""

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest
from absfin import Panel
from absfin.requests import import_requests
from absfinance.v1.backtest_service_pb2 import BacktestRequest
from absfinance.v1.market_data_service_pb2 import ImportPricesRequest
from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest, OptimizeRequest
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceStub
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest
from google.protobuf import json_format

from tests.conftest import RunningServer, Wire, refusal_of
from tests.e2e.audit import MAX_HEALTH_SECONDS, Audit, health_probe
from tests.e2e.raw_calls import Ended, RawCalls, ended
from tests.families import thinned

pytestmark = pytest.mark.alone

OPTIMIZE = "OptimizationService/Optimize"
REALLOCATE = "ReallocationService/Reallocate"
BACKTEST = "BacktestService/Backtest"
RNG = np.random.default_rng(61)

IMPORT_WAIT_SECONDS = 0.5

TRIES = 3
"""A machine that others use as well makes one try slow, not all of them."""


def optimize(assets: int, *constraints: dict[str, Any], **more: Any) -> OptimizeRequest:
    """Over the moments of a market with one factor; the least risk where nothing else is said."""
    values = RNG.normal(size=(250, 1)) * 0.006 + RNG.normal(size=(250, assets)) * 0.012
    covariance = np.cov(values.T) + 1e-6 * np.eye(assets)
    request = {"objective": {"minRisk": {}}, "constraints": list(constraints), **more}
    message = json_format.ParseDict(request, OptimizeRequest())
    message.moments.symbols.extend(f"S{i}" for i in range(assets))
    message.moments.covariance.extend((0.5 * (covariance + covariance.T)).ravel())
    message.moments.periods_per_year = 252
    return message


def empty_weights(count: int) -> bytes:
    message = optimize(2)
    for _ in range(count):
        message.current_weights.add()
    return message.SerializeToString()


def conflicting_rows(count: int) -> bytes:
    """Dense rows of which many pairs contradict each other."""
    message = optimize(60, solver={"timeLimit": "2s"})
    for i, row in enumerate(RNG.normal(size=(count, 60))):
        limit = message.constraints.add(label=f"row {i}")
        for j, coefficient in enumerate(row):
            limit.linear.terms.add(symbol=f"S{j}", coefficient=float(coefficient))
        limit.linear.lower = float(RNG.normal()) + 1.0
    return message.SerializeToString()


def graphical_lasso() -> bytes:
    message = OptimizeRequest(validate_only=True, periods_per_year=252)
    message.objective.min_risk.SetInParent()
    message.estimation.covariance.graphical_lasso.SetInParent()
    message.returns.symbols.extend(f"S{i}" for i in range(500))
    message.returns.dates.extend(range(18_000, 18_900))
    message.returns.values.extend(RNG.normal(0.0, 0.01, 900 * 500))
    message.solver.time_limit.seconds = 2
    return message.SerializeToString()


def budgets_within_groups() -> bytes:
    message = optimize(60, objective={"riskBudget": {}})
    for start in (0, 20):
        group = message.constraints.add(label=f"group {start}").group_bounds
        group.symbols.extend(f"S{i}" for i in range(start, start + 20))
        group.upper = 0.25
    return message.SerializeToString()


def whole_lots(positions: int = 15_000) -> bytes:
    message = ReallocateRequest(validate_only=True)
    prices, quantities = RNG.uniform(5, 500, positions), RNG.integers(1, 500, positions)
    wanted = RNG.dirichlet(np.ones(positions))
    message.portfolio.cash = 1e4
    for i in range(positions):
        symbol = f"S{i}"
        message.portfolio.holdings.add(symbol=symbol, quantity=float(quantities[i]))
        message.snapshot.assets.add(symbol=symbol, price=round(float(prices[i]), 2))
        message.target_weights.weights.add(symbol=symbol, weight=float(wanted[i]) * 0.999)
    return message.SerializeToString()


HEAVY: dict[str, tuple[str, Callable[[], bytes], float]] = {
    "8000 empty current weights": (OPTIMIZE, lambda: empty_weights(8_000), 30.0),
    "15000 empty current weights": (OPTIMIZE, lambda: empty_weights(15_000), 30.0),
    "500 rows that conflict": (OPTIMIZE, lambda: conflicting_rows(500), 30.0),
    "2000 rows that conflict": (OPTIMIZE, lambda: conflicting_rows(2_000), 30.0),
    "graphical lasso, only validated": (OPTIMIZE, graphical_lasso, 3.0),
    "risk budgets within two groups": (OPTIMIZE, budgets_within_groups, 10.0),
    "15000 positions in whole lots": (REALLOCATE, whole_lots, 2.0),
}

ENDS = {"OK", "DEADLINE_EXCEEDED", "INVALID_ARGUMENT", "FAILED_PRECONDITION"}


@pytest.mark.parametrize("name", thinned(HEAVY, 2))
def test_others_are_answered_and_the_work_ends(audit: Audit, calls: RawCalls, name: str) -> None:
    method, build, timeout = HEAVY[name]
    request, start, waits = build(), time.monotonic(), []
    for _ in range(TRIES):
        with health_probe(audit.server.address) as probe:
            begun = time.monotonic()
            ends = calls.at_once(method, [(request, timeout)] * 2, 2)
            took = time.monotonic() - begun
            assert audit.stops_by(time.monotonic())
        waits.append(probe.longest)
        assert {end.code for end in ends} <= ENDS, ends
        if name.endswith("empty current weights"):
            assert {end.code for end in ends} == {"INVALID_ARGUMENT"}
        if name.endswith("conflict"):  # the solver's limit holds, however long the caller would wait
            assert took < 5.0
        if probe.longest < MAX_HEALTH_SECONDS:
            break
    assert not audit.long_callbacks(start)
    assert min(waits) < MAX_HEALTH_SECONDS, waits


def test_a_caller_who_hangs_up_frees_the_workers(audit: Audit, calls: RawCalls) -> None:
    start, request = time.monotonic(), whole_lots()
    begun = [calls.unary(REALLOCATE, request, 120.0) for _ in range(2)]
    time.sleep(1.0)
    for call in begun:
        call.cancel()
    assert audit.stops_by(time.monotonic())
    assert not audit.long_callbacks(start)
    assert {ended(call) for call in begun} <= {Ended("CANCELLED"), Ended("OK")}


def test_a_large_import_delays_small_calls_by_little(audit: Audit, calls: RawCalls) -> None:
    """4 million values; the pieces are encoded before, so that this process has little else to do."""
    rows, assets = 8_000, 500
    panel = Panel(
        tuple(f"I{i}" for i in range(assets)), np.arange(rows, dtype=np.int32), RNG.uniform(1, 2, (rows, assets))
    )
    pieces = import_requests(panel, field="close", source="", import_id="large", on_progress=None)
    encoded = [piece.SerializeToString() for piece in pieces]
    small, start, longest = optimize(5).SerializeToString(), time.monotonic(), []
    with audit.server.channel() as channel:
        for _ in range(TRIES):
            send = channel.stream_unary("/absfinance.v1.MarketDataService/ImportPrices")
            importing = send.future(iter(encoded), timeout=100)
            waits = [0.0]
            while not importing.done():
                begun = time.monotonic()
                assert ended(calls.unary(OPTIMIZE, small, 30.0)) == Ended("OK")
                waits.append(time.monotonic() - begun)
                time.sleep(0.02)
            assert ended(importing) == Ended("OK")
            longest.append(max(waits))
            if longest[-1] < IMPORT_WAIT_SECONDS:
                break
    assert min(longest) < IMPORT_WAIT_SECONDS, longest
    assert not audit.long_callbacks(start)


ACCOUNTS = 400


def test_accounts_over_a_large_universe_never_hold_the_event_loop(audit: Audit, calls: RawCalls) -> None:
    """2500 stored symbols: what accounts share is 50 MB. Each account names a symbol that is not there, and ends."""
    symbols, days = 2_500, 260
    prices = 100.0 * np.cumprod(1.0 + RNG.normal(0.0002, 0.01, (days, symbols)), axis=0)
    panel = Panel(tuple(f"L{i}" for i in range(symbols)), np.arange(days, dtype=np.int32), prices)
    universe = {"marketData": {"symbols": panel.symbols}, "periodsPerYear": 252, "spec": {"objective": {"minRisk": {}}}}
    cap = {"label": "cap", "weightBounds": {"symbols": ["nobody"], "upper": 0.5}}
    accounts = [{"account": {"key": str(i), "constraints": [cap]}} for i in range(ACCOUNTS)]
    sent = [json_format.ParseDict(one, OptimizeBatchRequest()) for one in ({"universe": universe}, *accounts)]
    with audit.server.channel() as channel:
        send = channel.stream_unary("/absfinance.v1.MarketDataService/ImportPrices")
        pieces = import_requests(panel, field="close", source="", import_id="universe", on_progress=None)
        send((piece.SerializeToString() for piece in pieces), timeout=60)
        start, waits = time.monotonic(), []
        for _ in range(TRIES):
            with health_probe(audit.server.address) as probe:
                outcomes = list(OptimizationServiceStub(channel).OptimizeBatch(iter(sent), timeout=60))
            assert {one.key for one in outcomes} == {str(i) for i in range(ACCOUNTS)}
            assert all("nobody" in one.error.message for one in outcomes)
            waits.append(probe.longest)
            if probe.longest < MAX_HEALTH_SECONDS:
                break
    assert not audit.long_callbacks(start)
    assert min(waits) < MAX_HEALTH_SECONDS, waits
    assert not list((audit.server.data_dir / "scratch").iterdir())


STREAMS = 1_000
IDLE_SECONDS = 2.0


async def test_silent_streams_take_no_place_from_others(start_server: Callable[..., RunningServer]) -> None:
    """A thousand imports that send a header and nothing more: others are answered, and the idle limit ends them."""
    server = start_server("--stream-idle-seconds", f"{IDLE_SECONDS:g}")
    header = ImportPricesRequest(header={"import_id": "silent"}).SerializeToString()
    small = optimize(5).SerializeToString()
    options = [("grpc.enable_http_proxy", 0)]
    async with grpc.aio.insecure_channel(server.address, options=options) as channel:
        open_stream = channel.stream_unary("/absfinance.v1.MarketDataService/ImportPrices")
        call = channel.unary_unary(f"/absfinance.v1.{OPTIMIZE}")
        await call(small, timeout=30)
        streams = [open_stream(timeout=60) for _ in range(STREAMS)]
        for stream in streams:
            try:
                await stream.write(header)
            except (grpc.RpcError, asyncio.InvalidStateError):  # it was refused meanwhile
                continue
        waits = []
        for _ in range(20):
            begun = time.monotonic()
            await call(small, timeout=30)
            waits.append(time.monotonic() - begun)
        reasons = {(refusal_of(error).code, refusal_of(error).reason) for error in [await _error(s) for s in streams]}
        await call(small, timeout=30)
    assert ("DEADLINE_EXCEEDED", "STREAM_IDLE") in reasons
    assert reasons <= {("DEADLINE_EXCEEDED", "STREAM_IDLE"), ("RESOURCE_EXHAUSTED", "OVERLOADED")}
    assert statistics.median(waits) < MAX_HEALTH_SECONDS


async def _error(stream: Any) -> grpc.aio.AioRpcError:
    try:
        await stream
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError("a stream without an end has ended well")


def backtest(strategies: int, periods: int) -> bytes:
    values = 100.0 * np.cumprod(1.0 + RNG.normal(0.0002, 0.01, (periods, 20)), axis=0)
    one = {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 100}}
    request = {
        "strategies": [{"label": f"strategy {i}", **one} for i in range(strategies)],
        "rebalancing": {"everyPeriods": {"n": 1}},
        "periodsPerYear": 252,
    }
    message = json_format.ParseDict(request, BacktestRequest())
    message.prices.symbols.extend(f"S{i}" for i in range(20))
    message.prices.dates.extend(range(periods))
    message.prices.values.extend(values.ravel())
    return message.SerializeToString()


def test_a_short_backtest_does_not_wait_for_long_ones(start_server: Callable[..., RunningServer]) -> None:
    server = start_server()
    with server.channel() as channel:
        start = channel.unary_unary(f"/absfinance.v1.{BACKTEST}")
        long = backtest(100, 10_000)
        for _ in range(2):
            start(long, timeout=60)
        time.sleep(1.0)
        wire = Wire(channel)
        short = {
            "returns": {"symbols": ["A"], "dates": list(range(100)), "values": [0.001] * 100},
            "periodsPerYear": 252,
            "strategy": {"equalWeight": {}},
            "wait": "60s",
        }
        begun = time.monotonic()
        done = wire.call(BACKTEST, short, timeout=90)
        assert done["state"] == "BACKTEST_STATE_SUCCEEDED"
        assert time.monotonic() - begun < 10.0
        states = [one["state"] for one in wire.call("BacktestService/ListBacktests", {})["backtests"]]
        assert states.count("BACKTEST_STATE_SUCCEEDED") == 1
