"""Runs a backtest: simulates its strategies one after the other, and measures them.

`run` can continue from any `Checkpoint` to the same result.
"""

from collections.abc import Callable, Sequence
from dataclasses import field, replace

import numpy as np

from domain.backtest.measurement import measure, strategy_settings
from domain.backtest.preparation import BacktestPlan
from domain.backtest.record import FailedRebalance, RecordPart
from domain.backtest.result import BacktestOutcome
from domain.backtest.selection import CandidateAccount, choose
from domain.backtest.simulator import Simulation, SimulationState
from domain.backtest.strategies import Select
from domain.cancellation import CancellationCheck
from domain.checks import Vector
from domain.errors import InvalidInput
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything a run needs to continue, except the record parts that were handed over before."""

    strategy_index: int
    state: SimulationState
    parts: tuple[tuple[int, RecordPart], ...]  # with the index of their strategy, since the last checkpoint


@dataclass(slots=True)
class BacktestRun:
    """A backtest in progress."""

    plan: BacktestPlan
    strategy_index: int = 0
    simulation: Simulation | None = None
    records: list[list[RecordPart]] = field(default_factory=list)  # parts of each strategy so far
    new: list[tuple[int, RecordPart]] = field(default_factory=list)  # not handed over yet, with their strategy

    @property
    def fraction(self) -> float:
        """Simulated dates as a fraction of all dates of all strategies."""
        total = len(self.plan.days) * len(self.plan.strategy_runs)
        return (self.strategy_index * len(self.plan.days) + self._dates_done()) / total

    @property
    def day(self) -> int:
        """Date the simulation has reached, in days since 1970-01-01."""
        return int(self.plan.days[max(0, self._dates_done() - 1)])

    @property
    def nav(self) -> float:
        """Net asset value on that date."""
        return self.plan.specification.initial_capital if self.simulation is None else self.simulation.nav

    def navs(self, strategy_index: int, first: int) -> Vector:
        """Net asset values of a strategy from its date number `first` on, as far as it is simulated, (K,)."""
        parts = [part.nav for part in self.records[strategy_index]] if strategy_index < len(self.records) else []
        if strategy_index == self.strategy_index and self.simulation is not None:
            parts += self.simulation.record.nav
        wanted = sum(map(len, parts)) - first
        latest: list[Vector] = []
        while parts and wanted > 0:
            latest.append(parts.pop()[-wanted:])
            wanted -= len(latest[-1])
        return np.concatenate(latest[::-1]) if latest else np.zeros(0)

    def checkpoint(self) -> Checkpoint:
        """The state to continue from; its record parts are not handed over again.

        Raises ValueError before the first simulation has begun.
        """
        if self.simulation is None:
            raise ValueError("a backtest run that has not begun has no checkpoint")
        self.cut()
        return Checkpoint(self.strategy_index, self.simulation.state.copy(), self.hand_over())

    def cut(self, failure: FailedRebalance | None = None) -> None:
        """Ends a part of the current strategy's record; of one that was not asked for only its path is kept.

        Beside it a shifted one keeps why it ended, and a candidate each failure.
        """
        if self.simulation is not None:
            part = self.simulation.record.cut()
            if not self.plan.is_asked(self.strategy_index):
                failures = part.failures if self.strategy_index < self.plan.shifted_from else ()
                part = replace(part.path_only(), failures=failures + (() if failure is None else (failure,)))
            self.records[self.strategy_index].append(part)
            self.new.append((self.strategy_index, part))

    def hand_over(self) -> tuple[tuple[int, RecordPart], ...]:
        """The parts that were not handed over before."""
        handed = tuple(self.new)
        self.new = []
        return handed

    def _dates_done(self) -> int:
        if self.simulation is None:
            return 0
        return self.simulation.date_index - self.plan.strategy_runs[self.strategy_index].start + 1


def run(
    plan: BacktestPlan,
    observe: Callable[[BacktestRun], None],
    check_cancelled: CancellationCheck,
    checkpoint: Checkpoint | None = None,
    records: Sequence[Sequence[RecordPart]] = (),
) -> BacktestOutcome:
    """Simulates every strategy to the end of the data and measures it.

    `observe` is called after each event and may take a checkpoint; `check_cancelled` is the cancellation check. To
    continue, pass the last checkpoint and every part handed over so far, by strategy. Raises what `check_cancelled`
    raises, and InvalidInput for positions that are too large or too small for a number.
    """
    backtest = BacktestRun(plan, records=[list(parts) for parts in records])
    state: SimulationState | None = None
    if checkpoint is not None:
        backtest.strategy_index = checkpoint.strategy_index
        state = checkpoint.state.copy()
    while backtest.strategy_index < len(plan.strategy_runs):
        if backtest.plan is plan and backtest.strategy_index >= len(plan.candidates):
            backtest.plan = _with_choices(plan, backtest.records, check_cancelled)
        _simulate(backtest, state, observe, check_cancelled)
        backtest.strategy_index, backtest.simulation, state = backtest.strategy_index + 1, None, None
    return measure(backtest.plan, [RecordPart.joined(parts) for parts in backtest.records], check_cancelled)


def _with_choices(
    plan: BacktestPlan, records: Sequence[Sequence[RecordPart]], check_cancelled: CancellationCheck
) -> BacktestPlan:
    """The plan with what its strategies select, once the accounts of all candidates are simulated."""
    runs, first = list(plan.strategy_runs), len(plan.candidates)
    for index, run in enumerate(plan.asked_runs, first):
        if not isinstance(run.strategy, Select):
            continue
        accounts = [
            CandidateAccount.of(run.strategy.candidates[one.candidate].label, records[place])
            for place, one in enumerate(plan.candidates)
            if one.owner == index - first
        ]
        choices = choose(run.strategy, run, plan.days, accounts, strategy_settings(plan, run), check_cancelled)
        runs[index] = run.bound_to(run.strategy.with_choices(choices))
    return replace(plan, strategy_runs=tuple(runs))


def _simulate(
    backtest: BacktestRun,
    state: SimulationState | None,
    observe: Callable[[BacktestRun], None],
    check_cancelled: CancellationCheck,
) -> None:
    """Simulates the current strategy, from its start or from a state."""
    plan = backtest.plan
    if len(backtest.records) <= backtest.strategy_index:
        backtest.records.append([])
    strategy_run = plan.strategy_runs[backtest.strategy_index]
    inputs = plan.inputs[backtest.strategy_index]
    backtest.simulation = Simulation(plan.market, plan.specification, strategy_run, plan.groups, state, inputs)
    told = (failure for part in backtest.records[backtest.strategy_index] for failure in part.failures)
    backtest.simulation.warned.update((failure.reason, failure.message) for failure in told)
    observe(backtest)
    try:
        for _ in backtest.simulation.advance(check_cancelled):
            check_cancelled()
            observe(backtest)
    except InvalidInput as error:
        if plan.is_asked(backtest.strategy_index):
            raise
        # Beside the simulation that was asked for it is a value: the luck of other dates is told without it.
        backtest.cut(FailedRebalance(backtest.day, error.REASON, error.message))
        return
    backtest.cut()
