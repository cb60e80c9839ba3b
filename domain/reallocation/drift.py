"""Residual drift of a choice of lots, to compare choices."""

import math
from collections.abc import Sequence

import numpy as np

from domain.exact import ZERO
from domain.reallocation.lots import LotOrder
from domain.reallocation.orders import Order
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.valuation import Valuation


class Drift:
    """Half the sum of absolute differences of weights to the target, costs paid, as a function of lots (N,)."""

    def __init__(
        self,
        request: ReallocationRequest,
        valuation: Valuation,
        free: Sequence[tuple[Order, LotOrder]],
        fixed: Sequence[Order],
    ) -> None:
        values = dict(valuation.values)
        for order in fixed:
            values[order.symbol] -= order.value
        priced = [symbol for symbol in request.target if symbol in request.market.quotes]
        places = {symbol: i for i, symbol in enumerate(dict.fromkeys([*values, *priced]))}
        self._worth = float(valuation.net_asset_value - sum((order.value * order.rate for order in fixed), ZERO))
        self._values = np.array([float(values.get(symbol, ZERO)) for symbol in places])
        self._target = np.array([request.target.get(symbol, 0.0) for symbol in places])
        self._places = np.array([places[order.symbol] for order, _ in free], dtype=np.intp)
        self._trade = np.array([lot.weight if lot.buys else -lot.weight for _, lot in free])
        self._cost = np.array([float(order.rate) for order, _ in free]) * np.abs(self._trade)

    def __call__(self, lots: Sequence[int]) -> float:
        """Infinite where costs leave nothing."""
        counts = np.array(lots, dtype=np.float64)
        values = self._values.copy()
        values[self._places] += counts * self._trade
        worth = self._worth - float(self._cost @ counts)
        return 0.5 * float(np.abs(values - self._target * worth).sum()) / worth if worth > 0.0 else math.inf
