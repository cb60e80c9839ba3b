"""Messages that are small on the wire and large, deep or endless once they are read: refused, at no cost to others."""

import re
import time
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from absfinance.v1.backtest_service_pb2 import BacktestRequest
from google.protobuf.descriptor import Descriptor

from tests.conftest import RunningServer, Wire, refusal_of
from tests.e2e.test_bad_input import optimize

OPTIMIZE, BACKTEST = "/absfinance.v1.OptimizationService/Optimize", "/absfinance.v1.BacktestService/Backtest"
MESSAGE_BYTES = 4 << 20
SOON_SECONDS = 10.0
"""Far above what a refusal takes, and far below what it would take to read what is refused here."""


def refused(channel: grpc.Channel, method: str, request: bytes, **more: Any) -> tuple[str, str]:
    """Code and reason of a call that must fail, soon."""
    began = time.monotonic()
    with pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary(method)(request, timeout=60, **more)
    assert time.monotonic() - began < SOON_SECONDS
    refusal = refusal_of(raised.value)
    return refusal.code, refusal.reason


def peak_bytes(process: int) -> int:
    """The most memory that a process has used since it was last forgotten."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{process}/status").read_text(), re.M)
    assert found
    return int(found[1]) << 10


@pytest.mark.skipif(not psutil.LINUX, reason="only Linux says how much memory another process has used at most")
@pytest.mark.parametrize("kind", [grpc.Compression.Gzip, grpc.Compression.Deflate], ids=["gzip", "deflate"])
def test_a_compressed_message_is_not_unpacked_beyond_the_limit(
    server: RunningServer, wire: Wire, kind: grpc.Compression
) -> None:
    """48 MiB of zeros are 48 KiB on the wire."""
    process = server.process.pid
    with server.channel() as channel:
        assert refused(channel, OPTIMIZE, bytes(1 << 20), compression=kind) == ("INVALID_ARGUMENT", "INVALID_INPUT")
        Path(f"/proc/{process}/clear_refs").write_text("5")  # forgets the peak
        before = peak_bytes(process)
        assert refused(channel, OPTIMIZE, bytes(48 << 20), compression=kind) == ("RESOURCE_EXHAUSTED", "")
        assert peak_bytes(process) - before < 6 * MESSAGE_BYTES
    assert wire.call("OptimizationService/Optimize", optimize())["weights"]


def nested(levels: int) -> bytes:
    """A backtest of blends within blends."""
    blend: Descriptor = BacktestRequest.DESCRIPTOR.fields_by_name["strategy"].message_type
    path = [
        blend.fields_by_name["blend"],
        blend.fields_by_name["blend"].message_type.fields_by_name["parts"],
        blend.fields_by_name["blend"].message_type.fields_by_name["parts"].message_type.fields_by_name["strategy"],
    ]
    inner = b""
    for _ in range(levels):
        for field in reversed(path):
            inner = varint(field.number << 3 | 2) + varint(len(inner)) + inner
    outer = BacktestRequest.DESCRIPTOR.fields_by_name["strategy"].number << 3 | 2
    return varint(outer) + varint(len(inner)) + inner


def varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes((*found, number))


def test_a_nested_message_is_written_as_it_is_meant() -> None:
    message = BacktestRequest.FromString(nested(2))
    assert message.strategy.blend.parts[0].strategy.blend.parts[0].HasField("strategy")


@pytest.mark.parametrize("levels", [1, 10, 31, 34, 500, 3000])
def test_deeply_nested_messages(channel: grpc.Channel, levels: int) -> None:
    """Up to a hundred messages within each other are read, and refused for what they say."""
    assert refused(channel, BACKTEST, nested(levels)) == ("INVALID_ARGUMENT", "INVALID_INPUT")


@pytest.mark.parametrize("tag", [0x0B, 0xFB], ids=["of a known number", "of an unknown number"])
def test_groups_within_groups(channel: grpc.Channel, tag: int) -> None:
    """The oldest way to nest, which no message of the contract uses: a byte or two for each level."""
    start = bytes([tag]) if tag < 128 else bytes([tag, 0x01])
    assert refused(channel, BACKTEST, start * 1_000_000) == ("INVALID_ARGUMENT", "INVALID_INPUT")


def test_many_headers(channel: grpc.Channel, wire: Wire) -> None:
    """The limit is on all of them together."""
    many = tuple((f"x-{number}", "v") for number in range(3000))
    assert refused(channel, OPTIMIZE, b"", metadata=many)[0] == "RESOURCE_EXHAUSTED"
    assert wire.call("OptimizationService/Optimize", optimize())["weights"]


def test_an_id_of_a_call_that_would_forge_a_line_of_the_log(server: RunningServer, channel: grpc.Channel) -> None:
    """What a caller sends as `x-request-id` is taken over only where it has plain characters."""
    forged = 'a", "message": "forged'
    call: Any = channel.unary_unary(OPTIMIZE).with_call
    with pytest.raises(grpc.RpcError) as raised:
        call(b"\xff", metadata=(("x-request-id", forged),), timeout=20)
    error: Any = raised.value
    assert dict(error.trailing_metadata())["x-request-id"] != forged
    assert "forged" not in (server.data_dir / "server.log").read_text()
