"""Scores of many series of returns on some of their dates: those of `ranking` that returns alone determine."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.backtest.metrics import TAIL_CONFIDENCE
from domain.checks import Matrix, Vector, rounding_of
from domain.records import dataclass
from domain.risk.measures.dispersion import lower_partial_moment, mean, standard_deviation
from domain.risk.measures.drawdown import compounded_drawdowns, deepest
from domain.risk.measures.tail import conditional_value_at_risk, value_at_risk
from domain.sweep.ranking import Score

NOT_OF_RETURNS = frozenset({Score.TURNOVER_ANNUAL, Score.COST_TOTAL})
"""Scores of trades, which the returns on some dates do not have."""

OF_BENCHMARK = frozenset({Score.INFORMATION_RATIO, Score.TRACKING_ERROR_ANNUAL})


@dataclass(frozen=True, slots=True)
class ReturnTable:
    """Returns per period of N series on the same T dates."""

    net: Matrix  # (N, T)
    excess: Matrix  # (N, T), less the risk-free return
    active: Matrix | None  # (N, T), less the return of the benchmark; None where there is none
    periods_per_year: float
    acceptable: float  # minimum acceptable return per period

    def on(self, dates: NDArray[np.int64], series: slice) -> "ReturnTable":
        """Some series on some dates, in their order."""
        active = None if self.active is None else self.active[series, dates]
        return replace(self, net=self.net[series, dates], excess=self.excess[series, dates], active=active)

    def assembled(self, chosen: NDArray[np.int64]) -> "ReturnTable":
        """P series of which each has the returns of series `chosen` (P, T) on each date."""
        dates = np.arange(chosen.shape[1])
        active = None if self.active is None else self.active[chosen, dates]
        return replace(self, net=self.net[chosen, dates], excess=self.excess[chosen, dates], active=active)


def return_scores(score: Score, table: ReturnTable) -> Vector:
    """The score of each series, (N,), NaN where it is not defined; dates are taken as if they followed each other.

    It is that of a backtest with these returns. A year is `periods_per_year` dates in CAGR and Calmar ratio too, since
    dates with gaps between them have no calendar time. Needs two dates.
    """
    periods = table.periods_per_year
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = _per_score(score, table, periods)
    return np.where(np.isfinite(found), found, np.nan)


def _per_score(score: Score, table: ReturnTable, periods: float) -> Vector:
    net, root = table.net, math.sqrt(periods)
    match score:
        case Score.SHARPE:
            return root * mean(table.excess) / _deviation(table.excess)
        case Score.SORTINO:
            below = lower_partial_moment(net, 2, table.acceptable)
            return root * (mean(net) - table.acceptable) / below
        case Score.TOTAL_RETURN:
            return _growth(net, 1.0)
        case Score.CAGR:
            return _growth(net, periods / net.shape[1])
        case Score.CALMAR:
            return _growth(net, periods / net.shape[1]) / deepest(compounded_drawdowns(net))
        case Score.VOLATILITY_ANNUAL:
            return root * _deviation(net)
        case Score.MAX_DRAWDOWN:
            return deepest(compounded_drawdowns(net))
        case Score.VALUE_AT_RISK:
            return value_at_risk(net, TAIL_CONFIDENCE)
        case Score.CONDITIONAL_VALUE_AT_RISK:
            return conditional_value_at_risk(net, TAIL_CONFIDENCE)
        case Score.INFORMATION_RATIO | Score.TRACKING_ERROR_ANNUAL if table.active is not None:
            error = root * _deviation(table.active)
            return error if score is Score.TRACKING_ERROR_ANNUAL else periods * mean(table.active) / error
        case _:
            raise ValueError(f"{score} is not determined by these returns")


def _deviation(returns: Matrix) -> Vector:
    """Standard deviation of each series, exactly 0 where it does not vary."""
    return standard_deviation(returns, rounding=rounding_of(returns))


def _growth(net: Matrix, power: float) -> Vector:
    """Compounded growth to a power, less 1; -1 after a return of -1 or less."""
    ruined = (net <= -1.0).any(axis=1)
    grown: Vector = np.expm1(power * np.log1p(np.where(net <= -1.0, 0.0, net)).sum(axis=1))
    return np.where(ruined, -1.0, grown)
