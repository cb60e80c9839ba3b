"""The specification of a backtest: every field of the request, defaults, and what is refused by its path."""

from typing import Any

import pytest
from absfinance.v1 import backtest_pb2
from absfinance.v1.backtest_service_pb2 import BacktestRequest
from google.protobuf import json_format

from domain.attribution.settings import AttributionSettings, Linking
from domain.backtest.attribution_request import AttributionRequest
from domain.backtest.cash_flows import CashFlow, RecurringCashFlow
from domain.backtest.rebalancing import EveryPeriods
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol, Conventions, Fill
from domain.backtest.strategies import EqualWeightStrategy, FixedWeights
from domain.backtest.universe import Universe, UniverseStep
from domain.calendar import Frequency
from domain.costs.holding import Rate
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import (
    CorporateAction,
    DelistingPolicy,
    DividendPolicy,
    PriceBasis,
    Split,
)
from domain.market_data.missing import MissingDataPolicy
from domain.significance.settings import ValidationSettings
from server.converters.backtest_request import SpecificationsInTurn, backtest_specification_from_proto

SECOND = {"year": 1970, "month": 1, "day": 2}
EQUAL: dict[str, Any] = {"equalWeight": {}}
HALF = {"fixedWeights": {"weights": [{"symbol": "A", "weight": 0.5}]}}
OTHER = {"label": "other", **EQUAL}
SLEEVES = {"blend": {"parts": [{"strategy": EQUAL, "weight": 1.0, "rebalancing": {"everyPeriods": {"n": 2}}}]}}
SLEEVES["blend"]["rebalancing"] = {"everyPeriods": {"n": 4}}


def converted(**fields: Any) -> BacktestSpecification:
    given = fields if "strategies" in fields else {"strategy": EQUAL, **fields}
    return backtest_specification_from_proto(json_format.ParseDict(given, BacktestRequest()))


PLANNED = {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 40, "costs": {"commissionBps": 9}}}


def test_requests_in_turn_have_the_specifications_that_they_have_alone() -> None:
    """Those that differ in costs, those without, and those that differ in more; each request is met twice."""
    bodies: list[dict[str, Any]] = [
        {"strategy": EQUAL, "costs": {"commissionBps": 5}},
        {"strategy": EQUAL, "costs": {"commissionBps": 7, "cashRateAnnual": 0.02, "financingRateAnnual": 0.05}},
        {"strategy": EQUAL},
        {"strategy": HALF},
        {"strategy": HALF, "costs": {"fixedFee": 1}},
        {"strategy": PLANNED},
        {"strategy": PLANNED, "costs": {"commissionBps": 3}},
        {"strategy": PLANNED, "costs": {"commissionBps": 3}, "chargeInitialPurchase": False},
    ]
    in_turn = SpecificationsInTurn()
    for body in [*bodies, *reversed(bodies)]:
        request = json_format.ParseDict(body, BacktestRequest())
        assert in_turn.of(request) == converted(**body)


def test_a_request_that_is_refused_leaves_the_next_one_alone() -> None:
    in_turn = SpecificationsInTurn()
    for fields in ({}, {"initialHoldings": [{"symbol": "A"}, {"symbol": "A"}]}, {"costs": {"commissionBps": -1}}, {}):
        request = json_format.ParseDict({"strategy": EQUAL, **fields}, BacktestRequest())
        if fields:
            with pytest.raises(InvalidInput):
                in_turn.of(request)
        else:
            assert in_turn.of(request) == converted()


def test_requests_that_differ_in_costs_have_one_strategy() -> None:
    in_turn = SpecificationsInTurn()
    bodies = [{"strategy": EQUAL, "costs": {"commissionBps": bps}} for bps in (1, 2)]
    one, other = (in_turn.of(json_format.ParseDict(body, BacktestRequest())) for body in bodies)
    assert one.strategies[0] is other.strategies[0]
    assert one.costs != other.costs


def test_the_order_of_requests_does_not_matter_for_that() -> None:
    """In a grid whose first axis is the costs, the strategy changes from each trial to the next."""
    in_turn = SpecificationsInTurn()
    bodies = [{"strategy": one, "costs": {"commissionBps": bps}} for bps in (1, 2, 3) for one in (EQUAL, HALF)]
    found = [in_turn.of(json_format.ParseDict(body, BacktestRequest())) for body in bodies]
    assert len({id(one.strategies[0]) for one in found}) == 2


def test_what_is_not_given() -> None:
    assert converted() == BacktestSpecification((EqualWeightStrategy("equal_weight"),))


def test_one_strategy_or_a_list() -> None:
    assert not converted().listed
    found = converted(strategies=[EQUAL, OTHER])
    assert found.listed
    assert found.strategies == (EqualWeightStrategy("equal_weight"), EqualWeightStrategy("other"))


def test_trading() -> None:
    found = converted(
        rebalancing={"everyPeriods": {"n": 7}},
        execution={"fill": "FILL_NEXT_OPEN", "lagPeriods": 2, "maxParticipation": 0.25},
        costs={"commissionBps": 3.0, "cashRateAnnual": 0.01},
        chargeInitialPurchase=False,
        fractionalHoldings=False,
        initialCapital=1000.0,
        margin={"maintenanceRatio": 0.25},
        conventions="CONVENTIONS_BT",
    )
    assert found.rebalancing.schedule == EveryPeriods(7)
    assert (found.fill, found.lag_periods, found.max_participation) == (Fill.NEXT_OPEN, 2, 0.25)
    assert (found.costs.linear.commission_bps, found.holding_costs.cash) == (3.0, Rate(0.01))
    assert (found.charge_initial_purchase, found.fractional_holdings, found.initial_capital) == (False, False, 1000.0)
    assert (found.maintenance_ratio, found.conventions) == (0.25, Conventions.BT)


@pytest.mark.parametrize("fill", backtest_pb2.Fill.values())
def test_fills_have_their_names_on_the_wire(fill: int) -> None:
    name = backtest_pb2.Fill.Name(fill).removeprefix("FILL_")
    assert converted(execution={"fill": fill}).fill is Fill("NEXT_CLOSE" if name == "UNSPECIFIED" else name)


@pytest.mark.parametrize("conventions", backtest_pb2.Conventions.values())
def test_conventions_have_their_names_on_the_wire(conventions: int) -> None:
    name = backtest_pb2.Conventions.Name(conventions).removeprefix("CONVENTIONS_")
    found = converted(conventions=conventions).conventions
    assert found is Conventions("EXACT" if name == "UNSPECIFIED" else name)


def test_flows_and_actions() -> None:
    found = converted(
        cashFlows=[{"date": SECOND, "amount": -5.0}],
        recurringCashFlows=[{"frequency": "FREQUENCY_MONTHLY", "amount": 2.0}],
        corporateActions=[{"symbol": "A", "exDate": SECOND, "split": {"ratio": 2.0}}],
        priceBasis="PRICE_BASIS_SPLIT_ADJUSTED",
        dividendPolicy="DIVIDEND_POLICY_REINVEST",
        withholdingRate=0.15,
        delistingPolicy="DELISTING_POLICY_LAST_PRICE",
    )
    assert found.cash_flows == (CashFlow(1, -5.0),)
    assert found.recurring_cash_flows == (RecurringCashFlow(Frequency.MONTHLY, 2.0),)
    assert found.corporate_actions == (CorporateAction("A", 1, Split(2.0)),)
    assert (found.price_basis, found.dividend_policy) == (PriceBasis.SPLIT_ADJUSTED, DividendPolicy.REINVEST)
    assert (found.withholding_rate, found.delisting_policy) == (0.15, DelistingPolicy.LAST_PRICE)


def test_the_input_and_its_analysis() -> None:
    found = converted(
        universe=[{"date": SECOND, "symbols": ["A"]}],
        missingData="MISSING_DATA_POLICY_DROP_DATES",
        periodsPerYear=52.0,
        seed="9",
        analysis={
            "riskFreeRateAnnual": 0.0,
            "minimumAcceptableReturnAnnual": 0.02,
            "attribution": {"linking": "LINKING_GRAP"},
            "statisticalValidation": {"resamples": 200},
        },
    )
    assert found.universe == Universe((UniverseStep(1, ("A",)),))
    assert (found.missing_data, found.periods_per_year) == (MissingDataPolicy.DROP_DATES, 52.0)
    assert (found.risk_free_rate_annual, found.minimum_acceptable_return_annual) == (0.0, 0.02)
    assert found.attribution == AttributionRequest(AttributionSettings(linking=Linking.GRAP))
    assert found.validation == ValidationSettings(is_resampled=True, resamples=200, seed=9)


def test_benchmarks() -> None:
    found = converted(
        benchmarks=[
            {"symbol": "A"},
            {"symbol": "B", "label": "index"},
            {"strategy": EQUAL},
            {"strategy": {**EQUAL, "label": "own"}},
            {"strategy": {**HALF, "label": "own"}, "label": "theirs"},
        ]
    )
    assert found.benchmarks == (
        BenchmarkSymbol("A", ""),
        BenchmarkSymbol("B", "index"),
        EqualWeightStrategy("benchmark equal_weight"),
        EqualWeightStrategy("own"),
        FixedWeights({"A": 0.5}, "theirs", leveraged=True),
    )


def test_an_account_begins_with_one_unit_of_money_or_with_its_holdings() -> None:
    holdings = [{"symbol": "A", "quantity": 3.0}, {"symbol": "B", "quantity": -1.0}]
    assert converted().initial_capital == 1.0
    found = converted(initialHoldings=holdings)
    assert (found.initial_capital, found.initial_holdings) == (0.0, {"A": 3.0, "B": -1.0})
    assert converted(initialHoldings=holdings, initialCapital=5.0).initial_capital == 5.0
    assert converted(fractionalHoldings=True, initialCapital=5.0).fractional_holdings


def test_strategies_and_benchmarks_may_borrow() -> None:
    borrowing = {"label": "x", "fixedWeights": {"weights": [{"symbol": "A", "weight": 1.5}]}}
    found = converted(strategy=borrowing, benchmarks=[{"strategy": borrowing, "label": "y"}])
    assert found.strategies == (FixedWeights({"A": 1.5}, "x", leveraged=True),)
    assert found.benchmarks == (FixedWeights({"A": 1.5}, "y", leveraged=True),)


TWICE = {"fixedWeights": {"weights": [{"symbol": "A", "weight": 0.5}, {"symbol": "A", "weight": 0.5}]}}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"strategy": TWICE}, "strategy.fixed_weights.weights[1].symbol"),
        ({"strategies": [EQUAL, TWICE]}, "strategies[1].fixed_weights.weights[1].symbol"),
        (
            {"benchmarks": [{"symbol": "A"}, {"strategy": TWICE}]},
            "benchmarks[1].strategy.fixed_weights.weights[1].symbol",
        ),
        ({"initialHoldings": [{"symbol": "A"}, {"symbol": "A"}]}, "initial_holdings[1].symbol"),
        ({"initialHoldings": [{"symbol": "A"}, {"symbol": "B", "lots": [{}]}]}, "initial_holdings[1].lots"),
        ({"fractionalHoldings": False}, "initial_capital"),
        ({"withholdingRate": 0.1}, "withholding_rate"),
        ({"universe": [{"date": {"year": 1970}, "symbols": ["A"]}]}, "universe[0].date"),
        ({"analysis": {"attribution": {"groups": ["a=b"]}}}, "analysis.attribution.groups[0]"),
        (
            {"analysis": {"statisticalValidation": {"confidenceLevel": 1.0}}},
            "analysis.statistical_validation.confidence_level",
        ),
        ({"strategy": SLEEVES, "rebalancing": {"everyPeriods": {"n": 3}}}, "rebalancing.every_periods"),
        ({"strategy": SLEEVES, "rebalancing": {"never": {}}}, "rebalancing.never"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        converted(**fields)
    assert raised.value.field == named


def test_dates_of_the_request_are_for_whatever_has_none_of_its_own() -> None:
    every_third = {"everyPeriods": {"n": 3}}
    assert converted(strategy=SLEEVES).rebalancing == BacktestSpecification((EqualWeightStrategy("e"),)).rebalancing
    assert converted(strategies=[SLEEVES, EQUAL], rebalancing=every_third).rebalancing.schedule == EveryPeriods(3)
    part = {"strategy": EQUAL, "weight": 0.5}
    mixed = {"blend": {**SLEEVES["blend"], "parts": [{**part, "rebalancing": every_third}, {**part, "strategy": HALF}]}}
    assert converted(strategy=mixed, rebalancing=every_third).rebalancing.schedule == EveryPeriods(3)
