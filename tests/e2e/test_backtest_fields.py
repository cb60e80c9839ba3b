"""Every field of a backtest's request does something: the result with it differs from the one without it.

What would have no effect beside the other fields is refused by its name: see test_fields_without_effect.py.
"""

from datetime import date
from typing import Any

import grpc
import numpy as np
import pytest
from absfinance.v1.backtest_service_pb2 import BacktestRequest

from tests.conftest import Wire, refusal_of
from tests.e2e.message_fields import message_fields
from tests.e2e.test_simulation import BACKTEST, civil, fixed, panel

DATES = [date(2024, 1, 8), *(date.fromordinal(date(2024, 1, 8).toordinal() + i) for i in range(1, 64) if i % 7 < 5)]
_STEPS = np.random.default_rng(5).normal(0.0, 0.03, (len(DATES), 3))
LEVELS = dict(zip("ABC", (20.0 * np.exp(np.cumsum(_STEPS, axis=0))).T.tolist(), strict=True))
PRICES = panel(DATES, **LEVELS)
SPLIT_ADJUSTED, UNADJUSTED = "PRICE_BASIS_SPLIT_ADJUSTED", "PRICE_BASIS_UNADJUSTED"
EX, LATER = civil(DATES[10]), civil(DATES[30])
DIVIDEND = {"symbol": "A", "exDate": EX, "cashDividend": {"amount": 1}}
PAYS = {"priceBasis": SPLIT_ADJUSTED, "corporateActions": [DIVIDEND]}
GAP = panel(DATES, **{**LEVELS, "A": LEVELS["A"][:20] + [float("nan")] * (len(DATES) - 20)})
SHORT = {"strategy": fixed(A=0.9, B=-0.5)}
LEVERED = {"strategy": fixed(A=1.5), "costs": {"financingRateAnnual": 0.0}}
LIQUID = [{"symbol": name, "dailyValue": 1e6, "volatilityAnnual": 0.3} for name in "ABC"]
IMPACT = {"impact": {"squareRoot": {"coefficient": 1}}, "liquidity": LIQUID}
PAST = {"impact": IMPACT["impact"], "liquidity": [{"symbol": one["symbol"], "dailyValue": 1e5} for one in LIQUID]}
FEE = {"rate": 0.2, "crystallization": "FREQUENCY_WEEKLY"}
TIGHT: dict[str, Any] = {"absolute": 0.01}
HALF_OUT: dict[str, Any] = {"relative": 0.03}
WORTH = {"trigger": "BAND_TRIGGER_COST_BENEFIT", "riskAversion": 5, "horizonDays": 30}
FLOW = {"date": EX, "amount": 500}
MONTHLY = {"amount": 100, "frequency": "FREQUENCY_WEEKLY"}
OPEN = {"openPrices": panel(DATES, **{name: [0.99 * x for x in found] for name, found in LEVELS.items()})}
MOMENTUM = {"lookbackPeriods": 5, "topN": 1}
TARGET = {"base": {"equalWeight": {}}, "targetAnnual": 0.5, "lookbackPeriods": 5, "maxLeverage": 5}


def band(**more: Any) -> dict[str, Any]:
    return {"rebalancing": {"driftBand": more}}


def calendar(**more: Any) -> dict[str, Any]:
    return {"rebalancing": {"calendar": {"frequency": "FREQUENCY_WEEKLY", **more}}}


def costs(**more: Any) -> dict[str, Any]:
    return {"costs": more}


def levered(**more: Any) -> dict[str, Any]:
    return {**LEVERED, "costs": more}


def strategy(**more: Any) -> dict[str, Any]:
    return {"strategy": more}


def shares(**more: Any) -> dict[str, Any]:
    return costs(performanceFee={**FEE, **more})


def split(ratio: float) -> dict[str, Any]:
    return {"priceBasis": UNADJUSTED, "corporateActions": [{"symbol": "A", "exDate": EX, "split": {"ratio": ratio}}]}


def gone(delisting_return: float) -> dict[str, Any]:
    day = civil(DATES[20])
    return {
        "prices": GAP,
        "corporateActions": [{"symbol": "A", "exDate": day, "delisting": {"return": delisting_return}}],
    }


def held(quantity: float) -> dict[str, Any]:
    return {"initialHoldings": [{"symbol": "A", "quantity": quantity}]}


def blend(weight: float) -> dict[str, Any]:
    return strategy(blend={"parts": [{"strategy": {"equalWeight": {}}, "weight": weight}]})


def entry(day: dict[str, int], **weights: float) -> dict[str, Any]:
    given = weights or {"A": 1.0}
    return {"date": day, "weights": [{"symbol": name, "weight": weight} for name, weight in given.items()]}


def schedule(day: dict[str, int]) -> dict[str, Any]:
    return strategy(schedule={"entries": [entry(day)]})


def own_dates(part: dict[str, Any] | None = None, other: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    first = {"strategy": {"equalWeight": {}}, "weight": 0.5, **(part or {})}
    return strategy(blend={"parts": [first, {"strategy": fixed(A=1.0), "weight": 0.5, **(other or {})}], **more})


def select(**more: Any) -> dict[str, Any]:
    candidates = [{"label": "a", **fixed(A=1.0)}, {"label": "b", **fixed(B=1.0)}, {"momentum": MOMENTUM}]
    return strategy(select={"candidates": candidates, "lookbackPeriods": 8, **more})


def step(day: dict[str, int], *symbols: str) -> dict[str, Any]:
    return {"date": day, "symbols": symbols}


FREE: dict[str, Any] = {}
EQUAL = strategy(equalWeight={})
LAST_PRICE = "DELISTING_POLICY_LAST_PRICE"
PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # Field of a message: what stands without it, and with it.
    "BacktestRequest.strategies": (FREE, {"strategy": None, "strategies": [{"equalWeight": {}}, fixed(A=1.0)]}),
    "BacktestRequest.strategy": (FREE, strategy(equalWeight={})),
    "BacktestRequest.rebalancing": (FREE, {"rebalancing": {"never": {}}}),
    "BacktestRequest.execution": (FREE, {"execution": {"fill": "FILL_SAME_CLOSE"}}),
    "BacktestRequest.costs": (FREE, costs(commissionBps=10)),
    "BacktestRequest.initial_capital": (FREE, {"initialCapital": 500}),
    "BacktestRequest.initial_holdings": (FREE, {"initialHoldings": [{"symbol": "A", "quantity": 5}]}),
    "BacktestRequest.cash_flows": (FREE, {"cashFlows": [FLOW]}),
    "BacktestRequest.benchmarks": (FREE, {"benchmarks": [{"symbol": "A"}]}),
    "BacktestRequest.missing_data": (
        {"prices": GAP, "delistingPolicy": LAST_PRICE},
        {"prices": GAP, "missingData": "MISSING_DATA_POLICY_DROP_DATES"},
    ),
    "BacktestRequest.analysis": (FREE, {"analysis": {"riskFreeRateAnnual": 0.02}}),
    "BacktestRequest.periods_per_year": (FREE, {"periodsPerYear": 12}),
    "BacktestRequest.corporate_actions": ({"priceBasis": SPLIT_ADJUSTED}, PAYS),
    "BacktestRequest.price_basis": ({"corporateActions": [DIVIDEND]}, PAYS),
    "BacktestRequest.dividend_policy": (PAYS, {**PAYS, "dividendPolicy": "DIVIDEND_POLICY_REINVEST"}),
    "BacktestRequest.withholding_rate": (PAYS, {**PAYS, "withholdingRate": 0.3}),
    "BacktestRequest.fractional_holdings": (FREE, {"fractionalHoldings": False}),
    "BacktestRequest.delisting_policy": (
        {"prices": GAP, "delistingPolicy": LAST_PRICE},
        {"prices": GAP, "delistingPolicy": "DELISTING_POLICY_ZERO"},
    ),
    "BacktestRequest.charge_initial_purchase": (
        costs(commissionBps=10),
        {"chargeInitialPurchase": False, **costs(commissionBps=10)},
    ),
    "BacktestRequest.recurring_cash_flows": (FREE, {"recurringCashFlows": [MONTHLY]}),
    "BacktestRequest.open_prices": (
        {"execution": {"fill": "FILL_NEXT_OPEN"}},
        {**OPEN, "execution": {"fill": "FILL_NEXT_OPEN"}},
    ),
    "BacktestRequest.margin": (LEVERED, {**LEVERED, "margin": {"maintenanceRatio": 0.66}}),
    "BacktestRequest.conventions": (
        costs(commissionBps=50),
        {**costs(commissionBps=50), "conventions": "CONVENTIONS_BT"},
    ),
    "Margin.maintenance_ratio": (
        {**LEVERED, "margin": {"maintenanceRatio": 0.1}},
        {**LEVERED, "margin": {"maintenanceRatio": 0.66}},
    ),
    "Strategy.label": (FREE, {"strategy": {**fixed(A=0.5, B=0.3, C=0.2), "label": "mine"}}),
    "Strategy.equal_weight": (FREE, strategy(equalWeight={})),
    "Strategy.fixed_weights": (FREE, {"strategy": fixed(A=1.0)}),
    "Strategy.schedule": (
        FREE,
        strategy(schedule={"entries": [{"date": EX, "weights": [{"symbol": "A", "weight": 1}]}]}),
    ),
    "Strategy.inverse_volatility": (FREE, strategy(inverseVolatility={"lookbackPeriods": 5})),
    "Strategy.optimize": (FREE, strategy(optimize={"objective": {"minRisk": {}}, "lookbackPeriods": 10})),
    "Strategy.momentum": (FREE, strategy(momentum=MOMENTUM)),
    "Strategy.volatility_target": (FREE, strategy(volatilityTarget=TARGET)),
    "Strategy.cppi": (FREE, strategy(cppi={"base": {"equalWeight": {}}, "floor": 0.8, "multiplier": 2})),
    "Strategy.blend": (FREE, strategy(blend={"parts": [{"strategy": {"equalWeight": {}}, "weight": 0.5}]})),
    "Strategy.select": (FREE, select()),
    "SelectStrategy.candidates": (select(), select(candidates=[{"equalWeight": {}}, {"momentum": MOMENTUM}])),
    "SelectStrategy.lookback_periods": (select(), select(lookbackPeriods=12)),
    "SelectStrategy.score": (select(), select(score="SCORE_VOLATILITY_ANNUAL")),
    "SelectStrategy.purge_periods": (select(), select(purgePeriods=4)),
    "SelectStrategy.reselect_every": (select(), select(reselectEvery=3)),
    "SelectStrategy.before": (select(), select(before="BEFORE_CASH")),
    "MomentumStrategy.lookback_periods": (
        strategy(momentum=MOMENTUM),
        strategy(momentum={**MOMENTUM, "lookbackPeriods": 9}),
    ),
    "MomentumStrategy.skip_periods": (strategy(momentum=MOMENTUM), strategy(momentum={**MOMENTUM, "skipPeriods": 3})),
    "MomentumStrategy.top_n": (strategy(momentum=MOMENTUM), strategy(momentum={**MOMENTUM, "topN": 2})),
    "VolatilityTargetStrategy.base": (
        strategy(volatilityTarget=TARGET),
        strategy(volatilityTarget={**TARGET, "base": fixed(A=1.0)}),
    ),
    "VolatilityTargetStrategy.target_annual": (
        strategy(volatilityTarget=TARGET),
        strategy(volatilityTarget={**TARGET, "targetAnnual": 0.1}),
    ),
    "VolatilityTargetStrategy.lookback_periods": (
        strategy(volatilityTarget=TARGET),
        strategy(volatilityTarget={**TARGET, "lookbackPeriods": 9}),
    ),
    "VolatilityTargetStrategy.max_leverage": (
        strategy(volatilityTarget=TARGET),
        strategy(volatilityTarget={**TARGET, "maxLeverage": 1.1}),
    ),
    "CppiStrategy.base": (
        strategy(cppi={"base": {"equalWeight": {}}, "floor": 0.8, "multiplier": 2}),
        strategy(cppi={"base": fixed(A=1.0), "floor": 0.8, "multiplier": 2}),
    ),
    "CppiStrategy.floor": (
        strategy(cppi={"base": {"equalWeight": {}}, "floor": 0.8, "multiplier": 2}),
        strategy(cppi={"base": {"equalWeight": {}}, "floor": 0.7, "multiplier": 2}),
    ),
    "CppiStrategy.multiplier": (
        strategy(cppi={"base": {"equalWeight": {}}, "floor": 0.8, "multiplier": 2}),
        strategy(cppi={"base": {"equalWeight": {}}, "floor": 0.8, "multiplier": 3}),
    ),
    "Rebalancing.calendar": (FREE, calendar(frequency="FREQUENCY_MONTHLY")),
    "Rebalancing.every_periods": (FREE, {"rebalancing": {"everyPeriods": {"n": 3}}}),
    "Rebalancing.never": (FREE, {"rebalancing": {"never": {}}}),
    "Rebalancing.drift_band": ({"rebalancing": {"never": {}}}, band(**TIGHT)),
    "Rebalancing.min_periods_between": (
        {"rebalancing": {"everyPeriods": {"n": 3}}},
        {"rebalancing": {"everyPeriods": {"n": 3}, "minPeriodsBetween": 5}},
    ),
    "Rebalancing.flows_only": (
        {"cashFlows": [FLOW], "rebalancing": {"everyPeriods": {"n": 3}}},
        {"cashFlows": [FLOW], "rebalancing": {"everyPeriods": {"n": 3}, "flowsOnly": True}},
    ),
    "Rebalancing.max_turnover": (FREE, {"rebalancing": {"everyPeriods": {"n": 5}, "maxTurnover": 0.001}}),
    "Rebalancing.tranches": (FREE, {"rebalancing": {"everyPeriods": {"n": 5}, "tranches": 2}}),
    "Calendar.frequency": (calendar(), calendar(frequency="FREQUENCY_MONTHLY")),
    "Calendar.day": (calendar(), calendar(day="REBALANCE_DAY_LAST")),
    "Calendar.offset_days": (calendar(), calendar(offsetDays=2)),
    "Calendar.nth_day": (
        calendar(day="REBALANCE_DAY_NTH", nthDay=2),
        calendar(day="REBALANCE_DAY_NTH", nthDay=4),
    ),
    "EveryPeriods.n": (FREE, {"rebalancing": {"everyPeriods": {"n": 4}}}),
    "DriftBand.absolute": (band(**HALF_OUT), band(**HALF_OUT, absolute=0.002)),
    "DriftBand.relative": (band(**TIGHT), band(**TIGHT, relative=0.001)),
    "DriftBand.destination": (band(**TIGHT), band(**TIGHT, destination="DESTINATION_EDGE")),
    "DriftBand.by_asset": (band(**TIGHT), band(**TIGHT, byAsset=[{"symbol": "A", "absolute": 0.5}])),
    "DriftBand.trigger": (
        {**costs(commissionBps=10), **band(**TIGHT, destination="DESTINATION_EDGE")},
        {**costs(commissionBps=10), **band(**TIGHT, destination="DESTINATION_EDGE", **WORTH)},
    ),
    "DriftBand.max_tracking_error_annual": (
        band(trigger="BAND_TRIGGER_TRACKING_ERROR", maxTrackingErrorAnnual=0.01),
        band(trigger="BAND_TRIGGER_TRACKING_ERROR", maxTrackingErrorAnnual=0.02),
    ),
    "DriftBand.risk_aversion": (
        {**costs(commissionBps=1), **band(**WORTH)},
        {**costs(commissionBps=1), **band(**{**WORTH, "riskAversion": 50})},
    ),
    "DriftBand.horizon_days": (
        {**costs(commissionBps=1), **band(**WORTH)},
        {**costs(commissionBps=1), **band(**{**WORTH, "horizonDays": 300})},
    ),
    "DriftBand.scope": (band(**TIGHT), band(**TIGHT, scope="BAND_SCOPE_BREACHED")),
    "DriftBand.fraction": (
        band(**TIGHT, destination="DESTINATION_FRACTION", fraction=1),
        band(**TIGHT, destination="DESTINATION_FRACTION", fraction=0.5),
    ),
    "AssetBand.symbol": (
        band(**TIGHT, byAsset=[{"symbol": "A", "absolute": 0.5}]),
        band(**TIGHT, byAsset=[{"symbol": "B", "absolute": 0.5}]),
    ),
    "AssetBand.absolute": (
        band(**TIGHT, byAsset=[{"symbol": "A", "relative": 0.5}]),
        band(**TIGHT, byAsset=[{"symbol": "A", "relative": 0.5, "absolute": 0.001}]),
    ),
    "AssetBand.relative": (
        band(**TIGHT, byAsset=[{"symbol": "A", "absolute": 0.5}]),
        band(**TIGHT, byAsset=[{"symbol": "A", "absolute": 0.5, "relative": 0.001}]),
    ),
    "Execution.fill": (FREE, {"execution": {"fill": "FILL_SAME_CLOSE"}}),
    "Execution.lag_periods": (FREE, {"execution": {"lagPeriods": 2}}),
    "Execution.max_participation": (
        costs(**IMPACT),
        {**costs(**IMPACT), "execution": {"maxParticipation": 1e-4}},
    ),
    "CashFlow.date": ({"cashFlows": [FLOW]}, {"cashFlows": [{**FLOW, "date": LATER}]}),
    "CashFlow.amount": ({"cashFlows": [FLOW]}, {"cashFlows": [{**FLOW, "amount": 600}]}),
    "CashFlow.timing": ({"cashFlows": [FLOW]}, {"cashFlows": [{**FLOW, "timing": "FLOW_TIMING_START_OF_DAY"}]}),
    "RecurringCashFlow.amount": (FREE, {"recurringCashFlows": [MONTHLY]}),
    "RecurringCashFlow.fraction_of_nav": (
        FREE,
        {"recurringCashFlows": [{"fractionOfNav": 0.01, "frequency": "FREQUENCY_WEEKLY"}]},
    ),
    "RecurringCashFlow.frequency": (
        {"recurringCashFlows": [MONTHLY]},
        {"recurringCashFlows": [{**MONTHLY, "frequency": "FREQUENCY_MONTHLY"}]},
    ),
    "RecurringCashFlow.growth_annual": (
        {"recurringCashFlows": [MONTHLY]},
        {"recurringCashFlows": [{**MONTHLY, "growthAnnual": 0.1}]},
    ),
    "RecurringCashFlow.start_date": (
        {"recurringCashFlows": [MONTHLY]},
        {"recurringCashFlows": [{**MONTHLY, "startDate": LATER}]},
    ),
    "RecurringCashFlow.end_date": (
        {"recurringCashFlows": [MONTHLY]},
        {"recurringCashFlows": [{**MONTHLY, "endDate": LATER}]},
    ),
    "Benchmark.label": ({"benchmarks": [{"symbol": "A"}]}, {"benchmarks": [{"symbol": "A", "label": "index"}]}),
    "Benchmark.symbol": ({"benchmarks": [{"symbol": "A"}]}, {"benchmarks": [{"symbol": "B"}]}),
    "Benchmark.strategy": (FREE, {"benchmarks": [{"strategy": {"equalWeight": {}}}]}),
    "AnalysisOptions.risk_free_rate_annual": (FREE, {"analysis": {"riskFreeRateAnnual": 0.02}}),
    "AnalysisOptions.minimum_acceptable_return_annual": (FREE, {"analysis": {"minimumAcceptableReturnAnnual": 0.02}}),
    "CostModel.commission_bps": (FREE, costs(commissionBps=10)),
    "CostModel.half_spread_bps": (FREE, costs(halfSpreadBps=10)),
    "CostModel.impact": (FREE, costs(**IMPACT)),
    "CostModel.borrow_bps_annual": (SHORT, {**SHORT, **costs(borrowBpsAnnual=100)}),
    "CostModel.cash_rate_annual": (SHORT, {**SHORT, **costs(cashRateAnnual=0.05)}),
    "CostModel.financing_rate_annual": (levered(financingRateAnnual=0.0), levered(financingRateAnnual=0.05)),
    "CostModel.fixed_fee": (FREE, costs(fixedFee=1)),
    "CostModel.by_asset": (costs(commissionBps=10), costs(commissionBps=10, byAsset=[{"symbol": "A", "costBps": 50}])),
    "CostModel.liquidity": (
        costs(**IMPACT),
        costs(**{**IMPACT, "liquidity": [{**one, "dailyValue": 1e5} for one in LIQUID]}),
    ),
    # Without a volatility it is that of the past.
    "CostModel.liquidity_lookback_periods": (costs(**PAST), costs(**PAST, liquidityLookbackPeriods=3)),
    "CostModel.commission_per_share": (FREE, costs(commissionPerShare=0.01)),
    "CostModel.min_commission": (costs(commissionBps=10), costs(commissionBps=10, minCommission=5)),
    "CostModel.max_commission": (costs(commissionBps=10), costs(commissionBps=10, maxCommission=0.01)),
    "CostModel.day_count": (
        {**SHORT, **costs(cashRateAnnual=0.05)},
        {**SHORT, **costs(cashRateAnnual=0.05, dayCount="DAY_COUNT_ACT_360")},
    ),
    "CostModel.cash_rates": (SHORT, {**SHORT, **costs(cashRates=[{"date": EX, "rateAnnual": 0.05}])}),
    "CostModel.financing_rates": (
        levered(financingRateAnnual=0.0),
        levered(financingRates=[{"date": EX, "rateAnnual": 0.05}]),
    ),
    "CostModel.management_fee_annual": (FREE, costs(managementFeeAnnual=0.02)),
    "CostModel.performance_fee": (FREE, shares()),
    "RateStep.date": (
        {**SHORT, **costs(cashRates=[{"date": EX, "rateAnnual": 0.05}])},
        {**SHORT, **costs(cashRates=[{"date": LATER, "rateAnnual": 0.05}])},
    ),
    "RateStep.rate_annual": (
        {**SHORT, **costs(cashRates=[{"date": EX, "rateAnnual": 0.05}])},
        {**SHORT, **costs(cashRates=[{"date": EX, "rateAnnual": 0.06}])},
    ),
    "PerformanceFee.rate": (shares(), shares(rate=0.1)),
    "PerformanceFee.hurdle_annual": (shares(), shares(hurdleAnnual=0.05)),
    "PerformanceFee.hurdle": (shares(hurdleAnnual=0.05), shares(hurdleAnnual=0.05, hurdle="HURDLE_SOFT")),
    "PerformanceFee.crystallization": (shares(), shares(crystallization="FREQUENCY_DAILY")),
    "AssetLiquidity.daily_value": (
        costs(**IMPACT),
        costs(**{**IMPACT, "liquidity": [{**one, "dailyValue": 1e5} for one in LIQUID]}),
    ),
    "AssetLiquidity.volatility_annual": (
        costs(**IMPACT),
        costs(**{**IMPACT, "liquidity": [{**one, "volatilityAnnual": 0.1} for one in LIQUID]}),
    ),
    "AssetCost.cost_bps": (FREE, costs(byAsset=[{"symbol": "A", "costBps": 50}])),
    "AssetCost.borrow_bps_annual": (SHORT, {**SHORT, **costs(byAsset=[{"symbol": "B", "borrowBpsAnnual": 50}])}),
    "SquareRootImpact.coefficient": (
        costs(**IMPACT),
        costs(**{**IMPACT, "impact": {"squareRoot": {"coefficient": 2}}}),
    ),
    "AssetCost.trading_cost_bps": (
        {**SHORT, **costs(commissionBps=10, byAsset=[{"symbol": "B", "borrowBpsAnnual": 50}])},
        {**SHORT, **costs(commissionBps=10, byAsset=[{"symbol": "B", "borrowBpsAnnual": 50, "tradingCostBps": 0}])},
    ),
    "AssetCost.symbol": (
        costs(byAsset=[{"symbol": "A", "costBps": 50}]),
        costs(byAsset=[{"symbol": "B", "costBps": 50}]),
    ),
    "CorporateAction.split": ({"priceBasis": UNADJUSTED}, split(2)),
    "CorporateAction.cash_dividend": ({"priceBasis": SPLIT_ADJUSTED}, PAYS),
    "CorporateAction.delisting": ({"prices": GAP, "delistingPolicy": LAST_PRICE}, gone(-0.5)),
    "CorporateAction.ex_date": (PAYS, {**PAYS, "corporateActions": [{**DIVIDEND, "exDate": LATER}]}),
    "CorporateAction.symbol": (PAYS, {**PAYS, "corporateActions": [{**DIVIDEND, "symbol": "B"}]}),
    "Split.ratio": (split(2), split(3)),
    "CashDividend.amount": (PAYS, {**PAYS, "corporateActions": [{**DIVIDEND, "cashDividend": {"amount": 2}}]}),
    "CashDividend.pay_date": (
        PAYS,
        {**PAYS, "corporateActions": [{**DIVIDEND, "cashDividend": {"amount": 1, "payDate": LATER}}]},
    ),
    "Delisting.return": (gone(-0.5), gone(-0.6)),
    "Holding.symbol": (held(5), {"initialHoldings": [{"symbol": "B", "quantity": 5}]}),
    "Holding.quantity": (held(5), held(6)),
    "BlendStrategy.parts": (blend(0.5), strategy(blend={"parts": [*blend(0.5)["strategy"]["blend"]["parts"]] * 2})),
    "BlendStrategy.rebalancing": (own_dates(), own_dates(rebalancing={"never": {}})),
    "Part.rebalancing": (own_dates(), own_dates(part={"rebalancing": {"everyPeriods": {"n": 2}}})),
    "RebalancingDates.calendar": (
        own_dates(rebalancing={"never": {}}),
        own_dates(rebalancing={"calendar": {"frequency": "FREQUENCY_MONTHLY"}}),
    ),
    "RebalancingDates.every_periods": (
        own_dates(rebalancing={"never": {}}),
        own_dates(rebalancing={"everyPeriods": {"n": 7}}),
    ),
    "RebalancingDates.never": (own_dates(), own_dates(rebalancing={"never": {}})),
    "BacktestRequest.universe": (EQUAL, {**EQUAL, "universe": [step(EX, "A")]}),
    "UniverseStep.date": ({**EQUAL, "universe": [step(EX, "A")]}, {**EQUAL, "universe": [step(LATER, "A")]}),
    "UniverseStep.symbols": ({**EQUAL, "universe": [step(EX, "A")]}, {**EQUAL, "universe": [step(EX, "A", "B")]}),
    "Part.weight": (blend(0.5), blend(0.6)),
    "Part.strategy": (blend(0.5), strategy(blend={"parts": [{"strategy": fixed(A=1.0), "weight": 0.5}]})),
    "FixedWeights.weights": ({"strategy": fixed(A=1.0)}, {"strategy": fixed(B=1.0)}),
    "WeightSchedule.entries": (schedule(EX), strategy(schedule={"entries": [entry(EX), entry(LATER, B=1.0)]})),
    "Entry.date": (schedule(EX), schedule(LATER)),
    "Entry.weights": (schedule(EX), strategy(schedule={"entries": [entry(EX, B=1.0)]})),
    "InverseVolatilityStrategy.lookback_periods": (
        strategy(inverseVolatility={"lookbackPeriods": 5}),
        strategy(inverseVolatility={"lookbackPeriods": 9}),
    ),
}
"""Fields of the messages of a request: what stands without a field, or with another value of it, and what with it."""

ELSEWHERE = {
    # Why a field is not among the pairs.
    "BacktestRequest.prices": "where the numbers come from",
    "BacktestRequest.returns": "where the numbers come from",
    "BacktestRequest.market_data": "where the numbers come from",
    "BacktestRequest.seed": "test_statistical_validation.py",
    "BacktestRequest.request_id": "of the job, not of the result",
    "BacktestRequest.wait": "of the job, not of the result",
    "BacktestRequest.validate_only": "of the job, not of the result",
    "BacktestRequest.label": "of the job, not of the result",
    "BacktestRequest.backtest_id": "of the job, not of the result",
    "AnalysisOptions.attribution": "test_attribution.py",
    "AnalysisOptions.statistical_validation": "test_statistical_validation.py",
    "MarketImpact.almgren": "refused as not supported",
    "MarketImpact.square_root": "the law of CostModel.impact",
    "AssetLiquidity.symbol": "an unknown one is refused, and all are needed",
    "CostModel.portfolio_value": "refused: the net asset value is known",
    "Holding.lots": "refused: gains are not taxed",
    "Strategy.remote": "test_strategies.py",
    "RemoteStrategy.target": "test_strategies.py",
    "RemoteStrategy.timeout": "test_remote_strategies.py",
    "DriftBand.by_group": "test_group_bands.py",
    "GroupBand.group": "test_group_bands.py",
    "GroupBand.absolute": "test_group_bands.py",
    "GroupBand.relative": "test_group_bands.py",
}
NOT_WALKED = {"OptimizeSpec", "Panel", "MarketDataSelection", "AlmgrenImpact", "TaxLot", "AssetWeight", "Date"}
NOT_WALKED |= {"AttributionOptions", "StatisticalValidationOptions", "Duration"}


def usual(**more: Any) -> dict[str, Any]:
    """A request, with some of its fields replaced, or left out where they are None."""
    request = {
        "prices": PRICES,
        "strategy": fixed(A=0.5, B=0.3, C=0.2),
        "rebalancing": {"everyPeriods": {"n": 5}},
        "periodsPerYear": 252,
        "initialCapital": 10_000,
        "wait": "60s",
    }
    return {name: value for name, value in {**request, **more}.items() if value is not None}


def found(wire: Wire, more: dict[str, Any]) -> dict[str, Any]:
    """The result without what differs from run to run, or the field that is refused."""
    answer = outcome(wire, usual(**more))
    assert answer.get("state", "refused") in ("BACKTEST_STATE_SUCCEEDED", "refused"), answer
    result: dict[str, Any] = answer.get("result", answer)
    return {name: value for name, value in result.items() if name not in ("computeDuration", "inputFingerprint")}


def outcome(wire: Wire, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return wire.call(BACKTEST, request)
    except grpc.RpcError as error:
        refused = refusal_of(error)
        assert refused.code == "INVALID_ARGUMENT", refused
        return {"refused": refused.fields}


@pytest.mark.parametrize("field", PAIRS)
def test_a_field_has_an_effect(wire: Wire, field: str) -> None:
    without, with_it = (found(wire, more) for more in PAIRS[field])
    assert "refused" not in with_it, with_it
    assert without != with_it


def test_every_field_is_looked_at() -> None:
    walked = set(message_fields(BacktestRequest.DESCRIPTOR, NOT_WALKED))
    assert walked == PAIRS.keys() | ELSEWHERE.keys()
