"""What is measured, each on a server of its own."""

import threading
import time
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import Any

import grpc
from absfinance.v1.backtest_service_pb2 import BacktestProgressRequest
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceStub
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message

from scripts.chaos_run.callers import job, optimization
from scripts.load_run.calls import CALL_SECONDS, Taken, Times, Until, percentile, repeat
from scripts.load_run.served import STREAMS, served
from tests.fuzzing.contract import Method, methods
from tests.fuzzing.requests import Example, documented

STREAM_CONNECTIONS = 10
ENDLESS = ("ListenService/", "EventService/Watch")


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    unary_seconds: float = 30.0
    mixed_seconds: float = 600.0
    streams: int = STREAMS
    growth_calls: int = 100_000
    idle_seconds: float = 10.0


QUICK = Sizes(unary_seconds=5.0, mixed_seconds=15.0, streams=100, growth_calls=2000, idle_seconds=3.0)
MIB = 1 << 20


def start(sizes: Sizes) -> list[str]:
    """Time to be ready, and memory once the libraries of workers are loaded: start to idle."""
    with served(2) as first:
        cold = first.start_seconds
    with served(2) as server:
        time.sleep(sizes.idle_seconds)
        alone, together = server.memory(), server.memory_of_all()
        warm = server.start_seconds
    return [
        f"| start until ready | {min(cold, warm):.2f} s |",
        f"| memory of the idle server process | {alone / MIB:.0f} MiB |",
        f"| memory of it and its 2 workers, shared pages once | {together / MIB:.0f} MiB |",
    ]


def unary(sizes: Sizes) -> list[str]:
    """Throughput of an Optimize of two assets, with one worker and with two."""
    rows = []
    for workers in (1, 2):
        with served(workers) as server:
            repeat(server, 4, Until(1.0), [(named("OptimizationService/Optimize"), [optimization()])])
            before, began = server.cpu_seconds(), time.monotonic()
            taken = repeat(
                server, 8, Until(sizes.unary_seconds), [(named("OptimizationService/Optimize"), [optimization()])]
            )
            past, used = time.monotonic() - began, server.cpu_seconds() - before
        seconds = taken.seconds["OptimizationService/Optimize"]
        if not seconds:
            raise RuntimeError(f"no call was answered: {_codes(taken)}")
        rows.append(
            f"| Optimize of 2 assets, 8 callers, {workers} worker{'s' if workers > 1 else ''} "
            f"| {taken.count / past:.0f} calls/s, p50 {1e3 * percentile(seconds, 0.5):.1f} ms, "
            f"p99 {1e3 * percentile(seconds, 0.99):.1f} ms, {1e3 * used / taken.count:.2f} ms CPU a call |"
        )
    return rows


def mixed(sizes: Sizes) -> tuple[list[str], list[str]]:
    """The calls that the pages show, in their order, from four callers; p50 and p99 of each method."""
    with served(2, samples=True) as server:
        before, began = server.cpu_seconds(), time.monotonic()
        taken = repeat(server, 4, Until(sizes.mixed_seconds), documented_calls)
        past, used = time.monotonic() - began, server.cpu_seconds() - before
    row = (
        f"| documented calls, mixed, 4 callers, {past:.0f} s | {taken.count} calls, {taken.count / past:.0f} calls/s, "
        f"{1e3 * used / taken.count:.1f} ms CPU a call; {_codes(taken)} |"
    )
    return [row], [
        f"| `{name}` | {len(seconds)} | {1e3 * percentile(seconds, 0.5):.1f} | {1e3 * percentile(seconds, 0.99):.1f} |"
        for name, seconds in sorted(taken.seconds.items())
    ]


def streams(sizes: Sizes) -> list[str]:
    """Followers of one backtest while it runs: what they cost, and whether each of them is told its end."""
    ended: list[str] = []
    lock = threading.Lock()
    with served(2) as server:
        channels = [server.channel() for _ in range(STREAM_CONNECTIONS)]
        stub: Any = BacktestServiceStub(channels[0])
        name = stub.Backtest(job(2, "streams"), timeout=CALL_SECONDS).name
        memory, used, began = server.memory(), server.cpu_seconds(), time.monotonic()

        def follow(channel: grpc.Channel) -> None:
            outcome, follower = "no end", BacktestServiceStub(channel)
            try:
                for event in follower.BacktestProgress(
                    BacktestProgressRequest(backtest=name), timeout=CALL_SECONDS * 4
                ):
                    if event.WhichOneof("event") == "finished":
                        outcome = "OK"
            except grpc.RpcError as error:
                outcome = str(error.code().name)  # type: ignore[attr-defined]
            with lock:
                ended.append(outcome)

        threads = [
            threading.Thread(target=follow, args=(channels[number % STREAM_CONNECTIONS],))
            for number in range(sizes.streams)
        ]
        for thread in threads:
            thread.start()
        grown = server.memory() - memory
        for thread in threads:
            thread.join()
        past, cost = time.monotonic() - began, server.cpu_seconds() - used
        for channel in channels:
            channel.close()
    return [
        f"| {sizes.streams} followers of a running backtest | {ended.count('OK')} told its end, within {past:.1f} s; "
        f"{grown / MIB:+.1f} MiB, {cost:.1f} s CPU with the backtest |"
    ]


def growth(sizes: Sizes) -> list[str]:
    """Memory of the server process after a tenth of the calls, and after all of them."""
    call = [(named("OptimizationService/Optimize"), [optimization()])]
    with served(2) as server:
        repeat(server, 8, Times(sizes.growth_calls // 10), call)
        time.sleep(1.0)
        before = server.memory()
        repeat(server, 8, Times(sizes.growth_calls - sizes.growth_calls // 10), call)
        time.sleep(1.0)
        after = server.memory()
    return [
        f"| memory over {sizes.growth_calls} calls, from a tenth of them on "
        f"| {before / MIB:.1f} to {after / MIB:.1f} MiB ({(after - before) / MIB:+.1f}) |"
    ]


def named(name: str) -> Method:
    """The method of that name."""
    return next(one for one in methods() if one.name == name)


def documented_calls(suffix: str) -> list[tuple[Method, Sequence[Message]]]:
    """Those that end by themselves, with a suffix to each id and to the names that are made of them.

    Each is then done, and not answered as it was the first time, and what it names is there.
    """
    examples = [
        one for one in _examples() if not (one.method.streams_responses and one.method.name.startswith(ENDLESS))
    ]
    ids = {text for example in examples for message in example.messages for text in _ids(MessageToDict(message))}
    return [
        (
            example.method,
            [ParseDict(_renamed(MessageToDict(one), ids, suffix), type(one)()) for one in example.messages],
        )
        for example in examples
    ]


@cache
def _examples() -> tuple[Example, ...]:
    return documented()


def _ids(value: Any) -> Iterator[str]:
    """The ids that a request gives what it makes."""
    for name, given in value.items() if isinstance(value, dict) else ():
        if name.endswith("Id") and isinstance(given, str) and not given.isdigit():  # which counts of JSON are as well
            yield given
        yield from _ids(given)
    for given in value if isinstance(value, list) else ():
        yield from _ids(given)


def _renamed(value: Any, ids: Set[str], suffix: str) -> Any:
    if isinstance(value, dict):
        return {name: _renamed(given, ids, suffix) for name, given in value.items()}
    if isinstance(value, list):
        return [_renamed(given, ids, suffix) for given in value]
    is_name = isinstance(value, str) and value.rpartition("/")[2] in ids
    return value + suffix if is_name else value


def _codes(taken: Taken) -> str:
    total: dict[str, int] = {}
    for codes in taken.codes.values():
        for code, number in codes.items():
            total[code] = total.get(code, 0) + number
    return ", ".join(f"{code} {number}" for code, number in sorted(total.items(), key=lambda one: -one[1]))
