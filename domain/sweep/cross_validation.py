"""Combinatorial purged cross-validation of a choice: the best trial on training dates, followed on the test dates.

Lopez de Prado 2018, "Advances in financial machine learning", chapter 12. Each split tests the choice on dates that it
has not seen, and the tests of all splits are put together to paths through the whole time.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import field, replace

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck
from domain.checks import Vector
from domain.errors import InvalidInput
from domain.records import dataclass
from domain.risk.figure import Absent, Figure, finite, quotient
from domain.significance.cross_validation import CombinatorialSplits, Split
from domain.sweep.ranking import Score
from domain.sweep.return_scores import NOT_OF_RETURNS, OF_BENCHMARK, ReturnTable, return_scores
from domain.sweep.statistics import TrialReturns
from domain.sweep.trial_table import trial_table

MOST_GROUPS = 100
MOST_SPLITS = 1000
MOST_READ = 1_000_000_000
"""Returns that all splits together read: some seconds of a core, half a minute for tail losses."""

PIECE = 1 << 20
"""Returns that are read at a time."""

EQUAL = 1e-12
"""Scores that differ by less, relative to the best, are equal but for rounding."""

NO_BENCHMARK = "the score needs one benchmark that all trials have on all these dates"
NO_CHOICE = "no trial has the score on the training dates of any split and on its test dates"
NO_PATH = "the score is not defined on one of the paths"
ONE_PATH = "needs two paths"
SAME_CHOICE = "the score in sample is the same in every split"


@dataclass(frozen=True, slots=True)
class CrossValidationSettings:
    """How trials are chosen and tested. Raises InvalidInput for a score or for numbers that it cannot have."""

    score: Score
    splits: CombinatorialSplits

    def __post_init__(self) -> None:
        if self.score in NOT_OF_RETURNS:
            rule = f"must be left out with the score {self.score}, which returns on some dates do not determine"
            raise InvalidInput("", rule)
        if self.splits.groups > MOST_GROUPS:
            raise InvalidInput("groups", f"must be at most {MOST_GROUPS}, is {self.splits.groups}")
        if self.splits.count > MOST_SPLITS:
            rule = (
                f"must leave at most {MOST_SPLITS} splits, {self.splits.test_groups} of {self.splits.groups} groups "
                f"have {self.splits.count}: give fewer groups"
            )
            raise InvalidInput("groups", rule)


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """What becomes of the best trial of training dates on test dates."""

    split_count: int
    scored_split_count: int  # in which the chosen one has the score on both
    observations: int  # dates
    least_training: int  # dates of the split with the fewest training dates
    path_scores: tuple[float, ...]  # none where one is not defined
    in_sample: Vector  # (S,), scores of the chosen on the training dates of each such split
    out_of_sample: Vector  # (S,), and on its test dates
    degradation_slope: Figure  # of the scores out of sample on those in sample
    probability_of_loss: float  # fraction of these splits whose total net return on the test dates is negative
    chosen: tuple[tuple[int, int], ...]  # trial and number of splits that chose it, the most frequent first
    path_count: int
    undefined: dict[str, str] = field(default_factory=dict)


def cross_validated(
    returns: Mapping[int, TrialReturns], settings: CrossValidationSettings, check_cancelled: CancellationCheck
) -> CrossValidation | Absent:
    """Of trials by their places in the sweep, on the dates that all of them have."""
    table = trial_table(returns)
    if isinstance(table, Absent):
        return table
    found = cross_validate(table.returns, settings, check_cancelled)
    if isinstance(found, Absent):
        return found
    return replace(found, chosen=tuple((table.trials[place], count) for place, count in found.chosen))


def cross_validate(
    table: ReturnTable, settings: CrossValidationSettings, check_cancelled: CancellationCheck
) -> CrossValidation | Absent:
    """Chooses among N trials in each split, of equal ones the first; absent with the reason where that cannot be."""
    dates = table.net.shape[1]
    reason = _reason(table, settings)
    if reason is not None:
        return Absent(reason)
    chosen, scored, lost = [], [], []
    least, ruins = dates, _ruins(table)
    for split in settings.splits.splits(dates):
        inside = _scores(settings.score, table, split.train, check_cancelled)
        inside[_closed(split, ruins)] = np.nan
        best = _best(settings.score, inside)
        chosen.append(best)
        least = min(least, len(split.train))
        if best is None:
            continue
        tested = table.on(split.test, slice(best, best + 1))
        outside = float(return_scores(settings.score, tested)[0])
        if not np.isnan(outside):
            scored.append((float(inside[best]), outside))
            lost.append(float(return_scores(Score.TOTAL_RETURN, tested)[0]) < 0.0)
    if not scored:
        return Absent(NO_CHOICE)
    inner, outer = np.array(scored).T
    paths = _paths(table, settings, chosen, check_cancelled)
    slope = _slope(inner, outer)
    undefined = {} if paths else {"path_scores": NO_PATH}
    if isinstance(slope, Absent):
        undefined["degradation_slope"] = slope.reason
    counts = Counter(one for one in chosen if one is not None)
    return CrossValidation(
        split_count=len(chosen),
        scored_split_count=len(scored),
        observations=dates,
        least_training=least,
        path_scores=paths,
        in_sample=inner,
        out_of_sample=outer,
        degradation_slope=slope,
        probability_of_loss=float(np.mean(lost)),
        chosen=tuple(sorted(counts.items(), key=lambda one: (-one[1], one[0]))),
        path_count=settings.splits.paths,
        undefined=undefined,
    )


def _reason(table: ReturnTable, settings: CrossValidationSettings) -> str | None:
    """Why trials cannot be cross-validated; None where they can."""
    (count, dates), splits = table.net.shape, settings.splits
    if settings.score in OF_BENCHMARK and table.active is None:
        return NO_BENCHMARK
    if dates < 2 * splits.groups:
        return f"needs at least two dates in each of the {splits.groups} groups, all trials have {dates} in common"
    if count * dates * splits.count > MOST_READ:
        return (
            f"{splits.count} splits of {count} trials on {dates} dates read more than {MOST_READ:,} returns: "
            "give fewer groups, trials or dates"
        )
    least = min(len(one.train) for one in splits.splits(dates))
    if least < 2:
        return f"a split has {least} training dates: give fewer test groups, or a shorter purge and embargo"
    return None


def _scores(score: Score, table: ReturnTable, dates: NDArray[np.int64], check_cancelled: CancellationCheck) -> Vector:
    """The score of each trial on some dates, (N,), of some trials at a time."""
    rows = max(1, PIECE // len(dates))
    found = []
    for first in range(0, len(table.net), rows):
        check_cancelled()
        found.append(return_scores(score, table.on(dates, slice(first, first + rows))))
    return np.concatenate(found)


def _ruins(table: ReturnTable) -> NDArray[np.int64]:
    """The number of the date on which each trial loses all it has, (N,); the number of dates where it never does."""
    is_ruin = table.net <= -1.0 + EQUAL
    ruins: NDArray[np.int64] = np.where(is_ruin.any(axis=1), is_ruin.argmax(axis=1), table.net.shape[1])
    return ruins


def _closed(split: Split, ruins: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Trials whose ruin the training dates do not have but what follows it, (N,): nobody chooses a closed account."""
    closed: NDArray[np.bool_] = (ruins < split.train[-1]) & ~np.isin(ruins, split.train)
    return closed


def _slope(inner: Vector, outer: Vector) -> Figure:
    distance = inner - inner.mean()
    if float(np.abs(distance).max()) <= EQUAL * float(np.abs(inner).max()):
        return Absent(SAME_CHOICE)
    return quotient(finite(float(distance @ outer)), finite(float(distance @ distance)), SAME_CHOICE)


def _best(score: Score, values: Vector) -> int | None:
    """The first of the best trials. Products of matrices round equal trials differently, by their places in them."""
    if np.isnan(values).all():
        return None
    signed = values if score.higher_is_better else -values
    highest = float(np.nanmax(signed))
    return int(np.argmax(signed >= highest - EQUAL * abs(highest)))  # NaN compares as False


def _paths(
    table: ReturnTable,
    settings: CrossValidationSettings,
    chosen: list[int | None],
    check_cancelled: CancellationCheck,
) -> tuple[float, ...]:
    """The score of each path: path number j has, on each date, the choice of the j-th split that tests this date."""
    dates = table.net.shape[1]
    places = np.full((settings.splits.paths, dates), -1, np.int32)  # there may be hundreds of paths
    tested = np.zeros(dates, np.int32)
    for split, best in zip(settings.splits.splits(dates), chosen, strict=True):
        if best is None:
            return ()
        places[tested[split.test], split.test] = best
        tested[split.test] += 1
    rows, found = max(1, PIECE // dates), []
    for first in range(0, len(places), rows):
        check_cancelled()
        found += return_scores(settings.score, table.assembled(places[first : first + rows].astype(np.int64))).tolist()
    return () if np.isnan(found).any() else tuple(found)
