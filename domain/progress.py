"""How the caller cancels a long computation.

Every loop whose length depends on the request calls `on_progress` at least every tenth of a second, single calls into
native libraries apart. To stop the computation it raises Cancelled or SolverTimedOut.
"""

from collections.abc import Callable

OnProgress = Callable[[], None]
"""The cancellation check: returns nothing, or raises Cancelled or SolverTimedOut."""


def no_progress() -> None:
    """The caller never stops the computation."""
