"""Mandates of stored portfolios as what is watched: bands, groups, limits, reviews and triggers."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from absfinance.v1 import constraint_pb2, frequency_pb2, portfolio_pb2

from domain.errors import InvalidInput
from domain.monitoring.mandate import Action, TargetKind, Trigger, check_triggers
from domain.monitoring.review_calendar import ReviewCalendar
from domain.monitoring.rules import (
    Band,
    DriftRules,
    LimitRules,
    MonitoredMandate,
    MonitoringRules,
    WeightRange,
)
from domain.monitoring.signals import EventKind
from domain.monitoring.trigger_rules import HELD_ALARMS, rules_with_hold, rules_with_triggers
from domain.records import dataclass
from server.converters.dates import days_from_proto
from server.converters.frequency import frequency_from_proto
from server.converters.paths import error_path
from server.converters.weights import optional_field, weights_from_proto

LEAST_BAND = 1e-6
"""Band of a threshold of 0, which any difference is outside of: differences of weights are rounded."""

Groups = Mapping[str, tuple[str, ...]]
Weights = Mapping[str, float]

_TARGETS = {None: TargetKind.NONE, "weights": TargetKind.WEIGHTS, "optimize": TargetKind.OPTIMIZATION}

_ACTIONS: Mapping[int, Action] = {
    number: Action(name.removeprefix("ACTION_")) for name, number in portfolio_pb2.Trigger.Action.items() if number
} | {portfolio_pb2.Trigger.ACTION_UNSPECIFIED: Action.NOTIFY}


@dataclass(frozen=True, slots=True)
class WatchedMandate:
    """A mandate as it is watched."""

    mandate: MonitoredMandate
    triggers: tuple[Trigger, ...]
    target: TargetKind


UNWATCHED = WatchedMandate(MonitoredMandate(), (), TargetKind.NONE)
"""Of a portfolio without a mandate, or with one that cannot be watched: the default rules."""


def check_mandate(portfolio: portfolio_pb2.Portfolio) -> None:
    """Raises InvalidInput, by its field, for a mandate that cannot be watched: one that would start itself, too."""
    if portfolio.HasField("mandate"):
        watched_mandate_from_proto(portfolio.mandate, None)


def watched_mandate_from_bytes(payload: bytes, optimal: Weights | None) -> WatchedMandate:
    """The mandate of a stored portfolio; `optimal` are the last weights of a target by optimisation, if any."""
    portfolio = portfolio_pb2.Portfolio.FromString(payload)
    return watched_mandate_from_proto(portfolio.mandate, optimal) if portfolio.HasField("mandate") else UNWATCHED


def watched_mandate_from_proto(mandate: portfolio_pb2.Mandate, optimal: Weights | None) -> WatchedMandate:
    """A mandate as it is watched. Raises InvalidInput, its field beginning with "mandate"."""
    with error_path("mandate"):
        kind = _TARGETS[mandate.WhichOneof("target")]
        triggers = tuple(_trigger(i, trigger) for i, trigger in enumerate(mandate.triggers))
        check_triggers(triggers, kind)
        _require_backtest(mandate, triggers)
        groups = _groups(mandate)
        limits, of_limits = _limits(mandate, groups)
        rules = MonitoringRules(drift=_drift(mandate, groups), limits=limits, reviews=_reviews(mandate))
        rules = _with_holds(rules_with_triggers(rules, triggers), mandate.triggers)
        target = (
            weights_from_proto("weights.weights", mandate.weights.weights) if kind is TargetKind.WEIGHTS else optimal
        )
        if kind is TargetKind.NONE:
            target = None
        with _renamed("target", "weights.weights"):
            return WatchedMandate(MonitoredMandate(target, {**groups, **of_limits}, rules), triggers, kind)


@contextmanager
def _renamed(name: str, field: str) -> Iterator[None]:
    """Names a field of the domain as the contract does."""
    try:
        yield
    except InvalidInput as error:
        if not error.field.startswith(name):
            raise
        raise InvalidInput(field + error.field.removeprefix(name), error.rule, error.reason) from None


def _trigger(place: int, trigger: portfolio_pb2.Trigger) -> Trigger:
    with error_path(f"triggers[{place}]"), _renamed("cooldown_seconds", "cooldown"):
        return Trigger(
            EventKind(portfolio_pb2.EventKind.Name(trigger.event).removeprefix("EVENT_KIND_")),
            _ACTIONS[trigger.action],
            optional_field(trigger, "threshold"),
            optional_field(trigger, "clear_threshold"),
            trigger.cooldown.ToTimedelta().total_seconds(),
        )


def _require_backtest(mandate: portfolio_pb2.Mandate, triggers: Iterable[Trigger]) -> None:
    for i, trigger in enumerate(triggers):
        if trigger.action is Action.EXTEND_BACKTEST and not mandate.backtest:
            raise InvalidInput("backtest", f"must be given: triggers[{i}] extends it")


def _groups(mandate: portfolio_pb2.Mandate) -> dict[str, tuple[str, ...]]:
    """Groups of the target, then those of the mandate; each name once."""
    found: dict[str, tuple[str, ...]] = {}
    for path, groups in (("optimize.groups", mandate.optimize.groups), ("groups", mandate.groups)):
        for i, group in enumerate(groups):
            if group.name in found:
                raise InvalidInput(f"{path}[{i}].name", f"{group.name} appears twice")
            found[group.name] = tuple(group.symbols)
    return found


def _drift(mandate: portfolio_pb2.Mandate, groups: Groups) -> DriftRules:
    by_symbol: dict[str, Band] = {}
    by_group: dict[str, Band] = {}
    for i, band in enumerate(mandate.drift_bands):
        kind = band.WhichOneof("subject") or "symbol"
        name, known = (band.group, by_group) if kind == "group" else (band.symbol, by_symbol)
        if name in known:
            raise InvalidInput(f"drift_bands[{i}].{kind}", f"{name} appears twice")
        if kind == "group" and name not in groups:
            raise InvalidInput(f"drift_bands[{i}].group", f"{name} is not a group of the mandate or of its target")
        with error_path(f"drift_bands[{i}]"):
            known[name] = Band(optional_field(band, "absolute"), optional_field(band, "relative"))
    thresholds = mandate.thresholds
    absolute, relative = (_band(optional_field(thresholds, name)) for name in ("drift_band", "relative_band"))
    with error_path("thresholds"):
        rules = DriftRules(
            by_symbol=by_symbol,
            by_group=by_group,
            max_utilization=optional_field(thresholds, "max_utilization"),
            max_tracking_error_annual=_band(optional_field(thresholds, "max_tracking_error_annual")),
        )
    if absolute is None and relative is None:
        return rules
    with _renamed("absolute", "thresholds.drift_band"), _renamed("relative", "thresholds.relative_band"):
        return replace(rules, band=Band(absolute, relative))


def _band(width: float | None) -> float | None:
    return None if width is None else max(width, LEAST_BAND)


def _limits(mandate: portfolio_pb2.Mandate, groups: Groups) -> tuple[LimitRules, dict[str, tuple[str, ...]]]:
    """Bounds on weights among the constraints of the target and the mandate, and groups that they need beside those
    of the mandate. Constraints of other kinds are kept by plans, and not watched.
    """
    constraints = (*mandate.optimize.constraints, *mandate.constraints)
    max_weight: float | None = None
    ranges: dict[str, WeightRange] = {}
    own: dict[str, tuple[str, ...]] = {}
    for i, constraint in enumerate(constraints):
        label = constraint.label or f"constraints[{i}]"
        for name, members, lower, upper in _bounds(constraint, label):
            if not name:
                if upper is not None and upper > 0.0:
                    max_weight = upper if max_weight is None else min(max_weight, upper)
                continue
            if members and name in groups:
                name = f"{label} ({name})"
            if (not members and name not in groups) or (lower is None and upper is None):
                continue  # a group of stored instruments, whose members this mandate does not say
            if members:
                own[name] = members
            with error_path(f"constraints[{i}]"):
                ranges[name] = _tighter(ranges.get(name), WeightRange(lower, upper))
    return LimitRules(max_weight=max_weight, by_group=ranges), own


_Bounds = tuple[str, tuple[str, ...], float | None, float | None]
"""Group, its members where it is none of the mandate, lower and upper bound."""


def _bounds(constraint: constraint_pb2.Constraint, label: str) -> list[_Bounds]:
    kind = constraint.WhichOneof("kind")
    if kind == "weight_bounds":
        bounds = constraint.weight_bounds
        lower, upper = optional_field(bounds, "lower"), optional_field(bounds, "upper")
        if not bounds.symbols:
            return [("", (), lower, upper)]
        return [(f"{label}: {symbol}", (symbol,), lower, upper) for symbol in dict.fromkeys(bounds.symbols)]
    if kind == "group_bounds":
        of_group = constraint.group_bounds
        members = tuple(dict.fromkeys(of_group.symbols))
        lower, upper = optional_field(of_group, "lower"), optional_field(of_group, "upper")
        return [(label if members else of_group.group, members, lower, upper)]
    return []


def _tighter(one: WeightRange | None, other: WeightRange) -> WeightRange:
    """What both ranges allow."""
    if one is None:
        return other
    lowers = [bound for bound in (one.lower, other.lower) if bound is not None]
    uppers = [bound for bound in (one.upper, other.upper) if bound is not None]
    return WeightRange(max(lowers, default=None), min(uppers, default=None))


def _reviews(mandate: portfolio_pb2.Mandate) -> ReviewCalendar | None:
    if not mandate.HasField("reviews"):
        return None
    reviews = mandate.reviews
    days = tuple(days_from_proto(f"reviews.dates[{i}]", day) for i, day in enumerate(reviews.dates))
    frequency = None
    if reviews.frequency != frequency_pb2.FREQUENCY_UNSPECIFIED:
        frequency = frequency_from_proto(reviews.frequency)
    with error_path("reviews"):
        return ReviewCalendar(frequency, days)


def _with_holds(rules: MonitoringRules, triggers: Iterable[portfolio_pb2.Trigger]) -> MonitoringRules:
    """The rules with how long triggers want a figure to be beyond its threshold; all of one kind want the same."""
    known: dict[EventKind, tuple[int, float]] = {}
    for i, trigger in enumerate(triggers):
        hold = (trigger.hold_observations or 1, trigger.hold_duration.ToTimedelta().total_seconds())
        name = "hold_observations" if hold[0] > 1 else "hold_duration"
        kind = EventKind(portfolio_pb2.EventKind.Name(trigger.event).removeprefix("EVENT_KIND_"))
        is_given = hold != (1, 0.0)
        if is_given and kind not in HELD_ALARMS:
            raise InvalidInput(f"triggers[{i}].{name}", f"must be left out: {kind} has no figure that could hold")
        if kind in known and known[kind] != hold:
            raise InvalidInput(f"triggers[{i}].{name}", f"must be that of the other trigger of {kind}")
        known[kind] = hold
        if is_given:
            rules = rules_with_hold(rules, kind, *hold)
    return rules
