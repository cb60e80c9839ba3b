"""What a running task is handed: a cancellation check that also keeps its time limit."""

from typing import Protocol


class Control(Protocol):
    """Calling it is the cancellation check."""

    def __call__(self) -> None:
        """Raises Cancelled once the task shall stop, SolverTimedOut once its own limit has run out."""

    def limit(self, seconds: float) -> None:
        """Gives the rest of the task at most `seconds`."""

    def load(self, name: str) -> None:
        """Imports a library that few tasks need."""

    def unlimited(self) -> None:
        """Lifts the task's own limit; that of its caller stays."""
