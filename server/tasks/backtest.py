"""Backtest: the draft of a job from a request, the job itself, and the series of a finished one."""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from absfinance.v1.backtest_service_pb2 import BacktestRequest

from domain.backtest.liquidity import StoredTrading
from domain.backtest.opening import opening_units
from domain.backtest.preparation import BacktestPlan, prepare, simulated_market
from domain.backtest.record import RecordPart
from domain.backtest.series import Series, rows
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol
from domain.backtest.stored_actions import applicable, until
from domain.backtest.strategies.nesting import factors_of_all
from domain.market_data.corporate_actions import CorporateAction
from domain.market_data.fingerprint import fingerprint_of
from domain.market_data.panel import Panel, PricePanel, ReturnPanel
from domain.records import dataclass
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
from server.execution.control import Control
from server.jobs.backtest_run import EncodedBacktest, Job, run_backtest
from server.jobs.codec import parts_from_bytes
from server.ports.jobs import JobDraft, JobInputs
from server.ports.market_data import PriceField, PriceSelection
from server.ports.panels import StoredPanelRef
from server.tasks.optimize import opened, selections
from server.tasks.refusing import locating, refusing
from server.tasks.remote_strategies import refuse_other_targets, with_services
from server.tasks.stored_market import currency_warnings, instruments_needed, instruments_of

CALENDAR_DAYS = 1.5
"""Days of the calendar for a date of trading: seven for five, and room for holidays."""

LONG_HOLIDAY = 10
"""Days that a market may be closed at a time."""

CHUNK_BYTES = 900_000
"""Values in one piece of a series; with dates and framing it stays below 1 MiB."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A job to be stored. Panels that the request named, not sent, are told by their selection."""

    job: JobDraft
    stored: Mapping[str, PriceSelection]  # name of a panel -> where it is
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class _TradingSelections:
    """Where the trading that an impact depends on is stored: one selection each, or none."""

    volumes: tuple[PriceSelection, ...] = ()
    earlier: tuple[PriceSelection, ...] = ()  # closing prices before those of the request

    def of(self, found: StoredData) -> StoredTrading:
        """Its panels."""
        volumes = [ref for selection in self.volumes if (ref := found.volumes[selection]) is not None]
        earlier = [found.panels[selection] for selection in self.earlier]
        return StoredTrading(
            volumes[0].prices() if volumes else None,
            earlier[0].prices() if earlier else None,
        )


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
    if found is None and command.request_id:
        report(RequestKey(command.request_id, command.body))
    if found is None:
        needed = drafted(command, None, control)
        named = DataRequest(instruments=instruments_of(command.data))
        return needed.joined(named) if isinstance(needed, DataRequest) else needed
    if missing := instruments_needed(command.data, found):
        return missing
    factors = factors_of_all(strategy for _, strategy in command.specification.strategies_by_path())
    return drafted(command, found, control, about_data=currency_warnings(command.data, found, factors))


def drafted(
    command: BacktestCommand,
    found: StoredData | None,
    control: Control,
    data: PricePanel | ReturnPanel | None = None,
    name_of: Callable[[Panel], str] = fingerprint_of,
    about_data: tuple[ResultWarning, ...] = (),
    prepared: Callable[..., BacktestPlan] = prepare,
) -> DataRequest | Drafted | bytes:
    """The same for a command; `data` is that of the command where it is open already, `name_of` names it, and
    `about_data` are warnings about it. `prepared` does what `prepare` does.
    """
    if found is None and (needed := _data_request(command)):
        return needed
    found = found or StoredData()
    if data is None:
        data = input_of(command, found)
    stored = found.actions[command.data] if isinstance(command.data, PriceSelection) else ()
    actions = applicable(stored, command.specification, data)
    outside = {one.symbol: _beside(command, i, one) for i, one in _outside(command.specification, data)}
    wanted = [*outside.values(), *([command.opens] if isinstance(command.opens, PriceSelection) else [])]
    around = _trading_selections(command, data)
    missing = tuple(selection for selection in (*wanted, *around.earlier) if selection not in found.panels)
    volumes = tuple(selection for selection in around.volumes if selection not in found.volumes)
    instruments = _unlabelled(command.specification, found, data)
    if missing or volumes or instruments:
        return DataRequest(
            panels=missing, volumes=volumes, instruments=instruments, actions=tuple(outside.values()) if missing else ()
        )
    benchmarks = {symbol: found.panels[selection].prices() for symbol, selection in outside.items()}
    opens = found.panels[command.opens].prices() if isinstance(command.opens, PriceSelection) else command.opens
    for symbol, selection in outside.items():
        reach = until(benchmarks[symbol], int(data.dates[-1]))
        actions += applicable(found.actions[selection], command.specification, reach)
    labels = _labels(command.specification, found, data)
    specification = command.specification.with_groups(found.groups).with_stored_actions(actions, benchmarks)
    specification = specification.with_stored_labels(labels)
    trading = around.of(found)
    plan = prepared(specification, data, benchmarks, control, opens, found.groups, trading)
    control()
    warnings = (*plan.warnings, *about_data)
    if command.validate_only:
        return checked_to_bytes(warnings)
    job = _drafted(command, found, data, benchmarks, outside, opens, actions, warnings, name_of)
    return _with_labels(_with_trading(job, around, trading), labels)


def input_of(command: BacktestCommand, found: StoredData) -> PricePanel | ReturnPanel:
    """The data of a command, open."""
    data = opened(found.input(command.data))
    if not isinstance(data, PricePanel | ReturnPanel):
        raise TypeError("a backtest runs on prices or returns")
    return data


@refusing
def run(
    job: Job,
    request: bytes,
    fingerprint: str,
    control: Control,
    report: Callable[[object], None],
    strategy_targets: tuple[str, ...] = (),
    remote_authority: bytes | None = None,
) -> EncodedBacktest:
    """Runs a job, in the process of a worker."""
    specification = specification_from_bytes(request).with_groups(job.groups).with_stored_labels(job.labels)
    specification = specification.with_stored_actions(job.actions, job.benchmarks)
    with with_services(specification, job, strategy_targets, remote_authority) as bound:
        completed = run_backtest(job, bound, control, report)
    return EncodedBacktest(result_to_bytes(completed, fingerprint), completed.series, completed.events, completed.tick)


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


def _trading_selections(command: BacktestCommand, data: Panel) -> _TradingSelections:
    """Stored volumes of the data and of the dates before it, and its closing prices before it, for costs and limits."""
    stored, specification = command.data, command.specification
    if not isinstance(stored, PriceSelection) or not specification.needs_liquidity(data.symbols):
        return _TradingSelections()
    if stored.start is None:  # nothing is stored before it
        return _TradingSelections((replace(stored, field=PriceField.VOLUME),))
    first = int(data.dates[0])
    dates = specification.costs.liquidity_lookback + 1  # one more for the first return
    before = first - math.ceil(CALENDAR_DAYS * dates * data.usual_step) - LONG_HOLIDAY
    earlier = replace(stored, start=before, end=first)
    return _TradingSelections((replace(stored, start=before, field=PriceField.VOLUME),), (earlier,))


def _unlabelled(specification: BacktestSpecification, found: StoredData, data: Panel) -> tuple[str, ...]:
    """Symbols whose stored labels are needed and not asked for yet."""
    request = specification.attribution
    if request is None or not request.stored_kinds or found.instruments_requested:
        return ()
    return data.symbols


def _labels(specification: BacktestSpecification, found: StoredData, data: Panel) -> dict[str, tuple[str, ...]]:
    """Stored labels of the kinds that are attributed by, "kind=name" -> symbols of the data."""
    labels: dict[str, list[str]] = {}
    for kind in specification.attribution.stored_kinds if specification.attribution else ():
        for symbol in data.symbols:
            instrument = found.instruments.get(symbol)
            if instrument is not None and instrument.groups.get(kind):
                labels.setdefault(f"{kind}={instrument.groups[kind]}", []).append(symbol)
    return {name: tuple(symbols) for name, symbols in labels.items()}


def _with_labels(drafted: Drafted, labels: Mapping[str, tuple[str, ...]]) -> Drafted:
    """A draft with the stored labels that its attribution depends on."""
    if not labels:
        return drafted
    content = hashlib.sha256(f"{drafted.job.fingerprint}\0labels\0{sorted(labels.items())}".encode())
    inputs = replace(drafted.job.inputs, labels=labels)
    return replace(drafted, job=replace(drafted.job, inputs=inputs, fingerprint=content.hexdigest()))


def _with_trading(drafted: Drafted, around: _TradingSelections, trading: StoredTrading) -> Drafted:
    """A draft with the stored trading that its costs depend on."""
    panels = [
        (None if panel is None else fingerprint_of(panel), selections)
        for panel, selections in ((trading.volumes, around.volumes), (trading.earlier, around.earlier))
    ]
    (volumes, _), (earlier, _) = panels
    if volumes is None and earlier is None:
        return drafted
    content = hashlib.sha256(f"{drafted.job.fingerprint}\0volumes\0{volumes}\0{earlier}".encode())
    inputs = replace(drafted.job.inputs, volumes=volumes, earlier=earlier)
    stored = {name: selection for name, found in panels for selection in found if name is not None}
    return replace(
        drafted,
        job=replace(drafted.job, inputs=inputs, fingerprint=content.hexdigest()),
        stored={**drafted.stored, **stored},
    )


def _drafted(
    command: BacktestCommand,
    found: StoredData,
    data: PricePanel | ReturnPanel,
    benchmarks: Mapping[str, PricePanel],
    outside: Mapping[str, PriceSelection],
    opens: PricePanel | None,
    actions: tuple[CorporateAction, ...],
    warnings: tuple[ResultWarning, ...],
    name_of: Callable[[Panel], str],
) -> Drafted:
    names = {symbol: fingerprint_of(prices) for symbol, prices in benchmarks.items()}
    name = name_of(data)
    content = hashlib.sha256(command.content + name.encode())
    for symbol, other in sorted(names.items()):
        content.update(f"{symbol}\0{other}\0".encode())
    open_name = None if opens is None else name_of(opens)
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
    market = simulated_market(specification, data)
    opening = opening_units(specification, market.panel.symbols)
    dates = market.panel.dates[len(market.panel.dates) - len(record.nav) :]
    columns = series_kind.columns(market.panel.symbols)
    step = max(1, CHUNK_BYTES // (8 * max(len(columns), 1)))
    pieces = (
        (dates[first : first + step], rows(series_kind, market, record, opening, first, min(first + step, len(dates))))
        for first in range(0, len(dates), step)
    )
    return SeriesPieces(columns, dates, pieces)
