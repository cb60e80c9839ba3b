"""Rules over several fields of a request that may be large.

As expressions of the contract, protovalidate would copy the whole request to evaluate them, whatever they look at: for
a request of 4 MB that takes longer than reading it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from google.protobuf.message import Message

from server.converters.violations import Violation

_RULES: Mapping[type[Message], tuple[tuple[Callable[[Any], bool], Violation], ...]] = {
    OptimizeRequest: (
        (
            lambda request: request.validate_only or not request.check_feasibility,
            Violation(
                "check_feasibility",
                "check_feasibility needs validate_only: without it the problem is solved anyway",
                "optimize.check_feasibility_with_validate_only",
            ),
        ),
    ),
}
"""What holds for a request, and what is said where it does not."""


def broken_across_fields(request: Message) -> tuple[Violation, ...]:
    """The rules that a request breaks."""
    return tuple(violation for holds, violation in _RULES.get(type(request), ()) if not holds(request))
