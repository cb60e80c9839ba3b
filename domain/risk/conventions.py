"""Definitions of other libraries, for comparison with their numbers; the default is the definition of this engine."""

import math

import numpy as np

from domain.checks import Vector
from domain.records import dataclass
from domain.risk.figure import TOTAL_LOSS, Figure, finite, grown, if_known
from domain.risk.outcomes import Outcomes


@dataclass(frozen=True, slots=True)
class Conventions:
    """Each is the definition of this engine where it is False."""

    population_deviation: bool = False  # in Gaussian and Cornish-Fisher tails and semi-deviation: divisor T, not T - 1
    mean_beyond_quantile: bool = False  # of historical CVaR: no fraction at the border
    geometric_annual_return: bool = False  # in ratios and alpha: excess returns compounded, not p times their mean

    def deviation(self, sample: float, correction: float) -> float:
        """A deviation of a sample, `correction` being T / (T - 1)."""
        return sample * correction**-0.5 if self.population_deviation else sample

    def annual_return(self, returns: Vector, periods_per_year: float, probabilities: Vector | None = None) -> Figure:
        """Of T simple returns, by their number: p times the mean, or compounded, prod(1 + r)^(p / T) - 1.

        Compounded it is -1 after a return of -1 or less. `probabilities` (T,) replace 1 / T for scenarios.
        """
        weights = np.full(len(returns), 1.0 / len(returns)) if probabilities is None else probabilities
        if not self.geometric_annual_return:
            return finite(float(weights @ returns) * periods_per_year)
        growth = 1.0 + returns
        if (growth <= 0.0).any():
            return TOTAL_LOSS
        return grown(float(weights @ np.log(growth)) * periods_per_year)

    def annual_excess(self, outcomes: Outcomes, risk_free: float, periods_per_year: float) -> Figure:
        """Annual return over a risk-free rate per period.

        Compounded, it is that of the excess returns, prod(1 + r - f)^(p / T) - 1, as in PerformanceAnalytics; the
        compounded return less the annual rate would be another number.
        """
        return self.annual_return(outcomes.returns - risk_free, periods_per_year, outcomes.probability_vector)

    def annual_difference(self, returns: Vector, others: Vector, periods_per_year: float) -> Figure:
        """Annual return of the difference, or difference of the compounded ones."""
        if not self.geometric_annual_return:
            return self.annual_return(returns - others, periods_per_year)
        ours, theirs = (self.annual_return(series, periods_per_year) for series in (returns, others))
        return if_known(ours, lambda one: if_known(theirs, lambda other: finite(one - other)))

    def annualised(self, mean: float, periods_per_year: float) -> Figure:
        """A mean per period for a year, compounded (1 + mean)^p - 1."""
        if not self.geometric_annual_return:
            return finite(mean * periods_per_year)
        return TOTAL_LOSS if mean <= -1.0 else grown(math.log1p(mean) * periods_per_year)


OURS = Conventions()
