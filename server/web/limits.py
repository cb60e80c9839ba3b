"""What the listener holds at once: calls, and bytes of their bodies."""

from collections.abc import Iterator
from contextlib import contextmanager

from server.web.statuses import overloaded


class Room:
    """Bytes of bodies that may be held at once, so that many large requests cannot take all memory."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def take(self, size: int) -> None:
        """Takes room for so many bytes. Raises Refused."""
        if size > self._left:
            raise overloaded("too many large requests are being read; try again later")
        self._left -= size

    def leave(self, size: int) -> None:
        """Gives room back."""
        self._left += size


class Places:
    """Places for calls: streams that stay open take none from calls that end."""

    def __init__(self, limit: int) -> None:
        self._left = {False: limit, True: limit}

    @contextmanager
    def one(self, *, stream: bool) -> Iterator[None]:
        """A place. Raises Refused."""
        if not self._left[stream]:
            raise overloaded("too many calls of browsers are running; try again later")
        self._left[stream] -= 1
        try:
            yield
        finally:
            self._left[stream] += 1
