"""Calls services outside from the event loop: one connection for each address, a deadline, few tries."""

import asyncio

import grpc

from server.ports.errors import RemoteAnswerInvalid, RemoteCallFailed, RemoteCallTimedOut, RemoteUnavailable
from server.ports.remote import RemoteCall
from server.remote.channels import LARGEST_ANSWER_BYTES, connect_on_event_loop

PAUSES = (0.1, 0.3)
"""Seconds before the second and the third try of a call whose service is unavailable."""

SHARE_OF_REMAINING = 0.9
"""Part of the caller's time that a call may take: the rest is for the caller to hear how it went."""

LEAST_REST = 0.2
"""Seconds that are left for that at least."""

TOO_LARGE = "CLIENT: Received message larger than max"
"""What gRPC says where it refuses an answer by its size; the code alone could be that of the service."""


class GrpcServices:
    """Calls methods that have no side effects; `close` ends the connections."""

    def __init__(self, max_seconds: float, authority: bytes | None = None) -> None:
        """`authority` (PEM) signs the services; without one they are called in clear text."""
        self._max_seconds = max_seconds
        self._authority = authority
        self._channels: dict[str, grpc.aio.Channel] = {}

    async def call(self, call: RemoteCall, remaining_seconds: float | None) -> bytes:
        """The answer, as it was sent; only a service that is unavailable is tried again.

        Raises RemoteUnavailable, RemoteCallFailed, RemoteCallTimedOut, RemoteAnswerInvalid for too large an answer.
        """
        seconds = self._seconds(call, remaining_seconds)
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        for pause in (*PAUSES, None):
            left = deadline - clock()
            if left <= 0.0:
                break
            try:
                return await self._once(call, left)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise _failure(call, error, seconds) from None
            if pause is None or clock() + pause >= deadline:
                raise RemoteUnavailable(call.name)
            await asyncio.sleep(pause)
        raise RemoteCallTimedOut(call.name, seconds)

    async def close(self) -> None:
        """Ends the connections; calls that are under way are cancelled."""
        channels = list(self._channels.values())
        self._channels.clear()
        for channel in channels:
            await channel.close()

    def _seconds(self, call: RemoteCall, remaining: float | None) -> float:
        limits = [self._max_seconds]
        if call.timeout_seconds is not None:
            limits.append(call.timeout_seconds)
        if remaining is not None:
            limits += [SHARE_OF_REMAINING * remaining, remaining - LEAST_REST]
        return max(0.0, min(limits))

    async def _once(self, call: RemoteCall, seconds: float) -> bytes:
        method = f"/absfinance.v1.{call.service}/{call.method}"
        ask: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel(call.target).unary_unary(method)
        return await ask(call.request, timeout=seconds)

    def _channel(self, target: str) -> grpc.aio.Channel:
        if target not in self._channels:
            self._channels[target] = connect_on_event_loop(target, self._authority)
        return self._channels[target]


def _failure(call: RemoteCall, error: grpc.aio.AioRpcError, seconds: float) -> Exception:
    """What a status means to the caller; the text of the service is left out."""
    code = error.code()
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return RemoteCallTimedOut(call.name, seconds)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and TOO_LARGE in (error.details() or ""):
        return RemoteAnswerInvalid(call.name, f"it is larger than {LARGEST_ANSWER_BYTES} bytes")
    return RemoteCallFailed(call.name, code.name)
