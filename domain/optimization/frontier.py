"""The efficient frontier of a problem: all its corner portfolios, or portfolios evenly spaced in return."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from domain.errors import InfeasibleProblem, NotSupported, SolverFailed
from domain.optimization.feasibility import is_feasible
from domain.optimization.infeasibility import conflict
from domain.optimization.mean_variance.critical_line import Corner, corners, is_tied
from domain.optimization.problem.feasible_set import FeasibleSet, feasible_set
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.duality import gap_to_bound, proven_bound
from domain.optimization.programs.program import Program, ProgramSolution
from domain.optimization.programs.solver_info import solver_version
from domain.optimization.request.constraints import Linear, ReturnFloor
from domain.optimization.request.objectives import MaxReturn, MinRisk
from domain.optimization.solution import Candidate, Engine, Solution
from domain.optimization.solve import solve
from domain.optimization.tolerances import VALUE_FLOOR
from domain.optimization.verify import verify

FLOOR_LABEL = "frontier:return"
SAME_RISK_LABEL = "frontier:least risk"
SAME = 1e-12
"""Corner portfolios closer than this are one."""

RISK_FREE = 1e-12
"""Directions whose variance is less than this part of the largest carry no risk."""

TIE_ROOM = 1e-12
"""What a floor at the highest return leaves for rounding."""


def trace_frontier(problem: Problem, points: int, check_cancelled: Callable[[], None]) -> Iterator[Solution]:
    """Verified portfolios from the highest return to the least risk; the problem's objective does not count.

    With 0 points every corner portfolio, which needs variance, bounds and a budget and nothing else; otherwise so many
    portfolios, evenly spaced in return. Raises what `solve` raises, and NotSupported.
    """
    least = replace(problem, objective=MinRisk())
    limits = feasible_set(problem)
    if points == 0:
        if not problem.risk_measure.is_quadratic:
            raise NotSupported(f"corner portfolios exist for variance; give points with {problem.risk_measure}")
        if not _has_corners(problem, limits):
            raise NotSupported(
                "corner portfolios are traced within weight bounds and a budget; give points for the rest"
            )
        return _CornerFrontier(least, limits, check_cancelled).corners()
    if _has_corners(problem, limits):
        return _CornerFrontier(least, limits, check_cancelled).spaced(points)
    return _spaced(least, points, check_cancelled)


def needs_separate_problems(problem: Problem, points: int) -> bool:
    """Whether the points between the ends are problems of their own, that can be solved in any order."""
    return points > 2 and not _has_corners(problem, feasible_set(problem))


def frontier_ends(problem: Problem, check_cancelled: Callable[[], None]) -> tuple[Solution, Solution]:
    """The portfolios of the highest return and of the least risk, the latter with the highest return of several.

    Raises what `solve` raises.
    """
    highest = solve(replace(problem, objective=MaxReturn()), check_cancelled)
    least = solve(replace(problem, objective=MinRisk()), check_cancelled)
    return highest, _highest_return_of_least_risk(problem, least, check_cancelled)


def _highest_return_of_least_risk(problem: Problem, least: Solution, check_cancelled: Callable[[], None]) -> Solution:
    """Portfolios of the same least variance have the same exposure to every direction that has variance.

    Under a covariance of full rank there is one only. For other measures, and where limits are not linear, the answer
    that was found first is kept.
    """
    limits = feasible_set(problem)
    plain = limits.is_linear and not limits.selection_limits and not limits.contribution_bounds
    if not plain or problem.costs is not None or not problem.risk_measure.is_quadratic:
        return least
    variances, directions = np.linalg.eigh(problem.moments.covariance)
    risky = directions[:, variances > RISK_FREE * variances[-1]].T
    if len(risky) == len(variances):
        return least
    exposures = [
        Linear(f"{SAME_RISK_LABEL} {i}", dict(zip(least.symbols, row.tolist(), strict=True)), value, value)
        for i, (row, value) in enumerate(zip(risky, (risky @ least.weights).tolist(), strict=True))
    ]
    same_risk = replace(problem, objective=MaxReturn(), constraints=(*problem.constraints, *exposures))
    try:
        found = solve(same_risk, check_cancelled)
    except (InfeasibleProblem, NotSupported, SolverFailed):
        return least  # rounding of the exposures, or rows of equal exposure that are refused, as too many are
    return found if found.expected_return_annual > least.expected_return_annual else least


def portfolios_between(
    problem: Problem, returns: Iterable[float], check_cancelled: Callable[[], None]
) -> Iterator[Solution]:
    """The portfolios of least risk with at least each of these annual returns. Raises what `solve` raises."""
    for wanted in returns:
        floor = ReturnFloor(FLOOR_LABEL, wanted)
        yield solve(replace(problem, objective=MinRisk(), constraints=(*problem.constraints, floor)), check_cancelled)


def spaced_returns(highest: Solution, least: Solution, points: int) -> list[float]:
    """Annual returns between the two, evenly spaced, without the two themselves."""
    both = highest.expected_return_annual, least.expected_return_annual
    inner: list[float] = np.linspace(*both, points)[1:-1].tolist()
    return inner


def _has_corners(problem: Problem, limits: FeasibleSet) -> bool:
    """Whether the critical line traces the whole frontier."""
    plain = limits.is_linear and len(limits.rows) == 1 and limits.rows[0].is_budget and not limits.absolute_sums
    return plain and problem.risk_measure.is_quadratic and bool(np.isfinite(limits.lower).all())


def _leaves_room(limits: FeasibleSet) -> bool:
    """Whether bounds leave room on both sides of the budget: no program is needed to see that weights keep both."""
    inside = float(limits.lower.sum()) < limits.rows[0].upper < float(limits.upper.sum())
    return inside and bool((limits.lower <= limits.upper).all())


class _CornerFrontier:
    """The mean-variance frontier within weight bounds and a budget, in scaled figures."""

    def __init__(self, problem: Problem, limits: FeasibleSet, check_cancelled: Callable[[], None]) -> None:
        if not _leaves_room(limits) and not is_feasible(limits, check_cancelled=check_cancelled):
            raise conflict(limits, check_cancelled)
        moments = problem.moments
        self._problem, self._limits, self._check_cancelled = problem, limits, check_cancelled
        self._polytope = limits.polytope()
        self._covariance = moments.covariance / problem.variance_scale
        self._means = moments.expected_returns / (float(np.abs(moments.expected_returns).max()) or 1.0)

    def corners(self) -> Iterator[Solution]:
        """Every corner portfolio. Raises NotSupported where the covariance leaves some of them open."""
        last = None
        try:
            for corner in self._found():
                if last is None or np.abs(corner.weights - last.weights).max() > SAME:
                    last = corner
                    yield self._verified(corner)
        except SolverFailed as error:
            raise NotSupported(
                "corner portfolios need a covariance that is not close to singular; give points instead"
            ) from error

    def spaced(self, points: int) -> Iterator[Solution]:
        """Between two corners every efficient portfolio is a mixture of them, and so are its multipliers.

        Where the critical line has no proof, as with a singular covariance, each point is a program of its own.
        """
        try:
            found = list(self._found())
            mixtures = self._mixtures(found, points)
            solutions = [self._verified(mixture) for mixture in mixtures]
        except SolverFailed:
            yield from _spaced(self._problem, points, self._check_cancelled)
            return
        yield from solutions

    def _mixtures(self, found: list[Corner], points: int) -> Iterator[Corner]:
        returns = np.array([float(self._means @ corner.weights) for corner in found])
        for value in np.linspace(returns[0], returns[-1], points).tolist():
            after = min(int(np.searchsorted(-returns, -value)), len(found) - 1)
            before = max(after - 1, 0)
            drop = float(returns[before] - returns[after])
            fraction = (float(returns[before]) - value) / drop if drop > 0.0 else 1.0
            yield found[before].towards(found[after], min(max(fraction, 0.0), 1.0))

    def _found(self) -> Iterator[Corner]:
        limits, budget = self._limits, self._limits.rows[0].upper
        start = None
        if is_tied(self._means, limits.lower, limits.upper, budget):
            problem = self._problem
            highest = solve(replace(problem, objective=MaxReturn()), self._check_cancelled).expected_return_annual
            floor = ReturnFloor(FLOOR_LABEL, highest - TIE_ROOM * abs(highest))
            start = solve(replace(problem, constraints=(*problem.constraints, floor)), self._check_cancelled).weights
        for corner in corners(self._means, self._covariance, limits.lower, limits.upper, budget, start):
            self._check_cancelled()
            yield corner

    def _verified(self, corner: Corner) -> Solution:
        """A corner is the answer to the quadratic program at its own trade-off, and that is what is proven."""
        means, covariance = self._means, self._covariance
        program = Program(covariance, -corner.trade_off * means, self._polytope)
        answer = ProgramSolution(corner.weights, np.array([-corner.multiplier]), "critical line", corner.step)
        # The objective may cross 0 along the frontier: what a gap is measured against is its two parts.
        variance = float(corner.weights @ covariance @ corner.weights)
        parts = 0.5 * variance + corner.trade_off * abs(float(means @ corner.weights))
        gap = gap_to_bound(program.value(corner.weights), proven_bound(program, answer), max(parts, VALUE_FLOOR))
        name = "critical line"
        candidate = Candidate(corner.weights, Engine.FAST, name, solver_version(name), corner.step, gap)
        return verify(self._problem, candidate, self._limits)


def _spaced(problem: Problem, points: int, check_cancelled: Callable[[], None]) -> Iterator[Solution]:
    if points == 1:
        yield solve(replace(problem, objective=MaxReturn()), check_cancelled)
        return
    highest, least = frontier_ends(problem, check_cancelled)
    yield highest
    yield from portfolios_between(problem, spaced_returns(highest, least, points), check_cancelled)
    yield least
