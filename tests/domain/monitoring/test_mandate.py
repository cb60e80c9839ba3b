"""Triggers: what they start, when they wait, and which are refused."""

from dataclasses import replace

import pytest

from domain.errors import InvalidInput
from domain.monitoring.mandate import (
    CAUSES,
    TARGETS,
    Action,
    LastStart,
    Occurrence,
    Start,
    TargetKind,
    Trigger,
    check_triggers,
    started_by,
)
from domain.monitoring.rules import DrawdownMark, DrawdownRules, MonitoringRules
from domain.monitoring.signals import EventKind, Severity
from domain.monitoring.timestamps import SECOND
from domain.monitoring.trigger_rules import rules_with_triggers
from tests.domain.monitoring.scenes import TODAY, at, held, mandated, only, quotes, run

DRIFTED = Occurrence(EventKind.DRIFT, "one", 0.05)
MOVED = Occurrence(EventKind.DRIFT, "two", 0.05)


def test_every_action_has_its_consequences_and_its_targets() -> None:
    assert set(CAUSES) == set(Action) == set(TARGETS)
    assert all(EventKind.PRICES not in events for events in CAUSES.values())


@pytest.mark.parametrize("event", list(EventKind))
@pytest.mark.parametrize("action", list(Action))
def test_only_an_optimisation_that_follows_drift_starts_itself(event: EventKind, action: Action) -> None:
    trigger = Trigger(event, action)
    if (event, action) != (EventKind.DRIFT, Action.OPTIMIZE):
        check_triggers([trigger], TargetKind.OPTIMIZATION)
        return
    with pytest.raises(InvalidInput, match="would start itself: DRIFT -> OPTIMIZE -> DRIFT") as refused:
        check_triggers([Trigger(EventKind.PRICES), trigger], TargetKind.OPTIMIZATION)
    assert refused.value.field == "triggers[1]"
    check_triggers([Trigger(event, action, cooldown_seconds=60.0)], TargetKind.OPTIMIZATION)


def test_a_way_round_through_other_triggers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """With another table of causes, in which a report leads to a limit and a plan to a drawdown."""
    causes = {
        **CAUSES,
        Action.ANALYZE_RISK: frozenset({EventKind.LIMIT}),
        Action.REALLOCATE: frozenset({EventKind.DRAWDOWN}),
    }
    monkeypatch.setattr("domain.monitoring.mandate.CAUSES", causes)
    round_trip = [Trigger(EventKind.DRAWDOWN, Action.ANALYZE_RISK), Trigger(EventKind.LIMIT, Action.REALLOCATE)]
    with pytest.raises(InvalidInput, match="DRAWDOWN -> ANALYZE_RISK -> LIMIT -> REALLOCATE -> DRAWDOWN"):
        check_triggers(round_trip, TargetKind.WEIGHTS)
    for i in range(2):
        waits = [replace(one, cooldown_seconds=float(i == place)) for place, one in enumerate(round_trip)]
        check_triggers(waits, TargetKind.WEIGHTS)
    check_triggers(round_trip[:1], TargetKind.WEIGHTS)


@pytest.mark.parametrize(
    ("action", "target", "is_allowed"),
    [
        (Action.OPTIMIZE, TargetKind.WEIGHTS, False),
        (Action.OPTIMIZE, TargetKind.OPTIMIZATION, True),
        (Action.REALLOCATE, TargetKind.NONE, False),
        (Action.REALLOCATE, TargetKind.WEIGHTS, True),
        (Action.EXTEND_BACKTEST, TargetKind.NONE, False),
        (Action.ANALYZE_RISK, TargetKind.NONE, True),
        (Action.NOTIFY, TargetKind.NONE, True),
    ],
)
def test_an_action_needs_its_target(action: Action, target: TargetKind, is_allowed: bool) -> None:
    triggers = [Trigger(EventKind.PRICES, action)]
    if is_allowed:
        check_triggers(triggers, target)
        return
    with pytest.raises(InvalidInput, match=f"{action} needs a mandate with") as refused:
        check_triggers(triggers, target)
    assert refused.value.field == "triggers[0].action"


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"event": EventKind.PRICES, "threshold": 1.0}, "threshold"),
        ({"event": EventKind.LIMIT, "threshold": 1.0}, "threshold"),
        ({"event": EventKind.DRIFT, "threshold": 0.0}, "threshold"),
        ({"event": EventKind.DRIFT, "threshold": float("nan")}, "threshold"),
        ({"event": EventKind.DRIFT, "clear_threshold": 0.1}, "clear_threshold"),
        ({"event": EventKind.DRIFT, "threshold": 0.1, "clear_threshold": 0.2}, "clear_threshold"),
        ({"event": EventKind.DRIFT, "cooldown_seconds": -1.0}, "cooldown_seconds"),
        ({"event": EventKind.DRIFT, "cooldown_seconds": 1e9}, "cooldown_seconds"),
    ],
)
def test_bad_triggers_are_refused(settings: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Trigger(**settings)  # type: ignore[arg-type]  # the fields of a trigger, by name
    assert refused.value.field == field


def test_a_burst_starts_each_action_once() -> None:
    triggers = [
        Trigger(EventKind.DRIFT, Action.REALLOCATE),
        Trigger(EventKind.PRICES, Action.REALLOCATE),
        Trigger(EventKind.DRIFT),
    ]
    prices = Occurrence(EventKind.PRICES, "three")
    history, starts = started_by(triggers, {}, [DRIFTED, prices, MOVED, DRIFTED], 7)
    assert starts == (
        Start(Action.REALLOCATE, ("one", "two", "three"), 7),
        Start(Action.NOTIFY, ("one", "two"), 7),
    )
    assert history == {0: LastStart(7), 1: LastStart(7), 2: LastStart(7)}
    assert started_by(triggers, history, [], 8) == (history, ())


def test_what_happens_in_a_cooldown_is_owed() -> None:
    triggers = [Trigger(EventKind.DRIFT, Action.REALLOCATE, cooldown_seconds=10.0)]
    history, starts = started_by(triggers, {}, [DRIFTED], 0)
    assert len(starts) == 1
    history, starts = started_by(triggers, history, [MOVED], 9 * SECOND)
    assert starts == ()
    assert history == {0: LastStart(0, ("two",))}
    history, starts = started_by(triggers, history, [MOVED], 9 * SECOND)  # told twice, owed once
    history, starts = started_by(triggers, history, [], 10 * SECOND)
    assert starts == (Start(Action.REALLOCATE, ("two",), 10 * SECOND),)
    assert started_by(triggers, history, [], 100 * SECOND) == (history, ())


def test_a_mark_starts_its_own_trigger_alone() -> None:
    triggers = [
        Trigger(EventKind.DRAWDOWN, Action.NOTIFY, 0.1),
        Trigger(EventKind.DRAWDOWN, Action.REALLOCATE, 0.2),
        Trigger(EventKind.DRAWDOWN, Action.ANALYZE_RISK),
    ]
    _, starts = started_by(triggers, {}, [Occurrence(EventKind.DRAWDOWN, "deep", 0.2)], 0)
    assert [one.action for one in starts] == [Action.REALLOCATE, Action.ANALYZE_RISK]
    rules = rules_with_triggers(only(), triggers)
    start = [mandated(rules), held({"A": 1}), quotes(at(TODAY, 1), A=100), quotes(at(TODAY, 2), A=85)]
    _, signals = run(start)
    assert [one.threshold for one in signals] == [0.1]
    _, starts = started_by(triggers, {}, [Occurrence.of(one) for one in signals], at(TODAY, 2))
    assert [(one.action, one.causes) for one in starts] == [
        (Action.NOTIFY, (signals[0].dedupe_key,)),
        (Action.ANALYZE_RISK, (signals[0].dedupe_key,)),
    ]


def test_thresholds_of_triggers_are_rules() -> None:
    rules = rules_with_triggers(
        MonitoringRules(prices=None, liquidity=None),
        [
            Trigger(EventKind.DRIFT, threshold=0.03, clear_threshold=0.015),
            Trigger(EventKind.VOLATILITY, threshold=3.0),
            Trigger(EventKind.DRAWDOWN, threshold=0.15, clear_threshold=0.12),
            Trigger(EventKind.DRAWDOWN, threshold=0.1, clear_threshold=0.08),
            Trigger(EventKind.LIQUIDITY, threshold=2.0),
            Trigger(EventKind.PRICE_STALE, threshold=1.0),
            Trigger(EventKind.PRICE_JUMP, threshold=0.2),
            Trigger(EventKind.MANDATE_DUE),
        ],
    )
    assert rules.drift is not None
    assert (rules.drift.band.absolute, rules.drift.alarm.clear_fraction) == (0.03, 0.5)
    assert rules.volatility is not None
    assert (rules.volatility.elevated, rules.volatility.high) == (3.0, 4.0)
    assert rules.drawdown is not None
    assert [mark.depth for mark in rules.drawdown.marks] == [0.05, 0.10, 0.20, 0.15]
    assert rules.drawdown.alarm.clear_fraction == pytest.approx(0.8)
    assert rules.liquidity is not None
    assert rules.liquidity.max_days == 2.0
    assert rules.prices is not None
    assert (rules.prices.max_age_days, rules.prices.max_move) == (1.0, 0.2)


def test_a_kind_that_was_off_is_on_for_the_trigger_alone() -> None:
    rules = rules_with_triggers(only(), [Trigger(EventKind.DRAWDOWN, threshold=0.3)])
    assert rules.drawdown == DrawdownRules((DrawdownMark(0.3, Severity.WARNING),))
    stale = rules_with_triggers(only(), [Trigger(EventKind.PRICE_STALE, threshold=2.0)])
    assert stale.prices is not None
    assert stale.prices.max_move is None


@pytest.mark.parametrize(
    ("triggers", "field"),
    [
        ([Trigger(EventKind.DRIFT, threshold=0.1), Trigger(EventKind.DRIFT, threshold=0.2)], "triggers[1].threshold"),
        (
            [
                Trigger(EventKind.DRAWDOWN, threshold=0.1),
                Trigger(EventKind.DRAWDOWN, threshold=0.2, clear_threshold=0.1),
            ],
            "triggers[1].clear_threshold",
        ),
    ],
)
def test_thresholds_that_contradict_are_refused(triggers: list[Trigger], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        rules_with_triggers(MonitoringRules(), triggers)
    assert refused.value.field == field


def test_a_threshold_of_days_is_not_passed_by_a_spread() -> None:
    """LIQUIDITY signals are of days to sell and of spreads; the threshold of a trigger is one of days."""
    trigger = Trigger(EventKind.LIQUIDITY, Action.REALLOCATE, 5.0)
    _, starts = started_by([trigger], {}, [Occurrence(EventKind.LIQUIDITY, "spread", 50.0)], 0)
    assert starts == ()
    _, starts = started_by([trigger], {}, [Occurrence(EventKind.LIQUIDITY, "days", 5.0)], 0)
    assert [one.causes for one in starts] == [("days",)]
