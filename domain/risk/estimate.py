"""EstimateRiskModel: a risk model with diagnostics, factors and simulated returns."""

from dataclasses import field

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix
from domain.errors import InvalidInput
from domain.estimation.diagnostics import EstimationDiagnostics, diagnosed
from domain.estimation.moments import Estimation
from domain.market_data.missing import MissingData, MissingDataPolicy
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.records import dataclass
from domain.risk.factors import FactorDecomposition
from domain.risk.model import RiskModel
from domain.risk.prepared import prepared
from domain.risk.simulation import SimulationMethod, SimulationSettings, simulate
from domain.risk.specification import Factors, check_estimation, decomposition, periods_of, without_factors

MOST_SIMULATED = 20_000_000
"""Simulated returns of one request: 160 MB."""


@dataclass(frozen=True, slots=True)
class RiskModelSpecification:
    """Estimators and optional parts of a risk model."""

    estimation: Estimation = field(default_factory=Estimation)
    periods_per_year: float | None = None
    missing_data: MissingDataPolicy = MissingDataPolicy.FAIL
    factors: Factors | None = None
    simulation: SimulationSettings | None = None


@dataclass(frozen=True, slots=True)
class EstimatedRiskModel:
    """The model and its diagnostics; a part that does not apply is None."""

    model: RiskModel
    diagnostics: EstimationDiagnostics
    missing: MissingData | None
    factors: FactorDecomposition | None
    simulated: Matrix | None  # (paths x periods, N)


def estimate(
    specification: RiskModelSpecification,
    data: PricePanel | ReturnPanel,
    check_cancelled: CancellationCheck = never_cancelled,
) -> EstimatedRiskModel:
    """From prices or returns. Raises InvalidInput with the field named."""
    ready = prepared(data, specification.missing_data, specification.periods_per_year, check_cancelled)
    periods = periods_of(specification.periods_per_year, data, ready)
    check_estimation(specification.estimation, ready)
    check_cancelled()
    if ready.moments is not None:
        model = RiskModel.of(ready.moments, periods)
        returns = data.returns() if isinstance(data, PricePanel) else data
    else:
        if not isinstance(ready.data, ReturnPanel):
            raise ValueError("prices and returns are made ready as returns")
        model = RiskModel.of(ready.data, periods, specification.estimation, check_cancelled)
        returns = specification.estimation.assets_of(ready.data)
        ready = without_factors(specification.estimation, ready)
    check_cancelled()
    return EstimatedRiskModel(
        model=model,
        diagnostics=diagnosed(specification.estimation, returns.values, model.moments.covariance),
        missing=ready.missing,
        factors=None if specification.factors is None else decomposition(specification.factors, ready, data),
        simulated=_simulated(specification.simulation, model, ready.data if ready.moments is None else None),
    )


def _simulated(simulation: SimulationSettings | None, model: RiskModel, data: object) -> Matrix | None:
    if simulation is None:
        return None
    size = simulation.paths * simulation.periods * len(model.moments.symbols)
    if size > MOST_SIMULATED:
        raise InvalidInput(
            "simulation.paths", f"paths x periods x assets must be at most {MOST_SIMULATED:,}, are {size:,}"
        )
    if simulation.method is not SimulationMethod.BLOCK_BOOTSTRAP:
        return simulate(simulation, model.moments, np.zeros((0, 0)))
    if not isinstance(data, ReturnPanel):
        raise InvalidInput(
            "simulation.method", "the block bootstrap needs returns without gaps; drop dates, or use another method"
        )
    return simulate(simulation, model.moments, data.values)
