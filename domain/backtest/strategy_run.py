"""A strategy with the dates of its decisions, and with the weights of those that are known beforehand."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.backtest.market import Market
from domain.backtest.strategies import PlannedWeights, Strategy
from domain.backtest.strategies.sleeves import Sleeves
from domain.portfolio import FULLY_INVESTED_TOLERANCE
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class StrategyRun:
    """A strategy with the dates of its decisions."""

    strategy: Strategy
    decisions: NDArray[np.int64]  # indices on the date axis; the net asset value starts at the first
    delay: int  # dates between a decision and its fill
    sleeves: Sleeves | None = None  # parts of the account that decide on dates of their own

    @property
    def start(self) -> int:
        """Index of the date on which net asset value and figures start."""
        return int(self.decisions[0])

    def bound_to(self, strategy: Strategy) -> "StrategyRun":
        """The same dates, and the same tranches, with another strategy."""
        sleeves = self.sleeves
        if sleeves is not None:
            sleeves = replace(sleeves, sleeves=tuple(replace(one, strategy=strategy) for one in sleeves.sleeves))
        return replace(self, strategy=strategy, sleeves=sleeves)

    def planned(self, market: Market) -> tuple[NDArray[np.int64], NDArray[np.float64], bool]:
        """Which of some rows of weights each decision has, (D,), the rows (R, N), and whether the strategy is asked.

        A strategy whose weights depend on nothing but the assets that are listed gives them all at once; of another
        there are as many rows as decisions can wait for their fill.
        """
        if self.sleeves is not None:
            planned = self._planned_by_sleeves(self.sleeves, market)
        else:
            planned = self._plan_of(self.strategy, market)
        if planned is not None:
            return planned.rows, planned.weights, False
        count = self.delay + 2
        rows = np.arange(len(self.decisions), dtype=np.int64) % count
        return rows, np.zeros((count, len(market.panel.symbols))), True

    def _plan_of(self, strategy: Strategy, market: Market) -> PlannedWeights | None:
        """The weights of a strategy at each decision; None where it is asked."""
        listed, members = self._listed(market), self._members(market)
        planned = strategy.planned(market.panel.symbols, market.panel.dates[self.decisions], listed)
        return None if planned is None else planned.of_members(members)

    def _planned_by_sleeves(self, sleeves: Sleeves, market: Market) -> PlannedWeights | None:
        """The sum of tranches whose strategy plans weights without borrowing and shorts, in a market without gaps.

        None where it is asked: a blend is, and so is everybody where a cooldown or a loss of everything can drop
        decisions, and where dividends, splits or a change of the universe come between a decision and its fill.
        """
        actions, opens = market.actions, market.opens
        if not (sleeves.are_tranches and sleeves.least_between <= 1 and market.all_listed and market.members is None):
            return None
        if sleeves.fills_at_open and (opens is None or len(actions.date)):
            return None
        plan = self._plan_of(self.strategy, market)
        if plan is None or plan.weights.min() < 0.0 or plan.weights.sum(axis=1).max() > 1.0 + FULLY_INVESTED_TOLERANCE:
            return None
        made = self.decisions
        levels = opens if sleeves.fills_at_open and opens is not None else market.total_return
        rows = sleeves.planned(market.panel.dates[made], plan.weights[plan.rows], levels[made + self.delay])
        return PlannedWeights(rows, np.arange(len(made), dtype=np.int64))

    def _members(self, market: Market) -> NDArray[np.bool_] | None:
        return None if market.members is None else market.members[self.decisions]

    def _listed(self, market: Market) -> NDArray[np.bool_] | None:
        """Which assets can be bought at each decision, (D, N); None for all."""
        members = self._members(market)
        if market.all_listed:
            return members
        listed: NDArray[np.bool_] = market.panel.values[self.decisions] > 0.0
        return listed if members is None else listed & members
