"""Weights and whatever else is a number for each symbol."""

from collections.abc import Iterable

from absfinance.v1 import objective_pb2, weight_pb2

from domain.checks import fractions_of_one
from domain.errors import InvalidInput
from server.converters.paths import require_unique


def weights_from_proto(path: str, weights: Iterable[weight_pb2.AssetWeight]) -> dict[str, float]:
    """Weights of a portfolio by symbol, each once, as fractions and not in percent."""
    found = coefficients_from_proto(path, weights)
    fractions_of_one(path, found.values())
    return found


def coefficients_from_proto(path: str, weights: Iterable[weight_pb2.AssetWeight]) -> dict[str, float]:
    """Numbers by symbol, each once, that need not be a portfolio."""
    weights = list(weights)
    require_unique(path, [weight.symbol for weight in weights])
    return {weight.symbol: weight.weight for weight in weights}


def budgets_from_proto(path: str, budgets: Iterable[objective_pb2.RiskBudget.Budget]) -> dict[str, float]:
    """Risk budgets by symbol, each once, as fractions and not in percent."""
    budgets = list(budgets)
    require_unique(path, [entry.symbol for entry in budgets])
    found = {entry.symbol: entry.budget for entry in budgets}
    fractions_of_one(path, found.values())
    return found


def groups_from_proto(groups: Iterable[weight_pb2.AssetGroup]) -> dict[str, tuple[str, ...]]:
    """Groups of the request by name, each once."""
    found: dict[str, tuple[str, ...]] = {}
    for i, group in enumerate(groups):
        if group.name in found:
            raise InvalidInput(f"groups[{i}].name", f"{group.name} appears twice")
        found[group.name] = tuple(group.symbols)
    return found


def optional_field(message: object, name: str) -> float | None:
    """A field that may be absent."""
    value: float = getattr(message, name)
    return value if message.HasField(name) else None  # type: ignore[attr-defined]  # any generated message
