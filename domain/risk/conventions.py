"""How other libraries define a figure, for comparison with their numbers; without any, definitions are ours."""

import math
from dataclasses import dataclass

import numpy as np

from domain.checks import Vector
from domain.risk.figure import EXHAUSTED, Absent, Figure, grown


@dataclass(frozen=True, slots=True)
class Conventions:
    """Each is ours where it is False."""

    population_deviation: bool = False  # in Gaussian and Cornish-Fisher tails and semi-deviation: divisor T, not T - 1
    mean_beyond_quantile: bool = False  # of historical CVaR: no fraction at the border
    geometric_annual_return: bool = False  # in ratios and alpha: compounded, not p times the mean

    def deviation(self, sample: float, correction: float) -> float:
        """A deviation of a sample, `correction` being T / (T - 1)."""
        return sample * correction**-0.5 if self.population_deviation else sample

    def annual_return(self, returns: Vector, periods_per_year: float) -> Figure:
        """Of T simple returns, by their number."""
        if not self.geometric_annual_return:
            return float(returns.mean()) * periods_per_year
        growth = 1.0 + returns
        if (growth <= 0.0).any():
            return Absent(EXHAUSTED)
        return grown(float(np.log(growth).mean()) * periods_per_year)

    def annual_difference(self, returns: Vector, others: Vector, periods_per_year: float) -> Figure:
        """Annual return of the difference, or difference of the compounded ones."""
        if not self.geometric_annual_return:
            return float((returns - others).mean()) * periods_per_year
        ours, theirs = (self.annual_return(series, periods_per_year) for series in (returns, others))
        if isinstance(ours, Absent) or isinstance(theirs, Absent):
            return Absent(EXHAUSTED)
        return ours - theirs

    def annualised(self, mean: float, periods_per_year: float) -> Figure:
        """A mean per period for a year."""
        if not self.geometric_annual_return:
            return mean * periods_per_year
        return Absent(EXHAUSTED) if mean <= -1.0 else grown(math.log1p(mean) * periods_per_year)


OURS = Conventions()
