"""Relaxed risk parity (Gambeta & Kwon 2020, "Risk return trade-off in relaxed risk parity portfolio optimization").

Risk budgets ask for w_i (Sigma w)_i = b_i w'Sigma w. Relaxed, the largest gamma with w_i (Sigma w)_i >= gamma^2 b_i
is set against the risk psi: min psi - gamma, psi^2 >= w'(Sigma + penalty diag Sigma) w. With penalty 0 and no other
limits gamma equals psi and the budgets hold exactly.
"""

import math
from collections.abc import Callable

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import InvalidInput, NotSupported
from domain.optimization.conic.conic_objectives import solve_with_objective
from domain.optimization.conic.conic_problem import build_conic_problem, covariance_root
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.program import Program, padded
from domain.optimization.programs.quadratic import solve_quadratic
from domain.optimization.programs.repair import nearest_feasible
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.programs.solver_info import solver_version
from domain.optimization.request.objectives import RelaxedRiskBudget
from domain.optimization.solution import Candidate, Engine
from domain.optimization.tolerances import CONIC_VALUE_FLOOR, GAP_TOLERANCE


def relaxed_risk_parity(
    problem: Problem, limits: FeasibleSet, objective: RelaxedRiskBudget, control: SolverControl
) -> Candidate | None:
    """The relaxed budgets' portfolio, or None where no long weights keep the limits."""
    if (limits.lower < 0.0).any():
        raise NotSupported("a relaxed risk budget is that of a long-only portfolio; leave out what allows shorts")
    volatilities = problem.moments.volatilities
    if (volatilities <= 0.0).any():
        symbol = limits.symbols[int(np.argmin(volatilities))]
        raise InvalidInput("covariance", f"a risk budget needs every variance above 0, that of {symbol} is not")
    n_assets = limits.n_assets
    fractions = (
        np.full(n_assets, 1.0 / n_assets) if objective.budgets is None else objective.budgets / objective.budgets.sum()
    )
    unit = problem.deviation.scale
    covariance = problem.moments.covariance / unit**2
    penalised = covariance + objective.penalty * np.diag(np.diag(covariance))
    conic = build_conic_problem(limits, control)
    model = conic.model
    risk, floor, marginal_risks = model.variables(1), model.positive(1), model.variables(n_assets)
    model.zero(marginal_risks - conic.weights.under(covariance))
    model.nonnegative(marginal_risks)
    model.products(floor.times(np.sqrt(fractions)), conic.weights, marginal_risks)
    model.second_order(risk, conic.weights.under(covariance_root(penalised)))
    model.minimise(risk - floor)

    def value_of(weights: Vector) -> float:
        carried = np.maximum(weights, 0.0) * np.maximum(covariance @ weights, 0.0) / fractions
        return math.sqrt(max(0.0, float(weights @ penalised @ weights))) - math.sqrt(float(carried.min()))

    found = solve_with_objective(conic, limits, value_of, lambda _: unit)
    if found is None or not limits.is_linear or found.is_proven_within(GAP_TOLERANCE):
        return found
    return _riskless(penalised, limits, value_of, control) or found


def _riskless(
    penalised: Matrix, limits: FeasibleSet, value_of: Callable[[Vector], float], control: SolverControl
) -> Candidate | None:
    """A portfolio of no risk, if there is one: psi - gamma is 0 there and nowhere less, as gamma^2 <= w'Sigma w."""
    polytope = limits.polytope()
    columns = len(polytope.lower)
    program = Program(padded(2.0 * penalised, columns), np.zeros(columns), polytope)
    answer = solve_quadratic(program, control)
    if answer is None:
        return None
    weights = nearest_feasible(limits, answer.point[: limits.n_assets])
    gap = max(value_of(weights), 0.0) / CONIC_VALUE_FLOOR
    if gap > GAP_TOLERANCE:
        return None
    return Candidate(weights, Engine.FAST, answer.solver, solver_version(answer.solver), answer.iterations, gap)
