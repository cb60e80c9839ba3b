"""Rounding of weights."""

import numpy as np

from domain.checks import Vector

ROUNDED_TO_ZERO = 1e-12
"""Weights below this are rounding of a zero."""


def round_to_zero(weights: Vector) -> Vector:
    """Weights without the rounding of zeros."""
    return np.where(np.abs(weights) < ROUNDED_TO_ZERO, 0.0, weights)
