"""Limits of an institution: a cap for each asset, a band for each sector, and a limit on turnover."""

from dataclasses import dataclass

import numpy as np
from market import Array

SECTORS = 10
CAP, BAND, TRADES = 10.0, (0.05, 0.15), 0.3
"""Ten times the equal weight; of each sector; one-way turnover."""


@dataclass(frozen=True)
class Limits:
    """The limits of minimum variance beside a sum of one."""

    cap: float
    sectors: Array  # (sectors, N), 1 where the asset is in the sector
    held: Array
    turnover: bool

    @classmethod
    def of(cls, assets: int, *, turnover: bool) -> "Limits":
        """Sectors in turn, and equal weights held."""
        sectors = np.array([[float(i % SECTORS == k) for i in range(assets)] for k in range(SECTORS)])
        return cls(CAP / assets, sectors, np.full(assets, 1.0 / assets), turnover)

    def violation(self, weights: Array) -> float:
        """By how much the worst limit is missed."""
        sums = self.sectors @ weights
        missed = [-weights.min(), weights.max() - self.cap, BAND[0] - sums.min(), sums.max() - BAND[1]]
        if self.turnover:
            missed.append(0.5 * np.abs(weights - self.held).sum() - TRADES)
        return float(max(*missed, abs(weights.sum() - 1.0), 0.0))
