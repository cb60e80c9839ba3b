"""Networks of similar assets."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix
from domain.estimation.codependence import Codependence
from domain.estimation.filtered_graph import filtered_graph

Connections = NDArray[np.bool_]
"""Adjacency matrix (N, N), symmetric, with a diagonal of False."""


class Graph(StrEnum):
    """Which connections are kept."""

    MINIMUM_SPANNING_TREE = "MINIMUM_SPANNING_TREE"
    TRIANGULATED_MAXIMALLY_FILTERED = "TRIANGULATED_MAXIMALLY_FILTERED"


def connections_of(
    codependence: Codependence, graph: Graph, check_cancelled: CancellationCheck = never_cancelled
) -> Connections:
    """The network of N assets."""
    if graph is Graph.MINIMUM_SPANNING_TREE:
        return spanning_tree(codependence.distance, check_cancelled)
    return filtered_graph(codependence.similarity, check_cancelled).adjacency


def spanning_tree(distance: Matrix, check_cancelled: CancellationCheck = never_cancelled) -> Connections:
    """The tree with the least sum of distances (N, N), by Prim 1957; of equal ones the first asset is taken.

    A distance of 0 is a connection like any other, which libraries of sparse graphs take for none.
    """
    size = len(distance)
    found = np.zeros((size, size), dtype=bool)
    outside = np.arange(size) > 0
    away, nearest = distance[0].copy(), np.zeros(size, dtype=np.intp)
    for _ in range(size - 1):
        check_cancelled()
        new = int(np.argmin(np.where(outside, away, np.inf)))
        found[new, nearest[new]] = found[nearest[new], new] = True
        outside[new] = False
        closer = distance[new] < away
        away[closer], nearest[closer] = distance[new, closer], new
    return found


def within(connections: Connections, steps: int, check_cancelled: CancellationCheck = never_cancelled) -> Connections:
    """Pairs that are at most so many connections apart."""
    reached, step = connections.copy(), connections.astype(np.float64)
    for _ in range(min(steps, len(connections)) - 1):
        check_cancelled()
        further = reached | (reached.astype(np.float64) @ step > 0.0)
        if (further == reached).all():
            break
        reached = further
    np.fill_diagonal(reached, False)
    return reached
