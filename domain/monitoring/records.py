"""Frozen dataclasses as JSON values, and back, by their annotations; arrays are kept beside them, by number.

Both ways go by the annotation: a float that was given as a whole number is written as a float.
"""

import json
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

Writer = Callable[["Records", Any], Any]
"""Writes a value of one annotation."""


def json_text(record: Any) -> str:
    """A record as JSON; equal records are the same text."""
    return json.dumps(record, allow_nan=False, sort_keys=True, separators=(",", ":"))


class Records:
    """Writes and reads records, with the arrays that stand beside them."""

    def __init__(self, arrays: list[NDArray[Any]]) -> None:
        self.arrays = arrays

    def written(self, value: Any) -> dict[str, Any]:
        """The record of a dataclass; its arrays are appended."""
        return {name: write(self, getattr(value, name)) for name, write in _writers(type(value))}

    def read(self, kind: type[T], record: Any) -> T:
        """A dataclass from its record; its own checks run again."""
        hints = _hints(kind)
        names = [one.name for one in fields(kind)]  # type: ignore[arg-type]  # the callers pass dataclasses
        return kind(**{name: self._read(hints[name], record[name]) for name in names})

    def _read(self, hint: Any, value: Any) -> Any:
        hint = _without_none(hint)
        parts, origin = get_args(hint), get_origin(hint)
        if value is None:
            return None
        if origin is np.ndarray:
            return self.arrays[value]
        if origin is tuple:
            return tuple(self._read(kind, one) for kind, one in zip(_kinds(parts, len(value)), value, strict=True))
        if origin is not None:
            return {key: self._read(parts[1], one) for key, one in value.items()}
        if is_dataclass(hint):
            return self.read(hint, value)  # type: ignore[arg-type]  # a hint is a type, never one of its values
        return date.fromisoformat(value) if hint is date else hint(value)


def _writers(kind: Any) -> tuple[tuple[str, Writer], ...]:
    """How each field of a dataclass is written. Found once: a state has hundreds of thousands of values."""
    return _cached_writers(kind)


@cache
def _cached_writers(kind: Hashable) -> tuple[tuple[str, Writer], ...]:
    hints = _hints(kind)
    return tuple((one.name, _writer(hints[one.name])) for one in fields(kind))  # type: ignore[arg-type]


@cache
def _writer(hint: Any) -> Writer:
    """How a value of an annotation is written."""
    without_none = _without_none(hint)
    write = _writer_of_parts(without_none, get_args(without_none), get_origin(without_none))
    return lambda records, value: None if value is None else write(records, value)


def _writer_of_parts(hint: Any, parts: tuple[Any, ...], origin: Any) -> Writer:
    if origin is np.ndarray:
        return _write_array
    if origin is tuple:
        return lambda records, value: [
            _writer(kind)(records, one) for kind, one in zip(_kinds(parts, len(value)), value, strict=True)
        ]
    if origin is not None and parts[1] is float:  # holdings and weights: most of a state
        return lambda _, value: {key: float(value[key]) for key in sorted(value)}
    if origin is not None:
        write = _writer(parts[1])
        return lambda records, value: {key: write(records, value[key]) for key in sorted(value)}
    if is_dataclass(hint):
        return Records.written
    if issubclass(hint, Decimal | date):
        return lambda _, value: str(value)
    if issubclass(hint, Enum):
        return lambda _, value: value.value
    return lambda _, value: hint(value)


def _write_array(records: Records, value: NDArray[Any]) -> int:
    records.arrays.append(np.ascontiguousarray(value))
    return len(records.arrays) - 1


def _without_none(hint: Any) -> Any:
    """The other part of a union with None; there are no other unions in a record."""
    parts = get_args(hint)
    return next(one for one in parts if one is not NoneType) if NoneType in parts else hint


def _kinds(parts: tuple[Any, ...], length: int) -> list[Any]:
    """The annotation of each item of a tuple."""
    return [parts[0]] * length if parts[1:] == (...,) else list(parts)


def _hints(kind: Any) -> dict[str, Any]:
    """Annotations of a dataclass."""
    return _cached_hints(kind)


@cache
def _cached_hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)
