"""Reading requests: what is refused, and that a large refusal costs no more than reading."""

import math
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from absfinance.v1.backtest_service_pb2 import BacktestRequest
from absfinance.v1.market_data_service_pb2 import UpsertInstrumentsRequest
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from absfinance.v1.portfolio_service_pb2 import CreatePortfolioRequest
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest
from absfinance.v1.risk_service_pb2 import AnalyzeRiskRequest
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from server.app import MAX_MESSAGE_BYTES
from server.converters.list_limits import too_long
from server.converters.message import InvalidRequest, message_from_bytes
from tests.families import thinned

MAX_CPU_SECONDS = 0.05
TRIES, MOST_TRIES = 5, 40  # more of them where other processes take the caches

MOMENTS = {"symbols": ["A"], "covariance": [0.04], "periodsPerYear": 12}
RETURNS = {"symbols": ["A"], "dates": [0, 1], "values": [0.1, 0.2]}
OPTIMIZE = json_format.ParseDict({"moments": MOMENTS, "objective": {"minRisk": {}}}, OptimizeRequest())
REALLOCATE = json_format.ParseDict({"portfolio": {"cash": 1.0}}, ReallocateRequest())
BACKTEST = json_format.ParseDict({"returns": RETURNS, "strategy": {"equalWeight": {}}}, BacktestRequest())
RISK = json_format.ParseDict({"returns": RETURNS, "weights": [{"symbol": "A", "weight": 1}]}, AnalyzeRiskRequest())


def filled(valid: Message, kind: type[Message], part: str) -> bytes:
    """A valid message that goes on with as many copies of a part, given as JSON, as the server takes."""
    start = valid.SerializeToString()
    more = json_format.Parse(part, kind()).SerializeToString()
    return start + more * ((MAX_MESSAGE_BYTES - len(start)) // len(more))


def many_prices() -> bytes:
    message = OptimizeRequest(objective=OPTIMIZE.objective)
    message.prices.symbols.extend(["A"] * 20_001)
    message.prices.dates.append(0)
    message.prices.values.extend([-1.0] * 500_000)
    return message.SerializeToString()


def many_assets() -> bytes:
    message = ReallocateRequest(portfolio=REALLOCATE.portfolio)
    for _ in range(1_000_000):
        message.snapshot.assets.add()
    return message.SerializeToString()


def many_lots() -> bytes:
    message = ReallocateRequest(portfolio=REALLOCATE.portfolio)
    message.portfolio.holdings.add(symbol="A", quantity=1.0)
    for _ in range(1_500_000):
        message.portfolio.holdings[0].lots.add()
    return message.SerializeToString()


def many_terms() -> bytes:
    message = OptimizeRequest(moments=OPTIMIZE.moments, objective=OPTIMIZE.objective)
    limit = message.constraints.add(label="sum").linear
    for _ in range(1_500_000):
        limit.terms.add()
    return message.SerializeToString()


LARGE: dict[str, tuple[type[Message], Callable[[], bytes]]] = {
    "symbols": (OptimizeRequest, many_prices),
    "constraints": (OptimizeRequest, lambda: filled(OPTIMIZE, OptimizeRequest, '{"constraints": [{}]}')),
    "current weights": (OptimizeRequest, lambda: filled(OPTIMIZE, OptimizeRequest, '{"currentWeights": [{}]}')),
    "groups": (OptimizeRequest, lambda: filled(OPTIMIZE, OptimizeRequest, '{"groups": [{}]}')),
    "terms": (OptimizeRequest, many_terms),
    "assets": (ReallocateRequest, many_assets),
    "tax lots": (ReallocateRequest, many_lots),
    "strategies": (BacktestRequest, lambda: filled(BACKTEST, BacktestRequest, '{"strategies": [{}]}')),
    "benchmarks": (BacktestRequest, lambda: filled(BACKTEST, BacktestRequest, '{"benchmarks": [{}]}')),
    "risk, bytes of nothing": (AnalyzeRiskRequest, lambda: RISK.SerializeToString() + b"\xff" * 4_000_000),
    "instruments": (
        UpsertInstrumentsRequest,
        lambda: filled(UpsertInstrumentsRequest(), UpsertInstrumentsRequest, '{"instruments": [{}]}'),
    ),
    "holdings": (
        CreatePortfolioRequest,
        lambda: CreatePortfolioRequest(portfolio={"holdings": [{}] * 1_000_000}).SerializeToString(),
    ),
}


@pytest.mark.parametrize("name", thinned(LARGE, 4))
def test_a_large_invalid_message_is_refused_at_once(name: str) -> None:
    """At most 50 ms of CPU beyond what protobuf itself takes to read it; the best of several tries of each, in turn."""
    kind, build = LARGE[name]
    data = build()
    assert len(data) > 0.4 * MAX_MESSAGE_BYTES

    def refuse() -> None:
        with pytest.raises(InvalidRequest):
            message_from_bytes(kind, data)

    def parse() -> None:
        with suppress(DecodeError):  # finding out that bytes are no message is reading them too
            kind.FromString(data)

    refusing = reading = math.inf
    for done in range(MOST_TRIES):
        refusing, reading = min(refusing, cpu_seconds(refuse)), min(reading, cpu_seconds(parse))
        if done >= TRIES and refusing - reading < MAX_CPU_SECONDS:
            break
    assert refusing - reading < MAX_CPU_SECONDS


def cpu_seconds(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def test_a_list_that_is_too_long_is_named_by_its_path() -> None:
    with pytest.raises(InvalidRequest) as raised:
        message_from_bytes(ReallocateRequest, many_assets())
    [violation] = raised.value.violations
    assert (violation.field, violation.rule_id) == ("snapshot.assets", "repeated.max_items")
    assert "20000" in violation.rule


def test_lists_inside_lists_are_counted() -> None:
    assert too_long(OPTIMIZE) is None
    message = BacktestRequest(strategies=[{"equal_weight": {}}, {"optimize": {"constraints": [{}] * 10_001}}])
    assert too_long(message) == ("strategies[1].optimize.constraints", 10_000)


@pytest.mark.parametrize("count", [20_000, 20_001])
def test_counting_agrees_with_the_rule(count: int) -> None:
    """One more than the limit is refused, the limit itself is not: as protovalidate has it for small messages."""
    message = ReallocateRequest(portfolio=REALLOCATE.portfolio)
    for i in range(count):
        message.snapshot.assets.add(symbol=f"S{i}", price=1.0)
    if count == 20_000:
        assert message_from_bytes(ReallocateRequest, message.SerializeToString()) == message
    else:
        with pytest.raises(InvalidRequest):
            message_from_bytes(ReallocateRequest, message.SerializeToString())
