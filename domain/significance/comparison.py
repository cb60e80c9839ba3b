"""Comparison of trials that are given as returns: does the best beat the benchmark, their number considered?"""

from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck
from domain.checks import Matrix, Vector, constant_columns, moderate, open_fraction, positive
from domain.errors import InvalidInput
from domain.market_data.panel import ReturnPanel, civil_date
from domain.records import dataclass
from domain.risk.figure import Absent, Figure, known
from domain.significance.basis import ACTIVE, GIVEN, FigureBasis
from domain.significance.block_length import common_block_length
from domain.significance.multiple_trials import (
    DeflatedSharpe,
    deflated_sharpe,
    effective_trials,
    minimum_backtest_length,
)
from domain.significance.overfitting import MOST_SEGMENTS, SEGMENTS, Overfitting, overfitting
from domain.significance.resampling import LEAST_RESAMPLED, Resampling
from domain.significance.settings import FEWEST_RESAMPLES, MOST_RESAMPLES, RESAMPLES, block_length_within, whole_in
from domain.significance.sharpe import SharpeEstimate, sharpe_ratios
from domain.significance.superior_ability import SuperiorAbility, superiority
from domain.warnings import ResultWarning

MOST_STATISTICS = 10_000_000
"""Resamples x strategies: 80 MB, held once."""

SIGNIFICANCE = 0.05

FEW_RETURNS = f"a bootstrap needs at least {LEAST_RESAMPLED} returns"
ONE_TRIAL = "needs at least two strategies: their Sharpe ratios have no dispersion"
ALL_CONSTANT = "every strategy differs from the benchmark by a constant"
NO_LENGTH = "the best Sharpe ratio is not above 0"


@dataclass(frozen=True, slots=True)
class ComparisonSettings:
    """Parameters of a comparison. Raises InvalidInput for one that breaks its rule."""

    resamples: int = RESAMPLES
    block_length: float | None = None  # periods; chosen from the data if None
    seed: int = 0
    significance_level: float = SIGNIFICANCE  # of the stepwise test: probability of any false rejection
    segments: int = SEGMENTS  # of the cross-validation
    best: str | None = None  # whose Sharpe ratio is deflated; the one with the highest if None

    def __post_init__(self) -> None:
        whole_in("resamples", self.resamples, FEWEST_RESAMPLES, MOST_RESAMPLES)
        open_fraction("significance_level", self.significance_level)
        whole_in("segments", self.segments, 2, MOST_SEGMENTS)
        if self.segments % 2:
            raise InvalidInput("segments", f"must be even, is {self.segments}")
        if self.block_length is not None and positive("block_length", self.block_length) < 1.0:
            raise InvalidInput("block_length", f"must be 1 or more, is {self.block_length:g}")


@dataclass(frozen=True, slots=True)
class TrialReport:
    """One strategy."""

    label: str
    mean: float  # per period
    sharpe: float  # per period
    mean_active: float  # per period
    statistic: Figure  # mean active return / its bootstrap error


@dataclass(slots=True)
class Comparison:
    """Figures by their names in the contract; `undefined` has the reason of each absent one."""

    trials: tuple[TrialReport, ...]
    best: str
    best_sharpe: float  # per period
    observations: int
    resamples: int
    block_length: Figure
    ability: SuperiorAbility | None = None
    superior: tuple[str, ...] = ()
    effective_trial_count: float = 1.0
    deflated: DeflatedSharpe | None = None
    deflated_effective: DeflatedSharpe | None = None
    minimum_backtest_periods: Figure = field(default_factory=lambda: Absent(ONE_TRIAL))
    overfitting: Overfitting | None = None
    undefined: dict[str, str] = field(default_factory=dict)
    bases: tuple[FigureBasis, ...] = ()
    warnings: tuple[ResultWarning, ...] = ()


def compare(
    returns: ReturnPanel,
    benchmark: ReturnPanel | None,
    settings: ComparisonSettings,
    check_cancelled: CancellationCheck,
) -> Comparison:
    """Tests strategies' returns (T, N) against those of a benchmark on the same dates, or against 0.

    Raises InvalidInput with the field named: a missing return, a strategy that does not vary, other dates of the
    benchmark, a block length above T, and more statistics than `MOST_STATISTICS`.
    """
    values = _checked(returns, settings)
    active = values if benchmark is None else values - _reference(returns, benchmark)[:, None]
    t, n = values.shape
    ratios = sharpe_ratios(values)
    best = int(np.argmax(ratios)) if settings.best is None else returns.symbols.index(settings.best)
    varies = ~constant_columns(active)
    result = Comparison(
        trials=(),
        best=returns.symbols[best],
        best_sharpe=float(ratios[best]),
        observations=t,
        resamples=settings.resamples,
        block_length=_block_length(active[:, varies], settings, check_cancelled),
        warnings=_warnings(returns, varies),
    )
    statistics = _test(result, returns.symbols, active, varies, settings, check_cancelled)
    result.trials = tuple(
        TrialReport(label, float(values[:, j].mean()), float(ratios[j]), float(active[:, j].mean()), statistics[j])
        for j, label in enumerate(returns.symbols)
    )
    _deflate(result, values, ratios, best)
    _cross_validate(result, values, settings.segments, check_cancelled)
    result.bases = _bases(result, settings, n)
    return result


def _checked(returns: ReturnPanel, settings: ComparisonSettings) -> Matrix:
    values, (t, n) = returns.values, returns.values.shape
    if t < 2:
        raise InvalidInput("returns.dates", f"must hold at least two dates, are {t}")
    _refuse_missing("returns", returns)
    moderate("returns.values", values)
    constant = np.flatnonzero(constant_columns(values))
    if len(constant):
        rule = f"must vary, but all returns of {returns.symbols[constant[0]]} are equal: it has no Sharpe ratio"
        raise InvalidInput("returns.values", rule)
    block_length_within("block_length", settings.block_length, t)
    if settings.resamples * n > MOST_STATISTICS:
        most = MOST_STATISTICS // n
        rule = f"must be at most {most} for {n} strategies, {MOST_STATISTICS:,} statistics, is {settings.resamples}"
        raise InvalidInput("resamples", rule)
    return values


def _refuse_missing(field: str, panel: ReturnPanel) -> None:
    missing = np.isnan(panel.values)
    if missing.any():
        i, j = (int(k) for k in np.argwhere(missing)[0])
        rule = f"must not be missing: {panel.symbols[j]} has no return on {civil_date(panel.dates[i])}"
        raise InvalidInput(f"{field}.values[{i * len(panel.symbols) + j}]", rule)


def _reference(returns: ReturnPanel, benchmark: ReturnPanel) -> Vector:
    """The benchmark's returns on the dates of the strategies, (T,)."""
    if len(benchmark.symbols) != 1:
        raise InvalidInput("benchmark.symbols", f"must name one benchmark, are {len(benchmark.symbols)}")
    if not np.array_equal(benchmark.dates, returns.dates):
        other = np.setxor1d(benchmark.dates, returns.dates)[0]
        where = "the strategies" if other in benchmark.dates else "the benchmark"
        rule = f"must be those of the strategies: {civil_date(other)} is a date of {where} alone"
        raise InvalidInput("benchmark.dates", rule)
    _refuse_missing("benchmark", benchmark)
    return moderate("benchmark.values", benchmark.values)[:, 0]


def _block_length(active: Matrix, settings: ComparisonSettings, check_cancelled: CancellationCheck) -> Figure:
    if active.shape[1] == 0:
        return Absent(ALL_CONSTANT)
    if len(active) < LEAST_RESAMPLED:
        return Absent(FEW_RETURNS)
    return common_block_length(active, check_cancelled) if settings.block_length is None else settings.block_length


def _warnings(returns: ReturnPanel, varies: NDArray[np.bool_]) -> tuple[ResultWarning, ...]:
    if varies.all():
        return ()
    names = [symbol for symbol, one in zip(returns.symbols, varies, strict=True) if not one]
    message = f"{names[0]} differs from the benchmark by a constant, and is left out of spa and step_m"
    if len(names) > 1:
        message += f", as are {len(names) - 1} others"
    return (ResultWarning("CONSTANT_DIFFERENCE", "returns", message),)


def _test(
    result: Comparison,
    labels: tuple[str, ...],
    active: Matrix,
    varies: NDArray[np.bool_],
    settings: ComparisonSettings,
    check_cancelled: CancellationCheck,
) -> list[Figure]:
    """Adds the tests of superiority; the statistic of each strategy."""
    statistics: list[Figure] = [Absent(ALL_CONSTANT)] * len(labels)
    length = result.block_length
    if isinstance(length, Absent):
        result.undefined.update(dict.fromkeys(("block_length", "spa", "step_m"), length.reason))
        return statistics
    resampling = Resampling(len(active), settings.resamples, length, settings.seed)
    tested = np.flatnonzero(varies)
    found = superiority(active[:, tested], resampling, settings.significance_level, check_cancelled)
    result.ability = found.ability
    result.superior = tuple(labels[tested[k]] for k in found.superior)
    for k, j in enumerate(tested):
        statistics[j] = float(found.statistics[k])
    return statistics


def _deflate(result: Comparison, values: Matrix, ratios: Vector, best: int) -> None:
    """Adds what the best Sharpe ratio is worth among so many."""
    n = values.shape[1]
    names = (
        "deflated_sharpe",
        "deflated_sharpe_effective",
        "minimum_backtest_periods",
        "expected_maximum_sharpe",
        "expected_maximum_sharpe_effective",
    )
    if n < 2:
        result.undefined.update(dict.fromkeys(names, ONE_TRIAL))
        return
    estimate = SharpeEstimate.of(values[:, best])
    if isinstance(estimate, Absent):
        result.undefined.update(dict.fromkeys(names, estimate.reason))
        return
    dispersion = float(ratios.std(ddof=1))
    result.effective_trial_count = effective_trials(values)
    result.deflated = deflated_sharpe(estimate, dispersion, n)
    result.deflated_effective = deflated_sharpe(estimate, dispersion, result.effective_trial_count)
    for name, one in zip(names[:2], (result.deflated, result.deflated_effective), strict=True):
        if isinstance(one.probability, Absent):
            result.undefined[name] = one.probability.reason
    result.minimum_backtest_periods = (
        minimum_backtest_length(n, estimate.ratio) if estimate.ratio > 0.0 else Absent(NO_LENGTH)
    )
    if known(result.minimum_backtest_periods) is None:
        result.undefined["minimum_backtest_periods"] = NO_LENGTH


def _cross_validate(result: Comparison, values: Matrix, segments: int, check_cancelled: CancellationCheck) -> None:
    found = overfitting(values, segments, check_cancelled)
    if isinstance(found, Absent):
        names = ("probability_of_overfitting", "degradation_slope", "probability_of_loss")
        result.undefined.update(dict.fromkeys(names, found.reason))
        return
    result.overfitting = found
    if isinstance(found.degradation_slope, Absent):
        result.undefined["degradation_slope"] = found.degradation_slope.reason


def _bases(result: Comparison, settings: ComparisonSettings, n: int) -> tuple[FigureBasis, ...]:
    """What each figure that is there was computed from."""
    length = "given" if settings.block_length is not None else "median of Politis and White 2004, corrected 2009"
    drawn = f"stationary bootstrap, {settings.resamples} resamples, block length {length}, seed {settings.seed}"
    level = settings.significance_level
    texts = {
        "block_length": (ACTIVE, f"mean length of a stationary bootstrap, {length}"),
        "spa": (ACTIVE, f"Hansen 2005, studentised, {drawn}"),
        "step_m": (ACTIVE, f"Romano and Wolf 2005, studentised, {drawn}, level {level:g}"),
        "deflated_sharpe": (GIVEN, f"Bailey and Lopez de Prado 2014, {n} trials"),
        "deflated_sharpe_effective": (GIVEN, f"the same with {result.effective_trial_count:.6g} effective trials"),
        "expected_maximum_sharpe": (GIVEN, f"per period, of {n} trials without skill with the dispersion of these"),
        "expected_maximum_sharpe_effective": (
            GIVEN,
            f"the same with {result.effective_trial_count:.6g} effective trials",
        ),
        "effective_trial_count": (
            GIVEN,
            "Bailey and Lopez de Prado 2014, appendix A.3, mean correlation of the trials",
        ),
        "minimum_backtest_periods": (GIVEN, f"Bailey et al. 2014, {n} trials, Sharpe ratio of the best trial"),
        "probability_of_overfitting": (GIVEN, f"Bailey et al. 2017, Sharpe ratios, {settings.segments} segments"),
        "degradation_slope": (GIVEN, "Sharpe ratio per period out of sample on that in sample, the same segments"),
        "probability_of_loss": (GIVEN, "mean return out of sample below 0, the same segments"),
    }
    return tuple(
        FigureBasis(name, returns, result.observations, text)
        for name, (returns, text) in texts.items()
        if name not in result.undefined
    )
