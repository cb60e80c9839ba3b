"""Whose things a list shows."""

from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """What one owner has, or what everybody has.

    An owner is the id of the principal that made something. Other methods of the stores take the owner alone: what
    belongs to somebody else is for them as if it was not there.
    """

    owner: str
    everyone: bool = False
