"""Callers, and what their calls took."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import grpc
from google.protobuf.message import Message

from scripts.load_run.served import Served
from tests.fuzzing.contract import Method

CALL_SECONDS = 60.0
Sent = tuple[Method, Sequence[Message]]


def _serialized(message: Message) -> bytes:
    return message.SerializeToString()


@dataclass
class Taken:
    """Seconds of each call that was answered, by method, and the codes of those that were not."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    codes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, method: str, code: str, seconds: float) -> None:
        """A call has ended."""
        with self._lock:
            self.codes[method][code] += 1
            if code == "OK":
                self.seconds[method].append(seconds)

    @property
    def count(self) -> int:
        """All calls."""
        return sum(codes.total() for codes in self.codes.values())


def percentile(seconds: Sequence[float], share: float) -> float:
    """The least value that so many of the values are not above: nearest rank, so that it is one of them."""
    ordered = sorted(seconds)
    rank = -(-len(ordered) * share // 1)
    return ordered[max(0, int(rank) - 1)]


def send(channel: grpc.Channel, method: Method, messages: Sequence[Message]) -> str:
    """Sends a call and reads its answer to the end; the code that it ends with."""
    shape = f"{'stream' if method.streams_requests else 'unary'}_{'stream' if method.streams_responses else 'unary'}"
    stub = getattr(channel, shape)(method.path, _serialized, None)
    try:
        answer: Any = stub(iter(messages) if method.streams_requests else messages[0], timeout=CALL_SECONDS)
        for _ in answer if method.streams_responses else ():
            pass
    except grpc.RpcError as error:
        return str(error.code().name)  # type: ignore[attr-defined]
    return "OK"


def repeat(
    server: Served, threads: int, go_on: Callable[[], bool], calls: Callable[[str], list[Sent]] | list[Sent]
) -> Taken:
    """Each thread sends the calls in their order, again and again on a connection of its own, while `go_on` says so.

    Calls that are made anew for each turn are given a suffix that no other turn has.
    """
    taken = Taken()

    def turns(number: int) -> Iterator[Sent]:
        for turn in count():
            yield from calls(f"-{number}-{turn}") if callable(calls) else calls

    def work(number: int) -> None:
        with server.channel() as channel:
            sent = turns(number)
            while go_on():
                method, messages = next(sent)
                began = time.monotonic()
                code = send(channel, method, messages)
                taken.add(method.name, code, time.monotonic() - began)

    started = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return taken


class Until:
    """True until a moment."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def __call__(self) -> bool:
        """Whether it has not come."""
        return time.monotonic() < self._end


class Times:
    """True for so many times, over all threads."""

    def __init__(self, count: int) -> None:
        self._left, self._lock = count, threading.Lock()

    def __call__(self) -> bool:
        """Whether some are left; takes one."""
        with self._lock:
            self._left -= 1
            return self._left >= 0
