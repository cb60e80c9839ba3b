"""AssessLiquidity, always by stored volume; nothing is stored."""

from functools import partial

from server.commands.call import Call
from server.execution.process_pool import ProcessPool
from server.services.market_data import MarketData
from server.services.rounds import in_rounds
from server.tasks.market_metrics import assessment


class Liquidity:
    """Assesses trades."""

    def __init__(self, market_data: MarketData, pool: ProcessPool) -> None:
        self._market_data = market_data
        self._pool = pool

    async def assess(self, request: bytes, call: Call) -> bytes:
        """The assessment."""
        answer, _ = await in_rounds(self._pool, partial(assessment, request), call, self._market_data.collect)
        return answer
