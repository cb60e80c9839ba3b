"""The least spectral risk by cutting planes: CVaR, Gini, tail Gini, worst outcome, ranges, ordered weighted averages.

Such a measure weighs losses by their rank, so it is the highest of its own q-mean losses over all reweightings q that
its weights can make of the scenarios, and every q proves a bound: no feasible weights lose less than the least of their
q-mean. The q of a portfolio comes from sorting its outcomes; each one cuts off the portfolios that it shows to be worse
(Kelley 1960; Kunzi-Bay & Mayer 2006 for CVaR). A few dozen cuts in a program with a variable for each asset take the
place of a program with a row for each scenario.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import NotSupported, SolverFailed
from domain.optimization.fast.linear import GrowingProgram, solve_linear
from domain.optimization.fast.mean_variance import box_bindings, row_bindings, solver_version
from domain.optimization.fast.program import Answer, Program, bound_multipliers, proven_bound
from domain.optimization.fast.settle import within
from domain.optimization.feasible import FeasibleSet, Polytope
from domain.optimization.problem import Problem
from domain.optimization.solution import VIOLATION_TOLERANCE, Binding, Candidate, Engine
from domain.risk.measures import RiskMeasure
from domain.risk.ordered import Spectrum, corrected, given_weights, loss_weights, spectral_risk, spectrum_of
from domain.risk.outcomes import EQUAL, Outcomes

RISK_FLOOR = 1e-2
"""A risk below this many typical deviations of an asset counts as this when a gap is taken relative to it."""

TOGETHER = 1e-10
"""Bound and best value this close, relative to the larger of the value and one, are one."""

PATIENCE = 60
"""Cuts in a row that improve neither the bound nor the best value before it ends as it is."""

CUTS = 3000

HOLD = 0.5
"""How far the next portfolio stays with the best one: steps that stop short need about half the cuts."""

NEAR = 1e-3
"""Relative gap from which a risk with few pieces is cut at the vertices themselves, where it ends exactly."""

FEW = 4
"""Different weights of ranks, up to which a risk has few pieces: CVaR has a tail, a border and the rest."""


@dataclass(frozen=True, slots=True)
class SpectralProof:
    """What a reweighting of the scenarios proves about the least risk, and the best weights that were found."""

    problem: Problem
    limits: FeasibleSet
    risk: Callable[[Vector], float]  # per period
    weights: Vector  # (N,)
    cuts: int
    least_loss: Program  # the least q-mean loss at its q, in scaled losses
    answer: Answer
    unit: float  # one scaled loss, per period

    @property
    def bound(self) -> float:
        """No feasible weights have a smaller risk per period."""
        return self.unit * proven_bound(self.least_loss, self.answer)

    def gap(self, weights: Vector) -> float:
        """How far their risk is above the bound, relative to it, or near zero to a typical asset's deviation."""
        risk = self.risk(weights)
        typical = float(np.diag(self.problem.moments.covariance).mean()) ** 0.5
        size = max(abs(risk), RISK_FLOOR * typical)
        return max(risk - self.bound, 0.0) / size if size > 0.0 else 0.0

    def binding(self, weights: Vector) -> tuple[Binding, ...]:
        """Which limits hold the least risk up, and what relaxing each by one unit is worth in risk per period."""
        pushes = bound_multipliers(self.least_loss, self.answer)[: self.limits.size]
        rows = row_bindings(self.answer.row_multipliers, self.limits, self.unit)
        return (*rows, *box_bindings(weights, pushes, self.limits, self.unit))

    @property
    def candidate(self) -> Candidate:
        """The best weights with this proof."""
        weights = within(self.limits, self.weights)
        return Candidate(
            weights=weights,
            engine=Engine.FAST,
            solver="highs",
            solver_version=solver_version("highs"),
            iterations=self.cuts,
            relative_gap=self.gap(weights),
            binding=self.binding(weights),
        )


def is_spectral(measure: RiskMeasure) -> bool:
    """Whether cutting planes minimise it."""
    try:
        spectrum_of(measure, 0.5)
    except NotSupported:
        return False
    return True


def minimum_spectral_risk(
    problem: Problem, limits: FeasibleSet, on_progress: Callable[[], None]
) -> SpectralProof | None:
    """The least risk in the problem's own measure under linear limits, None where no weights keep them."""
    spectrum = spectrum_of(problem.risk_measure, problem.confidence_level)
    scenarios = problem.risk.distribution
    if problem.risk_measure is RiskMeasure.GINI_MEAN_DIFFERENCE and scenarios.are_observations:
        # Of a sample every pair of different observations counts once, which the spectrum alone does not know.
        spectrum = corrected(spectrum, len(scenarios.values))
    return least_spectral(problem, limits, spectrum, problem.risk.of, on_progress)


def minimum_ordered_average(
    problem: Problem, limits: FeasibleSet, weights: Vector, on_progress: Callable[[], None]
) -> Candidate | None:
    """The least ordered weighted average of losses. Raises InvalidInput for weights that do not fit, NotSupported."""
    if not limits.is_linear:
        raise NotSupported("an ordered weighted average is minimised within linear limits only")
    scenarios = problem.risk_in(RiskMeasure.WORST_REALIZATION).distribution
    spectrum = given_weights("objective.owa.weights", weights, len(scenarios.values))
    if np.ptp(scenarios.probabilities) > EQUAL:
        raise NotSupported("an ordered weighted average is one of equally likely outcomes, and these are not")

    def average(held: Vector) -> float:
        return spectral_risk(Outcomes(scenarios.values @ held), spectrum)

    proof = least_spectral(problem, limits, spectrum, average, on_progress)
    return None if proof is None else proof.candidate


def least_spectral(
    problem: Problem,
    limits: FeasibleSet,
    spectrum: Spectrum,
    risk: Callable[[Vector], float],
    on_progress: Callable[[], None],
) -> SpectralProof | None:
    """The least risk of one spectrum; `risk` is that risk per period, computed without it, and judges the answer.

    Raises NotSupported without scenarios, SolverTimedOut, SolverFailed.
    """
    scenarios = problem.risk_in(RiskMeasure.WORST_REALIZATION).distribution
    polytope = limits.polytope()
    columns = len(polytope.lower)
    start = _start(limits, polytope, problem.options.time_limit_seconds)
    if start is None:
        return None
    unit = float(scenarios.values.std()) or 1.0
    cutter = _Cutter(scenarios.values / unit, scenarios.probabilities, spectrum)
    found = _cut(cutter, polytope, start, problem.options.time_limit_seconds, on_progress)
    cost = np.zeros(columns)
    cost[: limits.size] = found.slope
    least_loss = Program(None, cost, polytope)
    return SpectralProof(problem, limits, risk, found.weights, found.cuts, least_loss, found.answer, unit)


@dataclass(frozen=True, slots=True)
class _Cutter:
    """A risk and its slope at any weights."""

    returns: Matrix  # (S, N), scaled
    chances: Vector
    spectrum: Spectrum

    @property
    def has_few_pieces(self) -> bool:
        """Whether most ranks weigh the same."""
        ranks = np.linspace(0.0, 1.0, len(self.returns) + 1)
        return len(np.unique(np.diff(self.spectrum(ranks)).round(12))) <= FEW

    def cut(self, weights: Vector) -> tuple[float, Vector]:
        """The risk of weights, and the slope by which no others have less: risk(v) >= slope . v."""
        outcomes = self.returns @ weights
        slope = -(loss_weights(Outcomes(outcomes, self.chances), self.spectrum) @ self.returns)
        return float(slope @ weights), slope


@dataclass(frozen=True, slots=True)
class _Found:
    weights: Vector
    slope: Vector  # the mixture of cuts that proves the bound
    cuts: int
    answer: Answer  # of least slope . w over the polytope


def _cut(
    cutter: _Cutter, polytope: Polytope, start: Vector, time_limit_seconds: float, on_progress: Callable[[], None]
) -> _Found:
    size, columns, rows = len(start), len(polytope.lower), len(polytope.matrix)
    level = np.append(np.zeros(columns), 1.0)
    master = GrowingProgram(_with_level(polytope, level), time_limit_seconds)
    best, best_value, bound, idle = start, np.inf, -np.inf, 0
    point, slopes, few_pieces = start, list[Vector](), cutter.has_few_pieces
    while True:
        on_progress()
        value, slope = cutter.cut(point)
        slopes.append(slope)
        # The level is above the mean loss of every reweighting: level - slope . w >= 0.
        master.add_row(np.concatenate([-slope, np.zeros(columns - size), [1.0]]), 0.0)
        idle += 1
        if value < best_value:
            idle = 0 if value < best_value - TOGETHER * abs(best_value) else idle
            best, best_value = point, value
        answer = master.solve()
        if answer is None:
            raise SolverFailed("HiGHS takes a feasible set for empty")
        level_reached = float(answer.point[-1])
        idle = 0 if level_reached > bound + TOGETHER * abs(bound) else idle
        bound = max(bound, level_reached)
        if best_value - bound <= TOGETHER * max(1.0, abs(best_value)) or idle > PATIENCE or len(slopes) >= CUTS:
            break
        hold = 0.0 if few_pieces and best_value - bound <= NEAR * abs(best_value) else HOLD
        point = hold * best + (1.0 - hold) * answer.point[:size]
    # What the last master leaves to its cuts is one mixture of them, and to the limits what they push against it.
    shares = np.maximum(-answer.row_multipliers[rows:], 0.0)
    mixed: Vector = (shares / shares.sum()) @ np.array(slopes)
    of_limits = Answer(answer.point[:-1], answer.row_multipliers[:rows], answer.solver, answer.iterations)
    return _Found(best, mixed, len(slopes), of_limits)


def _start(limits: FeasibleSet, polytope: Polytope, time_limit_seconds: float) -> Vector | None:
    """Weights within the limits: even ones where those will do, otherwise a vertex; None where there are none."""
    if (polytope.lower > polytope.upper).any():
        return None
    budget = next((row.upper for row in limits.rows if row.is_budget), 1.0)
    even = np.clip(np.full(limits.size, budget / limits.size), limits.lower, limits.upper)
    if limits.violation(even) <= VIOLATION_TOLERANCE**2:
        return np.asarray(even, dtype=np.float64)
    vertex = solve_linear(Program(None, np.zeros(len(polytope.lower)), polytope), time_limit_seconds)
    return None if vertex is None else vertex.point[: limits.size]


def _with_level(polytope: Polytope, level: Vector) -> Program:
    """Minimise one more variable, which every cut holds up."""
    matrix = np.hstack([polytope.matrix, np.zeros((len(polytope.matrix), 1))])
    lower, upper = np.append(polytope.lower, -np.inf), np.append(polytope.upper, np.inf)
    return Program(None, level, Polytope(matrix, polytope.row_lower, polytope.row_upper, lower, upper))
