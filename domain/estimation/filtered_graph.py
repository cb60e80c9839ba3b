"""The planar graph of the strongest similarities: the triangulated maximally filtered graph.

Massara, Di Matteo & Aste 2016, "Network filtering for big data: triangulated maximally filtered graph".
"""

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix
from domain.records import dataclass

CLIQUE = 4
"""Assets of a clique; so few are all connected to each other."""


@dataclass(frozen=True, slots=True)
class FilteredGraph:
    """A planar graph of N assets as the tree of its cliques.

    Clique k + 1 hangs on clique `parents[k]` by the triangle `separators[k]` and brings one asset more.
    """

    size: int
    cliques: list[list[int]]
    separators: list[list[int]]
    parents: list[int]

    @property
    def adjacency(self) -> NDArray[np.bool_]:
        """Adjacency matrix, (N, N), with a diagonal of 0."""
        result = np.zeros((self.size, self.size), dtype=bool)
        for clique in self.cliques:
            result[np.ix_(clique, clique)] = True
        np.fill_diagonal(result, False)
        return result


def filtered_graph(similarity: Matrix, check_cancelled: CancellationCheck = never_cancelled) -> FilteredGraph:
    """Of similarities (N, N), none negative: from four assets on, each further one joins its most similar triangle."""
    size = len(similarity)
    strength = np.where(similarity > similarity.mean(), similarity, 0.0).sum(axis=1)
    first = np.argsort(-strength, kind="stable")[:CLIQUE].tolist()
    graph = FilteredGraph(size, [sorted(first)], [], [])
    if size <= CLIQUE:
        return graph
    triangles = [[first[i] for i in range(CLIQUE) if i != k] for k in range(CLIQUE)]
    owners = [0] * CLIQUE
    rest = np.setdiff1d(np.arange(size), first)
    gains = np.full((size, 2 * size - 4), -np.inf)
    for k, triangle in enumerate(triangles):
        gains[rest, k] = similarity[np.ix_(rest, triangle)].sum(axis=1)
    while len(rest):
        check_cancelled()
        best, at = np.unravel_index(int(np.argmax(gains[rest, : len(triangles)])), (len(rest), len(triangles)))
        vertex, triangle = int(rest[best]), triangles[at]
        rest = np.delete(rest, best)
        graph.cliques.append(sorted([vertex, *triangle]))
        graph.separators.append(sorted(triangle))
        graph.parents.append(owners[at])
        places = [int(at), len(triangles), len(triangles) + 1]
        triangles += [[], []]
        owners += [0, 0]
        for place, (i, j) in zip(places, ((0, 1), (0, 2), (1, 2)), strict=True):
            triangles[place], owners[place] = [vertex, triangle[i], triangle[j]], len(graph.cliques) - 1
            gains[rest, place] = similarity[np.ix_(rest, triangles[place])].sum(axis=1)
    return graph
