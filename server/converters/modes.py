"""How a reallocation is restricted, and the currencies of its prices."""

from absfinance.v1 import reallocation_pb2
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest

from domain.checks import distinct_symbols
from domain.market_data.currencies import Currencies
from domain.reallocation.modes import Direction, Modes
from server.converters.paths import error_path

_DIRECTIONS = {
    reallocation_pb2.DIRECTION_UNSPECIFIED: Direction.BOTH,
    reallocation_pb2.DIRECTION_BOTH: Direction.BOTH,
    reallocation_pb2.DIRECTION_BUY_ONLY: Direction.BUY_ONLY,
    reallocation_pb2.DIRECTION_SELL_ONLY: Direction.SELL_ONLY,
}


def modes_from_proto(request: ReallocateRequest) -> Modes:
    """Direction, flow and what is weighed. Raises InvalidInput for modes that contradict one another."""
    return Modes(
        direction=_DIRECTIONS[request.direction],
        no_new_names=request.no_new_names,
        cash_flow=request.cash_flow,
        retain_cash=request.retain_cash,
        cost_aversion=request.trade_off.cost_aversion,
        tax_aversion=request.trade_off.tax_aversion,
    )


def currencies_from_proto(snapshot: reallocation_pb2.MarketSnapshot) -> Currencies:
    """Currencies of the assets, and their rates. Raises InvalidInput for a currency with two rates."""
    with error_path("snapshot"):
        names = [rate.currency for rate in snapshot.fx_rates]
        distinct_symbols("fx_rates", names, ".currency")
        return Currencies(
            {asset.symbol: asset.currency for asset in snapshot.assets if asset.currency},
            {rate.currency: rate.rate for rate in snapshot.fx_rates},
            {rate.currency: rate.previous_rate for rate in snapshot.fx_rates if rate.HasField("previous_rate")},
        )
