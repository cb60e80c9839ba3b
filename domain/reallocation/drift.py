"""Residual drift of a choice of lots, and its cost and tax where they are weighed, to compare choices."""

import math
from collections.abc import Sequence
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.exact import ZERO
from domain.reallocation.lots import LotOrder
from domain.reallocation.orders import Order
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.tax_weight import WeighedTax
from domain.reallocation.valuation import Valuation
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Drift:
    """Half the sum of absolute differences of weights to the target, costs paid, as a function of lots (J,).

    It is sum(|values + trade lots - target (worth - cost lots)|) / 2 / (worth - cost lots), over all P assets held or
    wanted; order j trades asset places[j], and orders of one asset exclude one another. Money is in the currency of the
    prices. With an aversion to cost the cost as a fraction of the same net asset value, times the aversion, is added;
    so is the tax with an aversion to it, and then the sum may be negative.
    """

    worth: float  # net asset value
    values: Vector  # money in each asset, (P,)
    target: Vector  # weights, (P,)
    places: NDArray[np.intp]  # (J,)
    trade: Vector  # value of a lot, negative to sell, (J,)
    cost_rates: Vector  # cost / traded value, (J,)
    cost_aversion: float = 0.0
    fixed_cost: float = 0.0  # of orders that are done; `worth` is what it leaves
    taxes: WeighedTax = field(default_factory=WeighedTax)

    @classmethod
    def of(
        cls,
        request: ReallocationRequest,
        valuation: Valuation,
        free: Sequence[tuple[str, LotOrder]],
        fixed: Sequence[Order],
        fixed_tax: float = 0.0,
    ) -> "Drift":
        """That of free orders, where the fixed ones, all of them sales, are done."""
        values = dict(valuation.values)
        for order in fixed:
            values[order.symbol] -= order.value
        priced = [symbol for symbol in request.target if symbol in request.market.quotes]
        places = {symbol: i for i, symbol in enumerate(dict.fromkeys([*values, *priced]))}
        cost = sum((order.value * order.rate for order in fixed), ZERO)
        return cls(
            worth=float(valuation.net_asset_value - cost),
            values=np.array([float(values.get(symbol, ZERO)) for symbol in places]),
            target=np.array([request.target.get(symbol, 0.0) for symbol in places]),
            places=np.array([places[symbol] for symbol, _ in free], dtype=np.intp),
            trade=np.array([lot.weight if lot.buys else -lot.weight for _, lot in free]),
            cost_rates=np.array([float(valuation.cost_rates[symbol]) for symbol, _ in free]),
            cost_aversion=request.modes.cost_aversion,
            fixed_cost=float(cost),
            taxes=WeighedTax.of(request.modes.tax_aversion, free, fixed_tax),
        )

    @property
    def costs(self) -> Vector:
        """Cost of a lot, (J,)."""
        return self.cost_rates * np.abs(self.trade)

    def allowance(self, theta: float) -> float:
        """Money that half the distances, (aversion + theta) times the cost and the weighed tax of lots make up where
        this is theta."""
        return theta * self.worth - self.cost_aversion * self.fixed_cost - self.taxes.aversion * self.taxes.fixed

    def floor(self, spare: float) -> float:
        """What no choice is below: 0, or the weighed tax where that can be a benefit; `spare` is cash above its floor.

        Sales are worth no more than what is held, and purchases no more than that and the cash.
        """
        if self.taxes.least == 0.0:
            return 0.0
        most = 2.0 * float(np.abs(self.values).sum()) + max(spare, 0.0)
        cost = float(self.cost_rates.max(initial=0.0)) * most
        return self.taxes.least / (self.worth - cost) if cost < self.worth else -math.inf

    def __call__(self, lots: Sequence[int]) -> float:
        """Infinite where costs leave nothing."""
        counts = np.array(lots, dtype=np.float64)
        values = self.values.copy()
        np.add.at(values, self.places, counts * self.trade)
        cost = float(self.costs @ counts)
        worth = self.worth - cost
        if worth <= 0.0:
            return math.inf
        distance = 0.5 * float(np.abs(values - self.target * worth).sum())
        return (distance + self.cost_aversion * (self.fixed_cost + cost) + self.taxes.weighed(lots)) / worth
