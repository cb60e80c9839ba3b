"""Measures a finished simulation: figures of every strategy and benchmark."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from domain.backtest.metrics import Curve, MetricSettings, performance
from domain.backtest.preparation import BacktestPlan
from domain.backtest.record import RecordPart
from domain.backtest.result import BacktestOutcome, StrategyOutcome
from domain.backtest.simulator import StrategyRun
from domain.backtest.specification import BenchmarkSymbol
from domain.backtest.trade_execution import CASH_ROUNDING
from domain.calendar import periods_per_year
from domain.cancellation import CancellationCheck
from domain.checks import Vector
from domain.errors import InvalidInput
from domain.risk.relative import period_fraction_of


def measure(plan: BacktestPlan, records: Sequence[RecordPart], check_cancelled: CancellationCheck) -> BacktestOutcome:
    """The result of a backtest from the records of its strategy runs, in their order."""
    specification = plan.specification
    count = len(specification.strategies)
    curves = dict(plan.curves)
    for strategy_run, record in zip(plan.strategy_runs[count:], records[count:], strict=True):
        curves[strategy_run.strategy.label] = Curve(plan.days, record.nav)
    names = [b.name if isinstance(b, BenchmarkSymbol) else b.label for b in specification.benchmarks]
    first = curves[names[0]] if names else None
    done = []
    for strategy_run, record in zip(plan.strategy_runs, records, strict=True):
        check_cancelled()
        done.append(_strategy_outcome(plan, strategy_run, record, first))
    by_label = {outcome.label: outcome for outcome in done[count:]}
    compared = [by_label[name] if name in by_label else _symbol_outcome(plan, name, first) for name in names]
    return BacktestOutcome(plan.market.panel.symbols, tuple(done[:count]), tuple(compared))


def _strategy_outcome(
    plan: BacktestPlan, strategy_run: StrategyRun, record: RecordPart, benchmark: Curve | None
) -> StrategyOutcome:
    last_prices = plan.market.panel.values[-1]
    units = record.units[-1] if len(record.units) else np.zeros(len(last_prices))
    figures = performance(
        Curve(plan.days, record.nav),
        _metric_settings(plan),
        turnover=float(record.turnovers.sum()),
        cost_total=float(record.cost_fractions.sum()),
        benchmark=benchmark,
    )
    commission, spread = record.cost_money.sum(axis=0).tolist()
    held: Vector = np.zeros(len(last_prices)) if record.exhausted else units
    nav = float(record.nav[-1])
    cash = nav - float(held @ last_prices)
    return StrategyOutcome(
        label=strategy_run.strategy.label,
        performance=figures,
        commission=commission,
        spread=spread,
        rebalances=len(record.fill_indices),
        failures=record.failures,
        final_units=held,
        final_cash=cash if abs(cash) > CASH_ROUNDING * nav else 0.0,
        record=record,
    )


def _symbol_outcome(plan: BacktestPlan, name: str, benchmark: Curve | None) -> StrategyOutcome:
    """The outcome of a benchmark that is a symbol, bought at the start and held without costs."""
    curve = plan.curves[name]
    settings = replace(_metric_settings(plan), periods_per_year=_periods_per_year(plan, curve))
    figures = performance(curve, settings, turnover=0.0, cost_total=0.0, benchmark=benchmark)
    return StrategyOutcome(name, figures, 0.0, 0.0, 0, (), None, None, None)


def _periods_per_year(plan: BacktestPlan, curve: Curve) -> float:
    """Periods per year of a benchmark by its own dates; those of the backtest where both have the same dates.

    Dates without a usual spacing have as many periods per year as they are a fraction of the backtest's dates.
    """
    if np.array_equal(curve.days, plan.days):
        return plan.market.periods_per_year
    try:
        return periods_per_year(curve.days)
    except InvalidInput:
        return plan.market.periods_per_year * period_fraction_of(plan.days, curve.days)


def _metric_settings(plan: BacktestPlan) -> MetricSettings:
    specification = plan.specification
    return MetricSettings(
        plan.market.periods_per_year,
        specification.risk_free_rate_annual,
        specification.minimum_acceptable_return_annual,
    )
