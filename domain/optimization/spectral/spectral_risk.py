"""Objectives in spectral risk measures, which weigh outcomes by rank: least risk, utility, ratio.

CVaR, Gini, tail Gini, worst outcome, ranges, ordered weighted averages: all are cut by planes (see `cutting_planes`). A
utility adds the net return to the risk. A ratio is highest where the risk is least at a net return of 1, with weights
and limits free to grow together (see `programs.charnes_cooper`); a risk of degree one has the same cuts there.
"""

from collections.abc import Callable

import numpy as np

from domain.checks import Vector, rounding_of
from domain.errors import NotSupported, SolverFailed
from domain.market_data.panel import Scenarios
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.net_return import NetReturn, annual_net_return
from domain.optimization.problem.polytope import Polytope
from domain.optimization.problem.portfolio_risk import PortfolioRisk
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.binding_limits import box_bindings, row_bindings
from domain.optimization.programs.charnes_cooper import (
    HomogenisedLimits,
    RisklessPortfolio,
    refuse_without_excess_return,
)
from domain.optimization.programs.duality import bound_multipliers, gap_to_bound, ratio_gap
from domain.optimization.programs.linear import solve_linear
from domain.optimization.programs.program import Program
from domain.optimization.programs.repair import nearest_feasible
from domain.optimization.programs.rounding import round_to_zero
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.programs.solver_info import solver_version
from domain.optimization.request.objectives import MaxRatio, MaxUtility, MinRisk, OrderedWeightedAverage
from domain.optimization.solution import Binding, Candidate, Engine
from domain.optimization.spectral.cutting_planes import CuttingPlanes, Incumbent, SpectralProgram, minimise_by_cuts
from domain.optimization.spectral.large_tail import minimise_tail
from domain.optimization.spectral.tail_smoothing import TailProgram
from domain.optimization.tolerances import FEASIBILITY_TOLERANCE, SPECTRAL_VALUE_FLOOR
from domain.records import dataclass
from domain.risk.measures import RiskMeasure
from domain.risk.measures.spectral import Spectrum, corrected, given_weights, spectral_risk, spectrum_of
from domain.risk.outcomes import EQUAL

NOTHING = 1e-9
"""A risk of less than this, in units of a typical risk at the same return, is none: a ratio to it has no maximum."""

MANY = 2000
MANY_PER_VARIABLE = 10
"""Scenarios from which a CVaR is minimised by its tail's border, the larger of the two: with fewer, linear programs are
as fast."""

MOST_VARIABLES = 2500
"""Its steps take the cube of the variables, auxiliary ones included."""

SpectralObjective = MinRisk | MaxUtility | MaxRatio


@dataclass(frozen=True, slots=True)
class SpectralRisk:
    """A measure that weighs outcomes by rank."""

    scenarios: Scenarios
    spectrum: Spectrum
    of: Callable[[Vector], float]  # per period, computed without the spectrum where it is a measure: it judges answers
    tail_of: float | None = None  # the confidence level, where it is CVaR

    @property
    def scale(self) -> float:
        """A typical outcome, by which programs are scaled."""
        values = self.scenarios.values
        spread = float(values.std())
        return spread if spread > rounding_of(values) else float(np.abs(values).mean()) or 1.0

    @property
    def cutting_planes(self) -> CuttingPlanes:
        """Of scaled outcomes."""
        return CuttingPlanes(self.scenarios.values / self.scale, self.scenarios.probabilities, self.spectrum)


def is_spectral(measure: RiskMeasure) -> bool:
    """Whether cutting planes minimise it."""
    try:
        spectrum_of(measure, 0.5)
    except NotSupported:
        return False
    return True


def spectral_risk_of(risk: PortfolioRisk) -> SpectralRisk:
    """A measure of portfolios as one by rank. Raises NotSupported where it has no spectrum, or without scenarios."""
    spectrum = spectrum_of(risk.measure, risk.confidence_level)
    scenarios = risk.distribution
    if risk.measure is RiskMeasure.GINI_MEAN_DIFFERENCE and scenarios.are_observations:
        # Of a sample every pair of different observations counts once, which the spectrum alone does not know.
        spectrum = corrected(spectrum, len(scenarios.values))
    is_tail = risk.measure is RiskMeasure.CONDITIONAL_VALUE_AT_RISK
    return SpectralRisk(scenarios, spectrum, risk.of, risk.confidence_level if is_tail else None)


def ordered_average_risk(problem: Problem, weights: Vector) -> SpectralRisk:
    """Given weights of ordered losses. Raises InvalidInput for weights that do not fit, NotSupported."""
    scenarios = problem.risk_in(RiskMeasure.WORST_REALIZATION).distribution
    spectrum = given_weights("objective.owa.weights", weights, len(scenarios.values))
    if np.ptp(scenarios.probabilities) > EQUAL:
        raise NotSupported("an ordered weighted average is one of equally likely outcomes, and these are not")

    def average(held: Vector) -> float:
        return spectral_risk(scenarios.values @ held, spectrum)

    return SpectralRisk(scenarios, spectrum, average)


def optimise_ordered_average(
    problem: Problem, limits: FeasibleSet, objective: OrderedWeightedAverage, control: SolverControl
) -> Candidate | None:
    """The least ordered weighted average of losses, or the best goal with it as the risk."""
    if not limits.is_linear:
        raise NotSupported("an ordered weighted average is optimised within linear limits only")
    if problem.costs is not None:
        raise NotSupported("an ordered weighted average is optimised without trading costs only")
    return optimise_spectral(problem, limits, ordered_average_risk(problem, objective.weights), objective.goal, control)


def optimise_spectral(
    problem: Problem, limits: FeasibleSet, risk: SpectralRisk, goal: SpectralObjective, control: SolverControl
) -> Candidate | None:
    """The best weights within linear limits and without costs, or None where no weights keep the limits.

    Raises SolverTimedOut, SolverFailed, and for ratios NoPositiveExcessReturn and UnboundedProblem.
    """
    match goal:
        case MaxRatio(risk_free):
            return _maximum_ratio(limits, risk, annual_net_return(problem, risk_free), control)
        case MaxUtility(aversion):
            penalty = 0.5 * aversion * problem.periods_per_year
            proof = _minimise(limits, risk, penalty, annual_net_return(problem), control)
        case MinRisk():
            proof = minimum_spectral_risk(limits, risk, control)
    return None if proof is None else proof.candidate


@dataclass(frozen=True, slots=True)
class SpectralProof:
    """The best weights, and the bound that a reweighting of the scenarios proves."""

    limits: FeasibleSet
    value: Callable[[Vector], float]  # in the objective's own unit
    found: Incumbent
    unit: float  # one scaled value, in the objective's own unit: the larger of a typical risk and return

    @property
    def weights(self) -> Vector:
        """The best that were found."""
        return self.found.point[: self.limits.n_assets]

    @property
    def bound(self) -> float:
        """No feasible weights have a smaller value."""
        return self.unit * self.found.bound

    def gap(self, weights: Vector) -> float:
        """How far their value is above the bound, relative to it, or near zero to its size for a typical asset."""
        value = self.value(weights)
        size = max(abs(value), SPECTRAL_VALUE_FLOOR * self.unit)
        return gap_to_bound(value, self.bound, size) if size > 0.0 else 0.0

    def binding(self, weights: Vector) -> tuple[Binding, ...]:
        """Which limits hold the value up, and what relaxing each by one unit is worth."""
        box_multipliers = bound_multipliers(self.found.tangent, self.found.answer)[: self.limits.n_assets]
        rows = row_bindings(self.found.answer.row_multipliers, self.limits, self.unit)
        return (*rows, *box_bindings(weights, box_multipliers, self.limits, self.unit))

    @property
    def candidate(self) -> Candidate:
        """The best weights with this proof."""
        weights = nearest_feasible(self.limits, self.weights)
        return _candidate(weights, self.found, self.gap(weights), self.binding(weights))


def minimum_spectral_risk(limits: FeasibleSet, risk: SpectralRisk, control: SolverControl) -> SpectralProof | None:
    """The least risk per period under linear limits, None where no weights keep them."""
    return _minimise(limits, risk, 1.0, NetReturn(np.zeros(limits.n_assets)), control)


def _minimise(
    limits: FeasibleSet,
    risk: SpectralRisk,
    penalty: float,
    net_return: NetReturn,
    control: SolverControl,
) -> SpectralProof | None:
    """The least penalty * risk - net return."""
    polytope = limits.polytope()
    start = feasible_point(limits, polytope, control)
    if start is None:
        return None
    scale = max(net_return.scale, penalty * risk.scale)
    linear = np.zeros(len(polytope.lower))
    linear[: limits.n_assets] = -net_return.by_asset / scale
    program = SpectralProgram(risk.cutting_planes, linear, penalty * risk.scale / scale, polytope)
    found = _minimiser(risk, program, start, control)

    def value(weights: Vector) -> float:
        return penalty * risk.of(weights) - net_return.of(weights)

    return SpectralProof(limits, value, found, scale)


def _minimiser(risk: SpectralRisk, program: SpectralProgram, start: Vector, control: SolverControl) -> Incumbent:
    """By the tail of many scenarios where that ends with a proof, by cuts otherwise."""
    found = large_tail_minimiser(risk, program, start, control)
    return minimise_by_cuts(program, start, control) if found is None else found


def has_large_tail(scenarios: int, variables: int) -> bool:
    """Whether there are so many scenarios that a CVaR is minimised by its tail's border."""
    return scenarios >= max(MANY, MANY_PER_VARIABLE * variables) and variables <= MOST_VARIABLES


def large_tail_minimiser(
    risk: SpectralRisk, program: SpectralProgram, start: Vector, control: SolverControl
) -> Incumbent | None:
    """The minimiser of a program in the CVaR of many scenarios, None for others, and where it is not found."""
    cutting_planes = program.cutting_planes
    if risk.tail_of is None or not has_large_tail(len(cutting_planes.returns), len(program.linear)):
        return None
    returns, probabilities = cutting_planes.returns, cutting_planes.probabilities
    if not (probabilities > 0.0).all():
        returns, probabilities = returns[probabilities > 0.0], probabilities[probabilities > 0.0]
    tail = TailProgram(returns, probabilities, risk.tail_of, program.linear, program.factor, program.polytope)
    return minimise_tail(tail, start, control)


def _maximum_ratio(
    limits: FeasibleSet, risk: SpectralRisk, net_return: NetReturn, control: SolverControl
) -> Candidate | None:
    """The highest annual net return per unit of risk, by the least risk at a net return of 1."""
    cone, size = HomogenisedLimits.of(limits), net_return.scale
    start = None
    if size > 0.0:
        polytope = cone.polytope(net_return, size)
        try:
            start = solve_linear(Program(None, np.zeros(cone.columns), polytope), control)
        except SolverFailed:
            refuse_without_excess_return(limits, net_return, control)
            raise
    if start is None:
        refuse_without_excess_return(limits, net_return, control)
        return None
    # A ratio has a maximum only where no weights with a positive return have a risk of 0 or less: 0 bounds every master
    # program.
    program = SpectralProgram(risk.cutting_planes, np.zeros(cone.columns), 1.0, polytope, least=0.0)
    found = _minimiser(risk, program, start.point, control)
    kappa = cone.kappa_of(found.point, "HiGHS")
    weights = nearest_feasible(limits, found.point[: limits.n_assets] / kappa)
    if found.value <= NOTHING * float(np.abs(found.point[: limits.n_assets]).sum()):
        raise RisklessPortfolio(net_return, round_to_zero(weights))
    achieved = net_return.of(weights)
    inverse = risk.of(weights) / risk.scale * size / achieved if achieved > 0.0 else np.inf
    ratio = size / (inverse * risk.scale)
    box_multipliers = bound_multipliers(found.tangent, found.answer)[: limits.n_assets]
    binding = cone.binding(found.answer.row_multipliers, box_multipliers, weights, ratio * kappa / inverse)
    return _candidate(weights, found, ratio_gap(inverse, found.bound), binding)


def _candidate(weights: Vector, found: Incumbent, gap: float, binding: tuple[Binding, ...]) -> Candidate:
    solver = found.answer.solver
    return Candidate(
        weights=weights,
        engine=Engine.FAST,
        solver=solver,
        solver_version=solver_version(solver),
        iterations=found.cuts,
        relative_gap=gap,
        binding=binding,
    )


def feasible_point(limits: FeasibleSet, polytope: Polytope, control: SolverControl) -> Vector | None:
    """A point of the polytope: even weights where those will do, otherwise a vertex; None where there are none."""
    if (polytope.lower > polytope.upper).any():
        return None
    budget = next((row.upper for row in limits.rows if row.is_budget), 1.0)
    even = np.clip(np.full(limits.n_assets, budget / limits.n_assets), limits.lower, limits.upper)
    if limits.violation(even) <= FEASIBILITY_TOLERANCE**2:
        # The auxiliary variables have no cost, and what they are does not matter.
        return np.append(even, np.zeros(len(polytope.lower) - limits.n_assets))
    vertex = solve_linear(Program(None, np.zeros(len(polytope.lower)), polytope), control)
    return None if vertex is None else vertex.point
