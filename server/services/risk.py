"""AnalyzeRisk, EstimateRiskModel, Attribute, CompareStrategies and charts; nothing is stored."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from server.commands.call import Call
from server.execution.process_pool import ProcessPool
from server.services.market_data import MarketData
from server.services.rounds import in_rounds
from server.tasks import comparison, risk
from server.tasks.attribute import attributed
from server.tasks.charts import of_risk


class Risk:
    """Reports risk."""

    def __init__(self, market_data: MarketData, pool: ProcessPool) -> None:
        self._market_data = market_data
        self._pool = pool

    async def analyze(self, request: bytes, call: Call) -> bytes:
        """The report."""
        report, _ = await in_rounds(self._pool, partial(risk.analyze, request), call, self._market_data.collect)
        return report

    async def attribute(self, request: bytes, call: Call) -> bytes:
        """The excess return, divided."""
        return await self._pool.run(partial(attributed, request), call.deadline, caller=call.caller)

    async def charts(self, request: bytes, call: Call) -> bytes:
        """Charts of a report."""
        answer, _ = await in_rounds(self._pool, partial(of_risk, request), call, self._market_data.collect)
        return answer

    async def compare(self, request: bytes, call: Call) -> bytes:
        """Whether strategies beat a benchmark."""
        task = partial(comparison.compare_strategies, request)
        answer: bytes = await self._pool.run(task, call.deadline, caller=call.caller)
        return answer

    async def estimate(self, request: bytes, call: Call) -> AsyncGenerator[bytes]:
        """The risk model in pieces."""
        needs = partial(risk.model_needs, request)
        _, found = await in_rounds(self._pool, needs, call, self._market_data.collect)
        pieces = self._pool.stream(partial(risk.model, request, found), call.deadline, caller=call.caller)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece
