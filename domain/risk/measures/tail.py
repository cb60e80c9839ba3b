"""Value at risk and conditional value at risk of a distribution of returns."""

from enum import StrEnum
from functools import lru_cache

import numpy as np

from domain.checks import Vector, freeze

CUMULATED = 1e-12
"""Rounding error that a sum of probabilities may have when it reaches the confidence level."""


class QuantileMethod(StrEnum):
    """How a quantile is read from outcomes, by the name the report gives it."""

    LINEAR = "linear"  # interpolated between equally likely outcomes, Hyndman & Fan 1996, type 7
    INVERSE_CDF = "inverse_cdf"  # the smallest loss that is not exceeded with the confidence level


def value_at_risk(returns: Vector, confidence_level: float) -> Vector:
    """Historical VaR of returns (..., T), (...): minus their (1 - confidence) quantile.

    Interpolated linearly between equally likely outcomes (Hyndman & Fan 1996, type 7).
    """
    result: Vector = 0.0 - np.quantile(returns, 1.0 - confidence_level, axis=-1)
    return result


def weighted_value_at_risk(returns: Vector, probabilities: Vector, confidence_level: float) -> float:
    """The smallest loss l of returns (T,) with P(loss <= l) >= confidence: the lower quantile, not interpolated.

    Between outcomes of unequal probability there is no unique line to interpolate on.
    """
    return 0.0 - float(quantile_weights(returns, confidence_level, probabilities) @ returns)


def quantile_weights(returns: Vector, confidence_level: float, probabilities: Vector | None = None) -> Vector:
    """The weight of each of the returns (T,) in the historical VaR, (T,): 1 for one outcome, or split between two."""
    weights = np.zeros(len(returns))
    if probabilities is not None:
        order = np.argsort(-returns, kind="stable")
        reached = np.cumsum(probabilities[order]) >= confidence_level - CUMULATED
        weights[order[int(np.argmax(reached))]] = 1.0
        return weights
    position = (1.0 - confidence_level) * (len(returns) - 1)
    below = int(position)
    above = min(below + 1, len(returns) - 1)
    order = np.argsort(returns, kind="stable")
    weights[order[above]] = position - below
    weights[order[below]] += 1.0 - (position - below)
    return weights


def conditional_value_at_risk(returns: Vector, confidence_level: float, probabilities: Vector | None = None) -> Vector:
    """Mean loss in the worst 1 - confidence of the probability, of returns (..., T), (...).

    The outcome at the border counts by its fraction (Rockafellar & Uryasev 2002, "Conditional value-at-risk for
    general loss distributions", proposition 8).
    """
    if probabilities is None:
        worst, taken = _worst(returns, confidence_level)
    else:
        worst, taken = returns, tail_weights(returns, confidence_level, probabilities)
    result: Vector = 0.0 - np.vecdot(taken, worst)
    return result


def historical_tail(worst: Vector, count: int, confidence_level: float) -> tuple[float, float]:
    """Historical VaR and CVaR of equally likely returns, from the worst of them (W,), sorted, and how many there are.

    W is `count_of_worst`.
    """
    taken = _equal_parts(count, len(worst), 1.0 - confidence_level)
    position = (1.0 - confidence_level) * (count - 1)
    below = int(position)
    low, high = float(worst[below]), float(worst[min(below + 1, len(worst) - 1)])
    # As numpy does, from the nearer one of the two.
    fraction, between = position - below, high - low
    quantile = low + between * fraction if fraction < 0.5 else high - between * (1.0 - fraction)
    return 0.0 - quantile, float(0.0 - np.vecdot(taken, worst))


def count_of_worst(count: int, confidence_level: float) -> int:
    """How many of equally likely returns VaR and CVaR need."""
    return min(count, int((1.0 - confidence_level) * count) + 2)  # one is cut, one for the rounding of the product


def _worst(returns: Vector, confidence_level: float) -> tuple[Vector, Vector]:
    """The worst of equally likely returns (..., T), sorted, (..., K), and their weights in the CVaR, (K,).

    The others have the weight 0 and need not be sorted.
    """
    count, several = returns.shape[-1], count_of_worst(returns.shape[-1], confidence_level)
    parts = returns if several == count else np.partition(returns, several - 1, axis=-1)[..., :several]
    return np.sort(parts, axis=-1), _equal_parts(count, several, 1.0 - confidence_level)


@lru_cache(maxsize=16)
def _equal_parts(count: int, several: int, tail: float) -> Vector:
    """Weights in the CVaR of the worst of equally likely returns, (K,)."""
    return freeze(_taken(np.full(several, 1.0 / count), tail))


def _taken(sorted_probabilities: Vector, tail: float) -> Vector:
    """Weights in the CVaR of outcomes from the worst one on, by their probabilities (..., T), (..., T)."""
    cumulative = np.cumsum(sorted_probabilities, axis=-1)
    taken = np.clip(tail - (cumulative - sorted_probabilities), 0.0, sorted_probabilities)
    result: Vector = taken / taken.sum(axis=-1, keepdims=True)
    return result


def tail_weights(returns: Vector, confidence_level: float, probabilities: Vector | None = None) -> Vector:
    """The weight q of each return in the CVaR, (..., T): q >= 0, sum q = 1, q <= p / (1 - confidence)."""
    count = returns.shape[-1]
    order = np.argsort(returns, axis=-1, kind="stable")
    sorted_probabilities = np.full(count, 1.0 / count) if probabilities is None else probabilities[order]
    taken = _taken(sorted_probabilities, 1.0 - confidence_level)
    weights = np.empty(returns.shape)
    np.put_along_axis(weights, order, np.broadcast_to(taken, returns.shape), axis=-1)
    return weights
