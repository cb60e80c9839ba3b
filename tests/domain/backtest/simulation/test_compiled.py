"""Compiled functions also run as Python, where numba is told not to compile, and give the same net asset values."""

import os
import subprocess
import sys

import numpy as np
import pytest

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import FixedWeights, inverse_volatility
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.panel import PricePanel
from tests.conftest import ROOT

AS_PYTHON = """
import numba
from tests.domain.backtest.simulation.test_compiled import net_asset_values
assert numba.config.DISABLE_JIT
for values in net_asset_values():
    print(*values)
"""


def net_asset_values() -> list[list[float]]:
    """Of a strategy that is simulated in the short way of quiet dates, and of one that is asked for its weights."""
    prices = np.exp(np.random.default_rng(3).normal(0.0, 0.02, (30, 3)).cumsum(axis=0))
    strategies = (FixedWeights({"A": 0.5, "B": 0.3, "C": 0.2}), inverse_volatility(5))
    specification = BacktestSpecification(
        strategies,
        rebalancing=Rebalancing(EveryPeriods(4)),
        costs=CostModel(LinearCost(10.0, 5.0)),
        periods_per_year=252.0,
    )
    plan = prepare(specification, PricePanel.of("ABC", range(30), prices))
    assert plan.inputs[0].rules.is_quiet
    assert not plan.inputs[1].rules.is_quiet
    return [
        outcome.record.nav.tolist() for outcome in run(plan, lambda _: None, lambda: None).strategies if outcome.record
    ]


def test_compiled_functions_run_as_python() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AS_PYTHON],
        cwd=ROOT,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    found = [[float(word) for word in line.split()] for line in done.stdout.splitlines()]
    expected = net_asset_values()
    assert len(found) == len(expected) == 2
    for values, wanted in zip(found, expected, strict=True):
        assert values == pytest.approx(wanted, rel=1e-12)
