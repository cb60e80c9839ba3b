"""Market metrics on the wire."""

from collections.abc import Sequence

from absfinance.v1.market_data_service_pb2 import GetMarketMetricsRequest, GetMarketMetricsResponse

from domain.checks import distinct_symbols
from domain.market_data.panel import civil_date
from domain.reallocation.market_metrics import MarketMetrics, stale_prices
from server.converters.dates import civil_to_proto
from server.converters.warning import warnings_to_proto
from server.ports.market_data import PriceSelection


def metrics_selection_from_proto(request: GetMarketMetricsRequest) -> PriceSelection:
    """The closing prices of the symbols. Raises InvalidInput for one that appears twice."""
    distinct_symbols("symbols", list(request.symbols))
    return PriceSelection(tuple(request.symbols))


def metrics_to_bytes(metrics: Sequence[MarketMetrics]) -> bytes:
    """The answer of GetMarketMetrics."""
    response = GetMarketMetricsResponse(warnings=warnings_to_proto(stale_prices(metrics)))
    for one in metrics:
        response.metrics.add(
            symbol=one.symbol,
            last_price=one.last_price,
            average_daily_volume=one.average_daily_volume,
            spread_bps=one.spread_bps,
            volatility_annual=one.volatility_annual,
            as_of=None if one.as_of is None else civil_to_proto(civil_date(one.as_of)),
        )
    encoded: bytes = response.SerializeToString()
    return encoded
