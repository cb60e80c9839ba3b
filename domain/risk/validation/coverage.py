"""Whether there are as many exceptions as there should be (Kupiec 1995).

"Techniques for verifying the accuracy of risk measurement models", Journal of Derivatives 3(2).
"""

import math
from bisect import bisect_left, bisect_right

import numpy as np

from domain.risk.validation.binomial import TIE, at_least, coverage_ratio, entropies, probabilities
from domain.risk.validation.chi_square import chi_square_survival
from domain.risk.validation.exceptions import Exceptions
from domain.risk.validation.verdict import PValueMethod, Verdict


def proportion_of_failures(exceptions: Exceptions) -> Verdict:
    """Kupiec's likelihood ratio of x exceptions in T: -2 ln [p^x (1 - p)^(T - x) / ((x / T)^x (1 - x / T)^(T - x))].

    It is defined for no exceptions too, with 0 ln 0 = 0. The exact p-value is the binomial probability of all numbers
    of exceptions whose ratio is as large; the asymptotic one is of a chi-squared distribution with one degree.
    """
    total, tail = exceptions.observations, exceptions.tail_probability
    ratios = coverage_ratio(np.arange(total + 1), total, tail, entropies(total))
    observed = float(ratios[exceptions.count])
    exact = float(probabilities(total, tail)[at_least(ratios, observed)].sum())
    return Verdict(
        statistic=observed,
        p_value=min(exact, 1.0),
        method=PValueMethod.EXACT,
        p_value_asymptotic=chi_square_survival(observed, 1),
        degrees_of_freedom=1,
    )


def time_until_first_failure(exceptions: Exceptions) -> Verdict:
    """Kupiec's likelihood ratio of a first exception in period v: -2 ln [p (1 - p)^(v - 1) v^v / (v - 1)^(v - 1)].

    The exact p-value is the geometric probability of all v whose ratio is as large: v is one observation, so the
    asymptotic one is poor.
    """
    places, tail = exceptions.places, exceptions.tail_probability
    if not places:
        return Verdict.undefined("there is no exception")
    observed = _waiting_ratio(places[0] + 1, tail)
    early, late = _as_extreme(observed, tail)
    exact = -math.expm1(early * math.log1p(-tail)) + math.exp((late - 1) * math.log1p(-tail))
    return Verdict(
        statistic=observed,
        p_value=min(exact, 1.0),
        method=PValueMethod.EXACT,
        p_value_asymptotic=chi_square_survival(observed, 1),
        degrees_of_freedom=1,
    )


def _waiting_ratio(periods: int, tail: float) -> float:
    likeliest = (periods - 1) * math.log1p(-1.0 / periods) - math.log(periods) if periods > 1 else 0.0
    return max(2.0 * (likeliest - math.log(tail) - (periods - 1) * math.log1p(-tail)), 0.0)


def _as_extreme(observed: float, tail: float) -> tuple[int, int]:
    """The ratio is as large up to the first and from the second: it falls until v = 1 / p and rises from there."""
    least, bottom = observed - TIE * (1.0 + observed), max(math.floor(1.0 / tail), 1)
    early = bisect_right(range(1, bottom + 1), -least, key=lambda v: -_waiting_ratio(v, tail))
    highest = bottom + 1
    while _waiting_ratio(highest, tail) < least:
        highest *= 2
    late = bottom + 1 + bisect_left(range(bottom + 1, highest), least, key=lambda v: _waiting_ratio(v, tail))
    return early, late
