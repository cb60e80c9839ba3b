"""Trees of clusters of similar assets, and how many clusters to cut one into."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix
from domain.estimation.bubble_tree import bubble_merges
from domain.estimation.codependence import Codependence
from domain.records import dataclass

Places = NDArray[np.intp]
"""Indices of assets."""


class Linkage(StrEnum):
    """How clusters are joined."""

    SINGLE = "SINGLE"
    COMPLETE = "COMPLETE"
    AVERAGE = "AVERAGE"
    WEIGHTED = "WEIGHTED"
    CENTROID = "CENTROID"
    MEDIAN = "MEDIAN"
    WARD = "WARD"
    DBHT = "DBHT"  # directed bubble hierarchical tree


@dataclass(frozen=True, slots=True)
class Tree:
    """Merges in the order in which they were made; cluster N + k is the one that merge k makes."""

    merges: Matrix  # (N - 1, 4), scipy's linkage matrix

    @property
    def size(self) -> int:
        """N."""
        return len(self.merges) + 1

    @property
    def order(self) -> Places:
        """Leaves from left to right, (N,)."""
        return np.array(self.members()[-1], dtype=np.intp)

    def members(self) -> list[list[int]]:
        """The leaves of every node, N single ones first."""
        found = [[i] for i in range(self.size)]
        for left, right in self.merges[:, :2].astype(int).tolist():
            found.append(found[left] + found[right])
        return found

    def nodes(self, clusters: int) -> list[int]:
        """So many clusters as nodes: the last merges undone."""
        merged = set(self.merges[: self.size - clusters, :2].astype(int).ravel().tolist())
        return [node for node in range(2 * self.size - clusters) if node not in merged]

    def cut(self, clusters: int) -> list[Places]:
        """The assets of so many clusters."""
        everything = self.members()
        return [np.array(sorted(everything[node]), dtype=np.intp) for node in self.nodes(clusters)]


def tree_of(
    codependence: Codependence,
    linkage: Linkage,
    check_cancelled: CancellationCheck = never_cancelled,
    *,
    optimal_order: bool = True,
) -> Tree:
    """The tree of N assets by their distances, its leaves ordered so that neighbours are close."""
    from scipy.cluster import hierarchy  # only where it is used, in worker processes
    from scipy.spatial.distance import squareform

    condensed = squareform(codependence.distance, checks=False)
    if linkage is not Linkage.DBHT:
        return Tree(hierarchy.linkage(condensed, method=linkage.lower(), optimal_ordering=optimal_order))
    merges = bubble_merges(codependence.distance, codependence.similarity, check_cancelled)
    return Tree(hierarchy.optimal_leaf_ordering(merges, condensed) if optimal_order else merges)


def cluster_count(tree: Tree, distance: Matrix, most: int, check_cancelled: CancellationCheck = never_cancelled) -> int:
    """By the second difference of the spread of distances within clusters (Yue, Wang & Wei 2008, gap statistic)."""
    highest = min(tree.size, int(min(most, tree.size**0.5) + 2))
    if highest < 3:
        return 1 if tree.size == 1 else min(2, tree.size)
    spread = [-np.inf]
    known: dict[int, float] = {}
    members = tree.members()
    for clusters in range(2, highest + 1):
        check_cancelled()
        nodes = tree.nodes(clusters)
        for node in nodes:
            if node not in known:  # one cluster is divided at a time: the others stay
                known[node] = _spread(distance, np.array(sorted(members[node]), dtype=np.intp))
        spread.append(sum(known[node] for node in nodes))
    within = np.array(spread)
    gaps = within[2:] + within[:-2] - 2.0 * within[1:-1]
    return int(np.argmax(gaps)) + 1 if len(gaps) else 1


def _spread(distance: Matrix, members: Places) -> float:
    if len(members) < 2:
        return 0.0
    inner = distance[np.ix_(members, members)]
    return float(inner[np.triu_indices(len(members), 1)].std())
