"""The assets with the highest past returns, in equal parts."""

import numpy as np

from domain.backtest.strategies.history import MarketHistory
from domain.backtest.strategies.protocol import FromHistory, LookbackWindow, WithoutDates
from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.errors import InvalidInput
from domain.records import dataclass
from domain.warnings import ResultWarning


@dataclass(frozen=True, slots=True)
class Momentum(WithoutDates, FromHistory):
    """Equal weights of the `top_n` assets by past return (Jegadeesh and Titman 1993).

    The return is that of `lookback_periods`, which end `skip_periods` before the decision. Eligible are members of
    the universe that have a price on every date shown; where they are fewer than `top_n`, all of them are held. Equal
    returns are taken in the order of the symbols of the input. Raises InvalidInput for numbers below 1, 0 and 1.
    """

    lookback_periods: int
    top_n: int
    skip_periods: int = 0
    label: str = "momentum"
    kind: str = "momentum"

    def __post_init__(self) -> None:
        for name, least in (("lookback_periods", 1), ("skip_periods", 0), ("top_n", 1)):
            if getattr(self, name) < least:
                raise InvalidInput(name, f"must be {least} or more, is {getattr(self, name)}")

    @property
    def lookback_window(self) -> LookbackWindow:
        """The periods of the return and those left out."""
        dates = self.lookback_periods + self.skip_periods + 1
        return LookbackWindow(dates, dates)

    def check(
        self, history: MarketHistory, check_cancelled: CancellationCheck = never_cancelled
    ) -> tuple[ResultWarning, ...]:
        """No warnings: it works with any data."""
        return ()

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        """1 / `top_n` in each of the winners, or 1 / their number where they are fewer."""
        eligible = np.flatnonzero(history.eligible)
        end = len(history.dates) - 1 - self.skip_periods
        with np.errstate(over="ignore"):  # a return beyond numbers is higher than all others
            past = history.prices[end, eligible] / history.prices[end - self.lookback_periods, eligible]
        winners = eligible[np.argsort(-past, kind="stable")[: self.top_n]]
        weights = np.zeros(len(history.symbols))
        weights[winners] = 1.0 / max(len(winners), 1)
        return weights
