"""Limits on the weights, each under its label."""

from absfinance.v1 import constraint_pb2

from domain.checks import distinct_symbols
from domain.errors import InvalidInput, NotSupported
from domain.estimation.network import Graph
from domain.optimization.request import constraints
from domain.optimization.request.similarity_constraints import (
    AssetNetwork,
    CentralityBounds,
    ClusterLimit,
    NetworkLimit,
)
from domain.optimization.request.specification import (
    CardinalityOfGroup,
    ConstraintBySymbol,
    GroupReference,
    TrackingErrorBySymbol,
)
from server.converters.measure import risk_measure_from_proto
from server.converters.objective import codependence_from_proto, linkage_from_proto
from server.converters.paths import error_path, require_unique
from server.converters.weights import optional_field, weights_from_proto


def constraint_from_proto(
    index: int, constraint: constraint_pb2.Constraint
) -> constraints.Constraint | ConstraintBySymbol:
    """One constraint under its label. Raises NotSupported for a kind that no engine keeps yet."""
    label = constraint.label or f"constraints[{index}]"
    kind = constraint.WhichOneof("kind") or ""
    with error_path(f"constraints[{index}].{kind}"):
        match kind:
            case "weight_bounds":
                return _weight_bounds(label, constraint.weight_bounds)
            case "group_bounds":
                return _group_bounds(label, constraint.group_bounds)
            case "linear":
                return _linear(label, constraint.linear)
            case "leverage":
                return _leverage(label, constraint.leverage)
            case "turnover":
                two_way = constraint.turnover.kind == constraint_pb2.TURNOVER_KIND_TWO_WAY
                way = constraints.TurnoverKind.TWO_WAY if two_way else constraints.TurnoverKind.ONE_WAY
                return constraints.Turnover(label, constraint.turnover.max_turnover, way)
            case "return_floor":
                return constraints.ReturnFloor(label, constraint.return_floor.min_return_annual)
            case "factor_exposure":
                return _factor_exposure(label, constraint.factor_exposure)
            case "tracking_error":
                benchmark = weights_from_proto("benchmark", constraint.tracking_error.benchmark)
                return TrackingErrorBySymbol(label, benchmark, constraint.tracking_error.max_annual)
            case "risk_limit":
                measure = risk_measure_from_proto(constraint.risk_limit.risk_measure)
                return constraints.RiskLimit(label, measure, constraint.risk_limit.max)
            case "cardinality":
                return _cardinality(label, constraint.cardinality)
            case "minimum_position":
                return constraints.MinimumPosition(label, constraint.minimum_position.min_weight)
            case "risk_contribution_bounds":
                return _risk_contribution_bounds(label, constraint.risk_contribution_bounds)
            case "network":
                return NetworkLimit(label, _network(constraint.network.network), constraint.network.steps or 1)
            case "clusters":
                return _clusters(label, constraint.clusters)
            case "centrality":
                centrality = constraint.centrality
                lower, upper = optional_field(centrality, "lower"), optional_field(centrality, "upper")
                return CentralityBounds(label, _network(centrality.network), lower, upper)
    raise NotSupported(f"constraint {kind} (label {label}) is not supported yet")


def _weight_bounds(label: str, bounds: constraint_pb2.WeightBounds) -> constraints.WeightBounds:
    return constraints.WeightBounds(
        label, optional_field(bounds, "lower"), optional_field(bounds, "upper"), tuple(bounds.symbols)
    )


def _risk_contribution_bounds(
    label: str, bounds: constraint_pb2.RiskContributionBounds
) -> constraints.RiskContributionBounds:
    distinct_symbols("symbols", bounds.symbols)
    return constraints.RiskContributionBounds(
        label, optional_field(bounds, "lower"), optional_field(bounds, "upper"), tuple(bounds.symbols)
    )


def _group_bounds(label: str, bounds: constraint_pb2.GroupBounds) -> constraints.Constraint | GroupReference:
    lower, upper = optional_field(bounds, "lower"), optional_field(bounds, "upper")
    if bounds.symbols and bounds.group:
        raise InvalidInput("group", "must not be given beside symbols")
    if bounds.symbols:
        distinct_symbols("symbols", bounds.symbols)
        return constraints.GroupBounds(label, tuple(bounds.symbols), lower, upper)
    if not bounds.group:
        raise InvalidInput("group", "must name a group, or symbols must list its members")
    return GroupReference(label, bounds.group, lower, upper)


def _linear(label: str, linear: constraint_pb2.LinearConstraint) -> constraints.Linear:
    require_unique("terms", [term.symbol for term in linear.terms])
    terms = {term.symbol: term.coefficient for term in linear.terms}
    return constraints.Linear(label, terms, optional_field(linear, "lower"), optional_field(linear, "upper"))


def _factor_exposure(label: str, exposure: constraint_pb2.FactorExposure) -> constraints.Linear:
    """A factor's exposure is a weighted sum with the loadings as coefficients."""
    require_unique("loadings", [loading.symbol for loading in exposure.loadings])
    terms = {loading.symbol: loading.loading for loading in exposure.loadings}
    return constraints.Linear(label, terms, optional_field(exposure, "lower"), optional_field(exposure, "upper"))


def _cardinality(label: str, cardinality: constraint_pb2.Cardinality) -> constraints.Cardinality | CardinalityOfGroup:
    if cardinality.symbols and cardinality.group:
        raise InvalidInput("group", "must not be given beside symbols")
    if cardinality.group:
        return CardinalityOfGroup(label, cardinality.group, cardinality.max_assets)
    distinct_symbols("symbols", cardinality.symbols)
    return constraints.Cardinality(label, cardinality.max_assets, tuple(cardinality.symbols))


def _network(network: constraint_pb2.AssetNetwork) -> AssetNetwork:
    names = constraint_pb2.AssetNetwork
    name = names.Graph.Name(network.graph or names.GRAPH_MINIMUM_SPANNING_TREE)
    return AssetNetwork(Graph(name.removeprefix("GRAPH_")), codependence_from_proto(network.codependence))


def _clusters(label: str, limit: constraint_pb2.ClusterLimit) -> ClusterLimit:
    usual = ClusterLimit(label)
    return ClusterLimit(
        label,
        linkage_from_proto(limit.linkage),
        codependence_from_proto(limit.codependence),
        limit.clusters if limit.HasField("clusters") else None,
        limit.max_clusters if limit.HasField("max_clusters") else usual.max_clusters,
        limit.max_assets if limit.HasField("max_assets") else usual.max_assets,
    )


def _leverage(label: str, leverage: constraint_pb2.Leverage) -> constraints.Leverage:
    return constraints.Leverage(
        label,
        optional_field(leverage, "max_short"),
        optional_field(leverage, "max_gross"),
        optional_field(leverage, "budget"),
    )
