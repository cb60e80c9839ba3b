"""Costs in proportion to the traded notional."""

from collections.abc import Mapping
from dataclasses import field

import numpy as np

from domain.checks import Vector, non_negative
from domain.records import dataclass

BASIS_POINT = 1e-4


@dataclass(frozen=True, slots=True)
class LinearCost:
    """Commission and half-spread in basis points of the two-way notional; single assets may have their own figure."""

    commission_bps: float = 0.0
    half_spread_bps: float = 0.0
    by_symbol_bps: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        non_negative("commission_bps", self.commission_bps)
        non_negative("half_spread_bps", self.half_spread_bps)
        for symbol, cost in self.by_symbol_bps.items():
            non_negative(f"by_asset[{symbol}].cost_bps", cost)

    def rates(self, symbols: tuple[str, ...]) -> Vector:
        """Cost of each asset as a fraction of its traded notional, (N,)."""
        usual = self.commission_bps + self.half_spread_bps
        if not self.by_symbol_bps:
            return np.full(len(symbols), BASIS_POINT * usual)
        return BASIS_POINT * np.array([self.by_symbol_bps.get(symbol, usual) for symbol in symbols])

    def parts(self, symbols: tuple[str, ...]) -> tuple[Vector, Vector]:
        """What each asset's cost is made of, (N,) each: its commission, and its half-spread."""
        if self.by_symbol_bps:
            rates, shares = self.rates(symbols), self.spread_shares(symbols)
            return rates * (1.0 - shares), rates * shares
        # The same for all assets: arrays of a number take less time than operations on arrays.
        rate, share = BASIS_POINT * (self.commission_bps + self.half_spread_bps), self._spread_share
        return np.full(len(symbols), rate * (1.0 - share)), np.full(len(symbols), rate * share)

    def rate(self, symbol: str, half_spread: float | None = None) -> float:
        """Cost of one asset as a fraction of its traded notional; a known half-spread replaces the default."""
        if symbol in self.by_symbol_bps:
            return BASIS_POINT * self.by_symbol_bps[symbol]
        usual = BASIS_POINT * self.half_spread_bps
        return BASIS_POINT * self.commission_bps + (usual if half_spread is None else half_spread)

    def spread_shares(self, symbols: tuple[str, ...]) -> Vector:
        """Which part of each asset's cost is the half-spread, (N,); a figure of its own counts as commission."""
        usual = self._spread_share
        if not self.by_symbol_bps:
            return np.full(len(symbols), usual)
        return np.array([0.0 if symbol in self.by_symbol_bps else usual for symbol in symbols])

    @property
    def _spread_share(self) -> float:
        """Which part of the cost of an asset without a figure of its own is the half-spread."""
        both = self.commission_bps + self.half_spread_bps
        return self.half_spread_bps / both if both > 0.0 else 0.0

    def of_trades(self, symbols: tuple[str, ...], trades: Vector) -> float:
        """Cost of weight changes (N,) as a fraction of net asset value."""
        return float(self.rates(symbols) @ np.abs(trades))
