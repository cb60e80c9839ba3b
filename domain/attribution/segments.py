"""Adds up the parts of an excess return over periods: effects of groups, and parts that are none, such as costs."""

import numpy as np

from domain.attribution.brinson import Effects
from domain.attribution.linking import Linked, linking_factors, log_slope, total_return
from domain.attribution.settings import Linking
from domain.checks import Matrix, Vector
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class LinkedSegments:
    """Effects over all periods, of G groups and of S other parts."""

    effects: Effects  # (G,) each
    contributions: Vector  # (G,), of each group, all its effects together
    others: Vector  # (S,)
    totals: Effects  # of all groups together, (1,) each
    linked: Linked | None  # None for geometric linking
    excess_return: float  # arithmetic, or geometric with geometric linking


class SegmentSums:
    """Sums of factor x effect, which take the periods in blocks: a block of many assets stays in the cache.

    Geometric effects are summed as logarithms, ln(1 + total) / total being the factor of a period.
    """

    def __init__(self, linking: Linking, portfolio_return: Vector, benchmark_return: Vector) -> None:
        """The returns (T,) of all periods are above -1."""
        self._linking = linking
        self.linked: Linked | None = None
        start, end = total_return(benchmark_return), total_return(portfolio_return)
        self._excess = end - start
        if linking is Linking.GEOMETRIC:
            self._excess = (1.0 + end) / (1.0 + start) - 1.0
        else:
            self.linked = linking_factors(linking, portfolio_return, benchmark_return)
        self._allocation: Vector | float = 0.0
        self._selection: Vector | float = 0.0
        self._interaction: Vector | float | None = None
        self._others: Vector | float = 0.0

    def add(self, first: int, effects: Effects, others: Matrix) -> None:
        """Adds effects (K, G) and other parts (K, S) of the periods from number `first` on.

        They sum to the excess return of each period; for geometric linking they are those of `geometric_effects`.
        """
        if self.linked is not None:
            allocated = selected = self.linked.factors[first : first + len(others)]
        else:
            allocated = log_slope(effects.allocation.sum(axis=1) + others.sum(axis=1))
            selected = log_slope(effects.selected.sum(axis=1))
        self._allocation = self._allocation + allocated @ effects.allocation
        self._selection = self._selection + selected @ effects.selection
        self._others = self._others + allocated @ others
        if effects.interaction is not None:
            before = 0.0 if self._interaction is None else self._interaction
            self._interaction = before + selected @ effects.interaction

    def result(self) -> LinkedSegments:
        """The sums, once all periods are added."""
        apart = None if self._interaction is None else np.asarray(self._interaction)
        sums = Effects(np.asarray(self._allocation), np.asarray(self._selection), apart)
        whole = Effects(_sum(sums.allocation), _sum(sums.selection), None if apart is None else _sum(apart))
        others = np.asarray(self._others)
        if self.linked is not None:
            return LinkedSegments(sums, sums.total, others, whole, self.linked, self._excess)
        return LinkedSegments(_grown(sums), np.expm1(sums.total), np.expm1(others), _grown(whole), None, self._excess)


def geometric_effects(effects: Effects, others: Matrix, benchmark_return: Vector) -> tuple[Effects, Matrix]:
    """Geometric effects (T, G) and other parts (T, S) of each period from arithmetic ones.

    Allocation and other parts are over 1 + the return of the benchmark, selection over 1 + that return with allocation
    and other parts in it (Bacon 2008, chapter 5: the semi-notional fund): the product of 1 + the two sums is
    (1 + r) / (1 + b).
    """
    before = 1.0 + benchmark_return
    between = before + effects.allocation.sum(axis=1) + others.sum(axis=1)
    interaction = None if effects.interaction is None else effects.interaction / between[:, None]
    scaled = Effects(effects.allocation / before[:, None], effects.selection / between[:, None], interaction)
    return scaled, others / before[:, None]


def _grown(logarithms: Effects) -> Effects:
    """Parts of a total that compounds, from sums of logarithms."""
    interaction = None if logarithms.interaction is None else np.expm1(logarithms.interaction)
    return Effects(np.expm1(logarithms.allocation), np.expm1(logarithms.selection), interaction)


def _sum(values: Matrix) -> Vector:
    return np.array([float(values.sum())])
