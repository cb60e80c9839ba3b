"""Refuses what cannot be served in time instead of letting it queue.

Too many calls, of all or of one caller; calls of one caller that come too often; a server that drains.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import field

from domain.records import dataclass
from server.identity.current import caller, owner
from server.interceptors.call_interceptor import CallInterceptor, Context, RpcMethod
from server.interceptors.call_rates import CallRates
from server.limit_settings import LimitSettings
from server.ports.errors import Draining, Overloaded
from server.ports.operation import Quota

MAX_FRACTION_PER_CALLER = 0.75
"""The fraction of the places that one caller may take, so that others find some."""


@dataclass(slots=True)
class Places:
    """Places for calls of one shape: streams that stay open take none from calls that end."""

    limit: int
    name: str = ""  # of the quota of one caller
    of_one: int = 0  # places that one caller may take; 0: as MAX_FRACTION_PER_CALLER says
    taken: int = 0
    by_caller: Counter[str] = field(default_factory=Counter)

    @property
    def limit_of_one(self) -> int:
        """Places that one caller may take."""
        return min(self.of_one, self.limit) or max(1, round(self.limit * MAX_FRACTION_PER_CALLER))

    def take(self, caller: str) -> None:
        """Takes a place. Raises Overloaded."""
        if self.taken >= self.limit:
            raise Overloaded("too many calls are running; try again later")
        if self.by_caller[caller] >= self.limit_of_one:
            text = f"too many calls of this caller are running: {self.limit_of_one} may; try again when one has ended"
            raise Overloaded(text, limit=self.name, value=str(self.limit_of_one))
        self.taken += 1
        self.by_caller[caller] += 1

    def leave(self, caller: str) -> None:
        """Gives a place back."""
        self.taken -= 1
        self.by_caller[caller] -= 1
        if not self.by_caller[caller]:
            del self.by_caller[caller]


NO_LIMITS = LimitSettings()

DRAIN = "/absfinance.v1.AdminService/Drain"


class Admission(CallInterceptor):
    """Counts calls by shape and caller. Health checks never come here, so a busy server still answers them."""

    def __init__(self, max_calls: int, limits: LimitSettings = NO_LIMITS) -> None:
        # Keyed by whether the caller streams requests, and whether the server streams responses.
        self._places = {
            (False, False): Places(max_calls, "calls", limits.calls_of_caller),
            (False, True): Places(max_calls, "followed_streams", limits.streams_of_caller),
            (True, False): Places(max_calls, "sent_streams", limits.streams_of_caller),
        }
        self._places[True, True] = self._places[True, False]
        rate = limits.calls_per_second
        self._rates = CallRates(rate, limits.call_burst) if rate else None
        self._draining = False
        self._served: set[asyncio.Task[object]] = set()
        self._cut: set[asyncio.Task[object]] = set()

    def drain(self) -> None:
        """From now on every new call is refused; those inside go on."""
        self._draining = True

    @property
    def running(self) -> int:
        """Calls that are inside."""
        return len(self._served)

    def quotas(self, caller: str, owner: str) -> tuple[Quota, ...]:
        """Places that a caller has taken, by the shape of calls, and how often they called."""
        # Two shapes share the last one's places.
        kinds = {places.name: places for places in self._places.values()}
        taken = (Quota(name, places.limit_of_one, places.by_caller.get(caller, 0)) for name, places in kinds.items())
        return (*taken, *((self._rates.quota(owner),) if self._rates is not None else ()))

    async def ended(self) -> None:
        """Waits for the calls that are inside."""
        if self._served:
            await asyncio.wait(set(self._served))

    def cut(self) -> None:
        """Ends the calls that are still inside: their callers hear that the server is shutting down."""
        self._cut |= self._served
        for task in self._served:
            task.cancel()

    @asynccontextmanager
    async def intercept(self, method: RpcMethod, context: Context) -> AsyncIterator[None]:
        """Takes a place for the time of the call. Raises Draining or Overloaded."""
        # A refusal would be repeated by the caller, and end the server that has taken the place of this one.
        if self._draining and method.name != DRAIN:
            raise Draining
        known = caller(context.peer())
        # By who calls, not by connection: who opens another one for each call has no new bucket for each.
        if self._rates is not None and method.name != DRAIN:
            self._rates.take(owner())
        places = self._places[method.streams_requests, method.streams_responses]
        places.take(known)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a call runs in a task
        self._served.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if task in self._cut:
                task.uncancel()
                raise Draining from None
            raise
        finally:
            self._served.discard(task)
            self._cut.discard(task)
            places.leave(known)
