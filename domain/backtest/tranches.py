"""Tranches: equal parts of one account that decide on staggered dates.

Each tranche is a simulation of its own, with its own positions, its part of the capital, of the initial holdings and of
every flow. What the account holds, earns and pays is the sum over its tranches: holdings are blended, returns are not.
Orders of two tranches on one date are two orders.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.backtest import simulator
from domain.backtest.inputs import Inputs
from domain.backtest.market import Market
from domain.backtest.record import FailedRebalance, Record, RecordPart
from domain.backtest.simulator import Simulation, SimulationState
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import MarketHistory, Remote, Strategy
from domain.backtest.strategies.nesting import replaced
from domain.backtest.strategy_run import StrategyRun
from domain.backtest.tranche_record import Stretch, TrancheStretch, summed
from domain.errors import InvalidInput


def simulation_of(
    market: Market,
    specification: BacktestSpecification,
    strategy_run: StrategyRun,
    groups: dict[str, tuple[str, ...]],
    states: Sequence[SimulationState] = (),
    inputs: Sequence[Inputs] = (),
) -> "Simulation | StaggeredSimulation":
    """The simulation of a strategy, from its start or from the state of each tranche; one state without tranches.

    `inputs` are those of an earlier simulation of the same run, which need not be made again.
    """
    if strategy_run.tranches:
        return StaggeredSimulation(market, specification, strategy_run, groups, states, inputs)
    return Simulation(
        market,
        specification,
        strategy_run,
        groups,
        states[0] if states else None,
        inputs[0] if inputs else None,
    )


def tranche_runs(strategy: Strategy, decisions: Sequence[NDArray[np.int64]], delay: int) -> tuple[StrategyRun, ...]:
    """A run of each tranche, which decides at its own dates; decisions of a service outside are kept for each."""
    return tuple(StrategyRun(_of_tranche(strategy, j), dates, delay) for j, dates in enumerate(decisions))


def _of_tranche(strategy: Strategy, tranche: int) -> Strategy:
    def named(_: str, one: Strategy) -> Strategy:
        if tranche == 0 or not isinstance(one, Remote) or one.decisions is None:
            return one
        return replace(one, decisions=replace(one.decisions, path=f"{one.decisions.path}.tranches[{tranche}]"))

    return replaced(strategy, named)


def part_of(specification: BacktestSpecification) -> BacktestSpecification:
    """The specification of one tranche."""
    count = specification.rebalancing.tranches
    participation = specification.max_participation
    return replace(
        specification,
        rebalancing=replace(specification.rebalancing, tranches=1),
        initial_capital=specification.initial_capital / count,
        initial_holdings={symbol: units / count for symbol, units in specification.initial_holdings.items()},
        cash_flows=tuple(replace(flow, amount=flow.amount / count) for flow in specification.cash_flows),
        recurring_cash_flows=tuple(
            flow if flow.amount is None else replace(flow, amount=flow.amount / count)
            for flow in specification.recurring_cash_flows
        ),
        # Of what is traded in the market on one date all of them together take no more than the limit.
        max_participation=None if participation is None else participation / count,
    )


class StaggeredSimulation:
    """Simulates the tranches of a strategy side by side, stretch by stretch, and keeps one record of them all."""

    def __init__(
        self,
        market: Market,
        specification: BacktestSpecification,
        strategy_run: StrategyRun,
        groups: dict[str, tuple[str, ...]],
        states: Sequence[SimulationState] = (),
        inputs: Sequence[Inputs] = (),
    ) -> None:
        self._market = market
        self._start = strategy_run.start
        part = part_of(specification)
        self._tranches = [
            Simulation(market, part, run, groups, states[j] if states else None, inputs[j] if inputs else None)
            for j, run in enumerate(strategy_run.tranches)
        ]
        self.record = Record(len(market.panel.symbols))
        self.warned: set[tuple[str, str]] = set()  # reasons and messages of warnings that are told already

    @property
    def all_inputs(self) -> tuple[Inputs, ...]:
        """The arrays of each tranche."""
        return tuple(one.inputs for one in self._tranches)

    @property
    def states(self) -> tuple[SimulationState, ...]:
        """The state of each tranche."""
        return tuple(one.state for one in self._tranches)

    @property
    def date_index(self) -> int:
        """Index of the last date that is simulated; a tranche whose wealth is used up is at the end of the data."""
        return min(one.date_index for one in self._tranches)

    @property
    def nav(self) -> float:
        """Net asset value after that date."""
        return sum(one.nav for one in self._tranches)

    def history(self, date_index: int) -> MarketHistory:
        """The part of the market that a decision of a tranche at a date may see."""
        return self._tranches[0].history(date_index)

    def advance(self, check_cancelled: Callable[[], None]) -> Iterator[None]:
        """Simulates to the end of the data, stretch by stretch; raises as that of one simulation does."""
        dates, assets = self._market.panel.values.shape
        step = max(1, simulator.STRETCH // (assets * len(self._tranches)))
        while self.date_index < dates - 1:
            first = self.date_index + 1
            asked = min(one.next_asked() for one in self._tranches if one.date_index < first)
            last = min(first + step - 1, asked)
            done = [self._advanced(one, last, check_cancelled) for one in self._tranches]
            self._write(first, last, done)
            yield

    def _advanced(self, tranche: Simulation, last: int, check_cancelled: Callable[[], None]) -> TrancheStretch:
        """Simulates one tranche up to a date."""
        held = tranche.state.positions.units.copy()
        tranche.warned = set()
        try:
            for _ in tranche.advance(check_cancelled, last):
                check_cancelled()
        except InvalidInput as error:
            if "cash_flows" not in error.field:
                raise
            whose = f"{error.rule} of one of {len(self._tranches)} tranches, which share flows equally"
            raise InvalidInput(error.field, whose) from None
        return TrancheStretch(tranche.record.cut(), held, tranche.state.account.copy(), tranche.gains(last))

    def _write(self, first: int, last: int, done: Sequence[TrancheStretch]) -> None:
        """Adds what the tranches have done on dates first to last to the record."""
        prices = self._tranches[0].inputs.prices
        marks, fills = prices.marks[first : last + 1], prices.fills[first : last + 1]
        stretch = Stretch(first - self._start, marks, fills, self._tranches[0].inputs.rules.fills_at_open)
        self.record.failures.extend(self._to_tell([failure for one in done for failure in one.part.failures]))
        part = summed(done, stretch, ())
        self.record.exhausted = part.exhausted
        self.record.parts.append(part)
        after = len(self._market.panel.dates) - 1 - last
        if part.exhausted and after:
            rest = np.zeros(after)
            flows = rest if len(part.flow_end) else np.zeros(0)
            empty = RecordPart.empty(len(self._market.panel.symbols))
            fields = {name: getattr(empty, name) for name in RecordPart.__slots__}
            self.record.parts.append(RecordPart(**fields | {"nav": rest, "flow_start": flows, "flow_end": flows}))

    def _to_tell(self, failures: Sequence[FailedRebalance]) -> Iterator[FailedRebalance]:
        """Failures by date, the same one of several tranches once, and a warning once in all."""
        warnings = set().union(*(one.warned for one in self._tranches))
        for failure in sorted(dict.fromkeys(failures), key=lambda one: one.day):
            key = (failure.reason, failure.message)
            if key in warnings and key in self.warned:
                continue
            if key in warnings:
                self.warned.add(key)
            yield failure
