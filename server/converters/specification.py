"""What a request wants: objective, constraints, estimation, options."""

from collections.abc import Sequence

from absfinance.v1 import estimation_pb2, optimization_pb2, weight_pb2
from absfinance.v1.optimization_service_pb2 import OptimizeRequest

from domain.optimization.request.solver_options import EnginePreference, SolverOptions
from domain.optimization.request.specification import (
    Specification,
)
from server.converters.constraint import constraint_from_proto
from server.converters.cost import cost_from_proto
from server.converters.estimation import estimation_from_proto
from server.converters.market_input import missing_data_from_proto
from server.converters.measure import risk_measure_from_proto
from server.converters.objective import objective_from_proto
from server.converters.weights import groups_from_proto, weights_from_proto

DEFAULT_CONFIDENCE = 0.95

# Of requests that say nothing of it, which are most.
_ESTIMATION = estimation_from_proto(estimation_pb2.Estimation())
_OPTIONS = SolverOptions()


def specification_from_proto(
    request: OptimizeRequest | optimization_pb2.OptimizeSpec, *, periods_per_year: float | None = None
) -> Specification:
    """Everything of an optimisation but its data. Raises InvalidInput, or NotSupported by name."""
    current: Sequence[weight_pb2.AssetWeight] = ()
    if isinstance(request, OptimizeRequest):
        current = request.current_weights
    costs = cost_from_proto(request.costs) if request.HasField("costs") else None
    if isinstance(request, OptimizeRequest) and costs is not None and not current:
        costs.without_current_weights()
    return Specification(
        objective=objective_from_proto(request.objective),
        risk_measure=risk_measure_from_proto(request.risk_measure),
        confidence_level=request.confidence_level if request.HasField("confidence_level") else DEFAULT_CONFIDENCE,
        constraints=tuple(constraint_from_proto(i, c) for i, c in enumerate(request.constraints)),
        groups=groups_from_proto(request.groups),
        estimation=estimation_from_proto(request.estimation) if request.HasField("estimation") else _ESTIMATION,
        missing_data=missing_data_from_proto(request.missing_data),
        current_weights=weights_from_proto("current_weights", current) if current else None,
        periods_per_year=periods_per_year,
        options=options_from_proto(request.solver) if request.HasField("solver") else _OPTIONS,
        costs=costs,
    )


def options_from_proto(options: optimization_pb2.SolverOptions) -> SolverOptions:
    """Solver options with their defaults."""
    engine = {
        optimization_pb2.ENGINE_FAST: EnginePreference.FAST,
        optimization_pb2.ENGINE_RISKFOLIO: EnginePreference.RISKFOLIO,
    }.get(options.engine, EnginePreference.AUTO)
    limit = options.time_limit.ToTimedelta().total_seconds() if options.HasField("time_limit") else None
    return SolverOptions(
        time_limit_seconds=limit if limit is not None else _OPTIONS.time_limit_seconds,
        tolerance=options.tolerance if options.HasField("tolerance") else _OPTIONS.tolerance,
        engine=engine,
    )
