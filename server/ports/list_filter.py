"""What a list of stored results or jobs shows."""

from datetime import datetime

from domain.records import dataclass
from server.ports.jobs import JobState


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What a list shows; empty shows everything."""

    label: str = ""
    subject: str = ""  # of answers
    state: "JobState | None" = None  # of jobs
    created_from: datetime | None = None  # inclusive
    created_before: datetime | None = None  # exclusive
    result_state: str = ""  # of reallocations, as `ResultState` names it; empty for all


EVERYTHING = ListFilter()
