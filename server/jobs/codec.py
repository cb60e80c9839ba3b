"""Checkpoints and records of a backtest as bytes: arrays as numpy's npz without pickling, the rest as JSON in it."""

import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.backtest.flow import Checkpoint
from domain.backtest.record import FailedRebalance, RecordPart
from domain.backtest.simulation.arrays import ACCOUNT, FILL, Positions
from domain.backtest.simulator import SimulationState
from domain.backtest.strategies.sleeve_state import SleeveState

Arrays = dict[str, NDArray[Any]]

_NAMES = {
    "nav": "wealth",
    "flow_start": "flow_start",
    "flow_end": "flow_end",
    "indices": "fill_places",
    "kinds": "kinds",
    "units": "units",
    "cash": "cash",
    "cost_fractions": "cost_fractions",
    "turnovers": "turnovers",
    "events": "events",
    "account": "account",
    "gains": "gains",
}
"""Arrays of a record part by field, with their names in stored files, which never change."""

DAMAGED = (
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading bytes raises that are not what was written."""

STATE_VERSION = 3
"""Of the arrays in a checkpoint: one of another version cannot be continued."""


def checkpoint_to_bytes(checkpoint: Checkpoint) -> bytes:
    """Strategy index and state; the parts are stored beside it."""
    state = checkpoint.state
    arrays: Arrays = {"account": state.account, "pending": state.pending}
    if state.sleeves is not None:
        arrays |= {f"sleeves.{name}": array for name, array in state.sleeves.to_arrays().items()}
    arrays |= {f"positions.{name}": array for name, array in state.positions._asdict().items()}
    return _packed(arrays, [STATE_VERSION, checkpoint.strategy_index, state.date_index])


def checkpoint_from_bytes(data: bytes) -> Checkpoint | None:
    """As `checkpoint_to_bytes` wrote it, without parts; None for those of another version and damaged ones."""
    try:
        return _checkpoint_of(*_unpacked(data))
    except DAMAGED:
        return None


def _checkpoint_of(arrays: Arrays, rest: Any) -> Checkpoint | None:
    if len(rest) != 3 or rest[0] != STATE_VERSION or arrays["account"].dtype != ACCOUNT:
        return None
    _, strategy_index, date_index = rest
    positions = Positions(*(arrays[f"positions.{name}"] for name in Positions._fields))
    sleeves = {name.removeprefix("sleeves."): array for name, array in arrays.items() if name.startswith("sleeves.")}
    state = SimulationState(
        date_index,
        _aligned(arrays["account"]),
        positions,
        arrays["pending"],
        SleeveState.from_arrays(sleeves) if sleeves else None,
    )
    return Checkpoint(strategy_index, state, ())


def _aligned(stored: NDArray[Any]) -> NDArray[Any]:
    """An account as a simulation makes it: a file loses the alignment, and the compiler takes it for another type.

    It would compile the simulation again, which takes a minute.
    """
    account = np.zeros(len(stored), ACCOUNT)
    account[:] = stored
    return account


def parts_to_bytes(parts: Sequence[tuple[int, RecordPart]]) -> bytes:
    """Parts of records with the indices of their strategies."""
    arrays: Arrays = {}
    rest = []
    for i, (strategy_index, part) in enumerate(parts):
        arrays |= {f"{i}.{stored}": getattr(part, name) for name, stored in _NAMES.items()}
        rest.append([strategy_index, part.exhausted, [[f.day, f.reason, f.message] for f in part.failures]])
    return _packed(arrays, rest)


def parts_from_bytes(data: bytes) -> list[tuple[int, RecordPart]]:
    """As `parts_to_bytes` wrote them; earlier versions knew neither flows nor events."""
    arrays, rest = _unpacked(data)
    found = []
    for i, (strategy_index, exhausted, failures) in enumerate(rest):
        units = arrays[f"{i}.units"]
        empty = RecordPart.empty(units.shape[1])
        fields = {name: arrays.get(f"{i}.{stored}", getattr(empty, name)) for name, stored in _NAMES.items()}
        if f"{i}.kinds" not in arrays:
            fields["kinds"] = np.full(len(units), FILL)
        failed = tuple(FailedRebalance(*failure) for failure in failures)
        found.append((strategy_index, RecordPart(**fields, failures=failed, exhausted=exhausted)))
    return found


def _packed(arrays: Arrays, rest: object) -> bytes:
    # JSON keeps a float exactly: Python writes the shortest text that reads back as the same number.
    text = np.frombuffer(json.dumps(rest).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays, rest=text)
    return buffer.getvalue()


def _unpacked(data: bytes) -> tuple[dict[str, Any], Any]:
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files if name != "rest"}
        return arrays, json.loads(file["rest"].tobytes())
