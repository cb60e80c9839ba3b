"""How often a caller may call, over a clock that the tests set."""

from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.interceptors.call_rates import CallRates
from server.ports.errors import Overloaded
from server.ports.operation import Quota


@dataclass
class Clock:
    """Seconds, as time.monotonic counts them."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def refused(rates: CallRates, caller: str) -> Overloaded:
    with pytest.raises(Overloaded) as raised:
        rates.take(caller)
    return raised.value


def test_after_a_burst_calls_come_at_the_rate() -> None:
    clock = Clock()
    rates = CallRates(2.0, 3, clock)
    for _ in range(3):
        rates.take("a")
    error = refused(rates, "a")
    assert error.retry_after_seconds == 0.5
    assert error.metadata == {"limit": "calls_per_second", "value": "2"}
    clock.now += 0.5
    rates.take("a")
    clock.now += 0.25
    assert refused(rates, "a").retry_after_seconds == pytest.approx(0.25)


def test_a_caller_at_the_limit_costs_others_nothing() -> None:
    rates = CallRates(1.0, 1, Clock())
    rates.take("a")
    for _ in range(100):
        refused(rates, "a")
    rates.take("b")


def test_a_call_that_is_refused_is_not_counted() -> None:
    clock = Clock()
    rates = CallRates(1.0, 1, clock)
    rates.take("a")
    for _ in range(50):
        refused(rates, "a")
    clock.now += 1.0
    rates.take("a")


def test_what_is_used_of_the_burst() -> None:
    clock = Clock()
    rates = CallRates(1.0, 5, clock)
    rates.take("a")
    rates.take("a")
    clock.now += 0.5
    assert rates.quota("a") == Quota("call_burst", 5, 2)
    assert rates.quota("nobody") == Quota("call_burst", 5, 0)
    clock.now += 100.0
    assert rates.quota("a") == Quota("call_burst", 5, 0)


def test_callers_who_are_gone_take_no_memory() -> None:
    clock = Clock()
    rates = CallRates(100.0, 10, clock)  # a bucket is full again after a tenth of a second
    most = 0
    for number in range(5_000):
        clock.now += 0.001
        rates.take(f"users/{number}")
        most = max(most, len(rates))
    assert most <= 101
    clock.now += 1.0
    rates.take("the last one")
    assert len(rates) == 1


@given(
    rate=st.floats(0.1, 100.0),
    burst=st.integers(1, 20),
    waits=st.lists(st.tuples(st.floats(0.0, 5.0), st.sampled_from("ab")), max_size=200),
)
def test_never_more_than_the_burst_and_the_rate(rate: float, burst: int, waits: list[tuple[float, str]]) -> None:
    """Whatever the pauses: in any time t since the start, at most burst + rate * t calls of one caller."""
    clock = Clock(0.0)
    rates = CallRates(rate, burst, clock)
    calls = {"a": 0, "b": 0}
    for wait, caller in waits:
        clock.now += wait
        with suppress(Overloaded):
            rates.take(caller)
            calls[caller] += 1
        assert calls[caller] <= burst + rate * clock.now + 1e-6
