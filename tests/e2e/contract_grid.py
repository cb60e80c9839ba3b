"""Every objective beside every constraint, from every input of Optimize: one valid example for each kind."""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from absfin import Panel
from absfinance.v1.constraint_pb2 import Constraint
from absfinance.v1.objective_pb2 import Objective
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from google.protobuf import json_format

SIZES = (60, 300)
OBSERVATIONS = 300
PERIODS = 252

Symbols = Sequence[str]
Example = Callable[[Symbols], Any]


def symbols(count: int) -> tuple[str, ...]:
    return tuple(f"S{i:03}" for i in range(count))


def _equal(names: Symbols) -> list[dict[str, Any]]:
    return [{"symbol": name, "weight": 1.0 / len(names)} for name in names]


def _falling() -> list[float]:
    """Weights of ordered outcomes, from the worst on, that fall to 0 in a straight line."""
    weights = np.arange(OBSERVATIONS, 0, -1.0)
    return list(weights / weights.sum())


OBJECTIVES: Mapping[str, Example] = {
    "min_risk": lambda _: {},
    "max_return": lambda _: {},
    "max_utility": lambda _: {"riskAversion": 3.0},
    "max_ratio": lambda _: {"riskFreeRateAnnual": 0.01},
    "max_diversification": lambda _: {},
    "risk_budget": lambda _: {},
    "relaxed_risk_budget": lambda _: {"penalty": 1.0},
    "hierarchical": lambda _: {"linkage": "LINKAGE_WARD"},
    "worst_case": lambda _: {
        "expectedReturns": "UNCERTAINTY_ELLIPSOID",
        "covariance": "UNCERTAINTY_BOX",
        "maxUtility": {"riskAversion": 2.0},
    },
    "kelly": lambda _: {},
    "tracking": lambda names: {"benchmark": _equal(names[: len(names) // 2])},
    "equal_weight": lambda _: {},
    "inverse_volatility": lambda _: {},
    "owa": lambda _: {"weights": _falling()},
    "higher_moments": lambda _: {"variance": 1.0, "skewness": 1.0, "kurtosis": 1.0},
}

CONSTRAINTS: Mapping[str, Example] = {
    "weight_bounds": lambda _: {"upper": 0.1},
    "group_bounds": lambda names: {"symbols": list(names[:20]), "lower": 0.2, "upper": 0.4},
    "linear": lambda names: {
        "terms": [{"symbol": name, "coefficient": i % 7} for i, name in enumerate(names)],
        "upper": 3.0,
    },
    "leverage": lambda _: {"maxShort": 0.3, "maxGross": 1.6},
    "turnover": lambda _: {"maxTurnover": 0.2},
    "tracking_error": lambda names: {"benchmark": _equal(names), "maxAnnual": 0.1},
    "cardinality": lambda _: {"maxAssets": 25},
    "minimum_position": lambda _: {"minWeight": 0.02},
    "return_floor": lambda _: {"minReturnAnnual": 0.02},
    "risk_limit": lambda _: {"riskMeasure": "RISK_MEASURE_CVAR", "max": 0.05},
    "risk_contribution_bounds": lambda _: {"upper": 0.1},
    "factor_exposure": lambda names: {
        "factor": "size",
        "loadings": [{"symbol": name, "loading": (i % 5) / 2.0} for i, name in enumerate(names)],
        "lower": 0.5,
        "upper": 1.5,
    },
    "network": lambda _: {},
    "clusters": lambda _: {"clusters": 8, "maxAssets": 4},
    "centrality": lambda _: {"upper": 3.0},
}


@cache
def _returns(count: int) -> np.ndarray:
    """A market with one common factor."""
    rng = np.random.default_rng(41)
    values = rng.normal(size=(OBSERVATIONS, 1)) * 0.006 + rng.normal(size=(OBSERVATIONS, count)) * 0.012
    return np.round(values + rng.uniform(1e-4, 1e-3, count), 6)


@cache
def stored_prices(count: int) -> Panel:
    """The prices that `market_data` names; a server is given those of the largest size."""
    values = 100.0 * np.cumprod(1.0 + _returns(count), axis=0)
    return Panel(symbols(count), np.arange(18_000, 18_000 + OBSERVATIONS, dtype=np.int32), values)


def _panel(count: int, values: np.ndarray) -> dict[str, Any]:
    dates = list(range(18_000, 18_000 + OBSERVATIONS))
    return {"symbols": symbols(count), "dates": dates, "values": values.ravel().tolist()}


def _moments(count: int) -> dict[str, Any]:
    values = _returns(count)
    covariance = np.cov(values.T) + 1e-6 * np.eye(count)
    return {
        "symbols": symbols(count),
        "expectedReturns": values.mean(axis=0).tolist(),
        "covariance": (0.5 * (covariance + covariance.T)).ravel().tolist(),
        "periodsPerYear": PERIODS,
    }


INPUTS: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "prices": lambda count: _panel(count, stored_prices(count).values),
    "returns": lambda count: _panel(count, _returns(count)),
    "moments": _moments,
    "scenarios": lambda count: {
        "symbols": symbols(count),
        "values": _returns(count).ravel().tolist(),
        "periodsPerYear": PERIODS,
    },
    "market_data": lambda count: {"symbols": symbols(count)},
}


@dataclass(frozen=True)
class Cell:
    """One request of the grid."""

    objective: str
    constraint: str
    source: str
    assets: int

    def request(self, time_limit: float, *, validate_only: bool = False) -> bytes:
        """The request, with seconds as the solver's time limit."""
        names = symbols(self.assets)
        rest: dict[str, Any] = {
            "objective": {self.objective: OBJECTIVES[self.objective](names)},
            "constraints": [{"label": "limit", self.constraint: CONSTRAINTS[self.constraint](names)}],
            "currentWeights": _equal(names),
            "solver": {"timeLimit": f"{time_limit:.3f}s"},
            "validateOnly": validate_only,
        }
        if self.source not in ("moments", "scenarios"):
            rest["periodsPerYear"] = PERIODS
        message = json_format.ParseDict(rest, OptimizeRequest())
        encoded: bytes = message.SerializeToString()
        return _input(self.source, self.assets) + encoded  # messages that follow each other are merged

    def __str__(self) -> str:
        return f"{self.objective}-{self.constraint}-{self.source}-{self.assets}"


@cache
def _input(source: str, count: int) -> bytes:
    message = json_format.Parse(json.dumps({source: INPUTS[source](count)}), OptimizeRequest())
    encoded: bytes = message.SerializeToString()
    return encoded


def whole_grid() -> list[Cell]:
    """Every kind beside every other."""
    return [Cell(*one) for one in itertools.product(OBJECTIVES, CONSTRAINTS, INPUTS, SIZES)]


def kinds() -> dict[str, tuple[set[str], set[str]]]:
    """The members of each oneof of the contract, and those with an example."""
    oneofs = {
        "objective": (Objective.DESCRIPTOR.oneofs_by_name["kind"], OBJECTIVES),
        "constraint": (Constraint.DESCRIPTOR.oneofs_by_name["kind"], CONSTRAINTS),
        "input": (OptimizeRequest.DESCRIPTOR.oneofs_by_name["input"], INPUTS),
    }
    return {name: ({field.name for field in oneof.fields}, set(given)) for name, (oneof, given) in oneofs.items()}
