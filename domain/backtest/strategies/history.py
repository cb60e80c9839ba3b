"""What a strategy knows at a decision: the past and nothing else, so that it cannot see later prices."""

from collections.abc import Collection, Mapping
from dataclasses import field, replace
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.costs.impact import Liquidity
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class MarketHistory:
    """What is known when a decision is made. The arrays are copies: no later price can be reached from them."""

    symbols: tuple[str, ...]
    dates: NDArray[np.int32]  # (K,), the last is the day of the decision
    prices: Matrix  # (K, N)
    weights: Vector  # (N,), held now
    periods_per_year: float
    nav: float = 1.0  # net asset value now, in money
    unit_value: float = 1.0  # of one unit of the account, 1 at the start; external cash flows do not change it
    members: NDArray[np.bool_] | None = None  # (N,), the universe on the day of the decision; None for all assets
    liquidity: Mapping[str, Liquidity] = field(default_factory=dict)  # known now; empty where nothing asks for it

    @property
    def priced(self) -> NDArray[np.bool_]:
        """Which assets have a price above 0, (N,)."""
        result: NDArray[np.bool_] = self.prices[-1] > 0.0
        return result

    @property
    def holdable(self) -> NDArray[np.bool_]:
        """Which assets may have a weight, (N,): members of the universe with a price above 0."""
        return self.priced if self.members is None else self.priced & self.members

    @property
    def eligible(self) -> NDArray[np.bool_]:
        """Which assets may have a weight and have been listed for all of the dates shown, (N,)."""
        result: NDArray[np.bool_] = self.holdable & self._complete
        return result

    def of_eligible(self, factors: Collection[str] = ()) -> tuple["MarketHistory", frozenset[str]]:
        """The history of the eligible assets and of factors, which need not be members, and the symbols left out."""
        eligible: NDArray[np.bool_] = self.eligible
        if factors and self.members is not None:
            eligible = eligible | (np.isin(self.symbols, list(factors)) & self.priced & self._complete)
        if eligible.all():
            return self, frozenset()
        symbols = tuple(compress(self.symbols, eligible))
        shown = replace(
            self,
            symbols=symbols,
            prices=self.prices[:, eligible],
            weights=self.weights[eligible],
            members=None,
            liquidity={symbol: self.liquidity[symbol] for symbol in symbols if symbol in self.liquidity},
        )
        return shown, frozenset(compress(self.symbols, ~eligible))

    def of_members(self, weights: Vector) -> Vector:
        """The weights, 0 for assets that are no members of the universe."""
        return weights if self.members is None else np.where(self.members, weights, 0.0)

    def of_part(self, weights: Vector, share: float, unit_value: float) -> "MarketHistory":
        """What a part sees that has a share of the net asset value, as if it were the account."""
        return replace(self, weights=weights.copy(), nav=self.nav * share, unit_value=unit_value)

    def latest(self, most_dates: int | None) -> "MarketHistory":
        """The last `most_dates` of the dates shown, all for None."""
        if most_dates is None or most_dates >= len(self.dates):
            return self
        return replace(self, dates=self.dates[-most_dates:], prices=self.prices[-most_dates:])

    @property
    def _complete(self) -> NDArray[np.bool_]:
        return np.asarray(~np.isnan(self.prices).any(axis=0))
