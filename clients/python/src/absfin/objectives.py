"""What the weights are chosen for: one function for each objective of the contract."""

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
    """Each asset carries its share of the risk; without budgets, the same share."""
    entries = [pb.RiskBudget.Budget(symbol=symbol, budget=budget) for symbol, budget in (budgets or {}).items()]
    return Objective(risk_budget=pb.RiskBudget(budgets=entries))


def factor_budget(budgets: Mapping[str, float], loadings: Mapping[str, Mapping[str, float]]) -> Objective:
    """Each factor carries its share of the volatility; `loadings` are by factor and symbol, 0 where not named."""
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
    """Risk budgets that give way for less risk."""
    entries = [pb.RiskBudget.Budget(symbol=symbol, budget=budget) for symbol, budget in (budgets or {}).items()]
    return Objective(relaxed_risk_budget=pb.RelaxedRiskBudget(budgets=entries, penalty=penalty))


def tracking(benchmark: Mapping[str, float]) -> Objective:
    """The least tracking error to a benchmark's weights."""
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
    """A goal, one of the least risk and the highest return, utility and ratio, in the worst case of the estimates."""
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
) -> Objective:
    """Weights along a tree of clusters; linkages and codependences by the contract's names in lower case."""
    return Objective(
        hierarchical=pb.Hierarchical(
            method=choice(pb.Hierarchical.Method, "method", method),
            linkage=choice(pb.Hierarchical.Linkage, "linkage", linkage),
            codependence=choice(pb.Hierarchical.Codependence, "codependence", codependence),
            max_clusters=max_clusters,
        )
    )


def ordered_weighted_average(weights: Iterable[float], goal: Objective | None = None) -> Objective:
    """The weighted sum of losses from the worst to the best; the weights do not rise.

    The least of it, or a goal, one of the highest utility and ratio, with it as the risk.
    """
    sought = min_risk() if goal is None else goal
    kind = str(sought.WhichOneof("kind"))
    return Objective(owa=pb.OrderedWeightedAverage(weights=weights, **{kind: getattr(sought, kind)}))


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
