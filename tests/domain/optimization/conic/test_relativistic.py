"""RLVaR and its drawdown over a thousand and more losses, where power cones span many digits."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from domain.market_data.panel import ReturnPanel
from domain.optimization.problem.resolve import build_problem
from domain.optimization.request.objectives import MinRisk
from domain.optimization.request.specification import Specification
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from tests.families import thinned

PRICES = Path(__file__).parents[4] / "data/sp500_stocks.csv.gz"
MEASURES = (RiskMeasure.RELATIVISTIC_VALUE_AT_RISK, RiskMeasure.RELATIVISTIC_DRAWDOWN_AT_RISK)


def least(returns: np.ndarray, measure: RiskMeasure, confidence_level: float = 0.95) -> None:
    """A proven minimum that no portfolio nearby is below."""
    symbols = [f"S{i}" for i in range(returns.shape[1])]
    panel = ReturnPanel.of(symbols, np.arange(len(returns)), returns)
    problem = build_problem(Specification(MinRisk(), measure, confidence_level, periods_per_year=252.0), panel)
    found = solve(problem)
    assert (found.certificate.duality_gap or 0.0) <= 1e-7
    rng = np.random.default_rng(0)
    for other in rng.dirichlet(np.ones(len(symbols)), 20):
        nearby = 0.95 * found.weights + 0.05 * other
        assert problem.risk.of(nearby) >= found.risk * (1 - 1e-7)


@pytest.mark.parametrize("confidence_level", thinned([0.95, 0.99], 2))
@pytest.mark.parametrize("measure", MEASURES)
def test_five_years_of_three_stocks(measure: RiskMeasure, confidence_level: float) -> None:
    with gzip.open(PRICES, "rt") as file:
        names, *rows = (line.rstrip("\n").split(",") for line in file)
    columns = [names.index(symbol) for symbol in ("AAPL", "JNJ", "XOM")]
    within = [row for row in rows if "2018-01-01" <= row[0] <= "2023-01-01"]
    prices = np.array([[float(row[column]) for column in columns] for row in within])
    least(prices[1:] / prices[:-1] - 1.0, measure, confidence_level)


@pytest.mark.parametrize("count", thinned([20, 150, 500, 900, 1500], 4, 1))
@pytest.mark.parametrize("measure", MEASURES)
def test_any_number_of_losses(measure: RiskMeasure, count: int) -> None:
    rng = np.random.default_rng(count)
    least(0.01 * rng.standard_t(4, (count, 4)) + 0.008 * rng.standard_t(4, (count, 1)), measure)
