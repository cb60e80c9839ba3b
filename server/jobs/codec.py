"""Checkpoints and records of a backtest as bytes: arrays as numpy's npz without pickling, the rest as JSON in it."""

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.backtest.flow import Checkpoint
from domain.backtest.record import FailedRebalance, RecordPart
from domain.backtest.simulator import Decision, SimulationState

Arrays = dict[str, NDArray[Any]]

_NAMES = {
    "nav": "wealth",
    "fill_indices": "fill_places",
    "units": "units",
    "cash": "cash",
    "cost_fractions": "cost_fractions",
    "cost_money": "cost_money",
    "turnovers": "turnovers",
}
"""Arrays of a record part by field, with their names in stored files, which never change."""


def checkpoint_to_bytes(checkpoint: Checkpoint) -> bytes:
    """Strategy index and state; the parts are stored beside it."""
    state = checkpoint.state
    made_at = [decision.made_at for decision in state.pending]
    weights = [decision.weights for decision in state.pending]
    return _packed(
        {"units": state.units, "weights": np.array(weights).reshape(len(weights), len(state.units))},
        [checkpoint.strategy_index, state.date_index, state.cash, made_at],
    )


def checkpoint_from_bytes(data: bytes) -> Checkpoint:
    """As `checkpoint_to_bytes` wrote it, without parts."""
    arrays, (strategy_index, date_index, cash, made_at) = _unpacked(data)
    pending = [Decision(index, row) for index, row in zip(made_at, arrays["weights"], strict=True)]
    return Checkpoint(strategy_index, SimulationState(date_index, arrays["units"], cash, pending), ())


def parts_to_bytes(parts: Sequence[tuple[int, RecordPart]]) -> bytes:
    """Parts of records with the indices of their strategies."""
    arrays: Arrays = {}
    rest = []
    for i, (strategy_index, part) in enumerate(parts):
        arrays |= {f"{i}.{stored}": getattr(part, name) for name, stored in _NAMES.items()}
        rest.append([strategy_index, part.exhausted, [[f.day, f.reason, f.message] for f in part.failures]])
    return _packed(arrays, rest)


def parts_from_bytes(data: bytes) -> list[tuple[int, RecordPart]]:
    """As `parts_to_bytes` wrote them."""
    arrays, rest = _unpacked(data)
    found = []
    for i, (strategy_index, exhausted, failures) in enumerate(rest):
        fields = {name: arrays[f"{i}.{stored}"] for name, stored in _NAMES.items()}
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
