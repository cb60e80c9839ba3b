"""Checkpoints and parts come back bit by bit."""

import io
import json
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from domain.backtest.flow import Checkpoint, run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.record import FailedRebalance, RecordPart
from domain.backtest.simulation.arrays import Positions
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import Blend, EqualWeightStrategy, Part, Strategy, inverse_volatility
from domain.market_data.panel import PricePanel
from server.jobs.codec import checkpoint_from_bytes, checkpoint_to_bytes, parts_from_bytes, parts_to_bytes

RNG = np.random.default_rng(2)
PANEL = PricePanel.of("ABCD", range(9000, 9060), 50.0 * np.cumprod(1.0 + RNG.normal(0.0, 0.01, (60, 4)), axis=0))


def checkpoint_in_the_middle(rebalancing: Rebalancing = Rebalancing()) -> Checkpoint:  # noqa: B008  # it is frozen
    strategies = (EqualWeightStrategy(), inverse_volatility(10))
    plan = prepare(BacktestSpecification(strategies, rebalancing, lag_periods=3), PANEL)
    found: list[Checkpoint] = []

    def observe(backtest: Any) -> None:
        if backtest.strategy_index == 1 and backtest.simulation.date_index >= 30 and not found:
            found.append(backtest.checkpoint())

    run(plan, observe, lambda: None)
    return found[0]


@pytest.mark.parametrize("tranches", [1, 3])
def test_a_checkpoint(tranches: int) -> None:
    checkpoint = checkpoint_in_the_middle(Rebalancing(EveryPeriods(6), tranches=tranches))
    back = checkpoint_from_bytes(checkpoint_to_bytes(checkpoint))
    assert back is not None
    assert back.strategy_index == 1
    read, written = back.state, checkpoint.state
    assert read.date_index == written.date_index
    assert read.account.tobytes() == written.account.tobytes()
    assert read.account.dtype.isalignedstruct  # otherwise the simulation is compiled again for it
    assert np.array_equal(read.pending, written.pending)
    for name in Positions._fields:
        same_gaps = name == "carried"
        assert np.array_equal(getattr(read.positions, name), getattr(written.positions, name), equal_nan=same_gaps)


@pytest.mark.parametrize(
    ("strategy", "rebalancing"),
    [
        (inverse_volatility(10), Rebalancing(EveryPeriods(6), tranches=3)),
        (
            Blend((Part(EqualWeightStrategy(), 0.5, EveryPeriods(4)), Part(inverse_volatility(10), 0.4))),
            Rebalancing(EveryPeriods(7)),
        ),
    ],
)
def test_a_checkpoint_of_parts_with_dates_of_their_own(strategy: Strategy, rebalancing: Rebalancing) -> None:
    """What the parts hold and which of their decisions wait is in it, and that of a run without parts has none."""
    plan = prepare(BacktestSpecification((strategy,), rebalancing, lag_periods=3), PANEL)
    found: list[Checkpoint] = []
    run(plan, lambda backtest: found.append(backtest.checkpoint()), lambda: None)
    waiting = 0
    for checkpoint in found[2:]:
        back = checkpoint_from_bytes(checkpoint_to_bytes(checkpoint))
        assert back is not None
        read, written = back.state.sleeves, checkpoint.state.sleeves
        assert read is not None
        assert written is not None
        assert read.date == written.date
        waiting += len(written.waiting)
        for name, array in written.to_arrays().items():
            assert read.to_arrays()[name].tobytes() == array.tobytes()
    assert waiting > 0
    without = checkpoint_from_bytes(checkpoint_to_bytes(checkpoint_in_the_middle()))
    assert without is not None
    assert without.state.sleeves is None


def test_a_checkpoint_of_another_version_is_not_continued() -> None:
    buffer = checkpoint_to_bytes(checkpoint_in_the_middle())
    assert checkpoint_from_bytes(with_rest(buffer, [99, 1, 30])) is None
    assert checkpoint_from_bytes(with_rest(buffer, [1, 30, 0.5, []])) is None
    assert checkpoint_from_bytes(with_rest(buffer, [2, 1, 30, 24])) is None  # a state of each of two tranches


def with_rest(data: bytes, rest: list[Any]) -> bytes:
    """The same arrays with another description, as an earlier version may have written it."""
    with np.load(io.BytesIO(data)) as file:
        arrays = {name: file[name] for name in file.files if name != "rest"}
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **arrays, rest=np.frombuffer(json.dumps(rest).encode(), np.uint8))
    return out.getvalue()


def test_parts() -> None:
    checkpoint = checkpoint_in_the_middle()
    (_, last) = checkpoint.parts[-1]
    values = {field.name: getattr(last, field.name) for field in fields(RecordPart)}
    values |= {"failures": (FailedRebalance(9, "WHY", "because “so”"),), "exhausted": True}
    part = RecordPart(**values)
    (first, second) = parts_from_bytes(parts_to_bytes([(0, part), (3, RecordPart.empty(4))]))
    assert (first[0], second[0]) == (0, 3)
    for field in fields(RecordPart):
        got, kept = getattr(first[1], field.name), getattr(part, field.name)
        assert got == kept if field.name in ("failures", "exhausted") else got.tobytes() == kept.tobytes()
    assert len(part.nav) > 0
    assert len(second[1].nav) == 0
