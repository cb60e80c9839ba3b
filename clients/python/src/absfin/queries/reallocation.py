"""Calls of ReallocationService."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date, datetime
from itertools import chain
from typing import Any, ClassVar

from absfinance.v1 import reallocation_service_pb2 as pb
from absfinance.v1.backtest_pb2 import Strategy
from absfinance.v1.optimization_pb2 import OptimizeSpec
from absfinance.v1.portfolio_pb2 import Portfolio, TargetWeights, Thresholds
from absfinance.v1.reallocation_pb2 import Direction as DirectionProto
from absfinance.v1.reallocation_pb2 import LiquidityAllocation as LiquidityAllocationProto
from absfinance.v1.reallocation_pb2 import MarketSnapshot, ReallocationLimits, TradeOff
from absfinance.v1.reallocation_pb2 import Reallocation as ReallocationProto
from absfinance.v1.reallocation_pb2 import ReallocationState as ReallocationStateProto
from absfinance.v1.reallocation_service_pb2_grpc import ReallocationServiceStub

from absfin.choices import Deviation, Direction, LiquidityAllocation, ReallocationState, choice
from absfin.costs import Costs, costs_of
from absfin.data import Holdings, Quote, Stored, date_to_proto, groups_to_proto, weights_to_proto
from absfin.errors import AbsFinanceError, error_from_status
from absfin.fills import Fill, RecordedFills, last_prices_to_proto
from absfin.queries.base import Rpc, StreamQuery, UnaryQuery
from absfin.requests import new_request_id, timestamp
from absfin.results import Reallocation, ReallocationPage
from absfin.schedules import AlmgrenChriss
from absfin.taxes import OtherPurchase, RecentTrade, TaxLimits

Target = Mapping[str, float] | OptimizeSpec | Strategy
"""Weights by symbol, an optimisation, or a service that decides."""


@dataclass(frozen=True)
class PortfolioAccount:
    """A portfolio of a batch; what it has of its own takes the place of what all of them share."""

    key: str
    portfolio: Holdings | Portfolio | str  # as that of `ReallocateQuery`
    target: Mapping[str, float] | None = None
    thresholds: Thresholds | None = None
    limits: ReallocationLimits | None = None
    _: KW_ONLY
    direction: Direction = "both"
    cash_flow: float | None = None  # money to invest, or to raise where it is negative
    disabled_constraints: Sequence[str] = ()  # labels of constraints that do not count for it
    recent_trades: Iterable[RecentTrade] = ()
    other_purchases: Iterable[OtherPurchase] = ()
    priority: int = 0  # of a batch that divides volume by priority: 0 comes before 1
    allow_crossing: bool | None = None  # whether it may trade with others of the batch; as all of them if None

    def __post_init__(self) -> None:
        choice(DirectionProto, "direction", self.direction)

    def to_proto(self) -> pb.ReallocateBatchRequest:
        """The message."""
        account = pb.ReallocateBatchRequest.Account(
            key=self.key,
            **portfolio_fields(self.portfolio),
            **target_fields(self.target),
            thresholds=self.thresholds,
            limits=self.limits,
            direction=choice(DirectionProto, "direction", self.direction),
            cash_flow=self.cash_flow,
            disabled_constraints=self.disabled_constraints,
            recent_trades=[trade.to_proto() for trade in self.recent_trades],
            other_purchases=[purchase.to_proto() for purchase in self.other_purchases],
            priority=self.priority,
            allow_crossing=self.allow_crossing,
        )
        return pb.ReallocateBatchRequest(account=account)


def portfolio_fields(portfolio: Holdings | Portfolio | str) -> dict[str, Any]:
    """The field that has a portfolio."""
    if isinstance(portfolio, str):
        return {"portfolio_name": portfolio}
    if isinstance(portfolio, Portfolio):
        return {"portfolio": portfolio}
    return {"portfolio": portfolio.to_proto()}


def market_fields(
    market: Stored | Iterable[Quote],
    fx_rates: Mapping[str, float],
    previous_fx_rates: Mapping[str, float],
    correlation: Sequence[Sequence[float]] = (),
) -> dict[str, Any]:
    """The field that has a market."""
    if isinstance(market, Stored):
        return {"market_data": market.to_proto()}
    rates = [
        MarketSnapshot.FxRate(currency=name, rate=rate, previous_rate=previous_fx_rates.get(name))
        for name, rate in fx_rates.items()
    ]
    quotes, rows = [quote.to_proto() for quote in market], [float(each) for row in correlation for each in row]
    return {"snapshot": MarketSnapshot(assets=quotes, fx_rates=rates, correlation=rows)}


def target_fields(target: Target | None) -> dict[str, Any]:
    """The field that has a target; none without one."""
    if target is None:
        return {}
    if isinstance(target, Strategy):
        if target.WhichOneof("kind") != "remote":
            raise ValueError("a target by a strategy is one of strategies.remote")
        return {"target_strategy": target.remote}
    if isinstance(target, OptimizeSpec):
        return {"target_optimize": target}
    return {"target_weights": TargetWeights(weights=weights_to_proto(target))}


@dataclass(frozen=True)
class ReallocateQuery(UnaryQuery[Reallocation]):
    """The trades that take a portfolio to target weights (fractions of net asset value).

    `portfolio` is holdings in units, a portfolio message, or the name of a stored portfolio. `target` may be an
    optimisation (see `strategies.spec`), or a decision of a service of your own (see `strategies.remote`; it is told
    the label of the reallocation); without it the mandate of the portfolio holds.
    """

    RPC: ClassVar = Rpc(ReallocationServiceStub, "Reallocate")

    portfolio: Holdings | Portfolio | str
    market: Stored | Iterable[Quote]
    target: Target | None = None
    _: KW_ONLY
    max_utilization: float | None = None
    drift_band: float | None = None  # fraction of net asset value
    relative_band: float | None = None  # fraction of the target weight
    max_tracking_error_annual: float | None = None  # to the target; needs stored prices
    cost_benefit: tuple[float, int] | None = None  # risk aversion, and days over which costs count; needs stored prices
    groups: Mapping[str, Iterable[str]] = field(default_factory=dict)  # that the utilization is summed for
    max_participation: float | None = None  # fraction of the average daily volume
    min_trade_value: float | None = None  # money
    cash_floor: float | None = None  # money
    max_turnover: float | None = None  # one-way, fraction of net asset value
    max_cost_bps: float | None = None  # of net asset value
    cost_aversion: float | None = None  # weight of cost / net asset value beside the distance to the target
    tax_aversion: float | None = None  # the same of the tax; needs both rates
    deviation: Deviation = "drift"  # the distance that is made small; a tracking error needs a covariance
    correlation: Sequence[Sequence[float]] = ()  # of the returns of quotes with volatilities, in their order
    direction: Direction = "both"
    no_new_names: bool = False  # buy only assets that are held
    cash_flow: float | None = None  # money to invest, or to raise where it is negative
    retain_cash: bool = False  # leave the proceeds of sales in cash
    disabled_constraints: Sequence[str] = ()  # labels of constraints that do not count this time
    fx_rates: Mapping[str, float] = field(default_factory=dict)  # units of the portfolio's currency for one
    previous_fx_rates: Mapping[str, float] = field(default_factory=dict)  # when the portfolio was last at its target
    fractional: bool = False
    commission_bps: float = 0.0
    half_spread_bps: float = 0.0
    costs: Costs | None = None  # instead of commission_bps and half_spread_bps
    horizon_days: int = 1  # trading days
    settlement_days: int | None = None  # trading days from a sale until its proceeds can be used, 0 if None
    schedule: AlmgrenChriss | None = None  # spreads the trades over the horizon
    tax: TaxLimits | None = None  # each holding then needs tax lots
    as_of_date: date | None = None  # of the plan; today in UTC if None
    recent_trades: Iterable[RecentTrade] = ()
    other_purchases: Iterable[OtherPurchase] = ()
    label: str = ""  # for people; lists can be filtered by it
    reallocation_id: str = ""  # the {id} of "reallocations/{id}"; chosen by the server if empty
    request_id: str = ""  # a new one if empty
    validate_only: bool = False  # plan, and store nothing

    def __post_init__(self) -> None:
        costs_of(self.costs, self.commission_bps, self.half_spread_bps)
        choice(DirectionProto, "direction", self.direction)
        choice(TradeOff.Deviation, "deviation", self.deviation)
        if self.correlation and isinstance(self.market, Stored):
            raise ValueError("correlation is that of quotes: stored prices have their own")

    def request(self) -> pb.ReallocateRequest:
        """One reallocation."""
        return pb.ReallocateRequest(
            **portfolio_fields(self.portfolio),
            **market_fields(self.market, self.fx_rates, self.previous_fx_rates, self.correlation),
            **target_fields(self.target),
            groups=groups_to_proto(self.groups),
            thresholds=self._thresholds(),
            limits=ReallocationLimits(
                max_participation=self.max_participation,
                min_trade_value=self.min_trade_value,
                cash_floor=self.cash_floor,
                max_turnover=self.max_turnover,
                max_cost_bps=self.max_cost_bps,
                fractional=self.fractional,
                tax=None if self.tax is None else self.tax.to_proto(),
            ),
            **self._mode_fields(),
            costs=costs_of(self.costs, self.commission_bps, self.half_spread_bps),
            horizon_days=self.horizon_days,
            settlement_days=self.settlement_days,
            schedule=None if self.schedule is None else self.schedule.to_proto(),
            as_of_date=date_to_proto(self.as_of_date),
            recent_trades=[trade.to_proto() for trade in self.recent_trades],
            other_purchases=[purchase.to_proto() for purchase in self.other_purchases],
            label=self.label,
            reallocation_id=self.reallocation_id,
            request_id=self.request_id or new_request_id(),
            validate_only=self.validate_only,
        )

    def answer(self, response: ReallocationProto) -> Reallocation:
        """The trades."""
        return Reallocation.from_proto(response)

    def _mode_fields(self) -> dict[str, Any]:
        return {
            "cash_flow": self.cash_flow,
            "retain_cash": self.retain_cash,
            "direction": choice(DirectionProto, "direction", self.direction),
            "no_new_names": self.no_new_names,
            "disabled_constraints": self.disabled_constraints,
            "trade_off": self._trade_off(),
        }

    def _trade_off(self) -> TradeOff | None:
        if self.cost_aversion is None and self.tax_aversion is None and self.deviation == "drift":
            return None
        deviation = choice(TradeOff.Deviation, "deviation", self.deviation)
        return TradeOff(cost_aversion=self.cost_aversion, tax_aversion=self.tax_aversion, deviation=deviation)

    def _thresholds(self) -> Thresholds | None:
        thresholds = Thresholds(
            max_utilization=self.max_utilization,
            drift_band=self.drift_band,
            relative_band=self.relative_band,
            max_tracking_error_annual=self.max_tracking_error_annual,
        )
        if self.cost_benefit is not None:
            thresholds.cost_benefit.risk_aversion, thresholds.cost_benefit.horizon_days = self.cost_benefit
        return thresholds if thresholds.ListFields() else None


@dataclass(frozen=True)
class GetReallocationQuery(UnaryQuery[Reallocation]):
    """A stored reallocation by its name, "reallocations/{id}". Raises NotFound."""

    RPC: ClassVar = Rpc(ReallocationServiceStub, "GetReallocation")

    name: str

    def request(self) -> pb.GetReallocationRequest:
        """The name."""
        return pb.GetReallocationRequest(name=self.name)

    def answer(self, response: ReallocationProto) -> Reallocation:
        """The trades."""
        return Reallocation.from_proto(response)


@dataclass(frozen=True)
class ListReallocationsQuery(UnaryQuery[ReallocationPage]):
    """A page of stored reallocations, newest first; of one portfolio, "portfolios/{id}", if it is named."""

    RPC: ClassVar = Rpc(ReallocationServiceStub, "ListReallocations")

    page_size: int = 50
    page_token: str = ""
    _: KW_ONLY
    portfolio: str = ""
    label: str = ""
    start_create_time: datetime | None = None  # in UTC if without a time zone
    end_create_time: datetime | None = None
    state: ReallocationState | None = None  # all if None
    all: bool = False  # those of everybody, for admins; each summary then has its owner

    def __post_init__(self) -> None:
        if self.state is not None:
            choice(ReallocationStateProto, "state", self.state)

    def request(self) -> pb.ListReallocationsRequest:
        """The page."""
        return pb.ListReallocationsRequest(
            page_size=self.page_size,
            page_token=self.page_token,
            portfolio=self.portfolio,
            label=self.label,
            start_create_time=timestamp(self.start_create_time),
            end_create_time=timestamp(self.end_create_time),
            state=None if self.state is None else choice(ReallocationStateProto, "state", self.state),
            all=self.all,
        )

    def answer(self, response: pb.ListReallocationsResponse) -> ReallocationPage:
        """The summaries of the page."""
        return ReallocationPage(tuple(response.reallocations), response.next_page_token)


@dataclass(frozen=True)
class DeleteReallocationQuery(UnaryQuery[None]):
    """Removes a stored reallocation. Raises NotFound."""

    RPC: ClassVar = Rpc(ReallocationServiceStub, "DeleteReallocation")

    name: str

    def request(self) -> pb.DeleteReallocationRequest:
        """The name."""
        return pb.DeleteReallocationRequest(name=self.name)

    def answer(self, response: pb.DeleteReallocationResponse) -> None:
        """Nothing."""


@dataclass(frozen=True)
class RecordFillsQuery(UnaryQuery[RecordedFills]):
    """Records what was traded: holdings, tax lots and cash of the stored portfolio change.

    `name` is a plan, "reallocations/{id}", or a portfolio, "portfolios/{id}". A fill that is recorded already changes
    nothing. Raises NotFound, EtagMismatch if an etag is given and is no longer current, and InvalidInput.
    """

    RPC: ClassVar = Rpc(ReallocationServiceStub, "RecordFills")

    name: str
    fills: Iterable[Fill]
    _: KW_ONLY
    last_prices: Mapping[str, float] = field(default_factory=dict)  # for what a plan left unfilled
    etag: str = ""  # of the portfolio that was read; any version if empty
    fees_in_gains: bool = False  # fees raise costs and lower proceeds in gains

    def request(self) -> pb.RecordFillsRequest:
        """The fills."""
        return pb.RecordFillsRequest(
            **{"portfolio" if self.name.startswith("portfolios/") else "reallocation": self.name},
            etag=self.etag,
            fills=[fill.to_proto() for fill in self.fills],
            last_prices=last_prices_to_proto(self.last_prices),
            fees_in_gains=self.fees_in_gains,
        )

    def answer(self, response: pb.RecordFillsResponse) -> RecordedFills:
        """The portfolio after them."""
        return RecordedFills.from_proto(response)


@dataclass(frozen=True)
class ReallocateBatchQuery(StreamQuery[tuple[str, Reallocation | AbsFinanceError]]):
    """Many portfolios in one market: the key of each with its plan or its error, in the order they are found.

    Without a target the mandate of each stored portfolio holds. Nothing is stored. With `limits.max_participation` the
    portfolios share the volume of each asset, and with `allow_crossing` they may trade with each other: then the first
    answer comes after the last account was sent, and keys must be different.
    """

    RPC: ClassVar = Rpc(ReallocationServiceStub, "ReallocateBatch")

    market: Stored | Iterable[Quote]
    accounts: Iterable[PortfolioAccount]
    target: Mapping[str, float] | OptimizeSpec | None = None
    _: KW_ONLY
    thresholds: Thresholds | None = None
    limits: ReallocationLimits | None = None
    costs: Costs | None = None
    horizon_days: int = 1
    fx_rates: Mapping[str, float] = field(default_factory=dict)  # units of the portfolio's currency for one
    previous_fx_rates: Mapping[str, float] = field(default_factory=dict)  # when they were last at their targets
    settlement_days: int | None = None  # trading days from a sale until its proceeds can be used, 0 if None
    as_of_date: date | None = None  # of the plans; today in UTC if None
    liquidity_allocation: LiquidityAllocation | None = None  # of shared volume; pro rata if None
    allow_crossing: bool | None = None  # of accounts that do not say so themselves; no crosses at all if None

    def __post_init__(self) -> None:
        if self.liquidity_allocation is not None:
            choice(LiquidityAllocationProto, "liquidity_allocation", self.liquidity_allocation)

    def request(self) -> Iterator[pb.ReallocateBatchRequest]:
        """What all portfolios share, then each of them."""
        shared = pb.ReallocateBatchRequest.Shared(
            **market_fields(self.market, self.fx_rates, self.previous_fx_rates),
            **target_fields(self.target),
            thresholds=self.thresholds,
            limits=self.limits,
            costs=self.costs,
            horizon_days=self.horizon_days,
            settlement_days=self.settlement_days,
            as_of_date=date_to_proto(self.as_of_date),
            liquidity_allocation=self._allocation(),
            allow_crossing=self.allow_crossing,
        )
        return chain([pb.ReallocateBatchRequest(shared=shared)], (one.to_proto() for one in self.accounts))

    def _allocation(self) -> str | None:
        rule = self.liquidity_allocation
        return None if rule is None else choice(LiquidityAllocationProto, "liquidity_allocation", rule)

    def answer(self, response: pb.ReallocateBatchResponse) -> tuple[str, Reallocation | AbsFinanceError]:
        """The outcome of one portfolio."""
        if response.WhichOneof("outcome") == "error":
            return response.key, error_from_status(response.error)
        return response.key, Reallocation.from_proto(response.result)
