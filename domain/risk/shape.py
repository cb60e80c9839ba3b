"""Contributions of the assets to the skewness and kurtosis of a portfolio."""

from domain.checks import Matrix, Vector
from domain.risk.figure import CONSTANT, Absent
from domain.risk.outcomes import Outcomes

SYMMETRIC = 1e-9
"""A standardised moment below this is a rounding error, and has no fractions."""

NO_ASYMMETRY = "the moment is zero and cannot be divided"


def moment_fractions(order: int, returns: Matrix, weights: Vector, outcomes: Outcomes) -> Vector | Absent:
    """Fractions (N,) of the central moment of an order: w_i E[(r_i - m_i) (r - m)^(order - 1)] over it; they sum to 1.

    Euler's theorem for a function that is homogeneous of that order in the weights (Boudt, Peterson & Croux 2008).
    """
    if outcomes.is_constant:
        return Absent(CONSTANT)
    p, distance = outcomes.probability_vector, outcomes.returns - outcomes.mean
    deviation = float(p @ distance**2) ** 0.5
    scaled = distance / deviation
    lower = p * scaled
    for _ in range(order - 2):
        lower *= scaled  # products: a power of an array is ten times slower
    moment = float(lower @ scaled)
    if abs(moment) <= SYMMETRIC:
        return Absent(NO_ASYMMETRY)
    with_each = (returns.T @ lower - (p @ returns) * lower.sum()) / deviation
    result: Vector = weights * with_each / moment
    return result
