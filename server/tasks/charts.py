"""Charts of results: which records they need, and the charts themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from absfinance.v1.optimization_service_pb2 import GetOptimizationChartsRequest
from absfinance.v1.risk_service_pb2 import GetRiskChartsRequest

from domain.backtest.benchmark_curve import benchmark_curve
from domain.backtest.market import Market
from domain.backtest.opening import opening_units
from domain.backtest.preparation import simulated_market
from domain.backtest.record import RecordPart
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol
from domain.charts.lines import Line
from domain.charts.of_backtest import SimulatedPath, backtest_charts
from domain.charts.of_optimization import optimization_charts
from domain.charts.of_reallocation import reallocation_charts
from domain.charts.of_risk import risk_charts
from domain.charts.of_sweep import sweep_charts
from domain.charts.theme import MOST_COLOURS
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.optimization.frontier import trace_frontier
from domain.optimization.problem.resolve import build_problem
from domain.optimization.solution import Solution
from domain.records import dataclass
from server.commands.charts import ChartsCommand
from server.commands.optimization import TraceCommand
from server.commands.stored import DataRequest, StoredData
from server.commands.sweep import TrialOrder
from server.converters.backtests import specification_from_bytes
from server.converters.charts import (
    attributed_from_proto,
    charts_command_from_proto,
    charts_to_bytes,
    optimized_from_bytes,
    reallocation_from_bytes,
    result_of,
    timing_luck_from_proto,
)
from server.converters.message import message_from_bytes
from server.converters.optimization import trace_command_from_proto
from server.converters.paths import error_path
from server.converters.risk import risk_command_from_proto
from server.converters.sweep_request import score_of, stored_trials
from server.converters.sweep_trials import PIECE_TRIALS, piece_name
from server.converters.swept_scores import swept_scores
from server.execution.control import Control
from server.jobs.codec import parts_from_bytes
from server.ports.jobs import JobInputs
from server.ports.market_data import PriceSelection
from server.ports.panels import StoredPanelRef
from server.tasks.optimize import opened, selections, with_stored_groups
from server.tasks.refusing import locating, refusing
from server.tasks.risk import assessed, data_request
from server.tasks.stored_market import currency_warnings, instruments_needed

FRONTIER_POINTS = 30
"""Portfolios of a frontier where the request says nothing."""

MOST_FRONTIER_POINTS = 200


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """A backtest that has succeeded, with its data."""

    request: bytes
    inputs: JobInputs
    result: bytes
    data: StoredPanelRef
    benchmarks: Mapping[str, StoredPanelRef]  # symbols that the data do not have
    records: Mapping[str, bytes]  # by label; the first is the one whose charts are drawn

    @property
    def specification(self) -> BacktestSpecification:
        """What was simulated."""
        found = specification_from_bytes(self.request).with_groups(self.inputs.groups)
        return found.with_stored_actions(self.inputs.actions, self.inputs.benchmarks)

    @property
    def panel(self) -> PricePanel | ReturnPanel:
        """Its prices or returns."""
        return self.data.prices() if self.inputs.kind == "prices" else self.data.returns()


@refusing
def drawn_labels(request: bytes, command: ChartsCommand, control: Control) -> tuple[str, ...]:
    """Labels of the strategies and benchmarks whose records charts need, the one that the charts are of first.

    With a label in the command these are that one and the benchmarks.
    """
    specification = specification_from_bytes(request)
    strategies = [strategy.label for strategy in specification.strategies]
    benchmarks = [one.label for one in specification.benchmarks if not isinstance(one, BenchmarkSymbol)]
    if command.label and command.label not in (*strategies, *benchmarks):
        known = ", ".join((*strategies, *benchmarks)[:MOST_COLOURS])
        raise InvalidInput("label", f"{command.label!r} is the label of no strategy of this backtest; it has {known}")
    chosen = [command.label] if command.label else strategies
    return tuple(dict.fromkeys((*chosen, *benchmarks)))[:MOST_COLOURS]


@refusing
def of_backtest(job: FinishedJob, command: ChartsCommand, control: Control) -> bytes:
    """Charts of the first record of a job."""
    specification = job.specification
    market = simulated_market(specification, job.panel)
    control()
    records = {label: parts_from_bytes(data)[0][1] for label, data in job.records.items()}
    label, record = next(iter(records.items()))
    result = result_of(job.result, label)
    start = len(market.panel.dates) - len(record.nav)
    prices = PricePanel(market.panel.symbols, market.panel.dates[start:], market.panel.values[start:])
    path = SimulatedPath(
        label=label,
        prices=prices,
        total_return=market.total_return[start:],
        record=record,
        opening=opening_units(specification, prices.symbols),
        periods_per_year=market.periods_per_year,
        others=_others(job, specification, market, records, prices),
        attribution=attributed_from_proto(result),
        timing_luck=timing_luck_from_proto(result),
    )
    return charts_to_bytes(backtest_charts(path, command.charts, command.theme, control))


def _others(
    job: FinishedJob,
    specification: BacktestSpecification,
    market: Market,
    records: Mapping[str, RecordPart],
    prices: PricePanel,
) -> tuple[Line, ...]:
    """Curves beside the first record: other strategies, then benchmarks in the order of the request."""
    label = next(iter(records))
    strategies = {strategy.label for strategy in specification.strategies}
    lines = [
        Line(name, prices.dates, record.unit_values)
        for name, record in records.items()
        if name != label and name in strategies
    ]
    outside = {symbol: panel.prices() for symbol, panel in job.benchmarks.items()}
    for i, one in enumerate(specification.benchmarks):
        if isinstance(one, BenchmarkSymbol):
            curve = benchmark_curve(i, specification, market, prices.dates, outside)
            lines.append(Line(one.name, curve.days, curve.nav, is_benchmark=True))
        elif one.label in records and one.label != label:
            lines.append(Line(one.label, prices.dates, records[one.label].unit_values, is_benchmark=True))
    return tuple(lines)


def trial_pieces(trial_count: int) -> tuple[str, ...]:
    """Labels of the stored pieces that hold the trials of a sweep."""
    return tuple(piece_name(TrialOrder.SWEEP, k) for k in range(-(-trial_count // PIECE_TRIALS)))


@refusing
def of_sweep(request: bytes, pieces: Sequence[bytes], command: ChartsCommand, control: Control) -> bytes:
    """Charts of the trials of a sweep, which are in pieces."""
    if command.label:
        raise InvalidInput("label", "must be left out for a sweep: its charts are of all trials")
    swept = swept_scores(stored_trials(request), score_of(request), pieces)
    control()
    return charts_to_bytes(sweep_charts(swept, command.charts, command.theme))


@refusing
@locating(GetOptimizationChartsRequest)
def of_optimization(request: bytes, payload: bytes, found: StoredData | None, control: Control) -> DataRequest | bytes:
    """Charts of a stored optimization, or what its frontier needs first."""
    message = message_from_bytes(GetOptimizationChartsRequest, request)
    command = charts_command_from_proto(message)
    frontier: list[Solution] = []
    if message.HasField("frontier"):
        if message.frontier.points > MOST_FRONTIER_POINTS:
            raise InvalidInput("frontier.points", f"must be at most {MOST_FRONTIER_POINTS} in a chart")
        with error_path("frontier"):
            trace = trace_command_from_proto(message.frontier)
            if isinstance(trace.data, PriceSelection):
                trace = replace(trace, data=trace.data.under("frontier"))
            if found is None and (needed := _needed_by_frontier(trace)):
                return needed
            frontier = _frontier(trace, found or StoredData(), control)
    return charts_to_bytes(optimization_charts(optimized_from_bytes(payload, frontier), command.charts, command.theme))


def _needed_by_frontier(command: TraceCommand) -> DataRequest:
    return DataRequest(panels=selections(command.data), groups=tuple(command.specification.missing_groups()))


def _frontier(command: TraceCommand, found: StoredData, control: Control) -> list[Solution]:
    problem = build_problem(
        with_stored_groups(command.specification, found), opened(found.input(command.data)), control
    )
    return list(trace_frontier(problem, command.points or FRONTIER_POINTS, control))


@refusing
@locating(GetRiskChartsRequest)
def of_risk(request: bytes, found: StoredData | None, control: Control) -> DataRequest | bytes:
    """Charts of a risk report, or what is needed first."""
    message = message_from_bytes(GetRiskChartsRequest, request)
    command = charts_command_from_proto(message)
    with error_path("analysis"):
        analysis = risk_command_from_proto(message.analysis)
        if isinstance(analysis.data, PriceSelection):
            analysis = replace(analysis, data=analysis.data.under("analysis"))
        if found is None and (needed := data_request(analysis)):
            return needed
        found = found or StoredData()
        if needed := instruments_needed(analysis.data, found):
            return needed
        report = assessed(analysis, found, control)
    currencies = currency_warnings(analysis.data, found, analysis.specification.estimation.factors)
    return charts_to_bytes(risk_charts(report, command.charts, command.theme), currencies)


@refusing
def of_reallocation(payload: bytes, command: ChartsCommand, control: Control) -> bytes:
    """Charts of a stored reallocation."""
    return charts_to_bytes(reallocation_charts(reallocation_from_bytes(payload), command.charts, command.theme))
