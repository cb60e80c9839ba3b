"""A measure of several series at once is that of each series alone, bit by bit where no sum is reordered."""

from collections.abc import Callable

import numpy as np
import pytest

from domain.checks import Vector
from domain.risk.measures import dispersion, drawdown
from domain.risk.measures.tail import conditional_value_at_risk, tail_weights, value_at_risk

SERIES = np.random.default_rng(5).standard_t(4, (7, 60)) * 0.02
SERIES[3, 20] = -1.2  # a total loss
SERIES[4] = np.abs(SERIES[4])  # without a loss

MEASURES: dict[str, Callable[[Vector], Vector]] = {
    "mean": dispersion.mean,
    "standard deviation": dispersion.standard_deviation,
    "semi-deviation": dispersion.semi_deviation,
    "mean absolute deviation": dispersion.mean_absolute_deviation,
    "lower partial moment": lambda returns: dispersion.lower_partial_moment(returns, 2, 0.001),
    "upper partial moment": lambda returns: dispersion.upper_partial_moment(returns, 1, 0.001),
    "root fourth moment": dispersion.root_fourth_moment,
    "root fourth semi-moment": dispersion.root_fourth_semi_moment,
    "skewness": lambda returns: dispersion.standardised_moment(returns, 3),
    "value at risk": lambda returns: value_at_risk(returns, 0.93),
    "conditional value at risk": lambda returns: conditional_value_at_risk(returns, 0.93),
    "tail weights": lambda returns: tail_weights(returns, 0.93),
    "uncompounded drawdowns": drawdown.uncompounded_drawdowns,
    "compounded drawdowns": drawdown.compounded_drawdowns,
    "maximum drawdown": lambda returns: drawdown.deepest(drawdown.compounded_drawdowns(returns)),
    "ulcer index": lambda returns: drawdown.ulcer_index(drawdown.compounded_drawdowns(returns)),
}


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_of_each_series(name: str) -> None:
    measure = MEASURES[name]
    assert measure(SERIES) == pytest.approx(np.array([measure(one) for one in SERIES]), rel=1e-12, abs=1e-15)
