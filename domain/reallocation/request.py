"""The request of a reallocation."""

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal

from domain.checks import finite_number, non_negative, positive
from domain.costs.fees import Fees
from domain.costs.impact import AlmgrenImpact, Liquidity, SquareRootImpact
from domain.costs.linear import BASIS_POINT, LinearCost
from domain.errors import InvalidInput
from domain.market_data.snapshot import LARGEST_AMOUNT, LARGEST_VOLATILITY, SMALLEST_AMOUNT, Snapshot
from domain.portfolio import FULLY_INVESTED_TOLERANCE, Portfolio
from domain.reallocation.cost_benefit import CostBenefitRule
from domain.reallocation.liquidity import LiquidityAssessment
from domain.reallocation.modes import Deviation, Modes
from domain.reallocation.optimal_execution.planned_schedule import ScheduleTerms
from domain.reallocation.tax_terms import TaxAccount
from domain.reallocation.tracking_error import ActiveRisk
from domain.reallocation.volume_shares import VolumeCap
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Distance of a weight from its target above which it is traded; without any, every difference is."""

    max_utilization: float | None = None  # current weight / target weight
    drift_band: float | None = None  # absolute difference of weights
    relative_band: float | None = None  # the same as a fraction of the target weight
    max_tracking_error_annual: float | None = None
    cost_benefit: CostBenefitRule | None = None  # beside the others: what trades must be worth

    @property
    def needs_active_risk(self) -> bool:
        """Whether a tracking error is to be measured."""
        return self.max_tracking_error_annual is not None or self.cost_benefit is not None

    @property
    def any_set(self) -> bool:
        """Whether a threshold of the distance is set."""
        limits = (self.max_utilization, self.drift_band, self.relative_band, self.max_tracking_error_annual)
        return any(limit is not None for limit in limits)

    def __post_init__(self) -> None:
        if self.max_utilization is not None:
            positive("thresholds.max_utilization", self.max_utilization)
        if self.drift_band is not None:
            non_negative("thresholds.drift_band", self.drift_band)
        if self.relative_band is not None:
            non_negative("thresholds.relative_band", self.relative_band)
        if self.max_tracking_error_annual is not None:
            non_negative("thresholds.max_tracking_error_annual", self.max_tracking_error_annual)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a plan; money is in the currency of the prices."""

    max_participation: float | None = None  # of average daily volume, per day
    min_trade_value: float = 0.0
    cash_floor: float = 0.0
    max_turnover: float | None = None  # one-way, as a fraction of net asset value
    fractional: bool = False
    max_cost_bps: float | None = None  # of net asset value

    def __post_init__(self) -> None:
        if self.max_participation is not None and not 0.0 < self.max_participation <= 1.0:
            raise InvalidInput("limits.max_participation", "must be above 0 and at most 1")
        non_negative("limits.min_trade_value", self.min_trade_value)
        finite_number("limits.cash_floor", self.cash_floor)
        if self.max_turnover is not None:
            non_negative("limits.max_turnover", self.max_turnover)
        if self.max_cost_bps is not None:
            non_negative("limits.max_cost_bps", self.max_cost_bps)


MOST_EXECUTION_DAYS = 36_600
"""A hundred years: longer than any order, far below overflow."""


@dataclass(frozen=True, slots=True)
class ImpactTerms:
    """The law of market impact, and the figures of assets that are not to be those of the market."""

    law: SquareRootImpact | AlmgrenImpact
    liquidity: Mapping[str, Liquidity] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.law, AlmgrenImpact) and self.law.execution_days > MOST_EXECUTION_DAYS:
            raise InvalidInput("costs.impact.almgren.execution_days", f"must be at most {MOST_EXECUTION_DAYS}")
        for i, own in enumerate(self.liquidity.values()):
            path = f"costs.liquidity[{i}]"
            if not SMALLEST_AMOUNT <= own.daily_value <= LARGEST_AMOUNT:
                raise InvalidInput(f"{path}.daily_value", f"must be from {SMALLEST_AMOUNT:g} to {LARGEST_AMOUNT:g}")
            if own.volatility_annual is not None and own.volatility_annual > LARGEST_VOLATILITY:
                raise InvalidInput(f"{path}.volatility_annual", f"must be at most {LARGEST_VOLATILITY:g}")


@dataclass(frozen=True, slots=True)
class ReallocationRequest:
    """A portfolio, a market and a target by weights of net asset value; 1 - their sum is cash."""

    portfolio: Portfolio
    market: Snapshot
    target: Mapping[str, float]
    thresholds: Thresholds = field(default_factory=Thresholds)
    limits: Limits = field(default_factory=Limits)
    costs: LinearCost = field(default_factory=LinearCost)
    fees: Fees = field(default_factory=Fees)
    horizon_days: int = 1
    settlement_days: int = 0  # trading days from a sale until its proceeds can be used
    impact: ImpactTerms | None = None
    schedule: ScheduleTerms | None = None
    taxes: TaxAccount = field(default_factory=TaxAccount)
    modes: Modes = field(default_factory=Modes)
    active_risk: ActiveRisk | None = None  # for thresholds that need a tracking error
    liquidity: LiquidityAssessment | None = None  # of a service outside; None is by the volumes of the market
    harvest_only: bool = False  # utilization is within its thresholds: nothing is traded but to harvest losses
    batch_participation: float | None = None  # of average daily volume, per day, of all accounts of a batch together
    shared_volume: Mapping[str, VolumeCap] = field(default_factory=dict)  # of assets whose volume other accounts share
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # that the utilization is summed for
    previous_prices: Mapping[str, Decimal] | None = None  # at the currency rates of the last reallocation
    cash: Decimal = field(init=False)  # after the flow, before any trade

    @property
    def weighs_trades(self) -> bool:
        """Whether lots are chosen by more than distances and costs in proportion to the traded value."""
        limits_cost = self.limits.max_cost_bps is not None
        weighs_impact = self.impact is not None and (self.modes.cost_aversion > 0.0 or limits_cost)
        return self.fees.any or weighs_impact or self.modes.deviation is Deviation.TRACKING_ERROR

    @property
    def max_participation(self) -> float | None:
        """Of average daily volume, per day: the least of the limits of the account and of its batch."""
        limits = [limit for limit in (self.limits.max_participation, self.batch_participation) if limit is not None]
        return min(limits, default=None)

    def __post_init__(self) -> None:
        check_amounts(self.portfolio, self.market)
        object.__setattr__(self, "cash", self.modes.cash_of(self.portfolio))
        if self.thresholds.needs_active_risk and self.active_risk is None:
            tracks = self.thresholds.max_tracking_error_annual is not None
            raise InvalidInput(
                f"thresholds.{'max_tracking_error_annual' if tracks else 'cost_benefit'}",
                "needs market_data, from whose prices a covariance is estimated, or snapshot.correlation",
            )
        self._check_deviation()
        if self.modes.tax_aversion > 0.0 and self.taxes.limits.rates is None:
            raise InvalidInput("trade_off.tax_aversion", "needs limits.tax.short_term_rate and long_term_rate")
        self._check_costs()
        for i, (symbol, weight) in enumerate(self.target.items()):
            finite_number(f"target_weights.weights[{i}].weight", weight)
            if weight < 0.0:
                raise InvalidInput(
                    f"target_weights.weights[{i}].weight", f"must be 0 or more: {symbol} would be sold short"
                )
        total = sum(self.target.values())
        if total > 1.0 + FULLY_INVESTED_TOLERANCE:
            raise InvalidInput("target_weights.weights", f"must sum to 1 or less, sum to {total:.9g}")
        if self.horizon_days < 1:
            raise InvalidInput("horizon_days", "must be 1 or more")

    def _check_deviation(self) -> None:
        if self.modes.deviation is not Deviation.TRACKING_ERROR:
            return
        if self.active_risk is None:
            rule = "needs a covariance: market_data, or snapshot.correlation with volatilities, has one"
            raise InvalidInput("trade_off.deviation", rule)
        held = (symbol for symbol, units in self.portfolio.quantities.items() if units and symbol in self.market.quotes)
        wanted = (symbol for symbol, weight in self.target.items() if weight)
        self.active_risk.check_known([*held, *wanted])

    def _check_costs(self) -> None:
        for i, (symbol, quote) in enumerate(self.market.quotes.items()):
            half = None if quote.spread_bps is None else 0.5 * BASIS_POINT * quote.spread_bps
            rate = self.costs.rate(symbol, half)
            if not rate < 1.0:
                wide = half is not None and half >= 0.5
                path = f"snapshot.assets[{i}].spread_bps" if wide else "costs"
                raise InvalidInput(path, f"costs of {symbol} must be below 10000 bps, are {rate / BASIS_POINT:g}")


def check_amounts(portfolio: Portfolio, market: Snapshot | None = None) -> None:
    """Raises InvalidInput for cash or a holding of more than any account has; its worth is known with a market only."""
    _within("portfolio.cash", portfolio.cash)
    for i, (symbol, quantity) in enumerate(portfolio.quantities.items()):
        field_name = f"portfolio.holdings[{i}].quantity"
        _within(field_name, quantity)
        price = None if market is None else market.price(symbol)
        if price is not None and abs(quantity) * price > LARGEST_AMOUNT:
            raise InvalidInput(field_name, f"{symbol} must be worth at most {LARGEST_AMOUNT:g}")


def _within(name: str, value: float) -> None:
    if abs(value) > LARGEST_AMOUNT:
        raise InvalidInput(name, f"must be at most {LARGEST_AMOUNT:g} in size, is {value:g}")
