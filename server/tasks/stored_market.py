"""The market of stored prices and volumes, as reallocations and assessments of liquidity see it."""

from collections.abc import Container, Iterator
from contextlib import contextmanager

from domain.errors import InvalidInput
from domain.market_data.currencies import currency_of_portfolio, foreign_price, several_currencies
from domain.market_data.quoted import quoted_price, quoted_spread_bps
from domain.market_data.snapshot import Snapshot
from domain.reallocation.market import LatestPrice, TradingTerms, UnusableQuote, snapshot_of
from domain.warnings import ResultWarning
from server.commands.stored import DataRequest, StoredData
from server.ports.changes import Quote as PublishedQuote
from server.ports.market_data import Instrument, PriceSelection, TradableState

MICROS_PER_DAY = 86_400_000_000


def stored_snapshot(selection: PriceSelection, found: StoredData) -> Snapshot:
    """Quotes at the latest stored figures of a selection, with the terms of its instruments.

    A published quote counts where it has a price and is of a later date, in UTC, than the last closing price. Raises
    InvalidInput for an asset whose stored figures no quote may have.
    """
    volumes = found.volumes.get(selection)
    terms = {symbol: _terms(instrument) for symbol, instrument in found.instruments.items()}
    prices, traded = found.panels[selection].prices(), None if volumes is None else volumes.prices()
    latest = {symbol: price for symbol, quote in found.quotes.items() if (price := _latest(quote)) is not None}
    try:
        return snapshot_of(prices, traded, terms, latest)
    except UnusableQuote as error:
        name = error.field.replace("_", " ")
        raise InvalidInput(
            _place(selection, error.symbol),
            f"must have stored figures in range: the {name} of {error.symbol} {error.rule}",
        ) from None


@contextmanager
def of_the_snapshot(market: Snapshot | PriceSelection) -> Iterator[None]:
    """Says of stored prices that a request with a snapshot does not name that the assets of the snapshot have them."""
    try:
        yield
    except InvalidInput as error:
        if isinstance(market, Snapshot) and error.field.partition(".")[0] == "prices":
            raise InvalidInput("snapshot.assets", error.rule, error.reason) from None
        raise


def check_currencies(selection: PriceSelection, found: StoredData, own: str, factors: Container[str]) -> None:
    """Raises InvalidInput for a stored price in another currency than that of its portfolio, "" where it has none.

    No rate is stored, so that its worth would be wrong. Factors are not traded, and may be in any currency.
    """
    symbols = found.panels[selection].symbols
    of_assets = {
        symbol: found.instruments[symbol].currency if symbol in found.instruments else ""
        for symbol in symbols
        if symbol not in factors
    }
    foreign = foreign_price(currency_of_portfolio(own, of_assets), of_assets)
    if foreign is None:
        return
    there = "the portfolio" if own else "other assets"
    raise InvalidInput(
        _place(selection, foreign.symbol),
        f"must have prices in one currency: {foreign.symbol} is in {foreign.currency}, and {there} in "
        f"{foreign.wanted}; no rate is stored, so send prices with fx_rates in snapshot",
    )


def _place(selection: PriceSelection, symbol: str) -> str:
    """Where a request names an asset of a selection."""
    index = f"[{selection.symbols.index(symbol)}]" if symbol in selection.symbols else ""
    return f"{selection.symbols_path}{index}"


def instruments_of(data: object) -> tuple[str, ...]:
    """Symbols that data names, of which the currencies are to be collected with the prices."""
    return data.symbols if isinstance(data, PriceSelection) else ()


def instruments_needed(data: object, found: StoredData) -> DataRequest:
    """The same where data names a universe, whose symbols are known with its prices."""
    if not isinstance(data, PriceSelection) or data.symbols or found.instruments_requested:
        return DataRequest()
    return DataRequest(instruments=found.panels[data].symbols)


def currency_warnings(data: object, found: StoredData, factors: Container[str] = ()) -> tuple[ResultWarning, ...]:
    """Where stored prices are in several currencies. Factors may be in any."""
    if not isinstance(data, PriceSelection):
        return ()
    symbols = (symbol for symbol in found.panels[data].symbols if symbol not in factors)
    of_assets = {symbol: found.instruments[symbol].currency for symbol in symbols if symbol in found.instruments}
    return several_currencies(of_assets, data.path)


def _latest(quote: PublishedQuote) -> LatestPrice | None:
    price = quoted_price(quote.bid, quote.ask, quote.last)
    if price is None:
        return None
    return LatestPrice(quote.time // MICROS_PER_DAY, price, quoted_spread_bps(quote.bid, quote.ask))


def _terms(instrument: Instrument) -> TradingTerms:
    return TradingTerms(
        lot_size=1.0 if instrument.lot_size is None else instrument.lot_size,
        listed=instrument.state not in (TradableState.DELISTED, TradableState.NOT_LISTED),
        halted=instrument.state is TradableState.HALTED,
    )
