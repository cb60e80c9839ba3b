"""Requests, built once for both twins."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from absfinance.v1.estimation_pb2 import (
    CovarianceEstimator,
    Estimation,
    ExpectedReturnsEstimator,
    ExponentialWeighting,
    SampleEstimator,
)
from absfinance.v1.market_data_service_pb2 import ImportPricesRequest
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from absfinance.v1.risk_service_pb2 import AnalyzeRiskRequest
from absfinance.v1.weight_pb2 import AssetWeight

from absfin.constraints import Constraint
from absfin.data import MarketInput, Panel, Prices, Returns, input_fields, panel_of
from absfin.objectives import Objective

CHUNK_VALUES = 100_000
"""Values in a message of an import: 0.8 MB, well below the 4 MiB a message may have."""

Progress = Callable[[int, int], None]
"""Told how many values of how many have been sent."""


def optimize_request(
    data: MarketInput,
    objective: Objective,
    *,
    constraints: Iterable[Constraint] = (),
    risk_measure: str = "variance",
    confidence_level: float | None = None,
    current_weights: Mapping[str, float] | None = None,
    ewma_half_life: float | None = None,
    missing_data: str = "fail",
    request_id: str = "",
    validate_only: bool = False,
) -> OptimizeRequest:
    """One optimisation problem."""
    return OptimizeRequest(
        **input_fields(data),
        objective=objective,
        constraints=constraints,
        risk_measure=f"RISK_MEASURE_{risk_measure.upper()}",
        confidence_level=confidence_level,
        current_weights=weights_to_proto(current_weights or {}),
        estimation=None if ewma_half_life is None else _ewma(ewma_half_life),
        missing_data=f"MISSING_DATA_POLICY_{missing_data.upper()}",
        request_id=request_id,
        validate_only=validate_only,
    )


def risk_request(
    data: MarketInput,
    weights: Mapping[str, float],
    *,
    benchmark: Any = None,
    confidence_level: float | None = None,
    risk_free_rate_annual: float | None = None,
    missing_data: str = "fail",
    allow_leverage: bool = False,
) -> AnalyzeRiskRequest:
    """A risk report. `benchmark` is a Panel or pandas series of the data's kind, or the name of a stored symbol."""
    fields = input_fields(data)
    if isinstance(benchmark, str):
        fields["benchmark_symbol"] = benchmark
    elif benchmark is not None:
        table = benchmark.panel if isinstance(benchmark, Prices | Returns) else benchmark
        fields["benchmark"] = panel_of(table).to_proto()
    return AnalyzeRiskRequest(
        **fields,
        weights=weights_to_proto(weights),
        confidence_level=confidence_level,
        risk_free_rate_annual=risk_free_rate_annual,
        missing_data=f"MISSING_DATA_POLICY_{missing_data.upper()}",
        allow_leverage=allow_leverage,
    )


def import_requests(
    panel: Panel, *, field: str, source: str, import_id: str, on_progress: Progress | None
) -> Iterator[ImportPricesRequest]:
    """Header, chunks of whole rows, footer."""
    header = ImportPricesRequest.Header(
        import_id=import_id or secrets.token_hex(16),
        field=f"PRICE_FIELD_{field.upper()}",
        source=source,
    )
    yield ImportPricesRequest(header=header)
    total, rows = panel.values.size, max(1, CHUNK_VALUES // len(panel.symbols))
    for start in range(0, len(panel.dates), rows):
        part = Panel(panel.symbols, panel.dates[start : start + rows], panel.values[start : start + rows])
        yield ImportPricesRequest(chunk=part.to_proto())
        if on_progress:
            on_progress(min((start + rows) * len(panel.symbols), total), total)
    yield ImportPricesRequest(footer=ImportPricesRequest.Footer(value_count=total))


def weights_to_proto(weights: Mapping[str, float]) -> Sequence[AssetWeight]:
    """One message for each weight."""
    return [AssetWeight(symbol=symbol, weight=weight) for symbol, weight in weights.items()]


def _ewma(half_life: float) -> Estimation:
    return Estimation(
        expected_returns=ExpectedReturnsEstimator(sample=SampleEstimator()),
        covariance=CovarianceEstimator(ewma=ExponentialWeighting(half_life=half_life)),
    )
