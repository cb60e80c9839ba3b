"""GetMarketMetrics; nothing is stored."""

from functools import partial

from server.commands.call import Call
from server.execution.process_pool import ProcessPool
from server.services.market_data import MarketData
from server.services.rounds import in_rounds
from server.tasks.market_metrics import metrics


class MarketMetrics:
    """Latest figures of stored bars."""

    def __init__(self, market_data: MarketData, pool: ProcessPool) -> None:
        self._market_data = market_data
        self._pool = pool

    async def latest(self, request: bytes, call: Call) -> bytes:
        """The figures of each symbol."""
        answer, _ = await in_rounds(self._pool, partial(metrics, request), call, self._market_data.collect)
        return answer
