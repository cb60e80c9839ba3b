"""An estimated risk model on the wire: diagnostics, then every array in pieces of at most 1 MiB."""

import numpy as np
import pytest
from absfinance.v1.risk_service_pb2 import EstimateRiskModelResponse

from domain.market_data.panel import ReturnPanel
from domain.risk.estimate import RiskModelSpecification, estimate
from domain.risk.simulation import SimulationSettings
from server.converters.risk_model import CHUNK_BYTES, risk_model_to_proto

Chunk = EstimateRiskModelResponse.Chunk
RETURNS = np.random.default_rng(2).normal(0.0, 0.01, (50, 3))


def sent(specification: RiskModelSpecification) -> list[EstimateRiskModelResponse]:
    panel = ReturnPanel.of(("A", "B", "C"), range(50), RETURNS)
    return list(risk_model_to_proto(estimate(specification, panel)))


def array(pieces: list[EstimateRiskModelResponse], kind: Chunk.Array) -> np.ndarray:
    own = [piece.chunk for piece in pieces if piece.chunk.array == kind]
    rows = [np.frombuffer(chunk.rows.data).reshape(tuple(chunk.rows.shape)) for chunk in own]
    assert [chunk.first_row for chunk in own] == np.cumsum([0, *map(len, rows)])[:-1].tolist()
    return np.concatenate(rows)


def test_the_least() -> None:
    first, *pieces = sent(RiskModelSpecification(periods_per_year=252.0))
    found = first.diagnostics
    assert (list(found.symbols), found.observations, found.periods_per_year) == (["A", "B", "C"], 50, 252.0)
    assert not found.factors
    np.testing.assert_allclose(found.volatilities_annual, RETURNS.std(axis=0, ddof=1) * 252.0**0.5)
    assert [piece.chunk.array for piece in pieces] == [
        Chunk.ARRAY_EXPECTED_RETURNS,
        Chunk.ARRAY_COVARIANCE,
        Chunk.ARRAY_CORRELATION,
    ]
    np.testing.assert_allclose(array(pieces, Chunk.ARRAY_EXPECTED_RETURNS), RETURNS.mean(axis=0))
    np.testing.assert_allclose(array(pieces, Chunk.ARRAY_COVARIANCE), np.cov(RETURNS.T))
    np.testing.assert_allclose(array(pieces, Chunk.ARRAY_CORRELATION), np.corrcoef(RETURNS.T))


def test_factors_give_the_covariance() -> None:
    first, *pieces = sent(RiskModelSpecification(periods_per_year=252.0, factors=2))
    assert len(first.diagnostics.factors) == 2
    exposures = array(pieces, Chunk.ARRAY_FACTOR_EXPOSURES)
    factors = array(pieces, Chunk.ARRAY_FACTOR_COVARIANCE)
    specific = array(pieces, Chunk.ARRAY_SPECIFIC_VARIANCES)
    assert (exposures.shape, factors.shape, specific.shape) == ((3, 2), (2, 2), (3,))
    covariance = exposures @ factors @ exposures.T + np.diag(specific)
    np.testing.assert_allclose(np.diag(covariance), RETURNS.var(axis=0, ddof=1))


@pytest.mark.parametrize("more", [0, 1])
def test_arrays_come_in_pieces(more: int) -> None:
    rows = CHUNK_BYTES // (8 * 3) + more
    _, *pieces = sent(RiskModelSpecification(periods_per_year=252.0, simulation=SimulationSettings(rows)))
    own = [piece.chunk for piece in pieces if piece.chunk.array == Chunk.ARRAY_SIMULATED_RETURNS]
    assert len(own) == 1 + more
    assert max(len(chunk.rows.data) for chunk in own) <= CHUNK_BYTES
    assert array(pieces, Chunk.ARRAY_SIMULATED_RETURNS).shape == (rows, 3)
