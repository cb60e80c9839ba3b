"""A monitor's state as bytes: a header, its records as JSON, then its arrays. Equal states are equal bytes.

Rows and bounds are not stored: they follow from the mandates. Nothing is unpickled.
"""

import hashlib
import json
import math
from dataclasses import fields, replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvalidInput
from domain.monitoring.alarms import AlarmStates
from domain.monitoring.instruments import Instrument, Instruments
from domain.monitoring.levels import Levels
from domain.monitoring.membership import with_watches
from domain.monitoring.records import Records, json_text
from domain.monitoring.rows import Family
from domain.monitoring.state import MonitorSettings, MonitorState
from domain.monitoring.watches import Watch

VERSION: Final = 2
"""Of the bytes: those of another version are refused, and the state is made again from the events."""

_MAGIC: Final = b"absfinance.monitor"

_DIGEST: Final = 16
"""Bytes of the digest of all that follows it."""

_LENGTH: Final = 8
"""Bytes of the length of the JSON, little-endian."""

Arrays = list[NDArray[Any]]

T = TypeVar("T")


def state_to_bytes(state: MonitorState) -> bytes:
    """Settings, time, instruments in the order of their slots, portfolios, and the state of every alarm."""
    records = Records([])
    known = state.instruments
    record = {
        "settings": records.written(state.settings),
        "time": state.time,
        "instruments": [[symbol, records.written(known.by_symbol[symbol])] for symbol in known.slots],
        "alarms": {family.value: records.written(state.alarms[family].states) for family in Family},
        "levels": records.written(state.levels),
        "arrays": [],
    }
    record["arrays"] = [[array.dtype.str, list(array.shape)] for array in records.arrays]
    watches = ",".join(f"{json.dumps(name)}:{state.watches[name].text}" for name in sorted(state.watches))
    text = f'{json_text(record)[:-1]},"watches":{{{watches}}}}}'.encode()
    body = b"".join([len(text).to_bytes(_LENGTH, "little"), text, *(array.tobytes() for array in records.arrays)])
    return b"".join([_MAGIC, VERSION.to_bytes(4, "little"), _digest(body), body])


def state_from_bytes(data: bytes) -> MonitorState:
    """As `state_to_bytes` wrote it. Raises InvalidInput for other bytes, and for those of another version."""
    start = len(_MAGIC)
    if data[:start] != _MAGIC:
        raise InvalidInput("state", "must be the bytes of a monitor's state")
    version = int.from_bytes(data[start : start + 4], "little")
    if version != VERSION:
        raise InvalidInput("state", f"is of version {version}, must be of version {VERSION}")
    digest, body = data[start + 4 : start + 4 + _DIGEST], data[start + 4 + _DIGEST :]
    if digest != _digest(body):
        raise InvalidInput("state", "is damaged: make the state again from the events")
    try:
        return _restored(body)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, SyntaxError, TypeError, ValueError) as error:
        # A digest tells damage, not who wrote the bytes. numpy reads the name of a type as Python.
        raise InvalidInput("state", "must be the bytes of a monitor's state") from error


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_DIGEST).digest()


def _restored(body: bytes) -> MonitorState:
    end = _LENGTH + int.from_bytes(body[:_LENGTH], "little")
    record = json.loads(body[_LENGTH:end])
    reader = Records(_arrays(record["arrays"], body[end:]))
    instruments = {symbol: reader.read(Instrument, one) for symbol, one in record["instruments"]}
    settings = reader.read(MonitorSettings, record["settings"])
    state = MonitorState(settings, record["time"], Instruments().updated(instruments))
    watches = {name: reader.read(Watch, watch) for name, watch in record["watches"].items()}
    state = with_watches(state, watches) if watches else state
    alarms = dict(state.alarms)
    for family in Family:
        rows, states = alarms[family], reader.read(AlarmStates, record["alarms"][family])
        alarms[family] = replace(rows, states=_alike(rows.states, states))
    return replace(state, alarms=alarms, levels=_alike(state.levels, reader.read(Levels, record["levels"])))


def _arrays(shapes: list[Any], data: bytes) -> Arrays:
    """The arrays, which stand one after the other."""
    arrays: Arrays = []
    start = 0
    for kind, shape in shapes:
        dtype = np.dtype(kind)
        count = math.prod(shape)
        if count < 0 or start + count * dtype.itemsize > len(data):
            raise InvalidInput("state", "is shorter than its arrays: make it again from the events")
        # A copy: numbers in the middle of the bytes would not be aligned.
        arrays.append(np.frombuffer(data, dtype, count, start).reshape(shape).copy())
        start += count * dtype.itemsize
    return arrays


def _alike(expected: T, found: T) -> T:
    """What was found, if its arrays have the types and lengths that the mandates say."""
    for one in fields(expected):  # type: ignore[arg-type]  # a TypeVar cannot be bound to all dataclasses
        ours, theirs = getattr(expected, one.name), getattr(found, one.name)
        if ours.dtype != theirs.dtype or ours.shape != theirs.shape:
            raise InvalidInput("state", f"has {one.name} of another length than its mandates: make it from the events")
    return found
