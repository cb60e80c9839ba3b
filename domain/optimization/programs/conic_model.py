"""Builds a conic program block by block: variables, and affine expressions of them that must lie in a cone."""

import numpy as np

from domain.checks import Matrix
from domain.optimization.problem.polytope import Polytope
from domain.optimization.programs.affine import Affine, interleaved, stacked
from domain.optimization.programs.clarabel import solve_conic
from domain.optimization.programs.conic_program import ConeBlock, ConeKind, ConicProgram, ConicSolution
from domain.optimization.programs.linear import solve_linear
from domain.optimization.programs.program import Program, ProgramSolution


class ConicModel(ConicProgram):
    """A conic program while it is written: each method adds variables, or expressions in a cone."""

    def variables(self, count: int) -> Affine:
        """New variables, free until something bounds them."""
        indices = np.arange(self.columns, self.columns + count)
        self.columns += count
        return Affine(np.arange(count), indices, np.ones(count), np.zeros(count))

    def positive(self, count: int) -> Affine:
        """New variables of 0 or more."""
        found = self.variables(count)
        self.nonnegative(found)
        return found

    def zero(self, expressions: Affine) -> int:
        """They must be 0; the number of the block."""
        return self._add(ConeBlock(ConeKind.ZERO, expressions, len(expressions)))

    def nonnegative(self, expressions: Affine) -> int:
        """They must be 0 or more; the number of the block."""
        return self._add(ConeBlock(ConeKind.NONNEGATIVE, expressions, len(expressions)))

    def second_order(self, bound: Affine, expressions: Affine) -> int:
        """Their Euclidean norm is at most the bound."""
        return self._add(ConeBlock(ConeKind.SECOND_ORDER, stacked(bound, expressions), 1 + len(expressions)))

    def products(self, squared: Affine, first: Affine, second: Affine) -> None:
        """squared^2 <= first second, one by one, as |(first - second, 2 squared)| <= first + second."""
        self._add(ConeBlock(ConeKind.SECOND_ORDER, interleaved(first + second, first - second, 2.0 * squared), 3))

    def exponential(self, x: Affine, y: Affine, z: Affine) -> None:
        """y exp(x / y) <= z, one by one."""
        self._add(ConeBlock(ConeKind.EXPONENTIAL, interleaved(x, y, z), 3))

    def power(self, x: Affine, y: Affine, z: Affine, exponent: float) -> None:
        """x^exponent y^(1 - exponent) >= |z|, one by one."""
        self._add(ConeBlock(ConeKind.POWER, interleaved(x, y, z), 3, exponent))

    def semidefinite(self, triangle: Affine, order: int) -> None:
        """The symmetric matrix of this order is positive semidefinite; `triangle` is its upper one, column by column,
        what is off the diagonal times the root of 2."""
        self._add(ConeBlock(ConeKind.SEMIDEFINITE, triangle, len(triangle), order=order))

    def minimise(self, expression: Affine, curvature: Matrix | None = None) -> None:
        """Sets the objective: the expression, plus x'Cx / 2 of the first variables."""
        self.linear, self.curvature = expression, curvature

    def _add(self, block: ConeBlock) -> int:
        self.blocks.append(block)
        return len(self.blocks) - 1

    def solve(self, *, again: bool = False) -> ConicSolution | None:
        """The minimiser, or None where the program is empty; `again` where a first answer is not exact enough.

        Raises UnboundedProblem, SolverTimedOut or SolverFailed.
        """
        return solve_conic(self, again=again)

    def vertex(self) -> ProgramSolution | None:
        """A vertex that minimises a linear program, or None where it is empty. Raises as `solve` does."""
        everything = stacked(*(block.expressions for block in self.blocks))
        matrix = np.zeros((len(everything), self.columns))
        np.add.at(matrix, (everything.rows, everything.columns), everything.values)
        equal = np.concatenate([np.full(len(b.expressions), b.kind is ConeKind.ZERO) for b in self.blocks])
        linear, free = np.zeros(self.columns), np.full(self.columns, np.inf)
        np.add.at(linear, self.linear.columns, self.linear.values)
        lower = 0.0 - everything.constant
        polytope = Polytope(matrix, lower, np.where(equal, lower, np.inf), -free, free)
        return solve_linear(Program(None, linear, polytope), self.control)
