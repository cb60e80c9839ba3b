"""Each benchmark, on its smallest size: it runs to its end, prints what it should, and its answers agree.

Those that take seconds are exhaustive.
"""

import json
import math
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.supabase_stack import why_not

SOLVERS = {"cvxpy", "osqp", "clarabel", "piqp", "highs"}
DIFFERENCE = 1e-5
"""What the libraries' own tolerances allow; ours is never worse by more than 1e-7."""


def _lines(script: str, *arguments: str) -> list[dict[str, Any]]:
    command = [sys.executable, f"benchmarks/{script}.py", "--quick", "--json", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _jobs(lines: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(line["job"] for line in lines))


JUDGED = ("min_variance", "max_ratio", "min_cvar", "risk_parity", "frontier", "constrained", "constrained_turnover")


@pytest.fixture(scope="module")
def optimized() -> list[dict[str, Any]]:
    """One run for all jobs: most of its time is what the peers load."""
    return _lines("optimize")


@pytest.mark.exhaustive
def test_optimize_has_every_job(optimized: list[dict[str, Any]]) -> None:
    assert {line["job"] for line in optimized} == {f"{job}/N=20" for job in (*JUDGED, "hrp")}


@pytest.mark.exhaustive
@pytest.mark.parametrize("job", JUDGED)
def test_optimize_judges_the_timed_answers(optimized: list[dict[str, Any]], job: str) -> None:
    lines = [line for line in optimized if line["job"] == f"{job}/N=20"]
    if job != "risk_parity":  # which needs more than a quadratic or linear program
        assert {line["peer"].split()[0] for line in lines} & SOLVERS
    for line in lines:
        assert line["ours_ms"] > 0.0
        assert line["ratio"] == pytest.approx(line["peer_ms"] / line["ours_ms"])
        assert min(line["ours_rounds"], line["peer_rounds"]) >= 2
        assert line["ours_violation"] <= 1e-8
        assert -DIFFERENCE <= line["objective_difference_clipped"] <= 1e-7, line
        assert line["objective_difference"] <= 1e-7 + 100.0 * line["peer_violation"], line


@pytest.mark.exhaustive
def test_risk_times_the_report_and_a_series() -> None:
    lines = _lines("risk")
    assert _jobs(lines) == ["report/N=160,T=800", "report/growth=N", "report/growth=T", "series/T=800"]
    assert all(line["ours_ms"] > 0.0 for line in lines)
    assert lines[-1]["figures"] == 21


@pytest.mark.exhaustive
def test_analysis_report_writes_every_chart() -> None:
    (line,) = _lines("analysis_report")
    assert (line["job"], line["dates"], line["charts"]) == ("analysis/report", 1000, 8)
    assert line["ours_ms"] > 0.0
    if "peer" in line:
        assert line["ratio"] == pytest.approx(line["peer_ms"] / line["ours_ms"])
        assert line["largest_difference"] < 1e-9


@pytest.mark.exhaustive
def test_walk_forward_counts_windows_without_an_answer() -> None:
    lines = _lines("walk_forward", "--jobs", "min_variance", "hrp", "simulated_min_variance")
    assert _jobs(lines) == ["walk_forward/min_variance", "walk_forward/hrp", "walk_forward/simulated_min_variance"]
    for line in lines:
        assert (line["windows"], line["ours_missing"], line["ours_refused"]) == (4, 0, 0)
        assert line["ratio"] == pytest.approx(line["peer_seconds"] / line["ours_seconds"])
    assert all(line["objective_difference"] <= 1e-7 for line in lines if "min_variance" in line["job"])


@pytest.mark.exhaustive
def test_cvar_scale_is_no_worse_than_its_peers() -> None:
    lines = _lines("cvar_scale")
    assert _jobs(lines) == ["cvar_scale/100x1000", "cvar_scale/100x2000", "cvar_scale/growth"]
    for line in lines[:-1]:
        assert line["ours_ms"] > 0.0
        assert line["ratio"] == pytest.approx(line["peer_ms"] / line["ours_ms"])
        assert -DIFFERENCE <= line["objective_difference"] <= 1e-7
    assert lines[-1]["sizes"] == [1000, 2000]
    assert lines[-1]["exponent"] == pytest.approx(math.log(lines[-1]["ms"][1] / lines[-1]["ms"][0]) / math.log(2.0))


def test_batch_verifies_every_answer() -> None:
    (line,) = _lines("batch")
    counted: Mapping[str, object] = {key: line[key] for key in ("answered", "failed", "not_verified")}
    assert counted == {"answered": 50, "failed": 0, "not_verified": 0}
    assert line["turnover_binds"] > 0


def test_reallocate_carries_out_every_plan() -> None:
    """The peer is no part of the workspace; where it is not installed, the line of the account has none."""
    lines = _lines("reallocate")
    kinds = ("fifo", "fifo_tax_aversion")
    assert _jobs(lines) == [
        "reallocate/20x60lots",
        "reallocate/batch=10x50",
        *(f"reallocate/20x60lots/{kind}" for kind in kinds),
        "reallocate/40x120lots/turnover",
    ]
    batch = lines[1]
    for line in lines:
        assert line["ours_ms"] > 0.0
        assert 0.0 <= line["gap"] <= 1e-3
    assert batch["not_verified"] == 0
    assert batch["accounts_per_second"] > 0.0


@pytest.mark.exhaustive
def test_service_times_calls_and_backtests() -> None:
    lines = _lines("service")
    assert [line["job"].split("/")[0] for line in lines] == [
        "optimize",
        "optimize",
        "optimize_while_two_backtests_run",
        "backtest_min_variance",
        "backtest_equal_weight",
    ]
    assert all(0.0 < line["p50_ms"] <= line["p99_ms"] for line in lines)
    assert lines[-1]["worker_peak_mb"] > 10.0


def test_simulate_has_the_band_job_without_the_libraries_too() -> None:
    """The libraries are no part of the workspace; where they are installed, their final values are near ours."""
    lines = _lines("simulate")
    assert lines[-1]["job"] == "simulate/500x300/bands"
    assert lines[-1]["peer"].endswith("simulate/500x300/monthly")
    for line in lines:
        assert line["ours_ms"] > 0.0
        assert line["ratio"] == pytest.approx(line["peer_ms"] / line["ours_ms"])
    assert all(abs(line["wealth_difference"]) < 1e-2 for line in lines[:-1])


def test_sweep_gives_the_same_bits_with_two_workers() -> None:
    """The library is no part of the workspace; where it is installed, its final values are ours."""
    lines = _lines("sweep")
    assert _jobs(lines) == ["sweep/20", "sweep/scale/20/workers=1", "sweep/scale/20/workers=2"]
    first, *scales = lines
    assert first["ours_ms"] > 0.0
    if first["peer"] is not None:
        assert first["ratio"] == pytest.approx(first["peer_ms"] / first["ours_ms"])
        assert max(first["wealth_difference"], first["drawdown_difference"]) < 1e-9
    assert all(line["same_bits"] for line in scales)
    assert all(line["wall_ms"] > 0.0 and line["points"] == 20 for line in scales)


@pytest.mark.exhaustive
def test_validation_times_a_path_and_a_comparison() -> None:
    lines = _lines("analysis_validation")
    assert _jobs(lines) == ["analysis/validation", "analysis/validation/formulas", "analysis/comparison/20"]
    assert all(line["ours_ms"] > 0.0 for line in lines)
    assert {line["observations"] for line in lines} == {8312}


def test_events_times_prices_with_and_without_signals() -> None:
    lines = _lines("events")
    job = "events/tick_20_portfolios"
    rest = ("events/closes_20_portfolios", "events/closes_and_risk_20_portfolios")
    served = ["events/publish_to_signal", f"{job}/served"]
    assert _jobs(lines) == [job, f"{job}_with_signals", *rest, *served]
    assert all((line["portfolios"], line["assets"]) == (20, 50) for line in lines)
    assert all(line["ours_ms"] > 0.0 for line in lines[:4])
    assert lines[1]["signals"] >= 20 * lines[1]["rounds"]
    latency, tick = lines[4:]
    assert 0.0 < latency["p50_ms"] <= latency["p99_ms"]
    assert (latency["store"], latency["signals"]) == ("embedded", 5)
    assert (tick["store"], tick["ticks"], tick["signals"]) == ("embedded", 4, 0)
    assert tick["ours_ms"] >= 0.0


def test_attribution_adds_up() -> None:
    lines = _lines("analysis_attribution")
    assert _jobs(lines) == ["analysis/attribution", "analysis/attribution/weights"]
    assert all(abs(line["difference"]) <= 1e-10 and 0.0 < line["ours_ms"] < line["limit_ms"] for line in lines)


def test_analysis_runs_all_of_its_scripts() -> None:
    """Each of which has a test of its own here, and tells its options where all are asked for theirs."""
    command = [sys.executable, "benchmarks/analysis.py", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    named = re.findall(r"^usage: (\S+)", done.stdout, re.MULTILINE)
    assert sorted(named) == sorted(path.name for path in (ROOT / "benchmarks").glob("analysis_*.py"))


@pytest.mark.exhaustive
def test_storage_times_both_stores_and_rows() -> None:
    if cause := why_not("system"):
        pytest.skip(cause)
    lines = _lines("storage")
    both = ["embedded", "supabase"]
    assert [line["store"] for line in lines if line["job"] == "storage/import/20x800"] == both
    assert [line["store"] for line in lines if line["job"] == "storage/read/20x252"] == both
    calls = [(line["job"], line["store"]) for line in lines if line["job"].startswith("storage/call/")]
    assert len(calls) == len(set(calls)) == 2 * len({job for job, _ in calls}) >= 14
    rows = [line for line in lines if line["job"] == "storage/read/20x252/rows"]
    assert [line["peer"] for line in rows] == ["rows in pages of 1000", "rows as JSON of a function"]
    for line in rows:
        assert line["ratio"] == pytest.approx(line["peer_ms"] / line["ours_ms"])
    assert all(line.get("ours_ms", line.get("p50_ms")) > 0.0 for line in lines)


@pytest.mark.exhaustive
def test_sweep_cost_times_a_trial_of_each_strategy() -> None:
    lines = _lines("sweep_cost")
    assert _jobs(lines) == ["sweep_cost/momentum/20", "sweep_cost/min_variance/20"]
    assert all(line["ours_ms"] > 0.0 and line["peak_mb"] > 50.0 and line["trials"] == 3 for line in lines)
