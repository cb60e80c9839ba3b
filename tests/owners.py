"""An owner for tests in which whose things are does not matter, and what a list of theirs shows."""

from server.ports.identity import LOCAL
from server.ports.scope import Scope

OWNER = LOCAL.id
MINE = Scope(OWNER)
