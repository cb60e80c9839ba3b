"""A problem in Riskfolio-Lib's terms: scaled returns, significance instead of confidence, constraints as rows."""

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import NotSupported
from domain.optimization.feasible import FeasibleSet
from domain.optimization.problem import Problem


def inequalities(limits: FeasibleSet) -> tuple[Matrix, Vector]:
    """All limits but the budget as rows A w <= b. Raises NotSupported for sums of absolute values."""
    if limits.absolute_sums:
        labels = ", ".join(one.label for one in limits.absolute_sums)
        raise NotSupported(f"CVaR with leverage or turnover limits is not supported yet: {labels}")
    identity = np.eye(limits.size)
    rows = [(row.coefficients, row.lower, row.upper) for row in limits.rows if not row.is_budget]
    ends = [*rows, *zip(identity, limits.lower, limits.upper, strict=True)]
    below = [(coefficients, upper) for coefficients, _, upper in ends if np.isfinite(upper)]
    above = [(-coefficients, -lower) for coefficients, lower, _ in ends if np.isfinite(lower)]
    matrix = np.array([coefficients for coefficients, _ in below + above])
    return matrix, np.array([end for _, end in below + above])


def scaled_returns(problem: Problem) -> Matrix:
    """Scenarios divided so that the mean variance is one: on raw daily returns its solvers fail at random."""
    if problem.scenarios is None:
        raise NotSupported("CVaR needs returns, prices or scenarios; moments alone say nothing about a tail")
    chances = problem.scenarios.probabilities
    if not np.allclose(chances, chances[0], rtol=1e-9, atol=0.0):
        raise NotSupported("CVaR over scenarios of different probabilities is not supported yet")
    values = problem.scenarios.values
    deviation = float(values.std(axis=0).mean())
    return values / deviation if deviation > 0.0 else values
