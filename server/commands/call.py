"""What a service is told about the call it serves."""

from dataclasses import dataclass
from time import monotonic


@dataclass(frozen=True, slots=True)
class Call:
    """How long the caller will wait, and who that is."""

    deadline: float | None = None  # moment of time.monotonic; None waits as long as the server allows
    caller: str = ""  # workers and queues are divided among callers by this key

    def remaining_seconds(self) -> float | None:
        """How long the caller will still wait; None is any time."""
        return None if self.deadline is None else self.deadline - monotonic()
