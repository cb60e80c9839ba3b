"""How often callers may call: a token bucket for each."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from server.ports.errors import Overloaded
from server.ports.operation import Quota

RATE, BURST = "calls_per_second", "call_burst"


class CallRates:
    """So many calls a second, after so many at once, of each caller.

    A bucket that has filled up again is that of a caller who never called: it is forgotten, so that only callers of
    the last `burst / per_second` seconds take memory. Time is that of time.monotonic, which nobody sets.
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        # By caller, the longest unused first: the tokens left after their last call, and when that was.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Callers who are remembered."""
        return len(self._buckets)

    def take(self, caller: str) -> None:
        """Counts a call. Raises Overloaded, with when the next one may come; that call is not counted."""
        now = self._clock()
        self._forget(now)
        tokens = self._tokens(caller, now)
        if tokens < 1.0:
            error = Overloaded(
                f"this caller may make {self._per_second:g} calls a second, after {self._burst} at once: wait until "
                "the time that RetryInfo says",
                limit=RATE,
                value=f"{self._per_second:g}",
            )
            error.retry_after_seconds = (1.0 - tokens) / self._per_second
            raise error
        self._buckets[caller] = tokens - 1.0, now
        self._buckets.move_to_end(caller)

    def quota(self, caller: str) -> Quota:
        """How much of their burst a caller has used."""
        return Quota(BURST, self._burst, math.ceil(self._burst - self._tokens(caller, self._clock())))

    def _tokens(self, caller: str, now: float) -> float:
        left, since = self._buckets.get(caller, (float(self._burst), now))
        return min(float(self._burst), left + (now - since) * self._per_second)

    def _forget(self, now: float) -> None:
        """Forgets those whose buckets are full by now; each is forgotten once, so that a call costs little."""
        full = now - self._burst / self._per_second
        while self._buckets and next(iter(self._buckets.values()))[1] <= full:
            self._buckets.popitem(last=False)
