"""When the state of an asset changed during a backtest: its listing, halts, delisting, and a price of 0."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from domain.backtest.market import Market
from domain.backtest.record import RecordPart
from domain.backtest.result import AssetEvent, AssetEventKind
from domain.backtest.simulation.arrays import DELISTING
from domain.checks import Vector

_Changes = Iterator[tuple[AssetEventKind, NDArray[np.int64]]]


def changes_of_states(market: Market, start: int, record: RecordPart, opening: Vector) -> list[AssetEvent]:
    """One event for each change after date number `start`, held or not, in the order of dates and symbols.

    `opening` (N,) are the units at the start. A change of state changes no units; a delisting is here where nothing is
    held, and what it does to a position is an event of the record.
    """
    last = len(market.panel.dates) - 1
    if record.exhausted:
        last = start + int(np.argmax(record.nav <= 0.0))
    rows = [
        (t, j, kind) for kind, found in _changes(market) for t, j in found.tolist() if start < t <= last
    ]  # of few assets and dates, however many prices there are
    held = np.vstack([opening, record.units])
    events = []
    for t, j, kind in sorted(rows):
        units = float(held[np.searchsorted(record.indices, t - start), j])
        if kind is AssetEventKind.DELISTING and units != 0.0:
            continue
        day = int(market.panel.dates[t])
        events.append(AssetEvent(day, market.panel.symbols[j], kind, units, units, 0.0))
    return events


def _changes(market: Market) -> _Changes:
    """Kinds of changes, each with pairs of a date number and an asset, (K, 2)."""
    delistings = np.flatnonzero(market.actions.kind == DELISTING)
    gone = np.column_stack([market.actions.date[delistings], market.actions.asset[delistings]])
    yield AssetEventKind.DELISTING, gone
    if market.all_listed and market.tradable is None:
        return
    priced = market.panel.values > 0.0
    begun, ended = priced[1:] & ~priced[:-1], priced[:-1] & ~priced[1:]
    inside = gone[gone[:, 0] > 0]
    ended[inside[:, 0] - 1, inside[:, 1]] = False
    yield AssetEventKind.LISTING, _after_first(begun)
    yield AssetEventKind.WORTHLESS, _after_first(ended)
    if market.tradable is not None:
        halted = priced & ~market.tradable
        yield AssetEventKind.HALT_BEGIN, _after_first(halted[1:] & ~halted[:-1])
        yield AssetEventKind.HALT_END, _after_first(halted[:-1] & ~halted[1:] & priced[1:])


def _after_first(changed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Date numbers and assets, (K, 2), of changes to each date after the first, (T - 1, N)."""
    result: NDArray[np.int64] = np.argwhere(changed) + np.array([1, 0])
    return result
