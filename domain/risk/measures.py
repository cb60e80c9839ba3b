"""The risk measures the contract names, and the ones computed here. Losses are positive."""

from enum import StrEnum
from statistics import NormalDist

import numpy as np

from domain.checks import Vector


class RiskMeasure(StrEnum):
    """A measure of risk per period, by the name the contract gives it."""

    VARIANCE = "VARIANCE"
    STANDARD_DEVIATION = "STANDARD_DEVIATION"
    SEMI_DEVIATION = "SEMI_DEVIATION"
    MEAN_ABSOLUTE_DEVIATION = "MAD"
    GINI_MEAN_DIFFERENCE = "GINI_MEAN_DIFFERENCE"
    KURTOSIS = "KURTOSIS"
    SEMI_KURTOSIS = "SEMI_KURTOSIS"
    FIRST_LOWER_PARTIAL_MOMENT = "FIRST_LOWER_PARTIAL_MOMENT"
    SECOND_LOWER_PARTIAL_MOMENT = "SECOND_LOWER_PARTIAL_MOMENT"
    VALUE_AT_RISK = "VALUE_AT_RISK"
    CONDITIONAL_VALUE_AT_RISK = "CONDITIONAL_VALUE_AT_RISK"
    TAIL_GINI = "TAIL_GINI"
    ENTROPIC_VALUE_AT_RISK = "EVAR"
    RELATIVISTIC_VALUE_AT_RISK = "RLVAR"
    WORST_REALIZATION = "WORST_REALIZATION"
    RANGE = "RANGE"
    CVAR_RANGE = "CVAR_RANGE"
    TAIL_GINI_RANGE = "TAIL_GINI_RANGE"
    EVAR_RANGE = "EVAR_RANGE"
    RLVAR_RANGE = "RLVAR_RANGE"
    MAX_DRAWDOWN = "MAX_DRAWDOWN"
    AVERAGE_DRAWDOWN = "AVERAGE_DRAWDOWN"
    DRAWDOWN_AT_RISK = "DAR"
    CONDITIONAL_DRAWDOWN_AT_RISK = "CDAR"
    ENTROPIC_DRAWDOWN_AT_RISK = "EDAR"
    RELATIVISTIC_DRAWDOWN_AT_RISK = "RLDAR"
    ULCER_INDEX = "ULCER_INDEX"

    @property
    def is_quadratic(self) -> bool:
        """Whether moments are enough; the others need a distribution."""
        return self in (RiskMeasure.VARIANCE, RiskMeasure.STANDARD_DEVIATION)

    @property
    def is_of_path(self) -> bool:
        """Whether the order of the returns matters: a drawdown is one of a path."""
        return self in _OF_PATH

    @property
    def degree(self) -> int:
        """What a portfolio k times as large multiplies the measure by is k to this power."""
        return 2 if self in (RiskMeasure.VARIANCE, RiskMeasure.KURTOSIS, RiskMeasure.SEMI_KURTOSIS) else 1


_OF_PATH = frozenset(
    {
        RiskMeasure.MAX_DRAWDOWN,
        RiskMeasure.AVERAGE_DRAWDOWN,
        RiskMeasure.DRAWDOWN_AT_RISK,
        RiskMeasure.CONDITIONAL_DRAWDOWN_AT_RISK,
        RiskMeasure.ENTROPIC_DRAWDOWN_AT_RISK,
        RiskMeasure.RELATIVISTIC_DRAWDOWN_AT_RISK,
        RiskMeasure.ULCER_INDEX,
    }
)


def to_first_degree(risk: float, degree: int) -> float:
    """The root of a measure of degree two, a measure of degree one itself."""
    return risk if degree == 1 else max(risk, 0.0) ** 0.5


class QuantileMethod(StrEnum):
    """How a quantile is read from outcomes, by the name the report gives it."""

    LINEAR = "linear"  # interpolated between equally likely outcomes, Hyndman & Fan 1996, type 7
    INVERSE_CDF = "inverse_cdf"  # the smallest loss that is not exceeded with the confidence asked for


CUMULATED = 1e-12
"""Rounding that a sum of probabilities may have gathered on its way to the confidence level."""


def value_at_risk(returns: Vector, confidence_level: float) -> float:
    """Historical VaR of T returns: minus their (1 - confidence) quantile, interpolated linearly (Hyndman-Fan 7)."""
    return 0.0 - float(np.quantile(returns, 1.0 - confidence_level))


def weighted_value_at_risk(returns: Vector, probabilities: Vector, confidence_level: float) -> float:
    """The smallest loss l with P(loss <= l) >= confidence: the lower quantile, without interpolation.

    Between outcomes of unequal probability there is no one line to interpolate on.
    """
    order = np.argsort(-returns, kind="stable")
    reached = np.cumsum(probabilities[order]) >= confidence_level - CUMULATED
    return 0.0 - float(returns[order[int(np.argmax(reached))]])


def conditional_value_at_risk(returns: Vector, confidence_level: float, probabilities: Vector | None = None) -> float:
    """Mean loss in the worst 1 - confidence of the probability, the atom at the border counted by its fraction.

    Rockafellar & Uryasev 2002, "Conditional value-at-risk for general loss distributions", proposition 8.
    """
    weights = tail_weights(returns, confidence_level, probabilities)
    return 0.0 - float(weights @ returns)


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


def gaussian_value_at_risk(mean: float, deviation: float, confidence_level: float) -> float:
    """VaR of a normal distribution: -(mean + z deviation), z its standard (1 - confidence) quantile."""
    return -(mean + NormalDist().inv_cdf(1.0 - confidence_level) * deviation)


def gaussian_conditional_value_at_risk(mean: float, deviation: float, confidence_level: float) -> float:
    """CVaR of a normal distribution: -mean + deviation phi(z) / (1 - confidence) (Rockafellar & Uryasev 2000)."""
    normal = NormalDist()
    tail = 1.0 - confidence_level
    return -mean + deviation * normal.pdf(normal.inv_cdf(tail)) / tail


def cornish_fisher_value_at_risk(
    mean: float, deviation: float, skewness: float, excess_kurtosis: float, confidence_level: float
) -> float:
    """Gaussian VaR with its quantile corrected for skewness and excess kurtosis to fourth order.

    Favre & Galeano 2002, "Mean-modified value-at-risk optimization with hedge funds", equation 8. It is the Gaussian
    VaR where both are 0; far from normal (Maillard 2012) the expansion is no longer a quantile function.
    """
    z = NormalDist().inv_cdf(1.0 - confidence_level)
    corrected = (
        z
        + (z**2 - 1.0) * skewness / 6.0
        + (z**3 - 3.0 * z) * excess_kurtosis / 24.0
        - (2.0 * z**3 - 5.0 * z) * skewness**2 / 36.0
    )
    return -(mean + corrected * deviation)
