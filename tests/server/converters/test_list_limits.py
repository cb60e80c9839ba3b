"""Lists that are too long: found at any depth, the outer ones first."""

import pytest
from absfinance.v1.backtest_pb2 import Strategy
from absfinance.v1.constraint_pb2 import Constraint
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from absfinance.v1.panel_pb2 import Panel
from absfinance.v1.warning_pb2 import Warning as WarningProto
from absfinance.v1.weight_pb2 import AssetWeight
from buf.validate import validate_pb2
from google.protobuf.message import Message

from server.converters.list_limits import has_limits, too_long


def limit(message: type[Message], field: str) -> int:
    rules = message.DESCRIPTOR.fields_by_name[field].GetOptions().Extensions[validate_pb2.field]
    found: int = rules.repeated.max_items
    return found


SYMBOLS = limit(Panel, "symbols")


@pytest.mark.parametrize(("count", "found"), [(SYMBOLS, None), (SYMBOLS + 1, ("symbols", SYMBOLS))])
def test_a_list_of_the_message_itself(count: int, found: tuple[str, int] | None) -> None:
    assert too_long(Panel(symbols=["A"] * count)) == found


def test_lists_inside() -> None:
    request = OptimizeRequest(prices=Panel(symbols=["A"] * (SYMBOLS + 1)))
    assert too_long(request) == ("prices.symbols", SYMBOLS)
    most = limit(OptimizeRequest, "constraints")
    request.constraints.extend([Constraint()] * (most + 1))
    assert too_long(request) == ("constraints", most)


def test_a_list_inside_an_entry_of_a_list() -> None:
    inner = Strategy(label="x")
    weights = inner.fixed_weights.weights
    most = limit(type(inner.fixed_weights), "weights")
    weights.extend([AssetWeight()] * (most + 1))
    blend = Strategy()
    blend.blend.parts.add(strategy=Strategy(label="y"))
    blend.blend.parts.add(strategy=inner)
    assert too_long(blend) == ("blend.parts[1].strategy.fixed_weights.weights", most)


def test_kinds_with_limits() -> None:
    assert has_limits(Strategy.DESCRIPTOR)
    assert not has_limits(WarningProto.DESCRIPTOR)
    assert too_long(WarningProto()) is None
