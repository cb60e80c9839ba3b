"""The thresholds of triggers as rules of monitoring.

| event | unit of the threshold |
|---|---|
| DRIFT | difference of a weight to its target |
| VOLATILITY | current volatility over its long-run level |
| DRAWDOWN | fraction below the peak; a mark of its own beside those of the rules |
| LIQUIDITY | days to sell a position |
| PRICE_STALE | days without a new price |
| PRICE_JUMP | return since the last date, in size |
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from domain.errors import InvalidInput
from domain.monitoring.mandate import Trigger
from domain.monitoring.rules import (
    AlarmRule,
    Band,
    DrawdownMark,
    DrawdownRules,
    DriftRules,
    LimitRules,
    LiquidityRules,
    MonitoringRules,
    PriceRules,
    VolatilityRules,
)
from domain.monitoring.signals import EventKind

LEVELS_APART = 4.0 / 3.0
"""The high level over the elevated one, as in the default rules."""


def rules_with_triggers(rules: MonitoringRules, triggers: Sequence[Trigger]) -> MonitoringRules:
    """The rules with the thresholds that triggers name; a kind that was off is on where a trigger names one.

    Raises InvalidInput for two triggers of one kind whose thresholds differ, except drawdowns, and for two that do not
    clear at the same fraction.
    """
    first: dict[EventKind, Trigger] = {}
    for i, trigger in enumerate(triggers):
        if trigger.threshold is None:
            continue
        _check_same(i, trigger, first.setdefault(trigger.event, trigger))
        rules = _RULES[trigger.event](rules, trigger, trigger.threshold)
    return rules


def _check_same(place: int, trigger: Trigger, first: Trigger) -> None:
    if trigger.event is not EventKind.DRAWDOWN and trigger.threshold != first.threshold:
        raise InvalidInput(
            f"triggers[{place}].threshold", f"must be that of the other trigger of {trigger.event}, {first.threshold:g}"
        )
    fractions = (_clear_fraction(one, AlarmRule()) for one in (trigger, first))
    if not math.isclose(*fractions, rel_tol=1e-9):  # each is a quotient of two thresholds
        rule = f"must be the same fraction of the threshold for all triggers of {trigger.event}"
        raise InvalidInput(f"triggers[{place}].clear_threshold", rule)


def _clear_fraction(trigger: Trigger, alarm: AlarmRule) -> float:
    if trigger.clear_threshold is None or trigger.threshold is None:
        return alarm.clear_fraction
    return trigger.clear_threshold / trigger.threshold


def _alarm(alarm: AlarmRule, trigger: Trigger) -> AlarmRule:
    return replace(alarm, clear_fraction=_clear_fraction(trigger, alarm))


def _drift(rules: MonitoringRules, trigger: Trigger, threshold: float) -> MonitoringRules:
    drift = rules.drift or DriftRules()
    return replace(rules, drift=replace(drift, band=Band(absolute=threshold), alarm=_alarm(drift.alarm, trigger)))


def _volatility(rules: MonitoringRules, trigger: Trigger, threshold: float) -> MonitoringRules:
    own = rules.volatility or VolatilityRules()
    high = own.high if own.high > threshold else LEVELS_APART * threshold
    return replace(rules, volatility=replace(own, elevated=threshold, high=high, alarm=_alarm(own.alarm, trigger)))


def _drawdown(rules: MonitoringRules, trigger: Trigger, threshold: float) -> MonitoringRules:
    own = rules.drawdown or DrawdownRules(marks=())
    is_new = all(mark.depth != threshold for mark in own.marks)
    marks = (*own.marks, DrawdownMark(threshold)) if is_new else own.marks
    return replace(rules, drawdown=replace(own, marks=marks, alarm=_alarm(own.alarm, trigger)))


def _liquidity(rules: MonitoringRules, trigger: Trigger, threshold: float) -> MonitoringRules:
    own = rules.liquidity or LiquidityRules()
    return replace(rules, liquidity=replace(own, max_days=threshold, alarm=_alarm(own.alarm, trigger)))


def _stale(rules: MonitoringRules, trigger: Trigger, threshold: float) -> MonitoringRules:
    own = rules.prices or PriceRules(max_move=None)
    alarm = _alarm(own.stale_alarm, trigger)
    return replace(rules, prices=replace(own, max_age_days=threshold, stale_alarm=alarm))


def _jump(rules: MonitoringRules, trigger: Trigger, threshold: float) -> MonitoringRules:
    own = rules.prices or PriceRules(max_age_days=None)
    return replace(rules, prices=replace(own, max_move=threshold, jump_alarm=_alarm(own.jump_alarm, trigger)))


_RULES: dict[EventKind, Callable[[MonitoringRules, Trigger, float], MonitoringRules]] = {
    EventKind.DRIFT: _drift,
    EventKind.VOLATILITY: _volatility,
    EventKind.DRAWDOWN: _drawdown,
    EventKind.LIQUIDITY: _liquidity,
    EventKind.PRICE_STALE: _stale,
    EventKind.PRICE_JUMP: _jump,
}

_Alarm = tuple[str, Callable[[], object], str]

HELD_ALARMS: Mapping[EventKind, _Alarm] = {
    EventKind.DRIFT: ("drift", DriftRules, "alarm"),
    EventKind.LIMIT: ("limits", LimitRules, "alarm"),
    EventKind.VOLATILITY: ("volatility", VolatilityRules, "alarm"),
    EventKind.DRAWDOWN: ("drawdown", DrawdownRules, "alarm"),
    EventKind.LIQUIDITY: ("liquidity", LiquidityRules, "alarm"),
    EventKind.PRICE_STALE: ("prices", PriceRules, "stale_alarm"),
    EventKind.PRICE_JUMP: ("prices", PriceRules, "jump_alarm"),
}
"""Events whose figure can be asked to stay beyond its threshold: the rules they are of, made where they are off, and
their alarm in these."""


def rules_with_hold(rules: MonitoringRules, kind: EventKind, observations: int, seconds: float) -> MonitoringRules:
    """The rules with how often, and for how long, a figure must be beyond its threshold before it is a signal.

    `kind` is one of `HELD_ALARMS`; rules that were off are on with their defaults.
    """
    name, default, alarm = HELD_ALARMS[kind]
    own: Any = getattr(rules, name) or default()
    held = replace(getattr(own, alarm), hold_observations=observations, hold_seconds=seconds)
    changed: dict[str, Any] = {name: replace(own, **{alarm: held})}
    return replace(rules, **changed)
