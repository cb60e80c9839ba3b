"""Which returns statistical validation is about."""

import numpy as np
import pytest

from domain.backtest.metrics import Curve, MetricSettings, performance
from domain.backtest.validated_returns import validated_returns


def curve(days: list[int], seed: int = 1) -> Curve:
    steps = np.random.RandomState(seed).randn(len(days)) * 0.01
    return Curve(np.array(days, np.int32), np.cumprod(1.0 + steps))


def test_excess_returns_are_those_of_the_sharpe_ratio() -> None:
    path = curve(list(range(50)))
    cash = np.linspace(0.0, 0.0002, 50)
    for settings in (MetricSettings(252.0, 0.03), MetricSettings(252.0, cash_returns=cash)):
        found = validated_returns(path, settings, {})
        sharpe = performance(path, settings, turnover=0.0, cost_total=0.0, benchmark=None).sharpe
        assert found.excess.mean() / found.excess.std(ddof=1) * 252.0**0.5 == pytest.approx(sharpe, rel=1e-12)
        assert (found.net == path.returns).all()
        assert found.days.tolist() == list(range(1, 50))


def test_a_benchmark_is_compared_on_common_dates_with_returns_from_one_to_the_next() -> None:
    ours, theirs = curve(list(range(40))), curve(list(range(0, 60, 3)), seed=2)
    cash = np.full(40, 0.0001)
    (found,) = validated_returns(ours, MetricSettings(252.0, cash_returns=cash), {"index": theirs}).compared
    common = list(range(0, 40, 3))
    level = 1.0001**3 - 1.0  # cash of three days
    expected = ours.nav[common[1:]] / ours.nav[common[:-1]] - 1.0 - level
    assert found.ours == pytest.approx(expected, abs=1e-15)
    assert found.theirs == pytest.approx(theirs.nav[1:14] / theirs.nav[:13] - 1.0 - level, abs=1e-15)


def test_the_rate_of_common_dates_has_their_number_of_periods() -> None:
    weekly = curve(list(range(4, 364, 7)))
    daily = curve(list(range(365)), seed=2)
    (found,) = validated_returns(daily, MetricSettings(365.0, 0.052), {"weekly": weekly}).compared
    assert found.periods_per_year == 52.0
    assert found.theirs == pytest.approx(weekly.returns - 0.052 / 52.0, abs=1e-15)
    (same,) = validated_returns(
        daily, MetricSettings(300.0, 0.03, is_given=True), {"other": curve(list(range(365)))}
    ).compared
    assert same.periods_per_year == 300.0
    assert same.ours == pytest.approx(daily.returns - 0.0001, abs=1e-15)


def test_nothing_follows_a_total_loss() -> None:
    path = Curve(np.arange(5, dtype=np.int32), np.array([1.0, 1.1, 0.5, 0.0, 0.0]))
    found = validated_returns(path, MetricSettings(252.0), {"other": curve(list(range(5)))})
    assert found.net[-1] == -1.0
    assert len(found.net) == len(found.excess) == len(found.days) == 3
    assert len(found.compared[0].ours) == len(found.compared[0].theirs) == 3
