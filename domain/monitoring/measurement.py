"""Measures the figures of rows, and makes signals of those that pass their thresholds."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from domain.checks import Vector
from domain.monitoring.alarms import NO_ROWS, Turns
from domain.monitoring.deferred import risk_figures
from domain.monitoring.messages import figure_and_threshold, message
from domain.monitoring.positions import Valuation
from domain.monitoring.rows import OF_WEIGHTS, Family, Row
from domain.monitoring.segments import Index, Indices, items_of, segment_sums
from domain.monitoring.signals import Phase, Severity, Signal
from domain.monitoring.state import MonitorState

MOST_DAYS = 36_600.0
"""Longest time to sell that is reported: a hundred years, also for an asset without volume."""

Answer = tuple[MonitorState, list[Signal]]


def observe_rows(state: MonitorState, family: Family, rows: Index, figures: Vector, *, counts: bool = True) -> Answer:
    """Figures of some rows of a family."""
    before = state.alarms[family]
    alarms, turns = before.observe(rows, figures, state.now, counts=counts)
    if alarms is before:
        return state, []
    state = state.with_alarms(family, alarms)
    return state, _signals(state, family, turns)


def _signals(state: MonitorState, family: Family, turns: Turns) -> list[Signal]:
    rows = np.concatenate([turns.raised, turns.cleared])
    alarms = state.alarms[family]
    owners = alarms.owners(rows)
    places = rows - alarms.offsets[owners]
    phases = [Phase.RAISED] * len(turns.raised) + [Phase.CLEARED] * len(turns.cleared)
    names = [state.positions.names[owner] for owner in owners.tolist()]
    found = zip(names, places.tolist(), turns.figures.tolist(), alarms.states.raised[rows].tolist(), strict=True)
    return [
        _signal(state, name, state.rows[name].row(family, place), figure, phase, since)
        for phase, (name, place, figure, since) in zip(phases, found, strict=True)
    ]


def _signal(state: MonitorState, name: str, row: Row, figure: float, phase: Phase, since: int) -> Signal:
    value, threshold = figure_and_threshold(row, figure)
    severity = row.severity if phase is Phase.RAISED else Severity.INFO
    text = message(row, figure, phase)
    return Signal(row.kind, phase, severity, name, row.subject, value, threshold, state.now, since, text)


def revalue(state: MonitorState, portfolios: Indices, *, corrected: Indices = NO_ROWS, counts: bool = True) -> Answer:
    """Values, weights and drawdowns of some portfolios, given in order; their risk where the value has moved far.

    `corrected` are portfolios of which a price of today was replaced.
    """
    if not len(portfolios):
        return state, []
    valuation = state.positions.valued(portfolios, state.instruments.values)
    levels = state.levels.valued(portfolios, valuation.net, state.today, corrected)
    state = replace(state, levels=levels)
    signals: list[Signal] = []
    for family in OF_WEIGHTS:
        members = state.members[family]
        if not len(members.counts):
            continue
        rows = items_of(members.row_offsets, portfolios)
        state, found = observe_rows(state, family, rows, members.sums(valuation), counts=counts)
        signals += found
    state, found = observe_rows(state, Family.EQUITY, portfolios, _equity(state, valuation), counts=counts)
    signals += found
    offsets = state.alarms[Family.DRAWDOWNS].offsets
    depths = np.repeat(levels.drawdowns(portfolios), offsets[portfolios + 1] - offsets[portfolios])
    rows = items_of(offsets, portfolios)
    state, found = observe_rows(state, Family.DRAWDOWNS, rows, depths, counts=counts)
    signals += found
    measured = levels.measured_value[portfolios]
    safe = np.where(measured > 0.0, measured, np.nan)
    far = np.abs(valuation.net / safe - 1.0) > state.settings.value_tolerance  # NaN compares as False
    state, found = measure_risk(state, portfolios[far])
    return state, signals + found


def _equity(state: MonitorState, valuation: Valuation) -> Vector:
    """Net asset values (K,); NaN for a portfolio that is empty."""
    zero = valuation.net == 0.0
    if not zero.any():
        return valuation.net
    gross = segment_sums(np.abs(valuation.values), valuation.offsets)
    empty = zero & (gross == 0.0) & (state.positions.cash[valuation.portfolios] == 0.0)
    return np.where(empty, np.nan, valuation.net)


def measure_risk(state: MonitorState, portfolios: Indices, *, counts: bool = True) -> Answer:
    """Measures of risk, volatility regimes and tracking errors of some portfolios, given in order."""
    if not len(portfolios):
        return state, []
    names = [state.positions.names[place] for place in portfolios.tolist()]
    mandates = [state.watches[name].mandate for name in names]
    valuation = state.positions.valued(portfolios, state.instruments.values)
    figures = risk_figures(state.instruments, state.positions, valuation, mandates)
    state = replace(state, levels=state.levels.measured(portfolios, valuation.net))
    signals: list[Signal] = []
    measured = (
        (Family.RISKS, figures.limits),
        (Family.VOLATILITY, figures.volatility),
        (Family.TRACKING, figures.tracking),
    )
    for family, values in measured:
        rows = items_of(state.alarms[family].offsets, portfolios)
        state, found = observe_rows(state, family, rows, values, counts=counts)
        signals += found
    return state, signals


def observe_positions(
    state: MonitorState, families: Sequence[Family], items: Indices, *, counts: bool = True
) -> Answer:
    """Figures of single positions."""
    signals: list[Signal] = []
    for family in families:
        state, found = observe_rows(state, family, items, _of_positions(state, family, items), counts=counts)
        signals += found
    return state, signals


def _of_positions(state: MonitorState, family: Family, items: Indices) -> Vector:
    """The figure of each of some positions; NaN where it is not held."""
    positions, instruments = state.positions, state.instruments
    slots, units = positions.slots[items], positions.units[items]
    match family:
        case Family.SALE_DAYS:
            now = np.abs(units * instruments.units[slots])
            daily = positions.participation[positions.owners[items]] * instruments.volumes[slots]
            figures = _capped_ratio(now, daily)
        case Family.SPREADS:
            figures = instruments.spreads[slots]
        case Family.MOVES:
            figures = instruments.moves[slots]
        case _:
            figures = instruments.ages(slots, state.today)
    result: Vector = np.where(units == 0.0, np.nan, figures)
    return result


def _capped_ratio(units: Vector, daily: Vector) -> Vector:
    """Days to sell units, at most MOST_DAYS."""
    known = np.where(np.isnan(daily), np.nan, np.maximum(daily, units / MOST_DAYS))
    safe = np.where(known == 0.0, 1.0, known)
    result: Vector = np.minimum(units / safe, MOST_DAYS)
    return result
