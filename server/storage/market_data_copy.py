"""Copies market data from one store to another, through what every store promises.

Symbols whose prices are the same already, bit by bit, are not sent again: a copy that was interrupted goes on where it
was. Everything that is sent is read back and compared.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from domain.errors import MissingMarketData
from domain.market_data.corporate_actions import CorporateAction
from domain.market_data.panel import PricePanel
from domain.records import dataclass
from server.ports.corporate_actions import ActionFilter
from server.ports.market_data import Instrument, MarketDataStore, PriceField, PriceImport, PriceQuery
from server.ports.storage import Storage
from server.storage.chunks import add_to_digest, columns

PAGE = 1000

GROUP = 100
"""Symbols in one import: 10 MB of 33 years."""

SHOWN_SYMBOLS = 10

SOURCE = "copied from another store"


class CopyDiffers(Exception):
    """The target has something else than what was copied to it; the text names it."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy has done."""

    instruments: int = 0
    values: int = 0  # that were sent
    known_values: int = 0  # that the target had already
    actions: int = 0


async def copy_market_data(source: Storage, target: Storage) -> Copied:
    """Copies instruments, prices and corporate actions. Raises CopyDiffers, and what the stores raise.

    The target may have symbols of its own. Of a symbol that both have it gets the values of the source; where it has a
    value on a day on which the source has none, the copy ends with CopyDiffers.
    """
    done = Copied()
    symbols: list[str] = []
    async for page in _instruments(source.market_data):
        symbols += [one.symbol for one in page]
        done = replace(done, instruments=done.instruments + await _copy_instruments(target.market_data, page))
    for field in PriceField:
        named = await source.market_data.having(field, symbols)
        for start in range(0, len(named), GROUP):
            done = await _copy_prices(source.market_data, target.market_data, field, named[start : start + GROUP], done)
    return replace(done, actions=await _copy_actions(source, target, symbols))


async def _instruments(store: MarketDataStore) -> AsyncIterator[tuple[Instrument, ...]]:
    after = ""
    while True:  # ends with the last page
        page = await store.list_instruments(after, PAGE, None)
        if page.instruments:
            yield page.instruments
        if not page.next_token:
            return
        after = page.next_token


async def _copy_instruments(target: MarketDataStore, page: Sequence[Instrument]) -> int:
    await target.upsert_instruments(page)
    found = await target.instruments([one.symbol for one in page])
    # Whether there are prices is a matter of the prices.
    wrong = [one.symbol for one in page if replace(found[one.symbol], has_prices=one.has_prices) != one]
    if wrong:
        raise CopyDiffers(f"the target has other instruments for {_shown(wrong)}")
    return len(page)


async def _copy_prices(
    source: MarketDataStore, target: MarketDataStore, field: PriceField, symbols: tuple[str, ...], done: Copied
) -> Copied:
    query = PriceQuery(symbols, field=field)
    panel = (await source.prices(query)).panel
    wanted = _hashes(panel)
    found = await _found(target, query)
    other = tuple(symbol for symbol in symbols if found.get(symbol) != wanted[symbol])
    counts = {symbol: len(series.days) for symbol, series in columns(panel)}
    sent = sum(counts[symbol] for symbol in other)
    if other:
        part = PricePanel.of(other, panel.dates, panel.values[:, [symbols.index(symbol) for symbol in other]])
        # Never the id of an earlier copy: what was copied once may have been changed since.
        await target.import_prices(PriceImport(f"copy-{secrets.token_hex(16)}", field, SOURCE, (part,)))
        found = await _found(target, query)
        if wrong := [symbol for symbol in symbols if found.get(symbol) != wanted[symbol]]:
            raise CopyDiffers(
                f"the target has {field.lower()} prices that the source has not, or was changed meanwhile: "
                f"{_shown(wrong)}"
            )
    return replace(done, values=done.values + sent, known_values=done.known_values + sum(counts.values()) - sent)


async def _found(store: MarketDataStore, query: PriceQuery) -> dict[str, str]:
    """Hash of the prices of each of the symbols that a store has."""
    known = await store.having(query.field, query.symbols)
    if not known:
        return {}
    try:
        return _hashes((await store.prices(replace(query, symbols=known))).panel)
    except MissingMarketData:
        return {}


def _hashes(panel: PricePanel) -> dict[str, str]:
    found: dict[str, str] = {}
    for symbol, series in columns(panel):
        content = hashlib.sha256()
        add_to_digest(content, symbol, series)
        found[symbol] = content.hexdigest()
    return found


async def _copy_actions(source: Storage, target: Storage, symbols: Sequence[str]) -> int:
    copied = 0
    for start in range(0, len(symbols), PAGE):
        filters = ActionFilter(tuple(symbols[start : start + PAGE]))
        actions: tuple[CorporateAction, ...] = await source.corporate_actions.all(filters)
        await target.corporate_actions.upsert(actions)
        found = set(await target.corporate_actions.all(filters))
        if wrong := sorted({one.symbol for one in actions if one not in found}):
            raise CopyDiffers(f"the target has other corporate actions for {_shown(wrong)}")
        copied += len(actions)
    return copied


def _shown(symbols: Sequence[str]) -> str:
    return ", ".join(symbols[:SHOWN_SYMBOLS]) + (" and others" if len(symbols) > SHOWN_SYMBOLS else "")
