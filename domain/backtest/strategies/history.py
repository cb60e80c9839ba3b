"""What a strategy knows at a decision: the past and nothing else, so that it cannot see later prices."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.costs.impact import Liquidity


@dataclass(frozen=True, slots=True)
class MarketHistory:
    """What is known when a decision is made. The arrays are copies: no later price can be reached from them."""

    symbols: tuple[str, ...]
    dates: NDArray[np.int32]  # (K,), the last is the day of the decision
    prices: Matrix  # (K, N)
    weights: Vector  # (N,), held now
    periods_per_year: float
    nav: float = 1.0  # net asset value now, in money
    unit_value: float = 1.0  # the same from 1 at the start, without external cash flows
    liquidity: Mapping[str, Liquidity] = field(default_factory=dict)  # known now; empty where no impact asks for it

    @property
    def priced(self) -> NDArray[np.bool_]:
        """Which assets can be bought, (N,): those with a price above 0."""
        result: NDArray[np.bool_] = self.prices[-1] > 0.0
        return result

    @property
    def ineligible(self) -> frozenset[str]:
        """Symbols that cannot be bought, or that have not been listed for all of the dates shown."""
        return frozenset(compress(self.symbols, ~self._eligible))

    def of_eligible(self) -> "MarketHistory":
        """The history of the assets that can be bought and have a price on every date shown."""
        eligible = self._eligible
        if eligible.all():
            return self
        symbols = tuple(compress(self.symbols, eligible))
        liquidity = {symbol: self.liquidity[symbol] for symbol in symbols if symbol in self.liquidity}
        return replace(
            self,
            symbols=symbols,
            prices=self.prices[:, eligible],
            weights=self.weights[eligible],
            liquidity=liquidity,
        )

    def latest(self, most_dates: int | None) -> "MarketHistory":
        """The last `most_dates` of the dates shown, all for None."""
        if most_dates is None or most_dates >= len(self.dates):
            return self
        return replace(self, dates=self.dates[-most_dates:], prices=self.prices[-most_dates:])

    @property
    def _eligible(self) -> NDArray[np.bool_]:
        result: NDArray[np.bool_] = self.priced & ~np.isnan(self.prices).any(axis=0)
        return result
