"""Options of the calls against a real server, with both clients."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import absfin
import numpy as np
import pytest
from absfin import Holdings, Instrument, Panel, Prices, Quote, errors, strategies

Call = Callable[..., Any]

RNG = np.random.default_rng(5)
PRICES = Prices(Panel.of("XYZ", np.arange(120), 100.0 * np.cumprod(1.0 + RNG.normal(0.0008, 0.01, (120, 3)), axis=0)))


def test_a_problem_is_checked_without_weights(call: Call) -> None:
    checked = call("optimize", PRICES, absfin.min_risk(), validate_only=True, check_feasibility=True)
    assert (checked.name, checked.weights) == ("", {})
    limits = [absfin.weight_bounds(upper=0.2, label="caps")]
    assert call("optimize", PRICES, absfin.min_risk(), constraints=limits, validate_only=True).weights == {}
    with pytest.raises(errors.InfeasibleProblem):
        call("optimize", PRICES, absfin.min_risk(), constraints=limits, validate_only=True, check_feasibility=True)


def test_the_engine_and_its_tolerance_are_chosen(call: Call) -> None:
    solver = absfin.solver_options(engine="fast", tolerance=1e-9, time_limit_seconds=30.0)
    assert call("optimize", PRICES, absfin.min_risk(), solver=solver).certificate.engine == "fast"


def test_groups_are_named_in_the_call(call: Call) -> None:
    limits = [absfin.group_bounds("last two", upper=0.4)]
    answer = call("optimize", PRICES, absfin.min_risk(), constraints=limits, groups={"last two": ["Y", "Z"]})
    assert answer.weights["Y"] + answer.weights["Z"] == pytest.approx(0.4)
    frontier = call("trace_frontier", PRICES, 3, constraints=limits, groups={"last two": ["Y", "Z"]})
    assert all(one.weights["Y"] + one.weights["Z"] <= 0.4 + 1e-8 for one in frontier)


def test_a_year_has_as_many_periods_as_the_call_says(call: Call) -> None:
    monthly = call("optimize", PRICES, absfin.min_risk(), periods_per_year=12)
    assert monthly.periods_per_year == 12
    assert call("analyze_risk", PRICES, {"X": 1.0}, periods_per_year=12).periods_per_year == 12
    assert call("estimate_risk_model", PRICES, periods_per_year=12).diagnostics.periods_per_year == 12


def test_stored_results_are_found_by_label_and_time_and_removed(call: Call, request: pytest.FixtureRequest) -> None:
    label = f"options {request.node.name}"
    now = datetime.now(UTC)
    made = call("optimize", PRICES, absfin.equal_weight(), label=label)
    found = call("list_optimizations", label=label, start_create_time=now - timedelta(hours=1)).summaries
    assert [one.name for one in found] == [made.name]
    assert not call("list_optimizations", label=label, end_create_time=now - timedelta(hours=1)).summaries
    call("delete_optimization", made.name)
    with pytest.raises(errors.NotFound):
        call("get_optimization", made.name)


def test_stored_reallocations_are_listed_and_removed(call: Call, request: pytest.FixtureRequest) -> None:
    label = f"options {request.node.name}"
    made = call("reallocate", Holdings({"A": 1.0}, 5.0), [Quote("A", 7.0)], {"A": 1.0}, label=label)
    assert [one.name for one in call("list_reallocations", label=label).summaries] == [made.name]
    call("delete_reallocation", made.name)
    assert not call("list_reallocations", label=label).summaries


def test_a_backtest_with_costs_by_asset_and_labelled_benchmarks(call: Call, request: pytest.FixtureRequest) -> None:
    label = f"options {request.node.name}"
    arguments: dict[str, Any] = {
        "rebalancing": strategies.every_periods(5),
        "benchmarks": [strategies.benchmark(strategies.fixed_weights({"X": 1.0}), label="only X")],
        "minimum_acceptable_return_annual": 0.01,
        "lag_periods": 1,
        "label": label,
        "wait_seconds": 30.0,
    }
    checked = call("backtest", PRICES, strategies.equal_weight(), validate_only=True, **arguments)
    assert checked.name == ""
    free = call("backtest", PRICES, strategies.equal_weight(), **arguments)
    costs = absfin.trading_costs(by_asset_bps={"X": 50.0})
    charged = call("backtest", PRICES, strategies.equal_weight(), costs=costs, **arguments)
    assert charged.metrics["final_wealth"] < free.metrics["final_wealth"]
    assert free.benchmarks[0].label == "only X"
    assert len(call("list_backtests", label=label, state="succeeded").summaries) == 2
    assert not call("list_backtests", label=label, state="failed").summaries


def test_the_state_of_an_instrument_comes_back(call: Call, request: pytest.FixtureRequest) -> None:
    symbol = f"H{abs(hash(request.node.name))}"
    instrument = Instrument(symbol, groups={"options": symbol}, state="halted")
    call("upsert_instruments", [instrument])
    [found] = call("instruments", f"options={symbol}")
    assert found == instrument
    assert not found.has_prices
