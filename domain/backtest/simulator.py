"""Simulates one strategy: runs the compiled steps from decision to decision, and asks the strategy for its weights."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.backtest.cash_flows import withdrawal_error
from domain.backtest.growth import MarketGrowth
from domain.backtest.inputs import Inputs, inputs_of, keep_waiting, output_for, with_known
from domain.backtest.market import Market
from domain.backtest.opening import opened_account
from domain.backtest.record import FailedRebalance, Record, RecordPart
from domain.backtest.simulation.arrays import (
    BEYOND_NUMBERS,
    DECISION_DUE,
    DESTINATION_DUE,
    EXHAUSTED,
    FILL_COSTS_TOO_MUCH,
    FLOW_LEAVES_NOTHING,
    RUNNING,
    Account,
    Output,
    Positions,
    copied_account,
)
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import MarketHistory
from domain.backtest.strategies.nesting import decision_warnings
from domain.backtest.strategies.sleeve_state import SleeveState
from domain.backtest.strategies.sleeves import Sleeves
from domain.backtest.strategy_run import StrategyRun
from domain.backtest.walk_ahead import WalkAhead
from domain.cancellation import CancellationCheck
from domain.checks import Vector
from domain.costs.self_financing import WealthExhausted
from domain.errors import Cancelled, DomainError, InvalidInput
from domain.market_data.panel import civil_date
from domain.optimization.programs.solver_control import SolverControl
from domain.records import dataclass

STRETCH = 1 << 20
"""Prices that are simulated between two looks at cancellation and progress: some milliseconds of work."""

LEAST_TRADE = 1e-12
"""Weights that differ by less are equal."""

_MESSAGES = {
    FILL_COSTS_TOO_MUCH: "the costs of this rebalancing exceed the net asset value",
}


@dataclass(slots=True)
class SimulationState:
    """State of a simulation after the close of a date: everything the next step depends on."""

    date_index: int
    account: NDArray[Any]  # (1,) of type ACCOUNT
    positions: Positions
    pending: NDArray[np.float64]  # (P, N), weights of the decisions that wait for their fill; NaN where there are none
    sleeves: SleeveState | None = None  # at the latest decision of sleeves; None before it

    def copy(self) -> "SimulationState":
        """One that does not change with the simulation."""
        positions = Positions._make(np.array(array) for array in self.positions)
        return replace(
            self,
            account=copied_account(self.account),
            positions=positions,
            pending=self.pending.copy(),
        )


class Simulation:
    """Simulates a strategy in a market; after each stretch that `advance` yields it can be stopped or saved."""

    def __init__(
        self,
        market: Market,
        specification: BacktestSpecification,
        strategy_run: StrategyRun,
        groups: dict[str, tuple[str, ...]],
        state: SimulationState | None = None,
        inputs: Inputs | None = None,
        ahead: WalkAhead | None = None,
    ) -> None:
        """`inputs` and `ahead` are those of an earlier simulation of the same run, which need not be made again."""
        self._market = market
        self._run = strategy_run
        self._specification = specification
        self.inputs = _inputs(market, specification, strategy_run, groups) if inputs is None else inputs
        self._asks = self.inputs.rules.decides_outside
        if self._asks:  # their rows are written date by date: each simulation has its own
            targets = np.zeros_like(self.inputs.plan.targets) if state is None else state.pending
            self.inputs = self.inputs._replace(plan=self.inputs.plan._replace(targets=targets))
        self._ahead = ahead or WalkAhead(strategy_run.strategy, market, strategy_run.decisions)
        count = len(strategy_run.decisions) if self._asks else 0
        self._numbers = np.arange(-count, count, dtype=np.int64)  # of decisions, see `with_known`
        self.record = Record(len(market.panel.symbols))
        self.warned: set[tuple[str, str]] = set()  # reasons and messages of warnings that are told already
        if state is None:
            account, positions = opened_account(specification, market, strategy_run.start, len(strategy_run.decisions))
            state = SimulationState(strategy_run.start - 1, account, positions, self.inputs.plan.targets)
        self.state = state

    @property
    def date_index(self) -> int:
        """Index of the last date that is simulated."""
        return self.state.date_index

    @property
    def nav(self) -> float:
        """Net asset value after the last date that is simulated."""
        return float(self.state.account["nav"][0])

    @property
    def _account(self) -> Account:
        account: Account = self.state.account.view(np.recarray)[0]
        return account

    def advance(self, check_cancelled: Callable[[], None]) -> Iterator[None]:
        """Simulates to the end of the data, stretch by stretch. `check_cancelled` is handed to solvers.

        Raises InvalidInput for positions that are too large or too small for a number, and for an external cash flow
        that leaves nothing.
        """
        dates, assets = self._market.panel.values.shape
        step = max(1, STRETCH // assets)
        while self.state.date_index < dates - 1:
            first = self.state.date_index + 1
            inputs, last = self._stretch(min(first + step, dates) - 1, check_cancelled)
            output = output_for(inputs, first, last)
            advance = self._advance_quietly if inputs.rules.is_quiet else self._advance
            ended, t = advance(inputs, first, last, output, check_cancelled)
            if inputs is not self.inputs:
                keep_waiting(self.inputs, inputs, int(self._account.next_fill), int(self._account.next_decision))
            self._write(first, t, output)
            self._check(ended if np.isfinite(self.record.parts[-1].gains).all() else BEYOND_NUMBERS, t)
            yield

    def _stretch(self, most: int, check_cancelled: CancellationCheck) -> tuple[Inputs, int]:
        """What the next dates are simulated by, and the last one of them, date `most` at the latest."""
        index, decisions = int(self._account.next_decision), self._run.decisions
        if not self._asks or index == len(decisions):
            return self.inputs, most
        if self._run.sleeves is None:
            weights = self._ahead.weights(index, check_cancelled)
            end = index + len(weights)
            if end > index:
                last = most if end == len(decisions) else min(most, int(decisions[end]) - 1)
                next_fill = int(self._account.next_fill)
                return with_known(self.inputs, self._numbers, index, next_fill, weights), last
        return self.inputs, min(most, int(decisions[index]))

    def _advance(
        self, inputs: Inputs, first: int, last: int, output: Output, check_cancelled: CancellationCheck
    ) -> tuple[int, int]:
        """Simulates dates first to last, and asks for decisions; how it ended, and on which date."""
        from domain.backtest.simulation.day import simulate  # compiling takes seconds: only where it is run

        account, positions = self._account, self.state.positions
        ended, t = simulate(first, last, False, *inputs, account, positions, output)
        while ended in (DECISION_DUE, DESTINATION_DUE):
            self.state.date_index = t
            if ended == DECISION_DUE:
                self._ask(t, check_cancelled)
            elif not self._head_for_band(t, check_cancelled):
                return RUNNING, t
            ended, t = simulate(first, t, True, *inputs, account, positions, output)
        return ended, t

    def _advance_quietly(
        self, inputs: Inputs, first: int, last: int, output: Output, check_cancelled: CancellationCheck
    ) -> tuple[int, int]:
        """The same in the short way, where nobody has to be asked."""
        from domain.backtest.simulation.compiled import as_records
        from domain.backtest.simulation.quiet import simulate_quietly

        prices, _, _, _, costs, _, _, plan, rules = inputs
        account, positions = as_records(self.state.account), self.state.positions
        return simulate_quietly(
            first,
            last,
            prices.marks,
            costs.commission,
            costs.spread,
            plan,
            rules.delay,
            rules.conventions,
            account,
            positions,
            output,
        )

    def history(self, date_index: int) -> MarketHistory:
        """The part of the market that a decision at a date may see."""
        market, most_dates = self._market, self._run.strategy.lookback_window.most_dates
        first = 0 if most_dates is None else max(0, date_index + 1 - most_dates)
        prices = np.array(market.total_return[first : date_index + 1])
        last = market.panel.values[date_index]
        if market.total_return is not market.panel.values:
            with np.errstate(invalid="ignore", divide="ignore"):
                prices *= last / prices[-1]
            prices[-1] = last
        nav = self.nav
        return MarketHistory(
            market.panel.symbols,
            np.array(market.panel.dates[first : date_index + 1]),
            prices,
            self.state.positions.units * last / nav,
            market.periods_per_year,
            nav,
            float(self.state.account["unit_value"][0]),
            None if market.members is None else np.array(market.members[date_index]),
            {} if market.liquidity is None else market.liquidity.at(date_index + 1),
        )

    def _ask(self, t: int, check_cancelled: Callable[[], None]) -> None:
        """Puts the weights of the decision at date t into the plan; a decision that fails is dropped."""
        plan, index = self.inputs.plan, int(self._account.next_decision)
        row = plan.targets[plan.row[index]]
        # Where there are no new weights, the old ones stay the target: of what has left the universe nothing is bought.
        members = self._market.members
        row[:] = self.state.positions.target if members is None else self.state.positions.target * members[t]
        between = self.inputs.rules.least_between
        if index and self._account.last_decision >= 0 and t - self._account.last_decision < between:
            return
        history = self.history(t)
        try:
            if self._run.sleeves is not None:
                self._ask_sleeves(self._run.sleeves, t, index, history, row, check_cancelled)
                return
            for warning in decision_warnings(self._run.strategy, history):
                self._warn_once(t, warning.reason, warning.message)
            row[:] = self._run.strategy.decide(history, check_cancelled)
        except Cancelled:
            raise
        except DomainError as error:
            self._fail(t, error.REASON, error.message)
            self.state.positions.dropped[index] = True

    def _ask_sleeves(
        self,
        sleeves: Sleeves,
        t: int,
        index: int,
        history: MarketHistory,
        row: Vector,
        check_cancelled: CancellationCheck,
    ) -> None:
        """Puts the weights of parts that decide on dates of their own into a row of the plan (N,).

        What the parts hold is kept for the next time. Where none of them has decided the decision is dropped.
        """
        decision = sleeves.decide(self.state.sleeves, t, history, MarketGrowth(self._market), check_cancelled)
        for warning in decision.warnings:
            self._warn_once(t, warning.reason, warning.message)
        for failure in decision.failures:
            self._fail(t, failure.reason, failure.message)
        if decision.is_made:
            row[:], self.state.sleeves = decision.weights, decision.state
        else:
            self.state.positions.dropped[index] = True

    def _head_for_band(self, t: int, check_cancelled: Callable[[], None]) -> bool:
        """Works out where a trade by bands of groups goes on date t, and says whether there is one."""
        from domain.backtest.group_bands import destination  # loads solvers: only where groups have bands

        positions, prices = self.state.positions, self.inputs.prices
        movable = prices.marks[t] > 0.0
        if len(prices.tradable):
            movable &= prices.tradable[t]
        weights = positions.units * prices.marks[t] / self._account.nav
        control = SolverControl(check_cancelled=check_cancelled)
        try:
            goal = destination(weights, positions.target, movable, self.inputs.bands, control)
        except Cancelled:
            raise
        except DomainError as error:
            self._fail(t, error.REASON, error.message)
            return False
        if float(np.abs(goal - weights).max()) <= LEAST_TRADE:
            return False
        positions.band_target[:] = goal
        self._account.band_made = t
        return True

    def _write(self, first: int, t: int, output: Output) -> None:
        """Adds what a stretch has written to the record."""
        start, count = self._run.start, t - first + 1
        rows, events, failures = output.written.tolist()
        part_events = _first_of(output.event, events)
        if events:
            part_events[:, 0] -= start
        nav = _first_of(output.nav, count)
        if first == start:
            # What a fill on the first date costs is part of the first return: the first value is the one before it.
            self.state.account["first_nav"][0] = nav[0]
            nav[0] = self._opening_nav
        self.record.parts.append(
            RecordPart(
                nav=nav,
                flow_start=_first_of(output.flow_start, count),
                flow_end=_first_of(output.flow_end, count),
                indices=output.row_date[:rows] - start,
                kinds=_first_of(output.row_kind, rows),
                units=_first_of(output.row_units, rows),
                cash=_first_of(output.row_cash, rows),
                cost_fractions=_first_of(output.row_cost, rows),
                turnovers=_first_of(output.row_turnover, rows),
                events=part_events,
                account=copied_account(self.state.account),
                gains=self.gains(t),
            )
        )
        for index, reason in output.failure[:failures].tolist():
            message = _MESSAGES.get(reason, "there is no net asset value left to invest")
            self._fail(index, WealthExhausted.REASON, message)
        self.state.date_index = t

    def gains(self, t: int) -> Vector:
        """Gains of prices from the start to date t, which is the last one that is simulated, (N,)."""
        positions = self.state.positions
        with np.errstate(over="ignore", invalid="ignore"):  # beyond numbers: refused by who called this
            gains: Vector = positions.gains + positions.units * (self._market.panel.values[t] - positions.reference)
        return gains

    @property
    def _opening_nav(self) -> float:
        holdings = self._specification.initial_holdings
        if not holdings:
            return self._specification.initial_capital
        units = np.array([holdings.get(symbol, 0.0) for symbol in self._market.panel.symbols])
        return self._specification.initial_capital + float(units @ self._market.panel.values[self._run.start])

    def _check(self, ended: int, t: int) -> None:
        """Ends a simulation whose net asset value is used up. Raises InvalidInput where it cannot go on."""
        if ended == EXHAUSTED:
            self._exhaust(t)
        elif ended == BEYOND_NUMBERS:
            day = civil_date(self._market.panel.dates[t])
            rule = f"give positions on {day} that are too large or too small for a number; scale prices or capital"
            raise InvalidInput("prices", rule)
        elif ended == FLOW_LEAVES_NOTHING:
            raise withdrawal_error(self._specification.cash_flows, self._market.panel.dates, t)

    def _fail(self, date_index: int, reason: str, message: str) -> None:
        self.record.failures.append(FailedRebalance(int(self._market.panel.dates[date_index]), reason, message))

    def _warn_once(self, date_index: int, reason: str, message: str) -> None:
        if (reason, message) not in self.warned:
            self.warned.add((reason, message))
            self._fail(date_index, reason, message)

    def _exhaust(self, t: int) -> None:
        """Nothing is held after the date on which the net asset value is used up."""
        last = len(self._market.panel.dates) - 1
        part = self.record.parts[-1]
        part.nav[-1] = 0.0
        zeros = np.zeros(last - t)
        flows = zeros if len(part.flow_end) else np.zeros(0)
        empty = RecordPart.empty(len(self._market.panel.symbols))
        fields = {name: getattr(empty, name) for name in RecordPart.__slots__}
        self.record.parts.append(RecordPart(**fields | {"nav": zeros, "flow_start": flows, "flow_end": flows}))
        self.record.exhausted = True
        message = "the net asset value is used up; nothing is held from this date on"
        if self._specification.cash_flows or self._specification.recurring_cash_flows:
            message += ", and no external cash flow is received from its close on"
        told = (int(self._market.panel.dates[t]), WealthExhausted.REASON)  # by a fill of that date as well
        self.record.failures[:] = [one for one in self.record.failures if (one.day, one.reason) != told]
        self._fail(t, WealthExhausted.REASON, message)
        self.state.positions.gains[:] = self.gains(t)
        self.state.positions.units[:] = 0.0
        account = self._account
        account.cash = account.nav = account.receivable = 0.0
        self.state.date_index = last


A = TypeVar("A", Vector, NDArray[np.int64])


def _first_of(written: A, count: int) -> A:
    """The first rows, which are all that is written; a copy, unless they are all there are."""
    return written if count >= len(written) else written[:count].copy()


def _inputs(
    market: Market,
    specification: BacktestSpecification,
    strategy_run: StrategyRun,
    groups: dict[str, tuple[str, ...]],
) -> Inputs:
    """The arrays of a run. Raises InvalidInput with the field's path."""
    rows, targets, asks = strategy_run.planned(market)
    start, decisions = strategy_run.start, strategy_run.decisions
    return inputs_of(specification, market, groups, start, decisions, rows, targets, decides_outside=asks)
