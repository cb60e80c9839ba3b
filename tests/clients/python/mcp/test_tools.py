"""What the tools answer, over standard input and output against a real server."""

import json
from typing import Any

import absfin
import anyio
import pytest
from absfin import Client, Stored, strategies
from absfinance.v1 import (
    backtest_service_pb2,
    market_data_service_pb2,
    optimization_service_pb2,
    portfolio_service_pb2,
    reallocation_service_pb2,
    risk_service_pb2,
)
from google.protobuf.descriptor_pb2 import MethodOptions
from jsonschema import Draft202012Validator

from tests.clients.python.mcp.host import (
    DATES,
    INITIALIZE,
    PATIENCE,
    READS,
    STORES,
    SYMBOLS,
    WithoutSdk,
    given_up,
    hosted,
)
from tests.conftest import RunningServer

FORECASTS = {"symbols": ["A", "B"], "covariance": [[0.04, 0.0], [0.0, 0.09]], "periods_per_year": 1}

READING_CALLS: dict[str, dict[str, Any]] = {
    "check_server": {},
    "list_instruments": {"group": "sector=Energy"},
    "get_prices": {"symbols": ["A"], "max_points": 5},
    "get_market_metrics": {"symbols": ["A", "B"]},
    "optimize": {"symbols": SYMBOLS, "max_weight": 0.6},
    "trace_frontier": {"symbols": SYMBOLS, "points": 3},
    "analyze_risk": {"weights": {"A": 0.5, "B": 0.5}, "benchmark": "C"},
    "reallocate": {"holdings": {"A": 100}, "cash": 500, "target_weights": {"A": 0.5, "B": 0.5}},
    "list_backtests": {"state": "succeeded"},
    "get_backtest": {"name": "read"},
    "get_backtest_series": {"name": "backtests/read", "series": "weights", "max_points": 7},
    "follow_backtest": {"name": "read"},
    "list_optimizations": {},
    "get_optimization": {"name": "read"},
    "list_reallocations": {},
    "get_reallocation": {"name": "read"},
    "list_portfolios": {},
    "get_portfolio": {"name": "read"},
}

SENT: list[dict[str, Any]] = [
    {"id": 1, "method": "tools/list"},
    {"id": 2, "method": "tools/call", "params": {"name": "check_server", "arguments": {}}},
    {"id": 3, "method": "tools/call", "params": {"name": "optimize", "arguments": {"symbol": ["A"]}}},
    {"id": 4, "method": "tools/call", "params": {"name": "buy", "arguments": {}}},
    {"id": 5, "method": "tools/call", "params": {"name": "optimize", "arguments": ["A"]}},
    {"id": 6, "method": "nothing"},
]
"""Requests as a host writes them, without the SDK."""


def stored_names(client: Client) -> list[str]:
    pages = (client.list_backtests(1000), client.list_optimizations(1000), client.list_reallocations(1000))
    return [one.name for page in pages for one in page.summaries]


@pytest.fixture(scope="module")
def kept(engine: RunningServer) -> RunningServer:
    """A server that keeps one result of each kind, each named "read"."""
    data = Stored(SYMBOLS)
    with Client(engine.address) as client:
        client.backtest(data, strategies.equal_weight(), backtest_id="read", wait_seconds=60)
        client.optimize(data, absfin.min_risk(), optimization_id="read")
        client.reallocate(absfin.Holdings({"A": 10.0}, 5.0), data, {"B": 1.0}, reallocation_id="read")
        client.create_portfolio(absfin.Holdings({"A": 10.0}, 5.0).to_proto(), "read")
    return engine


async def test_tools_that_store_are_offered_on_request_alone(engine: RunningServer) -> None:
    async with hosted(engine.address) as host:
        offered = {one.name: one for one in (await host.client.list_tools()).tools}
        assert set(offered) == READS
        assert all(one.annotations is not None and one.annotations.read_only_hint for one in offered.values())
        refused = await host.error("backtest", symbols=SYMBOLS)
        assert refused["reason"] == "NOT_OFFERED"
        assert "absfin mcp --store" in refused["what_to_do"]
    async with hosted(engine.address, "--store") as host:
        offered = {one.name: one for one in (await host.client.list_tools()).tools}
        assert set(offered) == READS | STORES
        for name, one in offered.items():
            assert one.annotations is not None
            assert one.annotations.read_only_hint == (name in READS)
            assert one.annotations.destructive_hint is False
            Draft202012Validator.check_schema(one.input_schema)
            assert one.input_schema["additionalProperties"] is False
            assert one.description
            assert all(given.get("type") or "$ref" in given or "anyOf" in given for given in properties(one).values())


def properties(tool: Any) -> dict[str, Any]:
    found: dict[str, Any] = tool.input_schema["properties"]
    return found


async def test_reading_tools_call_no_method_that_changes_anything(kept: RunningServer) -> None:
    assert set(READING_CALLS) == READS
    log = kept.data_dir / "server.log"
    with Client(kept.address) as client:
        before = stored_names(client)
        already = len(log.read_text())
        async with hosted(kept.address) as host:
            for tool, arguments in READING_CALLS.items():
                assert await host.answer(tool, **arguments), tool
        called = set(methods_of(log.read_text()[already:]))
        assert stored_names(client) == before
    assert called
    # Of reallocations it is the request that says whether the plan is kept, and the names above say that none is.
    changing = {name for name in called if not is_without_effects(name)}
    assert changing == {"ReallocationService/Reallocate"}


def methods_of(log: str) -> list[str]:
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [
        line["method"].removeprefix("/absfinance.v1.") for line in lines if "/absfinance." in line.get("method", "")
    ]


def is_without_effects(name: str) -> bool:
    service, method = name.split("/")
    files = (
        backtest_service_pb2,
        market_data_service_pb2,
        optimization_service_pb2,
        portfolio_service_pb2,
        reallocation_service_pb2,
        risk_service_pb2,
    )
    (found,) = (one.DESCRIPTOR.services_by_name[service] for one in files if service in one.DESCRIPTOR.services_by_name)
    level = found.methods_by_name[method].GetOptions().idempotency_level
    return bool(level == MethodOptions.NO_SIDE_EFFECTS)


async def test_answers_are_those_of_the_client(kept: RunningServer) -> None:
    with Client(kept.address) as client:
        best = client.optimize(Stored(SYMBOLS), absfin.max_ratio(0.01), constraints=[absfin.weight_bounds(0, 0.6)])
        risk = client.analyze_risk(Stored(["A", "B"]), {"A": 0.5, "B": 0.5}, benchmark="C")
        plan = client.reallocate(absfin.Holdings({"A": 100.0}, 500.0), Stored(["A", "B"]), {"A": 0.5, "B": 0.5})
    async with hosted(kept.address) as host:
        # Least variance of uncorrelated assets: in proportion to 1/0.04 and 1/0.09.
        by_hand = await host.answer("optimize", forecasts=FORECASTS)
        assert by_hand["weights"] == pytest.approx({"A": 9 / 13, "B": 4 / 13}, abs=1e-6)
        limits = {"objective": "max_ratio", "risk_free_rate_annual": 0.01, "max_weight": 0.6}
        found = await host.answer("optimize", symbols=SYMBOLS, **limits)
        held = {symbol: weight for symbol, weight in best.weights.items() if weight > 1e-6}
        assert found["weights"] == pytest.approx(held, abs=1e-6)
        assert found["ratio"] == pytest.approx(best.ratio, rel=1e-5)
        assert sum(found["fractions_of_risk"].values()) == pytest.approx(1.0, abs=1e-5)
        found = await host.answer("analyze_risk", weights={"A": 0.5, "B": 0.5}, benchmark="C")
        assert found["volatility_annual"] == pytest.approx(risk.volatility_annual, rel=1e-5)
        assert found["beta_to_benchmark"] == pytest.approx(risk.beta_to_benchmark, rel=1e-5)
        assert "sortino" not in found
        every = await host.answer("analyze_risk", weights={"A": 0.5, "B": 0.5}, benchmark="C", all_figures=True)
        assert every["sortino"] == pytest.approx(risk.figures["sortino"], rel=1e-5)
        found = await host.answer(
            "reallocate", holdings={"A": 100}, cash=500, target_weights={"A": 0.5, "B": 0.5}, max_rows=1
        )
        assert [one["quantity"] for one in found["trades"]] == [plan.trades[0].quantity]
        assert found["trades_left_out"] == len(plan.trades) - 1
        assert "name" not in found


async def test_a_portfolio_that_is_stored_and_prices_that_are_given(kept: RunningServer) -> None:
    async with hosted(kept.address) as host:
        found = await host.answer("reallocate", portfolio="read", target_weights={"A": 1.0}, prices={"A": 1.0})
        assert [(one["symbol"], one["quantity"]) for one in found["trades"]] == [("A", 5.0)]
        found = await host.answer("reallocate", portfolio="portfolios/read", target_weights={"B": 1.0})
        assert {one["symbol"] for one in found["trades"]} == {"A", "B"}
        assert (await host.answer("get_portfolio", name="read"))["holdings"] == [{"symbol": "A", "quantity": 10.0}]


async def test_series_are_short_unless_more_is_asked_for(kept: RunningServer) -> None:
    with Client(kept.address) as client:
        prices = client.prices(Stored(SYMBOLS))
    async with hosted(kept.address) as host:
        found = await host.answer("get_prices", symbols=SYMBOLS, max_points=3, max_rows=2)
        assert len(found["dates"]) == 3
        assert (found["dates"][0], found["dates_total"], found["columns_left_out"]) == ("2019-04-14", DATES, 1)
        for symbol, column in found["columns"].items():
            values = prices.values[:, prices.symbols.index(symbol)]
            assert column["values"] == pytest.approx([values[0], values[round((DATES - 1) / 2)], values[-1]], abs=1e-6)
            assert (column["lowest"], column["highest"]) == pytest.approx((values.min(), values.max()), abs=1e-6)
        whole = await host.answer("get_prices", symbols=SYMBOLS, max_points=2000)
        assert len(whole["dates"]) == DATES
        weights = await host.answer("get_backtest_series", name="read", series="weights", max_points=4)
        assert set(weights["columns"]) == set(SYMBOLS)


async def test_what_is_stored_has_a_name_that_it_is_read_by(engine: RunningServer) -> None:
    async with hosted(engine.address, "--store") as host:
        best = await host.answer("optimize_and_store", symbols=SYMBOLS, label="kept")
        assert (await host.answer("get_optimization", name=best["name"]))["weights"] == best["weights"]
        (listed,) = (await host.answer("list_optimizations", label="kept"))["optimizations"]
        assert listed["name"] == best["name"]
        wanted = {"holdings": {"A": 10}, "cash": 1000, "target_weights": {"B": 1.0}, "label": "kept"}
        plan = await host.answer("reallocate_and_store", **wanted)
        assert plan["state"] == "current"
        assert (await host.answer("get_reallocation", name=plan["name"]))["trades"] == plan["trades"]


def test_every_line_of_the_output_is_an_answer(engine: RunningServer) -> None:
    host = WithoutSdk(engine.address)
    host.send(*INITIALIZE)
    host.write("no message")
    host.send(*SENT)
    answers = [host.read() for _ in range(1 + len(SENT))]
    assert host.end() == (0, "", "")
    assert {one["jsonrpc"] for one in answers} == {"2.0"}
    by_id = {one["id"]: one for one in answers}
    assert set(by_id) == {0, *(one["id"] for one in SENT)}
    assert {one["name"] for one in by_id[1]["result"]["tools"]} == READS
    assert by_id[2]["result"]["structuredContent"] == {"state": "serving"}
    assert by_id[3]["result"]["isError"] is True
    assert {one: by_id[one]["error"]["code"] for one in (4, 5, 6)} == {4: -32602, 5: -32602, 6: -32601}


async def test_a_call_that_is_cancelled_ends_that_of_the_engine(engine: RunningServer) -> None:
    already = len(traces_ended(engine))
    async with hosted(engine.address) as host:
        # A hundred portfolios by a measure of tens of milliseconds for each: it is cancelled after the first.
        await given_up(host, "trace_frontier", symbols=SYMBOLS, points=100, risk_measure="evar")
        with anyio.move_on_after(PATIENCE):
            while len(traces_ended(engine)) == already:  # noqa: ASYNC110 - the log is another process's
                await anyio.sleep(0.05)
        assert traces_ended(engine)[already:] == ["CANCELLED"]
        assert (await host.answer("optimize", symbols=SYMBOLS))["weights"]


def traces_ended(running: RunningServer) -> list[str]:
    """The codes of the calls of TraceFrontier that have ended."""
    lines = (running.data_dir / "server.log").read_text().splitlines()
    return [json.loads(line)["code"] for line in lines if "/TraceFrontier" in line]
