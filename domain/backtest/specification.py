"""Specification of a backtest, without its data."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import field, replace
from enum import StrEnum

from domain.backtest.attribution_request import AttributionRequest
from domain.backtest.cash_flows import CashFlow, RecurringCashFlow
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.strategies import Blend, Optimized, Remote, Select, Strategy
from domain.backtest.strategies.decision_log import DecisionLog, DecisionService
from domain.backtest.strategies.nesting import replaced, with_inner
from domain.backtest.strategies.remote import RunDecisions
from domain.backtest.universe import Universe
from domain.checks import finite_number, frequency, positive, visible_symbol
from domain.costs.holding import HoldingCosts
from domain.costs.model import CostModel
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CorporateAction, Delisting, DelistingPolicy, DividendPolicy, PriceBasis
from domain.market_data.missing import MissingDataPolicy
from domain.records import dataclass
from domain.significance.settings import ValidationSettings


class Fill(StrEnum):
    """The price at which a decision is executed."""

    NEXT_CLOSE = "NEXT_CLOSE"
    NEXT_OPEN = "NEXT_OPEN"
    SAME_CLOSE = "SAME_CLOSE"  # the price the decision was made with: for comparison with other engines


class Conventions(StrEnum):
    """Whose conventions of trading are used."""

    EXACT = "EXACT"  # exactly self-financing
    BT = "BT"
    VECTORBT = "VECTORBT"


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
    rebalancing: Rebalancing = field(default_factory=Rebalancing)
    fill: Fill = Fill.NEXT_CLOSE
    lag_periods: int = 0
    max_participation: float | None = None  # of the value traded in the market on a date, for each asset
    costs: CostModel = field(default_factory=CostModel)
    holding_costs: HoldingCosts = field(default_factory=HoldingCosts)
    charge_initial_purchase: bool = True
    initial_capital: float = 1.0  # cash; beside the initial holdings where there are some
    initial_holdings: Mapping[str, float] = field(default_factory=dict)  # units
    fractional_holdings: bool = True
    cash_flows: tuple[CashFlow, ...] = ()
    recurring_cash_flows: tuple[RecurringCashFlow, ...] = ()
    corporate_actions: tuple[CorporateAction, ...] = ()
    stored_actions: tuple[CorporateAction, ...] = ()  # beside those; see domain/backtest/stored_actions
    benchmark_actions: tuple[CorporateAction, ...] = ()  # stored ones of benchmarks that are no symbols of the input
    price_basis: PriceBasis = PriceBasis.ADJUSTED
    dividend_policy: DividendPolicy = DividendPolicy.CASH
    withholding_rate: float = 0.0
    delisting_policy: DelistingPolicy = DelistingPolicy.FAIL
    maintenance_ratio: float | None = None  # least equity / gross exposure; None for no margin account
    conventions: Conventions = Conventions.EXACT
    universe: Universe | None = None  # assets that may be held by date; all of them if None
    benchmarks: tuple[BenchmarkSymbol | Strategy, ...] = ()
    missing_data: MissingDataPolicy = MissingDataPolicy.FAIL
    periods_per_year: float | None = None
    risk_free_rate_annual: float | None = None  # None: what cash earns in the account
    minimum_acceptable_return_annual: float = 0.0
    attribution: AttributionRequest | None = None  # against the first benchmark; none if None
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    listed: bool = False  # whether error paths name a single strategy as the first of a list

    def __post_init__(self) -> None:
        if not self.initial_holdings:
            positive("initial_capital", self.initial_capital)
        for i, (symbol, quantity) in enumerate(self.initial_holdings.items()):
            finite_number(f"initial_holdings[{i}].quantity", quantity)
            if not self.fractional_holdings and quantity != round(quantity):
                rule = f"must be a whole number of units of {symbol} without fractional_holdings, is {quantity:g}"
                raise InvalidInput(f"initial_holdings[{i}].quantity", rule)
        if not 0.0 <= self.withholding_rate <= 1.0:
            raise InvalidInput("withholding_rate", f"must be from 0 to 1, is {self.withholding_rate:g}")
        if self.maintenance_ratio is not None and not 0.0 < self.maintenance_ratio <= 1.0:
            raise InvalidInput(
                "margin.maintenance_ratio", f"must be above 0 and at most 1, is {self.maintenance_ratio:g}"
            )
        self._check_sleeves()
        self._check_selections()
        if self.has_states and self.missing_data not in (MissingDataPolicy.FAIL, MissingDataPolicy.ASSET_STATES):
            rule = f"must be ASSET_STATES, or left out, with delistings: with {self.missing_data} there are none"
            raise InvalidInput("missing_data", rule)
        self._refuse_dividend_rules_without_dividends()
        self._refuse_limits_without_rebalancing()
        if self.max_participation is not None:
            positive("execution.max_participation", self.max_participation)
            if self.max_participation > 1.0:
                rule = f"must be at most 1, all of the value traded in a day, is {self.max_participation:g}"
                raise InvalidInput("execution.max_participation", rule)
        if self.periods_per_year is not None:
            frequency("periods_per_year", self.periods_per_year)
        if not self.strategies:
            raise InvalidInput("strategies", "must name at least one strategy")
        for i, benchmark in enumerate(self.benchmarks):
            if isinstance(benchmark, BenchmarkSymbol):
                visible_symbol(f"benchmarks[{i}].symbol", benchmark.symbol)
        self._require_distinct_labels()

    def _require_distinct_labels(self) -> None:
        """Raises InvalidInput at the second strategy or benchmark with a label."""
        labels = [(f"strategies[{i}].label", strategy.label) for i, strategy in enumerate(self.strategies)]
        for i, benchmark in enumerate(self.benchmarks):
            is_symbol = isinstance(benchmark, BenchmarkSymbol)
            name = "symbol" if is_symbol and not benchmark.label else "label"
            label = benchmark.name if isinstance(benchmark, BenchmarkSymbol) else benchmark.label
            labels.append((f"benchmarks[{i}].{name}", label))
        known = set[str]()
        for path, label in labels:
            if label in known:
                rule = f"must differ from those of other strategies and benchmarks: {label!r} is used twice"
                raise InvalidInput(path, rule)
            known.add(label)

    def _check_sleeves(self) -> None:
        """Raises InvalidInput for what has no meaning with parts of a blend that decide on dates of their own."""
        for outer, strategy in self.outer_strategies():
            for path, one in with_inner(strategy, outer):
                if not isinstance(one, Blend) or not one.has_sleeves:
                    continue
                field = next((f"{path}.parts[{i}].rebalancing" for i, p in enumerate(one.parts) if p.rebalancing), "")
                field = f"{path}.rebalancing" if one.rebalancing is not None else field
                if path != outer:
                    raise InvalidInput(field, "must be absent in a blend that is inside another strategy")
                if self.rebalancing.band is not None or self.rebalancing.flows_only:
                    rule = "must be absent with a drift band and with flows_only, which look at the account as a whole"
                    raise InvalidInput(field, rule)
                if self.rebalancing.tranches > 1:
                    raise InvalidInput(field, "must be absent with tranches, which have dates of their own")

    def _check_selections(self) -> None:
        """Raises InvalidInput for a selection inside another strategy, and for candidates that a service decides."""
        for outer, strategy in self.outer_strategies():
            for path, one in with_inner(strategy, outer):
                if isinstance(one, Select) and path != outer:
                    raise InvalidInput(path, "must not be inside another strategy: a selection is the outermost one")
                if isinstance(one, Select) and self.rebalancing.min_periods_between > 1:
                    rule = "must be absent with a selection, which chooses on all dates of decision: give fewer dates"
                    raise InvalidInput("rebalancing.min_periods_between", rule)
                if isinstance(one, Remote) and isinstance(strategy, Select):
                    rule = "must not be a candidate: the service would be asked for an account that nobody holds"
                    raise InvalidInput(path, rule)

    def _refuse_dividend_rules_without_dividends(self) -> None:
        """Raises InvalidInput for what is to happen to dividends where the prices contain them all."""
        if self.price_basis is not PriceBasis.ADJUSTED:
            return
        rule = "has no effect with price_basis ADJUSTED: prices contain all dividends; SPLIT_ADJUSTED prices do not"
        if self.withholding_rate > 0.0:
            raise InvalidInput("withholding_rate", rule)
        if self.dividend_policy is not DividendPolicy.CASH:
            raise InvalidInput("dividend_policy", rule)

    def _refuse_limits_without_rebalancing(self) -> None:
        """Raises InvalidInput for limits of rebalancing where nothing follows the first purchase."""
        rules = self.rebalancing
        if not isinstance(rules.schedule, BuyAndHold) or rules.band is not None or rules.flows_only:
            return
        # Dates of a schedule, and those of a blend, are beside the rule of the request.
        if any(strategy.own_dates() or isinstance(strategy, Blend) for _, strategy in self.outer_strategies()):
            return
        limits = {
            "min_periods_between": rules.min_periods_between > 1,
            # Initial holdings are rebalanced once; only the purchase from cash alone has no limit.
            "max_turnover": rules.max_turnover is not None and not self.initial_holdings,
        }
        for name, is_given in limits.items():
            if is_given:
                raise InvalidInput(
                    f"rebalancing.{name}", "has no effect with never: nothing follows the first purchase"
                )

    @property
    def delay(self) -> int:
        """Dates between a decision and its fill."""
        return self.lag_periods + (0 if self.fill is Fill.SAME_CLOSE else 1)

    @property
    def has_states(self) -> bool:
        """Whether a gap in the prices can be a state of an asset: not listed, halted or delisted."""
        return (
            self.missing_data is MissingDataPolicy.ASSET_STATES
            or self.delisting_policy is not DelistingPolicy.FAIL
            or (
                bool(self.corporate_actions or self.stored_actions)
                and any(isinstance(action.event, Delisting) for action in self.all_actions)
            )
        )

    @property
    def all_actions(self) -> tuple[CorporateAction, ...]:
        """Corporate actions of the specification, then stored ones."""
        return (*self.corporate_actions, *self.stored_actions)

    @property
    def allows_leverage(self) -> bool:
        """Whether strategies may hold shorts or borrow money: all may, the margin account says how far."""
        return self.maintenance_ratio is not None

    def needs_liquidity(self, symbols: Collection[str]) -> bool:
        """Whether an impact is paid or planned with, or the participation of an asset whose daily value is not given.

        `symbols` are those of the input.
        """
        if self.max_participation is not None and not self.costs.liquidity.keys() >= set(symbols):
            return True
        planned = (one.specification.costs for _, one in self.strategies_by_path() if isinstance(one, Optimized))
        return any(model is not None and model.impact is not None for model in (self.costs, *planned))

    def missing_groups(self) -> tuple[str, ...]:
        """Groups that constraints name and `groups` does not list."""
        named = [
            group
            for _, strategy in self.strategies_by_path()
            if isinstance(strategy, Optimized)
            for group in strategy.specification.missing_groups()
        ]
        if self.rebalancing.band is not None:
            named.extend(self.rebalancing.band.by_group)
        return tuple(dict.fromkeys(named))

    def with_groups(self, groups: Mapping[str, tuple[str, ...]]) -> "BacktestSpecification":
        """The same specification with further groups, by name."""
        if not groups:
            return self

        def listed(_: str, strategy: Strategy) -> Strategy:
            if not isinstance(strategy, Optimized):
                return strategy
            return replace(strategy, specification=strategy.specification.with_groups(groups))

        return self.with_each(listed)

    def with_stored_labels(self, labels: Mapping[str, tuple[str, ...]]) -> "BacktestSpecification":
        """The same with labels of stored instruments, by "kind=name", to attribute by."""
        if self.attribution is None or not labels:
            return self
        return replace(self, attribution=self.attribution.with_stored_labels(labels))

    def with_decisions(self, service: DecisionService, log: DecisionLog) -> "BacktestSpecification":
        """The same specification for one run, in which a service makes the decisions of remote strategies."""

        def bound(path: str, strategy: Strategy) -> Strategy:
            if not isinstance(strategy, Remote):
                return strategy
            return replace(strategy, decisions=RunDecisions(service, log, path))

        return self.with_each(bound)

    def outer_strategies(self) -> list[tuple[str, Strategy]]:
        """Strategies, then benchmarks that are strategies, each with its field path."""
        listed = self.listed or len(self.strategies) > 1
        found = [
            (f"{f'strategies[{i}]' if listed else 'strategy'}.{strategy.kind}", strategy)
            for i, strategy in enumerate(self.strategies)
        ]
        found += [
            (f"benchmarks[{i}].strategy.{benchmark.kind}", benchmark)
            for i, benchmark in enumerate(self.benchmarks)
            if not isinstance(benchmark, BenchmarkSymbol)
        ]
        return found

    def strategies_by_path(self) -> Iterator[tuple[str, Strategy]]:
        """The same with all strategies inside them, at any depth."""
        for path, strategy in self.outer_strategies():
            yield from with_inner(strategy, path)

    def with_each(self, change: Callable[[str, Strategy], Strategy]) -> "BacktestSpecification":
        """The same specification with each strategy changed; `change` is told its field path."""
        changed = [replaced(strategy, change, path) for path, strategy in self.outer_strategies()]
        strategies, others = changed[: len(self.strategies)], iter(changed[len(self.strategies) :])
        return replace(
            self,
            strategies=tuple(strategies),
            benchmarks=tuple(b if isinstance(b, BenchmarkSymbol) else next(others) for b in self.benchmarks),
        )

    def with_stored_actions(
        self, actions: tuple[CorporateAction, ...], outside: Collection[str] = ()
    ) -> "BacktestSpecification":
        """The same with stored corporate actions beside its own; `outside` are benchmarks that the input has not."""
        if not actions and not self.stored_actions and not self.benchmark_actions:
            return self
        return replace(
            self,
            stored_actions=tuple(action for action in actions if action.symbol not in outside),
            benchmark_actions=tuple(action for action in actions if action.symbol in outside),
        )

    @property
    def is_own_cash_risk_free(self) -> bool:
        """Whether excess returns are over what cash earns in the account: no other risk-free rate is given."""
        cash, given = self.holding_costs.cash, self.risk_free_rate_annual
        return given is None or (not cash.steps and given == cash.constant)
