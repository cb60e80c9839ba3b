"""Backtests by tools: their progress is told, they go on without their caller, and they can be stopped."""

import anyio
import pytest
from absfin import Client

from tests.clients.python.mcp.host import SYMBOLS, hosted
from tests.conftest import RunningServer

LONG = {"symbols": SYMBOLS, "strategy": "kelly", "lookback_periods": 60, "rebalance": "daily"}
"""Decisions that are optimised one by one."""


async def test_progress_is_told_until_the_end(engine: RunningServer) -> None:
    async with hosted(engine.address, "--store") as host:
        done = await host.answer("backtest", **LONG, commission_bps=10, benchmark="A", label="told")
        assert done["state"] == "succeeded"
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
        assert (await host.answer("follow_backtest", name=started["name"]))["state"] == "succeeded"
        # A host that gives up cancels its request, and the next ones are answered.
        with anyio.move_on_after(1.0):
            await host.answer("backtest", **LONG, label="given up")
        (job,) = (await host.answer("list_backtests", label="given up"))["backtests"]
        assert (await host.answer("follow_backtest", name=job["name"]))["state"] == "succeeded"


async def test_a_job_is_stopped(engine: RunningServer) -> None:
    async with hosted(engine.address, "--store") as host:
        started = await host.answer("backtest", **LONG, wait_seconds=0)
        assert (await host.answer("cancel_backtest", name=started["name"]))["name"] == started["name"]
        assert (await host.answer("follow_backtest", name=started["name"]))["state"] == "cancelled"


async def test_strategies_and_their_dates(engine: RunningServer) -> None:
    async with hosted(engine.address, "--store") as host:
        fixed = await host.answer(
            "backtest", symbols=SYMBOLS, strategy="fixed_weights", weights={"A": 1.0}, rebalance="never", label="bought"
        )
        (prices,) = (await host.answer("get_prices", symbols=["A"], max_points=2))["columns"].values()
        first, last = prices["values"]
        # Filled at the close after the decision on the first date, so about one return is missing.
        assert fixed["strategies"][0]["metrics"]["final_wealth"] == pytest.approx(last / first, rel=0.05)
        assert fixed["strategies"][0]["rebalances"] == 1
        momentum = {"strategy": "momentum", "lookback_periods": 20, "top_n": 1, "drift_band": 0.2}
        assert (await host.answer("backtest", symbols=SYMBOLS, **momentum))["state"] == "succeeded"
        bounded = {"strategy": "min_risk", "max_weight": 0.5, "lookback_periods": 60, "rebalance": "quarterly"}
        assert (await host.answer("backtest", symbols=SYMBOLS, **bounded))["state"] == "succeeded"
