"""What orders cost, and what they raise, as functions of their lots."""

import math
from collections.abc import Callable, Mapping
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.records import dataclass

Counts = NDArray[np.float64]
Orders = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class PiecewiseLinear:
    """A piecewise linear function of lots that is 0 at 0: at `lots` (K,) it is `amounts` (K,), and level beyond."""

    lots: Vector
    amounts: Vector

    def __call__(self, counts: Counts) -> Counts:
        """Its values, (n,)."""
        return np.asarray(np.interp(counts, self.lots, self.amounts))


@dataclass(frozen=True, slots=True)
class Curves:
    """J orders. Money is in fractions of net asset value before costs; arrays are (J,) where nothing else is said.

    Functions take order numbers and lots, (n,) each. Over several days the temporary impact is that of equal parts,
    which is the least, and fees are those of one trade: no plan pays less, and a trade of one day pays just that.
    """

    sign: Vector  # 1 to buy, -1 to sell
    value: Vector  # of a lot
    least: Vector  # lots of any trade
    most: Vector  # below `least` where nothing can be traded
    usable: Vector  # lots of a sale that settle within the horizon
    spread: Vector  # fraction of the traded value
    commission: Vector  # the same, before a least and a most
    per_lot: Vector  # commission of a lot beside that
    least_commission: float = 0.0
    most_commission: float = math.inf
    fixed: float = 0.0
    impact: Vector = field(default_factory=lambda: np.zeros(0))  # a value d costs impact d^power + permanent d^2
    power: float = 1.5
    permanent: Vector = field(default_factory=lambda: np.zeros(0))
    days: int = 1
    taxes: Mapping[int, PiecewiseLinear] = field(default_factory=dict)  # by order
    gains: Mapping[int, PiecewiseLinear] = field(default_factory=dict)

    def cost(self, orders: Orders, counts: Counts) -> Counts:
        """All costs; 0 of no lots."""
        value = self.value[orders] * counts
        commission = (self.commission * self.value + self.per_lot)[orders] * counts
        commission = np.clip(commission, self.least_commission, self.most_commission)
        temporary = self.impact[orders] * self.days * (value / self.days) ** self.power
        traded = np.where(counts > 0.0, commission + self.fixed, 0.0)
        return traded + self.spread[orders] * value + temporary + self.permanent[orders] * value * value

    def tax(self, orders: Orders, counts: Counts) -> Counts:
        """The tax that is weighed."""
        return _of_some(self.taxes, orders, counts)

    def gain(self, orders: Orders, counts: Counts) -> Counts:
        """The realised gain that counts for a budget."""
        return _of_some(self.gains, orders, counts)

    def raised(self, orders: Orders, counts: Counts) -> Counts:
        """Cash that comes of it, settled or not; negative for a purchase."""
        return -self.sign[orders] * self.value[orders] * counts - self.cost(orders, counts)

    def funds(self, orders: Orders, counts: Counts) -> Counts:
        """The same, of what settles within the horizon; costs that proceeds do not cover are paid at once."""
        raised = self.raised(orders, counts)
        usable = np.where(self.sign[orders] > 0.0, counts, np.minimum(counts, self.usable[orders]))
        share = np.divide(usable, counts, out=np.ones_like(counts), where=counts > 0.0)
        return np.where(raised > 0.0, raised * share, raised)

    def _first_paying(self, order: int) -> float:
        """The fewest lots of a sale, to the next whole number, whose proceeds cover their cost where fewer do not."""
        low, high = float(self.least[order]), float(self.most[order])
        place = np.array([order])
        while high - low > 1.0:
            middle = np.floor(0.5 * (low + high))
            pays = float(self.raised(place, np.array([middle]))[0]) > 0.0
            low, high = (low, middle) if pays else (middle, high)
        return high

    def kinks(self, order: int, *more: float) -> Counts:
        """Whole numbers of lots between two of which cost and tax are convex, without 0, ascending."""
        found = [float(self.least[order]), float(self.most[order]), float(self.usable[order]), *more]
        per_lot = float(self.commission[order] * self.value[order] + self.per_lot[order])
        if per_lot > 0.0:
            found += [self.least_commission / per_lot, self.most_commission / per_lot]
        for curves in (self.taxes, self.gains):
            if order in curves:
                found += curves[order].lots.tolist()
        if self.sign[order] < 0.0 and self.fixed + self.least_commission > 0.0:
            found.append(self._first_paying(order))
        finite = np.array([each for each in found if math.isfinite(each)])
        whole = np.concatenate([np.floor(finite), np.ceil(finite)])
        return np.unique(whole[(whole >= self.least[order]) & (whole <= self.most[order])])


def _of_some(curves: Mapping[int, PiecewiseLinear], orders: Orders, counts: Counts) -> Counts:
    found = np.zeros_like(counts)
    for order in curves.keys() & set(np.unique(orders).tolist()):
        chosen = orders == order
        found[chosen] = curves[order](counts[chosen])
    return found


def least_count(values: Callable[[Counts], Counts], kinks: Counts, width: int = 64) -> tuple[float, float]:
    """The least of a function of lots that is convex between two kinks, and where it is; infinite without kinks.

    Between two kinks the least is next to the least of equally spaced numbers, around which they are spaced again.
    """
    if not len(kinks):
        return math.inf, 0.0
    best, at = _least(values, kinks)
    for low, high in zip(kinks[:-1].tolist(), kinks[1:].tolist(), strict=True):
        start, end = low, high
        while end - start > 1.0:
            numbers = np.unique(np.round(np.linspace(start, end, width))).astype(np.float64)
            found = values(numbers)
            place = int(np.argmin(found))
            if found[place] < best:
                best, at = float(found[place]), float(numbers[place])
            if len(numbers) >= end - start + 1.0:
                break
            start, end = float(numbers[max(place - 1, 0)]), float(numbers[min(place + 1, len(numbers) - 1)])
    return best, at


def _least(values: Callable[[Counts], Counts], numbers: Counts) -> tuple[float, float]:
    found = values(numbers)
    place = int(np.argmin(found))
    return float(found[place]), float(numbers[place])
