"""Copies what owners have from one store to another: portfolios, fills, results and backtests that are over.

Rows that the target has already are compared by their hashes and not sent again: a copy that was interrupted goes on
where it was. Every row that is sent is read back and compared. Nothing in the target is changed.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from domain.records import dataclass
from server.ports.storage import Storage
from server.ports.transfer import (
    BACKTESTS,
    INPUT_USES,
    INPUTS,
    OPEN_BACKTESTS,
    RESULTS,
    TABLES,
    Place,
    TransferRow,
    TransferStore,
    TransferTable,
    UsedByResult,
    Value,
)
from server.storage.market_data_copy import CopyDiffers

PAGE = 200
USED_PAGE = 20
"""Results at once with what they have used, which may be tens of thousands of symbols each."""

SHOWN = 10

Kept = Callable[[TransferRow], bool]


@dataclass(frozen=True, slots=True)
class CopiedRows:
    """How many rows of a table were sent, and how many the target had already."""

    sent: int = 0
    known: int = 0


@dataclass(frozen=True, slots=True)
class CopiedRecords:
    """What a copy has done."""

    tables: Mapping[str, CopiedRows]  # by the name of the table
    left_out: tuple[str, ...]  # backtests that are not over, with their owners and states
    api_keys: CopiedRows | None  # None where the target hashes keys under another secret: then none was copied


@dataclass(slots=True)
class _Progress:
    """What has been copied so far; rows that belong to others are copied where those are."""

    source: TransferStore
    target: TransferStore
    places: dict[str, set[Place]] = field(default_factory=dict)  # of rows that others belong to
    inputs: set[Place] = field(default_factory=set)  # data of the backtests that are copied


async def copy_records(source: Storage, target: Storage) -> CopiedRecords:
    """Copies all rows that every owner has, and API keys. Raises CopyDiffers, and what the stores raise.

    The target may have rows of its own. One that differs from the row of the same owner and id ends the copy.
    """
    # Read first: a backtest that ends meanwhile is named, whether its rows are copied or not.
    left_out = await _open_backtests(source.transfer)
    progress = _Progress(source.transfer, target.transfer)
    tables: dict[str, CopiedRows] = {}
    for table in TABLES:
        tables[table.name] = await _copy_table(progress, table)
        if table == BACKTESTS:
            await _find_inputs(progress)
    for table in RESULTS:
        await _copy_used(progress, table)
    return CopiedRecords(tables, left_out, await _copy_keys(source, target))


async def _copy_table(progress: _Progress, table: TransferTable) -> CopiedRows:
    keep = _choice(progress, table)
    places = progress.places.setdefault(table.name, set())
    has_children = table in RESULTS or any(one.parent == table.name for one in TABLES)
    after, sent, known = table.before_all, 0, 0
    while page := await progress.source.rows(table, after, PAGE):
        rows = [row for row in page if keep(row)]
        count = await _copy_page(progress.target, table, after, rows)
        sent, known = sent + count, known + len(rows) - count
        if has_children:
            places.update(row.place for row in rows)
        after = page[-1].place
    return CopiedRows(sent, known)


def _choice(progress: _Progress, table: TransferTable) -> Kept:
    """What is to be copied of a table: not what was stored, or has ended, since the rows it belongs to were read."""
    if table == INPUTS:
        return lambda row: row.place in progress.inputs
    if table.parent:
        parents = progress.places[table.parent]
        return lambda row: row.place[:2] in parents
    return lambda _: True


async def _copy_used(progress: _Progress, table: TransferTable) -> None:
    """What the results have used that were copied, and since when they are stale.

    A correction in the target, or a later one in the source, is no difference: only that none is lost.
    """
    after, copied = table.before_all, progress.places[table.name]
    while page := await progress.source.used(table, after, USED_PAGE):
        wanted = {one.place: one for one in page if one.place in copied}
        await progress.target.put_used(table, list(wanted.values()))
        found = await _used_of(progress.target, table, after, wanted)
        lost = [place for place, one in wanted.items() if not _is_kept(one, found.get(place))]
        if lost:
            names = ", ".join(_name(table, place) for place in lost[:SHOWN])
            raise CopyDiffers(f"the target does not keep what {names} used, or that it is stale")
        after = page[-1].place


def _is_kept(one: UsedByResult, found: UsedByResult | None) -> bool:
    if found is None or found.ranges != one.ranges:
        return False
    return one.stale is None or (found.stale is not None and found.stale <= one.stale)


async def _used_of(
    target: TransferStore, table: TransferTable, after: Place, wanted: Mapping[Place, UsedByResult]
) -> dict[Place, UsedByResult]:
    """What the target has in these places, which has others between them."""
    found: dict[Place, UsedByResult] = {}
    last = max(wanted, default=after)
    while after < last and (page := await target.used(table, after, USED_PAGE)):
        found.update({one.place: one for one in page if one.place in wanted})
        after = page[-1].place
    return found


async def _find_inputs(progress: _Progress) -> None:
    keep, after = _choice(progress, INPUT_USES), INPUT_USES.before_all
    while page := await progress.source.rows(INPUT_USES, after, PAGE):
        progress.inputs.update(row.place[2:] for row in page if keep(row))
        after = page[-1].place


async def _copy_page(target: TransferStore, table: TransferTable, after: Place, rows: Sequence[TransferRow]) -> int:
    """Stores those rows that are missing; how many they were. Raises CopyDiffers."""
    if not rows:
        return 0
    wanted = {row.place: digest_of(row) for row in rows}
    found = await _digests(target, table, after, wanted)
    _require_same(table, {place: wanted[place] for place in found}, found)
    missing = [row for row in rows if row.place not in found]
    if missing:
        await target.put(table, missing)
        _require_same(table, wanted, await _digests(target, table, after, wanted))
    return len(missing)


async def _digests(
    target: TransferStore, table: TransferTable, after: Place, wanted: Mapping[Place, bytes]
) -> dict[Place, bytes]:
    """Hashes of those rows that are in these places of the target, which has others between them."""
    found: dict[Place, bytes] = {}
    last = max(wanted)
    while page := await target.rows(table, after, PAGE):
        found.update({row.place: digest_of(row) for row in page if row.place in wanted})
        after = page[-1].place
        if after >= last:
            break
    return found


def _require_same(table: TransferTable, wanted: Mapping[Place, bytes], found: Mapping[Place, bytes]) -> None:
    wrong = [place for place, digest in wanted.items() if found.get(place) != digest]
    if wrong:
        names = ", ".join(_name(table, place) for place in wrong[:SHOWN])
        raise CopyDiffers(
            f"the target has something else for {names}{' and others' if len(wrong) > SHOWN else ''}, or with the "
            "same request id; nothing of it was changed"
        )


def _name(table: TransferTable, place: Place) -> str:
    if len(place) == 1:
        return f"{table.name}/{place[0]}"
    owner, name, *rest = place
    inner = "".join(f"/{one}" for one in rest)
    return f"{table.name}/{name}{inner} of {owner}"


async def _open_backtests(source: TransferStore) -> tuple[str, ...]:
    found: list[str] = []
    after = OPEN_BACKTESTS.before_all
    while page := await source.rows(OPEN_BACKTESTS, after, PAGE):
        found += [f"{_name(BACKTESTS, row.place)} is {row.values[0]!s}" for row in page]
        after = page[-1].place
    return tuple(found)


async def _copy_keys(source: Storage, target: Storage) -> CopiedRows | None:
    """API keys with their hashes, where both stores have the same secret, or the target has none yet."""
    after, sent, known = "", 0, 0
    page = await source.api_keys.list(after, PAGE)
    if not page.keys:
        return CopiedRows()
    secret = await source.api_keys.pepper()
    if await target.transfer.keep_secret(secret) != secret:
        return None
    while True:  # ends with the last page
        for record in page.keys:
            found = await target.api_keys.find(record.id)
            if found is None:
                await target.api_keys.create(record)
                found = await target.api_keys.find(record.id)
                sent += 1
            else:
                known += 1
            if found != record:
                raise CopyDiffers(f"the target has something else for apiKeys/{record.id}; nothing of it was changed")
        if not page.next_id:
            return CopiedRows(sent, known)
        page = await source.api_keys.list(page.next_id, PAGE)


def digest_of(row: TransferRow) -> bytes:
    """The hash of a row: the same for the same values in every store."""
    content = hashlib.sha256()
    for value in (*row.place, *row.values):
        for part in _parts(value):
            content.update(len(part).to_bytes(8, "big"))
            content.update(part)
    return content.digest()


def _parts(value: Value) -> tuple[bytes, ...]:
    """What tells a value from all others: its type, then its content."""
    if isinstance(value, bytes):
        return b"bytes", value
    if isinstance(value, tuple):
        return b"texts", str(len(value)).encode(), *(one.encode() for one in value)
    return type(value).__name__.encode(), str(value).encode()
