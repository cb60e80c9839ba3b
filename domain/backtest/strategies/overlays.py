"""Overlays: strategies that scale the weights of another one; the rest is cash.

The base sees the account as it is: its limits on turnover and its costs count from the weights that the account holds,
which are scaled.
"""

import math
from dataclasses import replace
from typing import Self

import numpy as np

from domain.backtest.strategies.history import MarketHistory
from domain.backtest.strategies.inside import check_inner, decide_inner
from domain.backtest.strategies.protocol import DecisionWarning, FromHistory, LookbackWindow, Strategy
from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import LARGEST_LEVERAGE, Vector, figure, positive
from domain.errors import InvalidInput, MissingMarketData
from domain.records import dataclass
from domain.warnings import ResultWarning

FLOOR_TOLERANCE = 1e-12
"""How far a unit value may be below the floor of a CPPI by rounding alone."""

FLOOR_BROKEN = "FLOOR_BROKEN"
"""Reason of the warning of a CPPI below its floor, which has decided all the same."""

FEWEST_RETURNS = 2
"""Fewest returns of a sample volatility."""


@dataclass(frozen=True, slots=True)
class Overlay(FromHistory):
    """What is asked of the base, which decides when and says what is wrong with it."""

    base: Strategy

    @property
    def base_path(self) -> str:
        """Field path of the base, from this strategy on."""
        return f"base.{self.base.kind}"

    def with_base(self, base: Strategy) -> Self:
        """The same over another base."""
        return replace(self, base=base)

    @property
    def lookback_window(self) -> LookbackWindow:
        """That of the base."""
        return self.base.lookback_window.under(self.base_path)

    def own_dates(self) -> tuple[int, ...]:
        """Those of the base."""
        return self.base.own_dates()

    def check(
        self, history: MarketHistory, check_cancelled: CancellationCheck = never_cancelled
    ) -> tuple[ResultWarning, ...]:
        """What the base says about its own specification. Raises InvalidInput with its path."""
        return check_inner(self.base, self.base_path, history, check_cancelled)


@dataclass(frozen=True, slots=True)
class VolatilityTarget(Overlay):
    """The weights of `base` times min(target / realised volatility, `max_leverage`).

    Realised is the annualised sample volatility of the returns that the weights of `base` would have had over the
    lookback, held constant. Where an asset of `base` was not listed on all of its dates, those dates count on which
    each asset has a return. Raises InvalidInput for figures outside their range.
    """

    target_annual: float
    lookback_periods: int
    max_leverage: float = 1.0
    label: str = "volatility target"
    kind: str = "volatility_target"

    def __post_init__(self) -> None:
        positive("target_annual", self.target_annual)
        positive("max_leverage", figure("max_leverage", self.max_leverage, LARGEST_LEVERAGE))
        if self.lookback_periods < FEWEST_RETURNS:
            raise InvalidInput("lookback_periods", f"must be {FEWEST_RETURNS} or more, is {self.lookback_periods}")

    @property
    def lookback_window(self) -> LookbackWindow:
        """Its own lookback and the window of the base."""
        dates = self.lookback_periods + 1
        return LookbackWindow(dates, dates).joined(self.base.lookback_window.under(self.base_path))

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        """Scaled weights. Raises MissingMarketData where fewer than two dates have a return of each asset."""
        weights = decide_inner(self.base, self.base_path, history, check_cancelled)
        held = (weights != 0.0) & history.priced
        prices = history.prices[-self.lookback_periods - 1 :, held]
        with np.errstate(over="ignore", invalid="ignore"):
            returns = (prices[1:] / prices[:-1] - 1.0) @ weights[held]
        returns = returns[~np.isnan(returns)]
        if len(returns) < FEWEST_RETURNS:
            raise MissingMarketData(
                f"fewer than {FEWEST_RETURNS} of the last {self.lookback_periods} periods have a return of each asset "
                "that the base holds"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            realised = float(returns.std(ddof=1)) * math.sqrt(history.periods_per_year)
        if math.isnan(realised):  # of returns beyond numbers
            realised = math.inf
        scaled: Vector = weights * self.factor(realised)
        return scaled

    def factor(self, realised_annual: float) -> float:
        """What weights are multiplied by; `max_leverage` at a realised volatility of 0."""
        if realised_annual * self.max_leverage <= self.target_annual:
            return self.max_leverage
        return self.target_annual / realised_annual


@dataclass(frozen=True, slots=True)
class Cppi(Overlay):
    """Constant proportion portfolio insurance (Black and Jones 1987): exposure min(m (V - floor), V) to `base`.

    V is the value of one unit of the account, from 1 at the start and without external cash flows; `floor` is a
    fraction of that start. Raises InvalidInput for a floor outside (0, 1) or a multiplier below 1.
    """

    floor: float
    multiplier: float
    label: str = "cppi"
    kind: str = "cppi"

    def __post_init__(self) -> None:
        if not 0.0 < self.floor < 1.0:
            raise InvalidInput("floor", f"must be above 0 and below 1, is {self.floor:g}")
        if not 1.0 <= self.multiplier < math.inf:
            raise InvalidInput("multiplier", f"must be 1 or more, is {self.multiplier:g}")

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        """The weights of the base times the exposure; 0 at the floor and below it, where the base is not asked."""
        exposure = self.exposure(history.unit_value)
        if exposure == 0.0:
            return np.zeros(len(history.symbols))
        weights: Vector = exposure * decide_inner(self.base, self.base_path, history, check_cancelled)
        return weights

    def exposure(self, unit_value: float) -> float:
        """Fraction of the account that is in the base."""
        cushion = unit_value - self.floor
        if cushion <= FLOOR_TOLERANCE:
            return 0.0
        return min(self.multiplier * cushion / unit_value, 1.0)

    def warning(self, history: MarketHistory) -> DecisionWarning | None:
        """FLOOR_BROKEN below the floor: a loss between two decisions was larger than 1 / multiplier."""
        if history.unit_value >= self.floor - FLOOR_TOLERANCE:
            return None
        return DecisionWarning(
            FLOOR_BROKEN,
            f"the value fell below the floor of {self.floor:g} of the start between two decisions: from here on "
            f"{self.label} holds cash alone while it is below it",
        )
