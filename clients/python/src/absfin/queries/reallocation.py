"""Calls of ReallocationService."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from absfinance.v1 import reallocation_service_pb2 as pb
from absfinance.v1.optimization_pb2 import OptimizeSpec
from absfinance.v1.portfolio_pb2 import Portfolio, TargetWeights, Thresholds
from absfinance.v1.reallocation_pb2 import Direction as DirectionProto
from absfinance.v1.reallocation_pb2 import MarketSnapshot, ReallocationLimits, TradeOff
from absfinance.v1.reallocation_pb2 import Reallocation as ReallocationProto
from absfinance.v1.reallocation_service_pb2_grpc import ReallocationServiceStub

from absfin.choices import Direction, choice
from absfin.costs import Costs, costs_of
from absfin.data import Holdings, Quote, Stored, weights_to_proto
from absfin.queries.base import Rpc, UnaryQuery
from absfin.requests import new_request_id, timestamp
from absfin.results import Reallocation, ReallocationPage


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
    relative_band: float | None = None  # fraction of the target weight
    max_tracking_error_annual: float | None = None  # to the target; needs stored prices
    max_participation: float | None = None  # fraction of the average daily volume
    min_trade_value: float | None = None  # money
    cash_floor: float | None = None  # money
    max_turnover: float | None = None  # one-way, fraction of net asset value
    max_cost_bps: float | None = None  # of net asset value
    cost_aversion: float | None = None  # weight of cost / net asset value beside the distance to the target
    direction: Direction = "both"
    no_new_names: bool = False  # buy only assets that are held
    cash_flow: float | None = None  # money to invest, or to raise where it is negative
    retain_cash: bool = False  # leave the proceeds of sales in cash
    disabled_constraints: Sequence[str] = ()  # labels of constraints that do not count this time
    fx_rates: Mapping[str, float] = field(default_factory=dict)  # units of the portfolio's currency for one
    fractional: bool = False
    commission_bps: float = 0.0
    half_spread_bps: float = 0.0
    costs: Costs | None = None  # instead of commission_bps and half_spread_bps
    horizon_days: int = 1
    label: str = ""  # for people; lists can be filtered by it
    reallocation_id: str = ""  # the {id} of "reallocations/{id}"; chosen by the server if empty
    request_id: str = ""  # a new one if empty
    validate_only: bool = False  # plan, and store nothing

    def __post_init__(self) -> None:
        costs_of(self.costs, self.commission_bps, self.half_spread_bps)
        choice(DirectionProto, "direction", self.direction)

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
                max_cost_bps=self.max_cost_bps,
                fractional=self.fractional,
            ),
            **self._mode_fields(),
            costs=costs_of(self.costs, self.commission_bps, self.half_spread_bps),
            horizon_days=self.horizon_days,
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
        rates = [MarketSnapshot.FxRate(currency=name, rate=rate) for name, rate in self.fx_rates.items()]
        return {"snapshot": MarketSnapshot(assets=[quote.to_proto() for quote in self.market], fx_rates=rates)}

    def _mode_fields(self) -> dict[str, Any]:
        return {
            "cash_flow": self.cash_flow,
            "retain_cash": self.retain_cash,
            "direction": choice(DirectionProto, "direction", self.direction),
            "no_new_names": self.no_new_names,
            "disabled_constraints": self.disabled_constraints,
            "trade_off": None if self.cost_aversion is None else TradeOff(cost_aversion=self.cost_aversion),
        }

    def _target_fields(self) -> dict[str, Any]:
        if self.target is None:
            return {}
        if isinstance(self.target, OptimizeSpec):
            return {"target_optimize": self.target}
        return {"target_weights": TargetWeights(weights=weights_to_proto(self.target))}

    def _thresholds(self) -> Thresholds | None:
        thresholds = {
            "max_utilization": self.max_utilization,
            "drift_band": self.drift_band,
            "relative_band": self.relative_band,
            "max_tracking_error_annual": self.max_tracking_error_annual,
        }
        return Thresholds(**thresholds) if any(one is not None for one in thresholds.values()) else None


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
