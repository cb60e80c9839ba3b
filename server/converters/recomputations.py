"""Requests that recomputations make, as bytes that tasks read like those of callers, and what their results say."""

from collections.abc import Mapping, Sequence
from datetime import date

from absfinance.v1.backtest_service_pb2 import BacktestRequest
from absfinance.v1.optimization_pb2 import Optimization
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from absfinance.v1.panel_pb2 import MarketDataSelection
from absfinance.v1.portfolio_pb2 import Portfolio
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest
from absfinance.v1.risk_service_pb2 import AnalyzeRiskRequest
from google.protobuf.message import DecodeError

from domain.costs.impact import Liquidity
from domain.errors import InvalidInput
from domain.records import dataclass
from server.converters.backtests import NAME as BACKTEST
from server.converters.dates import civil_to_proto
from server.converters.estimation import estimation_from_proto
from server.converters.portfolios import NAME as PORTFOLIO

_REQUEST = "recomputation-"
_LABEL = "mandate of "


def request_id_of(key: int) -> str:
    """The request id of what a recomputation stores, so that whoever does it again finds it."""
    return f"{_REQUEST}{key}"


def is_of_a_recomputation(request_id: str | None) -> bool:
    """Whether a result has the request id of one."""
    return request_id is not None and request_id.startswith(_REQUEST)


def mandate_label(portfolio_id: str) -> str:
    """The label of what is stored for the mandate of a portfolio."""
    return f"{_LABEL}{PORTFOLIO}{portfolio_id}"


def portfolio_of_label(label: str) -> str | None:
    """The id of the portfolio in such a label; None for any other label."""
    prefix = _LABEL + PORTFOLIO
    return label.removeprefix(prefix) if label.startswith(prefix) else None


def optimal_weights(payload: bytes) -> Mapping[str, float]:
    """The weights of a stored optimisation, by symbol. Raises InvalidInput for bytes that are none."""
    try:
        message = Optimization.FromString(payload)
    except DecodeError:
        raise InvalidInput("payload", "must be the bytes of an optimisation") from None
    return {weight.symbol: weight.weight for weight in message.weights}


@dataclass(frozen=True, slots=True)
class MandateNeeds:
    """What a mandate's recomputation needs to know of a stored portfolio."""

    symbols: tuple[str, ...]  # that may be held
    held: tuple[str, ...]
    lookback: int | None  # periods that an optimisation sees; None is all
    backtest: str  # id; empty for none
    trades: bool  # its optimisation weighs or limits trades, so that it starts from what is held


@dataclass(frozen=True, slots=True)
class HeldAssets:
    """What trades of an optimisation start from."""

    weights: Mapping[str, float]  # of all assets that may be held, fractions of net asset value
    net_asset_value: float
    liquidity: Mapping[str, Liquidity]  # of the assets whose volume is known


def mandate_needs(payload: bytes) -> MandateNeeds:
    """Held and wanted assets, those that groups and bands of the mandate name, and factors of its estimation.

    Raises InvalidInput for an estimation that cannot be.
    """
    portfolio = Portfolio.FromString(payload)
    mandate = portfolio.mandate
    held = sorted({holding.symbol for holding in portfolio.holdings if holding.quantity})
    named = {weight.symbol for weight in mandate.weights.weights if weight.weight}
    for group in (*mandate.groups, *mandate.optimize.groups):
        named.update(group.symbols)
    named.update(band.symbol for band in mandate.drift_bands if band.WhichOneof("subject") == "symbol")
    lookback = mandate.optimize.lookback_periods if mandate.optimize.HasField("lookback_periods") else None
    if mandate.optimize.HasField("estimation"):
        named.update(estimation_from_proto(mandate.optimize.estimation).factors)
    symbols = tuple(sorted({*held, *named}))
    constraints = (*mandate.optimize.constraints, *mandate.constraints)
    limits_turnover = any(constraint.WhichOneof("kind") == "turnover" for constraint in constraints)
    trades = mandate.optimize.HasField("costs") or limits_turnover
    return MandateNeeds(symbols, tuple(held), lookback, mandate.backtest.removeprefix(BACKTEST), trades)


def reallocate_request(key: int, portfolio_id: str, symbols: Sequence[str]) -> bytes:
    """A plan for a stored portfolio at stored prices; nothing is traded."""
    request = ReallocateRequest(
        portfolio_name=PORTFOLIO + portfolio_id,
        market_data=MarketDataSelection(symbols=symbols),
        request_id=request_id_of(key),
        label=mandate_label(portfolio_id),
    )
    return _encoded(request)


def optimize_request(
    key: int,
    portfolio_id: str,
    payload: bytes,
    symbols: Sequence[str],
    start: date | None,
    held: HeldAssets | None = None,
) -> bytes:
    """The optimisation that is the target of a mandate; `held` is where its trades start from, if it wants any.

    Raises InvalidInput for a mandate without one.
    """
    mandate = Portfolio.FromString(payload).mandate
    if mandate.WhichOneof("target") != "optimize":
        raise InvalidInput("mandate.optimize", "must be given: the mandate has no optimisation to repeat")
    spec = mandate.optimize
    request = OptimizeRequest(
        market_data=MarketDataSelection(symbols=symbols),
        objective=spec.objective,
        risk_measure=spec.risk_measure,
        constraints=[*spec.constraints, *mandate.constraints],
        missing_data=spec.missing_data,
        groups=spec.groups,
        request_id=request_id_of(key),
        label=mandate_label(portfolio_id),
    )
    if start is not None:
        request.market_data.start_date.CopyFrom(civil_to_proto(start))
    if spec.HasField("confidence_level"):
        request.confidence_level = spec.confidence_level
    for name in ("estimation", "costs", "solver"):
        if spec.HasField(name):
            getattr(request, name).CopyFrom(getattr(spec, name))
    if held is not None:
        _start_from(request, held)
    return _encoded(request)


def _start_from(request: OptimizeRequest, held: HeldAssets) -> None:
    """Weights that are held; figures of the account and the market where costs need them and do not say them."""
    for symbol, weight in held.weights.items():
        request.current_weights.add(symbol=symbol, weight=weight)
    if not request.HasField("costs"):
        return
    if not request.costs.HasField("portfolio_value"):
        request.costs.portfolio_value = held.net_asset_value
    if request.costs.HasField("impact"):
        known = {entry.symbol for entry in request.costs.liquidity}
        for symbol, one in held.liquidity.items():
            if symbol not in known:
                request.costs.liquidity.add(
                    symbol=symbol, daily_value=one.daily_value, volatility_annual=one.volatility_annual
                )


def risk_request(payload: bytes) -> bytes:
    """A report on what a stored portfolio holds, over all stored prices. Raises InvalidInput where it holds nothing."""
    portfolio = Portfolio.FromString(payload)
    held = [holding for holding in portfolio.holdings if holding.quantity]
    if not held:
        raise InvalidInput("holdings", "must not be empty: there is no risk to report")
    request = AnalyzeRiskRequest(
        market_data=MarketDataSelection(symbols=[holding.symbol for holding in held]),
        holdings=held,
        cash=portfolio.cash,
    )
    return _encoded(request)


def extended_backtest_request(key: int, portfolio_id: str, stored: bytes, symbols: Sequence[str], start: date) -> bytes:
    """A stored backtest again, over stored prices from its first date to the newest one."""
    request = BacktestRequest.FromString(stored)
    for name in ("backtest_id", "wait", "validate_only"):
        request.ClearField(name)
    request.market_data.CopyFrom(MarketDataSelection(symbols=symbols, start_date=civil_to_proto(start)))
    request.request_id, request.label = request_id_of(key), mandate_label(portfolio_id)
    return _encoded(request)


def _encoded(request: ReallocateRequest | OptimizeRequest | AnalyzeRiskRequest | BacktestRequest) -> bytes:
    encoded: bytes = request.SerializeToString(deterministic=True)
    return encoded
