"""Rounding of weights."""

import numpy as np

from domain.checks import Vector
from domain.optimization.tolerances import ZERO_WEIGHT


def round_to_zero(weights: Vector) -> Vector:
    """Weights without the rounding of zeros."""
    return np.where(np.abs(weights) < ZERO_WEIGHT, 0.0, weights)
