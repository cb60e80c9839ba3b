"""Who is served next: callers in turn, so that many requests of one do not delay the single request of another."""

from collections import Counter, OrderedDict, deque
from typing import Generic, TypeVar

from server.ports.errors import Overloaded

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Waiting entries by caller: next is the caller with the fewest running entries, the longest unserved of equals."""

    def __init__(self, max_waiting: int, max_waiting_of_one: int, max_running_of_one: int) -> None:
        self._max_waiting = max_waiting
        self._max_waiting_of_one = max_waiting_of_one
        self._max_running_of_one = max_running_of_one
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()  # the longest unserved caller first
        self._running: Counter[str] = Counter()
        self._count = 0

    def __len__(self) -> int:
        """Number of waiting entries."""
        return self._count

    def push(self, caller: str, entry: T) -> None:
        """Adds an entry. Raises Overloaded where too many wait, of all or of this caller."""
        if self._count >= self._max_waiting:
            raise Overloaded("every worker is busy and too many requests wait; try again later")
        own = self._waiting.setdefault(caller, deque())
        if len(own) >= self._max_waiting_of_one:
            raise Overloaded("too many requests of this caller wait already; try again when one has ended")
        own.append(entry)
        self._count += 1

    def pop(self) -> tuple[str, T] | None:
        """The next entry and its caller, who then has one more running; None where nobody may be served."""
        able = [caller for caller in self._waiting if self._running[caller] < self._max_running_of_one]
        if not able:
            return None
        caller = min(able, key=lambda one: self._running[one])  # the first of equals: the longest unserved
        own = self._waiting[caller]
        entry = own.popleft()
        self._count -= 1
        if own:
            self._waiting.move_to_end(caller)
        else:
            del self._waiting[caller]
        self._running[caller] += 1
        return caller, entry

    def discard(self, caller: str, entry: T) -> bool:
        """Removes an entry that no longer waits for its turn; False where it was served already."""
        own = self._waiting.get(caller)
        if own is None or entry not in own:
            return False
        own.remove(entry)
        self._count -= 1
        if not own:
            del self._waiting[caller]
        return True

    def finished(self, caller: str) -> None:
        """One running entry of a caller has ended."""
        self._running[caller] -= 1
        if self._running[caller] <= 0:
            del self._running[caller]
