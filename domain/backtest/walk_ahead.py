"""Decisions of a plain optimised strategy, solved some dozens at a time.

A strategy that depends on nothing but the prices of its lookback has the same weights whether it is asked date by date
or for many dates at once, and that takes a fraction of the time. Each decision still sees the prices before it alone. A
decision without a proven answer is not made here: the strategy is asked, and says why there is none.
"""

import numpy as np
from numpy.typing import NDArray

from domain.backtest.market import Market
from domain.backtest.strategies import Optimized, Strategy
from domain.cancellation import CancellationCheck
from domain.checks import Matrix
from domain.optimization.walk.decisions import WalkObjective, decide_windows, walk_objective
from domain.optimization.walk.windows import window_moments

AT_ONCE = 64
"""Decisions, and fewer of many assets: their covariances are held at once."""

MOST_ASSETS = 200
"""Of more, each decision is so much work that it takes longer beside others than alone."""

MOST_ENTRIES = 1_000_000
"""Coefficients of the covariances of the decisions that are solved at once."""


class WalkAhead:
    """The weights of the decisions of one run of a strategy, for one simulation or for several that differ in costs."""

    def __init__(
        self, strategy: Strategy, market: Market, decisions: NDArray[np.int64], *, keeps_all: bool = False
    ) -> None:
        """`decisions` are indices on the date axis; `keeps_all` for simulations that follow."""
        self._market, self._decisions, self._keeps_all = market, decisions, keeps_all
        self._objective, self._lookback = _walk_of(strategy, market)
        self._at_once = max(1, min(AT_ONCE, MOST_ENTRIES // len(market.panel.symbols) ** 2))
        self._solved: dict[int, Matrix] = {}  # weights of some decisions each, by the first of them over their number

    def weights(self, index: int, check_cancelled: CancellationCheck) -> Matrix:
        """Proven weights (K, N) of decisions from one on; none where the strategy has to be asked for that one.

        Raises what the check raises.
        """
        if self._objective is None:
            return np.zeros((0, len(self._market.panel.symbols)))
        part, place = divmod(index, self._at_once)
        if part not in self._solved:
            if not self._keeps_all:
                self._solved.clear()
            self._solved[part] = self._decided(self._objective, part * self._at_once, check_cancelled)
        rows = self._solved[part][place:]
        unknown = np.isnan(rows).any(axis=1)
        result: Matrix = rows[: int(unknown.argmax())] if unknown.any() else rows
        return result

    def _decided(self, objective: WalkObjective, index: int, check_cancelled: CancellationCheck) -> Matrix:
        """Of the decisions from one on; NaN for those without an answer."""
        assets = len(self._market.panel.symbols)
        ends = self._decisions[index : index + self._at_once]
        if ends[0] < self._lookback:
            return np.full((len(ends), assets), np.nan)
        first = int(ends[0]) - self._lookback
        prices = self._market.total_return[first : int(ends[-1]) + 1]
        with np.errstate(all="ignore"):  # of a window with such prices alone, which then has no answer
            returns = prices[1:] / np.where(prices[:-1] > 0.0, prices[:-1], np.nan) - 1.0
            moments = window_moments(returns, ends - first, self._lookback)
            return decide_windows(moments, objective, self._market.periods_per_year, check_cancelled).weights


def _walk_of(strategy: Strategy, market: Market) -> tuple[WalkObjective | None, int]:
    """The objective and the lookback, None for a strategy that has to be asked."""
    if not isinstance(strategy, Optimized) or strategy.lookback is None or strategy.lookback < 2:
        return None, 0
    if market.members is not None or not market.all_listed or len(market.panel.symbols) > MOST_ASSETS:
        return None, 0
    return walk_objective(strategy.specification), strategy.lookback
