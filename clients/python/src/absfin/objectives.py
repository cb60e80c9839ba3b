"""Objectives of an optimisation: one function for each kind. Rates and returns per year are fractions."""

from collections.abc import Iterable, Mapping

from absfinance.v1 import objective_pb2 as pb

from absfin.choices import Codependence, HierarchicalMethod, KellyMethod, Linkage, Uncertainty, choice
from absfin.data import weights_to_proto

Objective = pb.Objective


def min_risk() -> Objective:
    """The least risk."""
    return Objective(min_risk=pb.MinRisk())


def max_return() -> Objective:
    """The highest expected return."""
    return Objective(max_return=pb.MaxReturn())


def max_utility(risk_aversion: float) -> Objective:
    """Annual mean minus risk_aversion / 2 times annual variance."""
    return Objective(max_utility=pb.MaxUtility(risk_aversion=risk_aversion))


def max_ratio(risk_free_rate_annual: float = 0.0) -> Objective:
    """The highest excess return per unit of risk."""
    return Objective(max_ratio=pb.MaxRatio(risk_free_rate_annual=risk_free_rate_annual))


def max_diversification() -> Objective:
    """The highest diversification ratio."""
    return Objective(max_diversification=pb.MaxDiversification())


def risk_budget(budgets: Mapping[str, float] | None = None) -> Objective:
    """Risk contributions in proportion to the budgets, as fractions of the risk; equal ones without budgets."""
    entries = [pb.RiskBudget.Budget(symbol=symbol, budget=budget) for symbol, budget in (budgets or {}).items()]
    return Objective(risk_budget=pb.RiskBudget(budgets=entries))


def factor_budget(budgets: Mapping[str, float], loadings: Mapping[str, Mapping[str, float]]) -> Objective:
    """Volatility contributions of factors in proportion to the budgets.

    `loadings` are by factor and symbol; a missing one is 0.
    """
    entries = [
        pb.RiskBudget.FactorBudget(
            factor=factor,
            budget=budget,
            loadings=[pb.AssetLoading(symbol=symbol, loading=x) for symbol, x in loadings[factor].items()],
        )
        for factor, budget in budgets.items()
    ]
    return Objective(risk_budget=pb.RiskBudget(factor_budgets=entries))


def relaxed_risk_budget(budgets: Mapping[str, float] | None = None, penalty: float = 0.0) -> Objective:
    """Risk budgets that may be missed for less risk; the penalty weighs the misses."""
    entries = [pb.RiskBudget.Budget(symbol=symbol, budget=budget) for symbol, budget in (budgets or {}).items()]
    return Objective(relaxed_risk_budget=pb.RelaxedRiskBudget(budgets=entries, penalty=penalty))


def tracking(benchmark: Mapping[str, float]) -> Objective:
    """The least tracking error to a benchmark, which is given by its weights."""
    return Objective(tracking=pb.Tracking(benchmark=weights_to_proto(benchmark)))


def kelly(method: KellyMethod = "exact") -> Objective:
    """The highest expected logarithmic growth."""
    return Objective(kelly=pb.Kelly(method=choice(pb.Kelly.Method, "method", method)))


def worst_case(
    goal: Objective,
    expected_returns: Uncertainty = "none",
    covariance: Uncertainty = "none",
    confidence_level: float | None = None,
) -> Objective:
    """A goal in the worst case of the estimates within their uncertainty sets.

    The goal is one of min_risk, max_return, max_utility and max_ratio.
    """
    kind = goal.WhichOneof("kind")
    return Objective(
        worst_case=pb.WorstCase(
            expected_returns=choice(pb.WorstCase.Uncertainty, "expected_returns", expected_returns),
            covariance=choice(pb.WorstCase.Uncertainty, "covariance", covariance),
            confidence_level=confidence_level,
            **{str(kind): getattr(goal, str(kind))},
        )
    )


def hierarchical(
    method: HierarchicalMethod = "hrp",
    linkage: Linkage = "single",
    codependence: Codependence = "pearson",
    max_clusters: int | None = None,
    *,
    between_columns: bool = False,
    unordered_leaves: bool = False,
) -> Objective:
    """Weights by hierarchical clustering; the server chooses the number of clusters up to `max_clusters` (10 if None).

    `between_columns` clusters by the Euclidean distance between columns of the distance matrix (Lopez de Prado 2016);
    `unordered_leaves` skips the optimal order of the leaves (Bar-Joseph et al. 2001).
    """
    return Objective(
        hierarchical=pb.Hierarchical(
            method=choice(pb.Hierarchical.Method, "method", method),
            linkage=choice(pb.Hierarchical.Linkage, "linkage", linkage),
            codependence=choice(pb.Hierarchical.Codependence, "codependence", codependence),
            max_clusters=max_clusters,
            between_columns=between_columns,
            unordered_leaves=unordered_leaves,
        )
    )


def ordered_weighted_average(weights: Iterable[float], goal: Objective | None = None) -> Objective:
    """The weighted sum of ordered losses, worst first, as the risk; the weights must not increase.

    It is minimised without a goal; with one of max_utility and max_ratio it is the risk of that goal.
    """
    chosen = min_risk() if goal is None else goal
    kind = str(chosen.WhichOneof("kind"))
    return Objective(owa=pb.OrderedWeightedAverage(weights=weights, **{kind: getattr(chosen, kind)}))


def higher_moments(
    variance: float, skewness: float = 0.0, kurtosis: float = 0.0, *, ignore_mean: bool = False
) -> Objective:
    """Mean - variance E z^2 + skewness E z^3 - kurtosis E z^4 per period; skewness^2 <= 8/3 variance kurtosis."""
    return Objective(
        higher_moments=pb.HigherMoments(
            variance=variance, skewness=skewness, kurtosis=kurtosis, ignore_mean=ignore_mean
        )
    )


def equal_weight() -> Objective:
    """The same weight for each asset."""
    return Objective(equal_weight=pb.EqualWeight())


def inverse_volatility() -> Objective:
    """Weights proportional to 1 / volatility."""
    return Objective(inverse_volatility=pb.InverseVolatility())
