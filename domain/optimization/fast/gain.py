"""What weights earn in a year: an expected return less what trading or doubt takes off it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from domain.checks import Matrix, Vector
from domain.costs.linear import TradingCosts
from domain.optimization.fast.cones import Affine
from domain.optimization.fast.stage import Stage
from domain.optimization.problem import Problem


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
    """sum of rate |w - current|: what it costs to get there, taken from the first year's return."""

    costs: TradingCosts

    def of(self, weights: Vector) -> float:
        """See `Deduction`."""
        return self.costs.of(weights)

    def expression(self, made: Stage) -> Affine:
        """See `Deduction`."""
        return _absolute(made, made.weights - made.kappa.times(self.costs.current)).total(self.costs.rates)


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


def _absolute(made: Stage, expressions: Affine) -> Affine:
    size = made.model.positive(len(expressions))
    made.model.nonnegative(size - expressions)
    made.model.nonnegative(size + expressions)
    return size
