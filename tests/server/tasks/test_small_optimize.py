"""Which requests of Optimize are small, and that their answers are those of the task that runs in a process."""

from typing import Any

import pytest
from absfin import Moments, max_utility, min_risk
from absfin.queries import OptimizeQuery
from absfinance.v1.optimization_pb2 import Optimization
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from google.protobuf import json_format

from server.execution.small_tasks import NotSmall
from server.ports.errors import Refused
from server.ports.results import ResultDraft
from server.tasks.optimize import optimize
from server.tasks.small_optimize import MOST_ASSETS, MOST_BYTES, MOST_CONSTRAINTS, optimize_if_small


class Unlimited:
    """A control that never stops a task."""

    def __call__(self) -> None: ...
    def limit(self, seconds: float) -> None: ...
    def load(self, name: str) -> None: ...
    def unlimited(self) -> None: ...


def encoded(assets: int = 3, **fields: Any) -> bytes:
    covariance = [0.04 + 0.01 * i if i == j else 0.01 for i in range(assets) for j in range(assets)]
    symbols, means = [f"S{i}" for i in range(assets)], [0.01 * i for i in range(assets)]
    moments = {"symbols": symbols, "covariance": covariance, "expectedReturns": means, "periodsPerYear": 1}
    request = {"moments": moments, "objective": {"minRisk": {}}, **fields}
    return json_format.ParseDict(request, OptimizeRequest()).SerializeToString()


def answer(request: bytes) -> ResultDraft | bytes:
    return optimize_if_small(request, control=Unlimited(), report=lambda _: None)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"assets": MOST_ASSETS},
        {"objective": {"maxUtility": {"riskAversion": 3}}, "requestId": "r", "label": "l", "optimizationId": "i"},
        {"riskMeasure": "RISK_MEASURE_STANDARD_DEVIATION", "constraints": [{"weightBounds": {"upper": 0.5}}] * 8},
    ],
)
def test_small_requests_have_the_answer_of_every_other(fields: dict[str, Any]) -> None:
    request = encoded(**fields)
    small = answer(request)
    large = optimize(request, None, control=Unlimited(), report=lambda _: None)
    assert isinstance(small, ResultDraft)
    assert isinstance(large, ResultDraft)
    found, expected = Optimization.FromString(small.payload), Optimization.FromString(large.payload)
    for one in (found, expected):
        one.certificate.ClearField("solve_duration")
    assert found == expected
    assert (small.body, small.input_fingerprint, small.id) == (large.body, large.input_fingerprint, large.id)


def test_what_the_python_client_sends_is_small() -> None:
    moments = Moments(["A", "B"], [0.1, 0.05], [[0.04, 0.0], [0.0, 0.01]], 1)
    for objective in (min_risk(), max_utility(3.0)):
        assert isinstance(answer(OptimizeQuery(moments, objective).request().SerializeToString()), ResultDraft)


def test_a_mere_check_is_small() -> None:
    assert isinstance(answer(encoded(validateOnly=True)), bytes)


def test_a_small_request_is_refused_as_any_other() -> None:
    with pytest.raises(Refused):
        answer(encoded(constraints=[{"weightBounds": {"upper": 0.1}}]))


@pytest.mark.parametrize(
    "fields",
    [
        {"assets": MOST_ASSETS + 1},
        {"objective": {"riskBudget": {}}},
        {"objective": {"maxRatio": {"riskFreeRateAnnual": 0.0}}},
        {"riskMeasure": "RISK_MEASURE_CVAR"},
        {"constraints": [{"cardinality": {"maxAssets": 2}}]},
        {"constraints": [{"weightBounds": {"upper": 0.5}}] * (MOST_CONSTRAINTS + 1)},
        {"constraints": [{"groupBounds": {"group": "sector=x", "upper": 0.5}}]},  # a stored group
        {"constraints": [{}]},
        {"costs": {"commissionBps": 1}},
        {"solver": {"engine": "ENGINE_RISKFOLIO"}},
        {"diagnoseEstimation": True},
        {"moments": None, "returns": {"symbols": ["A"]}},
        {"moments": None, "marketData": {"symbols": ["A", "B"]}},
    ],
)
def test_what_may_take_long_is_not_small(fields: dict[str, Any]) -> None:
    with pytest.raises(NotSmall):
        answer(encoded(**fields))


def test_no_message_and_long_ones_are_not_small() -> None:
    for request in (b"\xff", encoded() + b"\xa2\x01" + bytes([0x80, 0x80, 0x01]) + bytes(MOST_BYTES)):
        with pytest.raises(NotSmall):
            answer(request)
