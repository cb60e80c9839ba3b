"""Compiles the simulation ahead of its first use: `python -m domain.backtest.precompile`.

Compilation takes about half a minute of a processor and is kept on disk; loading what is kept takes a second. Without
this step the first backtest of a machine waits for it.
"""

import shutil
from pathlib import Path

import numpy as np

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.simulated_together import simulate_each
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import EqualWeightStrategy, inverse_volatility
from domain.market_data.panel import PricePanel


def is_compiled() -> bool:
    """Whether the simulation is compiled for this processor and kept on disk."""
    return _marker().exists()


def load() -> None:
    """Loads the compiled simulation into this process, compiling what is not kept: runs it once on a few prices."""
    prices = np.array([[1.0, 2.0], [1.1, 2.1], [1.0, 2.3], [1.2, 2.2], [1.3, 2.1]])
    panel = PricePanel.of(("A", "B"), range(5), prices)
    # One strategy that plans its weights, and one that is asked for them: both entries of the compiled code.
    plan = prepare(BacktestSpecification((EqualWeightStrategy(), inverse_volatility(2)), periods_per_year=252.0), panel)
    run(plan, lambda backtest: None, lambda: None)
    simulate_each(plan, [plan.inputs[0].costs])


def compile_simulation() -> None:
    """Compiles the simulation, and removes what was kept of earlier versions of its code."""
    load()
    marker = _marker()
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()
    for other in marker.parent.parent.glob("simulation-*"):
        if other != marker.parent:
            shutil.rmtree(other, ignore_errors=True)


def _marker() -> Path:
    """The file that says that every function has been compiled for this processor and kept."""
    from llvmlite.binding import get_host_cpu_name  # these import numba, which takes half a second

    from domain.backtest.simulation.compiled import FOLDER

    return FOLDER / f"complete-{get_host_cpu_name()}"


if __name__ == "__main__":
    if not is_compiled():
        compile_simulation()
