"""Backtests on the wire: requests as specifications, figures and progress messages as messages."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from absfinance.v1 import backtest_pb2
from absfinance.v1.backtest_pb2 import Backtest as BacktestProto
from absfinance.v1.backtest_service_pb2 import (
    BacktestProgressResponse,
    BacktestRequest,
    BacktestSeries,
    GetBacktestSeriesResponse,
    ListBacktestsResponse,
)
from absfinance.v1.panel_pb2 import DATA_TYPE_FLOAT64, Tensor
from google.rpc.status_pb2 import Status

from domain.backtest.series import Series
from domain.backtest.specification import BacktestSpecification
from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel, ReturnPanel, Scenarios, civil_date
from domain.warnings import ResultWarning
from server.commands.backtest import BacktestCommand, SeriesPieces
from server.converters.backtest_request import backtest_specification_from_proto
from server.converters.backtest_result import MOST_EVENTS, events_left_out, first_of_all, strategy_result_to_proto
from server.converters.dates import civil_to_proto
from server.converters.identity import identity_of
from server.converters.market_input import market_input_from_proto, prices_from_proto
from server.converters.paths import error_path
from server.converters.selection import MOST_CHOICES
from server.converters.warning import warnings_to_proto
from server.jobs.backtest_run import BacktestCompleted
from server.jobs.progress import Heartbeat, ProgressMessage, ProgressSnapshot, ProgressTick
from server.ports.jobs import (
    BACKTESTS,
    EventKind,
    JobEvent,
    JobPage,
    JobRecord,
    JobState,
    JobTick,
    kind_of,
    resource_name,
)
from server.ports.market_data import PriceField, PriceSelection

NAME = BACKTESTS
CANCELLED_CODE = 1  # google.rpc.Code.CANCELLED

_SERIES: Mapping[int, Series] = {
    number: Series(name.removeprefix("BACKTEST_SERIES_")) for name, number in BacktestSeries.items() if number
}
_KINDS = {
    EventKind.STAGE: BacktestProgressResponse.Milestone.KIND_STAGE,
    EventKind.REBALANCE_FAILED: BacktestProgressResponse.Milestone.KIND_REBALANCE_FAILED,
    EventKind.WARNING: BacktestProgressResponse.Milestone.KIND_WARNING,
    EventKind.RESUMED: BacktestProgressResponse.Milestone.KIND_RESUMED,
    EventKind.REBALANCE: BacktestProgressResponse.Milestone.KIND_REBALANCE,
    EventKind.TRIAL_FAILED: BacktestProgressResponse.Milestone.KIND_TRIAL_FAILED,
    EventKind.BEST_TRIAL: BacktestProgressResponse.Milestone.KIND_BEST_TRIAL,
}


def backtest_command_from_proto(request: BacktestRequest) -> BacktestCommand:
    """The command of a request. Raises InvalidInput or NotSupported."""
    periods = request.periods_per_year if request.HasField("periods_per_year") else None
    data, _ = market_input_from_proto(request, periods)
    if isinstance(data, Moments | Scenarios):
        raise TypeError("the contract of Backtest has no such input")
    identity = identity_of(request, "backtest_id", "wait")
    identity.bare.ClearField(request.WhichOneof("input") or "prices")
    identity.bare.ClearField("open_prices")
    return BacktestCommand(
        data=data,
        specification=backtest_specification_from_proto(request),
        opens=_open_prices(request, data),
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
    return backtest_specification_from_proto(BacktestRequest.FromString(data))


def _open_prices(
    request: BacktestRequest, data: PricePanel | ReturnPanel | PriceSelection
) -> PricePanel | PriceSelection | None:
    """Opening prices: those that are sent, or the stored ones of the symbols whose closing prices are stored."""
    if request.HasField("open_prices"):
        with error_path("open_prices"):
            return prices_from_proto(request.open_prices)
    if request.execution.fill == backtest_pb2.FILL_NEXT_OPEN and isinstance(data, PriceSelection):
        return replace(data, field=PriceField.OPEN)
    return None


def checked_to_bytes(warnings: Iterable[ResultWarning]) -> bytes:
    """The answer to a request that was only to be checked: what is probably not meant in it."""
    encoded: bytes = BacktestProto(warnings=warnings_to_proto(warnings)).SerializeToString()
    return encoded


def result_to_bytes(completed: BacktestCompleted, fingerprint: str) -> bytes:
    """The figures of a finished job."""
    outcome = completed.outcome
    simulated = (*outcome.strategies, *outcome.benchmarks)
    most = (MOST_EVENTS // len(simulated), MOST_CHOICES // len(simulated))
    strategies = [strategy_result_to_proto(one, outcome.symbols, *most) for one in outcome.strategies]
    result = backtest_pb2.BacktestResult(
        **first_of_all(strategies[0]),
        strategies=strategies,
        benchmarks=[strategy_result_to_proto(one, outcome.symbols, *most) for one in outcome.benchmarks],
        input_fingerprint=fingerprint,
        warnings=warnings_to_proto(
            [*(warning for one in simulated for warning in one.warnings), *events_left_out(simulated, most[0])]
        ),
    )
    result.compute_duration.FromNanoseconds(round(completed.cpu_seconds * 1e9))
    return result.SerializeToString()


def record_to_proto(record: JobRecord) -> BacktestProto:
    """A job, with its result or its error once it is over."""
    response = BacktestProto(
        name=resource_name(record.id),
        request_id=record.sent_request_id,
        label=record.label,
        state=state_to_proto(record.state),
        # That of a sweep is another message.
        result=None
        if record.result is None or record.is_sweep
        else backtest_pb2.BacktestResult.FromString(record.result),
        error=None if record.error is None else Status.FromString(record.error),
        fraction=1.0 if record.state is JobState.SUCCEEDED else record.tick.fraction if record.tick else 0.0,
        warnings=warnings_to_proto(record.inputs.warnings),
    )
    response.create_time.FromDatetime(record.created)
    if record.finished is not None:
        response.finish_time.FromDatetime(record.finished)
    if record.stale_since is not None:
        response.stale_since.FromDatetime(record.stale_since)
    return response


def page_to_proto(page: JobPage, *, with_owners: bool = False) -> ListBacktestsResponse:
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
            stale_since=full.stale_since if full.HasField("stale_since") else None,
            owner=record.owner if with_owners else "",
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
            response.snapshot.state = state_to_proto(state)
            response.snapshot.oldest_sequence = oldest
            if tick is not None:
                response.snapshot.tick.CopyFrom(_sweep_tick(tick, None) if message.of_sweep else _tick(tick, None))
        case ProgressTick(tick, eta):
            response.tick.CopyFrom(_sweep_tick(tick, eta) if message.of_sweep else _tick(tick, eta))
        case Heartbeat():
            response.heartbeat.SetInParent()
        case JobEvent():
            response.milestone.CopyFrom(_milestone(message.content))
        case JobRecord():
            response.finished.CopyFrom(_finished(message.content))
    return response


def state_to_proto(state: JobState) -> backtest_pb2.BacktestState:
    """A state as the contract names it."""
    value: backtest_pb2.BacktestState = backtest_pb2.BacktestState.Value(f"BACKTEST_STATE_{state}")  # type: ignore[assignment]  # stubs: an enum is an int
    return value


def _tick(tick: JobTick, eta_seconds: float | None) -> BacktestProgressResponse.Tick:
    message = BacktestProgressResponse.Tick(
        fraction=tick.fraction,
        simulated_date=civil_to_proto(civil_date(tick.day_or_failed_count)),
        nav=tick.nav_or_best_score,
    )
    if eta_seconds is not None:
        message.eta.FromTimedelta(timedelta(seconds=eta_seconds))
    if tick.stage is not None:
        message.label, message.stage_index, message.stage_count = tick.stage.label, tick.stage.index, tick.stage.count
    if tick.points:
        message.equity.dates.extend(day for day, _ in tick.points)
        message.equity.navs.extend(nav for _, nav in tick.points)
    return message


def _sweep_tick(tick: JobTick, eta_seconds: float | None) -> BacktestProgressResponse.Tick:
    """How many trials are over, and the best of them."""
    message = BacktestProgressResponse.Tick(fraction=tick.fraction)
    if eta_seconds is not None:
        message.eta.FromTimedelta(timedelta(seconds=eta_seconds))
    if tick.stage is None:
        return message
    message.stage_count = tick.stage.count
    message.sweep.finished_count = round(tick.fraction * tick.stage.count)
    message.sweep.failed_count = tick.day_or_failed_count
    if tick.stage.index >= 0:
        message.sweep.best_index, message.sweep.best_label = tick.stage.index, tick.stage.label
        message.sweep.best_score = tick.nav_or_best_score
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
        benefit_annual=None if content.weighing is None else content.weighing.benefit_annual,
        cost_annual=None if content.weighing is None else content.weighing.cost_annual,
    )


def _finished(record: JobRecord) -> BacktestProgressResponse.Finished:
    finished = BacktestProgressResponse.Finished(state=state_to_proto(record.state))
    if record.state is JobState.SUCCEEDED:
        finished.result = resource_name(record.id)
    elif record.error is not None:
        finished.error.CopyFrom(Status.FromString(record.error))
    else:
        finished.error.CopyFrom(Status(code=CANCELLED_CODE, message=f"the {kind_of(record.id)} was cancelled"))
    return finished


def path_of(name: str) -> str:
    """The id of a job in a resource name; that of a sweep is its whole name."""
    return name.removeprefix(NAME)
