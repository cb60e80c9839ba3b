"""How long a caller will wait."""

import time

from server.interceptors.surround import Context


def deadline_of(context: Context) -> float | None:
    """The moment of time.monotonic at which the caller leaves, or None if he never does."""
    remaining = context.time_remaining()
    return None if remaining is None else time.monotonic() + remaining
