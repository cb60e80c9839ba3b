"""Loads every task with what most requests need. The template of worker processes imports this before the first worker.

The first validation of a message compiles the rules of its fields.
"""

import protovalidate
from absfinance.v1.backtest_service_pb2 import BacktestRequest
from absfinance.v1.liquidity_service_pb2 import AssessLiquidityRequest
from absfinance.v1.market_data_service_pb2 import GetMarketMetricsRequest
from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest, OptimizeRequest, TraceFrontierRequest
from absfinance.v1.reallocation_service_pb2 import ReallocateBatchRequest, ReallocateRequest, RecordFillsRequest
from absfinance.v1.risk_service_pb2 import AnalyzeRiskRequest, CompareStrategiesRequest, EstimateRiskModelRequest

from server.tasks import (
    attribute,
    backtest,
    batch,
    charts,
    comparison,
    convert,
    fills,
    frontier,
    market_metrics,
    optimize,
    reallocate,
    reallocate_batch,
    risk,
    shared_volume,
)

TASKS = (
    attribute,
    backtest,
    batch,
    charts,
    comparison,
    convert,
    fills,
    frontier,
    market_metrics,
    optimize,
    reallocate,
    reallocate_batch,
    risk,
    shared_volume,
)

for kind in (
    OptimizeRequest,
    OptimizeBatchRequest,
    TraceFrontierRequest,
    BacktestRequest,
    ReallocateRequest,
    ReallocateBatchRequest,
    RecordFillsRequest,
    AnalyzeRiskRequest,
    EstimateRiskModelRequest,
    CompareStrategiesRequest,
    GetMarketMetricsRequest,
    AssessLiquidityRequest,
):
    protovalidate.collect_violations(kind())
