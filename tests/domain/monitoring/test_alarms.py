"""Alarms in arrays against one alarm written as a program, and the properties of each."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.monitoring.alarms import Alarms, Thresholds
from domain.monitoring.rules import AlarmRule
from domain.monitoring.timestamps import SECOND
from tests.families import generated


@dataclass
class OneAlarm:
    """The rule of an alarm as it is said: beyond for so long, back far enough, not too soon after the last signal."""

    rule: AlarmRule
    upper: float
    beyond_times: list[float]
    active: bool = False
    last: float = -math.inf

    def told(self, figure: float, seconds: float) -> str:
        if math.isnan(figure):
            return ""
        if self.active:
            if figure <= self.upper - (1.0 - self.rule.clear_fraction) * abs(self.upper):
                self.active = False
                return "cleared"
            return ""
        if figure <= self.upper:
            self.beyond_times = []
            return ""
        self.beyond_times.append(seconds)
        enough = len(self.beyond_times) >= self.rule.hold_observations
        enough = enough and seconds - self.beyond_times[0] >= self.rule.hold_seconds
        if enough and seconds > self.last and seconds - self.last >= self.rule.cooldown_seconds:
            self.active, self.last, self.beyond_times = True, seconds, []
            return "raised"
        return ""


figures = st.one_of(st.floats(0.0, 3.0), st.sampled_from([0.8, 1.0, math.nextafter(1.0, 2.0), math.nan]))
rules = st.builds(
    AlarmRule,
    hold_observations=st.integers(1, 4),
    hold_seconds=st.sampled_from([0.0, 1.0, 3.0]),
    clear_fraction=st.sampled_from([0.5, 0.8, 1.0]),
    cooldown_seconds=st.sampled_from([0.0, 1.0, 5.0]),
)


@generated(200)
@given(rules, st.lists(st.tuples(st.lists(figures, min_size=3, max_size=3), st.integers(0, 3)), max_size=40))
def test_rows_are_what_each_alarm_would_be_alone(rule: AlarmRule, path: list[tuple[list[float], int]]) -> None:
    alarms = Alarms.of([(-math.inf, 1.0)] * 3, rule)
    alone = [OneAlarm(rule, 1.0, []) for _ in range(3)]
    seconds = 0
    for values, step in path:
        seconds += step
        alarms, turns = alarms.observe(slice(0, 3), np.array(values), seconds * SECOND)
        expected = [one.told(value, seconds) for one, value in zip(alone, values, strict=True)]
        assert turns.raised.tolist() == [i for i, word in enumerate(expected) if word == "raised"]
        assert turns.cleared.tolist() == [i for i, word in enumerate(expected) if word == "cleared"]
        at = [*turns.raised.tolist(), *turns.cleared.tolist()]
        assert turns.figures.tolist() == [values[i] for i in at]


@generated(100)
@given(st.lists(st.floats(0.8, 3.0, exclude_min=True), min_size=1, max_size=60))
def test_there_is_no_chatter_between_the_thresholds(path: list[float]) -> None:
    """However often a figure crosses its threshold, there is one signal until it was back inside the second one."""
    alarms = Alarms.of([(-math.inf, 1.0)], AlarmRule(cooldown_seconds=0.0))
    signals = 0
    for i, value in enumerate(path):
        alarms, turns = alarms.observe(slice(0, 1), np.array([value]), i * SECOND)
        signals += len(turns.raised) + len(turns.cleared)
    assert signals == int(max(path) > 1.0)


@generated(100)
@given(st.lists(st.sampled_from([0.0, 2.0]), max_size=60), st.integers(1, 20))
def test_signals_are_a_cooldown_apart(path: list[float], cooldown: int) -> None:
    alarms = Alarms.of([(-math.inf, 1.0)], AlarmRule(cooldown_seconds=cooldown))
    times: list[int] = []
    for i, value in enumerate(path):
        alarms, turns = alarms.observe(slice(0, 1), np.array([value]), i * SECOND)
        times += [i] * len(turns.raised)
    assert all(after - before >= cooldown for before, after in pairwise(times))


def test_what_holds_after_the_cooldown_is_told_then() -> None:
    alarms = Alarms.of([(-math.inf, 1.0)], AlarmRule(cooldown_seconds=5.0))
    told: list[int] = []
    for seconds, value in ((0, 2.0), (1, 0.0), (2, 2.0), (3, 2.0), (6, 2.0)):
        alarms, turns = alarms.observe(slice(0, 1), np.array([value]), seconds * SECOND)
        told += [seconds] * len(turns.raised)
    assert told == [0, 6]


def test_no_two_signals_of_a_row_have_one_time() -> None:
    alarms = Alarms.of([(-math.inf, 1.0)], AlarmRule(cooldown_seconds=0.0))
    told: list[list[int]] = []
    for time, value in ((5, 2.0), (5, 0.0), (5, 2.0), (6, 2.0)):
        alarms, turns = alarms.observe(slice(0, 1), np.array([value]), time)
        told.append([len(turns.raised), len(turns.cleared)])
    assert told == [[1, 0], [0, 1], [0, 0], [1, 0]]


def test_time_alone_is_no_observation() -> None:
    alarms = Alarms.of([(-math.inf, 1.0)] * 2, AlarmRule(hold_observations=2, hold_seconds=3.0))
    two = slice(0, 2)
    alarms, _ = alarms.observe(two, np.array([2.0, 2.0]), 0)
    alarms, turns = alarms.observe(two, np.array([2.0, np.nan]), 4 * SECOND, counts=False)
    assert not turns.any
    alarms, turns = alarms.observe(np.array([0]), np.array([2.0]), 4 * SECOND)
    assert turns.raised.tolist() == [0]
    alarms, _ = alarms.observe(np.array([1]), np.array([2.0]), 5 * SECOND)
    assert alarms.pending().tolist() == []


def test_a_change_leaves_the_state_before_it_alone() -> None:
    before = Alarms.of([(-math.inf, 1.0)], AlarmRule())
    after, _ = before.observe(slice(0, 1), np.array([2.0]), 0)
    assert (before.states.status.tolist(), after.states.status.tolist()) == ([0], [2])
    rested = after.rested(np.array([0]))
    assert (after.states.status.tolist(), rested.states.status.tolist()) == ([2], [0])
    same, turns = after.observe(slice(0, 1), np.array([2.0]), 1)
    assert same is after
    assert not turns.any


@pytest.mark.parametrize(
    ("bounds", "margin"),
    [
        ((-math.inf, 2.0), 0.4),
        ((0.5, math.inf), 0.1),
        ((-1.0, 1.0), 0.2),  # half the width
        ((0.35, 0.45), 0.01),
        ((0.3, 0.3), 0.0),
        ((-math.inf, math.inf), 0.0),
    ],
)
def test_a_figure_is_back_a_fifth_inside(bounds: tuple[float, float], margin: float) -> None:
    assert Thresholds.of([bounds], 0.8).margin.tolist() == pytest.approx([margin])
