"""Exponential weights of observations."""

import math

import numpy as np

from domain.checks import Vector, open_fraction


def exponential_weights(count: int, half_life: float) -> Vector:
    """Weights from the oldest to the newest observation, (count,): `half_life` periods older counts half. Sum 1."""
    ages = np.arange(count - 1, -1, -1, dtype=np.float64)
    decay = np.exp2(-ages / half_life)
    weights: Vector = decay / decay.sum()
    return weights


def half_life_of(decay: float) -> float:
    """Half-life in periods of a RiskMetrics decay factor lambda: lambda^half_life = 1/2."""
    return math.log(0.5) / math.log(open_fraction("lambda", decay))
