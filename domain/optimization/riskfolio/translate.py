"""A problem in Riskfolio-Lib's terms: scaled returns, constraints as rows, and how far it may be short."""

from dataclasses import dataclass

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import NotSupported
from domain.optimization.feasible import AbsoluteSum, FeasibleSet
from domain.optimization.problem import Problem


@dataclass(frozen=True, slots=True)
class Terms:
    """What a Portfolio is told: minimise over w with sum w = budget, sum max(-w, 0) <= shorts and rows w <= ends."""

    returns: Matrix  # (S, N), mean variance 1
    rows: Matrix  # (K, N)
    ends: Vector  # (K,)
    budget: float
    shorts: float
    unit: float  # return that is one in the scaled ones

    @property
    def may_be_short(self) -> bool:
        """Its long-only mode divides by the sum of weights, so a budget of 0 goes the other way too."""
        return self.shorts > 0.0 or self.budget <= 0.0


def translated(problem: Problem, limits: FeasibleSet) -> Terms:
    """The problem, said exactly.

    Raises NotSupported where Riskfolio-Lib has no words for it: uneven probabilities, turnover in total (its own is
    per asset), moments without a distribution.
    """
    turnovers = [one.label for one in limits.absolute_sums if not _is_exposure(one)]
    if turnovers:
        raise NotSupported(f"Riskfolio-Lib limits the turnover of each asset, not of all: {', '.join(turnovers)}")
    if not limits.is_linear:
        missed = [cap.label for cap in limits.risk_caps] + [holding.label for holding in limits.holdings]
        raise NotSupported(f"Riskfolio-Lib is asked for linear limits only, not for {', '.join(missed)}")
    if problem.costs is not None:
        raise NotSupported("Riskfolio-Lib is not asked for costs in the objective; use AUTO or FAST")
    rows, ends = _inequalities(limits)
    # Mean variance one: on raw daily returns its solvers fail at random.
    unit = problem.deviation.unit
    shorts = _largest_short(limits, problem.budget)
    return Terms(_scenarios(problem) / unit, rows, ends, problem.budget, shorts, unit)


def _scenarios(problem: Problem) -> Matrix:
    """Equally likely returns (S, N); of moments two that nothing but their number is taken from."""
    if problem.risk_measure.is_quadratic and problem.scenarios is None:
        return np.zeros((2, len(problem.moments.symbols)))
    scenarios = problem.risk.distribution
    chances = scenarios.probabilities
    if not np.allclose(chances, chances[0], rtol=1e-9, atol=0.0):
        raise NotSupported("Riskfolio-Lib takes all scenarios as equally likely, and these are not")
    return scenarios.values


def _inequalities(limits: FeasibleSet) -> tuple[Matrix, Vector]:
    """Rows and bounds as rows A w <= b; the budget and sums of absolute values travel by other ways."""
    identity = np.eye(limits.size)
    rows = [(row.coefficients, row.lower, row.upper) for row in limits.rows if not row.is_budget]
    both = [*rows, *zip(identity, limits.lower, limits.upper, strict=True)]
    below = [(coefficients, upper) for coefficients, _, upper in both if np.isfinite(upper)]
    above = [(-coefficients, -lower) for coefficients, lower, _ in both if np.isfinite(lower)]
    return np.array([row for row, _ in below + above]), np.array([end for _, end in below + above])


def _largest_short(limits: FeasibleSet, budget: float) -> float:
    """The largest sum of shorts. Where the weights sum to B, sum |w| <= G says that it is at most (G - B) / 2."""
    most = [float(np.maximum(-limits.lower, 0.0).sum())]
    most += [one.maximum if one.shorts else (one.maximum - budget) / 2.0 for one in limits.absolute_sums]
    return max(0.0, min(most))


def _is_exposure(one: AbsoluteSum) -> bool:
    """Whether it counts positions, as leverage does; turnover from nothing held does so too."""
    return one.shorts or not one.centre.any()
