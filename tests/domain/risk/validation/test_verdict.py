"""What a verdict may and may not hold: failures."""

import math

import pytest

from domain.risk.validation.verdict import PValueMethod, Verdict


@pytest.mark.parametrize("figure", [math.inf, -math.inf, math.nan])
def test_a_figure_is_finite(figure: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Verdict(figure, 0.5, PValueMethod.EXACT)
    with pytest.raises(ValueError, match="finite"):
        Verdict(1.0, figure, PValueMethod.EXACT)


def test_what_is_absent_has_a_reason_and_nothing_else_has() -> None:
    with pytest.raises(ValueError, match="reason"):
        Verdict(None)
    with pytest.raises(ValueError, match="reason"):
        Verdict(1.0, 0.5, PValueMethod.EXACT, reason="none needed")
    with pytest.raises(ValueError, match="method"):
        Verdict(1.0, 0.5)
    assert Verdict.undefined("too short").reason == "too short"
