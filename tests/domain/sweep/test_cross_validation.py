"""Cross-validation of a choice, against a plain loop over dates, and the properties that splits must have."""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cancellation import never_cancelled
from domain.errors import Cancelled, InvalidInput
from domain.risk.figure import Absent
from domain.significance.cross_validation import CombinatorialSplits
from domain.sweep.cross_validation import (
    NO_BENCHMARK,
    NO_CHOICE,
    NO_PATH,
    SAME_CHOICE,
    CrossValidation,
    CrossValidationSettings,
    cross_validate,
    cross_validated,
)
from domain.sweep.ranking import Score
from domain.sweep.return_scores import ReturnTable, return_scores
from domain.sweep.statistics import FEW_DATES, FEW_TRIALS, TrialReturns
from domain.sweep.trial_table import NOT_KEPT, OTHER_YEARS

PERIODS = 252.0


def table_of(count: int = 5, dates: int = 61, seed: int = 4) -> ReturnTable:
    random = np.random.default_rng(seed)
    net = random.normal(4e-4, 0.01, (count, dates)) + random.normal(0.0, 0.002, (count, 1))
    riskless = random.normal(1e-4, 1e-5, dates)
    return ReturnTable(net, net - riskless, net - random.normal(0.0, 0.01, dates), PERIODS, 1e-4)


def settings(
    groups: int = 6, test_groups: int = 2, score: Score = Score.SHARPE, **gaps: int
) -> CrossValidationSettings:
    return CrossValidationSettings(score, CombinatorialSplits(groups, test_groups, **gaps))


def validated(table: ReturnTable, found: CrossValidationSettings) -> CrossValidation:
    result = cross_validate(table, found, never_cancelled)
    assert isinstance(result, CrossValidation)
    return result


def plain_score(score: Score, net: list[float], excess: list[float], active: list[float]) -> float:
    """Without arrays, by the definitions of docs/conventions.md."""
    value = peak = 1.0
    deepest = 0.0
    for one in net:
        value *= 1.0 + one
        peak = max(peak, value)
        deepest = max(deepest, 1.0 - value / peak)
    growth = value ** (PERIODS / len(net)) - 1.0
    ordered = sorted(net)
    place = 0.05 * (len(net) - 1)
    low = int(place)
    tail = 0.05 * len(net)
    worst = [min(1.0, max(0.0, tail - k)) * one for k, one in enumerate(ordered)]
    below = math.sqrt(sum(max(1e-4 - one, 0.0) ** 2 for one in net) / len(net))
    root = math.sqrt(PERIODS)
    figures: dict[Score, Callable[[], float]] = {
        Score.SHARPE: lambda: root * statistics.mean(excess) / statistics.stdev(excess),
        Score.SORTINO: lambda: root * (statistics.mean(net) - 1e-4) / below,
        Score.CALMAR: lambda: growth / deepest,
        Score.CAGR: lambda: growth,
        Score.TOTAL_RETURN: lambda: value - 1.0,
        Score.VOLATILITY_ANNUAL: lambda: root * statistics.stdev(net),
        Score.MAX_DRAWDOWN: lambda: deepest,
        Score.VALUE_AT_RISK: lambda: -(ordered[low] + (place - low) * (ordered[low + 1] - ordered[low])),
        Score.CONDITIONAL_VALUE_AT_RISK: lambda: -sum(worst) / tail,
        Score.INFORMATION_RATIO: lambda: root * statistics.mean(active) / statistics.stdev(active),
        Score.TRACKING_ERROR_ANNUAL: lambda: root * statistics.stdev(active),
    }
    return figures[score]()


@dataclass(frozen=True)
class Plain:
    """What the loop finds."""

    inside: list[float]
    outside: list[float]
    lost: list[bool]
    chosen: list[int]
    paths: list[float]


def plain(table: ReturnTable, groups: int, test_groups: int, purge: int, embargo: int, score: Score) -> Plain:
    """Every split and every path date by date."""
    count, dates = table.net.shape
    active = table.active
    assert active is not None
    group_of = [next(g for g in range(groups) if i < int((g + 1) * dates / groups)) for i in range(dates)]

    def scored(pairs: list[tuple[int, int]]) -> float:
        parts = [[float(values[k, i]) for k, i in pairs] for values in (table.net, table.excess, active)]
        return plain_score(score, *parts)

    inside, outside, lost, chosen, tested = [], [], [], [], []
    for chosen_groups in combinations(range(groups), test_groups):
        test = [i for i in range(dates) if group_of[i] in chosen_groups]
        train = []
        for i in range(dates):
            too_near = any(-purge <= i - j <= purge + embargo for j in test)
            if not too_near:
                train.append(i)
        scores = [scored([(k, i) for i in train]) for k in range(count)]
        best = scores.index(max(scores) if score.higher_is_better else min(scores))
        chosen.append(best)
        tested.append(test)
        inside.append(scores[best])
        outside.append(scored([(best, i) for i in test]))
        lost.append(math.prod(1.0 + float(table.net[best, i]) for i in test) < 1.0)
    paths = []
    for path in range(math.comb(groups - 1, test_groups - 1)):
        whole = [
            ([best for best, test in zip(chosen, tested, strict=True) if i in test][path], i) for i in range(dates)
        ]
        paths.append(scored(whole))
    return Plain(inside, outside, lost, chosen, paths)


@pytest.mark.parametrize("score", [one for one in Score if one not in (Score.TURNOVER_ANNUAL, Score.COST_TOTAL)])
def test_it_is_a_plain_loop_over_dates(score: Score) -> None:
    table = table_of()
    found = validated(table, settings(5, 2, score, purge=2, embargo=1))
    expected = plain(table, 5, 2, 2, 1, score)
    assert found.in_sample == pytest.approx(expected.inside, rel=1e-9)
    assert found.out_of_sample == pytest.approx(expected.outside, rel=1e-9)
    assert found.path_scores == pytest.approx(expected.paths, rel=1e-9)
    slope = statistics.linear_regression(expected.inside, expected.outside).slope
    assert found.degradation_slope == pytest.approx(slope, rel=1e-6)
    assert found.probability_of_loss == np.mean(expected.lost)
    counts = [expected.chosen.count(trial) for trial, _ in found.chosen]
    assert [count for _, count in found.chosen] == counts
    assert sum(counts) == found.split_count == 10


@pytest.mark.parametrize(("groups", "test_groups", "splits", "paths"), [(6, 2, 15, 5), (10, 8, 45, 36)])
def test_published_counts(groups: int, test_groups: int, splits: int, paths: int) -> None:
    """Lopez de Prado 2018, chapter 12."""
    found = validated(table_of(dates=80), settings(groups, test_groups))
    assert (found.split_count, found.path_count, len(found.path_scores)) == (splits, paths, paths)


@given(
    groups=st.integers(2, 9),
    data=st.data(),
    purge=st.integers(0, 12),
    embargo=st.integers(0, 12),
    dates=st.integers(20, 90),
)
def test_no_training_date_is_near_a_test(
    groups: int, data: st.DataObject, purge: int, embargo: int, dates: int
) -> None:
    """Neither purge nor embargo leaks, nothing else is left out, and each path has every date once."""
    scheme = CombinatorialSplits(groups, data.draw(st.integers(1, groups - 1)), purge, embargo)
    tested = np.zeros(dates, np.int64)
    for split in scheme.splits(dates):
        distances = split.train[:, None] - split.test[None, :]
        near = (distances >= -purge) & (distances <= purge + embargo)
        assert not near.any()
        others = np.setdiff1d(np.arange(dates), np.append(split.train, split.test))
        away = others[:, None] - split.test[None, :]
        assert ((away >= -purge) & (away <= purge + embargo)).any(axis=1).all()
        tested[split.test] += 1
    assert (tested == scheme.paths).all()


def test_a_trial_that_is_always_better_is_always_chosen() -> None:
    """Then each path is that trial, and its score is that of all its returns."""
    table = table_of(4)
    table.net[2] += 0.05
    table.excess[2] += 0.05
    found = validated(table, settings())
    assert found.chosen == ((2, 15),)
    assert found.path_scores == pytest.approx([return_scores(Score.SHARPE, table)[2]] * 5)
    assert found.probability_of_loss == 0.0


def test_of_equal_trials_the_first_is_chosen() -> None:
    table = table_of(9)
    same = ReturnTable(np.tile(table.net[:1], (9, 1)), np.tile(table.excess[:1], (9, 1)), None, PERIODS, 0.0)
    assert validated(same, settings()).chosen == ((0, 15),)


def test_trials_without_the_score_are_not_chosen() -> None:
    table = table_of(3)
    table.excess[0] = 0.0
    assert 0 not in dict(validated(table, settings()).chosen)
    table.excess[1:] = 0.01
    assert cross_validate(table, settings(), never_cancelled) == Absent(NO_CHOICE)


def test_splits_without_a_score_on_their_tests_are_counted() -> None:
    table = table_of(3)
    table.excess[:, :20] = 0.01  # the first two of six groups
    found = validated(table, settings())
    assert (found.split_count, found.scored_split_count) == (15, 14)
    assert len(found.path_scores) == 5


def test_a_path_without_a_score_has_a_reason() -> None:
    table = table_of(2, 40)
    table.net[:] = np.abs(table.net) + 1e-3
    table.net[:, 0] = -0.01
    table.net[1, 0] = 1e-3  # without a loss, and so without a Calmar ratio
    found = cross_validate(table, settings(2, 1, Score.CALMAR), never_cancelled)
    assert found == Absent(NO_CHOICE)
    table.net[0, 30] = -0.02
    table.net[1, 5] = -0.02
    found = validated(table, settings(2, 1, Score.CALMAR))
    assert found.path_scores or found.undefined["path_scores"] == NO_PATH


@pytest.mark.parametrize(
    ("found", "rule"),
    [
        (lambda: settings(score=Score.TURNOVER_ANNUAL), "turnover_annual"),
        (lambda: settings(score=Score.COST_TOTAL), "cost_total"),
        (lambda: settings(20, 10), "at most 1000 splits"),
        (lambda: settings(101, 1), "at most 100"),
    ],
)
def test_what_cannot_be_validated_is_refused(found: Callable[[], object], rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule):
        found()


def test_what_the_data_do_not_allow_is_absent() -> None:
    table = table_of()
    bare = ReturnTable(table.net, table.excess, None, PERIODS, 0.0)
    assert cross_validate(bare, settings(score=Score.INFORMATION_RATIO), never_cancelled) == Absent(NO_BENCHMARK)
    for asked, reason in ((settings(40, 1), "two dates"), (settings(purge=30), "training dates")):
        found = cross_validate(table, asked, never_cancelled)
        assert isinstance(found, Absent)
        assert reason in found.reason


def test_work_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.sweep.cross_validation.MOST_READ", 15 * 5 * 61 - 1)
    found = cross_validate(table_of(), settings(), never_cancelled)
    assert isinstance(found, Absent)
    assert "give fewer groups, trials or dates" in found.reason


def test_it_can_be_cancelled() -> None:
    def cancel() -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        cross_validate(table_of(), settings(), cancel)


DAYS = np.arange(60, dtype=np.int32)


def trial(column: int, first: int = 0, **more: object) -> TrialReturns:
    table = table_of(4, 60)
    riskless = (table.net - table.excess)[column, first:]
    complete = {"riskless": riskless, "periods_per_year": PERIODS, **more}
    return TrialReturns(DAYS[first:], table.excess[column, first:], **complete)  # type: ignore[arg-type]


def test_trials_are_named_by_their_places_and_have_common_dates() -> None:
    found = cross_validated({7: trial(1, 10), 3: trial(0), 9: trial(2)}, settings(), never_cancelled)
    assert isinstance(found, CrossValidation)
    assert found.observations == 50
    assert set(dict(found.chosen)) <= {3, 7, 9}
    base = table_of(4, 60)
    table = ReturnTable(base.net[:3, 10:], base.excess[:3, 10:], None, PERIODS, 0.0)
    assert found.path_scores == pytest.approx(validated(table, settings()).path_scores)


@pytest.mark.parametrize("score", [Score.VOLATILITY_ANNUAL, Score.MAX_DRAWDOWN, Score.CONDITIONAL_VALUE_AT_RISK])
def test_a_closed_account_is_not_chosen(score: Score) -> None:
    """Where the ruin is tested, training dates have only the calm after it, which would look best."""
    base = table_of(3, 60)
    net = base.net.copy()
    net[2, 25] = -1.0
    net[2, 26:] = 0.0
    table = ReturnTable(net, net - 1e-4, None, PERIODS, 0.0)
    found = validated(table, settings(score=score))
    assert 2 not in dict(found.chosen)
    assert max(found.path_scores) < 1.0
    assert found.scored_split_count == 15


@pytest.mark.parametrize("score", [Score.CAGR, Score.MAX_DRAWDOWN])
def test_scores_that_differ_by_rounding_alone_have_no_slope(score: Score) -> None:
    steady = np.full(60, 1e-4)
    falling = np.tile(np.linspace(-0.02, 0.01, 10), 6)
    net = np.stack([steady, falling]) if score is Score.CAGR else np.stack([falling, falling])
    found = validated(ReturnTable(net, net, None, PERIODS, 0.0), settings(score=score))
    assert found.degradation_slope == Absent(SAME_CHOICE)
    assert found.undefined["degradation_slope"] == SAME_CHOICE


def test_paths_are_scored_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of()
    whole = validated(table, settings()).path_scores
    monkeypatch.setattr("domain.sweep.cross_validation.PIECE", 2 * 61)
    assert validated(table, settings()).path_scores == pytest.approx(whole, rel=1e-13)


def test_a_ruined_trial_earns_nothing_later() -> None:
    short = trial(0)
    ruined = TrialReturns(
        DAYS[:30],
        short.excess[:30],
        riskless=np.full(30, 1e-4),
        periods_per_year=PERIODS,
        acceptable=0.0,
    ).padded(DAYS)
    assert ruined.riskless is not None
    assert ruined.riskless[30:].tolist() == ruined.excess[30:].tolist() == [0.0] * 30
    assert isinstance(cross_validated({0: ruined, 1: trial(1)}, settings(), never_cancelled), CrossValidation)


@pytest.mark.parametrize(
    ("trials", "reason"),
    [
        ({0: trial(0)}, FEW_TRIALS),
        ({0: trial(0), 1: trial(1, riskless=None)}, NOT_KEPT),
        ({0: trial(0), 1: trial(1, periods_per_year=12.0)}, OTHER_YEARS),
        ({0: trial(0), 1: trial(1, acceptable=0.1)}, OTHER_YEARS),
        ({0: trial(0, 59), 1: trial(1)}, FEW_TRIALS),
    ],
)
def test_trials_that_cannot_be_compared_have_a_reason(trials: dict[int, TrialReturns], reason: str) -> None:
    assert cross_validated(trials, settings(), never_cancelled) == Absent(reason)


def test_trials_without_common_dates_have_a_reason() -> None:
    early = trial(0)
    first = TrialReturns(DAYS[:30], early.excess[:30], riskless=np.zeros(30), periods_per_year=PERIODS)
    found = cross_validated({0: first, 1: trial(1, 30, acceptable=0.0)}, settings(), never_cancelled)
    assert found == Absent(FEW_DATES)
