"""Services outside that the server calls as a client."""

from typing import Protocol

from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class RemoteCall:
    """One call of a service outside."""

    service: str  # of the contract, such as "LiquidityService"
    method: str  # such as "AssessLiquidity"
    target: str  # "host:port", an address of the settings
    name: str  # of the service in errors
    request: bytes
    timeout_seconds: float | None = None  # None is as long as the settings allow


@dataclass(frozen=True, slots=True)
class RemoteTargets:
    """Addresses of services outside, "host:port", as the settings have them."""

    liquidity: str = ""  # empty: liquidity is by stored volume
    strategies: tuple[str, ...] = ()  # which a request may name


class RemoteServices(Protocol):
    """Calls services outside."""

    async def call(self, call: RemoteCall, remaining_seconds: float | None) -> bytes:
        """The answer, as it was sent. `remaining_seconds` is how long the caller waits; None is any time.

        Raises RemoteUnavailable, RemoteCallFailed, RemoteCallTimedOut, RemoteAnswerInvalid for too large an answer.
        """
        ...
