"""Frames, in which functions of the database send what they know and contents in one answer.

A frame is the length of its header (4 bytes, the highest first), the header as JSON in UTF-8, then the contents, one
after the other: the header says how many bytes each has.
"""

import json
from collections.abc import Mapping
from typing import Any

from server.ports.errors import StorageUnavailable
from server.ports.scope import Scope

_LENGTH_BYTES = 4


class Frame:
    """A frame that is read from its beginning to its end."""

    def __init__(self, data: bytes) -> None:
        start = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
        if not _LENGTH_BYTES < start <= len(data):
            raise _incomplete()
        self.header: Any = json.loads(data[_LENGTH_BYTES:start])
        self._data = data
        self._place = start

    def take(self, size: int) -> bytes:
        """The next bytes of the contents. Raises StorageUnavailable where there are fewer."""
        end = self._place + size
        if end > len(self._data):
            raise _incomplete()
        content = self._data[self._place : end]
        self._place = end
        return content


class ForeignRow(Exception):
    """A function of the database returned what belongs to another owner than it was asked for."""


def require_owner(header: Mapping[str, Any], scope: Scope) -> None:
    """Raises ForeignRow for what another owner has. The functions choose rows by owner; this looks at what came."""
    if not scope.everyone and header["owner"] != scope.owner:
        raise ForeignRow("a row of another owner came from the database; nothing of it is sent on")


def _incomplete() -> StorageUnavailable:
    return StorageUnavailable("the database sent an incomplete answer; try again")
