"""Backtests on the wire: requests as specifications, figures and progress messages as messages."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from absfinance.v1 import backtest_pb2, cost_pb2, frequency_pb2
from absfinance.v1.backtest_pb2 import Backtest as BacktestProto
from absfinance.v1.backtest_service_pb2 import (
    BACKTEST_SERIES_DRAWDOWN,
    BACKTEST_SERIES_NAV,
    BACKTEST_SERIES_TRADES,
    BACKTEST_SERIES_WEIGHTS,
    BacktestProgressResponse,
    BacktestRequest,
    BacktestSeries,
    GetBacktestSeriesResponse,
    ListBacktestsResponse,
)
from absfinance.v1.panel_pb2 import DATA_TYPE_FLOAT64, Tensor
from google.rpc.status_pb2 import Status

from domain.backtest.metrics import METRICS_VERSION, Performance
from domain.backtest.rebalancing import BuyAndHold, Calendar, EveryPeriods, Frequency, Rebalancing
from domain.backtest.result import StrategyOutcome
from domain.backtest.series import Series
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol, Fill
from domain.backtest.strategies import EqualWeight, FixedWeights, Optimized, Schedule, Strategy, inverse_volatility
from domain.costs.linear import LinearCost
from domain.errors import NotSupported
from domain.market_data.moments import Moments
from domain.market_data.panel import Scenarios, civil_date
from domain.risk.figure import known
from domain.warnings import ResultWarning
from server.commands.backtest import BacktestCommand, SeriesPieces
from server.converters.dates import civil_to_proto, days_from_proto
from server.converters.identity import identity_of
from server.converters.market_input import market_input_from_proto, missing_data_from_proto
from server.converters.paths import error_path
from server.converters.specification import specification_from_proto
from server.converters.warning import warnings_to_proto
from server.converters.weights import weights_from_proto
from server.jobs.backtest_run import BacktestCompleted
from server.jobs.progress import Heartbeat, ProgressMessage, ProgressSnapshot, ProgressTick
from server.ports.errors import NotFound
from server.ports.jobs import EventKind, JobEvent, JobPage, JobRecord, JobState, JobTick

NAME = "backtests/"
CANCELLED_CODE = 1  # google.rpc.Code.CANCELLED

_FREQUENCIES: Mapping[int, Frequency] = {
    frequency_pb2.FREQUENCY_UNSPECIFIED: Frequency.MONTHLY,
    frequency_pb2.FREQUENCY_DAILY: Frequency.DAILY,
    frequency_pb2.FREQUENCY_WEEKLY: Frequency.WEEKLY,
    frequency_pb2.FREQUENCY_MONTHLY: Frequency.MONTHLY,
    frequency_pb2.FREQUENCY_QUARTERLY: Frequency.QUARTERLY,
    frequency_pb2.FREQUENCY_SEMIANNUAL: Frequency.SEMIANNUAL,
    frequency_pb2.FREQUENCY_ANNUAL: Frequency.ANNUAL,
}
_SERIES: Mapping[int, Series] = {
    BACKTEST_SERIES_NAV: Series.EQUITY,
    BACKTEST_SERIES_WEIGHTS: Series.WEIGHTS,
    BACKTEST_SERIES_TRADES: Series.TRADES,
    BACKTEST_SERIES_DRAWDOWN: Series.DRAWDOWN,
}
_KINDS = {
    EventKind.STAGE: BacktestProgressResponse.Milestone.KIND_STAGE,
    EventKind.REBALANCE_FAILED: BacktestProgressResponse.Milestone.KIND_REBALANCE_FAILED,
    EventKind.WARNING: BacktestProgressResponse.Milestone.KIND_WARNING,
    EventKind.RESUMED: BacktestProgressResponse.Milestone.KIND_RESUMED,
}


def backtest_command_from_proto(request: BacktestRequest) -> BacktestCommand:
    """The command of a request. Raises InvalidInput or NotSupported."""
    periods = request.periods_per_year if request.HasField("periods_per_year") else None
    data, _ = market_input_from_proto(request, periods)
    if isinstance(data, Moments | Scenarios):
        raise TypeError("the contract of Backtest has no such input")
    identity = identity_of(request, "backtest_id", "wait")
    identity.bare.ClearField(request.WhichOneof("input") or "prices")
    return BacktestCommand(
        data=data,
        specification=specification_of(request),
        request=identity.bare.SerializeToString(deterministic=True),
        content=identity.content,
        body=identity.body,
        id=request.backtest_id or None,
        label=request.label,
        request_id=request.request_id or None,
        wait_seconds=request.wait.ToTimedelta().total_seconds(),
        validate_only=request.validate_only,
    )


def specification_from_bytes(data: bytes) -> BacktestSpecification:
    """The specification of a stored request."""
    return specification_of(BacktestRequest.FromString(data))


def specification_of(request: BacktestRequest) -> BacktestSpecification:
    """Everything of a request but its data. Raises InvalidInput or NotSupported."""
    if request.HasField("strategy"):
        named = [("strategy", request.strategy)]
    else:
        named = [(f"strategies[{i}]", strategy) for i, strategy in enumerate(request.strategies)]
    analysis = request.analysis
    return BacktestSpecification(
        strategies=tuple(_at(path, strategy) for path, strategy in named),
        rebalancing=_rebalancing(request.rebalancing),
        fill=Fill.SAME_CLOSE if request.execution.fill == backtest_pb2.FILL_SAME_CLOSE else Fill.NEXT_CLOSE,
        lag_periods=request.execution.lag_periods,
        costs=costs_from_proto(request.costs),
        cash_rate_annual=request.costs.cash_rate_annual,
        initial_capital=request.initial_capital if request.HasField("initial_capital") else 1.0,
        benchmarks=tuple(_benchmark(i, benchmark) for i, benchmark in enumerate(request.benchmarks)),
        missing_data=missing_data_from_proto(request.missing_data),
        periods_per_year=request.periods_per_year if request.HasField("periods_per_year") else None,
        risk_free_rate_annual=analysis.risk_free_rate_annual,
        minimum_acceptable_return_annual=analysis.minimum_acceptable_return_annual,
        listed=not request.HasField("strategy"),
    )


def checked_to_bytes(warnings: Iterable[ResultWarning]) -> bytes:
    """The answer to a request that was only to be checked: what is probably not meant in it."""
    encoded: bytes = BacktestProto(warnings=warnings_to_proto(warnings)).SerializeToString()
    return encoded


def strategy_from_proto(strategy: backtest_pb2.Strategy) -> Strategy:
    """A strategy. Raises InvalidInput or NotSupported."""
    kind = strategy.WhichOneof("kind") or ""
    label = strategy.label or kind
    with error_path(kind):
        match kind:
            case "equal_weight":
                return EqualWeight(label)
            case "fixed_weights":
                return FixedWeights(weights_from_proto("weights", strategy.fixed_weights.weights), label)
            case "schedule":
                return _schedule(strategy.schedule, label)
            case "inverse_volatility":
                given = strategy.inverse_volatility
                return inverse_volatility(given.lookback_periods if given.HasField("lookback_periods") else None, label)
        spec = strategy.optimize
        lookback = spec.lookback_periods if spec.HasField("lookback_periods") else None
        return Optimized(specification_from_proto(spec), lookback, label)


def costs_from_proto(costs: cost_pb2.CostModel) -> LinearCost:
    """Proportional costs. Raises NotSupported for the kinds that are not simulated yet."""
    for name in ("impact", "fixed_fee", "borrow_bps_annual", "financing_rate_annual"):
        if costs.HasField(name):
            raise NotSupported(f"costs.{name} is not supported here yet")
    return LinearCost(
        costs.commission_bps, costs.half_spread_bps, {entry.symbol: entry.cost_bps for entry in costs.by_asset}
    )


def result_to_bytes(completed: BacktestCompleted, fingerprint: str) -> bytes:
    """The figures of a finished job."""
    outcome = completed.outcome
    strategies = [_strategy(one, outcome.symbols) for one in outcome.strategies]
    result = backtest_pb2.BacktestResult(
        metrics=strategies[0].metrics,
        costs=strategies[0].costs,
        strategies=strategies,
        benchmarks=[_strategy(one, outcome.symbols) for one in outcome.benchmarks],
        input_fingerprint=fingerprint,
    )
    result.compute_duration.FromNanoseconds(round(completed.cpu_seconds * 1e9))
    return result.SerializeToString()


def record_to_proto(record: JobRecord) -> BacktestProto:
    """A job, with its result or its error once it is over."""
    response = BacktestProto(
        name=NAME + record.id,
        request_id=record.request_id or "",
        label=record.label,
        state=_state(record.state),
        result=None if record.result is None else backtest_pb2.BacktestResult.FromString(record.result),
        error=None if record.error is None else Status.FromString(record.error),
        fraction=1.0 if record.state is JobState.SUCCEEDED else record.tick.fraction if record.tick else 0.0,
        warnings=warnings_to_proto(record.inputs.warnings),
    )
    response.create_time.FromDatetime(record.created)
    if record.finished is not None:
        response.finish_time.FromDatetime(record.finished)
    return response


def page_to_proto(page: JobPage) -> ListBacktestsResponse:
    """A page of jobs without their results."""
    response = ListBacktestsResponse(next_page_token=page.next_token)
    for record in page.records:
        full = record_to_proto(record)
        response.backtests.add(
            name=full.name,
            state=full.state,
            fraction=full.fraction,
            label=record.label,
            create_time=full.create_time,
            finish_time=full.finish_time if full.HasField("finish_time") else None,
        )
    return response


def state_from_proto(state: backtest_pb2.BacktestState) -> JobState | None:
    """The state a list is asked for; None for all."""
    if state == backtest_pb2.BACKTEST_STATE_UNSPECIFIED:
        return None
    return JobState(backtest_pb2.BacktestState.Name(state).removeprefix("BACKTEST_STATE_"))


def series_from_proto(series: BacktestSeries) -> Series:
    """The series that is asked for."""
    return _SERIES[series]


def series_to_proto(series: SeriesPieces) -> Iterator[GetBacktestSeriesResponse]:
    """A header, then rows."""
    header = GetBacktestSeriesResponse.Header(symbols=series.symbols, date_count=len(series.dates))
    yield GetBacktestSeriesResponse(header=header)
    for dates, values in series.pieces:
        data = values.astype("<f8").tobytes()
        tensor = Tensor(shape=values.shape, dtype=DATA_TYPE_FLOAT64, data=data)
        yield GetBacktestSeriesResponse(rows=GetBacktestSeriesResponse.Rows(dates=dates.tolist(), values=tensor))


def progress_to_proto(message: ProgressMessage) -> BacktestProgressResponse:
    """What a follower is told."""
    response = BacktestProgressResponse(sequence=message.sequence, epoch=message.epoch)
    response.event_time.FromDatetime(message.time)
    match message.content:
        case ProgressSnapshot(state, tick, oldest):
            response.snapshot.state = _state(state)
            response.snapshot.oldest_sequence = oldest
            if tick is not None:
                response.snapshot.tick.CopyFrom(_tick(tick, None))
        case ProgressTick(tick, eta):
            response.tick.CopyFrom(_tick(tick, eta))
        case Heartbeat():
            response.heartbeat.SetInParent()
        case JobEvent():
            response.milestone.CopyFrom(_milestone(message.content))
        case JobRecord():
            response.finished.CopyFrom(_finished(message.content))
    return response


def _at(path: str, strategy: backtest_pb2.Strategy) -> Strategy:
    with error_path(path):
        return strategy_from_proto(strategy)


def _schedule(schedule: backtest_pb2.WeightSchedule, label: str) -> Schedule:
    entries = []
    for i, entry in enumerate(schedule.entries):
        day = days_from_proto(f"entries[{i}].date", entry.date)
        entries.append((day, weights_from_proto(f"entries[{i}].weights", entry.weights)))
    return Schedule(tuple(entries), label)


def _rebalancing(rebalancing: backtest_pb2.Rebalancing) -> Rebalancing:
    match rebalancing.WhichOneof("schedule"):
        case "every_periods":
            return EveryPeriods(rebalancing.every_periods.n)
        case "never":
            return BuyAndHold()
    calendar = rebalancing.calendar
    last = calendar.day == backtest_pb2.REBALANCE_DAY_LAST
    return Calendar(_FREQUENCIES[calendar.frequency], last, calendar.offset_days)


def _benchmark(i: int, benchmark: backtest_pb2.Benchmark) -> BenchmarkSymbol | Strategy:
    if benchmark.WhichOneof("kind") == "symbol":
        return BenchmarkSymbol(benchmark.symbol, benchmark.label)
    strategy = backtest_pb2.Strategy()
    strategy.CopyFrom(benchmark.strategy)
    kind = strategy.WhichOneof("kind") or ""
    # Its own name must differ from that of a strategy of the same kind.
    strategy.label = benchmark.label or strategy.label or f"benchmark {kind}"
    return _at(f"benchmarks[{i}].strategy", strategy)


def _strategy(outcome: StrategyOutcome, symbols: tuple[str, ...]) -> backtest_pb2.StrategyResult:
    result = backtest_pb2.StrategyResult(
        label=outcome.label,
        metrics=_metrics(outcome.performance),
        costs=cost_pb2.CostBreakdown(commission=outcome.commission, spread=outcome.spread),
        rebalance_count=outcome.rebalances,
        final_cash=outcome.final_cash,
    )
    for failure in outcome.failures:
        day = civil_to_proto(civil_date(failure.day))
        result.failed_rebalances.add(date=day, reason=failure.reason, message=failure.message)
    if outcome.final_units is not None:
        for symbol, quantity in zip(symbols, outcome.final_units.tolist(), strict=True):
            if quantity:
                result.final_holdings.add(symbol=symbol, quantity=quantity)
    return result


def _metrics(figures: Performance) -> backtest_pb2.PerformanceMetrics:
    return backtest_pb2.PerformanceMetrics(
        **{name: known(figure) for name, figure in figures.figures.items()},
        periods_per_year=figures.periods_per_year,
        observations=figures.observations,
        start_date=civil_to_proto(civil_date(figures.start_day)),
        end_date=civil_to_proto(civil_date(figures.end_day)),
        metrics_version=METRICS_VERSION,
        undefined=figures.undefined,
    )


def _state(state: JobState) -> backtest_pb2.BacktestState:
    value: backtest_pb2.BacktestState = backtest_pb2.BacktestState.Value(f"BACKTEST_STATE_{state}")  # type: ignore[assignment]  # stubs: an enum is an int
    return value


def _tick(tick: JobTick, eta_seconds: float | None) -> BacktestProgressResponse.Tick:
    message = BacktestProgressResponse.Tick(
        fraction=tick.fraction, simulated_date=civil_to_proto(civil_date(tick.day)), nav=tick.wealth
    )
    if eta_seconds is not None:
        message.eta.FromTimedelta(timedelta(seconds=eta_seconds))
    if tick.stage is not None:
        message.label, message.stage_index, message.stage_count = tick.stage.label, tick.stage.index, tick.stage.count
    if tick.points:
        message.equity.dates.extend(day for day, _ in tick.points)
        message.equity.navs.extend(nav for _, nav in tick.points)
    return message


def _milestone(event: JobEvent) -> BacktestProgressResponse.Milestone:
    content = event.content
    stage = content.stage
    return BacktestProgressResponse.Milestone(
        label=None if stage is None else stage.label,
        stage_index=None if stage is None else stage.index,
        stage_count=None if stage is None else stage.count,
        kind=_KINDS[content.kind],
        simulated_date=None if content.day is None else civil_to_proto(civil_date(content.day)),
        reason=content.reason,
        message=content.message,
    )


def _finished(record: JobRecord) -> BacktestProgressResponse.Finished:
    finished = BacktestProgressResponse.Finished(state=_state(record.state))
    if record.state is JobState.SUCCEEDED:
        finished.result = NAME + record.id
    elif record.error is not None:
        finished.error.CopyFrom(Status.FromString(record.error))
    else:
        finished.error.CopyFrom(Status(code=CANCELLED_CODE, message="the backtest was cancelled"))
    return finished


def path_of(name: str) -> str:
    """The id in a resource name. Raises NotFound for a sweep: there are none yet."""
    if not name.startswith(NAME):
        raise NotFound("sweep", name)
    return name.removeprefix(NAME)
