"""What a service is told about the call it serves."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """How long the caller will wait, and who that is."""

    deadline: float | None = None  # moment of time.monotonic; None waits as long as the server allows
    caller: str = ""  # workers and queues are divided among callers by this key
