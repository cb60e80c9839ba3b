"""A first guess of the tail of the best weights, by Newton steps on a smoothed CVaR.

Near the value at risk the corner of max(loss - level, 0) is replaced by a parabola of some width (Alexander, Coleman &
Li 2006, equation 11). Of many scenarios a tenth of which are close to the level the sum is then all but smooth, and its
curvature is their covariance: a few quadratic programs in the weights alone find the minimiser. The width is reduced
until only few scenarios are so near the level that their side of it is not known.
"""

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import SolverFailed
from domain.optimization.problem.polytope import Polytope
from domain.optimization.programs.program import Program
from domain.optimization.programs.quadratic import solve_quadratic
from domain.optimization.programs.solver_control import SolverControl
from domain.records import dataclass
from domain.risk.measures.tail import conditional_value_at_risk

FIRST_WIDTH = 2.0
"""Of the corner, as a multiple of the standard deviation of the losses."""

NARROWER = 0.3
"""What the width is multiplied by once a step promises less than a tenth of it."""

SETTLED = 0.1
STEPS = 30

BORDER = 200
BORDER_PER_VARIABLE = 2
"""See `enough`."""

SHORTEST = 1e-3
"""A step of less than this part of its length shows that the sum is no longer smooth."""

DAMPING = 1e-6
"""Relative to the mean curvature, for weights that the scenarios near the level say nothing about."""

LEVEL_STEPS = 60
LEVEL_ACCURACY = 1e-10


@dataclass(frozen=True, slots=True)
class TailProgram:
    """Minimise linear . x + factor * CVaR over a polytope, the first N variables being what the CVaR is of."""

    returns: Matrix  # (S, N), scaled
    probabilities: Vector  # (S,), above 0
    confidence_level: float
    linear: Vector  # (n,)
    factor: float  # above 0
    polytope: Polytope

    @property
    def n_assets(self) -> int:
        """N."""
        return len(self.returns[0])

    @property
    def prices(self) -> Vector:
        """The most that each scenario can weigh in the tail, (S,)."""
        return self.probabilities / (1.0 - self.confidence_level)

    def value(self, point: Vector) -> float:
        """The objective, over all scenarios."""
        risk = conditional_value_at_risk(-self.losses(point), self.confidence_level, self.probabilities)
        return float(self.linear @ point) + self.factor * float(risk)

    def losses(self, point: Vector) -> Vector:
        """Of each scenario, (S,)."""
        result: Vector = -(self.returns @ point[: self.n_assets])
        return result

    def gradient(self, reweighting: Vector) -> Vector:
        """Of the mean loss under a reweighting (S,) of the scenarios, (N,)."""
        used = np.flatnonzero(reweighting)
        return -(reweighting[used] @ self.returns[used])


@dataclass(frozen=True, slots=True)
class TailGuess:
    """A point, its level, and how far from the level a scenario's side of it is not known."""

    point: Vector  # (n,)
    level: float
    width: float


def enough(variables: int) -> int:
    """Scenarios near the level that are few enough to be solved for, and as many as that takes."""
    return BORDER + BORDER_PER_VARIABLE * variables


def guess_tail(program: TailProgram, start: Vector, control: SolverControl) -> TailGuess:
    """From any point of the polytope. Raises SolverTimedOut."""
    point, losses, prices = start, program.losses(start), program.prices
    width = FIRST_WIDTH * float(losses.std()) or 1.0
    level = float(np.quantile(losses, 0.9))
    few = enough(len(start))
    for _ in range(STEPS):
        control()
        level, weights = _level(losses, prices, width, level)
        smooth = np.flatnonzero((weights > 0.0) & (weights < 1.0))
        step, promised = _newton_step(program, point, weights, smooth, width, control)
        length = 0.0
        if step is not None and promised > 0.0:
            moved = program.losses(step)
            length = _length(program, losses, moved, (level, width), float(program.linear @ step), promised)
        if length < SHORTEST:
            if promised > SETTLED * width or step is None:
                break
            length = 0.0
        elif step is not None:
            point, losses = point + length * step, losses + length * moved
        if promised <= SETTLED * width * program.factor:
            if len(smooth) <= few:
                break
            width *= NARROWER
    level, _ = _level(losses, prices, width, level)
    return TailGuess(point, level, width)


def _level(losses: Vector, prices: Vector, width: float, level: float) -> tuple[float, Vector]:
    """The best level, and how far into its corner each scenario is, from 0 to 1."""
    low, high = float(losses.min()) - width, float(losses.max()) + width
    for _ in range(LEVEL_STEPS):
        weights = np.clip(0.5 + (losses - level) / width, 0.0, 1.0)
        excess = float(prices @ weights) - 1.0
        if abs(excess) <= LEVEL_ACCURACY:
            break
        low, high = (level, high) if excess > 0.0 else (low, level)
        slope = float(prices[(weights > 0.0) & (weights < 1.0)].sum()) / width
        level = level + excess / slope if slope > 0.0 else low
        if not low < level < high:
            level = 0.5 * (low + high)
    return level, weights


def _newton_step(
    program: TailProgram, point: Vector, weights: Vector, smooth: np.ndarray, width: float, control: SolverControl
) -> tuple[Vector | None, float]:
    """The step to the minimiser of the quadratic model, and what it promises to first order."""
    size = program.n_assets
    gradient = program.linear.copy()
    gradient[:size] += program.factor * program.gradient(program.prices * weights)
    curvature = program.prices[smooth] / width
    hessian = np.zeros((len(point), len(point)))
    if len(smooth):
        rows = program.returns[smooth]
        rows = (rows - curvature @ rows / curvature.sum()) * np.sqrt(program.factor * curvature)[:, None]
        hessian[:size, :size] = rows.T @ rows
    hessian[range(size), range(size)] += DAMPING * float(hessian.trace()) / size or DAMPING
    try:
        found = solve_quadratic(Program(hessian, gradient - hessian @ point, program.polytope), control)
    except SolverFailed:
        found = None
    if found is None:
        return None, np.inf
    step = found.point - point
    return step, -float(gradient @ step)


def _length(
    program: TailProgram, losses: Vector, moved: Vector, at: tuple[float, float], linear: float, promised: float
) -> float:
    """The longest of 1, 1/2, 1/4 ... of a step that keeps a part of its promise."""
    level, width = at
    value = _smoothed(losses, program.prices, width, level)
    length = 1.0
    while length >= SHORTEST:
        there = losses + length * moved
        reached, _ = _level(there, program.prices, width, level)
        change = program.factor * (_smoothed(there, program.prices, width, reached) - value) + length * linear
        if change <= -1e-4 * length * promised:
            return length
        length *= 0.5
    return 0.0


def _smoothed(losses: Vector, prices: Vector, width: float, level: float) -> float:
    above = np.clip((losses - level) / width, -0.5, None)
    return level + width * float(prices @ np.where(above < 0.5, 0.5 * (above + 0.5) ** 2, above))
