"""Objectives: each kind with its figures, and the defaults of what is left out."""

from typing import Any

import numpy as np
import pytest
from absfinance.v1 import objective_pb2 as wire
from google.protobuf import json_format

from domain.errors import InvalidInput, NotSupported
from domain.estimation.clustering import Linkage
from domain.optimization.request import objectives as wanted
from domain.optimization.request.specification import (
    FactorBudgetBySymbol,
    ObjectiveBySymbol,
    RelaxedBudgetBySymbol,
    RiskBudgetBySymbol,
    TrackingBySymbol,
)
from server.converters.objective import codependence_from_proto, linkage_from_proto, objective_from_proto

BUDGETS = [{"symbol": "A", "budget": 0.25}, {"symbol": "B", "budget": 0.75}]
LOADINGS = [{"symbol": "A", "loading": 1.5}, {"symbol": "B", "loading": 0.5}]
FACTORS = [{"factor": "F", "budget": 0.4, "loadings": LOADINGS}, {"factor": "G", "budget": 0.6, "loadings": LOADINGS}]
NONE = wanted.Uncertainty.NONE


def converted(**kind: Any) -> wanted.Objective | ObjectiveBySymbol:
    return objective_from_proto(json_format.ParseDict(kind, wire.Objective()))


@pytest.mark.parametrize(
    ("fields", "objective"),
    [
        ({"minRisk": {}}, wanted.MinRisk()),
        ({"maxReturn": {}}, wanted.MaxReturn()),
        ({"maxUtility": {"riskAversion": 3.0}}, wanted.MaxUtility(3.0)),
        ({"maxRatio": {"riskFreeRateAnnual": 0.02}}, wanted.MaxRatio(0.02)),
        ({"maxDiversification": {}}, wanted.MaxDiversification()),
        ({"riskBudget": {}}, wanted.RiskBudget()),
        ({"riskBudget": {"budgets": BUDGETS}}, RiskBudgetBySymbol({"A": 0.25, "B": 0.75})),
        (
            {"riskBudget": {"factorBudgets": FACTORS}},
            FactorBudgetBySymbol(("F", "G"), (0.4, 0.6), ({"A": 1.5, "B": 0.5}, {"A": 1.5, "B": 0.5})),
        ),
        (
            {"relaxedRiskBudget": {"budgets": BUDGETS, "penalty": 2.0}},
            RelaxedBudgetBySymbol({"A": 0.25, "B": 0.75}, 2.0),
        ),
        ({"kelly": {}}, wanted.Kelly(wanted.KellyMethod.EXACT)),
        ({"kelly": {"method": "METHOD_EXACT"}}, wanted.Kelly(wanted.KellyMethod.EXACT)),
        ({"kelly": {"method": "METHOD_QUADRATIC"}}, wanted.Kelly(wanted.KellyMethod.QUADRATIC)),
        ({"kelly": {"method": "METHOD_SECOND_MOMENT"}}, wanted.Kelly(wanted.KellyMethod.SECOND_MOMENT)),
        ({"tracking": {"benchmark": [{"symbol": "A", "weight": 1.0}]}}, TrackingBySymbol({"A": 1.0})),
        (
            {"higherMoments": {"variance": 1.0, "skewness": 2.0, "kurtosis": 3.0, "ignoreMean": True}},
            wanted.HigherMoments(1.0, 2.0, 3.0, True),
        ),
        ({"equalWeight": {}}, wanted.EqualWeight()),
        ({"inverseVolatility": {}}, wanted.InverseVolatility()),
        ({"worstCase": {"minRisk": {}}}, wanted.WorstCase(wanted.MinRisk(), NONE, NONE, 0.95)),
        ({"worstCase": {"maxReturn": {}}}, wanted.WorstCase(wanted.MaxReturn(), NONE, NONE, 0.95)),
        (
            {
                "worstCase": {
                    "maxUtility": {"riskAversion": 3.0},
                    "expectedReturns": "UNCERTAINTY_BOX",
                    "covariance": "UNCERTAINTY_ELLIPSOID",
                    "confidenceLevel": 0.9,
                }
            },
            wanted.WorstCase(wanted.MaxUtility(3.0), wanted.Uncertainty.BOX, wanted.Uncertainty.ELLIPSOID, 0.9),
        ),
        (
            {"worstCase": {"maxRatio": {"riskFreeRateAnnual": 0.02}, "covariance": "UNCERTAINTY_BOX"}},
            wanted.WorstCase(wanted.MaxRatio(0.02), NONE, wanted.Uncertainty.BOX, 0.95),
        ),
        ({"hierarchical": {}}, wanted.Hierarchical()),
        (
            {
                "hierarchical": {
                    "method": "METHOD_HERC",
                    "linkage": "LINKAGE_WARD",
                    "codependence": "CODEPENDENCE_SPEARMAN",
                    "maxClusters": 4,
                    "betweenColumns": True,
                    "unorderedLeaves": True,
                }
            },
            wanted.Hierarchical(
                wanted.HierarchicalMethod.HERC, Linkage.WARD, wanted.CodependenceMeasure.SPEARMAN, 4, True, False
            ),
        ),
    ],
)
def test_every_kind(fields: dict[str, Any], objective: wanted.Objective | ObjectiveBySymbol) -> None:
    assert converted(**fields) == objective


@pytest.mark.parametrize(
    ("goal", "objective"),
    [
        ({}, None),
        ({"maxUtility": {"riskAversion": 3.0}}, wanted.MaxUtility(3.0)),
        ({"maxRatio": {"riskFreeRateAnnual": 0.02}}, wanted.MaxRatio(0.02)),
    ],
)
def test_ordered_averages(goal: dict[str, Any], objective: object) -> None:
    found = converted(owa={"weights": [0.75, 0.25], **goal})
    assert isinstance(found, wanted.OrderedWeightedAverage)
    np.testing.assert_array_equal(found.weights, [0.75, 0.25])
    plain = wanted.OrderedWeightedAverage(np.array([0.75, 0.25]))
    assert found.goal == (plain.goal if objective is None else objective)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"factorBudgets": FACTORS, "budgets": BUDGETS}, "factor_budgets"),
        ({"factorBudgets": [*FACTORS, FACTORS[0]]}, "factor_budgets[2].factor"),
        (
            {"factorBudgets": [{"factor": "F", "budget": 1.0, "loadings": LOADINGS + LOADINGS}]},
            "factor_budgets[0].loadings[2].symbol",
        ),
        ({"factorBudgets": [{**FACTORS[0], "budget": 40.0}, {**FACTORS[1], "budget": 60.0}]}, "factor_budgets"),
        ({"budgets": BUDGETS + BUDGETS[:1]}, "budgets[2].symbol"),
    ],
)
def test_budgets_that_contradict_themselves(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        converted(riskBudget=fields)
    assert raised.value.field == f"objective.risk_budget.{named}"


def test_no_kind() -> None:
    with pytest.raises(NotSupported):
        converted()


@pytest.mark.parametrize("value", wire.Hierarchical.Linkage.values())
def test_linkages_have_their_names_on_the_wire(value: wire.Hierarchical.Linkage) -> None:
    name = wire.Hierarchical.Linkage.Name(value).removeprefix("LINKAGE_")
    assert linkage_from_proto(value) is Linkage("SINGLE" if name == "UNSPECIFIED" else name)


@pytest.mark.parametrize("value", wire.Hierarchical.Codependence.values())
def test_codependences_have_their_names_on_the_wire(value: wire.Hierarchical.Codependence) -> None:
    name = wire.Hierarchical.Codependence.Name(value).removeprefix("CODEPENDENCE_")
    usual = wanted.CodependenceMeasure("PEARSON" if name == "UNSPECIFIED" else name)
    assert codependence_from_proto(value) is usual
