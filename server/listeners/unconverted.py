"""Portfolios with prices in several currencies: stores keep no rates, so that no figure of these would be right."""

from collections.abc import Iterable, Mapping

from domain.market_data.currencies import currency_of_portfolio, foreign_price
from server.listeners.memory import NOT_FOLLOWED, Memory, Unconverted
from server.ports.market_data import Instrument


def unconverted(own: str, currencies: Mapping[str, str]) -> Unconverted | None:
    """Why a portfolio cannot be watched, by its currency and those of its assets; None where all are the same."""
    found = foreign_price(currency_of_portfolio(own, currencies), currencies)
    if found is None:
        return None
    there = "the portfolio" if own else "other assets of the portfolio"
    count = f"; {found.count} of its assets are not in {found.wanted}" if found.count > 1 else ""
    why = (
        f"{found.symbol} is priced in {found.currency}, and {there} in {found.wanted}{count}; no rate is stored, so "
        f"prices are not converted. Import its prices in {found.wanted} and say so with UpsertInstruments, or hold it "
        f"in a portfolio whose currency is {found.currency}"
    )
    return Unconverted(frozenset(currencies), found.symbol, why)


def followed_assets(memory: Memory, symbols: Iterable[str]) -> list[str]:
    """Those of some assets that portfolios hold or want, also portfolios that are not watched for their currencies."""
    waiting: frozenset[str] = frozenset().union(*(one.symbols for one in memory.unconverted.values()))
    return [symbol for symbol in symbols if symbol in waiting or memory.monitor.holders(symbol)]


def touched_by_currencies(memory: Memory, instruments: Mapping[str, Instrument]) -> frozenset[str]:
    """Portfolios to be read again: those watched in another currency, and those not watched for their currencies."""
    found: set[str] = set()
    for symbol, instrument in instruments.items():
        if instrument.currency:
            known = ((name, memory.portfolios.get(name, NOT_FOLLOWED)) for name in memory.monitor.holders(symbol))
            found.update(name for name, one in known if one.currency != instrument.currency)
    found.update(name for name, one in memory.unconverted.items() if not one.symbols.isdisjoint(instruments))
    return frozenset(found)
