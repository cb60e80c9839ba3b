"""Joins a table that arrives in parts."""

from typing import Any

import numpy as np
from absfinance.v1.backtest_service_pb2 import GetBacktestSeriesResponse
from absfinance.v1.market_data_service_pb2 import GetPricesResponse

from absfin.data import Panel


class PanelAssembler:
    """Collects the rows of a table: a header with the symbols, then blocks of rows."""

    def __init__(self) -> None:
        self._symbols: tuple[str, ...] = ()
        self._dates: list[int] = []
        self._rows: list[Any] = []

    def add(self, part: GetPricesResponse | GetBacktestSeriesResponse) -> None:
        """Takes the next part."""
        if part.WhichOneof("part") == "header":
            self._symbols = tuple(part.header.symbols)
            return
        self._dates.extend(part.rows.dates)
        self._rows.append(np.frombuffer(part.rows.values.data, "<f8").reshape(tuple(part.rows.values.shape)))

    def result(self) -> Panel:
        """The whole table, (T, N); a series that is not by asset has one column, "value"."""
        return Panel(self._symbols or ("value",), np.asarray(self._dates, np.int32), np.concatenate(self._rows))
