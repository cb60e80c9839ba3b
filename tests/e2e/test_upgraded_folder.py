"""A data folder that a server of the version before wrote: what it stored is served as it was."""

import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import RunningServer, Wire
from tests.e2e.test_simulation import series

SERIES = ("EQUITY", "NAV", "DRAWDOWN", "WEIGHTS", "TRADES")
REQUEST = {
    "returns": {
        "symbols": ["A", "B"],
        "dates": list(range(19_000, 19_060)),
        "values": [((7 * i) % 11 - 5) / 500 for i in range(120)],
    },
    "strategy": {"equalWeight": {}},
    "rebalancing": {"everyPeriods": {"n": 5}},
    "costs": {"commissionBps": 10, "halfSpreadBps": 5},
    "periodsPerYear": 252,
    "wait": "60s",
}
MIGRATIONS = Path(__file__).parents[2] / "server/storage/embedded/migrations"

OF_VERSION_5 = ("wealth", "fill_places", "units", "cash", "cost_fractions", "turnovers")
"""Arrays of a record in files of the schema's fifth version, beside the costs of each fill."""


def test_backtests_of_the_version_before_are_served(start_server: Callable[..., RunningServer], tmp_path: Path) -> None:
    first = start_server(data_dir=tmp_path)
    with first.channel() as channel:
        wire = Wire(channel)
        name = wire.call("BacktestService/Backtest", REQUEST)["name"]
        result = wire.call("BacktestService/GetBacktest", {"name": name})["result"]
        before = {kind: series(wire, name, kind) for kind in SERIES}
    first.process.terminate()
    first.process.wait(timeout=20)
    as_version_5(next(path for path in tmp_path.rglob("*.sqlite3")))
    with start_server(data_dir=tmp_path).channel() as channel:
        wire = Wire(channel)
        assert wire.call("BacktestService/GetBacktest", {"name": name})["result"] == result
        for kind in SERIES:
            assert series(wire, name, kind) == before[kind], kind
        assert wire.call("MarketDataService/ListCorporateActions", {}) == {}
        again = wire.call("BacktestService/Backtest", REQUEST)["result"]
        assert again["finalNav"] == pytest.approx(result["finalNav"], rel=1e-14)


def as_version_5(path: Path) -> None:
    """Puts a database of that version in the place of this one, with the jobs that are in it."""
    old = path.with_name("old.sqlite3")
    with sqlite3.connect(old) as connection:
        for script in sorted(MIGRATIONS.iterdir())[:5]:
            connection.executescript(script.read_text())
        connection.execute("ATTACH ? AS new", (str(path),))
        connection.execute("INSERT INTO backtest_inputs SELECT * FROM new.backtest_inputs")
        connection.execute(
            "INSERT INTO backtests SELECT key, id, request_id, body, label, caller, state, cost_estimate, run_micros, "
            "counted_micros, queued_micros, yielded, attempt, crashes, worker, lease_micros, fraction, day, wealth, "
            "stage, epoch, last_event, dropped_event, created_micros, finished_micros, fingerprint, "
            "json_remove(inputs, '$[6]', '$[5]'), request, error, result FROM new.backtests"
        )
        tables = {
            "backtest_input_uses": "fingerprint",
            "backtest_events": "number, micros, kind, day, reason, message, stage",
            "backtest_series": "position, label, data",
        }
        for table, columns in tables.items():
            theirs = ", ".join(f"c.{name}" for name in columns.split(", "))
            jobs = f"new.{table} c JOIN new.backtests b ON b.key = c.backtest_key"
            connection.execute(f"INSERT INTO {table} (backtest_id, {columns}) SELECT b.id, {theirs} FROM {jobs}")  # noqa: S608  # constants
        for number, data in connection.execute("SELECT rowid, data FROM backtest_series").fetchall():
            connection.execute("UPDATE backtest_series SET data = ? WHERE rowid = ?", (older(data), number))
        connection.execute("PRAGMA user_version = 5")
    connection.close()
    for rest_of_new in path.parent.glob(f"{path.name}*"):
        rest_of_new.unlink()
    old.rename(path)


def older(data: bytes) -> bytes:
    """The record of a strategy with the arrays of version 5 alone."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        arrays: dict[str, Any] = {f"0.{name}": file[f"0.{name}"] for name in OF_VERSION_5}
        rest = json.loads(file["rest"].tobytes())
    arrays["0.cost_money"] = np.zeros((len(arrays["0.cash"]), 2))
    arrays["rest"] = np.frombuffer(json.dumps(rest).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()
