"""Annual expected return net of trading costs and robustness penalties."""

import numpy as np

from domain.checks import Matrix, Vector
from domain.costs.trading import TradingCosts
from domain.optimization.problem.problem import Problem
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class TradingDeduction:
    """The cost of trading to the weights and of holding them, taken from the first year's return; fees apart.

    A fee is not convex: `selection.fixed_costs` decides which trades pay one, and those are part of `costs.paid`.
    """

    costs: TradingCosts

    def of(self, weights: Vector) -> float:
        """Its value for weights (N,), per year."""
        return self.costs.first_year(weights)


@dataclass(frozen=True, slots=True)
class BoxDeduction:
    """sum of radius |w|: every mean at the bad end of its own interval."""

    radii: Vector  # (N,), per year

    def of(self, weights: Vector) -> float:
        """Its value for weights (N,), per year."""
        return float(self.radii @ np.abs(weights))


@dataclass(frozen=True, slots=True)
class EllipsoidDeduction:
    """|root w|: all means at the worst point of one ellipsoid."""

    root: Matrix  # (K, N), per year

    def of(self, weights: Vector) -> float:
        """Its value for weights (N,), per year."""
        return float(np.linalg.norm(self.root @ weights))


Deduction = TradingDeduction | BoxDeduction | EllipsoidDeduction
"""A convex function of the weights, taken from the return; it grows in proportion when weights and limits do."""


@dataclass(frozen=True, slots=True)
class NetReturn:
    """by_asset . w - constant - deductions, per year; also the numerator of a ratio."""

    by_asset: Vector  # (N,)
    constant: float = 0.0
    deductions: tuple[Deduction, ...] = ()
    is_spread: bool = False  # whether it is the average volatility of the assets, the numerator of diversification

    def of(self, weights: Vector) -> float:
        """For weights (N,)."""
        return float(self.by_asset @ weights) - self.constant - sum(one.of(weights) for one in self.deductions)

    @property
    def scale(self) -> float:
        """Magnitude of its largest coefficient, 0 where all are 0."""
        return max(float(np.abs(self.by_asset).max()), abs(self.constant))


def annual_net_return(problem: Problem, constant: float = 0.0) -> NetReturn:
    """A problem's expected annual return, net of trading costs where they are in the objective, less a constant."""
    deductions = () if problem.costs is None else (TradingDeduction(problem.costs),)
    return NetReturn(problem.periods_per_year * problem.moments.expected_returns, constant, deductions)
