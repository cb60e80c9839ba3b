"""What the best of many trials is worth: the Sharpe ratio that luck alone gives to the best of them."""

import math

from domain.checks import Matrix
from domain.records import dataclass
from domain.risk.figure import Figure
from domain.significance.sharpe import NORMAL, SharpeEstimate

EULER = 0.57721566490153286


@dataclass(frozen=True, slots=True)
class DeflatedSharpe:
    """The best of some trials against the best that is to be expected of trials without skill."""

    expected_maximum: float  # Sharpe ratio per period
    probability: Figure  # that the true ratio of the best trial is above it


def expected_maximum(trials: float) -> float:
    """Expected largest of N independent standard normal numbers, about; 0 for one, N need not be whole.

    (1 - g) Z(1 - 1 / N) + g Z(1 - 1 / (N e)), g Euler's constant (Bailey et al. 2014, "Pseudo-mathematics and
    financial charlatanism", proposition 1).
    """
    if trials <= 1.0:
        return 0.0
    first = NORMAL.inv_cdf(1.0 - 1.0 / trials)
    second = NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return max((1.0 - EULER) * first + EULER * second, 0.0)


def minimum_backtest_length(trials: float, sharpe: float) -> float:
    """Time in which the best of N trials without skill is to be expected at a Sharpe ratio, in its own unit of time.

    The square of the expected maximum / SR^2 (Bailey et al. 2014, theorem 2, before its upper bound).
    """
    return (expected_maximum(trials) / sharpe) ** 2


def effective_trials(returns: Matrix) -> float:
    """Independent trials that N of returns (T, N) are worth: rho + (1 - rho) N, rho the mean correlation.

    It is above N where rho is negative. Bailey and Lopez de Prado 2014, "The deflated Sharpe ratio", appendix A.3. Each
    column varies, N is 2 or more.
    """
    t, n = returns.shape
    standard = (returns - returns.mean(axis=0)) / returns.std(axis=0)
    total = standard.sum(axis=1)
    correlation = (float(total @ total) / t - n) / (n * (n - 1))
    return float(correlation + (1.0 - correlation) * n)


def deflated_sharpe(best: SharpeEstimate, dispersion: float, trials: float) -> DeflatedSharpe:
    """Of the best of N trials whose Sharpe ratios per period have a standard deviation (divisor N - 1).

    Bailey and Lopez de Prado 2014, equations 1 and 2.
    """
    expected = dispersion * expected_maximum(trials)
    return DeflatedSharpe(expected, best.probability_above(expected))
