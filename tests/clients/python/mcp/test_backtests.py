"""Backtests by tools: their progress is told, they go on without their caller, and they can be stopped."""

from functools import partial
from typing import Any

import anyio
import pytest
from absfin import Client

from tests.clients.python.mcp.host import SYMBOLS, Host, hosted
from tests.conftest import RunningServer

QUICK = {"symbols": SYMBOLS, "strategy": "min_risk", "lookback_periods": 60}
LONG = {"symbols": SYMBOLS, "strategy": "kelly", "lookback_periods": 60, "rebalance": "weekly"}
"""Decisions that are optimised one by one."""

PATIENCE = 90.0
"""Seconds that a test waits for a job."""


async def finished(host: Host, **arguments: Any) -> dict[str, Any]:
    """The answer to a backtest that must succeed."""
    done = await host.answer("backtest", **arguments, wait_seconds=PATIENCE)
    assert done["state"] == "succeeded", done
    return done


async def end_of(host: Host, name: str) -> str:
    """The state in which a job ends."""
    state: str = (await host.answer("follow_backtest", name=name, wait_seconds=PATIENCE))["state"]
    return state


async def test_progress_is_told_until_the_end(engine: RunningServer) -> None:
    async with hosted(engine.address, "--store") as host:
        done = await finished(host, **QUICK, commission_bps=10, benchmark="A", label="told")
        fractions = [progress for progress, _, _ in host.notices]
        assert len(fractions) >= 2
        assert fractions == sorted(set(fractions)), "each notice says more than the one before"
        assert {total for _, total, _ in host.notices} == {1.0}
        assert all(done["name"] in (said or "") for _, _, said in host.notices)
        assert "net asset value" in (host.notices[-1][2] or "")
        with Client(engine.address) as client:
            whole = client.get_backtest(done["name"])
        (strategy,), (benchmark,) = done["strategies"], done["benchmarks"]
        assert strategy["metrics"]["sharpe"] == pytest.approx(whole.metrics["sharpe"], rel=1e-5)
        assert len(strategy["metrics"]) < len(whole.metrics)
        assert benchmark["label"] == "A"
        every = await host.answer("get_backtest", name=done["name"], all_figures=True)
        assert set(every["strategies"][0]["metrics"]) == set(whole.metrics)


async def test_a_job_outlives_the_call_that_started_it(engine: RunningServer) -> None:
    async with hosted(engine.address, "--store") as host:
        started = await host.answer("backtest", **LONG, wait_seconds=0)
        assert started["state"] in ("queued", "running")
        assert f"follow_backtest with the name {started['name']}" in started["what_to_do"]
        assert await end_of(host, started["name"]) == "succeeded"
        # A host that gives up cancels its request, and the next ones are answered.
        host.noticed = anyio.Event()
        async with anyio.create_task_group() as calls:
            calls.start_soon(partial(host.answer, "backtest", **LONG, label="given up"))
            with anyio.fail_after(PATIENCE):
                await host.noticed.wait()
            calls.cancel_scope.cancel()
        (job,) = (await host.answer("list_backtests", label="given up"))["backtests"]
        assert await end_of(host, job["name"]) == "succeeded"


async def test_a_job_is_stopped(engine: RunningServer) -> None:
    async with hosted(engine.address, "--store") as host:
        started = await host.answer("backtest", **LONG, wait_seconds=0)
        assert (await host.answer("cancel_backtest", name=started["name"]))["name"] == started["name"]
        assert await end_of(host, started["name"]) == "cancelled"


async def test_strategies_and_their_dates(engine: RunningServer) -> None:
    async with hosted(engine.address, "--store") as host:
        bought = {"strategy": "fixed_weights", "weights": {"A": 1.0}, "rebalance": "never"}
        fixed = await finished(host, symbols=SYMBOLS, **bought)
        (prices,) = (await host.answer("get_prices", symbols=["A"], max_points=2))["columns"].values()
        first, last = prices["values"]
        # Filled at the close after the decision on the first date, so about one return is missing.
        assert fixed["strategies"][0]["metrics"]["final_wealth"] == pytest.approx(last / first, rel=0.05)
        assert fixed["strategies"][0]["rebalances"] == 1
        momentum = {"strategy": "momentum", "lookback_periods": 20, "top_n": 1, "drift_band": 0.2}
        assert (await finished(host, symbols=SYMBOLS, **momentum))["strategies"][0]["rebalances"] >= 1
        bounded = {"strategy": "min_risk", "max_weight": 0.5, "lookback_periods": 60, "rebalance": "quarterly"}
        (strategy,) = (await finished(host, symbols=SYMBOLS, **bounded))["strategies"]
        assert strategy["label"] == "min_risk"
