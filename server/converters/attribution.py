"""Attribution on the wire: options and tables as the engine takes them, and what it finds as messages."""

from collections.abc import Mapping

import numpy as np
from absfinance.v1 import attribution_pb2 as pb
from absfinance.v1 import panel_pb2
from absfinance.v1.risk_service_pb2 import AttributeRequest, AttributeResponse

from domain.attribution.attribute import Attribution, attributed_weights
from domain.attribution.brinson import Effects
from domain.attribution.by_factors import FactorParts
from domain.attribution.factors import SPECIFIC, FactorExposures
from domain.attribution.settings import AttributionModel, AttributionSettings, Linking
from domain.backtest.attribution_request import AttributionRequest
from domain.backtest.path_attribution import FactorAttribution, LevelAttribution, PathAttribution, Segment
from domain.errors import InvalidInput
from domain.market_data.panel import Panel, civil_date
from server.commands.risk import AttributeCommand
from server.converters.dates import civil_to_proto
from server.converters.paths import error_path

_MODELS: Mapping[int, AttributionModel] = {
    pb.ATTRIBUTION_MODEL_UNSPECIFIED: AttributionModel.BRINSON_FACHLER,
    pb.ATTRIBUTION_MODEL_BRINSON_FACHLER: AttributionModel.BRINSON_FACHLER,
    pb.ATTRIBUTION_MODEL_BRINSON_HOOD_BEEBOWER: AttributionModel.BRINSON_HOOD_BEEBOWER,
}
_LINKINGS: Mapping[int, Linking] = {
    pb.LINKING_UNSPECIFIED: Linking.CARINO,
    pb.LINKING_CARINO: Linking.CARINO,
    pb.LINKING_MENCHERO: Linking.MENCHERO,
    pb.LINKING_GRAP: Linking.GRAP,
    pb.LINKING_GEOMETRIC: Linking.GEOMETRIC,
}

LARGEST = 1e15
"""Largest absolute weight or return of a table."""

MOST_PERIOD_BYTES = 3_500_000
"""Effects of periods in one answer: it must fit into one message, by default 4 MiB."""

BYTES_OF_EFFECTS = 32
"""Bytes of the effects of one group in one period, without its name."""


def attribute_command_from_proto(request: AttributeRequest) -> AttributeCommand:
    """The command of a request. Raises InvalidInput."""
    weights = attributed_weights(
        [
            _table("portfolio_weights", request.portfolio_weights),
            _table("benchmark_weights", request.benchmark_weights),
            _table("portfolio_returns", request.portfolio_returns),
            _table("benchmark_returns", request.benchmark_returns),
        ]
    )
    if not request.without_periods:
        names = sum(len(segment.encode()) for segment in weights.segments)
        size = len(weights.dates) * (names + len(weights.segments) * BYTES_OF_EFFECTS)
        if size > MOST_PERIOD_BYTES:
            rule = "must be set: the effects of so many periods and segments do not fit into one message"
            raise InvalidInput("without_periods", rule)
    return AttributeCommand(
        weights=weights,
        settings=AttributionSettings(_MODELS[request.model], _LINKINGS[request.linking], request.separate_interaction),
        with_periods=not request.without_periods,
        factors=_exposures("factors", request.factors) if request.HasField("factors") else None,
        regression_factors=_table("regression_factors", request.regression_factors)
        if request.HasField("regression_factors")
        else None,
    )


def attribution_request_from_proto(options: pb.AttributionOptions) -> AttributionRequest:
    """What to attribute a backtest to. Raises InvalidInput with paths from the request on."""
    path = "analysis.attribution"
    labels: dict[str, tuple[str, ...]] = {}
    for i, group in enumerate(options.asset_groups):
        if group.name in labels:
            raise InvalidInput(f"{path}.asset_groups[{i}].name", f"{group.name} appears twice")
        labels[group.name] = tuple(group.symbols)
    with error_path(path):
        factors = _exposures("factors", options.factors) if options.HasField("factors") else None
        regression = None
        if options.HasField("regression_factors"):
            regression = _table("regression_factors", options.regression_factors)
    return AttributionRequest(
        settings=AttributionSettings(_MODELS[options.model], _LINKINGS[options.linking], options.separate_interaction),
        kinds=tuple(options.groups),
        labels=labels,
        daily=options.daily,
        factors=factors,
        regression_factors=regression,
    )


def attribution_to_proto(
    found: Attribution, with_periods: bool, factors: FactorParts | None, regression: FactorParts | None
) -> AttributeResponse:
    """The answer to Attribute."""
    response = AttributeResponse(
        totals=pb.AttributionEffects(**_of(found.totals, 0)),
        groups=[pb.GroupAttribution(group=name, **_of(found.groups, g)) for g, name in enumerate(found.segments)],
        excess_return=found.excess_return,
        portfolio_return=found.portfolio_return,
        benchmark_return=found.benchmark_return,
        menchero_coefficient=None if found.linked is None else found.linked.menchero_coefficient,
        factors=None if factors is None else _parts(factors),
        regression=None if regression is None else _parts(regression),
    )
    for t in range(len(found.dates) if with_periods else 0):
        response.periods.add(
            date=civil_to_proto(civil_date(found.dates[t])),
            linking_factor=None if found.linked is None else float(found.linked.factors[t]),
            groups=[
                pb.GroupAttribution(group=name, **_of(found.periods, (t, g))) for g, name in enumerate(found.segments)
            ],
        )
    return response


def path_attribution_to_proto(found: PathAttribution) -> pb.PathAttribution:
    """The attribution of a simulated path."""
    levels = [_level(level, found) for level in found.levels]
    return pb.PathAttribution(
        segments=levels[0].segments if levels else (),
        excess_return=found.excess_return,
        levels=levels,
        benchmark=found.benchmark,
        factors=None if found.factors is None else _factor_attribution(found.factors),
        regression=None if found.regression is None else _factor_attribution(found.regression),
        undefined=found.undefined,
    )


def _level(level: LevelAttribution, found: PathAttribution) -> pb.PathAttribution.Level:
    message = pb.PathAttribution.Level(kind=level.kind, segments=[_segment(one) for one in level.segments])
    if level.totals is not None:
        message.totals.CopyFrom(pb.AttributionEffects(**_of(level.totals, 0)))
    if len(level.daily):
        message.daily.dates.extend(found.days.tolist())
        message.daily.linking_factors.extend(level.factors.tolist())
        message.daily.contributions.extend(level.daily.ravel().tolist())
    return message


def _segment(segment: Segment) -> pb.PathAttribution.Segment:
    return pb.PathAttribution.Segment(
        name=segment.name,
        kind=f"SEGMENT_KIND_{segment.kind}",
        contribution=segment.contribution,
        allocation=segment.allocation,
        selection=segment.selection,
        interaction=segment.interaction,
        mean_weight=segment.mean_weight,
        mean_benchmark_weight=segment.mean_benchmark_weight,
    )


def _factor_attribution(found: FactorAttribution) -> pb.FactorAttribution:
    return pb.FactorAttribution(
        segments=[
            pb.FactorAttribution.Segment(
                name=one.name,
                kind=f"SEGMENT_KIND_{one.kind}",
                contribution=one.contribution,
                mean_exposure=one.mean_exposure,
            )
            for one in found.segments
        ],
        r_squared=found.r_squared,
    )


def _parts(found: FactorParts) -> pb.FactorAttribution:
    return pb.FactorAttribution(
        segments=[
            pb.FactorAttribution.Segment(
                name=part.name,
                kind="SEGMENT_KIND_SPECIFIC" if part.name == SPECIFIC else "SEGMENT_KIND_FACTOR",
                contribution=part.contribution,
                mean_exposure=part.mean_exposure,
            )
            for part in found.parts
        ],
        r_squared=found.r_squared,
    )


def _of(effects: Effects, place: int | tuple[int, int]) -> dict[str, float]:
    """The effects at a place, by their fields."""
    found = {"allocation": float(effects.allocation[place]), "selection": float(effects.selection[place])}
    if effects.interaction is not None:
        found["interaction"] = float(effects.interaction[place])
    return found


def _table(path: str, panel: panel_pb2.Panel) -> Panel:
    """A panel of weights or returns of moderate size; NaN where one is missing."""
    with error_path(path):
        shape = (len(panel.dates), len(panel.symbols))
        values = np.asarray(panel.values, np.float64)
        grid = values.reshape(shape) if values.size == shape[0] * shape[1] else values.reshape(1, -1)
        table = Panel(tuple(panel.symbols), np.asarray(panel.dates, np.int32), grid)
        if (np.abs(grid) > LARGEST).any():
            place = int(np.argmax(np.abs(grid).ravel() > LARGEST))
            raise InvalidInput(f"values[{place}]", f"must be at most {LARGEST:g} in size, is {grid.flat[place]:g}")
        return table


def _exposures(path: str, message: pb.FactorExposures) -> FactorExposures:
    with error_path(path):
        return FactorExposures(
            factors=tuple(message.factors),
            symbols=tuple(message.symbols),
            values=np.asarray(message.values, np.float64),
            returns=_table("returns", message.returns) if message.HasField("returns") else None,
        )
