"""Callers of a run: threads of this process, or processes with threads of their own where one does not keep up."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

import grpc
from google.rpc.status_pb2 import Status

from tests.fuzzing.answers import DETAILS_KEY, Answer, problems
from tests.fuzzing.contract import Method
from tests.fuzzing.requests import Requests
from tests.fuzzing.server import channel_to

THREADS = 4
DEADLINE_SECONDS = 3.0
STREAM_SECONDS = 1.5
LIGHT_STREAM_SECONDS = 0.3
BATCH = 200
REQUEST_ID = "x-request-id"


@dataclass
class Asked:
    """What some requests were answered: how many with which code by method, and what is wrong by index."""

    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[tuple[int, str, str]] = field(default_factory=list)
    """Index, code, problem."""

    def add(self, other: "Asked") -> None:
        """Takes over what others were answered."""
        self.codes.update(other.codes)
        self.wrong += other.wrong


Callers = Callable[[Sequence[int], float], Iterator[Asked]]
"""Sends the requests of some indices until a time by the monotonic clock, which is that of the machine."""


def call(
    channel: grpc.Channel,
    method: Method,
    messages: Sequence[bytes],
    request_id: str,
    stream_seconds: float = STREAM_SECONDS,
) -> Answer:
    """Sends the bytes of a request and waits for the end of its answer."""
    shape = f"{'stream' if method.streams_requests else 'unary'}_{'stream' if method.streams_responses else 'unary'}"
    stub = getattr(channel, shape)(method.path, request_serializer=None, response_deserializer=None)
    seconds = stream_seconds if method.streams_responses else DEADLINE_SECONDS
    sent = iter(messages) if method.streams_requests else (messages[0] if messages else b"")
    received: list[bytes] = []
    try:
        answer = stub(sent, timeout=seconds, metadata=((REQUEST_ID, request_id),))
        received.extend(answer if method.streams_responses else [answer])
    except grpc.RpcError as error:
        return _failed(tuple(received), error)
    return Answer(tuple(received), grpc.StatusCode.OK)


def _failed(received: tuple[bytes, ...], error: Any) -> Answer:
    trailers = tuple(error.trailing_metadata() or ())
    size = sum(len(key) + len(value) for key, value in trailers) + len(error.details() or "")
    packed = dict(trailers).get(DETAILS_KEY)
    details = Status.FromString(packed) if packed else None
    return Answer(received, error.code(), error.details() or "", details, size)


@contextmanager
def threads(address: str, requests: Requests) -> Iterator[Callers]:
    """Threads of this process."""
    channels = [channel_to(address) for _ in range(THREADS)]
    try:
        yield lambda indices, end: iter([_asked(channels, requests, indices, end)])
    finally:
        for channel in channels:
            channel.close()


@contextmanager
def processes(address: str, requests: Requests, count: int) -> Iterator[Callers]:
    """So many processes, each with threads and connections of its own."""
    # Descriptors cannot be sent to a process: each makes the same requests anew.
    begin = (address, requests.seed, requests.names, requests.rare, requests.light)
    with ProcessPoolExecutor(count, get_context("spawn"), _Caller.begin, begin) as pool:

        def ask(indices: Sequence[int], end: float) -> Iterator[Asked]:
            parts = [indices[at : at + BATCH] for at in range(0, len(indices), BATCH)]
            return pool.map(_Caller.ask, parts, [end] * len(parts))

        yield ask


class _Caller:
    """A process that calls: what it keeps from one part to the next."""

    channels: Sequence[grpc.Channel]
    requests: Requests

    @classmethod
    def begin(
        cls, address: str, seed: int, names: Mapping[str, Sequence[str]], rare: Collection[str], light: bool
    ) -> None:
        """Opens its connections."""
        cls.channels = [channel_to(address) for _ in range(THREADS)]
        cls.requests = Requests(seed, names, rare, light=light)

    @classmethod
    def ask(cls, indices: Sequence[int], end: float) -> Asked:
        """Sends a part of the requests."""
        return _asked(cls.channels, cls.requests, indices, end)


def _asked(channels: Sequence[grpc.Channel], requests: Requests, indices: Sequence[int], end: float) -> Asked:
    waiting, lock, whole = iter(indices), threading.Lock(), Asked()
    stream_seconds = LIGHT_STREAM_SECONDS if requests.light else STREAM_SECONDS

    def serve(channel: grpc.Channel) -> None:
        while time.monotonic() < end:
            with lock:
                index = next(waiting, None)
            if index is None:
                return
            request = requests.request(index)
            answer = call(channel, request.method, request.messages, f"fuzz-{index}", stream_seconds)
            found = sorted(set(problems(request.method, request.messages, answer)))
            with lock:
                whole.codes[request.method.name, answer.code.name] += 1
                whole.wrong += [(index, answer.code.name, problem) for problem in found]

    with ThreadPoolExecutor(len(channels)) as pool:
        for done in [pool.submit(serve, channel) for channel in channels]:
            done.result()
    return whole
