"""Names of the second version that clients rely on, written as they send them."""

import json

import pytest
from absfinance.v1 import (
    admin_service_pb2,
    backtest_pb2,
    backtest_service_pb2,
    event_service_pb2,
    market_data_service_pb2,
    portfolio_pb2,
    reallocation_pb2,
    reallocation_service_pb2,
    risk_service_pb2,
    sweep_pb2,
)
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

DATE = {"year": 2020, "month": 1, "day": 2}
BACKTEST = {
    "rebalancing": {
        "calendar": {"frequency": "FREQUENCY_MONTHLY", "day": "REBALANCE_DAY_NTH", "nthDay": 3},
        "driftBand": {
            "absolute": 0.05,
            "relative": 0.25,
            "byAsset": [{"symbol": "A", "absolute": 0.1, "relative": 0.1}],
            "byGroup": [{"group": "sector=Tech", "absolute": 0.1, "relative": 0.1}],
            "trigger": "BAND_TRIGGER_COST_BENEFIT",
            "maxTrackingErrorAnnual": 0.02,
            "riskAversion": 3.0,
            "horizonDays": 20,
            "scope": "BAND_SCOPE_BREACHED",
            "destination": "DESTINATION_FRACTION",
            "fraction": 0.5,
        },
        "minPeriodsBetween": 5,
        "flowsOnly": True,
        "maxTurnover": 0.2,
        "tranches": 4,
    },
    "corporateActions": [
        {"symbol": "A", "exDate": DATE, "split": {"ratio": 2.0}},
        {"symbol": "A", "exDate": DATE, "cashDividend": {"amount": 1.0, "payDate": DATE}},
        {"symbol": "A", "exDate": DATE, "delisting": {"return": -0.3}},
    ],
    "priceBasis": "PRICE_BASIS_SPLIT_ADJUSTED",
    "dividendPolicy": "DIVIDEND_POLICY_REINVEST",
    "withholdingRate": 0.15,
    "fractionalHoldings": False,
    "delistingPolicy": "DELISTING_POLICY_SHUMWAY_NASDAQ",
    "initialHoldings": [{"symbol": "A", "quantity": 10.0}],
    "initialCapital": 100.0,
    "chargeInitialPurchase": False,
    "cashFlows": [{"date": DATE, "amount": 5.0, "timing": "FLOW_TIMING_START_OF_DAY"}],
    "recurringCashFlows": [
        {"amount": 5.0, "frequency": "FREQUENCY_MONTHLY", "growthAnnual": 0.02, "startDate": DATE, "endDate": DATE},
        {"fractionOfNav": -0.04, "frequency": "FREQUENCY_ANNUAL"},
    ],
    "openPrices": {"symbols": ["A"], "dates": [1], "values": [1.0]},
    "margin": {"maintenanceRatio": 0.25},
    "conventions": "CONVENTIONS_VECTORBT",
    "costs": {
        "commissionPerShare": 0.01,
        "minCommission": 1.0,
        "maxCommission": 10.0,
        "dayCount": "DAY_COUNT_ACT_365F",
        "cashRates": [{"date": DATE, "rateAnnual": 0.01}],
        "financingRates": [{"date": DATE, "rateAnnual": 0.05}],
        "managementFeeAnnual": 0.02,
        "performanceFee": {
            "rate": 0.2,
            "hurdleAnnual": 0.05,
            "hurdle": "HURDLE_SOFT",
            "crystallization": "FREQUENCY_ANNUAL",
        },
        "byAsset": [{"symbol": "A", "costBps": 5.0, "borrowBpsAnnual": 30.0}],
    },
    "strategies": [
        {"momentum": {"lookbackPeriods": 252, "skipPeriods": 21, "topN": 5}},
        {
            "volatilityTarget": {
                "base": {"equalWeight": {}},
                "targetAnnual": 0.1,
                "lookbackPeriods": 60,
                "maxLeverage": 1.5,
            }
        },
        {"cppi": {"base": {"equalWeight": {}}, "floor": 0.8, "multiplier": 4.0}},
        {"blend": {"parts": [{"strategy": {"equalWeight": {}}, "weight": 1.0}]}},
        {"remote": {"target": "here:1", "timeout": "10s"}},
    ],
    "analysis": {
        "attribution": {
            "groups": ["sector"],
            "model": "ATTRIBUTION_MODEL_BRINSON_HOOD_BEEBOWER",
            "linking": "LINKING_GEOMETRIC",
            "separateInteraction": True,
        },
        "statisticalValidation": {"resamples": 1000, "timingLuckOffsets": 5},
    },
}
REALLOCATE = {
    "asOfDate": DATE,
    "settlementDays": 2,
    "cashFlow": -100.0,
    "retainCash": True,
    "direction": "DIRECTION_SELL_ONLY",
    "noNewNames": True,
    "disabledConstraints": ["caps"],
    "tradeOff": {"costAversion": 1.0, "taxAversion": 1.0},
    "recentTrades": [{"symbol": "A", "quantity": 1.0, "price": 2.0, "date": DATE}],
    "otherPurchases": [{"symbol": "A", "quantity": 1.0, "date": DATE, "retirementAccount": True}],
    "limits": {
        "maxCostBps": 5.0,
        "tax": {
            "lotMethod": "LOT_METHOD_SPECIFIED",
            "shortTermRate": 0.37,
            "longTermRate": 0.2,
            "longTermAfterDays": 365,
            "carryForward": 100.0,
            "gainBudget": 50.0,
            "forbidWashSales": True,
            "harvestLosses": True,
            "identicalGroups": [{"symbols": ["A", "B"]}],
            "substitutes": [{"symbol": "A", "by": "B"}],
        },
    },
    "thresholds": {"relativeBand": 0.2, "maxTrackingErrorAnnual": 0.02},
    "snapshot": {
        "assets": [{"symbol": "A", "price": 1.0, "currency": "EUR"}],
        "fxRates": [{"currency": "EUR", "rate": 1.1}],
    },
    "schedule": {
        "almgrenChriss": {
            "riskAversion": 1e-6,
            "periods": 5,
            "temporary": 2.5e-6,
            "permanent": 2.5e-7,
            "fixed": 0.0625,
            "volatilities": [0.95],
            "correlation": [1.0],
            "hedge": True,
        }
    },
    "portfolio": {
        "holdings": [
            {
                "symbol": "A",
                "lots": [
                    {
                        "lotId": "1",
                        "quantity": 1.0,
                        "unitCost": 2.0,
                        "purchaseDate": DATE,
                        "holdingPeriodStart": DATE,
                    }
                ],
            }
        ]
    },
}
PANEL = {"symbols": ["A"], "dates": [1], "values": [1.0]}
REQUESTS = [
    (backtest_service_pb2.BacktestRequest(), BACKTEST),
    (reallocation_service_pb2.ReallocateRequest(), REALLOCATE),
    (
        risk_service_pb2.AttributeRequest(),
        {
            "portfolioWeights": PANEL,
            "benchmarkWeights": PANEL,
            "portfolioReturns": PANEL,
            "benchmarkReturns": PANEL,
            "model": "ATTRIBUTION_MODEL_BRINSON_FACHLER",
            "linking": "LINKING_MENCHERO",
            "separateInteraction": True,
        },
    ),
    (
        risk_service_pb2.CompareStrategiesRequest(),
        {"returns": PANEL, "benchmark": PANEL, "blockLength": 10.0, "resamples": 500, "seed": "7"},
    ),
    (backtest_service_pb2.GetBacktestChartsRequest(), {"name": "backtests/x", "charts": ["CHART_EQUITY"]}),
    (
        reallocation_service_pb2.RecordFillsRequest(),
        {
            "reallocation": "reallocations/x",
            "etag": "1",
            "fills": [
                {
                    "fillId": "f",
                    "symbol": "A",
                    "quantity": 1.0,
                    "price": 2.0,
                    "fee": 0.1,
                    "fillTime": "2020-01-02T00:00:00Z",
                    "lotId": "1",
                }
            ],
        },
    ),
    (market_data_service_pb2.GetMarketMetricsRequest(), {"symbols": ["A"]}),
    (
        backtest_service_pb2.SweepRequest(),
        {
            "grid": {
                "base": {"strategy": {"equalWeight": {}}},
                "axes": [
                    {"path": "costs.commission_bps", "numbers": {"values": [1.0]}},
                    {"path": "execution.fill", "strings": {"values": ["FILL_NEXT_CLOSE"]}},
                    {"path": "strategy", "strategies": {"values": [{"equalWeight": {}}]}},
                ],
            },
            "selection": {"score": "SCORE_SHARPE", "purgePeriods": 5, "embargoPeriods": 2},
        },
    ),
    (
        event_service_pb2.WatchEventsRequest(),
        {
            "portfolios": ["portfolios/x"],
            "kinds": ["EVENT_KIND_PRICE_STALE", "EVENT_KIND_PRICE_JUMP", "EVENT_KIND_MANDATE_DUE"],
            "minSeverity": "SEVERITY_WARNING",
            "afterSequence": "1",
            "epoch": "e",
            "heartbeatInterval": "5s",
        },
    ),
    (
        portfolio_pb2.Trigger(),
        {
            "event": "EVENT_KIND_LOT_LONG_TERM",
            "threshold": 1.0,
            "clearThreshold": 0.5,
            "cooldown": "60s",
            "action": "ACTION_EXTEND_BACKTEST",
        },
    ),
    (
        market_data_service_pb2.PublishMarketDataRequest(),
        {
            "batchId": "1",
            "bars": [
                {
                    "symbol": "A",
                    "date": DATE,
                    "open": 1.0,
                    "high": 1.0,
                    "low": 1.0,
                    "close": 1.0,
                    "volume": 1.0,
                    "revision": 1,
                }
            ],
            "quotes": [{"symbol": "A", "time": "2020-01-02T00:00:00Z", "bid": 1.0, "ask": 1.0, "last": 1.0}],
        },
    ),
]


@pytest.mark.parametrize(
    ("message", "sent"), REQUESTS, ids=lambda value: getattr(value, "DESCRIPTOR", None) and value.DESCRIPTOR.name
)
def test_a_request_as_clients_write_it_comes_back_whole(message: Message, sent: dict[str, object]) -> None:
    json_format.ParseDict(sent, message)  # an unknown name raises
    assert json.loads(json_format.MessageToJson(message)) == sent


ANSWERS: list[tuple[Descriptor, str]] = [
    (
        backtest_pb2.BacktestResult.DESCRIPTOR,
        "finalNav moneyWeightedReturn bankruptDate conventionDifference reconciliation assetEvents attribution "
        "statisticalValidation warnings",
    ),
    (backtest_pb2.Reconciliation.DESCRIPTOR, "startNav flows gains costs endNav"),
    (backtest_pb2.AssetEvent.DESCRIPTOR, "date symbol kind quantityBefore quantityAfter cash"),
    (risk_service_pb2.AttributeResponse.DESCRIPTOR, "totals groups periods excessReturn warnings"),
    (
        risk_service_pb2.CompareStrategiesResponse.DESCRIPTOR,
        "spa stepM deflatedSharpe probabilityOfOverfitting trialCount effectiveTrialCount",
    ),
    (
        sweep_pb2.Sweep.DESCRIPTOR,
        "name state trialCount failedCount best spa stepM deflatedSharpe probabilityOfOverfitting effectiveTrialCount",
    ),
    (
        reallocation_pb2.ReallocationPlan.DESCRIPTOR,
        "trades gap optimal schedule expectedCost costStandardDeviation",
    ),
    (reallocation_pb2.Reallocation.DESCRIPTOR, "plan summary restrictedUntil warnings staleSince requestId createTime"),
    (reallocation_pb2.ReallocationSummary.DESCRIPTOR, "tax costs"),
    (reallocation_service_pb2.RecordFillsResponse.DESCRIPTOR, "portfolio realizedGains shortfall"),
    (market_data_service_pb2.PublishMarketDataResponse.DESCRIPTOR, "batchId acceptedCount rejected"),
    (admin_service_pb2.GetServerInfoResponse.DESCRIPTOR, "version engines solvers limits"),
    (event_service_pb2.WatchEventsResponse.DESCRIPTOR, "snapshot signal recomputation notification heartbeat"),
]


@pytest.mark.parametrize(("message", "names"), ANSWERS, ids=lambda value: getattr(value, "name", None))
def test_an_answer_has_these_names(message: Descriptor, names: str) -> None:
    assert set(names.split()) <= {field.json_name for field in message.fields}
