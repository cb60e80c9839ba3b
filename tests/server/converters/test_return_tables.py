"""Tables of a backtest as messages: returns by calendar, extremes, moving years, and comparisons."""

from dataclasses import fields

import numpy as np
from absfinance.v1 import backtest_pb2
from google.protobuf import json_format

from domain.backtest.period_returns import PeriodReturns
from domain.backtest.return_tables import LISTED, BenchmarkComparison, MovingReturns, ReturnTables
from domain.risk.figure import Absent
from domain.risk.relative import RelativeRisk
from server.converters.return_tables import comparison_to_proto, return_tables_to_proto


def returns(first: int, *values: float) -> PeriodReturns:
    """Of one day each, from a day on."""
    starts = np.arange(first, first + len(values), dtype=np.int32)
    return PeriodReturns(starts, starts + 1, np.array(values))


def listed(message: backtest_pb2.PeriodReturns) -> list[tuple[int, int, float]]:
    return list(zip(message.start_dates, message.end_dates, message.returns, strict=True))


TABLES = ReturnTables(
    months=returns(10, 0.1, -0.2, 0.3),
    years=returns(20, 0.5),
    periods=returns(30, *(0.01 * k for k in range(LISTED + 2))),
    moving=(MovingReturns(3, 250, 0.0, 0.2, 0.3, 0.4, 0.5, 1, 2), MovingReturns(5, 9, 1.0, 1.0, 1.0, 1.0, 1.0, 3, 4)),
    gross_total_return=0.0,
)


def test_returns_by_calendar_with_their_first_and_last_dates() -> None:
    found = return_tables_to_proto(TABLES)
    assert listed(found.months) == [(10, 11, 0.1), (11, 12, -0.2), (12, 13, 0.3)]
    assert listed(found.years) == [(20, 21, 0.5)]


def test_best_and_worst_first() -> None:
    found = return_tables_to_proto(TABLES)
    assert listed(found.best_months) == [(12, 13, 0.3), (10, 11, 0.1), (11, 12, -0.2)]
    assert listed(found.worst_months) == listed(found.best_months)[::-1]
    assert listed(found.best_years) == listed(found.worst_years) == [(20, 21, 0.5)]
    assert list(found.best_periods.start_dates) == [36, 35, 34, 33, 32]
    assert list(found.worst_periods.start_dates) == [30, 31, 32, 33, 34]


def test_moving_years() -> None:
    first, second = return_tables_to_proto(TABLES).rolling
    assert json_format.MessageToDict(first) == {
        "years": 3,
        "count": 250,
        "latest": 0.0,
        "lowest": 0.2,
        "median": 0.3,
        "highest": 0.4,
        "positiveFraction": 0.5,
        "lowestEndDate": {"year": 1970, "month": 1, "day": 2},
        "highestEndDate": {"year": 1970, "month": 1, "day": 3},
    }
    assert second.years == 5


def test_a_gross_return_of_zero_is_one() -> None:
    assert return_tables_to_proto(TABLES).HasField("gross_total_return")
    none = returns(0)
    for gross in (None, Absent("why")):
        found = return_tables_to_proto(ReturnTables(none, none, none, (), gross))
        assert not found.HasField("gross_total_return")
        assert listed(found.months) == listed(found.best_periods) == []


def test_a_comparison() -> None:
    figures = {one.name: float(k) for k, one in enumerate(fields(RelativeRisk))}
    found = json_format.MessageToDict(
        comparison_to_proto(BenchmarkComparison("index", 7, RelativeRisk(**figures), 0.5, -0.25))
    )
    assert found == {
        "benchmark": "index",
        "observations": 7,
        "beta": figures["beta"],
        "correlation": figures["correlation"],
        "alphaAnnual": figures["alpha_annual"],
        "trackingErrorAnnual": figures["tracking_error_annual"],
        "informationRatio": figures["information_ratio"],
        "captureUp": figures["capture_up"],
        "captureDown": figures["capture_down"],
        "battingAverage": 0.5,
        "excessReturn": -0.25,
    }


def test_every_figure_that_is_not_defined_has_its_reason_and_no_other_has() -> None:
    relative = RelativeRisk.absent("too short")
    found = comparison_to_proto(BenchmarkComparison("index", 1, relative, Absent("no periods"), 0.0))
    figures = {one.name for one in found.DESCRIPTOR.fields} - {"benchmark", "observations", "undefined"}
    assert found.undefined.keys() == figures - {"excess_return"}
    assert [name for name in figures if found.HasField(name)] == ["excess_return"]
    assert (found.undefined["beta"], found.undefined["batting_average"]) == ("too short", "no periods")
