"""Every field of a reallocation's request does something: the answer with it differs from the one without it.

What would have no effect is refused by its name, and so is a number that no market has.
"""

from typing import Any

import grpc
import pytest
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest

from tests.conftest import Wire, refusal_of
from tests.e2e.message_fields import message_fields
from tests.e2e.test_reallocation import REALLOCATE

DAY = {"year": 2024, "month": 6, "day": 3}
LAST_WEEK = {"year": 2024, "month": 5, "day": 28}
LAST_YEAR = {"year": 2023, "month": 6, "day": 10}
LOTS = [
    {"lotId": "old", "quantity": 60, "unitCost": 5, "purchaseDate": {"year": 2020, "month": 1, "day": 2}},
    {"lotId": "new", "quantity": 40, "unitCost": 14, "purchaseDate": LAST_YEAR},
]
HELD: dict[str, Any] = {"symbol": "A", "quantity": 100, "lots": LOTS}
STOCK: dict[str, Any] = {"symbol": "A", "price": 10, "averageDailyVolume": 400, "volatilityAnnual": 0.3}
OTHER: dict[str, Any] = {"symbol": "B", "price": 20, "averageDailyVolume": 300, "volatilityAnnual": 0.2}
RATES = {"shortTermRate": 0.4, "longTermRate": 0.2}
LOSS = [{**LOTS[0], "unitCost": 50}, LOTS[1]]
SHARES = [{"symbol": "A", "quantity": 1e6}, {"symbol": "B", "quantity": 2e6}]
AVERSE = {"riskAversion": 1e-3, "periods": 4, "temporary": 1e-3, "permanent": 1e-4, "fixed": 0.01}
LAW = {"almgren": {"sharesOutstanding": SHARES}}
FREE: dict[str, Any] = {}
RECENT = {"symbol": "B", "quantity": -5, "date": LAST_WEEK}
BOUGHT = {"symbol": "A", "quantity": 5, "date": LAST_WEEK}
EURO = {"symbol": "B", "price": 20, "averageDailyVolume": 300, "volatilityAnnual": 0.2, "currency": "EUR"}


def assets(first: dict[str, Any] = STOCK, second: dict[str, Any] = OTHER, **more: Any) -> dict[str, Any]:
    return {"snapshot": {"assets": [first, second], **more}}


def stock(**more: Any) -> dict[str, Any]:
    return assets({**STOCK, **more})


def euro(rate: float = 1.1, **more: Any) -> dict[str, Any]:
    return assets(second=EURO, fxRates=[{"currency": "EUR", "rate": rate, **more}])


def portfolio(held: dict[str, Any] = HELD, cash: float = 500, **more: Any) -> dict[str, Any]:
    return {"portfolio": {"holdings": [held], "cash": cash, "currency": "USD", **more}}


def lots(*changed: dict[str, Any]) -> dict[str, Any]:
    return portfolio({**HELD, "quantity": sum(one["quantity"] for one in changed), "lots": changed})


def limits(**more: Any) -> dict[str, Any]:
    return {"limits": more}


def taxed(**more: Any) -> dict[str, Any]:
    return {"limits": {"tax": {**RATES, **more}}}


def losing(**more: Any) -> dict[str, Any]:
    """A portfolio whose lots have a loss."""
    return {**lots(*LOSS), "limits": {"tax": {**RATES, **more}}}


def costs(**more: Any) -> dict[str, Any]:
    return {"costs": more}


def almgren(**more: Any) -> dict[str, Any]:
    return costs(impact={"almgren": {"sharesOutstanding": SHARES, **more}})


def square_root(coefficient: float = 1.0) -> dict[str, Any]:
    return costs(impact={"squareRoot": {"coefficient": coefficient}})


def liquid(**more: Any) -> dict[str, Any]:
    return square_root() | costs(
        impact={"squareRoot": {"coefficient": 1}},
        liquidity=[{"symbol": "A", "dailyValue": 1e4, "volatilityAnnual": 0.3, **more}],
    )


def schedule(**more: Any) -> dict[str, Any]:
    return {"schedule": {"almgrenChriss": {**AVERSE, **more}}}


def weights(**given: float) -> dict[str, Any]:
    return {"targetWeights": {"weights": [{"symbol": name, "weight": weight} for name, weight in given.items()]}}


CORRELATED = assets({**STOCK, "volatilityAnnual": 0.1}, correlation=[1, -0.9, -0.9, 1])
TRACKED = {"tradeOff": {"deviation": "DEVIATION_TRACKING_ERROR"}}


def over(limit: str, figure: float) -> dict[str, Any]:
    return {"thresholds": {limit: figure}}


PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # Field of a message: what stands without it, and with it.
    "ReallocateRequest.portfolio": (FREE, portfolio(cash=0)),
    "ReallocateRequest.snapshot": (FREE, stock(price=11)),
    "ReallocateRequest.target_weights": (FREE, weights(A=0.3)),
    "ReallocateRequest.thresholds": (FREE, over("driftBand", 0.9)),
    "ReallocateRequest.limits": (FREE, limits(cashFloor=600)),
    "ReallocateRequest.costs": (FREE, costs(commissionBps=10)),
    "ReallocateRequest.horizon_days": (
        limits(maxParticipation=0.01),
        {**limits(maxParticipation=0.01), "horizonDays": 3},
    ),
    "ReallocateRequest.as_of_date": (losing(), {**losing(), "asOfDate": {"year": 2024, "month": 6, "day": 20}}),
    "ReallocateRequest.settlement_days": ({"horizonDays": 3}, {"horizonDays": 3, "settlementDays": 1}),
    "ReallocateRequest.cash_flow": (FREE, {"cashFlow": 300}),
    "ReallocateRequest.retain_cash": (FREE, {"retainCash": True}),
    "ReallocateRequest.direction": (FREE, {"direction": "DIRECTION_SELL_ONLY"}),
    "ReallocateRequest.no_new_names": (FREE, {"noNewNames": True}),
    "ReallocateRequest.trade_off": (
        costs(commissionBps=100),
        {**costs(commissionBps=100), "tradeOff": {"costAversion": 60}},
    ),
    "ReallocateRequest.recent_trades": (FREE, {"recentTrades": [RECENT]}),
    "ReallocateRequest.other_purchases": (
        losing(forbidWashSales=True),
        {**losing(forbidWashSales=True), "otherPurchases": [BOUGHT]},
    ),
    "ReallocateRequest.schedule": (FREE, schedule()),
    "ReallocateRequest.groups": (FREE, {"groups": [{"name": "all", "symbols": ["A", "B"]}]}),
    "AssetGroup.name": ({"groups": [{"name": "all", "symbols": ["A"]}]}, {"groups": [{"name": "a", "symbols": ["A"]}]}),
    "AssetGroup.symbols": (
        {"groups": [{"name": "a", "symbols": ["A"]}]},
        {"groups": [{"name": "a", "symbols": ["B"]}]},
    ),
    "Portfolio.currency": (
        portfolio() | assets({**STOCK, "currency": "USD"}, fxRates=[{"currency": "USD", "rate": 1}]),
        portfolio(currency="EUR") | assets({**STOCK, "currency": "USD"}, fxRates=[{"currency": "USD", "rate": 1.2}]),
    ),
    "Portfolio.holdings": (FREE, portfolio({"symbol": "B", "quantity": 100})),
    "Portfolio.cash": (FREE, portfolio(cash=700)),
    "Holding.symbol": (portfolio({"symbol": "A", "quantity": 9}), portfolio({"symbol": "B", "quantity": 9})),
    "Holding.quantity": (portfolio({"symbol": "A", "quantity": 9}), portfolio({"symbol": "A", "quantity": 8})),
    "Holding.lots": (portfolio({"symbol": "A", "quantity": 100}), FREE),
    "TaxLot.quantity": (lots(LOTS[0], LOTS[1]), lots({**LOTS[0], "quantity": 61}, LOTS[1])),
    "TaxLot.unit_cost": (lots(*LOTS), lots({**LOTS[0], "unitCost": 6}, LOTS[1])),
    "TaxLot.purchase_date": (lots(*LOTS), lots({**LOTS[0], "purchaseDate": LAST_WEEK}, LOTS[1])),
    "TaxLot.lot_id": (lots(*LOTS), lots({**LOTS[0], "lotId": "mine"}, LOTS[1])),
    "TaxLot.holding_period_start": (
        lots({**LOTS[0], "purchaseDate": LAST_WEEK}),
        lots({**LOTS[0], "purchaseDate": LAST_WEEK, "holdingPeriodStart": {"year": 2020, "month": 1, "day": 2}}),
    ),
    "MarketSnapshot.assets": (
        FREE,
        {"snapshot": {"assets": [STOCK, OTHER, {"symbol": "C", "price": 1}]}, **weights(C=1)},
    ),
    "MarketSnapshot.correlation": (stock(volatilityAnnual=0.1), CORRELATED),
    "MarketSnapshot.fx_rates": (euro(1.0), euro()),
    "Asset.symbol": (weights(A=1), {**weights(Z=1), **assets(second={**OTHER, "symbol": "Z"})}),
    "Asset.price": (FREE, stock(price=9)),
    "Asset.average_daily_volume": (FREE, stock(averageDailyVolume=100)),
    "Asset.spread_bps": (FREE, stock(spreadBps=20)),
    "Asset.volatility_annual": (schedule(), {**schedule(), **stock(volatilityAnnual=0.9)}),
    "Asset.lot_size": (FREE, stock(lotSize=10)),
    "Asset.halted": (FREE, stock(halted=True)),
    "Asset.currency": (assets(fxRates=[{"currency": "EUR", "rate": 1.1}]), euro()),
    "FxRate.currency": (euro(), assets(second={**EURO, "currency": "CHF"}, fxRates=[{"currency": "CHF", "rate": 2}])),
    "FxRate.rate": (euro(), euro(1.2)),
    "FxRate.previous_rate": (euro(), euro(previousRate=1.0)),
    "TargetWeights.weights": (weights(A=1), weights(A=0.5, B=0.5)),
    "AssetWeight.symbol": (weights(A=1), weights(B=1)),
    "AssetWeight.weight": (weights(A=1), weights(A=0.9)),
    "Thresholds.max_utilization": (over("driftBand", 0.9), {"thresholds": {"driftBand": 0.9, "maxUtilization": 1.1}}),
    "Thresholds.drift_band": (FREE, over("driftBand", 0.9)),
    "Thresholds.relative_band": (FREE, over("relativeBand", 5)),
    "ReallocationLimits.max_participation": (FREE, limits(maxParticipation=0.01)),
    "ReallocationLimits.min_trade_value": (FREE, limits(minTradeValue=600)),
    "ReallocationLimits.cash_floor": (FREE, limits(cashFloor=100)),
    "ReallocationLimits.max_turnover": (FREE, limits(maxTurnover=0.05)),
    "ReallocationLimits.tax": (FREE, taxed()),
    "ReallocationLimits.fractional": (FREE, limits(fractional=True)),
    "ReallocationLimits.max_cost_bps": (
        costs(commissionBps=100),
        costs(commissionBps=100) | limits(maxCostBps=10),
    ),
    "TaxLimits.lot_method": (taxed(), taxed(lotMethod="LOT_METHOD_LIFO")),
    "TaxLimits.gain_budget": (taxed(), taxed(gainBudget=10)),
    "TaxLimits.wash_sale_days": (losing(), losing(washSaleDays=60)),
    "TaxLimits.short_term_rate": (
        taxed(lotMethod="LOT_METHOD_LIFO"),
        taxed(lotMethod="LOT_METHOD_LIFO", shortTermRate=0.5),
    ),
    "TaxLimits.long_term_rate": (taxed(), taxed(longTermRate=0.1)),
    "TaxLimits.long_term_after_days": (taxed(), taxed(longTermAfterDays=3650)),
    "TaxLimits.carry_forward": (taxed(), taxed(carryForward=100)),
    "TaxLimits.forbid_wash_sales": (
        {**losing(), "otherPurchases": [BOUGHT]},
        {**losing(forbidWashSales=True), "otherPurchases": [BOUGHT]},
    ),
    "TaxLimits.identical_groups": (
        {"recentTrades": [{**RECENT, "symbol": "C"}], **taxed()},
        {"recentTrades": [{**RECENT, "symbol": "C"}], **taxed(identicalGroups=[{"symbols": ["B", "C"]}])},
    ),
    "IdenticalGroup.symbols": (
        {"recentTrades": [{**RECENT, "symbol": "C"}], **taxed(identicalGroups=[{"symbols": ["A", "C"]}])},
        {"recentTrades": [{**RECENT, "symbol": "C"}], **taxed(identicalGroups=[{"symbols": ["B", "C"]}])},
    ),
    "CostModel.commission_bps": (FREE, costs(commissionBps=10)),
    "CostModel.half_spread_bps": (FREE, costs(halfSpreadBps=10)),
    "CostModel.impact": (FREE, square_root()),
    "CostModel.by_asset": (FREE, costs(byAsset=[{"symbol": "A", "costBps": 10}])),
    "CostModel.fixed_fee": (FREE, costs(fixedFee=5)),
    "CostModel.commission_per_share": (FREE, costs(commissionPerShare=0.1)),
    "CostModel.min_commission": (FREE, costs(minCommission=5)),
    "CostModel.max_commission": (costs(commissionBps=100), costs(commissionBps=100, maxCommission=1)),
    "CostModel.liquidity": (square_root(), liquid()),
    "AssetCost.symbol": (
        costs(byAsset=[{"symbol": "A", "costBps": 10}]),
        costs(byAsset=[{"symbol": "B", "costBps": 10}]),
    ),
    "AssetCost.cost_bps": (
        costs(byAsset=[{"symbol": "A", "costBps": 10}]),
        costs(byAsset=[{"symbol": "A", "costBps": 20}]),
    ),
    "AssetCost.trading_cost_bps": (
        costs(byAsset=[{"symbol": "A", "costBps": 10}]),
        costs(byAsset=[{"symbol": "A", "tradingCostBps": 20}]),
    ),
    "AssetLiquidity.symbol": (liquid(), liquid(symbol="B")),
    "AssetLiquidity.daily_value": (liquid(), liquid(dailyValue=2e4)),
    "AssetLiquidity.volatility_annual": (liquid(), liquid(volatilityAnnual=0.5)),
    "MarketImpact.square_root": (FREE, square_root()),
    "MarketImpact.almgren": (FREE, costs(impact=LAW)),
    "SquareRootImpact.coefficient": (square_root(), square_root(2.0)),
    "AlmgrenImpact.gamma": (almgren(), almgren(gamma=1)),
    "AlmgrenImpact.eta": (almgren(), almgren(eta=1)),
    "AlmgrenImpact.execution_days": (almgren(), almgren(executionDays=0.5)),
    "AlmgrenImpact.shares_outstanding": (almgren(), almgren(sharesOutstanding=SHARES[:1])),
    "SharesOutstanding.symbol": (almgren(sharesOutstanding=SHARES[:1]), almgren(sharesOutstanding=SHARES[1:])),
    "SharesOutstanding.quantity": (almgren(), almgren(sharesOutstanding=[SHARES[0], {**SHARES[1], "quantity": 1e9}])),
    "TradeSchedule.almgren_chriss": (FREE, schedule()),
    "AlmgrenChriss.risk_aversion": (schedule(), schedule(riskAversion=1e-2)),
    "AlmgrenChriss.periods": (schedule(), schedule(periods=5)),
    "AlmgrenChriss.temporary": (schedule(), schedule(temporary=2e-3)),
    "AlmgrenChriss.permanent": (schedule(), schedule(permanent=2e-4)),
    "AlmgrenChriss.fixed": (schedule(), schedule(fixed=0.02)),
    "AlmgrenChriss.volatilities": (schedule(), schedule(volatilities=[0.1, 0.9])),
    "AlmgrenChriss.correlation": (schedule(), schedule(correlation=[1, 0.5, 0.5, 1])),
    "AlmgrenChriss.hedge": (
        weights(A=0) | schedule(riskAversion=0.1, fixed=0, correlation=[1, 0.9, 0.9, 1]),
        weights(A=0) | schedule(riskAversion=0.1, fixed=0, correlation=[1, 0.9, 0.9, 1], hedge=True),
    ),
    "TradeOff.cost_aversion": (
        costs(commissionBps=100),
        {**costs(commissionBps=100), "tradeOff": {"costAversion": 60}},
    ),
    "TradeOff.deviation": (CORRELATED, {**CORRELATED, **TRACKED}),
    "RecentTrade.symbol": ({"recentTrades": [RECENT]}, {"recentTrades": [{**RECENT, "symbol": "A"}]}),
    "RecentTrade.quantity": ({"recentTrades": [RECENT]}, {"recentTrades": [{**RECENT, "quantity": 5}]}),
    "RecentTrade.date": ({"recentTrades": [RECENT]}, {"recentTrades": [{**RECENT, "date": DAY}]}),
    "RecentTrade.realized_gain": ({"recentTrades": [RECENT]}, {"recentTrades": [{**RECENT, "realizedGain": 5}]}),
    "OtherPurchase.symbol": (
        {**losing(forbidWashSales=True), "otherPurchases": [{**BOUGHT, "symbol": "B"}]},
        {**losing(forbidWashSales=True), "otherPurchases": [BOUGHT]},
    ),
    "OtherPurchase.quantity": (
        {**losing(), "otherPurchases": [BOUGHT]},
        {**losing(), "otherPurchases": [{**BOUGHT, "quantity": 2}]},
    ),
    "OtherPurchase.date": (
        {**losing(), "otherPurchases": [{**BOUGHT, "date": LAST_YEAR}]},
        {**losing(), "otherPurchases": [BOUGHT]},
    ),
    "OtherPurchase.retirement_account": (
        {**losing(), "otherPurchases": [BOUGHT]},
        {**losing(), "otherPurchases": [{**BOUGHT, "retirementAccount": True}]},
    ),
}
ELSEWHERE = {
    "ReallocateRequest.portfolio_name": "test_reallocation_taxes.py",
    "ReallocateRequest.market_data": "test_reallocation.py",
    "ReallocateRequest.target_optimize": "test_reallocation.py",
    "ReallocateRequest.disabled_constraints": "test_reallocation_modes.py",
    "ReallocateRequest.request_id": "of the call, not of the answer",
    "ReallocateRequest.validate_only": "of the call, not of the answer",
    "ReallocateRequest.label": "of the call, not of the answer",
    "ReallocateRequest.reallocation_id": "of the call, not of the answer",
    "Thresholds.max_tracking_error_annual": "test_reallocation_modes.py",
    "Thresholds.cost_benefit": "test_reallocation_utilization.py",
    "CostBenefit.risk_aversion": "test_reallocation_utilization.py",
    "CostBenefit.horizon_days": "test_reallocation_utilization.py",
    "TaxLimits.harvest_losses": "test_tax_objective.py",
    "TaxLimits.substitutes": "test_tax_objective.py",
    "ReallocateRequest.target_strategy": "test_remote_target.py",
    "RemoteStrategy.target": "test_remote_target.py",
    "RemoteStrategy.timeout": "test_remote_target.py",
    "Duration.seconds": "test_remote_target.py",
    "Duration.nanos": "test_remote_target.py",
    "Substitute.symbol": "refused as not supported",
    "Substitute.by": "refused as not supported",
    "TradeOff.tax_aversion": "refused as not supported",
    "RecentTrade.price": "a record: whether a sale was at a loss is in realized_gain",
    "Portfolio.name": "of the store: an inline portfolio may be one as it was read",
    "Portfolio.display_name": "of the store: an inline portfolio may be one as it was read",
    "Portfolio.etag": "of the store: an inline portfolio may be one as it was read",
    "Portfolio.create_time": "of the store: an inline portfolio may be one as it was read",
    "Portfolio.update_time": "of the store: an inline portfolio may be one as it was read",
    "Portfolio.mandate": "test_the_mandate_of_an_inline_portfolio_counts",
    "AssetCost.borrow_bps_annual": "refused as not supported",
    **{
        f"CostModel.{name}": "refused as not supported"
        for name in (
            "borrow_bps_annual", "cash_rate_annual", "financing_rate_annual", "portfolio_value", "day_count",
            "cash_rates", "financing_rates",
            "management_fee_annual", "performance_fee", "liquidity_lookback_periods",
        )
    },
}  # fmt: skip
NOT_WALKED = {
    "OptimizeSpec", "MarketDataSelection", "Mandate", "Date", "Timestamp", "PerformanceFee", "RateStep",
}  # fmt: skip


def usual(**more: Any) -> dict[str, Any]:
    """A request, with some of its fields replaced."""
    return {**portfolio(), **assets(), **weights(A=0.5, B=0.5), "asOfDate": DAY, "validateOnly": True, **more}


def found(wire: Wire, more: dict[str, Any]) -> dict[str, Any]:
    """The answer, or the fields that are refused."""
    try:
        return wire.call(REALLOCATE, usual(**more))
    except grpc.RpcError as error:
        refused = refusal_of(error)
        assert refused.code == "INVALID_ARGUMENT", refused
        return {"refused": refused.fields}


@pytest.mark.parametrize("field", PAIRS)
def test_a_field_has_an_effect(wire: Wire, field: str) -> None:
    without, with_it = (found(wire, more) for more in PAIRS[field])
    assert "refused" not in without, without
    assert "refused" not in with_it, with_it
    assert without != with_it


def test_every_field_is_looked_at() -> None:
    assert set(message_fields(ReallocateRequest.DESCRIPTOR, NOT_WALKED)) == PAIRS.keys() | ELSEWHERE.keys()


@pytest.mark.parametrize(
    ("more", "field"),
    [
        (costs(byAsset=[{"symbol": "A", "costBps": 1}, {"symbol": "Z", "costBps": 1}]), "costs.by_asset[1].symbol"),
        (liquid(symbol="Z"), "costs.liquidity[0].symbol"),
        (
            almgren(sharesOutstanding=[*SHARES, {"symbol": "Z", "quantity": 1}]),
            "costs.impact.almgren.shares_outstanding[2].symbol",
        ),
        (weights(A=0.5, Z=0.1), "target_weights.weights[1].symbol"),
    ],
)
def test_an_unknown_name_is_refused(wire: Wire, more: dict[str, Any], field: str) -> None:
    assert found(wire, more) == {"refused": (field,)}


def test_a_borrow_fee_of_an_asset_is_refused(wire: Wire) -> None:
    refused = wire.refused(REALLOCATE, usual(**costs(byAsset=[{"symbol": "A", "borrowBpsAnnual": 5}])))
    assert refused.reason == "NOT_SUPPORTED"
    assert "costs.by_asset[0].borrow_bps_annual" in refused.message


def test_the_mandate_of_an_inline_portfolio_counts(wire: Wire) -> None:
    mandate = {"weights": weights(A=0.5, B=0.5)["targetWeights"], "thresholds": {"driftBand": 0.9}}
    request = usual(**portfolio(mandate=mandate))
    del request["targetWeights"]
    assert "unchanged" in wire.call(REALLOCATE, request)
    # What the request says of its own comes first.
    assert wire.call(REALLOCATE, {**request, "thresholds": {}}) == found(wire, FREE)
    mandate["weights"] = weights(A=2.0)["targetWeights"]
    refused = wire.refused(REALLOCATE, request)
    assert (refused.code, refused.fields) == ("INVALID_ARGUMENT", ("portfolio.mandate.weights.weights",))


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"tradeOff": {"costAversion": 1}}, "trade_off.cost_aversion"),
        (costs(maxCommission=1), "costs.max_commission"),
        (schedule(hedge=True), "schedule.almgren_chriss.hedge"),
        (costs(liquidity=[{"symbol": "A", "dailyValue": 1}]), "costs.liquidity"),
    ],
)
def test_a_field_without_effect_beside_the_others_is_refused(wire: Wire, more: dict[str, Any], field: str) -> None:
    assert found(wire, more) == {"refused": (field,)}


def test_a_spread_of_the_market_is_a_cost_to_weigh(wire: Wire) -> None:
    assert "refused" not in found(wire, {"tradeOff": {"costAversion": 1}, **stock(spreadBps=10)})


NO_VOLUME = [{key: one[key] for key in ("symbol", "price")} for one in (STOCK, OTHER)]


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({"horizonDays": 3}, ["horizon_days"]),
        ({"horizonDays": 3, **limits(maxParticipation=0.1)}, ["horizon_days"]),
        ({"horizonDays": 1}, []),
        ({"horizonDays": 3, "settlementDays": 1}, []),
        # What is available within the days is part of the answer.
        ({"horizonDays": 3, **assets(STOCK, NO_VOLUME[1])}, []),
        # Nothing is to be traded.
        ({"horizonDays": 3, **over("driftBand", 0.9)}, []),
    ],
)
def test_days_without_effect_on_these_data_are_named(wire: Wire, more: dict[str, Any], fields: list[str]) -> None:
    answer = wire.call(REALLOCATE, usual(**{**assets(*NO_VOLUME), **more}))
    named = [one["field"] for one in answer.get("warnings", []) if one["code"] == "FIELD_WITHOUT_EFFECT"]
    assert named == fields
    if fields:
        without = wire.call(REALLOCATE, usual(**{**assets(*NO_VOLUME), **more, "horizonDays": 1}))
        assert answer["plan"]["trades"] == without["plan"]["trades"]
