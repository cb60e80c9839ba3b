"""Whether a server can work: the health service that gRPC defines for all servers."""

METHOD = "/grpc.health.v1.Health/Check"
REQUEST = b""
"""Asks for the whole server: a message without fields."""

STATES = ("unknown", "serving", "not_serving", "service_unknown")


def state_of(response: bytes) -> str:
    """The state in a response, whose only field is the number of the state; 0 is not sent."""
    number = response[1] if len(response) == 2 and response[0] == 8 else 0
    return STATES[number] if number < len(STATES) else STATES[0]
