"""Stored results from the command line: lists, their filters, and names as bare ids."""

import csv
import gzip
import json
from datetime import UTC, date, timedelta
from pathlib import Path

import numpy as np
import pytest
import typer
from absfin import Client, Holdings, Panel, Prices, Stored, equal_weight, min_risk, strategies
from absfin.cli.csv_files import read_panel
from absfin.cli.names import full_name

from tests.clients.python.command_line import absfin, as_json
from tests.conftest import RunningServer


def test_a_bare_id_and_a_full_name_are_the_same() -> None:
    assert full_name("mine", "backtests") == full_name("backtests/mine", "backtests") == "backtests/mine"
    assert full_name("portfolios/a", "reallocations", "portfolios") == "portfolios/a"
    assert full_name("a", "reallocations", "portfolios") == "reallocations/a"
    for wrong in ("", " ", "backtests/", "portfolios/a", "a/backtests/b"):
        with pytest.raises(typer.BadParameter, match="backtests/ID"):
            full_name(wrong, "backtests")


@pytest.fixture
def job(server: RunningServer, prices: Path) -> str:
    """The id of a backtest that has succeeded."""
    with Client(server.address) as client:
        data, strategy = Prices(read_panel(prices)), strategies.equal_weight()
        done = client.backtest(data, strategy, commission_bps=5.0, label="cli-stored", wait_seconds=30.0)
        assert done.state == "succeeded"
        return done.name.removeprefix("backtests/")


def test_backtests_are_listed_by_label_and_state(server: RunningServer, job: str) -> None:
    found = as_json(server, "backtests", "list", "--label", "cli-stored", "--state", "succeeded")["backtests"]
    assert found[0]["name"] == f"backtests/{job}"
    assert {one["label"] for one in found} == {"cli-stored"}
    shown = absfin(server, "backtests", "list", "--label", "cli-stored").stdout
    assert f"backtests/{job}" in shown
    assert "succeeded" in shown
    assert "100%" in shown
    assert "backtests" not in as_json(server, "backtests", "list", "--label", "cli-stored", "--state", "failed")
    assert "backtests" not in as_json(server, "backtests", "list", "--label", "never used")
    assert "none of queued" in " ".join(absfin(server, "backtests", "list", "--state", "x", status=2).stderr.split())
    assert "owner" in absfin(server, "backtests", "list", "--all").stdout


def test_a_list_is_as_long_as_its_limit(server: RunningServer, job: str, prices: Path) -> None:
    for _ in range(2):
        absfin(server, "optimize", "--prices", str(prices), "--objective", "equal-weight")
    first = as_json(server, "optimizations", "list", "--limit", "1")
    assert len(first["optimizations"]) == 1
    assert first["nextPageToken"]
    assert "there are more than 1: --limit N lists N" in absfin(server, "optimizations", "list", "--limit", "1").stderr
    absfin(server, "backtests", "list", "--limit", "0", status=2)


@pytest.mark.parametrize("prefix", ["", "backtests/"])
def test_a_backtest_is_shown_by_either_name(server: RunningServer, job: str, prefix: str) -> None:
    name = prefix + job
    assert as_json(server, "backtests", "show", name)["name"] == f"backtests/{job}"
    assert "equal_weight" in absfin(server, "backtests", "show", name).stdout
    assert as_json(server, "watch", name)["name"] == f"backtests/{job}"
    assert as_json(server, "tables", name)["label"] == "equal_weight"
    assert "equity" in json.loads(absfin(server, "charts", name, "--chart", "equity").stdout)
    assert absfin(server, "backtests", "cancel", name).stdout == f"backtests/{job} is succeeded\n"
    assert as_json(server, "backtests", "cancel", name)["state"] == "BACKTEST_STATE_SUCCEEDED"


def test_a_backtest_is_deleted(server: RunningServer, job: str) -> None:
    assert absfin(server, "backtests", "delete", job).stdout == f"backtests/{job} is deleted\n"
    gone = absfin(server, "backtests", "show", job, status=1).stderr
    assert "absfin backtests list" in gone
    refused = absfin(server, "backtests", "delete", "optimizations/x", status=2).stderr
    assert "backtests/ID" in refused


def test_a_series_is_exported(server: RunningServer, job: str, tmp_path: Path) -> None:
    with Client(server.address) as client:
        weights = client.backtest_series(f"backtests/{job}", "weights")
    header, *rows = csv.reader(absfin(server, "backtests", "export", job, "--series", "weights").stdout.splitlines())
    assert tuple(header) == ("date", *weights.symbols)
    assert np.array_equal(np.array([row[1:] for row in rows], dtype=float), weights.values)
    zipped = tmp_path / "equity.csv.gz"
    done = absfin(server, "backtests", "export", job, "--output", str(zipped))
    assert done.stdout == ""
    assert gzip.decompress(zipped.read_bytes()).startswith(b"date,")
    assert read_panel(zipped).values[0] == pytest.approx(1.0, rel=1e-2)
    assert "series" in absfin(server, "backtests", "export", job, "--series", "x", status=2).stderr
    assert ".csv.gz" in absfin(server, "backtests", "export", job, "-o", str(tmp_path / "a.xlsx"), status=2).stderr
    absent = absfin(server, "backtests", "export", job, "-o", str(tmp_path / "none" / "a.csv"), status=1)
    assert "cannot write" in absent.stderr


def test_parquet_is_written(server: RunningServer, job: str, tmp_path: Path) -> None:
    path, same = tmp_path / "equity.parquet", tmp_path / "equity.csv"
    for one in (path, same):
        absfin(server, "backtests", "export", job, "-o", str(one))
    written, expected = read_panel(path), read_panel(same)
    assert (written.symbols, written.dates.tolist()) == (expected.symbols, expected.dates.tolist())
    assert np.allclose(written.values, expected.values, rtol=1e-9)


def test_optimizations_are_listed_shown_and_deleted(server: RunningServer, prices: Path) -> None:
    with Client(server.address) as client:
        made = client.optimize(Prices(read_panel(prices)), equal_weight(), label="cli-optimization")
    bare = made.name.removeprefix("optimizations/")
    (found,) = as_json(server, "optimizations", "list", "--label", "cli-optimization")["optimizations"]
    assert (found["name"], found["assets"]) == (made.name, 2)
    shown = absfin(server, "optimizations", "list", "--label", "cli-optimization", "--all").stdout
    assert made.name in shown
    assert f"{found['volatilityAnnual'] * 100:.2f} %" in shown
    assert as_json(server, "optimizations", "show", bare)["weights"] == [
        {"symbol": "P", "weight": 0.5},
        {"symbol": "Q", "weight": 0.5},
    ]
    assert "50.00 %" in absfin(server, "optimizations", "show", made.name).stdout
    assert as_json(server, "optimizations", "delete", bare) == {}
    assert "NOT_FOUND" in absfin(server, "optimizations", "show", bare, status=1).stderr


def test_reallocations_are_listed_shown_and_deleted(server: RunningServer, prices: Path) -> None:
    absfin(server, "import", str(prices))
    absfin(server, "portfolio", "create", "portfolios/cli-plans", "--holdings", "P=100")
    absfin(server, "reallocate", "P=0.5,Q=0.5", "--portfolio", "cli-plans", "--symbols", "P,Q")
    for portfolio in ("cli-plans", "portfolios/cli-plans"):
        (found,) = as_json(server, "reallocations", "list", "--portfolio", portfolio)["reallocations"]
    name, bare = found["name"], found["name"].removeprefix("reallocations/")
    shown = absfin(server, "reallocations", "list", "--portfolio", "cli-plans", "--state", "current").stdout
    assert name in shown
    assert " plan " in shown
    assert "reallocations" not in as_json(
        server, "reallocations", "list", "--portfolio", "cli-plans", "--state", "filled"
    )
    assert as_json(server, "reallocations", "show", bare)["name"] == name
    assert "cash after" in absfin(server, "reallocations", "show", name).stdout
    assert absfin(server, "reallocations", "delete", bare).stdout == f"{name} is deleted\n"
    assert "NOT_FOUND" in absfin(server, "reallocations", "show", bare, status=1).stderr
    assert '"cash"' in absfin(server, "portfolio", "show", "cli-plans").stdout
    absfin(server, "portfolio", "delete", "cli-plans")


def test_a_stale_result_says_since_when(server: RunningServer) -> None:
    symbols, dates = ("STALE.A", "STALE.B"), [date(2024, 1, 1) + timedelta(i) for i in range(30)]
    values = np.random.default_rng(3).uniform(90.0, 110.0, (30, 2))
    with Client(server.address) as client:
        client.import_prices(Panel.of(list(symbols), dates, values.tolist()))
        made = client.optimize(Stored(symbols), min_risk(), label="cli-stale")
        holdings, target = Holdings({"STALE.A": 10.0}), {"STALE.B": 1.0}
        held = client.reallocate(holdings, Stored(symbols), target, label="cli-stale")
        job = client.backtest(Stored(symbols), strategies.equal_weight(), label="cli-stale")
        assert (made.stale_since, held.stale_since, job.stale_since) == (None, None, None)
        client.import_prices(Panel.of(["STALE.A"], [dates[7]], [[120.0]]))
        found = [
            client.get_optimization(made.name).stale_since,
            client.get_reallocation(held.name).stale_since,
            client.get_backtest(job.name).stale_since,
        ]
    assert all(since is not None and since.tzinfo is UTC for since in found)
    assert len(set(found)) == 1
    shown = f"{found[0]:%Y-%m-%d %H:%M}"
    for kind in ("optimizations", "reallocations", "backtests"):
        table = absfin(server, kind, "list", "--label", "cli-stale").stdout
        assert "stale since, UTC" in table
        assert shown in table
