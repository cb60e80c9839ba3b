"""Statistical validation of one path of returns: how much of its Sharpe ratio is more than luck."""

from collections.abc import Callable, Sequence
from dataclasses import field, replace

from domain.cancellation import CancellationCheck
from domain.checks import Vector
from domain.market_data.panel import Days
from domain.records import dataclass
from domain.risk.figure import Absent, Figure, if_known, times
from domain.significance.basis import EXCESS, NET, FigureBasis
from domain.significance.block_length import optimal_block_lengths
from domain.significance.drawdown_expectation import ExpectedDrawdown, expected_drawdown
from domain.significance.resampling import LEAST_RESAMPLED, Resampling
from domain.significance.settings import ValidationSettings
from domain.significance.sharpe import SharpeEstimate
from domain.significance.sharpe_bootstrap import FEW_RETURNS, bootstrap_interval
from domain.significance.sharpe_difference import SharpeDifference, sharpe_difference
from domain.significance.stability import Stability, stability

NOT_ASKED = "needs resamples: set analysis.statistical_validation"
ONE_TRIAL = "needs the number of trials and the dispersion of their Sharpe ratios: compare all trials, or sweep them"

LO, MERTENS, BOOTSTRAP = "lo_2002", "mertens_2002", "stationary_bootstrap"


@dataclass(frozen=True, slots=True)
class ComparedReturns:
    """Excess returns of a path and of a benchmark on the dates that both have, (C,) each."""

    benchmark: str
    ours: Vector
    theirs: Vector
    periods_per_year: float


@dataclass(frozen=True, slots=True)
class ValidatedReturns:
    """The returns of a path, (T,) each, and those that they are compared with."""

    net: Vector
    excess: Vector
    days: Days  # on which each return ends, since 1970-01-01
    periods_per_year: float
    compared: Sequence[ComparedReturns] = ()


@dataclass(frozen=True, slots=True)
class SharpeInterval:
    """A confidence interval of the annual Sharpe ratio."""

    method: str
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class NamedDifference:
    """The comparison with one benchmark."""

    benchmark: str
    difference: SharpeDifference
    periods_per_year: float  # of the dates that both have


@dataclass(slots=True)
class Validation:
    """Figures by their names in the contract; `undefined` has the reason of each absent one."""

    confidence_level: float
    periods_per_year: float
    resamples: int
    sharpe_annual: Figure
    probabilistic_sharpe: Figure
    minimum_track_record_periods: Figure
    block_length: Figure
    sharpe_intervals: tuple[SharpeInterval, ...] = ()
    sharpe_differences: tuple[NamedDifference, ...] = ()
    stability: Stability | None = None
    part_days: tuple[tuple[int, int], ...] = ()  # of the first and the last return of each part, since 1970-01-01
    drawdown: ExpectedDrawdown | None = None
    bases: tuple[FigureBasis, ...] = ()
    undefined: dict[str, str] = field(default_factory=dict)


def validate(returns: ValidatedReturns, settings: ValidationSettings, check_cancelled: CancellationCheck) -> Validation:
    """Every figure that is defined; those that resample only where the settings ask for it."""
    estimate = SharpeEstimate.of(returns.excess)
    root = returns.periods_per_year**0.5
    target = settings.benchmark_sharpe_annual / root
    level = settings.confidence_level
    resampling = _resampling(returns, settings)
    result = Validation(
        confidence_level=level,
        periods_per_year=returns.periods_per_year,
        resamples=0 if isinstance(resampling, Absent) else resampling.count,
        sharpe_annual=_of(estimate, lambda one: times(one.ratio, root)),
        probabilistic_sharpe=_of(estimate, lambda one: one.probability_above(target)),
        minimum_track_record_periods=_of(estimate, lambda one: one.minimum_track_record(target, level)),
        block_length=resampling if isinstance(resampling, Absent) else resampling.block_length,
    )
    _note_absent(result)
    _add_intervals(result, returns, estimate, resampling, check_cancelled)
    _add_differences(result, returns, settings, resampling, check_cancelled)
    _add_stability(result, returns, settings.sub_periods)
    if isinstance(resampling, Absent):
        result.undefined["drawdown"] = resampling.reason
    else:
        result.drawdown = expected_drawdown(returns.net, resampling, level, check_cancelled)
    result.undefined["deflated_sharpe"] = ONE_TRIAL
    result.bases = _bases(result, len(returns.net), settings)
    return result


def _of(estimate: SharpeEstimate | Absent, figure: Callable[[SharpeEstimate], Figure]) -> Figure:
    return if_known(estimate, figure)


def _resampling(returns: ValidatedReturns, settings: ValidationSettings) -> Resampling | Absent:
    """Resamples of the path, with the given block length or one that is chosen from its excess returns."""
    if not settings.is_resampled:
        return Absent(NOT_ASKED)
    t = len(returns.excess)
    if t < LEAST_RESAMPLED:
        return Absent(FEW_RETURNS)
    estimate = SharpeEstimate.of(returns.excess)
    if isinstance(estimate, Absent):
        return estimate
    length = settings.block_length
    if length is None:
        length = optimal_block_lengths(returns.excess).stationary
    return Resampling(t, settings.resamples, min(length, float(t)), settings.seed)


def _note_absent(result: Validation) -> None:
    for name in ("sharpe_annual", "probabilistic_sharpe", "minimum_track_record_periods", "block_length"):
        figure = getattr(result, name)
        if isinstance(figure, Absent):
            result.undefined[name] = figure.reason


def _add_intervals(
    result: Validation,
    returns: ValidatedReturns,
    estimate: SharpeEstimate | Absent,
    resampling: Resampling | Absent,
    check_cancelled: CancellationCheck,
) -> None:
    if isinstance(estimate, Absent):
        result.undefined["sharpe_intervals"] = estimate.reason
        return
    level, root = result.confidence_level, result.periods_per_year**0.5
    found: dict[str, tuple[float, float] | Absent] = {
        LO: estimate.interval(estimate.lo_error, level),
        MERTENS: estimate.interval(estimate.mertens_error, level),
        BOOTSTRAP: resampling
        if isinstance(resampling, Absent)
        else bootstrap_interval(returns.excess, resampling, level, check_cancelled),
    }
    for method, interval in found.items():
        if isinstance(interval, Absent):
            result.undefined[f"sharpe_intervals.{method}"] = interval.reason
        else:
            result.sharpe_intervals += (SharpeInterval(method, root * interval[0], root * interval[1]),)


def _add_differences(
    result: Validation,
    returns: ValidatedReturns,
    settings: ValidationSettings,
    resampling: Resampling | Absent,
    check_cancelled: CancellationCheck,
) -> None:
    for compared in returns.compared:
        found: SharpeDifference | Absent
        if isinstance(resampling, Absent):
            found = resampling
        else:
            t = len(compared.ours)
            drawn = replace(resampling, observations=t, block_length=min(resampling.block_length, float(max(t, 1))))
            is_given = settings.block_length is not None
            found = sharpe_difference(compared.ours, compared.theirs, drawn, check_cancelled, given_length=is_given)
        if isinstance(found, Absent):
            result.undefined[f"sharpe_differences.{compared.benchmark}"] = found.reason
        else:
            result.sharpe_differences += (NamedDifference(compared.benchmark, found, compared.periods_per_year),)


def _add_stability(result: Validation, returns: ValidatedReturns, parts: int) -> None:
    found = stability(returns.excess, parts)
    if isinstance(found, Absent):
        result.undefined["sub_periods"] = found.reason
        return
    result.stability = found
    result.part_days = tuple((int(returns.days[one.first]), int(returns.days[one.last])) for one in found.parts)
    if isinstance(found.p_value, Absent):
        result.undefined["sub_period_p_value"] = found.p_value.reason


def _bases(result: Validation, t: int, settings: ValidationSettings) -> tuple[FigureBasis, ...]:
    """What each figure that is there was computed from."""
    per_year = f"mean / standard deviation (T - 1) x sqrt({result.periods_per_year:g})"
    given = "given" if settings.block_length is not None else "of Politis and White 2004, corrected 2009"
    resampled = f"stationary bootstrap, {settings.resamples} resamples, block length {given}, seed {settings.seed}"
    target = f"against a Sharpe ratio of {settings.benchmark_sharpe_annual:g} a year"
    texts = {
        "sharpe_annual": (EXCESS, per_year),
        "probabilistic_sharpe": (EXCESS, f"Bailey and Lopez de Prado 2012, kurtosis 3 for normal returns, {target}"),
        "minimum_track_record_periods": (EXCESS, f"the same, confidence {result.confidence_level:g}, in periods"),
        f"sharpe_intervals.{LO}": (EXCESS, "Lo 2002, independent normal returns, per year"),
        f"sharpe_intervals.{MERTENS}": (EXCESS, "Mertens 2002, independent returns, per year"),
        f"sharpe_intervals.{BOOTSTRAP}": (EXCESS, f"percentiles, {resampled}, per year"),
        "block_length": (EXCESS, f"mean length of a stationary bootstrap, {given}"),
        "sub_periods": (EXCESS, f"{settings.sub_periods} parts of equal length; {per_year}"),
        "sub_period_p_value": (EXCESS, "Wald test of equal Sharpe ratios, errors of Mertens 2002"),
    }
    found = [FigureBasis(name, returns, t, text) for name, (returns, text) in texts.items() if _is_there(result, name)]
    found += [
        FigureBasis(
            f"sharpe_differences.{one.benchmark}",
            EXCESS,
            one.difference.observations,
            "Ledoit and Wolf 2008, per period, on the dates that both have",
        )
        for one in result.sharpe_differences
    ]
    if result.drawdown is not None:
        found.append(FigureBasis("drawdown", NET, t, f"compounded, {resampled}, {result.drawdown.paths} paths"))
    return tuple(found)


def _is_there(result: Validation, name: str) -> bool:
    return name not in result.undefined and name.split(".")[0] not in result.undefined
