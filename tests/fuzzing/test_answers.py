"""The checks notice each kind of wrong answer, and nothing else."""

import grpc
import numpy as np
import pytest
from absfinance.v1.backtest_service_pb2 import GetBacktestSeriesResponse
from absfinance.v1.optimization_service_pb2 import OptimizeBatchResponse, OptimizeRequest
from absfinance.v1.panel_pb2 import DATA_TYPE_FLOAT64, Panel, Tensor
from absfinance.v1.risk_service_pb2 import EstimateRiskModelResponse
from google.protobuf import json_format
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from tests.fuzzing.answers import Answer, faults_inside, has_path, not_finite, problems
from tests.fuzzing.contract import methods

OPTIMIZE = next(method for method in methods() if method.name == "OptimizationService/Optimize")
IMPORT = next(method for method in methods() if method.name == "MarketDataService/ImportPrices")
REQUEST = json_format.ParseDict(
    {
        "returns": {"symbols": ["A", "B"], "dates": [0], "values": [0.1, 0.2]},
        "objective": {"riskBudget": {"budgets": [{"symbol": "A", "budget": 1}]}},
    },
    OptimizeRequest(),
)


@pytest.mark.parametrize(
    "path",
    [
        *("returns", "returns.values[1]", "returns.symbols", "periods_per_year", "solver"),
        "objective.risk_budget.budgets[0].symbol",
    ],
)
def test_paths_of_the_message_exist(path: str) -> None:
    assert has_path(REQUEST, path)


@pytest.mark.parametrize(
    "path",
    [
        *("values", "returns.values[2]", "returns.values[0, 1]", "returns.values[-1]", "prices.values", "prices"),
        *("objective.risk_budget.budgets[1]", "objective.riskBudget", "returns..values", "solver.engine"),
        *("returns.symbols[0].symbol", "", "input", "objective.kind"),
    ],
)
def test_paths_that_are_not_in_the_message_do_not(path: str) -> None:
    assert not has_path(REQUEST, path)


def refused(path: str, text: str, reason: str = "INVALID_INPUT") -> Answer:
    status = Status(code=3, message=text)
    for detail in (
        ErrorInfo(reason=reason),
        BadRequest(field_violations=[BadRequest.FieldViolation(field=path, description=text)]),
    ):
        status.details.add().Pack(detail)
    return Answer((), grpc.StatusCode.INVALID_ARGUMENT, text, status)


def found(answer: Answer) -> list[str]:
    return list(problems(OPTIMIZE, [REQUEST.SerializeToString()], answer))


def test_a_good_refusal_passes() -> None:
    assert found(refused("returns.dates[0]", "must come after 'numpy'")) == []


def test_a_stream_may_lack_the_message_of_a_field() -> None:
    """Neither header nor chunk that was sent has a footer, and no message has the field `foot`."""
    sent = [b"\x0a\x00", b"\x12\x00"]
    assert list(problems(IMPORT, sent, refused("footer", "is missing"))) == []
    assert list(problems(IMPORT, [], refused("header", "is missing"))) == []
    for path in ("foot", "", "part", "chunk.values[0]"):
        assert list(problems(IMPORT, sent, refused(path, "is missing"))) != [], path


def test_only_bytes_that_are_no_message_have_no_field_to_name() -> None:
    assert list(problems(OPTIMIZE, [b"\xff"], refused("", "the bytes are no message"))) == []
    assert found(refused("", "is missing")) != []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refused("dates[0]", "must be later"), "no field"),
        (refused("returns", "numpy.linalg: Singular matrix"), "foreign word"),
        (refused("returns", " "), "empty text"),
        (refused("returns", "must be later", ""), "no reason"),
        (Answer((), grpc.StatusCode.INTERNAL, "internal error, id 1"), "INTERNAL"),
        (Answer((), grpc.StatusCode.UNKNOWN, "?"), "UNKNOWN"),
        (Answer((), grpc.StatusCode.ABORTED, "?", None, 9000), "9000 bytes"),
    ],
)
def test_a_wrong_refusal_is_noticed(answer: Answer, words: str) -> None:
    assert any(words in problem for problem in found(answer))


def test_infinities_and_nan_are_noticed_wherever_they_are() -> None:
    message = OptimizeBatchResponse(key="a")
    message.result.volatility_annual = float("inf")
    message.result.weights.add(symbol="A", weight=float("nan"))
    assert {path for path, _ in not_finite(message)} == {"result.volatility_annual", "result.weights.weight"}


@pytest.mark.parametrize(
    ("number", "found"), [(np.inf, ["rows.values.data"]), (np.nan, ["rows.values.data"]), (1.0, [])]
)
def test_tensors_are_read(number: float, found: list[str]) -> None:
    message = GetBacktestSeriesResponse()
    message.rows.values.CopyFrom(Tensor(shape=[1], dtype=DATA_TYPE_FLOAT64, data=np.array([number]).tobytes()))
    assert [path for path, _ in not_finite(message)] == found


def test_an_infinite_figure_is_a_fault_even_where_nan_means_something() -> None:
    message = EstimateRiskModelResponse()
    for number, count in ((np.nan, 0), (np.inf, 1)):
        message.chunk.rows.CopyFrom(Tensor(shape=[1], dtype=DATA_TYPE_FLOAT64, data=np.array([number]).tobytes()))
        assert len(list(not_finite(message))) == count


def test_a_missing_price_is_no_fault() -> None:
    assert list(not_finite(Panel(symbols=["A"], dates=[0], values=[float("nan")]))) == []


def test_an_error_inside_an_answer_is_noticed() -> None:
    assert list(faults_inside(OptimizeBatchResponse(key="a", error=Status(code=13, message="x")))) == [
        "INTERNAL in error: x"
    ]
