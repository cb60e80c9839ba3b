"""Risk-adjusted returns. Ratios are annual, with p periods in a year."""

import numpy as np

from domain.checks import Vector
from domain.records import dataclass
from domain.risk.conventions import OURS, Conventions
from domain.risk.figure import (
    CONSTANT,
    NEVER_FELL,
    NO_DISTRIBUTION,
    NO_DOWNSIDE,
    NO_TIME,
    TOTAL_LOSS,
    Absent,
    Figure,
    grown,
    if_known,
    quotient,
    times,
)
from domain.risk.measures.dispersion import lower_partial_moment, upper_partial_moment
from domain.risk.outcomes import Outcomes

STERLING_EXCESS = 0.1
"""Added to the drawdown in the Sterling ratio of Jones (Kestner 1996)."""

WHOLE_PERIODS = "needs a whole number of periods per year, at least two"
TOO_FEW = "needs more returns than periods per year"
NEGATIVE_VARIANCE = "the autocorrelations give a year a variance of zero or less"
NO_LOSS = "no return is negative"


@dataclass(frozen=True, slots=True)
class Ratios:
    """Figures of one series of returns."""

    sharpe: Figure  # annual excess return / annual volatility
    sharpe_autocorrelation_adjusted: Figure  # Lo 2002
    sortino: Figure  # excess over the minimum acceptable return / downside deviation
    omega: Figure  # mean gain above the minimum acceptable return / mean shortfall below it
    gain_to_pain: Figure  # sum of returns / sum of losses (Schwager 2012)

    @classmethod
    def of_moments(cls, mean: Figure, deviation: Figure, periods: float, risk_free: float) -> "Ratios":
        """The Sharpe ratio from two moments per period; the others are absent."""
        excess = if_known(mean, lambda known: known - risk_free)
        sharpe = times(quotient(excess, deviation, CONSTANT), periods**0.5)
        return cls(sharpe, *[Absent(NO_DISTRIBUTION)] * 4)


def ratios(
    outcomes: Outcomes,
    deviation: Figure,
    periods: float,
    risk_free: float,
    acceptable: float,
    conventions: Conventions = OURS,
) -> Ratios:
    """Of returns per period; the risk-free rate and the minimum acceptable return are per period as well.

    `outcomes` in the order of time, or scenarios, which have no autocorrelation.
    """
    per_period = quotient(outcomes.mean - risk_free, deviation, CONSTANT)
    annual = sharpe_ratio(outcomes, deviation, periods, risk_free)
    if conventions.geometric_annual_return:
        growth = conventions.annual_excess(outcomes, risk_free, periods)
        annual = quotient(growth, times(deviation, periods**0.5), CONSTANT)
    returns, probabilities = outcomes.returns, outcomes.probabilities
    lost = float(lower_partial_moment(returns, 1, 0.0, probabilities))
    above = float(upper_partial_moment(returns, 1, acceptable, probabilities))
    below = float(lower_partial_moment(returns, 1, acceptable, probabilities))
    return Ratios(
        sharpe=annual,
        sharpe_autocorrelation_adjusted=_adjusted(per_period, outcomes, periods),
        sortino=sortino_ratio(outcomes, periods, acceptable),
        omega=quotient(above, below, NO_DOWNSIDE),
        gain_to_pain=quotient(outcomes.mean, lost, NO_LOSS),
    )


def sharpe_ratio(outcomes: Outcomes, deviation: Figure, periods: float, risk_free: float) -> Figure:
    """Annual excess return / annual volatility; the risk-free rate and the deviation are per period."""
    return sharpe_of_moments(outcomes.mean, deviation, periods, risk_free)


def sharpe_of_moments(mean: float, deviation: Figure, periods: float, risk_free: float) -> Figure:
    """The same of two moments per period."""
    return times(quotient(mean - risk_free, deviation, CONSTANT), periods**0.5)


def sortino_ratio(outcomes: Outcomes, periods: float, acceptable: float) -> Figure:
    """Excess over the minimum acceptable return, which is per period, / downside deviation, annual."""
    downside = float(lower_partial_moment(outcomes.returns, 2, acceptable, outcomes.probabilities))
    return sortino_of_moments(outcomes.mean, downside, periods, acceptable)


def sortino_of_moments(mean: float, downside: float, periods: float, acceptable: float) -> Figure:
    """The same of two moments per period: the mean, and the root of the mean squared shortfall below the acceptable."""
    return times(quotient(mean - acceptable, downside, NO_DOWNSIDE), periods**0.5)


def calmar(cagr: Figure, deepest: float) -> Figure:
    """Compound annual return / maximum drawdown (Young 1991)."""
    return quotient(cagr, deepest, NEVER_FELL)


def sterling(cagr: Figure, deepest: float) -> Figure:
    """Compound annual return / (maximum drawdown + 10 %)."""
    return quotient(cagr, deepest + STERLING_EXCESS, NEVER_FELL)


def compound_annual_return(returns: Vector, years: float) -> Figure:
    """CAGR of T simple returns over some years; -1 where one of them is -1 or less."""
    growth = 1.0 + returns
    if (growth <= 0.0).any():
        return TOTAL_LOSS
    return grown(float(np.log(growth).sum()) / years)


def autocorrelations(returns: Vector, most: int) -> Vector:
    """Of lags 1 to `most`, (most,): the products of distances from the mean over their squares, as Lo has them."""
    deviations = returns - returns.mean()
    square = float(deviations @ deviations)
    return np.array([float(deviations[lag:] @ deviations[:-lag]) / square for lag in range(1, most + 1)])


def annualisation_factor(correlations: Vector) -> Figure:
    """Factor from a Sharpe ratio per period to one per year of q periods, from q - 1 autocorrelations.

    q / sqrt(q + 2 sum (q - k) rho_k) (Lo 2002, "The statistics of Sharpe ratios", equation 20); sqrt(q) without any.
    """
    q = len(correlations) + 1
    variance = q + 2.0 * float((q - np.arange(1, q)) @ correlations)
    return q / variance**0.5 if variance > 0.0 else Absent(NEGATIVE_VARIANCE)


def _adjusted(sharpe: Figure, outcomes: Outcomes, periods: float) -> Figure:
    if isinstance(sharpe, Absent):
        return sharpe
    if outcomes.probabilities is not None:
        return Absent(NO_TIME)
    if periods != int(periods) or periods < 2:
        return Absent(WHOLE_PERIODS)
    if len(outcomes.returns) <= periods:
        return Absent(TOO_FEW)
    factor = annualisation_factor(autocorrelations(outcomes.returns, int(periods) - 1))
    return times(factor, sharpe)
