"""When the state of an asset changed during a backtest: its listing, halts, delisting, and a price of 0."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from domain.backtest.market import Market
from domain.backtest.record import RecordPart
from domain.backtest.result import AssetEvent, AssetEventKind
from domain.backtest.simulation.arrays import DELISTING
from domain.checks import Vector

MOST_EVENTS = 10_000
"""Changes of states that are kept for one strategy."""

_KINDS = (
    AssetEventKind.DELISTING,
    AssetEventKind.LISTING,
    AssetEventKind.WORTHLESS,
    AssetEventKind.HALT_BEGIN,
    AssetEventKind.HALT_END,
)
_Changes = Iterator[tuple[AssetEventKind, NDArray[np.int64]]]


def changes_of_states(market: Market, start: int, record: RecordPart, opening: Vector) -> tuple[list[AssetEvent], int]:
    """One event for each change after date number `start`, held or not, by date, and how many there are.

    `opening` (N,) are the units at the start. A change of state changes no units; a delisting is here where the record
    has no event of it. Of more than `MOST_EVENTS` the last halts are left out, and counted.
    """
    last = len(market.panel.dates) - 1
    if record.exhausted:
        last = start + int(np.argmax(record.nav <= 0.0))
    rows = np.vstack([np.insert(found, 2, _KINDS.index(kind), axis=1) for kind, found in _changes(market)])
    rows = rows[(rows[:, 0] > start) & (rows[:, 0] <= last)]
    rows = rows[np.lexsort(rows.T[::-1])]
    told = {(start + int(one[0]), int(one[1])) for one in record.events[record.events[:, 2] == DELISTING]}
    events = []
    for t, j, code in _most_telling(rows).tolist():
        kind = _KINDS[code]
        if kind is AssetEventKind.DELISTING and (t, j) in told:
            continue
        changes = int(np.searchsorted(record.indices, t - start))  # of holdings before this date
        units = float(record.units[changes - 1, j] if changes else opening[j])
        after = 0.0 if kind is AssetEventKind.DELISTING else units
        events.append(AssetEvent(int(market.panel.dates[t]), market.panel.symbols[j], kind, units, after, 0.0))
    return events, len(events) + max(0, len(rows) - MOST_EVENTS)


def _most_telling(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most `MOST_EVENTS` of the rows (R, 3), in their order: halts, of which there can be very many, go first."""
    if len(rows) <= MOST_EVENTS:
        return rows
    is_halt = rows[:, 2] >= _KINDS.index(AssetEventKind.HALT_BEGIN)
    kept = np.argsort(is_halt, kind="stable")[:MOST_EVENTS]
    result: NDArray[np.int64] = rows[np.sort(kept)]
    return result


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
