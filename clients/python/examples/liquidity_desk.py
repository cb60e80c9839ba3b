"""Liquidity from a desk of your own: the server asks this program how much of each trade can be done.

Needs a server that asks it (`ABSFIN_LIQUIDITY_TARGET=127.0.0.1:50061 absfin serve`). Arguments: its address, and that
of this program's own service.
"""

import sys
from concurrent import futures

import grpc
from absfin import Client, Holdings, Quote
from absfinance.v1.liquidity_pb2 import LIQUIDITY_STATE_PARTIAL, LIQUIDITY_STATE_SUFFICIENT, LiquidityAssessment
from absfinance.v1.liquidity_service_pb2 import AssessLiquidityRequest, AssessLiquidityResponse
from absfinance.v1.liquidity_service_pb2_grpc import LiquidityServiceServicer, add_LiquidityServiceServicer_to_server

AVAILABLE = 40.0
"""Units of each asset that the book has within the horizon."""


class Desk(LiquidityServiceServicer):
    """The same number of units of every asset."""

    def AssessLiquidity(  # noqa: N802  # gRPC's name
        self, request: AssessLiquidityRequest, context: grpc.ServicerContext
    ) -> AssessLiquidityResponse:
        """What is available, and how long each trade takes at that pace."""
        assessment = LiquidityAssessment()
        for trade in request.trades:
            size = abs(trade.quantity)
            assessment.assets.add(
                symbol=trade.symbol,
                state=LIQUIDITY_STATE_SUFFICIENT if size <= AVAILABLE else LIQUIDITY_STATE_PARTIAL,
                available_quantity=AVAILABLE,
                days_to_trade=size / AVAILABLE,
            )
        return AssessLiquidityResponse(assessment=assessment)


def main(address: str, target: str) -> None:
    """100 A become half A, half B, over two days."""
    own = grpc.server(futures.ThreadPoolExecutor(1))
    add_LiquidityServiceServicer_to_server(Desk(), own)
    own.add_insecure_port(target)
    own.start()
    with Client(address) as client:
        plan = client.reallocate(
            Holdings({"A": 100}),
            [Quote("A", 10.0), Quote("B", 10.0)],
            {"A": 0.5, "B": 0.5},
            max_participation=0.1,
            horizon_days=2,
        )
    own.stop(None).wait()
    for asset in plan.proto.liquidity.assets:
        figures = f"{asset.available_quantity:g} available, {asset.days_to_trade:g} days, score {asset.score:g}"
        print(f"{asset.symbol}: 50 wanted, {figures}")
    for trade in plan.trades:
        print(f"day {trade.day}: {trade.symbol} {trade.quantity:g}")


if __name__ == "__main__":
    main(*(sys.argv[1:] if len(sys.argv) > 2 else ("127.0.0.1:50051", "127.0.0.1:50061")))
