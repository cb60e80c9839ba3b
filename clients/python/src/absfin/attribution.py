"""What to attribute a return to, and what an attribution found."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from absfinance.v1 import attribution_pb2 as pb
from absfinance.v1.risk_service_pb2 import AttributeResponse
from numpy.typing import ArrayLike

from absfin.choices import AttributionModel, Linking, SegmentKind, choice, plain_name
from absfin.data import Panel, date_from_proto, groups_to_proto, panel_of
from absfin.results import ResultWarning, optional_figure, warnings_of

AttributionOptions = pb.AttributionOptions
FactorExposures = pb.FactorExposures


def factor_exposures(
    factors: Sequence[str], symbols: Sequence[str], values: ArrayLike, returns: Any = None
) -> FactorExposures:
    """Exposures (symbols x factors), with the returns of the factors as a Panel or frame.

    Without them they are estimated from the returns of the assets, period by period.
    """
    return pb.FactorExposures(
        factors=factors,
        symbols=symbols,
        values=np.asarray(values, np.float64).ravel(),
        returns=None if returns is None else panel_of(returns).to_proto(),
    )


def attribution_options(
    groups: Iterable[str] = (),
    *,
    model: AttributionModel = "brinson_fachler",
    linking: Linking = "carino",
    separate_interaction: bool = False,
    asset_groups: Mapping[str, Iterable[str]] | None = None,
    daily: bool = False,
    factors: FactorExposures | None = None,
    regression_factors: Any = None,
) -> AttributionOptions:
    """Attributes a backtest by kinds of labels, such as "sector"; by asset without any.

    `asset_groups` are labels in the place of those of stored instruments: {"sector=Energy": ["XOM"]}; a Panel or frame
    of `regression_factors` explains the excess return without a look at holdings.
    """
    return pb.AttributionOptions(
        groups=groups,
        model=choice(pb.AttributionModel, "model", model),
        linking=choice(pb.Linking, "linking", linking),
        separate_interaction=separate_interaction,
        asset_groups=groups_to_proto(asset_groups or {}),
        daily=daily,
        factors=factors,
        regression_factors=None if regression_factors is None else panel_of(regression_factors).to_proto(),
    )


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of an excess return; what is not defined for it is None."""

    name: str
    kind: SegmentKind
    contribution: float
    allocation: float | None = None
    selection: float | None = None
    interaction: float | None = None  # None where selection includes it
    mean_weight: float | None = None
    mean_benchmark_weight: float | None = None
    mean_exposure: float | None = None  # to a factor


@dataclass(frozen=True, slots=True)
class FactorAttribution:
    """The parts by factors."""

    segments: tuple[Segment, ...]
    r_squared: float | None  # of a regression

    @classmethod
    def of(cls, message: Any, name: str) -> "FactorAttribution | None":
        """A field of a message; None where it is absent."""
        if not message.HasField(name):
            return None
        found = getattr(message, name)
        return cls(tuple(map(_segment, found.segments)), optional_figure(found, "r_squared"))


@dataclass(frozen=True, slots=True)
class PathAttribution:
    """The excess return of a simulated path above that of a benchmark, or the return where there is none."""

    excess_return: float | None
    benchmark: str  # its label; empty without one
    levels: Mapping[str, tuple[Segment, ...]]  # by kind of labels; "asset" where each asset is a group
    daily: Mapping[str, Panel]  # by kind of labels: contributions before linking, a column for each segment
    linking_factors: Mapping[str, Panel]  # of the same dates, one column; none with geometric linking
    factors: FactorAttribution | None
    regression: FactorAttribution | None
    undefined: Mapping[str, str]  # why a figure is absent

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Those of the first kind of labels."""
        return next(iter(self.levels.values()), ())

    @classmethod
    def from_proto(cls, message: pb.PathAttribution) -> "PathAttribution":
        """From the message."""
        dated = {level.kind: level for level in message.levels if level.HasField("daily")}
        return cls(
            excess_return=optional_figure(message, "excess_return"),
            benchmark=message.benchmark,
            levels={level.kind: tuple(map(_segment, level.segments)) for level in message.levels},
            daily={
                kind: Panel.of([one.name for one in level.segments], level.daily.dates, level.daily.contributions)
                for kind, level in dated.items()
            },
            linking_factors={
                kind: Panel.of(["linking factor"], level.daily.dates, level.daily.linking_factors)
                for kind, level in dated.items()
                if level.daily.linking_factors
            },
            factors=FactorAttribution.of(message, "factors"),
            regression=FactorAttribution.of(message, "regression"),
            undefined=dict(message.undefined),
        )


@dataclass(frozen=True, slots=True)
class Effects:
    """Allocation, selection and interaction, which is None where selection includes it."""

    allocation: float
    selection: float
    interaction: float | None

    @classmethod
    def from_proto(cls, message: Any) -> "Effects":
        """From the message of a group or of the totals."""
        return cls(message.allocation, message.selection, optional_figure(message, "interaction"))


@dataclass(frozen=True, slots=True)
class AttributedPeriod:
    """Effects of one period before linking."""

    date: date
    linking_factor: float | None  # None with geometric linking
    groups: Mapping[str, Effects]


@dataclass(frozen=True, slots=True)
class Attribution:
    """The excess return of given weights and returns, divided."""

    excess_return: float
    portfolio_return: float
    benchmark_return: float
    totals: Effects
    groups: Mapping[str, Effects]
    periods: tuple[AttributedPeriod, ...]
    menchero_coefficient: float | None
    factors: FactorAttribution | None
    regression: FactorAttribution | None
    warnings: tuple[ResultWarning, ...]
    proto: AttributeResponse = field(repr=False)

    @classmethod
    def from_proto(cls, message: AttributeResponse) -> "Attribution":
        """From the response."""
        return cls(
            excess_return=message.excess_return,
            portfolio_return=message.portfolio_return,
            benchmark_return=message.benchmark_return,
            totals=Effects.from_proto(message.totals),
            groups={one.group: Effects.from_proto(one) for one in message.groups},
            periods=tuple(
                AttributedPeriod(
                    date_from_proto(period.date),
                    optional_figure(period, "linking_factor"),
                    {one.group: Effects.from_proto(one) for one in period.groups},
                )
                for period in message.periods
            ),
            menchero_coefficient=optional_figure(message, "menchero_coefficient"),
            factors=FactorAttribution.of(message, "factors"),
            regression=FactorAttribution.of(message, "regression"),
            warnings=warnings_of(message),
            proto=message,
        )


def _segment(message: Any) -> Segment:
    known = {one.name: value for one, value in message.ListFields() if one.type == one.TYPE_DOUBLE}
    return Segment(message.name, plain_name(pb.SegmentKind, message.kind), **known)
