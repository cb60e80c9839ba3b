"""A problem as input of Riskfolio-Lib: scaled returns, constraints as rows, and the largest short exposure."""

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import NotSupported
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.limits import AbsoluteSum
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import Kelly, OrderedWeightedAverage
from domain.records import dataclass
from domain.risk.measures import RiskMeasure

OTHER_SCALE = 10.0
"""Where the first scale brought no answer, returns are a tenth as large."""

CENTRED = frozenset(
    {
        RiskMeasure.MEAN_ABSOLUTE_DEVIATION,
        RiskMeasure.SEMI_DEVIATION,
        RiskMeasure.KURTOSIS,
        RiskMeasure.SEMI_KURTOSIS,
    }
)
"""Measures of the distance from the mean: of the scenarios with us, from the expected returns it is told with it."""


@dataclass(frozen=True, slots=True)
class RiskfolioInput:
    """What a Portfolio is told: minimise over w with sum w = budget, sum max(-w, 0) <= shorts and rows w <= ends."""

    returns: Matrix  # (S, N), mean variance 1
    means: Vector  # (N,)
    covariance: Matrix  # (N, N), mean variance 1
    rows: Matrix  # (K, N)
    ends: Vector  # (K,)
    budget: float
    shorts: float
    unit: float  # return that is one in the scaled ones
    closely: bool = False  # whether its solver shall go on until CLOSE

    @property
    def may_be_short(self) -> bool:
        """Its long-only mode divides by the sum of weights, so a budget of 0 goes the other way too."""
        return self.shorts > 0.0 or self.budget <= 0.0


def translate(problem: Problem, limits: FeasibleSet, *, again: bool = False) -> RiskfolioInput:
    """The problem, said exactly; `again` for the second time, on another scale and to a closer tolerance.

    Raises NotSupported for what Riskfolio-Lib does not support: uneven probabilities, turnover in total (its own is
    per asset), moments without a distribution.
    """
    turnovers = [one.label for one in limits.absolute_sums if not _is_exposure(one)]
    if turnovers:
        raise NotSupported(f"Riskfolio-Lib limits the turnover of each asset, not of all: {', '.join(turnovers)}")
    if not limits.is_linear:
        missed = [cap.label for cap in limits.risk_caps] + [selection.label for selection in limits.selection_limits]
        missed += [bounds.label for bounds in limits.contribution_bounds]
        raise NotSupported(f"Riskfolio-Lib is asked for linear limits only, not for {', '.join(missed)}")
    if problem.costs is not None:
        raise NotSupported("Riskfolio-Lib is not asked for costs in the objective; use AUTO or FAST")
    rows, ends = _inequalities(limits)
    # Mean variance one, for on raw daily returns its solvers fail at random; one plus a return has its own scale.
    unit = 1.0 if isinstance(problem.objective, Kelly) else problem.deviation.scale * (OTHER_SCALE if again else 1.0)
    return RiskfolioInput(
        returns=_scenarios(problem) / unit,
        means=problem.moments.expected_returns / unit,
        covariance=problem.moments.covariance / unit**2,
        rows=rows,
        ends=ends,
        budget=problem.budget,
        shorts=_largest_short(limits, problem.budget),
        unit=unit,
        closely=again,
    )


def _scenarios(problem: Problem) -> Matrix:
    """Equally likely returns (S, N); of moments two that nothing but their number is taken from."""
    if problem.scenarios is None:
        if not problem.risk_measure.is_quadratic:
            raise NotSupported(f"{problem.risk_measure} needs returns, prices or scenarios")
        return np.zeros((2, len(problem.moments.symbols)))
    scenarios = problem.scenarios
    probabilities = scenarios.probabilities
    if not np.allclose(probabilities, probabilities[0], rtol=1e-9, atol=0.0):
        raise NotSupported("Riskfolio-Lib takes all scenarios as equally likely, and these are not")
    values = scenarios.values
    if problem.risk_measure in CENTRED and not isinstance(problem.objective, Kelly | OrderedWeightedAverage):
        # Moved so that what it takes for the mean is the mean; the distances from it stay what they are.
        values = values - values.mean(axis=0) + problem.moments.expected_returns
    return values


def _inequalities(limits: FeasibleSet) -> tuple[Matrix, Vector]:
    """Rows and bounds as rows A w <= b; the budget and sums of absolute values travel by other ways."""
    identity = np.eye(limits.n_assets)
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
