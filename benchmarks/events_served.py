"""What a server takes from a published price to its signal, and what a price costs it. Part of scripts/bench events."""

import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import psutil
from absfin import Client, Panel
from absfinance.v1 import event_service_pb2, market_data_service_pb2, portfolio_service_pb2
from absfinance.v1.event_service_pb2_grpc import EventServiceStub
from absfinance.v1.market_data_service_pb2_grpc import MarketDataServiceStub
from absfinance.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from google.protobuf import json_format
from grpc_health.v1 import health_pb2, health_pb2_grpc

ROOT = Path(__file__).parents[1]
OPTIONS = [("grpc.enable_http_proxy", 0)]

ASSETS = 50
"""Of each portfolio that is watched beside."""

SHARED = [f"S{i:06d}" for i in range(ASSETS)]
DATES = 253
TODAY = int(time.time()) // 86_400
BAND = 0.05
DEADLINE = 120.0


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    signals: int = 50  # published prices that each take a portfolio out of its band
    warm_up: int = 5
    ticks: int = 40
    tick_seconds: float = 0.25  # from one to the next: each is followed alone


QUICK = Sizes(signals=5, warm_up=1, ticks=4)


class Caller:
    """A client that watches events, and publishes over one stream."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address, options=OPTIONS)
        self._sent: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._seen: queue.SimpleQueue[tuple[str, float]] = queue.SimpleQueue()
        self._health: Any = health_pb2_grpc.HealthStub(self._channel)
        publishing: Any = MarketDataServiceStub(self._channel)
        self._answers = publishing.PublishMarketData(iter(self._sent.get, None))
        events: Any = EventServiceStub(self._channel)
        self._events = events.WatchEvents(event_service_pb2.WatchEventsRequest())
        self._events.next()  # the snapshot: it is watched from now on
        self._watching = threading.Thread(target=self._watch)
        self._watching.start()
        self._batch = 0

    def publish(self, symbol: str, price: float) -> None:
        """One quote, until it is stored."""
        self._batch += 1
        batch = market_data_service_pb2.PublishMarketDataRequest(batch_id=str(self._batch))
        quote = batch.quotes.add(symbol=symbol, last=price)
        quote.time.GetCurrentTime()
        self._sent.put(batch)
        answer = next(self._answers)
        if answer.rejected:
            raise RuntimeError(f"{symbol} was rejected: {answer.rejected[0].reason}")

    def signalled(self, portfolio_id: str) -> float:
        """When the next signal about a portfolio came, by perf_counter."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            portfolio, moment = self._seen.get(timeout=DEADLINE)
            if portfolio == f"portfolios/{portfolio_id}":
                return moment
        raise RuntimeError(f"there was no signal about {portfolio_id}")

    def signals_until_now(self) -> int:
        """Signals that came and that nobody waited for."""
        count = 0
        while not self._seen.empty():
            self._seen.get()
            count += 1
        return count

    def wait_until_followed(self) -> None:
        """Until everything that was written has been followed, as the health of the listener says."""
        request = health_pb2.HealthCheckRequest(service="absfinance.listener")
        end = time.monotonic() + DEADLINE
        followed = 0
        while followed < 2:  # of two measures the second began after what was written before
            if time.monotonic() > end:
                raise RuntimeError("the listener does not catch up")
            time.sleep(1.1)
            answer, call = self._health.Check.with_call(request, timeout=DEADLINE)
            figures = dict(call.trailing_metadata() or ())
            is_ready = answer.status == health_pb2.HealthCheckResponse.SERVING
            followed = followed + 1 if is_ready and figures["absfin-lag-changes"] == "0" else 0

    def close(self) -> None:
        """Ends both streams."""
        self._sent.put(None)
        self._events.cancel()
        self._watching.join()
        self._channel.close()

    def _watch(self) -> None:
        try:
            for message in self._events:
                if message.HasField("signal"):
                    self._seen.put((message.signal.portfolio, time.perf_counter()))
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.CANCELLED:
                raise


def served(portfolios: int, *, quick: bool) -> Iterator[dict[str, object]]:
    """From a price to its signal, and the CPU time of a price, beside few and many portfolios; then with Supabase."""
    sizes = QUICK if quick else Sizes()
    for count in (portfolios,) if quick else (portfolios // 10, portfolios):
        yield from _measured({}, count, sizes, "embedded")
    if quick:
        return
    with _supabase() as environment:
        if environment is not None:
            yield from _measured(environment, portfolios // 10, sizes, "supabase")


def _measured(environment: Mapping[str, str], portfolios: int, sizes: Sizes, store: str) -> Iterator[dict[str, object]]:
    """Both jobs, on a data folder or project of its own."""
    names = [f"moved{i}" for i in range(sizes.warm_up + sizes.signals)]
    pairs = {name: (f"{name}A".upper(), f"{name}B".upper()) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        with _server(folder, {**environment, "ABSFIN_EVENTS": "off"}) as (address, _):
            _fill(address, portfolios, pairs)
        with _server(folder, environment) as (address, process):
            caller = Caller(address)
            try:
                caller.wait_until_followed()
                shape = {"store": store, "portfolios": portfolios, "assets": ASSETS}
                yield {"job": "events/publish_to_signal", **_latency(caller, pairs, sizes), **shape}
                yield {
                    "job": f"events/tick_{portfolios}_portfolios/served",
                    **_tick_cpu(caller, process, sizes),
                    **shape,
                }
            finally:
                caller.close()


def _fill(address: str, portfolios: int, pairs: Mapping[str, tuple[str, str]]) -> None:
    """Prices, portfolios of the same assets, and one of two assets of its own for each signal."""
    symbols = (*SHARED, *(symbol for pair in pairs.values() for symbol in pair))
    days = np.arange(TODAY - DATES, TODAY, dtype=np.int32)
    moves = np.random.default_rng(7).normal(0.0, 0.01, (DATES, len(symbols))).cumsum(axis=0)
    with Client(address) as client:
        panel = Panel(symbols, days, 100.0 * np.exp(moves - moves[-1]))
        client.import_prices(panel, import_id="bench", timeout=DEADLINE)
    random = np.random.default_rng(11)
    many = (1e4 * random.dirichlet(np.full(ASSETS, 50.0)) for _ in range(portfolios))
    held = {f"many{i}": dict(zip(SHARED, units.tolist(), strict=True)) for i, units in enumerate(many)}
    held |= {name: dict.fromkeys(pair, 10.0) for name, pair in pairs.items()}
    with grpc.insecure_channel(address, options=OPTIONS) as channel:
        stub: Any = PortfolioServiceStub(channel)
        with ThreadPoolExecutor(8) as threads:
            for _ in threads.map(lambda one: stub.CreatePortfolio(_watched(*one), timeout=DEADLINE), held.items()):
                pass


def _watched(portfolio_id: str, units: Mapping[str, float]) -> portfolio_service_pb2.CreatePortfolioRequest:
    """A portfolio that is at its target at prices of 100, and is told where it leaves its band."""
    total = sum(units.values())
    weights = [{"symbol": symbol, "weight": amount / total} for symbol, amount in units.items()]
    portfolio = {
        "holdings": [{"symbol": symbol, "quantity": amount} for symbol, amount in units.items()],
        "mandate": {
            "weights": {"weights": weights},
            "triggers": [{"event": "EVENT_KIND_DRIFT", "threshold": BAND, "action": "ACTION_NOTIFY"}],
        },
    }
    request = portfolio_service_pb2.CreatePortfolioRequest()
    json_format.ParseDict({"portfolio": portfolio, "portfolioId": portfolio_id}, request)
    return request


def _latency(caller: Caller, pairs: Mapping[str, tuple[str, str]], sizes: Sizes) -> dict[str, object]:
    """Wall time from sending a price until the signal has come, and until the price was stored."""
    signals, stored = [], []
    for name, (symbol, _) in pairs.items():
        caller.signals_until_now()
        start = time.perf_counter()
        caller.publish(symbol, 150.0)
        stored.append(time.perf_counter() - start)
        signals.append(caller.signalled(name) - start)
        time.sleep(0.05 * np.random.default_rng(len(signals)).random())  # no rhythm with what the server does by time
    warm = [value * 1e3 for value in signals[sizes.warm_up :]]
    return {
        "p50_ms": statistics.median(warm),
        "p99_ms": float(np.quantile(warm, 0.99)),
        "stored_p50_ms": statistics.median(stored[sizes.warm_up :]) * 1e3,
        "signals": len(warm),
    }


def _tick_cpu(caller: Caller, process: psutil.Process, sizes: Sizes) -> dict[str, object]:
    """CPU time of the server for a quote of an asset that all portfolios hold, above what it takes while idle."""
    caller.signals_until_now()
    prices = 100.0 * np.exp(np.random.default_rng(5).normal(0.0, 0.01, sizes.ticks))
    seconds = sizes.ticks * sizes.tick_seconds
    idle = _cpu_while(process, lambda: time.sleep(seconds))

    def ticks() -> None:
        for price in prices:
            start = time.monotonic()
            caller.publish(SHARED[0], float(price))
            time.sleep(max(0.0, start + sizes.tick_seconds - time.monotonic()))

    busy = _cpu_while(process, ticks)
    return {
        "ours_ms": max(0.0, busy - idle) * 1e3 / sizes.ticks,
        "idle_ms_per_second": idle * 1e3 / seconds,
        "ticks": sizes.ticks,
        "signals": caller.signals_until_now(),
    }


def _cpu_while(process: psutil.Process, run: Callable[[], None]) -> float:
    """CPU seconds of the server's own process; its workers do nothing here."""
    before = process.cpu_times()
    run()
    after = process.cpu_times()
    return float(after.user + after.system - before.user - before.system)


@contextmanager
def _server(folder: str, environment: Mapping[str, str]) -> Iterator[tuple[str, psutil.Process]]:
    command = [sys.executable, "-m", "server", "--listen", "127.0.0.1:0", "--data-dir", folder]
    settings = {**os.environ, **environment}
    with subprocess.Popen(
        [*command, "--log-level", "warning"], stdout=subprocess.PIPE, text=True, env=settings, cwd=ROOT
    ) as process:
        try:
            ready = process.stdout.readline() if process.stdout else ""
            yield ready.split(" on ")[1].split(",")[0], psutil.Process(process.pid)
        finally:
            process.terminate()


@contextmanager
def _supabase() -> Iterator[Mapping[str, str] | None]:
    """Settings of a Supabase of this machine; None, and a line on standard error, where there can be none."""
    from local_supabase import local_supabase  # what it loads few need

    from scripts.postgres_cluster import StackError

    with ExitStack() as opened:
        try:
            stack = opened.enter_context(local_supabase())
        except StackError as error:
            print(f"# Supabase is left out: {error}", file=sys.stderr)
            yield None
            return
        yield stack.environment
