"""Where a field of an account's problem was sent: in the account, or in what all accounts share."""

from collections.abc import Sequence

from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest

from domain.errors import InvalidInput
from server.converters.located import located, path_in_request


def universe_without_data(universe: OptimizeBatchRequest.Universe) -> bytes:
    """What a path can be looked up in, without the figures of the data."""
    outline = OptimizeBatchRequest.Universe(spec=universe.spec)
    if (data := universe.WhichOneof("input")) is not None:
        getattr(outline, data).SetInParent()
    encoded: bytes = outline.SerializeToString()
    return encoded


def located_in_batch(error: InvalidInput, request: bytes, origins: Sequence[str], outline: bytes) -> InvalidInput:
    """The same complaint, its field as the caller sent it.

    The engine names a constraint by its place among those of the universe and of the account, which `origins` has.
    """
    own = OptimizeBatchRequest.FromString(request)
    shared = OptimizeBatchRequest(universe=OptimizeBatchRequest.Universe.FromString(outline))
    first, separator, rest = error.field.partition(".")
    name, _, index = first.rstrip("]").partition("[")
    if name == "constraints" and index.isdecimal() and int(index) < len(origins):
        field = origins[int(index)] + separator + rest
        return located(InvalidInput(field, error.rule, error.reason), own if field.startswith("account.") else shared)
    if name in {"constraints", "current_weights"} or (name == "objective" and own.account.HasField("objective")):
        return located(error, own)
    return InvalidInput(path_in_request(error.field, shared), error.rule, error.reason)
