"""Divides the net return of a simulated path above its benchmark, without a residual.

Each date is divided by the holdings that it began with (domain.attribution.brinson); costs, fees, cash, financing and
trading are parts of their own; the dates are linked (domain.attribution.linking). That the parts sum to the excess
return is a property of the parts: no part is what the others leave, but for "specific" beside factors.
"""

from collections.abc import Sequence
from dataclasses import field, replace

import numpy as np

from domain.attribution.brinson import Effects, GroupPath, effects_of
from domain.attribution.factors import (
    SPECIFIC,
    FactorEffects,
    estimated_factor_returns,
    exposure_effects,
    linked_factors,
    regression_effects,
)
from domain.attribution.linking import Linked, linking_factors
from domain.attribution.segments import LinkedSegments, SegmentSums, geometric_effects
from domain.attribution.settings import AttributionModel, AttributionSettings, Linking
from domain.backtest.attributed_side import OTHERS, LevelPath, Side
from domain.backtest.attribution_request import PATH, AttributionRequest, Level
from domain.cancellation import CancellationCheck
from domain.checks import Matrix, Vector
from domain.errors import InvalidInput
from domain.market_data.panel import Days
from domain.records import dataclass

NOTHING_LEFT = "the net asset value, or that of the benchmark, is used up: nothing is left that later dates link to"
BEYOND_NUMBERS = "is too large for a number"
LOST_IN_ROUNDING = "is lost in rounding: the net asset value and the money that comes in are too far apart in size"
LOST_ALLOCATION = "the benchmark with the weights of the strategy loses everything on a date: no geometric linking"


BLOCK = 1 << 16
"""Effects that are worked on at a time: a dozen tables of them stay in the cache of the processor."""

ADDS_UP = 1e-9
"""Parts that are farther than this from the excess return, relative to the largest of all, are not reported."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One part, over all dates. Effects are absent without a benchmark, and for what is no group of assets."""

    name: str
    kind: str  # GROUP, UNLABELLED, or the name of the part in capitals
    contribution: float
    allocation: float | None = None
    selection: float | None = None
    interaction: float | None = None
    mean_weight: float | None = None
    mean_benchmark_weight: float | None = None


@dataclass(frozen=True, slots=True)
class LevelAttribution:
    """The parts by one kind of labels."""

    kind: str
    segments: tuple[Segment, ...]
    totals: Effects | None  # of all groups, (1,) each; None without a benchmark
    factors: Vector  # (D,), of linking; none for geometric linking
    daily: Matrix  # (D, segments), before linking; no rows where they were not asked for


@dataclass(frozen=True, slots=True)
class FactorSegment:
    """Contribution of a factor, of what the factors leave, or of a part without assets."""

    name: str
    kind: str
    contribution: float
    mean_exposure: float | None = None


@dataclass(frozen=True, slots=True)
class FactorAttribution:
    """The parts by factors."""

    segments: tuple[FactorSegment, ...]
    r_squared: float | None = None

    @property
    def is_finite(self) -> bool:
        """Whether every figure is a number."""
        found = [value for one in self.segments for value in (one.contribution, one.mean_exposure or 0.0)]
        return bool(np.isfinite([*found, self.r_squared or 0.0]).all())


@dataclass(frozen=True, slots=True)
class PathAttribution:
    """The excess return of a path, divided; levels are empty where `undefined` says why."""

    excess_return: float | None
    benchmark: str  # label; empty without one
    levels: tuple[LevelAttribution, ...] = ()
    days: Days = field(default_factory=lambda: np.zeros(0, np.int32))  # (D,), of the daily contributions
    factors: FactorAttribution | None = None
    regression: FactorAttribution | None = None
    undefined: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttributedMarket:
    """What all strategies of a backtest are attributed with."""

    request: AttributionRequest
    levels: tuple[Level, ...]
    days: Days  # (D,), every date after the start
    exposures: Matrix  # (N, K), no columns without factors
    factor_returns: Matrix  # (D, K)


def attributed_market(
    request: AttributionRequest,
    symbols: Sequence[str],
    days: Days,
    asset_returns: Matrix,
    check_cancelled: CancellationCheck,
) -> AttributedMarket:
    """From the dates after the start (D,) and the returns of assets on them (D, N), NaN where there is none.

    Raises InvalidInput, with paths from the request on, for labels, exposures and factors that do not fit.
    """
    levels = request.levels(symbols)
    exposures, returns = np.zeros((len(symbols), 0)), np.zeros((len(days), 0))
    if request.factors is not None:
        try:
            exposures = request.factors.of_assets(symbols)
            given = request.factors.returns_on(days)
            if given is None:
                given = estimated_factor_returns(exposures, asset_returns, days, check_cancelled)
            returns = given
        except InvalidInput as error:
            raise error.with_path_prefix(f"{PATH}.factors") from None
    if request.regression_factors is not None:
        _regression(request, days, np.zeros(len(days)))
    return AttributedMarket(request, levels, days, exposures, returns)


def path_attribution(
    market: AttributedMarket, strategy: Side | None, benchmark: Side | None, label: str, returns: tuple[float, float]
) -> PathAttribution:
    """Divides the excess return of a strategy.

    A side is None where its net asset value is used up on a date. `label` is that of the benchmark, empty without one;
    `returns` are the total returns of both, the second 0 without a benchmark.
    """
    linking = market.request.settings.linking
    excess = returns[0] - returns[1]
    if linking is Linking.GEOMETRIC:
        excess = (1.0 + returns[0]) / (1.0 + returns[1]) - 1.0 if returns[1] > -1.0 else np.nan
    known = float(excess) if np.isfinite(excess) else None
    if strategy is None or benchmark is None or not _all_positive(strategy, benchmark):
        return PathAttribution(known, label, undefined={"segments": NOTHING_LEFT})
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # beyond numbers: absent, and said
        return _attributed(market, strategy, benchmark, label, known)


def _all_positive(strategy: Side, benchmark: Side) -> bool:
    return bool((strategy.returns > -1.0).all() and (benchmark.returns > -1.0).all())


def _attributed(
    market: AttributedMarket, strategy: Side, benchmark: Side, label: str, excess: float | None
) -> PathAttribution:
    request, levels = market.request, []
    for i, level in enumerate(market.levels):
        try:
            levels.append(_level(request, level, strategy, benchmark, i, compared=bool(label)))
        except OverflowError as error:
            return PathAttribution(excess, label, undefined={"segments": str(error)})
    linked = None
    if request.settings.linking is not Linking.GEOMETRIC:
        linked = linking_factors(request.settings.linking, strategy.returns, benchmark.returns)
    factors, regression = None, None
    if request.factors is not None:
        factors = _by_exposures(market, strategy, benchmark, linked)
    if request.regression_factors is not None:
        effects = _regression(request, market.days, strategy.returns - benchmark.returns)
        none = np.zeros((len(market.days), 0))
        names = request.regression_factors.symbols
        regression = _factor_attribution(names, effects, none, (), linked, benchmark.returns)
    undefined = {}
    if factors is not None and not factors.is_finite:
        factors, undefined["factors"] = None, BEYOND_NUMBERS
    if regression is not None and not regression.is_finite:
        regression, undefined["regression"] = None, BEYOND_NUMBERS
    return PathAttribution(excess, label, tuple(levels), market.days, factors, regression, undefined)


def _level(
    request: AttributionRequest, level: Level, strategy: Side, benchmark: Side, i: int, *, compared: bool
) -> LevelAttribution:
    ours, theirs = strategy.levels[i], benchmark.levels[i]
    settings = request.settings if compared else replace(request.settings, separate_interaction=False)
    shown = _shown_others(ours, theirs)
    sums, daily = SegmentSums(settings.linking, strategy.returns, benchmark.returns), []
    step = max(1, BLOCK // max(len(level.names), 1))
    for first in range(0, len(benchmark.returns), step):
        dates = slice(first, first + step)
        effects, others = _period_parts(settings, ours.on(dates), theirs.on(dates), benchmark.returns[dates])
        sums.add(first, effects, others)
        if request.daily:
            daily.append(np.column_stack([effects.total, others[:, shown]]))
    whole = sums.result()
    _refuse_lost(settings.linking, np.append(whole.contributions, whole.others), whole.excess_return)
    return LevelAttribution(
        kind=level.kind,
        segments=_segments(level, whole, ours, theirs, shown, compared=compared),
        totals=whole.totals if compared else None,
        factors=np.zeros(0) if whole.linked is None else whole.linked.factors,
        daily=np.vstack(daily) if daily else np.zeros((0, len(level.names) + len(shown))),
    )


def _refuse_lost(linking: Linking, parts: Vector, excess: float) -> None:
    """Raises OverflowError for parts (S,) that are no numbers, or that rounding keeps from adding up.

    A return is the difference of net asset values: beside a flow that is many times as large nothing is left of it.
    """
    if not np.isfinite(parts).all():
        raise OverflowError(BEYOND_NUMBERS)
    total = float(np.prod(1.0 + parts)) - 1.0 if linking is Linking.GEOMETRIC else float(parts.sum())
    if not abs(total - excess) <= ADDS_UP * max(1.0, abs(excess), float(np.abs(parts).max(initial=0.0))):
        raise OverflowError(LOST_IN_ROUNDING)


def _period_parts(
    settings: AttributionSettings, ours: LevelPath, theirs: LevelPath, benchmark_return: Vector
) -> tuple[Effects, Matrix]:
    """Effects (D, G) and other parts (D, S) of each date, which sum to its excess return.

    Under Brinson and Fachler a part without assets is an allocation as well: its weight is measured against the return
    of the benchmark.
    """
    effects = effects_of(
        GroupPath.of_contributions(ours.weights, ours.contributions),
        GroupPath.of_contributions(theirs.weights, theirs.contributions),
        benchmark_return,
        settings,
    )
    others = ours.other_contributions - theirs.other_contributions
    if settings.model is AttributionModel.BRINSON_FACHLER:
        others = others - (ours.other_weights - theirs.other_weights) * benchmark_return[:, None]
    if settings.linking is not Linking.GEOMETRIC:
        return effects, others
    between = benchmark_return + effects.allocation.sum(axis=1) + others.sum(axis=1)
    if not (between > -1.0).all():
        raise OverflowError(LOST_ALLOCATION)
    return geometric_effects(effects, others, benchmark_return)


def _shown_others(ours: LevelPath, theirs: LevelPath) -> list[int]:
    """Parts that are reported: withholding only where tax was withheld."""
    withheld = OTHERS.index("withholding")
    any_tax = ours.other_contributions[:, withheld].any() or theirs.other_contributions[:, withheld].any()
    return [s for s in range(len(OTHERS)) if s != withheld or any_tax]


def _segments(
    level: Level, whole: LinkedSegments, ours: LevelPath, theirs: LevelPath, shown: Sequence[int], *, compared: bool
) -> tuple[Segment, ...]:
    found = []
    weights, others = theirs.weights.mean(axis=0), theirs.other_weights.mean(axis=0)
    means, other_means = ours.weights.mean(axis=0), ours.other_weights.mean(axis=0)
    effects = whole.effects
    for g, name in enumerate(level.names):
        interaction = effects.interaction
        found.append(
            Segment(
                name=name,
                kind="UNLABELLED" if level.has_unlabelled and g == len(level.names) - 1 else "GROUP",
                contribution=float(whole.contributions[g]),
                allocation=float(effects.allocation[g]) if compared else None,
                selection=float(effects.selection[g]) if compared else None,
                interaction=None if interaction is None or not compared else float(interaction[g]),
                mean_weight=float(means[g]),
                mean_benchmark_weight=float(weights[g]) if compared else None,
            )
        )
    for s in shown:
        found.append(
            Segment(
                name=OTHERS[s],
                kind=OTHERS[s].upper(),
                contribution=float(whole.others[s]),
                mean_weight=float(other_means[s]),
                mean_benchmark_weight=float(others[s]) if compared else None,
            )
        )
    return tuple(found)


def _by_exposures(
    market: AttributedMarket, strategy: Side, benchmark: Side, linked: Linked | None
) -> FactorAttribution:
    """By the exposures of what was held; what is no asset is a part of its own."""
    factors = market.request.factors
    if factors is None:
        raise TypeError("no factors were asked for")
    excess = strategy.asset_contributions - benchmark.asset_contributions
    effects = exposure_effects(strategy.exposures - benchmark.exposures, market.factor_returns, excess)
    others = _account_parts(strategy, benchmark)
    shown = [s for s in range(len(OTHERS)) if s != OTHERS.index("withholding") or others[:, s].any()]
    names = tuple(OTHERS[s] for s in shown)
    return _factor_attribution(factors.factors, effects, others[:, shown], names, linked, benchmark.returns)


def _account_parts(strategy: Side, benchmark: Side) -> Matrix:
    """Parts that are no assets, (D, S): gains of groups without a net weight belong to the assets here."""
    found = []
    for side in (strategy, benchmark):
        level = side.levels[0]
        others = level.other_contributions.copy()
        moved = side.asset_contributions - level.contributions.sum(axis=1)
        others[:, OTHERS.index("trading")] -= moved
        found.append(others)
    return found[0] - found[1]


def _regression(request: AttributionRequest, days: Days, excess: Vector) -> FactorEffects:
    if request.regression_factors is None:
        raise TypeError("no regression was asked for")
    try:
        return regression_effects(request.regression_factors, days, excess)
    except InvalidInput as error:
        raise error.with_path_prefix(f"{PATH}.regression_factors") from None


def _factor_attribution(
    names: Sequence[str],
    effects: FactorEffects,
    others: Matrix,
    other_names: Sequence[str],
    linked: Linked | None,
    benchmark_return: Vector,
) -> FactorAttribution:
    parts = linked_factors(effects, others, linked, benchmark_return).tolist()
    means = effects.exposures.mean(axis=0).tolist()
    found = [FactorSegment(name, "FACTOR", parts[k], means[k]) for k, name in enumerate(names)]
    found.append(FactorSegment(SPECIFIC, "SPECIFIC", parts[len(names)]))
    rest = parts[len(names) + 1 :]
    found += [FactorSegment(name, name.upper(), part) for name, part in zip(other_names, rest, strict=True)]
    return FactorAttribution(tuple(found), effects.r_squared)
