"""Shrinkage of correlations and variances against R's corpcor 1.6.10 (Schaefer & Strimmer 2005).

Outputs of cov.shrink and estimate.lambda under R 4.2.2; the first input is the start of the managers data set of
PerformanceAnalytics.
"""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.estimation.shrinkage import CorrelationShrinkage

LONG = np.array(
    [
        [0.0119, 0.0393, 0.0178, 0.0791],
        [0.0123, 0.0298, 0.0122, 0.0525],
        [0.0078, -0.0021, -0.0012, -0.012],
        [0.0086, -0.017, 0.003, 0.0119],
        [0.0156, -0.0015, 0.0233, 0.0315],
        [0.0212, 0.0085, 0.0217, 0.0581],
        [0.0193, 0.0591, 0.0234, 0.056],
        [0.0134, -0.0473, 0.0147, -0.0066],
    ]
)
OF_LONG = np.array(
    [
        [0.00019635399929566707, 0.00011885180404305341, 0.00014886729630273306, 0.0001806140811552843],
        [0.0001188518040430534, 0.000969249251633278, 0.00014939576782882561, 0.0005987380047008423],
        [0.00014886729630273306, 0.0001493957678288256, 0.00024065247250277242, 0.000246637297571727],
        [0.0001806140811552843, 0.0005987380047008423, 0.000246637297571727, 0.0009455057417829416],
    ]
)
WIDE = np.array(
    [
        [1.5, -0.25, 300.0, 0.02, 7.0],
        [2.25, 0.5, 260.0, 0.035, 6.5],
        [0.75, 1.25, 410.0, 0.01, 9.0],
        [3.0, -1.0, 150.0, 0.05, 4.0],
    ]
)
OF_WIDE = np.array(
    [
        [0.9375000000000001, -0.4993464401172181, -56.96465264510412, 0.3424581476433609, -1.1275028226387056],
        [-0.4993464401172181, 0.9375000000000001, 51.407125557776894, -0.2663563370559474, 1.0547607050491115],
        [-56.96465264510412, 51.407125557776894, 8035.938990673044, -31.056038034996753, 106.8659869116984],
        [0.34245814764336086, -0.26635633705594736, -31.056038034996753, 0.28452612647636805, -0.6171264880347741],
        [-1.1275028226387054, 1.0547607050491115, 106.86598691169839, -0.6171264880347741, 3.23091300417545],
    ]
)


@pytest.mark.parametrize(
    ("returns", "covariance", "intensity"),
    [(LONG, OF_LONG, 0.21611380640005393), (WIDE, OF_WIDE, 0.33420474651037596)],
)
def test_cov_shrink(returns: np.ndarray, covariance: np.ndarray, intensity: float) -> None:
    found = CorrelationShrinkage().shrunk(returns)
    assert found.covariance == pytest.approx(covariance, rel=1e-12)
    assert found.intensity == pytest.approx(intensity, rel=1e-12)


def test_an_asset_that_does_not_vary_spoils_nothing() -> None:
    found = CorrelationShrinkage().shrunk(np.column_stack([LONG, np.full(8, 0.01)]))
    assert np.isfinite(found.covariance).all()
    assert np.linalg.eigvalsh(found.covariance)[0] >= 0.0


def test_two_returns_are_too_few() -> None:
    with pytest.raises(InvalidInput, match="three returns"):
        CorrelationShrinkage().shrunk(LONG[:2])
