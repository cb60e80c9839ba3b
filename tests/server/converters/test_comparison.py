"""CompareStrategies: its settings and series, and the figures of the answer that are defined."""

from dataclasses import replace
from typing import Any

import pytest
from absfinance.v1.risk_service_pb2 import CompareStrategiesRequest
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.risk.figure import Absent
from domain.significance.basis import FigureBasis
from domain.significance.comparison import Comparison, ComparisonSettings, TrialReport
from domain.significance.multiple_trials import DeflatedSharpe
from domain.significance.overfitting import Overfitting
from domain.significance.superior_ability import SuperiorAbility
from domain.warnings import ResultWarning
from server.commands.comparison import ComparisonCommand
from server.converters.comparison import comparison_command_from_proto, comparison_to_proto

PANEL = {"symbols": ["A", "B"], "dates": [0, 1], "values": [0.1, 0.2, 0.3, 0.4]}
INDEX = {"symbols": ["I"], "dates": [0, 1], "values": [0.5, 0.6]}


def command(**fields: Any) -> ComparisonCommand:
    return comparison_command_from_proto(
        json_format.ParseDict({"returns": PANEL, **fields}, CompareStrategiesRequest())
    )


def test_all_settings() -> None:
    found = command(resamples=500, blockLength=3.5, seed="9", significanceLevel=0.1, segments=8)
    assert found.settings == ComparisonSettings(
        resamples=500, block_length=3.5, seed=9, significance_level=0.1, segments=8
    )
    assert command().settings == ComparisonSettings()


def test_series() -> None:
    found = command(benchmark=INDEX)
    assert (found.returns.symbols, found.returns.values.tolist()) == (("A", "B"), [[0.1, 0.2], [0.3, 0.4]])
    assert found.benchmark is not None
    assert (found.benchmark.symbols, found.benchmark.values.tolist()) == (("I",), [[0.5], [0.6]])
    assert command().benchmark is None


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"resamples": 99}, "resamples"),
        ({"blockLength": 0.5}, "block_length"),
        ({"significanceLevel": 1.0}, "significance_level"),
        ({"segments": 7}, "segments"),
        ({"segments": 22}, "segments"),
        ({"returns": {**PANEL, "values": [0.1]}}, "returns.values"),
        ({"benchmark": {**INDEX, "dates": [1, 0]}}, "benchmark.dates[1]"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        command(**fields)
    assert raised.value.field == named


ABSENT = Absent("why")
FULL = Comparison(
    trials=(TrialReport("A", 1.0, 2.0, 3.0, 0.0), TrialReport("B", 4.0, 5.0, 6.0, ABSENT)),
    best="A",
    best_sharpe=7.0,
    observations=8,
    resamples=9,
    block_length=10.0,
    ability=SuperiorAbility(0.0, 0.25, 0.5),
    superior=("A",),
    effective_trial_count=1.5,
    deflated=DeflatedSharpe(11.0, 0.125),
    deflated_effective=DeflatedSharpe(12.0, 0.0),
    minimum_backtest_periods=13.0,
    overfitting=Overfitting(0.375, -1.0, 0.625, 14),
    undefined={"spa": "why"},
    bases=(FigureBasis("spa", "returns", 15, "mean"),),
    warnings=(ResultWarning("CODE", "returns", "beware"),),
)


def test_all_figures() -> None:
    assert json_format.MessageToDict(comparison_to_proto(FULL)) == {
        "spa": {"lower": 0.0, "consistent": 0.25, "upper": 0.5},
        "stepM": ["A"],
        "deflatedSharpe": 0.125,
        "probabilityOfOverfitting": 0.375,
        "trialCount": 2,
        "effectiveTrialCount": 1.5,
        "undefined": {"spa": "why"},
        "warnings": [{"code": "CODE", "field": "returns", "message": "beware"}],
        "deflatedSharpeEffective": 0.0,
        "expectedMaximumSharpe": 11.0,
        "expectedMaximumSharpeEffective": 12.0,
        "best": "A",
        "bestSharpe": 7.0,
        "minimumBacktestPeriods": 13.0,
        "degradationSlope": -1.0,
        "probabilityOfLoss": 0.625,
        "combinationCount": 14,
        "observations": 8,
        "blockLength": 10.0,
        "resamples": 9,
        "trials": [
            {"label": "A", "mean": 1.0, "sharpe": 2.0, "meanDifference": 3.0, "statistic": 0.0},
            {"label": "B", "mean": 4.0, "sharpe": 5.0, "meanDifference": 6.0},
        ],
        "bases": [{"figure": "spa", "returns": "returns", "observations": 15, "convention": "mean"}],
    }


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"block_length": ABSENT}, {"blockLength"}),
        ({"ability": None}, {"spa"}),
        ({"minimum_backtest_periods": ABSENT}, {"minimumBacktestPeriods"}),
        ({"deflated": DeflatedSharpe(11.0, ABSENT)}, {"deflatedSharpe"}),
        ({"deflated_effective": DeflatedSharpe(12.0, ABSENT)}, {"deflatedSharpeEffective"}),
        ({"overfitting": Overfitting(0.375, ABSENT, 0.625, 14)}, {"degradationSlope"}),
        (
            {"overfitting": None},
            {"probabilityOfOverfitting", "probabilityOfLoss", "combinationCount", "degradationSlope"},
        ),
        (
            {"deflated": None, "deflated_effective": None},
            {
                "deflatedSharpe",
                "deflatedSharpeEffective",
                "expectedMaximumSharpe",
                "expectedMaximumSharpeEffective",
            },
        ),
    ],
)
def test_a_figure_that_is_not_defined_is_left_out_alone(changes: dict[str, Any], missing: set[str]) -> None:
    full = json_format.MessageToDict(comparison_to_proto(FULL))
    found = json_format.MessageToDict(comparison_to_proto(replace(FULL, **changes)))
    assert found == {name: value for name, value in full.items() if name not in missing}
