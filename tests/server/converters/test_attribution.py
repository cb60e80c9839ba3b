"""Attribution: the tables and options of a request, and what was found as messages."""

from typing import Any

import numpy as np
import pytest
from absfinance.v1 import attribution_pb2 as pb
from absfinance.v1.risk_service_pb2 import AttributeRequest
from google.protobuf import json_format

from domain.attribution.attribute import Attribution
from domain.attribution.brinson import Effects
from domain.attribution.by_factors import FactorPart, FactorParts
from domain.attribution.factors import SPECIFIC
from domain.attribution.linking import Linked
from domain.attribution.settings import AttributionModel, AttributionSettings, Linking
from domain.backtest.attribution_request import AttributionRequest
from domain.backtest.path_attribution import (
    FactorAttribution,
    FactorSegment,
    LevelAttribution,
    PathAttribution,
    Segment,
)
from domain.errors import InvalidInput
from server.commands.risk import AttributeCommand
from server.converters import attribution as converters

HALVES = {"symbols": ["A", "B"], "dates": [0, 1], "values": [0.5, 0.5, 0.25, 0.75]}
RETURNS = {"symbols": ["A", "B"], "dates": [0, 1], "values": [0.01, 0.02, 0.03, 0.04]}
TABLES = {
    "portfolioWeights": HALVES,
    "benchmarkWeights": {**HALVES, "values": [1.0, 0.0, 0.0, 1.0]},
    "portfolioReturns": RETURNS,
    "benchmarkReturns": {**RETURNS, "values": [0.05, 0.06, 0.07, 0.08]},
}
EXPOSURES = {"factors": ["size"], "symbols": ["A", "B"], "values": [1.5, -0.5]}
FACTOR_RETURNS = {"symbols": ["size"], "dates": [0, 1], "values": [0.1, 0.2]}


def command(**changes: Any) -> AttributeCommand:
    request = json_format.ParseDict({**TABLES, **changes}, AttributeRequest())
    return converters.attribute_command_from_proto(request)


def options(**fields: Any) -> AttributionRequest:
    return converters.attribution_request_from_proto(json_format.ParseDict(fields, pb.AttributionOptions()))


def test_four_tables_each_in_its_place() -> None:
    found = command().weights
    assert (found.segments, found.dates.tolist()) == (("A", "B"), [0, 1])
    np.testing.assert_allclose(found.portfolio_return, [0.5 * 0.01 + 0.5 * 0.02, 0.25 * 0.03 + 0.75 * 0.04])
    np.testing.assert_allclose(found.benchmark_return, [0.05, 0.08])


def test_how_it_is_divided() -> None:
    found = command(
        model="ATTRIBUTION_MODEL_BRINSON_HOOD_BEEBOWER", linking="LINKING_MENCHERO", separateInteraction=True
    )
    assert found.settings == AttributionSettings(
        AttributionModel.BRINSON_HOOD_BEEBOWER, Linking.MENCHERO, separate_interaction=True
    )
    assert command().settings == AttributionSettings()


@pytest.mark.parametrize("model", pb.AttributionModel.values())
def test_models_have_their_names_on_the_wire(model: int) -> None:
    name = pb.AttributionModel.Name(model).removeprefix("ATTRIBUTION_MODEL_")
    wanted = AttributionModel("BRINSON_FACHLER" if name == "UNSPECIFIED" else name)
    assert options(model=model).settings.model is wanted


@pytest.mark.parametrize("linking", pb.Linking.values())
def test_linkings_have_their_names_on_the_wire(linking: int) -> None:
    name = pb.Linking.Name(linking).removeprefix("LINKING_")
    assert options(linking=linking).settings.linking is Linking("CARINO" if name == "UNSPECIFIED" else name)


def test_periods_and_factors_of_a_request() -> None:
    bare = command()
    assert (bare.with_periods, bare.factors, bare.regression_factors) == (True, None, None)
    found = command(withoutPeriods=True, factors={**EXPOSURES, "returns": FACTOR_RETURNS}, regressionFactors=RETURNS)
    assert not found.with_periods
    assert found.factors is not None
    assert found.factors.returns is not None
    assert (found.factors.factors, found.factors.symbols) == (("size",), ("A", "B"))
    assert (found.factors.values.tolist(), found.factors.returns.values.tolist()) == ([[1.5], [-0.5]], [[0.1], [0.2]])
    assert found.regression_factors is not None
    assert found.regression_factors.values.tolist() == [[0.01, 0.02], [0.03, 0.04]]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"portfolioWeights": {**HALVES, "values": [1.0]}}, "portfolio_weights.values"),
        ({"benchmarkWeights": {**HALVES, "dates": [1, 0]}}, "benchmark_weights.dates[1]"),
        ({"portfolioReturns": {**RETURNS, "symbols": ["A", "A"]}}, "portfolio_returns.symbols[1]"),
        ({"benchmarkReturns": {**RETURNS, "values": [0.0, 0.0, -1.1e15, 0.0]}}, "benchmark_returns.values[2]"),
        ({"benchmarkReturns": {**RETURNS, "values": [0.0, "Infinity", 0.0, 0.0]}}, "benchmark_returns.values[1]"),
        ({"factors": {**EXPOSURES, "values": [1.0]}}, "factors.values"),
        ({"factors": {**EXPOSURES, "returns": {**FACTOR_RETURNS, "values": [2e15, 0]}}}, "factors.returns.values[0]"),
        ({"regressionFactors": {**FACTOR_RETURNS, "values": [1.0]}}, "regression_factors.values"),
    ],
)
def test_tables_that_are_refused(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        command(**changes)
    assert raised.value.field == named


@pytest.mark.parametrize("periods", [1, 2])
def test_effects_of_more_than_a_message_holds(periods: int) -> None:
    # Of each period and segment, its name and 32 bytes of effects.
    longest = "A" * (3_500_000 // periods - 2 * 32 - len("B"))

    def named(name: str, *, without_periods: bool = False) -> AttributeCommand:
        table = {"symbols": [name, "B"], "dates": list(range(periods)), "values": [0.5] * 2 * periods}
        return command(**dict.fromkeys(TABLES, table), withoutPeriods=without_periods)

    assert named(longest).with_periods
    with pytest.raises(InvalidInput, match="do not fit into one message") as raised:
        named(longest + "A")
    assert raised.value.field == "without_periods"
    assert not named(longest + "A", without_periods=True).with_periods


def test_options_of_a_backtest() -> None:
    found = options(
        groups=["sector", "region"],
        assetGroups=[{"name": "sector=tech", "symbols": ["A", "B"]}, {"name": "region=eu", "symbols": ["A"]}],
        separateInteraction=True,
        daily=True,
        factors=EXPOSURES,
        regressionFactors=FACTOR_RETURNS,
    )
    assert (found.kinds, found.daily) == (("sector", "region"), True)
    assert found.labels == {"sector=tech": ("A", "B"), "region=eu": ("A",)}
    assert found.settings == AttributionSettings(separate_interaction=True)
    assert found.factors is not None
    assert (found.factors.values.tolist(), found.factors.returns) == ([[1.5], [-0.5]], None)
    assert found.regression_factors is not None
    assert found.regression_factors.values.tolist() == [[0.1], [0.2]]
    assert options() == AttributionRequest()


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"groups": ["k"], "assetGroups": [{"name": "k=a"}, {"name": "k=a"}]}, "asset_groups[1].name"),
        ({"assetGroups": [{"name": "k=a"}]}, "asset_groups[0].name"),
        ({"groups": ["k", "k"]}, "groups[1]"),
        ({"factors": {**EXPOSURES, "values": [1.0]}}, "factors.values"),
        ({"regressionFactors": {**FACTOR_RETURNS, "values": [1.0]}}, "regression_factors.values"),
    ],
)
def test_options_that_are_refused(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        options(**fields)
    assert raised.value.field == f"analysis.attribution.{named}"


def effects(*rows: list[Any], interaction: bool = True) -> Effects:
    allocation, selection, third = (np.array(row) for row in rows)
    return Effects(allocation, selection, third if interaction else None)


def attribution(*, linked: bool, interaction: bool) -> Attribution:
    return Attribution(
        segments=("A", "B"),
        dates=np.array([0, 1], np.int32),
        periods=effects(
            [[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]], [[9.0, 10.0], [11.0, 12.0]], interaction=interaction
        ),
        groups=effects([13.0, 14.0], [15.0, 16.0], [17.0, 18.0], interaction=interaction),
        totals=effects([19.0], [20.0], [21.0], interaction=interaction),
        linked=Linked(np.array([22.0, 23.0]), 24.0) if linked else None,
        portfolio_return=25.0,
        benchmark_return=26.0,
        excess_return=27.0,
    )


FACTORS = FactorParts((FactorPart("size", 0.3, 0.0), FactorPart(SPECIFIC, 0.1, None)), r_squared=0.0)
FACTORS_DICT = {
    "segments": [
        {"name": "size", "kind": "SEGMENT_KIND_FACTOR", "contribution": 0.3, "meanExposure": 0.0},
        {"name": SPECIFIC, "kind": "SEGMENT_KIND_SPECIFIC", "contribution": 0.1},
    ],
    "rSquared": 0.0,
}


def test_an_answer_with_everything() -> None:
    other = FactorParts((), None)
    found = converters.attribution_to_proto(attribution(linked=True, interaction=True), True, FACTORS, other)
    assert json_format.MessageToDict(found) == {
        "totals": {"allocation": 19.0, "selection": 20.0, "interaction": 21.0},
        "groups": [
            {"group": "A", "allocation": 13.0, "selection": 15.0, "interaction": 17.0},
            {"group": "B", "allocation": 14.0, "selection": 16.0, "interaction": 18.0},
        ],
        "periods": [
            {
                "date": {"year": 1970, "month": 1, "day": 1 + t},
                "linkingFactor": 22.0 + t,
                "groups": [
                    {"group": name, "allocation": 1.0 + k, "selection": 5.0 + k, "interaction": 9.0 + k}
                    for name, k in (("A", 2 * t), ("B", 2 * t + 1))
                ],
            }
            for t in range(2)
        ],
        "mencheroCoefficient": 24.0,
        "portfolioReturn": 25.0,
        "benchmarkReturn": 26.0,
        "excessReturn": 27.0,
        "factors": FACTORS_DICT,
        "regression": {},
    }


def test_an_answer_with_little() -> None:
    found = converters.attribution_to_proto(attribution(linked=False, interaction=False), False, None, None)
    assert not found.periods
    assert not any(found.HasField(name) for name in ("menchero_coefficient", "factors", "regression"))
    assert not found.totals.HasField("interaction")
    with_periods = converters.attribution_to_proto(attribution(linked=False, interaction=False), True, None, None)
    assert [one.HasField("linking_factor") for one in with_periods.periods] == [False, False]


def path(level: LevelAttribution) -> pb.PathAttribution:
    factors = FactorAttribution((FactorSegment("cash", "CASH", 0.5, 0.25), FactorSegment("x", "FACTOR", 0.5)), 0.75)
    return converters.path_attribution_to_proto(
        PathAttribution(
            excess_return=0.0,
            benchmark="index",
            levels=(level, LevelAttribution("region", (), None, np.zeros(0), np.zeros((0, 1)))),
            days=np.array([7, 8], np.int32),
            factors=factors,
            regression=FactorAttribution(()),
            undefined={"regression": "why"},
        )
    )


def test_a_simulated_path() -> None:
    segments = (Segment("tech", "GROUP", 1.0, 2.0, 3.0, 4.0, 5.0, 6.0), Segment("costs", "COSTS", 7.0))
    daily = np.array([[0.1, 0.2], [0.3, 0.4]])
    found = path(LevelAttribution("sector", segments, effects([8.0], [9.0], [10.0]), np.array([1.5, 2.5]), daily))
    written = [
        {
            "name": "tech",
            "contribution": 1.0,
            "kind": "SEGMENT_KIND_GROUP",
            "allocation": 2.0,
            "selection": 3.0,
            "interaction": 4.0,
            "meanWeight": 5.0,
            "meanBenchmarkWeight": 6.0,
        },
        {"name": "costs", "contribution": 7.0, "kind": "SEGMENT_KIND_COSTS"},
    ]
    assert json_format.MessageToDict(found) == {
        "segments": written,
        "excessReturn": 0.0,
        "levels": [
            {
                "kind": "sector",
                "segments": written,
                "totals": {"allocation": 8.0, "selection": 9.0, "interaction": 10.0},
                "daily": {"dates": [7, 8], "linkingFactors": [1.5, 2.5], "contributions": [0.1, 0.2, 0.3, 0.4]},
            },
            {"kind": "region"},
        ],
        "benchmark": "index",
        "factors": {
            "segments": [
                {"name": "cash", "kind": "SEGMENT_KIND_CASH", "contribution": 0.5, "meanExposure": 0.25},
                {"name": "x", "kind": "SEGMENT_KIND_FACTOR", "contribution": 0.5},
            ],
            "rSquared": 0.75,
        },
        "regression": {},
        "undefined": {"regression": "why"},
    }


def test_a_path_that_could_not_be_attributed() -> None:
    found = converters.path_attribution_to_proto(PathAttribution(None, "", undefined={"excess_return": "why"}))
    assert json_format.MessageToDict(found) == {"undefined": {"excess_return": "why"}}
