"""Statistical validation of a backtest: its settings, and the figures of a strategy that are defined."""

from dataclasses import fields, replace
from typing import Any

import pytest
from absfinance.v1.backtest_service_pb2 import BacktestRequest
from absfinance.v1.statistical_validation_pb2 import StatisticalValidationOptions
from google.protobuf import json_format

from domain.backtest.metrics import Performance
from domain.backtest.result import CostTotals, StrategyOutcome
from domain.errors import InvalidInput
from domain.risk.figure import Absent
from domain.significance.basis import FigureBasis
from domain.significance.drawdown_expectation import ExpectedDrawdown
from domain.significance.settings import ValidationSettings
from domain.significance.sharpe_difference import PREFERRED, DifferenceEstimate, SharpeDifference
from domain.significance.stability import Stability, SubPeriod
from domain.significance.timing_luck import LuckBand, TimingLuck
from domain.significance.validation import NamedDifference, SharpeInterval, Validation
from server.converters.statistical_validation import validation_settings_from_proto, validation_to_proto


def settings(options: dict[str, Any] | None = None, seed: int = 0) -> ValidationSettings:
    request = BacktestRequest(seed=seed)
    if options is not None:
        json_format.ParseDict(options, request.analysis.statistical_validation)
        request.analysis.statistical_validation.SetInParent()
    return validation_settings_from_proto(request)


def test_formulas_alone_unless_more_is_asked_for() -> None:
    assert settings(seed=9) == ValidationSettings(is_resampled=False, seed=9)
    assert settings({}, seed=9) == ValidationSettings(is_resampled=True, seed=9)


def test_all_settings() -> None:
    options = {
        "resamples": 500,
        "timingLuckOffsets": 3,
        "blockLength": 4.5,
        "confidenceLevel": 0.9,
        "benchmarkSharpeAnnual": 0.5,
        "subPeriods": 6,
    }
    assert settings(options) == ValidationSettings(
        is_resampled=True,
        resamples=500,
        timing_luck_offsets=3,
        block_length=4.5,
        confidence_level=0.9,
        benchmark_sharpe_annual=0.5,
        sub_periods=6,
    )
    assert len(StatisticalValidationOptions.DESCRIPTOR.fields) == len(options), "a field that this test does not set"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"resamples": 99}, "resamples"),
        ({"timingLuckOffsets": 65}, "timing_luck_offsets"),
        ({"blockLength": 0.5}, "block_length"),
        ({"confidenceLevel": 1.0}, "confidence_level"),
        ({"benchmarkSharpeAnnual": "Infinity"}, "benchmark_sharpe_annual"),
        ({"subPeriods": 1}, "sub_periods"),
    ],
)
def test_settings_that_are_refused(options: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        settings(options)
    assert raised.value.field == f"analysis.statistical_validation.{named}"


ABSENT = Absent("why")
BARE = Validation(0.95, 4.0, 0, ABSENT, ABSENT, ABSENT, ABSENT)


def outcome(validation: Validation | None = BARE, luck: TimingLuck | Absent | None = None) -> StrategyOutcome:
    figures = dict.fromkeys((one.name for one in fields(Performance)), 0)
    return StrategyOutcome("x", Performance(**figures), CostTotals(), 0, (), validation=validation, timing_luck=luck)


def written(validation: Validation = BARE, luck: TimingLuck | Absent | None = None) -> dict[str, Any]:
    found = validation_to_proto(outcome(validation, luck))
    assert found is not None
    as_dict: dict[str, Any] = json_format.MessageToDict(found)
    return as_dict


def test_a_benchmark_is_not_validated() -> None:
    assert validation_to_proto(outcome(None)) is None


def test_figures_that_are_not_defined_are_left_out() -> None:
    assert written() == {"confidenceLevel": 0.95}


def test_figures() -> None:
    found = replace(
        BARE,
        resamples=1000,
        sharpe_annual=1.0,
        probabilistic_sharpe=0.0,
        minimum_track_record_periods=3.0,
        block_length=4.0,
        sharpe_intervals=(SharpeInterval("normal", -1.0, 0.0),),
        bases=(FigureBasis("drawdown", "net", 5, "mean"),),
        undefined={"drawdown": "why"},
    )
    assert written(found) == {
        "confidenceLevel": 0.95,
        "resamples": 1000,
        "sharpeAnnual": 1.0,
        "probabilisticSharpe": 0.0,
        "minimumTrackRecordPeriods": 3.0,
        "blockLength": 4.0,
        "sharpeIntervals": [{"method": "normal", "lower": -1.0, "upper": 0.0}],
        "bases": [{"figure": "drawdown", "returns": "net", "observations": 5, "convention": "mean"}],
        "undefined": {"drawdown": "why"},
    }


def test_differences_are_per_period_and_per_year_with_the_estimate_that_is_preferred() -> None:
    estimates = (DifferenceEstimate("bootstrap", ABSENT, 0.25), DifferenceEstimate(PREFERRED, 2.0, 0.5))
    difference = SharpeDifference(0.1, 7, estimates, block_length=3.0)
    (found,) = written(replace(BARE, sharpe_differences=(NamedDifference("index", difference, 9.0),)))[
        "sharpeDifferences"
    ]
    assert found.pop("differenceAnnual") == pytest.approx(0.1 * 3.0)  # by the square root of 9 periods per year
    assert found == {
        "benchmark": "index",
        "difference": 0.1,
        "standardError": 2.0,
        "pValue": 0.5,
        "estimates": [
            {"method": "bootstrap", "pValue": 0.25},
            {"method": PREFERRED, "standardError": 2.0, "pValue": 0.5},
        ],
        "observations": 7,
        "blockLength": 3.0,
    }


def test_sub_periods_have_annual_ratios() -> None:
    parts = (SubPeriod(0, 4, 0.5), SubPeriod(5, 11, ABSENT))
    found = written(replace(BARE, stability=Stability(parts, 0.0), part_days=((0, 1), (2, 31))))
    assert found["subPeriods"] == [
        {
            "startDate": {"year": 1970, "month": 1, "day": 1},
            "endDate": {"year": 1970, "month": 1, "day": 2},
            "observations": 5,
            "sharpeAnnual": 1.0,  # by the square root of 4 periods per year
        },
        {
            "startDate": {"year": 1970, "month": 1, "day": 3},
            "endDate": {"year": 1970, "month": 2, "day": 1},
            "observations": 7,
        },
    ]
    assert found["subPeriodPValue"] == 0.0
    assert "subPeriodPValue" not in written(replace(BARE, stability=Stability((), ABSENT)))


def test_the_expected_drawdown() -> None:
    found = written(replace(BARE, drawdown=ExpectedDrawdown(0.1, 0.2, 0.3, 0.4, 0.0, 6)))
    assert found["drawdown"] == {
        "mean": 0.1,
        "lower": 0.2,
        "upper": 0.3,
        "observed": 0.4,
        "deeperFraction": 0.0,
        "paths": 6,
    }


def test_timing_luck() -> None:
    band = LuckBand((1, 2), (1.0, 1.1), (0.9, 0.8), (1.0, 1.05), (1.2, 1.3))
    found = written(luck=TimingLuck(((0, 0.1), (2, 0.4), (3, -0.2)), {1: "ruined"}, band))
    assert found["timingLuck"] == {
        "lowest": -0.2,
        "median": 0.1,
        "highest": 0.4,
        "outcomes": [
            {"totalReturn": 0.1},
            {"offset": 2, "totalReturn": 0.4},
            {"offset": 3, "totalReturn": -0.2},
        ],
        "band": {
            "dates": [1, 2],
            "chosen": [1.0, 1.1],
            "lowest": [0.9, 0.8],
            "median": [1.0, 1.05],
            "highest": [1.2, 1.3],
        },
    }
    assert found["undefined"] == {"timing_luck.1": "ruined"}


def test_timing_luck_that_is_not_known() -> None:
    assert written(luck=ABSENT) == {"confidenceLevel": 0.95, "undefined": {"timing_luck": "why"}}
    without_band = written(luck=TimingLuck(((2, 0.4),), {0: "ruined"}))["timingLuck"]
    assert "band" not in without_band
