"""Limits on subsets, clusters and networks: against every selection there is, and against peers' networks."""

import time
import warnings
from itertools import combinations
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InfeasibleProblem, InvalidInput, NoPositiveExcessReturn, NotSupported
from domain.estimation.clustering import Linkage
from domain.estimation.codependence import pearson, signed, unsigned
from domain.estimation.network import Graph, connections_of, within
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel
from domain.optimization.problem.market_model import market_model_of
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.resolve import build_problem
from domain.optimization.problem.selection_limits import SelectionLimit, cardinality_rows
from domain.optimization.request.constraints import (
    Cardinality,
    ClusterCardinality,
    Constraint,
    Leverage,
    MinimumPosition,
    MutualExclusion,
    WeightBounds,
)
from domain.optimization.request.objectives import CodependenceMeasure, MaxRatio, MaxUtility, MinRisk, Objective
from domain.optimization.request.similarity_constraints import (
    AssetNetwork,
    CentralityBounds,
    ClusterLimit,
    NetworkLimit,
    SimilarityConstraint,
)
from domain.optimization.request.specification import CardinalityOfGroup, Specification
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from tests.domain.optimization.selection.test_cardinality import SIZE, SYMBOLS, problem_of
from tests.families import generated

RULES: dict[str, tuple[Constraint, ...]] = {
    "a subset": (Cardinality("few", 1, ("A", "B", "C", "D")),),
    "two that overlap": (Cardinality("few", 2, ("A", "B", "C", "D")), Cardinality("also", 1, ("C", "D", "E", "F"))),
    "clusters": (ClusterCardinality("each", 1, (("A", "B", "C"), ("D", "E"), ("F", "G"))),),
    "two of each": (ClusterCardinality("each", 2, (("A", "B", "C", "D"), ("E", "F", "G"))),),
    "neighbours": (MutualExclusion("net", (("A", "B"), ("B", "C"), ("C", "D"), ("A", "E"), ("E", "F"), ("A", "G"))),),
    "all of it": (
        MutualExclusion("net", (("A", "B"), ("C", "D"), ("E", "F"))),
        ClusterCardinality("each", 2, (("A", "C", "E"), ("B", "D", "F", "G"))),
        Cardinality("count", 3),
        MinimumPosition("size", 0.1),
        WeightBounds("caps", None, 0.5),
    ),
}
GOALS: dict[str, tuple[Objective, dict[str, Any]]] = {
    "variance": (MinRisk(), {}),
    "cvar": (MinRisk(), {"risk_measure": RiskMeasure.CONDITIONAL_VALUE_AT_RISK}),
    "ratio": (MaxRatio(0.01), {}),
}


def is_allowed(held: tuple[str, ...], rules: tuple[Constraint, ...]) -> bool:
    for rule in rules:
        match rule:
            case Cardinality(_, most, symbols):
                if len(set(held) & set(symbols or SYMBOLS)) > most:
                    return False
            case ClusterCardinality(_, most, clusters):
                if any(len(set(held) & set(cluster)) > most for cluster in clusters):
                    return False
            case MutualExclusion(_, pairs):
                if any(set(pair) <= set(held) for pair in pairs):
                    return False
    return True


def by_brute_force(seed: int, objective: Objective, rules: tuple[Constraint, ...], **more: Any) -> float:
    """The best value over every set of assets that the rules allow, each solved without them."""
    others = tuple(rule for rule in rules if isinstance(rule, WeightBounds | Leverage))
    least = next((rule.min_weight for rule in rules if isinstance(rule, MinimumPosition)), 0.0)
    best = np.inf
    for count in range(1, SIZE + 1):
        for held in combinations(SYMBOLS, count):
            if not is_allowed(held, rules):
                continue
            outside = tuple(symbol for symbol in SYMBOLS if symbol not in held)
            bounds: list[Constraint] = [WeightBounds("in", least, None, held)]
            if outside:
                bounds.append(WeightBounds("out", 0.0, 0.0, outside))
            problem = problem_of(seed, objective, *others, *bounds, **more)
            try:
                best = min(best, objective_value(problem, solve(problem).weights))
            except (InfeasibleProblem, NoPositiveExcessReturn):
                continue
    return best


@pytest.mark.parametrize("goal", GOALS.values(), ids=GOALS.keys())
@pytest.mark.parametrize("rules", RULES.values(), ids=RULES.keys())
def test_it_is_the_best_of_all_that_is_allowed(
    rules: tuple[Constraint, ...], goal: tuple[Objective, dict[str, Any]]
) -> None:
    objective, more = goal
    problem = problem_of(1, objective, *rules, **more)
    solution = solve(problem)
    held = tuple(s for s, w in zip(SYMBOLS, solution.weights.tolist(), strict=True) if w != 0.0)
    assert is_allowed(held, rules)
    best = by_brute_force(1, objective, rules, **more)
    assert objective_value(problem, solution.weights) == pytest.approx(best, rel=1e-6, abs=1e-12)
    assert solution.certificate.duality_gap is not None
    assert solution.certificate.duality_gap <= 1e-6


@generated(15)
@given(
    seed=st.integers(0, 10_000),
    pairs=st.sets(st.sampled_from(list(combinations(SYMBOLS, 2))), min_size=1, max_size=12),
    members=st.sets(st.sampled_from(SYMBOLS), min_size=2),
    most=st.integers(1, 3),
)
def test_any_pairs_and_any_subset(seed: int, pairs: set[Any], members: set[str], most: int) -> None:
    rules = (MutualExclusion("net", tuple(pairs)), Cardinality("some", most, tuple(members)))
    problem = problem_of(seed, MinRisk(), *rules)
    best = by_brute_force(seed, MinRisk(), rules)
    assert objective_value(problem, solve(problem).weights) == pytest.approx(best, rel=1e-6)


def test_a_short_counts_as_held() -> None:
    rules = (MutualExclusion("net", (("A", "B"), ("C", "D"))), Cardinality("some", 1, ("E", "F", "G")))
    short = (Leverage("short", max_short=0.5), WeightBounds("b", -0.3, 0.6))
    weights = solve(problem_of(3, MaxUtility(4.0), *rules, *short)).weights
    held = tuple(s for s, w in zip(SYMBOLS, weights.tolist(), strict=True) if w != 0.0)
    assert is_allowed(held, rules)
    assert weights.min() < 0.0
    free = solve(problem_of(3, MaxUtility(4.0), *short)).weights
    assert not is_allowed(tuple(s for s, w in zip(SYMBOLS, free.tolist(), strict=True) if w != 0.0), rules)
    best = np.inf
    for count in range(1, SIZE + 1):
        for chosen in combinations(SYMBOLS, count):
            if is_allowed(chosen, rules):
                outside = tuple(symbol for symbol in SYMBOLS if symbol not in chosen)
                bounds = (WeightBounds("out", 0.0, 0.0, outside),) if outside else ()
                one = problem_of(3, MaxUtility(4.0), *short, *bounds)
                try:
                    best = min(best, objective_value(one, solve(one).weights))
                except InfeasibleProblem:
                    continue
    found = problem_of(3, MaxUtility(4.0), *rules, *short)
    assert objective_value(found, weights) == pytest.approx(best, rel=1e-6)


# Networks and clusters of data.

RNG = np.random.default_rng(31)
COUNT = 16
NAMES = tuple(f"S{i:02d}" for i in range(COUNT))
RETURNS = RNG.normal(0, 0.008, (150, 3)) @ RNG.dirichlet(np.ones(3) * 0.4, COUNT).T + RNG.normal(0, 0.006, (150, COUNT))
PANEL = ReturnPanel.of(NAMES, np.arange(150), RETURNS)
CODEPENDENCE = signed(pearson(RETURNS))
TREE, PLANAR = Graph.MINIMUM_SPANNING_TREE, Graph.TRIANGULATED_MAXIMALLY_FILTERED


def posed(*limits: Constraint | SimilarityConstraint | CardinalityOfGroup, **more: Any) -> Specification:
    return Specification(MinRisk(), constraints=limits, periods_per_year=252.0, **more)


def held_of(specification: Specification, data: Any = PANEL) -> np.ndarray:
    return np.flatnonzero(solve(build_problem(specification, data)).weights)


def test_the_spanning_tree_is_the_shortest() -> None:
    graph: Any = nx.from_numpy_array(CODEPENDENCE.distance)
    theirs = nx.to_numpy_array(nx.minimum_spanning_tree(graph), weight=None) != 0.0
    assert (connections_of(CODEPENDENCE, TREE) == theirs).all()


def test_ties_do_not_break_the_tree() -> None:
    """All distances equal, and all zero: still a tree, and the same one each time."""
    for codependence in (unsigned(np.eye(9)), unsigned(np.ones((9, 9)))):
        found = connections_of(codependence, TREE)
        assert found.sum() == 16
        assert within(found, 8).sum() == 72
        assert (found == connections_of(codependence, TREE)).all()


@pytest.mark.parametrize("graph", [TREE, PLANAR])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_steps_are_those_of_riskfolio(graph: Graph, steps: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        from riskfolio.src.ConstraintsFunctions import connection_matrix  # 3 s of import

        frame = pd.DataFrame(RETURNS, columns=NAMES)
        theirs = connection_matrix(frame, graph="MST" if graph is TREE else "TMFG", walk_size=steps)
    assert (within(connections_of(CODEPENDENCE, graph), steps) == (np.asarray(theirs) != 0.0)).all()


@pytest.mark.parametrize("steps", [1, 2])
def test_their_integer_form_is_ours_with_steps_doubled(steps: int) -> None:
    """(A + I) y <= 1 lets at most one of an asset and all its neighbours be held: none two of a common neighbour."""
    for graph in (TREE, PLANAR):
        connections = connections_of(CODEPENDENCE, graph)
        rows = within(connections, steps) | np.eye(COUNT, dtype=bool)
        together = rows.T.astype(float) @ rows.astype(float) > 0.0  # two that stand in one row
        np.fill_diagonal(together, False)
        assert (together == within(connections, 2 * steps)).all()


def by_riskfolio(**given: Any) -> np.ndarray:
    """The least CVaR with the rows that it gives its mixed-integer program."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        import riskfolio

        portfolio = riskfolio.Portfolio(returns=pd.DataFrame(RETURNS, columns=NAMES))
        portfolio.assets_stats()
        portfolio.solvers = ["HIGHS"]
        for name, matrix in given.items():
            setattr(portfolio, name, matrix)
        found = portfolio.optimization(model="Classic", rm="CVaR", obj="MinRisk")
    return np.asarray(found["weights"].to_numpy())


@pytest.mark.parametrize("graph", [TREE, PLANAR])
def test_the_answer_is_that_of_its_mixed_integer_program(graph: Graph) -> None:
    theirs = by_riskfolio(network_ip=within(connections_of(CODEPENDENCE, graph), 1).astype(float))
    wanted = posed(NetworkLimit("net", AssetNetwork(graph), 2), risk_measure=RiskMeasure.CONDITIONAL_VALUE_AT_RISK)
    assert solve(build_problem(wanted, PANEL)).weights == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("linkage", [Linkage.WARD, Linkage.COMPLETE, Linkage.AVERAGE])
def test_so_is_that_with_clusters(linkage: Linkage) -> None:
    wanted = posed(ClusterLimit("each", linkage), risk_measure=RiskMeasure.CONDITIONAL_VALUE_AT_RISK)
    problem = build_problem(wanted, PANEL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        from riskfolio.src.ConstraintsFunctions import assets_clusters

        listed = assets_clusters(pd.DataFrame(RETURNS, columns=NAMES), linkage=linkage.lower()).set_index("Assets")
    theirs = listed.loc[list(NAMES), "Clusters"].to_numpy()
    [limit] = problem.constraints
    assert isinstance(limit, ClusterCardinality)
    own = np.array([next(k for k, c in enumerate(limit.clusters) if name in c) for name in NAMES])
    together = own[:, None] == own
    assert (together == (theirs[:, None] == theirs)).all()
    in_rows = (together & ~np.eye(COUNT, dtype=bool)).astype(float)
    assert solve(problem).weights == pytest.approx(by_riskfolio(cluster_ip=in_rows), abs=1e-6)


@pytest.mark.parametrize("graph", [TREE, PLANAR])
@pytest.mark.parametrize("steps", [1, 2])
def test_no_neighbours_are_held(graph: Graph, steps: int) -> None:
    near = within(connections_of(CODEPENDENCE, graph), steps)
    free = held_of(posed())
    assert near[np.ix_(free, free)].any()
    held = held_of(posed(NetworkLimit("net", AssetNetwork(graph), steps)))
    assert not near[np.ix_(held, held)].any()


def test_at_most_so_many_of_each_cluster() -> None:
    one = posed(ClusterLimit("each", Linkage.WARD, CodependenceMeasure.SPEARMAN, clusters=4))
    problem = build_problem(one, PANEL)
    [limit] = problem.constraints
    assert isinstance(limit, ClusterCardinality)
    assert sorted(name for cluster in limit.clusters for name in cluster) == sorted(NAMES)
    assert len(limit.clusters) == 4
    held = {NAMES[i] for i in np.flatnonzero(solve(problem).weights)}
    assert all(len(held & set(cluster)) <= 1 for cluster in limit.clusters)
    two = solve(
        build_problem(posed(ClusterLimit("each", Linkage.WARD, CodependenceMeasure.SPEARMAN, 4, max_assets=2)), PANEL)
    )
    assert two.risk < solve(problem).risk


@pytest.mark.parametrize("linkage", Linkage)
def test_every_linkage_makes_clusters(linkage: Linkage) -> None:
    held = held_of(posed(ClusterLimit("each", linkage)))
    assert 1 <= len(held) <= 10


@given(seed=st.integers(0, 10_000), share=st.floats(0.0, 1.0))
def test_neighbours_are_counted_in_cliques(seed: int, share: float) -> None:
    excluded = np.triu(np.random.default_rng(seed).random((12, 12)) < share, 1)
    excluded = excluded | excluded.T
    rows = cardinality_rows([SelectionLimit("net", exclusions=excluded)])
    assert sum(row.members.astype(int) for row in rows).max() <= 1 if rows else not excluded.any()
    for row in rows:
        members = np.flatnonzero(row.members)
        assert row.max_assets == 1
        assert (excluded[np.ix_(members, members)] | np.eye(len(members), dtype=bool)).all()


def test_centrality_is_the_number_of_neighbours() -> None:
    graph: Any = nx.minimum_spanning_tree(nx.from_numpy_array(CODEPENDENCE.distance))
    degrees = np.array([graph.degree[i] for i in range(COUNT)], dtype=float)
    free = solve(build_problem(posed(), PANEL)).weights
    most = 0.8 * float(degrees @ free)
    solution = solve(build_problem(posed(CentralityBounds("central", AssetNetwork(), None, most)), PANEL))
    assert float(degrees @ solution.weights) == pytest.approx(most, abs=1e-8)
    assert {one.label for one in solution.binding} >= {"central"}


def test_moments_determine_linear_codependence_only() -> None:
    moments = Moments.of(NAMES, np.zeros(COUNT), np.cov(RETURNS.T), 252.0)
    for kind in (CodependenceMeasure.PEARSON, CodependenceMeasure.CUSTOM_COVARIANCE):
        limit = NetworkLimit("net", AssetNetwork(codependence=kind))
        assert (held_of(posed(limit), moments) == held_of(posed(limit))).all()
    with pytest.raises(NotSupported, match="KENDALL"):
        build_problem(posed(NetworkLimit("net", AssetNetwork(codependence=CodependenceMeasure.KENDALL))), moments)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("graph", [TREE, PLANAR])
def test_few_assets(size: int, graph: Graph) -> None:
    panel = ReturnPanel.of(NAMES[:size], np.arange(150), RETURNS[:, :size])
    limits = (NetworkLimit("net", AssetNetwork(graph)), ClusterLimit("each", Linkage.DBHT, clusters=1))
    assert len(held_of(posed(*limits), panel)) == 1
    assert len(held_of(posed(CentralityBounds("c", AssetNetwork(graph), 0.0, float(size))), panel)) >= 1
    with pytest.raises(InvalidInput, match=r"constraints\[0\].clusters.clusters"):
        build_problem(posed(ClusterLimit("each", clusters=size + 1)), panel)


def test_duplicates_and_fewer_returns_than_assets() -> None:
    returns = RETURNS[:8].copy()
    returns[:, 3] = returns[:, 4] = returns[:, 5]
    panel = ReturnPanel.of(NAMES, np.arange(8), returns)
    for graph in Graph:
        held = held_of(posed(NetworkLimit("net", AssetNetwork(graph))), panel)
        assert len({3, 4, 5} & set(held.tolist())) <= (1 if graph is PLANAR else 2)


def test_groups_are_counted_by_name() -> None:
    stored = {"tech": (*NAMES[:8], "elsewhere")}
    held = held_of(posed(CardinalityOfGroup("few", "tech", 2), stored_groups=stored))
    assert int((held < 8).sum()) <= 2
    assert posed(CardinalityOfGroup("few", "tech", 2)).missing_groups() == ("tech",)
    with pytest.raises(InvalidInput, match=r"constraints\[0\].cardinality.group"):
        build_problem(posed(CardinalityOfGroup("few", "tech", 2)), PANEL)
    with pytest.raises(InvalidInput, match=r"constraints\[0\].cardinality.symbols\[1\]"):
        build_problem(posed(Cardinality("few", 2, ("S00", "nobody"))), PANEL)


def test_codependence_is_measured_once_for_a_market_model() -> None:
    wanted = posed(NetworkLimit("net", AssetNetwork(codependence=CodependenceMeasure.KENDALL)))
    market_model = market_model_of(wanted, PANEL)
    assert market_model.codependence_in(CodependenceMeasure.KENDALL) is market_model.codependence_in(
        CodependenceMeasure.KENDALL
    )


def test_a_conflict_says_how_many_more_it_takes() -> None:
    caps, each = WeightBounds("caps", None, 0.15), ClusterLimit("each", Linkage.WARD, clusters=4)
    with pytest.raises(InfeasibleProblem) as raised:
        solve(build_problem(posed(caps, each), PANEL))
    error = raised.value
    assert set(error.labels) == {"caps", "each", "default:budget"}
    assert error.relaxations["each"] == 1.0
    assert error.relaxations["caps"] == pytest.approx(0.1, abs=1e-6)  # four at a quarter
    with pytest.raises(InfeasibleProblem) as raised:
        solve(build_problem(posed(caps, NetworkLimit("net", AssetNetwork(PLANAR), 2)), PANEL))
    error = raised.value
    assert set(error.labels) == {"caps", "net", "default:budget"}
    assert "net" not in error.relaxations
    near = within(connections_of(CODEPENDENCE, PLANAR), 2)
    most = max(len(clique) for clique in nx.find_cliques(nx.from_numpy_array(~near & ~np.eye(COUNT, dtype=bool))))
    assert error.relaxations["caps"] == pytest.approx(1.0 / most - 0.15, abs=1e-6)


def test_a_conflict_among_many_assets_is_explained_in_time() -> None:
    """Every eight of fifty assets are too few: there are half a billion of them."""
    returns = RNG.normal(0, 0.01, (200, 50)) + RNG.normal(0, 0.005, (200, 1))
    panel = ReturnPanel.of([f"A{i}" for i in range(50)], np.arange(200), returns)
    start = time.perf_counter()
    with pytest.raises(InfeasibleProblem) as raised:
        solve(build_problem(posed(WeightBounds("caps", None, 0.1), Cardinality("count", 8)), panel))
    assert time.perf_counter() - start < 30.0
    assert set(raised.value.labels) == {"caps", "count", "default:budget"}
    assert raised.value.relaxations["count"] == 2.0
    assert raised.value.relaxations["caps"] == pytest.approx(0.025, abs=1e-6)
