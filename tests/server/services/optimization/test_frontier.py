"""Frontiers: all of one by one task, or its points by several at once, in the same order."""

import time

import numpy as np
import pytest
from absfinance.v1.optimization_service_pb2 import TraceFrontierRequest, TraceFrontierResponse

from domain.errors import MissingMarketData
from domain.market_data.panel import PricePanel
from server.commands.call import Call
from server.execution.process_pool import ProcessPool
from server.services.market_data import MarketData
from server.services.optimization.frontier import Frontier
from tests.owners import OWNER
from tests.server.services.conftest import Encode

ASSETS = 4
VALUES = np.random.default_rng(3).normal([0.01, 0.02, 0.03, 0.04], [0.01, 0.03, 0.05, 0.09], (60, ASSETS))
SCENARIOS = {"symbols": list("ABCD"), "values": VALUES.ravel().tolist(), "periodsPerYear": 12}
TAIL = {"riskMeasure": "RISK_MEASURE_CONDITIONAL_VALUE_AT_RISK"}


@pytest.fixture
def frontier(market_data: MarketData, pool: ProcessPool) -> Frontier:
    return Frontier(market_data, pool)


async def traced(frontier: Frontier, request: bytes) -> list[TraceFrontierResponse]:
    return [TraceFrontierResponse.FromString(piece) async for piece in frontier.trace(request, Call(OWNER))]


@pytest.mark.parametrize("points", [2, 5, 40])
@pytest.mark.parametrize("measure", [{}, TAIL], ids=["variance", "tail"])
async def test_points_from_the_highest_return_down(
    frontier: Frontier, encode: Encode, points: int, measure: dict[str, str]
) -> None:
    begun = time.perf_counter()
    found = await traced(frontier, encode(TraceFrontierRequest, scenarios=SCENARIOS, points=points, **measure))
    elapsed = time.perf_counter() - begun
    assert all(0.0 < one.certificate.solve_duration.ToNanoseconds() < 1e9 * elapsed for one in found)
    assert [one.index for one in found] == list(range(points))
    returns = [one.expected_return_annual for one in found]
    assert returns[0] == pytest.approx(12.0 * VALUES.mean(axis=0).max())
    np.testing.assert_allclose(np.diff(returns), (returns[-1] - returns[0]) / (points - 1), rtol=1e-4, atol=1e-7)


async def test_stored_prices(frontier: Frontier, prices: PricePanel, encode: Encode) -> None:
    found = await traced(frontier, encode(TraceFrontierRequest, marketData={"universe": "sector=x"}, points=3))
    assert [{weight.symbol for weight in one.weights} <= {"A", "B"} for one in found] == [True] * 3
    with pytest.raises(MissingMarketData):
        await traced(frontier, encode(TraceFrontierRequest, marketData={"symbols": ["Z"]}, points=3))


async def test_a_caller_who_leaves(frontier: Frontier, encode: Encode) -> None:
    stream = frontier.trace(encode(TraceFrontierRequest, scenarios=SCENARIOS, points=40, **TAIL), Call(OWNER))
    first = TraceFrontierResponse.FromString(await anext(stream))
    await stream.aclose()
    assert first.index == 0
