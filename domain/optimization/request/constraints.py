"""The constraints that a caller can set, each under its label.

A bound that is absent is None, never a large number. Weights are fractions of net asset value.
"""

from collections.abc import Mapping
from enum import StrEnum

from domain.checks import Vector, figure, figures, non_negative, positive
from domain.errors import InvalidInput
from domain.records import dataclass
from domain.risk.measures import RiskMeasure

DEFAULT_BUDGET = "default:budget"
DEFAULT_LONG_ONLY = "default:long_only"


def check_bounds(lower: float | None, upper: float | None) -> None:
    """Checks that at least one bound is given and that they do not cross. Raises InvalidInput."""
    if lower is not None:
        figure("lower", lower)
    if upper is not None:
        figure("upper", upper)
    if lower is None and upper is None:
        raise InvalidInput("lower", "lower, upper or both must be set")
    if lower is not None and upper is not None and lower > upper:
        raise InvalidInput("lower", f"must not be above upper, but {lower:g} > {upper:g}")


@dataclass(frozen=True, slots=True)
class WeightBounds:
    """Bounds on single weights; no symbols means all of them."""

    label: str
    lower: float | None = None
    upper: float | None = None
    symbols: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_bounds(self.lower, self.upper)


@dataclass(frozen=True, slots=True)
class GroupBounds:
    """Bounds on the sum of the weights of some symbols."""

    label: str
    symbols: tuple[str, ...]
    lower: float | None = None
    upper: float | None = None

    def __post_init__(self) -> None:
        check_bounds(self.lower, self.upper)
        if not self.symbols:
            raise InvalidInput("group", "has no member in this problem")


@dataclass(frozen=True, slots=True)
class Linear:
    """Bounds on a weighted sum of weights."""

    label: str
    terms: Mapping[str, float]
    lower: float | None = None
    upper: float | None = None

    def __post_init__(self) -> None:
        check_bounds(self.lower, self.upper)
        if not self.terms:
            raise InvalidInput("terms", "must have at least one term")
        for symbol, coefficient in self.terms.items():
            figure(f"terms[{symbol}].coefficient", coefficient)


@dataclass(frozen=True, slots=True)
class Leverage:
    """How far the portfolio may leave long-only and fully invested.

    `budget` is the sum of weights (1 if absent); `max_short` bounds the sum of all short positions, so that no single
    one is larger either; `max_gross` bounds the sum of absolute weights.
    """

    label: str
    max_short: float | None = None
    max_gross: float | None = None
    budget: float | None = None

    def __post_init__(self) -> None:
        for name in ("max_short", "max_gross"):
            value = getattr(self, name)
            if value is not None:
                non_negative(name, figure(name, value))
        if self.budget is not None:
            figure("budget", self.budget)


class TurnoverKind(StrEnum):
    """How trades are counted: one-way is half the sum of their absolute sizes, two-way is all of it."""

    ONE_WAY = "ONE_WAY"
    TWO_WAY = "TWO_WAY"


@dataclass(frozen=True, slots=True)
class Turnover:
    """The most that may be traded from the current weights, cash not counted."""

    label: str
    max_turnover: float
    kind: TurnoverKind = TurnoverKind.ONE_WAY

    def __post_init__(self) -> None:
        non_negative("max_turnover", figure("max_turnover", self.max_turnover))

    @property
    def max_absolute_trades(self) -> float:
        """Bound on the sum of absolute weight changes."""
        return self.max_turnover * self.absolute_trades_per_unit

    @property
    def absolute_trades_per_unit(self) -> float:
        """Sum of absolute weight changes in one unit of turnover."""
        return 2.0 if self.kind is TurnoverKind.ONE_WAY else 1.0


@dataclass(frozen=True, slots=True)
class ReturnFloor:
    """The least expected return: periods_per_year times w'mu is at least this."""

    label: str
    min_return_annual: float

    def __post_init__(self) -> None:
        figure("min_return_annual", self.min_return_annual)


@dataclass(frozen=True, slots=True)
class TrackingError:
    """The highest annual volatility of the difference to a benchmark."""

    label: str
    benchmark: Vector  # (N,)
    max_annual: float

    def __post_init__(self) -> None:
        figures("benchmark", self.benchmark)
        positive("max_annual", figure("max_annual", self.max_annual))


@dataclass(frozen=True, slots=True)
class RiskLimit:
    """The highest risk per period in a measure, which need not be the one that is optimised."""

    label: str
    risk_measure: RiskMeasure
    maximum: float

    def __post_init__(self) -> None:
        positive("max", figure("max", self.maximum))


@dataclass(frozen=True, slots=True)
class Cardinality:
    """The most assets with a weight other than 0; no symbols means of all of them."""

    label: str
    max_assets: int
    symbols: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_assets < 1:
            raise InvalidInput("max_assets", f"must be 1 or more, is {self.max_assets}")


@dataclass(frozen=True, slots=True)
class ClusterCardinality:
    """The most assets of each cluster with a weight other than 0."""

    label: str
    max_assets: int
    clusters: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class MutualExclusion:
    """Pairs of assets of which at most one has a weight other than 0."""

    label: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MinimumPosition:
    """A weight is 0 or at least this large, long or short."""

    label: str
    min_weight: float

    def __post_init__(self) -> None:
        positive("min_weight", figure("min_weight", self.min_weight))


@dataclass(frozen=True, slots=True)
class RiskContributionBounds:
    """Bounds on single assets' risk contributions, as fractions of the volatility (and so of the variance)."""

    label: str
    lower: float | None = None
    upper: float | None = None
    symbols: tuple[str, ...] = ()  # none means all

    def __post_init__(self) -> None:
        check_bounds(self.lower, self.upper)
        if self.lower is not None and not 0.0 <= self.lower <= 1.0:
            raise InvalidInput("lower", f"must be a fraction from 0 to 1, is {self.lower:g}")
        if self.upper is not None and not 0.0 < self.upper <= 1.0:
            raise InvalidInput("upper", f"must be a fraction above 0 and at most 1, is {self.upper:g}")


Constraint = (
    WeightBounds
    | GroupBounds
    | Linear
    | Leverage
    | Turnover
    | ReturnFloor
    | TrackingError
    | RiskLimit
    | Cardinality
    | ClusterCardinality
    | MutualExclusion
    | MinimumPosition
    | RiskContributionBounds
)
