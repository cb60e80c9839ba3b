"""The monitor: a pure function of a state and an event. `observe` is the specification."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from domain.errors import InvalidInput
from domain.market_data.corporate_actions import ActionKind
from domain.monitoring.events import (
    ActionAnnounced,
    AlarmsTold,
    ClosingPrice,
    Event,
    HistoryLoaded,
    HoldingsChange,
    InstrumentChanged,
    MandateChange,
    PortfoliosChanged,
    PricesObserved,
    TimePassed,
)
from domain.monitoring.instruments import Instrument
from domain.monitoring.measurement import Answer, measure_risk, observe_positions, revalue
from domain.monitoring.membership import base_units, with_watches
from domain.monitoring.passing_time import pass_time, recheck_pending
from domain.monitoring.rows import Family
from domain.monitoring.rules import MonitoredMandate
from domain.monitoring.segments import Indices, items_of
from domain.monitoring.signals import Signal
from domain.monitoring.state import MonitorState
from domain.monitoring.told_alarms import observe_told
from domain.monitoring.watches import Watch


def observe(state: MonitorState, event: Event) -> tuple[MonitorState, tuple[Signal, ...]]:
    """The next state, and the signals of one event in an order that does not depend on that of its parts.

    An event that is known already, by revision or time, changes nothing. Raises InvalidInput, and the state stays, for
    two prices of one revision, a lookback beyond what is kept, and splits too large for numbers.
    """
    state, signals = pass_time(state, event.time)
    state, found = _apply(state, event)
    return state, tuple(sorted(signals + found, key=lambda signal: signal.order))


def _apply(state: MonitorState, event: Event) -> Answer:
    match event:
        case PricesObserved():
            return _prices(state, event)
        case HistoryLoaded():
            return _history(state, event)
        case PortfoliosChanged():
            return _portfolios(state, event)
        case InstrumentChanged():
            return _instrument(state, event)
        case ActionAnnounced():
            return _action(state, event)
        case TimePassed():
            return _time(state, event)
        case AlarmsTold():
            return observe_told(state, event)


def _prices(state: MonitorState, event: PricesObserved) -> Answer:
    """New prices: moves and ages of the positions they touch, then the portfolios."""
    before = state.instruments.by_symbol
    changed: dict[str, Instrument] = {}
    spreads: set[str] = set()
    for one in sorted(event.prices, key=lambda price: price.order):
        known = changed.get(one.symbol) or before.get(one.symbol) or Instrument(state.today)
        history = known.history
        most = state.settings.most_prices
        after = history.with_bar(one, most) if isinstance(one, ClosingPrice) else history.with_quote(one, most)
        if after is history:
            continue
        changed[one.symbol] = replace(known, history=after)
        if not isinstance(one, ClosingPrice) and one.spread_bps is not None:
            changed[one.symbol] = replace(changed[one.symbol], spread_bps=one.spread_bps)
            spreads.add(one.symbol)
    if not changed:
        return state, []
    state = replace(state, instruments=state.instruments.updated(changed))
    state = _rested_moves(state, before, changed)
    state, signals = observe_positions(state, (Family.MOVES,), _items(state, changed))
    fresh = [symbol for symbol, one in changed.items() if _is_news(before.get(symbol), one)]
    state, found = observe_positions(state, (Family.AGES,), _items(state, fresh))
    signals += found
    state, found = observe_positions(state, (Family.SPREADS,), _items(state, spreads))
    signals += found
    state = _due(state, _items(state, changed))
    replaced = [symbol for symbol in fresh if _is_correction(before.get(symbol), changed[symbol])]
    corrected = state.portfolios_of(_items(state, replaced))
    state, found = revalue(state, state.portfolios_of(_items(state, fresh)), corrected=corrected)
    return state, signals + found


def _is_news(before: Instrument | None, after: Instrument) -> bool:
    """Whether the latest price is another one, or was seen again."""
    if before is None or not len(before.history.days):
        return True
    old, new = before.history, after.history
    return (old.latest_day, old.prices[-1], old.revisions[-1], old.quote_time) != (
        new.latest_day,
        new.prices[-1],
        new.revisions[-1],
        new.quote_time,
    )


def _is_correction(before: Instrument | None, after: Instrument) -> bool:
    """Whether the bar of the latest date replaced another bar."""
    if before is None or not len(before.history.days):
        return False
    old, new = before.history, after.history
    return old.latest_day == new.latest_day and 0 <= old.revisions[-1] < new.revisions[-1]


def _rested_moves(
    state: MonitorState, before: Mapping[str, Instrument], changed: Mapping[str, Instrument]
) -> MonitorState:
    """Moves are of a date: a new one asks anew."""
    newer = [
        symbol
        for symbol, one in changed.items()
        if symbol in before and before[symbol].history.latest_day != one.history.latest_day
    ]
    moves = state.alarms[Family.MOVES]
    rested = moves.rested(_items(state, newer))
    return state if rested is moves else state.with_alarms(Family.MOVES, rested)


def _items(state: MonitorState, symbols: Mapping[str, Instrument] | list[str] | set[str]) -> Indices:
    """Positions in some assets, in order."""
    slots = np.array(sorted(state.instruments.slots[symbol] for symbol in symbols), np.int64)
    return state.positions.of_slots(slots)


def _due(state: MonitorState, items: Indices) -> MonitorState:
    """Risk of the portfolios of some positions has to be measured when their date ends."""
    portfolios = state.portfolios_of(items)
    if state.levels.due[portfolios].all():
        return state
    due = state.levels.due.copy()
    due[portfolios] = True
    return replace(state, levels=replace(state.levels, due=due))


def _history(state: MonitorState, event: HistoryLoaded) -> Answer:
    """Past prices raise no signal of a move; they give portfolios a value that had none, and make prices less old."""
    before = state.instruments.by_symbol
    changed: dict[str, Instrument] = {}
    for one in sorted(event.series, key=lambda series: series.symbol):
        known = before.get(one.symbol) or Instrument(state.today)
        history = known.history.with_history(one, state.settings.most_prices)
        if history is not known.history:
            changed[one.symbol] = replace(known, history=history)
    if not changed:
        return state, []
    state = replace(state, instruments=state.instruments.updated(changed))
    state = _rested_moves(state, before, changed)
    state = _due(state, _items(state, changed))
    fresh = [symbol for symbol, one in changed.items() if _is_news(before.get(symbol), one)]
    state, signals = observe_positions(state, (Family.AGES,), _items(state, fresh))
    state, found = revalue(state, state.portfolios_of(_items(state, fresh)))
    return state, signals + found


def _portfolios(state: MonitorState, event: PortfoliosChanged) -> Answer:
    """Portfolios with other holdings or rules: everything of them is measured."""
    changed: dict[str, Watch] = {}
    for one in sorted(event.changes, key=lambda change: change.revision):
        known = changed.get(one.portfolio) or state.watches.get(one.portfolio) or Watch(reviewed_day=state.today)
        after = _changed(state, known, one)
        if after is not known:
            changed[one.portfolio] = after
    if not changed:
        return state, []
    state = with_watches(state, changed)
    places = state.positions.places
    portfolios = np.array(sorted(places[name] for name in changed if name in places), np.int64)
    state, signals = revalue(state, portfolios)
    items = np.arange(len(state.positions.slots), dtype=np.int64)[items_of(state.positions.offsets, portfolios)]
    state, found = observe_positions(state, (Family.SALE_DAYS, Family.SPREADS), items)
    signals += found
    state, found = measure_risk(state, portfolios)
    return state, signals + found


def _changed(state: MonitorState, watch: Watch, change: HoldingsChange | MandateChange) -> Watch:
    """Itself where the revision is not higher."""
    if isinstance(change, HoldingsChange):
        if change.revision <= watch.holdings_revision:
            return watch
        return watch.with_holdings(change.holdings, change.revision, state.today)
    if change.revision <= watch.mandate_revision:
        return watch
    mandate = change.mandate or MonitoredMandate()
    most = state.settings.most_prices - 1
    if mandate.rules.longest_lookback > most:
        raise InvalidInput("mandate.rules", f"must have lookbacks of at most {most}: no more prices are kept")
    return watch.with_mandate(mandate, change.revision, state.today)


def _instrument(state: MonitorState, event: InstrumentChanged) -> Answer:
    known = state.instruments.by_symbol.get(event.symbol) or Instrument(state.today)
    after = known.with_change(event)
    if after is known:
        return state, []
    state = replace(state, instruments=state.instruments.updated({event.symbol: after}))
    items = _items(state, [event.symbol])
    state = _rested_ages(state, after, items)
    return observe_positions(state, (Family.SALE_DAYS, Family.SPREADS), items)


def _rested_ages(state: MonitorState, after: Instrument, items: Indices) -> MonitorState:
    """An asset that expects no price is not stale."""
    ages = state.alarms[Family.AGES]
    rested = ages.rested(items) if after.end_day <= state.today else ages
    return state if rested is ages else state.with_alarms(Family.AGES, rested)


def _action(state: MonitorState, event: ActionAnnounced) -> Answer:
    """A corporate action changes what prices and units of different dates mean."""
    symbol = event.action.symbol
    known = state.instruments.by_symbol.get(symbol) or Instrument(state.today)
    after = known.with_action(event.action)
    if after is known:
        return state, []
    earlier = state
    state = replace(state, instruments=state.instruments.updated({symbol: after}))
    items = _items(state, [symbol])
    state = _rested_ages(state, after, items)
    if event.action.kind is ActionKind.DELISTING:
        return state, []
    state = _with_units(state, items)
    state, signals = observe_positions(state, (Family.MOVES, Family.SALE_DAYS), items)
    state = _due(state, items)
    portfolios = state.portfolios_of(items)
    before, now = (one.positions.valued(portfolios, one.instruments.values).net for one in (earlier, state))
    # An action that is still to come, or that holdings and price know already, changes no value.
    corrected = portfolios[~np.isclose(before, now, rtol=1e-12, atol=0.0, equal_nan=True)]
    state, found = revalue(state, corrected, corrected=corrected)
    return state, signals + found


def _with_units(state: MonitorState, items: Indices) -> MonitorState:
    """Units before all splits, where a split is new."""
    positions = state.positions
    units = positions.units.copy()
    for item in items.tolist():
        place = int(positions.owners[item])
        own = base_units(state, state.watches[positions.names[place]])
        units[item] = own[item - int(positions.offsets[place])]
    return replace(state, positions=replace(positions, units=units))


def _time(state: MonitorState, event: TimePassed) -> Answer:
    """What is pending for long enough becomes a signal; at the end of a date the risk is measured that is due."""
    state, signals = recheck_pending(state)
    if not event.closes_day:
        return state, signals
    state, found = measure_risk(state, np.flatnonzero(state.levels.due))
    return state, signals + found
