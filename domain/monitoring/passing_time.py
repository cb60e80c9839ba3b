"""What follows from time alone: the end of a date, stale prices, reviews, long-term lots, and alarms that wait."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from domain.monitoring.measurement import Answer, measure_risk, observe_positions, revalue
from domain.monitoring.messages import lot_message, review_message
from domain.monitoring.rows import OF_POSITIONS, OF_WEIGHTS, Family
from domain.monitoring.segments import Indices
from domain.monitoring.signals import EventKind, Phase, Severity, Signal, Subject
from domain.monitoring.state import MonitorState
from domain.monitoring.timestamps import day_of
from domain.monitoring.watches import AgeingLot, Watch


def pass_time(state: MonitorState, time: int) -> Answer:
    """It is now this time, if it is later than that of the state."""
    if state.time is None:
        return replace(state, time=time), []
    if time <= state.time:
        return state, []
    is_new_day = day_of(time) != state.today
    state = replace(state, time=time)
    if not is_new_day:
        return state, []
    state, signals = measure_risk(state, np.flatnonzero(state.levels.due))
    state, found = observe_positions(state, (Family.AGES,), np.arange(len(state.positions.slots), dtype=np.int64))
    signals += found
    state, found = _calendar(state)
    return state, signals + found


def _calendar(state: MonitorState) -> Answer:
    """Reviews and lots that are due by the calendar, each told once."""
    signals: list[Signal] = []
    changed: dict[str, Watch] = {}
    for name, watch in state.watches.items():
        if watch.holdings is None:
            continue
        after, found = _due(name, watch, state.today, state.now)
        if after is not watch:
            changed[name] = after
        signals += found
    return (replace(state, watches={**state.watches, **changed}) if changed else state), signals


def _due(name: str, watch: Watch, today: int, now: int) -> tuple[Watch, list[Signal]]:
    signals: list[Signal] = []
    reviews = watch.mandate.rules.reviews
    if reviews is not None and today > watch.reviewed_day:
        due = reviews.due_day(watch.reviewed_day, today)
        watch = replace(watch, reviewed_day=today)
        if due is not None:
            signals.append(_review(name, due, today, now))
    ripe = [lot for lot in watch.lots if lot.day <= today]
    if ripe:
        signals.extend(_lot(name, lot, today, now) for lot in ripe)
        watch = replace(watch, lots=watch.lots[len(ripe) :])
    return watch, signals


def _review(name: str, due: int, today: int, now: int) -> Signal:
    """The figure is the number of days since the date of the review."""
    kind, text = EventKind.MANDATE_DUE, review_message(due)
    return Signal(kind, Phase.RAISED, Severity.INFO, name, Subject(), float(today - due), 0.0, now, now, text)


def _lot(name: str, lot: AgeingLot, today: int, now: int) -> Signal:
    """The figure is the number of days since a sale became long-term."""
    kind, subject = EventKind.LOT_LONG_TERM, Subject(lot.symbol, lot_id=lot.lot_id)
    figure = float(today - lot.day)
    return Signal(kind, Phase.RAISED, Severity.INFO, name, subject, figure, 0.0, now, now, lot_message(lot))


def recheck_pending(state: MonitorState) -> Answer:
    """Measures the rows that are pending again, without counting an observation: only time has passed."""
    return recheck(state, {family: state.alarms[family].pending() for family in Family})


def recheck(state: MonitorState, rows: Mapping[Family, Indices]) -> Answer:
    """Measures rows of every family again, without counting an observation."""
    state, signals = revalue(
        state, _portfolios_of(state, rows, (*OF_WEIGHTS, Family.EQUITY, Family.DRAWDOWNS)), counts=False
    )
    for family in OF_POSITIONS:
        state, found = observe_positions(state, (family,), rows[family], counts=False)
        signals += found
    risky = _portfolios_of(state, rows, (Family.RISKS, Family.VOLATILITY, Family.TRACKING))
    state, found = measure_risk(state, risky, counts=False)
    return state, signals + found


def _portfolios_of(state: MonitorState, rows: Mapping[Family, Indices], families: Sequence[Family]) -> Indices:
    """Portfolios with one of the rows of some families, in order."""
    owners = [state.alarms[family].owners(rows[family]) for family in families]
    result: Indices = np.unique(np.concatenate(owners))
    return result
