"""Stored results as what charts are drawn from, and charts as messages."""

from dataclasses import replace

import numpy as np
import pytest
from absfinance.v1.backtest_pb2 import BacktestResult
from absfinance.v1.backtest_service_pb2 import GetBacktestChartsResponse
from google.protobuf import json_format

from domain.backtest.record import RecordPart
from domain.charts.chart import Chart, DrawnChart
from domain.charts.of_backtest import SimulatedPath, backtest_charts
from domain.charts.theme import Theme
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel
from server.converters.charts import attributed_from_proto, charts_to_bytes, result_of, timing_luck_from_proto
from tests.vega_lite import check, rows

RESULT = json_format.ParseDict(
    {
        "strategies": [
            {"label": "plain"},
            {
                "label": "analysed",
                "metrics": {"totalReturn": 0.2},
                "attribution": {
                    "segments": [{"name": "Energy", "contribution": 0.03}, {"name": "costs", "contribution": -0.01}],
                    "excessReturn": 0.02,
                },
                "statisticalValidation": {
                    "timingLuck": {
                        "outcomes": [{"totalReturn": 0.2}, {"offset": 1, "totalReturn": 0.1}],
                        "band": {
                            "dates": [1, 2],
                            "chosen": [1, 1.2],
                            "lowest": [1, 1.1],
                            "median": [1, 1.15],
                            "highest": [1, 1.2],
                        },
                    }
                },
            },
        ]
    },
    BacktestResult(),
).SerializeToString()


def path(label: str) -> SimulatedPath:
    result = result_of(RESULT, label)
    prices = PricePanel.of("A", range(3), [1.0, 2.0, 3.0])
    record = replace(RecordPart.empty(1), nav=np.array([1.0, 2.0, 3.0]))
    return SimulatedPath(
        label=label,
        prices=prices,
        total_return=prices.values,
        record=record,
        opening=np.ones(1),
        periods_per_year=252.0,
        attribution=attributed_from_proto(result),
        timing_luck=timing_luck_from_proto(result),
    )


def test_a_strategy_that_was_analysed_has_these_charts() -> None:
    drawn = backtest_charts(path("analysed"), [Chart.ATTRIBUTION, Chart.TIMING_LUCK], Theme.LIGHT)
    attribution, luck = (one.specification for one in drawn)
    assert {row["name"]: row["value"] for row in rows(attribution)} == {"Energy": 0.03, "costs": -0.01}
    assert "2.00%" in attribution["title"]["subtitle"]
    assert [row["date"] for row in rows(luck)] == ["1970-01-02", "1970-01-03"]
    assert rows(luck)[1]["chosen"] == pytest.approx(1.2 / 1.15 - 1.0)
    for specification in (attribution, luck):
        check(specification)


@pytest.mark.parametrize(("chart", "words"), [(Chart.ATTRIBUTION, "attribution"), (Chart.TIMING_LUCK, "timing_luck")])
def test_a_strategy_that_was_not_says_what_to_ask_for(chart: Chart, words: str) -> None:
    with pytest.raises(InvalidInput, match=f"needs analysis.*{words}") as refused:
        backtest_charts(path("plain"), [Chart.EQUITY, chart], Theme.LIGHT)
    assert refused.value.field == "charts[1]"
    assert chart not in [one.chart for one in backtest_charts(path("plain"), [], Theme.LIGHT)]


def test_a_strategy_without_a_trade_has_no_costs() -> None:
    with pytest.raises(InvalidInput, match="needs a trade"):
        backtest_charts(path("plain"), [Chart.COSTS], Theme.LIGHT)


def test_specifications_come_back_as_they_were_made() -> None:
    (drawn,) = backtest_charts(path("plain"), [Chart.EQUITY], Theme.DARK)
    message = GetBacktestChartsResponse.FromString(charts_to_bytes([drawn]))
    assert json_format.MessageToDict(message.charts[0].spec) == drawn.specification


def test_an_answer_longer_than_a_message_is_refused() -> None:
    large = DrawnChart(Chart.EQUITY, {"data": {"values": [{"label": "x" * 1000} for _ in range(5000)]}})
    with pytest.raises(InvalidInput, match=r"makes an answer of 4\.9 MiB, a message holds 4; ask for fewer") as refused:
        charts_to_bytes([large])
    assert refused.value.field == "charts"
