"""Objectives in any convex measure under any convex limits, each as one conic program.

Where nothing but variance and linear limits is asked for, the quadratic and linear solvers are faster and exact; what
they do not support comes here. Figures are scaled by the risk of a typical asset. The proof is the program's own
bound, set against the objective as the domain computes it from the weights.
"""

from collections.abc import Callable

import numpy as np

from domain.checks import Vector
from domain.errors import SolverFailed, SolverTimedOut, UnboundedProblem
from domain.optimization.conic.conic_problem import ConicProblem, build_conic_problem, first_degree_risk, risk_epigraph
from domain.optimization.conic.net_return import net_return_expression
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.limits import RiskCap
from domain.optimization.problem.net_return import NetReturn
from domain.optimization.problem.portfolio_risk import PortfolioRisk
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.affine import constant
from domain.optimization.programs.charnes_cooper import RisklessPortfolio, no_ratio
from domain.optimization.programs.conic_program import ConicSolution
from domain.optimization.programs.duality import gap_to_bound, ratio_gap
from domain.optimization.programs.repair import repair
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.programs.solver_info import solver_version
from domain.optimization.solution import Candidate, Engine
from domain.optimization.tolerances import CONIC_VALUE_FLOOR, GAP_TOLERANCE
from domain.records import dataclass

NOTHING = 1e-9
"""A risk of less than this, in units of the program, is none: a ratio to it has no maximum."""

ALMOST_NOTHING = 1e-5
"""Where not even a positive risk can be proven, this is what an interior-point method leaves of none."""


@dataclass(frozen=True, slots=True)
class RiskPenalty:
    """A risk subtracted from the net return, times a factor."""

    risk: PortfolioRisk
    factor: float

    def of(self, weights: Vector) -> float:
        """For weights (N,)."""
        return self.factor * self.risk.of(weights)


def minimum_risk(problem: Problem, limits: FeasibleSet, control: SolverControl) -> Candidate | None:
    """The least risk in the problem's measure, or None where no weights keep the limits."""
    conic = build_conic_problem(limits, control)
    risk = problem.risk
    degree, unit = risk.measure.degree, risk.scale
    conic.model.minimise(risk_epigraph(conic, risk, conic.weights))
    value_of = first_degree_risk(risk)
    # d risk = degree * root^(degree - 1) * unit per unit of the program's objective.
    return solve_with_objective(conic, limits, value_of, lambda value: degree * (value * unit) ** (degree - 1) * unit)


def maximum_net_return(
    limits: FeasibleSet, control: SolverControl, net_return: NetReturn, penalty: RiskPenalty | None = None
) -> Candidate | None:
    """The highest net return less the penalty, or None where no weights keep the limits. Raises UnboundedProblem."""
    conic = build_conic_problem(limits, control)
    scale = net_return.scale or 1.0
    objective = -net_return_expression(conic, net_return, scale)
    if penalty is not None:
        risk = penalty.risk
        size = risk_epigraph(conic, risk, conic.weights)
        if risk.measure.degree == 2:
            squared = conic.model.variables(1)
            conic.model.products(size, squared, constant(1.0))
            size = squared
        objective = objective + size.times(penalty.factor * risk.scale**risk.measure.degree / scale)
    conic.model.minimise(objective)

    def value_of(weights: Vector) -> float:
        return ((0.0 if penalty is None else penalty.of(weights)) - net_return.of(weights)) / scale

    def parts(weights: Vector) -> float:
        return max(abs(float(net_return.by_asset @ weights)), 0.0 if penalty is None else penalty.of(weights)) / scale

    # Costs can bring the sum of large parts close to 0: what a gap is measured against is those parts.
    return solve_with_objective(conic, limits, value_of, lambda _: scale, parts if net_return.deductions else None)


def maximum_ratio(
    limits: FeasibleSet, control: SolverControl, net_return: NetReturn, risk: PortfolioRisk
) -> Candidate | None:
    """The highest net return per unit of risk, the measure taken to the first degree: the least risk at a net return of
    1.

    Weights and limits may grow together (Charnes & Cooper 1962), for all of them and the measure are homogeneous.
    Raises NoPositiveExcessReturn and UnboundedProblem.
    """
    conic = build_conic_problem(limits, control, homogeneous=True)
    scale = net_return.scale
    if scale == 0.0:
        _refuse_without_excess_return(limits, control, net_return)
        return None
    conic.model.nonnegative(net_return_expression(conic, net_return, scale) - 1.0)
    conic.model.minimise(risk_epigraph(conic, risk, conic.weights))
    try:
        answer = conic.model.solve()
    except UnboundedProblem:
        raise RisklessPortfolio(net_return, _riskless_weights(limits, control, net_return, risk)) from None
    if answer is None:
        _refuse_without_excess_return(limits, control, net_return)
        return None
    kappa = float(conic.kappa.value(answer.point)[0])
    raw = conic.weights.value(answer.point)
    if kappa <= NOTHING * float(np.abs(raw).max()):
        raise UnboundedProblem("the ratio only grows with the size of the portfolio; add an upper bound on the weights")
    risk_of = first_degree_risk(risk)

    def inverse_ratio(weights: Vector) -> float:
        achieved = net_return.of(weights) / scale
        return risk_of(weights) / achieved if achieved > 0.0 else np.inf

    weights = repair(limits, raw / kappa, inverse_ratio)
    value = inverse_ratio(weights)
    if value < NOTHING or (answer.bound <= 0.0 and value < ALMOST_NOTHING):
        raise RisklessPortfolio(net_return, weights)
    # A volatility is annualised in the ratio that is reported; other measures are per period.
    annual = risk.moments.periods_per_year**0.5 if risk.measure.is_quadratic else 1.0
    ratio = scale / (value * risk.scale * annual)
    return Candidate(
        weights=weights,
        engine=Engine.FAST,
        solver="clarabel",
        solver_version=solver_version("clarabel"),
        iterations=answer.iterations,
        relative_gap=ratio_gap(value, answer.bound),
        binding=conic.bindings(answer, weights, ratio * kappa / value),
    )


def _riskless_weights(
    limits: FeasibleSet, control: SolverControl, net_return: NetReturn, risk: PortfolioRisk
) -> Vector | None:
    """The highest net return of those with a risk of 0 or less, None where that is not found."""
    riskless = RiskCap("", risk, np.zeros(limits.n_assets), 0.0)
    try:
        found = maximum_net_return(FeasibleSet(limits.symbols, (*limits.limits, riskless)), control, net_return)
    except (SolverFailed, UnboundedProblem):
        return None
    return None if found is None or net_return.of(found.weights) <= 0.0 else found.weights


def _refuse_without_excess_return(limits: FeasibleSet, control: SolverControl, net_return: NetReturn) -> None:
    """Raises where weights keep the limits but none has a positive net return."""
    best = maximum_net_return(limits, control, net_return)
    if best is not None:
        raise no_ratio(net_return, net_return.of(best.weights))


def minimum_tracking_error(
    problem: Problem, limits: FeasibleSet, benchmark: Vector, control: SolverControl
) -> Candidate | None:
    """The least annual volatility of the difference to a benchmark."""
    conic = build_conic_problem(limits, control)
    risk = problem.deviation
    conic.model.minimise(risk_epigraph(conic, risk, conic.weights - benchmark))
    value_of = first_degree_risk(risk)
    return solve_with_objective(
        conic,
        limits,
        lambda weights: value_of(weights - benchmark),
        lambda _: risk.scale * problem.periods_per_year**0.5,
    )


def solve_with_objective(
    conic: ConicProblem,
    limits: FeasibleSet,
    value_of: Callable[[Vector], float],
    unit: Callable[[float], float],
    parts: Callable[[Vector], float] | None = None,
) -> Candidate | None:
    """The candidate of a program whose objective, for weights alone, is `value_of`.

    `unit` gives what one unit of it is worth in the objective's own unit, at its value. A gap is taken relative to the
    objective, or to its parts where they are larger.
    """

    def candidate(answer: ConicSolution, bound: float) -> Candidate:
        weights = repair(limits, conic.weights.value(answer.point), value_of)
        value = value_of(weights)
        size = max(abs(value), CONIC_VALUE_FLOOR, 0.0 if parts is None else parts(weights))
        return Candidate(
            weights=weights,
            engine=Engine.FAST,
            solver="clarabel",
            solver_version=solver_version("clarabel"),
            iterations=answer.iterations,
            relative_gap=gap_to_bound(value, bound, size),
            binding=conic.bindings(answer, weights, unit(value)),
        )

    first = conic.model.solve()
    if first is None:
        return None
    found = candidate(first, first.bound)
    if found.is_proven_within(0.5 * max(GAP_TOLERANCE, conic.model.control.tolerance)):
        return found
    # What the solver's own point misses of a power cone can be worth more than it says; its weights alone tell.
    try:
        second = conic.model.solve(again=True)
    except (SolverFailed, SolverTimedOut):
        return found
    if second is None:
        return found
    bound = max(first.bound, second.bound)
    return min(candidate(first, bound), candidate(second, bound), key=lambda one: one.relative_gap or 0.0)
