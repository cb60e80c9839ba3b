"""The distributions of EVaR and RLVaR are those of losses in any unit."""

from collections.abc import Callable

import numpy as np
import pytest

from domain.checks import Vector
from domain.risk.measures.entropic import entropic_weights, relativistic_weights

LOSSES = np.random.default_rng(5).standard_t(4, 200) * 0.01
EQUAL = np.full(200, 1.0 / 200.0)

WEIGHTS: dict[str, Callable[[Vector], Vector]] = {
    "entropic": lambda losses: entropic_weights(losses, EQUAL, 0.95),
    "relativistic": lambda losses: relativistic_weights(losses, 0.95),
}


@pytest.mark.parametrize("scale", [1e-12, 1e-4, 1e8])
@pytest.mark.parametrize("kind", WEIGHTS)
def test_losses_in_another_unit_have_the_same_distribution(kind: str, scale: float) -> None:
    found = WEIGHTS[kind](LOSSES)
    assert found.sum() == pytest.approx(1.0)
    assert found @ LOSSES > np.sort(LOSSES)[-10:].mean(), "not beyond the CVaR"
    assert WEIGHTS[kind](scale * LOSSES) == pytest.approx(found, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("kind", WEIGHTS)
def test_losses_with_an_offset_have_the_same_distribution(kind: str) -> None:
    assert WEIGHTS[kind](LOSSES + 3.0) == pytest.approx(WEIGHTS[kind](LOSSES), rel=1e-6, abs=1e-12)
