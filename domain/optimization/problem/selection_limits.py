"""Limits on which assets may be held, as masks over the weights: cardinality, exclusions, minimum positions."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.optimization.request.constraints import Cardinality, ClusterCardinality, MinimumPosition, MutualExclusion
from domain.records import dataclass

Mask = NDArray[np.bool_]

SelectionConstraint = Cardinality | ClusterCardinality | MutualExclusion | MinimumPosition


@dataclass(frozen=True, slots=True)
class CardinalityRow:
    """At most so many weights other than 0 among some."""

    members: Mask  # (N,)
    max_assets: int


@dataclass(frozen=True, slots=True)
class SelectionLimit:
    """Cardinality, mutual exclusions and a minimum position; None means not limited."""

    label: str
    cardinality: tuple[CardinalityRow, ...] = ()
    exclusions: Mask | None = None  # (N, N), symmetric: which two are not held together
    min_weight: float | None = None

    def excess(self, weights: Vector) -> float:
        """Assets too many, 1 where two that exclude each other are held, or what the smallest position lacks."""
        held = weights != 0.0
        over = max((float((held & row.members).sum() - row.max_assets) for row in self.cardinality), default=0.0)
        excluded = self.exclusions is not None and bool(self.exclusions[np.ix_(held, held)].any())
        sizes = np.abs(weights[held])
        short = 0.0 if self.min_weight is None or not len(sizes) else self.min_weight - float(sizes.min())
        return max(over, float(excluded), short, 0.0)


def selection_limit(constraint: SelectionConstraint, symbols: Sequence[str]) -> SelectionLimit:
    """The limit over the weights of these symbols."""
    match constraint:
        case Cardinality(label, most, named):
            members = _mask(named, symbols) if named else np.ones(len(symbols), dtype=bool)
            return SelectionLimit(label, (CardinalityRow(members, most),))
        case ClusterCardinality(label, most, clusters):
            return SelectionLimit(label, tuple(CardinalityRow(_mask(cluster, symbols), most) for cluster in clusters))
        case MutualExclusion(label, pairs):
            index = {symbol: i for i, symbol in enumerate(symbols)}
            exclusions = np.zeros((len(symbols), len(symbols)), dtype=bool)
            for one, other in pairs:
                exclusions[index[one], index[other]] = exclusions[index[other], index[one]] = True
            return SelectionLimit(label, exclusions=exclusions)
        case MinimumPosition(label, least):
            return SelectionLimit(label, min_weight=least)


def cardinality_rows(selection_limits: Sequence[SelectionLimit]) -> tuple[CardinalityRow, ...]:
    """All cardinality rows, and one for each clique of assets that exclude each other: of those at most one is held."""
    given = [row for selection in selection_limits for row in selection.cardinality]
    cliques = [
        CardinalityRow(clique, 1)
        for one in selection_limits
        if one.exclusions is not None
        for clique in _cliques(one.exclusions)
    ]
    return (*given, *cliques)


def _cliques(exclusions: Mask) -> list[Mask]:
    """A partition into sets in which all exclude each other, the most connected first; single assets left out."""
    found = list[Mask]()
    left: Mask = np.asarray(exclusions.any(axis=1))
    while left.any():
        clique: Mask = np.zeros(len(left), dtype=bool)
        excluded = left.copy()
        while excluded.any():
            degrees = np.where(excluded, exclusions[:, excluded].sum(axis=1), -1)
            new = int(np.argmax(degrees))
            clique[new] = True
            excluded &= exclusions[new]
            excluded[new] = False
        left &= ~clique
        if clique.sum() > 1:
            found.append(clique)
    return found


def _mask(named: Iterable[str], symbols: Sequence[str]) -> Mask:
    chosen = set(named)
    return np.array([symbol in chosen for symbol in symbols])
