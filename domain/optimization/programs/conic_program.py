"""A conic program: min x'Px / 2 + q'x with affine expressions of x in cones."""

from dataclasses import field
from enum import IntEnum

from domain.checks import Matrix, Vector
from domain.optimization.programs.affine import Affine, constant
from domain.optimization.programs.solver_control import UNLIMITED, SolverControl
from domain.records import dataclass


class ConeKind(IntEnum):
    """Cones in the order in which they are passed."""

    ZERO = 0
    NONNEGATIVE = 1
    SECOND_ORDER = 2
    EXPONENTIAL = 3
    POWER = 4
    SEMIDEFINITE = 5


@dataclass(frozen=True, slots=True)
class ConeBlock:
    """Expressions that must lie in a cone, or in several cones of the same kind and size."""

    kind: ConeKind
    expressions: Affine
    size: int  # of one cone; the block holds as many as its expressions fill
    exponent: float = 0.0
    order: int = 0  # of the matrix, where it is one


@dataclass(frozen=True, slots=True)
class ConicSolution:
    """What Clarabel returned: a point, multipliers of each block in the order they were added, and a proven bound."""

    point: Vector
    multipliers: tuple[Vector, ...]
    bound: float  # no feasible point has a smaller objective
    gap: float  # of the solver's own value to that, relative, and what it misses of the cones
    iterations: int


@dataclass
class ConicProgram:
    """Minimise x'Cx / 2 + linear(x) with the expressions of every block in their cones."""

    columns: int = 0
    blocks: list[ConeBlock] = field(default_factory=list)
    linear: Affine = field(default_factory=lambda: constant(0.0))
    curvature: Matrix | None = None  # (k, k) of k variables next to one another
    curved_from: int = 0  # the first of these
    control: SolverControl = UNLIMITED

    @property
    def is_linear(self) -> bool:
        """Whether there is no cone but halfspaces, and no curvature."""
        return self.curvature is None and all(block.kind <= ConeKind.NONNEGATIVE for block in self.blocks)

    @property
    def has_matrices(self) -> bool:
        """Whether some expressions form a positive semidefinite matrix."""
        return any(block.kind is ConeKind.SEMIDEFINITE for block in self.blocks)
