"""Results of a backtest as messages."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from absfinance.v1 import attribution_pb2 as pb
from absfinance.v1 import backtest_pb2, cost_pb2

from domain.backtest.metrics import METRICS_VERSION, Performance
from domain.backtest.result import AssetEvent, AssetEventKind, StrategyOutcome
from domain.market_data.panel import civil_date
from domain.risk.figure import Absent, known
from domain.warnings import ResultWarning
from server.converters.attribution import path_attribution_to_proto
from server.converters.dates import civil_to_proto
from server.converters.return_tables import comparison_to_proto, return_tables_to_proto
from server.converters.selection import MOST_CHOICES, selection_to_proto
from server.converters.statistical_validation import validation_to_proto

AssetEventProto = backtest_pb2.AssetEvent

_OF_THE_FIRST = (
    "metrics",
    "costs",
    "final_nav",
    "money_weighted_return",
    "bankrupt_date",
    "convention_difference",
    "reconciliation",
    "asset_events",
    "asset_event_count",
    "return_tables",
    "benchmark_comparisons",
    "attribution",
    "statistical_validation",
    "selection",
)
"""Fields of the first strategy that a result repeats at its top."""

MOST_EVENTS = 10_000
"""Events of assets that a whole result lists at most: it must fit into one message, by default 4 MiB."""


def first_of_all(strategy: backtest_pb2.StrategyResult) -> dict[str, Any]:
    """The fields of a result that are those of its first strategy, where they are present."""
    found = {field.name: value for field, value in strategy.ListFields() if field.name in _OF_THE_FIRST}
    if "attribution" in found:
        found["attribution"] = _without_dates(strategy.attribution)
    if "selection" in found:
        found["selection"] = _without_choices(strategy.selection)
    return found


def _without_choices(selection: backtest_pb2.SelectionResult) -> backtest_pb2.SelectionResult:
    """The same without each choice, of which there can be many and which stand with the strategy."""
    copy = backtest_pb2.SelectionResult()
    copy.CopyFrom(selection)
    copy.ClearField("choices")
    return copy


def _without_dates(attribution: pb.PathAttribution) -> pb.PathAttribution:
    """The same without the contributions of each date, which are large and stand with the strategy."""
    copy = pb.PathAttribution()
    copy.CopyFrom(attribution)
    for level in copy.levels:
        level.ClearField("daily")
    return copy


_LEFT_OUT_FIRST = (AssetEventKind.HALT_BEGIN, AssetEventKind.HALT_END, AssetEventKind.CASH_DIVIDEND)
"""Kinds of which there are the most; the last one first."""


def listed_events(events: Sequence[AssetEvent], most: int) -> Sequence[AssetEvent]:
    """The events that a result lists: dividends are left out first, then halts, of each kind the last ones."""
    if len(events) <= most:
        return events

    def rank(k: int) -> tuple[int, int]:
        kind = events[k].kind
        return (_LEFT_OUT_FIRST.index(kind) + 1 if kind in _LEFT_OUT_FIRST else 0, k)

    return [events[k] for k in sorted(sorted(range(len(events)), key=rank)[:most])]


def events_left_out(outcomes: Sequence[StrategyOutcome], most: int) -> list[ResultWarning]:
    """A warning for each strategy whose events are not all listed."""
    return [
        ResultWarning(
            "ASSET_EVENTS_LEFT_OUT",
            "corporate_actions",
            f"{one.asset_event_count} events of assets concern {one.label}; asset_events lists {most} of them, "
            "halts and cash dividends last",
        )
        for one in outcomes
        if one.asset_event_count > most
    ]


def outcome_metrics_to_proto(outcome: StrategyOutcome) -> backtest_pb2.PerformanceMetrics:
    """Figures of a simulated strategy, with the reason of every absent one."""
    metrics = metrics_to_proto(outcome.performance)
    if isinstance(outcome.money_weighted_return, Absent):
        metrics.undefined["money_weighted_return"] = outcome.money_weighted_return.reason
    return metrics


def strategy_result_to_proto(
    outcome: StrategyOutcome,
    symbols: tuple[str, ...],
    most_events: int = MOST_EVENTS,
    most_choices: int = MOST_CHOICES,
) -> backtest_pb2.StrategyResult:
    """What one strategy did; a benchmark that is a symbol has figures alone."""
    result = backtest_pb2.StrategyResult(
        label=outcome.label,
        metrics=outcome_metrics_to_proto(outcome),
        costs=cost_pb2.CostBreakdown(**asdict(outcome.costs)),
        rebalance_count=outcome.rebalances,
        final_cash=outcome.final_cash,
        final_nav=outcome.final_nav,
        money_weighted_return=(None if outcome.money_weighted_return is None else known(outcome.money_weighted_return)),
        bankrupt_date=(None if outcome.bankrupt_day is None else civil_to_proto(civil_date(outcome.bankrupt_day))),
        convention_difference=outcome.convention_difference,
        asset_events=[_asset_event(event) for event in listed_events(outcome.asset_events, most_events)],
        asset_event_count=outcome.asset_event_count,
        statistical_validation=validation_to_proto(outcome),
    )
    if outcome.reconciliation is not None:
        result.reconciliation.CopyFrom(backtest_pb2.Reconciliation(**asdict(outcome.reconciliation)))
        if outcome.bankrupt_day is None and outcome.reconciliation.uncovered_loss == 0.0:
            result.reconciliation.ClearField("uncovered_loss")
    if outcome.return_tables is not None:
        result.return_tables.CopyFrom(return_tables_to_proto(outcome.return_tables))
    result.benchmark_comparisons.extend(map(comparison_to_proto, outcome.comparisons))
    if outcome.attribution is not None:
        result.attribution.CopyFrom(path_attribution_to_proto(outcome.attribution))
    if outcome.selection is not None:
        result.selection.CopyFrom(selection_to_proto(outcome.selection, most_choices))
    for failure in outcome.failures:
        day = civil_to_proto(civil_date(failure.day))
        result.failed_rebalances.add(date=day, reason=failure.reason, message=failure.message)
    if outcome.final_units is not None:
        for symbol, quantity in zip(symbols, outcome.final_units.tolist(), strict=True):
            if quantity:
                result.final_holdings.add(symbol=symbol, quantity=quantity)
    return result


def _asset_event(event: AssetEvent) -> AssetEventProto:
    return AssetEventProto(
        date=civil_to_proto(civil_date(event.day)),
        symbol=event.symbol,
        kind=f"KIND_{event.kind}",
        quantity_before=event.quantity_before,
        quantity_after=event.quantity_after,
        cash=event.cash,
    )


def metrics_to_proto(figures: Performance) -> backtest_pb2.PerformanceMetrics:
    """Figures that are defined, and why others are not."""
    return backtest_pb2.PerformanceMetrics(
        **{name: known(figure) for name, figure in figures.figures.items()},
        periods_per_year=figures.periods_per_year,
        observations=figures.observations,
        start_date=civil_to_proto(civil_date(figures.start_day)),
        end_date=civil_to_proto(civil_date(figures.end_day)),
        metrics_version=METRICS_VERSION,
        undefined=figures.undefined,
    )
