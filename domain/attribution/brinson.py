"""Effects of single periods: allocation, selection and interaction of each group.

Bacon, Practical Portfolio Performance Measurement and Attribution, 2nd edition 2008, chapters 5 and 8. With the weights
w and returns r of the groups of the portfolio (p) and the benchmark (b), and the total R of the benchmark:
allocation (w_p - w_b)(r_b - R), selection w_b (r_p - r_b), interaction (w_p - w_b)(r_p - r_b). Selection includes
interaction unless it is asked for: w_p (r_p - r_b). Brinson, Hood and Beebower leave R out.
"""

import numpy as np

from domain.attribution.settings import AttributionModel, AttributionSettings
from domain.checks import Matrix, Vector
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class GroupPath:
    """Weights and contributions to the return of G groups in T periods: a return is a contribution / a weight."""

    weights: Matrix  # (T, G), at the start of each period
    contributions: Matrix  # (T, G); 0 where the weight is
    returns: Matrix  # (T, G); NaN where there is none

    @classmethod
    def of_returns(cls, weights: Matrix, returns: Matrix) -> "GroupPath":
        """From the returns of the groups, all (T, G); that of a group without weight may be NaN."""
        held = weights != 0.0
        return cls(weights, np.where(held, weights * np.where(held, returns, 0.0), 0.0), returns)

    @classmethod
    def of_contributions(cls, weights: Matrix, contributions: Matrix) -> "GroupPath":
        """From contributions (T, G), which are 0 where the weight is."""
        returns = np.full_like(contributions, np.nan)
        np.divide(contributions, weights, out=returns, where=weights != 0.0)
        return cls(weights, contributions, returns)


@dataclass(frozen=True, slots=True)
class Effects:
    """Effects of G groups in T periods, (T, G) each, or over all periods, (G,)."""

    allocation: Matrix
    selection: Matrix
    interaction: Matrix | None  # None where selection includes it

    @property
    def total(self) -> Matrix:
        """All effects of each group and period."""
        both = self.allocation + self.selection
        return both if self.interaction is None else both + self.interaction

    @property
    def selected(self) -> Matrix:
        """Selection and interaction together."""
        return self.selection if self.interaction is None else self.selection + self.interaction


def effects_of(
    portfolio: GroupPath, benchmark: GroupPath, benchmark_return: Vector, settings: AttributionSettings
) -> Effects:
    """Arithmetic effects of each period; `benchmark_return` (T,) is that of the whole benchmark.

    A group without weight in the portfolio takes the return of the benchmark, so that nothing is selected; one without
    weight and return in the benchmark takes that of the portfolio, so that all of it is allocation. The effects of a
    period sum to the difference of all contributions, less the return of the benchmark times the difference of the sums
    of weights under Brinson and Fachler.
    """
    returns = benchmark.returns
    if (missing := np.isnan(returns)).any():
        returns = np.where(missing, portfolio.returns, returns)
        returns[np.isnan(returns)] = 0.0
    active = portfolio.weights - benchmark.weights
    compared = returns
    if settings.model is AttributionModel.BRINSON_FACHLER:
        compared = returns - benchmark_return[:, None]
    allocation = active * compared
    selected = portfolio.contributions - portfolio.weights * returns
    if not settings.separate_interaction:
        return Effects(allocation, selected, None)
    held = portfolio.weights != 0.0
    better = np.where(held, np.where(held, portfolio.returns, 0.0) - returns, 0.0)
    selection = benchmark.weights * better
    return Effects(allocation, selection, selected - selection)
