"""Clusters of correlated assets: their order in a heat map, and the tree."""

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix
from domain.errors import InvalidInput
from domain.estimation.clustering import Linkage, Places, Tree, cluster_count, tree_of
from domain.estimation.codependence import signed
from domain.records import dataclass

MOST_CLUSTERS = 10


@dataclass(frozen=True, slots=True)
class Clustering:
    """Linkage and number of clusters; None takes the number of the gap statistic."""

    linkage: Linkage = Linkage.SINGLE
    clusters: int | None = None


@dataclass(frozen=True, slots=True)
class CorrelationClusters:
    """Order, clusters and tree of N assets, for a heat map and a dendrogram."""

    order: Places  # (N,), leaves from left to right
    cluster_by_asset: NDArray[np.intp]  # (N,), counted along the order
    tree: Tree


def cluster(
    correlation: Matrix, clustering: Clustering, check_cancelled: CancellationCheck = never_cancelled
) -> CorrelationClusters:
    """Clusters of a correlation matrix (N, N) without NaN; distances are sqrt((1 - correlation) / 2), as in HRP.

    Raises InvalidInput for more clusters than assets.
    """
    size = len(correlation)
    if clustering.clusters is not None and clustering.clusters > size:
        raise InvalidInput("clusters.clusters", f"must be at most the number of assets that vary, {size}")
    if size < 2:
        return CorrelationClusters(np.arange(size), np.zeros(size, np.intp), Tree(np.zeros((0, 4))))
    codependence = signed(correlation)
    tree = tree_of(codependence, clustering.linkage, check_cancelled)
    count = clustering.clusters or cluster_count(tree, codependence.distance, MOST_CLUSTERS, check_cancelled)
    order = tree.order
    place = np.empty(size, np.intp)
    place[order] = np.arange(size)
    found = np.empty(size, np.intp)
    for k, members in enumerate(sorted(tree.cut(count), key=lambda members: int(place[members].min()))):
        found[members] = k
    return CorrelationClusters(order, found, tree)
