"""Calls of ReallocationService."""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from absfinance.v1 import reallocation_service_pb2 as pb
from absfinance.v1.optimization_pb2 import OptimizeSpec
from absfinance.v1.portfolio_pb2 import Portfolio, TargetWeights, Thresholds
from absfinance.v1.reallocation_pb2 import MarketSnapshot, ReallocationLimits
from absfinance.v1.reallocation_pb2 import Reallocation as ReallocationProto
from absfinance.v1.reallocation_service_pb2_grpc import ReallocationServiceStub

from absfin.costs import Costs, costs_of
from absfin.data import Holdings, Quote, Stored, date_to_proto, weights_to_proto
from absfin.queries.base import Rpc, UnaryQuery
from absfin.requests import new_request_id, timestamp
from absfin.results import Reallocation, ReallocationPage
from absfin.taxes import OtherPurchase, RecentTrade, TaxLimits


@dataclass(frozen=True)
class ReallocateQuery(UnaryQuery[Reallocation]):
    """The trades that take a portfolio to target weights (fractions of net asset value).

    `portfolio` is holdings in units, a portfolio message, or the name of a stored portfolio. `target` may be an
    optimisation (see `strategies.spec`); without it the mandate of the portfolio holds.
    """

    RPC: ClassVar = Rpc(ReallocationServiceStub, "Reallocate")

    portfolio: Holdings | Portfolio | str
    market: Stored | Iterable[Quote]
    target: Mapping[str, float] | OptimizeSpec | None = None
    _: KW_ONLY
    max_utilization: float | None = None
    drift_band: float | None = None  # fraction of net asset value
    max_participation: float | None = None  # fraction of the average daily volume
    min_trade_value: float | None = None  # money
    cash_floor: float | None = None  # money
    max_turnover: float | None = None  # one-way, fraction of net asset value
    fractional: bool = False
    commission_bps: float = 0.0
    half_spread_bps: float = 0.0
    costs: Costs | None = None  # instead of commission_bps and half_spread_bps
    horizon_days: int = 1
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

    def request(self) -> pb.ReallocateRequest:
        """One reallocation."""
        return pb.ReallocateRequest(
            **self._portfolio_fields(),
            **self._market_fields(),
            **self._target_fields(),
            thresholds=self._thresholds(),
            limits=ReallocationLimits(
                max_participation=self.max_participation,
                min_trade_value=self.min_trade_value,
                cash_floor=self.cash_floor,
                max_turnover=self.max_turnover,
                fractional=self.fractional,
                tax=None if self.tax is None else self.tax.to_proto(),
            ),
            costs=costs_of(self.costs, self.commission_bps, self.half_spread_bps),
            horizon_days=self.horizon_days,
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

    def _portfolio_fields(self) -> dict[str, Any]:
        if isinstance(self.portfolio, str):
            return {"portfolio_name": self.portfolio}
        if isinstance(self.portfolio, Portfolio):
            return {"portfolio": self.portfolio}
        return {"portfolio": self.portfolio.to_proto()}

    def _market_fields(self) -> dict[str, Any]:
        if isinstance(self.market, Stored):
            return {"market_data": self.market.to_proto()}
        return {"snapshot": MarketSnapshot(assets=[quote.to_proto() for quote in self.market])}

    def _target_fields(self) -> dict[str, Any]:
        if self.target is None:
            return {}
        if isinstance(self.target, OptimizeSpec):
            return {"target_optimize": self.target}
        return {"target_weights": TargetWeights(weights=weights_to_proto(self.target))}

    def _thresholds(self) -> Thresholds | None:
        if self.max_utilization is None and self.drift_band is None:
            return None
        return Thresholds(max_utilization=self.max_utilization, drift_band=self.drift_band)


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

    def request(self) -> pb.ListReallocationsRequest:
        """The page."""
        return pb.ListReallocationsRequest(
            page_size=self.page_size,
            page_token=self.page_token,
            portfolio=self.portfolio,
            label=self.label,
            start_create_time=timestamp(self.start_create_time),
            end_create_time=timestamp(self.end_create_time),
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
