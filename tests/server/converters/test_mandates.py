"""Mandates as what is watched: each hold at its own alarm, limits and groups, and what is refused by its field."""

from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from absfinance.v1.portfolio_pb2 import Mandate, Thresholds
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.monitoring.mandate import Action, TargetKind
from domain.monitoring.rules import AlarmRule, Band, WeightRange
from server.converters.mandates import WatchedMandate, watched_mandate_from_proto

TARGET = {"weights": {"weights": [{"symbol": "A", "weight": 0.5}]}}


def watched(**mandate: Any) -> WatchedMandate:
    return watched_mandate_from_proto(json_format.ParseDict(mandate, Mandate()), None)


def held(rules: Any) -> set[str]:
    """Names of the alarms of rules that wait for three observations and a minute."""
    found = set()
    for group in (one.name for one in fields(rules)):
        own = getattr(rules, group)
        for name in (one.name for one in fields(own)) if is_dataclass(own) else ():
            alarm = getattr(own, name)
            if isinstance(alarm, AlarmRule) and (alarm.hold_observations, alarm.hold_seconds) == (3, 60.0):
                found.add(f"{group}.{name}")
    return found


@pytest.mark.parametrize(
    ("event", "alarm"),
    [
        ("DRIFT", "drift.alarm"),
        ("LIMIT", "limits.alarm"),
        ("VOLATILITY", "volatility.alarm"),
        ("DRAWDOWN", "drawdown.alarm"),
        ("LIQUIDITY", "liquidity.alarm"),
        ("PRICE_STALE", "prices.stale_alarm"),
        ("PRICE_JUMP", "prices.jump_alarm"),
    ],
)
def test_a_hold_is_of_the_alarm_of_its_event_alone(event: str, alarm: str) -> None:
    trigger = {"event": f"EVENT_KIND_{event}", "holdObservations": 3, "holdDuration": "60s"}
    found = watched(**TARGET, triggers=[trigger]).mandate.rules
    assert held(found) == {alarm}


def test_a_hold_keeps_the_threshold_of_its_trigger() -> None:
    trigger = {"event": "EVENT_KIND_DRIFT", "threshold": 0.02, "holdObservations": 3, "holdDuration": "60s"}
    drift = watched(**TARGET, triggers=[trigger]).mandate.rules.drift
    assert drift is not None
    assert (drift.band, drift.alarm.hold_observations) == (Band(absolute=0.02), 3)


def test_every_threshold_of_a_mandate_is_watched() -> None:
    """But whether trades are worth their cost, which only a plan knows."""
    said = {"maxUtilization": 1.2, "driftBand": 0.03, "relativeBand": 0.1, "maxTrackingErrorAnnual": 0.02}
    assert {field.json_name for field in Thresholds.DESCRIPTOR.fields} == {*said, "costBenefit"}
    drift = watched(**TARGET, thresholds=said).mandate.rules.drift
    assert drift is not None
    assert drift.band == Band(0.03, 0.1)
    assert (drift.max_utilization, drift.max_tracking_error_annual) == (1.2, 0.02)
    without = watched(**TARGET, thresholds={"maxUtilization": 1.2}).mandate.rules.drift
    assert without is not None
    assert (without.band, without.max_utilization) == (Band(absolute=0.05), 1.2)
    assert without.max_tracking_error_annual is None
    with pytest.raises(InvalidInput) as raised:
        watched(**TARGET, thresholds={"maxUtilization": 1e20})
    assert raised.value.field == "mandate.thresholds.max_utilization"


def test_a_trigger_of_drift_keeps_the_other_thresholds() -> None:
    trigger = {"event": "EVENT_KIND_DRIFT", "threshold": 0.02}
    drift = watched(**TARGET, thresholds={"maxUtilization": 1.2}, triggers=[trigger]).mandate.rules.drift
    assert drift is not None
    assert (drift.band, drift.max_utilization) == (Band(absolute=0.02), 1.2)


def test_targets_triggers_groups_and_limits() -> None:
    found = watched(
        **TARGET,
        groups=[{"name": "tech", "symbols": ["A", "B"]}],
        constraints=[
            {"weightBounds": {"upper": 0.4}},
            {"weightBounds": {"upper": 0.3}},
            {"groupBounds": {"group": "tech", "upper": 0.6}},
            {"groupBounds": {"group": "tech", "lower": 0.1, "upper": 0.7}},
            {"label": "few", "groupBounds": {"symbols": ["A", "C"], "upper": 0.5}},
            {"groupBounds": {"group": "stored", "upper": 0.5}},
        ],
        driftBands=[{"symbol": "A", "absolute": 0.01}, {"group": "tech", "relative": 0.2}],
        triggers=[{"event": "EVENT_KIND_DRIFT", "action": "ACTION_REALLOCATE"}, {"event": "EVENT_KIND_LIMIT"}],
    )
    assert (found.target, found.mandate.target) == (TargetKind.WEIGHTS, {"A": 0.5})
    assert [trigger.action for trigger in found.triggers] == [Action.REALLOCATE, Action.NOTIFY]
    assert found.mandate.groups == {"tech": ("A", "B"), "few": ("A", "C")}
    limits, drift = found.mandate.rules.limits, found.mandate.rules.drift
    assert limits.max_weight == 0.3
    # Two bounds on one group are both kept; members of a stored group are not said here.
    assert limits.by_group == {"tech": WeightRange(0.1, 0.6), "few": WeightRange(None, 0.5)}
    assert drift is not None
    assert (drift.by_symbol, drift.by_group) == ({"A": Band(0.01)}, {"tech": Band(relative=0.2)})


GROUP = {"name": "g", "symbols": ["A"]}
HELD = {"event": "EVENT_KIND_DRIFT", "holdObservations": 2}


@pytest.mark.parametrize(
    ("mandate", "field"),
    [
        ({"groups": [GROUP, GROUP]}, "mandate.groups[1].name"),
        ({"driftBands": [{"symbol": "A", "absolute": 0.1}] * 2}, "mandate.drift_bands[1].symbol"),
        ({"driftBands": [{"group": "g", "absolute": 0.1}]}, "mandate.drift_bands[0].group"),
        ({"triggers": [HELD, {"event": "EVENT_KIND_DRIFT"}]}, "mandate.triggers[1].hold_duration"),
        (
            {"triggers": [{"event": "EVENT_KIND_PRICES", "holdObservations": 2}]},
            "mandate.triggers[0].hold_observations",
        ),
        ({"triggers": [{"event": "EVENT_KIND_PRICES", "holdDuration": "1s"}]}, "mandate.triggers[0].hold_duration"),
        (
            {**TARGET, "triggers": [{"event": "EVENT_KIND_PRICES", "action": "ACTION_EXTEND_BACKTEST"}]},
            "mandate.backtest",
        ),
        ({"weights": {"weights": [{"symbol": "A", "weight": 1}] * 2}}, "mandate.weights.weights[1].symbol"),
    ],
)
def test_what_cannot_be_watched_is_refused_by_its_field(mandate: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        watched(**mandate)
    assert refused.value.field == field
