"""Backtest: the draft of a job from a request, the job itself, and the series of a finished one."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from absfinance.v1.backtest_service_pb2 import BacktestRequest

from domain.backtest.measurement import opening_units
from domain.backtest.preparation import prepare, simulated_prices
from domain.backtest.record import RecordPart
from domain.backtest.series import Series, rows
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol
from domain.backtest.stored_actions import applicable, until
from domain.market_data.corporate_actions import CorporateAction
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
from server.tasks.remote_strategies import refuse_other_targets, with_services

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
    request: bytes,
    found: StoredData | None,
    control: Control,
    report: ReportKey,
    strategy_targets: tuple[str, ...] = (),
) -> DataRequest | Drafted | bytes:
    """Checks everything that can be known, and names the data by its content; the answer to a mere check."""
    command = backtest_command_from_proto(message_from_bytes(BacktestRequest, request))
    refuse_other_targets(command.specification, strategy_targets)
    if found is None:
        if command.request_id:
            report(RequestKey(command.request_id, command.body))
        if needed := _data_request(command):
            return needed
    found = found or StoredData()
    data = opened(found.input(command.data))
    if not isinstance(data, PricePanel | ReturnPanel):
        raise TypeError("a backtest runs on prices or returns")
    stored = found.actions[command.data] if isinstance(command.data, PriceSelection) else ()
    actions = applicable(stored, command.specification, data)
    outside = {one.symbol: _beside(command, i, one) for i, one in _outside(command.specification, data)}
    wanted = [*outside.values(), *([command.opens] if isinstance(command.opens, PriceSelection) else [])]
    if missing := tuple(selection for selection in wanted if selection not in found.panels):
        return DataRequest(panels=missing, actions=tuple(outside.values()))
    benchmarks = {symbol: found.panels[selection].prices() for symbol, selection in outside.items()}
    opens = found.panels[command.opens].prices() if isinstance(command.opens, PriceSelection) else command.opens
    for symbol, selection in outside.items():
        reach = until(benchmarks[symbol], int(data.dates[-1]))
        actions += applicable(found.actions[selection], command.specification, reach)
    specification = command.specification.with_groups(found.groups).with_stored_actions(actions, benchmarks)
    plan = prepare(specification, data, benchmarks, control, opens, found.groups)
    control()
    if command.validate_only:
        return checked_to_bytes(plan.warnings)
    return _drafted(command, found, data, benchmarks, outside, opens, actions, plan.warnings)


@refusing
def run(
    job: Job,
    request: bytes,
    fingerprint: str,
    control: Control,
    report: Callable[[object], None],
    strategy_targets: tuple[str, ...] = (),
) -> EncodedBacktest:
    """Runs a job, in the process of a worker."""
    specification = specification_from_bytes(request).with_groups(job.groups)
    specification = specification.with_stored_actions(job.actions, job.benchmarks)
    with with_services(specification, job, strategy_targets) as bound:
        completed = run_backtest(job, bound, control, report)
    return EncodedBacktest(result_to_bytes(completed, fingerprint), completed.series, completed.events)


@refusing
def series(
    request: bytes,
    inputs: JobInputs,
    data: StoredPanelRef,
    record: bytes,
    series_kind: Series,
    control: Control,
    report: Callable[[bytes], None],
) -> None:
    """Reports a series of a finished job in pieces."""
    specification = specification_from_bytes(request).with_groups(inputs.groups)
    specification = specification.with_stored_actions(inputs.actions, inputs.benchmarks)
    panel = data.prices() if inputs.kind == "prices" else data.returns()
    for piece in series_to_proto(_pieces(specification, panel, parts_from_bytes(record)[0][1], series_kind)):
        control()
        report(piece.SerializeToString())


def _data_request(command: BacktestCommand) -> DataRequest:
    return DataRequest(
        panels=selections(command.data),
        groups=command.specification.missing_groups(),
        actions=selections(command.data),
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
    opens: PricePanel | None,
    actions: tuple[CorporateAction, ...],
    warnings: tuple[ResultWarning, ...],
) -> Drafted:
    names = {symbol: fingerprint_of(prices) for symbol, prices in benchmarks.items()}
    name = fingerprint_of(data)
    content = hashlib.sha256(command.content + name.encode())
    for symbol, other in sorted(names.items()):
        content.update(f"{symbol}\0{other}\0".encode())
    open_name = None if opens is None else fingerprint_of(opens)
    if open_name is not None:
        content.update(f"open\0{open_name}\0".encode())
    for action in actions:
        content.update(f"action\0{action.symbol}\0{action.day}\0{action.event}\0".encode())
    kind = "prices" if isinstance(data, PricePanel) else "returns"
    sent = isinstance(command.data, Panel)
    stored = {names[symbol]: selection for symbol, selection in outside.items()}
    if isinstance(command.data, PriceSelection):
        stored[name] = command.data
    panels: dict[str, Panel] = {name: data} if sent else {}
    if opens is not None and open_name is not None:
        if isinstance(command.opens, PriceSelection):
            stored[open_name] = command.opens
        else:
            panels[open_name] = opens
    job = JobDraft(
        request=command.request,
        body=command.body,
        label=command.label or command.specification.strategies[0].label,
        fingerprint=content.hexdigest(),
        inputs=JobInputs(name, kind, names, found.groups, warnings, open_name, actions),
        panels=panels,
        request_id=command.request_id,
        id=command.id,
    )
    return Drafted(job, stored, command.wait_seconds)


def _pieces(
    specification: BacktestSpecification, data: PricePanel | ReturnPanel, record: RecordPart, series_kind: Series
) -> SeriesPieces:
    panel = simulated_prices(specification, data)
    opening = opening_units(specification, panel.symbols)
    start = len(panel.dates) - len(record.nav)
    dates, prices = panel.dates[start:], panel.values[start:]
    columns = len(panel.symbols) if series_kind.by_asset else 1
    step = max(1, CHUNK_BYTES // (8 * columns))
    pieces = (
        (dates[first : first + step], rows(series_kind, prices, record, opening, first, min(first + step, len(dates))))
        for first in range(0, len(dates), step)
    )
    return SeriesPieces(panel.symbols if series_kind.by_asset else (), dates, pieces)
