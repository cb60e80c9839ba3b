"""Weights along a tree of clusters through Riskfolio-Lib."""

from typing import Any

import numpy as np

from domain.checks import Vector
from domain.errors import NotSupported
from domain.estimation.clustering import Linkage
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import CodependenceMeasure, Hierarchical
from domain.optimization.riskfolio import mean_risk
from domain.optimization.riskfolio.adapter import call_riskfolio
from domain.optimization.riskfolio.translation import RiskfolioInput
from domain.risk.measures import RiskMeasure
from domain.risk.measures.entropic import KAPPA

CODEPENDENCES = {
    CodependenceMeasure.PEARSON: "pearson",
    CodependenceMeasure.SPEARMAN: "spearman",
    CodependenceMeasure.KENDALL: "kendall",
    CodependenceMeasure.GERBER1: "gerber1",
    CodependenceMeasure.GERBER2: "gerber2",
    CodependenceMeasure.ABSOLUTE_PEARSON: "abs_pearson",
    CodependenceMeasure.ABSOLUTE_SPEARMAN: "abs_spearman",
    CodependenceMeasure.ABSOLUTE_KENDALL: "abs_kendall",
    CodependenceMeasure.DISTANCE: "distance",
    CodependenceMeasure.TAIL: "tail",
    CodependenceMeasure.CUSTOM_COVARIANCE: "custom_cov",
}
"""Riskfolio-Lib's names of codependences. Mutual information it counts in other bins than ours; told to take the same
ones it cuts an asset's correlation with itself, which rounding keeps from being one, into millions of them."""

MEASURES = mean_risk.MEASURES | {
    RiskMeasure.STANDARD_DEVIATION: "vol",
    RiskMeasure.VALUE_AT_RISK: "VaR",
    RiskMeasure.DRAWDOWN_AT_RISK: "DaR",
}
"""Along a tree it measures risks that it does not optimise, and tells the variance from its root."""


def hierarchical_weights(
    problem: Problem, limits: FeasibleSet, inputs: RiskfolioInput, objective: Hierarchical
) -> Vector:
    """What it answers to a hierarchy, (N,). Raises NotSupported and SolverFailed."""
    if objective.between_columns:
        raise NotSupported("Riskfolio-Lib clusters distances as they are, not those between columns; use AUTO or FAST")
    if problem.scenarios is None:
        raise NotSupported("Riskfolio-Lib takes its hierarchies from returns; use AUTO or FAST for moments")
    if objective.codependence not in CODEPENDENCES:
        raise NotSupported(f"Riskfolio-Lib counts {objective.codependence} in other bins; use AUTO or FAST")
    names = list(limits.symbols)
    lower, upper = limits.lower / inputs.budget, limits.upper / inputs.budget

    linkage = str(objective.linkage) if objective.linkage is Linkage.DBHT else objective.linkage.lower()

    def ask(riskfolio: Any, pd: Any) -> Any:
        portfolio = riskfolio.HCPortfolio(
            returns=pd.DataFrame(inputs.returns, columns=names),
            alpha=1.0 - problem.confidence_level,
            kappa=KAPPA,
            w_min=pd.Series(np.maximum(lower, 0.0), names),
            w_max=pd.Series(np.minimum(upper, 1.0), names),
        )
        return portfolio.optimization(
            model=objective.method.value,
            codependence=CODEPENDENCES[objective.codependence],
            rm=MEASURES[problem.risk_measure],
            obj="MinRisk",
            method_cov="custom_cov",
            custom_cov=pd.DataFrame(inputs.covariance, names, names),
            linkage=linkage,
            max_k=objective.max_clusters,
            leaf_order=objective.optimal_order,
        )

    return inputs.budget * call_riskfolio(ask)
