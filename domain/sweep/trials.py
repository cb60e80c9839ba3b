"""Runs the trials of a sweep on one set of data; what they have in common is done once.

A trial has the bits that its backtest has alone: it is simulated and measured by the same functions. Trials that differ
in proportional costs alone share what was prepared, and the decisions that depend on nothing but prices.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TypeVar

from domain.backtest.flow import run
from domain.backtest.liquidity import StoredTrading
from domain.backtest.measurement import FirstFigures, measure_first, measure_first_of_each
from domain.backtest.metrics import Performance, riskless_returns
from domain.backtest.preparation import BacktestPlan, prepare
from domain.backtest.record import RecordPart
from domain.backtest.repriced import differs_in_rates, repriced, repriced_costs, repriced_warnings
from domain.backtest.simulated_together import most_together, simulate_each
from domain.backtest.simulator import Simulation
from domain.backtest.specification import BacktestSpecification
from domain.backtest.walk_ahead import WalkAhead
from domain.cancellation import CancellationCheck
from domain.errors import Cancelled, SolverTimedOut
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.records import dataclass
from domain.risk.figure import Figure
from domain.sweep.statistics import TrialReturns
from domain.warnings import ResultWarning

MOST_KEPT = 8
"""Plans that are kept for trials that follow. Of those with large arrays of their own only the latest is."""


@dataclass(frozen=True, slots=True)
class TrialData:
    """What `prepare` is given beside the specification."""

    data: PricePanel | ReturnPanel
    benchmarks: Mapping[str, PricePanel] = field(default_factory=dict)
    opens: PricePanel | None = None
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trading: StoredTrading | None = None


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """Figures of the strategy of a trial, its returns for the statistics over all trials, and what to know of it."""

    performance: Performance
    money_weighted_return: Figure
    returns: TrialReturns
    warnings: tuple[ResultWarning, ...]  # about its request, then about its simulation


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A plan, and the decisions of its runs that are not shifted."""

    plan: BacktestPlan
    ahead: tuple[WalkAhead, ...]
    most_together: int  # trials that differ from it in rates and can be simulated at once

    @classmethod
    def of(cls, plan: BacktestPlan) -> "_Prepared":
        runs = plan.strategy_runs[: plan.shifted_from]
        ahead = (WalkAhead(one.strategy, plan.market, one.decisions, keeps_all=True) for one in runs)
        return cls(plan, tuple(ahead), most_together(plan))

    def record(self, plan: BacktestPlan, index: int, check_cancelled: CancellationCheck) -> RecordPart:
        """A run from its start to the end of the data, of the plan or of one that is repriced."""
        run, inputs = plan.strategy_runs[index], plan.inputs[index]
        simulation = Simulation(
            plan.market, plan.specification, run, plan.groups, inputs=inputs, ahead=self.ahead[index]
        )
        for _ in simulation.advance(check_cancelled):
            check_cancelled()
        return simulation.record.cut()

    def outcome(self, specification: BacktestSpecification, check_cancelled: CancellationCheck) -> TrialOutcome:
        """One trial that differs from the plan in rates at most."""
        plan = self.plan if specification is self.plan.specification else repriced(self.plan, specification)
        if plan.candidates:  # a selection looks at the accounts of what it selects from
            outcome = run(plan, lambda _: None, check_cancelled)
            accounts = (one.record for one in (*outcome.strategies, *outcome.benchmarks))
            records = [one for one in accounts if one is not None]
        else:
            records = [self.record(plan, k, check_cancelled) for k in range(plan.shifted_from)]
        return _outcome(plan, plan.warnings, measure_first(plan, records))

    def outcomes(self, specifications: Sequence[BacktestSpecification]) -> list[TrialOutcome | None]:
        """Trials that differ from the plan in rates at most, at once; None for one that has to be run by itself."""
        plan = self.plan
        accounts = simulate_each(plan, [repriced_costs(plan, one) for one in specifications])
        found: list[TrialOutcome | None] = [None] * len(specifications)
        for k, figures in measure_first_of_each(plan, accounts):
            found[k] = _outcome(plan, repriced_warnings(plan, specifications[k]), figures)
        return found


T = TypeVar("T")


class TrialRunner:
    """Runs trials. It is no faster where consecutive ones have little in common."""

    def __init__(self, data: TrialData) -> None:
        self._data = data
        self._kept: list[_Prepared] = []  # the latest one last

    def run(self, specification: BacktestSpecification, check_cancelled: CancellationCheck) -> TrialOutcome:
        """One trial. Raises what `prepare` and a simulation raise, and what the check raises."""
        return self._prepared(specification, check_cancelled).outcome(specification, check_cancelled)

    def run_each(
        self,
        trials: Iterable[T],
        specification_of: Callable[[T], BacktestSpecification],
        check_cancelled: CancellationCheck,
    ) -> Iterator[tuple[T, TrialOutcome | Exception]]:
        """Each trial with its outcome, or with what `specification_of` or `run` raise for it, in any order.

        Those that differ in rates alone are run some at a time. Raises Cancelled and SolverTimedOut, which are about
        the caller.
        """
        waiting: dict[int, tuple[_Prepared, list[tuple[T, BacktestSpecification]]]] = {}
        for trial in trials:
            try:
                specification = specification_of(trial)
                prepared = self._prepared(specification, check_cancelled)
                if prepared.most_together == 1:
                    yield trial, prepared.outcome(specification, check_cancelled)
                    continue
            except (Cancelled, SolverTimedOut):
                raise
            except Exception as error:
                yield trial, error
                continue
            _, group = waiting.setdefault(id(prepared), (prepared, []))
            group.append((trial, specification))
            if len(group) == prepared.most_together:
                del waiting[id(prepared)]
                yield from _run_together(prepared, group, check_cancelled)
        for prepared, group in waiting.values():
            yield from _run_together(prepared, group, check_cancelled)

    def _prepared(self, specification: BacktestSpecification, check_cancelled: CancellationCheck) -> _Prepared:
        for one in reversed(self._kept):
            if differs_in_rates(one.plan, specification):
                return one
        data = self._data
        plan = prepare(
            specification, data.data, data.benchmarks, check_cancelled, data.opens, data.groups, data.trading
        )
        made = _Prepared.of(plan)
        self._kept = [*self._kept, made][-self._most_kept(plan) :]
        return made

    def _most_kept(self, plan: BacktestPlan) -> int:
        """Markets that had to be completed, and returns beside their prices, are as large as the data."""
        has_large_arrays = plan.market.panel is not self._data.data or any(len(i.prices.returns) for i in plan.inputs)
        return 1 if has_large_arrays else MOST_KEPT


def _run_together(
    prepared: _Prepared, group: Sequence[tuple[T, BacktestSpecification]], check_cancelled: CancellationCheck
) -> Iterator[tuple[T, TrialOutcome | Exception]]:
    check_cancelled()
    outcomes = prepared.outcomes([specification for _, specification in group])
    for (trial, specification), outcome in zip(group, outcomes, strict=True):
        if outcome is not None:
            yield trial, outcome
            continue
        try:
            yield trial, prepared.outcome(specification, check_cancelled)
        except (Cancelled, SolverTimedOut):
            raise
        except Exception as error:
            yield trial, error


def _outcome(plan: BacktestPlan, warnings: tuple[ResultWarning, ...], found: FirstFigures) -> TrialOutcome:
    return TrialOutcome(
        found.performance, found.money_weighted_return, _returns(plan, found), (*warnings, *found.warnings)
    )


def _returns(plan: BacktestPlan, found: FirstFigures) -> TrialReturns:
    compared = found.compared
    theirs = None if compared is None or len(compared.theirs) != len(found.excess) else compared.theirs
    settings = found.settings
    returns = TrialReturns(
        found.days,
        found.excess,
        theirs,
        riskless=riskless_returns(settings, len(found.excess)),
        periods_per_year=settings.periods_per_year,
        acceptable=settings.minimum_acceptable_return_annual / settings.periods_per_year,
    )
    return returns.padded(plan.days[1:])
