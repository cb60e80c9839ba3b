"""Rows of figures with thresholds, and the state of each alarm: many rows at once, in arrays.

A row is at rest, pending (beyond its threshold, not yet for long enough) or active (a signal was raised and has not
cleared). A figure that is not known (NaN) changes nothing.
"""

from collections.abc import Sequence
from dataclasses import field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.monitoring.rules import AlarmRule
from domain.monitoring.segments import Cuts, Index, Indices, item_cuts, spliced_fields, spliced_offsets
from domain.monitoring.timestamps import SECOND
from domain.records import dataclass

REST, PENDING, ACTIVE = 0, 1, 2

NEVER: Final = np.iinfo(np.int64).min
"""Time of the last signal of a row that never had one."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Bounds of rows (R,), and how far inside them a figure is back."""

    lower: Vector
    upper: Vector
    margin: Vector

    @classmethod
    def of(
        cls, bounds: Sequence[tuple[float, float]], clear_fraction: float, widths: Sequence[float | None] = ()
    ) -> "Thresholds":
        """From pairs of lower and upper bounds.

        The margin is 1 - clear_fraction of half the width between two bounds, or of the size of a single one; of the
        width that is given where there is one.
        """
        lower = np.array([low for low, _ in bounds], np.float64)
        upper = np.array([high for _, high in bounds], np.float64)
        single = np.where(np.isfinite(upper), np.abs(upper), np.abs(lower))
        both = np.isfinite(lower) & np.isfinite(upper)
        size = np.where(both, 0.5 * (np.where(both, upper, 0.0) - np.where(both, lower, 0.0)), single)
        for row, width in enumerate(widths):
            size[row] = size[row] if width is None else width
        return cls(lower, upper, (1.0 - clear_fraction) * np.where(np.isfinite(size), size, 0.0))


@dataclass(frozen=True, slots=True)
class AlarmStates:
    """What changes of rows (R,)."""

    status: NDArray[np.int8]
    count: NDArray[np.int32]  # observations beyond the threshold in a row, while pending
    since: NDArray[np.int64]  # time of the first of them
    raised: NDArray[np.int64]  # time of the last signal, or NEVER

    @classmethod
    def at_rest(cls, rows: int) -> "AlarmStates":
        """No alarm yet."""
        return cls(np.zeros(rows, np.int8), np.zeros(rows, np.int32), np.zeros(rows, np.int64), np.full(rows, NEVER))


@dataclass(frozen=True, slots=True)
class Holds:
    """The rule of the rows of each portfolio (P,), times in microseconds."""

    observations: NDArray[np.int64]
    time: NDArray[np.int64]
    cooldown: NDArray[np.int64]

    @classmethod
    def of(cls, rule: AlarmRule) -> "Holds":
        """Of one portfolio."""
        seconds = (rule.hold_seconds, rule.cooldown_seconds)
        hold, cooldown = (np.array([round(one * SECOND)], np.int64) for one in seconds)
        return cls(np.array([rule.hold_observations], np.int64), hold, cooldown)


@dataclass(frozen=True, slots=True)
class Turns:
    """Rows that have raised or cleared, with their figures."""

    raised: Indices
    cleared: Indices
    figures: Vector  # of those raised, then of those cleared

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return len(self.figures) > 0


NO_ROWS: Final = np.zeros(0, np.int64)
NO_TURNS: Final = Turns(NO_ROWS, NO_ROWS, np.zeros(0))


def _none() -> Vector:
    return np.zeros(0)


@dataclass(frozen=True)
class Alarms:
    """Rows of one kind, those of a portfolio together and portfolios in order."""

    offsets: Indices = field(default_factory=lambda: np.zeros(1, np.int64))  # (P + 1,), first row of each portfolio
    thresholds: Thresholds = field(default_factory=lambda: Thresholds(_none(), _none(), _none()))
    states: AlarmStates = field(default_factory=lambda: AlarmStates.at_rest(0))
    holds: Holds = field(default_factory=lambda: Holds(NO_ROWS, NO_ROWS, NO_ROWS))

    @classmethod
    def of(
        cls, bounds: Sequence[tuple[float, float]], rule: AlarmRule, widths: Sequence[float | None] = ()
    ) -> "Alarms":
        """The rows of one portfolio, at rest."""
        offsets = np.array([0, len(bounds)], np.int64)
        thresholds = Thresholds.of(bounds, rule.clear_fraction, widths)
        return cls(offsets, thresholds, AlarmStates.at_rest(len(bounds)), Holds.of(rule))

    def owners(self, rows: Indices) -> Indices:
        """The portfolio of each of the rows."""
        return self.offsets.searchsorted(rows, side="right") - 1

    def pending(self) -> Indices:
        """Rows that are pending."""
        return np.flatnonzero(self.states.status == PENDING)

    def rested(self, rows: Indices) -> "Alarms":
        """With rows at rest, without a signal that they have cleared: what they ask begins anew."""
        if not self.states.status[rows].any():
            return self
        status = self.states.status.copy()
        status[rows] = REST
        return replace(self, states=replace(self.states, status=status))

    def as_told(
        self, rows: Indices, is_raised: NDArray[np.bool_], since: NDArray[np.int64]
    ) -> tuple["Alarms", Indices]:
        """With rows as their last signals have it, and which of them have changed by it."""
        old, status = self.states, self.states.status[rows]
        opens = is_raised & (status != ACTIVE)
        closes = ~is_raised & (status == ACTIVE) & (old.raised[rows] == since)
        moved = opens | closes
        if not moved.any():
            return self, NO_ROWS
        chosen = rows[moved]
        states = AlarmStates(
            _written(old.status, chosen, np.where(opens[moved], ACTIVE, REST)),
            _written(old.count, chosen, np.zeros(len(chosen), np.int32)),
            _written(old.since, chosen, np.zeros(len(chosen), np.int64)),
            _written(old.raised, chosen, since[moved]),
        )
        return replace(self, states=states), chosen

    def observe(self, rows: Index, figures: Vector, time: int, *, counts: bool = True) -> tuple["Alarms", Turns]:
        """Figures of some rows at a time; `counts` is False where nothing new was observed, and only time passed."""
        limits, status = self.thresholds, self.states.status[rows]
        beyond = (figures < limits.lower[rows]) | (figures > limits.upper[rows])
        moving = beyond & (status != ACTIVE)
        if status.any():
            margin = limits.margin[rows]
            inside = (figures >= limits.lower[rows] + margin) & (figures <= limits.upper[rows] - margin)
            moving |= (status == PENDING) & ~np.isnan(figures)
            moving |= (status == ACTIVE) & inside
        if not moving.any():
            return self, NO_TURNS
        chosen = np.flatnonzero(moving) if isinstance(rows, slice) else rows[moving]
        return self._moved(chosen, beyond[moving], figures[moving], time, counts)

    def _moved(
        self, rows: Indices, beyond: NDArray[np.bool_], figures: Vector, time: int, counts: bool
    ) -> tuple["Alarms", Turns]:
        """Rows that leave their state or count on."""
        old = self.states
        status, owners = old.status[rows], self.owners(rows)
        fresh = beyond & (status == REST)
        since = np.where(fresh, time, old.since[rows])
        # A row that begins to be pending has been observed at least once.
        count = np.where(fresh, 1, old.count[rows] + int(counts))
        holds = self.holds
        held = (count >= holds.observations[owners]) & (time - since >= holds.time[owners])
        raised_before = old.raised[rows]
        # No two signals of a row have one time: it tells them apart.
        cool = (raised_before == NEVER) | (time - raised_before >= np.maximum(holds.cooldown[owners], 1))
        raises, clears = beyond & held & cool, ~beyond & (status == ACTIVE)
        new = np.where(raises, ACTIVE, np.where(beyond, PENDING, REST))
        states = AlarmStates(
            _written(old.status, rows, new),
            _written(old.count, rows, np.where(new == PENDING, np.minimum(count, 2**30), 0)),
            _written(old.since, rows, np.where(new == PENDING, since, 0)),
            _written(old.raised, rows, np.where(raises, time, raised_before)),
        )
        turns = Turns(rows[raises], rows[clears], np.concatenate([figures[raises], figures[clears]]))
        return replace(self, states=states), turns

    def spliced(self, cuts: Cuts, parts: Sequence["Alarms"]) -> "Alarms":
        """With the rows of other portfolios instead of those of each cut."""
        items = item_cuts(self.offsets, cuts)
        return Alarms(
            spliced_offsets(self.offsets, cuts, [part.offsets for part in parts]),
            spliced_fields(self.thresholds, items, [part.thresholds for part in parts]),
            spliced_fields(self.states, items, [part.states for part in parts]),
            spliced_fields(self.holds, cuts, [part.holds for part in parts]),
        )


def _written(array: NDArray[Any], rows: Indices, values: NDArray[Any]) -> NDArray[Any]:
    result = array.copy()
    result[rows] = values
    return result
