"""Whole lots to trade: the nearest to the required trades, repaired until cash and turnover allow them.

Minimises sum_i v_i |n_i - w_i| over whole numbers n_i of lots, v_i being the value of a lot and w_i the lots wanted,
subject to cash above its floor, traded value and cost within their limits, and bounds on each n_i. It is a separable
convex problem with a few knapsack rows: each w_i is rounded to the nearest lot, then single lots are given up by least
increase of the objective per unit of the cash that is missing, then lots that fit and help are added. Each step takes
the best lot from a heap, and a number of lots that are all equally good is given up or added in steps that double.
"""

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import field
from decimal import Decimal

from domain.exact import ZERO, ceiling
from domain.reallocation.cancellation import checked, rounds_while
from domain.reallocation.gain_curve import GainCurve
from domain.records import dataclass

MOST_LOTS = 2**53
"""Most lots of one order: a float cannot distinguish larger numbers."""

ANY_NUMBER = 2**62
"""The most lots of an order without a limit."""

ROUNDING = 1e-9
"""How far, in lots, a wanted quantity may be from a whole number and still be meant as one."""

_FIRST = -math.inf


@dataclass(frozen=True, slots=True)
class LotOrder:
    """One order in whole lots, without sign."""

    wanted: float  # lots, also a fraction of one
    scalable: float  # lots of it that market and holding allow, also a fraction: cut to whole lots after scaling
    most: int
    least: int  # the fewest lots that are traded if any are
    buys: bool
    value: Decimal  # of a lot
    cash: Decimal  # paid for a lot bought, received for a lot sold
    usable: int = ANY_NUMBER  # lots sold that settle within the horizon
    units: Decimal = ZERO  # in a lot, where there is a curve
    curve: GainCurve | None = None  # of a sale whose gain counts
    tax: GainCurve | None = None  # the same of its tax, where that is weighed
    settled: Decimal | None = None  # where the lot is a whole holding: what of its proceeds settles in time
    weight: float = field(init=False)  # the value in the objective
    cost: Decimal = field(init=False)  # of trading a lot

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", float(self.value))
        object.__setattr__(self, "cost", abs(self.cash - self.value))

    def gain(self, lots: int) -> Decimal:
        """Realised gain of so many lots; 0 where none counts."""
        return ZERO if self.curve is None or not lots else self.curve.gain(lots * self.units)

    def distance(self, lots: int) -> float:
        """Absolute difference in value between a number of lots and the required trade."""
        return self.weight * abs(lots - self.wanted)

    def raised(self, lots: int) -> Decimal:
        """Cash that comes of a number of lots, settled or not; negative for a purchase."""
        return -lots * self.cash if self.buys else lots * self.cash

    def funds(self, lots: int) -> Decimal:
        """The same, of what settles early enough to pay for purchases."""
        if self.settled is not None:
            return lots * self.settled
        return self.raised(lots if self.buys else min(lots, self.usable))

    @property
    def enough(self) -> int:
        """The fewest lots that are not below the required trade."""
        return min(self.most, math.ceil(self.wanted - ROUNDING))

    def rounded(self, lots: float, *, nearest: bool) -> int:
        """A number of lots that may be traded, at or below `lots` if not the nearest."""
        found = min(self.most, math.floor(lots + (0.5 if nearest else ROUNDING)))
        if found >= self.least:
            return found
        # The least trade is the next number of lots above only where more than it is wanted.
        up = nearest and self.least <= self.enough and self.distance(self.least) < self.distance(0)
        return self.least if up and lots >= self.least - 1.0 + ROUNDING else 0


@dataclass(frozen=True, slots=True)
class Budgets:
    """What limits the sum of all orders, in money."""

    cash: Decimal  # above the floor, before these orders; what settles within the horizon
    required: Decimal  # level, relative to the floor, to which sales raise a negative cash; else minus infinity
    turnover: Decimal  # most that is traded, both ways
    cost: Decimal = Decimal("Infinity")  # most that is paid in costs
    purchases: Decimal = Decimal("Infinity")  # most that is paid for purchases, their costs included
    gain: Decimal = Decimal("Infinity")  # most that all realised gains sum to


def usable_lots(order: LotOrder) -> float:
    """Lots of a sale that settle within the horizon, also a part of one where the lot is a whole holding."""
    return float(order.usable) if order.settled is None else float(order.settled) / float(order.cash)


Score = Callable[[Sequence[int]], float]


def choose_lots(
    orders: Sequence[LotOrder], budgets: Budgets, score: Score, check_cancelled: Callable[[], None]
) -> list[int]:
    """Lots of each order; of several candidates that raise most of what is required, the one with the lowest score.

    Where the nearest lots do not keep the budgets, the wanted lots truncated are one of the candidates.
    """
    candidates: list[tuple[Decimal, list[int]]] = []
    for nearest in (True, False):
        search = _GreedyRounding(orders, budgets, check_cancelled)
        search.start(nearest=nearest)
        search.repair()
        candidates.append((search.unraised, list(search.lots)))
        search.improve()
        candidates.append((search.unraised, search.lots))
        if keeps(orders, budgets, search.lots):
            break
    return min(candidates, key=lambda candidate: (candidate[0], score(candidate[1])))[1]


def keeps(orders: Sequence[LotOrder], budgets: Budgets, lots: Sequence[int]) -> bool:
    """Whether lots keep the budgets and the limits of each order, exactly."""
    cash = raised = budgets.cash
    room, buys = budgets.turnover, False
    cost, purchases = budgets.cost, budgets.purchases
    if budgets.gain.is_finite() and sum(map(_gain, orders, lots), ZERO) > budgets.gain:
        return False
    for order, count in zip(orders, lots, strict=True):
        if not count:
            continue
        if not order.least <= count <= order.most:
            return False
        cash += order.funds(count)
        raised += order.raised(count)
        room -= count * order.value
        cost -= count * order.cost
        purchases -= count * order.cash if order.buys else ZERO
        buys = buys or order.buys
    within = room >= ZERO and cost >= ZERO and purchases >= ZERO
    return within and raised >= budgets.required and (cash >= ZERO or not buys)


class _GreedyRounding:
    """Numbers of lots, and the rest of the budgets."""

    def __init__(self, orders: Sequence[LotOrder], budgets: Budgets, check_cancelled: Callable[[], None]) -> None:
        self.orders = orders
        self.lots = [0] * len(orders)
        self._start = [0.0] * len(orders)
        self._steps = [1] * len(orders)
        self._spare = self._raised = budgets.cash
        self._room = budgets.turnover
        self._fees = budgets.cost
        self._purchases = budgets.purchases
        self._required = budgets.required
        self._bought = 0  # orders that buy something
        self._check_cancelled = check_cancelled

    def start(self, *, nearest: bool) -> None:
        """Every order scaled by the same factor to the limits on turnover and cost, every purchase to the cash."""
        reach = [order.scalable for order in self.orders]
        traded = math.fsum(lots * order.weight for lots, order in zip(reach, self.orders, strict=True))
        costs = math.fsum(lots * float(order.cost) for lots, order in zip(reach, self.orders, strict=True))
        scaled = traded > self._room or costs > self._fees
        if scaled:
            factor = min(float(self._room) / traded, float(self._fees) / costs if costs > self._fees else 1.0)
            reach = [lots * factor for lots in reach]
        self._place(reach, buys=False, nearest=nearest and not scaled)
        wanted = math.fsum(
            lots * float(order.cash) for lots, order in zip(reach, self.orders, strict=True) if order.buys
        )
        available = float(min(self._spare, self._purchases))
        share = min(1.0, max(available, 0.0) / wanted) if wanted > 0.0 else 1.0
        self._place([lots * share for lots in reach], buys=True, nearest=nearest and not scaled)
        self._within(lambda: self._room, lambda order: order.value)
        self._within(lambda: self._fees, lambda order: order.cost)
        self._within(lambda: self._purchases, lambda order: order.cash if order.buys else ZERO)

    def _place(self, lots: Sequence[float], *, buys: bool, nearest: bool) -> None:
        for i, order in checked(enumerate(self.orders), self._check_cancelled):
            if order.buys is buys:
                self._start[i] = lots[i]
                self._move(i, order.rounded(lots[i], nearest=nearest))

    @property
    def unraised(self) -> Decimal:
        """The part of the required cash that no sale raises."""
        return max(self._required - self._raised, ZERO)

    def _within(self, left: Callable[[], Decimal], each: Callable[[LotOrder], Decimal]) -> None:
        """Gives up lots while rounding takes a sum above its limit, the smallest increase first.

        One lot of each order is enough, but where the least trade forbids that.
        """
        if left() >= ZERO:
            return
        change = [
            order.distance(lots - 1) - order.distance(lots) for order, lots in zip(self.orders, self.lots, strict=True)
        ]
        ranked = sorted(range(len(change)), key=change.__getitem__)
        for most in (1, MOST_LOTS):
            for i in checked(ranked, self._check_cancelled):
                if left() >= ZERO:
                    return
                order, lots = self.orders[i], self.lots[i]
                if each(order) > ZERO:
                    fewer = min(lots, most, ceiling(-left(), each(order)))
                    self._move(i, -lots if lots - fewer < order.least else -fewer)

    def _move(self, i: int, lots: int) -> None:
        """Trades so many lots more (less where negative)."""
        order = self.orders[i]
        if order.buys:
            self._bought += (self.lots[i] == 0 < lots) - (lots < 0 and self.lots[i] + lots == 0)
        self._spare -= self._paid(i, lots)
        self._raised += order.raised(lots)
        self.lots[i] += lots
        self._room -= lots * order.value
        self._fees -= lots * order.cost
        self._purchases -= lots * order.cash if order.buys else ZERO

    def _paid(self, i: int, lots: int) -> Decimal:
        """Usable cash that so many lots more (less where negative) take."""
        order = self.orders[i]
        return order.funds(self.lots[i]) - order.funds(self.lots[i] + lots)

    # Repair: free cash until it is above its floor.

    def repair(self) -> None:
        """Frees cash while purchases take it below its floor, then while a negative cash is not raised."""
        self._free(lambda: -self._spare if self._bought else ZERO, raising=False)
        self._free(lambda: self._required - self._raised, raising=True)

    def _free(self, missing: Callable[[], Decimal], *, raising: bool) -> None:
        if missing() <= ZERO:
            return
        heap = [entry for i in range(len(self.orders)) if (entry := self._freeing(i, missing(), raising))]
        heapq.heapify(heap)
        self._steps = [1] * len(self.orders)
        for _ in rounds_while(lambda: bool(heap) and missing() > ZERO, self._check_cancelled):
            i = heapq.heappop(heap)[-1]
            entry = self._freeing(i, missing(), raising)
            # What is missing has shrunk: the entry was a lower bound of what the lot now costs.
            if entry is not None and heap and entry[:2] > heap[0][:2]:
                heapq.heappush(heap, entry)
                continue
            if entry is not None:
                self._release(i, entry[2], missing(), raising)
                if following := self._freeing(i, missing(), raising):
                    heapq.heappush(heap, following)

    def _freeing(self, i: int, missing: Decimal, raising: bool) -> tuple[float, float, int, int] | None:
        """(increase per unit of missing cash, tie-break, change in lots, order) of the next lots that free cash."""
        order, lots = self.orders[i], self.lots[i]
        if order.buys:
            if lots == 0:
                return None
            change = -1 if lots > order.least else -lots
        else:
            change = 1 if lots else order.least
            if lots + change > (order.most if raising else order.enough):
                return None
            if change * order.value > self._room or change * order.cost > self._fees:
                return None
        freed = float(abs(change) * order.cash if raising else -self._paid(i, change))
        if freed <= 0.0:
            return None
        increase = order.distance(lots + change) - order.distance(lots)
        over = order.weight * (lots - self._start[i])
        key = _FIRST if increase <= 0.0 else _nine_digits(increase / min(freed, float(missing) or freed))
        return key, -over if order.buys else over, change, i

    def _release(self, i: int, change: int, missing: Decimal, raising: bool) -> None:
        order, lots = self.orders[i], self.lots[i]
        if abs(change) == 1:
            equally_good = _equally_good_lots(order, lots)
            within = _count(missing, order.cash)
            most = min(equally_good, within, self._steps[i])
            if not order.buys:
                most = min(most, self._affordable(order))
                most = most if raising else min(most, order.usable - lots)
            change *= max(1, most)
            self._steps[i] *= 2
        self._move(i, change)

    def _affordable(self, order: LotOrder) -> int:
        """Lots that the limits on turnover, cost and purchases still allow."""
        most = min(_count(self._room, order.value), _count(self._fees, order.cost))
        return min(most, _count(self._purchases, order.cash)) if order.buys else most

    # Improvement: add lots that still fit and reduce the difference.

    def improve(self) -> None:
        """Adds lots, of purchases, or takes back lots of sales, while they fit and bring the value nearer."""
        heap = [entry for i in range(len(self.orders)) if (entry := self._helping(i))]
        heapq.heapify(heap)
        self._steps = [1] * len(self.orders)
        for _ in rounds_while(lambda: bool(heap), self._check_cancelled):
            _, _, change, i = heapq.heappop(heap)
            if self._fits(i, change):
                self._add(i, change)
                if following := self._helping(i):
                    heapq.heappush(heap, following)

    def _helping(self, i: int) -> tuple[float, float, int, int] | None:
        order, lots = self.orders[i], self.lots[i]
        more = 1 if lots else order.least
        less = -1 if lots > order.least else -lots
        change = more if lots < order.wanted else less
        # A minimum trade far above the required one is not made, even where it is nearer than none.
        if change == 0 or lots + change > (order.enough if change > 0 else order.most):
            return None
        gain = order.distance(lots) - order.distance(lots + change)
        if gain <= ROUNDING * order.weight:
            return None
        paid = float(self._paid(i, change))
        missing = (self._start[i] - lots) * order.weight
        return (_FIRST if paid <= 0.0 else -_nine_digits(gain / paid)), -missing, change, i

    def _fits(self, i: int, change: int) -> bool:
        order, paid, raised = self.orders[i], self._paid(i, change), self.orders[i].raised(change)
        if change > 0 and (change * order.cost > self._fees or (order.buys and paid > self._purchases)):
            return False
        if raised < ZERO and self._raised + raised < self._required:
            return False
        return change * order.value <= max(self._room, ZERO) and (paid <= ZERO or paid <= self._spare)

    def _add(self, i: int, change: int) -> None:
        order, lots = self.orders[i], self.lots[i]
        if abs(change) == 1:
            whole = math.floor(order.wanted) if change > 0 else math.ceil(order.wanted)
            most = min(self._steps[i], abs(whole - lots))
            if order.buys is (change > 0) and order.cash > ZERO:
                most = min(most, _count(min(self._spare, self._raised - self._required), order.cash))
            if change > 0:
                most = min(most, order.most - lots, self._affordable(order))
            change *= max(1, most)
            self._steps[i] *= 2
        self._move(i, change)


def _gain(order: LotOrder, lots: int) -> Decimal:
    return order.gain(lots)


def _equally_good_lots(order: LotOrder, lots: int) -> int:
    """Lots in a row that free cash, each with the same effect on the objective; 0 where only the next has it."""
    if order.buys:
        return lots - order.least if lots <= order.wanted else 1
    return order.most - lots if lots >= order.wanted else math.floor(order.wanted) - lots


def _nine_digits(value: float) -> float:
    """To nine digits, so that rounding does not decide between lots that are equally good."""
    return float(f"{value:.9g}")


def _count(budget: Decimal, each: Decimal) -> int:
    """How many times a budget pays for one lot."""
    budget = max(budget, ZERO)
    return MOST_LOTS if budget >= MOST_LOTS * each else int(budget // each)
