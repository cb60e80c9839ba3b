"""Calls of ReallocationService."""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from absfinance.v1 import reallocation_service_pb2 as pb
from absfinance.v1.cost_pb2 import CostModel
from absfinance.v1.optimization_pb2 import OptimizeSpec
from absfinance.v1.portfolio_pb2 import TargetWeights, Thresholds
from absfinance.v1.reallocation_pb2 import MarketSnapshot, ReallocationLimits
from absfinance.v1.reallocation_pb2 import Reallocation as ReallocationProto
from absfinance.v1.reallocation_service_pb2_grpc import ReallocationServiceStub

from absfin.data import Holdings, Quote, Stored, weights_to_proto
from absfin.queries.base import Rpc, UnaryQuery
from absfin.requests import new_request_id
from absfin.results import Reallocation


@dataclass(frozen=True)
class ReallocateQuery(UnaryQuery[Reallocation]):
    """The trades that take a portfolio to target weights (fractions of net asset value).

    `portfolio` is holdings in units, or the name of a stored portfolio; `target` may be an optimisation (see
    `strategies.spec`), and without it the mandate of the stored portfolio holds.
    """

    RPC: ClassVar = Rpc(ReallocationServiceStub, "Reallocate")

    portfolio: Holdings | str
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
    horizon_days: int = 1
    request_id: str = ""  # a new one if empty
    validate_only: bool = False

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
            ),
            costs=CostModel(commission_bps=self.commission_bps, half_spread_bps=self.half_spread_bps),
            horizon_days=self.horizon_days,
            request_id=self.request_id or new_request_id(),
            validate_only=self.validate_only,
        )

    def answer(self, response: ReallocationProto) -> Reallocation:
        """The trades."""
        return Reallocation.from_proto(response)

    def _portfolio_fields(self) -> dict[str, Any]:
        if isinstance(self.portfolio, str):
            return {"portfolio_name": self.portfolio}
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
