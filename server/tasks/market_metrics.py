"""GetMarketMetrics and AssessLiquidity, from stored bars."""

from absfinance.v1.liquidity_service_pb2 import AssessLiquidityRequest
from absfinance.v1.market_data_service_pb2 import GetMarketMetricsRequest

from domain.market_data.panel import PricePanel
from domain.reallocation.liquidity import assess
from domain.reallocation.market_metrics import Bars, market_metrics
from server.commands.stored import DataRequest, StoredData
from server.converters.liquidity import assess_command_from_proto, assess_response_to_bytes
from server.converters.market_metrics import metrics_selection_from_proto, metrics_to_bytes
from server.converters.message import message_from_bytes
from server.execution.control import Control
from server.ports.market_data import PriceSelection
from server.ports.panels import StoredPanelRef
from server.tasks.refusing import locating, refusing
from server.tasks.stored_market import stored_snapshot


@refusing
@locating(GetMarketMetricsRequest)
def metrics(request: bytes, found: StoredData | None, control: Control) -> DataRequest | bytes:
    """The figures of each symbol, or the stored bars that are needed first."""
    selection = metrics_selection_from_proto(message_from_bytes(GetMarketMetricsRequest, request))
    if found is None:
        return DataRequest(panels=(selection,), volumes=(selection,), highs_and_lows=(selection,))
    highs, lows = found.highs_and_lows[selection]
    bars = Bars(_panel(found.volumes[selection]), _panel(highs), _panel(lows))
    return metrics_to_bytes(market_metrics(found.panels[selection].prices(), bars))


@refusing
@locating(AssessLiquidityRequest)
def assessment(request: bytes, found: StoredData | None, control: Control) -> DataRequest | bytes:
    """The liquidity of trades, or the stored prices and volumes that are needed first."""
    command = assess_command_from_proto(message_from_bytes(AssessLiquidityRequest, request))
    symbols = tuple(command.trades)
    selection = PriceSelection(symbols, symbols_path="trades")
    if found is None:
        return DataRequest(panels=(selection,), volumes=(selection,), instruments=symbols, quotes=symbols)
    market = stored_snapshot(selection, found)
    control()
    return assess_response_to_bytes(assess(command.trades, market, command.max_participation, command.horizon_days))


def _panel(stored: StoredPanelRef | None) -> PricePanel | None:
    return None if stored is None else stored.prices()
