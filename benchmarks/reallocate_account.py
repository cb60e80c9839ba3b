"""Random accounts with tax lots, of a fixed seed."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from market import returns
from numpy.typing import NDArray

DATE = dt.date(2024, 6, 3)
LOTS = 3
"""Of each holding."""


@dataclass(frozen=True)
class Lot:
    """One purchase."""

    symbol: str
    units: float
    unit_cost: float
    purchase_date: dt.date


@dataclass(frozen=True)
class Account:
    """Figures by asset, in the order of the symbols."""

    symbols: list[str]
    prices: list[float]
    volumes: list[float]  # shares a day
    spreads_bps: list[float]
    target: list[float]
    held: list[float]
    cash: float
    worth: float
    lots: list[Lot]

    @property
    def assets(self) -> int:
        """How many."""
        return len(self.symbols)

    @property
    def tax_lots(self) -> int:
        """How many."""
        return len(self.lots)

    @cached_property
    def covariance(self) -> NDArray[np.float64]:
        """Annual."""
        covariance: NDArray[np.float64] = 252.0 * np.cov(returns(self.assets).T)
        return covariance


def large_account(assets: int, seed: int = 1, worth: float = 1e7) -> Account:
    """Near its target by a factor of about 1.5 for each asset; prices and target are the same for every seed."""
    market, draw = np.random.default_rng(1), np.random.default_rng(seed)
    prices = np.round(np.exp(market.normal(4.0, 0.8, assets)), 2)
    target = market.dirichlet(np.full(assets, 3.0))
    spreads = market.choice([2.0, 4.0, 10.0], assets)
    share = target * np.exp(draw.normal(0.0, 0.4, assets))
    held = np.floor(0.97 * worth * share / share.sum() / prices)
    symbols = [f"S{i}" for i in range(assets)]
    lots = []
    for symbol, units, price in zip(symbols, held, prices, strict=True):
        parts = [units // LOTS] * (LOTS - 1) + [units - (LOTS - 1) * (units // LOTS)]
        costs = np.round(price * draw.uniform(0.5, 1.3, LOTS), 2)
        dates = [dt.date(2023 - k, 3, 1) for k in range(LOTS)]
        lots += [Lot(symbol, float(u), float(c), d) for u, c, d in zip(parts, costs, dates, strict=True) if u]
    return Account(
        symbols,
        prices.tolist(),
        np.round(2e6 / prices).tolist(),
        spreads.tolist(),
        target.tolist(),
        held.tolist(),
        round(worth - float(held @ prices), 2),
        worth,
        lots,
    )
