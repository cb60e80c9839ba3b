"""What the best of all trials is worth, their number considered: the tests of `significance` on their returns."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck
from domain.checks import LARGEST_RETURN, Matrix, Vector, constant_columns
from domain.errors import InvalidInput
from domain.market_data.panel import Days, ReturnPanel
from domain.records import dataclass
from domain.risk.figure import Absent
from domain.significance.comparison import MOST_STATISTICS, Comparison, ComparisonSettings, compare
from domain.significance.settings import RESAMPLES
from domain.sweep.tried import DeflatedByAll, EarlierTrials, SharpeSums, deflated_by_all

MOST_CELLS = 12_500_000
"""Dates x trials whose returns are kept until the end: 100 MB."""

FIGURES = (
    "spa",
    "step_m",
    "deflated_sharpe",
    "deflated_sharpe_effective",
    "probability_of_overfitting",
    "effective_trial_count",
    "deflated_sharpe_all_sweeps",
    "deflated_sharpe_all_sweeps_effective",
)
TOO_MANY = f"needs the returns of all trials, which are more than {MOST_CELLS:,}: sweep fewer trials or dates"
FEW_TRIALS = "needs at least two trials that succeeded and whose returns vary"
FEW_DATES = "the trials have fewer than two dates in common"
BEST_LEFT_OUT = "the best trial is left out of the statistics: its returns do not vary, or are too large"
NOT_COUNTED = "this store does not count the trials of other sweeps"
OTHER_BENCHMARKS = "the trials have different benchmarks; returns are compared with what cash earns"


@dataclass(frozen=True, slots=True)
class TrialReturns:
    """Excess returns of a trial, (T,), on the dates on which they end, beside those of its first benchmark."""

    days: Days  # (T,), since 1970-01-01
    excess: Vector  # (T,)
    benchmark: Vector | None = None  # (T,), None where it has none on all these dates
    is_ruined: bool = False  # its net asset value is used up
    riskless: Vector | None = None  # (T,), what was taken off the net returns; None where that is not known
    periods_per_year: float = 0.0  # 0 where it is not known
    acceptable: float = 0.0  # minimum acceptable return per period

    def padded(self, days: Days) -> "TrialReturns":
        """Returns on all days, (U,), of which its own are the first: after its ruin a trial earns nothing."""
        missing = len(days) - len(self.days)
        if missing <= 0:
            return self
        nothing = np.zeros(missing)
        riskless = None if self.riskless is None else np.append(self.riskless, nothing)
        excess = np.append(self.excess, nothing)
        return replace(self, days=days, excess=excess, benchmark=None, is_ruined=True, riskless=riskless)


@dataclass(slots=True)
class SweepStatistics:
    """Figures over all trials; `undefined` has the reason of each absent one."""

    comparison: Comparison | None = None  # its labels are the places of trials in the sweep
    trials: int = 0  # that were compared
    left_out: int = 0  # that succeeded and whose returns do not vary or are too large
    undefined: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    by_all: DeflatedByAll | None = None  # of the best trial, among all trials on the same data
    sums: SharpeSums | None = None  # over the trials that were compared

    @property
    def superior(self) -> tuple[int, ...]:
        """Places of the trials that beat the benchmark (Romano and Wolf 2005)."""
        return () if self.comparison is None else tuple(map(int, self.comparison.superior))


def sweep_statistics(
    returns: Mapping[int, TrialReturns],
    best: int | None,
    check_cancelled: CancellationCheck,
    earlier: EarlierTrials | None = None,
    tried: int = 0,
) -> SweepStatistics:
    """Compares the trials that succeeded, by their places in the sweep, on the dates that all of them have.

    `best` is the one with the best score, whose Sharpe ratio is deflated; also by `earlier` trials on the same data,
    where they are counted, and by all that were `tried` in this sweep.
    """
    usable = {trial: one for trial, one in sorted(returns.items()) if is_usable(one.excess)}
    left_out = len(returns) - len(usable)
    if len(usable) < 2:
        return _absent(FEW_TRIALS, left_out)
    days = common_days(list(usable.values()))
    if len(days) < 2:
        return _absent(FEW_DATES, left_out)
    values = np.column_stack([at_days(days, one.days, one.excess) for one in usable.values()])
    varies = ~constant_columns(values)
    trials = [trial for trial, one in zip(usable, varies, strict=True) if one]
    left_out += len(usable) - len(trials)
    if len(trials) < 2:
        return _absent(FEW_TRIALS, left_out)
    benchmark, notes = common_benchmark(days, [usable[trial] for trial in trials])
    names = tuple(map(str, trials))
    settings = ComparisonSettings(
        resamples=min(RESAMPLES, MOST_STATISTICS // len(trials)), best=str(best) if best in trials else None
    )
    try:
        found = compare(
            ReturnPanel(names, days, np.ascontiguousarray(values[:, varies])), benchmark, settings, check_cancelled
        )
    except InvalidInput as error:
        return _absent(error.rule, left_out)
    undefined = _undefined(found)
    if best not in trials:
        found.deflated = found.deflated_effective = None
        undefined |= dict.fromkeys(("deflated_sharpe", "deflated_sharpe_effective"), BEST_LEFT_OUT)
    result = SweepStatistics(found, len(trials), left_out, undefined, notes)
    of_best = None if best not in trials else at_days(days, usable[best].days, usable[best].excess)
    _deflate_by_all(result, of_best, earlier, max(tried, len(trials)))
    return result


def _deflate_by_all(result: SweepStatistics, best: Vector | None, earlier: EarlierTrials | None, tried: int) -> None:
    """Adds what the best trial, (C,) or None where it is not compared, is worth among all trials on its data."""
    found = result.comparison
    if found is None:
        raise ValueError("there is a comparison")
    ratios = np.array([one.sharpe for one in found.trials])
    result.sums = SharpeSums.of(ratios)
    by_all: DeflatedByAll | Absent = Absent(NOT_COUNTED)
    if best is None:
        by_all = Absent(BEST_LEFT_OUT)
    elif earlier is not None:
        by_all = deflated_by_all(best, ratios, found.effective_trial_count, tried, earlier)
    if isinstance(by_all, Absent):
        result.undefined |= dict.fromkeys(FIGURES[-2:], by_all.reason)
        return
    result.by_all = by_all
    for name, one in zip(FIGURES[-2:], (by_all.raw, by_all.effective), strict=True):
        if isinstance(one.probability, Absent):
            result.undefined[name] = one.probability.reason


def _undefined(found: Comparison) -> dict[str, str]:
    return {name: found.undefined[name] for name in FIGURES if name in found.undefined}


def too_many_returns() -> SweepStatistics:
    """The statistics of a sweep whose returns are not kept."""
    return _absent(TOO_MANY, 0)


def _absent(reason: str, left_out: int) -> SweepStatistics:
    return SweepStatistics(left_out=left_out, undefined=dict.fromkeys(FIGURES, reason))


def is_usable(excess: Vector) -> bool:
    """Whether returns are numbers that have moments."""
    return len(excess) > 1 and bool(np.isfinite(excess).all()) and float(np.abs(excess).max()) <= LARGEST_RETURN


def common_days(trials: Sequence[TrialReturns]) -> Days:
    """Dates that all trials have, (C,)."""
    days: Days = trials[0].days
    for one in trials[1:]:
        if not np.array_equal(days, one.days):
            days = np.intersect1d(days, one.days)
    return days


def at_days(days: Days, own: Days, values: Vector) -> Vector:
    """The returns that end on some dates of a trial, (C,)."""
    place: NDArray[np.int64] = np.searchsorted(own, days)
    return values[place]


def common_benchmark(days: Days, trials: Sequence[TrialReturns]) -> tuple[ReturnPanel | None, tuple[str, ...]]:
    """The benchmark's excess returns where all trials have the same one; cash is the benchmark where none has any."""
    # What a benchmark earned after the ruin of a trial is not kept with it.
    found: list[Vector | None] = [
        None if one.benchmark is None else at_days(days, one.days, one.benchmark) for one in trials if not one.is_ruined
    ]
    first = found[0] if found else None
    if all(one is None for one in found):
        return None, ()
    if first is None or any(one is None or not np.array_equal(one, first) for one in found):
        return None, (OTHER_BENCHMARKS,)
    column: Matrix = first[:, None]
    return ReturnPanel(("benchmark",), days, column), ()
