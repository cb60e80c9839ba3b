"""Calls of LiquidityService."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from absfinance.v1 import liquidity_service_pb2 as pb
from absfinance.v1.liquidity_service_pb2_grpc import LiquidityServiceStub

from absfin.liquidity import Liquidity
from absfin.queries.base import Rpc, UnaryQuery


@dataclass(frozen=True)
class AssessLiquidityQuery(UnaryQuery[Liquidity]):
    """Whether trades in units by symbol, negative for sales, can be done, by stored volume.

    Raises MissingMarketData for symbols that are not stored.
    """

    RPC: ClassVar = Rpc(LiquidityServiceStub, "AssessLiquidity")

    trades: Mapping[str, float]
    _: KW_ONLY
    max_participation: float | None = None  # fraction of the average daily volume, 0.1 if None
    horizon_days: int = 1  # trading days

    def request(self) -> pb.AssessLiquidityRequest:
        """The trades."""
        trades = [
            pb.AssessLiquidityRequest.Trade(symbol=symbol, quantity=quantity)
            for symbol, quantity in self.trades.items()
        ]
        return pb.AssessLiquidityRequest(
            trades=trades, max_participation=self.max_participation, horizon_days=self.horizon_days
        )

    def answer(self, response: pb.AssessLiquidityResponse) -> Liquidity:
        """The assessment."""
        return Liquidity.from_proto(response.assessment)
