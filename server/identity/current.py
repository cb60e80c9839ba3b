"""The caller of the call that is being served, and what is theirs."""

from contextvars import ContextVar

from server.ports.errors import RoleRequired
from server.ports.identity import LOCAL, Principal, Role
from server.ports.scope import Scope

principal: ContextVar[Principal] = ContextVar("principal", default=LOCAL)


def caller(peer: str) -> str:
    """The name by which work is counted: the caller's, and of those whom nobody knows that of their connection."""
    known = principal.get()
    return peer if known.kind == LOCAL.kind else known.id


def owner() -> str:
    """Whose the things are that the call stores and finds."""
    return principal.get().id


def scope(method: str, *, everyone: bool) -> Scope:
    """Whose things a list shows. Raises RoleRequired where somebody who is no admin asks for everybody's."""
    known = principal.get()
    if everyone and known.role < Role.ADMIN:
        raise RoleRequired(method, Role.ADMIN.label, known.role.label, field="all")
    return Scope(known.id, everyone)
