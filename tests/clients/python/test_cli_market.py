"""Instruments, prices, portfolios, frontiers and risk models from the command line."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from absfin import Client, Instrument, Panel, Stored
from absfin.cli.csv_files import read_liquidity, read_panel, read_rates, read_universe, read_weights
from absfin.cli.panel_files import write_panel

from tests.clients.python.command_line import absfin, as_json, told
from tests.conftest import RunningServer


def test_instruments_go_in_and_come_out(server: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "instruments.csv"
    path.write_text(
        "symbol,display_name,currency,sector,lot_size,state\n"
        'CLI1,"One, Inc.",USD,cli tools,10,halted\n'
        "CLI2,,,cli tools,,\n"
        "CLI3,,,,,\n"
    )
    assert absfin(server, "instruments", "import", str(path)).stdout == "3 instruments stored\n"
    assert as_json(server, "instruments", "import", str(path)) == {"upsertedCount": 3}
    with Client(server.address) as client:
        assert list(client.instruments("sector=cli tools")) == [
            Instrument("CLI1", "One, Inc.", "USD", {"sector": "cli tools"}, 10.0, "halted"),
            Instrument("CLI2", groups={"sector": "cli tools"}),
        ]
    found = as_json(server, "instruments", "list", "--group", "sector=cli tools")["instruments"]
    assert [one["symbol"] for one in found] == ["CLI1", "CLI2"]
    assert found[0]["lotSize"] == 10.0
    shown = absfin(server, "instruments", "list", "--group", "sector=cli tools").stdout
    assert all(word in shown for word in ("One, Inc.", "sector=cli tools", "halted"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("symbol,lot_size\nA,1\n\nB,many", "line 4, column 2 (lot_size): could not convert"),
        ("state,symbol\nsold,A", "line 2, column 1 (state): state: 'sold' is none of"),
        ("symbol,sector\nA", "line 2: has 1 cells, the header has 2"),
        ("name\nA", "needs a header with symbol"),
    ],
)
def test_a_broken_file_of_instruments_names_line_and_column(
    server: RunningServer, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(text)
    assert words in told(server, "instruments", "import", str(path))


def test_exported_prices_are_those_that_were_imported(server: RunningServer, prices: Path, tmp_path: Path) -> None:
    absfin(server, "import", str(prices))
    path = tmp_path / "out.csv"
    absfin(server, "prices", "export", "--symbols", "P,Q", "-o", str(path))
    assert path.read_text().splitlines() == prices.read_text().splitlines()
    some = absfin(server, "prices", "export", "--symbols", "Q", "--start", "2021-01-05", "--end", "2021-01-06").stdout
    assert [row[0] for row in csv.reader(some.splitlines())] == ["date", "2021-01-05", "2021-01-06"]
    assert "give --symbols or --universe" in told(server, "prices", "export")
    assert "none of close" in told(server, "prices", "export", "--symbols", "P", "--field", "x")


def test_a_missing_value_is_an_empty_cell(tmp_path: Path) -> None:
    panel = Panel.of(["A", "B,C"], ["2020-01-01", "2020-01-02"], [[0.1, np.nan], [1e-17, -2.0]])
    path = tmp_path / "panel.csv"
    write_panel(panel, path)
    assert path.read_text() == 'date,A,"B,C"\n2020-01-01,0.1,\n2020-01-02,1e-17,-2.0\n'
    assert np.array_equal(read_panel(path).values, panel.values, equal_nan=True)


def test_a_portfolio_is_changed_by_what_is_given(server: RunningServer) -> None:
    created = as_json(server, "portfolio", "create", "cli-update", "--holdings", "P=100", "--cash", "10")
    changed = as_json(server, "portfolio", "update", "cli-update", "--cash", "20", "--display-name", "Mine")
    assert (changed["cash"], changed["displayName"], changed["holdings"]) == (20.0, "Mine", created["holdings"])
    assert changed["etag"] != created["etag"]
    late = absfin(server, "portfolio", "update", "cli-update", "--cash", "1", "--etag", created["etag"], status=1)
    assert "ETAG_MISMATCH" in late.stderr
    assert "read it again" in late.stderr
    said = absfin(server, "portfolio", "update", "portfolios/cli-update", "--holdings", "Q=5").stdout
    assert said.startswith("portfolios/cli-update is changed: etag ")
    stored = as_json(server, "portfolio", "show", "cli-update")
    assert (stored["holdings"], stored["cash"]) == ([{"symbol": "Q", "quantity": 5.0}], 20.0)
    names = [one["name"] for one in as_json(server, "portfolio", "list")["portfolios"]]
    assert "portfolios/cli-update" in names
    assert "give what changes" in told(server, "portfolio", "update", "cli-update")
    assert as_json(server, "portfolio", "delete", "cli-update") == {}


def test_a_frontier_falls_from_the_highest_return(server: RunningServer, prices: Path) -> None:
    given = ("frontier", "--prices", str(prices), "--points", "5", "--max-weight", "0.8")
    points = [json.loads(line) for line in absfin(server, *given, "--json").stdout.splitlines()]
    assert len(points) == 5
    returns = [one["expectedReturnAnnual"] for one in points]
    assert returns == sorted(returns, reverse=True)
    assert all(entry["weight"] <= 0.8 + 1e-8 for one in points for entry in one["weights"])
    shown = absfin(server, *given).stdout
    assert all(f"{figure * 100:.2f} %" in shown for figure in returns)
    assert "risk_measure" in told(server, *given, "--risk-measure", "x")


def test_a_risk_model_is_shown_and_written(server: RunningServer, prices: Path, tmp_path: Path) -> None:
    absfin(server, "import", str(prices))
    with Client(server.address) as client:
        model = client.estimate_risk_model(Stored(["P", "Q"]))
    header, *rows = csv.reader(absfin(server, "risk-model", "--symbols", "P,Q", "--array", "covariance").stdout.split())
    assert (header, [row[0] for row in rows]) == (["symbol", "P", "Q"], ["P", "Q"])
    assert np.array_equal(np.array([row[1:] for row in rows], dtype=float), model.covariance)
    path = tmp_path / "returns.csv"
    absfin(server, "risk-model", "--symbols", "P,Q", "--array", "expected_returns", "-o", str(path))
    assert path.read_text().splitlines()[1] == f"P,{model.expected_returns[0].item()!r}"
    shown = absfin(server, "risk-model", "--prices", str(prices), "--ewma-half-life", "10", "--factors", "1").stdout
    assert f"{model.expected_returns[0] * model.diagnostics.periods_per_year * 100:.2f} %" in shown
    parts = [
        json.loads(line) for line in absfin(server, "risk-model", "--symbols", "P,Q", "--json").stdout.splitlines()
    ]
    assert {name for part in parts for name in part} == {"diagnostics", "chunk"}
    assert "--array: 'x' is none of" in told(server, "risk-model", "--symbols", "P", "--array", "x")
    assert "--output: needs --array" in told(server, "risk-model", "--symbols", "P", "-o", str(path))


@pytest.mark.parametrize(
    ("reader", "text", "words"),
    [
        (read_panel, "date,P,Q\n2021-01-01,1,2\n\n2021-01-02,1,abc", "line 4, column 3 (Q): 'abc' is no number"),
        (read_panel, "date,P\nfirst,1", "line 2, column 1 (date): 'first' is no date such as 2024-01-31"),
        (read_panel, 'date,"P\nQ"\n2021-01-01,x', "line 3, column 2"),
        (lambda path: read_weights(str(path), []), "symbol,weight\nA,1\nB,x", "line 3, column 2 (weight) is 'x'"),
        (read_universe, "2020-01-01,A\nsoon,B", "line 2, column 1 (date) is 'soon'"),
        (read_rates, "date,rate\n2020-01-01,", "line 2, column 2 (rate) is ''"),
        (read_liquidity, "A,1\nB,2,x", "line 2, column 3 (volatility) is 'x'"),
        (read_liquidity, "A,1,2,3", "line 1 has 4 cells"),
    ],
)
def test_an_error_of_a_file_names_line_and_column(
    tmp_path: Path, reader: Callable[[Path], object], text: str, words: str
) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(text)
    with pytest.raises(typer.BadParameter) as raised:
        reader(path)
    assert words in raised.value.message
