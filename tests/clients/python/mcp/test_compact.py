"""Short answers: what is rounded, what is left out, and that this is told."""

import json
import math
from datetime import date

import numpy as np
import pytest
from absfin.data import Panel
from absfin.mcp.compact import (
    MAX_CHARACTERS,
    MAX_TEXT,
    MAX_VALUES,
    as_text,
    first,
    fitted,
    largest,
    panel_summary,
    plain,
    rounded,
)
from absfin.results import ResultWarning
from google.type.date_pb2 import Date
from hypothesis import given
from hypothesis import strategies as st


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_rounded_number_is_near(value: float) -> None:
    found = rounded(value)
    assert found is not None
    assert abs(found - value) <= (5.1e-7 if abs(value) >= 0.1 else 5.1e-6 * abs(value))


def test_money_keeps_its_cents_and_a_tolerance_its_size() -> None:
    assert [rounded(one) for one in (123456789.25, 0.1 + 0.2, 2.2204460492503131e-16)] == [
        123456789.25,
        0.3,
        2.22045e-16,
    ]
    assert [rounded(one) for one in (math.nan, math.inf, -math.inf)] == [None] * 3


def test_every_kind_of_value_is_what_json_can_say() -> None:
    content = {
        "message": Date(year=2020, month=2, day=3),
        "dataclass": ResultWarning("CODE", "field", "text"),
        "date": date(2020, 2, 3),
        "array": np.array([1.0, math.nan]),
        "absent": None,
        "nested": ({"a": None, "b": True},),
    }
    assert json.loads(json.dumps(plain(content), allow_nan=False)) == {
        "message": {"year": 2020, "month": 2, "day": 3},
        "dataclass": {"code": "CODE", "field": "field", "message": "text"},
        "date": "2020-02-03",
        "array": [1.0, None],
        "nested": [{"b": True}],
    }


@given(st.dictionaries(st.sampled_from("ABCDEFGHIJKL"), st.floats(-10, 10)), st.integers(1, 15))
def test_the_largest_and_what_is_left_out_are_all_of_it(values: dict[str, float], rows: int) -> None:
    answer = largest("weights", values, rows)
    told = {symbol: value for symbol, value in values.items() if abs(value) >= 1e-6}
    shown, left_out = answer["weights"], answer.get("weights_left_out", {"count": 0, "sum": 0.0})
    assert len(shown) == min(rows, len(told))
    assert len(shown) + left_out["count"] == len(told)
    assert sum(shown.values()) + left_out["sum"] == pytest.approx(sum(told.values()), abs=1e-9)
    smallest = min(map(abs, shown.values()), default=0.0)
    assert all(abs(value) <= smallest for symbol, value in told.items() if symbol not in shown)


def test_a_list_that_is_cut_says_so() -> None:
    assert first("rows", range(3), 3) == {"rows": [0, 1, 2]}
    assert first("rows", range(5), 2) == {"rows": [0, 1], "rows_left_out": 3}


@given(st.integers(1, 50), st.integers(2, 60))
def test_a_thinned_series_begins_and_ends_with_the_whole_one(dates: int, points: int) -> None:
    values = np.arange(float(dates))
    panel = Panel.of(["A"], np.arange(dates), values)
    answer = panel_summary(panel, points, 1)
    shown = answer["columns"]["A"]["values"]
    assert len(shown) == len(answer["dates"]) == min(points, dates)
    assert (shown[0], shown[-1], answer["dates_total"]) == (0.0, dates - 1.0, dates)
    assert shown == sorted(set(shown))


def test_extremes_are_those_of_all_dates_and_gaps_are_none() -> None:
    values = [[1.0, math.nan, 0.0], [9.0, math.nan, 0.0], [-5.0, math.nan, 0.0], [2.0, math.nan, 0.0]]
    answer = plain(panel_summary(Panel.of(["A", "B", "C"], np.arange(4), values), 2, 2))
    assert answer["columns"]["A"] == {"values": [1.0, 2.0], "lowest": -5.0, "highest": 9.0}
    assert answer["columns"]["B"] == {"values": [None, None]}
    assert answer["columns_left_out"] == 1
    assert panel_summary(Panel.of(["A"], np.arange(0), np.empty((0, 1))), 2, 2) == {"dates": [], "dates_total": 0}


def test_a_table_of_many_columns_has_fewer_dates() -> None:
    answer = panel_summary(Panel.of([f"S{i}" for i in range(100)], np.arange(2000), np.ones((2000, 100))), 2000, 100)
    shown = [len(column["values"]) for column in answer["columns"].values()]
    assert shown == [len(answer["dates"])] * 100 == [MAX_VALUES // 100] * 100
    assert (answer["dates"][0], answer["dates"][-1], answer["dates_total"]) == ("1970-01-01", "1975-06-23", 2000)


def test_an_answer_that_is_too_long_is_cut_and_says_so() -> None:
    record = {"name": "backtests/x", "label": "y" * 100}
    short = {"backtests": [record] * 20, "more": False}
    assert fitted(short) == short
    whole = {"backtests": [record] * 1000, "more": False}
    answer = fitted(whole)
    assert answer["backtests"] == [record] * 200
    assert answer["more"] is False
    assert "the first 200 entries of lists" in answer["cut"]
    assert str(len(as_text(whole))) in answer["cut"]


@pytest.mark.parametrize(
    "content",
    [
        {
            "metrics": {
                f"S{i}": {"last_price": 1.0, "volatility_annual": 0.1, "as_of": "2020-01-01"} for i in range(1000)
            }
        },
        {"portfolios": [{"largest_weights": {f"S{i}": 0.001 for i in range(1000)}}] * 100},
        {"warnings": [{"code": "CODE", "message": "A, " * 1000}] * 100},
    ],
    ids=["table", "tables in a list", "texts"],
)
def test_no_kind_of_answer_stays_too_long(content: dict[str, object]) -> None:
    assert len(as_text(content)) > MAX_CHARACTERS
    answer = fitted(content)
    assert len(as_text(answer)) <= MAX_CHARACTERS
    assert "ask for less" in answer["cut"]


def test_a_long_text_keeps_its_beginning() -> None:
    assert fitted({"message": "z" * 100_000})["message"] == "z" * MAX_TEXT + "..."
