"""How a reallocation is restricted, and the currencies of its prices."""

import numpy as np
from absfinance.v1 import reallocation_pb2
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest

from domain.checks import distinct_symbols
from domain.errors import InvalidInput
from domain.market_data.currencies import Currencies
from domain.reallocation.modes import Deviation, Direction, Modes
from domain.reallocation.tracking_error import ActiveRisk
from server.converters.paths import error_path

_DIRECTIONS = {
    reallocation_pb2.DIRECTION_UNSPECIFIED: Direction.BOTH,
    reallocation_pb2.DIRECTION_BOTH: Direction.BOTH,
    reallocation_pb2.DIRECTION_BUY_ONLY: Direction.BUY_ONLY,
    reallocation_pb2.DIRECTION_SELL_ONLY: Direction.SELL_ONLY,
}

_DEVIATIONS = {
    reallocation_pb2.TradeOff.DEVIATION_UNSPECIFIED: Deviation.DRIFT,
    reallocation_pb2.TradeOff.DEVIATION_DRIFT: Deviation.DRIFT,
    reallocation_pb2.TradeOff.DEVIATION_TRACKING_ERROR: Deviation.TRACKING_ERROR,
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
        deviation=_DEVIATIONS[request.trade_off.deviation],
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


def active_risk_from_proto(snapshot: reallocation_pb2.MarketSnapshot) -> ActiveRisk | None:
    """The covariance that a snapshot has; None without a correlation.

    Raises InvalidInput for a correlation that is none, of other assets, or of an asset without volatility.
    """
    if not snapshot.correlation:
        return None
    with error_path("snapshot"):
        count = len(snapshot.assets)
        if len(snapshot.correlation) != count * count:
            rule = f"must have {count} x {count} entries for its assets, has {len(snapshot.correlation)}"
            raise InvalidInput("correlation", rule)
        for i, asset in enumerate(snapshot.assets):
            if not asset.HasField("volatility_annual"):
                raise InvalidInput(f"assets[{i}].volatility_annual", "must be given with correlation")
        return ActiveRisk.of_volatilities(
            [asset.symbol for asset in snapshot.assets],
            np.array([asset.volatility_annual for asset in snapshot.assets]),
            np.array(snapshot.correlation),
        )
