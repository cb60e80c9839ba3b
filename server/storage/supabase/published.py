"""Bars and quotes that are published, on Supabase: with their changes in one transaction, large batches in several.

Bars are merged here with what is stored, as imports are, and stored only if no import or other bars were finished in
between; otherwise they are merged again.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

import numpy as np

from domain.market_data.panel import civil_date
from domain.records import dataclass
from server.ports.changes import PriceChange, Quote
from server.ports.errors import StorageUnavailable
from server.ports.market_data import PriceField
from server.ports.published import Bar, Outcome, Rejection
from server.storage.chunks import DailyValues, Merge, merge
from server.storage.corrections import Correction, corrections_of
from server.storage.published_rules import refused_bars, refused_quotes
from server.storage.supabase.frames import Frame
from server.storage.supabase.imports import price_change_arguments
from server.storage.supabase.price_frames import YearOfPrices
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.sent_frames import sent_frame
from server.storage.supabase.write_tokens import write_token
from server.storage.texts import kept_text, kept_texts, text_of_kept

ATTEMPTS = 50
"""Each that fails means that an import or other bars were stored."""

BATCH_YEARS = 250
"""Years of prices of a symbol that are merged at once, with up to 15 KB each."""

FIELDS = (PriceField.CLOSE, PriceField.OPEN, PriceField.HIGH, PriceField.LOW, PriceField.VOLUME)
"""Of the figures of a bar, in their order."""

Figures = tuple[float | None, ...]


class SupabasePublished:
    """What becomes of bars and quotes in a project."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def publish_bars(self, bars: Sequence[Bar]) -> Outcome:
        """Stores bars among the prices of their symbols, those of some symbols at once."""
        rejected = refused_bars(bars, _now())
        asked = [place for place in range(len(bars)) if place not in rejected]
        for places in _batches(bars, asked):
            found = await self._publish([bars[place] for place in places])
            rejected |= {places[at]: why for at, why in found.items()}
        return Outcome(len(bars) - len(rejected), rejected)

    async def _publish(self, bars: Sequence[Bar]) -> dict[int, Rejection]:
        """What becomes of bars in one transaction: places of those that are not stored."""
        for _ in range(ATTEMPTS):
            stored = await asyncio.to_thread(Stored.read, bars, await self._stored(bars))
            new, rejected = _new(bars, stored)
            if not new or await self._rpc.send_bytes("publish_bars", await asyncio.to_thread(_frame, new, stored)):
                return rejected
        raise StorageUnavailable("imports were stored all the time; nothing more is stored, send it again")

    async def publish_quotes(self, quotes: Sequence[Quote]) -> Outcome:
        """Stores the latest quote of each symbol."""
        rejected = refused_quotes(quotes, _now())
        sent = [place for place in range(len(quotes)) if place not in rejected]
        if sent:
            found: Mapping[str, str] = await self._rpc.call(
                "publish_quotes", p_quotes=[_row(quotes[place]) for place in sent], p_token=write_token()
            )
            rejected |= {sent[int(place)]: Rejection(why) for place, why in found.items()}
        return Outcome(len(quotes) - len(rejected), rejected)

    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """The latest quotes of those symbols that have one."""
        rows = await self._rpc.call("read_quotes", p_symbols=kept_texts(symbols))
        found = {text_of_kept(row[0]): row[1:] for row in rows}
        return {
            symbol: Quote(symbol, found[symbol][0], *map(_figure, found[symbol][1:]))
            for symbol in symbols
            if symbol in found
        }

    async def _stored(self, bars: Sequence[Bar]) -> bytes:
        return await self._rpc.read_bytes(
            "read_bars",
            p_symbols=[kept_text(bar.symbol) for bar in bars],
            p_days=[bar.day for bar in bars],
            p_years=[civil_date(bar.day).year for bar in bars],
        )


@dataclass(slots=True)
class Stored:
    """What bars are decided by and merged with."""

    position: int  # of the last import or bars that were stored
    known: set[str] = field(default_factory=set)
    bars: dict[tuple[str, int], tuple[int, Figures]] = field(default_factory=dict)  # revision and figures
    newest: dict[tuple[str, PriceField], int] = field(default_factory=dict)
    chunks: dict[tuple[str, PriceField, int], DailyValues] = field(default_factory=dict)

    @classmethod
    def read(cls, bars: Sequence[Bar], data: bytes) -> "Stored":
        """From what absfin.read_bars returns for bars."""
        frame = Frame(data)
        header = frame.header
        found = cls(header["position"], set(map(text_of_kept, header["known"])))
        for place, revision, *figures in header["bars"]:
            found.bars[bars[place].symbol, bars[place].day] = revision, tuple(map(_figure, figures))
        for symbol, name, day in header["newest"]:
            found.newest[text_of_kept(symbol), PriceField(name)] = day
        for symbol, name, year, size in header["chunks"]:
            found.chunks[text_of_kept(symbol), PriceField(name), year] = DailyValues.decode(frame.take(size))
        return found


def _batches(bars: Sequence[Bar], places: Sequence[int]) -> Iterator[list[int]]:
    """Places of bars that are stored at once: all of their symbols, of so many years of prices."""
    by_symbol: dict[str, list[int]] = {}
    for place in places:
        by_symbol.setdefault(bars[place].symbol, []).append(place)
    batch: list[int] = []
    years = 0
    for found in by_symbol.values():
        batch += found
        years += len({civil_date(bars[place].day).year for place in found})
        if years >= BATCH_YEARS:
            yield batch
            batch, years = [], 0
    if batch:
        yield batch


def _new(bars: Sequence[Bar], stored: Stored) -> tuple[list[Bar], dict[int, Rejection]]:
    """Bars that are to be stored, and places of those that are rejected."""
    new: list[Bar] = []
    rejected: dict[int, Rejection] = {}
    for place, bar in enumerate(bars):
        revision, figures = stored.bars.get((bar.symbol, bar.day), (-1, ()))
        if bar.symbol not in stored.known:
            rejected[place] = Rejection.UNKNOWN_SYMBOL
        elif revision < bar.revision:
            new.append(bar)
        elif revision > bar.revision:
            rejected[place] = Rejection.STALE_REVISION
        elif figures != _figures(bar):
            rejected[place] = Rejection.CONFLICTING_REVISION
    return new, rejected


def _frame(bars: Sequence[Bar], stored: Stored) -> bytes:
    """What absfin.publish_bars takes."""
    chunks: list[tuple[PriceField, YearOfPrices]] = []
    changes: dict[PriceField, dict[str, PriceChange]] = {}
    corrections: dict[PriceField, list[Correction]] = {}
    for symbol, price_field, new in _series(bars):
        merges: list[tuple[int, Merge]] = []
        for year, part in new.by_year():
            outcome = merge(stored.chunks.get((symbol, price_field, year)), part)
            if outcome.days is not None:
                merges.append((year, outcome))
                chunks.append((price_field, YearOfPrices.of(symbol, year, outcome.merged)))
        if merges:
            newest = stored.newest.get((symbol, price_field))
            first, last = int(merges[0][1].changed_days[0]), int(merges[-1][1].changed_days[-1])
            # On the newest day or before it, either a value is another one or one came in between.
            replaced = newest is not None and first <= newest
            changes.setdefault(price_field, {})[symbol] = PriceChange(price_field, first, last, replaced)
            corrections.setdefault(price_field, []).extend(corrections_of(symbol, price_field, merges, newest))
    header: dict[str, object] = {
        "write": write_token(),
        "position": stored.position,
        "bars": [[kept_text(bar.symbol), bar.day, bar.revision, *_figures(bar)] for bar in bars],
        "changes": {name.value: price_change_arguments(found, corrections[name]) for name, found in changes.items()},
        "chunks": [_chunk_row(price_field, chunk) for price_field, chunk in chunks],
    }
    return sent_frame(header, *(chunk.data for _, chunk in chunks))


def _chunk_row(price_field: PriceField, chunk: YearOfPrices) -> list[object]:
    first, last = int(chunk.series.days[0]), int(chunk.series.days[-1])
    symbol, size = kept_text(chunk.symbol), len(chunk.data)
    return [price_field.value, symbol, chunk.year, first, last, size, chunk.sha256.hex()]


def _series(bars: Sequence[Bar]) -> Iterator[tuple[str, PriceField, DailyValues]]:
    """The figures of bars by symbol and field, in the order of days; a bar is the only one of its symbol and day."""
    found: dict[tuple[str, PriceField], list[tuple[int, float]]] = {}
    for bar in sorted(bars, key=lambda bar: (bar.symbol, bar.day)):
        for price_field, value in zip(FIELDS, _figures(bar), strict=True):
            if value is not None:
                found.setdefault((bar.symbol, price_field), []).append((bar.day, value))
    for (symbol, price_field), values in found.items():
        days, figures = zip(*values, strict=True)
        yield symbol, price_field, DailyValues(np.array(days, np.int32), np.array(figures, np.float64))


def _figures(bar: Bar) -> Figures:
    return bar.close, bar.open, bar.high, bar.low, bar.volume


def _row(quote: Quote) -> list[object]:
    return [kept_text(quote.symbol), quote.time, quote.bid, quote.ask, quote.last]


def _figure(value: float | None) -> float | None:
    return None if value is None else float(value)  # it comes without a point where it is whole


def _now() -> int:
    return time.time_ns() // 1000
