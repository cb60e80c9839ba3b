"""The risk measures the contract names, and the ones computed here. Losses are positive."""

from enum import StrEnum

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
    return 0.0 - float(quantile_weights(returns, confidence_level, probabilities) @ returns)


def quantile_weights(returns: Vector, confidence_level: float, probabilities: Vector | None = None) -> Vector:
    """How much each of S outcomes' loss counts in the historical VaR, (S,): one or two neighbours share it."""
    weights = np.zeros(len(returns))
    if probabilities is not None:
        order = np.argsort(-returns, kind="stable")
        reached = np.cumsum(probabilities[order]) >= confidence_level - CUMULATED
        weights[order[int(np.argmax(reached))]] = 1.0
        return weights
    place = (1.0 - confidence_level) * (len(returns) - 1)
    below = int(place)
    above = min(below + 1, len(returns) - 1)
    order = np.argsort(returns, kind="stable")
    weights[order[above]] = place - below
    weights[order[below]] += 1.0 - (place - below)
    return weights


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
