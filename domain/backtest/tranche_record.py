"""One record of several tranches: what an account that holds them all has done on the same dates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.backtest.record import EVENT_COLUMNS, FailedRebalance, RecordPart
from domain.backtest.simulation.arrays import ACCOUNT, ASSET_EVENT, FILL
from domain.checks import Matrix, Vector

_EVENT, _FILL, _LATE_EVENT, _END = 0, 1, 2, 3
"""Order of changes of holdings on one date.

Corporate actions, fills, corporate actions at the close after fills at the open, the end of a tranche without wealth.
"""

_STEPS = 4

_NOT_SUMMED = frozenset({"unit_value", "high_water", "years_to_fee", "cash_floor"})


@dataclass(frozen=True, slots=True)
class Stretch:
    """The dates of a part of a record: K of them."""

    first: int  # dates since the start of the simulation
    marks: Matrix  # (K, N), closing prices
    fills: Matrix  # (K, N), prices at which orders are filled
    is_at_open: bool = False  # whether external cash flows at the end of a date come after its fills


@dataclass(frozen=True, slots=True)
class TrancheStretch:
    """What one tranche did on the dates of a stretch; nothing where its wealth was used up before."""

    part: RecordPart  # its net asset values may go on beyond the stretch, all 0
    held: Vector  # (N,), units before it
    account: NDArray[Any]  # (1,) of type ACCOUNT, after it
    gains: Vector  # (N,), of prices since the start, in money


def summed(tranches: Sequence[TrancheStretch], stretch: Stretch, failures: Sequence[FailedRebalance]) -> RecordPart:
    """Net asset values, flows, holdings, cash, sums of money and gains of all tranches on the dates of a stretch.

    What a fill costs and turns over is a fraction of the net asset value of them all before the fill.
    """
    count = len(stretch.marks)
    with_flows = any(len(one.part.flow_end) for one in tranches)
    navs = [_on_each_date(one.part.nav, count) for one in tranches]
    rows = _Rows.of(tranches, stretch, navs)
    return RecordPart(
        nav=_sum(navs),
        flow_start=_sum([_on_each_date(one.part.flow_start, count) for one in tranches]) if with_flows else np.zeros(0),
        flow_end=_sum([_on_each_date(one.part.flow_end, count) for one in tranches]) if with_flows else np.zeros(0),
        indices=rows.dates,
        kinds=np.where(rows.steps == _FILL, FILL, ASSET_EVENT),
        units=rows.units,
        cash=rows.cash,
        cost_fractions=rows.costs,
        turnovers=rows.turnovers,
        events=_events(tranches),
        account=_account([one.account for one in tranches]),
        gains=_sum([one.gains for one in tranches]),
        failures=tuple(failures),
        exhausted=all(float(one.account["nav"][0]) <= 0.0 for one in tranches),
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Changes of holdings: R pairs of a date and a step on which some tranche changed."""

    dates: NDArray[np.int64]  # (R,), since the start of the simulation
    steps: NDArray[np.int64]  # (R,)
    units: Matrix  # (R, N), of all tranches, like what follows
    cash: Vector  # (R,)
    costs: Vector  # (R,)
    turnovers: Vector  # (R,)

    @classmethod
    def of(cls, tranches: Sequence[TrancheStretch], stretch: Stretch, navs: Sequence[Vector]) -> "_Rows":
        """The rows of all tranches by date; those of one date and step are one."""
        changes = [_changes(one, stretch) for one in tranches]
        places = np.unique(np.concatenate([found for found, _ in changes])) if changes else np.zeros(0, np.int64)
        dates, steps = places // _STEPS, places % _STEPS
        at = dates - stretch.first
        marks, fills = stretch.marks[at], np.where((steps == _FILL)[:, None], stretch.fills[at], stretch.marks[at])
        units, cash = np.zeros(marks.shape), np.zeros(len(places))
        wealth, costs, turnovers = np.zeros(len(places)), np.zeros(len(places)), np.zeros(len(places))
        for one, nav, (found, rows) in zip(tranches, navs, changes, strict=True):
            latest = np.searchsorted(found, places, side="right")
            held = np.vstack([one.held, rows.units])[latest]
            changed = np.zeros(len(places), np.bool_)
            changed[np.searchsorted(places, found)] = True
            own = np.maximum(latest - 1, 0)
            cost, turnover, own_cash = (
                np.where(changed, column[own] if len(column) else 0.0, 0.0)
                for column in (rows.cost_fractions, rows.turnovers, rows.cash)
            )
            after = nav[at] - _later_money(one, stretch, rows, found, dates) + (held * (fills - marks)).sum(axis=1)
            # The first net asset value of a record is the one before the costs of a purchase on that date.
            before = np.where((dates == 0) | (cost >= 1.0), after, after / np.where(cost < 1.0, 1.0 - cost, 1.0))
            units += held
            cash += np.where(changed, own_cash, nav[at] - (held * marks).sum(axis=1))
            wealth += before
            costs += cost * before
            turnovers += turnover * before
        alive = np.where(wealth > 0.0, wealth, 1.0)
        return cls(dates, steps, units, cash, costs / alive, turnovers / alive)


def _changes(tranche: TrancheStretch, stretch: Stretch) -> tuple[NDArray[np.int64], RecordPart]:
    """Places of the changes of a tranche, each date times three and its step, and the part with one row for each."""
    part = tranche.part
    is_fill = part.kinds == FILL
    is_late = ~is_fill & np.isin(part.indices, part.indices[is_fill])
    is_late &= np.maximum.accumulate(np.where(is_fill, part.indices, -1)) == part.indices
    places = _STEPS * part.indices + np.where(is_fill, _FILL, np.where(is_late, _LATE_EVENT, _EVENT))
    if len(places) > 1 and (np.diff(places) == 0).any():  # of several changes in one step the last one is what is held
        part, places = _last_of_each_step(part, places)
    used_up = np.flatnonzero(part.nav[: len(stretch.marks)] <= 0.0)
    if not part.exhausted or not len(used_up) or not len(part.nav):
        return places, part
    nothing = {"units": np.zeros((1, part.units.shape[1])), "kinds": np.array([ASSET_EVENT])}
    end = stretch.first + int(used_up[0])
    fields = {name: getattr(part, name) for name in RecordPart.__slots__}
    for name in ("cash", "cost_fractions", "turnovers"):
        fields[name] = np.append(fields[name], 0.0)
    fields |= {name: np.concatenate([fields[name], value]) for name, value in nothing.items()}
    fields["indices"] = np.append(part.indices, end)
    return np.append(places, _STEPS * end + _END), RecordPart(**fields)


def _later_money(
    tranche: TrancheStretch, stretch: Stretch, rows: RecordPart, found: NDArray[np.int64], dates: NDArray[np.int64]
) -> Vector:
    """Money that a tranche receives after the fills at the open of dates (R,), by corporate actions and by flows."""
    money = np.zeros(len(dates))
    if not stretch.is_at_open:
        return money
    if len(tranche.part.flow_end):
        money += _on_each_date(tranche.part.flow_end, len(stretch.marks))[dates - stretch.first]
    late = np.flatnonzero(found % _STEPS == _LATE_EVENT)  # each follows the fill of its date
    by_date = dict(zip((found[late] // _STEPS).tolist(), (rows.cash[late] - rows.cash[late - 1]).tolist(), strict=True))
    money += np.array([by_date.get(date, 0.0) for date in dates.tolist()])
    return money


def _last_of_each_step(part: RecordPart, places: NDArray[np.int64]) -> tuple[RecordPart, NDArray[np.int64]]:
    """One row for each place: holdings after the last of its changes, costs and turnovers of all of them."""
    kept, first = np.unique(places, return_index=True)
    last = np.append(first[1:], len(places)) - 1
    fields = {name: getattr(part, name) for name in RecordPart.__slots__}
    for name in ("indices", "kinds", "units", "cash"):
        fields[name] = fields[name][last]
    for name in ("cost_fractions", "turnovers"):
        fields[name] = np.add.reduceat(fields[name], first)
    return RecordPart(**fields), kept


def _on_each_date(values: Vector, count: int) -> Vector:
    """The first `count` values, 0 where there are fewer."""
    if len(values) >= count:
        return values[:count]
    return np.append(values, np.zeros(count - len(values)))


def _sum(arrays: Sequence[Vector]) -> Vector:
    """The sum, always in the same order: not one bit may depend on where a stretch ends."""
    total = np.zeros_like(arrays[0])
    for array in arrays:
        total = total + array
    return total


def _events(tranches: Sequence[TrancheStretch]) -> Matrix:
    """What happened to assets, by date; what happened to the same asset in several tranches is one event."""
    found: dict[tuple[float, ...], Vector] = {}
    for one in tranches:
        seen: dict[tuple[float, ...], int] = {}
        for row in one.part.events:
            what = tuple(row[:3].tolist())
            seen[what] = seen.get(what, 0) + 1
            key = (*what, float(seen[what]))
            if key in found:
                found[key][3:] += row[3:]
            else:
                found[key] = row.copy()
    if not found:
        return np.zeros((0, EVENT_COLUMNS))
    events = np.array(list(found.values()))
    result: Matrix = events[np.argsort(events[:, 0], kind="stable")]
    return result


def _account(accounts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Money of all accounts; of what accrued as a fraction of the net asset value the mean."""
    total = accounts[0].copy()
    for name in ACCOUNT.names or ():
        if (ACCOUNT[name] == np.float64 and name not in _NOT_SUMMED) or name == "fills":
            total[name] = sum(account[name][0] for account in accounts)
    total["holding_cost_fractions"] /= len(accounts)
    borrowed = [int(account["first_borrowed"][0]) for account in accounts]
    total["first_borrowed"] = min((date for date in borrowed if date >= 0), default=-1)
    return total
