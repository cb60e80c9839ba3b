"""The trials of a sweep: each once, stored and read again as they were, whatever order they end in."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.sweep.ranking import Score
from domain.sweep.statistics import TrialReturns
from server.jobs.backtest_run import MANY_PARTS, Compacted, Saved
from server.jobs.sweep_state import (
    JOINED_BYTES,
    SweepState,
    TrialDone,
    chunks_of,
    trials_from_bytes,
    trials_to_bytes,
)
from server.ports.jobs import EventKind

DAYS = np.arange(5, dtype=np.int32)


def done(index: int, score: float | None, **more: object) -> TrialDone:
    returns = TrialReturns(DAYS.copy(), np.full(5, float(index)), np.ones(5))
    return replace(TrialDone(index, f"t{index}", bytes([index]), score, None, returns), **more)  # type: ignore[arg-type]


def shown(one: TrialDone) -> tuple[object, ...]:
    returns = one.returns
    arrays = None
    if returns is not None:
        benchmark = None if returns.benchmark is None else returns.benchmark.tolist()
        riskless = None if returns.riskless is None else returns.riskless.tolist()
        scoring = riskless, returns.periods_per_year, returns.acceptable
        arrays = (returns.days.tolist(), returns.excess.tolist(), benchmark, returns.is_ruined, scoring)
    return one.index, one.label, one.trial, one.score, one.error, arrays


def test_a_part_comes_back_as_it_was() -> None:
    trials = [
        done(0, 0.1 + 0.2),
        done(1, None, error=("INVALID_INPUT", "ü\0"), returns=None, trial=b""),
        done(2, -1.0, returns=TrialReturns(DAYS, np.zeros(5))),
        done(3, 1.0, returns=TrialReturns(DAYS, np.zeros(5), None, True, np.full(5, 1e-4), 252.0, 2e-4)),
    ]
    assert [shown(one) for one in trials_from_bytes(trials_to_bytes(trials))] == [shown(one) for one in trials]


@given(st.permutations(range(6)), st.lists(st.sampled_from([None, 1.0, 2.0]), min_size=6, max_size=6))
def test_the_order_in_which_trials_end_changes_nothing(order: list[int], scores: list[float | None]) -> None:
    state = SweepState(6, Score.SHARPE)
    for index in order:
        state.add(done(index, scores[index]))
        state.add(done(index, scores[index]))  # a second time: it is there once
    known = [score for score in scores if score is not None]
    best = scores.index(max(known)) if known else -1
    tick = state.tick()
    assert tick.stage is not None
    assert (tick.fraction, tick.stage.index, tick.stage.count) == (1.0, best, 6)
    assert sorted(one.index for one in state.new) == list(range(6))


def saved(state: SweepState) -> Saved:
    found = state.saved().write()
    assert isinstance(found, Saved)
    return found


def test_a_sweep_goes_on_with_what_was_stored() -> None:
    state = SweepState(4, Score.SHARPE)
    state.add(done(2, 1.0))
    state.add(done(0, None, error=("INVALID_INPUT", "no"), returns=None))
    first = saved(state)
    assert [event.kind for event in first.events] == [EventKind.BEST_TRIAL, EventKind.TRIAL_FAILED]
    state.add(done(1, 3.0))
    second = saved(state)
    again = SweepState(4, Score.SHARPE)
    again.restore([first.part, second.part, second.part])
    assert again.tick() == state.tick()
    assert (sorted(again.done), again.failed, again.new, again.events) == ([0, 1, 2], 1, [], [])
    assert again.done[1].returns is not None
    assert again.done[2].returns is not None
    assert again.done[1].returns.days is again.done[2].returns.days, "dates are held once"


@given(st.integers(0, 300), st.integers(1, 8))
def test_chunks_hold_every_trial_once(count: int, workers: int) -> None:
    chunks = chunks_of(range(count), workers)
    assert [trial for chunk in chunks for trial in chunk] == list(range(count))
    assert all(1 <= len(chunk) <= 100 for chunk in chunks)


def test_arrays_are_held_once_where_they_have_the_same_bits() -> None:
    zeros, negative = np.zeros(5), -np.zeros(5)
    state = SweepState(4, Score.SHARPE)
    for index, benchmark in enumerate([zeros, negative, zeros.copy(), zeros.copy()]):
        state.add(done(index, 1.0, returns=TrialReturns(DAYS, np.zeros(5), benchmark, False, zeros.copy())))
    held = [one.returns for _, one in sorted(state.done.items()) if one.returns is not None]
    benchmarks = [one.benchmark for one in held if one.benchmark is not None]
    assert benchmarks[0] is benchmarks[2] is benchmarks[3], "one that comes back later is held once too"
    assert benchmarks[1] is not benchmarks[0]
    assert np.signbit(benchmarks[1]).all(), "0 and -0 are different bits"
    assert not np.signbit(benchmarks[2]).any()
    assert held[3].riskless is held[0].riskless


@given(st.integers(0, 200), st.integers(1, 3 * JOINED_BYTES // 2), st.integers(0, 100))
def test_parts_are_joined_where_that_leaves_fewer_and_none_grows_beyond_its_size(
    count: int, largest: int, seed: int
) -> None:
    """What a store makes of the joined parts, one after the other, holds every trial once, in the order of before."""
    sizes = np.random.default_rng(seed).integers(1, largest + 1, count).tolist()
    state = SweepState(1000, Score.SHARPE)
    state.done = {trial: replace(done(trial, 1.0), returns=None) for trial in range(len(sizes))}
    state.stored = [(size, (trial,)) for trial, size in enumerate(sizes)]
    rows = [[trial] for trial in range(len(sizes))]
    for one in state.joined_parts():
        joined = one.write()
        assert isinstance(joined, Compacted)
        assert joined.count > 1
        trials = [found.index for found in trials_from_bytes(joined.part)]
        assert sum(sizes[trial] for trial in trials) <= JOINED_BYTES
        place = slice(joined.skipped, joined.skipped + joined.count)
        assert [trial for row in rows[place] for trial in row] == trials
        rows[place] = [trials]
    assert [trial for row in rows for trial in row] == list(range(len(sizes)))
    assert len(rows) <= max(2 * sum(sizes) // JOINED_BYTES + MANY_PARTS, MANY_PARTS)
