"""Result of a backtest."""

from dataclasses import dataclass, replace

from domain.backtest.metrics import Performance
from domain.backtest.record import FailedRebalance, RecordPart
from domain.checks import Vector


@dataclass(frozen=True, slots=True)
class StrategyOutcome:
    """Result of one strategy, or of one benchmark."""

    label: str
    performance: Performance
    commission: float  # in money, like the spread
    spread: float
    rebalances: int
    failures: tuple[FailedRebalance, ...]
    final_units: Vector | None  # (N,); None for a benchmark that is a symbol
    final_cash: float | None
    record: RecordPart | None  # likewise


@dataclass(frozen=True, slots=True)
class BacktestOutcome:
    """Every strategy and benchmark, in the order of the specification."""

    symbols: tuple[str, ...]
    strategies: tuple[StrategyOutcome, ...]
    benchmarks: tuple[StrategyOutcome, ...]

    def without_records(self) -> "BacktestOutcome":
        """The same without the records of the simulations."""
        return replace(
            self,
            strategies=tuple(replace(one, record=None) for one in self.strategies),
            benchmarks=tuple(replace(one, record=None) for one in self.benchmarks),
        )
