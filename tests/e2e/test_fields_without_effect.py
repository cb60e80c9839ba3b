"""What has no meaning or no effect beside the other fields of a backtest is refused by its name, never left out."""

from typing import Any

import pytest

from tests.conftest import Wire
from tests.e2e.test_backtest_fields import (
    DATES,
    DIVIDEND,
    EX,
    GAP,
    IMPACT,
    LATER,
    LIQUID,
    OPEN,
    PAST,
    PAYS,
    SPLIT_ADJUSTED,
    TIGHT,
    UNADJUSTED,
    WORTH,
    band,
    blend,
    calendar,
    costs,
    entry,
    own_dates,
    shares,
    step,
    strategy,
    usual,
)
from tests.e2e.test_simulation import BACKTEST, civil, fixed, panel

RETURNS = panel(DATES, A=[0.01, -0.02] * (len(DATES) // 2), B=[0.0, 0.01] * (len(DATES) // 2))
HOLDINGS = {"initialHoldings": [{"symbol": "A", "quantity": 5}]}
SPLIT = {"symbol": "A", "exDate": EX, "split": {"ratio": 2}}
GONE = {"symbol": "A", "exDate": civil(DATES[-1]), "delisting": {"return": -0.5}}
TRACKING = {"trigger": "BAND_TRIGGER_TRACKING_ERROR", "maxTrackingErrorAnnual": 0.05}
BREACHED = {"scope": "BAND_SCOPE_BREACHED"}
AFTER_THE_END = {"year": 2030, "month": 1, "day": 1}
ONLY_A = {"strategy": fixed(A=1.0)}
OF_B: dict[str, Any] = {"byAsset": [{"symbol": "B", "relative": 0.2}]}
FROM_THE_START = [{"date": civil(DATES[0]), "rateAnnual": 0.01}]
BEYOND_THE_PERIOD = [{"nthDay": 8}, {"nthDay": 32, "frequency": "FREQUENCY_MONTHLY"}]
FLOWS_ONLY = {"rebalancing": {"flowsOnly": True}}
EVERY = {"everyPeriods": {"n": 3}}


def on_returns(**more: Any) -> dict[str, Any]:
    return usual(prices=None, returns=RETURNS, strategy={"equalWeight": {}}, **more)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"corporateActions": [GONE, DIVIDEND], "priceBasis": SPLIT_ADJUSTED}, "corporate_actions[1].cash_dividend"),
        ({"corporateActions": [SPLIT], "priceBasis": UNADJUSTED}, "corporate_actions[0].split"),
        ({"priceBasis": UNADJUSTED}, "price_basis"),
        ({"priceBasis": SPLIT_ADJUSTED, "withholdingRate": 0.1}, "price_basis"),
        (HOLDINGS, "initial_holdings"),
        ({"fractionalHoldings": False, "initialCapital": 1000}, "fractional_holdings"),
        (costs(commissionPerShare=0.01), "costs.commission_per_share"),
        ({"execution": {"fill": "FILL_NEXT_OPEN"}}, "execution.fill"),
        ({**OPEN, "execution": {"fill": "FILL_NEXT_OPEN"}}, "open_prices"),
    ],
)
def test_returns_have_no_price_of_a_unit(wire: Wire, more: dict[str, Any], field: str) -> None:
    refused = wire.refused(BACKTEST, on_returns(**more))
    assert (refused.code, refused.reason, refused.fields) == ("INVALID_ARGUMENT", "INVALID_INPUT", (field,))
    assert "send prices" in refused.message


@pytest.mark.parametrize(
    "more",
    [
        {"corporateActions": [GONE]},
        costs(commissionBps=5, minCommission=0.1, fixedFee=0.1, managementFeeAnnual=0.01, borrowBpsAnnual=30),
        costs(impact={"squareRoot": {"coefficient": 1}}, liquidity=LIQUID[:2]),
        {"execution": {"maxParticipation": 0.1}, **costs(liquidity=LIQUID[:2])},
        {"cashFlows": [{"date": EX, "amount": 50}], "fractionalHoldings": True, "priceBasis": "PRICE_BASIS_ADJUSTED"},
        band(**TIGHT),
    ],
)
def test_what_is_a_fraction_of_value_or_money_goes_with_returns(wire: Wire, more: dict[str, Any]) -> None:
    """The same figures as on prices that have these returns, whatever the price of a unit."""
    found = wire.call(BACKTEST, on_returns(**more))
    levels = {"A": [40.0], "B": [700.0]}
    for name, column in (("A", RETURNS["values"][::2]), ("B", RETURNS["values"][1::2])):
        for change in column:
            levels[name].append(levels[name][-1] * (1.0 + change))
    before = DATES[0].fromordinal(DATES[0].toordinal() - 1)
    prices = panel([before, *DATES], **levels)
    expected = wire.call(BACKTEST, usual(prices=prices, **{"strategy": {"equalWeight": {}}, **more}))
    assert found["state"] == expected["state"] == "BACKTEST_STATE_SUCCEEDED", found
    assert found["result"]["finalNav"] == pytest.approx(expected["result"]["finalNav"], rel=1e-12)
    assert found["result"]["costs"] == pytest.approx(expected["result"]["costs"], rel=1e-9)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        (band(**TIGHT, maxTrackingErrorAnnual=0.1), "rebalancing.drift_band.max_tracking_error_annual"),
        (band(**TIGHT, riskAversion=3), "rebalancing.drift_band.risk_aversion"),
        (band(**TIGHT, horizonDays=3), "rebalancing.drift_band.horizon_days"),
        (band(**TRACKING, horizonDays=3), "rebalancing.drift_band.horizon_days"),
        (band(**WORTH, maxTrackingErrorAnnual=0.1), "rebalancing.drift_band.max_tracking_error_annual"),
        (band(**TRACKING, **BREACHED), "rebalancing.drift_band"),  # which weights are breached needs a width
        (band(**WORTH, **BREACHED), "rebalancing.drift_band"),
        (band(**TRACKING, absolute=0.05), "rebalancing.drift_band.absolute"),
        (band(**WORTH, relative=0.05), "rebalancing.drift_band.relative"),
        (band(**WORTH, byAsset=[{"symbol": "A", "absolute": 0.1}]), "rebalancing.drift_band.by_asset"),
        (band(**WORTH, byGroup=[{"group": "sector=x", "absolute": 0.1}]), "rebalancing.drift_band.by_group"),
        ({"withholdingRate": 0.15}, "withholding_rate"),
        ({"dividendPolicy": "DIVIDEND_POLICY_REINVEST"}, "dividend_policy"),
        (OPEN, "open_prices"),
        ({**OPEN, "execution": {"fill": "FILL_SAME_CLOSE"}}, "open_prices"),
        (
            {"recurringCashFlows": [{"amount": 1, "startDate": {"year": 2030, "month": 1, "day": 1}}]},
            "recurring_cash_flows[0].start_date",
        ),
        ({"recurringCashFlows": [{"amount": 1, "endDate": civil(DATES[0])}]}, "recurring_cash_flows[0].end_date"),
        (
            {"recurringCashFlows": [{"amount": 1, "startDate": civil(DATES[-1])}]},
            "recurring_cash_flows[0].start_date",
        ),
        (shares(hurdleAnnual=-0.01), "costs.performance_fee.hurdle_annual"),
        (shares(hurdle="HURDLE_SOFT"), "costs.performance_fee.hurdle_annual"),
        (shares(hurdle="HURDLE_HARD"), "costs.performance_fee.hurdle_annual"),
        ({"recurringCashFlows": [{"amount": 0}]}, "recurring_cash_flows[0].amount"),
        ({"recurringCashFlows": [{"amount": 1}, {"fractionOfNav": 0}]}, "recurring_cash_flows[1].fraction_of_nav"),
        ({"strategy": fixed(A=0.0), **band(**TIGHT)}, "rebalancing.drift_band"),
        (
            {"strategy": {"schedule": {"entries": [{"date": EX}]}}, "benchmarks": [{"symbol": "A"}], **band(**TIGHT)},
            "rebalancing.drift_band",
        ),
        ({**ONLY_A, **band(**TIGHT, **OF_B)}, "rebalancing.drift_band.by_asset[0].symbol"),
        (
            {**ONLY_A, **band(**TIGHT, **OF_B, destination="DESTINATION_EDGE")},  # whose edge is its target of 0
            "rebalancing.drift_band.by_asset[0].symbol",
        ),
        ({"universe": [step(EX, "A"), step(AFTER_THE_END, "B")]}, "universe[1].date"),
        ({"universe": [step(AFTER_THE_END, "B")]}, "universe[0].date"),
        (
            strategy(schedule={"entries": [entry(EX), entry(AFTER_THE_END, B=1.0)]}),
            "strategy.schedule.entries[1].date",
        ),
        ({**ONLY_A, "universe": [step(EX, "B")]}, "strategy.fixed_weights.weights"),
        ({**strategy(schedule={"entries": [entry(EX)]}), "universe": [step(EX, "B")]}, "strategy.schedule.entries"),
        (
            {**strategy(blend={"parts": [{"strategy": fixed(A=1.0), "weight": 1}]}), "universe": [step(EX, "B")]},
            "strategy.blend.parts",
        ),
        (costs(commissionBps=1, liquidityLookbackPeriods=5), "costs.liquidity_lookback_periods"),
        (costs(**IMPACT, liquidityLookbackPeriods=5), "costs.liquidity_lookback_periods"),
        (costs(cashRateAnnual=0.05, cashRates=FROM_THE_START), "costs.cash_rate_annual"),
        (costs(financingRateAnnual=0.05, financingRates=FROM_THE_START), "costs.financing_rate_annual"),
        (
            {
                **own_dates(rebalancing=EVERY, part={"rebalancing": EVERY}, other={"rebalancing": {"never": {}}}),
                "rebalancing": {"everyPeriods": {"n": 5}},
            },
            "rebalancing.every_periods",
        ),
        *((calendar(day="REBALANCE_DAY_NTH", **one), "rebalancing.calendar.nth_day") for one in BEYOND_THE_PERIOD),
        (
            costs(
                impact={"almgren": {"sharesOutstanding": [{"symbol": s, "quantity": 1e6} for s in "ABCZ"]}},
                liquidity=LIQUID,
            ),
            "costs.impact.almgren.shares_outstanding[3].symbol",
        ),
        ({"fractionalHoldings": False, "initialCapital": None}, "initial_capital"),
        (costs(portfolioValue=1e6), "costs.portfolio_value"),
        (costs(liquidity=LIQUID), "costs.liquidity"),
        (costs(maxCommission=1), "costs.max_commission"),
        (costs(commissionBps=1, dayCount="DAY_COUNT_ACT_360"), "costs.day_count"),
        (costs(byAsset=[{"symbol": "A", "costBps": 1, "tradingCostBps": 2}]), "costs.by_asset[0].cost_bps"),
        ({"rebalancing": {"never": {}, "minPeriodsBetween": 5}}, "rebalancing.min_periods_between"),
        ({"rebalancing": {"never": {}, "maxTurnover": 0.1}}, "rebalancing.max_turnover"),
        (
            {"initialHoldings": [{"symbol": "A", "quantity": 1, "lots": [{"quantity": 1, "purchaseDate": EX}]}]},
            "initial_holdings[0].lots",
        ),
        (
            {"strategy": {"optimize": {"objective": {"minRisk": {}}, "missingData": "MISSING_DATA_POLICY_DROP_DATES"}}},
            "strategy.optimize.missing_data",
        ),
        (
            {
                "prices": GAP,
                "missingData": "MISSING_DATA_POLICY_DROP_DATES",
                "delistingPolicy": "DELISTING_POLICY_ZERO",
            },
            "missing_data",
        ),
    ],
)
def test_a_field_without_effect_is_refused(wire: Wire, more: dict[str, Any], field: str) -> None:
    refused = wire.refused(BACKTEST, usual(**more))
    assert (refused.code, refused.fields) == ("INVALID_ARGUMENT", (field,))


def test_a_band_of_a_group_without_a_symbol_of_the_input(wire: Wire) -> None:
    instrument = {"symbol": "OUTSIDE", "groups": {"outside": "all"}}
    wire.call("MarketDataService/UpsertInstruments", {"instruments": [instrument]})
    refused = wire.refused(BACKTEST, usual(**band(**TIGHT, byGroup=[{"group": "outside=all", "absolute": 0.1}])))
    assert refused.fields == ("rebalancing.drift_band.by_group[0].group",)
    assert "is in the input" in refused.message


@pytest.mark.parametrize(
    "more",
    [
        {**PAYS, "withholdingRate": 0.0, "dividendPolicy": "DIVIDEND_POLICY_CASH"},
        {"withholdingRate": 0.0, "priceBasis": "PRICE_BASIS_ADJUSTED"},
        band(**TIGHT, **BREACHED, destination="DESTINATION_EDGE"),  # an edge ignores the scope, by its definition
        band(**WORTH, **TIGHT, destination="DESTINATION_EDGE"),
        {"strategy": fixed(A=1.0), **costs(commissionBps=1, dayCount="DAY_COUNT_ACT_365F")},
        {
            "strategy": {"schedule": {"entries": [{"date": EX, "weights": [{"symbol": "A", "weight": 1}]}]}},
            "rebalancing": {"never": {}, "maxTurnover": 0.1},
        },
        {**ONLY_A, **band(**TIGHT, **OF_B), "initialHoldings": [{"symbol": "B", "quantity": 5}]},
        {  # what A gives is bought of B, which has room in its band
            "strategy": fixed(A=0.6, C=0.4),
            **band(**TIGHT, byAsset=[{"symbol": "B", "absolute": 0.2}], destination="DESTINATION_EDGE"),
        },
        {**ONLY_A, **band(**TIGHT), "benchmarks": [{"strategy": {"equalWeight": {}}}]},
        {"universe": [step(EX, "A"), step(civil(DATES[-1]), "B")]},
        {**ONLY_A, "universe": [step(EX, "B"), step(LATER, "A")]},
        costs(**PAST, liquidityLookbackPeriods=5),
        costs(cashRateAnnual=0.05, cashRates=[{"date": civil(DATES[2]), "rateAnnual": 0.01}]),
        {**own_dates(rebalancing=EVERY, part={"rebalancing": EVERY}), "rebalancing": {"everyPeriods": {"n": 5}}},
        {**blend(0.5), "recurringCashFlows": [{"fractionOfNav": -0.01}]},
    ],
)
def test_defaults_and_what_has_an_effect_are_not_refused(wire: Wire, more: dict[str, Any]) -> None:
    assert wire.call(BACKTEST, usual(**more))["state"] == "BACKTEST_STATE_SUCCEEDED"


NO_UNITS = "initial_holdings[1].quantity"
NO_DIVIDEND = {"priceBasis": SPLIT_ADJUSTED, "withholdingRate": 0.15, "dividendPolicy": "DIVIDEND_POLICY_REINVEST"}


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        (NO_DIVIDEND, ["withholding_rate", "dividend_policy"]),
        ({**NO_DIVIDEND, **PAYS}, []),
        ({**HOLDINGS, "chargeInitialPurchase": False, **costs(commissionBps=1)}, ["charge_initial_purchase"]),
        ({"chargeInitialPurchase": False, **costs(commissionBps=1)}, []),
        (costs(performanceFee={"rate": 0.2}), ["costs.performance_fee"]),
        (shares(), []),
        (strategy(momentum={"lookbackPeriods": 5, "topN": 3}), ["strategy.momentum.top_n"]),
        (strategy(momentum={"lookbackPeriods": 5, "topN": 2}), []),
        (
            strategy(schedule={"entries": [entry(EX), entry(civil(DATES[-1]), B=1.0)]}),
            ["strategy.schedule.entries[1].date"],
        ),
        (strategy(schedule={"entries": [entry(EX), entry(civil(DATES[-2]), B=1.0)]}), []),
        (
            strategy(blend={"parts": [{"strategy": fixed(A=1.0), "weight": 1}, {"strategy": {"equalWeight": {}}}]}),
            ["strategy.blend.parts[1].weight"],
        ),
        ({"initialHoldings": [{"symbol": s, "quantity": q} for s, q in (("A", 5), ("B", 0))]}, [NO_UNITS]),
        (FLOWS_ONLY, ["rebalancing.flows_only"]),
        ({**FLOWS_ONLY, "cashFlows": [{"date": EX, "amount": -5}]}, ["rebalancing.flows_only"]),
        ({**FLOWS_ONLY, "recurringCashFlows": [{"fractionOfNav": 0.01}]}, []),
        ({**FLOWS_ONLY, **HOLDINGS}, []),
    ],
)
def test_a_field_without_effect_on_these_data_is_named(wire: Wire, more: dict[str, Any], fields: list[str]) -> None:
    answer = wire.call(BACKTEST, usual(**more))
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED", answer
    assert [one["field"] for one in answer.get("warnings", [])] == fields
    assert all(one["code"] == "FIELD_WITHOUT_EFFECT" for one in answer.get("warnings", []))


def test_an_asset_without_trading_costs_and_with_its_own_borrow_fee(wire: Wire) -> None:
    """A trading cost of 0 is one; where none is given beside the borrow fee, that of all assets holds."""
    short = {"strategy": fixed(A=-0.5), "rebalancing": {"never": {}}}

    def paid(**entry: Any) -> dict[str, float]:
        answer = wire.call(BACKTEST, usual(**short, **costs(commissionBps=10, byAsset=[{"symbol": "A", **entry}])))
        found: dict[str, float] = answer["result"]["costs"]
        return found

    usual_cost, free = paid(borrowBpsAnnual=100), paid(borrowBpsAnnual=100, tradingCostBps=0)
    assert usual_cost["commission"] == pytest.approx(5.0, rel=1e-3)
    assert free["commission"] == 0.0
    assert free["borrow"] == pytest.approx(usual_cost["borrow"], rel=1e-2)
    assert free["borrow"] > 0.0
    assert paid(tradingCostBps=0)["commission"] == paid(costBps=0)["commission"] == 0.0
    assert paid(borrowBpsAnnual=100, tradingCostBps=20) == paid(borrowBpsAnnual=100, costBps=20)
