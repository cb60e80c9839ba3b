"""Backtest: the draft of a job from a request, the job itself, and the series of a finished one."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from absfinance.v1.backtest_service_pb2 import BacktestRequest

from domain.backtest.preparation import prepare, simulated_prices
from domain.backtest.record import RecordPart
from domain.backtest.series import Series, rows
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol
from domain.market_data.fingerprint import fingerprint_of
from domain.market_data.panel import Panel, PricePanel, ReturnPanel
from domain.warnings import ResultWarning
from server.commands.backtest import BacktestCommand, SeriesPieces
from server.commands.stored import DataRequest, ReportKey, RequestKey, StoredData
from server.converters.backtests import (
    backtest_command_from_proto,
    checked_to_bytes,
    result_to_bytes,
    series_to_proto,
    specification_from_bytes,
)
from server.converters.message import message_from_bytes
from server.execution.worker import Control
from server.jobs.backtest_run import EncodedBacktest, Job, run_backtest
from server.jobs.codec import parts_from_bytes
from server.ports.jobs import JobDraft, JobInputs
from server.ports.market_data import PriceSelection
from server.ports.panels import StoredPanelRef
from server.tasks.optimize import opened, selections
from server.tasks.refusing import locating, refusing

CHUNK_BYTES = 900_000
"""Values in one piece of a series; with dates and framing it stays below 1 MiB."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A job to be stored. Panels that the request named, not sent, are told by their selection."""

    job: JobDraft
    stored: Mapping[str, PriceSelection]  # name of a panel -> where it is
    wait_seconds: float


@refusing
@locating(BacktestRequest)
def draft(
    request: bytes, found: StoredData | None, control: Control, report: ReportKey
) -> DataRequest | Drafted | bytes:
    """Checks everything that can be known, and names the data by its content; the answer to a mere check."""
    command = backtest_command_from_proto(message_from_bytes(BacktestRequest, request))
    if found is None:
        if command.request_id:
            report(RequestKey(command.request_id, command.body))
        if needed := _data_request(command):
            return needed
    found = found or StoredData()
    data = opened(found.input(command.data))
    if not isinstance(data, PricePanel | ReturnPanel):
        raise TypeError("a backtest runs on prices or returns")
    outside = {one.symbol: _beside(command, i, one) for i, one in _outside(command.specification, data)}
    if missing := tuple(selection for selection in outside.values() if selection not in found.panels):
        return DataRequest(panels=missing)
    benchmarks = {symbol: found.panels[selection].prices() for symbol, selection in outside.items()}
    plan = prepare(command.specification.with_groups(found.groups), data, benchmarks, control)
    control()
    if command.validate_only:
        return checked_to_bytes(plan.warnings)
    return _drafted(command, found, data, benchmarks, outside, plan.warnings)


@refusing
def run(
    job: Job, request: bytes, fingerprint: str, control: Control, report: Callable[[object], None]
) -> EncodedBacktest:
    """Runs a job, in the process of a worker."""
    specification = specification_from_bytes(request).with_groups(job.groups)
    completed = run_backtest(job, specification, control, report)
    return EncodedBacktest(result_to_bytes(completed, fingerprint), completed.series, completed.events)


@refusing
def series(
    request: bytes,
    groups: Mapping[str, tuple[str, ...]],
    data: StoredPanelRef,
    kind: str,
    record: bytes,
    series_kind: Series,
    control: Control,
    report: Callable[[bytes], None],
) -> None:
    """Reports a series of a finished job in pieces."""
    specification = specification_from_bytes(request).with_groups(groups)
    panel = data.prices() if kind == "prices" else data.returns()
    for piece in series_to_proto(_pieces(specification, panel, parts_from_bytes(record)[0][1], series_kind)):
        control()
        report(piece.SerializeToString())


def _data_request(command: BacktestCommand) -> DataRequest:
    return DataRequest(
        panels=selections(command.data),
        groups=command.specification.missing_groups(),
    )


def _outside(specification: BacktestSpecification, data: Panel) -> list[tuple[int, BenchmarkSymbol]]:
    """Benchmarks that the data does not have, with their indices in the request."""
    known = set(data.symbols)
    return [
        (i, one)
        for i, one in enumerate(specification.benchmarks)
        if isinstance(one, BenchmarkSymbol) and one.symbol not in known
    ]


def _beside(command: BacktestCommand, i: int, benchmark: BenchmarkSymbol) -> PriceSelection:
    """Stored prices of the benchmark at an index over the range of the data."""
    data = command.data
    start, end = (data.start, data.end) if isinstance(data, PriceSelection) else (None, None)
    return PriceSelection((benchmark.symbol,), start=start, end=end, symbols_path=f"benchmarks[{i}].symbol")


def _drafted(
    command: BacktestCommand,
    found: StoredData,
    data: PricePanel | ReturnPanel,
    benchmarks: Mapping[str, PricePanel],
    outside: Mapping[str, PriceSelection],
    warnings: tuple[ResultWarning, ...],
) -> Drafted:
    names = {symbol: fingerprint_of(prices) for symbol, prices in benchmarks.items()}
    name = fingerprint_of(data)
    content = hashlib.sha256(command.content + name.encode())
    for symbol, other in sorted(names.items()):
        content.update(f"{symbol}\0{other}\0".encode())
    kind = "prices" if isinstance(data, PricePanel) else "returns"
    sent = isinstance(command.data, Panel)
    stored = {names[symbol]: selection for symbol, selection in outside.items()}
    if isinstance(command.data, PriceSelection):
        stored[name] = command.data
    job = JobDraft(
        request=command.request,
        body=command.body,
        label=command.label or command.specification.strategies[0].label,
        fingerprint=content.hexdigest(),
        inputs=JobInputs(name, kind, names, found.groups, warnings),
        panels={name: data} if sent else {},
        request_id=command.request_id,
        id=command.id,
    )
    return Drafted(job, stored, command.wait_seconds)


def _pieces(
    specification: BacktestSpecification, data: PricePanel | ReturnPanel, record: RecordPart, series_kind: Series
) -> SeriesPieces:
    panel = simulated_prices(specification, data)
    start = len(panel.dates) - len(record.nav)
    dates, prices = panel.dates[start:], panel.values[start:]
    columns = len(panel.symbols) if series_kind.by_asset else 1
    step = max(1, CHUNK_BYTES // (8 * columns))
    pieces = (
        (dates[first : first + step], rows(series_kind, prices, record, first, min(first + step, len(dates))))
        for first in range(0, len(dates), step)
    )
    return SeriesPieces(panel.symbols if series_kind.by_asset else (), dates, pieces)
