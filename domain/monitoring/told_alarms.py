"""Alarms as they were told, where a state that was kept earlier has them otherwise."""

from collections.abc import Iterator, Mapping

import numpy as np

from domain.monitoring.alarms import NO_ROWS
from domain.monitoring.events import AlarmsTold, ToldAlarm
from domain.monitoring.measurement import Answer
from domain.monitoring.messages import figure_and_threshold
from domain.monitoring.passing_time import recheck
from domain.monitoring.rows import OF_POSITIONS, Family, PortfolioRows, Row
from domain.monitoring.segments import Indices
from domain.monitoring.signals import EventKind, Phase, Subject
from domain.monitoring.state import MonitorState

Places = Mapping[tuple[EventKind, Subject], tuple[tuple[Family, int], ...]]
"""Rows of a portfolio by what they are about."""


def observe_told(state: MonitorState, event: AlarmsTold) -> Answer:
    """Alarms become what was told last of their figures, and those that change by it are measured again.

    A rule that has changed since asks something else, and moves are of a date: neither is compared.
    """
    last: dict[Family, dict[int, ToldAlarm]] = {family: {} for family in Family}
    known: dict[str, Places] = {}
    for one in event.alarms:
        rows = state.rows.get(one.portfolio)
        if rows is None:
            continue
        if one.portfolio not in known:
            known[one.portfolio] = _places(rows)
        for family, place in known[one.portfolio].get((one.kind, one.subject), ()):
            if one.threshold in _thresholds(rows.row(family, place)):
                start = state.alarms[family].offsets[state.positions.places[one.portfolio]]
                last[family][int(start) + place] = one
    changed: dict[Family, Indices] = dict.fromkeys(Family, NO_ROWS)
    for family, told in last.items():
        if not told:
            continue
        numbers = np.array(sorted(told), np.int64)
        is_raised = np.array([told[row].phase is Phase.RAISED for row in numbers.tolist()], np.bool_)
        since = np.array([told[row].since for row in numbers.tolist()], np.int64)
        alarms, changed[family] = state.alarms[family].as_told(numbers, is_raised, since)
        state = state.with_alarms(family, alarms)
    return recheck(state, changed)


def _places(rows: PortfolioRows) -> Places:
    found: dict[tuple[EventKind, Subject], tuple[tuple[Family, int], ...]] = {}
    for family, place, row in _rows(rows):
        key = row.kind, row.subject
        found[key] = (*found.get(key, ()), (family, place))
    return found


def _rows(rows: PortfolioRows) -> Iterator[tuple[Family, int, Row]]:
    """All rows but those of moves."""
    for family in Family:
        if family is Family.MOVES:
            continue
        count = len(rows.symbols) if family in OF_POSITIONS else len(rows.named[family])
        for place in range(count):
            yield family, place, rows.row(family, place)


def _thresholds(row: Row) -> tuple[float, float]:
    """What signals of a row report as its threshold, below and above."""
    return figure_and_threshold(row, -np.inf)[1], figure_and_threshold(row, np.inf)[1]
