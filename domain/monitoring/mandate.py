"""What is recomputed on which event, as data, and the check that nothing starts itself without end.

A trigger names an event and an action. `CAUSES` says which events an action can bring about; a trigger whose action
can bring about its own event, also by way of other triggers of the mandate, would start itself. No action trades.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from domain.checks import figure, non_negative, positive
from domain.errors import InvalidInput
from domain.monitoring.rules import LONGEST_SECONDS
from domain.monitoring.signals import EventKind, Signal
from domain.monitoring.timestamps import SECOND
from domain.records import dataclass


class Action(StrEnum):
    """What a trigger starts, by the name the contract gives it."""

    NOTIFY = "NOTIFY"  # the signal is sent on
    OPTIMIZE = "OPTIMIZE"
    REALLOCATE = "REALLOCATE"  # with validate_only: a plan that is not carried out
    ANALYZE_RISK = "ANALYZE_RISK"
    EXTEND_BACKTEST = "EXTEND_BACKTEST"


class TargetKind(StrEnum):
    """How a mandate chooses its target."""

    NONE = "NONE"
    WEIGHTS = "WEIGHTS"
    OPTIMIZATION = "OPTIMIZATION"


CAUSES: Final[Mapping[Action, frozenset[EventKind]]] = MappingProxyType(
    {
        Action.NOTIFY: frozenset(),
        # The optimal weights are the new target, and what is held drifts from it.
        Action.OPTIMIZE: frozenset({EventKind.DRIFT}),
        # A plan, a report and a longer backtest change neither holdings nor target nor data.
        Action.REALLOCATE: frozenset(),
        Action.ANALYZE_RISK: frozenset(),
        Action.EXTEND_BACKTEST: frozenset(),
    }
)
"""Events that the result of an action can bring about."""

TARGETS: Final[Mapping[Action, frozenset[TargetKind]]] = MappingProxyType(
    {
        Action.NOTIFY: frozenset(TargetKind),
        Action.OPTIMIZE: frozenset({TargetKind.OPTIMIZATION}),
        Action.REALLOCATE: frozenset({TargetKind.WEIGHTS, TargetKind.OPTIMIZATION}),
        Action.ANALYZE_RISK: frozenset(TargetKind),
        Action.EXTEND_BACKTEST: frozenset({TargetKind.WEIGHTS, TargetKind.OPTIMIZATION}),
    }
)
"""Targets that an action can be done with."""

WITHOUT_THRESHOLD: Final[Mapping[EventKind, str]] = MappingProxyType(
    {
        EventKind.PRICES: "new prices have no figure",
        EventKind.LIMIT: "the limits are those of the mandate",
        EventKind.MANDATE_DUE: "a date has no figure",
        EventKind.LOT_LONG_TERM: "a date has no figure",
        EventKind.RESULT_STALE: "a stale result has no figure",
    }
)
"""Events for which a trigger has no threshold of its own, and why."""

SEVERAL_THRESHOLDS: Final = frozenset({EventKind.DRAWDOWN, EventKind.VOLATILITY, EventKind.LIQUIDITY})
"""Kinds whose signals are of several thresholds at once; of liquidity, one of days to sell and one of spreads."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Which action follows an event.

    Its thresholds are those of the portfolio's rules (`trigger_rules`): a signal is raised where a figure passes the
    first, and again only after it was back inside the second one.
    """

    event: EventKind
    action: Action = Action.NOTIFY
    threshold: float | None = None  # in the unit of the event's figure
    clear_threshold: float | None = None
    cooldown_seconds: float = 0.0  # least time from one start to the next

    def __post_init__(self) -> None:
        for name in ("threshold", "clear_threshold"):
            value: float | None = getattr(self, name)
            if value is None:
                continue
            figure(name, positive(name, value))
            if self.event in WITHOUT_THRESHOLD:
                raise InvalidInput(name, f"must be left out: {WITHOUT_THRESHOLD[self.event]}")
        if self.clear_threshold is not None:
            if self.threshold is None:
                raise InvalidInput("clear_threshold", "must be left out where there is no threshold")
            if self.clear_threshold > self.threshold:
                raise InvalidInput("clear_threshold", f"must be at most the threshold, {self.threshold:g}")
        if non_negative("cooldown_seconds", self.cooldown_seconds) > LONGEST_SECONDS:
            raise InvalidInput("cooldown_seconds", f"must be at most {LONGEST_SECONDS:g}")

    def follows(self, one: "Occurrence") -> bool:
        """Whether an occurrence starts the action; of kinds with several thresholds, only the trigger's own."""
        if one.event is not self.event:
            return False
        if self.threshold is None or self.event not in SEVERAL_THRESHOLDS or one.threshold is None:
            return True
        return math.isclose(one.threshold, self.threshold, rel_tol=1e-9)


def check_triggers(triggers: Sequence[Trigger], target: TargetKind) -> None:
    """Raises InvalidInput for a trigger whose action the target does not allow, or that would start itself.

    One that can start itself is refused, unless a trigger on the way has a cooldown: then
    it starts at most once in each cooldown.
    """
    for i, trigger in enumerate(triggers):
        if target not in TARGETS[trigger.action]:
            raise InvalidInput(
                f"triggers[{i}].action", f"{trigger.action} needs a mandate with {_needed(trigger.action)}"
            )
    for i, trigger in enumerate(triggers):
        way = _way_back(triggers, trigger)
        if way is not None:
            raise InvalidInput(
                f"triggers[{i}]",
                f"would start itself: {' -> '.join(way)}; use another action, or set a cooldown",
                "TRIGGER_LOOP",
            )


def _needed(action: Action) -> str:
    return "an optimisation as its target" if action is Action.OPTIMIZE else "a target"


def _way_back(triggers: Sequence[Trigger], first: Trigger) -> list[str] | None:
    """Events and actions from a trigger to its own event, through triggers without a cooldown; None if it has none."""
    if first.cooldown_seconds > 0.0:
        return None
    ways: list[tuple[Trigger, list[str]]] = [(first, [first.event, first.action])]
    seen = {(first.event, first.action)}
    while ways:
        trigger, way = ways.pop()
        for event in sorted(CAUSES[trigger.action]):
            if event is first.event:
                return [*way, event]
            for other in triggers:
                key = (other.event, other.action)
                if other.event is event and other.cooldown_seconds == 0.0 and key not in seen:
                    seen.add(key)
                    ways.append((other, [*way, event, other.action]))
    return None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event of a portfolio that a trigger may follow."""

    event: EventKind
    cause: str  # unique to it: the dedupe key of a signal, or the id of a change
    threshold: float | None = None  # that a figure passed

    @classmethod
    def of(cls, signal: Signal) -> "Occurrence":
        """That of a signal that was raised."""
        return cls(signal.kind, signal.dedupe_key, signal.threshold)


@dataclass(frozen=True, slots=True)
class Start:
    """An action to be done once. The first cause and the action are its idempotency key."""

    action: Action
    causes: tuple[str, ...]  # all that it answers, in the order of the occurrences
    time: int  # microseconds since 1970-01-01


@dataclass(frozen=True, slots=True)
class LastStart:
    """Of one trigger."""

    time: int
    owed: tuple[str, ...] = ()  # causes in its cooldown, for the start after that


TriggerHistory = Mapping[int, LastStart]
"""The last start of each trigger of a portfolio, by its place in the mandate; a new mandate begins without."""


def started_by(
    triggers: Sequence[Trigger], history: TriggerHistory, occurrences: Sequence[Occurrence], time: int
) -> tuple[TriggerHistory, tuple[Start, ...]]:
    """What occurrences of one portfolio start at a time, and the history after it.

    A burst is one start of each action. What falls into the cooldown of a trigger is owed, and started by the first
    call after it, also one without occurrences.
    """
    known = dict(history)
    causes: dict[Action, list[str]] = {}
    for i, trigger in enumerate(triggers):
        before = known.get(i)
        found = [one.cause for one in occurrences if trigger.follows(one)]
        waiting = list(dict.fromkeys([*(before.owed if before is not None else ()), *found]))
        if not waiting:
            continue
        if before is not None and time - before.time < trigger.cooldown_seconds * SECOND:
            known[i] = replace(before, owed=tuple(waiting))
            continue
        known[i] = LastStart(time)
        causes.setdefault(trigger.action, []).extend(waiting)
    return known, tuple(Start(action, tuple(dict.fromkeys(all_)), time) for action, all_ in causes.items())
