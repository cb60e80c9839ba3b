"""What becomes of events that this process stores: whether they are delivered, and who is told at once."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from domain.records import dataclass
from server.ports.events import EventDraft


def _nobody(_: Sequence[EventDraft]) -> None:
    """Followers and deliverers find events by themselves."""


@dataclass(frozen=True, slots=True)
class EventSink:
    """Without `delivers` a notification is stored as delivered: nothing waits for a webhook that there is not."""

    delivers: bool = True
    stored: Callable[[Sequence[EventDraft]], None] = _nobody  # of the event loop

    def addressed(self, drafts: Sequence[EventDraft]) -> list[EventDraft]:
        """The events as they are to be stored."""
        return [
            replace(one, notify=replace(one.notify, deliver=self.delivers)) if one.notify is not None else one
            for one in drafts
        ]


NO_SINK = EventSink()
