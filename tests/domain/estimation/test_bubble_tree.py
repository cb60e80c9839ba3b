"""Bubble trees against Riskfolio-Lib's, a translation of the authors' own program, and what must hold for any data."""

import warnings
from functools import cache
from itertools import combinations
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster import hierarchy

from domain.estimation.bubble_tree import shortest_paths
from domain.estimation.clustering import Linkage, Tree, cluster_count, tree_of
from domain.estimation.codependence import (
    Codependence,
    distance_correlation,
    information,
    kendall,
    pearson,
    signed,
    tail,
    unsigned,
)
from domain.estimation.filtered_graph import filtered_graph
from tests.families import generated, thinned

ELSEWHERE = (57, 59)
"""Data on which Riskfolio-Lib gives an asset of two centres to a third one."""

FIRST_SEPARATES = (173, 302)
"""Data on which the triangle of the first three assets separates the graph."""

CODEPENDENCES = [
    lambda returns: signed(pearson(returns)),
    lambda returns: signed(kendall(returns)),
    lambda returns: unsigned(np.abs(pearson(returns))),
    lambda returns: unsigned(distance_correlation(returns)),
    tail,
    information,
]


def returns_of(seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    count, size = int(generator.integers(15, 200)), int(generator.integers(9, 32))
    common = generator.standard_t(5, (count, 4)) @ generator.dirichlet(np.ones(4) * 0.4, size).T
    return common + 0.7 * generator.standard_t(5, (count, size))


@cache
def theirs(seed: int) -> tuple[Any, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from riskfolio.src.DBHT import DBHTs  # 3 s of import

        codependence = signed(pearson(returns_of(seed)))
        return DBHTs(codependence.distance, codependence.similarity)


def parts(labels: Any) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == one).tolist()) for one in np.unique(labels)}


def nodes(tree: Tree) -> set[frozenset[int]]:
    """Every cluster that the tree ever makes."""
    return {frozenset(node) for node in tree.members()}


def clusters(tree: Tree) -> set[frozenset[int]]:
    """Those of the bubbles: merges within one are at most 1 high, merges of several count them."""
    return {frozenset(part.tolist()) for part in tree.cut(1 + int((tree.merges[:, 2] > 1.0).sum()))}


def by_definition(codependence: Codependence) -> set[frozenset[int]]:
    """The clusters, found without the tree of cliques: by taking triangles out of the graph."""
    size = len(codependence.distance)
    graph: Any = nx.Graph()
    for i, j in zip(*np.nonzero(np.triu(filtered_graph(codependence.similarity).adjacency)), strict=True):
        graph.add_edge(int(i), int(j), tie=codependence.similarity[i, j], length=codependence.distance[i, j])
    bubbles = [frozenset(clique) for clique in nx.find_cliques(graph)]
    points: Any = nx.DiGraph()
    points.add_nodes_from(bubbles)
    for one, other in combinations(bubbles, 2):
        if len(triangle := one & other) == 3:
            sides = list(nx.connected_components(graph.subgraph(set(graph) - triangle)))
            assert len(sides) == 2
            tied = [sum(graph[i][j]["tie"] for i in triangle for j in graph[i] if j in side) for side in sides]
            strong = sides[int(np.argmax(tied))]
            points.add_edge(*((one, other) if other - triangle <= strong else (other, one)))
    centres = [bubble for bubble in bubbles if points.out_degree(bubble) == 0]
    around = {c: frozenset().union(c, *nx.ancestors(points, c)) for c in centres}
    found: dict[frozenset[int], set[int]] = {centre: set() for centre in centres}
    for i in range(size):
        if own := [centre for centre in centres if i in centre]:
            ties = [sum(graph[i][j]["tie"] for j in centre - {i}) for centre in own]
            found[own[int(np.argmax(ties))]].add(i)
    cores = {centre: set(members) for centre, members in found.items() if members}
    lengths = dict(nx.all_pairs_dijkstra_path_length(graph, weight="length"))
    for i in set(range(size)) - set().union(*cores.values()):
        near = {c: np.mean([lengths[i][j] for j in core]) for c, core in cores.items() if i in around[c]}
        found[min(near, key=lambda centre: near[centre])].add(i)
    return {frozenset(members) for members in found.values() if members}


@pytest.mark.parametrize("seed", [*range(12), *ELSEWHERE])
def test_clusters_are_those_of_the_definition(seed: int) -> None:
    codependence = signed(pearson(returns_of(seed)))
    assert clusters(tree_of(codependence, Linkage.DBHT)) == by_definition(codependence)


@pytest.mark.parametrize("seed", [*thinned(range(20), 5), *FIRST_SEPARATES, *ELSEWHERE])
def test_it_is_the_tree_of_the_authors(seed: int) -> None:
    """Their translation differs in two errors: it takes the triangle of the first three assets for a face even where it
    separates, and it gives an asset of two centres to a third one that it is only tied to."""
    codependence = signed(pearson(returns_of(seed)))
    graph = filtered_graph(codependence.similarity)
    labels, edges, _, shortest, bubbles, merges = theirs(seed)
    assert ((edges != 0.0) == graph.adjacency).all()
    assert shortest_paths(codependence.distance, graph.adjacency) == pytest.approx(shortest, abs=1e-12)
    assert (seed in FIRST_SEPARATES) == ([0, 1, 2] in graph.separators)
    if seed in FIRST_SEPARATES:
        assert bubbles.shape[1] == len(graph.cliques) - 1
        return
    assert bubbles.shape[1] == len(graph.cliques)
    found = tree_of(codependence, Linkage.DBHT)
    if seed in ELSEWHERE:
        assert parts(labels) != clusters(found)
        return
    assert parts(labels) == clusters(found)
    assert nodes(found) == nodes(Tree(merges))
    assert np.sort(found.merges[:, 2]) == pytest.approx(np.sort(merges[:, 2]), abs=1e-15)
    leaves = hierarchy.leaves_list(merges)
    assert (leaves == found.order).all() or (leaves[::-1] == found.order).all()  # left and right mean nothing


@generated(60)
@given(
    seed=st.integers(0, 10_000),
    size=st.integers(2, 12),
    count=st.sampled_from([3, 4, 40]),
    copies=st.integers(0, 11),
    measured=st.sampled_from(CODEPENDENCES),
    ordered=st.booleans(),
)
def test_few_or_equal_assets_or_few_returns_have_a_tree_too(
    seed: int, size: int, count: int, copies: int, measured: Any, ordered: bool
) -> None:
    returns = np.random.default_rng(seed).normal(size=(count, size))
    returns[:, : min(copies, size - 1)] = returns[:, -1:]
    codependence = measured(returns)
    tree = tree_of(codependence, Linkage.DBHT, optimal_order=ordered)
    assert sorted(tree.order.tolist()) == list(range(size))
    assert (np.diff(tree.merges[:, 2]) >= 0.0).all()
    assert hierarchy.is_valid_linkage(tree.merges)
    for clusters in range(1, size + 1):
        assert len(tree.cut(clusters)) == clusters
    assert 1 <= cluster_count(tree, codependence.distance, 10) <= size


def test_no_similarity_at_all_is_no_reason_to_fail() -> None:
    for codependence in (unsigned(np.eye(9)), signed(np.ones((9, 9))), signed(2.0 * np.eye(9) - 1.0)):
        assert len(tree_of(codependence, Linkage.DBHT).order) == 9


@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_the_assets_does_not_matter(seed: int) -> None:
    returns = returns_of(seed)
    other = np.random.default_rng(seed).permutation(returns.shape[1])
    found, mixed = (tree_of(signed(pearson(r)), Linkage.DBHT) for r in (returns, returns[:, other]))
    assert {frozenset(other[list(node)].tolist()) for node in nodes(mixed)} == nodes(found)


def test_a_copy_is_next_to_what_it_copies() -> None:
    """A distance of 0 is a connection, the shortest there is; Riskfolio-Lib takes it for none."""
    returns = returns_of(3)
    returns[:, 5] = returns[:, 2]
    tree = tree_of(signed(pearson(returns)), Linkage.DBHT)
    places = np.argsort(tree.order)
    assert abs(int(places[5]) - int(places[2])) == 1
    assert frozenset({2, 5}) in nodes(tree)
