"""The traffic light against the table of the Basel Committee and scipy."""

import numpy as np
import pytest
from scipy import stats

from domain.risk.validation.exceptions import Exceptions
from domain.risk.validation.traffic_light import Zone, traffic_light


def of(count: int, total: int, confidence_level: float) -> Exceptions:
    return Exceptions(np.where(np.arange(total) < count, -1.0, 0.0), np.full(total, 0.5), confidence_level)


@pytest.mark.parametrize(
    ("count", "zone", "plus_factor", "percent"),
    [
        (0, Zone.GREEN, 0.0, 8.11),
        (1, Zone.GREEN, 0.0, 28.58),
        (2, Zone.GREEN, 0.0, 54.32),
        (3, Zone.GREEN, 0.0, 75.81),
        (4, Zone.GREEN, 0.0, 89.22),
        (5, Zone.YELLOW, 0.4, 95.88),
        (6, Zone.YELLOW, 0.5, 98.63),
        (7, Zone.YELLOW, 0.65, 99.60),
        (8, Zone.YELLOW, 0.75, 99.89),
        (9, Zone.YELLOW, 0.85, 99.97),
        (10, Zone.RED, 1.0, 99.99),
        (11, Zone.RED, 1.0, 100.0),
        (250, Zone.RED, 1.0, 100.0),
    ],
)
def test_the_table_of_the_committee(count: int, zone: Zone, plus_factor: float, percent: float) -> None:
    """Basle Committee on Banking Supervision 1996, "Supervisory framework for the use of 'backtesting'", table 2."""
    light = traffic_light(of(count, 250, 0.99))
    assert (light.zone, light.plus_factor) == (zone, plus_factor)
    assert round(100 * light.cumulative_probability, 2) == percent


@pytest.mark.parametrize(("total", "level"), [(1, 0.95), (249, 0.99), (250, 0.95), (2500, 0.99)])
def test_elsewhere_the_zones_follow_the_distribution(total: int, level: float) -> None:
    for count in {0, 1, total // 50, total // 25, total}:
        light = traffic_light(of(count, total, level))
        cumulative = stats.binom.cdf(count, total, 1 - level)
        assert light.cumulative_probability == pytest.approx(cumulative, rel=1e-9)
        assert light.zone is (Zone.GREEN if cumulative < 0.95 else Zone.YELLOW if cumulative < 0.9999 else Zone.RED)
        assert light.plus_factor is None
