"""What an attempt to deliver a notification makes of it, in every store."""

from server.ports.events import NotificationState


def after_attempt(error: str, next_attempt: int | None) -> tuple[NotificationState, int | None]:
    """The state and the time of the next attempt, in microseconds: none after a success, or where none is left."""
    if not error:
        return NotificationState.DELIVERED, None
    return (NotificationState.FAILED if next_attempt is None else NotificationState.PENDING), next_attempt
