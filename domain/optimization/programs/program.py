"""Quadratic and linear programs over a polytope, and what a solver returns for them."""

import numpy as np

from domain.checks import Matrix, Vector
from domain.optimization.problem.polytope import Polytope
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Program:
    """Minimise x'Hx / 2 + c'x over a polytope; H is positive semidefinite, or None for a linear program."""

    hessian: Matrix | None  # (n, n)
    linear: Vector  # (n,)
    polytope: Polytope

    def value(self, point: Vector) -> float:
        """The objective at a point."""
        curved = 0.0 if self.hessian is None else 0.5 * float(point @ self.hessian @ point)
        return curved + float(self.linear @ point)

    def gradient(self, point: Vector) -> Vector:
        """Its gradient there, (n,)."""
        return self.linear.copy() if self.hessian is None else self.hessian @ point + self.linear


@dataclass(frozen=True, slots=True)
class ProgramSolution:
    """What a solver returned: a point and multipliers, positive where an upper limit binds."""

    point: Vector  # (n,)
    row_multipliers: Vector  # (M,)
    solver: str
    iterations: int
    bound: float | None = None  # what it proves, where that is known already


def padded(matrix: Matrix, size: int) -> Matrix:
    """The matrix with zeros for auxiliary variables."""
    if len(matrix) == size:
        return matrix
    result = np.zeros((size, size))
    result[: len(matrix), : len(matrix)] = matrix
    return result
