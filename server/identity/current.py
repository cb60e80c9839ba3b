"""The caller of the call that is being served."""

from contextvars import ContextVar

from server.ports.identity import LOCAL, Principal

principal: ContextVar[Principal] = ContextVar("principal", default=LOCAL)


def caller(peer: str) -> str:
    """The name by which work is counted: the caller's, and of those whom nobody knows that of their connection."""
    known = principal.get()
    return peer if known.kind == LOCAL.kind else known.id
