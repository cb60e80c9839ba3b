"""Until when the call that is being served waits, for what works for it far from its servicer."""

from contextvars import ContextVar

call_deadline: ContextVar[float | None] = ContextVar("call_deadline", default=None)
"""Moment of time.monotonic; None waits as long as the server allows.

What outlives its call inherits it: a deadline that has passed says nothing."""
