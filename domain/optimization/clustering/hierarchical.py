"""Weights along a tree of clusters of similar assets: HRP, HERC and NCO.

HRP halves the ordered list of assets again and again and gives each half the inverse of its risk (Lopez de Prado 2016,
"Building diversified portfolios that outperform out of sample"). HERC splits where the tree does, down to a number of
clusters that the gap statistic chooses (Raffinot 2018, "The hierarchical equal risk contribution portfolio"). NCO finds
the least risk within clusters and then between them (Lopez de Prado 2019). Within a half or a cluster, risk is that of
weights in proportion to 1 / risk. No objective is optimal here, so there is no gap.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix, Vector
from domain.errors import InvalidInput, NotSupported
from domain.estimation import codependence
from domain.estimation.clustering import Places, Tree, cluster_count, tree_of
from domain.market_data.moments import Moments
from domain.market_data.panel import Scenarios
from domain.optimization.clustering.entropy_projection import bounds_on_single_weights, project_by_entropy
from domain.optimization.feasibility import is_proven
from domain.optimization.problem.codependence import codependence_of
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import Hierarchical, HierarchicalMethod, MinRisk
from domain.optimization.solution import Candidate, Engine
from domain.optimization.tolerances import FEASIBILITY_TOLERANCE
from domain.risk.measures import RiskMeasure

MinimumRisk = Callable[[Problem], Vector]
"""The weights of least risk of a problem without further limits."""

_SegmentRisk = Callable[[int, int], float]
"""The risk of the ordered assets from one place to before another."""

NO_RISK = "a hierarchy shares out risk, and a cluster has none or less: choose another measure"


def hierarchical(
    problem: Problem,
    limits: FeasibleSet,
    objective: Hierarchical,
    least: MinimumRisk,
    check_cancelled: Callable[[], None],
) -> Candidate | None:
    """The weights, or None where none keep the limits.

    Bounds on single weights are met by the weights nearest to the hierarchy's in relative entropy; raises NotSupported
    where another limit is broken, and for a codependence that needs returns where there are none.
    """
    size, budget = limits.n_assets, problem.budget
    if budget <= 0.0:
        raise InvalidInput(problem.budget_field, "must be above 0: a hierarchy shares out a long portfolio")
    fractions = np.ones(1)
    if size > 1:
        tree, similarity = cluster_assets(problem, objective, check_cancelled)
        fractions = _fractions(problem, objective, tree, similarity, least, check_cancelled)
    weights = budget * fractions
    if limits.violation(weights) > FEASIBILITY_TOLERANCE:
        weights = project_by_entropy(weights, *bounds_on_single_weights(limits), budget)
    if limits.violation(weights) > FEASIBILITY_TOLERANCE:
        if is_proven(limits, feasible=False):
            return None
        missed = ", ".join(limits.violated(weights, FEASIBILITY_TOLERANCE))
        raise NotSupported(f"a hierarchy can be held within bounds on single weights only; it conflicts with {missed}")
    return Candidate(weights, Engine.CLOSED_FORM, objective.method.lower())


def cluster_assets(
    problem: Problem, objective: Hierarchical, check_cancelled: CancellationCheck = never_cancelled
) -> tuple[Tree, codependence.Codependence]:
    """The tree of a problem's assets, and the codependence that it is built from."""
    similarity = codependence_of(objective.codependence, problem.moments, problem.scenarios, check_cancelled)
    joined = replace(similarity, distance=distance_of(similarity, objective))
    check_cancelled()
    return tree_of(joined, objective.linkage, check_cancelled, optimal_order=objective.optimal_order), similarity


def distance_of(similarity: codependence.Codependence, objective: Hierarchical) -> Matrix:
    """The distances that are clustered: of the assets, or of their columns of distances as the paper has it."""
    if not objective.between_columns:
        return similarity.distance
    from scipy.spatial.distance import pdist, squareform  # only where it is used, in worker processes

    result: Matrix = squareform(pdist(similarity.distance))
    return result


def _fractions(
    problem: Problem,
    objective: Hierarchical,
    tree: Tree,
    similarity: codependence.Codependence,
    least: MinimumRisk,
    check_cancelled: CancellationCheck,
) -> Vector:
    if objective.method is HierarchicalMethod.HRP:
        return _recursive_bisection(problem, tree.order, check_cancelled)
    clusters = cluster_count(tree, similarity.distance, objective.max_clusters, check_cancelled)
    if objective.method is HierarchicalMethod.NCO:
        return _nested_clusters(problem, tree.cut(clusters), least)
    return _tree_split(problem, tree, clusters, check_cancelled, equal=objective.method is HierarchicalMethod.HERC2)


class _ClusterRisk:
    """Risk of clusters whose weights are in proportion to 1 / risk, each asset's own risk computed once."""

    def __init__(self, problem: Problem) -> None:
        self._risk = problem.risk
        self._quadratic = self._risk.measure.is_quadratic
        if self._quadratic:
            variances = np.diag(problem.moments.covariance)
            own = variances if self._risk.measure is RiskMeasure.VARIANCE else np.sqrt(variances)
        else:
            own = np.array([self._risk.of(unit) for unit in np.eye(len(problem.moments.symbols))])
        if (own <= 0.0).any():
            symbol = problem.moments.symbols[int(np.argmin(own))]
            raise InvalidInput("covariance", f"a hierarchy needs every risk above 0, that of {symbol} is not")
        self._inverse = 1.0 / own

    def inside(self, members: Places) -> Vector:
        """Weights within a cluster, (K,), sum 1."""
        result: Vector = self._inverse[members] / self._inverse[members].sum()
        return result

    def risk(self, members: Places) -> float:
        """Of the whole cluster."""
        inside = self.inside(members)
        if self._quadratic:
            return self._of_variance(float(inside @ self._risk.moments.covariance[np.ix_(members, members)] @ inside))
        weights = np.zeros(len(self._inverse))
        weights[members] = inside
        return self._risk.of(weights)

    def along(self, order: Places) -> _SegmentRisk:
        """The risks of stretches of ordered assets."""
        if not self._quadratic:
            return lambda start, stop: self.risk(order[start:stop])
        inverse = self._inverse[order]
        covariance = self._risk.moments.covariance[order[:, None], order]

        def risk(start: int, stop: int) -> float:
            # Of each stretch alone: differences of sums over all assets cancel where their risks differ much.
            inside = inverse[start:stop] / inverse[start:stop].sum()
            return self._of_variance(float(inside @ covariance[start:stop, start:stop] @ inside))

        return risk

    def _of_variance(self, variance: float) -> float:
        return variance if self._risk.measure is RiskMeasure.VARIANCE else max(variance, 0.0) ** 0.5


def _recursive_bisection(problem: Problem, order: Places, check_cancelled: CancellationCheck) -> Vector:
    """HRP's recursive bisection of the ordered assets."""
    risk, weights = _ClusterRisk(problem).along(order), np.empty(len(order))
    parts, indices = [(0, len(order), 1.0)], order.tolist()
    while parts:
        check_cancelled()
        start, stop, fraction = parts.pop()
        if stop - start == 1:
            weights[indices[start]] = fraction
            continue
        middle = start + (stop - start) // 2
        left = _left_fraction(risk(start, middle), risk(middle, stop))
        parts += [(start, middle, fraction * left), (middle, stop, fraction * (1.0 - left))]
    return weights


def _left_fraction(left: float, right: float) -> float:
    """Of two parts, each gets weight in proportion to the other's risk."""
    if left + right <= 0.0:
        raise NotSupported(NO_RISK)
    return 1.0 - left / (left + right)


def _tree_split(problem: Problem, tree: Tree, count: int, check_cancelled: CancellationCheck, *, equal: bool) -> Vector:
    """HERC: down the tree, each side weighed by the risk of its clusters, then within each cluster."""
    clusters, weights = _ClusterRisk(problem), np.ones(tree.size)
    leaves, nodes = tree.cut(count), tree.members()
    risks = [clusters.risk(members) for members in leaves]
    for k in range(len(tree.merges) - 1, len(tree.merges) - count, -1):
        check_cancelled()
        left, right = (nodes[int(node)] for node in tree.merges[k, :2])
        fraction = _left_fraction(_risk_within(leaves, risks, left), _risk_within(leaves, risks, right))
        weights[left] *= fraction
        weights[right] *= 1.0 - fraction
    for members in leaves:
        weights[members] *= 1.0 / len(members) if equal else clusters.inside(members)
    return weights


def _risk_within(leaves: list[Places], risks: list[float], side: list[int]) -> float:
    inside = set(side)
    return sum(risk for members, risk in zip(leaves, risks, strict=True) if inside.issuperset(members.tolist()))


def _nested_clusters(problem: Problem, leaves: list[Places], least: MinimumRisk) -> Vector:
    """NCO: the least risk of each cluster, then of the clusters as assets."""
    size = len(problem.moments.symbols)
    within = np.zeros((len(leaves), size))
    for k, members in enumerate(leaves):
        chosen = np.zeros((len(members), size))
        chosen[np.arange(len(members)), members] = 1.0
        within[k, members] = least(_of_portfolios(problem, chosen)) if len(members) > 1 else 1.0
    between = least(_of_portfolios(problem, within)) if len(leaves) > 1 else np.ones(1)
    result: Vector = between @ within
    return result


def _of_portfolios(problem: Problem, portfolios: Matrix) -> Problem:
    """The problem of least risk with portfolios (K, N) as its assets."""
    names = tuple(str(k) for k in range(len(portfolios)))
    moments = problem.moments
    covariance = portfolios @ moments.covariance @ portfolios.T
    reduced = Moments(
        names, portfolios @ moments.expected_returns, 0.5 * (covariance + covariance.T), moments.periods_per_year
    )
    scenarios = problem.scenarios
    if scenarios is not None:
        scenarios = Scenarios(
            names, scenarios.values @ portfolios.T, scenarios.probabilities, scenarios.are_observations
        )
    return replace(
        problem,
        moments=reduced,
        objective=MinRisk(),
        constraints=(),
        current_weights=None,
        scenarios=scenarios,
        costs=None,
    )
