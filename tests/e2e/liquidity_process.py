"""LiquidityService in a process of its own. Prints its address, and how often it was called for each line it reads.

With the PEM files of a key and of a certificate as arguments it speaks TLS.

An asset with a name of one letter has 40 units available. A longer name among the trades says how the service behaves:
HANG never answers, ERROR and DENIED return an error, DOWN is unavailable, BUSY is so twice out of three times, and the
names of `NONSENSE` send what cannot be true. tests/e2e/node_liquidity/service.mjs answers the same.
"""

import math
import sys
import threading
from collections.abc import Callable
from concurrent import futures
from pathlib import Path

import grpc
from absfinance.v1 import liquidity_service_pb2_grpc
from absfinance.v1.liquidity_pb2 import (
    LIQUIDITY_STATE_PARTIAL,
    LIQUIDITY_STATE_SUFFICIENT,
    LIQUIDITY_STATE_UNSPECIFIED,
    LiquidityAssessment,
)
from absfinance.v1.liquidity_service_pb2 import AssessLiquidityRequest, AssessLiquidityResponse

AVAILABLE = 40.0

Asset = LiquidityAssessment.Asset
Assets = list[Asset]


def asset_of(trade: AssessLiquidityRequest.Trade) -> Asset:
    size = abs(trade.quantity)
    return Asset(
        symbol=trade.symbol,
        state=LIQUIDITY_STATE_SUFFICIENT if size <= AVAILABLE else LIQUIDITY_STATE_PARTIAL,
        available_quantity=AVAILABLE,
        average_daily_volume=400.0,
        participation=size / 400.0,
        days_to_trade=size / AVAILABLE,
        score=min(1.0, AVAILABLE / size),
    )


def changed(assets: Assets, **figures: object) -> Assets:
    """The assets, the first with other figures; None clears one."""
    first = Asset.FromString(assets[0].SerializeToString())
    for name, value in figures.items():
        if value is None:
            first.ClearField(name)
        else:
            setattr(first, name, value)
    return [first, *assets[1:]]


NONSENSE: dict[str, Callable[[Assets], Assets]] = {
    "NEGATIVE": lambda all_of: changed(all_of, days_to_trade=-1.0),
    "NAN": lambda all_of: changed(all_of, available_quantity=math.nan),
    "INFINITE": lambda all_of: changed(all_of, average_daily_volume=math.inf),
    "SCORE": lambda all_of: changed(all_of, score=1.5),
    "OTHER": lambda all_of: [*all_of, *changed(all_of[:1], symbol="ELSEWHERE")],
    "MISSING": lambda all_of: all_of[1:],
    "TWICE": lambda all_of: [all_of[0], *all_of],
    "STATELESS": lambda all_of: changed(all_of, state=LIQUIDITY_STATE_UNSPECIFIED),
    "CLAIMED": lambda all_of: changed(all_of, state=LIQUIDITY_STATE_SUFFICIENT, available_quantity=1.0),
    "WITHOUT": lambda all_of: changed(all_of, available_quantity=None),
    "LARGE": lambda all_of: [*all_of, Asset(symbol="x" * (5 << 20))],
}
ERRORS = {
    "ERROR": grpc.StatusCode.INTERNAL,
    "DENIED": grpc.StatusCode.PERMISSION_DENIED,
    "DOWN": grpc.StatusCode.UNAVAILABLE,
}


class Desk(liquidity_service_pb2_grpc.LiquidityServiceServicer):
    def __init__(self) -> None:
        self.calls = 0
        self.busy = 0
        self.ended = threading.Event()

    def AssessLiquidity(  # noqa: N802  # gRPC's name
        self, request: AssessLiquidityRequest, context: grpc.ServicerContext
    ) -> AssessLiquidityResponse:
        self.calls += 1
        kind = next((trade.symbol for trade in request.trades if len(trade.symbol) > 1), "")
        if kind == "HANG":
            self.ended.wait(60.0)
        if kind == "BUSY":
            self.busy = (self.busy + 1) % 3
        code = grpc.StatusCode.UNAVAILABLE if kind == "BUSY" and self.busy else ERRORS.get(kind)
        if code is not None:
            context.abort(code, "SECRET of the desk")
        assets = [asset_of(trade) for trade in request.trades]
        assets = NONSENSE[kind](assets) if kind in NONSENSE else assets
        return AssessLiquidityResponse(assessment=LiquidityAssessment(state=LIQUIDITY_STATE_PARTIAL, assets=assets))


def main() -> None:
    server, desk = grpc.server(futures.ThreadPoolExecutor(8)), Desk()
    liquidity_service_pb2_grpc.add_LiquidityServiceServicer_to_server(desk, server)
    if sys.argv[1:]:
        key, certificate = (Path(name).read_bytes() for name in sys.argv[1:3])
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"127.0.0.1:{port}", flush=True)  # noqa: T201  # for the test
    for _ in sys.stdin:
        print(desk.calls, flush=True)  # noqa: T201  # for the test
    desk.ended.set()
    server.stop(None).wait()


if __name__ == "__main__":
    main()
