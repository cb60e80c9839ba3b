"""What the synchronous client sends, message by message, on a channel that records."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import absfin
import grpc
import grpc_testing
import numpy as np
import pytest
from absfin import Client, Moments, Panel, Prices, Stored
from absfin.choices import UnknownChoice
from absfinance.v1 import market_data_service_pb2, optimization_service_pb2
from absfinance.v1.market_data_service_pb2 import ImportPricesResponse
from absfinance.v1.optimization_pb2 import Optimization
from absfinance.v1.optimization_service_pb2 import OptimizeRequest

from tests.counted_calls import count_calls

OPTIMIZE = optimization_service_pb2.DESCRIPTOR.services_by_name["OptimizationService"].methods_by_name["Optimize"]
IMPORT = market_data_service_pb2.DESCRIPTOR.services_by_name["MarketDataService"].methods_by_name["ImportPrices"]

ONE = Panel.of(["A"], ["2020-01-01"], [1.0])


@pytest.fixture
def channel() -> Any:
    services = [
        optimization_service_pb2.DESCRIPTOR.services_by_name["OptimizationService"],
        market_data_service_pb2.DESCRIPTOR.services_by_name["MarketDataService"],
    ]
    return grpc_testing.channel(services, grpc_testing.strict_real_time())


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_an_optimisation_says_everything_it_was_told(channel: Any, background: ThreadPoolExecutor) -> None:
    answer: Future[Any] = background.submit(
        Client(channel=channel).optimize,
        Moments(["A", "B"], [0.01, 0.02], [[0.04, 0.01], [0.01, 0.09]], 12, repair_covariance=True),
        absfin.max_utility(3.0),
        constraints=[absfin.weight_bounds(0.1, 0.9, ["A"], label="one"), absfin.leverage(budget=0.8)],
        risk_measure="standard_deviation",
        confidence_level=0.9,
        current_weights={"B": 1.0},
        ewma_half_life=30.0,
        missing_data="drop_dates",
        request_id="r",
    )
    _, request, call = channel.take_unary_unary(OPTIMIZE)
    call.send_initial_metadata(())
    call.terminate(Optimization(name="optimizations/x"), (), grpc.StatusCode.OK, "")
    assert answer.result(60).name == "optimizations/x"
    assert request.moments.covariance == [0.04, 0.01, 0.01, 0.09]
    assert request.moments.repair_covariance
    assert request.objective.max_utility.risk_aversion == 3.0
    assert [constraint.WhichOneof("kind") for constraint in request.constraints] == ["weight_bounds", "leverage"]
    assert list(request.constraints[0].weight_bounds.symbols) == ["A"]
    assert request.constraints[0].label == "one"
    assert not request.constraints[1].leverage.HasField("max_short")
    assert request.current_weights[0].symbol == "B"
    assert request.estimation.covariance.ewma.half_life == 30.0
    assert (request.confidence_level, request.request_id) == (0.9, "r")


def test_an_absent_figure_is_not_sent(channel: Any, background: ThreadPoolExecutor) -> None:
    answer = background.submit(Client(channel=channel).optimize, Stored(universe="sector=A"), absfin.min_risk())
    _, request, call = channel.take_unary_unary(OPTIMIZE)
    call.terminate(Optimization(), (), grpc.StatusCode.OK, "")
    answer.result(60)
    assert not request.HasField("confidence_level")
    assert not request.HasField("periods_per_year")
    assert not request.HasField("estimation")
    assert request.market_data.universe == "sector=A"


def test_a_large_import_goes_in_pieces_below_the_limit(channel: Any, background: ThreadPoolExecutor) -> None:
    panel = Panel.of([f"S{i}" for i in range(300)], np.arange(1000), np.ones((1000, 300)))
    answer = background.submit(Client(channel=channel).import_prices, panel, import_id="i")
    _, call = channel.take_stream_unary(IMPORT)
    pieces = [call.take_request()]
    while pieces[-1].WhichOneof("part") != "footer":
        assert len(pieces) < 20, "the footer never comes"
        pieces.append(call.take_request())
    call.terminate(ImportPricesResponse(import_id="i", inserted_count=300_000), (), grpc.StatusCode.OK, "")
    assert answer.result(60).inserted == 300_000
    assert [piece.WhichOneof("part") for piece in pieces] == ["header", "chunk", "chunk", "chunk", "chunk", "footer"]
    assert max(piece.ByteSize() for piece in pieces) < 2**20
    assert pieces[-1].footer.value_count == 300_000


def test_prices_may_be_a_panel(channel: Any, background: ThreadPoolExecutor) -> None:
    panel = Panel.of(["A"], ["2020-01-01", "2020-01-02"], [1.0, 2.0])
    answer = background.submit(Client(channel=channel).optimize, Prices(panel), absfin.equal_weight())
    _, request, call = channel.take_unary_unary(OPTIMIZE)
    call.terminate(Optimization(), (), grpc.StatusCode.OK, "")
    answer.result(60)
    assert list(request.prices.dates) == [18262, 18263]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda client: client.import_prices(ONE, field="closing"),
            "field: 'closing' is none of close, open, high, low",
        ),
        (
            lambda client: client.optimize(Stored("A", field="last"), absfin.min_risk()),
            "field: 'last' is none of close",
        ),
        (lambda client: client.optimize(Stored("A"), absfin.min_risk(), risk_measure="beta"), "risk_measure: 'beta'"),
        (lambda client: client.optimize(Stored("A"), absfin.min_risk(), missing_data="unspecified"), "missing_data: "),
        (lambda client: client.backtest_series("backtests/x", "profit"), "series: 'profit' is none of equity, weights"),
        (lambda client: absfin.hierarchical(linkage="longest"), "linkage: 'longest' is none of single"),
    ],
)
def test_an_unknown_choice_is_an_error_of_the_caller(channel: Any, call: Any, words: str) -> None:
    """Nothing is sent: the error is there before any call begins."""
    with pytest.raises(UnknownChoice, match=words):
        call(Client(channel=channel))


def test_a_call_without_an_id_gets_one_of_its_own(channel: Any, background: ThreadPoolExecutor) -> None:
    sent = []
    for _ in range(2):
        answer = background.submit(Client(channel=channel).optimize, Stored(universe="sector=A"), absfin.min_risk())
        _, request, call = channel.take_unary_unary(OPTIMIZE)
        call.terminate(Optimization(), (), grpc.StatusCode.OK, "")
        answer.result(60)
        sent.append(request.request_id)
    assert len(set(sent)) == 2
    assert min(map(len, sent)) >= 32


def test_a_small_optimisation_calls_few_functions() -> None:
    """What the client adds to a call of two milliseconds: a third more where names of enums are read at every call."""
    symbols = [f"S{i}" for i in range(20)]
    moments, objective = Moments(symbols, None, np.eye(20), 252), absfin.min_risk()
    answer = Optimization(
        weights=[{"symbol": symbol, "weight": 0.05} for symbol in symbols],
        risk_contributions=[{"symbol": symbol, "contribution": 0.05} for symbol in symbols],
        binding=[{"label": "long_only", "symbol": symbol, "shadow_price": 0.1} for symbol in symbols[:14]],
        certificate={"engine": "ENGINE_FAST"},
    ).SerializeToString()

    def send_and_read() -> None:
        query = absfin.queries.OptimizeQuery(moments, objective)
        OptimizeRequest.SerializeToString(query.request())
        query.answer(Optimization.FromString(answer))

    assert count_calls(send_and_read) < 125
