"""The names that clients in other languages rely on, written as they send them."""

import json
from pathlib import Path

import pytest
from absfinance.v1 import (
    admin_service_pb2,
    backtest_pb2,
    backtest_service_pb2,
    event_service_pb2,
    liquidity_service_pb2,
    market_data_service_pb2,
    optimization_pb2,
    optimization_service_pb2,
    portfolio_service_pb2,
    reallocation_service_pb2,
    risk_service_pb2,
    strategy_service_pb2,
)
from google.protobuf import json_format
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message

OPTIMIZE = """
{"moments": {"symbols": ["A","B"], "expectedReturns": [0.01,0.02], "covariance": [0.04,0.01,0.01,0.09],
             "periodsPerYear": 12, "repairCovariance": true},
 "objective": {"maxRatio": {"riskFreeRateAnnual": 0.0}},
 "riskMeasure": "RISK_MEASURE_VARIANCE", "confidenceLevel": 0.95,
 "constraints": [{"label": "caps", "weightBounds": {"lower": 0.0, "upper": 0.6, "symbols": ["A"]}},
                 {"label": "floor", "returnFloor": {"minReturnAnnual": 0.15}},
                 {"groupBounds": {"group": "g", "lower": 0.1, "upper": 0.5}},
                 {"linear": {"terms": [{"symbol": "A", "coefficient": 1.0}], "lower": 0.1, "upper": 0.5}},
                 {"leverage": {"maxShort": 0.3, "maxGross": 1.6, "budget": 1.0}},
                 {"turnover": {"maxTurnover": 0.2, "kind": "TURNOVER_KIND_TWO_WAY"}},
                 {"trackingError": {"benchmark": [{"symbol": "A", "weight": 1.0}], "maxAnnual": 0.05}},
                 {"cardinality": {"maxAssets": 5}},
                 {"minimumPosition": {"minWeight": 0.02}},
                 {"riskLimit": {"riskMeasure": "RISK_MEASURE_VARIANCE", "max": 0.01}},
                 {"riskContributionBounds": {"upper": 0.2}},
                 {"factorExposure": {"factor": "value", "loadings": [{"symbol": "A", "loading": 1.0}], "upper": 0.1}}],
 "currentWeights": [{"symbol": "A", "weight": 1.0}]}
"""
RISK = """
{"returns": {"symbols": ["A"], "dates": [1, 2], "values": [0.01, -0.01]}, "weights": [{"symbol": "A", "weight": 1.0}],
 "benchmark": {"symbols": ["M"], "dates": [1, 2], "values": [0.01, -0.02]}, "confidenceLevel": 0.95,
 "periodsPerYear": 12}
"""
BACKTEST = """
{"marketData": {"symbols": ["A"], "startDate": {"year": 2000, "month": 1, "day": 3}, "endDate": {"year": 2001}},
 "strategy": {"optimize": {"objective": {"minRisk": {}}, "constraints": [], "estimation": {}, "lookbackPeriods": 252,
                           "riskMeasure": "RISK_MEASURE_VARIANCE"}},
 "rebalancing": {"calendar": {"frequency": "FREQUENCY_MONTHLY", "day": "REBALANCE_DAY_FIRST"}},
 "execution": {"fill": "FILL_NEXT_CLOSE"}, "costs": {"commissionBps": 10}, "initialCapital": 1000000, "wait": "60s"}
"""


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (optimization_service_pb2.OptimizeRequest(), OPTIMIZE),
        (risk_service_pb2.AnalyzeRiskRequest(), RISK),
        (backtest_service_pb2.BacktestRequest(), BACKTEST),
        (backtest_service_pb2.BacktestProgressRequest(), '{"backtest": "backtests/x", "afterSequence": 0}'),
        (backtest_service_pb2.GetBacktestRequest(), '{"name": "backtests/x"}'),
    ],
)
def test_a_request_as_clients_write_it_is_understood_whole(message: Message, text: str) -> None:
    json_format.Parse(text, message)  # an unknown name raises
    sent = json.loads(text)
    understood = json.loads(json_format.MessageToJson(message, always_print_fields_with_no_presence=True))
    assert set(sent) <= set(understood)


@pytest.mark.parametrize("kind", ['"equalWeight": {}', '"fixedWeights": {"weights": [{"symbol": "A", "weight": 1.0}]}'])
@pytest.mark.parametrize("when", ['"everyPeriods": {"n": 1}', '"never": {}'])
def test_strategies_and_schedules(kind: str, when: str) -> None:
    text = f'{{"strategy": {{{kind}}}, "rebalancing": {{{when}}}}}'
    request = json_format.Parse(text, backtest_service_pb2.BacktestRequest())
    assert json.loads(json_format.MessageToJson(request)).keys() == {"strategy", "rebalancing"}


@pytest.mark.parametrize(
    "objective",
    [
        "minRisk",
        "maxReturn",
        "maxDiversification",
        "riskBudget",
        "kelly",
        "equalWeight",
        "inverseVolatility",
        "hierarchical",
    ],
)
def test_objectives(objective: str) -> None:
    request = json_format.Parse(f'{{"objective": {{"{objective}": {{}}}}}}', optimization_service_pb2.OptimizeRequest())
    assert json.loads(json_format.MessageToJson(request)) == {"objective": {objective: {}}}


RESPONSES = {
    optimization_pb2.Optimization: {
        "weights",
        "expectedReturnAnnual",
        "volatilityAnnual",
        "risk",
        "binding",
        "certificate",
        "turnoverOneWay",
    },
    risk_service_pb2.AnalyzeRiskResponse: {
        "volatilityPerPeriod",
        "volatilityAnnual",
        "valueAtRisk",
        "conditionalValueAtRisk",
        "maxDrawdown",
        "betaToBenchmark",
        "trackingErrorAnnual",
        "informationRatio",
        "contributions",
    },
    backtest_pb2.Backtest: {"name", "state", "result"},
}


@pytest.mark.parametrize(("message", "names"), RESPONSES.items())
def test_responses(message: type[Message], names: set[str]) -> None:
    assert names <= {field.json_name for field in message.DESCRIPTOR.fields}


SERVICES: dict[FileDescriptor, set[str]] = {
    optimization_service_pb2.DESCRIPTOR: {
        "Optimize",
        "GetOptimization",
        "ListOptimizations",
        "DeleteOptimization",
        "OptimizeBatch",
        "TraceFrontier",
        "GetOptimizationCharts",
    },
    risk_service_pb2.DESCRIPTOR: {
        "AnalyzeRisk",
        "EstimateRiskModel",
        "Attribute",
        "CompareStrategies",
        "GetRiskCharts",
    },
    backtest_service_pb2.DESCRIPTOR: {
        "Backtest",
        "BacktestProgress",
        "GetBacktest",
        "ListBacktests",
        "CancelBacktest",
        "DeleteBacktest",
        "GetBacktestSeries",
        "Sweep",
        "GetSweep",
        "ListSweepTrials",
        "GetBacktestCharts",
    },
    reallocation_service_pb2.DESCRIPTOR: {
        "Reallocate",
        "GetReallocation",
        "ListReallocations",
        "DeleteReallocation",
        "RecordFills",
        "ReallocateBatch",
        "GetReallocationCharts",
    },
    portfolio_service_pb2.DESCRIPTOR: {
        "CreatePortfolio",
        "GetPortfolio",
        "ListPortfolios",
        "UpdatePortfolio",
        "DeletePortfolio",
    },
    market_data_service_pb2.DESCRIPTOR: {
        "ImportPrices",
        "PublishMarketData",
        "GetPrices",
        "ListInstruments",
        "UpsertInstruments",
        "UpsertCorporateActions",
        "ListCorporateActions",
        "GetMarketMetrics",
    },
    event_service_pb2.DESCRIPTOR: {
        "WatchEvents",
        "ListNotifications",
        "AcknowledgeNotification",
        "RedeliverNotification",
    },
    liquidity_service_pb2.DESCRIPTOR: {"AssessLiquidity"},
    strategy_service_pb2.DESCRIPTOR: {"Decide"},
    admin_service_pb2.DESCRIPTOR: {
        "GetServerInfo",
        "ListAuditEvents",
        "Drain",
        "GetQuotas",
        "CreateApiKey",
        "ListApiKeys",
        "RevokeApiKey",
    },
}


@pytest.mark.parametrize(("file", "methods"), SERVICES.items(), ids=lambda value: getattr(value, "name", ""))
def test_services_have_exactly_these_methods(file: FileDescriptor, methods: set[str]) -> None:
    (service,) = file.services_by_name.values()
    assert {method.name for method in service.methods} == methods


def test_every_service_file_is_in_the_table() -> None:
    folder = Path(__file__).parents[2] / "protos/absfinance/v1"
    assert {f"absfinance/v1/{path.name}" for path in folder.glob("*_service.proto")} == {file.name for file in SERVICES}
