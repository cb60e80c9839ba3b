"""Limits on the weights: one function for each kind. A label comes back in binding and infeasibility reports."""

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
    """Bounds on single weights; no symbols means all."""
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
    addends = [pb.LinearConstraint.Term(symbol=symbol, coefficient=value) for symbol, value in terms.items()]
    return Constraint(label=label, linear=pb.LinearConstraint(terms=addends, lower=lower, upper=upper))


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
    """Largest sum of shorts, largest sum of absolute weights, and the sum of weights."""
    return Constraint(label=label, leverage=pb.Leverage(max_short=max_short, max_gross=max_gross, budget=budget))


def turnover(max_turnover: float, kind: Turnover = "one_way", *, label: str = "") -> Constraint:
    """The most that may be traded from the current weights."""
    limit = pb.TurnoverLimit(max_turnover=max_turnover, kind=choice(pb.TurnoverKind, "kind", kind))
    return Constraint(label=label, turnover=limit)


def return_floor(min_return_annual: float, *, label: str = "") -> Constraint:
    """A least expected return per year."""
    return Constraint(label=label, return_floor=pb.ReturnFloor(min_return_annual=min_return_annual))


def tracking_error(benchmark: Mapping[str, float], max_annual: float, *, label: str = "") -> Constraint:
    """The highest annual volatility of the difference to a benchmark's weights."""
    limit = pb.TrackingErrorLimit(benchmark=weights_to_proto(benchmark), max_annual=max_annual)
    return Constraint(label=label, tracking_error=limit)


def risk_limit(risk_measure: Measure, maximum: float, *, label: str = "") -> Constraint:
    """The highest risk per period in a measure such as "cvar"."""
    limit = pb.RiskLimit(risk_measure=choice(RiskMeasure, "risk_measure", risk_measure), max=maximum)
    return Constraint(label=label, risk_limit=limit)


def cardinality(max_assets: int, symbols: Iterable[str] = (), group: str = "", *, label: str = "") -> Constraint:
    """The most assets that are held: of all, of some symbols, or of a group."""
    return Constraint(label=label, cardinality=pb.Cardinality(max_assets=max_assets, symbols=symbols, group=group))


def network_limit(
    graph: Graph = "minimum_spanning_tree", steps: int = 1, codependence: Codependence = "pearson", *, label: str = ""
) -> Constraint:
    """No two assets are held that are so few connections apart in a network of their likeness."""
    return Constraint(label=label, network=pb.NetworkLimit(network=_network(graph, codependence), steps=steps))


def cluster_limit(
    max_assets: int = 1,
    linkage: Linkage = "ward",
    codependence: Codependence = "pearson",
    clusters: int | None = None,
    *,
    label: str = "",
) -> Constraint:
    """The most assets that are held of each cluster; without their number, the gap statistic chooses it."""
    limit = pb.ClusterLimit(
        linkage=choice(Hierarchical.Linkage, "linkage", linkage),
        codependence=choice(Hierarchical.Codependence, "codependence", codependence),
        clusters=clusters,
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
    """Bounds on the average number of neighbours, by weight, in a network of likeness."""
    bounds = pb.CentralityBounds(network=_network(graph, codependence), lower=lower, upper=upper)
    return Constraint(label=label, centrality=bounds)


def risk_contribution_bounds(
    lower: float | None = None, upper: float | None = None, symbols: Iterable[str] = (), *, label: str = ""
) -> Constraint:
    """Bounds on the share of the risk that single assets carry; no symbols means all."""
    bounds = pb.RiskContributionBounds(lower=lower, upper=upper, symbols=symbols)
    return Constraint(label=label, risk_contribution_bounds=bounds)


def minimum_position(min_weight: float, *, label: str = "") -> Constraint:
    """A weight is 0 or at least this large."""
    return Constraint(label=label, minimum_position=pb.MinimumPosition(min_weight=min_weight))


def _network(graph: Graph, codependence: Codependence) -> pb.AssetNetwork:
    return pb.AssetNetwork(
        graph=choice(pb.AssetNetwork.Graph, "graph", graph),
        codependence=choice(Hierarchical.Codependence, "codependence", codependence),
    )
