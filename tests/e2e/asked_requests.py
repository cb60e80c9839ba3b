"""What is asked of each method that is served, of names that one owner has: it does something, if that is allowed."""

import json
from collections.abc import Mapping
from typing import Any

from tests.e2e.test_attribute import ATTRIBUTE
from tests.e2e.test_attribute import request as attribute_request

Request = Mapping[str, Any] | list[dict[str, Any]]

PRICES = {"symbols": ["A", "B"], "dates": [18263, 18264, 18265], "values": [1.0, 1.0, 1.1, 1.0, 1.2, 1.1]}
MOMENTS = {"symbols": ["A", "B"], "covariance": [0.04, 0.01, 0.01, 0.09], "periodsPerYear": 12}
MIN_RISK = {"moments": MOMENTS, "objective": {"minRisk": {}}}
PLAN = {
    "snapshot": {"assets": [{"symbol": "A", "price": 10}, {"symbol": "B", "price": 20}]},
    "targetWeights": {"weights": [{"symbol": "A", "weight": 1}]},
}
FILL = {"fillId": "f", "symbol": "A", "quantity": 1, "price": 10, "fillTime": "2024-01-03T15:00:00Z"}
ALL_IN_A = {"prices": PRICES, "weights": [{"symbol": "A", "weight": 1}]}
BACKTEST = {"prices": PRICES, "strategy": {"equalWeight": {}}, "wait": "60s"}
SWEEP = {"trials": {"backtests": [{"prices": PRICES, "strategy": {"equalWeight": {}}}]}, "wait": "60s"}
BAR = {"symbol": "A", "date": {"year": 2020, "month": 1, "day": 10}, "close": 1.1}
SPLIT = {"symbol": "A", "exDate": {"year": 2020, "month": 1, "day": 3}, "split": {"ratio": 2}}

ASKED: Mapping[str, Request] = {
    "AdminService/CreateApiKey": {"roles": ["reader"]},
    "AdminService/GetQuotas": {},
    "AdminService/GetServerInfo": {},
    "AdminService/ListApiKeys": {},
    "AdminService/ListAuditEvents": {},
    "AdminService/RevokeApiKey": {"name": "apiKeys/own"},
    "BacktestService/Backtest": BACKTEST,
    "BacktestService/BacktestProgress": {"backtest": "backtests/own"},
    "BacktestService/CancelBacktest": {"name": "backtests/own"},
    "BacktestService/DeleteBacktest": {"name": "backtests/own"},
    "BacktestService/GetBacktest": {"name": "backtests/own"},
    "BacktestService/GetBacktestCharts": {"name": "backtests/own"},
    "BacktestService/GetBacktestSeries": {"name": "backtests/own", "series": "BACKTEST_SERIES_NAV"},
    "BacktestService/ListBacktests": {},
    "EventService/AcknowledgeNotification": {"name": "notifications/own"},
    "EventService/ListNotifications": {},
    "EventService/RedeliverNotification": {"name": "notifications/own"},
    "EventService/WatchEvents": {},
    "LiquidityService/AssessLiquidity": {"trades": [{"symbol": "A", "quantity": 1}]},
    "MarketDataService/GetMarketMetrics": {"symbols": ["A"]},
    "MarketDataService/GetPrices": {"selection": {"symbols": ["A"]}},
    "MarketDataService/ImportPrices": [
        {"header": {"importId": "matrix"}},
        {"chunk": {"symbols": ["A"], "dates": [18270], "values": [1.0]}},
        {"footer": {"valueCount": 1}},
    ],
    "MarketDataService/ListCorporateActions": {},
    "MarketDataService/ListInstruments": {},
    "MarketDataService/PublishMarketData": [{"batchId": "1", "bars": [BAR]}],
    "MarketDataService/UpsertCorporateActions": {"corporateActions": [SPLIT]},
    "MarketDataService/UpsertInstruments": {"instruments": [{"symbol": "C"}]},
    "OptimizationService/DeleteOptimization": {"name": "optimizations/own"},
    "OptimizationService/GetOptimization": {"name": "optimizations/own"},
    "OptimizationService/GetOptimizationCharts": {"name": "optimizations/own", "charts": ["CHART_WEIGHTS"]},
    "OptimizationService/ListOptimizations": {},
    "OptimizationService/Optimize": MIN_RISK,
    "OptimizationService/OptimizeBatch": [
        {"universe": {"moments": MOMENTS, "spec": {"objective": {"minRisk": {}}}}},
        {"account": {"key": "k"}},
    ],
    "OptimizationService/TraceFrontier": {"moments": {**MOMENTS, "expectedReturns": [0.1, 0.2]}, "points": 3},
    "PortfolioService/CreatePortfolio": {"portfolio": {"cash": 5}},
    "PortfolioService/DeletePortfolio": {"name": "portfolios/own"},
    "PortfolioService/GetPortfolio": {"name": "portfolios/own"},
    "PortfolioService/ListPortfolios": {},
    "PortfolioService/UpdatePortfolio": {"portfolio": {"name": "portfolios/own", "etag": "e", "cash": 7}},
    "ReallocationService/DeleteReallocation": {"name": "reallocations/own"},
    "ReallocationService/GetReallocation": {"name": "reallocations/own"},
    "ReallocationService/GetReallocationCharts": {"name": "reallocations/own"},
    "ReallocationService/ListReallocations": {"portfolio": "portfolios/own"},
    "ReallocationService/Reallocate": {"portfolioName": "portfolios/own", **PLAN},
    "ReallocationService/ReallocateBatch": [
        {"shared": PLAN},
        {"account": {"key": "k", "portfolioName": "portfolios/own"}},
    ],
    "ReallocationService/RecordFills": {"reallocation": "reallocations/own", "fills": [FILL]},
    ATTRIBUTE: attribute_request(),
    "RiskService/AnalyzeRisk": ALL_IN_A,
    "BacktestService/GetSweep": {"name": "sweeps/own"},
    "BacktestService/ListSweepTrials": {"name": "sweeps/own"},
    "BacktestService/Sweep": SWEEP,
    "RiskService/CompareStrategies": {"returns": PRICES, "resamples": 100},
    "RiskService/EstimateRiskModel": {"prices": PRICES},
    "RiskService/GetRiskCharts": {"analysis": ALL_IN_A},
}
"""By method; `own` is the id of what the owner has stored, in every collection."""

ANSWERED = ("ReallocationService/ListReallocations", "ReallocationService/ReallocateBatch")
"""Methods that answer for a name that is not there, one with an empty list and one with an outcome for each account."""

NEEDS_WEBHOOK = ("EventService/RedeliverNotification",)
"""Methods that a server without a webhook refuses to those who may call them."""

ENDLESS = ("EventService/WatchEvents",)
"""Streams that end with the call only: their first answer says what is to be known."""


def never_of(asked: Request) -> Request:
    """A request of names, as long, that nobody has."""
    changed: Request = json.loads(json.dumps(asked).replace("/own", "/nix"))
    return changed


def never(name: str) -> Request:
    """The same of a name, as long, that nobody has."""
    return never_of(ASKED[name])


NAMING = [name for name in ASKED if never(name) != ASKED[name]]

SENT_ALONG = {"name": "portfolios/own", "cash": 1000, "mandate": {"backtest": "backtests/own"}}
"""A portfolio that is not looked up, whatever it calls itself; nor is the backtest of its mandate, until it is used."""

OTHER_FIELDS: Mapping[str, tuple[str, Request]] = {
    "fills of a portfolio": ("ReallocationService/RecordFills", {"portfolio": "portfolios/own", "fills": [FILL]}),
    "notifications of a portfolio": ("EventService/ListNotifications", {"portfolio": "portfolios/own"}),
    "a portfolio that is sent along": (
        "ReallocationService/Reallocate",
        {"portfolio": SENT_ALONG, "validateOnly": True, **PLAN},
    ),
    "that of an account": (
        "ReallocationService/ReallocateBatch",
        [{"shared": PLAN}, {"account": {"key": "k", "portfolio": SENT_ALONG}}],
    ),
    "a name for a new portfolio": ("PortfolioService/CreatePortfolio", {"portfolio": SENT_ALONG}),
    "the backtest of a mandate": (
        "PortfolioService/UpdatePortfolio",
        {"portfolio": {"name": "portfolios/own", "etag": "e", "mandate": {"backtest": "backtests/own"}}},
    ),
    "events of portfolios": ("EventService/WatchEvents", {"portfolios": ["portfolios/own"]}),
}
"""Names in other fields of a request than those of `ASKED`: with them, each field that names a thing is asked about."""


CHOSEN: Mapping[str, tuple[str, dict[str, Any]]] = {
    "PortfolioService/CreatePortfolio": ("portfolioId", {"portfolio": {"cash": 1000}}),
    "OptimizationService/Optimize": ("optimizationId", MIN_RISK),
    "ReallocationService/Reallocate": ("reallocationId", {"portfolioName": "portfolios/own", **PLAN}),
    "BacktestService/Backtest": ("backtestId", BACKTEST),
    "BacktestService/Sweep": ("sweepId", SWEEP),
}
"""How the owner stores what is named `own`: by the field of the id."""

DAYS = 1500
LONG: dict[str, Any] = {
    "prices": {
        "symbols": ["A", "B"],
        "dates": list(range(DAYS)),
        "values": [100.0 + ((7 * i) % 13) for i in range(2 * DAYS)],
    },
    "strategies": [
        {
            "label": f"s{i}",
            "optimize": {"objective": {"minRisk": {}}, "riskMeasure": "RISK_MEASURE_CVAR", "lookbackPeriods": 60},
        }
        for i in range(20)
    ],
    "rebalancing": {"everyPeriods": {"n": 1}},
}
"""A backtest that runs until it is cancelled, as far as a test can tell."""
