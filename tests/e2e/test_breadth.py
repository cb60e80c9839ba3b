"""Every objective, measure and constraint of the contract over the wire, each by its definition."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from tests.conftest import Wire
from tests.families import thinned

OPTIMIZE = "OptimizationService/Optimize"
RNG = np.random.default_rng(21)
SYMBOLS = list("ABCDEF")
RETURNS = RNG.standard_t(5, (120, 1)) * 0.006 + RNG.standard_t(5, (120, 6)) * 0.01 + 0.001
PANEL = {"symbols": SYMBOLS, "dates": list(range(120)), "values": RETURNS.ravel().tolist()}
SIGMA, MU = np.cov(RETURNS.T), RETURNS.mean(axis=0)
EQUAL = np.full(6, 1 / 6)


def named(weights: Any) -> list[dict[str, Any]]:
    return [{"symbol": s, "weight": float(w)} for s, w in zip(SYMBOLS, weights, strict=True)]


def asked(objective: dict[str, Any], *constraints: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "returns": PANEL,
        "periodsPerYear": 252,
        "objective": objective,
        "constraints": list(constraints),
        "currentWeights": named(EQUAL),
        **more,
    }


def weights_of(answer: dict[str, Any]) -> np.ndarray:
    assert answer["certificate"]["maxConstraintViolation"] <= 1e-8
    assert answer["certificate"].get("dualityGap", 0.0) <= 1e-7
    return np.array([w.get("weight", 0.0) for w in answer["weights"]])


def drawdowns(w: np.ndarray) -> np.ndarray:
    level = np.cumsum(RETURNS @ w)
    return np.maximum(np.maximum.accumulate(level), 0.0) - level


def cvar(losses: np.ndarray) -> float:
    return float(np.sort(losses)[::-1][:6].mean())  # 5 % of 120 are six


MEASURES = {
    "VARIANCE": lambda w: w @ SIGMA @ w,
    "STANDARD_DEVIATION": lambda w: (w @ SIGMA @ w) ** 0.5,
    "SEMI_DEVIATION": lambda w: (np.minimum(RETURNS @ w - MU @ w, 0) ** 2).sum() ** 0.5 / 119**0.5,
    "MAD": lambda w: np.abs(RETURNS @ w - MU @ w).mean(),
    "GINI_MEAN_DIFFERENCE": lambda w: np.abs(np.subtract.outer(RETURNS @ w, RETURNS @ w)).sum() / (120 * 119),
    "KURTOSIS": lambda w: ((RETURNS @ w - MU @ w) ** 4).mean() ** 0.5,
    "SEMI_KURTOSIS": lambda w: (np.minimum(RETURNS @ w - MU @ w, 0) ** 4).mean() ** 0.5,
    "FIRST_LOWER_PARTIAL_MOMENT": lambda w: np.maximum(-RETURNS @ w, 0).mean(),
    "SECOND_LOWER_PARTIAL_MOMENT": lambda w: (np.maximum(-RETURNS @ w, 0) ** 2).mean() ** 0.5,
    "CVAR": lambda w: cvar(-RETURNS @ w),
    "TAIL_GINI": lambda w: np.sort(-RETURNS @ w)[::-1][:6] @ (np.array([11, 9, 7, 5, 3, 1]) / 36),
    "EVAR": lambda w: min(z * np.log(np.exp(-RETURNS @ w / z).mean() / 0.05) for z in np.geomspace(1e-3, 1e-1, 20001)),
    "RLVAR": None,
    "WORST_REALIZATION": lambda w: (-RETURNS @ w).max(),
    "RANGE": lambda w: np.ptp(RETURNS @ w),
    "CVAR_RANGE": lambda w: cvar(-RETURNS @ w) + cvar(RETURNS @ w),
    "TAIL_GINI_RANGE": None,
    "EVAR_RANGE": None,
    "RLVAR_RANGE": None,
    "MAX_DRAWDOWN": lambda w: drawdowns(w).max(),
    "AVERAGE_DRAWDOWN": lambda w: drawdowns(w).mean(),
    "CDAR": lambda w: cvar(drawdowns(w)),
    "EDAR": None,
    "RLDAR": None,
    "ULCER_INDEX": lambda w: (drawdowns(w) ** 2).mean() ** 0.5,
}


@pytest.mark.parametrize("measure", thinned(MEASURES, 4))
def test_the_least_risk_in_every_measure(wire: Wire, measure: str) -> None:
    answer = wire.call(OPTIMIZE, asked({"minRisk": {}}, riskMeasure=f"RISK_MEASURE_{measure}"))
    w = weights_of(answer)
    assert w.sum() == pytest.approx(1.0, abs=1e-9)
    definition = MEASURES[measure]
    if definition is None:
        assert answer["risk"] > 0.0
        return
    assert answer["risk"] == pytest.approx(float(definition(w)), rel=1e-6)
    for rival in (EQUAL, *RNG.dirichlet(np.ones(6), 40), *(0.99 * w + 0.01 * RNG.dirichlet(np.ones(6), 40))):
        assert definition(rival) >= answer["risk"] * (1 - 1e-7)


@pytest.mark.parametrize("measure", ["VAR", "DAR"])
def test_what_is_not_convex_is_refused(wire: Wire, measure: str) -> None:
    refusal = wire.refused(OPTIMIZE, asked({"minRisk": {}}, riskMeasure=f"RISK_MEASURE_{measure}"))
    assert refusal.reason == "NOT_SUPPORTED"
    assert "CVaR or CDaR" in refusal.message


def test_the_highest_growth(wire: Wire) -> None:
    w = weights_of(wire.call(OPTIMIZE, asked({"kelly": {}})))
    best = np.log1p(RETURNS @ w).mean()
    assert all(np.log1p(RETURNS @ rival).mean() <= best + 1e-9 for rival in RNG.dirichlet(np.ones(6), 200))
    # The first-order conditions: E r_i / (1 + x) is at most E x / (1 + x) plus the budget's price, equal where held.
    slopes = (RETURNS / (1 + RETURNS @ w)[:, None]).mean(axis=0)
    assert slopes[w > 1e-6] == pytest.approx(slopes.max(), abs=1e-6)


def test_a_benchmark_is_tracked(wire: Wire) -> None:
    benchmark = np.array([0.4, 0.3, 0.2, 0.1, 0.0, 0.0])
    caps = {"weightBounds": {"upper": 0.3}}
    w = weights_of(wire.call(OPTIMIZE, asked({"tracking": {"benchmark": named(benchmark)}}, caps)))
    error = (w - benchmark) @ SIGMA @ (w - benchmark)
    rivals = RNG.dirichlet(np.ones(6) * 3, 400)
    assert all((r - benchmark) @ SIGMA @ (r - benchmark) >= error for r in rivals if r.max() <= 0.3)
    assert w.max() <= 0.3 + 1e-9
    free = weights_of(wire.call(OPTIMIZE, asked({"tracking": {"benchmark": named(benchmark)[:4]}})))
    assert free == pytest.approx(benchmark, abs=1e-5)


def test_tracking_error_and_risk_limits_hold(wire: Wire) -> None:
    limits = (
        {"label": "te", "trackingError": {"benchmark": named(EQUAL), "maxAnnual": 0.05}},
        {"label": "tail", "riskLimit": {"riskMeasure": "RISK_MEASURE_CVAR", "max": 0.024}},
    )
    answer = wire.call(OPTIMIZE, asked({"maxReturn": {}}, *limits))
    w = weights_of(answer)
    assert (252 * (w - EQUAL) @ SIGMA @ (w - EQUAL)) ** 0.5 <= 0.05 + 1e-8
    assert cvar(-RETURNS @ w) <= 0.024 + 1e-8
    prices = {b["label"]: b["shadowPrice"] for b in answer["binding"]}
    assert prices["te"] > 0.0


def test_how_many_and_how_little(wire: Wire) -> None:
    rules = ({"cardinality": {"maxAssets": 3}}, {"minimumPosition": {"minWeight": 0.2}})
    w = weights_of(wire.call(OPTIMIZE, asked({"minRisk": {}}, *rules)))
    assert np.count_nonzero(w) <= 3
    assert w[w > 0].min() >= 0.2 - 1e-8
    refusal = wire.refused(
        OPTIMIZE,
        asked({"minRisk": {}}, {"label": "few", "cardinality": {"maxAssets": 2}}, {"weightBounds": {"upper": 0.3}}),
    )
    assert refusal.reason == "PROBLEM_INFEASIBLE"
    assert "few" in refusal.conflicts


def test_costs_lower_what_is_gained(wire: Wire) -> None:
    utility = {"maxUtility": {"riskAversion": 4.0}}
    answer = wire.call(OPTIMIZE, asked(utility, costs={"commissionBps": 60}))
    w = weights_of(answer)

    def net(v: np.ndarray) -> float:
        return float(252 * (MU @ v - 2.0 * v @ SIGMA @ v) - 0.006 * np.abs(v - EQUAL).sum())

    assert all(net(rival) <= net(w) + 1e-9 for rival in (EQUAL, *RNG.dirichlet(np.ones(6), 300)))
    assert answer["cost"] == pytest.approx(0.006 * np.abs(w - EQUAL).sum(), rel=1e-9)
    assert net(w) > net(weights_of(wire.call(OPTIMIZE, asked(utility))))


def test_budgets_of_a_tail(wire: Wire) -> None:
    """Euler contributions to CVaR are w_i times the mean loss of asset i in the tail."""
    w = weights_of(wire.call(OPTIMIZE, asked({"riskBudget": {}}, riskMeasure="RISK_MEASURE_SEMI_DEVIATION")))
    below = np.minimum(RETURNS @ w - MU @ w, 0)
    shares = w * ((RETURNS - MU) * below[:, None]).sum(axis=0) / (below**2).sum()
    assert shares == pytest.approx(EQUAL, abs=1e-3)


def test_the_relaxed_budget_without_penalty_is_the_budget(wire: Wire) -> None:
    w = weights_of(wire.call(OPTIMIZE, asked({"relaxedRiskBudget": {}})))
    shares = w * (SIGMA @ w) / (w @ SIGMA @ w)
    assert shares == pytest.approx(EQUAL, abs=1e-4)


def test_the_worst_case_is_more_careful(wire: Wire) -> None:
    goal = {"maxUtility": {"riskAversion": 2.0}}
    doubt = {"worstCase": {**goal, "expectedReturns": "UNCERTAINTY_ELLIPSOID", "covariance": "UNCERTAINTY_BOX"}}
    careful, bold = (wire.call(OPTIMIZE, asked(one)) for one in (doubt, goal))
    assert careful["volatilityAnnual"] < bold["volatilityAnnual"]
    assert careful["effectiveNumberOfAssets"] > bold["effectiveNumberOfAssets"]


@pytest.mark.parametrize("linkage", ["LINKAGE_WARD", "LINKAGE_DBHT"])
@pytest.mark.parametrize("method", ["METHOD_HRP", "METHOD_HERC", "METHOD_HERC2", "METHOD_NCO"])
def test_hierarchies(wire: Wire, method: str, linkage: str) -> None:
    tree = {"hierarchical": {"method": method, "linkage": linkage, "codependence": "CODEPENDENCE_SPEARMAN"}}
    answer = wire.call(OPTIMIZE, asked(tree))
    w = weights_of(answer)
    assert w.sum() == pytest.approx(1.0, abs=1e-9)
    assert w.min() >= 0.0
    assert answer["certificate"]["engine"] == "ENGINE_CLOSED_FORM"


def test_an_ordered_weighted_average(wire: Wire) -> None:
    ordered = np.zeros(120)
    ordered[:6] = 1 / 6
    answer = wire.call(OPTIMIZE, asked({"owa": {"weights": ordered.tolist()}}))
    least = wire.call(OPTIMIZE, asked({"minRisk": {}}, riskMeasure="RISK_MEASURE_CVAR"))["risk"]
    assert cvar(-RETURNS @ weights_of(answer)) == pytest.approx(least, rel=1e-6)
    refusal = wire.refused(OPTIMIZE, asked({"owa": {"weights": [0.5, 0.5]}}))
    assert refusal.reason == "INVALID_INPUT"
    assert "objective.owa.weights" in refusal.fields


def test_an_unknown_benchmark_symbol_is_named(wire: Wire) -> None:
    stranger = [{"symbol": "Z", "weight": 1.0}]
    refusal = wire.refused(OPTIMIZE, asked({"tracking": {"benchmark": stranger}}))
    assert refusal.fields == ("objective.tracking.benchmark[0].symbol",)
    limit = {"trackingError": {"benchmark": stranger, "maxAnnual": 0.1}}
    refusal = wire.refused(OPTIMIZE, asked({"minRisk": {}}, limit))
    assert refusal.fields == ("constraints[0].tracking_error.benchmark[0].symbol",)


ESTIMATORS = {
    "ledoitWolf": {"target": "TARGET_NONLINEAR"},
    "graphicalLasso": {"penalty": 0.2},
    "jLogo": {},
    "denoised": {"method": "METHOD_SPECTRAL"},
    "gerber": {"variant": 2},
    "oas": {},
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_covariances_of_every_kind(wire: Wire, name: str) -> None:
    answer = wire.call(OPTIMIZE, asked({"minRisk": {}}, estimation={"covariance": {name: ESTIMATORS[name]}}))
    assert weights_of(answer).sum() == pytest.approx(1.0, abs=1e-9)
    assert answer["volatilityAnnual"] != pytest.approx(wire.call(OPTIMIZE, asked({"minRisk": {}}))["volatilityAnnual"])


def test_shrunk_means_and_pooled_views(wire: Wire) -> None:
    bop = {"expectedReturns": {"bop": {}}}
    assert weights_of(wire.call(OPTIMIZE, asked({"maxRatio": {}}, estimation=bop))).sum() == pytest.approx(1.0)
    view = {"terms": [{"symbol": "A", "weight": 1.0}], "expectedReturnAnnual": 1.2}
    pooled = {"views": {"method": "METHOD_ENTROPY_POOLING", "views": [view]}}
    answer = wire.call(OPTIMIZE, asked({"equalWeight": {}}, estimation=pooled))
    plain = wire.call(OPTIMIZE, asked({"equalWeight": {}}))
    assert answer["expectedReturnAnnual"] > plain["expectedReturnAnnual"]
    alone = asked({"minRisk": {}}, {"weightBounds": {"symbols": ["A"], "lower": 1.0}}, estimation=pooled)
    assert wire.call(OPTIMIZE, alone)["expectedReturnAnnual"] == pytest.approx(1.2, rel=1e-9)


def test_feasibility_can_be_asked_without_solving(wire: Wire) -> None:
    caps = {"label": "caps", "weightBounds": {"upper": 0.1}}
    posed = asked({"minRisk": {}}, caps, validateOnly=True)
    assert wire.call(OPTIMIZE, posed) == {}
    refusal = wire.refused(OPTIMIZE, {**posed, "checkFeasibility": True})
    assert refusal.reason == "PROBLEM_INFEASIBLE"
    assert set(refusal.conflicts) == {"caps", "default:budget"}
    wider = {"label": "caps", "weightBounds": {"upper": 0.5}}
    assert wire.call(OPTIMIZE, asked({"minRisk": {}}, wider, validateOnly=True, checkFeasibility=True)) == {}


CORRELATION = np.corrcoef(RETURNS.T)
MOMENTS = {
    "symbols": SYMBOLS,
    "expectedReturns": MU.tolist(),
    "covariance": SIGMA.ravel().tolist(),
    "periodsPerYear": 252,
}


def spanning_tree() -> np.ndarray:
    """Who is connected, the closest first unless it closes a circle (Kruskal 1956)."""
    part, connected = list(range(6)), np.zeros((6, 6), dtype=bool)
    for i, j in sorted(combinations(range(6), 2), key=lambda pair: -CORRELATION[pair]):
        if part[i] != part[j]:
            connected[i, j] = connected[j, i] = True
            part = [part[j] if one == part[i] else one for one in part]
    return connected


def held(w: np.ndarray) -> set[str]:
    return {symbol for symbol, weight in zip(SYMBOLS, w, strict=True) if weight != 0.0}


def test_so_many_of_some(wire: Wire) -> None:
    by_symbol = {"cardinality": {"maxAssets": 1, "symbols": ["A", "B", "C"]}}
    w = weights_of(wire.call(OPTIMIZE, asked({"minRisk": {}}, by_symbol)))
    assert len(held(w) & {"A", "B", "C"}) <= 1
    assert len(held(w)) > 1
    groups = [{"name": "abc", "symbols": ["A", "B", "C"]}]
    by_group = {"cardinality": {"maxAssets": 1, "group": "abc"}}
    assert weights_of(wire.call(OPTIMIZE, asked({"minRisk": {}}, by_group, groups=groups))) == pytest.approx(w)


@pytest.mark.parametrize(
    ("cardinality", "field"),
    [
        ({"maxAssets": 1, "symbols": ["A", "Z"]}, "constraints[0].cardinality.symbols[1]"),
        ({"maxAssets": 1, "symbols": ["A", "A"]}, "constraints[0].cardinality.symbols[1]"),
        ({"maxAssets": 1, "symbols": ["A"], "group": "abc"}, "constraints[0].cardinality.group"),
        ({"maxAssets": 1, "group": "nobody"}, "constraints[0].cardinality.group"),
    ],
)
def test_whom_a_count_cannot_concern(wire: Wire, cardinality: dict[str, Any], field: str) -> None:
    groups = [{"name": "abc", "symbols": ["A", "B", "C"]}]
    refusal = wire.refused(OPTIMIZE, asked({"minRisk": {}}, {"cardinality": cardinality}, groups=groups))
    assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "INVALID_INPUT")
    assert field in refusal.fields


@pytest.mark.parametrize("graph", ["GRAPH_MINIMUM_SPANNING_TREE", "GRAPH_TRIANGULATED_MAXIMALLY_FILTERED"])
def test_no_neighbours_are_held_together(wire: Wire, graph: str) -> None:
    limit = {"label": "net", "network": {"network": {"graph": graph}}}
    w = weights_of(wire.call(OPTIMIZE, asked({"minRisk": {}}, limit)))
    near = spanning_tree()
    chosen = w != 0.0
    assert not near[np.ix_(chosen, chosen)].any()  # the tree is part of the planar graph of so few assets
    further = {"network": {"network": {"graph": graph}, "steps": 5}}
    assert len(held(weights_of(wire.call(OPTIMIZE, asked({"minRisk": {}}, further))))) == 1
    refusal = wire.refused(OPTIMIZE, asked({"minRisk": {}}, further, {"label": "caps", "weightBounds": {"upper": 0.5}}))
    assert refusal.reason == "PROBLEM_INFEASIBLE"


def test_one_of_each_cluster(wire: Wire) -> None:
    limit = {"clusters": {"linkage": "LINKAGE_WARD", "codependence": "CODEPENDENCE_SPEARMAN", "clusters": 2}}
    assert len(held(weights_of(wire.call(OPTIMIZE, asked({"minRisk": {}}, limit))))) <= 2
    limit["clusters"]["maxAssets"] = 2
    assert 2 < len(held(weights_of(wire.call(OPTIMIZE, asked({"minRisk": {}}, limit))))) <= 4
    chosen = {"clusters": {"maxClusters": 2, "linkage": "LINKAGE_DBHT"}}
    assert len(held(weights_of(wire.call(OPTIMIZE, asked({"minRisk": {}}, chosen))))) <= 4
    limit["clusters"]["clusters"] = 7
    refusal = wire.refused(OPTIMIZE, asked({"minRisk": {}}, limit))
    assert "constraints[0].clusters.clusters" in refusal.fields


def test_how_central_a_portfolio_is(wire: Wire) -> None:
    degrees = spanning_tree().sum(axis=1)
    free = weights_of(wire.call(OPTIMIZE, asked({"minRisk": {}})))
    least = float(degrees @ free) + 0.2
    answer = wire.call(OPTIMIZE, asked({"minRisk": {}}, {"label": "hub", "centrality": {"lower": least}}))
    assert float(degrees @ weights_of(answer)) == pytest.approx(least, abs=1e-7)
    assert "hub" in {one["label"] for one in answer["binding"]}
    refusal = wire.refused(OPTIMIZE, asked({"minRisk": {}}, {"centrality": {"lower": 2.0, "upper": 1.0}}))
    assert "constraints[0].centrality.lower" in refusal.fields


@pytest.mark.parametrize(
    "limit",
    [
        {"clusters": {"codependence": "CODEPENDENCE_KENDALL"}},
        {"network": {"network": {"codependence": "CODEPENDENCE_KENDALL"}}},
        {"centrality": {"network": {"codependence": "CODEPENDENCE_KENDALL"}, "upper": 1.5}},
    ],
    ids=["clusters", "network", "centrality"],
)
def test_moments_have_no_ranks(wire: Wire, limit: dict[str, Any]) -> None:
    [(kind, inside)] = limit.items()
    linear: dict[str, Any] = {kind: {k: v for k, v in inside.items() if k == "upper"}}
    given = {"moments": MOMENTS, "objective": {"minRisk": {}}}
    of_returns = weights_of(wire.call(OPTIMIZE, asked({"minRisk": {}}, linear)))
    assert weights_of(wire.call(OPTIMIZE, given | {"constraints": [linear]})) == pytest.approx(of_returns, abs=1e-7)
    refusal = wire.refused(OPTIMIZE, given | {"constraints": [limit]})
    assert (refusal.code, refusal.reason) == ("UNIMPLEMENTED", "NOT_SUPPORTED")
    assert "KENDALL" in refusal.message


def test_a_hierarchy_does_not_choose(wire: Wire) -> None:
    refusal = wire.refused(OPTIMIZE, asked({"hierarchical": {}}, {"label": "net", "network": {}}))
    assert refusal.reason == "NOT_SUPPORTED"
    assert "net" in refusal.message


def test_a_frontier_under_a_network(wire: Wire) -> None:
    request = {"returns": PANEL, "periodsPerYear": 252, "constraints": [{"network": {}}], "points": 4}
    traced = list(wire.stream("OptimizationService/TraceFrontier", request))
    near = spanning_tree()
    for one in traced:
        chosen = np.array([w.get("weight", 0.0) != 0.0 for w in one["weights"]])
        assert not near[np.ix_(chosen, chosen)].any()
    assert len(traced) == 4
