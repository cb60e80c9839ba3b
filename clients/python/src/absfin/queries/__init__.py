"""The calls of the server as frozen dataclasses, one for each method of the clients.

`Client.optimize(...)` builds an `OptimizeQuery` of the same parameters and sends it; a query that is kept as a value is
sent with `Client.send` and its like. Begin reading with `base`.
"""

from typing import Any

from absfinance.v1.admin_service_pb2_grpc import AdminServiceStub
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceStub
from absfinance.v1.event_service_pb2_grpc import EventServiceStub
from absfinance.v1.liquidity_service_pb2_grpc import LiquidityServiceStub
from absfinance.v1.market_data_service_pb2_grpc import MarketDataServiceStub
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceStub
from absfinance.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from absfinance.v1.reallocation_service_pb2_grpc import ReallocationServiceStub
from absfinance.v1.risk_service_pb2_grpc import RiskServiceStub

from absfin.queries.admin import (
    CreateApiKeyQuery,
    DrainQuery,
    GetQuotasQuery,
    GetServerInfoQuery,
    ListApiKeysQuery,
    ListAuditEventsQuery,
    RevokeApiKeyQuery,
)
from absfin.queries.attribution import AttributeQuery
from absfin.queries.backtests import (
    BacktestQuery,
    BacktestSeriesQuery,
    CancelBacktestQuery,
    DeleteBacktestQuery,
    GetBacktestQuery,
    ListBacktestsQuery,
)
from absfin.queries.base import AssembledQuery, PagedQuery, Query, StreamQuery, UnaryQuery
from absfin.queries.charts import (
    BacktestChartsQuery,
    OptimizationChartsQuery,
    ReallocationChartsQuery,
    RiskChartsQuery,
)
from absfin.queries.events import AcknowledgeNotificationQuery, ListNotificationsQuery, RedeliverNotificationQuery
from absfin.queries.liquidity import AssessLiquidityQuery
from absfin.queries.market_data import (
    CorporateActionsQuery,
    ImportPricesQuery,
    InstrumentsQuery,
    MarketMetricsQuery,
    PricesQuery,
    PublishMarketDataQuery,
    UpsertCorporateActionsQuery,
    UpsertInstrumentsQuery,
)
from absfin.queries.optimization import (
    DeleteOptimizationQuery,
    GetOptimizationQuery,
    ListOptimizationsQuery,
    OptimizeBatchQuery,
    OptimizeQuery,
    TraceFrontierQuery,
)
from absfin.queries.portfolios import (
    CreatePortfolioQuery,
    DeletePortfolioQuery,
    GetPortfolioQuery,
    ListPortfoliosQuery,
    UpdatePortfolioQuery,
)
from absfin.queries.reallocation import (
    DeleteReallocationQuery,
    GetReallocationQuery,
    ListReallocationsQuery,
    PortfolioAccount,
    ReallocateBatchQuery,
    ReallocateQuery,
    RecordFillsQuery,
)
from absfin.queries.risk import AnalyzeRiskQuery, CompareStrategiesQuery, EstimateRiskModelQuery
from absfin.queries.sweeps import GetSweepQuery, SweepQuery, SweepTrialsQuery

STUBS: tuple[type[Any], ...] = (
    OptimizationServiceStub,
    RiskServiceStub,
    BacktestServiceStub,
    ReallocationServiceStub,
    PortfolioServiceStub,
    MarketDataServiceStub,
    LiquidityServiceStub,
    AdminServiceStub,
    EventServiceStub,
)
"""The services that the queries call."""

__all__ = [
    "STUBS",
    "AcknowledgeNotificationQuery",
    "AnalyzeRiskQuery",
    "AssembledQuery",
    "AssessLiquidityQuery",
    "AttributeQuery",
    "BacktestChartsQuery",
    "BacktestQuery",
    "BacktestSeriesQuery",
    "CancelBacktestQuery",
    "CompareStrategiesQuery",
    "CorporateActionsQuery",
    "CreateApiKeyQuery",
    "CreatePortfolioQuery",
    "DeleteBacktestQuery",
    "DeleteOptimizationQuery",
    "DeletePortfolioQuery",
    "DeleteReallocationQuery",
    "DrainQuery",
    "EstimateRiskModelQuery",
    "GetBacktestQuery",
    "GetOptimizationQuery",
    "GetPortfolioQuery",
    "GetQuotasQuery",
    "GetReallocationQuery",
    "GetServerInfoQuery",
    "GetSweepQuery",
    "ImportPricesQuery",
    "InstrumentsQuery",
    "ListApiKeysQuery",
    "ListAuditEventsQuery",
    "ListBacktestsQuery",
    "ListNotificationsQuery",
    "ListOptimizationsQuery",
    "ListPortfoliosQuery",
    "ListReallocationsQuery",
    "MarketMetricsQuery",
    "OptimizationChartsQuery",
    "OptimizeBatchQuery",
    "OptimizeQuery",
    "PagedQuery",
    "PortfolioAccount",
    "PricesQuery",
    "PublishMarketDataQuery",
    "Query",
    "ReallocateBatchQuery",
    "ReallocateQuery",
    "ReallocationChartsQuery",
    "RecordFillsQuery",
    "RedeliverNotificationQuery",
    "RevokeApiKeyQuery",
    "RiskChartsQuery",
    "StreamQuery",
    "SweepQuery",
    "SweepTrialsQuery",
    "TraceFrontierQuery",
    "UnaryQuery",
    "UpdatePortfolioQuery",
    "UpsertCorporateActionsQuery",
    "UpsertInstrumentsQuery",
]
