"""Whose turn it is, against a plain simulation of the rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.execution.fair_queue import FairQueue
from server.ports.errors import Overloaded


def test_callers_take_turns() -> None:
    queue: FairQueue[int] = FairQueue(100, 100, 100)
    for i in range(5):
        queue.push("many", i)
    queue.push("one", 99)
    served = [queue.pop() for _ in range(4)]
    assert served == [("many", 0), ("one", 99), ("many", 1), ("many", 2)]


def test_who_has_most_running_waits() -> None:
    queue: FairQueue[int] = FairQueue(100, 100, 100)
    queue.push("a", 1)
    assert queue.pop() == ("a", 1)
    queue.push("a", 2)
    queue.push("b", 3)
    assert queue.pop() == ("b", 3)
    queue.finished("a")
    queue.push("b", 4)
    assert queue.pop() == ("a", 2)


def test_limits_of_all_and_of_one() -> None:
    queue: FairQueue[int] = FairQueue(max_waiting=3, max_waiting_of_one=2, max_running_of_one=1)
    queue.push("a", 1)
    queue.push("a", 2)
    with pytest.raises(Overloaded, match="of this caller"):
        queue.push("a", 3)
    queue.push("b", 4)
    with pytest.raises(Overloaded, match="every worker"):
        queue.push("c", 5)
    assert (queue.pop(), queue.pop(), queue.pop()) == (("a", 1), ("b", 4), None)
    queue.finished("a")
    assert queue.pop() == ("a", 2)


def test_who_leaves_the_queue_is_not_served() -> None:
    queue: FairQueue[int] = FairQueue(10, 10, 10)
    queue.push("a", 1)
    queue.push("a", 2)
    assert queue.discard("a", 1)
    assert not queue.discard("a", 1)
    assert queue.pop() == ("a", 2)
    assert not queue.discard("a", 2)
    assert len(queue) == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["push", "pop", "finish"])), max_size=60))
def test_nothing_is_lost_and_the_least_served_is_next(steps: list[tuple[str, str]]) -> None:
    queue: FairQueue[int] = FairQueue(1000, 1000, 1000)
    waiting: dict[str, list[int]] = {}
    running = dict.fromkeys("abc", 0)
    for number, (caller, step) in enumerate(steps):
        if step == "push":
            queue.push(caller, number)
            waiting.setdefault(caller, []).append(number)
        elif step == "finish" and running[caller]:
            queue.finished(caller)
            running[caller] -= 1
        elif step == "pop":
            served = queue.pop()
            if served is None:
                assert not any(waiting.values())
                continue
            who, entry = served
            assert entry == waiting[who].pop(0)
            assert running[who] == min(running[one] for one in "abc" if waiting.get(one) or one == who)
            running[who] += 1
        assert len(queue) == sum(map(len, waiting.values()))
