"""How a channel is opened, the same for both twins."""

from collections.abc import Iterable
from importlib import resources
from typing import Any

import numpy as np
from absfinance.v1.backtest_service_pb2 import GetBacktestSeriesResponse
from absfinance.v1.market_data_service_pb2 import GetPricesResponse

from absfin.data import Panel

DEFAULT_TARGET = "127.0.0.1:50051"

# Calls that may be repeated are sent again where the server is not there yet, drains, or is busy. Those that change
# something carry a request id, so that a call which did arrive is not carried out twice.
_RETRIED = resources.files("absfinance").joinpath("service_config.json").read_text("utf-8")

OPTIONS: list[tuple[str, Any]] = [
    ("grpc.service_config", _RETRIED),
    ("grpc.keepalive_time_ms", 30_000),
    # A user's proxy variables must not catch a server on this machine.
    ("grpc.enable_http_proxy", 0),
]


class PanelAssembler:
    """Puts the pieces of a streamed table together."""

    def __init__(self) -> None:
        self._symbols: tuple[str, ...] = ()
        self._dates: list[int] = []
        self._rows: list[Any] = []

    def add(self, piece: GetPricesResponse | GetBacktestSeriesResponse) -> None:
        """Takes the next piece."""
        if piece.WhichOneof("part") == "header":
            self._symbols = tuple(piece.header.symbols)
            return
        self._dates.extend(piece.rows.dates)
        self._rows.append(np.frombuffer(piece.rows.values.data, "<f8").reshape(tuple(piece.rows.values.shape)))

    def panel(self) -> Panel:
        """The whole table."""
        return Panel(self._symbols or ("value",), np.asarray(self._dates, np.int32), np.concatenate(self._rows))


def assemble(pieces: Iterable[GetPricesResponse | GetBacktestSeriesResponse]) -> Panel:
    """The table of a stream of pieces."""
    assembler = PanelAssembler()
    for piece in pieces:
        assembler.add(piece)
    return assembler.panel()
