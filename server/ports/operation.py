"""What a server says of itself and of how much a caller may use."""

from collections.abc import Mapping

from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What a server takes."""

    max_message_bytes: int
    max_concurrent_calls: int  # of each shape
    max_assets: int  # of a problem whose covariance is estimated
    max_call_seconds: float


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server is."""

    version: str
    solvers: Mapping[str, str]  # version by name; those that are not installed are left out
    limits: ServerLimits


@dataclass(frozen=True, slots=True)
class Quota:
    """How much of something a caller uses; `limit` is None where there is none."""

    name: str
    limit: int | None
    used: int


@dataclass(frozen=True, slots=True)
class StillRunning:
    """What runs where a server begins to drain."""

    calls: int
    jobs: int
