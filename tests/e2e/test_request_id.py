"""The id of a call, by which a caller finds it in the log: where it comes back."""

import re
from collections.abc import Iterable

import grpc
from absfinance.v1.backtest_service_pb2 import BacktestProgressRequest
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceStub
from absfinance.v1.optimization_service_pb2 import GetOptimizationRequest, OptimizeRequest
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceStub

OWN = (("x-request-id", "from-the-caller-1"),)


def ids_in(metadata: Iterable[tuple[str, str | bytes]] | None) -> list[str | bytes]:
    return [value for key, value in metadata or () if key == "x-request-id"]


def small_request() -> OptimizeRequest:
    request = OptimizeRequest()
    request.moments.symbols.extend(["A", "B"])
    request.moments.covariance.extend([0.04, 0.01, 0.01, 0.09])
    request.moments.periods_per_year = 12
    request.objective.min_risk.SetInParent()
    return request


def test_an_answer_has_it_in_its_trailing_metadata(channel: grpc.Channel) -> None:
    stub = OptimizationServiceStub(channel)
    _, call = stub.Optimize.with_call(small_request(), metadata=OWN)
    assert ids_in(call.trailing_metadata()) == ["from-the-caller-1"]
    _, call = stub.Optimize.with_call(small_request())
    (made,) = ids_in(call.trailing_metadata())
    assert re.fullmatch("[0-9a-f]{16}", str(made))


def test_an_error_has_it_beside_its_details(channel: grpc.Channel) -> None:
    stub = OptimizationServiceStub(channel)
    try:
        stub.GetOptimization(GetOptimizationRequest(name="optimizations/none"), metadata=OWN)
    except grpc.RpcError as error:
        trailing = error.trailing_metadata()  # type: ignore[attr-defined]  # a call too
        assert ids_in(trailing) == ["from-the-caller-1"]
        assert "grpc-status-details-bin" in dict(trailing)
    else:
        raise AssertionError("nothing has that name")


def test_a_stream_has_it_at_once(channel: grpc.Channel) -> None:
    request = BacktestProgressRequest(backtest="backtests/none")
    stream = BacktestServiceStub(channel).BacktestProgress(request, metadata=OWN)
    assert ids_in(stream.initial_metadata()) == ["from-the-caller-1"]
    assert ids_in(stream.trailing_metadata()) == ["from-the-caller-1"]


def test_what_could_forge_a_log_line_is_not_taken_over(channel: grpc.Channel) -> None:
    _, call = OptimizationServiceStub(channel).Optimize.with_call(small_request(), metadata=(("x-request-id", "a b"),))
    assert ids_in(call.trailing_metadata()) != ["a b"]
