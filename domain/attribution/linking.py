"""Factors by which the effects of periods add up to those of the whole span.

Carino 1999, Journal of Performance Measurement 3(4); Menchero 2000, ibid. 5(1); GRAP 1997, as in Bacon 2008, chapter 8.
For these three the sum of factor x effect is the arithmetic excess return. Geometric effects compound instead: a part
is exp(sum of k x effect) - 1 with k = ln(1 + total) / total of each period, so that the product of 1 + each part is
1 + the geometric excess return.
"""

import numpy as np

from domain.attribution.settings import Linking
from domain.checks import Matrix, Vector
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Linked:
    """Factors of the periods, (T,), and the coefficient M of Menchero, which they vary around."""

    factors: Vector
    menchero_coefficient: float | None = None


def linking_factors(linking: Linking, portfolio: Vector, benchmark: Vector) -> Linked:
    """Factors for returns of the portfolio and the benchmark in each period, (T,), all above -1.

    Raises ValueError for geometric linking, which has none.
    """
    match linking:
        case Linking.CARINO:
            return Linked(_carino(portfolio, benchmark))
        case Linking.MENCHERO:
            return _menchero(portfolio, benchmark)
        case Linking.GRAP:
            return Linked(_grap(portfolio, benchmark))
        case Linking.GEOMETRIC:
            raise ValueError("geometric effects compound: there are no factors")


def total_return(returns: Vector) -> float:
    """Return over all periods (T,)."""
    return float(np.prod(1.0 + returns)) - 1.0


def log_slope(change: Vector) -> Vector:
    """ln(1 + x) / x, and 1 where x is 0, (T,): what turns a change of one period into a logarithm."""
    moves = np.abs(change) > 0.0
    result: Vector = np.where(moves, np.log1p(change) / np.where(moves, change, 1.0), 1.0)
    return result


def compounded(effects: Matrix, changes: Vector) -> Matrix:
    """Parts (G,) of a total that compounds over periods: `effects` (T, G) sum to `changes` (T,) in each of them."""
    result: Matrix = np.expm1(log_slope(changes) @ effects)
    return result


def _carino(portfolio: Vector, benchmark: Vector) -> Vector:
    """k_t / K with k = (ln(1 + r) - ln(1 + b)) / (r - b), which is 1 / (1 + r) where both are equal."""
    periods = log_slope((portfolio - benchmark) / (1.0 + benchmark)) / (1.0 + benchmark)
    growth, other = float(np.log1p(portfolio).sum()), float(np.log1p(benchmark).sum())
    difference = np.array([np.expm1(growth - other)])
    whole = float(log_slope(difference)[0]) * float(np.exp(-other))
    result: Vector = periods / whole
    return result


def _menchero(portfolio: Vector, benchmark: Vector) -> Linked:
    """M + C (r - b); M compares the total with a constant excess, C spreads what is left in proportion."""
    count = len(portfolio)
    growth, other = float(np.log1p(portfolio).sum()), float(np.log1p(benchmark).sum())
    apart = growth - other
    ratio = 1.0 if apart == 0.0 else float(np.expm1(apart) / np.expm1(apart / count)) / count
    coefficient = ratio * float(np.exp(other * (count - 1) / count))
    excess = portfolio - benchmark
    squares = float(excess @ excess)
    if squares == 0.0:
        return Linked(np.full(count, coefficient), coefficient)
    total = float(np.exp(other) * np.expm1(apart))
    spread = (total - coefficient * float(excess.sum())) / squares
    return Linked(coefficient + spread * excess, coefficient)


def _grap(portfolio: Vector, benchmark: Vector) -> Vector:
    """Growth of the portfolio before a period x that of the benchmark after it."""
    before = np.append(1.0, np.cumprod(1.0 + portfolio)[:-1])
    after = np.append(np.cumprod((1.0 + benchmark)[::-1])[::-1][1:], 1.0)
    result: Vector = before * after
    return result
