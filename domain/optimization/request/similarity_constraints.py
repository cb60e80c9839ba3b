"""Constraints that depend on how similar the assets' returns are, before the data is known.

`resolve_similarity_constraint` makes of each the constraint on the weights of given assets.
"""

from collections.abc import Callable

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.errors import InvalidInput
from domain.estimation import codependence
from domain.estimation.clustering import Linkage, cluster_count, tree_of
from domain.estimation.network import Connections, Graph, connections_of, within
from domain.optimization.request.constraints import ClusterCardinality, Linear, MutualExclusion, check_bounds
from domain.optimization.request.objectives import CodependenceMeasure
from domain.records import dataclass

CodependenceOf = Callable[[CodependenceMeasure], codependence.Codependence]
"""Codependence of the assets in a given measure. Raises NotSupported where that needs returns."""


@dataclass(frozen=True, slots=True)
class AssetNetwork:
    """A graph of the assets, built from the codependence of their returns."""

    graph: Graph = Graph.MINIMUM_SPANNING_TREE
    codependence: CodependenceMeasure = CodependenceMeasure.PEARSON

    def connections(
        self, codependence_of: CodependenceOf, check_cancelled: CancellationCheck = never_cancelled
    ) -> Connections:
        """Which assets are connected, (N, N)."""
        return connections_of(codependence_of(self.codependence), self.graph, check_cancelled)


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
    codependence: CodependenceMeasure = CodependenceMeasure.PEARSON
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


SimilarityConstraint = NetworkLimit | ClusterLimit | CentralityBounds


def needs_returns(limit: SimilarityConstraint) -> bool:
    """Whether the covariance alone does not determine the codependence."""
    kind = limit.codependence if isinstance(limit, ClusterLimit) else limit.network.codependence
    return kind is not CodependenceMeasure.CUSTOM_COVARIANCE


def resolve_similarity_constraint(
    path: str,
    limit: SimilarityConstraint,
    symbols: tuple[str, ...],
    codependence_of: CodependenceOf,
    check_cancelled: CancellationCheck = never_cancelled,
) -> MutualExclusion | ClusterCardinality | Linear:
    """The constraint on these symbols. Raises InvalidInput under `path`, and what `codependence_of` raises."""
    match limit:
        case NetworkLimit():
            near = np.triu(
                within(limit.network.connections(codependence_of, check_cancelled), limit.steps, check_cancelled)
            )
            pairs = tuple((symbols[i], symbols[j]) for i, j in zip(*np.nonzero(near), strict=True))
            return MutualExclusion(limit.label, pairs)
        case ClusterLimit():
            return ClusterCardinality(
                limit.label, limit.max_assets, _clusters(path, limit, symbols, codependence_of, check_cancelled)
            )
        case CentralityBounds():
            degrees = limit.network.connections(codependence_of, check_cancelled).sum(axis=1).tolist()
            return Linear(limit.label, dict(zip(symbols, map(float, degrees), strict=True)), limit.lower, limit.upper)


def _clusters(
    path: str,
    limit: ClusterLimit,
    symbols: tuple[str, ...],
    codependence_of: CodependenceOf,
    check_cancelled: CancellationCheck,
) -> tuple[tuple[str, ...], ...]:
    if limit.clusters is not None and limit.clusters > len(symbols):
        raise InvalidInput(f"{path}.clusters.clusters", f"must be at most the {len(symbols)} assets of the input")
    if len(symbols) == 1:
        return (symbols,)
    similarity = codependence_of(limit.codependence)
    tree = tree_of(similarity, limit.linkage, check_cancelled, optimal_order=False)
    count = limit.clusters or cluster_count(tree, similarity.distance, limit.max_clusters, check_cancelled)
    return tuple(tuple(symbols[i] for i in members.tolist()) for members in tree.cut(count))
