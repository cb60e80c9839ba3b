"""The market of a reallocation from stored prices: last price, average daily volume, lots, and what they are worth."""

from collections.abc import Mapping

from domain.costs.impact import Liquidity
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.market_metrics import Bars, market_metrics
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class TradingTerms:
    """How an asset is traded. An asset that is not listed has no quote; one that is halted has one, for its value."""

    lot_size: float = 1.0
    listed: bool = True
    halted: bool = False


USUAL_TERMS = TradingTerms()


@dataclass(frozen=True, slots=True)
class LatestPrice:
    """A price that was quoted on a date."""

    day: int  # in UTC, since 1970-01-01
    price: float
    spread_bps: float | None = None  # between bid and ask, of their middle


class UnusableQuote(InvalidInput):
    """A figure of an asset that no quote may have, as a price far above any currency."""

    def __init__(self, symbol: str, error: InvalidInput) -> None:
        super().__init__(error.field, error.rule, error.reason)
        self.symbol = symbol


NOTHING_QUOTED: Mapping[str, LatestPrice] = {}


def snapshot_of(
    prices: PricePanel,
    volumes: PricePanel | None,
    terms: Mapping[str, TradingTerms],
    quoted: Mapping[str, LatestPrice] = NOTHING_QUOTED,
) -> Snapshot:
    """Quotes at the metrics of each asset: last price, average daily volume, volatility.

    `prices` and `volumes` are (T, N) with NaN where there is none; `volumes`, in units, may have other dates and
    symbols. An asset without any price gets no quote, and one without terms trades one unit at a time. A spread that is
    estimated from bars is too uncertain to be charged: what a trade costs is what the request says, or what was quoted.
    A price that was quoted on a later date than the last one of `prices` takes its place, with its spread.

    Raises UnusableQuote for an asset whose figures no quote may have.
    """
    quotes: dict[str, Quote] = {}
    for metrics in market_metrics(prices, Bars(volumes)):
        own = terms.get(metrics.symbol, USUAL_TERMS)
        if own.listed and metrics.last_price is not None:
            latest = quoted.get(metrics.symbol)
            is_newer = latest is not None and (metrics.as_of is None or latest.day > metrics.as_of)
            try:
                quotes[metrics.symbol] = Quote(
                    latest.price if latest is not None and is_newer else metrics.last_price,
                    metrics.average_daily_volume,
                    spread_bps=latest.spread_bps if latest is not None and is_newer else None,
                    volatility_annual=metrics.volatility_annual,
                    lot_size=own.lot_size,
                    halted=own.halted,
                )
            except InvalidInput as error:
                raise UnusableQuote(metrics.symbol, error) from None
    return Snapshot(quotes)


def net_asset_value(portfolio: Portfolio, market: Snapshot) -> float:
    """Cash and the holdings that have a quote, in the currency of the prices."""
    priced = ((symbol, units) for symbol, units in portfolio.quantities.items() if symbol in market.quotes)
    return portfolio.cash + sum(units * market.quotes[symbol].price for symbol, units in priced)


def liquidity_of(market: Snapshot, symbols: tuple[str, ...]) -> dict[str, Liquidity]:
    """Average daily value and volatility of those of the symbols whose volume is known and above 0."""
    wanted = set(symbols)
    return {
        symbol: Liquidity(quote.price * quote.average_daily_volume, quote.volatility_annual)
        for symbol, quote in market.quotes.items()
        if quote.average_daily_volume and symbol in wanted
    }
