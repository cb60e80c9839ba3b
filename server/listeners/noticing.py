"""From events of the monitor to what is stored: signals, notifications, and recomputations that mandates want.

No clock and no store: the same memory and events give the same. It takes time, so it runs in a thread.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace

from domain.errors import InvalidInput
from domain.monitoring.events import Event, PortfoliosChanged, PricesObserved
from domain.monitoring.mandate import Action, Occurrence, started_by
from domain.monitoring.monitor import observe
from domain.monitoring.signals import EventKind, Phase, Severity, Signal, Subject
from domain.monitoring.state import MonitorState
from domain.records import dataclass
from server.converters.events import signal_to_bytes, stale_key, stale_message, stale_result_to_bytes
from server.converters.recomputations import is_of_a_recomputation, portfolio_of_label
from server.listeners.memory import Followed, Memory, Unconverted, name_of, owner_and_id
from server.observability import logger
from server.ports.events import EventDraft, EventType, NotificationDraft, RecomputationDraft
from server.ports.stale_results import StaleResult


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read for changes that were written together."""

    time: int  # microseconds since 1970-01-01
    cause: str  # unique to these changes
    events: tuple[Event, ...] = ()
    portfolios: Mapping[str, Followed | None] = field(default_factory=dict)  # new, changed, or None for deleted
    priced: frozenset[str] = frozenset()  # symbols with new prices
    stale: tuple[StaleResult, ...] = ()  # results that are stale now
    unreadable: frozenset[str] = frozenset()  # portfolios, among the others, whose stored bytes cannot be read
    unconverted: Mapping[str, Unconverted] = field(default_factory=dict)  # portfolios with prices in other currencies
    problems: Mapping[str, str] = field(default_factory=dict)  # portfolios that cannot be watched as they want, and why


@dataclass(frozen=True, slots=True)
class Noticed:
    """What is to be stored, and what is known after it."""

    memory: Memory
    events: tuple[EventDraft, ...] = ()
    recomputations: tuple[RecomputationDraft, ...] = ()


def notice(memory: Memory, reading: Reading) -> Noticed:
    """What follows from a reading. What is wrong with one portfolio or price leaves all others as they are."""
    followed = {**memory.portfolios, **{name: one for name, one in reading.portfolios.items() if one is not None}}
    for name in (name for name, one in reading.portfolios.items() if one is None):
        followed.pop(name, None)
    state, signals = memory.monitor, [_problem(name, why, reading.time) for name, why in reading.problems.items()]
    signals += _of_currencies(memory, reading)
    for event in reading.events:
        state, found = _observed(state, event)
        signals += found
    occurrences: dict[str, list[Occurrence]] = {}
    for symbol in sorted(reading.priced):
        for name in state.holders(symbol):
            occurrences.setdefault(name, [Occurrence(EventKind.PRICES, reading.cause)])
    for signal in signals:
        if signal.phase is Phase.RAISED and signal.subject.measure not in (MANDATE, CURRENCY):
            occurrences.setdefault(signal.portfolio, []).append(Occurrence.of(signal))
    stale = [(one, _mandate_of(one, followed)) for one in reading.stale]
    for result, name in stale:
        if name:
            occurrences.setdefault(name, []).append(Occurrence(EventKind.RESULT_STALE, stale_key(result)))
    unreadable = (memory.unreadable - reading.portfolios.keys()) | reading.unreadable
    others = {name: one for name, one in memory.unconverted.items() if name not in reading.portfolios}
    unconverted = {**others, **reading.unconverted}
    after = replace(memory, monitor=state, portfolios=followed, unreadable=unreadable, unconverted=unconverted)
    return _started(after, signals, stale, occurrences, reading.time)


def _mandate_of(result: StaleResult, followed: Mapping[str, Followed]) -> str:
    """The portfolio whose mandate a result was computed for; empty for any other one."""
    portfolio_id = portfolio_of_label(result.label)
    name = "" if portfolio_id is None else name_of(result.owner, portfolio_id)
    return name if is_of_a_recomputation(result.request_id) and name in followed else ""


MANDATE = "mandate"
"""Measure of a signal that says that a mandate cannot be watched."""


CURRENCY = "currency"
"""Measure of a signal that says that a portfolio cannot be watched since its prices are in several currencies."""


def _of_currencies(memory: Memory, reading: Reading) -> list[Signal]:
    """Of portfolios with prices in several currencies, each told where its reason is another one than before."""
    found: list[Signal] = []
    for name, one in reading.unconverted.items():
        before = memory.unconverted.get(name)
        if before is None or before.why != one.why:
            subject, text = Subject(one.symbol, measure=CURRENCY), f"The portfolio is not watched: {one.why}."
            found.append(_raised(name, subject, reading.time, text))
    return found


def _problem(name: str, why: str, time: int) -> Signal:
    """Of a mandate that cannot be watched, to be looked at."""
    text = f"The portfolio is not watched as its mandate says: {why}."
    return _raised(name, Subject(measure=MANDATE), time, text)


def _raised(name: str, subject: Subject, time: int, text: str) -> Signal:
    """A signal without a figure."""
    return Signal(EventKind.MANDATE_DUE, Phase.RAISED, Severity.WARNING, name, subject, 0.0, 0.0, time, time, text)


def _observed(state: MonitorState, event: Event) -> tuple[MonitorState, list[Signal]]:
    """As `observe`; where a part of an event is refused, the others count. Halves are tried until it is found."""
    try:
        state, signals = observe(state, event)
    except InvalidInput as error:
        halves = _halves(event)
        if not halves:
            return state, _refused(state, event, error)
        found: list[Signal] = []
        for half in halves:
            state, signals_of_half = _observed(state, half)
            found += signals_of_half
        return state, found
    return state, list(signals)


def _halves(event: Event) -> tuple[Event, ...]:
    """The parts of an event in two; nothing where there is only one."""
    if isinstance(event, PricesObserved) and len(event.prices) > 1:
        middle = len(event.prices) // 2
        return replace(event, prices=event.prices[:middle]), replace(event, prices=event.prices[middle:])
    if isinstance(event, PortfoliosChanged) and len(event.changes) > 1:
        middle = len(event.changes) // 2
        return replace(event, changes=event.changes[:middle]), replace(event, changes=event.changes[middle:])
    return ()


def _refused(state: MonitorState, event: Event, error: InvalidInput) -> list[Signal]:
    """Signals to those whom a part of an event that is refused concerns."""
    logger.warning("the monitor refused an event", extra={"field": error.field, "rule": error.rule})
    why = f"{error.field} {error.rule}"
    names: Iterable[str] = ()
    if isinstance(event, PortfoliosChanged):
        names = sorted({change.portfolio for change in event.changes})
    elif isinstance(event, PricesObserved):
        names = sorted({name for price in event.prices for name in state.holders(price.symbol)})
    return [_problem(name, why, event.time) for name in names]


def _started(
    memory: Memory,
    signals: Sequence[Signal],
    stale: Sequence[tuple[StaleResult, str]],
    occurrences: Mapping[str, Sequence[Occurrence]],
    time: int,
) -> Noticed:
    """What is stored of signals and stale results, with what they start and what was owed until now."""
    followed = dict(memory.portfolios)
    keys = {*(signal.dedupe_key for signal in signals), *(stale_key(result) for result, _ in stale)}
    told: set[str] = set()
    recomputations: list[RecomputationDraft] = []
    owing = [name for name, one in followed.items() if one.owes]
    for name in sorted({*occurrences, *owing} & followed.keys()):
        one = followed[name]
        history, starts = started_by(one.triggers, one.history, occurrences.get(name, ()), time)
        if history != one.history:
            followed[name] = replace(one, history=history)
        owner, portfolio_id = owner_and_id(name)
        for start in starts:
            causes = start.causes
            if start.action is Action.NOTIFY:  # what is stored now carries its notification with it
                told.update(cause for cause in causes if cause in keys)
                causes = tuple(cause for cause in causes if cause not in keys)
            if causes:
                recomputations.append(RecomputationDraft(owner, portfolio_id, start.action, causes, 0, causes[0]))
    events = [_draft(signal, is_told=signal.dedupe_key in told) for signal in signals]
    events += [_stale_draft(result, name, time, is_told=stale_key(result) in told) for result, name in stale]
    return Noticed(replace(memory, portfolios=followed), tuple(events), tuple(recomputations))


def _stale_draft(result: StaleResult, name: str, time: int, *, is_told: bool) -> EventDraft:
    portfolio_id = owner_and_id(name)[1] if name else ""
    return EventDraft(
        EventType.SIGNAL,
        result.owner,
        time,
        EventKind.RESULT_STALE,
        Severity.WARNING,
        stale_key(result),
        stale_result_to_bytes(result, portfolio_id),
        portfolio_id,
        notify=NotificationDraft(stale_message(result), deliver=True) if is_told else None,
    )


def _draft(signal: Signal, *, is_told: bool) -> EventDraft:
    owner, portfolio_id = owner_and_id(signal.portfolio)
    return EventDraft(
        EventType.SIGNAL,
        owner,
        signal.time,
        signal.kind,
        signal.severity,
        signal.dedupe_key,
        signal_to_bytes(signal, portfolio_id),
        portfolio_id,
        signal.subject.symbol,
        NotificationDraft(signal.message, deliver=True) if is_told else None,
    )
