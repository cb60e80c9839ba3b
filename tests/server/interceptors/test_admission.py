"""Places for calls: so many in all, and of one caller at most three quarters of them."""

import pytest

from server.interceptors.admission import Places
from server.ports.errors import Overloaded


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
