"""Imports: staged on this machine, merged here with what is stored, and made visible by one row.

Chunks are written under a revision that nobody sees. Before it is finished the database compares its last position with
the one up to which this server has merged: where others have finished meanwhile, the symbols that they changed are
merged again. So of two imports at once the second is merged with the whole of the first.
"""

import asyncio
import contextlib
import hashlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, field, replace
from datetime import date
from operator import itemgetter
from pathlib import Path
from typing import Any

from domain.calendar import EPOCH
from domain.errors import InvalidInput
from domain.market_data.panel import Panel
from domain.records import dataclass
from server.observability import logger
from server.ports.changes import PriceChange
from server.ports.errors import RequestIdReused, StorageFull, StorageUnavailable
from server.ports.market_data import ImportReceipt, PriceField
from server.storage.chunks import DailyValues, Merge, add_to_digest, columns, merge
from server.storage.corrections import Correction, corrections_of
from server.storage.supabase.concurrent_calls import at_most
from server.storage.supabase.errors import FunctionRefused
from server.storage.supabase.price_frames import YearOfPrices, body_of, chunks_of, hashes_of, in_batches
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.staged_series import StagedSeries
from server.storage.texts import kept_text, kept_texts, text_of_kept

BATCH_BYTES = 4 << 20
BATCH_ROWS = 2000
"""Of one call, which takes a fraction of a second."""

GROUP_SYMBOLS = 500
GROUPS_AT_ONCE = 3

IDLE_SECONDS = 600.0
"""An import that is silent for longer is dropped."""

TOUCH_SECONDS = 60.0

ATTEMPTS = 50
"""Each that fails means that another import was stored."""

Counts = tuple[int, int, int]
"""Inserted, changed, unchanged."""


class Imports:
    """The imports of one server; those of others on the same database are kept apart by the database."""

    def __init__(self, rpc: Rpc, folder: Path) -> None:
        self.rpc = rpc
        self._folder = folder

    async def begin(self, import_id: str, price_field: PriceField, source: str) -> "SupabaseImport":
        """A new session."""
        session = secrets.token_hex(10)
        await self.rpc.call("begin_import", p_session=session)
        return SupabaseImport(self, StagedSeries(self._folder), Header(session, import_id, price_field, source))

    async def sweep(self) -> int:
        """Drops imports that are silent, and chunks that were replaced; how many imports."""
        silent = await self.rpc.call("list_silent_imports", p_seconds=IDLE_SECONDS)
        for session in silent:
            await self.drop(session, IDLE_SECONDS)
        while await self.rpc.call("clean_prices", p_limit=BATCH_ROWS):
            pass
        return len(silent)

    async def drop(self, session: str, silent_seconds: float | None = None) -> None:
        """Removes an import that is not finished, with everything that it wrote; or only if it is silent."""
        arguments = {"p_session": session, "p_limit": BATCH_ROWS, "p_seconds": silent_seconds}
        while await self.rpc.call("drop_import", **arguments):
            pass

    async def tidy(self, written: int) -> None:
        """Removes about as many replaced chunks as one import can have replaced."""
        for _ in range(written // BATCH_ROWS + 2):
            if not await self.rpc.call("clean_prices", p_limit=BATCH_ROWS):
                return


@dataclass(frozen=True, slots=True)
class Header:
    """What an import says of itself, under the session that this server has chosen for it."""

    session: str
    import_id: str
    field: PriceField
    source: str


@dataclass(slots=True)
class Merging:
    """What is known of the symbols of an import so far."""

    base: int  # the last position when merging began
    content: Any  # a hash object
    counts: dict[str, Counts] = field(default_factory=dict)
    changes: dict[str, PriceChange] = field(default_factory=dict)  # of those symbols that have any
    corrections: list[Correction] = field(default_factory=list)
    written: int = 0

    def add(self, outcome: "Outcome") -> None:
        """What some symbols bring, instead of what was known of them before."""
        for symbol in outcome.counts:
            self.changes.pop(symbol, None)
        self.counts.update(outcome.counts)
        self.changes.update(outcome.changes)
        self.corrections = [one for one in self.corrections if one.symbol not in outcome.counts]
        self.corrections += outcome.corrections
        self.written += len(outcome.chunks)

    def receipt(self, import_id: str) -> ImportReceipt:
        """Of all symbols."""
        inserted, changed, unchanged = (sum(counts[i] for counts in self.counts.values()) for i in range(3))
        return ImportReceipt(import_id, inserted, changed, unchanged, len(self.counts))


class SupabaseImport:
    """One import under way."""

    def __init__(self, imports: Imports, staged: StagedSeries, header: Header) -> None:
        self._imports = imports
        self._rpc = imports.rpc
        self._staged = staged
        self._header = header
        self._values = 0
        self._touched = time.monotonic()

    async def add(self, panel: Panel) -> None:
        """Stages a panel on this machine, in a thread."""
        self._values += panel.values.size
        await asyncio.to_thread(self._stage, panel)
        await self._touch()

    async def finish(self, value_count: int) -> ImportReceipt:
        """Merges with what is stored and makes the result visible in one transaction."""
        if value_count != self._values:
            rule = f"says {value_count} values, but {self._values} have come; nothing is stored"
            raise InvalidInput("footer.value_count", rule)
        with _dropped_is_unavailable():
            found = await self._rpc.call("find_import", p_import_id=kept_text(self._header.import_id))
            if found["body"] is not None:
                receipt = await self._known(found)
            else:
                receipt = await self._merged(Merging(found["position"], self._content()))
        await asyncio.to_thread(self._staged.close)
        return receipt

    async def abandon(self) -> None:
        """Drops what was staged and written; what cannot be dropped now is swept away later."""
        with contextlib.suppress(StorageFull, StorageUnavailable):
            await asyncio.shield(self._drop())

    async def _drop(self) -> None:
        await asyncio.to_thread(self._staged.close)
        await self._imports.drop(self._header.session)

    def _stage(self, panel: Panel) -> None:
        for symbol, series in columns(panel):
            self._staged.add(symbol, series)

    def _content(self) -> Any:
        return hashlib.sha256(self._header.field.encode())

    async def _touch(self) -> None:
        """Tells the database that this import goes on, now and then."""
        if time.monotonic() - self._touched < TOUCH_SECONDS:
            return
        with _dropped_is_unavailable():
            await self._rpc.call("touch_import", p_session=self._header.session)
        self._touched = time.monotonic()

    async def _known(self, found: Mapping[str, Any]) -> ImportReceipt:
        """The first receipt of an import that was sent before."""
        if await asyncio.to_thread(self._hash_only) != found["body"]:
            raise RequestIdReused("header.import_id", self._header.import_id)
        with contextlib.suppress(StorageFull, StorageUnavailable):
            await self._imports.drop(self._header.session)
        return self._receipt_of(found)

    def _hash_only(self) -> str:
        content = self._content()
        for symbol in self._staged.sizes:
            add_to_digest(content, symbol, self._staged.read(symbol))
        return str(content.hexdigest())

    async def _merged(self, merging: Merging) -> ImportReceipt:
        sizes = await asyncio.to_thread(lambda: self._staged.sizes)
        symbols = list(sizes)
        again = sizes
        for attempt in range(ATTEMPTS):
            await self._merge(merging, again, hashed=attempt == 0)
            answer = await self._finish(merging, symbols)
            if answer["receipt"] is not None:
                await self._tidy(merging.written)
                return self._receipt_of(answer)
            changed = await self._rpc.call(
                "list_changed_symbols", p_field=self._header.field.value, p_since=merging.base
            )
            merging.base = changed["position"]
            again = {symbol: sizes[symbol] for symbol in map(text_of_kept, changed["symbols"]) if symbol in sizes}
            for named in _groups(again):
                withdrawn = kept_texts(named)
                await self._rpc.call("withdraw_price_chunks", p_session=self._header.session, p_symbols=withdrawn)
        raise StorageUnavailable("other imports were stored all the time; nothing is stored, send it again")

    async def _finish(self, merging: Merging, symbols: Sequence[str]) -> Any:
        return await self._rpc.call(
            "finish_import",
            p_session=self._header.session,
            p_import_id=kept_text(self._header.import_id),
            p_body=merging.content.hexdigest(),
            p_source=kept_text(self._header.source),
            p_base=merging.base,
            p_receipt=asdict(merging.receipt(kept_text(self._header.import_id))),
            p_symbols=kept_texts(symbols),
            p_field=self._header.field.value,
            p_changes=price_change_arguments(merging.changes, merging.corrections),
        )

    def _receipt_of(self, answer: Mapping[str, Any]) -> ImportReceipt:
        return replace(ImportReceipt(**answer["receipt"]), import_id=self._header.import_id)

    async def _tidy(self, written: int) -> None:
        """It is stored: what is left over does not count, and is swept away later at the latest."""
        try:
            await self._imports.drop(self._header.session)  # it is another one's receipt where two were sent at once
            await self._imports.tidy(written)
        except (StorageFull, StorageUnavailable) as error:
            logger.warning("an import is stored and what it replaces is not removed", extra={"why": str(error)})

    async def _merge(self, merging: Merging, sizes: Mapping[str, int], *, hashed: bool) -> None:
        """Merges some symbols, a few groups at once; reads and hashes them in their order."""
        async with at_most(GROUPS_AT_ONCE) as calls:
            for named in _groups(sizes):
                await calls.room()
                years = await asyncio.to_thread(self._years, named, merging.content if hashed else None)
                calls.start(self._store(merging, named, years))

    def _years(self, symbols: Sequence[str], content: Any) -> list[YearOfPrices]:
        found: list[YearOfPrices] = []
        for symbol in symbols:
            series = self._staged.read(symbol)
            if content is not None:
                add_to_digest(content, symbol, series)
            found += [YearOfPrices.of(symbol, year, part) for year, part in series.by_year()]
        return found

    async def _store(self, merging: Merging, symbols: list[str], years: list[YearOfPrices]) -> None:
        """Writes what is new in some symbols. A chunk that has the hash of the stored one is not read."""
        await self._touch()
        price_field = self._header.field.value
        content = await self._rpc.read_bytes("read_price_hashes", p_symbols=kept_texts(symbols), p_field=price_field)
        compared = await asyncio.to_thread(_compare, symbols, years, content)
        old = await self._stored(compared.differing)
        outcome = await asyncio.to_thread(_outcome, self._header.field, compared, old)
        for batch in in_batches(outcome.chunks, BATCH_BYTES, BATCH_ROWS):
            body = await asyncio.to_thread(body_of, self._header.session, price_field, batch)
            await self._rpc.send_bytes("write_price_chunks", body)
        merging.add(outcome)

    async def _stored(self, chunks: Sequence[YearOfPrices]) -> dict[tuple[str, int], DailyValues]:
        """What is stored for the symbols and years of some chunks."""
        found: dict[tuple[str, int], DailyValues] = {}
        for batch in in_batches(chunks, BATCH_BYTES, BATCH_ROWS):
            content = await self._rpc.read_bytes(
                "read_price_chunks",
                p_symbols=[kept_text(one.symbol) for one in batch],
                p_years=[one.year for one in batch],
                p_field=self._header.field.value,
            )
            for (i, year), _, data in await asyncio.to_thread(list, chunks_of(content)):
                found[batch[i].symbol, year] = DailyValues.decode(data)
        return found


@dataclass(frozen=True, slots=True)
class Compared:
    """Chunks by what is stored under their symbol and year."""

    new: list[YearOfPrices]  # nothing
    same: list[YearOfPrices]  # the very same
    differing: list[YearOfPrices]
    newest_years: dict[str, int]  # of the symbols that have anything


@dataclass(slots=True)
class Outcome:
    """What some symbols bring, and the chunks to write."""

    counts: dict[str, Counts]
    changes: dict[str, PriceChange]
    corrections: list[Correction]
    chunks: list[YearOfPrices]


def price_change_arguments(changes: Mapping[str, PriceChange], corrections: Sequence[Correction]) -> list[list[object]]:
    """Changes of prices with what they correct, as functions of the database take them."""
    corrected: dict[str, list[tuple[int, int]]] = {}
    for one in corrections:
        corrected.setdefault(one.symbol, []).append((one.first, one.last))
    return [
        [kept_text(symbol), one.first, one.last, one.replaced, corrected.get(symbol, [])]
        for symbol, one in changes.items()
    ]


def _compare(symbols: Sequence[str], years: Sequence[YearOfPrices], content: bytes) -> Compared:
    hashes = hashes_of(content)
    place = {symbol: i for i, symbol in enumerate(symbols)}
    compared = Compared([], [], [], {})
    for at, year in hashes:
        compared.newest_years[symbols[at]] = max(year, compared.newest_years.get(symbols[at], year))
    for one in years:
        stored = hashes.get((place[one.symbol], one.year))
        kind = compared.new if stored is None else compared.same if stored == one.sha256 else compared.differing
        kind.append(one)
    return compared


def _outcome(price_field: PriceField, compared: Compared, old: Mapping[tuple[str, int], DailyValues]) -> Outcome:
    """Merges what differs; of each symbol the days that are new or have another value are one change."""
    found = Outcome({}, {}, [], list(compared.new))
    merges: dict[str, list[tuple[int, Merge]]] = {}
    for one in compared.new:
        _count(found.counts, one.symbol, (len(one.series.days), 0, 0))
        merges.setdefault(one.symbol, []).append((one.year, merge(None, one.series)))
    for one in compared.same:
        _count(found.counts, one.symbol, (0, 0, len(one.series.days)))
    for one in compared.differing:
        outcome = merge(old.get((one.symbol, one.year)), one.series)
        _count(found.counts, one.symbol, (outcome.inserted, outcome.changed, outcome.unchanged))
        if outcome.days is not None:
            found.chunks.append(YearOfPrices.of(one.symbol, one.year, outcome.merged))
            merges.setdefault(one.symbol, []).append((one.year, outcome))
    for symbol, by_year in merges.items():
        by_year.sort(key=itemgetter(0))
        newest = _newest_day(symbol, compared, old)
        first, last = int(by_year[0][1].changed_days[0]), int(by_year[-1][1].changed_days[-1])
        # On the newest day or before it, either a value is another one or one came in between.
        replaced = newest is not None and first <= newest
        found.changes[symbol] = PriceChange(price_field, first, last, replaced)
        found.corrections += corrections_of(symbol, price_field, by_year, newest)
    return found


def _newest_day(symbol: str, compared: Compared, old: Mapping[tuple[str, int], DailyValues]) -> int | None:
    """The newest stored day of a symbol; where no value of its year changes, the last day of the year stands for it."""
    year = compared.newest_years.get(symbol)
    if year is None:
        return None
    if (symbol, year) in old:
        return int(old[symbol, year].days[-1])
    return (date(year, 12, 31) - EPOCH).days


def _count(counts: dict[str, Counts], symbol: str, more: Counts) -> None:
    before = counts.get(symbol, (0, 0, 0))
    counts[symbol] = (before[0] + more[0], before[1] + more[1], before[2] + more[2])


def _groups(sizes: Mapping[str, int]) -> Iterator[list[str]]:
    """Symbols that are merged together."""
    group: list[str] = []
    total = 0
    for symbol, size in sizes.items():
        group.append(symbol)
        total += size
        if total >= BATCH_BYTES or len(group) >= GROUP_SYMBOLS:
            yield group
            group, total = [], 0
    if group:
        yield group


@contextlib.contextmanager
def _dropped_is_unavailable() -> Iterator[None]:
    try:
        yield
    except FunctionRefused as refused:
        if refused.reason != "IMPORT_DROPPED":
            raise
        raise StorageUnavailable(
            f"the import was silent for more than {IDLE_SECONDS:.0f} s and was dropped; send it again"
        ) from None
