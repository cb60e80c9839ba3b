"""Runs the trials of a sweep on one set of data; what they have in common is done once.

A trial has the bits that its backtest has alone: it is simulated and measured by the same functions. Trials that differ
in proportional costs alone share what was prepared, and the decisions that depend on nothing but prices.
"""

from collections.abc import Mapping
from dataclasses import field

from domain.backtest.flow import run
from domain.backtest.liquidity import StoredTrading
from domain.backtest.measurement import FirstFigures, measure_first
from domain.backtest.metrics import Performance, riskless_returns
from domain.backtest.preparation import BacktestPlan, prepare
from domain.backtest.record import RecordPart
from domain.backtest.repriced import repriced
from domain.backtest.simulator import Simulation
from domain.backtest.specification import BacktestSpecification
from domain.backtest.walk_ahead import WalkAhead
from domain.cancellation import CancellationCheck
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

    @classmethod
    def of(cls, plan: BacktestPlan) -> "_Prepared":
        runs = plan.strategy_runs[: plan.shifted_from]
        return cls(plan, tuple(WalkAhead(one.strategy, plan.market, one.decisions, keeps_all=True) for one in runs))

    def repriced(self, specification: BacktestSpecification) -> "_Prepared | None":
        """The same with the proportional costs of another specification; None where more differs."""
        plan = repriced(self.plan, specification)
        return None if plan is None else _Prepared(plan, self.ahead)

    def record(self, index: int, check_cancelled: CancellationCheck) -> RecordPart:
        """A run from its start to the end of the data."""
        plan = self.plan
        run, inputs = plan.strategy_runs[index], plan.inputs[index]
        simulation = Simulation(
            plan.market, plan.specification, run, plan.groups, inputs=inputs, ahead=self.ahead[index]
        )
        for _ in simulation.advance(check_cancelled):
            check_cancelled()
        return simulation.record.cut()


class TrialRunner:
    """Runs trials one after the other. It is no faster where consecutive ones have little in common."""

    def __init__(self, data: TrialData) -> None:
        self._data = data
        self._kept: list[_Prepared] = []  # the latest one last

    def run(self, specification: BacktestSpecification, check_cancelled: CancellationCheck) -> TrialOutcome:
        """One trial. Raises what `prepare` and a simulation raise, and what the check raises."""
        prepared = self._prepared(specification, check_cancelled)
        plan = prepared.plan
        if plan.candidates:  # a selection looks at the accounts of what it selects from
            outcome = run(plan, lambda _: None, check_cancelled)
            accounts = (one.record for one in (*outcome.strategies, *outcome.benchmarks))
            records = [one for one in accounts if one is not None]
        else:
            records = [prepared.record(k, check_cancelled) for k in range(plan.shifted_from)]
        found = measure_first(plan, records)
        warnings = (*plan.warnings, *found.warnings)
        return TrialOutcome(found.performance, found.money_weighted_return, _returns(plan, found), warnings)

    def _prepared(self, specification: BacktestSpecification, check_cancelled: CancellationCheck) -> _Prepared:
        for one in reversed(self._kept):
            found = one.repriced(specification)
            if found is not None:
                return found
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
