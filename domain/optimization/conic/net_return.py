"""What weights earn in a year: an expected return less what trading or doubt takes off it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from domain.checks import Matrix, Vector
from domain.costs.trading import TradingCosts
from domain.optimization.conic.conic_problem import Stage
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.conic_model import Affine


class Deduction(Protocol):
    """A convex function of the weights that grows with kappa as they do."""

    def of(self, weights: Vector) -> float:
        """Its value for weights (N,), per year."""
        ...

    def expression(self, made: Stage) -> Affine:
        """An expression of the program that is at least that."""
        ...


@dataclass(frozen=True, slots=True)
class Trading:
    """What it costs to get to the weights and to hold them, taken from the first year's return; fees apart.

    A fee is not convex: `trade_selection` decides who pays one, and what is decided comes here as paid.
    """

    costs: TradingCosts

    def of(self, weights: Vector) -> float:
        """See `Deduction`."""
        return self.costs.first_year(weights)

    def expression(self, made: Stage) -> Affine:
        """See `Deduction`."""
        costs = self.costs
        impact = np.zeros_like(costs.rates) if costs.impact is None else costs.impact
        total = made.kappa.times(costs.paid)
        # What costs nothing gets no variable: nothing would hold it down.
        if len(priced := np.flatnonzero((costs.rates > 0.0) | (impact > 0.0))):
            change = made.weights.at(priced) - made.kappa.times(costs.current[priced])
            size = _absolute(made, change)
            total = total + size.total(costs.rates[priced])
            if len(moved := np.flatnonzero(impact[priced] > 0.0)):
                total = total + _three_halves(made, size.at(moved)).total(impact[priced][moved])
        if costs.borrow_rate_annual > 0.0:
            short = made.model.positive(len(made.weights))
            made.model.nonnegative(short + made.weights)
            total = total + short.total().times(costs.borrow_rate_annual)
        return total


@dataclass(frozen=True, slots=True)
class EachUncertain:
    """sum of radius |w|: every mean at the bad end of its own interval."""

    radii: Vector  # (N,), per year

    def of(self, weights: Vector) -> float:
        """See `Deduction`."""
        return float(self.radii @ np.abs(weights))

    def expression(self, made: Stage) -> Affine:
        """See `Deduction`."""
        return _absolute(made, made.weights).total(self.radii)


@dataclass(frozen=True, slots=True)
class TogetherUncertain:
    """|root w|: all means at the worst point of one ellipsoid."""

    root: Matrix  # (K, N), per year

    def of(self, weights: Vector) -> float:
        """See `Deduction`."""
        return float(np.linalg.norm(self.root @ weights))

    def expression(self, made: Stage) -> Affine:
        """See `Deduction`."""
        unit = float(np.abs(self.root).max()) or 1.0
        bound = made.model.variables(1)
        made.model.second_order(bound, made.weights.under(self.root / unit))
        return bound.times(unit)


@dataclass(frozen=True, slots=True)
class Gain:
    """by_asset . w - constant - deductions, per year."""

    by_asset: Vector  # (N,)
    constant: float = 0.0
    deductions: tuple[Deduction, ...] = ()

    def of(self, weights: Vector) -> float:
        """For weights (N,)."""
        return float(self.by_asset @ weights) - self.constant - sum(one.of(weights) for one in self.deductions)

    @property
    def scale(self) -> float:
        """Size of its largest figure, 0 where nothing gains or loses."""
        return max(float(np.abs(self.by_asset).max()), abs(self.constant))

    def expression(self, made: Stage, unit: float) -> Affine:
        """At most the gain, in units."""
        earned = made.weights.total(self.by_asset / unit) - made.kappa.times(self.constant / unit)
        for one in self.deductions:
            earned = earned - one.expression(made).times(1.0 / unit)
        return earned


def annual_gain(problem: Problem, constant: float = 0.0) -> Gain:
    """A problem's expected annual return, less the cost of trading where that is to count, less a constant."""
    deductions = () if problem.costs is None else (Trading(problem.costs),)
    return Gain(problem.periods_per_year * problem.moments.expected_returns, constant, deductions)


def _three_halves(made: Stage, sizes: Affine) -> Affine:
    """At least kappa (size / kappa)^1.5, by size^2 <= result root and root^2 <= size kappa."""
    result, root = made.model.variables(len(sizes)), made.model.variables(len(sizes))
    made.model.products(sizes, result, root)
    made.model.products(root, sizes, made.kappa)
    return result


def _absolute(made: Stage, expressions: Affine) -> Affine:
    size = made.model.positive(len(expressions))
    made.model.nonnegative(size - expressions)
    made.model.nonnegative(size + expressions)
    return size
