"""What follows from a reading: what is wrong with one portfolio leaves the others as they are."""

from domain.monitoring.events import (
    Holdings,
    HoldingsChange,
    MandateChange,
    PortfoliosChanged,
    PricesObserved,
    QuotedPrice,
)
from domain.monitoring.mandate import Action, TargetKind, Trigger
from domain.monitoring.rules import Band, DriftRules, MonitoredMandate, MonitoringRules, VolatilityRules
from domain.monitoring.signals import EventKind
from domain.monitoring.timestamps import DAY
from domain.portfolio import Portfolio
from server.listeners.change_feed import TICK, _ticks
from server.listeners.memory import Followed, Memory, memory_from_bytes, memory_to_bytes, name_of
from server.listeners.noticing import Noticed, Reading, notice

NOW = 20_000 * DAY
HELD = Holdings(Portfolio({"A": 10, "B": 10}, cash=0.0), day=20_000)
TARGET = {"A": 0.5, "B": 0.5}
GOOD, BAD = name_of("me", "good"), name_of("me", "bad")
NOTIFY = Trigger(EventKind.DRIFT, Action.NOTIFY)
PLAN = Trigger(EventKind.DRIFT, Action.REALLOCATE, cooldown_seconds=60.0)


def watched() -> Noticed:
    """Two portfolios that are told together, one with a lookback beyond the prices that are kept."""
    good = MonitoredMandate(TARGET, rules=MonitoringRules(drift=DriftRules(Band(absolute=0.05))))
    bad = MonitoredMandate(TARGET, rules=MonitoringRules(volatility=VolatilityRules(lookback=2000)))
    told = {BAD: bad, GOOD: good}
    held = tuple(HoldingsChange(name, 1, HELD) for name in told)
    mandates = tuple(MandateChange(name, 1, mandate) for name, mandate in told.items())
    followed = {GOOD: Followed((NOTIFY, PLAN), TargetKind.WEIGHTS), BAD: Followed()}
    return notice(
        Memory(revision=1), Reading(NOW, "changes/1", (PortfoliosChanged(NOW, (*held, *mandates)),), followed)
    )


def moved(memory: Memory, time: int, price: float) -> Noticed:
    quotes = (QuotedPrice("A", time, price), QuotedPrice("B", time, 100.0))
    return notice(
        memory, Reading(time, f"changes/{time}", (PricesObserved(time, quotes),), priced=frozenset({"A", "B"}))
    )


def test_a_mandate_that_is_refused_is_told_and_the_others_are_watched() -> None:
    first = watched()
    assert [(event.portfolio, event.kind) for event in first.events] == [("bad", EventKind.MANDATE_DUE)]
    calm = moved(first.memory, NOW + 1, 100.0)
    assert calm.events == ()
    found = moved(calm.memory, NOW + 2, 150.0)
    drifts = [one for one in found.events if one.portfolio == "good" and one.kind is EventKind.DRIFT]
    assert {one.symbol for one in drifts} == {"A", "B"}
    assert all(one.notify is not None for one in drifts)
    (start,) = found.recomputations
    assert (start.owner, start.portfolio, start.action) == ("me", "good", Action.REALLOCATE)
    assert set(start.causes) == {one.dedupe_key for one in drifts}


def test_a_memory_comes_back_and_answers_alike() -> None:
    memory = moved(watched().memory, NOW + 1, 100.0).memory
    again = memory_from_bytes(memory_to_bytes(memory))
    assert memory_to_bytes(again) == memory_to_bytes(memory)
    one, other = (moved(each, NOW + 2, 150.0) for each in (memory, again))
    assert (one.events, one.recomputations) == (other.events, other.recomputations)
    assert memory_to_bytes(one.memory) == memory_to_bytes(other.memory)


def test_time_is_told_at_whole_minutes_and_in_few_steps_after_a_pause() -> None:
    assert _ticks(None, NOW) == []
    assert _ticks(NOW, NOW + TICK - 1) == []
    assert _ticks(NOW + 1, NOW + 2 * TICK + 5) == [NOW + TICK, NOW + 2 * TICK]
    assert _ticks(NOW, NOW + 3 * DAY + TICK) == [NOW + DAY, NOW + 2 * DAY, NOW + 3 * DAY, NOW + 3 * DAY + TICK]
