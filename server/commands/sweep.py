"""Commands of sweeps."""

from enum import StrEnum

from domain.records import dataclass
from server.ports.jobs import JobState


@dataclass(frozen=True, slots=True)
class SweepCommand:
    """How a sweep is kept."""

    request: bytes  # as the converter reads it again, without panels
    body: bytes  # hash of the request without its id
    content: bytes  # hash of what determines the answer
    request_id: str | None = None
    id: str | None = None  # the caller's choice
    label: str = ""
    wait_seconds: float = 0.0


class TrialOrder(StrEnum):
    """Order of a list of trials."""

    SWEEP = "SWEEP"
    BEST_FIRST = "BEST_FIRST"


@dataclass(frozen=True, slots=True)
class TrialsPage:
    """A page of the trials of a sweep that is asked for."""

    size: int
    token: str = ""
    state: JobState | None = None
    order: TrialOrder = TrialOrder.SWEEP
