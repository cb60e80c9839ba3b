"""How tools fail: with a reason, the argument that is wrong, and what to do."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import mcp_types
import pytest
from absfin.aio import Client
from absfin.mcp import server as tool_server
from absfin.mcp.arguments import NoArguments
from absfin.mcp.failures import argument_of
from absfin.mcp.tool import Answer, Call, Tool
from mcp import MCPError

from tests.clients.python.mcp.host import ABSFIN, SYMBOLS, hosted
from tests.conftest import RunningServer

WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("optimize", {"symbol": ["A"]}, "symbol", "is no argument; did you mean symbols?"),
    ("optimize", {}, "symbols", "give symbols or a universe"),
    ("optimize", {"symbols": ["A"], "objective": "best"}, "objective", "'min_risk'"),
    ("optimize", {"symbols": ["A"], "confidence_level": 95}, "confidence_level", "less than 1"),
    ("optimize", {"symbols": ["A"], "group_bounds": [{"lowest": 0}]}, "group_bounds[0].lowest", "is no argument"),
    (
        "optimize",
        {"forecasts": {"symbols": ["A"], "covariance": [[1, 2]], "periods_per_year": 1}},
        "forecasts.covariance",
        "1 rows and columns",
    ),
    ("optimize", {"symbols": SYMBOLS, "min_weight": 0.5, "max_weight": 0.2}, "min_weight", "upper"),
    ("optimize", {"symbols": SYMBOLS, "current_weights": {"A": 50.0, "B": 50.0}}, "current_weights", "fractions"),
    ("analyze_risk", {"weights": {"A": 60.0, "B": 40.0}}, "weights", "fractions"),
    ("reallocate", {"holdings": {"A": 1}, "target_weights": {"A": 100.0}}, "target_weights", "fractions"),
    ("reallocate", {"holdings": {"A": 1}}, "target_weights", "give the weights to reach"),
    ("reallocate", {"portfolio": "p", "cash": 1}, "portfolio", "cannot stand beside"),
    ("reallocate", {"portfolio": "backtests/x"}, "portfolio", "must be portfolios/ID or ID"),
    (
        "optimize",
        {
            "symbols": SYMBOLS,
            "max_weight": 0.6,
            "group_bounds": [{"symbols": ["A"]}, {"group": "sector=None", "upper": 1}],
        },
        "group_bounds[0].lower",
        "must be set",
    ),
    (
        "optimize",
        {"symbols": SYMBOLS, "max_weight": 0.6, "group_bounds": [{"group": "sector=None", "upper": 1}]},
        "group_bounds[0].group",
        "is not a group",
    ),
    ("analyze_risk", {"weights": {"A": 1.0}, "stress": ["none"]}, "stress[0]", "covid_2020"),
    ("get_backtest", {"name": "optimizations/x"}, "name", "must be backtests/ID or ID"),
    ("get_prices", {"symbols": ["A"], "max_points": 10**6}, "max_points", "2000"),
    ("backtest", {"symbols": SYMBOLS, "strategy": "momentum", "top_n": 1}, "lookback_periods", "momentum"),
    ("backtest", {"symbols": SYMBOLS, "strategy": "momentum", "lookback_periods": 5}, "top_n", "momentum"),
    ("backtest", {"symbols": SYMBOLS, "strategy": "fixed_weights"}, "weights", "fixed_weights"),
    ("backtest", {"symbols": SYMBOLS, "weights": {"A": 1}}, "weights", "fixed_weights alone"),
    ("backtest", {"symbols": SYMBOLS, "strategy": "best"}, "strategy", "'momentum'"),
    ("backtest", {"symbols": SYMBOLS, "rebalance": "hourly"}, "rebalance", "'never'"),
    ("backtest", {"symbols": SYMBOLS, "label": "x" * 129}, "label", "128"),
]


async def test_a_wrong_argument_is_named_with_its_rule(engine: RunningServer) -> None:
    async with hosted(engine.address, "--store") as host:
        for tool, arguments, field, rule in WRONG:
            found = await host.error(tool, **arguments)
            assert found["what_to_do"] == "correct the arguments that are named, and call the tool again", found
            assert [(one["field"], rule in one["rule"]) for one in found["fields"]] == [(field, True)], found


async def test_what_the_engine_cannot_do_is_explained(engine: RunningServer) -> None:
    async with hosted(engine.address) as host:
        found = await host.error("optimize", symbols=SYMBOLS, max_weight=0.3)
        assert found["reason"] == "PROBLEM_INFEASIBLE"
        conflicts = {one["label"]: one["relaxing_it_alone_by"] for one in found["conflicts"]}
        # Three weights of 0.3 leave a tenth, which each must take a third of.
        assert conflicts["max_weight"] == pytest.approx(0.1 / 3, abs=1e-6)
        assert "relax one of the arguments" in found["what_to_do"]
        found = await host.error("optimize", symbols=["A", "NOPE"])
        assert (found["reason"], "NOPE" in found["message"]) == ("MISSING_MARKET_DATA", True)
        assert "list_instruments" in found["what_to_do"]
        for tool in ("get_backtest", "get_optimization", "get_reallocation", "get_portfolio", "follow_backtest"):
            assert (await host.error(tool, name="nothing"))["reason"] == "NOT_FOUND", tool
        with pytest.raises(MCPError, match="there is no tool 'buy'"):
            await host.answer("buy")


async def test_where_no_server_answers_a_person_is_told_what_to_start(free_target: str) -> None:
    async with hosted(free_target) as host:
        found = await host.error("check_server")
        assert found["message"] == f"no server answers at {free_target}"
        assert "absfin serve" in found["what_to_do"]


@pytest.fixture(scope="module")
def guarded(start_server: Callable[..., RunningServer]) -> RunningServer:
    """A server that asks for keys."""
    return start_server("--auth", "keys", "--workers", "1")


@pytest.fixture(scope="module")
def readers_key(guarded: RunningServer) -> str:
    made = [sys.executable, "-m", "server", "keys", "create", "--role", "reader", "--data-dir", str(guarded.data_dir)]
    return subprocess.run(made, capture_output=True, text=True, timeout=60, check=True).stdout.split()[-1]


async def test_a_role_that_is_too_low_is_told(guarded: RunningServer, readers_key: str) -> None:
    async with hosted(guarded.address, ABSFIN_TOKEN=readers_key) as host:
        assert (await host.answer("list_backtests"))["backtests"] == []
        found = await host.error("analyze_risk", weights={"A": 1.0})
        assert found["reason"] == "ROLE_REQUIRED"
        assert "--role" in found["what_to_do"]
    async with hosted(guarded.address) as host:
        assert (await host.error("list_backtests"))["reason"] == "TOKEN_MISSING"


async def test_an_unexpected_error_does_not_leave_the_process(capsys: pytest.CaptureFixture[str]) -> None:
    async def broken(call: Call, given: NoArguments) -> Answer:
        raise ZeroDivisionError("a secret")

    async def nobody(fraction: float, said: str) -> None:
        """Nobody listens."""

    async with Client("127.0.0.1:1") as client:
        offer = tool_server.Offer(client, "127.0.0.1:1", stores=False)
        found = await offer._answer(Tool(NoArguments, broken), {}, Call(client, nobody))
    assert found.is_error
    (content,) = found.content
    assert isinstance(content, mcp_types.TextContent)
    assert "secret" not in content.text
    assert "broken failed" in content.text
    assert "a secret" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "argument"),
    [
        ("universe.spec.confidence_level", "confidence_level"),
        ("universe.market_data.symbols[1]", "symbols[1]"),
        ("universe.moments.covariance", "forecasts.covariance"),
        ("universe.spec.constraints[0].weight_bounds.upper", "max_weight"),
        ("constraints[3].cardinality.max_assets", "max_assets"),
        ("account.current_weights[0].symbol", "current_weights[0].symbol"),
        ("portfolio.holdings[0].quantity", "holdings[0].quantity"),
        ("strategy.momentum.top_n", "top_n"),
        ("rebalancing.band.absolute", "drift_band"),
        ("costs.commission_bps", "commission_bps"),
        ("something.else", "something.else"),
    ],
)
def test_a_field_of_a_request_is_told_as_the_argument_that_it_comes_from(path: str, argument: str) -> None:
    assert argument_of(path) == argument


def test_without_the_package_it_says_what_to_install() -> None:
    without = (
        "import sys; sys.modules['mcp'] = None; sys.argv = ['absfin', 'mcp']; import absfin.cli; absfin.cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "absfin: the MCP server needs the package mcp: pip install 'absfin[cli,mcp]'\n"
    assert subprocess.run([ABSFIN, "mcp", "--help"], capture_output=True, timeout=60).returncode == 0
