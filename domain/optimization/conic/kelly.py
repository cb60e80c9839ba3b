"""The highest expected logarithmic growth (Kelly 1956): E ln(1 + x), or its approximations.

The logarithm itself is maximised by Newton steps, which know x however small it is; in exponential cones 1 + x has lost
it. Cones are where steps start that find no portfolio without ruin by themselves.
"""

from collections.abc import Callable

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import NotSupported, UnboundedProblem
from domain.optimization.conic.conic_objectives import solve_with_objective
from domain.optimization.conic.conic_problem import ConicProblem, build_conic_problem, covariance_root, risk_epigraph
from domain.optimization.conic.sequential_quadratic import minimise_smooth
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.objective_value import expected_log_growth
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.affine import Affine, constant
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.request.objectives import KellyMethod
from domain.optimization.solution import Candidate
from domain.optimization.tolerances import GAP_TOLERANCE
from domain.records import dataclass

RUIN = -1.0 + 1e-6
"""An outcome of this or worse leaves nothing."""

NARROW = 1e-6
"""Outside of what is defined 1 + x counts as this: the first model may be about weights that ruin."""


def maximum_growth(
    problem: Problem, limits: FeasibleSet, method: KellyMethod, control: SolverControl
) -> Candidate | None:
    """Weights with the highest growth, or None where none keep the limits.

    The exact form needs returns, prices or scenarios, and is minus infinity for any portfolio that some outcome ruins.
    """
    if method is not KellyMethod.QUADRATIC and problem.scenarios is None:
        raise NotSupported("kelly needs returns, prices or scenarios; with moments alone use METHOD_QUADRATIC")
    if method is not KellyMethod.EXACT:
        return _solve_conic(problem, limits, method, control)

    def value_of(weights: Vector) -> float:
        return -expected_log_growth(problem, weights, method)

    negative_growth = NegativeGrowth.of(problem)
    quick = minimise_smooth(negative_growth, limits, value_of, control)
    if quick is None or quick.is_proven_within(GAP_TOLERANCE):
        return quick
    found = _solve_conic(problem, limits, method, control)
    if found is not None and _worst_outcome(problem, found.weights) <= RUIN:
        raise UnboundedProblem("every portfolio within the limits loses all in some outcome; leave room for cash")
    if found is None or found.is_proven_within(GAP_TOLERANCE):
        return found
    return minimise_smooth(negative_growth, limits, value_of, control, found.weights)


def _solve_conic(
    problem: Problem, limits: FeasibleSet, method: KellyMethod, control: SolverControl
) -> Candidate | None:
    conic = build_conic_problem(limits, control)
    expression, scale = (
        _log_growth(conic, problem) if method is KellyMethod.EXACT else _second_order_growth(conic, problem, method)
    )
    conic.model.minimise(-expression)

    def value_of(weights: Vector) -> float:
        return -expected_log_growth(problem, weights, method) / scale

    return solve_with_objective(conic, limits, value_of, lambda _: scale)


@dataclass(frozen=True, slots=True)
class NegativeGrowth:
    """-E ln(1 + x), scaled by what a typical period's return is; see `SmoothObjective`."""

    values: Matrix  # (S, N)
    probabilities: Vector  # (S,)
    scale: float
    least: float = -np.inf

    @classmethod
    def of(cls, problem: Problem) -> "NegativeGrowth":
        """Of the outcomes that can happen."""
        scenarios = problem.risk.distribution.possible
        return cls(scenarios.values, scenarios.probabilities, float(np.abs(scenarios.values).mean()) or 1.0)

    def gradient(self, weights: Vector) -> Vector:
        """See `SmoothObjective`."""
        growth_factor = np.maximum(1.0 + self.values @ weights, NARROW)
        return -(self.values.T @ (self.probabilities / growth_factor)) / self.scale

    def hessian(self, weights: Vector) -> Matrix:
        """See `SmoothObjective`."""
        growth_factor = np.maximum(1.0 + self.values @ weights, NARROW)
        result: Matrix = self.values.T @ ((self.probabilities / growth_factor**2)[:, None] * self.values) / self.scale
        return result

    def along(self, weights: Vector, step: Vector) -> Callable[[float], float]:
        """See `SmoothObjective`."""
        start, towards = self.values @ weights, self.values @ step

        def value(length: float) -> float:
            outcomes = start + length * towards
            if outcomes.min() <= -1.0:
                return np.inf
            return -float(self.probabilities @ np.log1p(outcomes)) / self.scale

        return value


def _worst_outcome(problem: Problem, weights: Vector) -> float:
    scenarios = problem.risk.distribution
    return float((scenarios.values[scenarios.probabilities > 0.0] @ weights).min())


def _log_growth(conic: ConicProblem, problem: Problem) -> tuple[Affine, float]:
    """sum p u with exp(u) <= 1 + x, scaled by what a typical period's return is."""
    scenarios = problem.risk.distribution
    possible = scenarios.probabilities > 0.0
    values, probabilities = scenarios.values[possible], scenarios.probabilities[possible]
    scale = float(np.abs(values).mean()) or 1.0
    outcomes, logs = conic.model.variables(len(values)), conic.model.variables(len(values))
    conic.model.zero(outcomes - conic.weights.under(values))
    conic.model.exponential(logs, constant(np.ones(len(values))), outcomes + 1.0)
    return logs.total(probabilities / scale), scale


def _second_order_growth(conic: ConicProblem, problem: Problem, method: KellyMethod) -> tuple[Affine, float]:
    """mean - second moment / 2, about the mean or about zero."""
    squared = conic.model.variables(1)
    if method is KellyMethod.SECOND_MOMENT:
        scenarios = problem.risk.distribution
        means = scenarios.probabilities @ scenarios.values
        weighted = scenarios.values * np.sqrt(scenarios.probabilities)[:, None]
        unit = float(np.abs(weighted).max()) or 1.0
        bound = conic.model.variables(1)
        conic.model.second_order(bound, conic.weights.under(covariance_root(weighted.T @ weighted / unit**2)))
    else:
        means, unit = problem.moments.expected_returns, problem.deviation.scale
        bound = risk_epigraph(conic, problem.deviation, conic.weights)
    conic.model.products(bound, squared, constant(1.0))
    scale = max(float(np.abs(means).max()), unit**2)
    return conic.weights.total(means / scale) - squared.times(0.5 * unit**2 / scale), scale
