"""Backtests by tools: their progress is told, they end with a call that is given up, and they can be stopped."""

from typing import Any

import pytest
from absfin import Client

from tests.clients.python.mcp.host import INITIALIZE, PATIENCE, SYMBOLS, Host, WithoutSdk, given_up, hosted
from tests.conftest import RunningServer

QUICK = {"symbols": SYMBOLS, "strategy": "min_risk", "lookback_periods": 60, "rebalance": "quarterly"}
LONG = {"symbols": SYMBOLS, "strategy": "kelly", "lookback_periods": 60, "rebalance": "daily"}
"""Hundreds of decisions that are optimised one by one: it does not end before it is stopped."""


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


async def test_a_call_that_is_given_up_stops_the_job_that_it_started(engine: RunningServer) -> None:
    async with hosted(engine.address, "--store") as host:
        await given_up(host, "backtest", **LONG, label="given up", wait_seconds=PATIENCE)
        (job,) = (await host.answer("list_backtests", label="given up"))["backtests"]
        assert await end_of(host, job["name"]) == "cancelled"


async def test_a_host_that_ends_stops_the_job_that_it_waits_for(engine: RunningServer) -> None:
    raw = WithoutSdk(engine.address, "--store")
    waiting = {"name": "backtest", "arguments": {**LONG, "label": "left"}, "_meta": {"progressToken": 1}}
    raw.send(*INITIALIZE, {"id": 1, "method": "tools/call", "params": waiting})
    assert raw.read()["id"] == 0
    name = raw.read()["params"]["message"]
    assert raw.end()[0] == 0
    async with hosted(engine.address) as host:
        assert await end_of(host, name) == "cancelled"


async def test_a_job_that_no_call_waits_for_goes_on_until_it_is_cancelled(engine: RunningServer) -> None:
    async with hosted(engine.address, "--store") as host:
        started = await host.answer("backtest", **LONG, wait_seconds=0)
        assert started["state"] in ("queued", "running")
        assert f"follow_backtest with the name {started['name']}" in started["what_to_do"]
        await given_up(host, "follow_backtest", name=started["name"], wait_seconds=PATIENCE)
        assert (await host.answer("get_backtest", name=started["name"]))["state"] in ("queued", "running")
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
        (strategy,) = (await finished(host, **QUICK, max_weight=0.5))["strategies"]
        assert strategy["label"] == "min_risk"
