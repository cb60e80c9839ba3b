"""How messages are written in a body: their bytes, or their JSON.

Bytes pass as they are: the server reads them. JSON is strict: a field that the contract does not have is refused, for
a mistyped constraint would otherwise be ignored. Large texts are converted in threads, so that others are not held up.
"""

import asyncio
import json
from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol

from google.protobuf.message import Message

from server.web.json_mapping import parse, to_value
from server.web.methods import descriptor_of
from server.web.plain_json import read_plain
from server.web.statuses import invalid
from server.web.wrong_json import UNREADABLE, what_is_guessed, what_is_wrong

_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)

SMALL_BYTES, PLAIN_BYTES = 2048, 16 * 1024
"""Up to here a conversion takes less than handing it to a thread: of anything, and of few parts, such as numbers."""

PARTS = {b",": 1024, b'"': 256, b"{": 64, b"[": 64}
"""Most signs of each kind in a text of few parts: what takes time are entries, names, objects and lists."""

THREADS = 2
"""Conversions at a time: each holds the interpreter, so more would only take turns."""


class Codec(Protocol):
    """Converts between the bytes of a body and those of a message."""

    @abstractmethod
    async def decode(self, data: bytes, kind: type[Message]) -> bytes:
        """The bytes of a message. Raises Refused."""

    @abstractmethod
    async def encode(self, message: bytes, kind: type[Message]) -> bytes:
        """What stands for the bytes of a message in a body."""


class Binary:
    """The bytes of the message themselves."""

    async def decode(self, data: bytes, kind: type[Message]) -> bytes:
        """The same bytes; the server says what is wrong with them."""
        return data

    async def encode(self, message: bytes, kind: type[Message]) -> bytes:
        """The same bytes."""
        return message


class Json:
    """The JSON of the message, as the contract's own mapping has it."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(THREADS)
        self._threads = ThreadPoolExecutor(THREADS, "json")

    async def decode(self, data: bytes, kind: type[Message]) -> bytes:
        """The bytes of the message that a JSON text describes. Raises Refused, which names the field."""
        return await self._convert(_from_json, data, kind, is_short=_has_few_parts(data))

    async def encode(self, message: bytes, kind: type[Message]) -> bytes:
        """The JSON text of a message."""
        return await self._convert(_to_json, message, kind, is_short=len(message) <= SMALL_BYTES)

    async def _convert(
        self, how: Callable[[bytes, type[Message]], bytes], data: bytes, kind: type[Message], *, is_short: bool
    ) -> bytes:
        if is_short:
            return how(data, kind)
        async with self._places:
            converting = asyncio.get_running_loop().run_in_executor(self._threads, how, data, kind)
            try:
                return await asyncio.shield(converting)
            finally:
                # A thread cannot be ended. Whoever leaves meanwhile keeps this place, and what the body takes of
                # memory, until it has: or texts of callers that left would pile up.
                await asyncio.wait((converting,))


def _has_few_parts(text: bytes) -> bool:
    if len(text) > SMALL_BYTES:
        return len(text) <= PLAIN_BYTES and all(text.count(sign) <= most for sign, most in PARTS.items())
    return True


def _from_json(data: bytes, kind: type[Message]) -> bytes:
    try:
        value = json.loads(data or b"{}", object_pairs_hook=_once_each)
    except (ValueError, RecursionError):
        raise invalid("", f"the body must be JSON of {kind.DESCRIPTOR.full_name}, each name once") from None
    message = kind()
    with suppress(*UNREADABLE):
        if read_plain(value, message):
            return message.SerializeToString()
    message = kind()
    try:
        parse(value, message)
    except UNREADABLE:
        raise invalid(*what_is_wrong(descriptor_of(kind), value)) from None
    if guessed := what_is_guessed(descriptor_of(kind), value):
        raise invalid(*guessed)
    encoded: bytes = message.SerializeToString()
    return encoded


def _to_json(message: bytes, kind: type[Message]) -> bytes:
    return _ENCODER.encode(to_value(kind.FromString(message))).encode()


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found
