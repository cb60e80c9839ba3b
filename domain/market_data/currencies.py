"""Prices in several currencies, converted into one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from domain.checks import positive
from domain.errors import InvalidInput
from domain.market_data.snapshot import LARGEST_AMOUNT, SMALLEST_AMOUNT, Snapshot


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
            if not own or own == currency:
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
