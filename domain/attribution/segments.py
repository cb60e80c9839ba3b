"""Adds up the parts of an excess return over periods: effects of groups, and parts that are none, such as costs."""

from dataclasses import dataclass

import numpy as np

from domain.attribution.brinson import Effects
from domain.attribution.linking import Linked, compounded, linking_factors, total_return
from domain.attribution.settings import Linking
from domain.checks import Matrix, Vector


@dataclass(frozen=True, slots=True)
class LinkedSegments:
    """Effects over all periods, of G groups and of S other parts."""

    effects: Effects  # (G,) each
    contributions: Vector  # (G,), of each group, all its effects together
    others: Vector  # (S,)
    totals: Effects  # of all groups together, (1,) each
    linked: Linked | None  # None for geometric linking
    excess_return: float  # arithmetic, or geometric with geometric linking


def link(
    linking: Linking, effects: Effects, others: Matrix, portfolio_return: Vector, benchmark_return: Vector
) -> LinkedSegments:
    """Effects (T, G) and other parts (T, S) of each period, which sum to the excess return of it, over all periods.

    The returns (T,) are above -1. For geometric linking the period effects are those of `geometric_effects`.
    """
    start, end = total_return(benchmark_return), total_return(portfolio_return)
    if linking is Linking.GEOMETRIC:
        return _compounded(effects, others, (1.0 + end) / (1.0 + start) - 1.0)
    linked = linking_factors(linking, portfolio_return, benchmark_return)
    factors = linked.factors
    interaction = None if effects.interaction is None else factors @ effects.interaction
    whole = Effects(factors @ effects.allocation, factors @ effects.selection, interaction)
    totals = Effects(_sum(whole.allocation), _sum(whole.selection), None if interaction is None else _sum(interaction))
    return LinkedSegments(whole, whole.total, factors @ others, totals, linked, end - start)


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


def _compounded(effects: Effects, others: Matrix, excess_return: float) -> LinkedSegments:
    allocated = effects.allocation.sum(axis=1) + others.sum(axis=1)
    selected = effects.selected.sum(axis=1)

    def parts(matrix: Matrix, changes: Vector) -> tuple[Matrix, Vector]:
        """Of each group, and of all together."""
        return compounded(matrix, changes), compounded(matrix.sum(axis=1)[:, None], changes)

    allocation, all_allocation = parts(effects.allocation, allocated)
    selection, all_selection = parts(effects.selection, selected)
    interaction, all_interaction = None, None
    if effects.interaction is not None:
        interaction, all_interaction = parts(effects.interaction, selected)
    each = (1.0 + allocation) * (1.0 + selection) * (1.0 if interaction is None else 1.0 + interaction) - 1.0
    return LinkedSegments(
        Effects(allocation, selection, interaction),
        each,
        compounded(others, allocated),
        Effects(all_allocation, all_selection, all_interaction),
        None,
        excess_return,
    )


def _sum(values: Matrix) -> Vector:
    return np.array([float(values.sum())])
