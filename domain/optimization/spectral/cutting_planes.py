"""Cutting planes: a linear function plus a spectral risk, minimised over a polytope.

A risk that weighs losses by rank is the highest of its own q-mean losses over all reweightings q that its weights can
make of the scenarios. The q of a portfolio comes from sorting its outcomes, and no weights have less risk than their
q-mean loss: each q is a cut (Kelley 1960; Kunzi-Bay & Mayer 2006 for CVaR). A few dozen cuts in a program with a
variable for each asset take the place of a program with a row for each scenario.
"""

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import SolverFailed
from domain.optimization.problem.polytope import Polytope
from domain.optimization.programs.duality import proven_bound
from domain.optimization.programs.linear import IncrementalProgram
from domain.optimization.programs.program import Program, ProgramSolution
from domain.optimization.programs.solver_control import UNLIMITED, SolverControl
from domain.records import dataclass
from domain.risk.measures.spectral import Spectrum, loss_weights

TOGETHER = 1e-10
"""Bound and best value this close, relative to the larger of the value and one, are one."""

TOGETHER_FRACTION = 0.1
"""The same as a fraction of a looser tolerance."""

PATIENCE = 60
"""Cuts in a row that improve neither the bound nor the best value before it ends as it is."""

CUTS = 3000
"""The most cuts: twice the 1,543 that the least Gini mean difference of 50 assets took over 1,000 fat-tailed scenarios.
What is found by then is judged by its gap: one too wide is SolverFailed."""

HOLD = 0.5
"""How far the next portfolio stays with the best one: steps that stop short need about half the cuts."""

NEAR = 1e-3
"""Relative gap from which a risk with few pieces is cut at the vertices themselves, where it ends exactly."""

FEW = 4
"""Different weights of ranks, up to which a risk has few pieces: CVaR has a tail, a border and the rest."""


@dataclass(frozen=True, slots=True)
class CuttingPlanes:
    """Cuts of a spectral risk: its value and a subgradient at any weights."""

    returns: Matrix  # (S, N), scaled
    probabilities: Vector
    spectrum: Spectrum

    @property
    def has_few_pieces(self) -> bool:
        """Whether most ranks weigh the same."""
        ranks = np.linspace(0.0, 1.0, len(self.returns) + 1)
        return len(np.unique(np.diff(self.spectrum(ranks)).round(12))) <= FEW

    def cut(self, weights: Vector) -> tuple[float, Vector]:
        """The risk of weights, and the gradient by which no others have less: risk(v) >= gradient . v."""
        outcomes = self.returns @ weights
        gradient = -(loss_weights(outcomes, self.spectrum, self.probabilities) @ self.returns)
        return float(gradient @ weights), gradient


@dataclass(frozen=True, slots=True)
class SpectralProgram:
    """Minimise linear . x + factor * risk over a polytope, the first N variables being what the risk is of."""

    cutting_planes: CuttingPlanes
    linear: Vector  # (n,)
    factor: float  # above 0
    polytope: Polytope
    least: float = -np.inf  # a bound of the risk that is known beforehand

    @property
    def n_assets(self) -> int:
        """N."""
        return len(self.cutting_planes.returns[0])

    def tangent(self, gradient: Vector) -> Program:
        """The linear program with a cut, or a mixture of cuts, in the place of the risk: nowhere above it."""
        cost = self.linear.copy()
        cost[: self.n_assets] += self.factor * gradient
        return Program(None, cost, self.polytope)


@dataclass(frozen=True, slots=True)
class Incumbent:
    """The best point so far, and the mixture of cuts that proves its bound."""

    point: Vector  # (n,)
    value: float
    tangent: Program
    answer: ProgramSolution  # of the tangent
    gradients: Matrix  # (K, N), the cuts in the mixture
    cuts: int  # that were made

    @property
    def bound(self) -> float:
        """No point of the polytope has a smaller value."""
        return proven_bound(self.tangent, self.answer)


def minimise_by_cuts(program: SpectralProgram, start: Vector, control: SolverControl = UNLIMITED) -> Incumbent:
    """The minimiser, from any point of the polytope. Raises SolverTimedOut, SolverFailed."""
    n_assets, polytope = program.n_assets, program.polytope
    columns, rows = len(polytope.lower), len(polytope.matrix)
    master = IncrementalProgram(_master(program), control)
    best, best_value, bound, idle = start, np.inf, -np.inf, 0
    together = max(TOGETHER, TOGETHER_FRACTION * control.tolerance)
    point, gradients, few_pieces = start, list[Vector](), program.cutting_planes.has_few_pieces
    for _ in range(CUTS):
        control()
        risk, gradient = program.cutting_planes.cut(point[:n_assets])
        value = float(program.linear @ point) + program.factor * risk
        gradients.append(gradient)
        # The level is above the mean loss of every reweighting: level - gradient . w >= 0.
        master.add_row(np.concatenate([-gradient, np.zeros(columns - n_assets), [1.0]]), 0.0)
        idle += 1
        if value < best_value:
            idle = 0 if value < best_value - TOGETHER * abs(best_value) else idle
            best, best_value = point, value
        answer = _vertex(master)
        reached = float(program.linear @ answer.point[:-1]) + program.factor * float(answer.point[-1])
        idle = 0 if reached > bound + TOGETHER * abs(bound) else idle
        bound = max(bound, reached)
        if best_value - bound <= together * max(1.0, abs(best_value)) or idle > PATIENCE:
            break
        hold = 0.0 if few_pieces and best_value - bound <= NEAR * abs(best_value) else HOLD
        point = hold * best + (1.0 - hold) * answer.point[:-1]
    # The multipliers of the last master's cuts mix them into one cut; those of its limits belong to that cut.
    mixture = np.maximum(-answer.row_multipliers[rows:], 0.0)
    mixed: Vector = (mixture / (mixture.sum() or 1.0)) @ np.array(gradients)
    of_limits = ProgramSolution(answer.point[:-1], answer.row_multipliers[:rows], answer.solver, answer.iterations)
    return Incumbent(
        best, best_value, program.tangent(mixed), of_limits, np.array(gradients)[mixture > 0.0], len(gradients)
    )


def _vertex(master: IncrementalProgram) -> ProgramSolution:
    answer = master.solve()
    if answer is None:
        raise SolverFailed("HiGHS takes a feasible set for empty")
    return answer


def _master(program: SpectralProgram) -> Program:
    """One more variable in the place of the risk, which every cut holds up."""
    polytope = program.polytope
    matrix = np.hstack([polytope.matrix, np.zeros((len(polytope.matrix), 1))])
    lower, upper = np.append(polytope.lower, program.least), np.append(polytope.upper, np.inf)
    cost = np.append(program.linear, program.factor)
    return Program(None, cost, Polytope(matrix, polytope.row_lower, polytope.row_upper, lower, upper))
