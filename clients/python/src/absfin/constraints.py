"""Constraints on the weights: one function for each kind.

Weights are fractions of net asset value. The label of a constraint names it in the reports of binding constraints and
of conflicts.
"""

from collections.abc import Iterable, Mapping

from absfinance.v1 import constraint_pb2 as pb
from absfinance.v1.objective_pb2 import Hierarchical
from absfinance.v1.risk_measure_pb2 import RiskMeasure

from absfin.choices import Codependence, Graph, Linkage, Measure, Turnover, choice
from absfin.data import weights_to_proto

Constraint = pb.Constraint


def weight_bounds(
    lower: float | None = None, upper: float | None = None, symbols: Iterable[str] = (), *, label: str = ""
) -> Constraint:
    """Bounds on the weight of each asset; of all assets if no symbols are given."""
    return Constraint(label=label, weight_bounds=pb.WeightBounds(lower=lower, upper=upper, symbols=symbols))


def group_bounds(
    group: str = "",
    lower: float | None = None,
    upper: float | None = None,
    symbols: Iterable[str] = (),
    *,
    label: str = "",
) -> Constraint:
    """Bounds on the sum of a group, by the name of a stored label ("sector=Technology") or by its symbols."""
    bounds = pb.GroupBounds(group=group, lower=lower, upper=upper, symbols=symbols)
    return Constraint(label=label, group_bounds=bounds)


def linear(
    terms: Mapping[str, float], lower: float | None = None, upper: float | None = None, *, label: str = ""
) -> Constraint:
    """Bounds on a weighted sum of weights."""
    summands = [pb.LinearConstraint.Term(symbol=symbol, coefficient=value) for symbol, value in terms.items()]
    return Constraint(label=label, linear=pb.LinearConstraint(terms=summands, lower=lower, upper=upper))


def factor_exposure(
    factor: str,
    loadings: Mapping[str, float],
    lower: float | None = None,
    upper: float | None = None,
    *,
    label: str = "",
) -> Constraint:
    """Bounds on the exposure to a factor."""
    entries = [pb.FactorExposure.Loading(symbol=symbol, loading=value) for symbol, value in loadings.items()]
    exposure = pb.FactorExposure(factor=factor, loadings=entries, lower=lower, upper=upper)
    return Constraint(label=label, factor_exposure=exposure)


def leverage(
    max_short: float | None = None, max_gross: float | None = None, budget: float | None = None, *, label: str = ""
) -> Constraint:
    """Largest total of short positions, largest sum of absolute weights, and the sum of weights."""
    return Constraint(label=label, leverage=pb.Leverage(max_short=max_short, max_gross=max_gross, budget=budget))


def turnover(max_turnover: float, kind: Turnover = "one_way", *, label: str = "") -> Constraint:
    """Largest turnover from the current weights, as a fraction of net asset value; two-way is twice one-way."""
    limit = pb.TurnoverLimit(max_turnover=max_turnover, kind=choice(pb.TurnoverKind, "kind", kind))
    return Constraint(label=label, turnover=limit)


def return_floor(min_return_annual: float, *, label: str = "") -> Constraint:
    """Least expected return per year."""
    return Constraint(label=label, return_floor=pb.ReturnFloor(min_return_annual=min_return_annual))


def tracking_error(benchmark: Mapping[str, float], max_annual: float, *, label: str = "") -> Constraint:
    """Largest annual volatility of the return relative to a benchmark, which is given by its weights."""
    limit = pb.TrackingErrorLimit(benchmark=weights_to_proto(benchmark), max_annual=max_annual)
    return Constraint(label=label, tracking_error=limit)


def risk_limit(risk_measure: Measure, maximum: float, *, label: str = "") -> Constraint:
    """Largest risk per period in a measure such as "cvar"."""
    limit = pb.RiskLimit(risk_measure=choice(RiskMeasure, "risk_measure", risk_measure), max=maximum)
    return Constraint(label=label, risk_limit=limit)


def cardinality(max_assets: int, symbols: Iterable[str] = (), group: str = "", *, label: str = "") -> Constraint:
    """Largest number of assets held: of all, of some symbols, or of a group."""
    return Constraint(label=label, cardinality=pb.Cardinality(max_assets=max_assets, symbols=symbols, group=group))


def network_limit(
    graph: Graph = "minimum_spanning_tree", steps: int = 1, codependence: Codependence = "pearson", *, label: str = ""
) -> Constraint:
    """Holds no two assets that are at most `steps` edges apart in a network of their codependence."""
    return Constraint(label=label, network=pb.NetworkLimit(network=_network(graph, codependence), steps=steps))


def cluster_limit(
    max_assets: int = 1,
    linkage: Linkage = "ward",
    codependence: Codependence = "pearson",
    clusters: int | None = None,
    *,
    max_clusters: int | None = None,
    label: str = "",
) -> Constraint:
    """Largest number of assets held of each cluster.

    Without `clusters`, the gap statistic chooses their number, up to `max_clusters` (10 if None).
    """
    limit = pb.ClusterLimit(
        linkage=choice(Hierarchical.Linkage, "linkage", linkage),
        codependence=choice(Hierarchical.Codependence, "codependence", codependence),
        clusters=clusters,
        max_clusters=max_clusters,
        max_assets=max_assets,
    )
    return Constraint(label=label, clusters=limit)


def centrality_bounds(
    lower: float | None = None,
    upper: float | None = None,
    graph: Graph = "minimum_spanning_tree",
    codependence: Codependence = "pearson",
    *,
    label: str = "",
) -> Constraint:
    """Bounds on the weighted average number of neighbours in a network of codependence."""
    bounds = pb.CentralityBounds(network=_network(graph, codependence), lower=lower, upper=upper)
    return Constraint(label=label, centrality=bounds)


def risk_contribution_bounds(
    lower: float | None = None, upper: float | None = None, symbols: Iterable[str] = (), *, label: str = ""
) -> Constraint:
    """Bounds on risk contributions, as fractions of the risk: of some assets, or of all if no symbols are given."""
    bounds = pb.RiskContributionBounds(lower=lower, upper=upper, symbols=symbols)
    return Constraint(label=label, risk_contribution_bounds=bounds)


def minimum_position(min_weight: float, *, label: str = "") -> Constraint:
    """Each weight is 0 or at least `min_weight`."""
    return Constraint(label=label, minimum_position=pb.MinimumPosition(min_weight=min_weight))


def _network(graph: Graph, codependence: Codependence) -> pb.AssetNetwork:
    return pb.AssetNetwork(
        graph=choice(pb.AssetNetwork.Graph, "graph", graph),
        codependence=choice(Hierarchical.Codependence, "codependence", codependence),
    )
