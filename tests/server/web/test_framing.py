"""Messages in bodies, however these are cut into parts, and trailers."""

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator, Iterable

import pytest
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st

from server.web.framing import ConnectStream, Framing, GrpcWeb, GrpcWebText
from server.web.limits import Room
from server.web.statuses import Refused

FRAMINGS = [ConnectStream(), GrpcWeb(), GrpcWebText()]


def read(framing: Framing, parts: Iterable[bytes]) -> list[bytes]:
    async def chunks() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    async def all_messages() -> list[bytes]:
        return [message async for message in framing.messages(chunks(), Room(1 << 20))]

    return asyncio.run(all_messages())


@pytest.mark.parametrize("framing", FRAMINGS, ids=lambda framing: type(framing).__name__)
@given(messages=st.lists(st.binary(max_size=20), max_size=5), cuts=st.lists(st.integers(0, 150), max_size=8))
def test_messages_come_back_however_a_body_is_cut(framing: Framing, messages: list[bytes], cuts: list[int]) -> None:
    body = b"".join(map(framing.message, messages))
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    parts = [body[start:end] for start, end in itertools.pairwise(places)]
    assert read(framing, parts) == messages


@pytest.mark.parametrize("framing", FRAMINGS, ids=lambda framing: type(framing).__name__)
def test_a_body_that_is_cut_or_too_large_is_refused(framing: Framing) -> None:
    whole = framing.message(b"abc")
    large = b"\x00\x00\x40\x00\x01"
    bodies = [whole[:-4], base64.b64encode(large) if isinstance(framing, GrpcWebText) else large]
    for body in (*bodies, b"\x01\x00\x00\x00\x00", b"=AAA"):
        with pytest.raises(Refused):
            read(framing, [body])


def test_the_message_of_trailers_is_escaped() -> None:
    end = GrpcWeb().end(Status(code=3, message="50 %\r\ngrpc-status: 0 é"), (("x-request-id", "a"), ("b-bin", b"\xff")))
    lines = end[5:].decode().split("\r\n")
    assert lines == [
        "grpc-status: 3",
        "grpc-message: 50 %25%0D%0Agrpc-status: 0 %C3%A9",
        "x-request-id: a",
        "b-bin: /w",
        "",
    ]


@pytest.mark.parametrize("framing", FRAMINGS, ids=lambda framing: type(framing).__name__)
async def test_messages_that_have_not_ended_take_room(framing: Framing) -> None:
    """Many callers that stop within a message cannot take all memory, and give the room back when they leave."""
    room = Room(250)
    begun, never = framing.message(bytes(96))[:100], asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield begun
        await never.wait()

    async def read_all() -> list[bytes]:
        return [message async for message in framing.messages(stuck(), room)]

    first, second = asyncio.create_task(read_all()), asyncio.create_task(read_all())
    await asyncio.sleep(0)
    third = asyncio.create_task(asyncio.wait_for(read_all(), 30))
    fourth = asyncio.create_task(asyncio.wait_for(read_all(), 30))
    done, _ = await asyncio.wait((first, second, third, fourth), return_when=asyncio.FIRST_EXCEPTION, timeout=30)
    assert done
    assert all(isinstance(task.exception(), Refused) for task in done)
    for task in (first, second, third, fourth):
        task.cancel()
    await asyncio.gather(first, second, third, fourth, return_exceptions=True)
    room.take(250)
