"""Calls of services outside that a reallocation needs: what is sent, and what the answers mean."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import date

import numpy as np

from domain.backtest.strategies import MarketHistory
from domain.calendar import EPOCH, TRADING_DAYS_PER_YEAR
from domain.checks import fractions_of_one, non_negative
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel, civil_date
from domain.market_data.snapshot import Snapshot
from domain.portfolio import Portfolio, weights_by_symbol
from domain.reallocation.liquidity import WHOLE_DAY, LiquidityAssessment
from domain.reallocation.market import net_asset_value
from domain.reallocation.needs import trades_to_assess
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.target import TargetWeights
from server.commands.reallocation import RemoteTarget
from server.commands.stored import StoredData
from server.converters.decision import decide_request_to_bytes, weights_from_bytes
from server.converters.liquidity import AssessCommand, assess_request_to_bytes, remote_assessment_from_bytes
from server.ports.errors import RemoteAnswerInvalid
from server.ports.remote import RemoteCall

LIQUIDITY, STRATEGY = "LiquidityService", "StrategyService"
LIQUIDITY_NAME = "the LiquidityService of ABSFIN_LIQUIDITY_TARGET"
"""Its address is the business of whoever runs the server."""


def refuse_other_target(target: object, allowed: Collection[str]) -> None:
    """Raises InvalidInput for a strategy whose address the settings do not allow."""
    if isinstance(target, RemoteTarget) and target.address not in allowed:
        rule = "must be an address that the settings of the server allow (ABSFIN_STRATEGY_TARGETS)"
        raise InvalidInput("target_strategy.target", f"{rule}, is {target.address!r}")


def remote_target(
    target: RemoteTarget, portfolio: Portfolio, market: Snapshot, prices: PricePanel, day: date, found: StoredData
) -> TargetWeights | RemoteCall:
    """The weights that a service has decided, or the call that asks for them.

    `prices` (T, N) is all that the service is shown; `portfolio` is after any cash flow. Raises InvalidInput for a
    holding without a quote and for a price after the date of the decision, RemoteAnswerInvalid.
    """
    name = f"the StrategyService at {target.address}"
    if STRATEGY in found.answers:
        symbols = tuple(symbol for symbol in prices.symbols if symbol in market.quotes)
        with _sent_by(name):
            return TargetWeights(_checked_weights(found.answers[STRATEGY], symbols))
    last = civil_date(prices.dates[-1])
    if last > day:
        rule = f"must not be before the last price of the market, {last}: give market_data.end_date"
        raise InvalidInput("as_of_date", f"{rule}, as target_strategy may know nothing that is later")
    history = _history(portfolio, market, prices)
    request = decide_request_to_bytes("", target.label, history, day)
    return RemoteCall(STRATEGY, "Decide", target.address, name, request, target.timeout_seconds)


def prices_of(market: Snapshot, day: date) -> PricePanel:
    """The prices of a snapshot as those of one date."""
    quotes = market.quotes
    return PricePanel.of(tuple(quotes), [(day - EPOCH).days], [quote.price for quote in quotes.values()])


def remote_liquidity(
    request: ReallocationRequest, address: str, found: StoredData, check_cancelled: Callable[[], None]
) -> LiquidityAssessment | RemoteCall | None:
    """What a service says of the required trades, or the call that asks for it; None where no trade is required.

    Raises RemoteAnswerInvalid and what `trades_to_assess` raises.
    """
    trades = trades_to_assess(request, check_cancelled)
    if not trades:
        return None
    if LIQUIDITY in found.answers:
        with _sent_by(LIQUIDITY_NAME):
            return remote_assessment_from_bytes(found.answers[LIQUIDITY], trades)
    command = AssessCommand(trades, request.limits.max_participation or WHOLE_DAY, request.horizon_days)
    return RemoteCall(LIQUIDITY, "AssessLiquidity", address, LIQUIDITY_NAME, assess_request_to_bytes(command))


def _history(portfolio: Portfolio, market: Snapshot, prices: PricePanel) -> MarketHistory:
    held = portfolio.weights_at({symbol: quote.price for symbol, quote in market.quotes.items()})
    return MarketHistory(
        symbols=prices.symbols,
        dates=prices.dates,
        prices=prices.values,
        weights=np.array([held.get(symbol, 0.0) for symbol in prices.symbols]),
        periods_per_year=TRADING_DAYS_PER_YEAR,  # not sent
        nav=net_asset_value(portfolio, market),
    )


def _checked_weights(answer: bytes, symbols: tuple[str, ...]) -> dict[str, float]:
    """The weights of an answer. Raises InvalidInput for those that are no portfolio of the symbols without leverage."""
    weights = weights_from_bytes(answer)
    fractions_of_one("weights", weights.values())
    weights_by_symbol("weights", weights, symbols, leveraged=False)
    for i, weight in enumerate(weights.values()):
        non_negative(f"weights[{i}].weight", weight)
    return weights


@contextmanager
def _sent_by(name: str) -> Iterator[None]:
    """Says of what is wrong that a service has sent it."""
    try:
        yield
    except InvalidInput as error:
        raise RemoteAnswerInvalid(name, error.message) from None
