"""The positions whose weights each row of a portfolio sums."""

from collections.abc import Sequence
from dataclasses import field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.monitoring.positions import Valuation
from domain.monitoring.segments import (
    Cuts,
    Indices,
    item_cuts,
    items_of,
    offsets_of,
    segment_sums,
    spliced,
    spliced_offsets,
)
from domain.records import dataclass


def _no_items() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


def _one_zero() -> NDArray[np.int64]:
    return np.zeros(1, np.int64)


@dataclass(frozen=True)
class WeightMembers:
    """Rows of all portfolios, and for each its positions, counted from the first one of its portfolio."""

    row_offsets: Indices = field(default_factory=_one_zero)  # (P + 1,), first row of each portfolio
    member_offsets: Indices = field(default_factory=_one_zero)  # (P + 1,), first member of each portfolio
    counts: NDArray[np.int64] = field(default_factory=_no_items)  # (R,), members of each row
    members: NDArray[np.int64] = field(default_factory=_no_items)  # (M,)

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> "WeightMembers":
        """Of one portfolio."""
        counts = np.array([len(row) for row in rows], np.int64)
        members = np.array([place for row in rows for place in row], np.int64)
        return cls(np.array([0, len(counts)], np.int64), np.array([0, len(members)], np.int64), counts, members)

    def spliced(self, cuts: Cuts, parts: Sequence["WeightMembers"]) -> "WeightMembers":
        """With other portfolios instead of those of each cut."""
        rows, members = item_cuts(self.row_offsets, cuts), item_cuts(self.member_offsets, cuts)
        return WeightMembers(
            spliced_offsets(self.row_offsets, cuts, [part.row_offsets for part in parts]),
            spliced_offsets(self.member_offsets, cuts, [part.member_offsets for part in parts]),
            spliced(self.counts, rows, [part.counts for part in parts]),
            spliced(self.members, members, [part.members for part in parts]),
        )

    @cached_property
    def _is_plain(self) -> bool:
        """Whether each row is one position."""
        return bool((self.counts == 1).all())

    def sums(self, valuation: Valuation) -> Vector:
        """The weight of every row of the portfolios of a valuation; NaN where a portfolio has no weights."""
        portfolios = valuation.portfolios
        items = items_of(self.member_offsets, portfolios)
        lengths = self.member_offsets[portfolios + 1] - self.member_offsets[portfolios]
        places = self.members[items] + np.repeat(valuation.offsets[:-1], lengths)
        weights = valuation.weights[places]
        if self._is_plain:
            return weights
        sums = segment_sums(weights, offsets_of(self.counts[items_of(self.row_offsets, portfolios)]))
        rows = self.row_offsets[portfolios + 1] - self.row_offsets[portfolios]
        # A group without members has the sum 0, also where nothing is known.
        sums[np.repeat(~(valuation.net > 0.0), rows)] = np.nan
        return sums
