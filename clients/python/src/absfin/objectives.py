"""What the weights are chosen for: one function for each objective of the contract."""

from collections.abc import Mapping

from absfinance.v1 import objective_pb2 as pb

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


def equal_weight() -> Objective:
    """The same weight for each asset."""
    return Objective(equal_weight=pb.EqualWeight())


def inverse_volatility() -> Objective:
    """Weights proportional to 1 / volatility."""
    return Objective(inverse_volatility=pb.InverseVolatility())
