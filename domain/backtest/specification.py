"""Specification of a backtest, without its data."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from domain.backtest.rebalancing import Calendar, Rebalancing
from domain.backtest.strategies import Optimized, Strategy
from domain.checks import finite_number, frequency, positive, visible_symbol
from domain.costs.linear import LinearCost
from domain.errors import InvalidInput
from domain.market_data.missing import MissingDataPolicy


class Fill(StrEnum):
    """The close at which a decision is executed."""

    NEXT_CLOSE = "NEXT_CLOSE"
    SAME_CLOSE = "SAME_CLOSE"  # the price the decision was made with: for comparison with other engines


@dataclass(frozen=True, slots=True)
class BenchmarkSymbol:
    """A benchmark asset, bought at the start and held, without costs."""

    symbol: str
    label: str = ""

    @property
    def name(self) -> str:
        """Label in the results."""
        return self.label or self.symbol


@dataclass(frozen=True, slots=True)
class BacktestSpecification:
    """Strategies, rules, costs and benchmarks of a backtest. Raises InvalidInput for a field that breaks its rule."""

    strategies: tuple[Strategy, ...]
    rebalancing: Rebalancing = field(default_factory=Calendar)
    fill: Fill = Fill.NEXT_CLOSE
    lag_periods: int = 0
    costs: LinearCost = field(default_factory=LinearCost)
    cash_rate_annual: float = 0.0
    initial_capital: float = 1.0
    benchmarks: tuple[BenchmarkSymbol | Strategy, ...] = ()
    missing_data: MissingDataPolicy = MissingDataPolicy.FAIL
    periods_per_year: float | None = None
    risk_free_rate_annual: float = 0.0
    minimum_acceptable_return_annual: float = 0.0
    listed: bool = False  # whether error paths name a single strategy as the first of a list

    def __post_init__(self) -> None:
        positive("initial_capital", self.initial_capital)
        finite_number("costs.cash_rate_annual", self.cash_rate_annual)
        if self.periods_per_year is not None:
            frequency("periods_per_year", self.periods_per_year)
        if not self.strategies:
            raise InvalidInput("strategies", "must name at least one strategy")
        for i, benchmark in enumerate(self.benchmarks):
            if isinstance(benchmark, BenchmarkSymbol):
                visible_symbol(f"benchmarks[{i}].symbol", benchmark.symbol)
        labels = [strategy.label for strategy in self.strategies]
        labels += [b.name if isinstance(b, BenchmarkSymbol) else b.label for b in self.benchmarks]
        for label, count in Counter(labels).items():
            if count > 1:
                raise InvalidInput("strategies", f"the label {label!r} is used twice")

    @property
    def delay(self) -> int:
        """Dates between a decision and its fill."""
        return self.lag_periods + (0 if self.fill is Fill.SAME_CLOSE else 1)

    def missing_groups(self) -> tuple[str, ...]:
        """Groups that constraints name and `groups` does not list."""
        found: list[str] = []
        for strategy in self._all_strategies():
            if isinstance(strategy, Optimized):
                found.extend(strategy.specification.missing_groups())
        return tuple(dict.fromkeys(found))

    def with_groups(self, groups: Mapping[str, tuple[str, ...]]) -> "BacktestSpecification":
        """The same specification with further groups, by name."""

        def listed(strategy: Strategy) -> Strategy:
            if not isinstance(strategy, Optimized):
                return strategy
            return replace(strategy, specification=strategy.specification.with_groups(groups))

        return replace(
            self,
            strategies=tuple(map(listed, self.strategies)),
            benchmarks=tuple(b if isinstance(b, BenchmarkSymbol) else listed(b) for b in self.benchmarks),
        )

    def _all_strategies(self) -> list[Strategy]:
        return [*self.strategies, *(b for b in self.benchmarks if not isinstance(b, BenchmarkSymbol))]
