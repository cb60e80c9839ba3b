"""A bound of a tracking error that knows that lots are whole, by the part of the covariance that no other asset shares.

With S the covariance and D a diagonal such that S - D is positive semidefinite, y' S y = y' (S - D) y + sum D_i y_i^2.
The first part is not below its plane at any point, and the second is a sum over assets, each of which has whole lots
(Frangioni and Gentile 2007). What the two make up is the square of the tracking error, and between two errors L and T a
square root is not below the line through its values there.
"""

import math
from dataclasses import replace
from functools import cached_property

import numpy as np

from domain.checks import Matrix, Vector
from domain.records import dataclass

SINGULAR = 1e-10
"""Part of the largest eigenvalue below which a covariance has no part of its own for each asset."""

NOTHING = 1e-12
"""Part of the largest eigenvalue below which one is 0, and a vector has no part in its direction."""

STEPS = 5
"""Of which each takes its part of what the others left."""

STEP = 0.8
"""Part of the longest step that all but the last one take: beyond a whole one nothing is left."""

ROUNDING = 1e-9
"""Part of D that is left out, for the rounding of eigenvalues; more where the covariance is nearly singular."""


def specific_variances(covariance: Matrix) -> Vector:
    """(N,) A diagonal D such that covariance - D is positive semidefinite; 0 where the covariance is singular.

    Taken in steps, each in proportion to what of each variance no other asset explains, 1 / (S^-1)_ii, in what the
    steps before have left: that comes near to the specific variances of a factor model.
    """
    found = np.zeros(len(covariance))
    for step in range(STEPS):
        more = _alone(covariance - np.diag(found))
        if not more.any():
            break
        found += more if step == STEPS - 1 else STEP * more
    return found


def _alone(covariance: Matrix) -> Vector:
    """What can be taken off the diagonal in one step."""
    none = np.zeros(len(covariance))
    if not len(covariance):
        return none
    values, vectors = np.linalg.eigh(covariance)
    if values[0] <= SINGULAR * max(float(values[-1]), 0.0):
        return none
    inverse = (vectors / values) @ vectors.T
    alone = 1.0 / np.diag(inverse)
    scaled = np.sqrt(alone)[:, None] * inverse * np.sqrt(alone)
    largest = float(np.linalg.eigvalsh(scaled)[-1])
    # What rounding adds to the covariance is a part of its largest eigenvalue, and D may be as small as its least / N.
    wrong = ROUNDING + len(values) ** 2 * np.finfo(np.float64).eps * float(values[-1] / values[0])
    found: Vector = alone * (max(1.0 - wrong, 0.0) / largest)
    return found


@dataclass(frozen=True)  # without slots, for what is computed once
class Covariance:
    """S as factor @ factor.T, (P, R), and what takes long to compute of it: every round of a search needs the same."""

    factor: Matrix

    @cached_property
    def matrix(self) -> Matrix:
        """S itself, (P, P)."""
        return np.asarray(self.factor @ self.factor.T)

    @cached_property
    def specific(self) -> Vector:
        """(P,) D of `specific_variances`."""
        return specific_variances(self.matrix)

    @cached_property
    def furthest(self) -> Vector:
        """(P,) The most that |y_i| is where y' S y is at most 1: the root of (S^-1)_ii, or infinite."""
        values, vectors = np.linalg.eigh(self.matrix)
        known = values > NOTHING * max(float(values.max(initial=0.0)), 0.0)
        inverse = (vectors[:, known] ** 2 / values[known]).sum(axis=1)
        free = (vectors[:, ~known] ** 2).sum(axis=1) > NOTHING
        return np.asarray(np.where(free, math.inf, np.sqrt(inverse)))


@dataclass(frozen=True, slots=True)
class CurvedRisk:
    """sqrt(y' S y) is at least constant + slopes @ y + squares @ y^2 for errors from `least` to `most`, (P,) each."""

    constant: float
    slopes: Vector
    squares: Vector
    point: Vector  # the y that it was made at, near which the best plan is expected

    @classmethod
    def at(cls, shared: Matrix, specific: Vector, point: Vector, least: float, most: float) -> "CurvedRisk":
        """From a point y, with S - D and D; the nearer the point to the best y, the more it proves."""
        width = least + most
        moved = shared @ point
        constant = least - (float(point @ moved) + least * least) / width
        return cls(constant, 2.0 * moved / width, specific / width, point)

    def at_no_point(self) -> "CurvedRisk":
        """The same bound, whatever the best y is: each asset has its least square at any cost of the range."""
        return replace(self, point=np.zeros_like(self.point))


@dataclass(frozen=True, slots=True)
class SplitRisk:
    """A covariance S as S - D and D, and the errors L and T that plans better than a known one have."""

    shared: Matrix  # (P, P)
    specific: Vector  # (P,)
    least: float
    most: float

    @classmethod
    def of(cls, covariance: Covariance, least: float, most: float) -> "SplitRisk | None":
        """None where the covariance has no such part, or errors have no bound."""
        specific = covariance.specific
        if not specific.any() or not (math.isfinite(most) and most > 0.0):
            return None
        return cls(covariance.matrix - np.diag(specific), specific, min(max(least, 0.0), most), most)

    def from_least(self, least: float) -> "SplitRisk":
        """Of errors from another least one on."""
        return replace(self, least=min(max(least, 0.0), self.most))

    def at(self, point: Vector) -> CurvedRisk:
        """The bound that a point gives."""
        return CurvedRisk.at(self.shared, self.specific, point, self.least, self.most)
