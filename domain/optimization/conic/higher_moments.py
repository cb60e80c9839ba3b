"""The best trade-off of mean, variance, skewness and kurtosis.

A portfolio loses g(z) = a z^2 - b z^3 + c z^4 by an outcome z away from its mean, and z is linear in the weights. With
b^2 <= 8/3 a c the second derivative 2a - 6b z + 12c z^2 is nowhere negative (the rule is that of the discriminant), and
the expected g is convex: Newton steps end at its minimum.
"""

from collections.abc import Callable

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import NotSupported
from domain.optimization.conic.sequential_quadratic import minimise_smooth
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.objective_value import higher_moment_value
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.request.objectives import HigherMoments
from domain.optimization.solution import Candidate
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class MomentObjective:
    """Expected g of the outcomes about their mean, less the mean, in scaled figures."""

    deviations: Matrix  # (S, N), outcomes about their means, in units
    probabilities: Vector  # (S,)
    means: Vector  # (N,), scaled, 0 where the mean is left out
    factors: tuple[float, float, float]  # of z^2, -z^3, z^4, scaled
    scale: float  # one of the objective, per period
    least: float  # what it is never below

    @classmethod
    def of(cls, problem: Problem, objective: HigherMoments) -> "MomentObjective":
        """The objective of a problem. Raises NotSupported for moments."""
        if problem.scenarios is None:
            raise NotSupported(
                "higher moments need returns, prices or scenarios: means and covariances have no skewness or kurtosis"
            )
        scenarios = problem.scenarios.possible
        probabilities = scenarios.probabilities
        deviations = scenarios.values - probabilities @ scenarios.values
        unit = float(np.sqrt(probabilities @ (deviations**2).mean(axis=1))) or 1.0
        a, b, c = objective.variance * unit**2, objective.skewness * unit**3, objective.kurtosis * unit**4
        means = np.zeros(deviations.shape[1]) if objective.ignore_mean else problem.moments.expected_returns
        scale = max(a, b, c, float(np.abs(means).max())) or 1.0
        # The rule that makes g convex makes it 0 or more as well.
        least = 0.0 if objective.ignore_mean else -np.inf
        return cls(deviations / unit, probabilities, means / scale, (a / scale, b / scale, c / scale), scale, least)

    def _of_outcomes(self, z: Vector) -> float:
        a, b, c = self.factors
        return float(self.probabilities @ (z**2 * (a + z * (c * z - b))))

    def gradient(self, weights: Vector) -> Vector:
        """Its gradient, (N,)."""
        a, b, c = self.factors
        z = self.deviations @ weights
        return self.deviations.T @ (self.probabilities * z * (2 * a + z * (4 * c * z - 3 * b))) - self.means

    def hessian(self, weights: Vector) -> Matrix:
        """Its second derivatives, (N, N)."""
        a, b, c = self.factors
        z = self.deviations @ weights
        hessian = np.maximum(2 * a + z * (12 * c * z - 6 * b), 0.0)
        result: Matrix = self.deviations.T @ ((self.probabilities * hessian)[:, None] * self.deviations)
        return result

    def along(self, weights: Vector, step: Vector) -> Callable[[float], float]:
        """The value on the way: two products with the outcomes for all points of it."""
        start, towards = self.deviations @ weights, self.deviations @ step
        start_return, step_return = float(self.means @ weights), float(self.means @ step)
        return lambda length: self._of_outcomes(start + length * towards) - start_return - length * step_return


def higher_moments(
    problem: Problem, limits: FeasibleSet, objective: HigherMoments, control: SolverControl
) -> Candidate | None:
    """The weights with the best trade-off, or None where none keep the limits. Raises NotSupported, SolverFailed."""

    def value_of(weights: Vector) -> float:
        return higher_moment_value(problem, weights, objective)

    return minimise_smooth(MomentObjective.of(problem, objective), limits, value_of, control)
