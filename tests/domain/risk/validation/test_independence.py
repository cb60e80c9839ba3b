"""Christoffersen's tests against all sequences, published output of another program, and their own size."""

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.special import xlogy

from domain.risk.validation import independence as module
from domain.risk.validation.binomial import coverage_ratio, entropies
from domain.risk.validation.exceptions import Exceptions
from domain.risk.validation.independence import conditional_coverage, independence
from domain.risk.validation.verdict import PValueMethod


def of(hits: np.ndarray | list[bool], confidence_level: float) -> Exceptions:
    hits = np.asarray(hits, dtype=bool)
    return Exceptions(np.where(hits, -1.0, 0.0), np.full(len(hits), 0.5), confidence_level)


def log_likelihood(hits: np.ndarray, chances: np.ndarray) -> float:
    return float((xlogy(hits, chances) + xlogy(~hits, 1 - chances)).sum())


def by_definition(hits: np.ndarray, tail: float) -> tuple[float, float]:
    """LR_ind and LR_cc as ratios of likelihoods of hits 2..T, the free probabilities being the observed rates."""
    before, after = hits[:-1], hits[1:]
    rates = np.array([after[before == state].mean() if (before == state).any() else 0.0 for state in (False, True)])
    chain = log_likelihood(after, rates[before.astype(int)])
    one = log_likelihood(after, np.full(len(after), after.mean()))
    return 2 * (chain - one), 2 * (chain - log_likelihood(after, np.full(len(after), tail)))


@pytest.mark.parametrize(
    ("length", "level"),
    [
        (2, 0.95),
        (3, 0.9),
        (6, 0.5),
        pytest.param(9, 0.95, marks=pytest.mark.exhaustive),
        pytest.param(10, 0.7, marks=pytest.mark.exhaustive),
    ],
)
def test_exact_p_values_against_every_sequence(length: int, level: float) -> None:
    """Brute force over 2^T sequences: the p-value is the probability of those whose ratio is as large.

    Of independence it is that among the sequences with as many exceptions.
    """
    sequences = [np.array(sequence) for sequence in itertools.product((False, True), repeat=length)]
    tail = 1 - level
    chances = np.array([tail ** hits.sum() * level ** (length - hits.sum()) for hits in sequences])
    ratios = np.array([by_definition(hits, tail) for hits in sequences])
    for hits, ratio in zip(sequences, ratios, strict=True):
        alike = chances * [other.sum() == hits.sum() for other in sequences]
        given_count = alike[ratios[:, 0] >= ratio[0] - 1e-9].sum() / alike.sum()
        of_all = chances[ratios[:, 1] >= ratio[1] - 1e-9].sum()
        alone, joint = independence(of(hits, level)), conditional_coverage(of(hits, level))
        assert joint.statistic == pytest.approx(ratio[1], abs=1e-10)
        assert joint.p_value == pytest.approx(of_all, rel=1e-9)
        assert joint.p_value_asymptotic == pytest.approx(stats.chi2.sf(max(ratio[1], 0), 2), rel=1e-6)
        if hits[:-1].any() and not hits[:-1].all():
            assert alone.statistic == pytest.approx(ratio[0], abs=1e-10)
            assert alone.p_value == pytest.approx(given_count, rel=1e-9)
            assert alone.p_value_asymptotic == pytest.approx(stats.chi2.sf(max(ratio[0], 0), 1), rel=1e-4)
        else:
            assert (alone.statistic, alone.p_value) == (None, None)


def test_published_output_of_another_program() -> None:
    """MathWorks, Risk Management Toolbox, `varbacktest.cc`: EquityIndex against Normal95.

    1043 observations with 932, 53, 53 and 4 transitions, so the first is no exception. Its LR_uc is over all 1043,
    ours, as in the paper, over the 1042 that follow the first one.
    """
    hits = np.zeros(1043, dtype=bool)
    starts = 3 * np.arange(1, 54)
    hits[starts] = True
    hits[starts[:4] + 1] = True
    alone, joint = independence(of(hits, 0.95)), conditional_coverage(of(hits, 0.95))
    assert alone.statistic == pytest.approx(0.25866, abs=5e-6)
    assert alone.p_value_asymptotic == pytest.approx(0.61104, abs=5e-6)
    over_all = float(coverage_ratio(np.array(57), 1043, 0.05, entropies(1043)))
    given_first = float(coverage_ratio(np.array(57), 1042, 0.05, entropies(1043)))
    assert over_all + alone.statistic == pytest.approx(0.72013, abs=1e-5)
    assert joint.statistic == pytest.approx(given_first + alone.statistic, rel=1e-9)
    assert joint.statistic == pytest.approx(0.72013, abs=0.01)


@pytest.mark.parametrize(("length", "level"), [(60, 0.95), (250, 0.99), (250, 0.95)])
def test_size_under_independent_exceptions(length: int, level: float) -> None:
    """2000 simulated sequences: rejections at 5 % are at most 5 % plus three standard errors of the simulation."""
    generator = np.random.default_rng(3)
    known: dict[tuple[int, ...], tuple[float, float]] = {}
    rejections = np.zeros(2)
    for hits in generator.random((2000, length)) < 1 - level:
        before, after = hits[:-1], hits[1:]
        # The statistic and its p-value depend on these alone, but for the count that widens the sum.
        key = (int(hits.sum()), int((before & after).sum()), int((before & ~after).sum()), int((~before & after).sum()))
        if key not in known:
            verdicts = independence(of(hits, level)), conditional_coverage(of(hits, level))
            known[key] = tuple(1.0 if verdict.p_value is None else verdict.p_value for verdict in verdicts)
        rejections += np.array(known[key]) <= 0.05
    assert (rejections / 2000 <= 0.05 + 3 * (0.05 * 0.95 / 2000) ** 0.5).all()


@pytest.mark.parametrize("rate", [0.01, 0.03, 0.05])
def test_wrong_coverage_is_not_taken_for_clusters(rate: float) -> None:
    """1000 sequences of independent exceptions, up to five times as many as at 99 %: limits as above."""
    generator = np.random.default_rng(8)
    verdicts = [independence(of(hits, 0.99)) for hits in generator.random((1000, 250)) < rate]
    rejected = sum(verdict.p_value is not None and verdict.p_value <= 0.05 for verdict in verdicts)
    assert rejected / 1000 <= 0.05 + 3 * (0.05 * 0.95 / 1000) ** 0.5


def test_clusters_are_found_and_spread_is_not() -> None:
    """Power: ten exceptions in a row of 250, or ten spread evenly."""
    clustered, even = np.zeros((2, 250), dtype=bool)
    clustered[100:110] = True
    even[12::25] = True
    assert independence(of(clustered, 0.95)).p_value < 1e-6
    assert independence(of(even, 0.95)).p_value > 0.1
    assert conditional_coverage(of(clustered, 0.95)).p_value < 1e-6


def test_exact_and_asymptotic_p_values_meet() -> None:
    """Where there are many exceptions the limit is near; given their number the ratio takes fewer values."""
    generator = np.random.default_rng(5)
    joint = conditional_coverage(of(generator.random(2000) < 0.1, 0.9))
    alone = independence(of(generator.random(8000) < 0.5, 0.5))
    for verdict in (joint, alone):
        assert verdict.method is PValueMethod.EXACT
        assert verdict.p_value == pytest.approx(verdict.p_value_asymptotic, abs=0.01)


def test_too_many_observations_are_asymptotic_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    hits = np.random.default_rng(5).random(300) < 0.1
    exact = conditional_coverage(of(hits, 0.9))
    monkeypatch.setattr(module, "MANY", 1000)
    verdict = conditional_coverage(of(hits, 0.9))
    assert (verdict.method, verdict.note) == (PValueMethod.ASYMPTOTIC, module.TOO_MANY)
    assert verdict.p_value == verdict.p_value_asymptotic == exact.p_value_asymptotic
    assert verdict.statistic == exact.statistic


@pytest.mark.parametrize(
    ("hits", "reason"),
    [
        ([False] * 30, "no observation follows an exception"),
        ([False] * 29 + [True], "no observation follows an exception"),
        ([True] * 30, "every observation follows an exception"),
        ([True], "needs at least two observations"),
    ],
)
def test_independence_is_not_always_defined(hits: list[bool], reason: str) -> None:
    assert independence(of(hits, 0.95)).reason == reason


def test_conditional_coverage_without_exceptions_is_coverage() -> None:
    """LR_ind is 0 where there is no chain to speak of."""
    assert conditional_coverage(of([False] * 30, 0.95)).statistic == pytest.approx(-58 * np.log(0.95), rel=1e-10)
    assert conditional_coverage(of([True] * 30, 0.95)).statistic == pytest.approx(-58 * np.log(0.05), rel=1e-10)
    assert conditional_coverage(of([True], 0.95)).reason == "needs at least two observations"
