"""Reads one text of an encoded message, without reading the rest of it."""

from collections.abc import Sequence

MOST_FIELDS = 32
"""Fields that are passed by before it is given up: encoders write them by their numbers, and names come first."""

MOST_BYTES = 256

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


def text_at(data: bytes, path: Sequence[int]) -> str:
    """The text of a field, by the numbers of the fields that lead to it; empty where it is not there, or too long."""
    found: memoryview | None = memoryview(data)
    for number in path:
        found = _field(found, number) if found is not None else None
    return bytes(found).decode(errors="replace") if found is not None and len(found) <= MOST_BYTES else ""


def _field(data: memoryview, number: int) -> memoryview | None:
    at = 0
    try:
        for _ in range(MOST_FIELDS):
            tag, at = _varint(data, at)
            kind = tag & 7
            if kind == _LENGTH:
                length, at = _varint(data, at)
                if tag >> 3 == number:
                    return data[at : at + length] if at + length <= len(data) else None
                at += length
            elif kind == _VARINT:
                _, at = _varint(data, at)
            elif kind in (_FIXED64, _FIXED32):
                at += 8 if kind == _FIXED64 else 4
            else:
                return None
    except IndexError:
        return None
    return None


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """A number and where it ends. Raises IndexError where the data end, or no number ends."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise IndexError
