"""Weights and whatever else is a number for each symbol."""

from collections.abc import Iterable

from absfinance.v1 import weight_pb2

from server.converters.paths import once_each


def weights_from_proto(path: str, weights: Iterable[weight_pb2.AssetWeight]) -> dict[str, float]:
    """Weights by symbol, each once."""
    weights = list(weights)
    once_each(path, [weight.symbol for weight in weights])
    return {weight.symbol: weight.weight for weight in weights}


def given(message: object, name: str) -> float | None:
    """A field that may be absent."""
    value: float = getattr(message, name)
    return value if message.HasField(name) else None  # type: ignore[attr-defined]  # any generated message
