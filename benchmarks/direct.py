"""The same matrices given directly to solvers: OSQP, Clarabel, PIQP and HiGHS, without any library between.

What is converted once, such as a matrix to columns, is converted outside the clock. Setting up a solver is part of a
job. Covariances are scaled, and tolerances are those of our certificates, so that answers can be compared.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
import scipy.sparse as sp
from constrained import BAND, TRADES, Limits
from market import Array, Market, Run
from numpy.typing import NDArray

SCALE = 1e4
"""Daily variances are about 1e-4: on raw ones the solvers stop early."""

TOLERANCE = 1e-8
LARGE = 1e30
TIME_LIMIT = 60.0
LEVEL = 0.95


@dataclass(frozen=True)
class Program:
    """Least x'Px / 2 + q'x with row_lower <= A x <= row_upper and lower <= x <= upper; infinite where there is none."""

    hessian: Array | None
    linear: Array
    rows: Array
    row_lower: Array
    row_upper: Array
    lower: Array
    upper: Array

    @property
    def equal(self) -> NDArray[np.bool_]:
        """Which rows are equations."""
        return self.row_lower == self.row_upper


Session = Callable[[Array | None], Array]
"""Solves a program that a solver has been given, with other lower ends of rows if there are any; returns x."""

Solver = Callable[[Program], Callable[[], Session]]
"""Converts a program once; what it returns gives the program to the solver."""


def osqp_solver(program: Program) -> Callable[[], Session]:
    """OSQP; later solves start from the last answer."""
    import osqp

    size = len(program.linear)
    hessian = sp.csc_matrix((size, size)) if program.hessian is None else sp.triu(program.hessian, format="csc")
    matrix = sp.vstack([sp.csc_matrix(program.rows), sp.eye(size)], format="csc")
    upper = np.append(program.row_upper, program.upper)

    def start() -> Session:
        solver = osqp.OSQP()
        lower = np.append(program.row_lower, program.lower)
        settings = {"eps_abs": TOLERANCE, "eps_rel": TOLERANCE, "max_iter": 200_000, "time_limit": TIME_LIMIT}
        solver.setup(hessian, program.linear, matrix, lower, upper, verbose=False, polishing=True, **settings)

        def solve(row_lower: Array | None) -> Array:
            if row_lower is not None:
                solver.update(l=np.append(row_lower, program.lower))
            found = solver.solve(raise_error=True)
            return np.asarray(found.x)

        return solve

    return start


def clarabel_solver(program: Program, tolerance: float = TOLERANCE) -> Callable[[], Session]:
    """Clarabel; each solve sets it up anew, which is small beside the solve."""
    import clarabel

    equal, size = program.equal, len(program.linear)
    above, below = np.isfinite(program.row_upper) & ~equal, np.isfinite(program.row_lower) & ~equal
    capped, floored = np.isfinite(program.upper), np.isfinite(program.lower)
    eye = sp.eye(size, format="csr")
    rows = sp.csr_matrix(program.rows)
    matrix = sp.vstack([rows[equal], rows[above], -rows[below], eye[capped], -eye[floored]], format="csc")
    hessian = sp.csc_matrix((size, size)) if program.hessian is None else sp.triu(program.hessian, format="csc")
    cones = [clarabel.ZeroConeT(int(equal.sum())), clarabel.NonnegativeConeT(matrix.shape[0] - int(equal.sum()))]
    settings = clarabel.DefaultSettings()
    settings.verbose, settings.max_threads, settings.time_limit = False, 1, TIME_LIMIT
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tolerance

    def solve(row_lower: Array | None) -> Array:
        lower = program.row_lower if row_lower is None else row_lower
        ends = [program.row_upper[equal], program.row_upper[above], -lower[below]]
        right = np.concatenate([*ends, program.upper[capped], -program.lower[floored]])
        found = clarabel.DefaultSolver(hessian, program.linear, matrix, right, cones, settings).solve()
        if str(found.status) not in ("Solved", "AlmostSolved"):
            raise RuntimeError(str(found.status))
        return np.asarray(found.x)

    return lambda: solve


def piqp_solver(program: Program) -> Callable[[], Session]:
    """PIQP with dense matrices."""
    import piqp

    equal = program.equal
    if program.hessian is None:
        raise ValueError("only quadratic programs")
    hessian, upper = np.asfortranarray(program.hessian), np.minimum(program.row_upper[~equal], LARGE)
    equations, others = np.asfortranarray(program.rows[equal]), np.asfortranarray(program.rows[~equal])
    bounds = np.maximum(program.lower, -LARGE), np.minimum(program.upper, LARGE)

    def start() -> Session:
        solver = piqp.DenseSolver()
        settings = solver.settings
        settings.eps_abs = settings.eps_rel = TOLERANCE
        settings.eps_duality_gap_abs = settings.eps_duality_gap_rel = TOLERANCE
        lower = np.maximum(program.row_lower[~equal], -LARGE)
        solver.setup(hessian, program.linear, equations, program.row_upper[equal], others, lower, upper, *bounds)

        def solve(row_lower: Array | None) -> Array:
            if row_lower is not None:
                solver.update(h_l=np.maximum(row_lower[~equal], -LARGE))
            if solver.solve() != piqp.PIQP_SOLVED:
                raise RuntimeError("not solved")
            return np.array(solver.result.x)

        return solve

    return start


def highs_solver(program: Program) -> Callable[[], Session]:
    """HiGHS: its simplex method, or its active set where there is a Hessian."""
    import highspy

    matrix = sp.csc_matrix(program.rows)
    model = highspy.HighsModel()
    lp = model.lp_
    lp.num_col_, lp.num_row_ = len(program.linear), len(program.rows)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.linear, program.lower, program.upper
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    if program.hessian is not None:
        lower = sp.tril(program.hessian, format="csc")
        model.hessian_.dim_ = lp.num_col_
        model.hessian_.format_ = highspy.HessianFormat.kTriangular
        model.hessian_.start_, model.hessian_.index_, model.hessian_.value_ = lower.indptr, lower.indices, lower.data
    indices = np.arange(lp.num_row_, dtype=np.int32)

    def start() -> Session:
        solver: Any = highspy.Highs()
        for option, value in (("output_flag", False), ("threads", 1), ("time_limit", TIME_LIMIT)):
            solver.setOptionValue(option, value)
        solver.passModel(model)

        def solve(row_lower: Array | None) -> Array:
            if row_lower is not None:
                for row in indices[row_lower != program.row_lower]:
                    solver.changeRowBounds(int(row), float(row_lower[row]), float(program.row_upper[row]))
            solver.run()
            if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                raise RuntimeError(str(solver.getModelStatus()))
            return np.array(solver.getSolution().col_value)

        return solve

    return start


SOLVERS: Mapping[str, Solver] = {
    f"osqp {version('osqp')}": osqp_solver,
    f"clarabel {version('clarabel')}": clarabel_solver,
    f"piqp {version('piqp')}": piqp_solver,
    f"highs {version('highspy')}": highs_solver,
}


def min_variance_program(market: Market) -> Program:
    """Weights of at least 0 that sum to one."""
    count = len(market.names)
    one, inf = np.ones(1), np.full(count, np.inf)
    return Program(SCALE * market.covariance, np.zeros(count), np.ones((1, count)), one, one, np.zeros(count), inf)


def max_ratio_program(market: Market) -> Program:
    """Charnes and Cooper: least variance with an expected return of one, whatever the sum is."""
    program = min_variance_program(market)
    rows = market.means[None, :] / np.abs(market.means).max()
    return Program(**{**vars(program), "rows": rows})


def min_cvar_program(market: Market) -> Program:
    """Rockafellar and Uryasev 2000: variables w, the value at risk z, and what each loss exceeds it by."""
    dates, count = market.returns.shape
    linear = np.concatenate([np.zeros(count), [1.0], np.full(dates, 1.0 / ((1.0 - LEVEL) * dates))])
    budget = np.concatenate([np.ones(count), np.zeros(1 + dates)])
    excess = np.hstack([100.0 * market.returns, np.ones((dates, 1)), np.eye(dates)])
    lower = np.concatenate([np.zeros(count), [-np.inf], np.zeros(dates)])
    ends = np.append(1.0, np.zeros(dates)), np.append(1.0, np.full(dates, np.inf))
    return Program(None, linear, np.vstack([budget, excess]), *ends, lower, np.full(len(linear), np.inf))


def constrained_program(market: Market, limits: Limits) -> Program:
    """Least variance within limits; where turnover is limited, variables w and t >= |w - held|."""
    count, sectors = len(market.names), len(limits.sectors)
    rows = np.vstack([np.ones(count), limits.sectors])
    ends = np.append(1.0, np.full(sectors, BAND[0])), np.append(1.0, np.full(sectors, BAND[1]))
    lower, upper = np.zeros(count), np.full(count, limits.cap)
    if not limits.turnover:
        return Program(SCALE * market.covariance, np.zeros(count), rows, *ends, lower, upper)
    eye, none = np.eye(count), np.zeros((count, count))
    hessian = np.block([[SCALE * market.covariance, none], [none, none]])
    total = np.concatenate([np.zeros(count), np.ones(count)])
    rows = np.vstack([np.hstack([rows, np.zeros_like(rows)]), np.hstack([eye, -eye]), np.hstack([eye, eye]), total])
    inf = np.full(count, np.inf)
    row_lower = np.concatenate([ends[0], -inf, limits.held, [-np.inf]])
    row_upper = np.concatenate([ends[1], limits.held, inf, [2.0 * TRADES]])
    bounds = np.append(lower, lower), np.append(upper, inf)
    return Program(hessian, np.zeros(2 * count), rows, row_lower, row_upper, *bounds)


def direct_jobs(market: Market, points: int) -> Mapping[str, Mapping[str, Run]]:
    """For each solver its jobs."""
    return {peer: _jobs(solver, market, points) for peer, solver in SOLVERS.items()}


def direct_constrained(market: Market, limits: Limits) -> Mapping[str, Run]:
    """For each solver minimum variance within limits."""
    program, count = constrained_program(market, limits), len(market.names)
    return {peer: _once(solver(program), count) for peer, solver in SOLVERS.items()}


def _jobs(solver: Solver, market: Market, points: int) -> Mapping[str, Run]:
    count = len(market.names)
    jobs: dict[str, Run] = {"min_variance": _once(solver(min_variance_program(market)), count)}
    if (market.means > 0.0).any():
        jobs["max_ratio"] = _once(solver(max_ratio_program(market)), count, scaled=True)
    if solver in (clarabel_solver, highs_solver):  # the other two are made for quadratic programs
        jobs["min_cvar"] = _once(solver(min_cvar_program(market)), count)
    if solver is not highs_solver:  # its active set takes minutes for fifty of them
        jobs["frontier"] = partial(_frontier, solver(_frontier_program(market)), market, points)
    return jobs


def _once(start: Callable[[], Session], count: int, *, scaled: bool = False) -> Run:
    def run() -> Array:
        weights = start()(None)[:count]
        return weights / weights.sum() if scaled else weights

    return run


def _frontier_program(market: Market) -> Program:
    program = min_variance_program(market)
    rows = np.vstack([program.rows, market.means / np.abs(market.means).max()])
    ends = np.append(program.row_lower, -10.0), np.append(program.row_upper, np.inf)
    return Program(**{**vars(program), "rows": rows, "row_lower": ends[0], "row_upper": ends[1]})


def _frontier(start: Callable[[], Session], market: Market, points: int) -> Array:
    """The least variance, then floors on the return, evenly spaced up to the highest."""
    session = start()
    scaled = market.means / np.abs(market.means).max()
    least = session(None)
    floors = np.linspace(float(scaled @ least), float(scaled.max()), points)[1:-1]
    between = [session(np.array([1.0, floor])) for floor in floors]
    return np.array([least, *between, np.eye(len(scaled))[int(scaled.argmax())]])
