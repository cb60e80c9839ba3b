"""What a servicer is told about its call: how long the caller will wait."""

import time
from typing import Any

import grpc

Context = grpc.aio.ServicerContext[Any, Any]


def deadline_of(context: Context) -> float | None:
    """The moment of time.monotonic at which the caller leaves, or None if he never does."""
    remaining = context.time_remaining()
    return None if remaining is None else time.monotonic() + remaining
