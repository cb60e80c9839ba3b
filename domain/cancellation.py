"""How the caller cancels a long computation.

Every loop whose length depends on the request calls `check_cancelled` at least every tenth of a second, single calls
into native libraries apart. To stop the computation it raises Cancelled or SolverTimedOut.
"""

from collections.abc import Callable

CancellationCheck = Callable[[], None]
"""The cancellation check: returns nothing, or raises Cancelled or SolverTimedOut."""


def never_cancelled() -> None:
    """The caller never stops the computation."""
