"""Imports in parts: staged as they come, merged beside what is stored, and made visible at once.

Chunks of an import carry its number and count from the moment that number is finished, which is one row. So every
transaction is short, and others write in between. What a process that was killed leaves is invisible, and swept away.
"""

import asyncio
import contextlib
import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, field
from functools import partial
from typing import Any

from domain.errors import InvalidInput
from domain.market_data.panel import Panel
from domain.records import dataclass
from server.observability import logger
from server.ports.changes import PriceChange
from server.ports.errors import RequestIdReused, StorageFull, StorageUnavailable
from server.ports.market_data import ImportReceipt, PriceField
from server.storage.chunks import DailyValues, Merge, add_to_digest, columns, digest, joined, merge
from server.storage.corrections import Correction, corrections_of
from server.storage.embedded.change_rows import record_price_changes
from server.storage.embedded.correction_rows import record_corrections
from server.storage.embedded.database import Database
from server.storage.embedded.price_rows import visible_chunks
from server.storage.workers import WorkerLocks

BATCH_BYTES = 256 << 10
BATCH_ROWS = 250
"""One transaction takes a few milliseconds."""

ROW_BYTES = 128
"""What a row takes beside its data, about."""

SYMBOLS_AT_ONCE = 8
IDLE_SECONDS = 600.0
"""An import that is silent for longer is dropped."""

ATTEMPTS = 8

YEARS = (-99_999, 99_999)

PartRow = tuple[str, bytes]  # symbol, series
ChunkRow = tuple[str, str, int, int, bytes, bytes]  # as in price_chunks


class Imports:
    """The imports of one process; those of others on the same store are kept apart by the store itself."""

    def __init__(self, database: Database, workers: WorkerLocks | None) -> None:
        self.database = database
        self.finishing = asyncio.Lock()
        self.merging = asyncio.Lock()  # no bars are stored meanwhile, which would make an import merge again
        self._workers = workers

    async def begin(self, import_id: str, field: PriceField, source: str) -> "EmbeddedImport":
        """A new session."""
        session = secrets.token_hex(10)
        worker = self._workers.own if self._workers else ""
        await self.database.write(
            lambda c: c.execute("INSERT INTO import_sessions VALUES (?, ?, ?, NULL)", (session, worker, _now()))
        )
        return EmbeddedImport(self, session, import_id, field, source)

    async def sweep(self) -> int:
        """Drops sessions that are idle or whose process is gone, and chunks that were replaced."""
        rows = await self.database.read(_sessions)
        idle = _now() - round(IDLE_SECONDS * 1e6)
        dead = [session for session, worker, touched in rows if touched < idle or self._is_gone(worker)]
        for session in dead:
            await self.drop(session)
        for number in await self.database.read(_uncleaned):
            await self.clean(number)
        while await self.database.write(_drop_unused_numbers):
            pass
        return len(dead)

    async def drop(self, session: str) -> None:
        """Removes a session with everything it wrote that is not visible."""
        number = await self.database.read(partial(_number_of, session=session))
        if number is not None:
            await self.discard(number)
        while await self.database.write(partial(_drop_parts, session=session)):
            pass
        await self.database.write(lambda c: c.execute("DELETE FROM import_sessions WHERE session = ?", (session,)))

    async def discard(self, number: int) -> None:
        """Removes the chunks of a number that was not finished."""
        while await self.database.write(partial(_drop_chunks, number=number)):
            pass

    async def clean(self, number: int) -> None:
        """Removes the chunks that those of a finished number replace."""
        while await self.database.write(partial(_drop_replaced, number=number)):
            pass

    def _is_gone(self, worker: str) -> bool:
        return bool(worker) and self._workers is not None and self._workers.is_gone(worker)


@dataclass(slots=True)
class Merging:
    """What one pass over the staged symbols has found."""

    number: int
    base: int  # the last number finished when the pass began
    content: Any  # a hash object
    symbols: int = 0
    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    changes: list[tuple[str, PriceChange]] = field(default_factory=list)  # by symbol
    corrections: list[Correction] = field(default_factory=list)


class EmbeddedImport:
    """One import under way."""

    def __init__(self, imports: Imports, session: str, import_id: str, field: PriceField, source: str) -> None:
        self._imports = imports
        self._database = imports.database
        self._session = session
        self._import_id = import_id
        self._field = field
        self._source = source
        self._values = 0
        self._part = 0

    async def add(self, panel: Panel) -> None:
        """Stages a panel in short transactions; what costs time runs in threads."""
        self._values += panel.values.size
        self._part += 1
        batches = _batches((symbol, series.encode()) for symbol, series in columns(panel))
        while (batch := await asyncio.to_thread(next, batches, None)) is not None:
            work = partial(_stage, session=self._session, part=self._part, rows=batch)
            await self._database.write(work, needed=_bytes_of(batch))

    async def finish(self, value_count: int) -> ImportReceipt:
        """Merges with what is stored and makes the result visible in one transaction."""
        if value_count != self._values:
            rule = f"says {value_count} values, but {self._values} have come; nothing is stored"
            raise InvalidInput("footer.value_count", rule)
        async with self._imports.finishing:
            for attempt in range(ATTEMPTS):
                async with self._imports.merging if attempt else contextlib.nullcontext():
                    receipt = await self._attempt()
                if receipt is not None:
                    await self._tidy()
                    return receipt
        raise StorageUnavailable("other imports were stored all the time; nothing is stored, send it again")

    async def abandon(self) -> None:
        """Drops what was staged; what cannot be dropped now is swept away later."""
        with contextlib.suppress(StorageFull, StorageUnavailable):
            await asyncio.shield(self._imports.drop(self._session))

    async def _attempt(self) -> ImportReceipt | None:
        """A pass over all symbols; None where another import was finished meanwhile."""
        number, base, known = await self._database.write(
            partial(_begin_merging, session=self._session, import_id=self._import_id)
        )
        merging = Merging(number, base, hashlib.sha256(self._field.encode()))
        symbols = await self._database.read(partial(_symbols, session=self._session))
        for start in range(0, len(symbols), SYMBOLS_AT_ONCE):
            named = symbols[start : start + SYMBOLS_AT_ONCE]
            rows = await self._database.read(partial(self._merge, merging=merging, symbols=named, hash_only=known))
            for batch in _batches(rows):
                work = partial(_write_chunks, session=self._session, rows=batch)
                await self._database.write(work, needed=_bytes_of(batch))
        work_last = partial(
            _make_visible,
            session=self._session,
            import_id=self._import_id,
            source=self._source,
            merging=merging,
            symbols=symbols,
        )
        receipt = await self._database.write(work_last)
        if receipt is None:
            await self._imports.discard(number)
        return receipt

    async def _tidy(self) -> None:
        """It is stored: what is left over does not count, and is swept away later at the latest."""
        try:
            for number in await self._database.read(_uncleaned):
                await self._imports.clean(number)
            await self._imports.drop(self._session)
        except (StorageFull, StorageUnavailable) as error:
            logger.warning("an import is stored and its staging is not removed", extra={"why": str(error)})

    def _merge(
        self, connection: sqlite3.Connection, merging: Merging, symbols: Sequence[str], hash_only: bool
    ) -> list[ChunkRow]:
        """Counts and hashes some symbols; the chunks they change."""
        found: list[ChunkRow] = []
        for symbol in symbols:
            series = joined(symbol, _parts(connection, self._session, symbol))
            merging.symbols += 1
            add_to_digest(merging.content, symbol, series)
            if hash_only:
                continue
            old = visible_chunks(connection, symbol, self._field, *YEARS)
            merges: list[tuple[int, Merge]] = []
            for year, new in series.by_year():
                outcome = merge(DailyValues.decode(old[year]) if year in old else None, new)
                merging.inserted += outcome.inserted
                merging.changed += outcome.changed
                merging.unchanged += outcome.unchanged
                if outcome.days is not None:
                    merges.append((year, outcome))
                    data = outcome.merged.encode()
                    found.append((symbol, self._field, year, merging.number, digest(data), data))
            if merges:
                newest = newest_day(old)
                merging.changes.append((symbol, price_change(self._field, merges, newest)))
                merging.corrections += corrections_of(symbol, self._field, merges, newest)
        return found


def newest_day(old: Mapping[int, bytes]) -> int | None:
    """The newest day of chunks by year."""
    return int(DailyValues.decode(old[max(old)]).days[-1]) if old else None


def price_change(field: PriceField, merges: Sequence[tuple[int, Merge]], newest: int | None) -> PriceChange:
    """What merges of years, in order, that bring anything change of prices whose newest day is known."""
    first, last = int(merges[0][1].changed_days[0]), int(merges[-1][1].changed_days[-1])
    # On the newest day or before it, either a value is another one or one came in between.
    return PriceChange(field, first, last, replaced=newest is not None and first <= newest)


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Rows, whose last column is their data, in batches of one short transaction each."""
    batch: list[Any] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row[-1])
        if size >= BATCH_BYTES or len(batch) >= BATCH_ROWS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _bytes_of(rows: Sequence[Any]) -> int:
    return sum(len(row[-1]) + ROW_BYTES for row in rows)


def _touch(connection: sqlite3.Connection, session: str) -> None:
    found = connection.execute("UPDATE import_sessions SET touched_micros = ? WHERE session = ?", (_now(), session))
    if found.rowcount == 0:
        raise StorageUnavailable(
            f"the import was silent for more than {IDLE_SECONDS:.0f} s and was dropped; send it again"
        )


def _stage(connection: sqlite3.Connection, session: str, part: int, rows: Sequence[PartRow]) -> None:
    _touch(connection, session)
    connection.executemany(
        "INSERT INTO import_parts VALUES (?, ?, ?, ?)", [(session, symbol, part, data) for symbol, data in rows]
    )


def _write_chunks(connection: sqlite3.Connection, session: str, rows: Sequence[ChunkRow]) -> None:
    _touch(connection, session)
    connection.executemany("INSERT INTO price_chunks VALUES (?, ?, ?, ?, ?, ?)", rows)


def _begin_merging(connection: sqlite3.Connection, session: str, import_id: str) -> tuple[int, int, bool]:
    """A number, the last one that is finished, and whether the import is known."""
    _touch(connection, session)
    base = _last_finished(connection)
    number = connection.execute("INSERT INTO import_numbers DEFAULT VALUES").lastrowid or 0
    connection.execute("UPDATE import_sessions SET number = ? WHERE session = ?", (number, session))
    known = connection.execute("SELECT 1 FROM imports WHERE import_id = ?", (import_id,)).fetchone() is not None
    return number, base, known


def _make_visible(
    connection: sqlite3.Connection, session: str, import_id: str, source: str, merging: Merging, symbols: Sequence[str]
) -> ImportReceipt | None:
    _touch(connection, session)
    body = merging.content.digest()
    before = connection.execute("SELECT body, receipt FROM imports WHERE import_id = ?", (import_id,)).fetchone()
    if before:
        if before[0] != body:
            raise RequestIdReused("header.import_id", import_id)
        return ImportReceipt(**json.loads(before[1]))
    if _last_finished(connection) != merging.base:
        return None
    receipt = ImportReceipt(import_id, merging.inserted, merging.changed, merging.unchanged, merging.symbols)
    connection.executemany(
        "INSERT INTO instruments (symbol) VALUES (?) ON CONFLICT DO NOTHING", [(symbol,) for symbol in symbols]
    )
    connection.execute(
        "INSERT INTO imports (import_id, body, receipt, source) VALUES (?, ?, ?, ?)",
        (import_id, body, json.dumps(asdict(receipt)), source),
    )
    record_price_changes(connection, merging.changes)
    record_corrections(connection, merging.corrections)
    connection.execute("UPDATE import_numbers SET finished = 1 WHERE number = ?", (merging.number,))
    connection.execute("UPDATE import_sessions SET number = NULL WHERE session = ?", (session,))
    return receipt


def _last_finished(connection: sqlite3.Connection) -> int:
    (number,) = connection.execute("SELECT coalesce(max(number), 0) FROM import_numbers WHERE finished = 1").fetchone()
    return int(number)


def _sessions(connection: sqlite3.Connection) -> list[tuple[str, str, int]]:
    return connection.execute("SELECT session, worker, touched_micros FROM import_sessions").fetchall()


def _number_of(connection: sqlite3.Connection, session: str) -> int | None:
    row = connection.execute("SELECT number FROM import_sessions WHERE session = ?", (session,)).fetchone()
    return row[0] if row else None


def _uncleaned(connection: sqlite3.Connection) -> list[int]:
    rows = connection.execute("SELECT number FROM import_numbers WHERE finished = 1 AND cleaned = 0")
    return [number for (number,) in rows.fetchall()]


def _symbols(connection: sqlite3.Connection, session: str) -> list[str]:
    rows = connection.execute("SELECT DISTINCT symbol FROM import_parts WHERE session = ? ORDER BY symbol", (session,))
    return [symbol for (symbol,) in rows.fetchall()]


def _parts(connection: sqlite3.Connection, session: str, symbol: str) -> list[DailyValues]:
    statement = "SELECT data FROM import_parts WHERE session = ? AND symbol = ? ORDER BY part"
    return [DailyValues.decode(data) for (data,) in connection.execute(statement, (session, symbol))]


def _drop_parts(connection: sqlite3.Connection, session: str) -> int:
    statement = "DELETE FROM import_parts WHERE rowid IN (SELECT rowid FROM import_parts WHERE session = ? LIMIT ?)"
    return connection.execute(statement, (session, BATCH_ROWS)).rowcount


def _drop_chunks(connection: sqlite3.Connection, number: int) -> int:
    if connection.execute("SELECT 1 FROM import_numbers WHERE number = ? AND finished = 1", (number,)).fetchone():
        return 0
    statement = "DELETE FROM price_chunks WHERE rowid IN (SELECT rowid FROM price_chunks WHERE import = ? LIMIT ?)"
    dropped = connection.execute(statement, (number, BATCH_ROWS)).rowcount
    if not dropped:
        connection.execute("DELETE FROM import_numbers WHERE number = ? AND finished = 0", (number,))
    return dropped


def _drop_replaced(connection: sqlite3.Connection, number: int) -> int:
    dropped = connection.execute(
        "DELETE FROM price_chunks WHERE rowid IN (SELECT old.rowid FROM price_chunks new JOIN price_chunks old "
        "ON old.symbol = new.symbol AND old.field = new.field AND old.year = new.year AND old.import < new.import "
        "WHERE new.import = ? LIMIT ?)",
        (number, BATCH_ROWS),
    ).rowcount
    if not dropped:
        connection.execute("UPDATE import_numbers SET cleaned = 1 WHERE number = ?", (number,))
    return dropped


def _drop_unused_numbers(connection: sqlite3.Connection) -> int:
    """Each batch of bars takes a number; the last one stays, by which an import sees that others were finished."""
    statement = (
        "DELETE FROM import_numbers WHERE number IN "
        "(SELECT number FROM import_numbers n WHERE finished = 1 AND cleaned = 1 AND number < ? "
        "AND NOT EXISTS (SELECT 1 FROM price_chunks p WHERE p.import = n.number) LIMIT ?)"
    )
    return connection.execute(statement, (_last_finished(connection), BATCH_ROWS)).rowcount


def _now() -> int:
    return time.time_ns() // 1000
