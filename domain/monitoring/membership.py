"""Adds, changes and removes the arrays of portfolios."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from domain.checks import Vector
from domain.monitoring.alarms import Alarms, AlarmStates
from domain.monitoring.levels import Levels
from domain.monitoring.members import WeightMembers
from domain.monitoring.positions import Positions
from domain.monitoring.rows import OF_WEIGHTS, Family, PortfolioRows, portfolio_rows
from domain.monitoring.rules import LiquidityRules
from domain.monitoring.state import MonitorState
from domain.monitoring.watches import Watch
from domain.records import dataclass


def with_watches(state: MonitorState, watches: Mapping[str, Watch]) -> MonitorState:
    """With what is known of some portfolios now; alarms that ask the same as before go on.

    All at once: what is not changed is copied once, however many change.
    """
    traded = {name for name, watch in watches.items() if _has_traded(state.watches.get(name), watch)}
    state = replace(state, watches={**state.watches, **watches})
    symbols = {symbol for watch in watches.values() if watch.holdings is not None for symbol in watch.symbols}
    state = replace(state, instruments=state.instruments.with_symbols(symbols, state.today))
    edits = [_edit(state, name, watches[name], holdings_changed=name in traded) for name in sorted(watches)]
    cuts = [edit.cut for edit in edits]
    rows = {name: own for name, own in state.rows.items() if name not in watches}
    return replace(
        state,
        rows=rows | {edit.name: edit.rows for edit in edits if edit.rows is not None},
        positions=state.positions.spliced(cuts, [edit.positions for edit in edits]),
        members={
            family: state.members[family].spliced(cuts, [edit.members[family] for edit in edits])
            for family in OF_WEIGHTS
        },
        alarms={
            family: state.alarms[family].spliced(cuts, [edit.alarms[family] for edit in edits]) for family in Family
        },
        levels=state.levels.spliced(cuts, [edit.levels for edit in edits]),
    )


@dataclass(frozen=True, slots=True)
class _Edit:
    """One portfolio, and where it takes the place of itself or of none; without rows it is left out."""

    name: str
    cut: tuple[int, int]
    rows: PortfolioRows | None
    positions: Positions
    members: Mapping[Family, WeightMembers]
    alarms: Mapping[Family, Alarms]
    levels: Levels


def _has_traded(before: Watch | None, after: Watch) -> bool:
    return before is None or before.holdings_revision != after.holdings_revision


def _edit(state: MonitorState, name: str, watch: Watch, *, holdings_changed: bool) -> _Edit:
    place = bisect_left(state.positions.names, name)
    before = state.rows.get(name)
    cut = (place, place + (before is not None))
    if watch.holdings is None:
        nothing = {family: WeightMembers() for family in OF_WEIGHTS}
        return _Edit(name, cut, None, Positions(), nothing, {family: Alarms() for family in Family}, Levels())
    rows = portfolio_rows(watch.symbols, watch.mandate)
    return _Edit(
        name,
        cut,
        rows,
        _positions(state, name, watch),
        {family: WeightMembers.of(rows.members[family]) for family in OF_WEIGHTS},
        {family: _alarms(state.alarms[family], family, place, rows, before) for family in Family},
        Levels.fresh() if before is None else state.levels.of(place, holdings_changed=holdings_changed),
    )


def _positions(state: MonitorState, name: str, watch: Watch) -> Positions:
    """The positions of one portfolio."""
    symbols = watch.symbols
    liquidity = watch.mandate.rules.liquidity or LiquidityRules()
    cash = 0.0 if watch.holdings is None else watch.holdings.portfolio.cash
    return Positions(
        (name,),
        np.array([0, len(symbols)], np.int64),
        np.array([state.instruments.slots[symbol] for symbol in symbols], np.int64),
        base_units(state, watch),
        np.array([cash]),
        np.array([liquidity.participation]),
    )


def base_units(state: MonitorState, watch: Watch) -> Vector:
    """Units of each position before all splits (N,); 0 of what is wanted and not held."""
    if watch.holdings is None:
        return np.zeros(0)
    quantities, day = watch.holdings.portfolio.quantities, watch.holdings.day
    known = state.instruments.by_symbol
    return np.array(
        [quantities.get(symbol, 0.0) / known[symbol].history.split_factor(day) for symbol in watch.symbols], np.float64
    )


def _alarms(alarms: Alarms, family: Family, place: int, rows: PortfolioRows, before: PortfolioRows | None) -> Alarms:
    """New rows of one portfolio; a row that is as before keeps its state."""
    part = Alarms.of(rows.bounds(family), rows.rules[family], rows.widths(family))
    if before is None:
        return part
    start = int(alarms.offsets[place])
    old = {identity: start + i for i, identity in enumerate(before.identities(family))}
    pairs = [(i, old[one]) for i, one in enumerate(rows.identities(family)) if one in old]
    return _carried(part, alarms.states, pairs) if pairs else part


def _carried(part: Alarms, old: AlarmStates, pairs: list[tuple[int, int]]) -> Alarms:
    """New rows with the states of old ones, by pairs of their places."""
    to, source = (np.array(places, np.int64) for places in zip(*pairs, strict=True))
    new = AlarmStates.at_rest(len(part.states.status))
    for name in AlarmStates.__slots__:
        getattr(new, name)[to] = getattr(old, name)[source]
    return replace(part, states=new)
