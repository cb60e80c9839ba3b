"""A strategy of your own: the server asks this program for the weights of each decision.

Needs a server that may ask it (`ABSFIN_STRATEGY_TARGETS=127.0.0.1:50061 absfin serve`) with the sample data
(`scripts/load_sample_data`). Arguments: its address, and that of this program's own service.
"""

import sys
from concurrent import futures
from datetime import date

import grpc
import numpy as np
from absfin import Client, Stored, strategies
from absfinance.v1.strategy_service_pb2 import DecideRequest, DecideResponse
from absfinance.v1.strategy_service_pb2_grpc import StrategyServiceServicer, add_StrategyServiceServicer_to_server
from absfinance.v1.weight_pb2 import AssetWeight

LONGEST = 200
"""Dates of the moving average."""


class AboveItsAverage(StrategyServiceServicer):
    """An equal part of the account for each asset that is above its average of 200 dates; the rest is cash."""

    def __init__(self) -> None:
        self.decisions = 0

    def Decide(self, request: DecideRequest, context: grpc.ServicerContext) -> DecideResponse:  # noqa: N802  # gRPC's name
        """The weights of one date; the prices end with it."""
        self.decisions += 1
        symbols = request.prices.symbols
        prices = np.array(request.prices.values).reshape(-1, len(symbols))[-LONGEST:]
        above = prices[-1] > prices.mean(axis=0)
        chosen = [AssetWeight(symbol=symbols[j], weight=1.0 / len(symbols)) for j in np.flatnonzero(above)]
        return DecideResponse(weights=chosen)


def main(address: str, target: str) -> None:
    """Three stocks through two falls of the market, decided every month by this program."""
    service = AboveItsAverage()
    own = grpc.server(futures.ThreadPoolExecutor(1))
    add_StrategyServiceServicer_to_server(service, own)
    own.add_insecure_port(target)
    own.start()
    with Client(address) as client:
        done = client.backtest(
            Stored(["JPM", "KO", "XOM"], start=date(2000, 1, 3), end=date(2012, 12, 31)),
            [strategies.remote(target, timeout_seconds=5, label="above its average"), strategies.equal_weight()],
            commission_bps=5,
            wait_seconds=60,
        )
    own.stop(None).wait()
    for result in done.strategies:
        figures = result.metrics
        print(f"{result.label}: {figures['cagr']:.1%} a year, drawdown {figures['max_drawdown']:.1%}")
    print(f"{service.decisions} decisions, {len(done.strategies[0].failed_rebalances)} of them failed")


if __name__ == "__main__":
    main(*(sys.argv[1:] if len(sys.argv) > 2 else ("127.0.0.1:50051", "127.0.0.1:50061")))
