"""Notices that something may have changed: they save time, and nothing depends on them."""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from domain.records import dataclass


class NoticeState(StrEnum):
    """How far the connection that notices come by has got."""

    OFF = "off"
    CONNECTING = "connecting"
    JOINING = "joining"
    RECEIVING = "receiving"
    WAITING = "waiting"  # for the next attempt


@dataclass(frozen=True, slots=True)
class NoticeHealth:
    """How the notices are doing, as this process sees it."""

    state: NoticeState
    is_reliable: bool  # what changes is announced: changes need not be looked for all the time
    notices: int  # received since the start
    connections: int  # that have received, since the start
    failures: int  # in a row
    reason: str  # of the last failure; empty before one


class ChangeNotices(Protocol):
    """A service that announces changes, at most once: some are lost, and some come for nothing."""

    @property
    def is_reliable(self) -> bool:
        """Whether changes are announced now, as far as is known."""
        ...

    def start(self, notice: Callable[[], None]) -> None:
        """Begins. `notice` is called in the event loop: there may be changes, all that were missed among them."""
        ...

    def expect(self) -> None:
        """Changes were found that no notice has announced; if none comes soon, the service is not reliable."""
        ...

    def health(self) -> NoticeHealth:
        """How it is doing."""
        ...

    async def close(self) -> None:
        """Ends."""
        ...
