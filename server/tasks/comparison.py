"""CompareStrategies."""

from absfinance.v1.risk_service_pb2 import CompareStrategiesRequest

from domain.significance.comparison import compare
from server.converters.comparison import comparison_command_from_proto, comparison_to_proto
from server.converters.message import message_from_bytes
from server.execution.control import Control
from server.tasks.refusing import locating, refusing


@refusing
@locating(CompareStrategiesRequest)
def compare_strategies(request: bytes, control: Control) -> bytes:
    """What the tests say."""
    command = comparison_command_from_proto(message_from_bytes(CompareStrategiesRequest, request))
    control()
    found = compare(command.returns, command.benchmark, command.settings, control)
    encoded: bytes = comparison_to_proto(found).SerializeToString()
    return encoded
