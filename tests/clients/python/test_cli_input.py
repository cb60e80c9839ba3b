"""Input of the command line: standard input, gzipped tables and Parquet; and what an import warns of."""

import gzip
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import typer
from absfin import Panel, Prices
from absfin.cli.csv_files import read_panel, read_rates, read_weights
from absfin.cli.options import data_of
from absfin.cli.panel_files import write_panel
from absfinance.v1.market_data_service_pb2 import ImportPricesResponse
from absfinance.v1.market_data_service_pb2_grpc import (
    MarketDataServiceServicer,
    add_MarketDataServiceServicer_to_server,
)
from google.protobuf.json_format import ParseDict

from tests.clients.python.command_line import absfin, as_json, lines_of, told
from tests.conftest import RunningServer

PRICES = "date,STDIN1,STDIN2\n2021-01-04,1,2\n2021-01-05,1.5,2\n2021-01-06,1.25,2.5\n"
FILLS = "fill_id,symbol,quantity,price,fill_time\n1,STDIN1,10,20,2024-03-07\n"


def test_prices_come_from_standard_input(server: RunningServer) -> None:
    new = PRICES.replace("STDIN", "PIPED")  # others of the server's tests import those
    assert absfin(server, "import", "-", sent=new).stdout.startswith("2 symbols: 6 values inserted")
    assert absfin(server, "prices", "export", "--symbols", "PIPED1").stdout.splitlines()[2] == "2021-01-05,1.5"
    answer = json.loads(absfin(server, "optimize", "--prices", "-", "--json", sent=PRICES).stdout)
    assert {one["symbol"] for one in answer["weights"]} == {"STDIN1", "STDIN2"}


@pytest.mark.parametrize(
    ("arguments", "sent", "words"),
    [
        (("instruments", "import", "-"), "symbol,currency\nSTDIN1,USD\n", "1 instruments stored"),
        (("actions", "import", "-"), "STDIN1,2021-01-05,split,2", "1 corporate actions stored"),
        (("risk", "-", "--symbols", "STDIN1,STDIN2"), "symbol,weight\nSTDIN1,0.5\nSTDIN2,0.5\n", "volatility, annual"),
        (("fills", "portfolios/stdin", "-"), FILLS, "etag"),
    ],
)
def test_other_lists_do_too(server: RunningServer, arguments: tuple[str, ...], sent: str, words: str) -> None:
    absfin(server, "import", "-", sent=PRICES)
    if arguments[0] == "fills":
        absfin(server, "portfolio", "create", "stdin", "--cash", "1000")
    assert words in absfin(server, *arguments, sent=sent).stdout


def test_an_error_of_standard_input_has_line_and_column(server: RunningServer) -> None:
    wrong = PRICES.replace("1.5", "many")
    assert "standard input, line 3, column 2 (STDIN1): 'many' is no number" in told(server, "import", "-", sent=wrong)
    assert "standard input needs a header line" in told(server, "import", "-")


def test_standard_input_is_one_file(server: RunningServer) -> None:
    said = told(server, "attribute", "-", "-", "-", "-", sent=PRICES)
    assert "standard input can be one file only" in said


def test_a_gzipped_table_is_read_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "prices"
    path.write_bytes(gzip.compress(PRICES.encode()))
    assert read_panel(path).symbols == ("STDIN1", "STDIN2")
    path.write_bytes(gzip.compress(PRICES.encode())[:-9])
    with pytest.raises(typer.BadParameter, match="cannot be read"):
        read_panel(path)


def test_without_pyarrow_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # as where it is not installed
    path = tmp_path / "prices.parquet"
    path.write_bytes(b"PAR1")
    for read in (lambda: read_panel(path), lambda: read_weights(str(path), [])):
        with pytest.raises(typer.BadParameter, match="pip install pyarrow"):
            read()


def test_parquet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "prices.parquet"
    panel = Panel.of(["A", "B"], ["2020-01-01", "2020-01-02"], [[1.0, np.nan], [2.0, 3.5]])
    write_panel(panel, path)
    again = read_panel(path)
    assert (again.symbols, again.dates.tolist()) == (panel.symbols, panel.dates.tolist())
    assert np.array_equal(again.values, panel.values, equal_nan=True)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(typer.BadParameter, match="no Parquet file that can be read"):
        read_panel(path)


def test_lists_are_read_from_parquet(tmp_path: Path) -> None:
    path = tmp_path / "list"
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    parquet.write_table(arrow.table({"symbol": ["A", "B"], "weight": [0.25, 0.75]}), path)
    assert read_weights(str(path), []) == {"A": 0.25, "B": 0.75}
    days = [datetime(2020, 1, 1), datetime(2020, 1, 2)]  # as pandas writes dates
    parquet.write_table(arrow.table({"date": days, "rate": [0.01, 0.02]}), path)
    assert read_rates(path) == {date(2020, 1, 1): 0.01, date(2020, 1, 2): 0.02}
    parquet.write_table(arrow.table({"symbol": ["A", "B"], "weight": [0.25, None]}), path)
    with pytest.raises(typer.BadParameter, match=r"line 3, column 2 \(weight\)"):
        read_weights(str(path), [])


def test_the_optimal_weights_are_a_file_of_weights(server: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "weights.csv"
    sent = "date,A,B\n2021-01-04,1,2\n2021-01-05,1.5,2.1\n2021-01-06,1.25,2.5\n2021-01-07,1.5,2.25\n"
    answer = json.loads(absfin(server, "optimize", "--prices", "-", "--json", sent=sent).stdout)
    assert absfin(server, "optimize", "--prices", "-", "-o", str(path), sent=sent).stdout == ""
    assert read_weights(str(path), []) == {one["symbol"]: one["weight"] for one in answer["weights"]}
    header, *points = absfin(server, "frontier", "--prices", "-", "--points", "2", "-o", "-", sent=sent).stdout.split()
    assert header == "point,expected_return_annual,volatility_annual,risk,A,B"
    assert [sum(map(float, point.split(",")[-2:])) for point in points] == pytest.approx([1.0, 1.0])


def test_a_part_of_a_file_of_prices(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(PRICES)
    days = datetime(2021, 1, 5), datetime(2021, 1, 6)
    found = data_of("STDIN2", "", path, *days)
    assert isinstance(found, Prices)
    assert found.panel.symbols == ("STDIN2",)
    assert found.panel.values.tolist() == [[2.0], [2.5]]
    for wrong, words in (
        (("ELSE", "", path, None, None), "ELSE: no such column"),
        (("", "sector=Technology", path, None, None), "a file has no labels"),
        (("", "", path, datetime(2022, 1, 1), None), "has no date between"),
    ):
        with pytest.raises(typer.BadParameter, match=words):
            data_of(*wrong)


class Doubtful(MarketDataServiceServicer):
    """Takes every import, and doubts a price."""

    def ImportPrices(  # noqa: N802  # the name of the method
        self, request_iterator: Iterator[Any], context: Any
    ) -> ImportPricesResponse:
        (header,) = [request.header for request in request_iterator if request.HasField("header")]
        answer = ImportPricesResponse(import_id=header.import_id, inserted_count=6, symbol_count=2)
        answer.warnings.add(code="PRICE_JUMP", field="chunk", message="STDIN1 rises by 50 % on 2021-01-05")
        return answer


@pytest.fixture
def doubtful(server: RunningServer) -> Iterator[RunningServer]:
    """A server of its own that warns; what it does not say is that of the shared one."""
    running = grpc.server(ThreadPoolExecutor(2))
    add_MarketDataServiceServicer_to_server(Doubtful(), running)
    port = running.add_insecure_port("127.0.0.1:0")
    running.start()
    yield RunningServer(f"127.0.0.1:{port}", server.process, server.data_dir)
    running.stop(0)


def test_what_an_import_warns_of_is_shown(doubtful: RunningServer) -> None:
    said = absfin(doubtful, "import", "-", sent=PRICES).stdout.splitlines()
    assert said[1:] == ["warning: STDIN1 rises by 50 % on 2021-01-05"]
    found = ParseDict(json.loads(absfin(doubtful, "import", "-", "--json", sent=PRICES).stdout), ImportPricesResponse())
    assert [warning.code for warning in found.warnings] == ["PRICE_JUMP"]
    assert found.inserted_count == 6


def test_stored_prices_as_messages(server: RunningServer) -> None:
    absfin(server, "import", "-", sent=PRICES)
    command = ("prices", "export", "--symbols", "STDIN1,STDIN2")
    parts = lines_of(server, *command)
    assert [next(iter(part)) for part in parts] == ["header", "rows"]
    assert parts[0]["header"]["symbols"] == ["STDIN1", "STDIN2"]
    assert "--json for standard output" in told(server, *command, "--json", "-o", "x.csv")
    assert as_json(server, "actions", "list", "--symbols", "STDIN2") == {}


def test_accounts_come_as_lines(server: RunningServer) -> None:
    absfin(server, "import", "-", sent=PRICES)
    shared = {"marketData": {"symbols": ["STDIN1", "STDIN2"]}, "spec": {"objective": {"equalWeight": {}}}}
    cap = {"label": "cap", "weightBounds": {"upper": 0.4}}
    accounts = [{"key": "one"}, {"key": "two", "constraints": [cap], "objective": {"minRisk": {}}}]
    sent = "\n".join(map(json.dumps, [{"universe": shared}, *({"account": account} for account in accounts)]))
    said = absfin(server, "optimize-batch", "-", "--json", sent=sent).stdout
    found = {one["key"]: one for one in map(json.loads, said.splitlines())}
    assert [entry["weight"] for entry in found["one"]["result"]["weights"]] == [0.5, 0.5]
    assert "cap" in found["two"]["error"]["message"]
    shown = absfin(server, "optimize-batch", "-", sent=sent).stdout
    assert "50.00 %" in shown
    assert "cap" in shown
    wrong = sent.replace('"key": "two"', '"keys": "two"')
    assert "standard input, line 3: account.keys is no field; did you mean key?" in told(
        server, "optimize-batch", "-", sent=wrong
    )


def test_quotes_come_as_lines(server: RunningServer) -> None:
    absfin(server, "import", "-", sent=PRICES)
    quote = {"symbol": "STDIN1", "time": "2021-01-07T15:00:00Z", "last": 1.5}
    batch = json.dumps({"batchId": "lines", "quotes": [quote]})
    assert absfin(server, "prices", "publish", "-", sent=batch).stdout == "lines: 1 stored\n"
    metrics = as_json(server, "prices", "metrics", "--symbols", "STDIN1")["metrics"]
    assert metrics[0]["symbol"] == "STDIN1"


def test_metrics_and_liquidity_are_tables_too(server: RunningServer) -> None:
    absfin(server, "import", "-", sent=PRICES)
    assert "STDIN1" in absfin(server, "prices", "metrics", "--symbols", "STDIN1").stdout
    assert as_json(server, "liquidity", "STDIN1=-5")["assessment"]["state"] == "LIQUIDITY_STATE_UNKNOWN"
    assert "unknown" in absfin(server, "liquidity", "STDIN1=-5").stdout
