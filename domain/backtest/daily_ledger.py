"""What each date of a simulation earned and paid, from its record: nothing here is simulated again.

A date begins with the holdings after the trades of the date before. What each position gains until the close, and what
is paid and earned beside it, are told apart; over the net asset value at the start they sum to the net return of the
date, the one that `RecordPart.unit_values` has. Money is summed as the simulation does it, in another order, so that
they agree to rounding and no more.
"""

from collections.abc import Iterator

import numpy as np

from domain.backtest.inputs import Inputs
from domain.backtest.record import RecordPart
from domain.backtest.simulation.arrays import (
    DELISTING,
    DIVIDEND,
    MARGIN_CALL,
    PERFORMANCE_FEE,
    SPLIT,
    Integers,
)
from domain.checks import Matrix, Vector
from domain.records import dataclass

CHUNK = 1 << 18
"""Values of assets that are worked on at a time: they stay in the cache of the processor."""

WHOLE_ROUNDING = 1e-12
"""A hair below a whole number of units after a split is rounding, as in the simulation."""


@dataclass(frozen=True, slots=True)
class DailyLedger:
    """Fractions of the capital at the start of each of D dates, all (D,): weights, and contributions to the return.

    Assets are not in it: see `asset_chunks`. Costs of trades at the very start belong to the first date; that part of
    the capital has the weight `spent` on it.
    """

    net_return: Vector
    cash_weight: Vector  # cash that is not borrowed, and dividends that are not paid yet
    borrowed_weight: Vector  # 0 or less
    spent: Vector
    cash: Vector  # interest on cash
    financing: Vector  # interest on borrowed cash, and fees for borrowed assets
    costs: Vector
    fees: Vector
    trading: Vector  # fills against the close of their date
    withholding: Vector


@dataclass(frozen=True, slots=True)
class AssetChunk:
    """Weights and contributions of N assets on some dates, numbered from the first after the start."""

    first: int
    weights: Matrix  # (K, N), at the start of each date
    contributions: Matrix  # (K, N)


@dataclass(frozen=True, slots=True)
class _Actions:
    """Corporate actions that took effect, in order of their dates, all (E,)."""

    date: Integers  # since the first date after the start
    asset: Integers
    kind: Integers
    amount: Vector  # as in the simulation
    pay_date: Integers  # as `date`
    units: Vector  # held at the close before
    gain: Vector  # in money, beside the change of the mark
    withheld: Vector  # of it, in money


def _actions_of(inputs: Inputs, held: Matrix, latest: Integers, dates: int) -> _Actions:
    """From the units `held` (R + 1, N) after each change, and the latest change of each date, (dates + 1,)."""
    actions, start = inputs.actions, inputs.rules.start
    chosen = (actions.date > start) & (actions.date <= start + dates)
    date, asset = actions.date[chosen] - start - 1, actions.asset[chosen]
    kind, amount = actions.kind[chosen], actions.amount[chosen]
    units = held[latest[date], asset]
    place = date * held.shape[1] + asset
    split = kind == SPLIT
    order = np.argsort(place[split])
    places, ratios = place[split][order], amount[split][order]
    found = np.minimum(np.searchsorted(places, place), max(len(places) - 1, 0))
    ratio = np.ones(len(place))
    if len(places):
        ratio = np.where(places[found] == place, ratios[found], 1.0)
    entitled = units * ratio
    if inputs.rules.whole_units:
        entitled = np.where(ratio == 1.0, units, np.trunc(entitled * (1.0 + WHOLE_ROUNDING)))
    gain = np.where(kind == DELISTING, units * ratio, entitled) * amount
    gain = np.where(split, units * (amount - 1.0) * inputs.prices.marks[start + 1 + date, asset], gain)
    withheld = np.where(kind == DIVIDEND, np.maximum(gain, 0.0) * actions.withholding_rate, 0.0)
    pay_date = actions.pay_date[chosen] - start - 1
    return _Actions(date, asset, kind, amount, pay_date, units, gain, withheld)


class LedgerSource:
    """A record with the market that it was simulated in. The net asset value has never been used up."""

    def __init__(self, inputs: Inputs, record: RecordPart, opening: Vector) -> None:
        """`opening` (N,) are the units at the start."""
        self._inputs = inputs
        self._record = record
        self._start = inputs.rules.start
        self.dates = len(record.nav) - 1
        self._held = np.vstack([opening, record.units])
        self._latest = np.searchsorted(record.indices, np.arange(self.dates + 1), side="right")
        self._navs = record.nav.copy()
        self._navs[0] = float(record.account["first_nav"][0])
        zeros = np.zeros(self.dates)
        self._flows = record.flow_start[1:] if len(record.flow_start) else zeros
        kept = self._navs[0] / float(record.nav[0])  # of the capital, after the costs of trades at the start
        self._bases = self._navs[:-1] + self._flows
        self._bases[0] /= kept
        self._spent = zeros.copy()
        self._spent[0] = 1.0 - kept
        self._actions = _actions_of(inputs, self._held, self._latest, self.dates)
        levels = record.unit_values
        self._returns = levels[1:] / levels[:-1] - 1.0

    def ledger(self) -> DailyLedger:
        """What is no gain of an asset."""
        rates, years, bases = self._inputs.rates, self._years, self._bases
        receivable = self._receivables()
        cash = self._navs[:-1] - self._position_values() - receivable[:-1] + self._flows
        borrowed = cash < 0.0
        t = self._start + 1 + np.arange(self.dates)
        interest = np.zeros(self.dates)
        if rates.has_any:
            interest = cash * np.where(borrowed, rates.financing[t], rates.cash[t]) * years
        managed = rates.management_fee * years * self._navs[:-1]
        fees = managed + self._events_by_date(PERFORMANCE_FEE)[:, 0]
        return DailyLedger(
            net_return=self._returns,
            cash_weight=(np.where(borrowed, 0.0, cash) + receivable[:-1]) / bases,
            borrowed_weight=np.where(borrowed, cash, 0.0) / bases,
            spent=self._spent,
            cash=np.where(borrowed, 0.0, interest) / bases,
            financing=(np.where(borrowed, interest, 0.0) - self._borrow_fees()) / bases,
            costs=self._costs(receivable) / bases,
            fees=-fees / bases,
            trading=self._trading() / bases,
            withholding=-self._withheld() / bases,
        )

    def asset_chunks(self) -> Iterator[AssetChunk]:
        """Weights and contributions of the assets, some dates at a time."""
        marks = self._inputs.prices.marks
        step = max(1, CHUNK // marks.shape[1])
        for first in range(0, self.dates, step):
            last = min(first + step, self.dates)
            units = self._held[self._latest[first:last]]
            before = marks[self._start + first : self._start + last]
            after = marks[self._start + first + 1 : self._start + last + 1]
            scale = 1.0 / self._bases[first:last, None]
            gains = units * (after - before)
            self._add_actions(first, gains)
            yield AssetChunk(first, units * before * scale, gains * scale)

    @property
    def _years(self) -> Vector:
        years = self._inputs.rates.years
        return years[self._start + 1 :][: self.dates] if len(years) else np.zeros(self.dates)

    def _add_actions(self, first: int, gains: Matrix) -> None:
        """Adds to gains (K, N) of dates from `first` on what corporate actions change."""
        actions = self._actions
        chosen = slice(*np.searchsorted(actions.date, (first, first + len(gains))).tolist())
        np.add.at(gains, (actions.date[chosen] - first, actions.asset[chosen]), actions.gain[chosen])

    def _withheld(self) -> Vector:
        """Tax on dividends, in money, (D,)."""
        withheld = np.zeros(self.dates)
        np.add.at(withheld, self._actions.date, self._actions.withheld)
        return withheld

    def _receivables(self) -> Vector:
        """Dividends that are owed to the account at each close, in money, (D + 1,) with the start."""
        actions, changes = self._actions, np.zeros(self.dates + 2)
        net = np.where(actions.kind == DIVIDEND, actions.gain - actions.withheld, 0.0)
        np.add.at(changes, actions.date + 1, net)
        np.add.at(changes, np.minimum(actions.pay_date, self.dates) + 1, -net)
        result: Vector = np.cumsum(changes)[:-1]
        return result

    def _position_values(self) -> Vector:
        """Value of all positions at the close before each date, in money, (D,)."""
        marks, values = self._inputs.prices.marks, np.empty(self.dates)
        step = max(1, CHUNK // marks.shape[1])
        for first in range(0, self.dates, step):
            last = min(first + step, self.dates)
            units = self._held[self._latest[first:last]]
            values[first:last] = np.einsum("ij,ij->i", units, marks[self._start + first : self._start + last])
        return values

    def _borrow_fees(self) -> Vector:
        """Fees for short positions, in money, (D,)."""
        rates, marks = self._inputs.rates, self._inputs.prices.marks
        if not rates.has_borrow:
            return np.zeros(self.dates)
        fees = np.empty(self.dates)
        for t in range(self.dates):
            short = np.minimum(self._held[self._latest[t]], 0.0)
            fees[t] = -float(short @ (marks[self._start + t] * rates.borrow))
        return fees * self._years

    def _costs(self, receivable: Vector) -> Vector:
        """Contribution of the costs of trades, in money of the capital of each date, (D,); 0 or less.

        What is left after a fill is (1 - its cost as a fraction) of the net asset value before it.
        """
        record, paid = self._record, np.zeros(self.dates + 1)
        # A margin call has prices of its own: what it cost is in its events.
        rows = np.flatnonzero(np.where(record.fills, record.cost_fractions, 0.0))
        fills = self._inputs.prices.fills[self._start + record.indices[rows]]
        left = np.einsum("ij,ij->i", record.units[rows], fills) + record.cash[rows] + receivable[record.indices[rows]]
        fractions = record.cost_fractions[rows]
        np.add.at(paid, record.indices[rows], left * fractions / (1.0 - fractions))
        marks = self._inputs.prices.marks
        for date, asset, kind, before, after, cash in record.events.tolist():
            if kind == MARGIN_CALL:
                paid[int(date)] += (before - after) * marks[self._start + int(date), int(asset)] - cash
        at_start = paid[0] / float(record.nav[0]) * self._bases[0]
        result: Vector = -paid[1:]
        result[0] -= at_start
        return result

    def _trading(self) -> Vector:
        """Gains of what was traded between its fill and the close, in money, (D,)."""
        gains = np.zeros(self.dates)
        prices, rules = self._inputs.prices, self._inputs.rules
        if not (rules.fills_at_open or rules.whole_units):  # fills are at the close
            return gains
        dates = np.unique(self._record.indices)
        dates = dates[dates > 0] - 1
        change = self._held[self._latest[dates + 1]] - self._held[self._latest[dates]]
        place = {int(date): row for row, date in enumerate(dates)}
        marks = prices.marks[self._start + 1 + dates].copy()
        actions = self._actions
        for event in np.flatnonzero(actions.kind != DIVIDEND).tolist():
            row, asset = place.get(int(actions.date[event])), int(actions.asset[event])
            if row is None:
                continue
            if actions.kind[event] == SPLIT:
                change[row, asset] -= actions.units[event] * (actions.amount[event] - 1.0)
            else:
                marks[row, asset] = actions.amount[event]
        for date, asset, kind, before, after, _ in self._record.events.tolist():
            if kind in (DELISTING, MARGIN_CALL) and date > 0:
                change[place[int(date) - 1], int(asset)] += before - after
        gains[dates] = np.einsum("ij,ij->i", change, marks - prices.fills[self._start + 1 + dates])
        return gains

    def _events_by_date(self, kind: int) -> Matrix:
        """What events of a kind say, (D, 1): the cash of each date."""
        found = np.zeros((self.dates, 1))
        for date, _, one, _, _, cash in self._record.events.tolist():
            if one == kind:
                found[int(date) - 1, 0] += cash
        return found
