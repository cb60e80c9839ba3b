"""What a simulation refuses over the wire, and that no size or number of inputs breaks it."""

import math
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from tests.conftest import Wire
from tests.e2e.test_simulation import BACKTEST, MONDAY, civil, days, fixed, panel, series

DATES = days(MONDAY, 6)
PRICES = panel(DATES, A=[10.0, 11.0, 10.5, 12.0, 11.0, 12.5], B=[20.0, 20.0, 21.0, 19.0, 20.0, 22.0])
SPLIT = {"symbol": "A", "exDate": civil(DATES[2]), "split": {"ratio": 2}}
DIVIDEND = {"symbol": "A", "exDate": civil(DATES[2]), "cashDividend": {"amount": 1}}
GONE = {"symbol": "A", "exDate": civil(DATES[3]), "delisting": {"return": 0}}
UNADJUSTED = "PRICE_BASIS_UNADJUSTED"


def request(**more: Any) -> dict[str, Any]:
    usual = {"prices": PRICES, "strategy": {"equalWeight": {}}, "rebalancing": {"everyPeriods": {"n": 1}}}
    return {**usual, "periodsPerYear": 252, "wait": "60s", **more}


def failure(answer: dict[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    """Reason, message and field paths of the error that a job ended with."""
    assert answer["state"] == "BACKTEST_STATE_FAILED", answer
    details = {detail["@type"].rsplit(".", 1)[-1]: detail for detail in answer["error"]["details"]}
    violations = details.get("BadRequest", {}).get("fieldViolations", [])
    fields = tuple(violation["field"] for violation in violations)
    return details["ErrorInfo"]["reason"], answer["error"]["message"], fields


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (
            {
                "prices": panel(DATES, A=[math.nan, 11.0, 10.5, 12.0, 11.0, 12.5], B=[20.0] * 6),
                "missingData": "MISSING_DATA_POLICY_ASSET_STATES",
                "priceBasis": UNADJUSTED,
                "corporateActions": [{**SPLIT, "exDate": civil(DATES[0])}],
            },
            "corporate_actions[0].ex_date",
        ),
        ({"priceBasis": UNADJUSTED, "corporateActions": [{**SPLIT, "split": {"ratio": 0}}]}, "split.ratio"),
        ({"priceBasis": UNADJUSTED, "corporateActions": [SPLIT, SPLIT]}, "corporate_actions[1]"),
        ({"priceBasis": UNADJUSTED, "corporateActions": [DIVIDEND, DIVIDEND]}, "corporate_actions[1]"),
        ({"corporateActions": [GONE, {**GONE, "exDate": civil(DATES[4])}]}, "corporate_actions[0].ex_date"),
        (
            {
                "prices": panel(DATES, A=[10.0, 11.0, 10.5, 12.0, math.nan, math.nan], B=[20.0] * 6),
                "priceBasis": UNADJUSTED,
                "corporateActions": [{**GONE, "exDate": civil(DATES[4])}, {**SPLIT, "exDate": civil(DATES[5])}],
            },
            "corporate_actions[1].ex_date",
        ),
        (
            {
                "priceBasis": UNADJUSTED,
                "corporateActions": [{**DIVIDEND, "cashDividend": {"amount": 1, "payDate": civil(DATES[1])}}],
            },
            "cash_dividend.pay_date",
        ),
        ({"corporateActions": [DIVIDEND]}, "corporate_actions[0].cash_dividend"),
        ({"corporateActions": [{**GONE, "delisting": {"return": -1.5}}]}, "return"),
        ({"costs": {"performanceFee": {"rate": 1.1}}}, "costs.performance_fee.rate"),
        ({"costs": {"managementFeeAnnual": 1.1}}, "costs.management_fee_annual"),
        ({"costs": {"commissionBps": 10_001}}, "costs.commission_bps"),
        ({"withholdingRate": 1.1}, "withholding_rate"),
        ({"rebalancing": {"driftBand": {"destination": "DESTINATION_EDGE"}}}, "rebalancing.drift_band"),
        (
            {"rebalancing": {"driftBand": {"absolute": 0.1, "trigger": "BAND_TRIGGER_TRACKING_ERROR"}}},
            "rebalancing.drift_band.max_tracking_error_annual",
        ),
        (
            {"rebalancing": {"driftBand": {"absolute": 0.1, "byGroup": [{"group": "sector=none", "absolute": 0.1}]}}},
            "rebalancing.drift_band.by_group[0].group",
        ),
        ({"costs": {"byAsset": [{"symbol": "Z", "costBps": 1}]}}, "costs.by_asset[0].symbol"),
        ({"costs": {"liquidity": [{"symbol": "Z", "dailyValue": 1}]}}, "costs.liquidity[0].symbol"),
        (
            {
                "costs": {
                    "impact": {"squareRoot": {"coefficient": 1}},
                    "liquidity": [{"symbol": "A", "dailyValue": 0, "volatilityAnnual": 0.2}],
                }
            },
            "costs.liquidity[0].daily_value",
        ),
        ({"execution": {"maxParticipation": 0.1}}, "costs"),  # which the request does not have
        ({"execution": {"maxParticipation": 1.1}}, "execution.max_participation"),
        ({"costs": {"performanceFee": {"hurdleAnnual": 0.1}}}, "costs.performance_fee.rate"),
        ({"costs": {"cashRates": [{"date": civil(date(2030, 1, 1)), "rateAnnual": 0.1}]}}, "costs.cash_rates[0].date"),
        (
            {"costs": {"financingRates": [{"date": civil(date(2030, 1, 1)), "rateAnnual": 0.1}]}},
            "costs.financing_rates[0].date",
        ),
        ({"cashFlows": [{"date": civil(DATES[2])}]}, "cash_flows[0].amount"),
        (
            {"recurringCashFlows": [{"amount": 1, "frequency": "FREQUENCY_ANNUAL"}]},
            "recurring_cash_flows[0].frequency",
        ),
        (
            {"recurringCashFlows": [{"amount": 1, "frequency": "FREQUENCY_ANNUAL", "startDate": civil(DATES[1])}]},
            "recurring_cash_flows[0].frequency",
        ),
        ({"recurringCashFlows": [{"amount": 1, "growthAnnual": -1}]}, "recurring_cash_flows[0].growth_annual"),
        (
            {"recurringCashFlows": [{"amount": 1, "startDate": civil(DATES[3]), "endDate": civil(DATES[1])}]},
            "recurring_cash_flows[0].end_date",
        ),
        (
            {"recurringCashFlows": [{"amount": 1e15, "frequency": "FREQUENCY_DAILY", "growthAnnual": 1e300}]},
            "recurring_cash_flows[0].growth_annual",
        ),
        ({"strategy": fixed(A=2e6), "margin": {"maintenanceRatio": 0.1}}, "strategy.fixed_weights.weights[0].weight"),
        (
            {
                "strategy": {"blend": {"parts": [{"strategy": {"equalWeight": {}}, "weight": 2e6}]}},
                "margin": {"maintenanceRatio": 0.1},
            },
            "strategy.blend.parts[0].weight",
        ),
        ({"margin": {"maintenanceRatio": 1.5}}, "margin.maintenance_ratio"),
        ({"rebalancing": {"driftBand": {}}}, "rebalancing.drift_band"),
        ({"rebalancing": {"driftBand": {"byAsset": [{"symbol": "A"}]}}}, "rebalancing.drift_band.by_asset[0]"),
        (
            {"rebalancing": {"driftBand": {"absolute": 0.1, "byAsset": [{"symbol": "Z", "absolute": 0.1}]}}},
            "rebalancing.drift_band.by_asset[0].symbol",
        ),
        ({"strategy": fixed(Z=1.0)}, "strategy.fixed_weights.weights[0].symbol"),
        (
            {
                "strategy": {
                    "schedule": {
                        "entries": [{"date": civil(DATES[0]), "weights": [{"symbol": "Z", "weight": 1}]}],
                    }
                }
            },
            "strategy.schedule.entries[0].weights[0].symbol",
        ),
        ({"initialHoldings": [{"symbol": "Z", "quantity": 1}]}, "initial_holdings[0].symbol"),
        ({"corporateActions": [{**GONE, "symbol": "Z"}]}, "corporate_actions[0].symbol"),
        ({"corporateActions": [{**GONE, "exDate": civil(date(2030, 1, 1))}]}, "corporate_actions[0].ex_date"),
        ({"priceBasis": UNADJUSTED, "corporateActions": [{**SPLIT, "split": {"ratio": -1}}]}, "split.ratio"),
        ({"cashFlows": [{"date": civil(DATES[0]), "amount": 1}]}, "cash_flows[0].date"),
        ({"cashFlows": [{"date": civil(date(2030, 1, 1)), "amount": 1}]}, "cash_flows[0].date"),
        ({"costs": {"impact": {"squareRoot": {"coefficient": 1}}}}, "costs.liquidity"),
        (
            {
                "execution": {"maxParticipation": 0.1},
                "costs": {"liquidity": [{"symbol": s, "dailyValue": 0} for s in "AB"]},
            },
            "costs.liquidity[0].daily_value",
        ),
        (
            {"costs": {"cashRates": [{"date": civil(DATES[2]), "rateAnnual": 0.1}] * 2}},
            "costs.cash_rates[1].date",
        ),
        ({"costs": {"minCommission": 2, "maxCommission": 1}}, "costs.max_commission"),
        ({"rebalancing": {"driftBand": {"absolute": 0.1}, "flowsOnly": True}}, "rebalancing.flows_only"),
        ({"rebalancing": {"calendar": {"day": "REBALANCE_DAY_NTH"}}}, "rebalancing.calendar.nth_day"),
        ({"strategy": {"remote": {"target": "127.0.0.1:1"}}}, "strategy.remote.target"),
        ({"execution": {"fill": "FILL_NEXT_OPEN"}}, "open_prices"),
    ],
)
def test_bad_input_is_refused_by_its_field(wire: Wire, wrong: dict[str, Any], path: str) -> None:
    refusal = wire.refused(BACKTEST, request(**wrong))
    assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "INVALID_INPUT")
    assert any(path in field for field in refusal.fields), refusal


def test_an_unknown_benchmark(wire: Wire) -> None:
    refusal = wire.refused(BACKTEST, request(benchmarks=[{"symbol": "UNKNOWN"}]))
    assert (refusal.code, refusal.reason) == ("NOT_FOUND", "MISSING_MARKET_DATA")
    assert "UNKNOWN" in refusal.message


@pytest.mark.parametrize(
    ("flows", "path"),
    [
        (
            {"cashFlows": [{"date": civil(DATES[3]), "amount": 5}, {"date": civil(DATES[4]), "amount": -500}]},
            "[1].amount",
        ),
        (
            {
                "cashFlows": [
                    {"date": civil(DATES[4]), "amount": -500, "timing": "FLOW_TIMING_START_OF_DAY"},
                ]
            },
            "cash_flows[0].amount",
        ),
        ({"recurringCashFlows": [{"fractionOfNav": -1, "frequency": "FREQUENCY_DAILY"}]}, "recurring_cash_flows"),
    ],
)
def test_a_flow_that_leaves_nothing_fails_the_job_by_its_field(wire: Wire, flows: dict[str, Any], path: str) -> None:
    reason, message, fields = failure(wire.call(BACKTEST, request(initialCapital=100, **flows)))
    assert reason == "INVALID_INPUT"
    assert "nothing" in message
    assert len(fields) == 1
    assert path in fields[0]


def test_returns_of_an_account_with_flows_do_not_depend_on_its_size(wire: Wire) -> None:
    """The square of this net asset value is no number; it was once taken for a loss of everything."""
    found = []
    for units in (1.0, 1e200):
        sent = {"initialHoldings": [{"symbol": "A", "quantity": units}], "rebalancing": {"never": {}}}
        answer = wire.call(BACKTEST, request(**sent, cashFlows=[{"date": civil(DATES[3]), "amount": 1e-9}]))
        found.append(answer["result"]["metrics"]["finalWealth"])
    assert found[0] == pytest.approx(found[1], rel=1e-9)


def test_interest_beyond_numbers_is_not_lost_in_a_fill(wire: Wire) -> None:
    """An infinite balance was once taken for a rounding error of a fully invested account."""
    sent = request(
        costs={"cashRateAnnual": 1e300, "liquidity": LIQUID}, execution={"maxParticipation": 1e-300}, initialCapital=1
    )
    reason, message, fields = failure(wire.call(BACKTEST, sent))
    assert (reason, fields) == ("INVALID_INPUT", ("prices",))
    assert "too large or too small" in message


HELD = {"strategy": fixed(A=0.5, B=-0.2), "initialCapital": 1000}


def almgren(shares: float = 1e6, **law: float) -> dict[str, Any]:
    outstanding = [{"symbol": symbol, "quantity": shares} for symbol in "AB"]
    return {"costs": {"impact": {"almgren": {**law, "sharesOutstanding": outstanding}}, "liquidity": LIQUID}}


LIQUID = [{"symbol": symbol, "dailyValue": 1e6, "volatilityAnnual": 0.2} for symbol in "AB"]
BAND: dict[str, Any] = {"absolute": 0.01}
SIZED: dict[str, Any] = {
    "initial_capital": lambda x: {"initialCapital": x},
    "initial_holdings": lambda x: {"initialHoldings": [{"symbol": "A", "quantity": x}]},
    "cash_flow": lambda x: {"cashFlows": [{"date": civil(DATES[3]), "amount": x}]},
    "cash_flow_at_start_of_day": lambda x: {
        "cashFlows": [{"date": civil(DATES[3]), "amount": x, "timing": "FLOW_TIMING_START_OF_DAY"}]
    },
    "recurring_amount": lambda x: {"recurringCashFlows": [{"amount": x, "frequency": "FREQUENCY_DAILY"}]},
    "recurring_fraction": lambda x: {"recurringCashFlows": [{"fractionOfNav": x, "frequency": "FREQUENCY_DAILY"}]},
    "recurring_growth": lambda x: {
        "recurringCashFlows": [{"amount": 1, "frequency": "FREQUENCY_DAILY", "growthAnnual": x}]
    },
    "split": lambda x: {"priceBasis": UNADJUSTED, "corporateActions": [{**SPLIT, "split": {"ratio": x}}]},
    "dividend": lambda x: {"priceBasis": UNADJUSTED, "corporateActions": [{**DIVIDEND, "cashDividend": {"amount": x}}]},
    "reinvested_dividend": lambda x: {
        "priceBasis": UNADJUSTED,
        "dividendPolicy": "DIVIDEND_POLICY_REINVEST",
        "corporateActions": [{**DIVIDEND, "cashDividend": {"amount": x}}],
    },
    "delisting": lambda x: {
        "prices": panel(DATES, A=[10.0, 11.0, 10.5, 12.0, math.nan, math.nan], B=[20.0] * 6),
        "corporateActions": [{**GONE, "exDate": civil(DATES[4]), "delisting": {"return": x}}],
    },
    "withholding": lambda x: {
        "priceBasis": UNADJUSTED,
        "withholdingRate": x,
        "corporateActions": [DIVIDEND],
    },
    "commission_bps": lambda x: {"costs": {"commissionBps": x}},
    "half_spread_bps": lambda x: {"costs": {"halfSpreadBps": x}},
    "impact": lambda x: {"costs": {"impact": {"squareRoot": {"coefficient": x}}, "liquidity": LIQUID}},
    "daily_value": lambda x: {
        "costs": {
            "impact": {"squareRoot": {"coefficient": 1}},
            "liquidity": [{"symbol": s, "dailyValue": x, "volatilityAnnual": 0.2} for s in "AB"],
        }
    },
    "volatility": lambda x: {
        "costs": {
            "impact": {"squareRoot": {"coefficient": 1}},
            "liquidity": [{"symbol": s, "dailyValue": 1e6, "volatilityAnnual": x} for s in "AB"],
        }
    },
    "almgren_gamma": lambda x: almgren(gamma=x),
    "almgren_eta": lambda x: almgren(eta=x),
    "almgren_days": lambda x: almgren(executionDays=x),
    "almgren_shares": lambda x: almgren(shares=x),
    "borrow": lambda x: {"costs": {"borrowBpsAnnual": x}},
    "borrow_of_asset": lambda x: {"costs": {"byAsset": [{"symbol": "B", "borrowBpsAnnual": x}]}},
    "cash_rate": lambda x: {"costs": {"cashRateAnnual": x}},
    "financing_rate": lambda x: {"strategy": fixed(A=1.5), "costs": {"financingRateAnnual": x}},
    "cash_rates": lambda x: {"costs": {"cashRates": [{"date": civil(DATES[2]), "rateAnnual": x}]}},
    "financing_rates": lambda x: {
        "strategy": fixed(A=1.5),
        "costs": {"financingRates": [{"date": civil(DATES[2]), "rateAnnual": x}]},
    },
    "fixed_fee": lambda x: {"costs": {"fixedFee": x}},
    "commission_per_share": lambda x: {"costs": {"commissionPerShare": x}},
    "min_commission": lambda x: {"costs": {"minCommission": x}},
    "max_commission": lambda x: {"costs": {"commissionBps": 10, "maxCommission": x}},
    "management_fee": lambda x: {"costs": {"managementFeeAnnual": x}},
    "performance_fee": lambda x: {"costs": {"performanceFee": {"rate": x, "crystallization": "FREQUENCY_DAILY"}}},
    "hurdle": lambda x: {
        "costs": {"performanceFee": {"rate": 0.2, "hurdleAnnual": x, "crystallization": "FREQUENCY_DAILY"}}
    },
    "absolute_band": lambda x: {"rebalancing": {"driftBand": {"absolute": x}}},
    "relative_band": lambda x: {"rebalancing": {"driftBand": {"relative": x, "destination": "DESTINATION_EDGE"}}},
    "band_of_asset": lambda x: {
        "rebalancing": {"driftBand": {**BAND, "byAsset": [{"symbol": "A", "absolute": x, "relative": x}]}}
    },
    "band_fraction": lambda x: {
        "rebalancing": {"driftBand": {**BAND, "destination": "DESTINATION_FRACTION", "fraction": x}}
    },
    "tracking_error": lambda x: {
        "rebalancing": {"driftBand": {"trigger": "BAND_TRIGGER_TRACKING_ERROR", "maxTrackingErrorAnnual": x}}
    },
    "risk_aversion": lambda x: {
        "rebalancing": {"driftBand": {"trigger": "BAND_TRIGGER_COST_BENEFIT", "riskAversion": x, "horizonDays": 1}},
        "costs": {"commissionBps": 1},
    },
    "max_turnover": lambda x: {"rebalancing": {"everyPeriods": {"n": 1}, "maxTurnover": x}},
    "max_participation": lambda x: {"execution": {"maxParticipation": x}, "costs": {"liquidity": LIQUID}},
    "maintenance_ratio": lambda x: {"strategy": fixed(A=1.5, B=-0.5), "margin": {"maintenanceRatio": x}},
    "volatility_target": lambda x: {
        "strategy": {
            "volatilityTarget": {"base": {"equalWeight": {}}, "targetAnnual": x, "lookbackPeriods": 2, "maxLeverage": 2}
        }
    },
    "max_leverage": lambda x: {
        "strategy": {
            "volatilityTarget": {
                "base": {"equalWeight": {}},
                "targetAnnual": 1e9,
                "lookbackPeriods": 2,
                "maxLeverage": x,
            }
        }
    },
    "cppi_floor": lambda x: {"strategy": {"cppi": {"base": {"equalWeight": {}}, "floor": x, "multiplier": 2}}},
    "cppi_multiplier": lambda x: {"strategy": {"cppi": {"base": {"equalWeight": {}}, "floor": 0.8, "multiplier": x}}},
    "blend": lambda x: {"strategy": {"blend": {"parts": [{"strategy": {"equalWeight": {}}, "weight": x}]}}},
    "prices": lambda x: {"prices": panel(DATES, A=[x] * 6, B=[20.0] * 6), "fractionalHoldings": False},
    "open_prices": lambda x: {
        "openPrices": panel(DATES, A=[x] * 6, B=[20.0] * 6),
        "execution": {"fill": "FILL_NEXT_OPEN"},
    },
}
"""Every number of the simulation, as a part of a request."""


@pytest.mark.parametrize("field", SIZED)
def test_no_size_of_a_number_breaks_a_backtest(wire: Wire, field: str) -> None:
    """It succeeds with finite figures, fails with a typed error, or is refused by its field."""
    for value in (1e300, 1e-300, -1e300, 1.0, 0.0, 5e-324, 1.7e308):
        answer = _answer(wire, request(**{**HELD, **SIZED[field](value)}))
        if answer is None:
            continue
        if answer["state"] == "BACKTEST_STATE_SUCCEEDED":
            assert _is_finite(answer["result"]), (value, answer)
        else:
            reason, message, fields = failure(answer)
            assert (reason, len(fields)) == ("INVALID_INPUT", 1), (value, message)


@pytest.mark.parametrize("field", SIZED)
def test_no_number_may_be_nan(wire: Wire, field: str) -> None:
    if "prices" in field:  # a price that is no number is one that is missing
        return
    refusal = wire.refused(BACKTEST, request(**{**HELD, **SIZED[field]("NaN")}))
    assert refusal.code == "INVALID_ARGUMENT"
    assert refusal.fields  # several rules of one field, and more than one field where the number is given to many


def _answer(wire: Wire, sent: dict[str, Any]) -> dict[str, Any] | None:
    """The job, or nothing where the request is refused with a field."""
    import grpc

    from tests.conftest import refusal_of

    try:
        return wire.call(BACKTEST, sent)
    except grpc.RpcError as error:
        refusal = refusal_of(error)
        assert refusal.code == "INVALID_ARGUMENT", refusal
        assert refusal.fields, refusal
        return None


def _is_finite(found: Any) -> bool:
    if isinstance(found, dict):
        return all(_is_finite(value) for value in found.values())
    if isinstance(found, list):
        return all(map(_is_finite, found))
    return found not in ("NaN", "Infinity", "-Infinity")


LONG = [date(1991, 1, 1) + timedelta(i) for i in range(12_000)]


def test_daily_flows_over_33_years(wire: Wire) -> None:
    """A flow on each of 12 000 dates, alone and with recurring ones, in seconds."""
    level = [100.0 + (i % 7) for i in range(len(LONG))]
    answer = wire.call(
        BACKTEST,
        request(
            prices=panel(LONG, A=level),
            initialCapital=1000,
            cashFlows=[{"date": civil(day), "amount": 1} for day in LONG[1:]],
            recurringCashFlows=[{"amount": 1, "frequency": "FREQUENCY_DAILY"}],
        ),
    )
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED", answer
    assert answer["result"]["reconciliation"]["flows"] == pytest.approx(2.0 * (len(LONG) - 1), rel=1e-12)
    assert "moneyWeightedReturn" in answer["result"]


@pytest.mark.alone
@pytest.mark.timeout(200)
@pytest.mark.parametrize("kind", ["cash_flows", "corporate_actions", "splits_in_a_halt"])
def test_the_most_entries_take_seconds_and_others_are_served(wire: Wire, kind: str) -> None:
    """As many cash flows or corporate actions as a request may hold: no cost that grows with their square."""
    sent = request(**_many(kind), wait="165s")
    with ThreadPoolExecutor(1) as pool:
        # A job leaves the processor to all that is not one, so on busy cores it takes many times its seconds.
        pending = pool.submit(wire.call, BACKTEST, sent, 170.0)
        slowest = 0.0
        while not pending.done():
            began = time.monotonic()
            wire.call("BacktestService/ListBacktests", {"pageSize": 1})
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.02)
    answer = pending.result()
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED", answer.get("error")
    assert slowest < 2.0
    if kind == "corporate_actions":  # a result that lists them all would not fit into a message
        assert len(answer["result"]["assetEvents"]) == 10_000
        assert [one["code"] for one in answer["result"]["warnings"]] == ["ASSET_EVENTS_LEFT_OUT"]


def _many(kind: str) -> dict[str, Any]:
    if kind == "cash_flows":
        chosen = (LONG[1 + i % (len(LONG) - 1)] for i in range(100_000))
        level = [100.0] * len(LONG)
        return {"prices": panel(LONG, A=level), "cashFlows": [{"date": civil(day), "amount": 0.01} for day in chosen]}
    symbols = [f"S{i}" for i in range(10)]
    first = date(1975, 1, 1)
    dates = [first + timedelta(i) for i in range(10_001)]
    if kind == "splits_in_a_halt":
        price = [[1.0, *[math.nan] * 9_999, 1.0] for _ in symbols]
        event: dict[str, Any] = {"split": {"ratio": 1.0}}
    else:
        price, event = [[1.0] * 10_001 for _ in symbols], {"cashDividend": {"amount": 1e-6}}
    actions = [{"symbol": s, "exDate": civil(day), **event} for s in symbols for day in dates[1:]]
    return {
        "prices": panel(dates, **dict(zip(symbols, price, strict=True))),
        "missingData": "MISSING_DATA_POLICY_ASSET_STATES",
        "priceBasis": UNADJUSTED,
        "corporateActions": actions,
    }


def test_costs_of_a_margin_call_can_use_up_everything(wire: Wire) -> None:
    """A commission of more than what is left: the account ends at 0 on that date, and its return is -1."""
    answer = wire.call(
        BACKTEST,
        request(
            prices=panel(DATES, A=[10.0, 10.0, 4.0, 4.0, 4.0, 4.0]),
            strategy=fixed(A=1.5),
            rebalancing={"never": {}},
            execution={"fill": "FILL_SAME_CLOSE"},
            chargeInitialPurchase=False,
            initialCapital=100,
            costs={"minCommission": 50},
            margin={"maintenanceRatio": 0.5},
        ),
    )
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED", answer
    found = answer["result"]
    assert found["bankruptDate"] == civil(DATES[2])
    assert found["finalNav"] == 0.0
    assert found["metrics"]["totalReturn"] == -1.0
    assert series(wire, answer["name"], "NAV") == [100.0, 100.0, 0.0, 0.0, 0.0, 0.0]
