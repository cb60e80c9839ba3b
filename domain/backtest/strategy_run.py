"""A strategy with the dates of its decisions, and with the weights of those that are known beforehand."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.backtest.market import Market
from domain.backtest.strategies import Strategy
from domain.backtest.strategies.sleeves import Sleeves


@dataclass(frozen=True, slots=True)
class StrategyRun:
    """A strategy with the dates of its decisions."""

    strategy: Strategy
    decisions: NDArray[np.int64]  # indices on the date axis; the net asset value starts at the first
    delay: int  # dates between a decision and its fill
    tranches: tuple["StrategyRun", ...] = ()  # of each part that decides on its own dates; none where there is one
    sleeves: Sleeves | None = None  # of a blend whose parts decide on dates of their own

    @property
    def start(self) -> int:
        """Index of the date on which net asset value and figures start."""
        return int(self.decisions[0])

    def planned(self, market: Market) -> tuple[NDArray[np.int64], NDArray[np.float64], bool]:
        """Which of some rows of weights each decision has, (D,), the rows (R, N), and whether the strategy is asked.

        A strategy whose weights depend on nothing but the assets that are listed gives them all at once; of another
        there are as many rows as decisions can wait for their fill.
        """
        made, members = self.decisions, None
        listed = None if market.all_listed else market.panel.values[made] > 0.0
        if market.members is not None:
            members = market.members[made]
            listed = members if listed is None else listed & members
        planned = self.strategy.planned(market.panel.symbols, market.panel.dates[made], listed)
        if planned is not None:
            planned = planned.of_members(members)
            return planned.rows, planned.weights, False
        count = self.delay + 2
        rows = np.arange(len(self.decisions), dtype=np.int64) % count
        return rows, np.zeros((count, len(market.panel.symbols))), True
