"""Charts and tables through both clients and on the command line, and how results show themselves in a notebook."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import absfin
import numpy as np
import pytest
from absfin import Client, Holdings, Moments, Panel, Prices, Quote, errors, queries, strategies
from absfin.charts import MIME_TYPES, Chart
from absfinance.v1 import chart_pb2
from absfinance.v1.backtest_pb2 import StrategyResult
from absfinance.v1.backtest_service_pb2 import GetBacktestChartsResponse
from google.protobuf.json_format import ParseDict

from tests.clients.python.test_cli import absfin as command
from tests.clients.python.test_cli import as_json
from tests.conftest import RunningServer
from tests.vega_lite import check

Call = Callable[..., Any]
DAYS = np.arange("2019-01-01", "2022-03-01", dtype="datetime64[D]")
RNG = np.random.default_rng(12)
WALK = Prices(Panel.of("XYZ", DAYS, 50.0 * np.cumprod(1.0 + RNG.normal(0.0004, 0.01, (len(DAYS), 3)), axis=0)))
MOMENTS = Moments(["A", "B"], [0.05, 0.08], [[0.04, 0.01], [0.01, 0.09]], 1)


@pytest.fixture(scope="module")
def finished(server: RunningServer) -> Any:
    with Client(server.address) as client:
        return client.backtest(
            WALK, strategies.equal_weight(), benchmarks=["X"], wait_seconds=60.0, commission_bps=5.0, label="of charts"
        )


def test_charts_of_a_backtest(call: Call, finished: Any) -> None:
    found = call("backtest_charts", finished.name, ["drawdown", "equity"], label="equal_weight", theme="dark")
    assert list(found) == ["drawdown", "equity"]
    assert found["equity"].title == "Value over time"
    assert found["equity"].rows[0] == {"label": "equal_weight", "kind": "strategy", "date": "2019-01-01", "value": 1.0}
    assert found["equity"].specification["config"]["background"] == "#0d1117"
    with pytest.raises(errors.InvalidInput) as refused:
        call("backtest_charts", finished.name, ["equity", "frontier"])
    assert [one.field for one in refused.value.violations] == ["charts[1]"]
    with pytest.raises(absfin.choices.UnknownChoice, match="'pie' is none of equity, drawdown"):
        call("backtest_charts", finished.name, ["pie"])
    with pytest.raises(absfin.choices.UnknownChoice, match="is none of light, dark"):
        call("backtest_charts", finished.name, theme="blue")


def test_one_chart_can_be_named_without_a_list(call: Call, finished: Any) -> None:
    assert list(call("backtest_charts", finished.name, "equity")) == ["equity"]


def test_charts_of_other_results(call: Call) -> None:
    answer = call("optimize", MOMENTS, absfin.max_ratio())
    drawn = call("optimization_charts", answer.name, frontier=queries.TraceFrontierQuery(MOMENTS, 5))
    assert list(drawn) == ["weights", "contributions", "frontier"]
    assert len(drawn["frontier"].rows) == 6
    report = call("risk_charts", queries.AnalyzeRiskQuery(WALK, {"X": 0.5, "Y": 0.5}), ["correlation"])
    check(report["correlation"].specification)
    quotes = [Quote("A", 10.0, average_daily_volume=1e5), Quote("B", 20.0)]
    plan = call("reallocate", Holdings({"A": 100.0}, 0.0), quotes, {"A": 0.5, "B": 0.5})
    assert list(call("reallocation_charts", plan.name)) == ["weights", "liquidity"]


def test_a_chart_draws_itself_in_a_notebook(finished: Any, server: RunningServer, tmp_path: Path) -> None:
    with Client(server.address) as client:
        chart = client.backtest_charts(finished.name, ["equity"])["equity"]
    bundle = chart._repr_mimebundle_()
    assert set(bundle) == {*MIME_TYPES, "text/plain"}
    check(bundle[MIME_TYPES[0]])
    assert bundle["text/plain"] == repr(chart) == f"Chart('equity', 'Value over time', {len(chart.rows)} rows)"
    chart.save(tmp_path / "chart.json")
    assert json.loads((tmp_path / "chart.json").read_text()) == chart.specification
    with pytest.raises(ValueError, match="Out of range float values"):
        Chart("equity", {"title": float("nan")}).to_json()


def test_tables_of_a_backtest(call: Call, finished: Any) -> None:
    tables = call("get_backtest", finished.name).return_tables
    assert (tables.months[0].start, tables.months[0].end) == (date(2019, 1, 1), date(2019, 1, 31))
    assert [one.end.year for one in tables.years] == [2019, 2020, 2021, 2022]
    assert tables.by_month()[2022].keys() == {1, 2}
    assert np.prod([1.0 + one.value for one in tables.years]) == pytest.approx(finished.metrics["final_wealth"])
    assert tables.best_months[0].value == max(one.value for one in tables.months)
    assert list(tables.moving) == [1, 3]
    assert tables.gross_total_return > finished.metrics["total_return"]
    [(benchmark, comparison)] = finished.strategies[0].comparisons.items()
    assert benchmark == "X"
    assert comparison.figures["beta"] == finished.metrics["beta_to_benchmark"]
    assert comparison.observations == len(DAYS) - 1
    assert finished.benchmarks[0].return_tables.gross_total_return is None


def test_series_of_the_account(call: Call, finished: Any) -> None:
    exposures = call("backtest_series", finished.name, "exposures")
    assert list(exposures.symbols) == ["long", "short", "gross", "net", "cash"]
    costs = call("backtest_series", finished.name, "costs")
    assert np.asarray(costs.values).sum() == pytest.approx(finished.metrics["cost_total"], rel=1e-12)


def test_the_command_for_charts(server: RunningServer, finished: Any, tmp_path: Path) -> None:
    done = command(server, "charts", finished.name, "--chart", "equity", "--chart", "costs")
    assert list(json.loads(done.stdout)) == ["equity", "costs"]
    folder = tmp_path / "drawn"
    done = command(server, "charts", finished.name, "--dark", "-o", str(folder))
    written = sorted(path.name for path in folder.iterdir())
    assert "weights.vl.json" in written
    assert len(done.stdout.split()) == len(written)
    check(json.loads((folder / "drawdown.vl.json").read_text()))
    answer = ParseDict(as_json(server, "charts", finished.name, "--chart", "costs"), GetBacktestChartsResponse())
    assert [one.chart for one in answer.charts] == [chart_pb2.CHART_COSTS]
    assert "standard output alone" in command(server, "charts", finished.name, "-o", "x", "--json", status=2).stderr
    failed = command(server, "charts", finished.name, "--chart", "frontier", status=1)
    assert "CHART_FRONTIER is no chart of a backtest" in failed.stderr
    failed = command(server, "charts", finished.name, "--chart", "pie", status=2)
    assert "none of equity" in failed.stderr


def test_the_command_for_the_chart_of_a_sweep(server: RunningServer) -> None:
    base = queries.BacktestQuery(WALK, strategies.equal_weight())
    with Client(server.address) as client:
        swept = client.sweep(base, {"costs.commission_bps": [0, 10]}, sweep_id="of-charts", wait_seconds=60.0)
    assert swept.state == "succeeded"
    drawn = json.loads(command(server, "charts", "sweeps/of-charts", "--chart", "sweep_surface").stdout)
    check(drawn["sweep_surface"])


def test_the_command_for_tables(server: RunningServer, finished: Any) -> None:
    text = command(server, "tables", finished.name).stdout
    for shown in ("equal_weight: returns, %", "2021", "against benchmarks", "annual returns over moving years"):
        assert shown in text
    result = ParseDict(as_json(server, "tables", finished.name), StrategyResult())
    assert result.return_tables == finished.proto.result.strategies[0].return_tables
    assert [one.benchmark for one in result.benchmark_comparisons] == ["X"]
    assert result.label == "equal_weight"
    assert "X: returns, %" in command(server, "tables", finished.name, "--label", "X").stdout
    assert "is none of" in command(server, "tables", finished.name, "--label", "Q", status=2).stderr
