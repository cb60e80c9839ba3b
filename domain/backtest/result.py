"""Result of a backtest."""

from dataclasses import fields, replace
from enum import StrEnum

from domain.backtest.metrics import Performance
from domain.backtest.path_attribution import PathAttribution
from domain.backtest.record import FailedRebalance, RecordPart
from domain.backtest.return_tables import BenchmarkComparison, ReturnTables
from domain.backtest.selection import Selection
from domain.checks import Vector
from domain.records import dataclass
from domain.risk.figure import Absent, Figure
from domain.significance.timing_luck import TimingLuck
from domain.significance.validation import Validation
from domain.warnings import ResultWarning


@dataclass(frozen=True, slots=True)
class CostTotals:
    """What was paid, in money, by kind."""

    commission: float = 0.0
    spread: float = 0.0
    impact: float = 0.0
    fixed: float = 0.0
    borrow: float = 0.0
    financing: float = 0.0
    management_fee: float = 0.0
    performance_fee: float = 0.0
    withholding: float = 0.0

    @property
    def total(self) -> float:
        """All of them."""
        return float(sum(getattr(self, one.name) for one in fields(self)))


@dataclass(frozen=True, slots=True)
class ReconciledNav:
    """How the final net asset value came about, in money: start + flows + gains - costs = end."""

    start_nav: float
    flows: float
    gains: float  # of prices, dividends before withholding, and interest; without the uncovered loss
    costs: float
    end_nav: float
    uncovered_loss: float = 0.0  # what losses took beyond the whole net asset value: the lender's, in no other figure


class AssetEventKind(StrEnum):
    """What happened to an asset."""

    SPLIT = "SPLIT"
    CASH_DIVIDEND = "CASH_DIVIDEND"
    DELISTING = "DELISTING"
    MARGIN_CALL = "MARGIN_CALL"
    LISTING = "LISTING"
    HALT_BEGIN = "HALT_BEGIN"
    HALT_END = "HALT_END"
    WORTHLESS = "WORTHLESS"


@dataclass(frozen=True, slots=True)
class AssetEvent:
    """What happened to an asset, and what it did to the position."""

    day: int  # since 1970-01-01
    symbol: str
    kind: AssetEventKind
    quantity_before: float
    quantity_after: float
    cash: float  # received; negative where it was paid


@dataclass(frozen=True, slots=True)
class StrategyOutcome:
    """Result of one strategy, or of one benchmark."""

    label: str
    performance: Performance
    costs: CostTotals
    rebalances: int
    failures: tuple[FailedRebalance, ...]
    final_units: Vector | None = None  # (N,); None for a benchmark that is a symbol, like all that follows
    final_cash: float | None = None
    final_nav: float | None = None
    money_weighted_return: Figure | None = None  # of the whole period
    bankrupt_day: int | None = None  # since 1970-01-01
    convention_difference: float | None = None  # final net asset value less that by exact conventions; None for those
    reconciliation: ReconciledNav | None = None
    asset_events: tuple[AssetEvent, ...] = ()
    asset_event_count: int = 0  # those included that are left out where there are very many
    warnings: tuple[ResultWarning, ...] = ()
    attribution: PathAttribution | None = None  # of a strategy, where it was asked for
    validation: Validation | None = None  # of a strategy; None for a benchmark
    timing_luck: TimingLuck | Absent | None = None  # likewise
    record: RecordPart | None = None
    return_tables: ReturnTables | None = None
    comparisons: tuple[BenchmarkComparison, ...] = ()  # with each benchmark; none of a benchmark itself
    selection: Selection | None = None  # of a strategy that selects among others


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
