"""RiskService on the wire."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from absfinance.v1.risk_service_pb2_grpc import RiskServiceServicer

from server.servicers.reading import Context, call_of
from server.services.risk import Risk


class RiskServicer(RiskServiceServicer):
    """Maps the wire to the risk service and back."""

    def __init__(self, risk: Risk) -> None:
        self._risk = risk

    async def AnalyzeRisk(self, request: bytes, context: Context) -> bytes:
        """The report."""
        return await self._risk.analyze(request, call_of(context))

    async def Attribute(self, request: bytes, context: Context) -> bytes:
        """The excess return, divided."""
        return await self._risk.attribute(request, call_of(context))

    async def GetRiskCharts(self, request: bytes, context: Context) -> bytes:
        """Charts of a report."""
        return await self._risk.charts(request, call_of(context))

    async def CompareStrategies(self, request: bytes, context: Context) -> bytes:
        """Whether strategies beat a benchmark."""
        return await self._risk.compare(request, call_of(context))

    async def EstimateRiskModel(self, request: bytes, context: Context) -> AsyncIterator[bytes]:
        """Diagnostics, then arrays."""
        async with aclosing(self._risk.estimate(request, call_of(context))) as pieces:
            async for piece in pieces:
                yield piece
