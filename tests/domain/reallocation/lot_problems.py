"""Random choices of whole lots that are small enough to be tried one by one."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from domain.exact import exact_arithmetic
from domain.reallocation.drift import Drift
from domain.reallocation.gain_curve import GainCurve
from domain.reallocation.lots import ANY_NUMBER, Budgets, LotOrder, keeps
from domain.reallocation.tax_weight import WeighedTax

INFINITE = Decimal("Infinity")


@dataclass(frozen=True)
class LotProblem:
    """Orders of a few assets, up to two of each, and what limits them in sum."""

    drift: Drift
    orders: list[LotOrder]
    budgets: Budgets

    @property
    def nothing(self) -> list[int]:
        """No trade, which keeps all budgets."""
        return [0] * len(self.orders)

    def allowed(self) -> list[list[int]]:
        """All combinations that keep the budgets."""
        with exact_arithmetic():
            return [lots for lots in self._combinations() if keeps(self.orders, self.budgets, lots)]

    def least(self) -> float:
        """The least objective of all combinations that keep the budgets."""
        return min(map(self.drift, self.allowed()))

    def _combinations(self) -> Iterator[list[int]]:
        by_asset: dict[int, list[tuple[int, int]]] = {}
        for j, order in enumerate(self.orders):
            worth = max(float(self.budgets.cash), 0.0) + float(self.drift.values.sum())
            most = min(order.most, int(worth / order.weight) + 1)
            choices = by_asset.setdefault(int(self.drift.places[j]), [(0, 0)])
            choices += [(j, count) for count in range(order.least, most + 1)]
        for choice in itertools.product(*by_asset.values()):
            lots = self.nothing
            for j, count in choice:
                lots[j] = count or lots[j]
            yield lots


def lot_problem(seed: int, limits: set[str], assets: int = 3) -> LotProblem:
    """A problem with some of the limits "turnover", "cost", "purchases", "gain", "late", and "tax" that is weighed.

    With "below" cash is below its floor, with "raised" it must be raised to that.
    """
    draw = random.Random(seed)
    prices = [Decimal(draw.randint(2000, 9000)) / 100 for _ in range(assets)]
    held = [draw.randint(0, 7) for _ in range(assets)]
    cash = Decimal(draw.randint(0, 60000)) / 100
    values = [float(price * units) for price, units in zip(prices, held, strict=True)]
    worth = float(cash) + sum(values)
    target = np.array([draw.random() for _ in range(assets)])
    target *= draw.choice([1.0, 1.0, 0.8]) / target.sum()
    rate = Decimal(draw.choice([0, 10, 500, 2500])) / 10_000
    orders: list[tuple[int, LotOrder]] = []
    for i, (price, units) in enumerate(zip(prices, held, strict=True)):
        wish = (target[i] * worth - values[i]) / float(price)
        for buys in [True, False] if draw.random() < 0.6 else [wish > 0.0]:
            if buys or units:
                orders.append((i, _order(draw, limits, price, units, wish, rate, buys=buys)))
    aversion = draw.choice([0.5, 2.0, 8.0]) if "tax" in limits else 0.0
    drift = Drift(
        worth=worth,
        values=np.array(values),
        target=target,
        places=np.array([i for i, _ in orders], dtype=np.intp),
        trade=np.array([order.weight if order.buys else -order.weight for _, order in orders]),
        cost_rates=np.full(len(orders), float(rate)),
        cost_aversion=draw.choice([0.0, 0.0, 2.0]),
        taxes=WeighedTax.of(aversion, [(str(i), order) for i, order in orders], 0.0),
    )
    part = lambda name, whole: Decimal(draw.randint(1, 40)) / 100 * Decimal(whole) if name in limits else INFINITE  # noqa: E731
    short = Decimal(draw.randint(1, 30000)) / 100 if {"below", "raised"} & limits else Decimal(0)
    budgets = Budgets(
        cash=-short if short else cash,
        required=Decimal(0) if "raised" in limits else -INFINITE,
        turnover=part("turnover", worth),
        cost=part("cost", 0.01 * worth),
        purchases=part("purchases", worth),
        gain=Decimal(draw.choice([0, 10, 60])) if "gain" in limits else INFINITE,
    )
    return LotProblem(drift, [order for _, order in orders], budgets)


def _order(
    draw: random.Random,
    limits: set[str],
    price: Decimal,
    units: int,
    wish: float,
    rate: Decimal,
    *,
    buys: bool,
) -> LotOrder:
    wanted = max(wish if buys else -wish, 0.0)
    late = "late" in limits and not buys
    gains = _curve(draw, units) if not buys and {"gain", "tax"} & limits else None
    tax = None
    if gains is not None and "tax" in limits:
        tax = GainCurve(gains.units, tuple(gain * Decimal("0.3") for gain in gains.gain_per_unit))
    return LotOrder(
        wanted=wanted,
        scalable=wanted,
        most=(draw.choice([ANY_NUMBER, 5]) if buys else units),
        least=draw.choice([1, 1, 1, 3]),
        buys=buys,
        value=price,
        cash=price * (1 + rate if buys else 1 - rate),
        usable=draw.randint(0, units) if late else ANY_NUMBER,
        units=Decimal(1),
        curve=gains,
        tax=tax,
    )


def _curve(draw: random.Random, units: int) -> GainCurve:
    """Two tax lots in any order of gains; the first ends between two units at times."""
    first = Decimal(draw.randint(1, 2 * units)) / 2
    parts = [first, units - first] if first < units else [first]
    return GainCurve(tuple(parts), tuple(Decimal(draw.randint(-40, 40)) for _ in parts))
