"""Limits that follow from how alike the assets are, before the data says how alike that is.

`resolved` makes of each the limit on weights that it is on the assets of a universe.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from domain.errors import InvalidInput
from domain.estimation import codependence as alike
from domain.estimation.clustering import Linkage, cluster_count, tree_of
from domain.estimation.network import Connections, Graph, connections_of, within
from domain.optimization.request.constraints import Apart, ClusterCardinality, Linear, check_bounds
from domain.optimization.request.objectives import Codependence
from domain.progress import OnProgress, no_progress

LikenessOf = Callable[[Codependence], alike.Codependence]
"""How alike the assets are, by a measure of likeness. Raises NotSupported where that needs returns."""


@dataclass(frozen=True, slots=True)
class AssetNetwork:
    """A graph of the assets, made from how alike their returns are."""

    graph: Graph = Graph.MINIMUM_SPANNING_TREE
    codependence: Codependence = Codependence.PEARSON

    def connections(self, likeness_of: LikenessOf, on_progress: OnProgress = no_progress) -> Connections:
        """Who is connected to whom, (N, N)."""
        return connections_of(likeness_of(self.codependence), self.graph, on_progress)


@dataclass(frozen=True, slots=True)
class NetworkLimit:
    """No two assets that are at most `steps` connections away from each other are held together."""

    label: str
    network: AssetNetwork
    steps: int = 1

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InvalidInput("steps", f"must be 1 or more, is {self.steps}")


@dataclass(frozen=True, slots=True)
class ClusterLimit:
    """At most so many assets of each cluster are held; without a number of clusters the gap statistic chooses it."""

    label: str
    linkage: Linkage = Linkage.SINGLE
    codependence: Codependence = Codependence.PEARSON
    clusters: int | None = None
    max_clusters: int = 10
    max_assets: int = 1

    def __post_init__(self) -> None:
        for name in ("clusters", "max_clusters", "max_assets"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InvalidInput(name, f"must be 1 or more, is {value}")


@dataclass(frozen=True, slots=True)
class CentralityBounds:
    """lower <= sum of centrality x weight <= upper, an asset's centrality being its number of neighbours."""

    label: str
    network: AssetNetwork
    lower: float | None = None
    upper: float | None = None

    def __post_init__(self) -> None:
        check_bounds(self.lower, self.upper)


LikenessLimit = NetworkLimit | ClusterLimit | CentralityBounds


def needs_returns(limit: LikenessLimit) -> bool:
    """Whether a covariance does not say how alike the assets are."""
    kind = limit.codependence if isinstance(limit, ClusterLimit) else limit.network.codependence
    return kind is not Codependence.CUSTOM_COVARIANCE


def resolved(
    path: str,
    limit: LikenessLimit,
    symbols: tuple[str, ...],
    likeness_of: LikenessOf,
    on_progress: OnProgress = no_progress,
) -> Apart | ClusterCardinality | Linear:
    """The limit on these symbols. Raises InvalidInput under `path`, and what `likeness_of` raises."""
    match limit:
        case NetworkLimit():
            near = np.triu(within(limit.network.connections(likeness_of, on_progress), limit.steps, on_progress))
            pairs = tuple((symbols[i], symbols[j]) for i, j in zip(*np.nonzero(near), strict=True))
            return Apart(limit.label, pairs)
        case ClusterLimit():
            return ClusterCardinality(
                limit.label, limit.max_assets, _clusters(path, limit, symbols, likeness_of, on_progress)
            )
        case CentralityBounds():
            degrees = limit.network.connections(likeness_of, on_progress).sum(axis=1).tolist()
            return Linear(limit.label, dict(zip(symbols, map(float, degrees), strict=True)), limit.lower, limit.upper)


def _clusters(
    path: str, limit: ClusterLimit, symbols: tuple[str, ...], likeness_of: LikenessOf, on_progress: OnProgress
) -> tuple[tuple[str, ...], ...]:
    if limit.clusters is not None and limit.clusters > len(symbols):
        raise InvalidInput(f"{path}.clusters.clusters", f"must be at most the {len(symbols)} assets of the input")
    if len(symbols) == 1:
        return (symbols,)
    likeness = likeness_of(limit.codependence)
    tree = tree_of(likeness, limit.linkage, on_progress, optimal_order=False)
    count = limit.clusters or cluster_count(tree, likeness.distance, limit.max_clusters, on_progress)
    return tuple(tuple(symbols[i] for i in members.tolist()) for members in tree.cut(count))
