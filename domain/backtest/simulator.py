"""Simulates one strategy from event to event: mark to market, fill due decisions, decide."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.backtest.record import FailedRebalance, FillRecord, Record
from domain.backtest.strategies import MarketHistory, Strategy
from domain.backtest.trade_execution import execute_trades
from domain.checks import Vector
from domain.costs.linear import LinearCost
from domain.costs.self_financing import WealthExhausted
from domain.errors import Cancelled, DomainError, InvalidInput
from domain.market_data.panel import PricePanel, civil_date


@dataclass(frozen=True, slots=True)
class Market:
    """Prices, costs and cash rate of the whole simulation; a strategy sees a `MarketHistory` of it."""

    panel: PricePanel  # complete, (T, N)
    periods_per_year: float
    costs: LinearCost
    cash_rate_annual: float


@dataclass(frozen=True, slots=True)
class StrategyRun:
    """A strategy with the dates of its decisions."""

    strategy: Strategy
    decisions: NDArray[np.int64]  # indices on the date axis; the net asset value starts at the first
    delay: int  # dates between a decision and its fill

    @property
    def start(self) -> int:
        """Index of the date on which net asset value and figures start."""
        return int(self.decisions[0])

    @property
    def events(self) -> NDArray[np.int64]:
        """Indices of dates with a decision or a fill."""
        return np.union1d(self.decisions, self.decisions + self.delay)


@dataclass(frozen=True, slots=True)
class Decision:
    """Target weights that wait for their fill."""

    made_at: int  # index of the date
    weights: Vector  # (N,)


@dataclass(slots=True)
class SimulationState:
    """State of a simulation after the close of a date: everything the next step depends on."""

    date_index: int
    units: Vector  # (N,)
    cash: float
    pending: list[Decision] = field(default_factory=list)


class Simulation:
    """Simulates a strategy in a market; after each event that `advance` yields it can be stopped or saved."""

    def __init__(
        self, market: Market, strategy_run: StrategyRun, capital: float, state: SimulationState | None = None
    ) -> None:
        self._market = market
        self._run = strategy_run
        self._rates = market.costs.rates(market.panel.symbols)
        self._spread_share = market.costs.spread_shares(market.panel.symbols)
        self.record = Record(len(market.panel.symbols))
        self.nav = capital
        if state is None:
            state = SimulationState(strategy_run.start - 1, np.zeros(len(market.panel.symbols)), capital)
            self.record.nav.append(np.array([capital]))
        else:
            self.nav = float(state.units @ market.panel.values[state.date_index]) + state.cash
        self.state = state

    def advance(self, check_cancelled: Callable[[], None]) -> Iterator[None]:
        """Simulates to the end of the data, event by event. `check_cancelled` is handed to solvers.

        Raises InvalidInput for positions that are too large or too small for a number.
        """
        decisions = set(self._run.decisions.tolist())
        last = len(self._market.panel.dates) - 1
        for date_index in self._run.events.tolist():
            if date_index <= self.state.date_index:
                continue
            if not self._mark_to_market(date_index):
                return
            self._fill(date_index)
            if date_index in decisions:
                self._decide(date_index, check_cancelled)
                if self._run.delay == 0:
                    self._fill(date_index)
            yield
        if self.state.date_index < last and self._mark_to_market(last):
            yield

    def history(self, date_index: int) -> MarketHistory:
        """The part of the market that a decision at a date may see."""
        panel, most_dates = self._market.panel, self._run.strategy.lookback_window.most_dates
        first = 0 if most_dates is None else date_index + 1 - most_dates
        prices = np.array(panel.values[first : date_index + 1])
        held = self.state.units * prices[-1]
        nav = float(held.sum()) + self.state.cash
        return MarketHistory(
            panel.symbols,
            np.array(panel.dates[first : date_index + 1]),
            prices,
            held / nav,
            self._market.periods_per_year,
        )

    def _mark_to_market(self, date_index: int) -> bool:
        """Values the holdings on every date up to this one; False once the net asset value is used up."""
        if self.state.date_index < self._run.start:
            self.state.date_index = date_index
            return True
        prices = self._market.panel.values[self.state.date_index + 1 : date_index + 1]
        if len(prices) == 0:
            return True
        rate = self._market.cash_rate_annual / self._market.periods_per_year
        with np.errstate(over="ignore", invalid="ignore"):
            growth: Vector = np.full(len(prices), 1.0 + rate).cumprod()
            cash: Vector = self.state.cash * growth
            nav: Vector = prices @ self.state.units + cash
        # Values after a ruin do not matter.
        solvent = nav[: int(np.argmax(nav <= 0.0))] if (nav <= 0.0).any() else nav
        if not np.isfinite(solvent).all():
            raise self._beyond_numbers(date_index)
        self.state.cash = float(cash[-1])
        self.state.date_index = date_index
        if (nav <= 0.0).any():
            nav[int(np.argmax(nav <= 0.0)) :] = 0.0
            self._exhaust(nav, date_index)
            return False
        self.record.nav.append(nav)
        self.nav = float(nav[-1])
        return True

    def _fill(self, date_index: int) -> None:
        """Executes the latest decision that is due, if any; earlier ones are dropped."""
        latest_due = date_index - self._run.delay
        count = bisect_right(self.state.pending, latest_due, key=lambda decision: decision.made_at)
        if not count:
            return
        due = self.state.pending[:count]
        del self.state.pending[:count]
        prices = self._market.panel.values[date_index]
        nav_before = float(self.state.units @ prices) + self.state.cash
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                done = execute_trades(self.state.units, self.state.cash, prices, due[-1].weights, self._rates)
        except WealthExhausted as error:
            self._fail(date_index, error)
            return
        amounts = np.concatenate([done.units, done.costs, [done.turnover_one_way]])
        # Units that underflow to 0 would lose a net asset value that exists.
        if not np.isfinite(amounts).all() or float(done.units @ prices) + done.cash <= 0.0:
            raise self._beyond_numbers(date_index)
        self.state.units, self.state.cash = done.units, done.cash
        spread = float(done.costs @ self._spread_share)
        total = float(done.costs.sum())
        since_start = date_index - self._run.start
        self.record.fills.append(
            FillRecord(
                since_start, done.units, done.cash, total / nav_before, (total - spread, spread), done.turnover_one_way
            )
        )
        if since_start > 0:
            # The cost of a fill on the first date is part of the first return: the first value is the initial capital.
            self.record.nav[-1][-1] = done.nav
        self.nav = done.nav

    def _decide(self, date_index: int, check_cancelled: Callable[[], None]) -> None:
        try:
            weights = self._run.strategy.decide(self.history(date_index), check_cancelled)
        except Cancelled:
            raise
        except DomainError as error:
            self._fail(date_index, error)
            return
        self.state.pending.append(Decision(date_index, weights))

    def _beyond_numbers(self, date_index: int) -> InvalidInput:
        day = civil_date(self._market.panel.dates[date_index])
        rule = f"give positions on {day} that are too large or too small for a number; scale prices or capital"
        return InvalidInput("prices", rule)

    def _fail(self, date_index: int, error: DomainError) -> None:
        day = int(self._market.panel.dates[date_index])
        self.record.failures.append(FailedRebalance(day, error.REASON, error.message))

    def _exhaust(self, nav: Vector, date_index: int) -> None:
        left = len(self._market.panel.dates) - 1 - date_index
        self.record.nav.append(np.append(nav, np.zeros(left)))
        self.record.exhausted = True
        self._fail(date_index, WealthExhausted("the net asset value is used up; nothing is held from this date on"))
        self.state = SimulationState(len(self._market.panel.dates) - 1, np.zeros_like(self.state.units), 0.0)
        self.nav = 0.0
