"""Chunks of prices as bytes on the wire: what the functions of the schema send, and what they are sent."""

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence

from domain.records import dataclass
from server.ports.errors import StorageUnavailable
from server.storage.chunks import DailyValues, digest
from server.storage.texts import kept_text

_CHUNK = struct.Struct(">iii32s")  # place from 1, year, bytes of data, sha256
_HASH = struct.Struct(">ii32s")  # place from 1, year, sha256
_KEY = struct.Struct(">ii")
_LENGTH = struct.Struct(">i")

Key = tuple[int, int]
"""Place of a symbol in the call, from 0, and civil year."""


@dataclass(frozen=True, slots=True)
class YearOfPrices:
    """The values of one symbol and civil year, with their bytes and the hash of these."""

    symbol: str
    year: int
    series: DailyValues
    data: bytes
    sha256: bytes

    @classmethod
    def of(cls, symbol: str, year: int, series: DailyValues) -> "YearOfPrices":
        """With the bytes of a series."""
        data = series.encode()
        return cls(symbol, year, series, data, digest(data))


def chunks_of(content: bytes) -> Iterator[tuple[Key, bytes, bytes]]:
    """Key, sha256 and data of each chunk. Raises StorageUnavailable where data does not have its hash."""
    at = 0
    while at < len(content):
        place, year, size, sha256 = _CHUNK.unpack_from(content, at)
        at += _CHUNK.size
        data = content[at : at + size]
        at += size
        if digest(data) != sha256:
            raise StorageUnavailable("stored prices are damaged: a chunk is not what its hash says; import it again")
        yield (place - 1, year), sha256, data


def hashes_of(content: bytes) -> dict[Key, bytes]:
    """sha256 of each chunk by its key."""
    return {(place - 1, year): sha256 for place, year, sha256 in _HASH.iter_unpack(content)}


def digest_of(hashes: Mapping[Key, bytes]) -> str:
    """The hash over chunks that absfin.describe_prices computes."""
    found = hashlib.sha256()
    for place, year in sorted(hashes):
        found.update(_KEY.pack(place + 1, year))
        found.update(hashes[place, year])
    return found.hexdigest()


def body_of(session: str, field: str, chunks: Sequence[YearOfPrices]) -> bytes:
    """What absfin.write_price_chunks takes."""
    rows = [
        (
            kept_text(one.symbol),
            one.year,
            int(one.series.days[0]),
            int(one.series.days[-1]),
            len(one.data),
            one.sha256.hex(),
        )
        for one in chunks
    ]
    head = json.dumps({"session": session, "field": field, "chunks": rows}).encode()
    return b"".join((_LENGTH.pack(len(head)), head, *(one.data for one in chunks)))


def in_batches(chunks: Iterable[YearOfPrices], most_bytes: int, most_rows: int) -> Iterator[list[YearOfPrices]]:
    """Chunks in groups of one call each."""
    batch: list[YearOfPrices] = []
    size = 0
    for one in chunks:
        batch.append(one)
        size += len(one.data)
        if size >= most_bytes or len(batch) >= most_rows:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
