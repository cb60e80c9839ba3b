"""A short run of scripts/fuzz-decoders: changed bytes are read or refused in the words of their decoder."""

import io
import re
from random import Random

import pyarrow
import pytest
import typer
from pyarrow import parquet

from tests.families import share_of
from tests.fuzzing.decoders import changed, decoders

NAMES = (
    *("actions", "checkpoint", "instruments", "json", "liquidity", "listener", "monitor", "page token", "panel"),
    *("parquet", "parquet rows", "rates", "universe", "weights"),
)


def test_none_is_left_out() -> None:
    assert sorted(decoders()) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_changed_bytes_are_read_or_refused(name: str) -> None:
    decoder, rng = decoders()[name], Random(f"7:{name}")
    for example in decoder.examples:
        decoder.try_on(example)
    for _ in range(share_of(100)):
        data = changed(rng.choice(decoder.examples), rng)
        try:
            decoder.try_on(data)
        except Exception as error:
            raise AssertionError(f"{name}: {error!r} for {data!r}") from error


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("json", "page token", "parquet rows")])
def test_examples_are_good_ones(name: str) -> None:
    for example in decoders()[name].examples[:1]:
        decoders()[name].read(example)


def test_a_damaged_checkpoint_is_none() -> None:
    decoder = decoders()["checkpoint"]
    [example] = decoder.examples
    assert decoder.read(example) is not None
    assert decoder.read(example[:-1]) is None
    locked = bytearray(example)
    for found in re.finditer(rb"PK\x01\x02", example):
        locked[found.start() + 8] |= 1  # says that the part needs a password
    assert decoder.read(bytes(locked)) is None


def test_a_date_of_parquet_that_python_does_not_have_is_refused() -> None:
    sink = io.BytesIO()
    parquet.write_table(pyarrow.table({"date": pyarrow.array([2**30], pyarrow.date32()), "rate": [0.1]}), sink)
    with pytest.raises(typer.BadParameter, match="has a value that cannot be read"):
        decoders()["parquet rows"].read(sink.getvalue())


def test_gzipped_text_that_is_damaged_is_refused() -> None:
    """The end of its stream tells one error, and the middle of it another, which gzip does not count as its own."""
    decoder = decoders()["panel"]
    zipped = decoder.examples[1]
    for place in range(10, len(zipped)):
        decoder.try_on(zipped[:place] + bytes([zipped[place] ^ 0xFF]) + zipped[place + 1 :])
