"""Estimated risk models as a stream: diagnostics first, then arrays in pieces."""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
from absfinance.v1.panel_pb2 import DATA_TYPE_FLOAT64, Tensor
from absfinance.v1.risk_service_pb2 import EstimateRiskModelResponse

from domain.risk.estimate import EstimatedRiskModel
from domain.warnings import ResultWarning
from server.converters.optimization import repair_to_proto
from server.converters.risk_report import missing_data_to_proto
from server.converters.warning import warnings_to_proto

CHUNK_BYTES = 1024 * 1024

Chunk = EstimateRiskModelResponse.Chunk


def risk_model_to_proto(
    estimated: EstimatedRiskModel, warnings: Iterable[ResultWarning] = ()
) -> Iterator[EstimateRiskModelResponse]:
    """Diagnostics with warnings, then every array row after row, in pieces of at most 1 MiB."""
    yield EstimateRiskModelResponse(diagnostics=_diagnostics(estimated, warnings))
    moments = estimated.model.moments
    arrays = [
        (Chunk.ARRAY_EXPECTED_RETURNS, moments.expected_returns),
        (Chunk.ARRAY_COVARIANCE, moments.covariance),
        (Chunk.ARRAY_CORRELATION, estimated.model.correlation),
    ]
    if estimated.factors is not None:
        arrays += [
            (Chunk.ARRAY_FACTOR_EXPOSURES, estimated.factors.exposures),
            (Chunk.ARRAY_FACTOR_COVARIANCE, estimated.factors.factor_covariance),
            (Chunk.ARRAY_SPECIFIC_VARIANCES, estimated.factors.specific_variances),
        ]
    if estimated.simulated is not None:
        arrays.append((Chunk.ARRAY_SIMULATED_RETURNS, estimated.simulated))
    for array, values in arrays:
        yield from _pieces(array, values)


def _diagnostics(
    estimated: EstimatedRiskModel, warnings: Iterable[ResultWarning]
) -> EstimateRiskModelResponse.Diagnostics:
    model = estimated.model
    return EstimateRiskModelResponse.Diagnostics(
        symbols=model.moments.symbols,
        observations=estimated.diagnostics.observations,
        periods_per_year=model.moments.periods_per_year,
        condition_number=estimated.diagnostics.condition_number,
        effective_observations=estimated.diagnostics.effective_observations,
        shrinkage_intensity=estimated.diagnostics.shrinkage_intensity,
        covariance_repair=repair_to_proto(model.moments),
        missing_data=None if estimated.missing is None else missing_data_to_proto(estimated.missing),
        volatilities_annual=model.volatilities_annual.tolist(),
        factors=() if estimated.factors is None else estimated.factors.names,
        constant=itertools.compress(model.moments.symbols, model.constant.tolist()),
        warnings=warnings_to_proto(warnings),
    )


def _pieces(array: Chunk.Array, values: np.ndarray) -> Iterator[EstimateRiskModelResponse]:
    row_bytes = values[0].nbytes
    step = max(1, CHUNK_BYTES // row_bytes)
    for first in range(0, len(values), step):
        piece = np.ascontiguousarray(values[first : first + step], dtype="<f8")
        tensor = Tensor(shape=piece.shape, dtype=DATA_TYPE_FLOAT64, data=piece.tobytes())
        yield EstimateRiskModelResponse(chunk=Chunk(array=array, first_row=first, rows=tensor))
