"""The risk measures the contract names, and the ones computed here. Losses are positive."""

from enum import StrEnum

import numpy as np

from domain.checks import Matrix, Vector
from domain.market_data.panel import Scenarios


class RiskMeasure(StrEnum):
    """A measure of risk per period, by the name the contract gives it."""

    VARIANCE = "VARIANCE"
    STANDARD_DEVIATION = "STANDARD_DEVIATION"
    CONDITIONAL_VALUE_AT_RISK = "CONDITIONAL_VALUE_AT_RISK"

    @property
    def is_quadratic(self) -> bool:
        """Whether moments are enough; the others need a distribution."""
        return self in (RiskMeasure.VARIANCE, RiskMeasure.STANDARD_DEVIATION)


def value_at_risk(returns: Vector, confidence_level: float) -> float:
    """Historical VaR of T returns: minus their (1 - confidence) quantile, interpolated linearly (Hyndman-Fan 7)."""
    return -float(np.quantile(returns, 1.0 - confidence_level))


def conditional_value_at_risk(returns: Vector, confidence_level: float, probabilities: Vector | None = None) -> float:
    """Mean loss in the worst 1 - confidence of the probability, the atom at the border counted by its fraction.

    Rockafellar & Uryasev 2002, "Conditional value-at-risk for general loss distributions", proposition 8.
    """
    weights = tail_weights(returns, confidence_level, probabilities)
    return -float(weights @ returns)


def tail_weights(returns: Vector, confidence_level: float, probabilities: Vector | None = None) -> Vector:
    """How much each of S outcomes counts in the CVaR: q (S,), with q >= 0, sum 1, q <= p / (1 - confidence)."""
    count = len(returns)
    chances = np.full(count, 1.0 / count) if probabilities is None else probabilities
    order = np.argsort(returns, kind="stable")
    cumulative = np.cumsum(chances[order])
    tail = 1.0 - confidence_level
    taken = np.clip(tail - (cumulative - chances[order]), 0.0, chances[order])
    weights = np.zeros(count)
    weights[order] = taken / taken.sum()
    return weights


def portfolio_scenarios(scenarios: Scenarios, weights: Vector) -> Vector:
    """Returns of a portfolio with constant weights in each scenario, (S,)."""
    matrix: Matrix = scenarios.values
    result: Vector = matrix @ weights
    return result
