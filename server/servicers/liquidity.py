"""LiquidityService on the wire."""

from absfinance.v1.liquidity_service_pb2_grpc import LiquidityServiceServicer

from server.servicers.reading import Context, call_of
from server.services.liquidity import Liquidity


class LiquidityServicer(LiquidityServiceServicer):
    """Maps the wire to the liquidity service and back."""

    def __init__(self, liquidity: Liquidity) -> None:
        self._liquidity = liquidity

    async def AssessLiquidity(self, request: bytes, context: Context) -> bytes:
        """The assessment."""
        return await self._liquidity.assess(request, call_of(context))
