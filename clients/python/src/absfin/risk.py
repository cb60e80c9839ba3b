"""Options of a risk report, stress scenarios, and risk models."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from absfinance.v1 import estimation_pb2, risk_pb2
from absfinance.v1.risk_measure_pb2 import RiskMeasure
from absfinance.v1.risk_service_pb2 import EstimateRiskModelResponse
from numpy.typing import NDArray

from absfin.choices import Measure, RollingFigure, choice, plain_name
from absfin.data import date_to_proto, groups_to_proto, panel_of, weights_to_proto

StressScenario = risk_pb2.StressScenario


@dataclass(frozen=True, slots=True)
class RiskOptions:
    """What to report in addition to the usual figures; every option may be left out."""

    minimum_acceptable_return_annual: float | None = None
    measures: Iterable[Measure] = ()  # each with its contributions
    groups: Mapping[str, Iterable[str]] = field(default_factory=dict)
    stored_groups: Iterable[str] = ()  # "sector=Energy"
    factors: Any = None  # a Panel or pandas frame of the kind of the data, or a number of principal components
    benchmark_weights: Mapping[str, float] = field(default_factory=dict)
    rolling_window: int | None = None
    rolling_figures: Iterable[RollingFigure] = ()  # every figure that the data allows if empty
    stress: Iterable[StressScenario] = ()
    proposed_weights: Mapping[str, float] = field(default_factory=dict)
    validation: risk_pb2.ValidationOptions | None = None
    worst_drawdowns: int | None = None
    drawdown_series: bool = False
    clusters: risk_pb2.ClusterOptions | None = None
    estimation: estimation_pb2.Estimation | None = None
    conventions: risk_pb2.ReportConventions | None = None
    volatility_filter: estimation_pb2.ExponentialWeighting | None = None  # of filtered historical VaR

    def __post_init__(self) -> None:
        # An iterator can be read once only, and both are read again in to_fields.
        object.__setattr__(self, "measures", tuple(self.measures))
        object.__setattr__(self, "rolling_figures", tuple(self.rolling_figures))
        for measure in self.measures:
            choice(RiskMeasure, "measures", measure)
        for figure in self.rolling_figures:
            choice(risk_pb2.RollingFigure, "rolling_figures", figure)

    def to_fields(self) -> dict[str, Any]:
        """The fields of the request."""
        return {
            "minimum_acceptable_return_annual": self.minimum_acceptable_return_annual,
            "measures": [choice(RiskMeasure, "measures", name) for name in self.measures],
            "groups": groups_to_proto(self.groups),
            "stored_groups": self.stored_groups,
            "factors": None if self.factors is None else factor_options(self.factors),
            "benchmark_weights": weights_to_proto(self.benchmark_weights),
            "rolling": self._rolling(),
            "stress": self.stress,
            "proposed_weights": weights_to_proto(self.proposed_weights),
            "validation": self.validation,
            "worst_drawdowns": self.worst_drawdowns,
            "drawdown_series": self.drawdown_series,
            "clusters": self.clusters,
            "estimation": self.estimation,
            "conventions": self.conventions,
            "volatility_filter": self.volatility_filter,
        }

    def _rolling(self) -> risk_pb2.RollingOptions | None:
        if self.rolling_window is None:
            return None
        figures: list[Any] = [choice(risk_pb2.RollingFigure, "rolling_figures", name) for name in self.rolling_figures]
        return risk_pb2.RollingOptions(window=self.rolling_window, figures=figures)


def factor_options(factors: Any) -> risk_pb2.FactorOptions:
    """Factors as series, or a number of principal components."""
    if isinstance(factors, int):
        return risk_pb2.FactorOptions(principal_components=factors)
    return risk_pb2.FactorOptions(series=panel_of(factors).to_proto())


def historical_window(
    name: str = "", start: date | None = None, end: date | None = None, *, label: str = ""
) -> StressScenario:
    """A known crisis by its name ("*" is every crisis that the data covers), or a window by its dates."""
    window = StressScenario.Historical(name=name, start_date=date_to_proto(start), end_date=date_to_proto(end))
    return StressScenario(label=label, historical=window)


def worst_windows(periods: int, count: int = 1, *, label: str = "") -> StressScenario:
    """The `count` windows of `periods` periods with the largest losses."""
    return StressScenario(label=label, worst_windows=StressScenario.WorstWindows(periods=periods, count=count))


def asset_shocks(shocks: Mapping[str, float], *, propagate: bool = False, label: str = "") -> StressScenario:
    """Returns of assets or groups; with `propagate` the other assets get their conditional expected returns."""
    return StressScenario(label=label, assets=StressScenario.AssetShocks(shocks=_shocks(shocks), propagate=propagate))


def factor_shocks(shocks: Mapping[str, float], *, label: str = "") -> StressScenario:
    """Returns of factors; the other factors and the assets get their conditional expected returns."""
    return StressScenario(label=label, factors=StressScenario.FactorShocks(shocks=_shocks(shocks)))


def correlation_stress(
    correlation: float, fraction: float, volatility_factor: float = 1.0, *, label: str = ""
) -> StressScenario:
    """Moves every correlation by a fraction of the way to `correlation`, and multiplies the volatilities."""
    stress = StressScenario.CorrelationStress(
        correlation=correlation, fraction=fraction, volatility_factor=volatility_factor
    )
    return StressScenario(label=label, correlation=stress)


def _shocks(shocks: Mapping[str, float]) -> list[StressScenario.Shock]:
    return [StressScenario.Shock(name=name, shock=shock) for name, shock in shocks.items()]


@dataclass(frozen=True, slots=True)
class RiskModel:
    """Moments of N assets per period, their diagnostics, and simulated returns."""

    symbols: tuple[str, ...]
    expected_returns: NDArray[np.float64]  # (N,)
    covariance: NDArray[np.float64]  # (N, N)
    correlation: NDArray[np.float64]  # (N, N), NaN where an asset does not vary
    diagnostics: EstimateRiskModelResponse.Diagnostics
    arrays: Mapping[str, NDArray[np.float64]] = field(repr=False)  # all of them, "factor_exposures" for one


class RiskModelAssembler:
    """Joins the parts of a risk model: its diagnostics, and its arrays in blocks of rows."""

    def __init__(self) -> None:
        self._diagnostics: EstimateRiskModelResponse.Diagnostics | None = None
        self._rows: dict[str, list[NDArray[np.float64]]] = {}

    def add(self, part: EstimateRiskModelResponse) -> None:
        """Takes the next part."""
        if part.HasField("diagnostics"):
            self._diagnostics = part.diagnostics
            return
        name = plain_name(EstimateRiskModelResponse.Chunk.Array, part.chunk.array)
        rows = np.frombuffer(part.chunk.rows.data, "<f8").reshape(tuple(part.chunk.rows.shape))
        self._rows.setdefault(name, []).append(rows)

    def result(self) -> RiskModel:
        """The whole model. Raises ValueError where the stream ended too early."""
        if self._diagnostics is None:
            raise ValueError("the stream ended before its diagnostics")
        arrays = {name: np.concatenate(rows) for name, rows in self._rows.items()}
        return RiskModel(
            tuple(self._diagnostics.symbols),
            arrays["expected_returns"],
            arrays["covariance"],
            arrays["correlation"],
            self._diagnostics,
            arrays,
        )
