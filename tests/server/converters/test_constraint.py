"""Constraints: each kind under its label, and what contradicts itself by the path of its field."""

from typing import Any

import pytest
from absfinance.v1.constraint_pb2 import Constraint as ConstraintProto
from google.protobuf import json_format

from domain.errors import InvalidInput, NotSupported
from domain.estimation.clustering import Linkage
from domain.estimation.network import Graph
from domain.optimization.request import constraints as wanted
from domain.optimization.request.objectives import CodependenceMeasure
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
from domain.risk.measures import RiskMeasure
from server.converters.constraint import constraint_from_proto

BOTH = {"lower": 0.1, "upper": 0.4}
TERMS = [{"symbol": "A", "coefficient": 2.0}, {"symbol": "B", "coefficient": -1.0}]
LOADINGS = [{"symbol": "A", "loading": 2.0}, {"symbol": "B", "loading": -1.0}]
TREE = AssetNetwork(Graph.MINIMUM_SPANNING_TREE, CodependenceMeasure.PEARSON)


def converted(index: int = 3, label: str = "x", **kind: Any) -> wanted.Constraint | ConstraintBySymbol:
    return constraint_from_proto(index, json_format.ParseDict({"label": label, **kind}, ConstraintProto()))


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"weightBounds": {**BOTH, "symbols": ["A"]}}, wanted.WeightBounds("x", 0.1, 0.4, ("A",))),
        ({"weightBounds": {"upper": 0.0}}, wanted.WeightBounds("x", None, 0.0, ())),
        ({"groupBounds": {**BOTH, "symbols": ["A", "B"]}}, wanted.GroupBounds("x", ("A", "B"), 0.1, 0.4)),
        ({"groupBounds": {"lower": 0.1, "group": "g"}}, GroupReference("x", "g", 0.1, None)),
        ({"linear": {**BOTH, "terms": TERMS}}, wanted.Linear("x", {"A": 2.0, "B": -1.0}, 0.1, 0.4)),
        (
            {"factorExposure": {"upper": 0.4, "loadings": LOADINGS}},
            wanted.Linear("x", {"A": 2.0, "B": -1.0}, None, 0.4),
        ),
        ({"leverage": {"maxShort": 0.3, "maxGross": 1.6, "budget": 1.0}}, wanted.Leverage("x", 0.3, 1.6, 1.0)),
        ({"leverage": {"maxShort": 0.3}}, wanted.Leverage("x", 0.3, None, None)),
        ({"turnover": {"maxTurnover": 0.2}}, wanted.Turnover("x", 0.2, wanted.TurnoverKind.ONE_WAY)),
        (
            {"turnover": {"maxTurnover": 0.2, "kind": "TURNOVER_KIND_TWO_WAY"}},
            wanted.Turnover("x", 0.2, wanted.TurnoverKind.TWO_WAY),
        ),
        ({"returnFloor": {"minReturnAnnual": 0.05}}, wanted.ReturnFloor("x", 0.05)),
        (
            {"trackingError": {"benchmark": [{"symbol": "A", "weight": 1.0}], "maxAnnual": 0.02}},
            TrackingErrorBySymbol("x", {"A": 1.0}, 0.02),
        ),
        (
            {"riskLimit": {"riskMeasure": "RISK_MEASURE_CONDITIONAL_VALUE_AT_RISK", "max": 0.02}},
            wanted.RiskLimit("x", RiskMeasure.CONDITIONAL_VALUE_AT_RISK, 0.02),
        ),
        ({"cardinality": {"maxAssets": 2, "symbols": ["A", "B"]}}, wanted.Cardinality("x", 2, ("A", "B"))),
        ({"cardinality": {"maxAssets": 2, "group": "g"}}, CardinalityOfGroup("x", "g", 2)),
        ({"minimumPosition": {"minWeight": 0.05}}, wanted.MinimumPosition("x", 0.05)),
        (
            {"riskContributionBounds": {**BOTH, "symbols": ["A"]}},
            wanted.RiskContributionBounds("x", 0.1, 0.4, ("A",)),
        ),
        ({"network": {}}, NetworkLimit("x", TREE, 1)),
        (
            {
                "network": {
                    "network": {
                        "graph": "GRAPH_TRIANGULATED_MAXIMALLY_FILTERED",
                        "codependence": "CODEPENDENCE_KENDALL",
                    },
                    "steps": 2,
                }
            },
            NetworkLimit("x", AssetNetwork(Graph.TRIANGULATED_MAXIMALLY_FILTERED, CodependenceMeasure.KENDALL), 2),
        ),
        ({"clusters": {}}, ClusterLimit("x")),
        (
            {"clusters": {"linkage": "LINKAGE_WARD", "clusters": 4, "maxClusters": 7, "maxAssets": 2}},
            ClusterLimit("x", Linkage.WARD, CodependenceMeasure.PEARSON, 4, 7, 2),
        ),
        ({"centrality": BOTH}, CentralityBounds("x", TREE, 0.1, 0.4)),
    ],
)
def test_every_kind(fields: dict[str, Any], constraint: wanted.Constraint | ConstraintBySymbol) -> None:
    assert converted(**fields) == constraint


def test_one_without_a_label_has_its_place() -> None:
    assert converted(label="", returnFloor={"minReturnAnnual": 0.05}).label == "constraints[3]"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"groupBounds": {"upper": 1.0}}, "group_bounds.group"),
        ({"groupBounds": {"upper": 1.0, "symbols": ["A"], "group": "g"}}, "group_bounds.group"),
        ({"groupBounds": {"upper": 1.0, "symbols": ["A", "A"]}}, "group_bounds.symbols[1]"),
        ({"linear": {"upper": 1.0, "terms": TERMS + TERMS}}, "linear.terms[2].symbol"),
        ({"factorExposure": {"upper": 1.0, "loadings": LOADINGS + LOADINGS}}, "factor_exposure.loadings[2].symbol"),
        ({"cardinality": {"maxAssets": 1, "symbols": ["A"], "group": "g"}}, "cardinality.group"),
        ({"cardinality": {"maxAssets": 1, "symbols": ["A", "A"]}}, "cardinality.symbols[1]"),
        ({"riskContributionBounds": {"upper": 1.0, "symbols": ["A", "A"]}}, "risk_contribution_bounds.symbols[1]"),
    ],
)
def test_what_contradicts_itself(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        converted(**fields)
    assert raised.value.field == f"constraints[3].{named}"


def test_one_without_a_kind() -> None:
    with pytest.raises(NotSupported, match="label x"):
        converted()
