"""Alarms become what was told of them, where a state that was kept earlier has them otherwise."""

from collections.abc import Sequence

from domain.monitoring.events import AlarmsTold, Event, ToldAlarm
from domain.monitoring.monitor import observe
from domain.monitoring.rules import (
    AlarmRule,
    Band,
    DrawdownMark,
    DrawdownRules,
    DriftRules,
    LimitRules,
    MonitoringRules,
    PriceRules,
    WeightRange,
)
from domain.monitoring.signals import EventKind, Phase, Signal
from domain.monitoring.state import MonitorState
from tests.domain.monitoring.scenes import TODAY, at, held, mandated, only, quotes, run, told

ALARM = AlarmRule(cooldown_seconds=0.0)
RULES = only(
    drift=DriftRules(Band(absolute=0.05), by_group={"g": Band(absolute=0.05)}, alarm=ALARM),
    limits=LimitRules(by_group={"g": WeightRange(0.4, 0.55)}, alarm=ALARM),
    drawdown=DrawdownRules((DrawdownMark(0.1), DrawdownMark(0.15)), alarm=ALARM),
)
START: list[Event] = [
    held({"A": 10, "B": 10}, time=at(TODAY)),
    mandated(RULES, {"A": 0.5, "B": 0.5}, {"g": ("A",)}, time=at(TODAY)),
    quotes(at(TODAY, 1), A=100.0, B=100.0),
]


def alarms(signals: Sequence[Signal]) -> tuple[ToldAlarm, ...]:
    return tuple(
        ToldAlarm(one.portfolio, one.kind, one.subject, one.threshold, one.phase, one.since) for one in signals
    )


def as_told(state: MonitorState, signals: Sequence[Signal]) -> tuple[MonitorState, tuple[Signal, ...]]:
    assert state.time is not None
    return observe(state, AlarmsTold(state.time, alarms(signals)))


def test_what_came_and_went_is_cleared_once() -> None:
    """The state was kept before the move, and what it reads anew is after it."""
    kept, _ = run(START)
    _, signals = run([quotes(at(TODAY, 2), A=60.0)], kept)
    raised = {(one.kind, one.subject, one.threshold) for one in signals}
    assert len(raised) == len(signals) == 6  # A, B and g drift, g is below its limit, two marks
    back, none = run([quotes(at(TODAY, 3), A=101.0)], kept)
    assert none == []
    after, found = as_told(back, signals)
    assert {(one.kind, one.subject, one.threshold) for one in found} == {
        (one.kind, one.subject, 0.55 if one.threshold == 0.4 else one.threshold) for one in signals
    }
    assert {one.phase for one in found} == {Phase.CLEARED}
    assert {one.since for one in found} == {at(TODAY, 2)}
    again, none_again = as_told(after, [*signals, *found])
    assert none_again == ()
    assert again is after or told(as_told(again, [*signals, *found])[1]) == []
    _, twice = as_told(back, signals)
    assert [one.dedupe_key for one in twice] == [one.dedupe_key for one in found], "one that dies again says the same"


def test_what_is_still_beyond_stays_raised_and_is_cleared_later() -> None:
    kept, _ = run(START)
    _, signals = run([quotes(at(TODAY, 2), A=60.0)], kept)
    drift = [one for one in signals if one.kind is EventKind.DRIFT]
    # Between where it is raised and where it is over: a state that did not see it raised has nothing to say.
    state, none = run([quotes(at(TODAY, 3), A=83.0)], kept)
    assert [one for one in none if one.kind is EventKind.DRIFT] == []
    state, found = as_told(state, drift)
    assert found == ()
    _, later = run([quotes(at(TODAY, 4), A=100.0)], state)
    assert {one.phase for one in later} == {Phase.CLEARED}
    assert {one.subject for one in later} == {one.subject for one in drift}


def test_what_was_told_as_over_is_raised_again() -> None:
    """It was back inside and beyond again before it was looked at anew."""
    kept, raised = run([*START, quotes(at(TODAY, 2), A=60.0)])
    _, cleared = run([quotes(at(TODAY, 3), A=100.0)], kept)
    assert len(raised) == len(cleared) == 6
    state, none = run([quotes(at(TODAY, 4), A=61.0)], kept)
    assert none == []
    _, found = as_told(state, [*raised, *cleared])
    assert {one.phase for one in found} == {Phase.RAISED}
    assert {one.time for one in found} == {at(TODAY, 4)}
    assert len(found) == 6


def test_what_is_known_changes_nothing() -> None:
    state, raised = run([*START, quotes(at(TODAY, 2), A=60.0)])
    assert as_told(state, raised)[1] == ()
    state, cleared = run([quotes(at(TODAY, 3), A=100.0)], state)
    assert as_told(state, [*raised, *cleared])[1] == ()


def test_a_rule_that_has_changed_and_a_portfolio_that_is_gone_are_left() -> None:
    kept, _ = run(START)
    _, signals = run([quotes(at(TODAY, 2), A=60.0)], kept)
    wider = MonitoringRules(drift=DriftRules(Band(absolute=0.06), alarm=ALARM))
    changed, _ = run([mandated(only(drift=wider.drift), {"A": 0.5, "B": 0.5}, revision=1)], kept)
    assert as_told(changed, signals)[1] == ()
    assert as_told(MonitorState(time=at(TODAY, 2)), signals)[1] == ()


def test_a_jump_is_of_its_date() -> None:
    """A new date asks anew, and one that was told of an earlier date keeps nobody from being told."""
    rules = only(prices=PriceRules(max_age_days=None, max_move=0.1))
    start: list[Event] = [held({"A": 10}), mandated(rules), quotes(at(TODAY, 1), A=100.0)]
    jump = quotes(at(TODAY + 1, 1), A=120.0)
    kept, _ = run(start)
    _, signals = run([jump], kept)
    assert [one.kind for one in signals] == [EventKind.PRICE_JUMP]
    state, _ = run([quotes(at(TODAY + 1, 1), A=101.0)], kept)
    state, found = as_told(state, signals)
    assert found == ()
    _, next_day = run([quotes(at(TODAY + 2, 1), A=120.0)], state)
    assert [one.kind for one in next_day] == [EventKind.PRICE_JUMP]
