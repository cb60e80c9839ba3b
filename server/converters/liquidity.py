"""Liquidity on the wire: of the server's own volumes, and as a service outside assesses it."""

import math
from collections.abc import Mapping

from absfinance.v1 import liquidity_pb2
from absfinance.v1.liquidity_service_pb2 import AssessLiquidityRequest, AssessLiquidityResponse
from google.protobuf.message import DecodeError

from domain.errors import InvalidInput
from domain.market_data.snapshot import LARGEST_AMOUNT
from domain.reallocation.liquidity import AssetLiquidity, LiquidityAssessment, LiquidityState
from domain.records import dataclass
from server.converters.paths import error_path, require_unique
from server.converters.weights import optional_field

DEFAULT_PARTICIPATION = 0.1
"""Of AssessLiquidity, by the contract; a reallocation says its own."""

ROUNDING = 1e-9
"""Relative difference of quantities that is rounding of the service."""

_STATES = {
    LiquidityState.SUFFICIENT: liquidity_pb2.LIQUIDITY_STATE_SUFFICIENT,
    LiquidityState.PARTIAL: liquidity_pb2.LIQUIDITY_STATE_PARTIAL,
    LiquidityState.INSUFFICIENT: liquidity_pb2.LIQUIDITY_STATE_INSUFFICIENT,
    LiquidityState.UNKNOWN: liquidity_pb2.LIQUIDITY_STATE_UNKNOWN,
}
_FROM_PROTO = {value: state for state, value in _STATES.items()}


@dataclass(frozen=True, slots=True)
class AssessCommand:
    """Trades to assess, in units by symbol."""

    trades: Mapping[str, float]
    max_participation: float
    horizon_days: int


def assess_command_from_proto(request: AssessLiquidityRequest) -> AssessCommand:
    """The command of a request. Raises InvalidInput for a symbol that appears twice."""
    require_unique("trades", [trade.symbol for trade in request.trades])
    for i, trade in enumerate(request.trades):
        if abs(trade.quantity) > LARGEST_AMOUNT:
            raise InvalidInput(f"trades[{i}].quantity", f"must be at most {LARGEST_AMOUNT:g} in size")
    return AssessCommand(
        {trade.symbol: trade.quantity for trade in request.trades},
        request.max_participation if request.HasField("max_participation") else DEFAULT_PARTICIPATION,
        request.horizon_days if request.HasField("horizon_days") else 1,
    )


def assess_request_to_bytes(command: AssessCommand) -> bytes:
    """The request that a service outside is sent."""
    trades = [
        AssessLiquidityRequest.Trade(symbol=symbol, quantity=quantity) for symbol, quantity in command.trades.items()
    ]
    request = AssessLiquidityRequest(
        trades=trades, max_participation=command.max_participation, horizon_days=command.horizon_days
    )
    encoded: bytes = request.SerializeToString()
    return encoded


def assess_response_to_bytes(assessment: LiquidityAssessment) -> bytes:
    """The answer of AssessLiquidity."""
    encoded: bytes = AssessLiquidityResponse(assessment=assessment_to_proto(assessment)).SerializeToString()
    return encoded


def assessment_to_proto(assessment: LiquidityAssessment) -> liquidity_pb2.LiquidityAssessment:
    """Each asset, the worst state and the least score."""
    message = liquidity_pb2.LiquidityAssessment(
        state=_STATES[assessment.state], score=assessment.score, from_remote_service=assessment.remote
    )
    for asset in assessment.assets:
        message.assets.add(
            symbol=asset.symbol,
            state=_STATES[asset.state],
            available_quantity=asset.available_quantity,
            average_daily_volume=asset.average_daily_volume,
            participation=asset.participation,
            days_to_trade=asset.days_to_trade,
            score=asset.score,
        )
    return message


def remote_assessment_from_bytes(data: bytes, trades: Mapping[str, float]) -> LiquidityAssessment:
    """The assessment of these trades, in units, that a service outside sent; states and scores of all are our own sums.

    Raises InvalidInput for an answer that cannot be read, assets that are missing or unknown, and figures that cannot
    be true.
    """
    try:
        answer = AssessLiquidityResponse.FromString(data)
    except DecodeError:
        raise InvalidInput("", "the bytes cannot be parsed as AssessLiquidityResponse") from None
    path = "assessment.assets"
    assets = answer.assessment.assets
    require_unique(path, [asset.symbol for asset in assets])
    found: dict[str, AssetLiquidity] = {}
    for i, asset in enumerate(assets):
        if asset.symbol not in trades:
            raise InvalidInput(f"{path}[{i}].symbol", f"{asset.symbol!r} is none of the trades")
        with error_path(f"{path}[{i}]"):
            found[asset.symbol] = _asset(asset, abs(trades[asset.symbol]))
    missing = next((symbol for symbol in trades if symbol not in found), None)
    if missing is not None:
        raise InvalidInput(path, f"{missing} is missing")
    return LiquidityAssessment(tuple(found[symbol] for symbol in trades), remote=True)


def _asset(asset: liquidity_pb2.LiquidityAssessment.Asset, quantity: float) -> AssetLiquidity:
    state = _FROM_PROTO.get(asset.state)
    if state is None:
        raise InvalidInput("state", f"must be a state, is {asset.state}")
    available = _amount(asset, "available_quantity")
    if available is None and state is not LiquidityState.UNKNOWN:
        raise InvalidInput("available_quantity", "must be given unless the state is LIQUIDITY_STATE_UNKNOWN")
    if available is not None and state is LiquidityState.SUFFICIENT and available < quantity * (1.0 - ROUNDING):
        rule = f"must be at least the {quantity:g} of the trade where the state is sufficient, is {available:g}"
        raise InvalidInput("available_quantity", rule)
    score = _amount(asset, "score", 1.0)
    if score is None and available is not None:
        score = min(available / quantity, 1.0) if quantity else 1.0
    return AssetLiquidity(
        asset.symbol,
        state,
        available,
        _amount(asset, "average_daily_volume"),
        _amount(asset, "participation", math.inf),
        _amount(asset, "days_to_trade", math.inf),
        score,
    )


def _amount(asset: liquidity_pb2.LiquidityAssessment.Asset, name: str, most: float = LARGEST_AMOUNT) -> float | None:
    """A figure that may be absent. Raises InvalidInput for one that is negative, too large, or no number."""
    value = optional_field(asset, name)
    if value is not None and not (0.0 <= value <= most and math.isfinite(value)):
        limit = "" if most == math.inf else f" and at most {most:g}"
        raise InvalidInput(name, f"must be a finite number of 0 or more{limit}, is {value:g}")
    return value
