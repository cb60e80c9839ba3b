"""Conic problem builder: weights and convex limits as a conic program, and which limits bind in its answer."""

from collections.abc import Callable
from dataclasses import field
from typing import assert_never

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import NotSupported
from domain.optimization.conic.risk_epigraphs import risk_expression
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.limits import AbsoluteSum, Box, ContributionBounds, Limit, RiskCap, Row
from domain.optimization.problem.portfolio_risk import PortfolioRisk
from domain.optimization.problem.selection_limits import SelectionLimit
from domain.optimization.programs.affine import Affine, constant
from domain.optimization.programs.conic_model import ConicModel
from domain.optimization.programs.conic_program import ConicSolution
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.solution import Binding, BoundSide
from domain.optimization.tolerances import CONIC_BINDING_DISTANCE, CONIC_BINDING_MULTIPLIER
from domain.records import dataclass
from domain.risk.measures import to_first_degree

SMALL_VOLATILITY = 1e-4
"""In units of a typical asset's: its square has lost half of its digits."""


@dataclass(frozen=True, slots=True)
class LimitEnd:
    """One end of a limit, and where in the program its multiplier stands."""

    label: str
    symbol: str | None
    side: BoundSide
    block: int
    index: int
    slack: Callable[[Vector], float]  # of the weights, in the limit's own unit
    end: float
    factor: float = 1.0  # units of the program's expression in one unit of the limit


@dataclass
class ConicProblem:
    """A conic program with the weights of a problem and its convex limits. `kappa` is the homogenisation variable of
    `programs.charnes_cooper`, by which every limit is multiplied; it is 1 where weights have their own scale."""

    model: ConicModel
    weights: Affine  # (N,)
    kappa: Affine
    sides: list[LimitEnd] = field(default_factory=list)
    equalities: list[tuple[str, str | None, int, int]] = field(default_factory=list)  # label, symbol, block, place

    def add(self, limit: Limit, symbols: tuple[str, ...], widening: Affine | None = None) -> None:
        """A further limit, every end of it moved out by `widening`; limits that are not convex are left out."""
        match limit:
            case Box():
                _bound(self, limit, symbols, widening)
            case Row():
                _row(self, limit, widening)
            case AbsoluteSum():
                _absolute(self, limit, widening)
            case RiskCap():
                if widening is None:
                    _cap(self, limit)
                else:
                    _widened_cap(self, limit, widening)
            case ContributionBounds():
                _contribution_cones(self, limit)
            case SelectionLimit():
                pass  # not convex
            case _:
                assert_never(limit)

    def bindings(self, answer: ConicSolution, weights: Vector, unit: float) -> tuple[Binding, ...]:
        """Limits that bind, with their shadow prices; `unit` is the value of one program unit in the objective's own
        unit."""
        found: list[Binding] = []
        for label, symbol, block, index in self.equalities:
            multiplier = float(answer.multipliers[block][index])
            if abs(multiplier) > CONIC_BINDING_MULTIPLIER:
                side = BoundSide.LOWER if multiplier > 0.0 else BoundSide.UPPER
                found.append(Binding(label, symbol, side, abs(multiplier) * unit))
        for one in self.sides:
            multiplier = float(answer.multipliers[one.block][one.index])
            if multiplier > CONIC_BINDING_MULTIPLIER and one.slack(weights) <= CONIC_BINDING_DISTANCE * max(
                1.0, abs(one.end)
            ):
                found.append(Binding(one.label, one.symbol, one.side, multiplier * one.factor * unit))
        return tuple(found)


def build_conic_problem(limits: FeasibleSet, control: SolverControl, *, homogeneous: bool = False) -> ConicProblem:
    """The conic problem of these limits; with `homogeneous`, weights and limits are multiplied by a free kappa."""
    model = ConicModel(control=control)
    weights = model.variables(limits.n_assets)
    conic = ConicProblem(model, weights, model.positive(1) if homogeneous else constant(1.0))
    for limit in limits.limits:
        conic.add(limit, limits.symbols)
    return conic


def risk_epigraph(conic: ConicProblem, risk: PortfolioRisk, weights: Affine) -> Affine:
    """The measure's first-degree form, in its own units, of weights that are expressions of the program."""
    if risk.measure.is_quadratic:
        bound = conic.model.variables(1)
        root = covariance_root(risk.moments.covariance) / risk.scale
        conic.model.second_order(bound, weights.under(root))
        return bound
    scenarios = risk.distribution
    outcomes = conic.model.variables(len(scenarios.values))
    conic.model.zero(outcomes - weights.under(scenarios.values / risk.scale))
    return risk_expression(
        conic.model,
        risk.measure,
        outcomes,
        scenarios.probabilities,
        risk.confidence_level,
        observed=scenarios.are_observations,
    )


def first_degree_risk(risk: PortfolioRisk) -> Callable[[Vector], float]:
    """The measure to the first degree, in its own units, as a function of weights (N,).

    The square of a small volatility is a difference of large figures: below `SMALL_VOLATILITY` the volatility is the
    norm of the weights times the root of the covariance, which keeps the digits that the difference loses.
    """

    def of(weights: Vector) -> float:
        value = to_first_degree(risk.of(weights), risk.measure.degree) / risk.scale
        if risk.measure.is_quadratic and value < SMALL_VOLATILITY:
            return float(np.linalg.norm(covariance_root(risk.moments.covariance) @ weights)) / risk.scale
        return value

    return of


def covariance_root(covariance: Matrix) -> Matrix:
    """F with F'F = covariance, also where that is singular."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > 1e-15 * max(float(values[-1]), 0.0)
    result: Matrix = (vectors[:, kept] * np.sqrt(values[kept])).T
    return result if len(result) else np.zeros((1, len(covariance)))


def _bound(conic: ConicProblem, box: Box, symbols: tuple[str, ...], widening: Affine | None) -> None:
    # Two inequalities that leave no room between them leave an interior-point method none to work in.
    fixed = (box.lower == box.upper) & (widening is None)
    if len(indices := np.flatnonzero(fixed)):
        block = conic.model.zero(conic.weights.at(indices) - conic.kappa.times(box.lower[indices]))
        conic.equalities += [(box.label, symbols[i], block, k) for k, i in enumerate(indices.tolist())]
    for side, ends, sign in ((BoundSide.LOWER, box.lower, 1.0), (BoundSide.UPPER, box.upper, -1.0)):
        indices = np.flatnonzero(np.isfinite(ends) & ~fixed)
        if not len(indices):
            continue
        inside = (conic.weights.at(indices) - conic.kappa.times(ends[indices])).times(sign)
        block = conic.model.nonnegative(inside if widening is None else inside + widening)
        for k, i in enumerate(indices.tolist()):
            end = float(ends[i])
            conic.sides.append(LimitEnd(box.label, symbols[i], side, block, k, _weight_slack(i, end), end))


def _weight_slack(i: int, end: float) -> Callable[[Vector], float]:
    return lambda weights: abs(float(weights[i]) - end)


def _row(conic: ConicProblem, row: Row, widening: Affine | None) -> None:
    value = conic.weights.total(row.coefficients)
    if row.lower == row.upper and widening is None:
        conic.equalities.append((row.label, None, conic.model.zero(value - conic.kappa.times(row.lower)), 0))
        return
    for side, end, sign in ((BoundSide.LOWER, row.lower, 1.0), (BoundSide.UPPER, row.upper, -1.0)):
        if np.isfinite(end):
            inside = (value - conic.kappa.times(end)).times(sign)
            block = conic.model.nonnegative(inside if widening is None else inside + widening)
            conic.sides.append(LimitEnd(row.label, None, side, block, 0, _row_slack(row, end), end))


def _row_slack(row: Row, end: float) -> Callable[[Vector], float]:
    return lambda weights: abs(float(row.coefficients @ weights) - end)


def _absolute(conic: ConicProblem, limit: AbsoluteSum, widening: Affine | None) -> None:
    if not np.isfinite(limit.maximum):
        return
    absolute = conic.model.positive(len(limit.centre))
    change = conic.weights - conic.kappa.times(limit.centre)
    conic.model.nonnegative(absolute + change)
    if not limit.shorts:
        conic.model.nonnegative(absolute - change)
    inside = conic.kappa.times(limit.maximum) - absolute.total()
    block = conic.model.nonnegative(inside if widening is None else inside + widening.times(limit.factor))
    conic.sides.append(
        LimitEnd(limit.label, None, BoundSide.UPPER, block, 0, _own_slack(limit), limit.maximum, limit.factor)
    )


def _own_slack(limit: AbsoluteSum | RiskCap) -> Callable[[Vector], float]:
    return lambda weights: abs(limit.maximum - limit.value(weights))


def _cap(conic: ConicProblem, cap: RiskCap) -> None:
    risk, degree = cap.risk, cap.risk.measure.degree
    expression = risk_epigraph(conic, risk, conic.weights - conic.kappa.times(cap.centre))
    # The program has the measure to the first degree: a unit of the limit is so many of its units at the end.
    end = to_first_degree(cap.maximum / cap.unit, degree)
    block = conic.model.nonnegative(conic.kappa.times(end / risk.scale) - expression)
    factor = 1.0 / (cap.unit * risk.scale * degree * end ** (degree - 1))
    conic.sides.append(LimitEnd(cap.label, None, BoundSide.UPPER, block, 0, _own_slack(cap), cap.maximum, factor))


def _contribution_cones(conic: ConicProblem, bounds: ContributionBounds) -> None:
    """w_i (Cw)_i >= lower w'Cw with both factors of 0 or more: a cone, for their geometric mean is concave."""
    indices = np.flatnonzero(bounds.lower > 0.0)
    if np.isfinite(bounds.upper).any():
        raise NotSupported(f"{bounds.label} bounds risk contributions from above, which this method cannot keep")
    if not len(indices):
        return
    unit = float(np.diag(bounds.covariance).mean()) or 1.0
    scaled = bounds.covariance / unit
    spread, marginal_risks = conic.model.variables(1), conic.model.variables(len(indices))
    conic.model.second_order(spread, conic.weights.under(covariance_root(scaled)))
    conic.model.zero(marginal_risks - conic.weights.under(scaled[indices]))
    conic.model.products(spread.times(np.sqrt(bounds.lower[indices])), conic.weights.at(indices), marginal_risks)


def _widened_cap(conic: ConicProblem, cap: RiskCap, widening: Affine) -> None:
    risk, degree = cap.risk, cap.risk.measure.degree
    expression = risk_epigraph(conic, risk, conic.weights - conic.kappa.times(cap.centre))
    unit = cap.unit * risk.scale**degree
    if degree == 2:
        squared = conic.model.variables(1)
        conic.model.products(expression, squared, constant(1.0))
        expression = squared
    conic.model.nonnegative(widening.times(1.0 / unit) + cap.maximum / unit - expression)
