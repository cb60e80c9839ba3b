"""Checkpoints and parts come back bit by bit."""

import numpy as np
import pytest

from domain.backtest.flow import Checkpoint
from domain.backtest.record import FailedRebalance, RecordPart
from domain.backtest.simulator import Decision, SimulationState
from server.jobs.codec import checkpoint_from_bytes, checkpoint_to_bytes, parts_from_bytes, parts_to_bytes

RNG = np.random.default_rng(2)


@pytest.mark.parametrize("pending", [0, 1, 3])
def test_a_checkpoint(pending: int) -> None:
    waiting = [Decision(7 + i, RNG.random(4)) for i in range(pending)]
    state = SimulationState(11, RNG.random(4), 0.1 + 0.2, waiting)
    back = checkpoint_from_bytes(checkpoint_to_bytes(Checkpoint(2, state, ())))
    assert (back.strategy_index, back.state.date_index, back.state.cash) == (2, 11, 0.1 + 0.2)
    assert np.array_equal(back.state.units, state.units)
    assert [d.made_at for d in back.state.pending] == [d.made_at for d in waiting]
    assert all(np.array_equal(a.weights, b.weights) for a, b in zip(back.state.pending, waiting, strict=True))


def test_parts() -> None:
    part = RecordPart(
        RNG.random(5), np.array([1, 3]), RNG.random((2, 4)), RNG.random(2), RNG.random(2), RNG.random((2, 2)),
        RNG.random(2), (FailedRebalance(9, "WHY", "because “so”"),), exhausted=True,
    )  # fmt: skip
    (first, second) = parts_from_bytes(parts_to_bytes([(0, part), (3, RecordPart.empty(4))]))
    assert (first[0], second[0]) == (0, 3)
    for name in ("nav", "fill_indices", "units", "cash", "cost_fractions", "cost_money", "turnovers"):
        assert np.array_equal(getattr(first[1], name), getattr(part, name))
    assert first[1].failures == part.failures
    assert first[1].exhausted
    assert len(second[1].nav) == 0
