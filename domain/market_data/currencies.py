"""Prices in several currencies, converted into one."""

from collections.abc import Mapping
from dataclasses import field, replace
from decimal import Decimal

from domain.checks import positive
from domain.errors import InvalidInput
from domain.market_data.snapshot import LARGEST_AMOUNT, SMALLEST_AMOUNT, Snapshot
from domain.records import dataclass
from domain.warnings import ResultWarning


def needs_rate(own: str, currency: str) -> bool:
    """Whether a price in a currency, "" for that of its portfolio, is to be converted into another one."""
    return bool(own) and own != currency


@dataclass(frozen=True, slots=True)
class ForeignPrice:
    """An asset whose price is not in the currency of its portfolio."""

    symbol: str
    currency: str
    wanted: str  # the currency of the portfolio
    count: int  # of such assets of the portfolio


def currency_of_portfolio(own: str, of_assets: Mapping[str, str]) -> str:
    """Its own currency, or that of the first of its assets that names one where it names none; "" where none does."""
    return own or next((of_assets[symbol] for symbol in sorted(of_assets) if of_assets[symbol]), "")


def foreign_price(currency: str, of_assets: Mapping[str, str]) -> ForeignPrice | None:
    """The first asset, by symbol, that needs a rate in a portfolio of a currency; None where all prices are in it."""
    foreign = [symbol for symbol in sorted(of_assets) if needs_rate(of_assets[symbol], currency)]
    return ForeignPrice(foreign[0], of_assets[foreign[0]], currency, len(foreign)) if foreign else None


def several_currencies(of_assets: Mapping[str, str], field_name: str) -> tuple[ResultWarning, ...]:
    """Names the currencies of prices that are compared as they are; none where all that are known are the same."""
    first: dict[str, str] = {}
    for symbol in sorted(of_assets):
        if of_assets[symbol]:
            first.setdefault(of_assets[symbol], symbol)
    if len(first) < 2:
        return ()
    named = ", ".join(f"{currency} ({first[currency]})" for currency in sorted(first))
    message = (
        f"prices are in several currencies, {named}, and no rate is stored: the return of each asset is in its own, "
        "without changes of rates; send prices in one currency to include these"
    )
    return (ResultWarning("SEVERAL_CURRENCIES", field_name, message),)


@dataclass(frozen=True, slots=True)
class Currencies:
    """Currencies of assets, and what they are worth. Raises InvalidInput for a rate of 0 or less."""

    of_assets: Mapping[str, str] = field(default_factory=dict)  # by symbol; others are in that of the portfolio
    rates: Mapping[str, float] = field(default_factory=dict)  # units of the portfolio's currency for one
    previous_rates: Mapping[str, float] = field(default_factory=dict)  # when it was last at its target; all or none

    def __post_init__(self) -> None:
        for i, rate in enumerate(self.rates.values()):
            _rate(f"fx_rates[{i}].rate", rate)
        for i, name in enumerate(self.rates):
            if self.previous_rates and name not in self.previous_rates:
                raise InvalidInput(f"fx_rates[{i}].previous_rate", "must be given for all rates, or for none")
            _rate(f"fx_rates[{i}].previous_rate", self.previous_rates.get(name, 1.0))

    def converted(self, market: Snapshot, currency: str) -> Snapshot:
        """The same market in the currency of a portfolio, "" where it is not known.

        Raises InvalidInput for an asset in a currency without a rate, or another rate than 1 of the portfolio's own.
        """
        for i, (name, rate) in enumerate(self.rates.items()):
            if name == currency and rate != 1.0:
                raise InvalidInput(f"fx_rates[{i}].rate", f"must be 1: {name} is the currency of the portfolio")
        quotes = dict(market.quotes)
        for i, symbol in enumerate(market.quotes):
            own = self.of_assets.get(symbol, "")
            if not needs_rate(own, currency):
                continue
            if own not in self.rates:
                raise InvalidInput(f"assets[{i}].currency", f"{own} of {symbol} needs a rate in fx_rates")
            quotes[symbol] = quotes[symbol].at_rate(self.rates[own], f"assets[{i}].price")
        return replace(market, quotes=quotes)

    def at_previous_rates(self, market: Snapshot, currency: str) -> dict[str, Decimal] | None:
        """Prices of a market that is not converted yet, at the previous rates; None where there are none.

        Raises InvalidInput as `converted` does.
        """
        if not self.previous_rates:
            return None
        earlier = Currencies(self.of_assets, self.previous_rates).converted(market, currency)
        return {symbol: quote.exact_price for symbol, quote in earlier.quotes.items()}


def _rate(name: str, rate: float) -> None:
    positive(name, rate)
    if not SMALLEST_AMOUNT <= rate <= LARGEST_AMOUNT:
        raise InvalidInput(name, f"must be from {SMALLEST_AMOUNT:g} to {LARGEST_AMOUNT:g}, is {rate:g}")
