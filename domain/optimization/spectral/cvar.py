"""The least CVaR by the linear program of its tail alone, or of many scenarios by their border (see `large_tail`).

Rockafellar & Uryasev 2000, equation 17, minimises level + sum p_s u_s / (1 - confidence) with u_s >= loss_s - level and
u_s >= 0. Scenarios whose loss stays below the level have u_s = 0, so the program starts with the worst scenarios of
even weights and takes in those whose loss turns out above the level, until there are none: what was left out then
changes nothing, and before that it only makes the minimum smaller. The multipliers of the scenarios are the reweighting
that proves the bound (see `spectral_risk`).
"""

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.errors import SolverFailed, UnboundedProblem
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.polytope import Polytope
from domain.optimization.problem.problem import Problem
from domain.optimization.problem.size_limits import MOST_ENTRIES
from domain.optimization.programs.linear import IncrementalProgram
from domain.optimization.programs.program import Program, ProgramSolution
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.spectral.cutting_planes import Incumbent, SpectralProgram
from domain.optimization.spectral.spectral_risk import (
    SpectralProof,
    feasible_point,
    has_large_tail,
    large_tail_minimiser,
    minimum_spectral_risk,
    spectral_risk_of,
)

Indices = NDArray[np.intp]

FIRST = 3.0
"""Scenarios to start with, as a multiple of the tail's probability: two or three rounds end it."""

ABOVE = 1e-10
"""A scaled loss this far above the level counts as above it."""


def minimum_cvar(problem: Problem, limits: FeasibleSet, control: SolverControl) -> SpectralProof | None:
    """The least CVaR under linear limits, None where no weights keep them.

    Raises NotSupported without scenarios, UnboundedProblem, SolverTimedOut, SolverFailed.
    """
    scenarios = problem.risk.distribution
    polytope = limits.polytope()
    if (polytope.lower > polytope.upper).any():
        return None
    risk = spectral_risk_of(problem.risk)
    if has_large_tail(len(scenarios.values), len(polytope.lower)):
        start = feasible_point(limits, polytope, control)
        if start is None:
            return None
        program = SpectralProgram(risk.cutting_planes, np.zeros(len(polytope.lower)), 1.0, polytope)
        found = large_tail_minimiser(risk, program, start, control)
        if found is not None:
            return SpectralProof(limits, problem.risk.of, found, risk.scale)
    unit = risk.scale
    tail = 1.0 - problem.confidence_level
    possible = np.flatnonzero(scenarios.probabilities > 0.0)
    returns, prices = scenarios.values[possible] / unit, scenarios.probabilities[possible] / tail
    even = returns.sum(axis=1)
    worst = np.argsort(even)
    first = int(np.searchsorted(np.cumsum(prices[worst]), FIRST)) + 1
    if _entries(polytope, len(worst)) > MOST_ENTRIES:
        # Cuts need no row for each scenario.
        return minimum_spectral_risk(limits, risk, control)
    try:
        found = _TailProgram(returns, prices, polytope, worst[:first], control).solved()
    except UnboundedProblem:
        # What was left out may be what holds it.
        found = _TailProgram(returns, prices, polytope, worst, control).solved()
    if found is None:
        return None
    return SpectralProof(limits, problem.risk.of, found, unit)


def _entries(polytope: Polytope, scenarios: int) -> int:
    """Coefficients of the program with so many scenarios."""
    return (len(polytope.matrix) + scenarios) * (len(polytope.lower) + 1 + scenarios)


class _TailProgram:
    """The program with the scenarios that are in it so far."""

    def __init__(
        self, returns: Matrix, prices: Vector, polytope: Polytope, first: Indices, control: SolverControl
    ) -> None:
        self._returns, self._prices, self._polytope = returns, prices, polytope
        self._inside = np.zeros(len(returns), dtype=bool)
        self._inside[first] = True
        self._order, self._control = first, control
        self._columns = len(polytope.lower)
        program = _program(returns[first], prices[first], polytope)
        self._program = IncrementalProgram(program, control)

    def solved(self) -> Incumbent | None:
        """The point of least risk with the reweighting that proves it, None where there are no weights.

        Raises as `minimum_cvar` does.
        """
        rows, n_assets, iterations = len(self._polytope.matrix), self._returns.shape[1], 0
        # Each round but the last takes in at least one scenario.
        for _ in range(1 + int(np.count_nonzero(~self._inside))):
            self._control()
            answer = self._program.solve()
            if answer is None:
                return None
            iterations += answer.iterations
            weights, level = answer.point[:n_assets], float(answer.point[self._columns])
            above = -(self._returns @ weights) - level
            missed = np.flatnonzero((above > ABOVE) & ~self._inside)
            if not len(missed):
                probabilities = np.maximum(-answer.row_multipliers[rows:], 0.0)
                gradient = -(probabilities / probabilities.sum()) @ self._returns[self._order]
                point, row_multipliers = answer.point[: self._columns], answer.row_multipliers[:rows]
                tangent = Program(None, np.append(gradient, np.zeros(self._columns - n_assets)), self._polytope)
                of_limits = ProgramSolution(point, row_multipliers, answer.solver, iterations)
                return Incumbent(point, float(gradient @ weights), tangent, of_limits, gradient[None, :], iterations)
            self._add_scenarios(missed)
        raise SolverFailed(f"the least CVaR was not found with all {len(self._returns)} scenarios taken in")

    def _add_scenarios(self, missed: Indices) -> None:
        self._inside[missed] = True
        self._order = np.append(self._order, missed)
        for index in missed.tolist():
            coefficients = np.zeros(self._columns + 1)
            coefficients[: self._returns.shape[1]], coefficients[-1] = self._returns[index], 1.0
            self._program.add_soft_row(coefficients, 0.0, float(self._prices[index]))


def _program(returns: Matrix, prices: Vector, polytope: Polytope) -> Program:
    """Over the variables of the polytope, the level, and what each scenario loses above it."""
    (count, n_assets), (rows, columns) = returns.shape, polytope.matrix.shape
    matrix = np.zeros((rows + count, columns + 1 + count))
    matrix[:rows, :columns] = polytope.matrix
    matrix[rows:, :n_assets], matrix[rows:, columns] = returns, 1.0
    matrix[rows:, columns + 1 :] = np.eye(count)
    more, open_ends = np.zeros(count), np.full(count, np.inf)
    extended = Polytope(
        matrix,
        np.concatenate([polytope.row_lower, more]),
        np.concatenate([polytope.row_upper, open_ends]),
        np.concatenate([polytope.lower, [-np.inf], more]),
        np.concatenate([polytope.upper, [np.inf], open_ends]),
    )
    return Program(None, np.concatenate([np.zeros(columns), [1.0], prices]), extended)
