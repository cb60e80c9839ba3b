"""The weights of a problem and all its convex limits as a program over cones, and which limits bind in its answer."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import NotSupported
from domain.optimization.conic.risk_epigraphs import risk_expression
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.limits import AbsoluteSum, Box, ContributionBounds, Limit, RiskCap, Row
from domain.optimization.problem.portfolio_risk import PortfolioRisk
from domain.optimization.programs.affine import Affine, constant
from domain.optimization.programs.conic_model import ConicModel
from domain.optimization.programs.conic_program import ConicSolution
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.solution import Binding, BoundSide
from domain.risk.measures import to_first_degree

PUSH = 1e-6
"""Multipliers below this, in units of the program, are what an interior-point method leaves of a zero."""

REACHED = 1e-6
"""How close to its end a limit is that binds, relative to the end or to one."""


@dataclass(frozen=True, slots=True)
class LimitEnd:
    """One end of a limit, and where in the program its multiplier stands."""

    label: str
    symbol: str | None
    side: BoundSide
    block: int
    place: int
    slack: Callable[[Vector], float]  # of the weights, in the limit's own unit
    end: float
    factor: float = 1.0  # units of the program's expression in one unit of the limit


@dataclass
class ConicProblem:
    """A program with weights, under all convex limits of a problem; kappa multiplies every limit."""

    model: ConicModel
    weights: Affine  # (N,)
    kappa: Affine
    sides: list[LimitEnd] = field(default_factory=list)
    equalities: list[tuple[str, str | None, int, int]] = field(default_factory=list)  # label, symbol, block, place

    def add(self, limit: Limit, symbols: tuple[str, ...], wider: Affine | None = None) -> None:
        """A further limit, every end of it moved out by `wider`; what is not convex is not this program's."""
        match limit:
            case Box():
                _bound(self, limit, symbols, wider)
            case Row():
                _row(self, limit, wider)
            case AbsoluteSum():
                _absolute(self, limit, wider)
            case RiskCap():
                if wider is None:
                    _cap(self, limit)
                else:
                    _widened_cap(self, limit, wider)
            case ContributionBounds():
                _shares(self, limit)

    def bindings(self, answer: ConicSolution, weights: Vector, unit: float) -> tuple[Binding, ...]:
        """Which limits push, and what relaxing each by one of its units is worth; `unit` is one of the objective."""
        found: list[Binding] = []
        for label, symbol, block, place in self.equalities:
            push = float(answer.multipliers[block][place])
            if abs(push) > PUSH:
                side = BoundSide.LOWER if push > 0.0 else BoundSide.UPPER
                found.append(Binding(label, symbol, side, abs(push) * unit))
        for one in self.sides:
            push = float(answer.multipliers[one.block][one.place])
            if push > PUSH and one.slack(weights) <= REACHED * max(1.0, abs(one.end)):
                found.append(Binding(one.label, one.symbol, one.side, push * one.factor * unit))
        return tuple(found)


def build_conic_problem(limits: FeasibleSet, control: SolverControl, *, homogeneous: bool = False) -> ConicProblem:
    """The program for limits; homogeneous ones have weights and limits free to grow together."""
    model = ConicModel(control=control)
    weights = model.variables(limits.size)
    made = ConicProblem(model, weights, model.positive(1) if homogeneous else constant(1.0))
    for limit in limits.limits:
        made.add(limit, limits.symbols)
    return made


def risk_epigraph(made: ConicProblem, risk: PortfolioRisk, weights: Affine) -> Affine:
    """The measure's first-degree form, in its own units, of weights that are expressions of the program."""
    if risk.measure.is_quadratic:
        bound = made.model.variables(1)
        root = covariance_root(risk.moments.covariance) / risk.unit
        made.model.second_order(bound, weights.under(root))
        return bound
    scenarios = risk.distribution
    outcomes = made.model.variables(len(scenarios.values))
    made.model.zero(outcomes - weights.under(scenarios.values / risk.unit))
    return risk_expression(
        made.model,
        risk.measure,
        outcomes,
        scenarios.probabilities,
        risk.confidence_level,
        observed=scenarios.are_observations,
    )


def covariance_root(covariance: Matrix) -> Matrix:
    """F with F'F = covariance, also where that is singular."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > 1e-15 * max(float(values[-1]), 0.0)
    result: Matrix = (vectors[:, kept] * np.sqrt(values[kept])).T
    return result if len(result) else np.zeros((1, len(covariance)))


def _bound(made: ConicProblem, box: Box, symbols: tuple[str, ...], wider: Affine | None) -> None:
    # Two inequalities that leave no room between them leave an interior-point method none to work in.
    fixed = (box.lower == box.upper) & (wider is None)
    if len(places := np.flatnonzero(fixed)):
        block = made.model.zero(made.weights.at(places) - made.kappa.times(box.lower[places]))
        made.equalities += [(box.label, symbols[i], block, k) for k, i in enumerate(places.tolist())]
    for side, ends, sign in ((BoundSide.LOWER, box.lower, 1.0), (BoundSide.UPPER, box.upper, -1.0)):
        places = np.flatnonzero(np.isfinite(ends) & ~fixed)
        if not len(places):
            continue
        inside = (made.weights.at(places) - made.kappa.times(ends[places])).times(sign)
        block = made.model.nonnegative(inside if wider is None else inside + wider)
        for k, i in enumerate(places.tolist()):
            end = float(ends[i])
            made.sides.append(LimitEnd(box.label, symbols[i], side, block, k, _weight_slack(i, end), end))


def _weight_slack(i: int, end: float) -> Callable[[Vector], float]:
    return lambda weights: abs(float(weights[i]) - end)


def _row(made: ConicProblem, row: Row, wider: Affine | None) -> None:
    value = made.weights.total(row.coefficients)
    if row.lower == row.upper and wider is None:
        made.equalities.append((row.label, None, made.model.zero(value - made.kappa.times(row.lower)), 0))
        return
    for side, end, sign in ((BoundSide.LOWER, row.lower, 1.0), (BoundSide.UPPER, row.upper, -1.0)):
        if np.isfinite(end):
            inside = (value - made.kappa.times(end)).times(sign)
            block = made.model.nonnegative(inside if wider is None else inside + wider)
            made.sides.append(LimitEnd(row.label, None, side, block, 0, _row_slack(row, end), end))


def _row_slack(row: Row, end: float) -> Callable[[Vector], float]:
    return lambda weights: abs(float(row.coefficients @ weights) - end)


def _absolute(made: ConicProblem, limit: AbsoluteSum, wider: Affine | None) -> None:
    if not np.isfinite(limit.maximum):
        return
    away = made.model.positive(len(limit.centre))
    change = made.weights - made.kappa.times(limit.centre)
    made.model.nonnegative(away + change)
    if not limit.shorts:
        made.model.nonnegative(away - change)
    inside = made.kappa.times(limit.maximum) - away.total()
    block = made.model.nonnegative(inside if wider is None else inside + wider.times(limit.factor))
    made.sides.append(
        LimitEnd(limit.label, None, BoundSide.UPPER, block, 0, _own_slack(limit), limit.maximum, limit.factor)
    )


def _own_slack(limit: AbsoluteSum | RiskCap) -> Callable[[Vector], float]:
    return lambda weights: abs(limit.maximum - limit.value(weights))


def _cap(made: ConicProblem, cap: RiskCap) -> None:
    risk, degree = cap.risk, cap.risk.measure.degree
    expression = risk_epigraph(made, risk, made.weights - made.kappa.times(cap.centre))
    # The program has the measure to the first degree: a unit of the limit is so many of its units at the end.
    end = to_first_degree(cap.maximum / cap.unit, degree)
    block = made.model.nonnegative(made.kappa.times(end / risk.unit) - expression)
    factor = 1.0 / (cap.unit * risk.unit * degree * end ** (degree - 1))
    made.sides.append(LimitEnd(cap.label, None, BoundSide.UPPER, block, 0, _own_slack(cap), cap.maximum, factor))


def _shares(made: ConicProblem, bounds: ContributionBounds) -> None:
    """w_i (Cw)_i >= lower w'Cw with both factors of 0 or more: a cone, for their geometric mean is concave."""
    places = np.flatnonzero(bounds.lower > 0.0)
    if np.isfinite(bounds.upper).any():
        raise NotSupported(f"{bounds.label} bounds risk contributions from above, which this method cannot keep")
    if not len(places):
        return
    unit = float(np.diag(bounds.covariance).mean()) or 1.0
    scaled = bounds.covariance / unit
    spread, pulls = made.model.variables(1), made.model.variables(len(places))
    made.model.second_order(spread, made.weights.under(covariance_root(scaled)))
    made.model.zero(pulls - made.weights.under(scaled[places]))
    made.model.products(spread.times(np.sqrt(bounds.lower[places])), made.weights.at(places), pulls)


def _widened_cap(made: ConicProblem, cap: RiskCap, wider: Affine) -> None:
    risk, degree = cap.risk, cap.risk.measure.degree
    expression = risk_epigraph(made, risk, made.weights - made.kappa.times(cap.centre))
    unit = cap.unit * risk.unit**degree
    if degree == 2:
        squared = made.model.variables(1)
        made.model.products(expression, squared, constant(1.0))
        expression = squared
    made.model.nonnegative(wider.times(1.0 / unit) + cap.maximum / unit - expression)
