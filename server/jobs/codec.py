"""Where a walk stands and what it did, as bytes: arrays as numpy's npz without pickling, the rest as JSON in it."""

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.backtest.flow import Checkpoint
from domain.backtest.record import FailedRebalance, RecordPart
from domain.backtest.simulator import Decision, State

Arrays = dict[str, NDArray[Any]]

_FIELDS = ("wealth", "fill_places", "units", "cash", "cost_fractions", "cost_money", "turnovers")


def checkpoint_to_bytes(checkpoint: Checkpoint) -> bytes:
    """Leg and state; the parts are stored beside it."""
    state = checkpoint.state
    made_at = [decision.made_at for decision in state.pending]
    weights = [decision.weights for decision in state.pending]
    return _packed(
        {"units": state.units, "weights": np.array(weights).reshape(len(weights), len(state.units))},
        [checkpoint.leg, state.place, state.cash, made_at],
    )


def checkpoint_from_bytes(data: bytes) -> Checkpoint:
    """As `checkpoint_to_bytes` wrote it, without parts."""
    arrays, (leg, place, cash, made_at) = _unpacked(data)
    pending = [Decision(place, row) for place, row in zip(made_at, arrays["weights"], strict=True)]
    return Checkpoint(leg, State(place, arrays["units"], cash, pending), ())


def parts_to_bytes(parts: Sequence[tuple[int, RecordPart]]) -> bytes:
    """Parts of records with the legs they belong to."""
    arrays: Arrays = {}
    rest = []
    for i, (leg, part) in enumerate(parts):
        arrays |= {f"{i}.{name}": getattr(part, name) for name in _FIELDS}
        rest.append([leg, part.exhausted, [[f.day, f.reason, f.message] for f in part.failures]])
    return _packed(arrays, rest)


def parts_from_bytes(data: bytes) -> list[tuple[int, RecordPart]]:
    """As `parts_to_bytes` wrote them."""
    arrays, rest = _unpacked(data)
    found = []
    for i, (leg, exhausted, failures) in enumerate(rest):
        fields = {name: arrays[f"{i}.{name}"] for name in _FIELDS}
        failed = tuple(FailedRebalance(*failure) for failure in failures)
        found.append((leg, RecordPart(**fields, failures=failed, exhausted=exhausted)))
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
