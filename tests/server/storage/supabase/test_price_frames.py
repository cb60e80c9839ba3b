"""Chunks of prices as bytes on the wire."""

import hashlib
import json
import struct

import numpy as np
import pytest

from server.ports.errors import StorageUnavailable
from server.storage.chunks import DailyValues
from server.storage.supabase.price_frames import (
    YearOfPrices,
    body_of,
    chunks_of,
    digest_of,
    hashes_of,
    in_batches,
)


def year(symbol: str, first: int, count: int) -> YearOfPrices:
    days = np.arange(first, first + count, dtype=np.int32)
    return YearOfPrices.of(symbol, 1970, DailyValues(days, days * 1.5))


def frame(place: int, year: int, data: bytes) -> bytes:
    """As the function of the schema writes it."""
    return struct.pack(">iii", place, year, len(data)) + hashlib.sha256(data).digest() + data


def test_chunks_are_read_in_any_order_and_size() -> None:
    content = frame(3, 1969, b"abc") + frame(1, -5, b"") + frame(1, 2026, b"x" * 1000)
    found = {key: (sha256, data) for key, sha256, data in chunks_of(content)}
    assert {key: data for key, (_, data) in found.items()} == {(2, 1969): b"abc", (0, -5): b"", (0, 2026): b"x" * 1000}
    assert found[2, 1969][0] == hashlib.sha256(b"abc").digest()
    assert list(chunks_of(b"")) == []


@pytest.mark.parametrize("at", [12, 43, 44, 46])
def test_a_chunk_that_is_not_what_its_hash_says_is_refused(at: int) -> None:
    content = bytearray(frame(1, 1970, b"abc"))
    content[at] ^= 1
    with pytest.raises(StorageUnavailable, match="damaged"):
        list(chunks_of(bytes(content)))


def test_a_chunk_that_is_cut_off_is_refused() -> None:
    with pytest.raises(StorageUnavailable, match="damaged"):
        list(chunks_of(frame(1, 1970, b"abc")[:-1]))


def test_the_hash_over_chunks_does_not_depend_on_their_order() -> None:
    hashes = {(1, 1971): b"b" * 32, (0, 1971): b"a" * 32, (0, 1969): b"c" * 32}
    written = b"".join(
        struct.pack(">ii", place, year) + letter * 32
        for place, year, letter in ((1, 1969, b"c"), (1, 1971, b"a"), (2, 1971, b"b"))
    )
    assert digest_of(hashes) == digest_of(dict(sorted(hashes.items()))) == hashlib.sha256(written).hexdigest()
    content = b"".join(struct.pack(">ii", place + 1, year) + digest for (place, year), digest in hashes.items())
    assert hashes_of(content) == hashes


def test_a_body_says_where_each_chunk_begins() -> None:
    chunks = [year("A", 0, 3), year("ü", 5, 1)]
    body = body_of("s", "CLOSE", chunks)
    (size,) = struct.unpack(">i", body[:4])
    head = json.loads(body[4 : 4 + size])
    assert (head["session"], head["field"]) == ("s", "CLOSE")
    assert [row[:5] for row in head["chunks"]] == [["A", 1970, 0, 2, 36], ["ü", 1970, 5, 5, 12]]
    assert body[4 + size :] == chunks[0].data + chunks[1].data
    assert bytes.fromhex(head["chunks"][1][5]) == hashlib.sha256(chunks[1].data).digest()


def test_batches_hold_everything_in_order() -> None:
    chunks = [year(str(i), i, 1 + i % 5) for i in range(40)]
    for most_bytes, most_rows in ((100, 1000), (10_000, 7), (1, 1)):
        batches = list(in_batches(chunks, most_bytes, most_rows))
        assert [one for batch in batches for one in batch] == chunks
        assert all(len(batch) <= most_rows for batch in batches)
        assert all(sum(len(one.data) for one in batch[:-1]) < most_bytes for batch in batches)
