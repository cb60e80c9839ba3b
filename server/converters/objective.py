"""What the weights are chosen for."""

from collections.abc import Mapping

import numpy as np
from absfinance.v1 import objective_pb2

from domain.checks import fractions_of_one
from domain.errors import InvalidInput, NotSupported
from domain.estimation.clustering import Linkage
from domain.optimization.request import objectives
from domain.optimization.request.specification import (
    FactorBudgetBySymbol,
    ObjectiveBySymbol,
    RelaxedBudgetBySymbol,
    RiskBudgetBySymbol,
    TrackingBySymbol,
)
from server.converters.paths import error_path, require_unique
from server.converters.weights import budgets_from_proto, weights_from_proto

DEFAULT_CONFIDENCE = 0.95


def objective_from_proto(objective: objective_pb2.Objective) -> objectives.Objective | ObjectiveBySymbol:
    """The objective. Raises NotSupported for one that no engine pursues yet."""
    kind = objective.WhichOneof("kind") or ""
    with error_path(f"objective.{kind}"):
        match kind:
            case "min_risk":
                return objectives.MinRisk()
            case "max_return":
                return objectives.MaxReturn()
            case "max_utility":
                return objectives.MaxUtility(objective.max_utility.risk_aversion)
            case "max_ratio":
                return objectives.MaxRatio(objective.max_ratio.risk_free_rate_annual)
            case "max_diversification":
                return objectives.MaxDiversification()
            case "risk_budget":
                return _risk_budget(objective.risk_budget)
            case "relaxed_risk_budget":
                return _relaxed_risk_budget(objective.relaxed_risk_budget)
            case "worst_case":
                return _worst_case(objective.worst_case)
            case "kelly":
                return objectives.Kelly(_KELLY[objective.kelly.method])
            case "tracking":
                return TrackingBySymbol(weights_from_proto("benchmark", objective.tracking.benchmark))
            case "owa":
                return _ordered_weighted_average(objective.owa)
            case "higher_moments":
                return _higher_moments(objective.higher_moments)
            case "hierarchical":
                return _hierarchical(objective.hierarchical)
            case "equal_weight":
                return objectives.EqualWeight()
            case "inverse_volatility":
                return objectives.InverseVolatility()
    raise NotSupported(f"objective {kind} is not supported yet")


_KELLY: Mapping[int, objectives.KellyMethod] = {
    objective_pb2.Kelly.METHOD_UNSPECIFIED: objectives.KellyMethod.EXACT,
    objective_pb2.Kelly.METHOD_EXACT: objectives.KellyMethod.EXACT,
    objective_pb2.Kelly.METHOD_QUADRATIC: objectives.KellyMethod.QUADRATIC,
    objective_pb2.Kelly.METHOD_SECOND_MOMENT: objectives.KellyMethod.SECOND_MOMENT,
}


def _relaxed_risk_budget(relaxed: objective_pb2.RelaxedRiskBudget) -> RelaxedBudgetBySymbol:
    return RelaxedBudgetBySymbol(budgets_from_proto("budgets", relaxed.budgets), relaxed.penalty)


def _worst_case(worst: objective_pb2.WorstCase) -> objectives.WorstCase:
    match worst.WhichOneof("goal"):
        case "max_return":
            goal: objectives.MinRisk | objectives.MaxReturn | objectives.MaxUtility | objectives.MaxRatio = (
                objectives.MaxReturn()
            )
        case "max_utility":
            goal = objectives.MaxUtility(worst.max_utility.risk_aversion)
        case "max_ratio":
            goal = objectives.MaxRatio(worst.max_ratio.risk_free_rate_annual)
        case _:
            goal = objectives.MinRisk()
    return objectives.WorstCase(
        goal,
        _uncertainty(worst.expected_returns),
        _uncertainty(worst.covariance),
        worst.confidence_level if worst.HasField("confidence_level") else DEFAULT_CONFIDENCE,
    )


def _ordered_weighted_average(owa: objective_pb2.OrderedWeightedAverage) -> objectives.OrderedWeightedAverage:
    weights = np.asarray(owa.weights, dtype=np.float64)
    match owa.WhichOneof("goal"):
        case "max_utility":
            return objectives.OrderedWeightedAverage(weights, objectives.MaxUtility(owa.max_utility.risk_aversion))
        case "max_ratio":
            return objectives.OrderedWeightedAverage(weights, objectives.MaxRatio(owa.max_ratio.risk_free_rate_annual))
    return objectives.OrderedWeightedAverage(weights)


def _higher_moments(moments: objective_pb2.HigherMoments) -> objectives.HigherMoments:
    return objectives.HigherMoments(moments.variance, moments.skewness, moments.kurtosis, moments.ignore_mean)


def _uncertainty(value: int) -> objectives.Uncertainty:
    names = objective_pb2.WorstCase.Uncertainty
    return objectives.Uncertainty(names.Name(value or names.UNCERTAINTY_NONE).removeprefix("UNCERTAINTY_"))


def linkage_from_proto(linkage: objective_pb2.Hierarchical.Linkage) -> Linkage:
    """How clusters are joined."""
    names = objective_pb2.Hierarchical
    return Linkage(names.Linkage.Name(linkage or names.LINKAGE_SINGLE).removeprefix("LINKAGE_"))


def codependence_from_proto(codependence: objective_pb2.Hierarchical.Codependence) -> objectives.CodependenceMeasure:
    """How codependence is measured."""
    names = objective_pb2.Hierarchical
    name = names.Codependence.Name(codependence or names.CODEPENDENCE_PEARSON)
    return objectives.CodependenceMeasure(name.removeprefix("CODEPENDENCE_"))


def _hierarchical(tree: objective_pb2.Hierarchical) -> objectives.Hierarchical:
    names = objective_pb2.Hierarchical
    usual = objectives.Hierarchical()
    return objectives.Hierarchical(
        objectives.HierarchicalMethod(names.Method.Name(tree.method or names.METHOD_HRP).removeprefix("METHOD_")),
        linkage_from_proto(tree.linkage),
        codependence_from_proto(tree.codependence),
        tree.max_clusters if tree.HasField("max_clusters") else usual.max_clusters,
        tree.between_columns,
        not tree.unordered_leaves,
    )


def _risk_budget(budget: objective_pb2.RiskBudget) -> objectives.Objective | ObjectiveBySymbol:
    if budget.factor_budgets:
        return _factor_budgets(budget)
    if not budget.budgets:
        return objectives.RiskBudget()
    return RiskBudgetBySymbol(budgets_from_proto("budgets", budget.budgets))


def _factor_budgets(budget: objective_pb2.RiskBudget) -> FactorBudgetBySymbol:
    given = budget.factor_budgets
    if budget.budgets:
        raise InvalidInput(
            "factor_budgets", "must not be given beside budgets: risk is budgeted by assets or by factors"
        )
    seen: set[str] = set()
    for k, one in enumerate(given):
        if one.factor in seen:
            raise InvalidInput(f"factor_budgets[{k}].factor", f"{one.factor} appears twice")
        seen.add(one.factor)
        require_unique(f"factor_budgets[{k}].loadings", [loading.symbol for loading in one.loadings])
    fractions_of_one("factor_budgets", (one.budget for one in given))
    return FactorBudgetBySymbol(
        tuple(one.factor for one in given),
        tuple(one.budget for one in given),
        tuple({loading.symbol: loading.loading for loading in one.loadings} for one in given),
    )
