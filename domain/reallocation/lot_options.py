"""Numbers of lots of each asset that can be in the best plan, with what each of them does to the objective and limits.

Between two neighbours of one order everything is linear in the number of lots: the distance to the target bends at the
wish, the cash at the lots that settle in time, gain and tax where a tax lot ends. The numbers next to each bend are
options, so a number between two options is never better than both, whatever the prices.

The wish depends on the cost C of all trades. With s = +-target / 2, half the distance at C is at least that at a
reference cost plus s (C - reference): it is convex in C for each number of lots.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.reallocation.drift import Drift
from domain.reallocation.lots import Budgets, LotOrder, usable_lots
from domain.reallocation.tax_weight import TaxCurve
from domain.records import dataclass

MOST_OPTIONS = 3_000_000
"""Of all assets; of more, each with the tax lots of thousands of purchases, none are made."""

DEAREST_CASH = 0.5
"""Up to this price no sale away from the target pays for the distance that it adds, so none is needed."""

STEPS = np.unique(np.round(1.5 ** np.arange(45.0)))
"""Numbers of lots from one, in steps that grow in proportion to them."""

ROUNDING = 1e-9
"""Part of a limit, and of what is used of it, by which a sum may be wrong."""

NEIGHBOURS = (-1.0, 0.0, 1.0, 2.0)
"""Numbers of lots around the wish, from the one below it."""


@dataclass(frozen=True, slots=True)
class LotOptions:
    """(T,), sorted by asset and order; the first option of each of the P assets is no trade. Money at no scale."""

    starts: NDArray[np.intp]  # (P,)
    assets: NDArray[np.intp]
    orders: NDArray[np.intp]  # -1 for no trade
    lots: Vector
    positions: Vector  # money in the asset after the trade
    distances: Vector  # half of them, at the reference cost
    slopes: Vector  # what a unit of cost more adds to that at least
    costs: Vector
    taxes: Vector  # weighed
    uses: NDArray[np.float64]  # (M, T) of each limit
    limits: Vector  # (M,)
    dearest: Vector  # (M,) the highest price of each limit
    widens: NDArray[np.bool_]  # (M,) where that may be raised

    def of_best(self, values: Vector) -> NDArray[np.intp]:
        """(P,) The option of each asset with the least value, the first one where several have it."""
        least = np.minimum.reduceat(values, self.starts)
        found = np.flatnonzero(values <= least[self.assets])
        assets = self.assets[found]
        first = np.ones(len(found), dtype=np.bool_)
        first[1:] = assets[1:] != assets[:-1]
        choice: NDArray[np.intp] = found[first]
        return choice

    def between(self, values: Vector) -> Vector:
        """The least value of the numbers of lots between each option and the one before it; infinite for none."""
        width = np.diff(self.lots)
        apart = (self.orders[1:] == self.orders[:-1]) & (width > 1.0)
        found = np.full(len(values), np.inf)
        places = np.flatnonzero(apart)
        step = (values[places + 1] - values[places]) / width[places]
        found[places + 1] = np.minimum(values[places] + step, values[places + 1] - step)
        return found

    def steps(self, values: Vector, most: int) -> tuple[NDArray[np.intp], Vector]:
        """Orders and numbers of lots between neighbouring options, at growing steps from both, where values are least.

        Of at most so many pairs of neighbours.
        """
        between = self.between(values)
        ranked = np.argsort(between, kind="stable")[:most]
        ranked = ranked[np.isfinite(between[ranked])]
        width = self.lots[ranked] - self.lots[ranked - 1]
        up = self.lots[ranked - 1][:, None] + STEPS[None, :]
        down = self.lots[ranked][:, None] - STEPS[None, :]
        within = np.tile(STEPS[None, :] < width[:, None], 2)
        orders = np.broadcast_to(self.orders[ranked][:, None], within.shape)
        return orders[within], np.concatenate([up, down], axis=1)[within]

    @property
    def impossible(self) -> bool:
        """Whether no choice keeps one of the limits."""
        least = np.minimum.reduceat(self.uses, self.starts, axis=1)
        over = ROUNDING * (np.abs(self.limits) + np.abs(least).sum(axis=1))
        return bool((least.sum(axis=1) > self.limits + over).any())

    def lots_by_order(self, choice: NDArray[np.intp], count: int) -> list[int]:
        """(J,) from the option of each asset."""
        found = [0] * count
        for order, lots in zip(self.orders[choice].tolist(), self.lots[choice].tolist(), strict=True):
            if order >= 0:
                found[order] = int(lots)
        return found


def lot_options(
    drift: Drift,
    orders: Sequence[LotOrder],
    budgets: Budgets,
    cost: float,
    more: tuple[NDArray[np.intp], Vector] | None = None,
) -> LotOptions | None:
    """The options at a reference cost, and more of some orders and numbers of lots; None for too many."""
    figures = _Figures.of(drift, orders, budgets)
    differences = drift.values - drift.target * (drift.worth - cost)
    with np.errstate(over="ignore"):  # more than any float is within the limits of no order
        wish = -differences[drift.places] / drift.trade
    flat = _counts(drift, figures, wish)
    if flat is None:
        return None
    if more is not None:
        flat = np.concatenate([flat[0], more[0]]), np.concatenate([flat[1], more[1]])
    order, lots = _within(figures, *flat)
    count = len(drift.values)
    asset = np.concatenate([np.arange(count), drift.places[order]])
    order, lots = np.concatenate([np.full(count, -1), order]), np.concatenate([np.zeros(count), lots])
    sequence = np.lexsort((lots, order, asset))
    asset, order, lots = asset[sequence], order[sequence], lots[sequence]
    traded = order >= 0
    moved = np.where(traded, drift.trade[order] * lots, 0.0)
    after = differences[asset] + moved
    limits, uses, dearest, widens = zip(*_limits(budgets, figures, order, lots, traded), strict=True)
    return LotOptions(
        starts=np.searchsorted(asset, np.arange(count)),
        assets=asset,
        orders=order,
        lots=lots,
        positions=drift.values[asset] + moved,
        distances=0.5 * np.abs(after),
        slopes=np.where(after < 0.0, -0.5, 0.5) * drift.target[asset],
        costs=np.where(traded, drift.costs[order] * lots, 0.0),
        taxes=_taxes(drift, order, lots),
        uses=np.array(uses),
        limits=np.array(limits),
        dearest=np.array(dearest),
        widens=np.array(widens),
    )


@dataclass(frozen=True, slots=True)
class _Figures:
    """(J,) each."""

    least: Vector
    most: Vector
    usable: Vector
    cash: Vector
    values: Vector
    costs: Vector
    buys: NDArray[np.bool_]
    gains: dict[int, TaxCurve]  # by order

    @classmethod
    def of(cls, drift: Drift, orders: Sequence[LotOrder], budgets: Budgets) -> "_Figures":
        values = np.abs(drift.trade)
        buys = np.array([order.buys for order in orders])
        # Money does not pay for more.
        money = max(float(budgets.cash), 0.0) + float(np.abs(drift.values).sum())
        most = np.array([float(order.most) for order in orders])
        with np.errstate(over="ignore"):  # more than any float limits nothing
            affordable = np.ceil(money / values)
        gains = {}
        if budgets.gain.is_finite():
            gains = {j: TaxCurve.along(o.curve, o.units) for j, o in enumerate(orders) if o.curve is not None}
        return cls(
            least=np.array([float(order.least) for order in orders]),
            most=np.where(buys, np.minimum(most, affordable), most),
            usable=np.array([usable_lots(order) for order in orders]),
            cash=np.array([float(order.cash) for order in orders]),
            values=values,
            costs=drift.costs,
            buys=buys,
            gains=gains,
        )


def _counts(drift: Drift, figures: _Figures, wish: Vector) -> tuple[NDArray[np.intp], Vector] | None:
    """Orders, and their numbers of lots next to each bend."""
    usual = np.floor(wish)
    settled = np.minimum(figures.usable, figures.most)
    rows = [figures.least, figures.most, np.floor(settled), np.ceil(settled), *(usual + step for step in NEIGHBOURS)]
    counts = np.stack(rows)
    order = np.broadcast_to(np.arange(len(wish)), counts.shape).ravel()
    lots = counts.ravel()
    bends = [(j, curve.near_kinks) for curves in (drift.taxes.curves, figures.gains) for j, curve in curves.items()]
    if sum(len(each) for _, each in bends) + len(lots) > MOST_OPTIONS:
        return None
    if bends:
        order = np.concatenate([order, np.repeat([j for j, _ in bends], [len(each) for _, each in bends])])
        lots = np.concatenate([lots, *(each for _, each in bends)])
    return order, lots


def _within(figures: _Figures, order: NDArray[np.intp], lots: Vector) -> tuple[NDArray[np.intp], Vector]:
    """Within the limits of each order, sorted and without repetition."""
    lots = np.minimum(np.maximum(lots, figures.least[order]), figures.most[order])
    kept = (lots >= figures.least[order]) & (lots > 0.0)
    order, lots = order[kept], lots[kept]
    sequence = np.lexsort((lots, order))
    order, lots = order[sequence], lots[sequence]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (order[1:] != order[:-1]) | (lots[1:] != lots[:-1])
    return order[new], lots[new]


def _limits(
    budgets: Budgets, figures: _Figures, order: NDArray[np.intp], lots: Vector, traded: NDArray[np.bool_]
) -> Iterator[tuple[float, Vector, float, bool]]:
    """Each limit on the sum, what the options use of it, its highest price, and whether that may be raised.

    At a price of cash above 1/2 sales away from the target would be worth it that are no options of many assets, but
    where cash is to be raised.
    """
    buys = figures.buys[order] & traded
    paid = np.where(traded, figures.cash[order] * lots, 0.0)
    settled = figures.cash[order] * np.minimum(lots, figures.usable[order])
    used = np.where(buys, paid, np.where(traded, -settled, 0.0))
    # A cash below its floor stays there where nothing can be bought.
    cash = float(budgets.cash) if (figures.buys & (figures.most >= figures.least)).any() else 0.0
    yield cash, used, DEAREST_CASH, cash < 0.0
    if budgets.required.is_finite():
        yield float(budgets.cash - budgets.required), np.where(buys, paid, -paid), DEAREST_CASH, True
    if math.isfinite(budgets.turnover):
        yield float(budgets.turnover), np.where(traded, figures.values[order] * lots, 0.0), 1.0, True
    if math.isfinite(budgets.cost):
        rates = figures.costs / figures.values
        least = float(rates[rates > 0.0].min(initial=1.0))
        yield float(budgets.cost), np.where(traded, figures.costs[order] * lots, 0.0), 1.0 / least, True
    if math.isfinite(budgets.purchases):
        yield float(budgets.purchases), np.where(buys, paid, 0.0), DEAREST_CASH, False
    if budgets.gain.is_finite():
        gains = np.zeros(len(order))
        _by_order(gains, order, lots, figures.gains)
        yield float(budgets.gain), gains, 2.0, True


def _taxes(drift: Drift, order: NDArray[np.intp], lots: Vector) -> Vector:
    found = np.zeros(len(order))
    _by_order(found, order, lots, drift.taxes.curves)
    return drift.taxes.aversion * found


def _by_order(found: Vector, order: NDArray[np.intp], lots: Vector, curves: Mapping[int, TaxCurve]) -> None:
    if not curves:
        return
    sequence = np.argsort(order, kind="stable")
    ordered = order[sequence]
    for j, curve in curves.items():
        places = sequence[np.searchsorted(ordered, j) : np.searchsorted(ordered, j, side="right")]
        found[places] = curve(lots[places])
