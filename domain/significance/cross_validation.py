"""Splits of combinatorial purged cross-validation (Lopez de Prado 2018, "Advances in financial machine learning", 12).

Dates are cut into groups; each choice of test groups is one split, and the tests of all splits form several paths
through the whole time.
"""

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvalidInput
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Split:
    """Indices of the dates of one split."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CombinatorialSplits:
    """Groups of dates of which some are tests. Raises InvalidInput for numbers that leave no split."""

    groups: int
    test_groups: int
    purge: int = 0  # dates left out before and after each test: as many as the results of two dates overlap
    embargo: int = 0  # further dates left out after each test

    def __post_init__(self) -> None:
        if not 1 <= self.test_groups < self.groups:
            raise InvalidInput("test_groups", f"must be from 1 to {self.groups - 1}, is {self.test_groups}")
        if min(self.purge, self.embargo) < 0:
            raise InvalidInput("purge", "must be 0 or more, as must the embargo")

    @property
    def count(self) -> int:
        """Number of splits."""
        return math.comb(self.groups, self.test_groups)

    @property
    def paths(self) -> int:
        """Number of paths that the tests form: each group is tested in that many splits."""
        return math.comb(self.groups - 1, self.test_groups - 1)

    def splits(self, dates: int) -> Iterator[Split]:
        """The splits of T dates, T at least the number of groups."""
        if dates < self.groups:
            raise InvalidInput("groups", f"must be at most {dates}, the number of dates, is {self.groups}")
        edges = np.linspace(0, dates, self.groups + 1).astype(np.int64)
        for chosen in combinations(range(self.groups), self.test_groups):
            is_test, is_out = np.zeros(dates, np.bool_), np.zeros(dates, np.bool_)
            for group in chosen:
                first, end = int(edges[group]), int(edges[group + 1])
                is_test[first:end] = True
                # Before a test the result of a training date reaches into it, after a test the other way round.
                is_out[max(0, first - self.purge) : min(dates, end + self.purge + self.embargo)] = True
            yield Split(np.flatnonzero(~is_out), np.flatnonzero(is_test))
