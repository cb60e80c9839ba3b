"""Which role each method of the contract needs: the one table. A method that is not in it is an admin's."""

from collections.abc import Mapping

from server.ports.errors import RoleRequired
from server.ports.identity import Principal, Role

PACKAGE = "absfinance.v1"

_METHODS: Mapping[Role, Mapping[str, str]] = {
    # Reads what is stored.
    Role.READER: {
        "OptimizationService": "GetOptimization ListOptimizations GetOptimizationCharts",
        "RiskService": "GetRiskCharts",
        "BacktestService": "BacktestProgress GetBacktest ListBacktests GetBacktestSeries GetSweep ListSweepTrials "
        "GetBacktestCharts",
        "ReallocationService": "GetReallocation ListReallocations GetReallocationCharts",
        "PortfolioService": "GetPortfolio ListPortfolios",
        "MarketDataService": "GetPrices ListInstruments ListCorporateActions GetMarketMetrics",
        "EventService": "WatchEvents ListNotifications",
        "AdminService": "GetServerInfo GetQuotas ListAuditEvents",
    },
    # Computes, and keeps the results.
    Role.ANALYST: {
        "OptimizationService": "Optimize DeleteOptimization OptimizeBatch TraceFrontier",
        "RiskService": "AnalyzeRisk EstimateRiskModel Attribute CompareStrategies",
        "BacktestService": "Backtest CancelBacktest DeleteBacktest Sweep",
        "LiquidityService": "AssessLiquidity",
        "StrategyService": "Decide",
        "EventService": "AcknowledgeNotification RedeliverNotification",
    },
    # Changes portfolios, plans their trades, and writes the market data that all share.
    Role.TRADER: {
        "ReallocationService": "Reallocate DeleteReallocation RecordFills ReallocateBatch",
        "PortfolioService": "CreatePortfolio UpdatePortfolio DeletePortfolio",
        "MarketDataService": "ImportPrices PublishMarketData UpsertInstruments UpsertCorporateActions",
    },
    Role.ADMIN: {
        "AdminService": "Drain CreateApiKey ListApiKeys RevokeApiKey",
    },
}

ROLES: Mapping[str, Role] = {
    f"/{PACKAGE}.{service}/{method}": role
    for role, services in _METHODS.items()
    for service, methods in services.items()
    for method in methods.split()
}
"""By the path of a method, such as "/absfinance.v1.RiskService/AnalyzeRisk"."""


def require_role(principal: Principal, method: str) -> None:
    """Raises RoleRequired where a caller may not call a method."""
    needed = ROLES.get(method, Role.ADMIN)
    if principal.role < needed:
        raise RoleRequired(method.rpartition(".")[2], needed.label, principal.role.label)
