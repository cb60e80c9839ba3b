"""The directed bubble hierarchical tree of a planar graph.

Song, Di Matteo & Aste 2012, "Hierarchical information clustering by means of topologically embedded graphs". The
bubbles of a triangulated maximally filtered graph are its cliques of four, joined in a tree by the triangles that
separate them. Each joint points to the side to which its triangle is tied more strongly. Bubbles that nothing leaves
are the centres of clusters, and every asset goes to one of them. The tree is then made by complete linkage along
shortest paths: within bubbles, between those of a cluster, and between clusters.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix
from domain.estimation.filtered_graph import FilteredGraph, filtered_graph

Mask = NDArray[np.bool_]
Labels = NDArray[np.intp]


def bubble_merges(distance: Matrix, similarity: Matrix, check_cancelled: CancellationCheck = never_cancelled) -> Matrix:
    """The tree as merges (N - 1, 4) in scipy's form, of equal heights the closer first.

    Distances and similarities are (N, N), none negative. Heights count, as the authors have them: 1/n to 1 within a
    cluster of n + 1 assets, above that the number of clusters that are joined.
    """
    graph = filtered_graph(similarity, check_cancelled)
    weights = np.where(graph.adjacency, similarity, 0.0)
    shortest = shortest_paths(distance, graph.adjacency)
    clusters = _clusters(graph, weights, shortest)
    bubbles = _homes(graph, weights)
    tree = _Growing(shortest, check_cancelled)
    tops = list[int]()
    for cluster in np.unique(clusters).tolist():
        members = np.flatnonzero(clusters == cluster)
        heights = (1.0 / left for left in range(len(members) - 1, 0, -1))
        parts = [members[bubbles[members] == bubble].tolist() for bubble in np.unique(bubbles[members]).tolist()]
        tops.append(tree.join([tree.join(part, heights) for part in parts], heights))
    tree.join_counting(tops)
    return tree.sorted()


def shortest_paths(distance: Matrix, adjacency: Mask) -> Matrix:
    """Lengths of the shortest ways along the connections, (N, N); a connection of length 0 is one."""
    from scipy.sparse import csr_array  # only where it is used, in worker processes
    from scipy.sparse.csgraph import dijkstra

    rows, columns = np.nonzero(adjacency)
    connections = csr_array((distance[rows, columns], (rows, columns)), shape=distance.shape)
    result: Matrix = dijkstra(connections, directed=False)
    return result


def _clusters(graph: FilteredGraph, weights: Matrix, shortest: Matrix) -> Labels:
    """Assets of one centre are with it, those of several where they are tied most, the others where they are near."""
    inside = _memberships(graph)
    below = _directions(graph, weights)
    centres = np.flatnonzero(~below.any(axis=1))
    within = inside[:, centres]
    ties = np.where(within, weights @ within, -1.0)
    nearest: Labels = np.argmax(ties, axis=1)
    given = np.asarray(within.any(axis=1))
    assigned = (nearest[:, None] == np.arange(len(centres))) & given[:, None]
    counts = assigned.sum(axis=0)
    reached = np.column_stack([inside[:, _upstream(below, centre)].any(axis=1) for centre in centres.tolist()])
    away = np.full(within.shape, np.inf)
    away[:, counts > 0] = (shortest @ assigned)[:, counts > 0] / counts[counts > 0]
    away[~reached] = np.inf
    result: Labels = np.where(given, nearest, np.argmin(away, axis=1))
    return result


def _memberships(graph: FilteredGraph) -> Mask:
    """Which bubbles an asset is in, (N, B)."""
    inside = np.zeros((graph.size, len(graph.cliques)), dtype=bool)
    for k, clique in enumerate(graph.cliques):
        inside[clique, k] = True
    return inside


def _directions(graph: FilteredGraph, weights: Matrix) -> Mask:
    """Whether bubble i points to bubble j, (B, B). Of equal ties the one to the older bubble counts."""
    count = len(graph.cliques)
    brought = np.zeros((count, graph.size), dtype=bool)  # what a bubble and all that hangs on it bring
    for k in range(count - 1, 0, -1):
        brought[k, list(set(graph.cliques[k]) - set(graph.separators[k - 1]))] = True
        brought[graph.parents[k - 1]] |= brought[k]
    points = np.zeros((count, count), dtype=bool)
    for k, (separator, parent) in enumerate(zip(graph.separators, graph.parents, strict=True), start=1):
        tied = weights[separator].sum(axis=0)
        tied[separator] = 0.0
        if tied[brought[k]].sum() > tied[~brought[k]].sum():
            points[parent, k] = True
        else:
            points[k, parent] = True
    return points


def _upstream(points: Mask, centre: int) -> list[int]:
    """A bubble and all from which the directions lead to it."""
    found, waiting = list[int](), [centre]
    while waiting:
        bubble = waiting.pop()
        found.append(bubble)
        waiting += np.flatnonzero(points[:, bubble]).tolist()
    return found


def _homes(graph: FilteredGraph, weights: Matrix) -> Labels:
    """The bubble of each asset, (N,): where its ties are the largest part of all ties in the bubble."""
    inside = _memberships(graph).astype(np.float64)
    ties = weights @ inside
    whole = 0.5 * (inside * ties).sum(axis=0)
    parts = np.divide(ties, whole, out=np.zeros_like(ties), where=whole > 0.0)
    result: Labels = np.argmax(np.where(inside > 0.0, parts, -1.0), axis=1)
    return result


class _Growing:
    """A tree while it is made; node N + k is the one that merge k makes."""

    def __init__(self, shortest: Matrix, check_cancelled: CancellationCheck) -> None:
        self._shortest, self._check_cancelled = shortest, check_cancelled
        self._members = [[i] for i in range(len(shortest))]
        self._merges = list[list[float]]()
        self._diameters = list[float]()

    def sorted(self) -> Matrix:
        """All merges, (N - 1, 4), by height and then by the diameter of what they make."""
        size, merges = len(self._shortest), np.array(self._merges)
        order = np.lexsort((np.array(self._diameters), merges[:, 2]))
        node = np.arange(2 * size - 1)
        node[size + order] = np.arange(size, 2 * size - 1)
        result: Matrix = merges[order]
        result[:, :2] = node[result[:, :2].astype(int)]
        return result

    def join(self, nodes: Sequence[int], heights: Iterator[float]) -> int:
        """Merges nodes until one is left, that one: always the two of whose union the diameter is the least."""
        for left, right in self._pairs(list(nodes)):
            self._merge(left, right, next(heights))
        return nodes[0] if len(nodes) == 1 else len(self._members) - 1

    def join_counting(self, nodes: Sequence[int]) -> None:
        """The same, the height being the number of the given nodes below."""
        counts = dict.fromkeys(nodes, 1)
        for left, right in self._pairs(list(nodes)):
            together = counts[left] + counts[right]
            counts[self._merge(left, right, float(together))] = together

    def _merge(self, left: int, right: int, height: float) -> int:
        self._members.append(self._members[left] + self._members[right])
        self._merges.append([float(left), float(right), height, float(len(self._members[-1]))])
        return len(self._members) - 1

    def _pairs(self, nodes: list[int]) -> Iterator[tuple[int, int]]:
        """What to merge next, each pair to be merged before the next one is asked for."""
        union = self._unions(nodes)
        while len(nodes) > 1:
            self._check_cancelled()
            i, j = (int(k) for k in np.unravel_index(int(np.argmin(union)), union.shape))
            if i == j:  # all are infinitely far apart: any two will do
                i, j = 0, 1
            self._diameters.append(float(union[i, j]))
            yield nodes[i], nodes[j]
            joined = np.maximum(np.maximum(union[i], union[j]), union[i, j])
            kept = [k for k in range(len(nodes)) if k not in (i, j)]
            nodes = [nodes[k] for k in kept] + [len(self._members) - 1]
            union = np.pad(union[np.ix_(kept, kept)], (0, 1), constant_values=np.inf)
            union[-1, :-1] = union[:-1, -1] = joined[kept]

    def _unions(self, nodes: list[int]) -> Matrix:
        """The diameter of each two nodes together, infinite on the diagonal."""
        parts = [self._members[node] for node in nodes]
        places = np.concatenate(parts)
        starts = np.cumsum([0] + [len(part) for part in parts[:-1]])
        by_row = np.maximum.reduceat(self._shortest[np.ix_(places, places)], starts, axis=0)
        between = np.maximum.reduceat(by_row, starts, axis=1)
        own = np.diag(between)
        union: Matrix = np.maximum(between, np.maximum.outer(own, own))
        np.fill_diagonal(union, np.inf)
        return union
