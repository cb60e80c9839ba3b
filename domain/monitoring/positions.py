"""Units of every portfolio in arrays, their values and weights.

Nothing is summed over time: the value of a portfolio that a price touches is summed anew from its positions, so that a
million prices leave no more rounding than one. The cost is the number of positions of the portfolios that are touched.
"""

from collections.abc import Sequence
from dataclasses import field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.monitoring.segments import (
    Cuts,
    Index,
    Indices,
    item_cuts,
    items_of,
    offsets_of,
    segment_sums,
    spliced,
    spliced_offsets,
)
from domain.records import dataclass


@dataclass(frozen=True)
class Positions:
    """Portfolios by name, and the assets that each holds or wants, by symbol."""

    names: tuple[str, ...] = ()  # (P,), in order
    offsets: Indices = field(default_factory=lambda: np.zeros(1, np.int64))  # (P + 1,), first position of each
    slots: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))  # (N,), of the assets
    units: Vector = field(default_factory=lambda: np.zeros(0))  # (N,), before all splits; 0 is wanted and not held
    cash: Vector = field(default_factory=lambda: np.zeros(0))  # (P,)
    participation: Vector = field(default_factory=lambda: np.zeros(0))  # (P,), of the daily volume that a sale may be

    @cached_property
    def places(self) -> dict[str, int]:
        """Place of each portfolio."""
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def owners(self) -> Indices:
        """Portfolio of each position, (N,)."""
        return np.repeat(np.arange(len(self.names), dtype=np.int64), np.diff(self.offsets))

    @cached_property
    def _by_slot(self) -> tuple[Indices, Indices]:
        """Positions in the order of their assets (N,), and where those of each asset begin (S + 1,)."""
        order = np.argsort(self.slots, kind="stable")
        counts = np.bincount(self.slots, minlength=1)
        return order, offsets_of(counts)

    def of_slots(self, slots: Indices) -> Indices:
        """Positions in some assets, in order."""
        order, starts = self._by_slot
        known = slots[slots < len(starts) - 1]
        found = [order[starts[slot] : starts[slot + 1]] for slot in known.tolist()]
        return np.sort(np.concatenate(found)) if found else np.zeros(0, np.int64)

    @property
    def all(self) -> Indices:
        """All portfolios."""
        return np.arange(len(self.names), dtype=np.int64)

    def spliced(self, cuts: Cuts, parts: Sequence["Positions"]) -> "Positions":
        """With other portfolios instead of those of each cut."""
        names: list[str] = []
        after = 0
        for (start, end), part in zip(cuts, parts, strict=True):
            names += [*self.names[after:start], *part.names]
            after = end
        items = item_cuts(self.offsets, cuts)
        return Positions(
            (*names, *self.names[after:]),
            spliced_offsets(self.offsets, cuts, [part.offsets for part in parts]),
            spliced(self.slots, items, [part.slots for part in parts]),
            spliced(self.units, items, [part.units for part in parts]),
            spliced(self.cash, cuts, [part.cash for part in parts]),
            spliced(self.participation, cuts, [part.participation for part in parts]),
        )

    def valued(self, portfolios: Indices, prices: Vector) -> "Valuation":
        """Values of some portfolios, given in order, at prices by slot (S,); NaN is no price."""
        items = items_of(self.offsets, portfolios)
        units = self.units[items]
        values = units * prices[self.slots[items]]
        if np.isnan(values).any():
            values[units == 0.0] = 0.0  # what is not held needs no price
        lengths = np.diff(self.offsets)[portfolios]
        starts = offsets_of(lengths)
        net = segment_sums(values, starts) + self.cash[portfolios]
        return Valuation(portfolios, items, starts, values, net)


@dataclass(frozen=True)
class Valuation:
    """Values of some of the portfolios, in the currency of the prices."""

    portfolios: Indices  # (K,)
    items: Index  # their positions, (M,)
    offsets: Indices  # where those of each begin within (M,); (K + 1,)
    values: Vector  # of each position, (M,); NaN without a price
    net: Vector  # net asset value of each portfolio, (K,); NaN without the price of a holding

    @cached_property
    def weights(self) -> Vector:
        """Fractions of net asset value (M,); NaN where that is not above 0."""
        # A net asset value that is not positive has no weights; NaN compares as False.
        divisors = np.where(self.net > 0.0, self.net, np.nan)
        result: Vector = self.values / np.repeat(divisors, np.diff(self.offsets))
        return result
