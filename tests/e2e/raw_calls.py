"""Calls whose requests are bytes, valid or not, and how they end."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import grpc

from tests.conftest import Refusal, refusal_of

UNTYPED = {"INTERNAL", "UNKNOWN"}
"""Codes that no request deserves."""


@dataclass(frozen=True)
class Ended:
    """How a call ended."""

    code: str
    refusal: Refusal | None = None


def ended(call: grpc.Future) -> Ended:
    """Waits for the end of a call."""
    try:
        call.result()
    except grpc.FutureCancelledError:
        return Ended("CANCELLED")
    except grpc.RpcError as error:
        return Ended(error.code().name, refusal_of(error))
    return Ended("OK")


class RawCalls:
    """Sends bytes to methods of the contract."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def unary(self, method: str, request: bytes, timeout: float) -> grpc.Future:
        """Begins a unary call, such as "OptimizationService/Optimize"."""
        call: grpc.Future = self._channel.unary_unary(f"/absfinance.v1.{method}").future(request, timeout=timeout)
        return call

    def single(self, method: str, request: bytes, timeout: float, *, streams: tuple[bool, bool]) -> Ended:
        """A call of any shape that sends one message, to its end."""
        path = f"/absfinance.v1.{method}"
        kinds = {
            (False, False): lambda: [self._channel.unary_unary(path)(request, timeout=timeout)],
            (False, True): lambda: self._channel.unary_stream(path)(request, timeout=timeout),
            (True, False): lambda: [self._channel.stream_unary(path)(iter([request]), timeout=timeout)],
            (True, True): lambda: self._channel.stream_stream(path)(iter([request]), timeout=timeout),
        }
        try:
            for _ in kinds[streams]():
                pass
        except grpc.RpcError as error:
            return Ended(error.code().name, refusal_of(error))
        return Ended("OK")

    def at_once(self, method: str, requests: Iterable[tuple[bytes, float]], width: int) -> list[Ended]:
        """Calls with their timeouts, `width` of them at a time, in their order."""
        results: list[Ended] = []
        running: list[grpc.Future] = []
        for request, timeout in requests:
            running.append(self.unary(method, request, timeout))
            if len(running) >= width:
                results.append(ended(running.pop(0)))
        return results + [ended(call) for call in running]


def seconds_of(call: grpc.Future) -> float:
    """How long a call still takes."""
    start = time.monotonic()
    ended(call)
    return time.monotonic() - start
