"""What mandates start beside plans, and what else is noticed: quotes, instruments, and a log that was compacted."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absfin import Client, Panel
from absfinance.v1 import event_service_pb2, portfolio_pb2

from server.listeners.memory import memory_from_bytes
from server.settings import DATABASE_NAME
from tests.conftest import RunningServer, Wire
from tests.e2e.ledger import causes, recomputations, rows, signals, until, waiting
from tests.e2e.test_listener_health import Health
from tests.e2e.test_listening import TODAY, create, drifts, imported, is_watched, prices
from tests.e2e.test_publishing import now, publish

RAISED = event_service_pb2.WatchEventsResponse.Signal.PHASE_RAISED
CLEARED = event_service_pb2.WatchEventsResponse.Signal.PHASE_CLEARED
DATES = 120
RUNNING = ("BACKTEST_STATE_QUEUED", "BACKTEST_STATE_RUNNING")


@pytest.fixture(scope="module")
def watching(start_server: Callable[..., RunningServer]) -> RunningServer:
    """A server that the tests share; each has assets and portfolios of its own."""
    return start_server()


def history(symbols: tuple[str, ...], last: int, seed: int = 7) -> Panel:
    """Prices that go up and down around 100, of dates up to one."""
    noise = np.random.default_rng(seed).standard_normal((DATES, len(symbols)))
    values = np.round(100.0 * np.cumprod(1.0 + 0.01 * noise, axis=0), 4)
    return Panel(symbols, np.arange(last - DATES + 1, last + 1, dtype=np.int32), values)


def of_prices(action: str) -> dict[str, str]:
    return {"event": "EVENT_KIND_PRICES", "action": action}


def test_new_prices_analyse_the_risk_of_what_is_held(watching: RunningServer) -> None:
    folder, symbols = watching.data_dir, ("RA", "RB")
    imported(watching, history(symbols, TODAY - 2), "risk: first")
    create(watching, "risky", of_prices("ACTION_ANALYZE_RISK"), symbols=symbols)
    until(lambda: is_watched(watching, "risky"))
    imported(watching, prices(TODAY - 1, [[101, 102]], symbols), "risk: move")
    until(lambda: len(recomputations(folder, "risky")) == 1)
    (done,) = recomputations(folder, "risky")
    assert done.action == portfolio_pb2.Trigger.ACTION_ANALYZE_RISK
    assert done.result == "portfolios/risky"  # a report is not stored
    assert rows(folder, "SELECT count(*) FROM notifications WHERE portfolio = 'risky'") == [(0,)]


def weights(symbols: tuple[str, ...]) -> dict[str, Any]:
    return {"weights": [{"symbol": symbol, "weight": 1.0 / len(symbols)} for symbol in symbols]}


def test_a_risk_that_cannot_be_analysed_is_told(watching: RunningServer) -> None:
    """Of a portfolio of borrowed units without money of its own: there is no value to take a fraction of."""
    folder, symbols = watching.data_dir, ("NA", "NB")
    imported(watching, history(symbols, TODAY - 2), "no risk: first")
    portfolio = {
        "holdings": [{"symbol": "NA", "quantity": 1}, {"symbol": "NB", "quantity": -5}],
        "mandate": {"triggers": [of_prices("ACTION_ANALYZE_RISK")]},
    }
    with watching.channel() as channel:
        request = {"portfolio": portfolio, "portfolioId": "owing"}
        Wire(channel).call("PortfolioService/CreatePortfolio", request)
    until(lambda: is_watched(watching, "owing"))
    imported(watching, prices(TODAY - 1, [[100, 101]], symbols), "no risk: move")
    until(lambda: len(recomputations(folder, "owing")) == 1)
    (done,) = recomputations(folder, "owing")
    assert done.WhichOneof("outcome") == "error"
    ((message,),) = rows(folder, "SELECT message FROM notifications WHERE portfolio = 'owing'")
    assert message.startswith("ANALYZE_RISK of the portfolio has failed")


def test_new_prices_extend_a_backtest_to_the_newest_date(watching: RunningServer) -> None:
    """The same as asking for the longer one, with the benchmark that the first one had."""
    folder, symbols, index = watching.data_dir, ("BA", "BB"), ("BI",)
    imported(watching, history((*symbols, *index), TODAY - 4), "backtest: first")
    asked = {
        "marketData": {"symbols": list(symbols)},
        "strategy": {"equalWeight": {}},
        "rebalancing": {"everyPeriods": {"n": 5}},
        "benchmarks": [{"symbol": "BI"}],
    }
    with watching.channel() as channel:
        wire = Wire(channel)
        first = ended(wire, wire.call("BacktestService/Backtest", asked)["name"])
        create(watching, "tested", of_prices("ACTION_EXTEND_BACKTEST"), symbols=symbols, backtest=first["name"],
               weights=weights(symbols))  # fmt: skip
        until(lambda: is_watched(watching, "tested"))
        for i in range(2):  # the second one begins with the same backtest, and ends a date later
            imported(watching, prices(TODAY - 3 + i, [[103, 99, 101 + i]], (*symbols, *index)), f"backtest: {i}")
            until(lambda: len(recomputations(folder, "tested")) == i + 1)  # noqa: B023
            done = recomputations(folder, "tested")[-1]
            assert (done.action, done.error.message) == (portfolio_pb2.Trigger.ACTION_EXTEND_BACKTEST, "")
            found = ended(wire, done.result)
            expected = ended(wire, wire.call("BacktestService/Backtest", asked)["name"])
            assert found["label"] == "mandate of portfolios/tested"
            assert figures(found) == figures(expected)
            assert figures(found) != figures(first)
    assert set(causes(folder, "tested").values()) == {1}


def ended(wire: Wire, name: str) -> dict[str, Any]:
    """A backtest once it has succeeded."""

    def as_it_is() -> dict[str, Any]:
        return wire.call("BacktestService/GetBacktest", {"name": name})

    until(lambda: as_it_is()["state"] not in RUNNING, 60.0)
    found = as_it_is()
    assert found["state"] == "BACKTEST_STATE_SUCCEEDED"
    return found


def figures(backtest: dict[str, Any]) -> tuple[Any, ...]:
    """What does not depend on when a backtest was done."""
    return backtest["result"]["strategies"], backtest["result"]["benchmarks"]


@pytest.mark.parametrize(
    ("name", "spec", "mandate"),
    [
        ("turnover", {}, {"constraints": [{"label": "slow", "turnover": {"maxTurnover": 0.1}}]}),
        ("impact", {"costs": {"impact": {"squareRoot": {"coefficient": 0.1}}}, "lookbackPeriods": 60}, {}),
    ],
)
def test_an_optimisation_that_weighs_trades_starts_from_what_is_held(
    watching: RunningServer, name: str, spec: dict[str, Any], mandate: dict[str, Any]
) -> None:
    """As the plan of the same mandate does, whose target an unlimited trader reaches."""
    folder, symbols, portfolio_id = watching.data_dir, (f"{name}-A", f"{name}-B", f"{name}-C"), f"of-{name}"
    imported(watching, history(symbols, TODAY - 2), f"{name}: first")
    with Client(watching.address) as client:
        volumes = history(symbols, TODAY - 2, seed=8)
        client.import_prices(volumes, field="volume", import_id=f"{name}: volumes")
    optimize = {"objective": {"maxUtility": {"riskAversion": 4.0}}, **spec}
    create(watching, portfolio_id, of_prices("ACTION_OPTIMIZE"), symbols=symbols, optimize=optimize, **mandate)
    until(lambda: is_watched(watching, portfolio_id))
    imported(watching, prices(TODAY - 1, [[103, 99, 101]], symbols), f"{name}: move")
    until(lambda: len(recomputations(folder, portfolio_id)) == 1)
    (done,) = recomputations(folder, portfolio_id)
    assert done.error.message == ""
    with watching.channel() as channel:
        wire = Wire(channel)
        found = wire.call("OptimizationService/GetOptimization", {"name": done.result})
        planned = wire.call(
            "ReallocationService/Reallocate",
            {"portfolioName": f"portfolios/{portfolio_id}", "marketData": {"symbols": list(symbols)}},
        )
    assert found["turnoverOneWay"] > 0.0
    if "costs" in spec:
        assert found["cost"] > 0.0
    else:
        assert found["turnoverOneWay"] <= 0.1 + 1e-8
    target = {one["symbol"]: one.get("targetWeight", 0.0) for one in planned["utilization"]["assets"]}
    assert {one["symbol"]: one["weight"] for one in found["weights"]} == pytest.approx(target, abs=1e-9)


def test_quotes_raise_a_signal_and_clear_it(watching: RunningServer) -> None:
    """A watcher is told of both, with the plan that the first one starts."""
    folder, symbols = watching.data_dir, ("QA", "QB")
    imported(watching, prices(TODAY - 2, [[100, 100], [100, 100]], symbols), "quotes: first")
    plan = {"event": "EVENT_KIND_DRIFT", "threshold": 0.05, "action": "ACTION_REALLOCATE"}
    create(watching, "quoted", plan, symbols=symbols)
    until(lambda: is_watched(watching, "quoted"))
    with watching.channel() as channel:
        stream = Wire(channel).stream(
            "EventService/WatchEvents", {"portfolios": ["portfolios/quoted"], "kinds": ["EVENT_KIND_DRIFT"]}
        )
        assert "snapshot" in next(stream)
        publish(watching, {"quotes": [{"symbol": "QA", "time": now(), "bid": 149.0, "ask": 151.0}]})
        raised = [next(stream)["signal"] for _ in symbols]
        assert [(one["symbol"], one["phase"], round(one["value"], 6)) for one in raised] == [
            ("QA", "PHASE_RAISED", 0.1),
            ("QB", "PHASE_RAISED", -0.1),
        ]
        recomputed = next(stream)["recomputation"]
        assert sorted(recomputed["causes"]) == sorted(one["dedupeKey"] for one in raised)
        stored = Wire(channel).call("ReallocationService/GetReallocation", {"name": recomputed["result"]})
        assert {one["symbol"]: one["price"] for one in stored["plan"]["trades"]} == {"QA": 150.0, "QB": 100.0}
        publish(watching, {"quotes": [{"symbol": "QA", "time": now(), "last": 101.0}]})
        cleared = [next(stream)["signal"] for _ in symbols]
        assert [(one["symbol"], one["phase"]) for one in cleared] == [("QA", "PHASE_CLEARED"), ("QB", "PHASE_CLEARED")]
        stream.close()  # type: ignore[attr-defined]  # a generator
    assert len(recomputations(folder, "quoted")) == 1


def test_a_quote_before_there_was_a_portfolio_counts(watching: RunningServer) -> None:
    folder, symbols = watching.data_dir, ("QC", "QD")
    imported(watching, prices(TODAY - 2, [[100, 100]], symbols), "quoted before: first")
    publish(watching, {"quotes": [{"symbol": "QC", "time": now(), "last": 150.0}]})
    create(watching, "quoted-before", {"event": "EVENT_KIND_DRIFT", "threshold": 0.05}, symbols=symbols)
    until(lambda: len(signals(folder, "DRIFT", "quoted-before")) == 2)
    found = [(one.symbol, one.phase, round(one.value, 6)) for one in signals(folder, "DRIFT", "quoted-before")]
    assert sorted(found) == [("QC", RAISED, 0.1), ("QD", RAISED, -0.1)]


def test_volumes_and_the_state_of_an_instrument_are_noticed(watching: RunningServer) -> None:
    folder, symbols = watching.data_dir, ("IA", "IB")
    imported(watching, prices(TODAY - 4, [[100, 100]], symbols), "instrument: first")
    with Client(watching.address) as client:
        client.import_prices(prices(TODAY - 4, [[1000, 1000]], symbols), field="volume", import_id="instrument: volume")
    create(watching, "traded", {"event": "EVENT_KIND_LIQUIDITY", "threshold": 5.0}, symbols=symbols)
    until(lambda: is_watched(watching, "traded"))
    with Client(watching.address) as client:
        low = prices(TODAY - 3, [[10, 1000]], symbols)
        client.import_prices(low, field="volume", import_id="instrument: low")
        fewer = prices(TODAY - 4, [[10, 1000]], symbols)
        client.import_prices(fewer, field="volume", import_id="instrument: fewer")
    until(lambda: len(signals(folder, "LIQUIDITY", "traded")) == 1)
    (signal,) = signals(folder, "LIQUIDITY", "traded")
    assert (signal.symbol, signal.phase, signal.measure, signal.value) == ("IA", RAISED, "days_to_sell", 10.0)
    with watching.channel() as channel:
        halted = {"instruments": [{"symbol": "IA", "state": "TRADABLE_STATE_HALTED"}]}
        Wire(channel).call("MarketDataService/UpsertInstruments", halted)
    until(lambda: state_of(watching, "IA") == "HALTED")
    assert state_of(watching, "IB") == "TRADABLE"
    assert len(signals(folder, "LIQUIDITY", "traded")) == 1  # its volume is what it was


def test_a_portfolio_with_prices_in_two_currencies_is_told_of_and_nothing_is_computed(watching: RunningServer) -> None:
    """Stores keep no rates: a weight, a drift or a plan of it would be wrong."""
    folder, symbols = watching.data_dir, ("XA", "XB")
    imported(watching, prices(TODAY - 4, [[100, 100]], symbols), "currencies: first")
    weights = {"weights": {"weights": [{"symbol": symbol, "weight": 0.5} for symbol in symbols]}}
    plan = {"event": "EVENT_KIND_DRIFT", "threshold": 0.05, "action": "ACTION_REALLOCATE"}
    portfolio = {
        "currency": "USD",
        "holdings": [{"symbol": symbol, "quantity": 10} for symbol in symbols],
        "mandate": {**weights, "triggers": [plan, of_prices("ACTION_ANALYZE_RISK")]},
    }
    with watching.channel() as channel:
        wire = Wire(channel)
        foreign = {"symbol": "XB", "currency": "EUR"}
        wire.call("MarketDataService/UpsertInstruments", {"instruments": [foreign]})
        wire.call("PortfolioService/CreatePortfolio", {"portfolio": portfolio, "portfolioId": "two-currencies"})
        until(lambda: len(signals(folder, "MANDATE_DUE", "two-currencies")) == 1)
        (signal,) = signals(folder, "MANDATE_DUE", "two-currencies")
        assert (signal.symbol, signal.measure, signal.phase) == ("XB", "currency", RAISED)
        assert signal.message == (
            "The portfolio is not watched: XB is priced in EUR, and the portfolio in USD; no rate is stored, so prices "
            "are not converted. Import its prices in USD and say so with UpsertInstruments, or hold it in a portfolio "
            "whose currency is EUR."
        )
        with Health(watching) as health:
            until(lambda: health.check()[1]["unconverted-portfolios"] == "1")
        imported(watching, prices(TODAY - 3, [[100, 200]], symbols), "currencies: of which a third would be drift")
        # It is sold: what happened meanwhile has been followed once that is known.
        read = wire.call("PortfolioService/GetPortfolio", {"name": "portfolios/two-currencies"})
        sold = {"name": read["name"], "etag": read["etag"], "holdings": [{"symbol": "XA", "quantity": 10}]}
        update = {"portfolio": sold, "updateMask": "holdings,mandate"}
        wire.call("PortfolioService/UpdatePortfolio", update)
        with Health(watching) as health:
            until(lambda: health.check()[1]["unconverted-portfolios"] == "0")
    assert recomputations(folder, "two-currencies") == []
    assert rows(folder, "SELECT DISTINCT kind FROM events WHERE portfolio = 'two-currencies'") == [("MANDATE_DUE",)]


def state_of(server: RunningServer, symbol: str) -> str:
    """The trading state of an asset as the listener knows it."""
    ((found,),) = rows(server.data_dir, "SELECT state FROM listener")
    memory = memory_from_bytes(found)
    return str(memory.monitor.instruments.by_symbol[symbol].trading_state)


def test_a_log_that_was_compacted_beyond_its_place_is_read_anew(start_server: Callable[..., RunningServer]) -> None:
    """What changed while nobody listened is gone from the log, and is noticed nevertheless."""
    server = start_server()
    folder = server.data_dir
    imported(server, prices(TODAY - 5, [[100, 100], [100, 100]]), "first")
    plan = {"event": "EVENT_KIND_DRIFT", "threshold": 0.05, "action": "ACTION_REALLOCATE"}
    for name in ("mine", "gone"):
        create(server, name, plan, of_prices("ACTION_ANALYZE_RISK"))
    until(lambda: is_watched(server, "mine") and is_watched(server, "gone"))
    stopped(server)
    idle = start_server(data_dir=folder, environment={"ABSFIN_EVENTS": "off"})
    imported(idle, prices(TODAY - 3, [[120, 100], [130, 100]]), "while nobody listens")
    publish(idle, {"quotes": [{"symbol": "A", "time": now(), "last": 150.0}]})
    with idle.channel() as channel:
        wire = Wire(channel)
        wire.call("PortfolioService/DeletePortfolio", {"name": "portfolios/gone"})
        create(idle, "new", plan)
    stopped(idle)
    compact(folder)
    again = start_server(data_dir=folder)
    until(lambda: len(recomputations(folder, "mine")) == 2 and len(recomputations(folder, "new")) == 1)
    for name in ("mine", "new"):
        assert [(one.symbol, round(one.value, 6)) for one in drifts(again, name)] == [("A", 0.1), ("B", -0.1)]
    actions = sorted(one.action for one in recomputations(folder, "mine"))
    assert actions == [portfolio_pb2.Trigger.ACTION_REALLOCATE, portfolio_pb2.Trigger.ACTION_ANALYZE_RISK]
    until(lambda: not waiting(folder) and is_watched(again, "new") and not is_watched(again, "gone"))
    publish(again, {"quotes": [{"symbol": "A", "time": now(), "last": 100.0}]})  # it follows the log again
    until(lambda: [one.phase for one in signals(folder, "DRIFT", "mine")] == [RAISED, RAISED, CLEARED, CLEARED])
    assert recomputations(folder, "gone") == []


def stopped(server: RunningServer) -> None:
    server.process.terminate()
    server.process.wait(30)


def compact(folder: Path) -> None:
    """What the retention does with changes that nobody has read for long."""
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as connection, connection:
        connection.execute("UPDATE logs SET forgotten_changes = (SELECT max(cursor) FROM changes)")
        connection.execute("DELETE FROM changes")
