"""When a figure of a portfolio becomes a signal: thresholds, and how they are debounced."""

import math
from collections.abc import Mapping
from dataclasses import field

from domain.checks import LARGEST_FIGURE, distinct_symbols, figure, non_negative, open_fraction, positive
from domain.errors import InvalidInput
from domain.monitoring.review_calendar import ReviewCalendar
from domain.monitoring.signals import Severity
from domain.records import dataclass
from domain.risk.measures import RiskMeasure
from domain.taxes.lots import TermRule

LONGEST_SECONDS = 366 * 86_400.0
"""Longest hold or cooldown: a year."""

MOST_OBSERVATIONS = 1_000_000
"""Most observations of a hold."""

MOST_RETURNS = 2520
"""Longest lookback: ten years of trading days."""


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """When a figure beyond its threshold is a signal, and when that is over.

    It has to be beyond for so many observations in a row, and for so many seconds. It is over once the figure is back
    inside `clear_fraction` times the threshold; the next signal comes no sooner than the cooldown after the last one.
    """

    hold_observations: int = 1
    hold_seconds: float = 0.0
    clear_fraction: float = 0.8
    cooldown_seconds: float = 3600.0

    def __post_init__(self) -> None:
        count = self.hold_observations
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST_OBSERVATIONS:
            raise InvalidInput("hold_observations", f"must be a whole number from 1 to {MOST_OBSERVATIONS:,}")
        for name in ("hold_seconds", "cooldown_seconds"):
            seconds: float = getattr(self, name)
            if non_negative(name, seconds) > LONGEST_SECONDS:
                raise InvalidInput(name, f"must be at most {LONGEST_SECONDS:g}, is {seconds:g}")
        if not 0.0 < self.clear_fraction <= 1.0:
            raise InvalidInput("clear_fraction", f"must be above 0 and at most 1, is {self.clear_fraction:g}")


@dataclass(frozen=True, slots=True)
class Band:
    """How far a weight may be from its target: the tighter of the two."""

    absolute: float | None = None  # difference of weights
    relative: float | None = None  # fraction of the target; an asset without a target may then not be held at all

    def __post_init__(self) -> None:
        if self.absolute is None and self.relative is None:
            raise InvalidInput("absolute", "must be given where relative is not")
        for name in ("absolute", "relative"):
            width: float | None = getattr(self, name)
            if width is not None:
                figure(name, positive(name, width))

    def half_width(self, target: float) -> float:
        """Largest difference of a weight to its target."""
        absolute = math.inf if self.absolute is None else self.absolute
        return absolute if self.relative is None else min(absolute, self.relative * abs(target))


@dataclass(frozen=True, slots=True)
class DriftRules:
    """Bands around the target weights of assets, and around those of groups; distances of the whole to the target."""

    band: Band = field(default_factory=lambda: Band(absolute=0.05))
    by_symbol: Mapping[str, Band] = field(default_factory=dict)  # instead of `band`
    by_group: Mapping[str, Band] = field(default_factory=dict)  # of the sum of a group, beside those of assets
    alarm: AlarmRule = field(default_factory=AlarmRule)
    max_utilization: float | None = None  # weight / target of each asset that has a target
    max_tracking_error_annual: float | None = None  # of the current weights to the target, over past returns
    lookback: int = 252  # newest daily returns of the tracking error
    minimum_returns: int = 60  # with fewer there is no figure

    def __post_init__(self) -> None:
        for name in ("max_utilization", "max_tracking_error_annual"):
            limit: float | None = getattr(self, name)
            if limit is not None:
                figure(name, positive(name, limit))
        check_lookback(self.lookback, self.minimum_returns)


@dataclass(frozen=True, slots=True)
class WeightRange:
    """Least and largest weight of a group; None is no limit."""

    lower: float | None = None
    upper: float | None = None

    def __post_init__(self) -> None:
        for name in ("lower", "upper"):
            bound: float | None = getattr(self, name)
            if bound is not None:
                figure(name, bound)
        if self.lower is None and self.upper is None:
            raise InvalidInput("lower", "must be given where upper is not")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise InvalidInput("lower", f"must not be above upper, {self.upper:g}, is {self.lower:g}")


@dataclass(frozen=True, slots=True)
class RiskLimit:
    """Largest value of a risk measure per day, of the current weights over past returns."""

    measure: RiskMeasure
    maximum: float
    confidence_level: float = 0.95
    lookback: int = 252  # newest daily returns
    minimum_returns: int = 60  # with fewer there is no figure

    def __post_init__(self) -> None:
        figure("maximum", positive("maximum", self.maximum))
        open_fraction("confidence_level", self.confidence_level)
        check_lookback(self.lookback, self.minimum_returns)


def check_lookback(lookback: int, minimum_returns: int) -> None:
    """Raises InvalidInput for a lookback that is too long, or shorter than its least length."""
    if not 2 <= lookback <= MOST_RETURNS:
        raise InvalidInput("lookback", f"must be from 2 to {MOST_RETURNS:,}, is {lookback}")
    if not 2 <= minimum_returns <= lookback:
        raise InvalidInput("minimum_returns", f"must be from 2 to the lookback, {lookback}, is {minimum_returns}")


@dataclass(frozen=True, slots=True)
class LimitRules:
    """Limits on weights and on risk. A net asset value of 0 or less is always a signal.

    Signals of two limits on one measure are told apart by their maxima.
    """

    max_weight: float | None = None  # of each asset, in size
    by_group: Mapping[str, WeightRange] = field(default_factory=dict)
    risk: tuple[RiskLimit, ...] = ()
    alarm: AlarmRule = field(default_factory=AlarmRule)

    def __post_init__(self) -> None:
        if self.max_weight is not None:
            figure("max_weight", positive("max_weight", self.max_weight))
        known = [(limit.measure, limit.maximum) for limit in self.risk]
        for i, one in enumerate(known):
            if one in known[:i]:
                raise InvalidInput(f"risk[{i}].maximum", f"must differ from that of the other limit on {one[0]}")


@dataclass(frozen=True, slots=True)
class VolatilityRules:
    """Ratios of the current volatility to its long-run level at which a regime begins; see `volatility`."""

    elevated: float = 1.5
    high: float = 2.0
    decay: float = 0.94
    lookback: int = 252
    minimum_returns: int = 60
    alarm: AlarmRule = field(default_factory=AlarmRule)

    def __post_init__(self) -> None:
        positive("elevated", self.elevated)
        if figure("high", self.high) <= self.elevated:
            raise InvalidInput("high", f"must be above elevated, {self.elevated:g}, is {self.high:g}")
        open_fraction("decay", self.decay)
        check_lookback(self.lookback, self.minimum_returns)


@dataclass(frozen=True, slots=True)
class DrawdownMark:
    """A depth that is a signal."""

    depth: float  # fraction of the peak
    severity: Severity = Severity.WARNING

    def __post_init__(self) -> None:
        if not 0.0 < self.depth <= 1.0:
            raise InvalidInput("depth", f"must be above 0 and at most 1, is {self.depth:g}")


@dataclass(frozen=True, slots=True)
class DrawdownRules:
    """Depths below the peak, each with a signal of its own."""

    marks: tuple[DrawdownMark, ...] = (
        DrawdownMark(0.05, Severity.INFO),
        DrawdownMark(0.10, Severity.WARNING),
        DrawdownMark(0.20, Severity.CRITICAL),
    )
    alarm: AlarmRule = field(default_factory=AlarmRule)

    def __post_init__(self) -> None:
        if len({mark.depth for mark in self.marks}) < len(self.marks):
            raise InvalidInput("marks", "must have depths that differ")


@dataclass(frozen=True, slots=True)
class LiquidityRules:
    """How long a position may take to sell, and how wide its spread may be; an unknown figure is no signal."""

    participation: float = 0.1  # of the average daily volume
    max_days: float | None = 5.0  # to sell the position
    max_spread_bps: float | None = None
    alarm: AlarmRule = field(default_factory=AlarmRule)

    def __post_init__(self) -> None:
        if not 0.0 < self.participation <= 1.0:
            raise InvalidInput("participation", f"must be above 0 and at most 1, is {self.participation:g}")
        for name in ("max_days", "max_spread_bps"):
            limit: float | None = getattr(self, name)
            if limit is not None:
                positive(name, limit)


@dataclass(frozen=True, slots=True)
class PriceRules:
    """When the price of a held asset is stale, and when it has jumped."""

    max_age_days: float | None = 5.0  # calendar days; a weekend with two holidays is four
    max_move: float | None = 0.15  # return since the last price of an earlier date, in size
    stale_alarm: AlarmRule = field(default_factory=AlarmRule)
    jump_alarm: AlarmRule = field(default_factory=AlarmRule)

    def __post_init__(self) -> None:
        for name in ("max_age_days", "max_move"):
            limit: float | None = getattr(self, name)
            if limit is not None:
                positive(name, limit)


@dataclass(frozen=True, slots=True)
class MonitoringRules:
    """The rules of one portfolio; None switches a kind off."""

    drift: DriftRules | None = field(default_factory=DriftRules)  # without a target there is none
    limits: LimitRules = field(default_factory=LimitRules)
    volatility: VolatilityRules | None = field(default_factory=VolatilityRules)
    drawdown: DrawdownRules | None = field(default_factory=DrawdownRules)
    liquidity: LiquidityRules | None = field(default_factory=LiquidityRules)
    prices: PriceRules | None = field(default_factory=PriceRules)
    reviews: ReviewCalendar | None = None
    long_term: TermRule | None = field(default_factory=TermRule)

    @property
    def longest_lookback(self) -> int:
        """The most returns that a rule needs."""
        lookbacks = [limit.lookback for limit in self.limits.risk]
        if self.volatility is not None:
            lookbacks.append(self.volatility.lookback)
        if self.drift is not None and self.drift.max_tracking_error_annual is not None:
            lookbacks.append(self.drift.lookback)
        return max(lookbacks, default=0)


@dataclass(frozen=True, slots=True)
class MonitoredMandate:
    """What a portfolio is watched for.

    Raises InvalidInput for a target that is not finite, and for a rule of a group that is not defined.
    """

    target: Mapping[str, float] | None = None  # weights, fractions of net asset value; the rest is cash
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # symbols of each
    rules: MonitoringRules = field(default_factory=MonitoringRules)

    def __post_init__(self) -> None:
        distinct_symbols("target", list(self.target or ()), ".symbol")
        for i, weight in enumerate((self.target or {}).values()):
            figure(f"target[{i}].weight", weight, LARGEST_FIGURE)
        for i, (name, members) in enumerate(self.groups.items()):
            if not name:
                raise InvalidInput(f"groups[{i}].name", "must not be empty")
            distinct_symbols(f"groups[{i}].symbols", members)
        drift = self.rules.drift
        named = {"drift": drift.by_group if drift is not None else {}, "limits": self.rules.limits.by_group}
        for rule, groups in named.items():
            for group in groups:
                if group not in self.groups:
                    raise InvalidInput(f"rules.{rule}.by_group[{group}]", "is not a group of the mandate")
