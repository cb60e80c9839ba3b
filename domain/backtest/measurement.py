"""Measures a finished simulation: figures of every strategy and benchmark."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from domain.backtest.account_series import gross_unit_values
from domain.backtest.asset_states import changes_of_states
from domain.backtest.metrics import (
    Curve,
    MetricSettings,
    Performance,
    excess_returns,
    moments_of_each,
    performance,
    simple_returns,
)
from domain.backtest.money_weighted import NO_FLOWS, money_weighted_return
from domain.backtest.opening import opening_units
from domain.backtest.preparation import BacktestPlan
from domain.backtest.record import RecordPart
from domain.backtest.result import (
    AssetEvent,
    AssetEventKind,
    BacktestOutcome,
    CostTotals,
    ReconciledNav,
    StrategyOutcome,
)
from domain.backtest.return_moments import ReturnMoments
from domain.backtest.return_tables import comparisons, return_tables
from domain.backtest.selection import Selection, followed_choices
from domain.backtest.shifted_calendars import reason_not_shifted
from domain.backtest.simulated_together import SimulatedTogether
from domain.backtest.simulation.arrays import DELISTING, DIVIDEND, MARGIN_CALL, SPLIT
from domain.backtest.simulator import Simulation
from domain.backtest.specification import BenchmarkSymbol, Conventions
from domain.backtest.strategies import Select
from domain.backtest.strategy_attribution import attributions
from domain.backtest.strategy_run import StrategyRun
from domain.backtest.validated_returns import validated_returns
from domain.calendar import periods_per_year
from domain.cancellation import CancellationCheck
from domain.checks import Vector
from domain.costs.holding import Rate
from domain.errors import InvalidInput
from domain.market_data.panel import civil_date
from domain.records import dataclass
from domain.risk.figure import Absent, Figure, finite, if_known
from domain.risk.relative import period_fraction_of
from domain.significance.timing_luck import TimingLuck, luck_band, timing_luck
from domain.significance.validation import ComparedReturns, validate
from domain.warnings import ResultWarning

CASH_ROUNDING = 1e-12
"""Cash below this fraction of the net asset value is a rounding error and counts as zero."""

_EVENT_KINDS = {
    SPLIT: AssetEventKind.SPLIT,
    DIVIDEND: AssetEventKind.CASH_DIVIDEND,
    DELISTING: AssetEventKind.DELISTING,
    MARGIN_CALL: AssetEventKind.MARGIN_CALL,
}


def measure(plan: BacktestPlan, records: Sequence[RecordPart], check_cancelled: CancellationCheck) -> BacktestOutcome:
    """The result of a backtest from the records of its strategy runs, in their order."""
    specification = plan.specification
    count, end = len(specification.strategies), plan.shifted_from
    runs, shifted = plan.asked_runs, records[end:]
    records = records[len(plan.candidates) : end]
    curves = dict(plan.curves)
    for strategy_run, record in zip(runs[count:], records[count:], strict=True):
        curves[strategy_run.strategy.label] = Curve(plan.days, record.unit_values)
    names = [b.name if isinstance(b, BenchmarkSymbol) else b.label for b in specification.benchmarks]
    benchmarks = {name: curves[name] for name in names}
    done = []
    for i, (strategy_run, record) in enumerate(zip(runs, records, strict=True)):
        check_cancelled()
        outcome = _strategy_outcome(plan, strategy_run, record, benchmarks, is_benchmark=i >= count)
        difference = _convention_difference(plan, strategy_run, record, check_cancelled)
        done.append(replace(outcome, convention_difference=difference))
    parts = attributions(plan, records, check_cancelled)
    done[:count] = [replace(one, attribution=part) for one, part in zip(done[:count], parts, strict=True)]
    for i in range(count):
        done[i] = _validated(plan, i, done[i], benchmarks, shifted, check_cancelled)
    by_label = {outcome.label: outcome for outcome in done[count:]}
    compared = [by_label[name] if name in by_label else _symbol_outcome(plan, name, benchmarks) for name in names]
    return BacktestOutcome(plan.market.panel.symbols, tuple(done[:count]), tuple(compared))


@dataclass(frozen=True, slots=True)
class FirstFigures:
    """What is measured of the first strategy where nothing else is asked for; the same bits as in its outcome."""

    performance: Performance
    money_weighted_return: Figure
    days: NDArray[np.int32]  # (R,), on which its returns end, since 1970-01-01
    excess: Vector  # (R,), its returns less the risk-free ones
    compared: ComparedReturns | None  # excess returns beside those of the first benchmark, on the dates of both
    settings: MetricSettings
    warnings: tuple[ResultWarning, ...]


def measure_first(plan: BacktestPlan, records: Sequence[RecordPart]) -> FirstFigures:
    """Figures of the first strategy from the records of the runs that were asked for, in their order."""
    count = len(plan.specification.strategies)
    benchmarks: dict[str, Curve] = {}
    for benchmark in plan.specification.benchmarks[:1]:
        if isinstance(benchmark, BenchmarkSymbol):
            benchmarks[benchmark.name] = plan.curves[benchmark.name]
        else:
            benchmarks[benchmark.label] = Curve(plan.days, records[count].unit_values)
    curve, settings = Curve(plan.days, records[0].unit_values), strategy_settings(plan, plan.asked_runs[0])
    return _first_figures(plan, curve, settings, records[0], benchmarks)


def measure_first_of_each(plan: BacktestPlan, accounts: SimulatedTogether) -> Iterator[tuple[int, FirstFigures]]:
    """The same of accounts that were simulated together, with their numbers, where a symbol is the benchmark or none.

    `plan` is that of one of them: they differ in costs, which are in the records. Accounts that did not come to the end
    of the data are left out.
    """
    benchmarks = {
        benchmark.name: plan.curves[benchmark.name]
        for benchmark in plan.specification.benchmarks[:1]
        if isinstance(benchmark, BenchmarkSymbol)
    }
    settings = strategy_settings(plan, plan.asked_runs[0])
    returns = simple_returns(accounts.navs)
    found = zip(accounts.records(), moments_of_each(returns, settings), strict=True)
    for k, (record, moments) in enumerate(found):
        if record is not None:
            curve = Curve.of_returns(plan.days, record.nav, returns[k])
            yield k, _first_figures(plan, curve, settings, record, benchmarks, moments)


def _first_figures(
    plan: BacktestPlan,
    curve: Curve,
    settings: MetricSettings,
    record: RecordPart,
    benchmarks: Mapping[str, Curve],
    moments: ReturnMoments | None = None,
) -> FirstFigures:
    figures = _figures(curve, settings, record, benchmarks, moments)
    compared = validated_returns(curve, settings, benchmarks).compared[0] if benchmarks else None
    return FirstFigures(
        performance=figures,
        money_weighted_return=_money_weighted(plan, record),
        days=curve.until_ruin.days[1:],
        excess=excess_returns(curve, settings),
        compared=compared,
        settings=settings,
        warnings=_warnings(plan, plan.asked_runs[0].strategy.label, record),
    )


def _figures(
    curve: Curve,
    settings: MetricSettings,
    record: RecordPart,
    benchmarks: Mapping[str, Curve],
    moments: ReturnMoments | None = None,
) -> Performance:
    return performance(
        curve,
        settings,
        turnover=float(record.turnovers.sum()),
        cost_total=float(record.cost_fractions.sum() + record.account["holding_cost_fractions"][-1]),
        benchmark=next(iter(benchmarks.values()), None),
        moments=moments,
    )


def _strategy_outcome(
    plan: BacktestPlan,
    strategy_run: StrategyRun,
    record: RecordPart,
    benchmarks: Mapping[str, Curve],
    *,
    is_benchmark: bool,
) -> StrategyOutcome:
    curve, settings = Curve(plan.days, record.unit_values), strategy_settings(plan, strategy_run)
    figures = _figures(curve, settings, record, benchmarks)
    last_prices = plan.market.panel.values[-1]
    units = record.units[-1] if len(record.units) else opening_units(plan.specification, plan.market.panel.symbols)
    held: Vector = np.zeros(len(last_prices)) if record.exhausted else units
    nav = float(record.nav[-1])
    cash = nav - float(held @ last_prices)
    costs = CostTotals(**{one.name: float(record.account[one.name][-1]) for one in fields(CostTotals)})
    events, event_count = _asset_events(plan, record)
    return StrategyOutcome(
        label=strategy_run.strategy.label,
        performance=figures,
        costs=costs,
        rebalances=int(record.fills.sum()),
        failures=record.failures,
        final_units=held,
        final_cash=cash if abs(cash) > CASH_ROUNDING * nav else 0.0,
        final_nav=nav,
        money_weighted_return=_money_weighted(plan, record),
        bankrupt_day=int(plan.days[int(np.argmax(record.nav <= 0.0))]) if record.exhausted else None,
        reconciliation=_reconciled(record, costs),
        asset_events=events,
        asset_event_count=event_count,
        warnings=_warnings(plan, strategy_run.strategy.label, record),
        record=record,
        return_tables=return_tables(curve, Curve(plan.days, gross_unit_values(record))),
        comparisons=() if is_benchmark else comparisons(curve, benchmarks, settings),
        selection=_selection(strategy_run, curve, settings),
    )


def _selection(strategy_run: StrategyRun, curve: Curve, settings: MetricSettings) -> Selection | None:
    """What a strategy chose that selects among others."""
    strategy = strategy_run.strategy
    return followed_choices(strategy, curve, settings) if isinstance(strategy, Select) else None


def _validated(
    plan: BacktestPlan,
    index: int,
    outcome: StrategyOutcome,
    benchmarks: Mapping[str, Curve],
    shifted: Sequence[RecordPart],
    check_cancelled: CancellationCheck,
) -> StrategyOutcome:
    """The outcome of a strategy with its statistical validation; `shifted` are records of all shifted runs."""
    specification, strategy_run = plan.specification, plan.asked_runs[index]
    if outcome.record is None:
        raise ValueError("a strategy has a record")
    curve = Curve(plan.days, outcome.record.unit_values)
    returns = validated_returns(curve, strategy_settings(plan, strategy_run), benchmarks)
    validation = validate(returns, specification.validation, check_cancelled)
    reason = reason_not_shifted(specification, strategy_run.strategy)
    luck = Absent(reason) if reason is not None else _timing_luck(plan, index, outcome, shifted)
    return replace(outcome, validation=validation, timing_luck=luck)


def _timing_luck(
    plan: BacktestPlan, index: int, outcome: StrategyOutcome, shifted: Sequence[RecordPart]
) -> TimingLuck | Absent:
    found = {0: outcome.performance.total_return}
    records: dict[int, RecordPart | None] = {0: outcome.record}
    for one, simulated in zip(plan.shifted, shifted, strict=True):
        if one.strategy_index == index:
            found[one.offset] = _total_return(simulated, len(plan.days))
            records[one.offset] = simulated
    luck = timing_luck(found)
    if isinstance(luck, Absent) or 0 in luck.undefined:
        return luck
    paths = [record.unit_values for offset, _ in luck.outcomes if (record := records[offset]) is not None]
    return replace(luck, band=luck_band(plan.days, np.stack(paths)))


def _total_return(record: RecordPart, dates: int) -> Figure:
    """Of a shifted run; absent where its simulation ended early."""
    if len(record.nav) < dates:
        return Absent(record.failures[-1].message)
    values = record.unit_values
    return if_known(finite(float(values[-1]) / float(values[0])), lambda ratio: ratio - 1.0)


def _convention_difference(
    plan: BacktestPlan, strategy_run: StrategyRun, record: RecordPart, check_cancelled: CancellationCheck
) -> float | None:
    """Final net asset value less that of an exact simulation beside it; None where the simulation is the exact one.

    A strategy decides along the exact account again; decisions that are kept for a run, as those of a service outside,
    are used as they are.
    """
    if plan.specification.conventions is Conventions.EXACT:
        return None
    exact = replace(plan.specification, conventions=Conventions.EXACT)
    simulation = Simulation(plan.market, exact, strategy_run, plan.groups)
    for _ in simulation.advance(check_cancelled):
        check_cancelled()
    return float(record.nav[-1]) - simulation.nav


def _money_weighted(plan: BacktestPlan, record: RecordPart) -> Figure:
    if not len(record.flow_end):
        return Absent(NO_FLOWS)
    return money_weighted_return(
        plan.days, float(record.nav[0]), record.flow_start, record.flow_end, float(record.nav[-1])
    )


def _reconciled(record: RecordPart, costs: CostTotals) -> ReconciledNav:
    """Gains are summed from price changes, dividends and interest, independently of the net asset values.

    Of a loss beyond the whole wealth only what there was is counted: the rest, which is read from cash and positions at
    the mark, is the lender's.
    """
    account = record.account[-1]
    uncovered = float(account["uncovered_loss"])
    gains = float(record.gains.sum() + account["dividends"] + account["interest"] + uncovered)
    return ReconciledNav(
        start_nav=float(record.nav[0]),
        flows=float(account["flows"]),
        gains=gains,
        costs=costs.total,
        end_nav=float(record.nav[-1]),
        uncovered_loss=uncovered,
    )


def _asset_events(plan: BacktestPlan, record: RecordPart) -> tuple[tuple[AssetEvent, ...], int]:
    """What happened to positions and to the states of assets, in the order of dates, and how many there are of it."""
    of_positions = [
        AssetEvent(
            day=int(plan.days[int(since_start)]),
            symbol=plan.market.panel.symbols[int(asset)],
            kind=_EVENT_KINDS[int(kind)],
            quantity_before=before,
            quantity_after=after,
            cash=cash,
        )
        for since_start, asset, kind, before, after, cash in record.events.tolist()
        if kind in _EVENT_KINDS
    ]
    opening = opening_units(plan.specification, plan.market.panel.symbols)
    of_states, count = changes_of_states(plan.market, plan.strategy_runs[0].start, record, opening)
    return tuple(sorted([*of_positions, *of_states], key=lambda event: event.day)), len(of_positions) + count


def _symbol_outcome(plan: BacktestPlan, name: str, benchmarks: Mapping[str, Curve]) -> StrategyOutcome:
    """The outcome of a benchmark that is a symbol, bought at the start and held without costs."""
    curve = plan.curves[name]
    settings = _metric_settings(plan, curve.days, _periods_per_year(plan, curve.days))
    first = next(iter(benchmarks.values()))
    figures = performance(curve, settings, turnover=0.0, cost_total=0.0, benchmark=first)
    return StrategyOutcome(name, figures, CostTotals(), 0, (), return_tables=return_tables(curve))


def strategy_settings(plan: BacktestPlan, strategy_run: StrategyRun) -> MetricSettings:
    """Parameters of the figures of a strategy, which has the periods per year of the request, or of a benchmark."""
    count = len(plan.specification.strategies)
    if any(strategy_run is one for one in plan.asked_runs[count:]):
        return _metric_settings(plan, plan.days, _periods_per_year(plan, plan.days))
    is_given = plan.specification.periods_per_year is not None
    return _metric_settings(plan, plan.days, plan.market.periods_per_year, is_given=is_given)


def _periods_per_year(plan: BacktestPlan, days: NDArray[np.int32]) -> float:
    """Periods per year of a benchmark by its own dates (K,); one that is given is that of the strategies alone.

    Dates without a usual spacing have as many periods per year as they are a fraction of the backtest's dates.
    """
    if plan.specification.periods_per_year is None and np.array_equal(days, plan.days):
        return plan.market.periods_per_year
    try:
        return periods_per_year(days)
    except InvalidInput:
        return plan.market.periods_per_year * period_fraction_of(plan.days, days)


def _metric_settings(
    plan: BacktestPlan, days: NDArray[np.int32], periods: float, *, is_given: bool = False
) -> MetricSettings:
    """Parameters of the figures of a curve with dates `days` (K,) and its own periods per year."""
    specification = plan.specification
    costs, cash_returns = specification.holding_costs, None
    if specification.is_own_cash_risk_free and costs.cash != Rate():
        bars = plan.market.periods_per_year if np.array_equal(days, plan.days) else periods  # those of the account
        cash_returns = costs.cash.during(days) * costs.day_count.years(days, bars)
    return MetricSettings(
        periods,
        specification.risk_free_rate_annual or 0.0,
        specification.minimum_acceptable_return_annual,
        cash_returns,
        is_given,
    )


def _warnings(plan: BacktestPlan, label: str, record: RecordPart) -> tuple[ResultWarning, ...]:
    """Money that was borrowed, whatever for, where nothing says what that costs."""
    first = int(record.account["first_borrowed"][-1])
    if first < 0 or plan.specification.holding_costs.financing is not None:
        return ()
    day = civil_date(plan.market.panel.dates[first])
    message = (
        f"{label}: cash is below 0 from {day} on, and costs.financing_rate_annual is not given: it is borrowed "
        "for nothing; set it, to 0 where borrowing is free"
    )
    return (ResultWarning("BORROWING_IS_FREE", "costs.financing_rate_annual", message),)
