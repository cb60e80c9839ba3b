"""Pages of the trials of a sweep: every trial once, in each order, from pieces or from trials that are still added."""

from random import Random

import pytest
from absfinance.v1.backtest_service_pb2 import ListSweepTrialsResponse
from absfinance.v1.sweep_pb2 import SweepTrial
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.sweep.ranking import Score, ranking
from server.commands.sweep import TrialOrder, TrialsPage
from server.converters import sweep_trials
from server.converters.sweep_trials import TrialIndex, page_of_pieces, piece_name, pieces_of, shown, stored_series
from server.jobs.sweep_state import TrialDone
from server.ports.jobs import JobState

SCORES = st.lists(st.sampled_from([None, 1.0, 2.0, 3.0]), min_size=1, max_size=12)


def done(place: int, score: float | None) -> TrialDone:
    error = ("INVALID_INPUT", "no") if score is None and place % 2 else None
    return TrialDone(place, f"t{place}", SweepTrial(index=place).SerializeToString(), score, error)


def expected(trials: list[TrialDone], order: TrialOrder, state: JobState | None) -> list[int]:
    if order is TrialOrder.BEST_FIRST:
        trials = sorted(trials, key=lambda one: (one.score is None, -(one.score or 0.0), one.index))
    return [one.index for one in trials if state is None or (state is JobState.FAILED) == (one.error is not None)]


@given(SCORES, st.sampled_from(TrialOrder), st.sampled_from([None, JobState.FAILED, JobState.SUCCEEDED]))
def test_pages_from_pieces_hold_every_trial_once(
    scores: list[float | None], order: TrialOrder, state: JobState | None
) -> None:
    trials = [done(k, score) for k, score in enumerate(scores)]
    ranked = ranking({k: score for k, score in enumerate(scores) if score is not None}, Score.SHARPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_trials, "PIECE_TRIALS", 3)
        series = dict(stored_series(trials, ranked))
        index, token, found = TrialIndex.from_bytes(series["index"]), "", []
        for _ in range(len(trials) + 1):
            page = shown(index, TrialsPage(2, token, state, order))
            numbers = pieces_of(page)
            assert len(numbers) <= 2
            read = page_of_pieces(page, {number: series[piece_name(order, number)] for number in numbers})
            found += [one.index for one in ListSweepTrialsResponse.FromString(read).trials]
            token = page.next_token
            if not token:
                break
    assert found == expected(trials, order, state)


@given(SCORES, st.sampled_from(TrialOrder), st.randoms(use_true_random=False))
def test_no_trial_is_on_two_pages_though_others_end_meanwhile(
    scores: list[float | None], order: TrialOrder, random: Random
) -> None:
    waiting = [done(k, score) for k, score in enumerate(scores)]
    random.shuffle(waiting)
    over, token, found = [waiting.pop()], "", []
    for _ in range(len(scores) + 1):
        page = shown(TrialIndex.of(over, Score.SHARPE), TrialsPage(1, token, None, order))
        found += page.places
        token = page.next_token
        if not token:
            break
        over += [waiting.pop()] if waiting else []
    assert len(set(found)) == len(found)
    assert set(found) <= set(range(len(scores)))


def test_a_token_of_a_trial_that_is_not_there() -> None:
    with pytest.raises(InvalidInput, match="not in this list"):
        shown(TrialIndex.of([done(0, 1.0)], Score.SHARPE), TrialsPage(1, "7.SWEEP."))
