"""Places for calls: so many in all, and of one caller at most three quarters of them."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from server.interceptors.admission import DRAIN, Admission, Places
from server.interceptors.call_interceptor import RpcMethod
from server.limit_settings import LimitSettings
from server.ports.errors import Draining, Overloaded


def taken(limit: int, *callers: str) -> Places:
    places = Places(limit)
    for caller in callers:
        places.take(caller)
    return places


def test_one_caller_leaves_places_to_others() -> None:
    places = taken(4, "a", "a", "a")
    with pytest.raises(Overloaded, match="of this caller"):
        places.take("a")
    places.take("b")
    assert places.taken == 4


def test_a_caller_may_have_so_many_places() -> None:
    places = Places(10, "calls", of_one=2)
    places.take("a")
    places.take("a")
    with pytest.raises(Overloaded, match="of this caller are running: 2 may") as raised:
        places.take("a")
    assert raised.value.metadata == {"limit": "calls", "value": "2"}
    places.take("b")
    assert Places(10, of_one=50).limit_of_one == 10


def test_no_more_calls_than_places() -> None:
    places = taken(2, "a", "b")
    with pytest.raises(Overloaded, match="too many calls are running"):
        places.take("c")
    assert places.taken == 2


def test_where_there_is_one_place_a_caller_may_take_it() -> None:
    assert taken(1, "a").taken == 1


def test_a_place_that_is_left_can_be_taken_again() -> None:
    places = taken(4, "a", "a", "a", "b")
    places.leave("a")
    places.take("a")
    assert places.by_caller == {"a": 3, "b": 1}


def test_a_caller_without_calls_is_forgotten() -> None:
    places = taken(4, "a", "b")
    places.leave("a")
    assert (places.taken, dict(places.by_caller)) == (1, {"b": 1})


@dataclass(frozen=True)
class CallerAt:
    """What admission asks of a call's context: where the caller is."""

    address: str

    def peer(self) -> str:
        return self.address


UNARY, STREAM = RpcMethod("/s/Unary", False, False), RpcMethod("/s/Stream", False, True)


def place(admission: Admission, method: RpcMethod, caller: str) -> Any:
    return admission.intercept(method, CallerAt(caller))  # type: ignore[arg-type]  # it asks for nothing else


async def test_a_call_has_a_place_while_it_runs() -> None:
    admission = Admission(1)
    async with place(admission, UNARY, "a"):
        with pytest.raises(Overloaded):
            async with place(admission, UNARY, "b"):
                pass
    async with place(admission, UNARY, "b"):
        pass


async def test_open_streams_take_no_place_from_calls_that_end() -> None:
    admission = Admission(1)
    async with place(admission, STREAM, "a"), place(admission, UNARY, "a"):
        with pytest.raises(Overloaded):
            async with place(admission, STREAM, "b"):
                pass


async def test_calls_that_come_too_often_are_refused_whatever_their_connection() -> None:
    """A call that is refused takes no place, and Drain is always let in."""
    admission = Admission(9, LimitSettings(calls_per_second=0.001, call_burst=2))
    for connection in ("a", "b"):
        async with place(admission, UNARY, connection):
            pass
    with pytest.raises(Overloaded, match="calls a second") as raised:
        async with place(admission, UNARY, "c"):
            pass
    assert raised.value.metadata["limit"] == "calls_per_second"
    used = {quota.name: quota.used for quota in admission.quotas("c", "local")}
    assert used == {"calls": 0, "followed_streams": 0, "sent_streams": 0, "call_burst": 2}
    async with place(admission, RpcMethod(DRAIN, False, False), "c"):
        assert admission.running == 1


async def test_a_server_that_drains_takes_no_new_call() -> None:
    admission = Admission(9)
    async with place(admission, UNARY, "a"):
        admission.drain()
        with pytest.raises(Draining):
            async with place(admission, UNARY, "b"):
                pass


async def test_only_calls_that_the_server_cuts_hear_that_it_drains() -> None:
    admission = Admission(9)

    async def call() -> None:
        async with place(admission, UNARY, "a"):
            await asyncio.sleep(60)

    cut, cancelled = asyncio.create_task(call()), asyncio.create_task(call())
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait({cancelled})
    admission.cut()
    await asyncio.wait({cut}, timeout=60)
    assert cancelled.cancelled()
    assert isinstance(cut.exception(), Draining)
