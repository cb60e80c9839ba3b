"""Everything a backtest knows, through both clients against a real server."""

from collections.abc import Callable
from datetime import date
from typing import Any

import absfin
import numpy as np
import pytest
from absfin import (
    Backtest,
    CashDividend,
    CashFlow,
    Delisting,
    Panel,
    PerformanceFee,
    Prices,
    RecurringCashFlow,
    Split,
    errors,
    strategies,
    trading_costs,
)
from absfin.corporate_actions import corporate_action_from_proto

Call = Callable[..., Any]

DAYS = [date(2024, 1, 8), date(2024, 1, 9), date(2024, 1, 10), date(2024, 1, 11)]
LONG = np.arange("2022-01-03", "2024-01-03", dtype="datetime64[D]")
RNG = np.random.default_rng(11)
WALK = Prices(Panel.of("XYZ", LONG, 50.0 * np.cumprod(1.0 + RNG.normal(0.0004, 0.01, (len(LONG), 3)), axis=0)))


def prices(*rows: list[float], symbols: str = "A") -> Prices:
    return Prices(Panel.of(symbols, DAYS[: len(rows)], rows))


def done(call: Call, *arguments: Any, **more: Any) -> Backtest:
    answer: Backtest = call("backtest", *arguments, wait_seconds=100.0, **{"periods_per_year": 252, **more})
    assert answer.state == "succeeded", answer.error
    return answer


def test_the_order_of_a_day_comes_back_as_figures(call: Call) -> None:
    answer = done(
        call,
        prices([50.0], [49.5], [49.5], [49.5]),
        strategies.fixed_weights({"A": 0.8}),
        rebalancing=strategies.never(),
        initial_holdings={"A": 100.0},
        initial_capital=1000.0,
        price_basis="split_adjusted",
        corporate_actions=[CashDividend("A", DAYS[1], 1.0, DAYS[3])],
        cash_flows=[CashFlow(DAYS[1], 600.0)],
        commission_bps=10.0,
    )
    [one] = answer.strategies
    assert answer.costs == one.costs
    assert one.costs["commission"] == pytest.approx(0.36970423661071145)
    assert one.final_nav == pytest.approx(6649.630295763389)
    assert one.final_cash == pytest.approx(1229.926059 + 100.0)
    assert one.final_holdings["A"] == pytest.approx(0.8 * 6649.630295763389 / 49.5)
    [event] = answer.asset_events
    assert (event.date, event.symbol, event.kind, event.cash) == (DAYS[1], "A", "cash_dividend", 100.0)
    whole = answer.reconciliation
    assert whole is not None
    assert (whole.start_nav, whole.flows) == (6000.0, 600.0)
    assert whole.start_nav + whole.flows + whole.gains - whole.costs == pytest.approx(whole.end_nav, rel=1e-12)
    assert one.money_weighted_return is not None
    assert (one.bankrupt_date, one.convention_difference) == (None, None)
    money = call("backtest_series", answer.name, "nav").values.ravel()
    units = call("backtest_series", answer.name, "equity").values.ravel()
    assert money[:2] == pytest.approx([6000.0, 6649.630295763389])
    assert units[1] / units[0] - 1.0 == pytest.approx(0.008271715960564833)


def test_every_kind_of_cost_is_named_and_the_sum_is_reconciled(call: Call) -> None:
    costs = trading_costs(
        5.0,
        2.0,
        impact=1.0,
        daily_values=dict.fromkeys("XYZ", 1e6),
        volatilities_annual=dict.fromkeys("XYZ", 0.2),
        fixed_fee=1.0,
        commission_per_share=0.01,
        min_commission=2.0,
        max_commission=50.0,
        borrow_bps_annual=50.0,
        borrow_bps_annual_by_asset={"Z": 300.0},
        cash_rate_annual={date(2022, 1, 1): 0.01, date(2023, 1, 1): 0.03},
        financing_rate_annual=0.05,
        day_count="act_360",
        management_fee_annual=0.01,
        performance_fee=PerformanceFee(0.2, 0.02, "soft", "quarterly"),
    )
    answer = done(
        call,
        WALK,
        strategies.fixed_weights({"X": 0.9, "Y": 0.6, "Z": -0.2}),
        costs=costs,
        initial_capital=100_000.0,
        cash_flows=[RecurringCashFlow("monthly", 500.0), RecurringCashFlow("annual", fraction_of_nav=-0.02)],
        rebalancing=strategies.calendar("monthly", nth=3),
    )
    kinds = {"commission", "spread", "impact", "borrow", "financing", "fixed", "management_fee", "performance_fee"}
    assert {kind for kind, amount in answer.costs.items() if amount > 0.0} == kinds
    whole = answer.reconciliation
    assert whole is not None
    assert sum(answer.costs.values()) == pytest.approx(whole.costs, rel=1e-12)
    assert whole.start_nav + whole.flows + whole.gains - whole.costs == pytest.approx(whole.end_nav, rel=1e-10)


def test_rates_step_at_their_date(call: Call) -> None:
    def final(rate: Any) -> float:
        costs = trading_costs(cash_rate_annual=rate, day_count="act_360")
        flat = prices([1.0], [1.0], [1.0])
        nav = done(call, flat, strategies.fixed_weights({"A": 0.0}), costs=costs).strategies[0].final_nav
        assert nav is not None
        return nav

    assert final({DAYS[1]: 0.036, DAYS[2]: 0.072}) == pytest.approx((1.0 + 0.036 / 360.0) * (1.0 + 0.072 / 360.0))
    assert final(0.036) == pytest.approx((1.0 + 0.036 / 360.0) ** 2)


@pytest.mark.parametrize(
    ("band", "nav"),
    [
        (strategies.drift_band(0.05, to="edge"), 109.99899969990997),
        (strategies.drift_band(0.05), 109.9879975995199),
        (strategies.drift_band(0.05, to="fraction", fraction=1.0), 109.9879975995199),
        (strategies.drift_band(0.1), 110.0),
        (strategies.drift_band(by_asset={"A": 0.05, "B": (0.5, 0.5)}), 109.9879975995199),
    ],
)
def test_a_band_trades_where_it_says(call: Call, band: Any, nav: float) -> None:
    answer = done(
        call,
        prices([1.0, 1.0], [1.2, 0.95], [1.2, 0.95], symbols="AB"),
        strategies.fixed_weights({"A": 0.6, "B": 0.4}),
        initial_holdings={"A": 60.0, "B": 40.0},
        charge_initial_purchase=False,
        fill="same_close",
        rebalancing=strategies.rebalancing(band=band),
        commission_bps=10.0,
    )
    assert answer.strategies[0].final_nav == pytest.approx(nav, rel=1e-12)


@pytest.mark.parametrize(("charged", "wealth"), [(True, 1.0 / 1.01), (False, 1.0)])
def test_the_first_purchase_is_free_where_the_caller_says_so(call: Call, charged: bool, wealth: float) -> None:
    flat = prices([10.0], [10.0], [10.0])
    answer = done(call, flat, strategies.equal_weight(), commission_bps=100.0, charge_initial_purchase=charged)
    assert answer.metrics["final_wealth"] == pytest.approx(wealth, rel=1e-12)


def test_limits_of_rebalancing_trade_less(call: Call) -> None:
    def turnover(**limits: Any) -> float:
        rule = strategies.rebalancing(strategies.every_periods(5), **limits)
        costs = trading_costs(10.0)
        return done(call, WALK, strategies.equal_weight(), rebalancing=rule, costs=costs).metrics["turnover_annual"]

    free = turnover()
    assert turnover(max_turnover=0.002) < free
    assert turnover(min_periods_between=20) < free
    assert turnover(flows_only=True) < turnover(min_periods_between=20)


def test_fills_at_the_open_and_limits_of_participation(call: Call) -> None:
    opens = Panel.of("A", DAYS, [[10.0], [20.0], [10.0], [10.0]])
    flat = prices([10.0], [10.0], [10.0], [10.0])
    at_open = done(call, flat, strategies.equal_weight(), fill="next_open", open_prices=opens)
    assert at_open.metrics["final_wealth"] == pytest.approx(0.5)
    costs = trading_costs(daily_values={"A": 10.0})
    slow = done(
        call,
        flat,
        strategies.equal_weight(),
        initial_capital=3.0,
        costs=costs,
        max_participation=0.1,
        rebalancing=strategies.never(),
    )
    assert call("backtest_series", slow.name, "trades").values.ravel() == pytest.approx([0.0, 0.1, 0.1, 0.1])


def test_a_margin_call_is_an_event(call: Call) -> None:
    answer = done(
        call,
        prices([100.0], [100.0], [80.0], [80.0]),
        strategies.fixed_weights({"A": 2.0}),
        maintenance_ratio=0.5,
        initial_capital=1000.0,
        rebalancing=strategies.never(),
    )
    [event] = answer.asset_events
    assert (event.kind, event.date, event.quantity_before) == ("margin_call", DAYS[2], pytest.approx(20.0))
    # 600 of equity carry 1200 of exposure: 400 of 1600 are sold.
    assert (event.quantity_after, event.cash) == (pytest.approx(15.0), pytest.approx(400.0))


def test_strategies_made_of_strategies(call: Call) -> None:
    x, y = (strategies.fixed_weights({symbol: 1.0}, label=symbol) for symbol in "XY")
    mixed = strategies.blend([(x, 0.25), (y, 0.5)], label="mixed")
    plain = strategies.fixed_weights({"X": 0.25, "Y": 0.5}, label="plain")
    insured = strategies.cppi(strategies.equal_weight(), 0.8, 2.0, label="insured")
    scaled = strategies.volatility_target(strategies.equal_weight(), 0.05, 60, label="scaled")
    best = strategies.momentum(60, 1, skip=5, label="best")
    answer = done(call, WALK, [mixed, plain, insured, scaled, best])
    by_label = {one.label: one for one in answer.strategies}
    assert by_label["mixed"].metrics == pytest.approx(by_label["plain"].metrics)
    assert len(by_label["best"].final_holdings) == 1
    assert by_label["scaled"].metrics["volatility_annual"] == pytest.approx(0.05, rel=0.25)
    held = call("backtest_series", answer.name, "weights", "insured").values
    assert held[2].sum() == pytest.approx(2.0 * (1.0 - 0.8), rel=0.02)


def test_a_strategy_selects_among_others(call: Call) -> None:
    x, y = (strategies.fixed_weights({symbol: 1.0}, label=symbol) for symbol in "XY")
    answer = done(call, WALK, strategies.select([x, y], 60, score="total_return", purge=2, before="cash", label="best"))
    found = answer.strategies[0].selection
    assert found is not None
    assert sum(found.chosen.values()) == found.choice_count == len(found.choices) > 2
    assert found.choices[0].candidate in {"X", "Y"}
    assert found.choices[0].in_sample_score is not None
    assert (found.in_sample_mean is None) == ("in_sample_mean" in found.undefined)
    assert found.compared_count > 0


def test_an_account_that_is_used_up_says_when(call: Call) -> None:
    costs = trading_costs(financing_rate_annual=0.0)
    flat = prices([100.0], [100.0], [40.0], [40.0])
    answer = done(call, flat, strategies.fixed_weights({"A": 2.0}), costs=costs, fill="same_close")
    assert answer.strategies[0].bankrupt_date == DAYS[2]
    assert answer.strategies[0].final_nav == 0.0


def test_assets_come_and_go(call: Call) -> None:
    missing = float("nan")
    panel = prices([10.0, missing], [10.0, 5.0], [9.0, 5.0], [missing, 5.0], symbols="AB")
    answer = done(
        call,
        panel,
        strategies.equal_weight(),
        missing_data="asset_states",
        delisting_policy="shumway_nyse",
        rebalancing=strategies.never(),
        fill="same_close",
    )
    assert answer.metrics["final_wealth"] == pytest.approx(0.9 * 0.7)
    happened = [("listing", DAYS[1]), ("delisting", DAYS[3])]
    assert [(event.kind, event.date) for event in answer.asset_events] == happened
    assert answer.strategies[0].asset_event_count == 2


def test_splits_of_whole_units(call: Call) -> None:
    answer = done(
        call,
        prices([60.0], [60.0], [40.0]),
        strategies.equal_weight(),
        initial_holdings={"A": 101.0},
        fractional_holdings=False,
        price_basis="unadjusted",
        corporate_actions=[Split("A", DAYS[2], 1.5)],
        rebalancing=strategies.never(),
    )
    [event] = answer.asset_events
    assert (event.quantity_before, event.quantity_after, event.cash) == (101.0, 151.0, pytest.approx(20.0))


def test_dividends_are_taxed_and_reinvested(call: Call) -> None:
    answer = done(
        call,
        prices([50.0], [49.5]),
        strategies.equal_weight(),
        initial_holdings={"A": 100.0},
        price_basis="split_adjusted",
        dividend_policy="reinvest",
        withholding_rate=0.15,
        corporate_actions=[CashDividend("A", DAYS[1], 1.0)],
    )
    assert answer.costs["withholding"] == pytest.approx(15.0)
    assert answer.strategies[0].final_holdings["A"] == pytest.approx(100.0 + 85.0 / 49.5)
    assert answer.metrics["final_wealth"] == pytest.approx(1.007)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"corporate_actions": [Split("Z", DAYS[1], 2.0)], "price_basis": "unadjusted"}, "corporate_actions[0].symbol"),
        ({"corporate_actions": [Split("A", DAYS[1], 2.0)]}, "corporate_actions[0].split"),
        ({"cash_flows": [CashFlow(DAYS[3], 5.0)]}, "cash_flows[0].date"),
        ({"rebalancing": strategies.rebalancing(band=strategies.drift_band())}, "rebalancing.drift_band"),
        ({"initial_holdings": {"Z": 1.0}}, "initial_holdings[0].symbol"),
    ],
)
def test_what_is_refused_names_the_field(call: Call, more: dict[str, Any], field: str) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        done(call, prices([1.0], [2.0], [3.0]), strategies.equal_weight(), **more)
    assert [violation.field for violation in caught.value.violations] == [field]


def test_a_withdrawal_that_leaves_nothing_fails_the_job(call: Call) -> None:
    flows = [CashFlow(DAYS[1], -5.0)]
    job = call("backtest", prices([1.0], [2.0]), strategies.equal_weight(), cash_flows=flows, wait_seconds=60.0)
    assert job.state == "failed"
    assert job.error.startswith("cash_flows[0].amount: leaves nothing")


def test_a_calendar_has_one_day() -> None:
    with pytest.raises(ValueError, match="either last or nth"):
        strategies.calendar("monthly", last=True, nth=3)


@pytest.mark.parametrize("size", [{}, {"amount": 1.0, "fraction_of_nav": 0.1}])
def test_a_recurring_flow_has_one_size(size: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="one of them"):
        RecurringCashFlow("monthly", **size)


@pytest.mark.parametrize(
    "action",
    [
        Split("A", DAYS[0], 2.0),
        CashDividend("A", DAYS[0], 1.5),
        CashDividend("A", DAYS[0], 1.5, DAYS[1]),
        Delisting("A", DAYS[0]),
        Delisting("A", DAYS[0], 0.0),
    ],
)
def test_an_action_comes_back_from_its_message(action: absfin.Split | absfin.CashDividend | absfin.Delisting) -> None:
    assert corporate_action_from_proto(action.to_proto()) == action
