"""`absfin report` and the other commands that write tear sheets, against a real server."""

import json
import re
from datetime import date
from pathlib import Path

import numpy as np
from absfin import Client, Panel, Prices, min_risk, strategies
from absfin.rebalancing import every_periods, rebalancing

from tests.clients.python.command_line import absfin, as_json
from tests.conftest import RunningServer

NAMES = {"lo_2002": "Lo 2002", "mertens_2002": "Mertens 2002", "stationary_bootstrap": "stationary bootstrap"}


def plain(page: Path) -> str:
    """The text of a page without its elements."""
    body = page.read_text().split("<body>")[1]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_a_backtest(server: RunningServer, prices: Path, tmp_path: Path) -> None:
    options = ("--prices", str(prices), "--cost-bps", "10", "--flow", "weekly:0.1", "--benchmark", "P")
    job = as_json(server, "backtest", *options)
    page = tmp_path / "sheet.html"
    absfin(server, "report", job["name"], "-o", str(page), "--title", "My strategy")
    text = plain(page)
    metrics = job["result"]["metrics"]
    assert text.startswith("My strategy 2021-01-04 to 2021-02-02, 29 returns")
    assert f"Sharpe ratio {metrics['sharpe']:.3f}" in text
    assert f"maximum drawdown {metrics['maxDrawdown'] * 100:.2f} %" in text
    assert f"- commission {job['result']['costs']['commission']:,.2f}" in text
    assert f"= net asset value at the end {job['result']['finalNav']:,.2f}" in text
    assert "Strategies and benchmarks equal_weight P" in text
    assert "money-weighted return" in text


def test_a_backtest_with_all_analyses(server: RunningServer, prices: Path, tmp_path: Path) -> None:
    options = ("--prices", str(prices), "--rebalance", "5", "--benchmark", "P", "--attribute", "asset")
    job = as_json(server, "backtest", *options, "--resamples", "200", "--timing-luck", "2")
    page = tmp_path / "sheet.html"
    absfin(server, "report", job["name"], "-o", str(page))
    text = plain(page)
    attribution, validation = job["result"]["attribution"], job["result"]["statisticalValidation"]
    assert f"total {attribution['excessReturn'] * 100:.2f} %" in text
    assert all(f"{one['name']} {one['contribution'] * 100:z.2f} %" in text for one in attribution["segments"])
    assert "-0.00" not in text
    # The chart and the table of months have the figures of the answer, and so has the summary.
    assert f"parts of the excess return of {attribution['excessReturn']:,.2%}" in text
    assert f"they sum to the total return of {job['result']['metrics']['totalReturn']:,.1%}" in text
    for interval in validation["sharpeIntervals"]:
        assert f"{NAMES[interval['method']]} {interval['lower']:.3f} {interval['upper']:.3f}" in text
    difference = validation["sharpeDifferences"][0]
    assert f"P {difference['difference']:.5f} {difference['standardError']:.5f} {difference['pValue']:.3f}" in text
    assert "Luck in the dates of rebalancing dates later total return 0 " in text


def test_an_optimisation(server: RunningServer, prices: Path, tmp_path: Path) -> None:
    answer = as_json(server, "optimize", "--prices", str(prices), "--max-weight", "0.55")
    page = tmp_path / "sheet.html"
    absfin(server, "report", answer["name"], "-o", str(page))
    text = plain(page)
    assert "2 of 2 assets are held" in text
    assert f"volatility, annual {answer['volatilityAnnual'] * 100:.2f} %" in text
    assert all(f"{entry['symbol']} {entry['weight'] * 100:.2f} %" in text for entry in answer["weights"])
    assert "largest constraint violation" in text


def test_a_reallocation(server: RunningServer, prices: Path, tmp_path: Path) -> None:
    # Symbols of its own: other tests count what they import into the same server.
    stored = tmp_path / "stored.csv"
    stored.write_text(prices.read_text().replace("date,P,Q", "date,REPORT_P,REPORT_Q"))
    absfin(server, "import", str(stored))
    held = ("--holdings", "REPORT_P=100")
    answer = as_json(server, "reallocate", "REPORT_P=0.5,REPORT_Q=0.5", *held, "--cost-bps", "5")
    page = tmp_path / "sheet.html"
    absfin(server, "report", answer["name"], "-o", str(page))
    text = plain(page)
    trades = answer["plan"]["trades"]
    assert f"{len(trades)} trades" in text
    assert all(f"{trade['symbol']} {trade['step']} {trade['day']}" in text for trade in trades)
    assert "asset before after REPORT_P 100.00 %" in text
    assert "Weights before and after" in text  # a chart
    assert "Liquidity of the trades" not in text  # of assets without volumes it would be empty


def test_a_risk_report(server: RunningServer, prices: Path, tmp_path: Path) -> None:
    page = tmp_path / "sheet.html"
    options = ("risk", "P=0.5,Q=0.5", "--prices", str(prices), "-o", str(page))
    answer = as_json(server, *options)  # standard output is JSON alone
    text = plain(page)
    assert f"volatility, annual {answer['volatilityAnnual'] * 100:.2f} %" in text
    historical = answer["valueAtRisk"]["historical"] * 100
    assert f"historical {historical:.2f} %" in text
    assert f"Cornish-Fisher {answer['valueAtRisk']['cornishFisher'] * 100:.2f} %" in text
    assert "at constant weights, without costs" in text
    assert "after costs" not in text
    absent = text.split("Not defined: ")[1]
    assert "beta to benchmark" in absent.split("(no benchmark was given)")[0]


def test_a_risk_report_of_a_request(server: RunningServer, prices: Path, tmp_path: Path) -> None:
    """What options cannot say: other correlations, which have a volatility and no return, and other weights."""
    dates: list[int] = []
    values: list[float] = []
    for row in prices.read_text().splitlines()[1:]:
        day, *entries = row.split(",")
        dates.append((date.fromisoformat(day) - date(1970, 1, 1)).days)
        values += map(float, entries)
    half = [{"symbol": "P", "weight": 0.5}, {"symbol": "Q", "weight": 0.5}]
    stress = [
        {"label": "closer", "correlation": {"correlation": 1.0, "fraction": 0.5}},
        {"label": "fall", "assets": {"shocks": [{"name": "P", "shock": -0.3}]}},
        {"label": "early", "historical": {"name": "covid_2020"}},
    ]
    sent = {
        "prices": {"symbols": ["P", "Q"], "dates": dates, "values": values},
        "weights": half, "proposedWeights": [{"symbol": "P", "weight": 1.0}], "stress": stress,
    }  # fmt: skip
    (request := tmp_path / "request.json").write_text(json.dumps(sent))
    page = tmp_path / "sheet.html"
    answer = as_json(server, "risk", "--request", str(request), "-o", str(page))
    text = plain(page)
    closer, fall, early = answer["stress"]
    header = "scenario return return after the change volatility, annual volatility after the change"
    volatilities = [f"{closer[name] * 100:.2f} %" for name in ("volatilityAnnual", "proposedVolatilityAnnual")]
    assert f"{header} closer - - {' '.join(volatilities)} fall -15.00 % -30.00 % - - early" in text
    assert (fall["portfolioReturn"], early["undefined"] in text) == (-0.15, True)
    assert "Weights" in text  # a chart


def test_names_and_files_that_cannot_be(server: RunningServer, tmp_path: Path) -> None:
    def refused(*arguments: str, status: int) -> str:
        return " ".join(absfin(server, *arguments, status=status).stderr.replace("│", " ").split())

    page = str(tmp_path / "sheet.html")
    assert "'portfolios/a' is not the name of one of these" in refused("report", "portfolios/a", "-o", page, status=2)
    assert "NOT_FOUND" in refused("report", "abc", "-o", page, status=1)
    assert "NOT_FOUND" in refused("report", "backtests/none", "-o", page, status=1)
    assert "cannot write '.docx' files" in refused("report", "backtests/none", "-o", "a.docx", status=2)
    assert "cannot write" in refused("risk", "A=1", "-o", "a.docx", status=2)
    assert not Path(page).exists()


def test_a_folder_that_is_not_there(server: RunningServer, prices: Path, tmp_path: Path) -> None:
    name = as_json(server, "backtest", "--prices", str(prices))["name"]
    done = absfin(server, "report", name, "-o", str(tmp_path / "none" / "sheet.html"), status=1)
    assert "sheet.html: No such file or directory" in done.stderr


def test_a_backtest_without_a_result(server: RunningServer, tmp_path: Path) -> None:
    values = 50.0 * np.cumprod(1.0 + np.random.default_rng(1).normal(0.0, 0.01, (3000, 30)), axis=0)
    data = Prices(Panel.of([f"A{i}" for i in range(30)], np.arange(3000) + 10_000, values))
    strategy = strategies.optimize(min_risk(), risk_measure="cvar", lookback=1000)
    with Client(server.address) as client:
        job = client.backtest(data, strategy, rebalancing=rebalancing(every_periods(1)))
        assert client.cancel_backtest(job.name).state == "cancelled"
    done = absfin(server, "report", job.name, "-o", str(tmp_path / "sheet.html"), status=2)
    assert "is cancelled: only a backtest that has succeeded has a report" in " ".join(
        done.stderr.replace("│", " ").split()
    )


def test_the_terminal_draws_equity(server: RunningServer, prices: Path) -> None:
    shown = absfin(server, "backtest", "--prices", str(prices), "--plot").stdout
    assert "value of one unit" in shown
    assert "┌─" in shown
    assert any(0x2596 <= ord(mark) <= 0x259F for mark in shown)  # quadrants
    assert "┌─" not in absfin(server, "backtest", "--prices", str(prices)).stdout
