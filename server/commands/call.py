"""What a service is told about the call it serves."""

from time import monotonic

from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls, and how long they will wait."""

    owner: str  # whose the things are that the call stores and finds
    deadline: float | None = None  # moment of time.monotonic; None waits as long as the server allows
    caller: str = ""  # workers and queues are divided among callers by this key

    def remaining_seconds(self) -> float | None:
        """How long the caller will still wait; None is any time."""
        return None if self.deadline is None else self.deadline - monotonic()
