"""Asks services outside for the decisions of a job, in its worker process, at addresses of the settings alone."""

from collections.abc import Collection, Mapping
from dataclasses import field

import grpc

from domain.backtest.strategies import MarketHistory
from domain.backtest.strategies.remote import RemoteCallFailed, RemoteCallTimedOut
from domain.cancellation import CancellationCheck
from domain.records import dataclass
from server.converters.decision import METHOD, decide_request_to_bytes, weights_from_bytes
from server.remote.channels import connect

CHECK_SECONDS = 0.05
"""Time between two looks at cancellation while a service is asked."""


@dataclass(slots=True)
class RemoteDecisions:
    """Calls StrategyService/Decide of the services that a job names; `close` ends the connections.

    A call that fails is not tried again: a failure is recorded as a decision of its own.
    """

    backtest: str  # "backtests/{id}"
    allowed: Collection[str]  # "host:port"
    authority: bytes | None = None  # PEM, by which the services are signed; None: they are called in clear text
    _channels: dict[str, grpc.Channel] = field(default_factory=dict, init=False)

    def decide(
        self,
        target: str,
        label: str,
        history: MarketHistory,
        timeout_seconds: float,
        check_cancelled: CancellationCheck,
    ) -> Mapping[str, float]:
        """The weights that a service sent.

        Raises RemoteCallFailed, RemoteCallTimedOut, InvalidInput for an answer that cannot be read, Cancelled.
        """
        if target not in self.allowed:
            raise RemoteCallFailed(f"{target} is no longer an address that the settings of the server allow")
        request = decide_request_to_bytes(self.backtest, label, history)
        ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self._channel(target).unary_unary(METHOD)
        call = ask.future(request, timeout=timeout_seconds, wait_for_ready=True)
        try:
            return weights_from_bytes(_answer(call, check_cancelled))
        except grpc.RpcError as error:
            code = call.code()
            if code is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise RemoteCallTimedOut(f"{target} did not answer within {timeout_seconds:g} s") from error
            raise RemoteCallFailed(f"{target} answered {code.name}: {call.details()}"[:500]) from error

    def close(self) -> None:
        """Ends the connections."""
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()

    def _channel(self, target: str) -> grpc.Channel:
        if target not in self._channels:
            self._channels[target] = connect(target, self.authority)
        return self._channels[target]


def _answer(call: "grpc.Future[bytes]", check_cancelled: CancellationCheck) -> bytes:
    """What a call returns; it is cancelled where the job is."""
    try:
        while True:
            check_cancelled()
            try:
                answer: bytes = call.result(timeout=CHECK_SECONDS)
            except grpc.FutureTimeoutError:
                continue
            return answer
    finally:
        call.cancel()
