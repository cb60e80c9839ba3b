"""Measures of how far returns stray from their mean or fall below a target, one side or both."""

import math

import numpy as np

from domain.checks import Vector
from domain.risk.outcomes import Outcomes


def semi_deviation(outcomes: Outcomes) -> float:
    """Root of the mean squared fall below the mean (Markowitz 1959); of a sample with the divisor T - 1."""
    return math.sqrt(outcomes.correction * float(outcomes.chances @ _below(outcomes, outcomes.mean) ** 2))


def mean_absolute_deviation(outcomes: Outcomes) -> float:
    """Mean distance from the mean (Konno & Yamazaki 1991)."""
    return float(outcomes.chances @ np.abs(outcomes.returns - outcomes.mean))


def lower_partial_moment(outcomes: Outcomes, order: int, target: float = 0.0) -> float:
    """(Mean of max(target - return, 0)^order)^(1 / order), order 1 or more (Fishburn 1977)."""
    return math.pow(float(outcomes.chances @ _below(outcomes, target) ** order), 1.0 / order)


def root_fourth_moment(outcomes: Outcomes) -> float:
    """Root of the mean fourth power of the distance from the mean (Cajas 2022, "square root kurtosis")."""
    return math.sqrt(float(outcomes.chances @ (outcomes.returns - outcomes.mean) ** 4))


def root_fourth_semi_moment(outcomes: Outcomes) -> float:
    """The same of falls below the mean."""
    return math.sqrt(float(outcomes.chances @ _below(outcomes, outcomes.mean) ** 4))


def _below(outcomes: Outcomes, level: float) -> Vector:
    result: Vector = np.maximum(level - outcomes.returns, 0.0)
    return result
