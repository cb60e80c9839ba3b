"""One strategy through time: drift, fill what is due, decide; from event to event."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.backtest.kernel import rebalance
from domain.backtest.record import FailedRebalance, Record
from domain.backtest.strategies import Past, Strategy
from domain.checks import Vector
from domain.costs.linear import LinearCost
from domain.costs.self_financing import WealthExhausted
from domain.errors import Cancelled, DomainError, InvalidInput
from domain.market_data.panel import PricePanel, civil_date


@dataclass(frozen=True, slots=True)
class Market:
    """What the simulation knows and no strategy is shown at once."""

    panel: PricePanel  # complete, (T, N)
    periods_per_year: float
    costs: LinearCost
    cash_rate_annual: float


@dataclass(frozen=True, slots=True)
class Leg:
    """A strategy with the places of its decisions."""

    strategy: Strategy
    decisions: NDArray[np.int64]  # places on the date axis; the first is where wealth starts
    delay: int  # dates between a decision and its fill

    @property
    def start(self) -> int:
        """Where wealth and figures start."""
        return int(self.decisions[0])

    @property
    def events(self) -> NDArray[np.int64]:
        """Places at which something is decided or filled."""
        return np.union1d(self.decisions, self.decisions + self.delay)


@dataclass(frozen=True, slots=True)
class Decision:
    """Weights that wait for their fill."""

    made_at: int
    weights: Vector


@dataclass(slots=True)
class State:
    """Where a simulation stands after the close of date `place`; everything the next step depends on."""

    place: int
    units: Vector  # (N,)
    cash: float
    pending: list[Decision] = field(default_factory=list)


class Simulation:
    """Walks a strategy through a market. `advance` yields after each event: a good moment to stop or to save."""

    def __init__(self, market: Market, leg: Leg, capital: float, state: State | None = None) -> None:
        self._market = market
        self._leg = leg
        self._rates = market.costs.rates(market.panel.symbols)
        self._spread_share = market.costs.spread_shares(market.panel.symbols)
        self.record = Record(len(market.panel.symbols))
        self.wealth = capital
        if state is None:
            state = State(leg.start - 1, np.zeros(len(market.panel.symbols)), capital)
            self.record.wealth.append(np.array([capital]))
        else:
            self.wealth = float(state.units @ market.panel.values[state.place]) + state.cash
        self.state = state

    def advance(self, on_progress: Callable[[], None]) -> Iterator[None]:
        """Goes to the end of the data, event by event. `on_progress` is handed to solvers."""
        decisions = set(self._leg.decisions.tolist())
        last = len(self._market.panel.dates) - 1
        for place in self._leg.events.tolist():
            if place <= self.state.place:
                continue
            if not self._drift_to(place):
                return
            self._fill(place)
            if place in decisions:
                self._decide(place, on_progress)
                if self._leg.delay == 0:
                    self._fill(place)
            yield
        if self.state.place < last and self._drift_to(last):
            yield

    def _drift_to(self, place: int) -> bool:
        """Marks to market up to a date; False once wealth is used up."""
        if self.state.place < self._leg.start:
            self.state.place = place
            return True
        prices = self._market.panel.values[self.state.place + 1 : place + 1]
        if len(prices) == 0:
            return True
        rate = self._market.cash_rate_annual / self._market.periods_per_year
        with np.errstate(over="ignore", invalid="ignore"):
            growth: Vector = np.full(len(prices), 1.0 + rate).cumprod()
            cash: Vector = self.state.cash * growth
            wealth: Vector = prices @ self.state.units + cash
        # Up to a ruin: what would have followed it does not matter.
        alive = wealth[: int(np.argmax(wealth <= 0.0))] if (wealth <= 0.0).any() else wealth
        if not np.isfinite(alive).all():
            raise self._beyond_numbers(place)
        self.state.cash = float(cash[-1])
        self.state.place = place
        if (wealth <= 0.0).any():
            wealth[int(np.argmax(wealth <= 0.0)) :] = 0.0
            self._exhaust(wealth, place)
            return False
        self.record.wealth.append(wealth)
        self.wealth = float(wealth[-1])
        return True

    def _fill(self, place: int) -> None:
        latest_due = place - self._leg.delay
        count = bisect_right(self.state.pending, latest_due, key=lambda decision: decision.made_at)
        if not count:
            return
        due = self.state.pending[:count]
        del self.state.pending[:count]
        prices = self._market.panel.values[place]
        before = float(self.state.units @ prices) + self.state.cash
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                done = rebalance(self.state.units, self.state.cash, prices, due[-1].weights, self._rates)
        except WealthExhausted as error:
            self._fail(place, error)
            return
        amounts = np.concatenate([done.units, done.costs, [done.turnover_one_way]])
        # Units below the smallest number leave nothing of a wealth that is there.
        if not np.isfinite(amounts).all() or float(done.units @ prices) + done.cash <= 0.0:
            raise self._beyond_numbers(place)
        self.state.units, self.state.cash = done.units, done.cash
        spread = float(done.costs @ self._spread_share)
        total = float(done.costs.sum())
        since_start = place - self._leg.start
        self.record.fills.append(
            (since_start, done.units, done.cash, total / before, (total - spread, spread), done.turnover_one_way)
        )
        if since_start > 0:
            # The cost of a fill on the first date is part of the first return: wealth starts as it was given.
            self.record.wealth[-1][-1] = done.wealth
        self.wealth = done.wealth

    def _decide(self, place: int, on_progress: Callable[[], None]) -> None:
        try:
            weights = self._leg.strategy.decide(self.past(place), on_progress)
        except Cancelled:
            raise
        except DomainError as error:
            self._fail(place, error)
            return
        self.state.pending.append(Decision(place, weights))

    def past(self, place: int) -> Past:
        """What a decision at a date may know."""
        panel, shown = self._market.panel, self._leg.strategy.history.shown
        first = 0 if shown is None else place + 1 - shown
        prices = np.array(panel.values[first : place + 1])
        held = self.state.units * prices[-1]
        wealth = float(held.sum()) + self.state.cash
        return Past(
            panel.symbols,
            np.array(panel.dates[first : place + 1]),
            prices,
            held / wealth,
            self._market.periods_per_year,
        )

    def _beyond_numbers(self, place: int) -> InvalidInput:
        day = civil_date(self._market.panel.dates[place])
        rule = f"give positions on {day} that are too large or too small for a number; scale prices or capital"
        return InvalidInput("prices", rule)

    def _fail(self, place: int, error: DomainError) -> None:
        day = int(self._market.panel.dates[place])
        self.record.failures.append(FailedRebalance(day, error.REASON, error.message))

    def _exhaust(self, wealth: Vector, place: int) -> None:
        left = len(self._market.panel.dates) - 1 - place
        self.record.wealth.append(np.append(wealth, np.zeros(left)))
        self.record.exhausted = True
        self._fail(place, WealthExhausted("wealth is used up; nothing is held from here on"))
        self.state = State(len(self._market.panel.dates) - 1, np.zeros_like(self.state.units), 0.0)
        self.wealth = 0.0
