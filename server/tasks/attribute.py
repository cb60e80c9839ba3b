"""Attribute."""

from absfinance.v1.risk_service_pb2 import AttributeRequest

from domain.attribution.attribute import attribute
from domain.attribution.by_factors import by_exposures, by_regression
from server.converters.attribution import attribute_command_from_proto, attribution_to_proto
from server.converters.message import message_from_bytes
from server.execution.control import Control
from server.tasks.refusing import locating, refusing


@refusing
@locating(AttributeRequest)
def attributed(request: bytes, control: Control) -> bytes:
    """The excess return, divided."""
    command = attribute_command_from_proto(message_from_bytes(AttributeRequest, request))
    control()
    found = attribute(command.weights, command.settings)
    factors, regression = None, None
    if command.factors is not None:
        factors = by_exposures(command.weights, command.factors, found.linked)
    if command.regression_factors is not None:
        regression = by_regression(command.weights, command.regression_factors, found.linked)
    control()
    response = attribution_to_proto(found, command.with_periods, factors, regression)
    encoded: bytes = response.SerializeToString()
    return encoded
