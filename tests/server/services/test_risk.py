"""Risk of stored prices: a report, and a model in pieces, by real worker processes."""

import numpy as np
import pytest
from absfinance.v1.risk_service_pb2 import (
    AnalyzeRiskRequest,
    AnalyzeRiskResponse,
    EstimateRiskModelRequest,
    EstimateRiskModelResponse,
)

from domain.errors import MissingMarketData
from domain.market_data.panel import PricePanel
from server.commands.call import Call
from server.execution.process_pool import ProcessPool
from server.ports.errors import Refused
from server.services.market_data import MarketData
from server.services.risk import Risk
from tests.owners import OWNER
from tests.server.services.conftest import Encode

STORED = {"symbols": ["A", "B"]}
HALVES = [{"symbol": "A", "weight": 0.5}, {"symbol": "B", "weight": 0.5}]


@pytest.fixture
def risk(market_data: MarketData, pool: ProcessPool) -> Risk:
    return Risk(market_data, pool)


async def test_a_report_of_stored_prices(risk: Risk, prices: PricePanel, encode: Encode) -> None:
    answer = await risk.analyze(
        encode(AnalyzeRiskRequest, marketData=STORED, weights=HALVES, benchmarkSymbol="C", storedGroups=["sector=x"]),
        Call(OWNER),
    )
    report = AnalyzeRiskResponse.FromString(answer)
    returns = prices.values[1:] / prices.values[:-1] - 1.0
    portfolio = returns[:, :2].mean(axis=1)
    assert report.observations == len(returns)
    assert report.volatility_per_period == pytest.approx(portfolio.std(ddof=1))
    covariance = np.cov(portfolio, returns[:, 2])
    assert report.beta_to_benchmark == pytest.approx(covariance[0, 1] / covariance[1, 1])
    assert [group.name for group in report.group_contributions] == ["sector=x"]


async def test_what_is_not_stored(risk: Risk, prices: PricePanel, encode: Encode) -> None:
    request = encode(AnalyzeRiskRequest, marketData=STORED, weights=HALVES, benchmarkSymbol="Z")
    with pytest.raises(MissingMarketData) as raised:
        await risk.analyze(request, Call(OWNER))
    assert raised.value.metadata["field"] == "benchmark_symbol"
    with pytest.raises(Refused):
        await risk.analyze(
            encode(AnalyzeRiskRequest, marketData=STORED, weights=HALVES, storedGroups=["a=b"]), Call(OWNER)
        )


async def test_a_model_comes_with_its_diagnostics_first(risk: Risk, prices: PricePanel, encode: Encode) -> None:
    request = encode(EstimateRiskModelRequest, marketData=STORED)
    first, *rest = [EstimateRiskModelResponse.FromString(piece) async for piece in risk.estimate(request, Call(OWNER))]
    assert list(first.diagnostics.symbols) == ["A", "B"]
    arrays = {piece.chunk.array: np.frombuffer(piece.chunk.rows.data) for piece in rest}
    returns = prices.values[1:, :2] / prices.values[:-1, :2] - 1.0
    covariance = arrays[EstimateRiskModelResponse.Chunk.ARRAY_COVARIANCE].reshape(2, 2)
    np.testing.assert_allclose(covariance, np.cov(returns.T), rtol=1e-12)
