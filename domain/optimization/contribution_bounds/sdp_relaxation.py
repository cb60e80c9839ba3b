"""SDP relaxation of quadratic programs with bounds on risk contributions: a lower bound, and a point to start from.

In z, weights times volatilities and of any size, a fraction of the risk is z_i (Kz)_i / z'Kz, K the correlation. With
Z = zz' it is linear in Z, and so is a quadratic objective. The relaxation asks of Z only what holds for every zz': that
it is positive semidefinite (Shor 1987), that the products of two linear limits are 0 or more (Sherali & Adams 1999),
and those of a linear limit with the cone of a lower bound (Sturm & Zhang 2003).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix, Vector
from domain.errors import SolverFailed
from domain.optimization.conic.conic_problem import covariance_root
from domain.optimization.programs.affine import Affine, stacked
from domain.optimization.programs.conic_model import ConicModel
from domain.optimization.programs.solver_control import SolverControl
from domain.records import dataclass

Indices = NDArray[np.intp]

CONE_PRODUCTS = 150
"""Most products of limits with cones in one program: each is a cone of its own."""

WORTH_IT = 0.3
"""Lower bounds that add up to less cut off little, and their products cost as much as all else."""

SMALL_MISS = 1e-11
"""What a local solution may miss of a bound on a fraction; it is aimed at the inside by as much."""

ENOUGH_STEPS = 400

DIVERGED = 1e12
"""An entry this large, of figures of about one, is no relaxation's."""


@dataclass(frozen=True, slots=True)
class ContributionProgram:
    """min z'Cz over z >= 0, cut . z = 1, rows z >= 0, equal z = 0, in figures of about one."""

    objective: Matrix  # C, (N, N)
    cut: Vector  # (N,)
    rows: Matrix  # (M, N)
    equal: Matrix  # (E, N)
    correlation: Matrix  # K, (N, N)

    @property
    def n_assets(self) -> int:
        """N."""
        return len(self.cut)

    def value(self, point: Vector) -> float:
        """The objective."""
        return float(point @ self.objective @ point)

    def contributions(self, point: Vector) -> Vector:
        """Of the variance, (N,)."""
        marginal_risk = self.correlation @ point
        variance = float(point @ marginal_risk)
        return point * marginal_risk / variance if variance > 0.0 else np.zeros(len(point))


@dataclass(frozen=True, slots=True)
class SdpRelaxation:
    """The bound and the point of a relaxation."""

    bound: float  # no point has a smaller objective
    point: Vector  # (N,), the first moment of the matrix: a place to start from
    matrix: Matrix  # (N, N)


def solve_sdp_relaxation(
    program: ContributionProgram, lower: Vector, upper: Vector, control: SolverControl
) -> SdpRelaxation | None:
    """The relaxation for fractions between bounds, (N,), infinite where there are none; None where it is empty."""
    n_assets, correlation = program.n_assets, program.correlation
    columns, rows = _triangle(n_assets)
    diagonal = rows == columns
    model = ConicModel(control=control)
    entries = model.positive(len(rows))  # products of z >= 0 with itself
    model.semidefinite(entries.times(np.where(diagonal, 1.0, 2.0**0.5)), n_assets)

    def traced(matrices: Matrix) -> Affine:
        """<A, Z> for matrices (k, N, N)."""
        both = matrices[:, rows, columns] + matrices[:, columns, rows]
        return entries.under(np.where(diagonal, 0.5, 1.0) * both)

    model.zero(traced(np.outer(program.cut, program.cut)[None]) - 1.0)
    units = np.eye(n_assets)
    firm = np.flatnonzero(lower > 0.0)
    # Where a fraction is above 0, so is what it is a product of.
    linear = np.vstack([program.rows, correlation[firm]])
    if len(linear):
        model.nonnegative(traced(linear[:, :, None] * program.cut[None, None, :]))
        model.nonnegative(traced((linear[:, None, :, None] * units[None, :, None, :]).reshape(-1, n_assets, n_assets)))
        first, second = np.triu_indices(len(linear))
        model.nonnegative(traced(linear[first][:, :, None] * linear[second][:, None, :]))
    for row in program.equal:
        model.zero(traced(row[None, :, None] * units[:, None, :]))
    carried = np.zeros((n_assets, n_assets, n_assets))
    carried[np.arange(n_assets), np.arange(n_assets)] = correlation  # <carried_i, Z> = (KZ)_ii
    for ends, sign in ((lower, 1.0), (upper, -1.0)):
        held = np.flatnonzero(np.isfinite(ends))
        if len(held):
            model.nonnegative(traced(sign * (carried[held] - ends[held, None, None] * correlation)))
    _add_cones(model, traced, program, lower, firm)
    model.minimise(traced(program.objective[None]))
    answer = model.solve()
    if answer is None:
        return None
    matrix = np.zeros((n_assets, n_assets))
    matrix[rows, columns] = matrix[columns, rows] = entries.value(answer.point)
    if float(np.abs(matrix).max()) > DIVERGED:
        raise SolverFailed("Clarabel's matrix diverged")
    return SdpRelaxation(answer.bound, matrix @ program.cut, matrix)


def _add_cones(
    model: ConicModel, traced: Callable[[Matrix], Affine], program: ContributionProgram, lower: Vector, firm: Indices
) -> None:
    """|(x - p, 2 root(b) F z)| <= x + p for x = z_i, p = (Kz)_i, times cut . z = 1 and times each z_j >= 0."""
    root, units = covariance_root(program.correlation), np.eye(program.n_assets)
    factors = [program.cut]
    if len(firm) * program.n_assets <= CONE_PRODUCTS and float(lower[firm].sum()) >= WORTH_IT:
        factors += list(units)
    for i in firm.tolist():
        for factor in factors:
            x = traced(units[i][None, :, None] * factor[None, None, :])
            marginal_risk = traced(program.correlation[i][None, :, None] * factor[None, None, :])
            spread = traced(root[:, :, None] * factor[None, None, :])
            model.second_order(
                x + marginal_risk, stacked(x - marginal_risk, spread.times(2.0 * float(lower[i]) ** 0.5))
            )


def local_solution(
    program: ContributionProgram,
    lower: Vector,
    upper: Vector,
    start: Vector,
    check_cancelled: CancellationCheck = never_cancelled,
) -> Vector | None:
    """A point that no small step improves, by sequential quadratic programs; None where they end outside."""
    from scipy.optimize import minimize  # only where it is used

    correlation, held_up, held_down = program.correlation, np.isfinite(upper), np.isfinite(lower)

    def room(z: Vector) -> Vector:
        check_cancelled()
        marginal_risk = correlation @ z
        variance = float(z @ marginal_risk)
        carried = z * marginal_risk
        contributions = np.concatenate(
            [upper[held_up] * variance - carried[held_up], carried[held_down] - lower[held_down] * variance]
        )
        return np.concatenate([contributions - SMALL_MISS, program.rows @ z])

    def jacobian(z: Vector) -> Matrix:
        marginal_risk = correlation @ z
        each = np.diag(marginal_risk) + z[:, None] * correlation
        parts = [2.0 * np.outer(upper[held_up], marginal_risk) - each[held_up]]
        parts += [each[held_down] - 2.0 * np.outer(lower[held_down], marginal_risk), program.rows]
        return np.vstack(parts)

    exact = np.vstack([program.cut, program.equal])
    ends = np.append(1.0, np.zeros(len(program.equal)))
    with np.errstate(all="ignore"):
        found = minimize(
            program.value,
            start,
            jac=lambda z: 2.0 * program.objective @ z,
            method="SLSQP",
            bounds=[(0.0, None)] * program.n_assets,
            constraints=[
                {"type": "eq", "fun": lambda z: exact @ z - ends, "jac": lambda _: exact},
                {"type": "ineq", "fun": room, "jac": jacobian},
            ],
            options={"ftol": 1e-15, "maxiter": ENOUGH_STEPS},
        )
    point = np.asarray(found.x, dtype=np.float64)
    if not np.isfinite(point).all():
        return None
    missed = max(-float(room(point).min(initial=0.0)), float(np.abs(exact @ point - ends).max()))
    return np.maximum(point, 0.0) if missed <= 1e-9 else None


def _triangle(n_assets: int) -> tuple[Indices, Indices]:
    """Columns and rows of the upper triangle, column by column."""
    columns, rows = np.tril_indices(n_assets)
    return columns, rows
