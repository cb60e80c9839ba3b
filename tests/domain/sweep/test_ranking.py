"""Ranking: by the direction of a score, ties told, independent of the order in which trials end."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.backtest.metrics import Performance
from domain.sweep.ranking import Score, ranking

HIGHER = {"sharpe", "sortino", "calmar", "cagr", "information_ratio", "total_return"}


@pytest.mark.parametrize("score", Score)
def test_every_score_is_a_figure_with_a_direction(score: Score) -> None:
    assert score.value in {one.name for one in fields(Performance)}
    assert score.higher_is_better is (score.value in HIGHER)
    assert score.is_better(2.0, 1.0) is score.higher_is_better
    assert not score.is_better(1.0, 1.0)


@given(st.dictionaries(st.integers(0, 50), st.integers(-3, 3).map(float), min_size=1), st.sampled_from(Score))
def test_the_best_trials_come_first_and_equal_ones_in_order(scores: dict[int, float], score: Score) -> None:
    found = ranking(scores, score)
    best = max(scores.values()) if score.higher_is_better else min(scores.values())
    equal = sorted(trial for trial, value in scores.items() if value == best)
    assert [found.best, *found.tied] == equal
    assert sorted(found.order) == sorted(scores)
    ordered = [scores[trial] for trial in found.order]
    assert ordered == sorted(ordered, reverse=score.higher_is_better)
    assert ranking(dict(reversed(scores.items())), score) == found


def test_without_a_score_there_is_no_best_trial() -> None:
    assert ranking({}, Score.SHARPE).best is None
