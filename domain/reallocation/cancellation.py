"""Loops that call a cancellation check every few milliseconds."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

_BATCH = 256
"""Rounds between two calls; a round takes microseconds."""


def checked(items: Iterable[T], check_cancelled: Callable[[], None]) -> Iterator[T]:
    """The items, with a check before every few hundred of them."""
    for i, item in enumerate(items):
        if i % _BATCH == 0:
            check_cancelled()
        yield item


def rounds_while(condition: Callable[[], bool], check_cancelled: Callable[[], None]) -> Iterator[None]:
    """A round for as long as a condition holds, with a check before every few hundred of them."""

    def rounds() -> Iterator[None]:
        while condition():
            yield

    return checked(rounds(), check_cancelled)
